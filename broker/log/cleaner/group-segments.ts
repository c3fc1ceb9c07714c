import { MAX_RELATIVE_OFFSET } from '../segment/offset-index'

export interface GroupedSegment {
  baseOffset: number
  size: number
  indexBytes: number
  timeIndexBytes: number
}

/** So many segments are replaced at once: each costs some renames, during which nothing else happens. */
const MOST_SEGMENTS = 100

/**
 * Which neighbouring segments become one, so that segments which have become small do not become many: as long as the sums of
 * their sizes do not exceed those of one segment, and their offsets fit. Kafka's groupSegmentsBySize.
 */
export function groupSegments<T extends GroupedSegment>(
  segments: readonly T[], maxBytes: number, maxIndexBytes: number, firstUncleanableOffset: number,
): T[][] {
  const groups: T[][] = []
  let group: T[] = []
  let bytes = 0
  let indexBytes = 0
  let timeIndexBytes = 0
  segments.forEach((segment, i) => {
    const last = (segments[i + 1]?.baseOffset ?? firstUncleanableOffset) - 1
    bytes += segment.size
    indexBytes += segment.indexBytes
    timeIndexBytes += segment.timeIndexBytes
    const fits =
      group.length > 0 &&
      group.length < MOST_SEGMENTS &&
      bytes <= maxBytes &&
      indexBytes <= maxIndexBytes &&
      timeIndexBytes <= maxIndexBytes &&
      (segment.size === 0 || last - group[0]!.baseOffset <= MAX_RELATIVE_OFFSET)
    if (fits) {
      group.push(segment)
      return
    }
    group = [segment]
    groups.push(group)
    bytes = segment.size
    indexBytes = segment.indexBytes
    timeIndexBytes = segment.timeIndexBytes
  })
  return groups
}
