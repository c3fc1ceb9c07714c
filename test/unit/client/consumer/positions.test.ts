import { Consumer } from '../../../../client/consumer'
import { ErrorCode } from '../../../../protocol/errors'
import { ApiKey } from '../../../../protocol/messages/apis'
import { BatchBuilder } from '../../../../protocol/records/records'
import { TOPIC_ID, scripted } from '../support/scripted-broker'
import { ScriptedGroup } from '../support/scripted-group'
import type { ConsumerConfig } from '../../../../client/config'
import type { ConsumerRecord } from '../../../../client/fetched'
import type { Loose, ScriptedBroker } from '../support/scripted-broker'

const T0 = { topic: 't', partition: 0 }

async function reader(config: ConsumerConfig = {}) {
  const { world, broker, env, bootstrap } = await scripted()
  broker.topics.set('t', 1)
  const consumer = new Consumer(
    { 'bootstrap.servers': bootstrap, 'auto.offset.reset': 'earliest', 'fetch.max.wait.ms': 200, ...config },
    env,
  )
  const poll = (forMs: number): Promise<ConsumerRecord[]> => world.settle(consumer.poll(forMs), forMs + 60_000, 'poll ends')
  return { world, broker, consumer, poll }
}

/** One record in a batch of its own. */
function batch(offset: number, leaderEpoch: number): Buffer {
  const builder = new BatchBuilder({ baseOffset: offset, leaderEpoch })
  builder.append(null, Buffer.from(`v${offset}`), [], 0)
  return builder.build()
}

/** Answers fetches from a log: index = offset, value = leader epoch of the record. */
function serve(broker: ScriptedBroker, log: number[]): void {
  broker.on(ApiKey.fetch, (body) => {
    const wanted = body.topics[0]?.partitions[0]
    if (wanted === undefined) return broker.later(body.maxWaitMs, { responses: [] })
    const at: number = wanted.fetchOffset
    const partition: Loose = {
      partitionIndex: 0,
      highWatermark: log.length,
      lastStableOffset: log.length,
      logStartOffset: 0,
      records: Buffer.alloc(0),
    }
    if (wanted.currentLeaderEpoch < broker.leaderEpoch) partition.errorCode = ErrorCode.FENCED_LEADER_EPOCH
    else if (at > log.length) partition.errorCode = ErrorCode.OFFSET_OUT_OF_RANGE
    else partition.records = Buffer.concat(log.slice(at, at + 2).map((epoch, i) => batch(at + i, epoch)))
    const answer = { responses: [{ topicId: TOPIC_ID, partitions: [partition] }] }
    return partition.records.length === 0 && partition.errorCode === undefined ? broker.later(body.maxWaitMs, answer) : answer
  })
}

test('begins at the earliest, or at the latest', async () => {
  for (const [reset, timestamp] of [
    ['earliest', -2],
    ['latest', -1],
  ] as const) {
    const { broker, consumer, world } = await reader({ 'auto.offset.reset': reset })
    consumer.assign([T0])
    expect(await world.settle(consumer.position(T0), 5000, 'found')).toBe(0)
    expect(broker.of(ApiKey.listOffsets)[0]!.body.topics[0].partitions[0].timestamp).toBe(timestamp)
  }
})

test('without a policy the program is told', async () => {
  const { consumer, poll } = await reader({ 'auto.offset.reset': 'none' })
  consumer.assign([T0])
  await expect(poll(1000)).rejects.toMatchObject({
    code: 'NO_OFFSET',
    message: 'Undefined offset with no reset policy for partitions: [t-0]',
  })
})

test('begins where the group stands; unstable offsets are waited for', async () => {
  const { broker, consumer, world } = await reader({ 'group.id': 'g', 'enable.auto.commit': false })
  new ScriptedGroup(broker)
  const answer = (errorCode: number, committedOffset: number) => (): object => ({
    groups: [
      {
        groupId: 'g',
        topics: [
          { name: 't', partitions: [{ partitionIndex: 0, committedOffset, committedLeaderEpoch: -1, metadata: '', errorCode }] },
        ],
      },
    ],
  })
  broker.inTurn(ApiKey.offsetFetch, answer(ErrorCode.UNSTABLE_OFFSET_COMMIT, -1), answer(0, 42))
  consumer.assign([T0])
  expect(await world.settle(consumer.position(T0), 5000, 'found')).toBe(42)
  expect(broker.of(ApiKey.offsetFetch).map(({ body }) => body.requireStable)).toEqual([true, true])
  expect(broker.of(ApiKey.listOffsets)).toEqual([])
})

test('out of range: by the policy, or the program is told', async () => {
  const { broker, consumer, poll } = await reader()
  serve(broker, [0, 0])
  consumer.assign([T0])
  consumer.seek(T0, 9)
  expect((await poll(2000)).map(({ offset }) => offset)).toEqual([0, 1])
  const strict = await reader({ 'auto.offset.reset': 'none' })
  serve(strict.broker, [0, 0])
  strict.consumer.assign([T0])
  strict.consumer.seek(T0, 9)
  await expect(strict.poll(2000)).rejects.toMatchObject({ code: 'NO_OFFSET' })
})

describe('another leader', () => {
  async function readTwo(config: ConsumerConfig = {}) {
    const all = await reader(config)
    serve(all.broker, [0, 0])
    all.consumer.assign([T0])
    all.consumer.seek(T0, 0)
    expect((await all.poll(2000)).map(({ offset }) => offset)).toEqual([0, 1])
    all.broker.leaderEpoch = 3
    return all
  }
  const ends = (leaderEpoch: number, endOffset: number) => () => ({
    topics: [{ topic: 't', partitions: [{ partition: 0, leaderEpoch, endOffset }] }],
  })

  test('whose log holds what was read: goes on', async () => {
    const { broker, poll, consumer } = await readTwo()
    broker.on(ApiKey.offsetForLeaderEpoch, ends(0, 2))
    serve(broker, [0, 0, 3])
    expect((await poll(3000)).map(({ offset }) => offset)).toEqual([2])
    expect(broker.of(ApiKey.offsetForLeaderEpoch)[0]!.body.topics[0].partitions[0]).toEqual({
      partition: 0,
      currentLeaderEpoch: 3,
      leaderEpoch: 0,
    })
    await poll(500)
    expect(broker.of(ApiKey.offsetForLeaderEpoch)).toHaveLength(1)
    expect(await consumer.position(T0)).toBe(3)
  })

  test('whose log ends before: goes back to where it differs', async () => {
    const { broker, poll } = await readTwo()
    broker.on(ApiKey.offsetForLeaderEpoch, ends(0, 1))
    serve(broker, [0, 3, 3])
    expect((await poll(3000)).map(({ offset }) => offset)).toEqual([1, 2])
  })

  test('whose log ends before, without a policy: the program is told', async () => {
    const { broker, poll } = await readTwo({ 'auto.offset.reset': 'none' })
    broker.on(ApiKey.offsetForLeaderEpoch, ends(0, 1))
    serve(broker, [0, 3, 3])
    await expect(poll(3000)).rejects.toThrow('Truncated partition t-0: detected at offset 2, the log diverges at 1')
  })

  test('that knows nothing of that epoch: by the policy', async () => {
    const { broker, poll } = await readTwo()
    broker.on(ApiKey.offsetForLeaderEpoch, ends(-1, -1))
    serve(broker, [3])
    expect((await poll(3000)).map(({ offset }) => offset)).toEqual([0])
  })

  test('that is not ready yet: asks again', async () => {
    const { broker, poll } = await readTwo()
    const later = (): object => ({
      topics: [{ topic: 't', partitions: [{ partition: 0, errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER }] }],
    })
    broker.inTurn(ApiKey.offsetForLeaderEpoch, later, ends(0, 2))
    serve(broker, [0, 0, 3])
    expect((await poll(5000)).map(({ offset }) => offset)).toEqual([2])
  })
})

describe('metadata that is older than what the group committed', () => {
  async function committedInEpoch(committedLeaderEpoch: number) {
    const all = await reader({ 'group.id': 'g', 'enable.auto.commit': false })
    new ScriptedGroup(all.broker)
    all.broker.on(ApiKey.offsetFetch, () => ({
      groups: [
        {
          groupId: 'g',
          topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 2, committedLeaderEpoch, metadata: '', errorCode: 0 }] }],
        },
      ],
    }))
    // The deposed leader: its log ends too early, and it knows nothing of the epoch.
    serve(all.broker, [0])
    all.broker.on(ApiKey.offsetForLeaderEpoch, () => ({ topics: [{ topic: 't', partitions: [{ partition: 0, leaderEpoch: -1, endOffset: -1 }] }] }))
    all.consumer.assign([T0])
    return all
  }

  test('is asked for again, and its leader is not', async () => {
    const { world, broker, consumer, poll } = await committedInEpoch(3)
    expect(await poll(3000)).toEqual([])
    expect(broker.of(ApiKey.offsetForLeaderEpoch)).toEqual([])
    expect(await world.settle(consumer.position(T0), 5000, 'kept')).toBe(2)
    broker.leaderEpoch = 3
    broker.on(ApiKey.offsetForLeaderEpoch, () => ({ topics: [{ topic: 't', partitions: [{ partition: 0, leaderEpoch: 3, endOffset: 3 }] }] }))
    serve(broker, [0, 0, 3])
    expect((await poll(3000)).map(({ offset }) => offset)).toEqual([2])
  })

  test('for ever: the topic is another one of the same name', async () => {
    const { poll } = await committedInEpoch(3)
    expect((await poll(70_000)).map(({ offset }) => offset)).toEqual([0])
  })
})

test('paused partitions are not read; what was read ahead stays', async () => {
  const { broker, consumer, poll } = await reader({ 'max.poll.records': 1 })
  serve(broker, [0, 0, 0])
  consumer.assign([T0])
  expect((await poll(2000)).map(({ offset }) => offset)).toEqual([0])
  consumer.pause([T0])
  expect(await poll(500)).toEqual([])
  expect(consumer.paused()).toEqual([T0])
  consumer.resume([T0])
  expect((await poll(500)).map(({ offset }) => offset)).toEqual([1])
  expect(consumer.currentLag(T0)).toBe(1)
})

test('whoever leaves the loop has consumed what it was given, and no more', async () => {
  const { world, broker, consumer } = await reader()
  serve(broker, [0, 0, 0])
  consumer.assign([T0])
  const loop = async (): Promise<number> => {
    for await (const { offset } of consumer) return offset
    return -1
  }
  expect(await world.settle(loop(), 5000, 'one is read')).toBe(0)
  expect(await consumer.position(T0)).toBe(1)
})

test('wakeup ends a poll', async () => {
  const { world, broker, consumer } = await reader()
  serve(broker, [])
  consumer.assign([T0])
  const polling = consumer.poll(60_000)
  polling.catch(() => {})
  await world.run(1000)
  consumer.wakeup()
  await expect(world.settle(polling, 100, 'it ends')).rejects.toMatchObject({ code: 'WAKEUP' })
})
