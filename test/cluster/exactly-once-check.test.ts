import { copyAnomalies } from './exactly-once/check'
import type { CopyHistory } from './exactly-once/check'

type Records = { offset: number; value: string }[]

/** Two partitions; between transactions are markers, so that offsets have gaps. */
function clean(): Omit<CopyHistory, 'output' | 'seen'> & { output: Map<number, Records>; seen: Map<number, Records> } {
  const copies = (partition: number): Records => [0, 1, 3, 5].map((offset, i) => ({ offset, value: `${partition}:${i}*` }))
  return {
    client: 'c',
    mark: '*',
    input: new Map([0, 1].map((partition) => [partition, [0, 1, 2, 3].map((n) => ({ offset: n, value: `${partition}:${n}` }))])),
    output: new Map([0, 1].map((partition) => [partition, copies(partition)])),
    seen: new Map([0, 1].map((partition) => [partition, copies(partition).slice(0, 3)])),
    ends: new Map([[0, { stable: 7, high: 7 }], [1, { stable: 7, high: 7 }]]),
  }
}

test('an exact copy has no anomaly', () => {
  expect(copyAnomalies(clean())).toEqual([])
})

test.each<[string, (history: ReturnType<typeof clean>) => void, string[]]>([
  ['a record that was not copied', ({ output, seen }) => {
    output.get(0)!.splice(3, 1)
    seen.get(0)!.splice(3, 1)
  }, ['lost: c 0 0:3*']],
  ['a record that was copied twice', ({ output }) => output.get(1)!.push({ offset: 8, value: '1:0*' }), ['copied more than once: c 1 1:0*']],
  ['a record from nowhere', ({ output }) => output.get(1)!.push({ offset: 8, value: '9:0*' }), ['never sent: c 1 9:0*']],
  ['records in another order', ({ output, seen }) => {
    const records = output.get(0)!
    const kept = records[0]!.value
    records[0]!.value = records[1]!.value
    records[1]!.value = kept
    seen.set(0, records.slice(0, 3))
  }, ['out of order: c 0 0:1*, 0:0*']],
  ['what only an aborted transaction wrote', ({ seen }) => seen.get(0)!.push({ offset: 4, value: '0:3*' }), ['read and not there: c 0 had 0:3* at 4 for read_committed, now nothing']],
  ['a reader that went back', ({ seen }) => seen.get(0)!.push({ offset: 0, value: '0:0*' }), ['read_committed went back: c 0']],
  ['a transaction without an end', ({ ends }) => {
    (ends as Map<number, { stable: number; high: number }>).set(1, { stable: 6, high: 7 })
  }, ['transaction left open: c 1 is stable to 6, and ends at 7']],
])('finds %s', (_, plant, expected) => {
  const history = clean()
  plant(history)
  expect(copyAnomalies(history)).toEqual(expected)
})
