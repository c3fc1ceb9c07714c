import { ErrorCode } from '../../protocol/errors'
import { LogError } from './log-error'
import type { Log } from './log'
import type { AbortedTransaction, ReadLimit, ReadOptions, ReadResult } from './log-types'
import type { Segment } from './segment/segment'

const NOTHING = Buffer.alloc(0)
const release = () => {}

function limitOf(log: Log, upTo: ReadLimit): number {
  return upTo === 'logEnd' ? log.endOffset : upTo === 'highWatermark' ? log.highWatermark : log.lastStableOffset
}

/** What is stored from `offset` on: at most about `maxBytes`, and nothing at or above the limit. */
export function read(log: Log, offset: number, maxBytes: number, options: ReadOptions): ReadResult {
  if (offset < log.startOffset || offset > log.endOffset) {
    throw new LogError(
      ErrorCode.OFFSET_OUT_OF_RANGE,
      `Received request for offset ${offset} for partition ${log.name}, `
        + `but we only have log segments from offset ${log.startOffset} up to ${log.endOffset}.`,
    )
  }
  const isCommittedOnly = options.upTo === 'lastStable'
  const limit = limitOf(log, options.upTo)
  if (offset < limit) {
    for (let segment = log.segments.floor(offset); segment !== undefined; segment = log.segments.after(segment)) {
      const position = segment.positionOf(offset)
      // After a compaction the rest of a segment may be gone: what comes next is in the one after it.
      if (position >= 0) return readAt(log, segment, position, offset, limitPosition(log, segment, limit), maxBytes, options)
      if (limit <= segment.baseOffset) break
    }
  }
  return nothing(offset, isCommittedOnly)
}

function nothing(offset: number, isCommittedOnly: boolean): ReadResult {
  const result: ReadResult = { records: NOTHING, release, fetchOffset: offset, firstEntryIncomplete: false }
  if (isCommittedOnly) result.abortedTransactions = []
  return result
}

/** Where in `segment` the reader must stop: at the first batch that is not wholly below `limit`. */
function limitPosition(log: Log, segment: Segment, limit: number): number {
  if (limit >= log.endOffset) return segment.size
  if (limit <= segment.baseOffset) return 0
  const next = log.segments.after(segment)
  if (next !== undefined && limit >= next.baseOffset) return segment.size
  const position = segment.positionOf(limit)
  return position < 0 ? segment.size : position
}

function readAt(
  log: Log, segment: Segment, position: number, offset: number, end: number, maxBytes: number, options: ReadOptions,
): ReadResult {
  const available = end - position
  if (available <= 0) return nothing(offset, options.upTo === 'lastStable')
  const first = maxBytes < available ? segment.batchSize(position) : 0
  const wanted = options.minOneMessage ? Math.max(maxBytes, first) : maxBytes
  const length = Math.min(available, wanted)
  if (length <= 0) return { ...nothing(offset, options.upTo === 'lastStable'), firstEntryIncomplete: first > 0 }
  const result = pooled(log, segment, position, length)
  result.fetchOffset = offset
  result.firstEntryIncomplete = wanted < first
  if (options.upTo === 'lastStable') result.abortedTransactions = abortedTransactions(log, segment, position, length, offset)
  return result
}

function pooled(log: Log, segment: Segment, position: number, length: number): ReadResult {
  const { buffers } = log.context
  const buffer = buffers.take(length)
  try {
    segment.read(buffer, length, position)
  } catch (error) {
    buffers.give(buffer)
    throw error
  }
  let isOut = true
  return {
    records: buffer.subarray(0, length),
    release() {
      if (isOut) buffers.give(buffer)
      isOut = false
    },
    fetchOffset: 0,
    firstEntryIncomplete: false,
  }
}

/** Those that overlap what lies between `offset` and the end of the bytes that were read. */
function abortedTransactions(log: Log, segment: Segment, position: number, length: number, offset: number): AbortedTransaction[] {
  const upperBound =
    segment.offsetIndex.upperBoundOffset(position + length) ?? log.segments.after(segment)?.baseOffset ?? log.endOffset
  return collectAborted(log, segment, offset, upperBound)
}

function collectAborted(log: Log, from: Segment, offset: number, upperBound: number): AbortedTransaction[] {
  const aborted: AbortedTransaction[] = []
  for (let segment: Segment | undefined = from; segment !== undefined; segment = log.segments.after(segment)) {
    if (segment.txnIndex.collect(offset, upperBound, aborted)) break
  }
  return aborted
}

/** Bytes between `offset` and the limit, batches that are only partly below it not counted. */
export function bytesFrom(log: Log, offset: number, upTo: ReadLimit): number {
  const limit = limitOf(log, upTo)
  if (offset < log.startOffset || offset >= limit) return 0
  let bytes = 0
  for (let segment = log.segments.floor(offset); segment !== undefined; segment = log.segments.after(segment)) {
    if (segment.baseOffset >= limit) break
    const position = segment.positionOf(offset)
    if (position >= 0) bytes += Math.max(limitPosition(log, segment, limit) - position, 0)
  }
  return bytes
}
