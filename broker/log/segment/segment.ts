import {
  baseOffsetAt, BATCH_HEADER_BYTES, batchSizeAt, HEADER_BYTES_UP_TO_MAGIC, NO_TIMESTAMP,
} from '../../../protocol/records/batch'
import { ErrorCode } from '../../../protocol/errors'
import { assert } from '../../../runtime/assert'
import type { Logger } from '../../../runtime/log'
import type { Clock } from '../../../runtime/ports'
import { isPlausible, lastOffsetOf, maxTimestampOf } from './batch-scan'
import type { BufferPool } from '../storage/buffer-pool'
import type { CachedFile, FileCache } from '../storage/file-cache'
import { DELETED_SUFFIX, fileName, INDEX_SUFFIX, join, LOG_SUFFIX, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX } from '../storage/file-names'
import { ioError } from '../storage/io-error'
import { LogError } from '../log-error'
import type { LogConfig } from '../log-types'
import { MAX_RELATIVE_OFFSET, OffsetIndex } from './offset-index'
import { PositionHints } from './position-hints'
import type { Staging } from './staging'
import { TimeIndex } from './time-index'
import { TransactionIndex } from './transaction-index'

/** Batches of this size and above go to the file at once, smaller ones wait for the end of the turn (io.md). */
const DIRECT_WRITE_BYTES = 16 * 1024
const WINDOW_BYTES = 4096
/** index.interval.bytes of an index that is built anew outside recovery. */
const REBUILT_INTERVAL_BYTES = 4096

/** Where headers are read into, by one scan at a time. */
const window = Buffer.allocUnsafeSlow(WINDOW_BYTES)

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
  readonly log: CachedFile
  /** Bytes, those that wait included. */
  size: number
  /** The largest timestamp, and the last offset of the batch that has it. */
  maxTimestamp = NO_TIMESTAMP
  offsetOfMaxTimestamp: number
  /** Set when files were created or renamed here and the directory has not been synced since. */
  isDirectoryDirty = false
  /** Removed from the log, or the log is closed: nothing of it needs to be durable any more. */
  private isGone = false
  readonly rollJitterMs: number
  private readonly context: SegmentContext
  private createdMs: number
  private directory: string
  private staged: Buffer[] = []
  private stagedBytes = 0
  private bytesSinceIndexEntry = 0
  private firstTimestamp: number | undefined
  private indexesLoaded: boolean
  private readonly hints = new PositionHints()

  private constructor(context: SegmentContext, directory: string, baseOffset: number, config: LogConfig, jitterMs: number, suffix: string) {
    this.context = context
    this.directory = directory
    this.baseOffset = baseOffset
    this.offsetOfMaxTimestamp = baseOffset
    this.createdMs = context.clock.wallMs()
    this.rollJitterMs = jitterMs
    const path = (kind: string) => join(directory, fileName(baseOffset, kind + suffix))
    this.log = context.cache.file(path(LOG_SUFFIX))
    this.offsetIndex = new OffsetIndex(context.cache, path(INDEX_SUFFIX), baseOffset, config.segmentIndexBytes)
    this.timeIndex = new TimeIndex(context.cache, path(TIME_INDEX_SUFFIX), baseOffset, config.segmentIndexBytes)
    this.txnIndex = new TransactionIndex(context.cache, path(TXN_INDEX_SUFFIX), baseOffset)
    this.size = 0
    this.indexesLoaded = false
  }

  /** A new segment; files of that name are emptied. `jitterMs` is taken off the time after which it is rolled. */
  static create(context: SegmentContext, directory: string, baseOffset: number, config: LogConfig, jitterMs = 0, suffix = ''): Segment {
    const segment = new Segment(context, directory, baseOffset, config, jitterMs, suffix)
    segment.log.adopt(context.cache.disk.open(segment.log.path, 'create'), true)
    segment.offsetIndex.create()
    segment.timeIndex.create()
    if (segment.txnIndex.file.exists()) segment.txnIndex.file.remove()
    segment.indexesLoaded = true
    segment.isDirectoryDirty = true
    return segment
  }

  /** A segment that is there; its indexes are read when they are needed. */
  static open(context: SegmentContext, directory: string, baseOffset: number, config: LogConfig, jitterMs = 0, suffix = ''): Segment {
    const segment = new Segment(context, directory, baseOffset, config, jitterMs, suffix)
    segment.size = context.cache.disk.stat(segment.log.path)?.size ?? 0
    return segment
  }

  /** Reads the ends of offset and time index. False if one is missing or cannot belong to this segment: then it must be scanned. */
  loadIndexes(): boolean {
    if (this.indexesLoaded) return true
    if (!this.offsetIndex.file.exists() || !this.offsetIndex.load(this.size)) return false
    if (!this.timeIndex.file.exists()) this.timeIndex.create()
    else if (!this.timeIndex.load()) return false
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
      this.noteBatches(position, batchSizeAt(header, at), last, maxTimestampOf(header, at), last, REBUILT_INTERVAL_BYTES)
      return true
    })
    this.timeIndex.maybeAppend(this.maxTimestamp, this.offsetOfMaxTimestamp)
    this.offsetIndex.file.settle()
    this.timeIndex.file.settle()
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
    this.isDirectoryDirty = true
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
      const at = this.headerAt(0, true)
      if (at < 0) return NO_TIMESTAMP
      this.firstTimestamp = maxTimestampOf(window, at)
    }
    return this.firstTimestamp
  }

  /**
   * Adds whole batches. `previousEnd`: the end of the log before. True if they wait for `writeStaged` at the end of the turn.
   * An index entry is added if more than index.interval.bytes went by since the last one; at most one per call.
   */
  append(records: Buffer, previousEnd: number, lastOffset: number, maxTimestamp: number, offsetOfMax: number, config: LogConfig): boolean {
    assert(this.canHold(lastOffset), `offset ${lastOffset} does not fit into the segment of ${this.baseOffset}`)
    const position = this.size
    const waits = this.write(records)
    if (position === 0) this.firstTimestamp = maxTimestamp
    this.size = position + records.length
    this.hints.add(previousEnd, position)
    this.noteBatches(position, records.length, lastOffset, maxTimestamp, offsetOfMax, config.indexIntervalBytes)
    return waits
  }

  /** Takes batches at `position` into the indexes. */
  noteBatches(position: number, bytes: number, lastOffset: number, maxTimestamp: number, offsetOfMax: number, intervalBytes: number): void {
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

  private write(records: Buffer): boolean {
    const { staging } = this.context
    if (records.length < DIRECT_WRITE_BYTES && staging.bytes + records.length <= staging.maxBytes) {
      const last = this.staged[this.staged.length - 1]
      const piece = staging.copy(records, last)
      if (last !== undefined && piece.length > records.length) this.staged[this.staged.length - 1] = piece
      else this.staged.push(piece)
      this.stagedBytes += records.length
      return true
    }
    this.writeStaged()
    this.log.writable().write(records, this.size)
    return false
  }

  get hasStaged(): boolean {
    return this.stagedBytes > 0
  }

  /** Writes the batches that wait. If it throws, the content of the file from there on is undefined: the directory has failed. */
  writeStaged(): void {
    if (this.stagedBytes === 0) return
    const pieces = this.staged
    const position = this.size - this.stagedBytes
    this.staged = []
    this.stagedBytes = 0
    try {
      const file = this.log.writable()
      if (pieces.length === 1) file.write(pieces[0]!, position)
      else file.writev(pieces, position)
    } finally {
      this.context.staging.release(pieces)
    }
  }

  /** Forgets the batches that wait: the directory has failed, or the segment goes. */
  dropStaged(): void {
    this.context.staging.release(this.staged)
    this.size -= this.stagedBytes
    this.staged = []
    this.stagedBytes = 0
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
    let position = this.indexedPosition(offset)
    for (let fresh = true; position < this.size; fresh = false) {
      const at = this.headerAt(position, fresh)
      if (at < 0 || !isPlausible(window, at)) throw new LogError(ErrorCode.CORRUPT_MESSAGE, `There is no batch at position ${position} of ${this.log.path}`)
      if (lastOffsetOf(window, at) >= offset) {
        this.hints.add(offset, position)
        return position
      }
      position += batchSizeAt(window, at)
    }
    return -1
  }

  /** Where the index says that a search for `offset` may begin; 0 if what is there shows that the index lies. */
  indexedPosition(offset: number): number {
    this.needIndexes()
    const position = this.offsetIndex.lookup(offset)
    if (position === 0) return 0
    const at = position < this.size ? this.headerAt(position, true) : -1
    return at >= 0 && isPlausible(window, at) && baseOffsetAt(window, at) <= offset ? position : 0
  }

  /**
   * Where in `window` the header of the batch at `position` lies, -1 if there is not even a whole beginning of one. `fresh`: nothing in
   * the window is of this scan.
   */
  private headerAt(position: number, fresh: boolean): number {
    const end = Math.min(this.size, position + BATCH_HEADER_BYTES)
    if (fresh || position < windowStart || end > windowEnd) {
      this.writeStaged()
      windowStart = position
      windowEnd = position + this.log.readable().read(window, 0, Math.min(WINDOW_BYTES, this.size - position), position)
    }
    return windowEnd - position < HEADER_BYTES_UP_TO_MAGIC ? -1 : position - windowStart
  }

  /** Size of the batch at `position`. */
  batchSize(position: number): number {
    const at = this.headerAt(position, true)
    return at < 0 ? 0 : batchSizeAt(window, at)
  }

  /**
   * Visits the headers of the batches from `position` on, in `window` at `at`, until `visit` returns false. Ends quietly at what is no
   * batch. Returns where it stopped.
   */
  forEachHeader(position: number, visit: (header: Buffer, at: number, position: number) => boolean): number {
    for (let fresh = true; position < this.size; fresh = false) {
      const at = this.headerAt(position, fresh)
      if (at < 0 || !isPlausible(window, at)) break
      const size = batchSizeAt(window, at)
      if (position + size > this.size || !visit(window, at, position)) break
      position += size
    }
    return position
  }

  /** Reads `length` bytes at `position` into `target`. Throws if the file is shorter than it should be. */
  read(target: Buffer, length: number, position: number): void {
    this.writeStaged()
    const count = this.log.readable().read(target, 0, length, position)
    if (count < length) throw ioError(`${this.log.path} ends at ${position + count}, but ought to be ${this.size} bytes long`)
  }

  /** The offset after the last batch. */
  nextOffset(): number {
    let next = this.baseOffset
    this.needIndexes()
    this.forEachHeader(this.indexedPosition(this.offsetIndex.lastOffset), (header, at) => {
      next = lastOffsetOf(header, at) + 1
      return true
    })
    return next
  }

  /** Largest timestamp of a record, or when there is none the time of the last change of the file. */
  largestTimestamp(): number {
    this.needIndexes()
    return this.maxTimestamp >= 0 ? this.maxTimestamp : this.lastModifiedMs()
  }

  lastModifiedMs(): number {
    return Math.floor(this.context.cache.disk.stat(this.log.path)?.mtimeMs ?? this.createdMs)
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
    if (cut > 0) {
      this.log.writable().truncate(position)
      this.size = position
    }
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
    this.log.writable().truncate(position)
    this.size = position
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
    this.offsetIndex.file.settle()
    this.timeIndex.file.settle()
    this.hints.clear()
  }

  /** Makes the batches durable, and with `whole` the indexes as well. */
  async sync(whole: boolean): Promise<void> {
    if (this.isGone) return
    this.writeStaged()
    const files = [this.log]
    if (whole && this.indexesLoaded) {
      for (const index of [this.offsetIndex.file, this.timeIndex.file, this.txnIndex.file]) {
        index.writePending()
        if (index.syncTarget !== undefined) files.push(index.syncTarget)
      }
    }
    for (const file of files) if (!this.isGone) await file.sync()
  }

  syncNow(): void {
    this.writeStaged()
    this.log.syncNow()
  }

  /** Lets the files go, for good. */
  close(): void {
    this.isGone = true
    this.log.close()
    for (const index of this.indexes) index.close()
  }

  get indexes() {
    return [this.offsetIndex.file, this.timeIndex.file, this.txnIndex.file]
  }

  /** The directory was renamed. */
  moved(directory: string): void {
    const at = (path: string) => join(directory, path.slice(this.directory.length + 1))
    this.log.path = at(this.log.path)
    for (const index of this.indexes) index.moved(at(index.path))
    this.directory = directory
  }

  /** Gives the files the suffix of those that wait for their removal. */
  markDeleted(): void {
    this.changeSuffix('', DELETED_SUFFIX)
  }

  changeSuffix(from: string, to: string): void {
    const renamed = (path: string) => path.slice(0, path.length - from.length) + to
    this.log.rename(renamed(this.log.path))
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

/** Which bytes of a segment `window` holds. */
let windowStart = 0
let windowEnd = 0
