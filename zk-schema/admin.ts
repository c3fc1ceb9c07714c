import { decodeJson, encodeJson } from './znode-json'

export const adminPath = '/admin'
/** Its children name the topics that are to be deleted. */
export const deleteTopicsPath = '/admin/delete_topics'
/** Written by tools before 2.4; the controller takes it over and deletes it. */
export const reassignPartitionsPath = '/admin/reassign_partitions'
/** Written by tools before 2.4; the controller elects and deletes it. */
export const preferredReplicaElectionPath = '/admin/preferred_replica_election'

/** Persistent, null data. */
export function deleteTopicPath(topic: string): string {
  return `${deleteTopicsPath}/${topic}`
}

export interface TopicPartition {
  topic: string
  partition: number
}

export interface PartitionReassignment extends TopicPartition {
  replicas: number[]
}

export function encodeReassignPartitions(partitions: readonly PartitionReassignment[]): Buffer {
  const listed = partitions.map(({ topic, partition, replicas }) => ({ topic, partition, replicas }))
  return encodeJson({ version: 1, partitions: listed })
}

/** Throws ZnodeFormatError. */
export function decodeReassignPartitions(data: Buffer | null): PartitionReassignment[] {
  return decodeJson(reassignPartitionsPath, data)
    .objects('partitions')
    .map((item) => ({ topic: item.string('topic'), partition: item.int('partition'), replicas: item.ints('replicas') }))
}

export function encodePreferredReplicaElection(partitions: readonly TopicPartition[]): Buffer {
  return encodeJson({ version: 1, partitions: partitions.map(({ topic, partition }) => ({ topic, partition })) })
}

/** Throws ZnodeFormatError. */
export function decodePreferredReplicaElection(data: Buffer | null): TopicPartition[] {
  return decodeJson(preferredReplicaElectionPath, data)
    .objects('partitions')
    .map((item) => ({ topic: item.string('topic'), partition: item.int('partition') }))
}
