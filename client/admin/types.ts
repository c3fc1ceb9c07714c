import type { Node } from '../cluster'
import type { ProtocolError } from '../../protocol/errors'
import type { TopicPartition } from '../leaders'

export interface NewTopic {
  name: string
  /** Left out: the broker's `num.partitions`. */
  partitions?: number | undefined
  /** Left out: the broker's `default.replication.factor`. */
  replicationFactor?: number | undefined
  /** By partition, from 0, the brokers that hold it, the preferred leader first; instead of the two numbers. */
  assignments?: readonly (readonly number[])[] | undefined
  configs?: Readonly<Record<string, string>> | undefined
}

export const ResourceType = { topic: 2, broker: 4, brokerLogger: 8 } as const
export const ElectionType = { preferred: 0, unclean: 1 } as const
export const AlterOperation = { set: 0, delete: 1, append: 2, subtract: 3 } as const

export interface ConfigChange {
  name: string
  operation: keyof typeof AlterOperation
  value?: string | null
}

export interface Reassignment extends TopicPartition {
  replicas: number[]
  addingReplicas: number[]
  removingReplicas: number[]
}

export interface ClusterDescription {
  clusterId: string | null
  controllerId: number
  nodes: Node[]
}

export interface Features {
  supported: { name: string; minVersion: number; maxVersion: number }[]
  finalized: { name: string; minVersionLevel: number; maxVersionLevel: number }[]
  epoch: number | undefined
}

export interface ReplicaMove extends TopicPartition {
  brokerId: number
  /** The directory that shall hold it. */
  logDir: string
}

export interface ReplicaMoveResult extends TopicPartition {
  brokerId: number
  error: ProtocolError | undefined
}
