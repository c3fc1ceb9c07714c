/** What an exactly-once copy is held against. */

/** Records by partition, in the order of their offsets. */
export type Content = ReadonlyMap<number, readonly { offset: number; value: string }[]>

export interface CopyHistory {
  client: string
  /** What each copy must be of. */
  input: Content
  /** As a consumer with read_committed reads it at the end. */
  output: Content
  /** What such a consumer saw while all went wrong. */
  seen: Content
  mark: string
  /** Where partitions end for read_committed, and for read_uncommitted, at the end: no transaction is left open. */
  ends: ReadonlyMap<number, { stable: number; high: number }>
}

const MOST_TOLD = 5

/** Each a sentence. */
export function copyAnomalies({ client, input, output, seen, mark, ends }: CopyHistory): string[] {
  const anomalies: string[] = []
  for (const [partition, records] of input) {
    const copies = output.get(partition) ?? []
    const at = `${client} ${partition}`
    anomalies.push(...comparePartition(at, records.map(({ value }) => value + mark), copies.map(({ value }) => value)))
    const truth = new Map(copies.map(({ offset, value }) => [offset, value]))
    const gone = (seen.get(partition) ?? []).filter(({ offset, value }) => truth.get(offset) !== value)
    for (const { offset, value } of gone.slice(0, MOST_TOLD)) {
      anomalies.push(`read and not there: ${at} had ${value} at ${offset} for read_committed, now ${truth.get(offset) ?? 'nothing'}`)
    }
    const order = (seen.get(partition) ?? []).map(({ offset }) => offset)
    if (order.some((offset, i) => i > 0 && offset <= order[i - 1]!)) anomalies.push(`read_committed went back: ${at}`)
    const end = ends.get(partition)
    if (end !== undefined && end.stable !== end.high) anomalies.push(`transaction left open: ${at} is stable to ${end.stable}, and ends at ${end.high}`)
  }
  return anomalies
}

function comparePartition(at: string, expected: readonly string[], found: readonly string[]): string[] {
  const anomalies: string[] = []
  const wanted = new Set(expected)
  const counts = new Map<string, number>()
  for (const value of found) counts.set(value, (counts.get(value) ?? 0) + 1)
  const tell = (kind: string, values: readonly string[]): void => {
    if (values.length === 0) return
    const more = values.length > MOST_TOLD ? ` and ${values.length - MOST_TOLD} more` : ''
    anomalies.push(`${kind}: ${at} ${values.slice(0, MOST_TOLD).join(', ')}${more}`)
  }
  tell('lost', expected.filter((value) => !counts.has(value)))
  tell('copied more than once', [...counts].filter(([value, count]) => count > 1 && wanted.has(value)).map(([value]) => value))
  tell('never sent', [...counts.keys()].filter((value) => !wanted.has(value)))
  if (anomalies.length === 0) tell('out of order', found.filter((value, i) => value !== expected[i]))
  return anomalies
}
