/** The states of a transactional id, by the numbers that stand in the log (Kafka's TransactionState). */
export const TransactionState = {
  empty: 0,
  ongoing: 1,
  prepareCommit: 2,
  prepareAbort: 3,
  completeCommit: 4,
  completeAbort: 5,
  /** It expired; only while its tombstone is being written. */
  dead: 6,
  /** Kafka's name for the moment between raising the epoch and aborting. Here that is one step, so that nobody sees it. */
  prepareEpochFence: 7,
} as const
export type TransactionState = (typeof TransactionState)[keyof typeof TransactionState]

const { empty, ongoing, prepareCommit, prepareAbort, completeCommit, completeAbort, dead, prepareEpochFence } = TransactionState

/** As DescribeTransactions and ListTransactions show them, and filters name them. */
const NAMES = new Map<TransactionState, string>([
  [empty, 'Empty'],
  [ongoing, 'Ongoing'],
  [prepareCommit, 'PrepareCommit'],
  [prepareAbort, 'PrepareAbort'],
  [completeCommit, 'CompleteCommit'],
  [completeAbort, 'CompleteAbort'],
  [dead, 'Dead'],
  [prepareEpochFence, 'PrepareEpochFence'],
])

/** From which states each one may be entered. */
const VALID_PREVIOUS = new Map<TransactionState, readonly TransactionState[]>([
  [empty, [empty, completeCommit, completeAbort]],
  [ongoing, [ongoing, empty, completeCommit, completeAbort]],
  [prepareCommit, [ongoing]],
  [prepareAbort, [ongoing, prepareEpochFence]],
  [completeCommit, [prepareCommit]],
  [completeAbort, [prepareAbort]],
  [dead, [empty, completeCommit, completeAbort]],
  [prepareEpochFence, [ongoing]],
])

export function stateName(state: TransactionState): string {
  return NAMES.get(state)!
}

export function stateOfName(name: string): TransactionState | undefined {
  for (const [state, known] of NAMES) if (known === name) return state
  return undefined
}

/** undefined for a number that no state has. */
export function stateOfId(id: number): TransactionState | undefined {
  return NAMES.has(id as TransactionState) ? (id as TransactionState) : undefined
}

export function mayFollow(next: TransactionState, previous: TransactionState): boolean {
  return VALID_PREVIOUS.get(next)!.includes(previous)
}

/** Its end is decided, and the markers are being written. */
export function isPrepared(state: TransactionState): boolean {
  return state === prepareCommit || state === prepareAbort
}

/** Nothing is open: it may begin anew, or expire. */
export function isAtRest(state: TransactionState): boolean {
  return state === empty || state === completeCommit || state === completeAbort
}
