import { baseOffsetAt, batchIsCompleteAt, lastOffsetAt } from '../../protocol/records/batch'
import type { ReplicaLog } from './log-port'

/** Where a follower's log is cut, and whether the leader has to be asked again. */
export interface TruncationDecision {
  offset: number
  isComplete: boolean
}

/**
 * Where the follower's log parts from the leader's (KIP-101, KIP-279), given the end of an epoch in the leader's log: of the
 * follower's last epoch, or of the largest epoch below it that the leader knows.
 *
 * `fallbackOffset` is where to cut when the leader knows no such epoch: the high watermark at which the follower began.
 */
export function decideTruncation(
  log: Pick<ReplicaLog, 'endOffset' | 'endOffsetForEpoch'>,
  leaderEnd: { epoch: number; endOffset: number },
  fallbackOffset: number,
): TruncationDecision {
  if (leaderEnd.endOffset < 0) return { offset: fallbackOffset, isComplete: true }
  // Version 0 of OffsetForLeaderEpoch answers without the epoch.
  if (leaderEnd.epoch < 0) return { offset: Math.min(leaderEnd.endOffset, log.endOffset), isComplete: true }
  const own = log.endOffsetForEpoch(leaderEnd.epoch)
  if (own.epoch < 0 || own.endOffset < 0) return { offset: Math.min(leaderEnd.endOffset, log.endOffset), isComplete: true }
  if (own.epoch !== leaderEnd.epoch) {
    // The leader's epoch is unknown here: what follows the next lower epoch is not the leader's. Then ask about that epoch.
    return { offset: Math.min(own.endOffset, log.endOffset), isComplete: false }
  }
  return { offset: Math.min(own.endOffset, leaderEnd.endOffset, log.endOffset), isComplete: true }
}

/**
 * After DeleteRecords a leader's log may start within a batch, and a follower that starts there is sent the whole batch, from
 * before its own start: then its empty log begins with the batch.
 */
export function startWithinFirstBatch(log: ReplicaLog, records: Buffer): void {
  if (log.startOffset !== log.endOffset || !batchIsCompleteAt(records, 0)) return
  const firstOffset = baseOffsetAt(records, 0)
  if (firstOffset < log.endOffset && lastOffsetAt(records, 0) >= log.endOffset) log.truncateFullyAndStartAt(firstOffset)
}
