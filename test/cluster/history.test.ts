import { anomaliesOf } from './support/history'
import type { History, Seen, Sent } from './support/history'

/** Two clients, two partitions, ten records each, all acknowledged and read. */
function clean(): History & { sent: Sent[]; final: Seen[] } {
  const sent: Sent[] = []
  const final: Seen[] = []
  const next = [0, 0]
  for (let n = 0; n < 10; n++) {
    for (const client of ['a', 'b']) {
      const partition = n % 2
      const offset = next[partition]!++
      sent.push({ client, n, partition, outcome: 'acknowledged', offset })
      final.push({ partition, offset, value: `${client}:${n}` })
    }
  }
  const ends = [0, 1].flatMap((partition) => [3, 7, 10].map((offset) => ({ partition, offset, leaderEpoch: 1 })))
  return { sent, final, polls: new Map([['reader', [...final]]]), ends }
}

function kinds(history: History): string[] {
  return [...new Set(anomaliesOf(history).map(({ kind }) => kind))].sort()
}

test('a clean history has no anomaly', () => {
  expect(anomaliesOf(clean())).toEqual([])
})

test('what was not acknowledged may be there or not', () => {
  const history = clean()
  history.sent[3]!.outcome = 'unknown'
  history.sent.push({ client: 'a', n: 10, partition: 0, outcome: 'unknown', offset: -1 })
  expect(anomaliesOf(history)).toEqual([])
})

test.each<[string, (history: ReturnType<typeof clean>) => History, string[]]>([
  ['a lost record', (history) => ({ ...history, polls: new Map(), final: history.final.filter((_, i) => i !== 4) }), ['lost']],
  ['a record that a reader saw, and that is lost', (history) => ({ ...history, final: history.final.filter((_, i) => i !== 4) }), ['lost', 'read and lost']],
  [
    'a repeated record',
    (history) => ({ ...history, final: [...history.final, { ...history.final.at(-1)!, offset: 10 }] }),
    ['repeated'],
  ],
  [
    'a repeated record behind later ones',
    (history) => ({ ...history, final: [...history.final, { partition: 0, offset: 10, value: 'a:0' }] }),
    ['reordered', 'repeated'],
  ],
  [
    'two records in the wrong order',
    (history) => {
      const final = history.final.map((each) => (each.value === 'a:0' ? { ...each, value: 'a:2' } : each.value === 'a:2' ? { ...each, value: 'a:0' } : each))
      return { ...history, polls: new Map(), final }
    },
    ['reordered', 'wrong offset'],
  ],
  [
    'another record at an offset that was read before',
    (history) => ({ ...history, polls: new Map([['reader', [{ partition: 0, offset: 0, value: 'b:8' }]]]) }),
    ['inconsistent offset'],
  ],
  ['a record from nowhere', (history) => ({ ...history, final: [...history.final, { partition: 1, offset: 10, value: 'c:1' }] }), ['phantom']],
  [
    'a refused record that is there',
    (history) => ({ ...history, sent: history.sent.map((each, i) => (i === 2 ? { ...each, outcome: 'refused' as const } : each)) }),
    ['written though refused'],
  ],
  [
    'a reader that goes back',
    (history) => ({ ...history, polls: new Map([['reader', [history.final[0]!, history.final[1]!, history.final[0]!]]]) }),
    ['non-monotonic poll'],
  ],
  ['a reader that skips', (history) => ({ ...history, polls: new Map([['reader', [history.final[0]!, history.final[4]!]]]) }), ['skipped by a poll']],
  [
    'a high watermark that goes back',
    (history) => ({ ...history, ends: [...history.ends, { partition: 0, leaderEpoch: 2, offset: 9 }] }),
    ['non-monotonic high watermark'],
  ],
])('finds %s', (_, plant, expected) => {
  expect(kinds(plant(clean()))).toEqual(expected)
})

test('a deposed leader may say what was true', () => {
  const history = clean()
  const ends = [{ partition: 0, leaderEpoch: 2, offset: 10 }, { partition: 0, leaderEpoch: 1, offset: 8 }, { partition: 0, leaderEpoch: 2, offset: 10 }]
  expect(anomaliesOf({ ...history, ends })).toEqual([])
})
