import {
  baseOffsetAt, BATCH_HEADER_BYTES, batchSizeAt, Codec, codecAt, isControlAt, lastOffsetAt, magicAt, recordCountAt,
} from '../../../protocol/records/batch'
import { decompress } from '../../../protocol/records/compression'
import { legacyRecords, readLegacyMessage } from '../../../protocol/records/legacy'
import { DEFAULT_MAX_DECOMPRESSED_BYTES } from '../../../protocol/records/records'
import type { Disk } from '../../../runtime/ports'
import { lastOffsetOf } from '../segment/batch-scan'
import { TransactionIndexes } from './aborted-transactions'
import type { CleaningJob, CleaningStats, CleaningStep, SourceSegment } from './cleaning-job'
import type { OffsetMap } from './offset-map'
import { RecordCursor } from './record-cursor'
import { SegmentChunks } from './segment-chunks'
import { TransactionTracker } from './transaction-tracker'

/**
 * Fills `map` with the keys of the dirty part of the log, until that ends or the map is full: `map.latestOffset` says how far
 * it came. Also a batch with more keys than the map holds is got through, in several rounds.
 */
export function* buildOffsetMap(
  disk: Disk, job: CleaningJob, map: OffsetMap, chunks: SegmentChunks, stats: CleaningStats,
): Generator<CleaningStep, void> {
  const dirty = dirtySegments(job)
  const tracker = new TransactionTracker(() => {})
  const indexes = new TransactionIndexes(disk, job.path)
  for (const [index, segment] of dirty.entries()) {
    const next = dirty[index + 1]?.baseOffset ?? job.firstUncleanableOffset
    tracker.add(indexes.overlapping(segment.baseOffset, next))
    chunks.open(segment)
    for (let position = 0; position < segment.size; ) {
      const chunk = chunks.read(position)
      stats.mapBytesRead += chunk.length
      if (!addChunk(chunk, job.firstDirtyOffset, map, tracker, stats)) return
      position += chunk.length
      yield { bytes: chunk.length }
    }
    map.latestOffset = Math.max(map.latestOffset, next - 1)
  }
}

function dirtySegments(job: CleaningJob): SourceSegment[] {
  return job.segments.filter((segment, i) => {
    const end = job.segments[i + 1]?.baseOffset ?? job.firstUncleanableOffset
    return end > job.firstDirtyOffset && segment.baseOffset < job.firstUncleanableOffset
  })
}

/** False if the map is full. */
function addChunk(chunk: Buffer, from: number, map: OffsetMap, tracker: TransactionTracker, stats: CleaningStats): boolean {
  for (let pos = 0; pos < chunk.length; pos += batchSizeAt(chunk, pos)) {
    const lastOffset = lastOffsetOf(chunk, pos)
    const isAdded = magicAt(chunk, pos) >= 2 ? addBatch(chunk, pos, from, map, tracker, stats) : addLegacy(chunk, pos, from, map, stats)
    if (!isAdded) return false
    if (lastOffset >= from) map.latestOffset = lastOffset
  }
  return true
}

function addBatch(
  chunk: Buffer, pos: number, from: number, map: OffsetMap, tracker: TransactionTracker, stats: CleaningStats,
): boolean {
  const count = recordCountAt(chunk, pos)
  stats.mapMessagesRead += count
  if (isControlAt(chunk, pos)) {
    tracker.onControl(chunk, pos)
    return true
  }
  if (tracker.onData(chunk, pos) || count === 0 || lastOffsetAt(chunk, pos) < from) return true
  const bytes = chunk.subarray(pos + BATCH_HEADER_BYTES, pos + batchSizeAt(chunk, pos))
  const codec = codecAt(chunk, pos)
  const records = codec === Codec.none ? bytes : decompress(codec, bytes, DEFAULT_MAX_DECOMPRESSED_BYTES)
  const baseOffset = baseOffsetAt(chunk, pos)
  const cursor = new RecordCursor(records)
  for (let i = 0; i < count; i++) {
    cursor.next()
    const offset = baseOffset + cursor.offsetDelta
    if (offset < from) continue
    if (cursor.keyAt >= 0 && !map.put(records, cursor.keyAt, cursor.keyEnd, offset)) return false
    map.latestOffset = offset
  }
  return true
}

function addLegacy(chunk: Buffer, pos: number, from: number, map: OffsetMap, stats: CleaningStats): boolean {
  const message = readLegacyMessage(chunk.subarray(pos, pos + batchSizeAt(chunk, pos)), 0)
  if (message.offset < from) return true
  const records = legacyRecords(message, DEFAULT_MAX_DECOMPRESSED_BYTES)
  stats.mapMessagesRead += records.length
  for (const { offset, key } of records) {
    if (offset < from) continue
    if (key !== null && !map.put(key, 0, key.length, offset)) return false
    map.latestOffset = offset
  }
  return true
}
