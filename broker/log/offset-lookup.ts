import { baseOffsetAt, batchSizeAt, leaderEpochAt, magicAt, NO_LEADER_EPOCH, NO_TIMESTAMP } from '../../protocol/records/batch'
import { decodeAnyRecords } from '../../protocol/records/conversion'
import { forEachRecord, recordBytes } from '../../protocol/records/records'
import { lastOffsetOf, maxTimestampOf } from './segment/batch-scan'
import type { Log } from './log'
import {
  EARLIEST_LOCAL_TIMESTAMP, EARLIEST_TIMESTAMP, LATEST_TIERED_TIMESTAMP, LATEST_TIMESTAMP, MAX_TIMESTAMP,
} from './log-types'
import type { TimestampOffset } from './log-types'
import type { Segment } from './segment/segment'

/**
 * The first record at or above the log start whose timestamp is not below `timestamp`, or what one of the special times stands
 * for. Undefined if there is no such record.
 */
export function offsetForTimestamp(log: Log, timestamp: number): TimestampOffset | undefined {
  switch (timestamp) {
    case EARLIEST_TIMESTAMP:
    case EARLIEST_LOCAL_TIMESTAMP:
      return { timestamp: NO_TIMESTAMP, offset: log.startOffset, leaderEpoch: log.epochs.epochForOffset(log.startOffset) }
    case LATEST_TIMESTAMP:
      return { timestamp: NO_TIMESTAMP, offset: log.endOffset, leaderEpoch: log.latestEpoch }
    case LATEST_TIERED_TIMESTAMP:
      return { timestamp: NO_TIMESTAMP, offset: -1, leaderEpoch: NO_LEADER_EPOCH }
    case MAX_TIMESTAMP:
      return maxTimestamp(log)
    default:
      return firstFrom(log, timestamp)
  }
}

function firstFrom(log: Log, timestamp: number): TimestampOffset | undefined {
  for (const segment of log.segments) {
    if (segment.largestTimestamp() < timestamp) continue
    const from = Math.max(segment.timeIndex.lookup(timestamp), log.startOffset)
    const found = searchSegment(segment, segment.indexedPosition(from), timestamp, log.startOffset)
    if (found !== undefined) return found
  }
  return undefined
}

/** The first record from `position` on that is late enough. */
function searchSegment(segment: Segment, position: number, timestamp: number, startOffset: number): TimestampOffset | undefined {
  let found: TimestampOffset | undefined
  segment.forEachHeader(position, (header, at, where) => {
    if (maxTimestampOf(header, at) < timestamp || lastOffsetOf(header, at) < startOffset) return true
    found = searchBatch(readBatch(segment, where, batchSizeAt(header, at)), timestamp, startOffset)
    return found === undefined
  })
  return found
}

function readBatch(segment: Segment, position: number, bytes: number): Buffer {
  const batch = Buffer.allocUnsafe(bytes)
  segment.read(batch, bytes, position)
  return batch
}

function searchBatch(batch: Buffer, timestamp: number, startOffset: number): TimestampOffset | undefined {
  if (magicAt(batch, 0) >= 2) {
    let found: TimestampOffset | undefined
    // One record at a time: a small batch that nobody opened when it came may hold millions.
    forEachRecord(batch, recordBytes(batch), (record) => {
      if (record.timestamp < timestamp || record.offset < startOffset) return true
      found = { timestamp: record.timestamp, offset: record.offset, leaderEpoch: epochOf(batch) }
      return false
    })
    return found
  }
  for (const record of decodeAnyRecords(batch)) {
    if (record.timestamp >= timestamp && record.offset >= startOffset) {
      return { timestamp: record.timestamp, offset: record.offset, leaderEpoch: epochOf(batch) }
    }
  }
  return undefined
}

function epochOf(batch: Buffer): number {
  return magicAt(batch, 0) >= 2 ? leaderEpochAt(batch, 0) : NO_LEADER_EPOCH
}

/** The first record that has the largest timestamp of all (KIP-734). */
function maxTimestamp(log: Log): TimestampOffset | undefined {
  let latest: Segment | undefined
  for (const segment of log.segments) {
    segment.largestTimestamp()
    if (segment.maxTimestamp >= 0 && (latest === undefined || segment.maxTimestamp > latest.maxTimestamp)) latest = segment
  }
  if (latest === undefined) return undefined
  const { maxTimestamp: timestamp, offsetOfMaxTimestamp } = latest
  let found: TimestampOffset | undefined
  const segment = latest
  segment.forEachHeader(segment.indexedPosition(offsetOfMaxTimestamp), (header, at, where) => {
    if (maxTimestampOf(header, at) !== timestamp) return true
    found = searchBatch(readBatch(segment, where, batchSizeAt(header, at)), timestamp, baseOffsetAt(header, at))
    return false
  })
  return found
}

/** What ListOffsets version 0 answers: the beginnings of the newest segments that were last changed at `timestamp` or before. */
export function legacyOffsetsBefore(log: Log, timestamp: number, maxOffsets: number): number[] {
  const segments = log.segments.all()
  const known = segments.map((segment) => ({
    offset: Math.max(segment.baseOffset, log.startOffset),
    timeMs: segment.lastModifiedMs(),
  }))
  if (log.segments.active.size > 0) known.push({ offset: log.endOffset, timeMs: log.context.clock.wallMs() })
  let last = known.length - 1
  if (timestamp === EARLIEST_TIMESTAMP) last = 0
  else if (timestamp !== LATEST_TIMESTAMP) while (last >= 0 && known[last]!.timeMs > timestamp) last--
  return known
    .slice(Math.max(last + 1 - maxOffsets, 0), last + 1)
    .map((each) => each.offset)
    .sort((a, b) => b - a)
}
