import { ErrorCode } from '../../protocol/errors'
import type { CompressionPool } from '../../protocol/records/compression'
import { atLeast, parseMetadataVersion } from '../../protocol/rules/metadata-version'
import type { LogContext } from './log-context'
import type { LogDirectory } from './log-directory'
import { LogError, StorageError } from './log-error'
import type {
  ActiveProducer, AppendInfo, AppendOptions, EpochEndOffset, LogConfig, PreparedRecords, ReadLimit, ReadOptions, ReadResult,
  TimestampOffset, VerificationGuard,
} from './log-types'
import { appendAsFollower, appendAsLeader } from './append'
import { AppendRulesCache } from './append-rules'
import { EpochFile } from './epoch-file'
import { parentOf } from './storage/file-names'
import { Flusher } from './flush'
import { LeaderEpochs } from './leader-epochs'
import { legacyOffsetsBefore, offsetForTimestamp } from './offset-lookup'
import { PartitionMetadataFile } from './partition-metadata-file'
import { ProducerSnapshots } from './producer/producer-snapshots'
import { ProducerState } from './producer/producer-state'
import { needsPreparation, prepare } from './prepare'
import { bytesFrom, read } from './read'
import { deleteOldSegments } from './retention'
import type { Segment } from './segment/segment'
import { Segments } from './segment/segments'
import { truncateFullyAndStartAt, truncateTo } from './truncate'

/**
 * The log of one replica of one partition. Everything is synchronous but `flush`; every call may throw `LogError` with a
 * protocol error code, or `StorageError` when the disk fails (then the whole log directory is offline).
 *
 * Small appends are in the file only at the end of the turn (runtime/turn.ts, phase 0): an answer that is sent before then, or
 * without a look at `isOnline`, may promise what was never written.
 *
 * This class holds the state; what is done with it stands in append.ts, read.ts, roll.ts, flush.ts, truncate.ts, retention.ts,
 * recovery.ts.
 * Invariant: startOffset <= lastStableOffset <= highWatermark <= endOffset.
 */
export class Log {
  readonly topic: string
  readonly partition: number
  /** `topic-partition`. */
  readonly name: string
  readonly context: LogContext
  readonly directory: LogDirectory
  readonly segments = new Segments()
  readonly epochs: LeaderEpochs
  readonly producerState: ProducerState
  readonly snapshots: ProducerSnapshots
  readonly flusher: Flusher
  readonly epochFile: EpochFile
  readonly metadataFile: PartitionMetadataFile
  readonly appendRules = new AppendRulesCache()
  /** Segments that are no longer part of the log, and whose files are not removed yet. */
  readonly doomedSegments = new Set<Segment>()
  config: LogConfig
  /** The partition's own directory. */
  path: string
  isFuture: boolean
  isClosed = false
  /** Something is to be done at the end of the turn. */
  awaitsEndOfTurn = false
  startOffset = 0
  /** LEO: the offset of the next record. */
  endOffset = 0
  highWatermark = 0
  /** Segments that end at or below it are whole on disk, with all that belongs to them: they are not scanned after a crash. */
  recoveryPoint = 0
  /** Up to where the cleaner has come; undefined: it was never here. */
  cleanedOffset: number | undefined
  /** The cleaner reads segments: retention leaves them alone meanwhile. */
  isBeingCleaned = false
  /** Cleaned segments have taken their places, and the names in the directory are not synced since. */
  hasUnsyncedNames = false
  /** How often the log was truncated: what was read before is worth nothing then. */
  truncations = 0
  /** The recovery point that a start would find: above `recoveryPoint` only between a truncation and the next checkpoint. */
  checkpointedRecoveryPoint = 0

  constructor(
    context: LogContext, directory: LogDirectory, topic: string, partition: number, path: string, config: LogConfig,
    isFuture: boolean,
  ) {
    this.context = context
    this.directory = directory
    this.topic = topic
    this.partition = partition
    this.name = `${topic}-${partition}`
    this.path = path
    this.config = config
    this.isFuture = isFuture
    this.epochs = new LeaderEpochs()
    this.epochs.keep(this.keepsEpochs)
    this.epochFile = new EpochFile(this)
    this.metadataFile = new PartitionMetadataFile(this)
    this.producerState = new ProducerState(this.name)
    this.snapshots = new ProducerSnapshots(context.disk, context.clock, context.logger, path)
    this.flusher = new Flusher(this)
  }

  /** The log directory that holds it, one of `log.dirs`. */
  get dir(): string {
    return this.directory.path
  }

  /** 22 characters; undefined while no id is known. */
  get topicId(): string | undefined {
    return this.metadataFile.topicId
  }

  /** False once its directory failed, or it was closed or deleted. */
  get isOnline(): boolean {
    return this.directory.isOnline && !this.isClosed
  }

  /** All that lies before every open transaction, and before transactions that ended but are not replicated. */
  get lastStableOffset(): number {
    const unstable = this.producerState.firstUnstableOffset
    if (unstable === undefined) return this.highWatermark
    return Math.min(Math.max(unstable, this.startOffset), this.highWatermark)
  }

  /** Everything below was synced. */
  get syncedOffset(): number {
    return this.flusher.syncedOffset
  }

  /** Records of before 0.11 have no epochs, and a log that is to be of such has none either. */
  get keepsEpochs(): boolean {
    if (this.context.ignoresMessageFormatVersion) return true
    const format = parseMetadataVersion(this.config.messageFormatVersion)
    return format === undefined || atLeast(format, '0.11.0-IV0')
  }

  /** -1 before the first. */
  get latestEpoch(): number {
    return this.epochs.latestEpoch
  }

  /** Bytes of all segments. */
  get size(): number {
    return this.segments.size
  }

  get numberOfSegments(): number {
    return this.segments.count
  }

  get producers(): ActiveProducer[] {
    return this.producerState.active()
  }

  /** Throws StorageError when the log is not online. */
  requireOnline(): void {
    this.directory.requireOnline()
    if (this.isClosed) throw new StorageError(`The log of ${this.name} is closed`)
  }

  /** Runs `work`; an error of the disk takes the log directory offline and comes out as StorageError. */
  guard<T>(doing: string, work: () => T): T {
    if (this.isClosed) throw new StorageError(`The log of ${this.name} is closed`)
    return this.directory.guard(doing, work)
  }

  /** Refuses another id than the one it has: LogError INCONSISTENT_TOPIC_ID. Written to partition.metadata. */
  assignTopicId(topicId: string): void {
    if (this.topicId === topicId) return
    if (this.topicId !== undefined) {
      throw new LogError(
        ErrorCode.INCONSISTENT_TOPIC_ID,
        `Tried to assign topic ID ${topicId} to log for topic partition ${this.name}, `
          + `but log already contained topic ID ${this.topicId}`,
      )
    }
    this.guard(`writing the topic id of ${this.name}`, () => this.metadataFile.record(topicId))
  }

  /** True if a client's records should go through `prepare` before `appendAsLeader`: else their append holds up the event loop. */
  needsPreparation(records: Buffer): boolean {
    return needsPreparation(this, records)
  }

  /** Does away from the event loop what can be done before the append. `records` may be changed, and must stay as it is. */
  prepare(records: Buffer, pool: CompressionPool): Promise<PreparedRecords> {
    return prepare(this, records, pool)
  }

  /** Records of a producer or coordinator: checked, offsets given, epoch stamped. The buffer is changed in place, not kept. */
  appendAsLeader(records: Buffer, options: AppendOptions): AppendInfo {
    this.requireOnline()
    try {
      return appendAsLeader(this, records, options)
    } catch (error) {
      throw this.directory.translate(error, `appending to ${this.name}`)
    }
  }

  /**
   * Records as the leader stored them. Batches of a later epoch than `leaderEpochOfRequest` are not taken: they would be of
   * another leader than the one that was asked (KAFKA-18723).
   */
  appendAsFollower(records: Buffer, leaderEpochOfRequest?: number): AppendInfo {
    this.requireOnline()
    try {
      const info = appendAsFollower(this, records, leaderEpochOfRequest)
      // The next fetch claims them, and leaves this process before the turn ends.
      this.writeStaged()
      return info
    } catch (error) {
      throw this.directory.translate(error, `appending to ${this.name}`)
    }
  }

  /** Writes the batches that wait for the end of the turn. */
  writeStaged(): void {
    this.segments.active.writeStaged()
  }

  /** What is stored from `offset` on, up to the limit. LogError OFFSET_OUT_OF_RANGE outside [startOffset, endOffset]. */
  read(offset: number, maxBytes: number, options: ReadOptions): ReadResult {
    this.requireOnline()
    try {
      return read(this, offset, maxBytes, options)
    } catch (error) {
      throw this.directory.translate(error, `reading ${this.name}`)
    }
  }

  /** Bytes from `offset` to the limit; for fetch.min.bytes. 0 outside the log. */
  bytesFrom(offset: number, upTo: ReadLimit): number {
    return this.guard(`reading ${this.name}`, () => bytesFrom(this, offset, upTo))
  }

  /** True if anything was removed. */
  truncateTo(offset: number): boolean {
    return this.guard(`truncating ${this.name}`, () => truncateTo(this, offset))
  }

  /** Removes everything; the next record gets `offset`. */
  truncateFullyAndStartAt(offset: number, startOffset = offset): void {
    this.guard(`truncating ${this.name}`, () => truncateFullyAndStartAt(this, offset, startOffset))
  }

  /** { -1, -1 } if the epoch is not known. */
  endOffsetForEpoch(epoch: number): EpochEndOffset {
    return this.epochs.endOffsetFor(epoch, this.endOffset)
  }

  /** The epoch in which the record at `offset` was written, -1 unknown. */
  epochForOffset(offset: number): number {
    return this.epochs.epochForOffset(offset)
  }

  /** For ListOffsets; the special times as in the request. Undefined: no record is that late. */
  offsetForTimestamp(timestamp: number): TimestampOffset | undefined {
    return this.guard(`searching ${this.name}`, () => offsetForTimestamp(this, timestamp))
  }

  /** ListOffsets version 0: base offsets of segments that are older than `timestamp`, newest first. */
  legacyOffsetsBefore(timestamp: number, maxOffsets: number): number[] {
    return this.guard(`searching ${this.name}`, () => legacyOffsetsBefore(this, timestamp, maxOffsets))
  }

  /** Clamped to [startOffset, endOffset]; may go back. Returns what it is then. */
  updateHighWatermark(offset: number): number {
    this.highWatermark = Math.min(Math.max(offset, this.startOffset), this.endOffset)
    this.producerState.onHighWatermark(this.highWatermark)
    return this.highWatermark
  }

  /** Forward only. True if it moved. */
  maybeIncrementHighWatermark(offset: number): boolean {
    if (offset <= this.highWatermark) return false
    const before = this.highWatermark
    return this.updateHighWatermark(offset) > before
  }

  /** Forward only, up to the high watermark (else LogError OFFSET_OUT_OF_RANGE). True if it moved. */
  incrementLogStartOffset(offset: number): boolean {
    this.requireOnline()
    if (offset > this.highWatermark) {
      throw new LogError(
        ErrorCode.OFFSET_OUT_OF_RANGE,
        `Cannot increment the log start offset to ${offset} of partition ${this.name} `
          + `since it is larger than the high watermark ${this.highWatermark}`,
      )
    }
    if (offset <= this.startOffset) return false
    this.startOffset = offset
    this.epochs.truncateFromStart(offset)
    this.producerState.onHighWatermark(offset)
    return true
  }

  /** A new leader's epoch begins at `offset`. */
  assignEpochStart(epoch: number, offset: number): void {
    this.requireOnline()
    this.epochs.assign(epoch, offset)
  }

  /** Resolves when everything below `upTo` (by default the end now) is synced. Grouped: one sync in flight per log. */
  flush(upTo = this.endOffset): Promise<void> {
    return this.flusher.flush(upTo)
  }

  updateConfig(config: LogConfig): void {
    this.config = config
    if (this.epochs.keep(this.keepsEpochs)) this.epochFile.writeLater()
  }

  /** Whether a batch of this producer is remembered. */
  knowsProducer(producerId: number): boolean {
    return this.producerState.entry(producerId) !== undefined
  }

  hasOngoingTransaction(producerId: number): boolean {
    return this.producerState.hasOngoingTransaction(producerId)
  }

  /** Undefined if there is nothing to verify: a transaction is open already, or `transaction.partition.verification.enable` is off. */
  startTransactionVerification(producerId: number, sequence: number, epoch: number): VerificationGuard | undefined {
    if (!this.context.transactionVerification) return undefined
    return this.producerState.startVerification(producerId, sequence, epoch, this.context.clock.wallMs())
  }

  removeExpiredProducers(): void {
    this.producerState.removeExpired(this.context.clock.wallMs(), this.context.producerIdExpirationMs)
  }

  /** Segments that retention removes now; how many went. */
  deleteOldSegments(): number {
    if (this.isBeingCleaned) return 0
    return this.guard(`deleting segments of ${this.name}`, () => deleteOldSegments(this))
  }

  /** The directory gets another name, beside where it is. The descriptors stay good. */
  rename(name: string): void {
    this.guard(`renaming ${this.path}`, () => {
      this.writeStaged()
      const path = `${parentOf(this.path)}/${name}`
      this.context.disk.rename(this.path, path)
      this.path = path
      this.snapshots.directory = path
      for (const segment of [...this.segments, ...this.doomedSegments]) segment.moved(path)
      this.directory.isDirty = true
    })
  }

  /** Syncs everything and writes what makes the next start quick. */
  async close(): Promise<void> {
    this.requireOnline()
    await this.directory.guardLater(`closing ${this.name}`, async () => {
      this.writeStaged()
      this.segments.active.settle()
      this.producerState.endOffset = this.endOffset
      this.snapshots.take(this.producerState)
      await this.flusher.flushWhole()
    })
    this.abandon()
  }

  /** Lets the files go without writing anything: the directory has failed, or the log is deleted. */
  abandon(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.flusher.abandon()
    for (const segment of this.segments) {
      segment.close()
    }
  }
}
