import { ErrorCode } from '../../../../protocol/errors'
import type { ControlConnection } from '../../../../controller/channel'
import type { ControllerConfig } from '../../../../controller/config'
import type { Broker } from '../../../../controller/context'
import { Controller } from '../../../../controller/controller'
import { latestMetadataVersion, parseMetadataVersion } from '../../../../protocol/rules/metadata-version'
import { builtInTopicConfig } from '../../../../protocol/rules/topic-config'
import type { RecordedEvent } from '../../../../recording/events'
import { silentLogger } from '../../../../runtime/log'
import type { Logger } from '../../../../runtime/log'
import type { Environment } from '../../../../runtime/ports'
import { realEnvironment } from '../../../../runtime/real'
import { ensureTopLevelPaths } from '../../../../zk-schema/operations/ensure-top-level'
import { registerBroker } from '../../../../zk-schema/operations/register-broker'
import { SessionKeeper } from '../../../../zk-schema/session/keeper'
import { openSession } from '../../../../zk-schema/session/session'
import type { SessionOptions, ZooKeeperSession } from '../../../../zk-schema/session/session'
import { decodePartitionState, partitionStatePath } from '../../../../zk-schema/topics'
import { startZooKeeperServer } from '../../../../zookeeper/server'
import { FakeBroker } from './fake-broker'

export interface Snapshot {
  controllerEpoch: number
  brokers: { id: number; epoch: number; shuttingDown: boolean }[]
  malformedTopics: string[]
  topics: {
    name: string
    id: string | null
    deletion: string
    partitions: {
      partition: number
      state: string
      replicas: number[]
      adding: number[]
      removing: number[]
      leadership: {
        leader: number; leaderEpoch: number; isr: number[]; partitionEpoch: number; controllerEpoch: number; recoveryState: number,
      } | null
      replicaStates: Record<string, string>
    }[]
  }[]
}

/** One broker of the test: its session, its controller, and the fake behind its registration. */
export interface Node {
  readonly id: number
  readonly fake: FakeBroker
  keeper: SessionKeeper
  controller: Controller
}

export interface ClusterOptions {
  config?: Partial<ControllerConfig>
  /** Only these brokers run a controller; all do by default. */
  controllers?: number[]
  ibp?: string
  logger?: Logger
  env?: Environment
  /** Between the controllers and ZooKeeper. */
  connect?: string
  sessionTimeoutMs?: number
  /** One that runs already; else an embedded one is started. */
  zookeeper?: string
}

/** Fake brokers and real controllers on an embedded ZooKeeper in memory, in one process. */
export class TestCluster {
  readonly env: Environment
  readonly nodes = new Map<number, Node>()
  readonly events: { broker: number; event: RecordedEvent }[] = []
  /** Brokers may be left with a replica that they were not told to stop, as after a crash between a write and its StopReplica. */
  strays = false
  /** A session of its own, to look and to meddle. */
  zk!: ZooKeeperSession
  connectString = ''
  private readonly fakes = new Map<number, FakeBroker>()
  private readonly options: ClusterOptions
  private readonly closers: (() => Promise<unknown> | void)[] = []

  private constructor(options: ClusterOptions) {
    this.options = options
    this.env = options.env ?? realEnvironment()
  }

  static async start(brokers: number[], options: ClusterOptions = {}): Promise<TestCluster> {
    const cluster = new TestCluster(options)
    if (options.zookeeper === undefined) {
      const server = await startZooKeeperServer(realEnvironment(), { host: '127.0.0.1', port: 0, tickTimeMs: 100 })
      cluster.closers.push(() => server.close())
      cluster.connectString = `127.0.0.1:${server.port}`
    } else cluster.connectString = options.zookeeper
    cluster.zk = await openSession(realEnvironment(), { connect: cluster.connectString, sessionTimeoutMs: 4000 })
    await ensureTopLevelPaths(cluster.zk)
    for (const id of brokers) await cluster.startBroker(id)
    return cluster
  }

  fake(id: number): FakeBroker {
    let fake = this.fakes.get(id)
    if (fake === undefined) this.fakes.set(id, (fake = new FakeBroker(id)))
    return fake
  }

  /** As the leader asks the controller for it. */
  async alterIsr(topic: string, partition: number, isr: number[], more: { epochs?: number[]; version?: number } = {}) {
    const controller = await this.controller()
    const state = (await this.state(topic, partition))!
    const id = this.memory()!.topics.find(({ name }) => name === topic)!.id!
    return controller.alterPartition({
      brokerId: state.leader, brokerEpoch: this.fake(state.leader).epoch,
      topics: [{
        topicName: topic, topicId: id,
        partitions: [{
          partitionIndex: partition, leaderEpoch: state.leaderEpoch, partitionEpoch: state.version, leaderRecoveryState: 0,
          newIsr: isr,
          newIsrWithEpochs: isr.map((brokerId, index) => ({ brokerId, brokerEpoch: more.epochs?.[index] ?? -1 })),
        }],
      }],
    }, more.version ?? 3)
  }

  /** The error code of the answer for this partition. */
  async reassign(topic: string, partition: number, replicas: number[] | null): Promise<number> {
    const answer = await (await this.controller()).alterPartitionReassignments({
      timeoutMs: 1000, topics: [{ name: topic, partitions: [{ partitionIndex: partition, replicas }] }],
    })
    return answer.responses![0]!.partitions![0]!.errorCode ?? ErrorCode.NONE
  }

  async startBroker(id: number): Promise<Node> {
    const fake = this.fake(id)
    fake.restart()
    const sessionOptions: SessionOptions = {
      connect: this.options.connect ?? this.connectString, sessionTimeoutMs: this.options.sessionTimeoutMs ?? 2000,
    }
    const keeper = new SessionKeeper(this.env, sessionOptions)
    await keeper.start()
    await this.register(id, keeper)
    const config: ControllerConfig = {
      interBrokerVersion: this.options.ibp === undefined ? latestMetadataVersion : parseMetadataVersion(this.options.ibp)!,
      interBrokerListener: 'PLAINTEXT', numPartitions: 1, defaultReplicationFactor: 1, deleteTopicEnable: true,
      autoLeaderRebalanceEnable: false, leaderImbalanceCheckIntervalSeconds: 300, leaderImbalancePercentage: 10,
      socketTimeoutMs: 5000,
      zooKeeperSetAcl: false, topicDefaults: () => builtInTopicConfig, describeTopicConfig: () => [],
      reconcileIntervalMs: 3_600_000,
      ...this.options.config,
    }
    const controller = new Controller(this.env, {
      brokerId: id, keeper, config, registerBroker: () => this.register(id, keeper),
      connect: (broker) => this.connection(broker),
      logger: this.options.logger ?? silentLogger,
      recorder: { record: (event) => this.events.push({ broker: id, event }) },
    })
    const node: Node = { id, fake, keeper, controller }
    this.nodes.set(id, node)
    if (this.options.controllers?.includes(id) ?? true) controller.start()
    return node
  }

  /** kill -9 and the end of its session at once. */
  async killBroker(id: number): Promise<void> {
    const node = this.nodes.get(id)!
    this.nodes.delete(id)
    node.fake.down = true
    void node.controller.stop()
    await node.keeper.close()
  }

  /** kill -9 in the middle of something that will never return. */
  crash(id: number): void {
    const node = this.nodes.get(id)
    if (node === undefined) return
    this.nodes.delete(id)
    node.fake.down = true
    void node.controller.stop()
    void node.keeper.close()
  }

  /** The process stays, its session ends: another connection closes it. */
  async expireSession(id: number): Promise<void> {
    const { id: session, password } = this.nodes.get(id)!.keeper.current
    const stolen = await openSession(
      realEnvironment(), { connect: this.connectString, credentials: { id: session, password } } as SessionOptions,
    )
    await stolen.close()
  }

  active(): Node | undefined {
    return [...this.nodes.values()].find(({ controller }) => controller.isActive())
  }

  async controller(): Promise<Controller> {
    await this.until(() => this.active()?.controller.snapshot() !== undefined, 'a controller')
    return this.active()!.controller
  }

  memory(): Snapshot | undefined {
    const text = this.active()?.controller.snapshot()
    return text === undefined ? undefined : JSON.parse(text) as Snapshot
  }

  /** Creates topics by hand, the way of an old tool. */
  async createByHand(topic: string, partitions: Record<number, number[]>, more: object = {}): Promise<void> {
    await this.zk.create(`/brokers/topics/${topic}`, Buffer.from(JSON.stringify({ version: 1, partitions, ...more })))
  }

  async createTopic(name: string, assignment: number[][]): Promise<void> {
    const controller = await this.controller()
    const response = await controller.createTopics({
      timeoutMs: 5000, validateOnly: false,
      topics: [{
        name, numPartitions: -1, replicationFactor: -1, configs: [],
        assignments: assignment.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
      }],
    }, 7)
    const [result] = response.topics!
    if (result!.errorCode !== undefined && result!.errorCode !== 0) throw new Error(
      `create ${name}: ${result!.errorCode} ${result!.errorMessage}`
    )
  }

  async state(topic: string, partition: number) {
    const node = await this.zk.get(partitionStatePath(topic, partition))
    return node === undefined ? undefined : { ...decodePartitionState(topic, partition, node.data), version: node.stat.version }
  }

  async until(condition: () => unknown, what: string | (() => unknown) = 'the condition', timeoutMs = 10_000): Promise<void> {
    const start = performance.now()
    for (;;) {
      if (await condition()) return
      if (performance.now() - start > timeoutMs) throw new Error(
        `waited too long for ${typeof what === 'string' ? what : JSON.stringify(await what(), null, 1)}`
      )
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }

  /**
   * What is still different between ZooKeeper, the controller's memory and what the registered brokers were told; empty when all
   * agree (I8 of the invariants).
   */
  async differences(): Promise<string[]> {
    const memory = this.memory()
    if (memory === undefined) return ['no controller']
    const wrong: string[] = []
    const live = [...this.nodes.values()]
    const stopping = new Set(memory.brokers.filter(({ shuttingDown }) => shuttingDown).map(({ id }) => id))
    const ids = live.map(({ id }) => id).sort((a, b) => a - b)
    if (
      String(memory.brokers.map(({ id }) => id).sort((a, b) => a - b)) !== String(ids)
    ) wrong.push(`memory knows brokers ${memory.brokers.map(({ id }) => id)}, not ${ids}`)
    for (const { id, fake } of live) if (String(fake.brokers) !== String(ids)) wrong.push(
      `broker ${id} knows brokers ${fake.brokers}, not ${ids}`
    )
    const names = (await this.zk.children('/brokers/topics'))!.names.filter(
      (name) => !memory.malformedTopics.includes(name),
    ).sort()
    const known = memory.topics.map(({ name }) => name).sort()
    if (String(names) !== String(known)) wrong.push(`topics ${names} in ZooKeeper, ${known} in memory`)
    const expected = new Set<string>()
    for (const topic of memory.topics) {
      if (topic.deletion !== 'none') wrong.push(`${topic.name} is being deleted`)
      for (const partition of topic.partitions) {
        const key = `${topic.name}-${partition.partition}`
        const state = await this.state(topic.name, partition.partition)
        const { leadership } = partition
        if (state === undefined || leadership === null) {
          if (state !== undefined || leadership !== null) wrong.push(
            `${key}: ${JSON.stringify(state)} in ZooKeeper, ${JSON.stringify(leadership)} in memory`
          )
          continue
        }
        expected.add(key)
        if (state.version !== leadership.partitionEpoch || state.leader !== leadership.leader || String(state.isr) !== String(
          leadership.isr
        )
          || state.leaderEpoch !== leadership.leaderEpoch) wrong.push(
            `${key}: ${JSON.stringify(state)} in ZooKeeper, ${JSON.stringify(leadership)} in memory`,
          )
        if (
          leadership.leader >= 0 && !leadership.isr.includes(leadership.leader)
        ) wrong.push(`${key}: the leader is not in the ISR`)
        const hasLiveIsr = leadership.isr.some((id) => ids.includes(id) && partition.replicas.includes(id))
        if (hasLiveIsr && !ids.includes(leadership.leader)) wrong.push(
          `${key}: leader ${leadership.leader} is dead, ISR ${leadership.isr}`
        )
        for (const { id, fake } of live) {
          const told = fake.metadata.get(key)
          if (
            told?.leader !== leadership.leader || told.leaderEpoch !== leadership.leaderEpoch || String(told.isr) !== String(
              leadership.isr,
            )
          ) {
            wrong.push(`${key}: broker ${id} was told ${JSON.stringify(told)}`)
          }
          const part = fake.replicas.get(key)
          if (
            partition.replicas.includes(id) && !stopping.has(id) && (
              part?.leader !== leadership.leader || part.leaderEpoch !== leadership.leaderEpoch
            )
          ) {
            wrong.push(`${key}: replica ${id} follows ${JSON.stringify(part)}, not ${JSON.stringify(leadership)}`)
          }
          if (
            !this.strays && !partition.replicas.includes(id) && part !== undefined
          ) wrong.push(`${key}: broker ${id} has a replica`)
        }
      }
    }
    for (const { id, fake } of live) for (
      const key of fake.metadata.keys()
    ) if (!expected.has(key)) wrong.push(`broker ${id} still knows ${key}`)
    return wrong
  }

  async converged(timeoutMs = 10_000): Promise<void> {
    await this.until(async () => (await this.differences()).length === 0, () => this.differences(), timeoutMs)
  }

  async stop(): Promise<void> {
    for (const node of this.nodes.values()) {
      void node.controller.stop()
      await node.keeper.close()
    }
    await this.zk.close()
    for (const close of this.closers.reverse()) await close()
  }

  private async register(id: number, keeper: SessionKeeper): Promise<void> {
    const { epoch } = await registerBroker(this.env, keeper.current, {
      brokerId: id, endpoints: [{ listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: '127.0.0.1', port: 9092 + id }],
      rack: null, jmxPort: -1, timestampMs: 0, features: {},
    })
    this.fake(id).epoch = epoch
  }

  private connection(broker: Broker): ControlConnection {
    return this.fake(broker.id).connection(broker)
  }
}
