import type { ReplicaAssignment } from './assignment'
import type { Broker, Leadership } from './context'

/** What one partition's line in a control request says, fixed at the moment of the decision. */
export interface LeaderAndIsrEntry {
  readonly topic: string
  readonly topicId: string | undefined
  readonly index: number
  readonly leadership: Leadership
  readonly assignment: ReplicaAssignment
  /** The broker may create the log, also where it has an offline directory. Sticks once true. */
  readonly isNew: boolean
}

export interface UpdateMetadataEntry {
  readonly topic: string
  readonly topicId: string | undefined
  readonly index: number
  readonly leadership: Leadership
  readonly replicas: readonly number[]
  readonly offlineReplicas: readonly number[]
}

export interface StopReplicaEntry {
  readonly topic: string
  readonly topicId: string | undefined
  readonly index: number
  /** -2: the topic is being deleted, overrides every epoch (KIP-570). -1: unknown. */
  readonly leaderEpoch: number
  /** Sticks once true. */
  readonly deletePartition: boolean
}

/** The registered brokers at one moment: every UpdateMetadata carries all of them. */
export interface BrokersSnapshot {
  readonly version: number
  readonly brokers: readonly Broker[]
}

/** What one broker shall be told, in this order: LeaderAndIsr, then UpdateMetadata, then StopReplica. */
export interface ControlBatch {
  readonly leaderAndIsr: Map<string, LeaderAndIsrEntry>
  /** undefined: no UpdateMetadata. An empty map: one with brokers only. */
  updateMetadata: Map<string, UpdateMetadataEntry> | undefined
  readonly stopReplica: Map<string, StopReplicaEntry>
  brokers: BrokersSnapshot
}

export function entryKey(topic: string, index: number): string {
  return `${topic}:${index}`
}

/**
 * May `later` be merged into `earlier`, which still waits? Each kind of request keeps the newest line of each partition, so
 * merging is wrong only where the order between the kinds, or between two topics of one name, matters:
 * - a StopReplica that waits must reach the broker before a later LeaderAndIsr of that partition;
 * - brokers that are announced must be known before a later LeaderAndIsr that may name them as leaders;
 * - lines of two topics of the same name must not replace each other.
 */
export function canMerge(earlier: ControlBatch, later: ControlBatch, announcesBrokers: boolean): boolean {
  if (later.leaderAndIsr.size > 0 && announcesBrokers) return false
  for (const [key, entry] of later.leaderAndIsr) {
    if (earlier.stopReplica.has(key)) return false
    const before = earlier.leaderAndIsr.get(key) ?? earlier.updateMetadata?.get(key)
    if (before !== undefined && before.topicId !== entry.topicId) return false
  }
  for (const [key, entry] of later.updateMetadata ?? []) {
    const before = earlier.updateMetadata?.get(key)
    if (before !== undefined && before.topicId !== entry.topicId) return false
  }
  for (const [key, entry] of later.stopReplica) {
    const before = earlier.stopReplica.get(key) ?? earlier.leaderAndIsr.get(key)
    if (before !== undefined && before.topicId !== entry.topicId) return false
  }
  return true
}

/** Puts `later` on top of `earlier`, partition by partition. */
export function mergeInto(earlier: ControlBatch, later: ControlBatch): void {
  for (const [key, entry] of later.leaderAndIsr) {
    const isNew = entry.isNew || (earlier.leaderAndIsr.get(key)?.isNew ?? false)
    earlier.leaderAndIsr.set(key, isNew === entry.isNew ? entry : { ...entry, isNew })
  }
  if (later.updateMetadata !== undefined) {
    earlier.updateMetadata = new Map([...(earlier.updateMetadata ?? []), ...later.updateMetadata])
  }
  for (const [key, entry] of later.stopReplica) {
    const deletePartition = entry.deletePartition || (earlier.stopReplica.get(key)?.deletePartition ?? false)
    earlier.stopReplica.set(key, deletePartition === entry.deletePartition ? entry : { ...entry, deletePartition })
  }
  if (later.brokers.version >= earlier.brokers.version) earlier.brokers = later.brokers
}
