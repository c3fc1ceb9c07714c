import fc from 'fast-check'
import { FetchSessionCache, type FetchContext } from '../../../../broker/replica/fetch-session'
import { ReplicaFetchSession } from '../../../../broker/replica/replica-fetch-session'
import type { FetchState } from '../../../../broker/replica/fetcher-state'
import type { FetchPartitionResult } from '../../../../broker/replica/requests'
import { ErrorCode } from '../../../../protocol/errors'
import { decode, encode, type Input } from '../../../../protocol/messages/codec'
import { fetchRequest, fetchResponse, type FetchRequest } from '../../../../protocol/messages/fetch'
import { World } from '../../../simulation/world/world'

const IDS: Record<string, string> = { a: 'AAAAAAAAAAAAAAAAAAAAAQ', b: 'AAAAAAAAAAAAAAAAAAAAAg' }
const names = {
  topicName: (id: string) => Object.keys(IDS).find((name) => IDS[name] === id),
  topicId: (name: string) => IDS[name],
}

function setUp(maxSlots = 10) {
  const world = new World(1)
  const { clock, random } = world.process('p').env
  return { world, cache: new FetchSessionCache({ clock, random, maxSlots }) }
}

/** [topic, partition, fetch offset] each. */
function request(
  sessionId: number,
  sessionEpoch: number,
  wanted: [string, number, number][],
  more: Input<FetchRequest> = {},
  version = 12,
) {
  const topics = wanted.map(([topic, partition, fetchOffset]) => ({
    topic, topicId: IDS[topic], partitions: [{ partition, fetchOffset, partitionMaxBytes: 100 }],
  }))
  return decode(fetchRequest, version, encode(fetchRequest, version, { sessionId, sessionEpoch, topics, ...more }))
}

/** What the log says of each partition: nothing, unless the test says otherwise. */
function results(context: FetchContext, say: (topic: string, partition: number) => Partial<FetchPartitionResult> = () => ({})) {
  return context.partitions.map((each): FetchPartitionResult => ({
    topic: each.topic, topicId: each.topicId, partition: each.partition, errorCode: 0, highWatermark: 0, lastStableOffset: 0,
    logStartOffset: 0, records: Buffer.alloc(0), release() {}, abortedTransactions: null, preferredReadReplica: -1,
    ...say(each.topic, each.partition),
  }))
}

function namesOf(list: readonly { topic: string; partition: number }[]): string[] {
  return list.map(({ topic, partition }) => `${topic}-${partition}`)
}

/** A session with these partitions; its id. */
function open(cache: FetchSessionCache, wanted: [string, number, number][], more: Input<FetchRequest> = {}): number {
  const context = cache.begin(request(0, 0, wanted, more), 12, names)
  return context.finish(results(context)).sessionId
}

test('without a session everything is read and answered', () => {
  const { cache } = setUp()
  const context = cache.begin(request(0, -1, [['a', 0, 5], ['b', 1, 7]]), 12, names)
  expect(namesOf(context.partitions)).toEqual(['a-0', 'b-1'])
  expect(context.partitions[0]).toMatchObject({ fetchOffset: 5, maxBytes: 100, topicId: IDS['a'] })
  const { sessionId, results: sent } = context.finish(results(context))
  expect([sessionId, sent.length, cache.size]).toEqual([0, 2, 0])
})

test('a session is told only what changed', () => {
  const { cache } = setUp()
  const id = open(cache, [['a', 0, 0], ['a', 1, 0], ['b', 0, 0]])
  expect(id).toBeGreaterThan(0)
  let context = cache.begin(request(id, 1, []), 12, names)
  expect(namesOf(context.partitions)).toEqual(['a-0', 'a-1', 'b-0'])
  expect(context.finish(results(context)).results).toEqual([])
  context = cache.begin(request(id, 2, []), 12, names)
  const told = context.finish(results(context, (topic, partition) => {
    if (topic === 'a' && partition === 0) return { records: Buffer.from('x') }
    if (topic === 'b') return { highWatermark: 3 }
    return {}
  }))
  expect(namesOf(told.results)).toEqual(['a-0', 'b-0'])
  // Who had data waits behind the others next time.
  context = cache.begin(request(id, 3, []), 12, names)
  expect(namesOf(context.partitions)).toEqual(['a-1', 'b-0', 'a-0'])
  // After an error the next success is news.
  context.finish(results(context, (topic) => (topic === 'b' ? { errorCode: 6, highWatermark: -1 } : {})))
  context = cache.begin(request(id, 4, []), 12, names)
  const again = context.finish(results(context, (topic) => (topic === 'b' ? { highWatermark: 3 } : {})))
  expect(namesOf(again.results)).toEqual(['b-0'])
})

test.each([
  ['a diverging epoch', { divergingEpoch: { epoch: 1, endOffset: 2 } }],
  ['a preferred replica', { preferredReadReplica: 3 }],
  ['another log start', { logStartOffset: 9 }],
  ['an error', { errorCode: 1 }],
])('%s is news', (_, result) => {
  const { cache } = setUp()
  const id = open(cache, [['a', 0, 0]])
  const context = cache.begin(request(id, 1, []), 12, names)
  expect(context.finish(results(context, () => result)).results).toHaveLength(1)
})

test('partitions come, change and go', () => {
  const { cache } = setUp()
  const id = open(cache, [['a', 0, 0], ['a', 1, 0]])
  const forgottenTopicsData = [{ topic: 'a', partitions: [0] }]
  const context = cache.begin(request(id, 1, [['a', 1, 8], ['b', 0, 3]], { forgottenTopicsData }), 12, names)
  expect(context.partitions.map((each) => [each.topic, each.partition, each.fetchOffset])).toEqual([['a', 1, 8], ['b', 0, 3]])
  expect(cache.partitionCount).toBe(2)
  const last = [{ topic: 'a', partitions: [1] }, { topic: 'b', partitions: [0] }]
  const empty = cache.begin(request(id, 2, [], { forgottenTopicsData: last }), 12, names)
  expect([empty.errorCode, cache.size, cache.partitionCount]).toEqual([0, 0, 0])
})

test('refuses a session that is unknown, out of step, or named the other way', () => {
  const { cache } = setUp()
  const id = open(cache, [['a', 0, 0]])
  expect(cache.begin(request(id + 1, 1, []), 12, names).errorCode).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
  expect(cache.begin(request(id, 2, []), 12, names).errorCode).toBe(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
  expect(cache.begin(request(id, 1, [], {}, 13), 13, names).errorCode).toBe(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR)
  expect(cache.begin(request(id, 1, []), 12, names).errorCode).toBe(0)
})

test('a full request closes the session that it names', () => {
  const { cache } = setUp()
  const id = open(cache, [['a', 0, 0]])
  cache.begin(request(id, -1, [['a', 0, 0]]), 12, names)
  expect([cache.size, cache.partitionCount]).toEqual([0, 0])
})

test('an answer that another request of the session overtook is empty, and its buffers go back', () => {
  const { cache } = setUp()
  const id = open(cache, [['a', 0, 0]])
  const first = cache.begin(request(id, 1, []), 12, names)
  cache.begin(request(id, 2, []), 12, names)
  let released = 0
  const late = first.finish(results(first, () => ({ records: Buffer.from('x'), release: () => void released++ })))
  expect(late).toMatchObject({ errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH, results: [] })
  expect(released).toBe(1)
})

test('a topic id without a name is kept for when it has one', () => {
  const { cache } = setUp()
  const known = { topicName: (): string | undefined => undefined, topicId: () => undefined }
  const first = cache.begin(request(0, 0, [['a', 0, 0]], {}, 13), 13, known)
  expect(first.partitions[0]).toMatchObject({ topic: '', topicId: IDS['a'] })
  const { sessionId } = first.finish(results(first, () => ({ errorCode: 100 })))
  const next = cache.begin(request(sessionId, 1, [], {}, 13), 13, names)
  expect(next.partitions[0]!.topic).toBe('a')
})

describe('a full cache', () => {
  const small: [string, number, number][] = [['a', 0, 0]]
  const large: [string, number, number][] = [['a', 0, 0], ['a', 1, 0], ['b', 0, 0]]

  test('gives up one that was idle for two minutes', async () => {
    const { world, cache } = setUp(2)
    const idle = open(cache, small)
    const used = open(cache, small)
    await world.run(100_000)
    const context = cache.begin(request(used, 1, []), 12, names)
    context.finish(results(context))
    expect(open(cache, small)).toBe(0)
    await world.run(30_000)
    expect(open(cache, small)).toBeGreaterThan(0)
    expect(cache.begin(request(idle, 1, []), 12, names).errorCode).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    expect(cache.evictions).toBe(1)
  })

  test('gives up an old one for a larger one, and for a follower’s; never a young one', async () => {
    const { world, cache } = setUp(1)
    const first = open(cache, small)
    expect(open(cache, large)).toBe(0)
    await world.run(60_000)
    const context = cache.begin(request(first, 1, []), 12, names)
    context.finish(results(context))
    await world.run(60_001)
    const again = cache.begin(request(first, 2, []), 12, names)
    again.finish(results(again))
    expect(open(cache, small)).toBe(0)
    const second = open(cache, large)
    expect(second).toBeGreaterThan(0)
    await world.run(120_001)
    const kept = cache.begin(request(second, 1, []), 12, names)
    kept.finish(results(kept))
    // A follower's session is worth more than a client's, however large.
    const follower = open(cache, small, { replicaId: 2 })
    expect(follower).toBeGreaterThan(0)
  })
})

test('a follower and a leader agree on what is wanted, whatever changes and whatever is lost', () => {
  const wishes = fc.uniqueArray(
    fc.record({ topic: fc.constantFrom('a', 'b'), partition: fc.nat(3), fetchOffset: fc.nat(3), isAddedAgain: fc.boolean() }),
    { selector: (each) => `${each.topic}${each.partition}` },
  )
  const step = fc.record({
    wishes,
    version: fc.constantFrom(6, 12, 17),
    fate: fc.constantFrom('answered', 'answered', 'answered', 'request lost', 'answer lost', 'leader forgets'),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let { cache } = setUp()
      const session = new ReplicaFetchSession()
      const states = new Map<string, FetchState>()
      const stateOf = (topic: string, partition: number, isAddedAgain: boolean): FetchState => {
        const key = `${topic}${partition}`
        const before = states.get(key)
        if (before !== undefined && !isAddedAgain) return before
        const leaderEpoch = before === undefined ? 1 : before.leaderEpoch + 1
        const replica = { topic, topicId: IDS[topic], partition, log: { startOffset: 0 } }
        const state = { partition: replica, leaderEpoch, lastFetchedEpoch: -1 } as unknown as FetchState
        states.set(key, state)
        return state
      }
      for (const { wishes: wanted, version: upTo, fate } of steps) {
        const list = wanted.map(({ topic, partition, fetchOffset, isAddedAgain }) =>
          Object.assign(stateOf(topic, partition, isAddedAgain), { fetchOffset }),
        )
        const version = session.versionFor(upTo, list)
        const part = session.next(version, list, { maxBytes: 100, namesLastEpoch: true })
        const body = decode(fetchRequest, version, encode(fetchRequest, version, part))
        if (fate === 'leader forgets') ({ cache } = setUp())
        if (fate === 'request lost') {
          session.reset()
          continue
        }
        const context = cache.begin(body, version, names)
        const { errorCode, sessionId } =
          context.errorCode === 0 ? context.finish(results(context)) : { errorCode: context.errorCode, sessionId: 0 }
        if (errorCode === 0) {
          const read = context.partitions.map(({ topic, partition, fetchOffset, currentLeaderEpoch }) =>
            [topic, partition, fetchOffset, currentLeaderEpoch].join(),
          )
          const asked = list.map(({ partition: { topic, partition }, fetchOffset, leaderEpoch }) =>
            [topic, partition, fetchOffset, version >= 9 ? leaderEpoch : -1].join(),
          )
          expect(read.sort()).toEqual(asked.sort())
          for (const state of list) {
            const { topic, topicId, partition } = state.partition
            const [name, id] = version >= 13 ? ['', topicId!] : [topic, '']
            expect(session.asked(name, id, partition)).toEqual({ state, fetchOffset: state.fetchOffset })
          }
        }
        if (fate === 'answer lost') session.reset()
        else {
          const bytes = encode(fetchResponse, version, version >= 7 ? { errorCode, sessionId } : {})
          const answer = decode(fetchResponse, version, bytes)
          expect(session.take(version, answer)).toBe(errorCode === 0)
        }
      }
    }),
    { numRuns: 300 },
  )
})
