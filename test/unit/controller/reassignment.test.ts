import { ErrorCode } from '../../../protocol/errors'
import { TestCluster } from './support/cluster'

let cluster: TestCluster
afterEach(() => cluster?.stop())

test('a reassignment that replaces another one whose new replica leads leaves a leader', async () => {
  cluster = await TestCluster.start([0, 1, 2, 3, 4, 5], { controllers: [0] })
  await cluster.createTopic('t', [[0, 1]])
  await cluster.reassign('t', 0, [2, 3])
  await cluster.until(() => cluster.fake(3).replicas.has('t-0'))
  await cluster.alterIsr('t', 0, [0, 1, 2])
  // The preferred one: the head of the assignment is 2 now.
  await (await cluster.controller()).electLeaders({ electionType: 0, topicPartitions: null, timeoutMs: 1000 }, 2)
  expect(await cluster.state('t', 0)).toMatchObject({ leader: 2, isr: [0, 1, 2] })
  expect(await cluster.reassign('t', 0, [4, 5])).toBe(ErrorCode.NONE)
  await cluster.until(async () => [0, 1].includes((await cluster.state('t', 0))!.leader))
  await cluster.until(() => cluster.fake(5).replicas.has('t-0'))
})

test.each([['cancelled', null], ['replaced', [1, 4]]])('a reassignment whose replicas are the only ones in sync is not %s', async (_, replicas) => {
  cluster = await TestCluster.start([0, 1, 2, 3, 4], { controllers: [0] })
  await cluster.createTopic('t', [[1, 2]])
  await cluster.reassign('t', 0, [3, 4])
  await cluster.until(() => cluster.fake(4).replicas.has('t-0'))
  await cluster.alterIsr('t', 0, [1, 2, 3])
  await cluster.killBroker(1)
  await cluster.until(async () => (await cluster.state('t', 0))!.leader !== 1)
  await cluster.killBroker(2)
  await cluster.until(async () => String((await cluster.state('t', 0))!.isr) === '3')
  expect(await cluster.reassign('t', 0, replicas)).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT)
  expect(await cluster.state('t', 0)).toMatchObject({ leader: 3, isr: [3] })
  expect(cluster.fake(3).logs.has('t-0')).toBe(true)
})
