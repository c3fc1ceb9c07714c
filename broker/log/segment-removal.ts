import type { Log } from './log'
import { isIoError } from './io-error'
import type { Segment } from './segment'

/**
 * Takes the files of a segment that is no longer part of the log out of sight (suffix `.deleted`), and removes them after
 * file.delete.delay.ms: a reader may still be sending from them.
 */
export function removeSegment(log: Log, segment: Segment): void {
  segment.dropStaged()
  segment.markDeleted()
  segment.close()
  const { clock, logger } = log.context
  clock.timer(log.config.fileDeleteDelayMs, () => {
    if (!log.directory.isOnline) return
    try {
      segment.remove()
    } catch (error) {
      if (!isIoError(error)) throw error
      log.directory.fail(error, `removing a segment of ${log.name}`)
      return
    }
    logger.debug({ log: log.name, offset: segment.baseOffset }, 'removed a log segment')
  })
}

/** Removes several, oldest first, with their producer snapshots. */
export function removeSegments(log: Log, segments: readonly Segment[]): void {
  if (segments.length === 0) return
  const bases = new Set(segments.map((segment) => segment.baseOffset))
  for (const segment of segments) {
    log.segments.remove(segment)
    removeSegment(log, segment)
  }
  log.snapshots.removeWhere((offset) => bases.has(offset))
}
