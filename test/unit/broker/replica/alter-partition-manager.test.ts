import { AlterPartitionManager } from '../../../../broker/replica/alter-partition-manager'
import type { ProposalAnswer } from '../../../../broker/replica/alter-partition-manager'
import { ErrorCode } from '../../../../protocol/errors'
import type { AlterPartitionRequest, AlterPartitionResponse } from '../../../../protocol/messages/alter-partition'
import type { Input } from '../../../../protocol/messages/codec'
import type { Logger } from '../../../../runtime/log'
import { VirtualClock } from '../transaction/support/virtual-clock'

const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'

function setUp(controllerKnows: () => number) {
  const clock = new VirtualClock()
  const asked: { atMs: number; epoch: number }[] = []
  const warned: string[] = []
  const answers: ProposalAnswer[] = []
  const state = { epoch: 7 }
  const logger = { debug() {}, warn: (_: object, message: string) => void warned.push(message) } as unknown as Logger
  const manager = new AlterPartitionManager({
    clock, logger, brokerId: 1, brokerEpoch: () => state.epoch,
    toController: (request: Input<AlterPartitionRequest>) => {
      asked.push({ atMs: clock.monoMs(), epoch: request.brokerEpoch! })
      return Promise.resolve(answerOf(request.brokerEpoch === controllerKnows()))
    },
  })
  manager.submit(
    { topic: 't', topicId: TOPIC_ID, partition: 0, leaderEpoch: 3, partitionEpoch: 5, isr: [{ brokerId: 1, brokerEpoch: 7 }] },
    (answer) => answers.push(answer),
  )
  return { clock, asked, warned, answers, state, manager }
}

function answerOf(isKnown: boolean): AlterPartitionResponse {
  if (!isKnown) return { throttleTimeMs: 0, errorCode: ErrorCode.STALE_BROKER_EPOCH, topics: [] }
  const partition = {
    partitionIndex: 0, errorCode: 0, leaderId: 1, leaderEpoch: 3, isr: [1], leaderRecoveryState: 0, partitionEpoch: 6,
  }
  return { throttleTimeMs: 0, errorCode: 0, topics: [{ topicName: '', topicId: TOPIC_ID, partitions: [partition] }] }
}

test('a broker that was given up asks less and less often, and says it once', async () => {
  const { clock, asked, warned, manager } = setUp(() => 8)
  await clock.advance(10_000)
  expect(asked.slice(0, 5).map(({ atMs }, i) => atMs - (asked[i - 1]?.atMs ?? atMs))).toEqual([0, 50, 100, 200, 400])
  expect(asked.length).toBeLessThan(17)
  expect(asked.at(-1)!.atMs - asked.at(-2)!.atMs).toBe(1000)
  expect(warned).toEqual(['the controller refused AlterPartition'])
  manager.close()
  const { length } = asked
  await clock.advance(3000)
  expect(asked).toHaveLength(length)
})

test('it asks at once when it has registered again', async () => {
  const { clock, asked, answers, state } = setUp(() => 8)
  await clock.advance(5000)
  const before = asked.length
  state.epoch = 8
  await clock.advance(50)
  expect(asked.slice(before).map(({ epoch }) => epoch)).toEqual([8])
  expect(answers).toMatchObject([{ errorCode: 0, partitionEpoch: 6 }])
})

test('it does not wait longer for a controller that hears late of its registration', async () => {
  let known = 6
  const { clock, asked, warned, answers, state } = setUp(() => known)
  await clock.advance(5000)
  state.epoch = 8
  await clock.advance(200)
  known = 8
  await clock.advance(200)
  expect(answers).toMatchObject([{ errorCode: 0 }])
  expect(asked.filter(({ epoch }) => epoch === 8).map(({ atMs }, _, all) => atMs - all[0]!.atMs)).toEqual([0, 50, 150, 350])
  expect(warned).toHaveLength(2)
})
