/** There is no position to start from, and `auto.offset.reset` is none. */
export class NoOffsetError extends Error {
  override readonly name = 'NoOffsetError'
  readonly code = 'NO_OFFSET'
}

/**
 * A commit that came too late: the group has rebalanced, somebody else has the partitions. Trying again does not help;
 * what was read since the
 * last commit is read again by another member.
 */
export class CommitFailedError extends Error {
  override readonly name = 'CommitFailedError'
  readonly code = 'COMMIT_FAILED'
}

/** A commit that did not succeed but may if it is tried again; `cause` says why. */
export class RetriableCommitFailedError extends Error {
  override readonly name = 'RetriableCommitFailedError'
  readonly code = 'RETRIABLE_COMMIT_FAILED'
}

/** What the program's own rebalance listener threw is `cause`. */
export class RebalanceListenerError extends Error {
  override readonly name = 'RebalanceListenerError'
  readonly code = 'REBALANCE_LISTENER'
}

/** `wakeup` was called. */
export class WakeupError extends Error {
  override readonly name = 'WakeupError'
  readonly code = 'WAKEUP'
}
