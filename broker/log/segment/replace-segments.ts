import { CLEANED_SUFFIX, SWAP_SUFFIX } from '../storage/file-names'
import type { Log } from '../log'
import type { Segment } from './segment'

/**
 * Puts `fresh` segments in the place of `old` ones. They must be whole and synced, with the suffix `.cleaned`; a crash leaves the
 * old ones, or all the new ones: these count from when they are all called `.swap` (Kafka's LocalLog.replaceSegments).
 * `remove` gets rid of an old segment's files, which must be out of the way when it returns.
 *
 * Nothing is synced here: a journal keeps the changes of names in a directory in their order, so that a power cut leaves what a
 * crash would have left a little earlier. But before anything of the new segments is changed, the directory must be synced.
 */
export function replaceSegments(
  log: Log, fresh: readonly Segment[], old: readonly Segment[], remove: (segment: Segment) => void,
): void {
  // Backwards: while the lowest is `.cleaned`, a start removes them all.
  for (const segment of fresh.toReversed()) segment.changeSuffix(CLEANED_SUFFIX, SWAP_SUFFIX)
  const gone = new Set(old.map((segment) => segment.baseOffset))
  for (const segment of fresh) gone.delete(segment.baseOffset)
  for (const segment of old) {
    log.segments.remove(segment)
    remove(segment)
  }
  log.snapshots.removeWhere((offset) => gone.has(offset))
  for (const segment of fresh) {
    segment.changeSuffix(SWAP_SUFFIX, '')
    log.segments.add(segment)
  }
}
