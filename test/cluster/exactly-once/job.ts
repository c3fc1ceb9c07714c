/**
 * What a copier is told, as JSON on its command line. It consumes `input` in the group, writes each record, its value with `*` behind it,
 * to the same partition of `output`, and commits both in one transaction, until its standard input ends. On its standard output it says
 *
 * - `begin <n>` when it has begun its n-th transaction,
 * - `sent <n>` when its records have their answers, and it holds the transaction open,
 * - `commit <n>` when it was told that this one is committed,
 * - `abort <n>` when it was told that this one is aborted,
 * - `failed <words>` when it cannot go on. Then it ends, and a new one takes its place.
 */
export interface CopyJob {
  bootstrap: string
  client: string
  group: string
  input: string
  output: string
  transactionalId: string
  transactionTimeoutMs: number
  sessionTimeoutMs: number
  /** How long it keeps each transaction open. */
  holdMs: number
}

export const MARK = '*'
