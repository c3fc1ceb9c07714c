import type { AlterPartitionRequest, AlterPartitionResponse } from '../../../../protocol/messages/alter-partition'
import type { Input } from '../../../../protocol/messages/codec'
import { decode, encode } from '../../../../protocol/messages/codec'
import { alterPartitionRequest } from '../../../../protocol/messages/alter-partition'
import { alterPartitionForVersion, highestAlterPartitionVersion } from '../../../../broker/replica/alter-partition-manager'
import type { PartitionState } from '../../../../broker/replica/partition-state'
import { ErrorCode } from '../../../../protocol/errors'
import { World } from '../../../simulation/world/world'
import { brokers, elect, TOPIC, TOPIC_ID, type BrokerSetup, type TestBroker } from './support/brokers'

/** Answers the proposals of one leader as the test says. */
class ScriptedController {
  readonly asked: { isr: number[]; epochs: number[]; partitionEpoch: number; leaderEpoch: number }[] = []
  private readonly waiting: ((response: AlterPartitionResponse) => void)[] = []

  constructor(leader: TestBroker) {
    leader.alterPartition = (request: Input<AlterPartitionRequest>) => {
      const { leaderEpoch = -1, partitionEpoch = -1, newIsr = [], newIsrWithEpochs = [] } = request.topics![0]!.partitions![0]!
      const epochs = newIsrWithEpochs.map((each) => each.brokerEpoch ?? -1)
      this.asked.push({ isr: [...newIsr], epochs, partitionEpoch, leaderEpoch })
      return new Promise((resolve) => this.waiting.push(resolve))
    }
  }

  get isAsked(): boolean {
    return this.waiting.length > 0
  }

  /** With NONE the proposal becomes the state. */
  answer(errorCode: number, more: { isr?: number[]; partitionEpoch?: number; leaderEpoch?: number } = {}): void {
    const { isr, leaderEpoch, partitionEpoch } = this.asked.at(-1)!
    const data = { leaderId: 1, leaderEpoch, isr, partitionEpoch: partitionEpoch + 1, leaderRecoveryState: 0, ...more }
    const partitions = [{ partitionIndex: 0, errorCode, ...data }]
    const resolve = this.waiting.shift()!
    resolve({ throttleTimeMs: 0, errorCode: 0, topics: [{ topicName: '', topicId: TOPIC_ID, partitions }] })
  }

  refuse(errorCode: number): void {
    this.waiting.shift()!({ throttleTimeMs: 0, errorCode, topics: [] })
  }
}

async function cluster(isr: number[], setup: BrokerSetup = {}) {
  const world = new World(3)
  const all = brokers(world, 3, setup) as [TestBroker, TestBroker, TestBroker]
  const [leader, second, third] = all
  const controller = new ScriptedController(leader)
  await elect(world, all, { leader: 1, leaderEpoch: 4, partitionEpoch: 10, isr })
  return { world, all, leader, second, third, controller }
}

test('a follower that has caught up is proposed; it counts at once, and is in when confirmed', async () => {
  const { world, leader, third, controller } = await cluster([1, 2])
  await world.runUntil(() => controller.isAsked, 1000, 'the proposal')
  expect(controller.asked).toEqual([{ isr: [1, 2, 3], epochs: [101, 102, 103], partitionEpoch: 10, leaderEpoch: 4 }])
  expect(leader.partition().isr).toMatchObject({ committed: [1, 2], maximal: [1, 2, 3] })
  third.isReachable = false
  void leader.produce('a')
  await world.run(700)
  expect(leader.log().highWatermark).toBe(0)
  controller.answer(ErrorCode.NONE)
  await world.run(10)
  expect(leader.partition().isr).toMatchObject({ committed: [1, 2, 3], proposal: undefined })
  expect(leader.partition().partitionEpoch).toBe(11)
  expect(leader.events).toContainEqual(expect.objectContaining({ kind: 'isrChange', phase: 'committed', to: [1, 2, 3] }))
})

test('a follower behind the start of the epoch is not proposed (KAFKA-7128)', async () => {
  const { world, leader, third, controller } = await cluster([1])
  third.isReachable = false
  await world.settle(leader.produce('a', { acks: 1 }), 100, 'the answer')
  expect(leader.log().highWatermark).toBeLessThanOrEqual(1)
  Object.assign(leader.partition(), { epochStartOffset: 1 })
  leader.log().highWatermark = 0
  const follower = leader.partition().followers.get(3)!
  leader.partition().updateFollower(follower, 0, 0, 1, -1)
  expect(controller.asked.filter((each) => each.isr.includes(3))).toEqual([])
})

test('a member that lags for replica.lag.time.max.ms is proposed to leave, and counts until that is confirmed', async () => {
  const { world, leader, third, controller } = await cluster([1, 2, 3], { config: { replicaLagTimeMaxMs: 1000 } })
  third.isReachable = false
  void leader.produce('a', { timeoutMs: 60_000 })
  await world.runUntil(() => controller.isAsked, 3000, 'the proposal')
  expect(controller.asked).toEqual([{ isr: [1, 2], epochs: [101, 102], partitionEpoch: 10, leaderEpoch: 4 }])
  await world.run(500)
  expect(leader.log().highWatermark).toBe(0)
  controller.answer(ErrorCode.NONE)
  await world.run(10)
  expect(leader.partition().isr.committed).toEqual([1, 2])
  expect(leader.log().highWatermark).toBe(1)
})

test('a leader about to be alone syncs before it says so (KIP-966)', async () => {
  const { world, leader, second, third, controller } = await cluster([1, 2, 3], { config: { replicaLagTimeMaxMs: 1000 } })
  second.isReachable = third.isReachable = false
  leader.log().holdsSyncs = true
  void leader.produce('a', { acks: 1 })
  await world.run(4000)
  expect(controller.asked).toEqual([])
  expect(leader.log().syncCount).toBeGreaterThan(0)
  leader.log().finishSync()
  await world.runUntil(() => controller.isAsked, 1000, 'the proposal')
  expect(controller.asked[0]!.isr).toEqual([1])
  expect(leader.log().syncedOffset).toBe(1)
})

const REFUSALS = [ErrorCode.INELIGIBLE_REPLICA, ErrorCode.OPERATION_NOT_ATTEMPTED]

test.each(REFUSALS)('error %i: back to what was committed', async (errorCode) => {
  const { world, leader, controller, third } = await cluster([1, 2])
  await world.runUntil(() => controller.isAsked, 1000, 'the proposal')
  third.isReachable = false
  await world.run(600)
  controller.answer(errorCode)
  await world.run(5)
  expect(leader.partition().isr).toMatchObject({ committed: [1, 2], maximal: [1, 2], proposal: undefined })
})

test('no answer, another controller, an unexpected error: the same again, not faster than every 50 ms', async () => {
  const { world, leader, controller } = await cluster([1, 2])
  await world.runUntil(() => controller.isAsked, 1000, 'the proposal')
  controller.refuse(ErrorCode.NOT_CONTROLLER)
  await world.runUntil(() => controller.isAsked, 100, 'the second')
  controller.answer(ErrorCode.NOT_CONTROLLER)
  const before = world.nowMs
  await world.runUntil(() => controller.isAsked, 100, 'the third')
  expect(world.nowMs - before).toBeGreaterThanOrEqual(50)
  expect(controller.asked).toHaveLength(3)
  expect(new Set(controller.asked.map((each) => each.isr.join())).size).toBe(1)
  controller.answer(ErrorCode.NONE)
  await world.run(1)
  expect(leader.partition().isr.committed).toEqual([1, 2, 3])
})

test('an answer that comes after a LeaderAndIsr is dropped', async () => {
  const { world, all, leader, controller } = await cluster([1, 2])
  await world.runUntil(() => controller.isAsked, 1000, 'the proposal')
  await elect(world, all, { leader: 1, leaderEpoch: 5, partitionEpoch: 11, isr: [1] })
  controller.answer(ErrorCode.NONE)
  await world.run(1)
  expect(leader.partition()).toMatchObject({ leaderEpoch: 5, partitionEpoch: 11 })
  expect(leader.partition().isr.committed).toEqual([1])
})

describe('a proposal that was refused as out of date (KAFKA-2729)', () => {
  async function refused(state: PartitionState | undefined) {
    let readable: PartitionState | undefined = state
    const found = await cluster([1, 2], {
      config: { replicaLagTimeMaxMs: 1000 },
      options: { readPartitionState: async () => readable },
    })
    const { world, controller } = found
    await world.runUntil(() => controller.isAsked, 1000, 'the proposal')
    controller.answer(ErrorCode.INVALID_UPDATE_VERSION)
    await world.run(1)
    return { ...found, setReadable: (next: PartitionState) => (readable = next) }
  }

  test('takes the newer partition epoch from ZooKeeper', async () => {
    const { leader } = await refused({ controllerEpoch: 1, leader: 1, leaderEpoch: 4, isr: [1, 3], partitionEpoch: 12 })
    expect(leader.partition()).toMatchObject({ isLeader: true, partitionEpoch: 12 })
    expect(leader.partition().isr).toMatchObject({ committed: [1, 3], proposal: undefined })
  })

  test('gives up the leadership if ZooKeeper names another leader', async () => {
    const { world, leader } = await refused({ controllerEpoch: 1, leader: 2, leaderEpoch: 5, isr: [2], partitionEpoch: 12 })
    expect(leader.partition().isLeader).toBe(false)
    expect((await world.settle(leader.produce('a'), 100, 'the answer')).errorCode).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    // The LeaderAndIsr that follows is carried out.
    const answer = await world.settle(leader.leaderAndIsr({ leader: 2, leaderEpoch: 5, partitionEpoch: 12 }), 100, 'LeaderAndIsr')
    expect(answer.topics![0]!.partitionErrors![0]!.errorCode).toBe(ErrorCode.NONE)
    expect(leader.partition()).toMatchObject({ role: 'follower', leaderEpoch: 5 })
  })

  test('keeps counting the joiner and asks again while it cannot know', async () => {
    const { world, leader, controller, setReadable } = await refused(undefined)
    expect(leader.partition().isr).toMatchObject({ committed: [1, 2], maximal: [1, 2, 3], isAwaitingState: true })
    expect(controller.asked).toHaveLength(1)
    setReadable({ controllerEpoch: 1, leader: 1, leaderEpoch: 4, isr: [1, 2], partitionEpoch: 10 })
    await world.runUntil(() => controller.isAsked, 3000, 'the proposal, again')
    expect(leader.partition().isr).toMatchObject({ maximal: [1, 2, 3], isAwaitingState: false })
    controller.answer(ErrorCode.NONE)
    await world.run(1)
    expect(leader.partition().isr.committed).toEqual([1, 2, 3])
  })
})

test('the request says what each version can', () => {
  const newIsrWithEpochs = [{ brokerId: 1, brokerEpoch: 5 }]
  const partitions = [{ partitionIndex: 0, leaderEpoch: 1, newIsr: [1], newIsrWithEpochs, partitionEpoch: 3 }]
  const request = { brokerId: 1, brokerEpoch: 5, topics: [{ topicName: TOPIC, topicId: TOPIC_ID, partitions }] }
  expect(highestAlterPartitionVersion(request)).toBe(3)
  expect(highestAlterPartitionVersion({ topics: [{ topicName: TOPIC }] })).toBe(1)
  for (const version of [0, 1, 2, 3]) {
    const bytes = encode(alterPartitionRequest, version, alterPartitionForVersion(request, version))
    const { newIsr, newIsrWithEpochs } = decode(alterPartitionRequest, version, bytes).topics[0]!.partitions[0]!
    expect([newIsr.length > 0, newIsrWithEpochs.length > 0]).toEqual([version < 3, version >= 3])
  }
})

test('what was appended while the shrink to the leader alone was under way is synced and acknowledged', async () => {
  const { world, leader, second, third, controller } = await cluster([1, 2, 3], { config: { replicaLagTimeMaxMs: 1000 } })
  second.isReachable = third.isReachable = false
  void leader.produce('a', { acks: 1 })
  await world.runUntil(() => controller.isAsked, 4000, 'the proposal')
  expect(controller.asked[0]!.isr).toEqual([1])
  void leader.produce('b', { timeoutMs: 20_000 })
  await world.run(20)
  controller.answer(ErrorCode.NONE)
  await world.run(5000)
  expect(leader.partition().isr.committed).toEqual([1])
  expect(leader.log()).toMatchObject({ endOffset: 2, syncedOffset: 2, highWatermark: 2 })
})
