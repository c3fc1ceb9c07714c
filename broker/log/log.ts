import type {
  ActiveProducer, AppendInfo, AppendOptions, EpochEndOffset, LogConfig, ReadOptions, ReadResult, TimestampOffset, VerificationGuard,
} from './log-types'

/**
 * The log of one replica of one partition. Everything is synchronous but `flush`; every call may throw `LogError` with a
 * protocol error code, or `StorageError` when the disk fails (then the whole log directory is offline).
 * Invariant: startOffset <= lastStableOffset <= highWatermark <= endOffset.
 */
export declare class Log {
  readonly topic: string
  readonly partition: number
  /** 22 characters; undefined while no id is known. */
  topicId: string | undefined
  /** The log directory that holds it (one of `log.dirs`). */
  readonly dir: string
  /** The partition's own directory. */
  readonly path: string
  readonly isFuture: boolean
  /** False once its directory failed or it was closed or deleted. */
  readonly isOnline: boolean
  readonly startOffset: number
  /** LEO: the offset of the next record. */
  readonly endOffset: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  /** Everything below was synced. */
  readonly syncedOffset: number
  /** -1 before the first. */
  readonly latestEpoch: number
  /** Bytes of all segments. */
  readonly size: number
  readonly numberOfSegments: number
  readonly config: LogConfig
  readonly producers: ActiveProducer[]

  /** Refuses another id than the one it has: LogError INCONSISTENT_TOPIC_ID. Written to partition.metadata. */
  assignTopicId(topicId: string): void
  /** Records of a producer, coordinator: checked, offsets given, epoch stamped. The buffer is changed in place, not kept. */
  appendAsLeader(records: Buffer, options: AppendOptions): AppendInfo
  /** Records as the leader stored them. `leaderEpochOfRequest`: batches of a later epoch are not taken (KIP-966, KAFKA-16984). */
  appendAsFollower(records: Buffer, leaderEpochOfRequest?: number): AppendInfo
  read(offset: number, maxBytes: number, options: ReadOptions): ReadResult
  /** The size in bytes of what `read` could give from `offset` on to the limit; for fetch.min.bytes. */
  bytesFrom(offset: number, upTo: ReadOptions['upTo']): number
  /** True if anything was removed. */
  truncateTo(offset: number): boolean
  truncateFullyAndStartAt(offset: number, startOffset?: number): void
  /** `{ -1, -1 }` if the epoch is not known. */
  endOffsetForEpoch(epoch: number): EpochEndOffset
  /** The epoch that the record at `offset` was written in, -1 unknown. */
  epochForOffset(offset: number): number
  /** For ListOffsets; the special times as in the request. Undefined: no record is that late. */
  offsetForTimestamp(timestamp: number): TimestampOffset | undefined
  /** ListOffsets version 0: base offsets of segments older than `timestamp`, newest first. */
  legacyOffsetsBefore(timestamp: number, maxOffsets: number): number[]
  /** Clamped to [startOffset, endOffset]; may go back. Returns what it is then. */
  updateHighWatermark(offset: number): number
  /** Only forward. True if it moved. */
  maybeIncrementHighWatermark(offset: number): boolean
  /** Forward only, up to the high watermark (else LogError OFFSET_OUT_OF_RANGE). True if it moved. */
  incrementLogStartOffset(offset: number): boolean
  /** A new leader's epoch begins at `offset`. */
  assignEpochStart(epoch: number, offset: number): void
  /** Resolves when everything below `upTo` (default: the end now) is synced. Grouped: one sync in flight per log. */
  flush(upTo?: number): Promise<void>
  updateConfig(config: LogConfig): void
  hasOngoingTransaction(producerId: number): boolean
  /** Undefined if a transaction is open already (nothing to verify). */
  startTransactionVerification(producerId: number, sequence: number, epoch: number): VerificationGuard | undefined
  /** Segments that retention removes now; the number of segments removed. */
  deleteOldSegments(): number
}
