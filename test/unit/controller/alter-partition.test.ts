import { judgeIsr } from '../../../controller/events/alter-partition'
import type { IsrFacts, ProposedIsr } from '../../../controller/events/alter-partition'
import { ErrorCode, errorName } from '../../../protocol/errors'
import { silentLogger } from '../../../runtime/log'
import type { Logger } from '../../../runtime/log'
import { TestCluster } from './support/cluster'

const current = { leader: 1, leaderEpoch: 5, isr: [1, 2, 3], recoveryState: 0, partitionEpoch: 9, controllerEpoch: 1 } as const
const facts: IsrFacts = { current, isLive: (id) => id <= 3, epochOf: (id) => id * 100, version: 3 }
const proposed: ProposedIsr = {
  leader: 1, leaderEpoch: 5, isr: [1, 2], recoveryState: 0, partitionEpoch: 9, brokerEpochs: new Map(),
}

function verdict(change: Partial<ProposedIsr>, more: Partial<IsrFacts> = {}): string {
  const result = judgeIsr({ ...proposed, ...change }, { ...facts, ...more })
  return 'code' in result ? errorName(
    result.code,
  ) : 'unchanged' in result ? 'unchanged' : `${result.rule} ${result.accept.isr.join(',')}`
}

test.each<[string, string, Partial<ProposedIsr>, Partial<IsrFacts>?]>([
  ['a shrink', 'shrink 1,2', {}],
  ['an expansion', 'expand 1,2,3', { isr: [1, 2, 3] }, { current: { ...current, isr: [1, 2] } }],
  ['no state', 'UNKNOWN_TOPIC_OR_PARTITION', {}, { current: undefined }],
  ['a newer partition epoch than ours', 'NOT_CONTROLLER', { partitionEpoch: 10 }],
  ['a newer leader epoch than ours', 'NOT_CONTROLLER', { leaderEpoch: 6 }],
  ['an older leader epoch', 'FENCED_LEADER_EPOCH', { leaderEpoch: 4 }],
  ['the same again, under an older partition epoch', 'unchanged', { isr: [1, 2, 3], partitionEpoch: 7 }],
  ['an older partition epoch', 'INVALID_UPDATE_VERSION', { partitionEpoch: 8 }],
  ['not by the leader', 'INVALID_REQUEST', { leader: 2 }],
  ['without the leader', 'INVALID_REQUEST', { isr: [2, 3] }],
  ['recovering, but not alone', 'INVALID_REQUEST', { recoveryState: 1 }],
  ['recovering again', 'INVALID_REQUEST', { recoveryState: 1, isr: [1] }],
  ['recovered', 'shrink 1,2', { recoveryState: 0 }, { current: { ...current, recoveryState: 1 } }],
  ['with a dead member', 'INELIGIBLE_REPLICA', { isr: [1, 9] }],
  ['with a dead member, version 1', 'OPERATION_NOT_ATTEMPTED', { isr: [1, 9] }, { version: 1 }],
  ['with a dead member, version 0', 'unchanged', { isr: [1, 9] }, { version: 0 }],
  ['a member restarted since', 'INELIGIBLE_REPLICA', { brokerEpochs: new Map([[2, 199]]) }],
  ['a member known by its epoch', 'shrink 1,2', { brokerEpochs: new Map([[1, 100], [2, 200]]) }],
  ['a leader that does not say epochs', 'shrink 1,2', { brokerEpochs: new Map([[1, -1], [2, -1]]) }],
])('%s: %s', (_, expected, change, more = {}) => {
  expect(verdict(change, more)).toBe(expected)
})

test('the leader epoch of what is written is the leader\'s', () => {
  expect(judgeIsr(proposed, facts)).toMatchObject({ accept: { leader: 1, leaderEpoch: 5, isr: [1, 2] } })
  expect(ErrorCode.INELIGIBLE_REPLICA).toBe(107)
})

test('who asks again and again under a stale broker epoch is logged once for each', async () => {
  const logged: unknown[] = []
  const info = (fields: object, message: string): void => void (message.includes('stale') && logged.push(fields))
  const logger: Logger = { ...silentLogger, info, child: () => logger }
  const cluster = await TestCluster.start([0, 1], { logger, controllers: [0] })
  try {
    const controller = await cluster.controller()
    await cluster.converged()
    for (const brokerEpoch of [3, 3, 3, 4, 4]) {
      const answer = await controller.alterPartition({ brokerId: 1, brokerEpoch, topics: [] }, 3)
      expect(answer).toEqual({ errorCode: ErrorCode.STALE_BROKER_EPOCH })
    }
    const known = cluster.fake(1).epoch
    expect(logged).toEqual([{ broker: 1, epoch: 3, known }, { broker: 1, epoch: 4, known }])
  } finally {
    await cluster.stop()
  }
})
