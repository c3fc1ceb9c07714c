import { decodeJson, encodeJson, ZnodeFormatError } from './znode-json'
import type { JsonFields } from './znode-json'

export const topicsPath = '/brokers/topics'

export function topicPath(topic: string): string {
  return `${topicsPath}/${topic}`
}

export function partitionsPath(topic: string): string {
  return `${topicPath(topic)}/partitions`
}

export function partitionPath(topic: string, partition: number): string {
  return `${partitionsPath(topic)}/${partition}`
}

export function partitionStatePath(topic: string, partition: number): string {
  return `${partitionPath(topic, partition)}/state`
}

/** The head of `replicas` is the preferred leader. While a reassignment is under way `replicas` holds target and original. */
export interface PartitionAssignment {
  replicas: number[]
  addingReplicas: number[]
  removingReplicas: number[]
}

export interface TopicAssignment {
  /** 22 characters of base64url; null in znodes of brokers before 2.8. */
  topicId: string | null
  /** By partition, ascending. */
  partitions: Map<number, PartitionAssignment>
}

/** Version 3 (2.8), without `topic_id` if there is none (inter.broker.protocol.version before 2.8-IV0). */
export function encodeTopic(topic: TopicAssignment): Buffer {
  const partitions: Record<string, number[]> = {}
  const adding: Record<string, number[]> = {}
  const removing: Record<string, number[]> = {}
  for (const [partition, assignment] of topic.partitions) {
    partitions[partition] = assignment.replicas
    if (assignment.addingReplicas.length > 0) adding[partition] = assignment.addingReplicas
    if (assignment.removingReplicas.length > 0) removing[partition] = assignment.removingReplicas
  }
  return encodeJson({
    partitions,
    ...(topic.topicId === null ? {} : { topic_id: topic.topicId }),
    adding_replicas: adding,
    removing_replicas: removing,
    version: 3,
  })
}

/** Reads versions 1 to 3. Throws ZnodeFormatError. */
export function decodeTopic(topic: string, data: Buffer | null): TopicAssignment {
  const path = topicPath(topic)
  const json = decodeJson(path, data)
  const partitions = json.object('partitions')
  const adding = json.object('adding_replicas')
  const removing = json.object('removing_replicas')
  const assignment = new Map<number, PartitionAssignment>()
  for (const partition of partitions
    .keys()
    .map((key) => partitionNumber(path, key))
    .sort((a, b) => a - b)) {
    assignment.set(partition, {
      replicas: replicasOf(partitions, partition),
      addingReplicas: adding.has(String(partition)) ? replicasOf(adding, partition) : [],
      removingReplicas: removing.has(String(partition)) ? replicasOf(removing, partition) : [],
    })
  }
  return { topicId: json.has('topic_id') ? topicIdOf(json) : null, partitions: assignment }
}

/** 0 is written by leaving it out, so that brokers before 3.2 see what they know. */
export const LeaderRecoveryState = { recovered: 0, recovering: 1 } as const
export type LeaderRecoveryState = (typeof LeaderRecoveryState)[keyof typeof LeaderRecoveryState]

/** `/brokers/topics/<t>/partitions/<n>/state`; the version in its Stat is the partition epoch. */
export interface PartitionState {
  /** Of the controller that wrote it, or that the leader knew of. */
  controllerEpoch: number
  /** -1: none. */
  leader: number
  leaderEpoch: number
  isr: number[]
  leaderRecoveryState: LeaderRecoveryState
}

export function encodePartitionState(state: PartitionState): Buffer {
  return encodeJson({
    controller_epoch: state.controllerEpoch,
    leader: state.leader,
    version: 1,
    leader_epoch: state.leaderEpoch,
    isr: state.isr,
    ...(state.leaderRecoveryState === LeaderRecoveryState.recovered ? {} : { leader_recovery_state: state.leaderRecoveryState }),
  })
}

/** Throws ZnodeFormatError. */
export function decodePartitionState(topic: string, partition: number, data: Buffer | null): PartitionState {
  const json = decodeJson(partitionStatePath(topic, partition), data)
  const recovery = json.int('leader_recovery_state', LeaderRecoveryState.recovered)
  if (recovery !== LeaderRecoveryState.recovered && recovery !== LeaderRecoveryState.recovering) {
    throw json.complaint('leader_recovery_state', '0 or 1')
  }
  return {
    controllerEpoch: json.int('controller_epoch'),
    leader: json.int('leader'),
    leaderEpoch: json.int('leader_epoch'),
    isr: json.ints('isr'),
    leaderRecoveryState: recovery,
  }
}

function partitionNumber(path: string, key: string): number {
  const partition = Number(key)
  if (!/^\d{1,10}$/.test(key) || partition >= 2 ** 31 || String(partition) !== key) {
    throw new ZnodeFormatError(path, `${JSON.stringify(key)} is not a partition`)
  }
  return partition
}

function replicasOf(fields: JsonFields, partition: number): number[] {
  const replicas = fields.ints(String(partition))
  if (replicas.some((id) => id < 0) || new Set(replicas).size < replicas.length) {
    throw fields.complaint(String(partition), 'a list of different broker ids')
  }
  return replicas
}

function topicIdOf(json: JsonFields): string {
  const id = json.string('topic_id')
  const bytes = Buffer.from(id, 'base64url')
  if (bytes.length !== 16 || bytes.toString('base64url') !== id) throw json.complaint('topic_id', 'a topic id')
  return id
}
