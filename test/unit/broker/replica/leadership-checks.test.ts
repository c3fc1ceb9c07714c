/** A leader that was deposed and has not heard of it, when it is asked for what only its successor has. */
import { ErrorCode } from '../../../../protocol/errors'
import type { PartitionState } from '../../../../broker/replica/partition-state'
import type { EpochResult, FetchParams, FetchPartition, FetchPartitionResult } from '../../../../broker/replica/requests'
import { World } from '../../../simulation/world/world'
import { TOPIC, TOPIC_ID, brokers, elect, type TestBroker } from './support/brokers'

const { NONE, NOT_LEADER_OR_FOLLOWER, OFFSET_OUT_OF_RANGE } = ErrorCode

interface Question {
  atMs: number
  answer(state: PartitionState | undefined): void
  fail(): void
}

const state = (leader: number, leaderEpoch: number): PartitionState => ({
  controllerEpoch: 1, leader, leaderEpoch, isr: [leader], partitionEpoch: leaderEpoch,
})
const ours = state(1, 4)
const successor = state(2, 5)

/** Broker 1 leads t-0 in epoch 4, with two records; ZooKeeper answers when the test says so. */
async function leading() {
  const world = new World(7)
  const questions: Question[] = []
  const readPartitionState = (): Promise<PartitionState | undefined> =>
    new Promise((answer, reject) => questions.push({ atMs: world.nowMs, answer, fail: () => reject(new Error('connection loss')) }))
  const [leader] = brokers(world, 1, { options: { readPartitionState } }) as [TestBroker]
  await elect(world, [leader], { leader: 1, leaderEpoch: 4, isr: [1], replicas: [1], isNew: true })
  await world.settle(leader.produce('a'), 100, 'stored')
  await world.settle(leader.produce('b'), 100, 'stored')
  const settle = <T>(promise: Promise<T>): Promise<T> => world.settle(promise, 5000, 'the answer')
  return { world, leader, questions, settle }
}

function fetch(broker: TestBroker, requests: Partial<FetchPartition>[], more: Partial<FetchParams> = {}): Promise<FetchPartitionResult[]> {
  return new Promise((resolve) =>
    broker.replicas.fetch(
      {
        replicaId: -1, replicaEpoch: -1, maxWaitMs: 0, minBytes: 1, maxBytes: 1e6, hardMaxBytes: false, isolation: 'highWatermark', ...more,
      },
      requests.map((request) => ({
        topic: TOPIC, topicId: TOPIC_ID, partition: 0, fetchOffset: 0, logStartOffset: -1, maxBytes: 1e6, currentLeaderEpoch: -1,
        lastFetchedEpoch: -1, ...request,
      })),
      resolve,
    ),
  )
}

const ends = (broker: TestBroker, leaderEpoch: number): Promise<EpochResult[]> =>
  new Promise((resolve) =>
    broker.replicas.offsetsForLeaderEpoch([{ topic: TOPIC, partition: 0, currentLeaderEpoch: -1, leaderEpoch }], resolve),
  )

test.each([
  ['an offset above its end', { fetchOffset: 3 }],
  ['an epoch above its own', { fetchOffset: 1, lastFetchedEpoch: 5 }],
])('%s is out of range only if ZooKeeper confirms the leader', async (_what, request) => {
  const { world, leader, questions, settle } = await leading()
  const asked = leader.consume(request.fetchOffset, request)
  await world.run(5)
  questions[0]!.answer(ours)
  expect(await settle(asked)).toMatchObject({ errorCode: OFFSET_OUT_OF_RANGE })
  expect(leader.partition().isLeader).toBe(true)

  const again = leader.consume(request.fetchOffset, request)
  await world.run(5)
  questions[1]!.answer(successor)
  expect(await settle(again)).toMatchObject({ errorCode: NOT_LEADER_OR_FOLLOWER, highWatermark: -1 })
})

test('a leader that finds itself deposed serves nothing more in its epoch', async () => {
  const { world, leader, questions, settle } = await leading()
  const asked = leader.consume(9)
  await world.run(5)
  questions[0]!.answer(successor)
  await settle(asked)
  expect(await settle(leader.produce('c'))).toMatchObject({ errorCode: NOT_LEADER_OR_FOLLOWER })
  expect(await settle(leader.consume(0))).toMatchObject({ errorCode: NOT_LEADER_OR_FOLLOWER })
  expect(questions).toHaveLength(1)
  const answer = await settle(leader.leaderAndIsr({ leader: 2, leaderEpoch: 5, isr: [2] }))
  expect(answer.topics![0]!.partitionErrors![0]!.errorCode).toBe(NONE)
  expect(leader.partition()).toMatchObject({ role: 'follower', leaderEpoch: 5 })
})

test('also one that is to lead in a later epoch waits for it', async () => {
  const { world, leader, questions, settle } = await leading()
  const asked = leader.consume(9)
  await world.run(5)
  questions[0]!.answer(state(1, 6))
  expect(await settle(asked)).toMatchObject({ errorCode: NOT_LEADER_OR_FOLLOWER })
  await settle(leader.leaderAndIsr({ leader: 1, leaderEpoch: 6, isr: [1] }))
  expect(await settle(leader.consume(0))).toMatchObject({ errorCode: NONE })
})

test.each<[string, (question: Question) => void]>([
  ['has no such partition', (question) => question.answer(undefined)],
  ['cannot be read', (question) => question.fail()],
  ['does not answer', () => {}],
  ['knows an older state', (question) => question.answer(state(1, 3))],
])('when ZooKeeper %s the client asks again, and the leader stays', async (_what, reply) => {
  const { world, leader, questions, settle } = await leading()
  const startMs = world.nowMs
  const asked = leader.consume(9)
  await world.run(5)
  reply(questions[0]!)
  expect(await settle(asked)).toMatchObject({ errorCode: NOT_LEADER_OR_FOLLOWER })
  expect(world.nowMs - startMs).toBeLessThanOrEqual(1010)
  expect(leader.partition().isLeader).toBe(true)
})

test('what LeaderAndIsr says meanwhile counts', async () => {
  const { world, leader, questions, settle } = await leading()
  const asked = leader.consume(9)
  await world.run(5)
  await settle(leader.leaderAndIsr({ leader: 1, leaderEpoch: 5, isr: [1] }))
  questions[0]!.answer(ours)
  expect(await settle(asked)).toMatchObject({ errorCode: NOT_LEADER_OR_FOLLOWER })
  expect(leader.partition()).toMatchObject({ isLeader: true, leaderEpoch: 5 })
})

test('nobody is asked about offsets that were deleted, nor about those that are there', async () => {
  const { leader, questions, settle } = await leading()
  leader.log().incrementLogStartOffset(1)
  expect(await settle(leader.consume(0))).toMatchObject({ errorCode: OFFSET_OUT_OF_RANGE })
  expect(await settle(leader.consume(1))).toMatchObject({ errorCode: NONE })
  expect(await settle(leader.consume(2))).toMatchObject({ errorCode: NONE })
  expect(questions).toEqual([])
})

test('the other partitions of the fetch are read when the answer is there', async () => {
  const { world, leader, questions, settle } = await leading()
  const asked = fetch(leader, [{ fetchOffset: 0 }, { fetchOffset: 9 }])
  await world.run(5)
  await settle(leader.produce('c'))
  questions[0]!.answer(ours)
  const [first, second] = await settle(asked)
  expect(first).toMatchObject({ errorCode: NONE, highWatermark: 3 })
  expect(first!.records.length).toBeGreaterThan(0)
  expect(second).toMatchObject({ errorCode: OFFSET_OUT_OF_RANGE })
})

test('a question that comes while ZooKeeper is read waits for the next read, together with others', async () => {
  const { world, leader, questions, settle } = await leading()
  const first = leader.consume(9)
  await world.run(5)
  const later = [leader.consume(9), leader.consume(8), leader.consume(7)]
  await world.run(5)
  expect(questions).toHaveLength(1)
  questions[0]!.answer(ours)
  expect(await settle(first)).toMatchObject({ errorCode: OFFSET_OUT_OF_RANGE })
  await world.run(5)
  expect(questions).toHaveLength(2)
  questions[1]!.answer(successor)
  for (const each of later) expect(await settle(each)).toMatchObject({ errorCode: NOT_LEADER_OR_FOLLOWER })
})

test('no more than 64 reads are under way, no more than 200 begin within a second', async () => {
  const { world, leader, questions, settle } = await leading()
  const partitions = Array.from({ length: 100 }, (_, partition) => partition)
  for (const partition of partitions.slice(1)) {
    await settle(leader.leaderAndIsr({ leader: 1, leaderEpoch: 4, isr: [1], replicas: [1], partition, isNew: true }))
  }
  const ask = (): Promise<FetchPartitionResult[]> => fetch(leader, partitions.map((partition) => ({ partition, fetchOffset: 9 })))
  const startMs = world.nowMs
  let confirmed = 0
  for (let i = 0; i < 5; i++) {
    const asked = ask()
    await world.run(1)
    expect(questions.length).toBeLessThanOrEqual(64)
    for (const question of questions.splice(0)) question.answer(ours)
    const results = await settle(asked)
    confirmed += results.filter(({ errorCode }) => errorCode === OFFSET_OUT_OF_RANGE).length
    expect(results.every(({ errorCode }) => errorCode === OFFSET_OUT_OF_RANGE || errorCode === NOT_LEADER_OR_FOLLOWER)).toBe(true)
  }
  expect(world.nowMs - startMs).toBeLessThan(1000)
  expect(confirmed).toBe(200)
  await world.run(1000)
  const asked = ask()
  await world.run(1)
  expect(questions).toHaveLength(64)
  for (const question of questions) question.answer(ours)
  await settle(asked)
})

test('an epoch above its own has no end here only if ZooKeeper confirms the leader', async () => {
  const { world, leader, questions, settle } = await leading()
  expect(await settle(ends(leader, 4))).toMatchObject([{ errorCode: NONE, leaderEpoch: 4, endOffset: 2 }])
  expect(questions).toEqual([])
  const asked = ends(leader, 5)
  await world.run(5)
  questions[0]!.answer(ours)
  expect(await settle(asked)).toMatchObject([{ errorCode: NONE, leaderEpoch: -1, endOffset: -1 }])
  const again = ends(leader, 5)
  await world.run(5)
  questions[1]!.answer(successor)
  expect(await settle(again)).toMatchObject([{ errorCode: NOT_LEADER_OR_FOLLOWER, endOffset: -1 }])
})

test('a follower sends away a consumer that nobody has sent to it', async () => {
  const { leader, settle } = await leading()
  await settle(leader.leaderAndIsr({ leader: 2, leaderEpoch: 5, isr: [2] }))
  const consumer = (rackId: string): Partial<FetchParams> => ({
    clientMetadata: { rackId, clientId: 'c', clientHost: 'h', listenerName: 'PLAINTEXT' },
  })
  const codes = async (params: Partial<FetchParams>): Promise<number> => (await settle(fetch(leader, [{ fetchOffset: 9 }], params)))[0]!.errorCode
  expect(await codes(consumer(''))).toBe(NOT_LEADER_OR_FOLLOWER)
  // It goes back to the leader by itself (KIP-392).
  expect(await codes(consumer('a'))).toBe(OFFSET_OUT_OF_RANGE)
  expect(await codes({ replicaId: -2, isolation: 'logEnd' })).toBe(OFFSET_OUT_OF_RANGE)
})
