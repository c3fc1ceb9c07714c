import type { Log } from './log'
import { roll } from './roll'
import { removeSegments } from './segment/segment-removal'
import type { Segment } from './segment/segment'

/** Whether a segment shall go; `next` is the one after it. */
type Condition = (segment: Segment, next: Segment | undefined) => boolean

/**
 * Removes what the topic's retention no longer covers, from the oldest segment on: what lies below the log start offset (with any
 * cleanup policy), then what is too much, then what is too old. The number of segments that went.
 */
export function deleteOldSegments(log: Log): number {
  log.writeStaged()
  let removed = removeWhile(log, 'start offset', (_, next) => next !== undefined && next.baseOffset <= log.startOffset)
  if (!log.config.cleanupPolicy.includes('delete')) return removed
  removed += removeTooLarge(log)
  return removed + removeTooOld(log)
}

function removeTooLarge(log: Log): number {
  const limit = log.config.retentionBytes
  if (limit < 0 || log.size < limit) return 0
  let excess = log.size - limit
  return removeWhile(log, 'retention.bytes', (segment) => {
    if (excess < segment.size) return false
    excess -= segment.size
    return true
  })
}

function removeTooOld(log: Log): number {
  const limit = log.config.retentionMs
  if (limit < 0) return 0
  const nowMs = log.context.clock.wallMs()
  return removeWhile(log, 'retention.ms', (segment) => nowMs - segment.largestTimestamp() > limit)
}

function removeWhile(log: Log, reason: string, condition: Condition): number {
  const doomed = leading(log, condition)
  if (doomed.length === 0) return 0
  // A log always has an active segment.
  if (doomed.length === log.segments.count) roll(log)
  const after = log.segments.after(doomed[doomed.length - 1]!)!
  log.incrementLogStartOffset(after.baseOffset)
  const report = { log: log.name, segments: doomed.length, startOffset: log.startOffset, reason }
  log.context.logger.info(report, 'deleting old log segments')
  removeSegments(log, doomed)
  return doomed.length
}

/** The oldest segments that meet the condition and lie below the high watermark; the active one only if it has records. */
function leading(log: Log, condition: Condition): Segment[] {
  const doomed: Segment[] = []
  const segments = log.segments.all()
  for (let i = 0; i < segments.length; i++) {
    const segment = segments[i]!
    const next = segments[i + 1]
    const end = next === undefined ? log.endOffset : next.baseOffset
    if (log.highWatermark < end || (next === undefined && segment.size === 0) || !condition(segment, next)) break
    doomed.push(segment)
  }
  return doomed
}
