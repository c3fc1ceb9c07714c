import { groupAnomalies } from './support/group-history'
import { parseEvent } from './support/group-job'
import type { GroupHistory, GroupLogEntry } from './support/group-history'

function events(...lines: string[]): GroupHistory['events'] {
  return lines.map((line) => {
    const at = line.indexOf(' ')
    return parseEvent(line.slice(0, at), line.slice(at + 1))!
  })
}

function generation(number: number, assignments: Record<string, string[]>): GroupLogEntry {
  return { kind: 'group', generation: number, assignments: new Map(Object.entries(assignments)) }
}

function clean(): { ends: Map<string, number>; events: GroupHistory['events']; log: GroupLogEntry[] } {
  return {
    ends: new Map([['t/0', 3], ['t/1', 1]]),
    events: events(
      'a assigned 100 t/0,t/1', 'a r t 0 0', 'a r t 1 0', 'a c 110 t 0 1', 'a c 111 t 1 1', 'a r t 0 1', 'b assigned 200 t/0', 'b r t 0 1',
      'b r t 0 2', 'b c 210 t 0 3',
    ),
    log: [
      generation(1, { a: ['t/0', 't/1'] }), { kind: 'offset', at: 't/0', offset: 1 }, { kind: 'offset', at: 't/1', offset: 1 },
      generation(2, { a: ['t/1'], b: ['t/0'] }), { kind: 'offset', at: 't/0', offset: 3 }, generation(3, {}),
    ],
  }
}

test('a clean history has no anomaly', () => {
  expect(groupAnomalies(clean())).toEqual([])
})

test('a late commit that the next one mends is none', () => {
  const { log, ...others } = clean()
  const later = [2, 3].map((offset): GroupLogEntry => ({ kind: 'offset', at: 't/0', offset }))
  expect(groupAnomalies({ ...others, log: [...log, ...later], commitsMayGoBack: 'a while' })).toEqual([])
})

test('lines that are none are not events', () => {
  expect(parseEvent('a', 'hello')).toBeUndefined()
  expect(parseEvent('a', 'assigned 5 -')).toEqual({ kind: 'assigned', member: 'a', atMs: 5, partitions: [] })
})

test.each<[string, (history: ReturnType<typeof clean>) => GroupHistory, string[]]>([
  ['records that nobody consumed', (history) => ({ ...history, ends: new Map([['t/0', 5], ['t/1', 1]]) }), ['consumed by nobody: t/0 from 3 to 4']],
  [
    'a commit that was lost',
    (history) => ({ ...history, events: [...history.events, ...events('c assigned 300 t/0', 'c r t 0 2')] }),
    ['lost commit: c, assigned t/0 at 300, went on at 2; b had committed 3 at 210'],
  ],
  ['a commit that went back', (history) => ({ ...history, log: [...history.log, { kind: 'offset', at: 't/0', offset: 2 }] }), ['commit went back: t/0 from 3 to 2']],
  [
    'a late commit that the next one does not mend',
    (history) => ({
      ...history,
      commitsMayGoBack: 'a while',
      log: [...history.log, { kind: 'offset', at: 't/0', offset: 1 }, { kind: 'offset', at: 't/0', offset: 2 }, generation(4, {})],
    }),
    ['commit went back: t/0 from 3 to 2'],
  ],
  ['an offset that is gone', (history) => ({ ...history, log: [...history.log, { kind: 'offset gone', at: 't/0' }] }), ['committed offset removed: t/0']],
  ['a generation that went back', (history) => ({ ...history, log: [...history.log, generation(2, {})] }), ['generation went back: from 3 to 2']],
  [
    'two owners in one assignment',
    (history) => ({ ...history, log: [...history.log, generation(4, { a: ['t/0'], b: ['t/0'] })] }),
    ['two owners in generation 4: t/0 of a and b'],
  ],
  [
    'two owners one after the other',
    (history) => ({ ...history, log: [...history.log, generation(4, { a: ['t/0'] }), generation(4, { b: ['t/0'] })] }),
    ['two owners in generation 4: t/0 of a and b'],
  ],
])('finds %s', (_, plant, expected) => {
  expect(groupAnomalies(plant(clean()))).toEqual(expected)
})
