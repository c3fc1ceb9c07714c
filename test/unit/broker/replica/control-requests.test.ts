import { ErrorCode } from '../../../../protocol/errors'
import { decode, encode, type Input } from '../../../../protocol/messages/codec'
import { stopReplicaRequest, type StopReplicaRequest } from '../../../../protocol/messages/stop-replica'
import { World } from '../../../simulation/world/world'
import {
  brokers, leaderAndIsr, TOPIC, TOPIC_ID, updateMetadata, type BrokerSetup, type Claim, type StateInput, type TestBroker,
} from './support/brokers'

const { NONE, STALE_BROKER_EPOCH, STALE_CONTROLLER_EPOCH } = ErrorCode

function setUp(setup: BrokerSetup = {}): { world: World; broker: TestBroker; other: TestBroker } {
  const world = new World(5)
  const [broker, other] = brokers(world, 2, setup) as [TestBroker, TestBroker]
  return { world, broker, other }
}

/** Everything that a control request could change. */
function stateOf(broker: TestBroker): unknown {
  const partition = broker.replicas.partition(TOPIC, 0)
  return {
    partition: partition && { role: partition.role, leaderEpoch: partition.leaderEpoch, isr: partition.isr.committed },
    logs: [...broker.logs.logs.keys()],
    deleted: broker.logs.deleted,
    brokers: [...broker.metadata.allBrokers()].map((each) => each.id),
    updates: broker.metadata.updateCount,
  }
}

function stop(
  broker: TestBroker,
  each: { leaderEpoch?: number; isDelete?: boolean; partition?: number },
  claim: Claim = {},
  version = 4,
) {
  const { leaderEpoch = -1, isDelete = true, partition = 0 } = each
  const partitionStates = [{ partitionIndex: partition, leaderEpoch, deletePartition: isDelete }]
  const request: Input<StopReplicaRequest> = {
    controllerId: 1,
    controllerEpoch: 1,
    brokerEpoch: broker.epoch,
    ...claim,
    ...(version >= 3
      ? { topicStates: [{ topicName: TOPIC, partitionStates }] }
      : version >= 1
        ? { deletePartitions: isDelete, topics: [{ name: TOPIC, partitionIndexes: [partition] }] }
        : { deletePartitions: isDelete, ungroupedPartitions: [{ topicName: TOPIC, partitionIndex: partition }] }),
  }
  return broker.replicas.stopReplica(decode(stopReplicaRequest, version, encode(stopReplicaRequest, version, request)), version)
}

describe('belief (broker.md §5)', () => {
  const forged: [string, Claim, number][] = [
    ['without a broker epoch', { brokerEpoch: -1 }, STALE_BROKER_EPOCH],
    ['for an earlier life of the broker', { brokerEpoch: 100 }, STALE_BROKER_EPOCH],
    ['for a life that does not come', { brokerEpoch: 999 }, STALE_BROKER_EPOCH],
    ['of an older controller', { controllerEpoch: 0 }, STALE_CONTROLLER_EPOCH],
    ['of a controller that ZooKeeper does not know', { controllerEpoch: 2 ** 31 - 1 }, STALE_CONTROLLER_EPOCH],
    ['of another broker in the controller’s epoch', { controllerId: 2 }, STALE_CONTROLLER_EPOCH],
  ]

  test.each(forged)('a request %s changes nothing', async (_, claim, errorCode) => {
    const { world, broker } = setUp()
    broker.confirm = async (id, epoch) => id === 1 && epoch === 1
    await world.settle(broker.updateMetadata([1, 2]), 1000, 'metadata')
    await world.settle(broker.leaderAndIsr({ leader: 1, leaderEpoch: 3, replicas: [1, 2], isr: [1, 2] }), 1000, 'LeaderAndIsr')
    const before = stateOf(broker)
    const answers = [
      await world.settle(broker.leaderAndIsr({ leader: 2, leaderEpoch: 9, replicas: [1, 2] }, claim), 60_000, 'LeaderAndIsr'),
      await world.settle(stop(broker, { leaderEpoch: -2 }, claim), 60_000, 'StopReplica'),
      await world.settle(broker.updateMetadata([2], claim), 60_000, 'UpdateMetadata'),
    ]
    expect(answers.map((answer) => answer.errorCode)).toEqual([errorCode, errorCode, errorCode])
    expect(stateOf(broker)).toEqual(before)
    // Nor is the real controller locked out.
    expect((await world.settle(broker.updateMetadata([1]), 1000, 'metadata')).errorCode).toBe(NONE)
    expect(broker.metadata.hasAliveBroker(2)).toBe(false)
  })

  test('asks ZooKeeper once per controller', async () => {
    const { world, broker } = setUp()
    let asked = 0
    broker.confirm = async () => ++asked > 0
    for (let i = 0; i < 3; i++) await world.settle(broker.updateMetadata([1]), 1000, 'metadata')
    expect(asked).toBe(1)
    await world.settle(broker.updateMetadata([1], { controllerId: 2, controllerEpoch: 2 }), 1000, 'metadata')
    expect(asked).toBe(2)
    const old = await world.settle(broker.updateMetadata([1, 2]), 1000, 'metadata')
    expect(old.errorCode).toBe(STALE_CONTROLLER_EPOCH)
    expect(asked).toBe(2)
  })

  test('holds a request while ZooKeeper does not answer, and lets others pass', async () => {
    const { world, broker } = setUp()
    await world.settle(broker.updateMetadata([1]), 1000, 'metadata')
    let isUp = false
    broker.confirm = async (_, epoch) => {
      if (!isUp) throw new Error('connection loss')
      return epoch === 2
    }
    let answer: number | undefined
    void broker.updateMetadata([1, 2], { controllerId: 2, controllerEpoch: 2 }).then(({ errorCode }) => (answer = errorCode))
    await world.run(1000)
    expect(answer).toBeUndefined()
    expect((await world.settle(broker.updateMetadata([1]), 100, 'the known controller')).errorCode).toBe(NONE)
    isUp = true
    await world.runUntil(() => answer !== undefined, 1000, 'the answer')
    expect(answer).toBe(NONE)
    expect(broker.metadata.controllerId).toBe(2)
  })

  test('a request for the life that is just beginning waits for it', async () => {
    let registered: () => void = () => {}
    const registration = new Promise<void>((resolve) => (registered = resolve))
    const { world, broker } = setUp({ options: { awaitBrokerEpoch: () => registration } })
    let answer: number | undefined
    void broker.updateMetadata([1], { brokerEpoch: 500 }).then(({ errorCode }) => (answer = errorCode))
    await world.run(100)
    expect(answer).toBeUndefined()
    broker.epoch = 500
    registered()
    await world.run(1)
    expect(answer).toBe(NONE)
  })

  test('before IBP 2.2 there are no broker epochs', async () => {
    const { world, broker } = setUp({ protocol: { brokerEpochs: false } })
    const answer = await world.settle(broker.updateMetadata([1], { brokerEpoch: -1 }), 1000, 'metadata')
    expect(answer.errorCode).toBe(NONE)
  })

  test('before IBP 2.2 a request waits for a registration under way: the leader it tells leads on under the new epoch', async () => {
    let registration = Promise.resolve()
    const { world, broker } = setUp({
      protocol: { brokerEpochs: false },
      options: { awaitBrokerEpoch: async (epoch) => (epoch > broker.epoch ? registration : undefined) },
    })
    const tell = () => broker.leaderAndIsr({ leader: 1, leaderEpoch: 0, replicas: [1], isr: [1] }, { brokerEpoch: -1 }, 1)
    const produce = async (): Promise<number> => (await world.settle(broker.produce('a', { acks: 1 }), 3000, 'the answer')).errorCode
    await world.settle(tell(), 1000, 'LeaderAndIsr')
    expect(await produce()).toBe(NONE)
    // The controller sees the new znode before this broker hears that it is there.
    let registered: () => void = () => {}
    registration = new Promise<void>((resolve) => (registered = resolve))
    const told = tell()
    await world.run(100)
    broker.epoch = 500
    registered()
    await world.settle(told, 1000, 'LeaderAndIsr')
    expect(await produce()).toBe(NONE)
  })

  test('a request that waited for ZooKeeper is refused if a newer controller came meanwhile', async () => {
    const { world, broker } = setUp()
    const answers = new Map<number, (is: boolean) => void>()
    broker.confirm = (_, epoch) => new Promise((resolve) => answers.set(epoch, resolve))
    const old = broker.updateMetadata([1, 2], { controllerEpoch: 2 })
    const young = broker.updateMetadata([1], { controllerEpoch: 3 })
    await world.run(1)
    answers.get(3)!(true)
    expect((await world.settle(young, 100, 'the younger')).errorCode).toBe(NONE)
    answers.get(2)!(true)
    expect((await world.settle(old, 100, 'the older')).errorCode).toBe(STALE_CONTROLLER_EPOCH)
    expect(broker.metadata.hasAliveBroker(2)).toBe(false)
  })
})

describe('LeaderAndIsr', () => {
  async function apply(world: World, broker: TestBroker, state: StateInput, version = 7): Promise<number> {
    const sent = broker.leaderAndIsr({ replicas: [1, 2], isr: [1, 2], ...state }, {}, version)
    const answer = await world.settle(sent, 1000, 'LeaderAndIsr')
    expect(answer.errorCode).toBe(NONE)
    return version < 5 ? answer.partitionErrors![0]!.errorCode! : answer.topics![0]!.partitionErrors![0]!.errorCode!
  }

  async function ready(setup: BrokerSetup = {}) {
    const found = setUp(setup)
    await found.world.settle(found.broker.updateMetadata([1, 2]), 1000, 'metadata')
    return found
  }

  test.each([0, 1, 2, 3, 4, 5, 6, 7])('version %i', async (version) => {
    const { world, broker } = await ready({ protocol: { brokerEpochs: version >= 2 } })
    expect(await apply(world, broker, { leader: 1, leaderEpoch: 3 }, version)).toBe(NONE)
    expect(broker.partition()).toMatchObject({ isLeader: true, leaderEpoch: 3, topicId: version >= 5 ? TOPIC_ID : undefined })
    expect(broker.log().epochs).toEqual([{ epoch: 3, start: 0 }])
  })

  test.each([
    // [what, state, error, leader epoch then, partition epoch then]
    ['an older leader epoch', { leader: 2, leaderEpoch: 2, partitionEpoch: 99 }, STALE_CONTROLLER_EPOCH, 3, 5],
    ['an older partition epoch', { leader: 1, leaderEpoch: 3, partitionEpoch: 4 }, STALE_CONTROLLER_EPOCH, 3, 5],
    ['the same again', { leader: 1, leaderEpoch: 3, partitionEpoch: 5 }, NONE, 3, 5],
    ['a newer partition epoch', { leader: 1, leaderEpoch: 3, partitionEpoch: 6 }, NONE, 3, 6],
    ['a newer leader epoch', { leader: 2, leaderEpoch: 4, partitionEpoch: 6 }, NONE, 4, 6],
    ['replicas without this one', { leader: 2, leaderEpoch: 4, replicas: [2, 3] }, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 3, 5],
    ['another topic id', { leader: 2, leaderEpoch: 4, topicId: 'AAAAAAAAAAAAAAAAAAAAAw' }, ErrorCode.INCONSISTENT_TOPIC_ID, 3, 5],
  ])('%s', async (_, state, errorCode, leaderEpoch, partitionEpoch) => {
    const { world, broker } = await ready()
    await apply(world, broker, { leader: 1, leaderEpoch: 3, partitionEpoch: 5 })
    expect(await apply(world, broker, state)).toBe(errorCode)
    expect(broker.partition()).toMatchObject({ leaderEpoch, partitionEpoch })
  })

  test('a state whose first application failed is applied when it is sent again (KAFKA-9307), an older one is not', async () => {
    const { world, broker } = await ready({ dirs: ['/d1', '/d2'] })
    broker.logs.offline.add('/d2')
    expect(await apply(world, broker, { leader: 1, leaderEpoch: 3 })).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    expect(broker.partition().role).toBe('none')
    broker.logs.offline.clear()
    expect(await apply(world, broker, { leader: 2, leaderEpoch: 2 })).toBe(STALE_CONTROLLER_EPOCH)
    expect(await apply(world, broker, { leader: 1, leaderEpoch: 3 })).toBe(NONE)
    expect(broker.partition()).toMatchObject({ isLeader: true, leaderEpoch: 3 })
  })

  test('a coordinator hears of an epoch again when it is sent again', async () => {
    const heard: string[] = []
    const { world, broker } = await ready({
      options: {
        onLeadershipChange: (leaders, followers) => {
          const epochsOf = (list: typeof leaders): string => list.map((each) => each.leaderEpoch).join()
          heard.push(`${epochsOf(leaders)}|${epochsOf(followers)}`)
        },
      },
    })
    await apply(world, broker, { leader: 1, leaderEpoch: 3 })
    await apply(world, broker, { leader: 1, leaderEpoch: 3 })
    await apply(world, broker, { leader: 2, leaderEpoch: 4 })
    await apply(world, broker, { leader: 1, leaderEpoch: 1 })
    expect(heard).toEqual(['3|', '3|', '|4', '|'])
  })

  test('a follower whose leader is not in the metadata cache fetches as soon as it is (known-problems 3.13)', async () => {
    const { world, broker, other } = setUp()
    await world.settle(other.updateMetadata([1, 2]), 1000, 'metadata')
    await apply(world, other, { leader: 2, leaderEpoch: 1 })
    await world.settle(other.produce('a', { acks: 1 }), 100, 'the answer')
    expect(await apply(world, broker, { leader: 2, leaderEpoch: 1 })).toBe(NONE)
    expect(broker.partition()).toMatchObject({ role: 'follower', leaderEpoch: 1 })
    await world.run(2000)
    expect(broker.log().endOffset).toBe(0)
    await world.settle(broker.updateMetadata([1, 2]), 1000, 'metadata')
    await world.runUntil(() => broker.log().endOffset === 1, 1000, 'the copy')
  })

  test('a broker that is leaving goes on with what it is in sync with, and follows nothing else', async () => {
    const { world, broker, other } = setUp()
    await world.settle(broker.updateMetadata([1, 2]), 1000, 'metadata')
    await world.settle(other.updateMetadata([1, 2]), 1000, 'metadata')
    const follow = async (leaderEpoch: number, isr: number[]): Promise<void> => {
      await apply(world, other, { leader: 2, leaderEpoch, isr })
      expect(await apply(world, broker, { leader: 2, leaderEpoch, isr })).toBe(NONE)
    }
    await follow(1, [1, 2])
    await world.settle(other.produce('a', { acks: 1 }), 100, 'the answer')
    broker.replicas.leave()
    await world.runUntil(() => broker.log().endOffset === 1, 1000, 'the copy')
    await follow(2, [2])
    await world.settle(other.produce('b', { acks: 1 }), 100, 'the answer')
    await world.run(2000)
    expect(broker.log().endOffset).toBe(1)
    await follow(3, [1, 2])
    await world.runUntil(() => broker.log().endOffset === 2, 1000, 'the copy')
  })

  test('a replica on a failed directory answers KAFKA_STORAGE_ERROR', async () => {
    const failed: string[] = []
    const { world, broker } = await ready({ dirs: ['/d1', '/d2'], options: { onLogDirFailure: (dir) => void failed.push(dir) } })
    await apply(world, broker, { leader: 1, leaderEpoch: 3, isNew: true })
    broker.logs.fail('/d1')
    expect(failed).toEqual(['/d1'])
    expect(broker.replicas.partition(TOPIC, 0)).toBeUndefined()
    expect(await apply(world, broker, { leader: 1, leaderEpoch: 4 })).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    const described = broker.replicas.describeLogDirs(undefined)
    const found = described.map((each) => [each.logDir, each.errorCode])
    expect(found).toEqual([['/d1', ErrorCode.KAFKA_STORAGE_ERROR], ['/d2', NONE]])
  })

  test('a topic id that came later is given to the log', async () => {
    const { world, broker } = await ready()
    await apply(world, broker, { leader: 1, leaderEpoch: 3 }, 4)
    expect(broker.log().topicId).toBeUndefined()
    expect(await apply(world, broker, { leader: 1, leaderEpoch: 3 }, 7)).toBe(NONE)
    expect(broker.log().topicId).toBe(TOPIC_ID)
  })

  test.each([
    ['a new leader', { leader: 1, leaderEpoch: 1 }],
    ['again the leader that another one told with the id', { leader: 2, leaderEpoch: 2 }],
  ])('a follower asks without the id of its log when a controller of before topic ids tells it %s, who knows none', async (_, before) => {
    const { world, broker, other } = setUp()
    await world.settle(broker.updateMetadata([1, 2]), 1000, 'metadata')
    // Started under that controller: nobody has told it an id.
    const brokersOnly = updateMetadata(other.epoch, [1, 2])
    await world.settle(other.replicas.updateMetadata(brokersOnly, 6), 1000, 'metadata')
    await apply(world, other, { leader: 2, leaderEpoch: 2 }, 4)
    await world.settle(other.produce('a', { acks: 1 }), 100, 'the answer')
    await apply(world, broker, before, 7)
    expect(await apply(world, broker, { leader: 2, leaderEpoch: 2 }, 4)).toBe(NONE)
    await world.runUntil(() => broker.log().endOffset === 1, 5000, 'the copy')
    expect(broker.log().topicId).toBe(TOPIC_ID)
  })

  test('a new log is made ready before; not one that is there, or of others, or of a request that is refused', async () => {
    const { world, broker } = await ready()
    await apply(world, broker, { leader: 1, leaderEpoch: 3, isNew: true })
    expect(broker.logs.prepared).toEqual(['t-0'])
    await apply(world, broker, { leader: 1, leaderEpoch: 4 })
    await apply(world, broker, { leader: 2, leaderEpoch: 4, partition: 1, replicas: [2], isr: [2], isNew: true })
    await world.settle(broker.leaderAndIsr({ leader: 1, leaderEpoch: 1, partition: 2, isNew: true }, { controllerEpoch: 0 }), 1000, 'it')
    expect(broker.logs.prepared).toEqual(['t-0'])
    expect(broker.logs.preparationsEnded).toBe(1)
  })

  test('one whose controller was replaced while its logs were made ready changes nothing', async () => {
    const { world, broker } = await ready()
    let go = (): void => {}
    broker.logs.preparing = new Promise((resolve) => (go = resolve))
    const old = broker.leaderAndIsr({ leader: 1, leaderEpoch: 3, isNew: true })
    await world.run(10)
    expect(broker.logs.prepared).toEqual(['t-0'])
    broker.controllerEpoch = 2
    await world.settle(broker.updateMetadata([1, 2], { controllerEpoch: 2 }), 1000, 'metadata')
    go()
    expect(await world.settle(old, 1000, 'the answer')).toMatchObject({ errorCode: STALE_CONTROLLER_EPOCH })
    expect([...broker.logs.logs.keys()]).toEqual([])
    expect(broker.logs.preparationsEnded).toBe(1)
  })

  test('nothing comes of one that names no partitions', async () => {
    const { world, broker } = await ready()
    const request = leaderAndIsr(broker.epoch, { leader: 1, leaderEpoch: 1 })
    request.topicStates = []
    const answer = await world.settle(broker.replicas.becomeLeaderOrFollower(request, 7), 100, 'the answer')
    expect(answer).toEqual({ errorCode: NONE, topics: [] })
  })
})

describe('StopReplica', () => {
  async function leading(setup: BrokerSetup = {}) {
    const found = setUp(setup)
    const { world, broker } = found
    await world.settle(broker.updateMetadata([1, 2]), 1000, 'metadata')
    await world.settle(broker.leaderAndIsr({ leader: 1, leaderEpoch: 3, replicas: [1, 2], isr: [1, 2] }), 1000, 'LeaderAndIsr')
    return found
  }

  test.each([0, 1, 2, 3, 4])('version %i deletes', async (version) => {
    const { world, broker } = await leading({ protocol: { brokerEpochs: version >= 1 } })
    const answer = await world.settle(stop(broker, { leaderEpoch: -2 }, {}, version), 1000, 'StopReplica')
    expect(answer).toMatchObject({ errorCode: NONE, partitionErrors: [{ topicName: TOPIC, partitionIndex: 0, errorCode: NONE }] })
    expect(broker.replicas.partition(TOPIC, 0)).toBeUndefined()
    expect(broker.logs.deleted).toEqual([{ name: 't-0', stray: false }])
  })

  test.each([
    [2, ErrorCode.FENCED_LEADER_EPOCH],
    [3, NONE],
    [4, NONE],
    [-1, NONE],
    [-2, NONE],
  ])('leader epoch %i against 3: error %i', async (leaderEpoch, errorCode) => {
    const { world, broker } = await leading()
    const answer = await world.settle(stop(broker, { leaderEpoch }), 1000, 'StopReplica')
    expect(answer.partitionErrors![0]!.errorCode).toBe(errorCode)
    expect(broker.logs.get(TOPIC, 0) === undefined).toBe(errorCode === NONE)
  })

  test('without deletion the log stays, the role ends, and the same state brings it back', async () => {
    const stopped: boolean[] = []
    const { world, broker } = await leading({ options: { onReplicaStopped: ({ deleted }) => void stopped.push(deleted) } })
    await world.settle(stop(broker, { leaderEpoch: 3, isDelete: false }), 1000, 'StopReplica')
    expect(stopped).toEqual([false])
    expect(broker.partition().role).toBe('none')
    expect((await world.settle(broker.produce('a'), 100, 'the answer')).errorCode).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    await world.settle(broker.leaderAndIsr({ leader: 1, leaderEpoch: 3, replicas: [1, 2], isr: [1, 2] }), 1000, 'LeaderAndIsr')
    expect(broker.partition().isLeader).toBe(true)
    expect(broker.logs.deleted).toEqual([])
  })

  test.each([
    ['confirms it', async () => true, false],
    ['knows another topic of the name, or none', async () => false, true],
    ['cannot be asked', async () => Promise.reject(new Error('connection loss')), true],
  ])('ZooKeeper %s: stray %s', async (_, mayDeleteReplica, stray) => {
    const { world, broker } = await leading({ options: { mayDeleteReplica } })
    await world.settle(stop(broker, { leaderEpoch: -2 }), 1000, 'StopReplica')
    expect(broker.logs.deleted).toEqual([{ name: 't-0', stray }])
  })

  test('a topic that came back while ZooKeeper was asked is not deleted', async () => {
    let confirm: (is: boolean) => void = () => {}
    const mayDeleteReplica = (): Promise<boolean> => new Promise((resolve) => (confirm = resolve))
    const { world, broker } = await leading({ options: { mayDeleteReplica } })
    const answer = stop(broker, { leaderEpoch: -2 })
    await world.run(10)
    await world.settle(broker.leaderAndIsr({ leader: 1, leaderEpoch: 0, replicas: [1, 2], isr: [1] }), 1000, 'LeaderAndIsr')
    confirm(true)
    expect((await world.settle(answer, 100, 'the answer')).partitionErrors![0]!.errorCode).toBe(ErrorCode.FENCED_LEADER_EPOCH)
    expect(broker.logs.deleted).toEqual([])
    expect(broker.partition().isLeader).toBe(true)
  })

  test('a log that was never opened is deleted too', async () => {
    const { world, broker } = setUp()
    broker.logs.getOrCreate(TOPIC, 7, { topicId: TOPIC_ID })
    await world.settle(stop(broker, { leaderEpoch: -2, partition: 7 }), 1000, 'StopReplica')
    expect(broker.logs.deleted).toEqual([{ name: 't-7', stray: false }])
  })
})

test('UpdateMetadata is recorded and answered without an error', async () => {
  const { world, broker } = setUp()
  const answer = await world.settle(broker.replicas.updateMetadata(updateMetadata(broker.epoch, [1]), 8), 100, 'the answer')
  expect(answer).toEqual({ errorCode: NONE })
  const event = { kind: 'controlRequest', api: 'UpdateMetadata', phase: 'received' }
  expect(broker.events).toContainEqual(expect.objectContaining(event))
})
