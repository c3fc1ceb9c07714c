import { ErrorCode } from '../../../protocol/errors'
import { encodeLogDirEvent } from '../../../zk-schema/notifications'
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

test('a reassignment that cannot be replaced costs no replica', async () => {
  cluster = await TestCluster.start([0, 1, 2, 3, 4], { controllers: [0] })
  await cluster.createTopic('t', [[1, 2]])
  await cluster.reassign('t', 0, [3])
  await cluster.until(() => cluster.fake(3).replicas.has('t-0'))
  const everybody = { scheme: 'world', id: 'anyone' }
  // The topic's znode cannot be written for a while: READ and ADMIN only.
  await cluster.zk.setAcl('/brokers/topics/t', [{ ...everybody, perms: 17 }], -1)
  expect(await cluster.reassign('t', 0, [4])).not.toBe(ErrorCode.NONE)
  await cluster.zk.setAcl('/brokers/topics/t', [{ ...everybody, perms: 31 }], -1)
  ;(await cluster.controller()).reconcile()
  // The former one goes on.
  await cluster.until(() => cluster.fake(3).replicas.has('t-0'))
  expect(await cluster.reassign('t', 0, [4])).toBe(ErrorCode.NONE)
  await cluster.until(() => cluster.fake(4).replicas.has('t-0'))
  expect([1, 2].filter((id) => cluster.fake(id).logs.has('t-0'))).toEqual([1, 2])
  await cluster.alterIsr('t', 0, [1, 2, 4])
  await cluster.until(() => String(cluster.memory()!.topics[0]!.partitions[0]!.replicas) === '4')
  await cluster.converged()
})

test('a target whose directory is offline takes no other replica with it', async () => {
  cluster = await TestCluster.start([0, 1, 2], { controllers: [0] })
  await cluster.createTopic('t', [[1]])
  await cluster.reassign('t', 0, [2])
  await cluster.until(() => cluster.fake(2).replicas.has('t-0'))
  await cluster.converged()
  const state = (): string => cluster.memory()!.topics[0]!.partitions[0]!.replicaStates['2']!
  const tellOfDirectories = async (): Promise<void> => {
    await cluster.zk.create('/log_dir_event_notification/log_dir_event_', encodeLogDirEvent(2), { sequential: true })
    await cluster.until(async () => (await cluster.zk.children('/log_dir_event_notification'))!.names.length === 0)
  }
  cluster.fake(2).errors.set('t-0', ErrorCode.KAFKA_STORAGE_ERROR)
  // The first finds it new.
  for (let i = 0; i < 2; i++) await tellOfDirectories()
  await cluster.until(() => state() === 'OfflineReplica')
  // It had caught up before, and its leader says so only now.
  await cluster.alterIsr('t', 0, [1, 2])
  cluster.fake(2).errors.clear()
  await cluster.killBroker(2)
  await cluster.startBroker(2)
  await cluster.until(() => state() === 'OnlineReplica')
  expect(await cluster.state('t', 0)).toMatchObject({ leader: 1, isr: [1] })
  expect(cluster.fake(1).logs.has('t-0')).toBe(true)
  await cluster.alterIsr('t', 0, [1, 2])
  await cluster.until(async () => (await cluster.state('t', 0))!.leader === 2)
})
