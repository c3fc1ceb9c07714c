import { batchSizeAt } from '../../../protocol/records/batch'
import { silentLogger } from '../../../runtime/log'
import type { Clock, Disk } from '../../../runtime/ports'
import { BufferPool } from '../storage/buffer-pool'
import { FileCache } from '../storage/file-cache'
import {
  CLEANED_SUFFIX, fileName, INDEX_SUFFIX, join, LOG_SUFFIX, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX,
} from '../storage/file-names'
import { Segment } from '../segment/segment'
import type { SegmentContext } from '../segment/segment'
import { Staging } from '../segment/staging'
import { TransactionIndexes } from './aborted-transactions'
import { BatchFilter } from './batch-filter'
import { buildOffsetMap } from './build-offset-map'
import { CleaningError, noStats } from './cleaning-job'
import type { CleaningJob, CleaningResult, CleaningStats, CleaningStep, SourceSegment } from './cleaning-job'
import { groupSegments } from './group-segments'
import type { GroupedSegment } from './group-segments'
import { OffsetMap } from './offset-map'
import { Output } from './output'
import { SegmentChunks } from './segment-chunks'
import { TransactionTracker } from './transaction-tracker'

interface Source extends SourceSegment, GroupedSegment {
  /** Where the next segment begins. */
  nextOffset: number
  modifiedMs: number
}

/**
 * Cleans a log: reads its segments, and writes cleaned ones beside them, with the suffix `.cleaned`. Nothing of the log itself
 * is changed; who runs this puts each group in its place. Step by step, so that it may be done beside other work, or stopped:
 * after `return()` no unfinished file is left. Kafka's Cleaner.
 *
 * Throws CleaningError, RecordsError, CompressionError for a log that is damaged, the disk's errors, RangeError for an offset map
 * without room.
 */
export function* cleanLog(disk: Disk, clock: Clock, job: CleaningJob): Generator<CleaningStep, CleaningResult> {
  const stats = noStats()
  removeLeftovers(disk, job.path)
  const chunks = new SegmentChunks(disk, job.path, job.bufferBytes)
  try {
    const map = new OffsetMap({
      maxBytes: job.mapBytes,
      loadFactor: job.loadFactor,
      mostKeys: job.firstUncleanableOffset - job.firstDirtyOffset,
      salt: job.salt,
    })
    yield* buildOffsetMap(disk, job, map, chunks, stats)
    stats.mapUtilization = map.utilization
    stats.mapBytes = map.bytes
    const endOffset = map.latestOffset + 1
    if (endOffset <= job.firstDirtyOffset) throw new CleaningError(`Nothing of ${job.name} was found to clean`)
    yield* cleanSegments(disk, clock, job, map, chunks, stats, endOffset)
    return { endOffset, stats }
  } finally {
    chunks.close()
  }
}

/** Of a thread that died: a start after a crash would take a swap above them for one that is not whole. */
function removeLeftovers(disk: Disk, directory: string): void {
  for (const name of disk.list(directory)) if (name.endsWith(CLEANED_SUFFIX)) disk.remove(join(directory, name))
}

function* cleanSegments(
  disk: Disk, clock: Clock, job: CleaningJob, map: OffsetMap, chunks: SegmentChunks, stats: CleaningStats, endOffset: number,
): Generator<CleaningStep, void> {
  const { segmentBytes, segmentIndexBytes } = job.config
  const sources = job.segments
    .filter((segment) => segment.baseOffset < endOffset)
    .map((segment, i) => look(disk, job.path, segment, job.segments[i + 1]?.baseOffset ?? job.firstUncleanableOffset))
  const groups = groupSegments(sources, segmentBytes, segmentIndexBytes, job.firstUncleanableOffset)
  const writer = new GroupWriter(disk, clock, job, map, chunks, stats, legacyHorizonMs(disk, job))
  for (const group of groups) {
    yield* writer.write(group)
    yield { group: { baseOffset: group[0]!.baseOffset, replaces: group.map((segment) => segment.baseOffset) } }
  }
}

function look(disk: Disk, directory: string, segment: SourceSegment, nextOffset: number): Source {
  const stat = (kind: string) => disk.stat(join(directory, fileName(segment.baseOffset, kind)))
  return {
    ...segment,
    nextOffset,
    indexBytes: stat(INDEX_SUFFIX)?.size ?? 0,
    timeIndexBytes: stat(TIME_INDEX_SUFFIX)?.size ?? 0,
    modifiedMs: stat(LOG_SUFFIX)?.mtimeMs ?? 0,
  }
}

/** Tombstones of magic 0 and 1 go when their segment is older than this: the time of the last clean one less the retention. */
function legacyHorizonMs(disk: Disk, job: CleaningJob): number {
  const clean = job.segments.filter((segment) => segment.baseOffset < job.firstDirtyOffset).at(-1)
  return clean === undefined ? 0 : look(disk, job.path, clean, job.firstDirtyOffset).modifiedMs - job.config.deleteRetentionMs
}

/** Writes the cleaned segments, one after another. */
class GroupWriter {
  private readonly job: CleaningJob
  private readonly disk: Disk
  private readonly chunks: SegmentChunks
  private readonly stats: CleaningStats
  private readonly legacyHorizonMs: number
  private readonly context: SegmentContext
  private readonly indexes: TransactionIndexes
  private readonly tracker: TransactionTracker
  private readonly output: Output
  private readonly filter: BatchFilter
  private cleaned: Segment | undefined

  constructor(
    disk: Disk, clock: Clock, job: CleaningJob, map: OffsetMap, chunks: SegmentChunks, stats: CleaningStats, legacyHorizonMs: number,
  ) {
    const buffers = new BufferPool(1024 * 1024)
    this.disk = disk
    this.job = job
    this.chunks = chunks
    this.stats = stats
    this.legacyHorizonMs = legacyHorizonMs
    this.context = { cache: new FileCache(disk, 16), buffers, staging: new Staging(buffers), clock, logger: silentLogger }
    this.indexes = new TransactionIndexes(disk, job.path)
    this.tracker = new TransactionTracker((transaction) => this.cleaned!.txnIndex.append(transaction))
    this.output = new Output(job.bufferBytes)
    this.filter = new BatchFilter(job, map, this.tracker, stats, this.output)
  }

  *write(group: readonly Source[]): Generator<CleaningStep, void> {
    const { job } = this
    const cleaned = Segment.create(this.context, job.path, group[0]!.baseOffset, job.config, 0, CLEANED_SUFFIX)
    this.cleaned = cleaned
    let isWhole = false
    try {
      for (const source of group) yield* this.copy(source, cleaned)
      finish(this.disk, cleaned, group.at(-1)!.modifiedMs)
      isWhole = true
    } finally {
      if (isWhole) cleaned.close()
      else cleaned.removeNow()
    }
  }

  private *copy(source: Source, cleaned: Segment): Generator<CleaningStep, void> {
    const { job, stats } = this
    this.tracker.add(this.indexes.overlapping(source.baseOffset, source.nextOffset))
    const keepsLegacyTombstones = source.modifiedMs > this.legacyHorizonMs
    this.chunks.open(source)
    for (let position = 0; position < source.size; ) {
      const chunk = this.chunks.read(position)
      for (let pos = 0; pos < chunk.length; ) {
        const end = pos + batchSizeAt(chunk, pos)
        this.filter.take(chunk, pos, end, keepsLegacyTombstones)
        pos = end
      }
      position += chunk.length
      const written = this.output.flush(cleaned, job.config, job.bufferBytes)
      stats.bytesRead += chunk.length
      stats.bytesWritten += written
      yield { bytes: chunk.length + written }
    }
  }
}

/** Everything of it on disk, and of the age of what it replaces: retention and legacy tombstones go by that. */
function finish(disk: Disk, cleaned: Segment, modifiedMs: number): void {
  cleaned.settle()
  cleaned.log.file.syncNow()
  disk.setModified(cleaned.log.path, modifiedMs)
  for (const index of cleaned.indexes) {
    index.syncTarget?.syncNow()
    if (index.syncTarget !== undefined) disk.setModified(index.path, modifiedMs)
  }
}

/** What a job that was given up may have left. */
export function removeCleaned(disk: Disk, directory: string, baseOffset: number): void {
  for (const kind of [LOG_SUFFIX, INDEX_SUFFIX, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX]) {
    disk.remove(join(directory, fileName(baseOffset, kind + CLEANED_SUFFIX)))
  }
}
