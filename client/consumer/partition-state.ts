import type { ConsumerRecord } from '../fetched'
import type { TopicPartition } from '../leaders'

/** Where a consumer stands: the next record, and the leader epoch of the one before it (-1: not known). */
export interface Position {
  offset: number
  leaderEpoch: number
}

/**
 * `initializing`: no position yet, the group's is to be asked for. `resetting`: by policy or by the program's wish, to an
 * end of the log.
 * `validating`: the leader has changed, its log may be shorter (KIP-320). `fetching`: the position holds.
 */
export type PositionState = 'initializing' | 'resetting' | 'validating' | 'fetching'

/** One assigned partition. Invariant: `position` is set in the states `validating` and `fetching`. */
export class PartitionState {
  readonly topic: string
  readonly partition: number
  state: PositionState = 'initializing'
  /** Of the next record that the program gets. */
  position: Position | undefined
  /** After what is buffered: the next fetch starts there. */
  fetchPosition: Position = { offset: 0, leaderEpoch: -1 }
  reset: 'earliest' | 'latest' | undefined
  paused = false
  /** It is about to be given away: nothing is handed out or fetched any more. */
  isLeaving = false
  /** A fetch or another question about it is under way. */
  busy = false
  buffered: ConsumerRecord[] = []
  /** Of the newest fetch; -1 before the first. */
  highWatermark = -1
  lastStableOffset = -1
  logStartOffset = -1
  /** Not before this time: a back-off after a failure. */
  retryAtMs = 0
  /** Of the leader by whom the position was last found to hold; -1 if it was never checked. */
  validatedEpoch = -1
  /** Since when the metadata has been older than the position; undefined if it is not. */
  behindSinceMs: number | undefined
  /** Changes when the position is set from outside: an answer for an older one is dropped. */
  seeks = 0

  constructor({ topic, partition }: TopicPartition) {
    this.topic = topic
    this.partition = partition
  }

  get hasPosition(): boolean {
    return this.position !== undefined
  }

  /** `needsValidation`: the position comes with an epoch from before (a committed one). */
  seek(position: Position, needsValidation: boolean): void {
    this.position = position
    this.fetchPosition = position
    this.reset = undefined
    this.state = needsValidation && position.leaderEpoch >= 0 ? 'validating' : 'fetching'
    this.validatedEpoch = -1
    this.dropBuffered()
  }

  resetTo(where: 'earliest' | 'latest'): void {
    this.position = undefined
    this.reset = where
    this.state = 'resetting'
    this.dropBuffered()
  }

  /** Takes up to `most` records out of the buffer, and moves the position behind them. */
  take(most: number): ConsumerRecord[] {
    const taken = this.buffered.length <= most ? this.buffered : this.buffered.slice(0, most)
    this.buffered = this.buffered.length <= most ? [] : this.buffered.slice(most)
    const last = taken[taken.length - 1]
    const next = this.buffered[0]
    if (next === undefined) this.position = this.fetchPosition
    else if (last !== undefined) this.position = { offset: next.offset, leaderEpoch: last.leaderEpoch }
    return taken
  }

  private dropBuffered(): void {
    this.buffered = []
    this.retryAtMs = 0
    this.seeks++
  }
}
