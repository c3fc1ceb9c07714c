import { CLEANED_SUFFIX, SWAP_SUFFIX } from '../storage/file-names'
import type { Log } from '../log'
import type { Segment } from './segment'

/**
 * Puts `fresh` segments in the place of `old` ones. They must be whole and synced, with the suffix `.cleaned`; a crash leaves the
 * old ones, or all the new ones: these count from when they are all called `.swap` (Kafka's LocalLog.replaceSegments).
 * `remove` gets rid of an old segment's files, which must be out of the way when it returns.
 */
export function replaceSegments(
  log: Log, fresh: readonly Segment[], old: readonly Segment[], remove: (segment: Segment) => void,
): void {
  const { disk } = log.context
  // Backwards: while the lowest is `.cleaned`, a start removes them all.
  for (const segment of fresh.toReversed()) segment.changeSuffix(CLEANED_SUFFIX, SWAP_SUFFIX)
  disk.syncDirectory(log.path)
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
  // A truncation may follow, and a power cut: the old segments must not come back behind it.
  disk.syncDirectory(log.path)
}
