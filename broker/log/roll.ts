import { assert } from '../../runtime/assert'
import type { DiskFile } from '../../runtime/ports'
import { fileName, INDEX_SUFFIX, join, LOG_SUFFIX, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX } from './storage/file-names'
import type { Log } from './log'
import { removeSegment } from './segment/segment-removal'
import { Segment } from './segment/segment'
import type { RollQuestion } from './segment/segment'

/** Random, so that segments of many partitions that were created together are not rolled together. */
export function rollJitterMs(log: Log): number {
  const { segmentJitterMs, segmentMs } = log.config
  return segmentJitterMs === 0 ? 0 : Math.floor(log.context.random.next() * Math.min(segmentJitterMs, segmentMs))
}

/** `file`: its empty `.log` file, where that was opened before. */
export function createSegment(log: Log, baseOffset: number, file?: DiskFile): Segment {
  return Segment.create(log.context, log.path, baseOffset, log.config, rollJitterMs(log), '', file)
}

/** The segment that takes the append; a new one, beginning at `firstOffset`, if the active one is full or old. */
export function maybeRoll(log: Log, question: RollQuestion, firstOffset: number): Segment {
  const { active } = log.segments
  return active.shouldRoll(question, log.config) ? roll(log, firstOffset) : active
}

/**
 * Begins a new segment at the end of the log, or at `expectedNextOffset` if that is larger. The one before is synced in the
 * background, and a snapshot of the producer state is taken at the new base, so that recovery may begin there.
 */
export function roll(log: Log, expectedNextOffset = 0): Segment {
  const baseOffset = Math.max(expectedNextOffset, log.endOffset)
  const previous = log.segments.active
  checkpointLoweredRecoveryPoint(log)
  if (previous.baseOffset === baseOffset) return replaceEmpty(log, previous)
  assert(baseOffset > previous.baseOffset, `${log.name} cannot roll to ${baseOffset}, below ${previous.baseOffset}`)
  warnOfLeftovers(log, baseOffset)
  previous.settle()
  const segment = createSegment(log, baseOffset)
  log.segments.add(segment)
  log.producerState.endOffset = baseOffset
  log.snapshots.take(log.producerState)
  log.flusher.schedule(log.endOffset)
  log.context.logger.info({ log: log.name, offset: baseOffset }, 'rolled a new log segment')
  return segment
}

/** An index of an empty segment can be full (segment.index.bytes may be tiny, KAFKA-6388): the segment is made anew. */
function replaceEmpty(log: Log, segment: Segment): Segment {
  assert(segment.size === 0, `${log.name} has a segment at ${segment.baseOffset} already`)
  log.segments.remove(segment)
  removeSegment(log, segment)
  const fresh = createSegment(log, segment.baseOffset)
  log.segments.add(fresh)
  return fresh
}

function warnOfLeftovers(log: Log, baseOffset: number): void {
  for (const suffix of [LOG_SUFFIX, INDEX_SUFFIX, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX]) {
    const path = join(log.path, fileName(baseOffset, suffix))
    if (log.context.disk.exists(path)) log.context.logger.warn({ path }, 'a file of a new segment exists already, and is emptied')
  }
}

/**
 * A truncation lowered the recovery point. While a start would still find the higher one it would not look at what is written
 * since, once that is no longer the last segment: so the checkpoint comes before the roll.
 */
function checkpointLoweredRecoveryPoint(log: Log): void {
  if (log.checkpointedRecoveryPoint > log.recoveryPoint) log.directory.checkpointRecoveryPointsNow()
}
