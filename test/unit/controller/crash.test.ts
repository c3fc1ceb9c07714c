/**
 * Crash the controller at every write to ZooKeeper: before it, after it, with the answer lost, with the session expired; for each
 * kind of work. The next controller, or the same one, must bring ZooKeeper, memory and brokers to agree, and the work to its end.
 */
import { TestCluster } from './support/cluster'
import type { Node } from './support/cluster'
import { ZooKeeperError } from '../../../zk-schema/session/errors'

type Mode = 'crash before' | 'crash after' | 'lost, not done' | 'lost, but done' | 'expired'

const MODES: Mode[] = ['crash before', 'crash after', 'lost, not done', 'lost, but done', 'expired']
const WRITES = ['multi', 'create', 'set', 'remove'] as const
const CONTROLLERS = [3, 4]

/** Brokers 0, 1, 2 hold the replicas; 3 and 4 are there to be the controller. */
let cluster: TestCluster

interface Work {
  name: string
  /** Prepares round `n`; nothing fails here. */
  prepare(n: number): Promise<void>
  /** Begins the work; it may be cut short. */
  begin(n: number): Promise<unknown>
  /** Asks again where a request was lost with its controller; checks the end where it throws. */
  finish(n: number): Promise<void>
}

/** The k-th write of this controller from now on meets its fate. Tells how many there were. */
function strike(node: Node, at: number, mode: Mode): { writes: number } {
  const counter = { writes: 0 }
  const session = node.keeper.current as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
  for (const name of WRITES) {
    const real = Object.getPrototypeOf(session)[name] as (...args: unknown[]) => Promise<unknown>
    session[name] = async (...args) => {
      if (++counter.writes !== at) return real.apply(session, args)
      if (mode === 'expired') {
        await cluster.expireSession(node.id)
        return real.apply(session, args)
      }
      if (mode === 'crash after' || mode === 'lost, but done') await real.apply(session, args).catch(() => undefined)
      if (mode.startsWith('lost')) throw new ZooKeeperError('CONNECTION_LOSS', name, String(args[0]))
      cluster.crash(node.id)
      return new Promise(() => {})
    }
  }
  return counter
}

function heal(node: Node): void {
  for (const name of WRITES) delete (node.keeper.current as unknown as Record<string, unknown>)[name]
}

async function exhaust(work: Work, modes: Mode[] = MODES): Promise<void> {
  let n = 0
  for (const mode of modes) {
    for (let at = 1; ; at++) {
      n++
      await work.prepare(n)
      await cluster.converged()
      const node = cluster.active()!
      const counter = strike(node, at, mode)
      await work.begin(n)
      // The work may go on after the answer: wait until all is quiet again, then see whether the blow has fallen.
      await cluster.converged()
      await work.finish(n)
      await cluster.converged()
      heal(node)
      for (const id of CONTROLLERS) if (!cluster.nodes.has(id)) await cluster.startBroker(id)
      if (counter.writes < at) break
    }
  }
}

/** Asks the controller of the day; undefined if it dies over it. */
async function once<T>(ask: () => Promise<T>): Promise<T | undefined> {
  await cluster.controller()
  const { id } = cluster.active()!
  return Promise.race([ask(), cluster.until(() => !cluster.nodes.has(id)).then(() => undefined, () => undefined)])
}

/** Asks until there is an answer that will do. */
async function request<T>(ask: () => Promise<T>, isDone: (answer: T) => boolean): Promise<void> {
  await cluster.until(async () => {
    const answer = await once(ask)
    return answer !== undefined && isDone(answer)
  }, 'the request to be done')
}

const controller = () => cluster.active()!.controller

async function createTopic(name: string, assignment: number[][]): Promise<void> {
  await request(
    () => controller().createTopics({
      timeoutMs: 5000, validateOnly: false,
      topics: [{
        name, numPartitions: -1, replicationFactor: -1, configs: [],
        assignments: assignment.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
      }],
    }, 7),
    ({ topics }) => [0, 36].includes(topics![0]!.errorCode ?? 0),
  )
}

beforeEach(async () => {
  cluster = await TestCluster.start([0, 1, 2, ...CONTROLLERS], { controllers: CONTROLLERS })
})

afterEach(() => cluster.stop())

async function isr(topic: string, members: number[]): Promise<void> {
  await request(async () => {
    const state = (await cluster.state(topic, 0))!
    return controller().alterPartition({
      brokerId: state.leader, brokerEpoch: cluster.fake(state.leader).epoch,
      topics: [{
        topicName: topic, topicId: '',
        partitions: [{
          partitionIndex: 0, leaderEpoch: state.leaderEpoch, partitionEpoch: state.version, leaderRecoveryState: 0,
          newIsr: members,
          newIsrWithEpochs: [],
        }],
      }],
    }, 1)
  }, ({ errorCode, topics }) => (errorCode ?? 0) === 0 && (topics?.[0]?.partitions?.[0]?.errorCode ?? 0) === 0)
}

function reassign(topic: string, replicas: number[] | null): Promise<void> {
  return request(
    () => controller().alterPartitionReassignments(
      { timeoutMs: 1000, topics: [{ name: topic, partitions: [{ partitionIndex: 0, replicas }] }] },
    ),
    ({ errorCode, responses }) => (errorCode ?? 0) === 0 && [0, 85].includes(responses?.[0]?.partitions?.[0]?.errorCode ?? 0),
  )
}

const assigned = async (topic: string) => JSON.parse((await cluster.zk.get(`/brokers/topics/${topic}`))!.data!.toString()) as {
  partitions: Record<string, number[]>
  adding_replicas: object
}

const works: Work[] = [
  {
    name: 'creation of a topic',
    prepare: async () => {},
    begin: (n) => createTopic(`created-${n}`, [[0, 1, 2], [1, 2, 0]]),
    finish: async (n) => createTopic(`created-${n}`, [[0, 1, 2], [1, 2, 0]]),
  },
  {
    name: 'a hand-written topic',
    prepare: async () => {},
    begin: (n) => cluster.createByHand(`hand-${n}`, { 0: [0, 1, 2], 1: [1, 2, 0] }),
    finish: async (n) => cluster.until(async () => (await cluster.state(`hand-${n}`, 1))?.leader === 1, 'the leader'),
  },
  {
    name: 'added partitions',
    prepare: (n) => createTopic(`grown-${n}`, [[0, 1, 2]]),
    begin: (n) => once(
      () => controller().createPartitions(
        { timeoutMs: 1000, validateOnly: false, topics: [{ name: `grown-${n}`, count: 3, assignments: null }] }, 3,
      ),
    ),
    finish: async (n) => {
      await request(
        () => controller().createPartitions(
          { timeoutMs: 1000, validateOnly: false, topics: [{ name: `grown-${n}`, count: 3, assignments: null }] }, 3,
        ),
        ({ results }) => [0, 37].includes(results![0]!.errorCode ?? 0),
      )
      await cluster.until(async () => (await cluster.state(`grown-${n}`, 2)) !== undefined, 'the new partition')
    },
  },
  {
    name: 'deletion of a topic',
    prepare: (n) => createTopic(`gone-${n}`, [[0, 1, 2]]),
    begin: (n) => once(() => controller().deleteTopics({ topicNames: [`gone-${n}`], topics: [], timeoutMs: 1000 }, 5)),
    finish: async (n) => {
      await request(
        () => controller().deleteTopics({ topicNames: [`gone-${n}`], topics: [], timeoutMs: 1000 }, 5),
        ({ responses }) => [0, 3].includes(responses![0]!.errorCode ?? 0),
      )
      await cluster.until(
        async () => (await cluster.zk.exists(`/brokers/topics/gone-${n}`)) === undefined, 'the end of the topic',
      )
      expect(cluster.fake(1).logs.has(`gone-${n}-0`)).toBe(false)
    },
  },
  {
    name: 'deletion with a dead broker, and its return',
    prepare: async (n) => {
      if (!cluster.nodes.has(2)) await cluster.startBroker(2)
      await createTopic(`owed-${n}`, [[0, 1, 2]])
      await cluster.converged()
      await cluster.killBroker(2)
    },
    begin: async (n) => {
      await cluster.zk.create(`/admin/delete_topics/owed-${n}`, null)
      await cluster.until(async () => (await cluster.zk.exists(`/admin/delete_topics/owed-${n}`)) === undefined, 'the deletion')
      await cluster.startBroker(2)
      await cluster.until(async () => (await cluster.zk.exists('/prekraft')) === undefined, 'the debt')
    },
    finish: async (n) => {
      await cluster.until(async () => (await cluster.zk.exists(`/admin/delete_topics/owed-${n}`)) === undefined, 'the deletion')
      if (!cluster.nodes.has(2)) await cluster.startBroker(2)
      await cluster.until(async () => (await cluster.zk.exists('/prekraft')) === undefined, 'the debt')
      expect(cluster.fake(2).logs.has(`owed-${n}-0`)).toBe(false)
    },
  },
  {
    name: 'failure of a broker, and its return',
    prepare: async (n) => {
      if (!cluster.nodes.has(1)) await cluster.startBroker(1)
      await createTopic(`led-${n}`, [[1, 2, 0]])
      await isr(`led-${n}`, [1, 2, 0])
    },
    begin: async () => {
      await cluster.killBroker(1)
      await cluster.converged()
      await cluster.startBroker(1)
    },
    finish: async (n) => {
      if (!cluster.nodes.has(1)) await cluster.startBroker(1)
      await cluster.until(async () => (await cluster.state(`led-${n}`, 0))?.leader === 2, 'the new leader')
    },
  },
  {
    name: 'controlled shutdown',
    prepare: async (n) => {
      if (!cluster.nodes.has(1)) await cluster.startBroker(1)
      await createTopic(`left-${n}`, [[1, 2, 0], [2, 1, 0]])
    },
    begin: () => once(() => controller().controlledShutdown({ brokerId: 1, brokerEpoch: cluster.fake(1).epoch }, 3)),
    finish: async (n) => {
      await request(() => controller().controlledShutdown({ brokerId: 1, brokerEpoch: cluster.fake(1).epoch }, 3),
        ({ errorCode, remainingPartitions }) => (errorCode ?? 0) === 0 && remainingPartitions!.length === 0)
      expect((await cluster.state(`left-${n}`, 1))!.isr).toEqual([2, 0])
      await cluster.killBroker(1)
      await cluster.startBroker(1)
    },
  },
  {
    name: 'a change of the ISR',
    prepare: (n) => createTopic(`isr-${n}`, [[0, 1, 2]]),
    begin: (n) => isr(`isr-${n}`, [0, 1]),
    finish: async (n) => {
      await isr(`isr-${n}`, [0, 1])
      expect((await cluster.state(`isr-${n}`, 0))!.isr).toEqual([0, 1])
    },
  },
  {
    name: 'a reassignment and its end',
    prepare: (n) => {
      cluster.strays = true
      return createTopic(`moved-${n}`, [[0, 1]])
    },
    begin: async (n) => {
      await reassign(`moved-${n}`, [2, 1])
      await cluster.until(() => cluster.fake(2).replicas.has(`moved-${n}-0`))
      await isr(`moved-${n}`, [0, 1, 2])
    },
    finish: async (n) => {
      if (
        Object.keys(
          (await assigned(`moved-${n}`)).adding_replicas,
        ).length > 0 || (await assigned(`moved-${n}`)).partitions['0']![0] === 0
      ) {
        await reassign(`moved-${n}`, [2, 1])
        await isr(`moved-${n}`, [0, 1, 2])
      }
      await cluster.until(
        async () => String((await assigned(`moved-${n}`)).partitions['0']) === '2,1', 'the end of the reassignment',
      )
      await cluster.until(
        () => cluster.memory()?.topics.find(({ name }) => name === `moved-${n}`)?.partitions[0]!.removing.length === 0,
      )
    },
  },
  {
    name: 'a reassignment that is cancelled',
    prepare: async (n) => {
      cluster.strays = true
      await createTopic(`kept-${n}`, [[0, 1]])
      await reassign(`kept-${n}`, [2, 1])
    },
    begin: (n) => reassign(`kept-${n}`, null),
    finish: async (n) => {
      await reassign(`kept-${n}`, null)
      await cluster.until(async () => String([...(await assigned(`kept-${n}`)).partitions['0']!].sort()) === '0,1', 'the cancel')
    },
  },
  {
    name: 'a preferred election',
    prepare: async (n) => {
      await createTopic(`back-${n}`, [[1, 0]])
      await cluster.killBroker(1)
      await cluster.startBroker(1)
      await cluster.converged()
      await isr(`back-${n}`, [0, 1])
    },
    begin: (n) => once(
      () => controller().electLeaders(
        { electionType: 0, timeoutMs: 1000, topicPartitions: [{ topic: `back-${n}`, partitions: [0] }] }, 2,
      ),
    ),
    finish: async (n) => {
      await request(() => controller().electLeaders(
        { electionType: 0, timeoutMs: 1000, topicPartitions: [{ topic: `back-${n}`, partitions: [0] }] }, 2,
      ),
        ({ replicaElectionResults }) => [0, 84].includes(replicaElectionResults![0]!.partitionResult![0]!.errorCode ?? 0))
      expect((await cluster.state(`back-${n}`, 0))!.leader).toBe(1)
    },
  },
]

test.each(works)('$name', async (work) => exhaust(work), 60_000)

test('producer ids are never handed out twice', async () => {
  const seen = new Set<number>()
  for (const mode of MODES) {
    for (let at = 1; at <= 2; at++) {
      await cluster.converged()
      const node = cluster.active()!
      const counter = strike(node, at, mode)
      const allocate = () => controller().allocateProducerIds({ brokerId: 0, brokerEpoch: cluster.fake(0).epoch })
      for (let round = 0; round < 2; round++) {
        const answer = await once(allocate)
        if (answer === undefined || (answer.errorCode ?? 0) !== 0) continue
        expect(seen.has(answer.producerIdStart!)).toBe(false)
        seen.add(answer.producerIdStart!)
      }
      expect(counter.writes).toBeGreaterThanOrEqual(1)
      heal(node)
      for (const id of CONTROLLERS) if (!cluster.nodes.has(id)) await cluster.startBroker(id)
    }
  }
})

test('the failover itself, struck at each of its writes', async () => {
  await createTopic('failover', [[0, 1, 2], [1, 2, 0]])
  for (const mode of MODES) {
    for (let at = 1; at <= 6; at++) {
      await cluster.converged()
      const first = cluster.active()!
      const second = cluster.nodes.get(CONTROLLERS.find((id) => id !== first.id)!)!
      // Work for the failover: a leader that is gone, a topic without states, one to delete, notifications.
      await createTopic(`f-${mode.replaceAll(/\W/g, '')}-${at}`, [[2, 1, 0]])
      await cluster.converged()
      strike(second, at, mode)
      void cluster.killBroker(first.id)
      await cluster.killBroker(2)
      await cluster.createByHand(`g-${mode.replaceAll(/\W/g, '')}-${at}`, { 0: [1, 0] })
      await cluster.zk.create(`/admin/delete_topics/f-${mode.replaceAll(/\W/g, '')}-${at}`, null)
      await cluster.zk.create('/isr_change_notification/isr_change_', Buffer.from('nonsense'), { sequential: true })
      // If the second was struck down too, there is nobody until one starts again.
      await cluster.until(() => !cluster.nodes.has(second.id) || second.controller.isActive())
      await cluster.startBroker(first.id)
      await cluster.until(
        async () => (
          await cluster.zk.exists(`/brokers/topics/f-${mode.replaceAll(/\W/g, '')}-${at}`)
        ) === undefined, 'the deletion',
      )
      await cluster.converged()
      if (cluster.nodes.has(second.id)) heal(second)
      for (const id of [2, ...CONTROLLERS]) if (!cluster.nodes.has(id)) await cluster.startBroker(id)
      await cluster.until(async () => (await cluster.zk.exists('/prekraft')) === undefined, 'the debt')
      await cluster.converged()
    }
  }
}, 60_000)
