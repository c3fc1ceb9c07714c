import type { Snapshot } from './support/cluster'
import { TestCluster } from './support/cluster'
import { ErrorCode } from '../../../protocol/errors'
import { encodePartitionState, partitionStatePath } from '../../../zk-schema/topics'

let cluster: TestCluster

afterEach(() => cluster?.stop())

function partitionIn(memory: Snapshot | undefined, topic: string, partition: number) {
  return memory?.topics.find(({ name }) => name === topic)?.partitions[partition]
}

function alterIsr(...change: Parameters<TestCluster['alterIsr']>): ReturnType<TestCluster['alterIsr']> {
  return cluster.alterIsr(...change)
}

describe('the office', () => {
  test('one of three is elected, and the others know who', async () => {
    cluster = await TestCluster.start([0, 1, 2])
    await cluster.converged()
    expect((await cluster.zk.get('/controller_epoch'))!.data!.toString()).toBe('1')
    const id = cluster.active()!.id
    await cluster.until(() => [...cluster.nodes.values()].every(({ controller }) => controller.activeControllerId() === id))
    expect([...cluster.nodes.values()].filter(({ controller }) => controller.isActive())).toHaveLength(1)
    expect((await cluster.zk.get('/feature'))!.data!.toString()).toBe('{"features":{},"version":2,"status":1}')
  })

  test('the controller dies, another takes over with the next epoch', async () => {
    cluster = await TestCluster.start([0, 1, 2])
    await cluster.createTopic('t', [[0, 1, 2], [1, 2, 0], [2, 0, 1]])
    await cluster.converged()
    await cluster.killBroker(cluster.active()!.id)
    await cluster.converged()
    expect((await cluster.zk.get('/controller_epoch'))!.data!.toString()).toBe('2')
    expect((await cluster.state('t', 0))!.isr).toHaveLength(2)
  })

  test('delete /controller, by hand, does no harm', async () => {
    cluster = await TestCluster.start([0, 1, 2])
    await cluster.createTopic('t', [[0, 1, 2]])
    await cluster.converged()
    await cluster.zk.remove('/controller', -1)
    await cluster.until(async () => (await cluster.zk.get('/controller_epoch'))!.data!.toString() === '2')
    await cluster.converged()
    expect([...cluster.nodes.values()].filter(({ controller }) => controller.isActive())).toHaveLength(1)
  })

  test('/controller that goes as soon as it is there does no harm', async () => {
    cluster = await TestCluster.start([0, 1])
    await cluster.converged()
    let removed = 0
    // Whoever hears that it is there looks for it when it has gone again.
    while (removed < 30) {
      await cluster.zk.remove('/controller', -1).then(() => removed++, () => {})
      await cluster.until(async () => (await cluster.zk.exists('/controller')) !== undefined)
    }
    await cluster.converged()
    // A deposed one may not have heard of it yet.
    await cluster.until(() => [...cluster.nodes.values()].filter(({ controller }) => controller.isActive()).length === 1, 'one controller')
  })

  test('the session of the controller expires: it registers anew under a new epoch', async () => {
    cluster = await TestCluster.start([0, 1, 2])
    await cluster.createTopic('t', [[0, 1, 2]])
    await cluster.converged()
    const { id, fake } = cluster.active()!
    const before = fake.epoch
    await cluster.expireSession(id)
    await cluster.until(() => fake.epoch > before, 'the new registration')
    await cluster.converged()
  })

  test('requests where it is not the controller are refused, each in its own way', async () => {
    cluster = await TestCluster.start([0])
    await cluster.converged()
    const { controller } = cluster.nodes.get(0)!
    await controller.stop()
    expect(
      await controller.createTopics(
        {
          timeoutMs: 1, validateOnly: false, topics: [
            { name: 'a', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] },
          ],
        }, 7,
      ),
    )
      .toEqual({ topics: [{ name: 'a', errorCode: ErrorCode.NOT_CONTROLLER }] })
    expect(
      await controller.controlledShutdown({ brokerId: 0, brokerEpoch: 1 }, 3),
    ).toEqual({ errorCode: ErrorCode.STALE_CONTROLLER_EPOCH })
    expect(
      await controller.alterPartition({ brokerId: 0, brokerEpoch: 1, topics: [] }, 3),
    ).toEqual({ errorCode: ErrorCode.NOT_CONTROLLER })
  })
})

test('a controller epoch that was set back or deleted by hand is raised above what partitions tell of', async () => {
  cluster = await TestCluster.start([0, 1, 2])
  await cluster.createTopic('t', [[0, 1, 2]])
  await cluster.converged()
  await cluster.zk.set('/controller_epoch', Buffer.from('40'), -1)
  await cluster.zk.remove('/controller', -1)
  await cluster.until(() => cluster.memory()?.controllerEpoch === 41)
  await cluster.converged()
  await cluster.zk.set('/brokers/topics/t/partitions/0/state', Buffer.from(JSON.stringify({
    controller_epoch: 50, leader: 1, version: 1, leader_epoch: 9, isr: [1, 2],
  })), -1)
  await cluster.zk.remove('/controller_epoch', -1)
  await cluster.zk.remove('/controller', -1)
  await cluster.until(() => (cluster.memory()?.controllerEpoch ?? 0) > 50 && cluster.memory()?.topics.length === 1)
  await cluster.converged()
  await cluster.zk.set('/controller_epoch', Buffer.from('nonsense'), -1)
  await cluster.zk.remove('/controller', -1)
  await cluster.until(() => (cluster.memory()?.controllerEpoch ?? 0) > 51)
  await cluster.converged()
})

test('a broker that could not take its part is told again until it can', async () => {
  cluster = await TestCluster.start([0, 1, 2], { controllers: [0] })
  cluster.fake(2).errors.set('t-0', ErrorCode.UNKNOWN_SERVER_ERROR)
  await cluster.createTopic('t', [[1, 2]])
  await cluster.until(() => cluster.fake(2).seen.some(({ api }) => api === 'LeaderAndIsr'))
  cluster.fake(2).errors.clear()
  await cluster.converged()
})

describe('topics', () => {
  test('by CreateTopics: config, topic, partitions and states; online everywhere', async () => {
    cluster = await TestCluster.start([0, 1, 2])
    const controller = await cluster.controller()
    const response = await controller.createTopics({
      timeoutMs: 1000, validateOnly: false,
      topics: [
        {
          name: 't', numPartitions: 4, replicationFactor: 3, assignments: [], configs: [{ name: 'retention.ms', value: '1000' }],
        },
        { name: 'bad/name', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] },
        { name: 'big', numPartitions: 1, replicationFactor: 4, assignments: [], configs: [] },
      ],
    }, 7)
    expect(response.topics).toMatchObject([
      { name: 't', numPartitions: 4, replicationFactor: 3 },
      { name: 'bad/name', errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION },
      {
        name: 'big', errorCode: ErrorCode.INVALID_REPLICATION_FACTOR,
        errorMessage: 'Replication factor: 4 larger than available brokers: 3.',
      },
    ])
    await cluster.converged()
    expect((await cluster.zk.get('/config/topics/t'))!.data!.toString()).toBe('{"version":1,"config":{"retention.ms":"1000"}}')
    const again = await controller.createTopics({
      timeoutMs: 1000, validateOnly: false, topics: [
        { name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] },
      ],
    }, 7)
    expect(again.topics).toMatchObject([{ errorCode: ErrorCode.TOPIC_ALREADY_EXISTS, errorMessage: "Topic 't' already exists." }])
  })

  test('by a hand-written znode, which gets a topic id', async () => {
    cluster = await TestCluster.start([0, 1, 2])
    await cluster.converged()
    await cluster.createByHand('h', { 0: [0, 1], 1: [1, 2] })
    await cluster.until(() => partitionIn(cluster.memory(), 'h', 1)?.state === 'OnlinePartition')
    await cluster.converged()
    expect(
      JSON.parse((await cluster.zk.get('/brokers/topics/h'))!.data!.toString()),
    ).toMatchObject({ version: 3, topic_id: expect.any(String) })
    await cluster.zk.set(
      '/brokers/topics/h', Buffer.from(JSON.stringify({ version: 1, partitions: { 0: [0, 1], 1: [1, 2], 2: [2, 0] } })), -1,
    )
    await cluster.until(() => partitionIn(cluster.memory(), 'h', 2)?.state === 'OnlinePartition')
    await cluster.converged()
  })

  test('a malformed znode harms only itself, is left alone, and can be repaired or deleted', async () => {
    cluster = await TestCluster.start([0, 1, 2])
    await cluster.converged()
    await cluster.zk.create('/brokers/topics/bad', Buffer.from('{"version":1,"partitions":[]'))
    await cluster.zk.create('/brokers/topics/worse', null)
    await cluster.createTopic('good', [[0, 1, 2]])
    await cluster.converged()
    expect(cluster.memory()!.malformedTopics.sort()).toEqual(['bad', 'worse'])
    await cluster.killBroker(cluster.active()!.id)
    await cluster.converged()
    expect(cluster.memory()!.malformedTopics.sort()).toEqual(['bad', 'worse'])
    const [live] = cluster.nodes.keys()
    await cluster.zk.set('/brokers/topics/bad', Buffer.from(JSON.stringify({ version: 1, partitions: { 0: [live] } })), -1)
    await cluster.until(() => partitionIn(cluster.memory(), 'bad', 0)?.state === 'OnlinePartition')
    await cluster.zk.create('/admin/delete_topics/worse', null)
    await cluster.until(async () => (await cluster.zk.exists('/brokers/topics/worse')) === undefined)
    await cluster.converged()
  })

  test('a topic that is deleted and created again behind our back is another topic (KIP-516)', async () => {
    cluster = await TestCluster.start([0, 1, 2])
    await cluster.createTopic('t', [[0, 1, 2]])
    await cluster.converged()
    const before = cluster.memory()!.topics[0]!.id
    await cluster.zk.multi([
      { type: 'remove', path: '/brokers/topics/t/partitions/0/state', version: -1 },
      { type: 'remove', path: '/brokers/topics/t/partitions/0', version: -1 },
      { type: 'remove', path: '/brokers/topics/t/partitions', version: -1 },
      { type: 'remove', path: '/brokers/topics/t', version: -1 },
      {
        type: 'create', path: '/brokers/topics/t', data: Buffer.from(
          JSON.stringify({ version: 1, partitions: { 0: [1, 2], 1: [2, 0] } }),
        ),
      },
    ])
    await cluster.until(
      () => cluster.memory()?.topics[0]?.id !== before && partitionIn(cluster.memory(), 't', 1)?.state === 'OnlinePartition',
    )
    await cluster.converged()
  })

  test('CreatePartitions keeps what others added meanwhile, and says Kafka\'s words', async () => {
    cluster = await TestCluster.start([0, 1, 2])
    await cluster.createTopic('t', [[0, 1, 2]])
    const controller = await cluster.controller()
    const grow = (count: number, assignments: { brokerIds: number[] }[] | null = null) =>
      controller.createPartitions({ timeoutMs: 1000, validateOnly: false, topics: [{ name: 't', count, assignments }] }, 3)
    expect((await grow(3)).results).toMatchObject([{ name: 't', errorCode: 0 }])
    await cluster.converged()
    expect((await grow(3)).results).toMatchObject(
      [{ errorCode: ErrorCode.INVALID_PARTITIONS, errorMessage: 'Topic already has 3 partitions.' }],
    )
    expect((await grow(2)).results).toMatchObject([
      { errorMessage: 'Topic currently has 3 partitions, which is higher than the requested 2.' },
    ])
    expect((await grow(4, [{ brokerIds: [7, 1, 2] }])).results).toMatchObject([
      { errorCode: ErrorCode.INVALID_REPLICA_ASSIGNMENT, errorMessage: 'Unknown broker(s) in replica assignment: 7.' },
    ])
    expect(partitionIn(cluster.memory(), 't', 2)!.replicas).toHaveLength(3)
  })

  test('no live replica: the topic waits in NewPartition until one starts', async () => {
    cluster = await TestCluster.start([0, 1])
    await cluster.converged()
    await cluster.createTopic('t', [[5, 6]])
    expect(partitionIn(cluster.memory(), 't', 0)!.state).toBe('NewPartition')
    await cluster.startBroker(6)
    await cluster.until(() => partitionIn(cluster.memory(), 't', 0)!.state === 'OnlinePartition')
    await cluster.converged()
    expect(await cluster.state('t', 0)).toMatchObject({ leader: 6, isr: [6] })
  })
})

describe('brokers', () => {
  test('a leader dies: the next in sync leads; it comes back as a follower', async () => {
    cluster = await TestCluster.start([0, 1, 2])
    await cluster.createTopic('t', [[1, 2, 0], [2, 0, 1]])
    await cluster.converged()
    await cluster.killBroker(1)
    await cluster.converged()
    expect(await cluster.state('t', 0)).toMatchObject({ leader: 2, isr: [2, 0], leaderEpoch: 1 })
    expect(await cluster.state('t', 1)).toMatchObject({ leader: 2, isr: [2, 0], leaderEpoch: 1 })
    await cluster.startBroker(1)
    await cluster.converged()
  })

  test('a fast bounce inside one watch gap is a failure and a start (KIP-380)', async () => {
    cluster = await TestCluster.start([0, 1, 2], { controllers: [0] })
    await cluster.createTopic('t', [[1, 2, 0]])
    await cluster.converged()
    const { keeper, fake } = cluster.nodes.get(1)!
    const registration = (await cluster.zk.get('/brokers/ids/1'))!.data
    fake.restart()
    await keeper.current.multi([
      { type: 'remove', path: '/brokers/ids/1', version: -1 }, {
        type: 'create', path: '/brokers/ids/1', data: registration, ephemeral: true,
      },
    ])
    fake.epoch = (await cluster.zk.get('/brokers/ids/1'))!.stat.czxid
    await cluster.until(() => cluster.memory()!.brokers.find(({ id }) => id === 1)?.epoch === fake.epoch)
    await cluster.converged()
    expect(await cluster.state('t', 0)).toMatchObject({ leader: 2, isr: [2, 0] })
  })

  test('the last in sync dies: no leader, its ISR stays, and it leads again when it is back', async () => {
    cluster = await TestCluster.start([0, 1], { controllers: [0] })
    await cluster.createTopic('t', [[1, 0]])
    await alterIsr('t', 0, [1])
    await cluster.killBroker(1)
    await cluster.until(async () => (await cluster.state('t', 0))!.leader === -1)
    expect(await cluster.state('t', 0)).toMatchObject({ leader: -1, isr: [1] })
    await cluster.startBroker(1)
    await cluster.until(async () => (await cluster.state('t', 0))!.leader === 1)
    await cluster.converged()
  })

  test('unclean election by the topic\'s configuration: RECOVERING', async () => {
    cluster = await TestCluster.start([0, 1], { controllers: [0] })
    await cluster.createTopic('t', [[1, 0]])
    await alterIsr('t', 0, [1])
    await cluster.zk.set('/config/topics/t', Buffer.from('{"version":1,"config":{"unclean.leader.election.enable":"true"}}'), -1)
    await cluster.killBroker(1)
    await cluster.until(async () => (await cluster.state('t', 0))!.leader === 0)
    expect(await cluster.state('t', 0)).toMatchObject({ leader: 0, isr: [0], leaderRecoveryState: 1 })
    await cluster.converged()
  })

  test('controlled shutdown moves leaderships before the end', async () => {
    cluster = await TestCluster.start([0, 1, 2], { controllers: [0] })
    await cluster.createTopic('t', [[1, 2, 0], [2, 1, 0], [1, 0, 2]])
    await cluster.createTopic('alone', [[1]])
    await cluster.converged()
    const controller = await cluster.controller()
    const epoch = cluster.fake(1).epoch
    // An earlier incarnation, nobody in particular, a later one.
    for (const other of [epoch - 1, -1, epoch + 1]) {
      expect(
        await controller.controlledShutdown({ brokerId: 1, brokerEpoch: other }, 3),
      ).toEqual({ errorCode: ErrorCode.STALE_BROKER_EPOCH })
    }
    expect(
      await controller.controlledShutdown({ brokerId: 9, brokerEpoch: 1 }, 3),
    ).toEqual({ errorCode: ErrorCode.BROKER_ID_NOT_REGISTERED })
    expect(await controller.controlledShutdown({ brokerId: 1, brokerEpoch: epoch }, 3)).toEqual({ remainingPartitions: [] })
    expect(await cluster.state('t', 0)).toMatchObject({ leader: 2, isr: [2, 0] })
    expect(await cluster.state('t', 1)).toMatchObject({ leader: 2, isr: [2, 0] })
    expect(await cluster.state('alone', 0)).toMatchObject({ leader: 1 })
    expect((await alterIsr('t', 0, [2, 0, 1])).topics![0]!.partitions![0]!.errorCode).toBe(ErrorCode.INELIGIBLE_REPLICA)
    await cluster.killBroker(1)
    await cluster.startBroker(1)
    await cluster.converged()
  })

  test('a hung broker misses nothing: it is told the newest when it answers again', async () => {
    cluster = await TestCluster.start([0, 1, 2], { controllers: [0] })
    await cluster.createTopic('t', [[0, 1, 2]])
    await cluster.converged()
    cluster.fake(2).hung = true
    for (let index = 0; index < 20; index++) await cluster.createTopic(`more-${index}`, [[0, 1, 2]])
    await alterIsr('t', 0, [0, 1])
    cluster.fake(2).resume()
    await cluster.converged()
  })

  test('a log directory fails: its replicas lead no more', async () => {
    cluster = await TestCluster.start([0, 1, 2], { controllers: [0] })
    await cluster.createTopic('t', [[1, 2], [1, 0]])
    await cluster.converged()
    cluster.fake(1).errors.set('t-0', ErrorCode.KAFKA_STORAGE_ERROR)
    await cluster.zk.create(
      '/log_dir_event_notification/log_dir_event_', Buffer.from('{"version":1,"broker":1,"event":1}'), { sequential: true },
    )
    await cluster.until(async () => (await cluster.state('t', 0))!.leader === 2)
    expect(await cluster.state('t', 0)).toMatchObject({ leader: 2, isr: [2] })
    expect(await cluster.state('t', 1)).toMatchObject({ leader: 1, isr: [1, 0] })
    await cluster.until(async () => (await cluster.zk.children('/log_dir_event_notification'))!.names.length === 0)
    expect(cluster.fake(0).metadata.get('t-0')!.offlineReplicas).toEqual([1])
  })
})

describe('AlterPartition', () => {
  beforeEach(async () => {
    cluster = await TestCluster.start([0, 1, 2], { controllers: [0] })
    await cluster.createTopic('t', [[1, 2, 0]])
    await cluster.converged()
  })

  test('shrinks and expands; the leader epoch stays, the partition epoch rises', async () => {
    const shrunk = await alterIsr('t', 0, [1, 2])
    expect(shrunk.topics![0]!.partitions![0]).toMatchObject({ leaderId: 1, leaderEpoch: 0, isr: [1, 2], partitionEpoch: 1 })
    const grown = await alterIsr('t', 0, [1, 2, 0])
    expect(grown.topics![0]!.partitions![0]).toMatchObject({ isr: [1, 2, 0], partitionEpoch: 2 })
    await cluster.converged()
  })

  test('a replica that was restarted since the leader saw it is refused (KIP-903)', async () => {
    await alterIsr('t', 0, [1, 2])
    const stale = await alterIsr('t', 0, [1, 2, 0], { epochs: [-1, -1, cluster.fake(0).epoch - 1] })
    expect(stale.topics![0]!.partitions![0]!.errorCode).toBe(ErrorCode.INELIGIBLE_REPLICA)
    const fresh = await alterIsr('t', 0, [1, 2, 0], { epochs: [-1, -1, cluster.fake(0).epoch] })
    expect(fresh.topics![0]!.partitions![0]).toMatchObject({ isr: [1, 2, 0] })
  })

  test('under a stale broker epoch, or of an unknown topic', async () => {
    const controller = await cluster.controller()
    expect(
      await controller.alterPartition({ brokerId: 1, brokerEpoch: 1, topics: [] }, 3),
    ).toEqual({ errorCode: ErrorCode.STALE_BROKER_EPOCH })
    const answer = await controller.alterPartition({
      brokerId: 1, brokerEpoch: cluster.fake(1).epoch,
      topics: [
        {
          topicName: '', topicId: 'AAAAAAAAAAAAAAAAAAAABA', partitions: [
            { partitionIndex: 0, leaderEpoch: 0, partitionEpoch: 0, leaderRecoveryState: 0, newIsr: [], newIsrWithEpochs: [] },
          ],
        },
      ],
    }, 3)
    expect(answer.topics![0]!.partitions![0]!.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_ID)
  })
})

describe('deletion', () => {
  test('removes znodes, configuration and logs', async () => {
    cluster = await TestCluster.start([0, 1, 2])
    await cluster.createTopic('t', [[0, 1, 2], [1, 2, 0]])
    await cluster.converged()
    const controller = await cluster.controller()
    expect(await controller.deleteTopics({ topicNames: ['t', 'none'], topics: [], timeoutMs: 1000 }, 5)).toMatchObject({
      responses: [{ name: 't', errorCode: 0 }, { name: 'none', errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }],
    })
    await cluster.until(async () => (await cluster.zk.exists('/brokers/topics/t')) === undefined)
    await cluster.converged()
    expect(await cluster.zk.exists('/config/topics/t')).toBeUndefined()
    expect(await cluster.zk.exists('/admin/delete_topics/t')).toBeUndefined()
    expect(await cluster.zk.exists('/prekraft')).toBeUndefined()
    for (const id of [0, 1, 2]) expect(cluster.fake(id).logs.size).toBe(0)
    await cluster.createTopic('t', [[0, 1, 2]])
    await cluster.converged()
  })

  test('does not wait for a dead broker, which deletes its old log before it hears of a new topic of that name', async () => {
    cluster = await TestCluster.start([0, 1, 2], { controllers: [0] })
    await cluster.createTopic('t', [[0, 1, 2], [1, 2, 0]])
    await cluster.converged()
    const oldId = cluster.memory()!.topics[0]!.id!
    await cluster.killBroker(2)
    await cluster.converged()
    await cluster.zk.create('/admin/delete_topics/t', null)
    await cluster.until(async () => (await cluster.zk.exists('/admin/delete_topics/t')) === undefined)
    expect(JSON.parse((await cluster.zk.get(`/prekraft/deletions/${oldId}`))!.data!.toString())).toEqual({
      version: 1, topic: 't', partitions: [0, 1], brokers: [2],
    })
    await cluster.createTopic('t', [[2, 0, 1]])
    expect(await cluster.state('t', 0)).toMatchObject({ leader: 0, isr: [0, 1] })
    expect(cluster.fake(2).logs.get('t-0')).toBe(oldId)
    cluster.fake(2).loseStopReplies = 2
    await cluster.startBroker(2)
    await cluster.until(async () => (await cluster.zk.exists('/prekraft')) === undefined)
    await cluster.converged()
    expect(cluster.fake(2).logs.get('t-0')).toBe(cluster.memory()!.topics[0]!.id)
    const [first] = cluster.fake(2).seen.filter(({ api }) => api !== 'UpdateMetadata')
    expect(cluster.fake(2).seen.filter(({ api }) => api === 'StopReplica').length).toBeGreaterThan(0)
    expect(first).toBeDefined()
  })

  test('a broker that dies while it deletes owes it; a new controller goes on', async () => {
    cluster = await TestCluster.start([0, 1, 2])
    await cluster.createTopic('t', [[0, 1, 2]])
    await cluster.converged()
    const first = cluster.active()!.id
    const victim = [0, 1, 2].find((id) => id !== first)!
    cluster.fake(victim).hung = true
    await (await cluster.controller()).deleteTopics({ topicNames: ['t'], topics: [], timeoutMs: 1000 }, 5)
    await cluster.killBroker(first)
    await cluster.until(
      async () => cluster.active() !== undefined && (await cluster.zk.exists('/brokers/topics/t/partitions')) !== undefined,
    )
    await cluster.killBroker(victim)
    await cluster.until(async () => (await cluster.zk.exists('/admin/delete_topics/t')) === undefined)
    cluster.fake(victim).resume()
    await cluster.startBroker(victim)
    await cluster.startBroker(first)
    await cluster.until(async () => (await cluster.zk.exists('/prekraft')) === undefined)
    await cluster.converged()
    expect(cluster.fake(victim).logs.size).toBe(0)
  })

  test('is refused where delete.topic.enable is false, and markers go', async () => {
    cluster = await TestCluster.start([0], { config: { deleteTopicEnable: false } })
    await cluster.createTopic('t', [[0]])
    const controller = await cluster.controller()
    expect(
      await controller.deleteTopics({ topicNames: ['t'], topics: [], timeoutMs: 1000 }, 5),
    ).toMatchObject({ responses: [{ errorCode: ErrorCode.TOPIC_DELETION_DISABLED }] })
    await cluster.zk.create('/admin/delete_topics/t', null)
    await cluster.until(async () => (await cluster.zk.exists('/admin/delete_topics/t')) === undefined)
    await cluster.converged()
  })
})

describe('reassignment (KIP-455)', () => {
  const ask = async (
    topic: string, index: number, replicas: number[] | null
  ) => (await cluster.controller()).alterPartitionReassignments({
    timeoutMs: 1000, topics: [{ name: topic, partitions: [{ partitionIndex: index, replicas }] }],
  })

  beforeEach(async () => {
    cluster = await TestCluster.start([0, 1, 2, 3], { controllers: [0] })
    await cluster.createTopic('t', [[0, 1]])
    await cluster.converged()
  })

  test('adds, waits for the ISR, moves the leader, removes, and leaves the znode as at rest', async () => {
    expect((await ask('t', 0, [2, 3])).responses![0]!.partitions![0]).toMatchObject({ partitionIndex: 0, errorMessage: null })
    expect(JSON.parse((await cluster.zk.get('/brokers/topics/t'))!.data!.toString())).toMatchObject({
      partitions: { 0: [2, 3, 0, 1] }, adding_replicas: { 0: [2, 3] }, removing_replicas: { 0: [0, 1] },
    })
    expect(await (await cluster.controller()).listPartitionReassignments({ timeoutMs: 1, topics: null })).toMatchObject({
      topics: [{ name: 't', partitions: [{ replicas: [2, 3, 0, 1], addingReplicas: [2, 3], removingReplicas: [0, 1] }] }],
    })
    await cluster.until(() => cluster.fake(3).replicas.has('t-0'))
    await alterIsr('t', 0, [0, 1, 2, 3])
    await cluster.until(() => partitionIn(cluster.memory(), 't', 0)!.replicas.length === 2)
    await cluster.converged()
    expect(await cluster.state('t', 0)).toMatchObject({ leader: 2, isr: [2, 3] })
    expect(JSON.parse((await cluster.zk.get('/brokers/topics/t'))!.data!.toString())).toMatchObject({
      partitions: { 0: [2, 3] }, adding_replicas: {}, removing_replicas: {},
    })
    await cluster.until(() => !cluster.fake(0).logs.has('t-0') && !cluster.fake(1).logs.has('t-0'))
  })

  test('is cancelled: the new replicas go, the old stay', async () => {
    await ask('t', 0, [2, 3])
    expect((await ask('t', 0, null)).responses![0]!.partitions![0]).toMatchObject({ errorMessage: null })
    await cluster.converged()
    expect(partitionIn(cluster.memory(), 't', 0)).toMatchObject({ replicas: [0, 1], adding: [], removing: [] })
    await cluster.until(() => !cluster.fake(2).logs.has('t-0') && !cluster.fake(3).logs.has('t-0'))
    expect(
      (await ask('t', 0, null)).responses![0]!.partitions![0],
    ).toMatchObject({ errorCode: ErrorCode.NO_REASSIGNMENT_IN_PROGRESS })
  })

  test('gives the preferred leader back when it is cancelled, though the znode had lost the order', async () => {
    await cluster.createTopic('u', [[0, 1, 2]])
    await ask('u', 0, [2, 3, 1])
    expect(partitionIn(cluster.memory(), 'u', 0)!.replicas).toEqual([2, 3, 1, 0])
    await ask('u', 0, null)
    await cluster.converged()
    expect(partitionIn(cluster.memory(), 'u', 0)).toMatchObject({ replicas: [0, 1, 2], adding: [], removing: [] })
  })

  test('survives a change of controller', async () => {
    await ask('t', 0, [2, 3])
    await cluster.startBroker(4)
    await cluster.killBroker(0)
    cluster.nodes.get(4)!.controller.start()
    await cluster.until(() => cluster.active()?.id === 4 && cluster.memory()?.topics.length === 1)
    await cluster.until(async () => (await cluster.state('t', 0))!.leader === 1)
    await cluster.until(() => cluster.fake(3).replicas.get('t-0')?.leader === 1)
    await alterIsr('t', 0, [1, 2, 3])
    await cluster.until(() => partitionIn(cluster.memory(), 't', 0)!.replicas.length === 2)
    await cluster.converged()
  })

  test('is refused to dead, repeated, negative and no brokers', async () => {
    for (const replicas of [[7], [1, 1], [-1], []]) {
      expect((await ask('t', 0, replicas)).responses![0]!.partitions![0]!.errorCode).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT)
    }
    expect((await ask('x', 0, [1])).responses![0]!.partitions![0]!.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  })

  test('through /admin/reassign_partitions, which goes when all is done', async () => {
    await cluster.zk.create('/admin/reassign_partitions', Buffer.from(JSON.stringify({
      version: 1, partitions: [{ topic: 't', partition: 0, replicas: [1, 2] }, { topic: 'none', partition: 0, replicas: [1] }],
    })))
    await cluster.until(() => cluster.fake(2).replicas.has('t-0'))
    await alterIsr('t', 0, [0, 1, 2])
    await cluster.until(async () => (await cluster.zk.exists('/admin/reassign_partitions')) === undefined)
    await cluster.converged()
    expect(partitionIn(cluster.memory(), 't', 0)!.replicas).toEqual([1, 2])
    await cluster.zk.create('/admin/reassign_partitions', Buffer.from('nonsense'))
    await cluster.until(async () => (await cluster.zk.exists('/admin/reassign_partitions')) === undefined)
  })
})

describe('elections', () => {
  test('preferred by ElectLeaders, only where it is needed and possible', async () => {
    cluster = await TestCluster.start([0, 1, 2], { controllers: [0] })
    await cluster.createTopic('t', [[1, 2, 0], [2, 0, 1]])
    await cluster.converged()
    await cluster.killBroker(1)
    await cluster.converged()
    await cluster.startBroker(1)
    await cluster.converged()
    const controller = await cluster.controller()
    const elect = (partitions: number[]) => controller.electLeaders(
      { electionType: 0, timeoutMs: 1000, topicPartitions: [{ topic: 't', partitions }] }, 2,
    )
    expect(
      (await elect([0])).replicaElectionResults![0]!.partitionResult,
    ).toMatchObject([{ errorCode: ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE }])
    await alterIsr('t', 0, [2, 0, 1])
    expect((await elect([0, 1, 9])).replicaElectionResults![0]!.partitionResult).toMatchObject([
      { partitionId: 0, errorCode: 0 }, { partitionId: 1, errorCode: ErrorCode.ELECTION_NOT_NEEDED },
      { partitionId: 9, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
    ])
    await cluster.converged()
    expect((await cluster.state('t', 0))!.leader).toBe(1)
  })

  test('unclean by ElectLeaders where no replica in sync lives', async () => {
    cluster = await TestCluster.start([0, 1], { controllers: [0] })
    await cluster.createTopic('t', [[1, 0]])
    await alterIsr('t', 0, [1])
    await cluster.killBroker(1)
    await cluster.until(async () => (await cluster.state('t', 0))!.leader === -1)
    const answer = await (await cluster.controller()).electLeaders({ electionType: 1, timeoutMs: 1000, topicPartitions: null }, 2)
    expect(answer.replicaElectionResults).toMatchObject([{ topic: 't', partitionResult: [{ partitionId: 0, errorCode: 0 }] }])
    expect(await cluster.state('t', 0)).toMatchObject({ leader: 0, isr: [0], leaderRecoveryState: 1 })
  })

  test('preferred through /admin/preferred_replica_election', async () => {
    cluster = await TestCluster.start([0, 1], { controllers: [0] })
    await cluster.createTopic('t', [[1, 0]])
    await cluster.killBroker(1)
    await cluster.startBroker(1)
    await cluster.converged()
    await alterIsr('t', 0, [0, 1])
    await cluster.zk.create(
      '/admin/preferred_replica_election', Buffer.from('{"version":1,"partitions":[{"topic":"t","partition":0}]}'),
    )
    await cluster.until(async () => (await cluster.state('t', 0))!.leader === 1)
    await cluster.until(async () => (await cluster.zk.exists('/admin/preferred_replica_election')) === undefined)
  })
})

test('producer ids: a thousand at a time, never twice', async () => {
  cluster = await TestCluster.start([0, 1])
  const controller = await cluster.controller()
  await cluster.converged()
  const allocate = (brokerId: number) => controller.allocateProducerIds({ brokerId, brokerEpoch: cluster.fake(brokerId).epoch })
  expect(await allocate(0)).toEqual({ producerIdStart: 0, producerIdLen: 1000 })
  expect(await allocate(1)).toEqual({ producerIdStart: 1000, producerIdLen: 1000 })
  expect(
    await controller.allocateProducerIds({ brokerId: 1, brokerEpoch: 1 }),
  ).toEqual({ errorCode: ErrorCode.STALE_BROKER_EPOCH })
})

test('old peers: with inter.broker.protocol.version 2.1 requests are flat and topics have no ids', async () => {
  cluster = await TestCluster.start([0, 1], { ibp: '2.1', controllers: [0] })
  await cluster.createTopic('t', [[1, 0]])
  await cluster.converged()
  expect(JSON.parse((await cluster.zk.get('/brokers/topics/t'))!.data!.toString()).topic_id).toBeUndefined()
  expect(
    cluster.fake(1).seen.map(({ api, version }) => `${api} ${version}`),
  ).toEqual(expect.arrayContaining(['LeaderAndIsr 1', 'UpdateMetadata 4']))
  await cluster.zk.set(
    '/brokers/topics/t/partitions/0/state', Buffer.from(
      '{"controller_epoch":1,"leader":1,"version":1,"leader_epoch":0,"isr":[1]}',
    ), 0,
  )
  await cluster.zk.create(
    '/isr_change_notification/isr_change_', Buffer.from(
      '{"version":1,"partitions":[{"topic":"t","partition":0}]}',
    ), { sequential: true },
  )
  await cluster.until(() => cluster.fake(0).metadata.get('t-0')?.isr.length === 1)
  await cluster.until(async () => (await cluster.zk.children('/isr_change_notification'))!.names.length === 0)
})

test('leaders of before 2.7 change the ISR themselves: a watch of the state ends the reassignment', async () => {
  cluster = await TestCluster.start([0, 1, 2], { ibp: '2.6', controllers: [0] })
  await cluster.createTopic('t', [[0, 1]])
  const controller = await cluster.controller()
  await controller.alterPartitionReassignments({ timeoutMs: 1, topics: [{ name: 't', partitions: [{ partitionIndex: 0, replicas: [2, 1] }] }] })
  await cluster.until(() => cluster.fake(2).replicas.has('t-0'))
  const { leaderEpoch, version } = (await cluster.state('t', 0))!
  const state = { controller_epoch: 1, leader: 0, version: 1, leader_epoch: leaderEpoch, isr: [0, 1, 2] }
  await cluster.zk.set('/brokers/topics/t/partitions/0/state', Buffer.from(JSON.stringify(state)), version)
  await cluster.until(() => partitionIn(cluster.memory(), 't', 0)!.replicas.length === 2)
  await cluster.converged()
  expect(await cluster.state('t', 0)).toMatchObject({ leader: 2, isr: [1, 2] })
})

test('reconciling repairs what was changed or deleted behind our back', async () => {
  cluster = await TestCluster.start([0, 1, 2], { controllers: [0] })
  await cluster.createTopic('t', [[1, 2, 0], [2, 1, 0]])
  await cluster.converged()
  await cluster.zk.set(
    '/brokers/topics/t/partitions/0/state', Buffer.from(
      '{"controller_epoch":1,"leader":2,"version":1,"leader_epoch":5,"isr":[2]}',
    ), 0,
  )
  await cluster.zk.remove('/brokers/topics/t/partitions/1/state', -1)
  ;(await cluster.controller()).reconcile()
  await cluster.until(async () => (await cluster.differences()).length === 0 && (await cluster.state('t', 1)) !== undefined)
  expect(await cluster.state('t', 0)).toMatchObject({ leader: 2, isr: [2] })
  expect(await cluster.state('t', 1)).toMatchObject({ leader: 2, leaderEpoch: 1 })
})

test('others hear that a broker died which has replicas of topics being deleted only', async () => {
  cluster = await TestCluster.start([0, 1, 2], { controllers: [0] })
  await cluster.createTopic('t', [[2]])
  await cluster.converged()
  cluster.fake(2).hung = true
  const t = { name: 't', topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }
  await (await cluster.controller()).deleteTopics({ topics: [t], topicNames: [], timeoutMs: 1000 }, 6)
  await cluster.killBroker(2)
  await cluster.until(() => cluster.memory()!.topics.length === 0)
  await cluster.until(() => String(cluster.fake(1).brokers) === '0,1')
})

test('a leader of before 2.7 widens the ISR, and dies before the controller hears of it', async () => {
  cluster = await TestCluster.start([0, 1, 2], { ibp: '2.6', controllers: [0] })
  await cluster.createTopic('t', [[1, 2]])
  await cluster.converged()
  const write = async (isr: number[]): Promise<void> => {
    const { controllerEpoch, leader, leaderEpoch, version } = (await cluster.state('t', 0))!
    const state = { controllerEpoch, leader, leaderEpoch, isr, leaderRecoveryState: 0 as const }
    await cluster.zk.set(partitionStatePath('t', 0), encodePartitionState(state), version)
  }
  await write([1])
  const changed = Buffer.from('{"version":1,"partitions":[{"topic":"t","partition":0}]}')
  await cluster.zk.create('/isr_change_notification/isr_change_', changed, { sequential: true })
  await cluster.until(() => String(cluster.memory()!.topics[0]!.partitions[0]!.leadership!.isr) === '1')
  await write([1, 2])
  await cluster.killBroker(1)
  await cluster.until(async () => (await cluster.state('t', 0))!.leader === 2)
  expect(await cluster.state('t', 0)).toMatchObject({ leader: 2, isr: [2] })
})

test('a request for more partitions than may be planned in one go is refused from there on', async () => {
  cluster = await TestCluster.start([0], { controllers: [0] })
  const topic = { numPartitions: 15_000, replicationFactor: 1, configs: [], assignments: [] }
  const answer = await (await cluster.controller()).createTopics({
    timeoutMs: 5000, validateOnly: true, topics: ['a', 'b', 'c'].map((name) => ({ ...topic, name })),
  }, 7)
  expect(answer.topics!.map(({ errorCode }) => errorCode ?? ErrorCode.NONE)).toEqual([ErrorCode.NONE, ErrorCode.NONE, ErrorCode.POLICY_VIOLATION])
})
