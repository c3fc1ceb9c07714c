import type { Log } from '../log/log'
import type { CreateLogOptions } from '../log/log-manager'
import type { NewLog } from '../log/new-folders'

/** What replication needs of a log; broker/log's `Log` has more. Tests give simpler ones. */
export type ReplicaLog = Pick<
  Log,
  | 'topic' | 'partition' | 'topicId' | 'dir' | 'isOnline' | 'startOffset' | 'endOffset' | 'highWatermark' | 'lastStableOffset'
  | 'syncedOffset' | 'latestEpoch' | 'size' | 'producers' | 'assignTopicId' | 'needsPreparation'
  | 'prepare' | 'appendAsLeader' | 'appendAsFollower' | 'read'
  | 'bytesFrom' | 'truncateTo' | 'truncateFullyAndStartAt' | 'endOffsetForEpoch' | 'offsetForTimestamp' | 'legacyOffsetsBefore'
  | 'config' | 'updateHighWatermark' | 'maybeIncrementHighWatermark' | 'incrementLogStartOffset' | 'assignEpochStart' | 'flush'
  | 'startTransactionVerification' | 'knowsProducer'
>

/** What replication needs of the log manager. */
export interface LogStore {
  readonly dirs: readonly string[]
  readonly onlineDirs: readonly string[]
  isOnline(dir: string): boolean
  prepare(logs: readonly NewLog[]): Promise<() => void>
  getOrCreate(topic: string, partition: number, options?: CreateLogOptions): ReplicaLog
  get(topic: string, partition: number): ReplicaLog | undefined
  future(topic: string, partition: number): ReplicaLog | undefined
  all(): Iterable<ReplicaLog>
  allFuture(): Iterable<ReplicaLog>
  delete(topic: string, partition: number, options?: { stray?: boolean; future?: boolean }): void
  preferDirectory(topic: string, partition: number, dir: string): void
  replaceCurrentWithFuture(topic: string, partition: number): void
  onDirFailure(fn: (dir: string, logs: readonly ReplicaLog[]) => void): void
  checkpointHighWatermarks(): void
}
