import type { Log } from '../log'
import { quietly } from '../log-directory'
import type { Segment } from './segment'

/**
 * Takes the files of a segment that is no longer part of the log out of sight (suffix `.deleted`), and removes them after
 * file.delete.delay.ms: a reader may still be sending from them.
 */
export function removeSegment(log: Log, segment: Segment): void {
  segment.markDeleted()
  segment.close()
  log.doomedSegments.add(segment)
  log.context.timers.after(log.config.fileDeleteDelayMs, () => {
    log.doomedSegments.delete(segment)
    // A log that was deleted meanwhile takes its files with it.
    if (log.isClosed) return
    void quietly(() => log.directory.guardLater(`removing a segment of ${log.name}`, () => segment.remove()))
  })
}

/** Removes several, in the order given, with their producer snapshots. */
export function removeSegments(log: Log, segments: readonly Segment[]): void {
  if (segments.length === 0) return
  const bases = new Set(segments.map((segment) => segment.baseOffset))
  for (const segment of segments) {
    log.segments.remove(segment)
    removeSegment(log, segment)
  }
  log.snapshots.removeWhere((offset) => bases.has(offset))
}
