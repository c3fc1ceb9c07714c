import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ApiKey } from '../../protocol/messages/apis'
import { controllerPath } from '../../zk-schema/controller'
import { KafkaConnection } from '../../network/kafka-connection'
import { isZooKeeperError } from '../../zk-schema/session/errors'
import { openSession } from '../../zk-schema/session/session'
import { parseProperties } from '../../protocol/files/properties'
import { readStoredSession } from '../../zk-schema/operations/stored-session'
import { realEnvironment } from '../../runtime/real'
import { Cluster, ClusterStartError } from './cluster'
import { HOST } from './ports'
import type { BrokerProcess } from './cluster'
import type { MetadataRequest, MetadataResponse } from '../../protocol/messages/metadata'
import type { ZooKeeperSession } from '../../zk-schema/session/session'

export interface TestClusterOptions {
  /** Default: 3. */
  brokers?: number
  /** Default: 0. */
  firstBrokerId?: number
  /** For every broker, by Kafka's names. */
  overrides?: Record<string, string>
  /** Log directories of each broker. Default: 1. */
  logDirs?: number
  /** Where the data goes; by default a temporary directory, removed at the end. */
  dataDir?: string
  /** An existing ZooKeeper; by default the cluster has one of its own. */
  zookeeper?: string
  /** What a process of the cluster says on its console: warnings and deaths. Default: nobody. */
  onMessage?: (text: string) => void
}

const POLL_MS = 50

function pause(ms = POLL_MS): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

/** Where dist/ is: beside the bundle that runs, or above the sources. */
function distDir(): string {
  const beside = join(__dirname, 'broker.js')
  return existsSync(beside) ? __dirname : join(__dirname, '../../dist')
}

/** A cluster for tests: real processes on free ports, faults on demand, gone when it is closed. */
export class TestCluster {
  readonly bootstrapServers: string
  readonly zookeeperConnect: string
  private readonly cluster: Cluster
  private readonly env = realEnvironment()
  private readonly killAtExit = (): void => this.cluster.kill()

  private constructor(cluster: Cluster) {
    this.cluster = cluster
    this.bootstrapServers = cluster.bootstrap
    this.zookeeperConnect = cluster.zookeeperConnect
    process.once('exit', this.killAtExit)
  }

  /** Resolves when every broker serves. Rejects with one sentence of why not; then nothing is left running. */
  static async start(options: TestClusterOptions = {}): Promise<TestCluster> {
    const cluster = await Cluster.start(
      {
        brokers: options.brokers ?? 3,
        firstId: options.firstBrokerId ?? 0,
        port: 0,
        zookeeperPort: 0,
        dataDir: options.dataDir ?? '',
        isTemporary: options.dataDir === undefined,
        zookeeper: options.zookeeper,
        overrides: options.overrides ?? {},
        logDirs: options.logDirs,
        isTied: true,
        exec: undefined,
      },
      distDir(),
      { say: (text) => options.onMessage?.(text), onAllOver: () => {}, onCreated: () => {} },
    )
    return new TestCluster(cluster)
  }

  get dataDir(): string {
    return this.cluster.dataDir
  }

  get brokerIds(): number[] {
    return this.cluster.brokers.map(({ id }) => id)
  }

  /** Of a broker, to use with programs of your own. */
  pid(brokerId: number): number {
    return this.broker(brokerId).child.pid
  }

  port(brokerId: number): number {
    return this.broker(brokerId).port
  }

  isRunning(brokerId: number): boolean {
    return !this.broker(brokerId).child.isOver
  }

  /** Of the cluster's own ZooKeeper; undefined if it has none, or it is killed. */
  get zookeeperPid(): number | undefined {
    const child = this.cluster.zookeeper
    return child === undefined || child.isOver ? undefined : child.pid
  }

  /** Its first log directory. */
  logDir(brokerId: number): string {
    return this.logDirs(brokerId)[0]!
  }

  logDirs(brokerId: number): string[] {
    const properties = parseProperties(this.env.disk.readFile(this.broker(brokerId).propertiesFile).toString('utf8'))
    return properties['log.dirs']!.split(',')
  }

  /** Where its recording is. */
  recordingDir(brokerId: number): string {
    return join(this.dataDir, `broker-${brokerId}`, 'recording')
  }

  /** kill -9. Resolves when the process is gone. */
  async kill(brokerId: number): Promise<void> {
    const { child } = this.broker(brokerId)
    child.isStopping = true
    child.signal('SIGKILL')
    await child.exited(10_000)
  }

  /** Controlled shutdown. Resolves when the process is gone. */
  async stop(brokerId: number, timeoutMs = 20_000): Promise<void> {
    const { child } = this.broker(brokerId)
    child.isStopping = true
    child.signal('SIGTERM')
    if (!(await child.exited(timeoutMs))) throw new Error(`broker ${brokerId} did not stop within ${timeoutMs} ms`)
  }

  /** Starts a broker that is over, on its former data. Resolves when it serves and its peers know it. */
  async start(brokerId: number, timeoutMs = 30_000): Promise<void> {
    const broker = this.cluster.startAgain(brokerId)
    await this.until(`broker ${brokerId} serves`, timeoutMs, async () => {
      if (broker.child.isOver) throw new ClusterStartError(`broker ${brokerId} ended: ${broker.child.lastWords() ?? broker.child.lastLines(5).join('\n')}`)
      const metadata = await this.metadataFrom(broker)
      return metadata.brokers.some(({ nodeId }) => nodeId === brokerId)
    })
  }

  /** kill -9, then start. */
  async restart(brokerId: number, options: { afterMs?: number } = {}): Promise<void> {
    if (this.isRunning(brokerId)) await this.kill(brokerId)
    await pause(options.afterMs ?? 0)
    await this.start(brokerId)
  }

  /** SIGSTOP: the process stands still, its connections stay open. */
  pause(brokerId: number): void {
    this.broker(brokerId).child.signal('SIGSTOP')
  }

  /** SIGCONT. */
  resume(brokerId: number): void {
    this.broker(brokerId).child.signal('SIGCONT')
  }

  /** Ends a broker's ZooKeeper session as its time-out would: its ephemeral znodes go, and it must register anew. */
  async expireSession(brokerId: number): Promise<void> {
    const credentials = readStoredSession(this.env.disk, this.logDir(brokerId))
    if (credentials === undefined) throw new Error(`broker ${brokerId} has no session`)
    try {
      const session = await openSession(this.env, { connect: this.zookeeperConnect, sessionTimeoutMs: 6000, credentials })
      await session.close()
    } catch (error) {
      // It has expired already.
      if (!isZooKeeperError(error, 'SESSION_EXPIRED')) throw error
    }
  }

  /** Deletes `/controller`; another election follows, which the same broker may win. Resolves when there is a controller again. */
  async moveController(timeoutMs = 30_000): Promise<number> {
    await this.zookeeper((session) => session.remove(controllerPath, -1))
    await this.until('there is a controller', timeoutMs, () => this.zookeeper(async (session) => (await session.exists(controllerPath)) !== undefined))
    return this.controllerId()
  }

  /** Who the running brokers say is the controller; -1 if they do not agree. */
  async controllerId(): Promise<number> {
    const answers = await Promise.all(this.running().map((broker) => this.metadataFrom(broker)))
    const ids = new Set(answers.map(({ controllerId }) => controllerId))
    return ids.size === 1 ? [...ids][0]! : -1
  }

  /** -1 if there is none. */
  async leaderOf(topic: string, partition: number): Promise<number> {
    const answer = await this.metadataFrom(this.running()[0]!, [topic])
    return answer.topics[0]?.partitions.find(({ partitionIndex }) => partitionIndex === partition)?.leaderId ?? -1
  }

  /**
   * Resolves when every running broker says the same: all running brokers are there, there is a controller, every partition has a
   * leader, and (unless `fullIsr` is false) every replica on a running broker is in its ISR.
   */
  async waitUntilHealthy(options: { timeoutMs?: number; fullIsr?: boolean } = {}): Promise<void> {
    await this.until('the cluster is healthy', options.timeoutMs ?? 60_000, async () => {
      const running = this.running()
      const alive = new Set(running.map(({ id }) => id))
      const answers = await Promise.all(running.map((broker) => this.metadataFrom(broker)))
      return answers.every(
        (answer) =>
          alive.has(answer.controllerId) &&
          answer.controllerId === answers[0]!.controllerId &&
          answer.brokers.length === alive.size &&
          answer.brokers.every(({ nodeId }) => alive.has(nodeId)) &&
          answer.topics.every(({ partitions }) =>
            partitions.every(
              ({ leaderId, replicaNodes, isrNodes }) =>
                alive.has(leaderId) && (options.fullIsr === false || replicaNodes.filter((id) => alive.has(id)).every((id) => isrNodes.includes(id))),
            ),
          ),
      )
    })
  }

  /** A session of one's own for looking at znodes, or meddling with them. */
  async zookeeper<T>(use: (session: ZooKeeperSession) => Promise<T>): Promise<T> {
    const session = await openSession(this.env, { connect: this.zookeeperConnect, sessionTimeoutMs: 10_000 })
    try {
      return await use(session)
    } finally {
      await session.close().catch(() => {})
    }
  }

  async killZooKeeper(): Promise<void> {
    const child = this.cluster.zookeeper
    if (child === undefined) throw new Error('this cluster has no ZooKeeper of its own')
    child.isStopping = true
    child.signal('SIGKILL')
    await child.exited(10_000)
  }

  async startZooKeeper(): Promise<void> {
    await this.cluster.startZooKeeperAgain()
  }

  /** Stops everything, and removes the data if they were temporary. */
  async close(): Promise<void> {
    process.off('exit', this.killAtExit)
    for (const { child } of this.cluster.brokers) child.signal('SIGCONT')
    await this.cluster.stop()
  }

  /** Polls until `condition` is true; an error of it counts as not yet, and is told when the time is over. */
  async until(what: string, timeoutMs: number, condition: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + timeoutMs
    let last: unknown
    for (;;) {
      try {
        if (await condition()) return
        last = undefined
      } catch (error) {
        if (error instanceof ClusterStartError) throw error
        last = error
      }
      if (performance.now() > deadline) throw new Error(`${timeoutMs} ms went by without: ${what}`, { cause: last })
      await pause()
    }
  }

  private broker(brokerId: number): BrokerProcess {
    const broker = this.cluster.brokers.find(({ id }) => id === brokerId)
    if (broker === undefined) throw new Error(`there is no broker ${brokerId}`)
    return broker
  }

  private running(): BrokerProcess[] {
    const running = this.cluster.brokers.filter(({ child }) => !child.isOver)
    if (running.length === 0) throw new Error('no broker is running')
    return running
  }

  private async metadataFrom(broker: BrokerProcess, topics: string[] | null = null): Promise<MetadataResponse> {
    const connection = new KafkaConnection(this.env, { host: HOST, port: broker.port, clientId: 'test-cluster', requestTimeoutMs: 5000, connectTimeoutMs: 2000 })
    try {
      await connection.connect()
      return await connection.send<MetadataRequest, MetadataResponse>(ApiKey.metadata, {
        topics: topics === null ? null : topics.map((name) => ({ name })),
        allowAutoTopicCreation: false,
      })
    } finally {
      connection.close()
    }
  }
}
