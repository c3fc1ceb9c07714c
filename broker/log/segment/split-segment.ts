import { baseOffsetAt, batchSizeAt, magicAt } from '../../../protocol/records/batch'
import { lastOffsetOf, maxTimestampOf } from './batch-scan'
import { CLEANED_SUFFIX } from '../storage/file-names'
import type { Log } from '../log'
import { replaceSegments } from './replace-segments'
import { Segment } from './segment'

/**
 * Replaces a segment whose offsets span more than 2^31 by several that do not (KAFKA-6264). A crash meanwhile leaves the old
 * one or all the new ones: these are written as `.cleaned`, and count from when they are all called `.swap`.
 */
export function splitSegment(log: Log, segment: Segment): Segment[] {
  const { logger } = log.context
  logger.warn({ log: log.name, offset: segment.baseOffset }, 'the offsets of a log segment span too much, and it is split')
  const pieces: Segment[] = []
  let piece: Segment | undefined
  segment.forEachHeader(0, (header, at, position) => {
    const batch = Buffer.allocUnsafe(batchSizeAt(header, at))
    segment.read(batch, batch.length, position)
    const lastOffset = lastOffsetOf(batch, 0)
    if (piece === undefined || !piece.canHold(lastOffset)) {
      const first = magicAt(batch, 0) >= 2 ? baseOffsetAt(batch, 0) : lastOffset
      const base = piece === undefined ? segment.baseOffset : first
      piece = Segment.create(log.context, log.path, pieces.length === 0 ? base : first, log.config, 0, CLEANED_SUFFIX)
      pieces.push(piece)
    }
    piece.append(batch, lastOffset, lastOffset, maxTimestampOf(batch, 0), lastOffset, log.config)
    return true
  })
  for (const each of pieces) {
    each.settle()
    each.syncNow()
  }
  replaceSegments(log, pieces, [segment], (old) => old.removeNow())
  log.context.disk.syncDirectory(log.path)
  return pieces
}
