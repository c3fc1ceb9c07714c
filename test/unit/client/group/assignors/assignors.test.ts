import fc from 'fast-check'
import { CooperativeStickyAssignor } from '../../../../../client/group/assignors/cooperative-sticky'
import { RangeAssignor } from '../../../../../client/group/assignors/range'
import { RoundRobinAssignor } from '../../../../../client/group/assignors/round-robin'
import { StickyAssignor } from '../../../../../client/group/assignors/sticky'
import { assignorsFor, protocolOf } from '../../../../../client/group/assignors/by-name'
import { Generations, expectAllOnce, expectBalanced, keyOf } from './generations'
import type { Assignments } from './generations'
import type { Assignor } from '../../../../../client/group/assignors/assignor'

type Counts = Map<string, number>
type Wishes = Map<string, string[]>

function shown(assignment: Assignments): Record<string, string[]> {
  return Object.fromEntries([...assignment].map(([id, list]) => [id, list.map(keyOf).sort()]))
}

function once(
  assignor: Assignor,
  counts: Counts,
  wishes: Wishes,
  instances: Record<string, string> = {},
): Record<string, string[]> {
  const members = new Map(
    [...wishes].map(([id, topics]) => [
      id,
      { topics, userData: null, ownedPartitions: [], generationId: -1, rackId: null, groupInstanceId: instances[id] ?? null },
    ]),
  )
  return shown(assignor.assign({ partitionCounts: counts, members }))
}

const everybody = (members: readonly string[], topics: readonly string[]): Wishes =>
  new Map(members.map((id) => [id, [...topics]]))

const counts = fc
  .array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 })
  .map((list): Counts => new Map(list.map((count, i) => [`t${i}`, count])))

function wishesFor(topics: readonly string[], uniform: boolean): fc.Arbitrary<Wishes> {
  const some = fc.subarray([...topics], { minLength: 1 })
  return fc
    .uniqueArray(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 8 })
    .chain((ids) =>
      (uniform ? some.map((list) => ids.map(() => list)) : fc.array(some, { minLength: ids.length, maxLength: ids.length })).map(
        (lists): Wishes => new Map(ids.map((id, i) => [`m${id}`, lists[i]!])),
      ),
    )
}

/** A group's life: counts and wishes, rebalance after rebalance. */
const life = fc
  .record({ counts, uniform: fc.boolean() })
  .chain(({ counts: topics, uniform }) =>
    fc.record({
      topics: fc.constant(topics),
      wishes: fc.array(wishesFor([...topics.keys()], uniform), { minLength: 1, maxLength: 5 }),
    }),
  )

describe('what Kafka publishes as examples', () => {
  const two: Counts = new Map([
    ['t0', 3],
    ['t1', 3],
  ])

  test('range', () => {
    expect(once(new RangeAssignor(), two, everybody(['C0', 'C1'], ['t0', 't1']))).toEqual({
      C0: ['t0-0', 't0-1', 't1-0', 't1-1'],
      C1: ['t0-2', 't1-2'],
    })
  })

  test('range goes by instance id where there is one', () => {
    const wishes = everybody(['z', 'a', 'b'], ['t0'])
    expect(once(new RangeAssignor(), two, wishes, { z: 'I1', a: 'I2' })).toEqual({ z: ['t0-0'], a: ['t0-1'], b: ['t0-2'] })
  })

  test('round robin', () => {
    expect(once(new RoundRobinAssignor(), two, everybody(['C0', 'C1'], ['t0', 't1']))).toEqual({
      C0: ['t0-0', 't0-2', 't1-1'],
      C1: ['t0-1', 't1-0', 't1-2'],
    })
  })

  test('round robin with unlike subscriptions', () => {
    const wishes: Wishes = new Map([
      ['C0', ['t0']],
      ['C1', ['t0', 't1']],
      ['C2', ['t0', 't1', 't2']],
    ])
    expect(
      once(
        new RoundRobinAssignor(),
        new Map([
          ['t0', 1],
          ['t1', 2],
          ['t2', 3],
        ]),
        wishes,
      ),
    ).toEqual({
      C0: ['t0-0'],
      C1: ['t1-0'],
      C2: ['t1-1', 't2-0', 't2-1', 't2-2'],
    })
  })

  test('sticky keeps five of eight where round robin moves more', () => {
    const four: Counts = new Map(['t0', 't1', 't2', 't3'].map((topic) => [topic, 2]))
    const group = new Generations(() => new StickyAssignor())
    const topics = [...four.keys()]
    const before = shown(group.rebalance(four, everybody(['C0', 'C1', 'C2'], topics)))
    expect(before).toEqual({ C0: ['t0-0', 't1-1', 't3-0'], C1: ['t0-1', 't2-0', 't3-1'], C2: ['t1-0', 't2-1'] })
    const after = shown(group.rebalance(four, everybody(['C0', 'C2'], topics)))
    expect(after['C0']).toEqual(expect.arrayContaining(before['C0']!))
    expect(after['C2']).toEqual(expect.arrayContaining(before['C2']!))
    expect([after['C0']!.length, after['C2']!.length]).toEqual([4, 4])
  })

  test('sticky with unlike subscriptions', () => {
    const group = new Generations(() => new StickyAssignor())
    const three: Counts = new Map([
      ['t0', 1],
      ['t1', 2],
      ['t2', 3],
    ])
    const wishes: Wishes = new Map([
      ['C0', ['t0']],
      ['C1', ['t0', 't1']],
      ['C2', ['t0', 't1', 't2']],
    ])
    expect(shown(group.rebalance(three, wishes))).toEqual({ C0: ['t0-0'], C1: ['t1-0', 't1-1'], C2: ['t2-0', 't2-1', 't2-2'] })
    wishes.delete('C0')
    expect(shown(group.rebalance(three, wishes))).toEqual({ C1: ['t0-0', 't1-0', 't1-1'], C2: ['t2-0', 't2-1', 't2-2'] })
  })
})

describe('whatever the group is', () => {
  const all: [string, () => Assignor][] = [
    ['range', () => new RangeAssignor()],
    ['roundrobin', () => new RoundRobinAssignor()],
    ['sticky', () => new StickyAssignor()],
    ['cooperative-sticky', () => new CooperativeStickyAssignor()],
  ]

  test.each(all)('%s gives every partition once, to one who wants it', (_name, make) => {
    fc.assert(
      fc.property(life, ({ topics, wishes }) => {
        const group = new Generations(make)
        for (const each of wishes) expectAllOnce(group.settle(topics, each), topics, each)
      }),
      { numRuns: 80 },
    )
  })

  test.each(all.slice(2))('%s is balanced', (_name, make) => {
    fc.assert(
      fc.property(life, ({ topics, wishes }) => {
        const group = new Generations(make)
        for (const each of wishes) expectBalanced(group.settle(topics, each), each)
      }),
      { numRuns: 80 },
    )
  })

  test.each(all.slice(2))('%s moves nothing while nothing changes', (_name, make) => {
    fc.assert(
      fc.property(life, ({ topics, wishes }) => {
        const group = new Generations(make)
        const before = shown(group.settle(topics, wishes[0]!))
        expect(shown(group.rebalance(topics, wishes[0]!))).toEqual(before)
      }),
      { numRuns: 80 },
    )
  })

  test.each(all.slice(2))('%s moves no more than it must when somebody comes or goes and all want the same', (_name, make) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 7 }),
        (count, before, after) => {
          const group = new Generations(make)
          const topics: Counts = new Map([['t', count]])
          const ids = (size: number): string[] => Array.from({ length: size }, (_, i) => `m${i}`)
          const was = group.settle(topics, everybody(ids(before), ['t']))
          const is = group.settle(topics, everybody(ids(after), ['t']))
          const had = new Map([...was].flatMap(([id, list]) => list.map((each) => [keyOf(each), id] as const)))
          const moved = [...is].flatMap(([id, list]) => list.filter((each) => had.get(keyOf(each)) !== id)).length
          // What the newcomers need, or what those who left had.
          const quota = Math.ceil(count / Math.max(before, after))
          expect(moved).toBeLessThanOrEqual(Math.abs(after - before) * quota)
        },
      ),
      { numRuns: 80 },
    )
  })

  test('cooperative-sticky never hands a partition over in one step', () => {
    fc.assert(
      fc.property(life, ({ topics, wishes }) => {
        const group = new Generations(() => new CooperativeStickyAssignor())
        let before: Assignments = new Map()
        for (const each of wishes) {
          for (let round = 0; round < 3; round++) {
            const now = group.rebalance(topics, each)
            for (const [id, partitions] of now) {
              for (const [other, had] of before) {
                if (other === id || !each.has(other)) continue
                const still = had.filter(({ topic }) => each.get(other)!.includes(topic)).map(keyOf)
                const handed = partitions.map(keyOf).filter((key) => still.includes(key))
                if (handed.length > 0) throw new Error(`${id} got ${handed.join(', ')} while ${other} had it`)
              }
            }
            before = now
          }
        }
      }),
      { numRuns: 120 },
    )
  })
})

describe('contradicting claims', () => {
  const counted: Counts = new Map([['t', 4]])
  const claim = (partitions: number[], generationId: number) => ({
    topics: ['t'],
    userData: null,
    ownedPartitions: partitions.map((partition) => ({ topic: 't', partition })),
    generationId,
    rackId: null,
    groupInstanceId: null,
  })

  test('the newer generation is believed; the other has to let go first', () => {
    const members = new Map([
      ['old', claim([0, 1], 3)],
      ['new', claim([0, 1], 5)],
    ])
    const assignment = shown(new CooperativeStickyAssignor().assign({ partitionCounts: counted, members }))
    expect(assignment).toEqual({ new: [], old: ['t-2', 't-3'] })
  })

  test('nobody keeps what two claim in one generation', () => {
    const members = new Map([
      ['a', claim([0], 3)],
      ['b', claim([0, 1], 3)],
    ])
    const assignment = shown(new CooperativeStickyAssignor().assign({ partitionCounts: counted, members }))
    expect(Object.values(assignment).flat().sort()).toEqual(['t-1', 't-2', 't-3'])
  })
})

describe('names', () => {
  test('short ones and those of classes', () => {
    expect(
      assignorsFor(['range', 'org.apache.kafka.clients.consumer.CooperativeStickyAssignor']).map(({ name }) => name),
    ).toEqual(['range', 'cooperative-sticky'])
  })

  test('unknown ones and repeated ones are refused', () => {
    expect(() => assignorsFor(['best'])).toThrow('Class best could not be found')
    expect(() => assignorsFor(['range', 'RangeAssignor'])).toThrow("The assignor name: 'range' is used in more than one assignor")
  })

  test('the protocol is cooperative only if all are', () => {
    expect(protocolOf(assignorsFor(['cooperative-sticky']))).toBe('cooperative')
    expect(protocolOf(assignorsFor(['range', 'cooperative-sticky']))).toBe('eager')
  })
})
