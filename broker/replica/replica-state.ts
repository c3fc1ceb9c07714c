/** What a leader knows of a follower's offset before its first fetch. */
export const UNKNOWN_OFFSET = -1

/**
 * A follower as its leader sees it (Kafka's Replica). Times are monotonic milliseconds.
 *
 * `lastCaughtUpMs` is the latest time t such that the follower has by now everything that the leader had at t: the lag of
 * the follower, on which the ISR rests, is the time since.
 */
export class ReplicaState {
  readonly brokerId: number
  logStartOffset = UNKNOWN_OFFSET
  logEndOffset = UNKNOWN_OFFSET
  /** The leader's end when the follower fetched last. */
  private lastFetchLeaderEndOffset = 0
  private lastFetchMs = Number.NEGATIVE_INFINITY
  lastCaughtUpMs = Number.NEGATIVE_INFINITY
  /** The registration (czxid) that the last fetch named, -1 if it named none; undefined before a fetch (KIP-903). */
  brokerEpoch: number | undefined

  constructor(brokerId: number) {
    this.brokerId = brokerId
  }

  /** A fetch from `fetchOffset` says that the follower has all below it. */
  update(fetchOffset: number, logStartOffset: number, nowMs: number, leaderEndOffset: number, brokerEpoch: number): void {
    if (fetchOffset >= leaderEndOffset) {
      this.lastCaughtUpMs = Math.max(this.lastCaughtUpMs, nowMs)
    } else if (fetchOffset >= this.lastFetchLeaderEndOffset) {
      this.lastCaughtUpMs = Math.max(this.lastCaughtUpMs, this.lastFetchMs)
    }
    this.logStartOffset = logStartOffset
    this.logEndOffset = fetchOffset
    this.lastFetchLeaderEndOffset = Math.max(leaderEndOffset, this.lastFetchLeaderEndOffset)
    this.lastFetchMs = nowMs
    this.brokerEpoch = brokerEpoch
  }

  /**
   * A new leader epoch begins. Members of the ISR count as caught up now, others as never, so that the high watermark does not
   * wait for them. A broker that was not the leader before knows nothing of the follower's offsets.
   */
  reset(nowMs: number, leaderEndOffset: number, isNewLeader: boolean, isInSync: boolean): void {
    this.lastCaughtUpMs = isInSync ? nowMs : Number.NEGATIVE_INFINITY
    if (isNewLeader) {
      this.logStartOffset = UNKNOWN_OFFSET
      this.logEndOffset = UNKNOWN_OFFSET
      this.lastFetchLeaderEndOffset = UNKNOWN_OFFSET
      this.lastFetchMs = Number.NEGATIVE_INFINITY
      this.brokerEpoch = undefined
    } else {
      this.lastFetchLeaderEndOffset = leaderEndOffset
      this.lastFetchMs = isInSync ? nowMs : Number.NEGATIVE_INFINITY
    }
  }

  isCaughtUp(leaderEndOffset: number, nowMs: number, lagMaxMs: number): boolean {
    return this.logEndOffset === leaderEndOffset || nowMs - this.lastCaughtUpMs <= lagMaxMs
  }
}
