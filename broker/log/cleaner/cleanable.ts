import { isCompacted, isDeleted } from '../../../protocol/rules/topic-config'
import type { Log } from '../log'
import type { Segment } from '../segment/segment'

/** What of a log can be cleaned now. */
export interface Cleanable {
  log: Log
  firstDirtyOffset: number
  /** The base of the first segment that must be left alone. */
  firstUncleanableOffset: number
  cleanableBytes: number
  /** All that is clean or can be cleaned. */
  totalBytes: number
  /** How long something waits beyond max.compaction.lag.ms; 0 if nothing does. */
  overdueMs: number
}

export function cleanableRatio({ cleanableBytes, totalBytes }: Cleanable): number {
  return totalBytes === 0 ? 0 : cleanableBytes / totalBytes
}

/** True if it is worth it, by min.cleanable.dirty.ratio, or overdue. */
export function wantsCleaning(cleanable: Cleanable): boolean {
  if (cleanable.cleanableBytes === 0) return false
  return cleanable.overdueMs > 0 || cleanableRatio(cleanable) > cleanable.log.config.minCleanableDirtyRatio
}

/** Where cleaning would begin: where it ended the last time, or at the log's start if that is not inside the log. */
export function firstDirtyOffset(log: Log): number {
  const { cleanedOffset, startOffset, endOffset } = log
  if (cleanedOffset === undefined) return startOffset
  if (cleanedOffset >= startOffset && cleanedOffset <= endOffset) return cleanedOffset
  // With compact,delete the log's start moves on by itself.
  if (cleanedOffset > endOffset || !isDeleted(log.config)) {
    log.context.logger.warn({ log: log.name, cleanedOffset, startOffset, endOffset }, 'the cleaned offset lies outside the log')
  }
  log.cleanedOffset = startOffset
  log.directory.scheduleCleanerCheckpoint()
  return startOffset
}

/**
 * Looks at a compacted log. Only whole segments are cleaned: below the last stable offset, not the active one, and none with a
 * record younger than min.compaction.lag.ms. Kafka's LogCleanerManager.cleanableOffsets.
 */
export function cleanableOf(log: Log, nowMs: number): Cleanable {
  const first = firstDirtyOffset(log)
  const { active } = log.segments
  const dirty = log.segments.between(first, active.baseOffset).filter((segment) => segment.baseOffset < active.baseOffset)
  let uncleanable = Math.min(log.lastStableOffset, active.baseOffset)
  const lagMs = Math.max(log.config.minCompactionLagMs, 0)
  if (lagMs > 0) {
    const young = dirty.find((segment) => segment.largestTimestamp() > nowMs - lagMs)
    if (young !== undefined) uncleanable = Math.min(uncleanable, young.baseOffset)
  }
  uncleanable = Math.max(uncleanable, first)
  const firstUncleanableOffset = uncleanable >= active.baseOffset ? active.baseOffset : log.segments.floor(uncleanable)!.baseOffset
  let cleanBytes = 0
  let cleanableBytes = 0
  for (const segment of log.segments) {
    if (segment.baseOffset < first) cleanBytes += segment.size
  }
  for (const segment of dirty) if (segment.baseOffset < firstUncleanableOffset) cleanableBytes += segment.size
  return {
    log,
    firstDirtyOffset: first,
    firstUncleanableOffset,
    cleanableBytes,
    totalBytes: cleanBytes + cleanableBytes,
    overdueMs: overdueMs(log, dirty, nowMs),
  }
}

function overdueMs(log: Log, dirty: readonly Segment[], nowMs: number): number {
  const lagMs = Math.max(log.config.maxCompactionLagMs, 0)
  // Long.MAX by default: then nothing needs to be read.
  if (lagMs > nowMs) return 0
  let earliest = Number.POSITIVE_INFINITY
  for (const segment of dirty) {
    const timestamp = segment.firstBatchTimestamp()
    if (timestamp > 0 && timestamp < earliest) earliest = timestamp
  }
  return Math.max(nowMs - lagMs - earliest, 0)
}

/** Cheap: whether a log is worth a closer look. */
export function mayBeCleaned(log: Log): boolean {
  if (!log.isOnline || !isCompacted(log.config) || log.isBeingCleaned || log.isFuture) return false
  return (log.cleanedOffset ?? log.startOffset) < log.segments.active.baseOffset || (log.cleanedOffset ?? 0) > log.endOffset
}
