import { baseOffsetAt, batchSizeAt, NO_TIMESTAMP } from '../../../protocol/records/batch'
import { ErrorCode } from '../../../protocol/errors'
import { assert } from '../../../runtime/assert'
import type { Logger } from '../../../runtime/log'
import type { Clock, DiskFile } from '../../../runtime/ports'
import { LogError } from '../log-error'
import type { LogConfig } from '../log-types'
import type { BufferPool } from '../storage/buffer-pool'
import type { FileCache } from '../storage/file-cache'
import {
  DELETED_SUFFIX, fileName, INDEX_SUFFIX, join, LOG_SUFFIX, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX,
} from '../storage/file-names'
import { lastOffsetOf, maxTimestampOf } from './batch-scan'
import { MAX_RELATIVE_OFFSET, OffsetIndex } from './offset-index'
import { PositionHints } from './position-hints'
import { SegmentFile } from './segment-file'
import type { HeaderVisitor } from './segment-file'
import type { Staging } from './staging'
import { TimeIndex } from './time-index'
import { TransactionIndex } from './transaction-index'

/** What the segments of all logs share. */
export interface SegmentContext {
  cache: FileCache
  buffers: BufferPool
  staging: Staging
  clock: Clock
  logger: Logger
}

/** What is about to be appended, as far as it decides whether a new segment is begun. */
export interface RollQuestion {
  bytes: number
  lastOffset: number
  maxTimestamp: number
  nowMs: number
}

/**
 * A piece of a log: a file of batches and its three indexes. Positions count what is staged too; a read of the file writes
 * the staged batches first. Kafka's LogSegment.
 */
export class Segment {
  readonly baseOffset: number
  readonly offsetIndex: OffsetIndex
  readonly timeIndex: TimeIndex
  readonly txnIndex: TransactionIndex
  readonly log: SegmentFile
  /** The largest timestamp, and the last offset of the batch that has it. */
  maxTimestamp = NO_TIMESTAMP
  offsetOfMaxTimestamp: number
  /** The `.log` file was created, and its directory not synced since. */
  private isNew = false
  /** Removed from the log, or the log is closed: nothing of it needs to be durable any more. */
  private isGone = false
  readonly rollJitterMs: number
  private readonly context: SegmentContext
  private createdMs: number
  private directory: string
  private bytesSinceIndexEntry = 0
  private firstTimestamp: number | undefined
  /** Between the entries of indexes that are built anew. */
  private readonly intervalBytes: number
  private indexesLoaded: boolean
  private readonly hints = new PositionHints()

  private constructor(
    context: SegmentContext, directory: string, baseOffset: number, config: LogConfig, jitterMs: number, suffix: string,
  ) {
    this.context = context
    this.directory = directory
    this.baseOffset = baseOffset
    this.offsetOfMaxTimestamp = baseOffset
    this.createdMs = context.clock.wallMs()
    this.rollJitterMs = jitterMs
    this.intervalBytes = config.indexIntervalBytes
    const path = (kind: string) => join(directory, fileName(baseOffset, kind + suffix))
    this.log = new SegmentFile(context.cache, context.staging, path(LOG_SUFFIX))
    this.offsetIndex = new OffsetIndex(context.cache, path(INDEX_SUFFIX), baseOffset, config.segmentIndexBytes)
    this.timeIndex = new TimeIndex(context.cache, path(TIME_INDEX_SUFFIX), baseOffset, config.segmentIndexBytes)
    this.txnIndex = new TransactionIndex(context.cache, path(TXN_INDEX_SUFFIX), baseOffset)
    this.indexesLoaded = false
  }

  /** Bytes of batches. */
  get size(): number {
    return this.log.size
  }

  /** A new segment; files of that name are emptied. `jitterMs` is taken off the time after which it is rolled. */
  static create(
    context: SegmentContext, directory: string, baseOffset: number, config: LogConfig, jitterMs = 0, suffix = '', file?: DiskFile,
  ): Segment {
    const segment = new Segment(context, directory, baseOffset, config, jitterMs, suffix)
    segment.log.create(file)
    segment.offsetIndex.create()
    segment.timeIndex.create()
    if (segment.txnIndex.file.exists()) segment.txnIndex.file.remove()
    segment.indexesLoaded = true
    segment.isNew = true
    return segment
  }

  /** A segment that is there; its indexes are read when they are needed. */
  static open(
    context: SegmentContext, directory: string, baseOffset: number, config: LogConfig, jitterMs = 0, suffix = '',
  ): Segment {
    const segment = new Segment(context, directory, baseOffset, config, jitterMs, suffix)
    segment.log.load()
    return segment
  }

  /**
   * Reads the ends of offset and time index. False if one is missing or cannot belong to this segment: then it must be scanned.
   */
  loadIndexes(): boolean {
    if (this.indexesLoaded) return true
    if (!this.offsetIndex.file.exists() || !this.offsetIndex.load(this.size)) return false
    if (!this.timeIndex.file.exists() || !this.timeIndex.load()) return false
    this.maxTimestamp = this.timeIndex.lastTimestamp
    this.offsetOfMaxTimestamp = this.timeIndex.lastOffset
    this.indexesLoaded = true
    return true
  }

  /** Reads the index of aborted transactions, if there is one. False if it is damaged. */
  loadTransactionIndex(): boolean {
    return this.txnIndex.load()
  }

  /** A log has many segments that nobody reads: their indexes are loaded at first use. */
  private needIndexes(): void {
    if (this.indexesLoaded || this.loadIndexes()) return
    this.context.logger.warn({ path: this.log.path }, 'an index is missing or damaged, and is built anew')
    this.offsetIndex.create()
    this.timeIndex.create()
    this.indexesLoaded = true
    this.bytesSinceIndexEntry = 0
    this.forEachHeader(0, (header, at, position) => {
      const last = lastOffsetOf(header, at)
      this.noteBatches(position, batchSizeAt(header, at), last, maxTimestampOf(header, at), last, this.intervalBytes)
      return true
    })
    this.timeIndex.maybeAppend(this.maxTimestamp, this.offsetOfMaxTimestamp)
    this.settleIndexes()
  }

  /** Empties the indexes, for whoever scans the segment and adds the entries anew. */
  resetIndexes(): void {
    this.offsetIndex.create()
    this.timeIndex.create()
    if (this.txnIndex.file.exists()) {
      this.txnIndex.file.load()
      this.txnIndex.reset()
    }
    this.maxTimestamp = NO_TIMESTAMP
    this.offsetOfMaxTimestamp = this.baseOffset
    this.bytesSinceIndexEntry = 0
    this.firstTimestamp = undefined
    this.indexesLoaded = true
    this.hints.clear()
  }

  canHold(offset: number): boolean {
    return offset >= this.baseOffset && offset - this.baseOffset <= MAX_RELATIVE_OFFSET
  }

  shouldRoll(question: RollQuestion, config: LogConfig): boolean {
    if (this.size > config.segmentBytes - question.bytes) return true
    if (this.size > 0 && this.waitedForRollMs(question) > config.segmentMs - this.rollJitterMs) return true
    return this.offsetIndex.isFull || this.timeIndex.isFull || !this.canHold(question.lastOffset)
  }

  private waitedForRollMs(question: RollQuestion): number {
    const first = this.firstBatchTimestamp()
    return first >= 0 ? question.maxTimestamp - first : question.nowMs - this.createdMs
  }

  /** The largest timestamp of the first batch; -1 if it has none, or the segment is empty. */
  firstBatchTimestamp(): number {
    if (this.firstTimestamp === undefined) {
      this.log.withHeader(0, (header, at) => {
        this.firstTimestamp = maxTimestampOf(header, at)
      })
    }
    return this.firstTimestamp ?? NO_TIMESTAMP
  }

  /**
   * Adds whole batches. `previousEnd`: the end of the log before. True if they wait for `writeStaged` at the end of the turn.
   * An index entry is added if more than index.interval.bytes went by since the last one; at most one per call.
   */
  append(
    records: Buffer, previousEnd: number, lastOffset: number, maxTimestamp: number, offsetOfMax: number, config: LogConfig,
  ): boolean {
    assert(this.canHold(lastOffset), `offset ${lastOffset} does not fit into the segment of ${this.baseOffset}`)
    const position = this.size
    const waits = this.log.append(records)
    if (position === 0) this.firstTimestamp = maxTimestamp
    this.hints.add(previousEnd, position)
    this.noteBatches(position, records.length, lastOffset, maxTimestamp, offsetOfMax, config.indexIntervalBytes)
    return waits
  }

  /** Takes batches at `position` into the indexes. */
  noteBatches(
    position: number, bytes: number, lastOffset: number, maxTimestamp: number, offsetOfMax: number, intervalBytes: number,
  ): void {
    if (maxTimestamp > this.maxTimestamp) {
      this.maxTimestamp = maxTimestamp
      this.offsetOfMaxTimestamp = offsetOfMax
    }
    if (this.bytesSinceIndexEntry > intervalBytes) {
      this.offsetIndex.append(lastOffset, position)
      this.timeIndex.maybeAppend(this.maxTimestamp, this.offsetOfMaxTimestamp)
      this.bytesSinceIndexEntry = 0
    }
    this.bytesSinceIndexEntry += bytes
  }

  /** Writes the batches that wait for the end of the turn. */
  writeStaged(): void {
    this.log.writeStaged()
  }

  /**
   * The position of the first batch whose last offset is >= `offset`, -1 if there is none. Throws if the segment cannot be read
   * there: a damaged index is noticed and passed over, a damaged batch is not.
   */
  positionOf(offset: number): number {
    if (this.size === 0) return -1
    if (offset <= this.baseOffset) return 0
    const known = this.hints.find(offset)
    if (known >= 0) return known
    let found = -1
    const end = this.log.forEachHeader(this.indexedPosition(offset), (header, at, position) => {
      if (lastOffsetOf(header, at) < offset) return true
      found = position
      return false
    })
    if (found < 0 && end < this.size) {
      throw new LogError(ErrorCode.CORRUPT_MESSAGE, `There is no batch at position ${end} of ${this.log.path}`)
    }
    if (found >= 0) this.hints.add(offset, found)
    return found
  }

  /** Where the index says that a search for `offset` may begin; 0 if what is there shows that the index lies. */
  indexedPosition(offset: number): number {
    this.needIndexes()
    const position = this.offsetIndex.lookup(offset)
    if (position === 0) return 0
    let base = Number.POSITIVE_INFINITY
    this.log.withHeader(position, (header, at) => {
      base = baseOffsetAt(header, at)
    })
    return base <= offset ? position : 0
  }

  /** Bytes of the batch at `position`. */
  batchSize(position: number): number {
    return this.log.batchSize(position)
  }

  /** Visits the headers of the batches from `position` on, until `visit` returns false. Returns where it stopped. */
  forEachHeader(position: number, visit: HeaderVisitor): number {
    return this.log.forEachHeader(position, visit)
  }

  /** Reads `length` bytes at `position` into `target`. */
  read(target: Buffer, length: number, position: number): void {
    this.log.read(target, length, position)
  }

  /** The offset after the last batch. */
  nextOffset(): number {
    return this.findEnd().nextOffset
  }

  /** The offset after the last batch, and the position; what lies behind that is no batch. */
  findEnd(): { nextOffset: number; position: number } {
    let nextOffset = this.baseOffset
    this.needIndexes()
    const position = this.forEachHeader(this.indexedPosition(this.offsetIndex.lastOffset), (header, at) => {
      nextOffset = lastOffsetOf(header, at) + 1
      return true
    })
    return { nextOffset, position }
  }

  /** Largest timestamp of a record, or when there is none the time of the last change of the file. */
  largestTimestamp(): number {
    this.needIndexes()
    return this.maxTimestamp >= 0 ? this.maxTimestamp : this.lastModifiedMs()
  }

  lastModifiedMs(): number {
    return Math.floor(this.log.modifiedMs ?? this.createdMs)
  }

  /** Cuts everything from the batch on that holds `offset` or follows it. The number of bytes that went. */
  truncateTo(offset: number): number {
    this.writeStaged()
    this.needIndexes()
    const position = offset <= this.baseOffset ? 0 : this.positionOf(offset)
    this.hints.clear()
    this.offsetIndex.truncateTo(offset)
    this.timeIndex.truncateTo(offset)
    this.txnIndex.truncateTo(offset)
    const cut = position < 0 ? 0 : this.size - position
    if (cut > 0) this.log.cutAt(position)
    if (this.size === 0) {
      this.createdMs = this.context.clock.wallMs()
      this.firstTimestamp = undefined
    }
    this.bytesSinceIndexEntry = 0
    this.readLargestTimestamp()
    return cut
  }

  /** Cuts the file at `position`, where it stops making sense; for recovery, which has set the indexes. */
  cutAt(position: number): void {
    this.log.cutAt(position)
    this.hints.clear()
  }

  private readLargestTimestamp(): void {
    this.maxTimestamp = this.timeIndex.lastTimestamp
    this.offsetOfMaxTimestamp = this.timeIndex.lastOffset
    if (this.size === 0) return
    this.forEachHeader(this.indexedPosition(this.offsetOfMaxTimestamp), (header, at) => {
      const timestamp = maxTimestampOf(header, at)
      if (timestamp > this.maxTimestamp) {
        this.maxTimestamp = timestamp
        this.offsetOfMaxTimestamp = lastOffsetOf(header, at)
      }
      return true
    })
  }

  /** The segment gets no more batches: the last entry of the time index is added, the indexes are written. */
  settle(): void {
    this.writeStaged()
    if (!this.indexesLoaded) return
    this.timeIndex.maybeAppend(this.maxTimestamp, this.offsetOfMaxTimestamp)
    this.settleIndexes()
    this.hints.clear()
  }

  private settleIndexes(): void {
    for (const { file } of [this.offsetIndex, this.timeIndex]) {
      file.settle()
      file.ensureExists()
    }
  }

  /** Makes the batches durable, and with `whole` the indexes as well. */
  async sync(whole: boolean): Promise<void> {
    if (this.isGone) return
    this.writeStaged()
    const files = [this.log.file]
    if (whole && this.indexesLoaded) {
      for (const index of [this.offsetIndex.file, this.timeIndex.file, this.txnIndex.file]) {
        index.writePending()
        if (index.syncTarget !== undefined) files.push(index.syncTarget)
      }
    }
    for (const file of files) if (!this.isGone) await file.sync()
  }

  /** Files were created here since `namesSynced` was called. */
  get hasNewNames(): boolean {
    return this.isNew || this.indexes.some((index) => index.isNew)
  }

  namesSynced(): void {
    this.isNew = false
    for (const index of this.indexes) index.isNew = false
  }

  /** What was there at the start: synced, names included, or nobody knows. */
  trust(isSynced: boolean): void {
    this.isNew = !isSynced
    this.log.file.isDirty = !isSynced
    for (const index of this.indexes) index.isSynced = isSynced
  }

  syncNow(): void {
    this.writeStaged()
    this.log.file.syncNow()
  }

  /** Lets the files go, for good. */
  close(): void {
    this.isGone = true
    this.log.dropStaged()
    this.log.file.close()
    for (const index of this.indexes) index.close()
  }

  get indexes() {
    return [this.offsetIndex.file, this.timeIndex.file, this.txnIndex.file]
  }

  /** The directory was renamed. */
  moved(directory: string): void {
    const at = (path: string) => join(directory, path.slice(this.directory.length + 1))
    this.log.file.path = at(this.log.path)
    for (const index of this.indexes) index.moved(at(index.path))
    this.directory = directory
  }

  /** Gives the files the suffix of those that wait for their removal. */
  markDeleted(): void {
    this.changeSuffix('', DELETED_SUFFIX)
  }

  changeSuffix(from: string, to: string): void {
    const renamed = (path: string) => path.slice(0, path.length - from.length) + to
    this.log.file.rename(renamed(this.log.path))
    for (const index of this.indexes) index.rename(renamed(index.path))
  }

  removeNow(): void {
    this.close()
    for (const index of this.indexes) index.remove()
    this.context.cache.disk.remove(this.log.path)
  }

  /** Removes the files; the large one off the event loop. */
  remove(): Promise<void> {
    this.close()
    for (const index of this.indexes) index.remove()
    return this.context.cache.disk.removeTree(this.log.path)
  }
}
