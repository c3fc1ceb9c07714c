import type { Partition } from './partition'

/**
 * A partition in a fetcher. The object itself is the tag of its generation: when the partition is given up, or added again in
 * another epoch, there is another object, and answers to requests of the old one are dropped (KAFKA-7786, KAFKA-13207).
 */
export interface FetchState {
  readonly partition: Partition
  readonly leaderEpoch: number
  fetchOffset: number
  /** -1 while unknown. */
  lastFetchedEpoch: number
  /** First the log is cut to what the leader has too. */
  stage: 'truncating' | 'fetching'
  /** Monotonic: not asked for before. */
  readyAtMs: number
  /** Records that the leader had and this replica has not, when it last answered; undefined before. */
  lag: number | undefined
  /** Since the last success: the back-off grows with them. */
  failures: number
}

/** Kafka's initial offset: the end of the log if the leader will say where it diverges, else what is known to be committed. */
export function initialFetchState(partition: Partition, truncationOnFetch: boolean): FetchState {
  const log = partition.log!
  const hasEpoch = log.latestEpoch >= 0
  const byFetch = truncationOnFetch && hasEpoch
  return {
    partition,
    leaderEpoch: partition.leaderEpoch,
    fetchOffset: byFetch ? log.endOffset : log.highWatermark,
    lastFetchedEpoch: byFetch ? log.latestEpoch : -1,
    stage: byFetch ? 'fetching' : 'truncating',
    readyAtMs: 0,
    lag: undefined,
    failures: 0,
  }
}

const FIRST_BACKOFF_MS = 20

/** From 20 ms up to `maxMs`, doubling: most trouble is a leader that hears of its election a moment later than its follower. */
export function backoffMs(failures: number, maxMs: number): number {
  return Math.min(maxMs, FIRST_BACKOFF_MS * 2 ** Math.min(failures, 20))
}
