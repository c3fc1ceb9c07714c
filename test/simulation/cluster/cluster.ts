import { startBroker } from '../../../broker/broker'
import { KafkaConfig } from '../../../broker/config/kafka-config'
import { StartError } from '../../../broker/start-error'
import { parseBrokerConfig } from '../../../protocol/rules/config-definition'
import { InvariantError } from '../../../runtime/assert'
import { Metrics } from '../../../runtime/metrics'
import { startZooKeeperServer } from '../../../zookeeper/server'
import { World } from '../world/world'
import { tracingLogger, tracingRecorder } from './trace'
import type { Broker } from '../../../broker/broker'
import type { ZooKeeperServer } from '../../../zookeeper/server'
import type { RecordedEvent } from '../../../recording/events'
import type { Process } from '../world/world'

export const ZOOKEEPER_PORT = 2181
export const FIRST_PORT = 9092
const TICK_MS = 500

/** A program error and not one of operation: no restart makes it better. */
function isBug(error: unknown): boolean {
  return (
    error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError || error instanceof InvariantError ||
    error instanceof StartError
  )
}

/** A broker as its supervisor sees it: started again when it dies. */
export class SimulatedBroker {
  readonly id: number
  readonly process: Process
  readonly cluster: SimulatedCluster
  /** Serving; undefined while it is down or starts. */
  running: Broker | undefined
  /** It shall run: what dies by itself is started again. */
  private wanted = false
  private restarts = 0

  constructor(cluster: SimulatedCluster, id: number) {
    this.cluster = cluster
    this.id = id
    this.process = cluster.world.process(`broker-${id}`)
  }

  get isUp(): boolean {
    return this.wanted
  }

  start(): void {
    if (this.wanted) return
    // A controlled shutdown that has not come to its end by now is killed.
    if (this.running !== undefined) this.die(false)
    this.wanted = true
    this.begin()
  }

  /** kill -9, or the loss of power. */
  die(isPowerCut: boolean): void {
    this.wanted = false
    this.running = undefined
    if (isPowerCut) this.process.cutPower()
    else this.process.kill()
  }

  /** SIGTERM; resolves when the process is gone. */
  async stop(): Promise<void> {
    const { process, running } = this
    const { incarnation } = process
    if (running === undefined) return
    this.wanted = false
    process.world.note(process, 'asked to stop')
    await running.stop()
    if (process.incarnation !== incarnation) return
    this.running = undefined
    process.kill()
  }

  private begin(): void {
    const { process, cluster } = this
    const { world } = cluster
    const { incarnation } = process
    const isGone = (): boolean => process.incarnation !== incarnation
    world.note(process, 'begins')
    const options = {
      logger: tracingLogger(process),
      recorder: tracingRecorder(process, (event) => cluster.onEvent(this, event)),
      metrics: new Metrics(),
      hostName: process.name,
      processId: 1000 + this.restarts++,
      onFatal: (error: Error) => world.fail(error),
    }
    startBroker(process.env, this.config(), options).then(
      (broker) => {
        if (isGone()) return
        this.running = broker
        world.note(process, 'serves')
      },
      (error: unknown) => {
        if (isGone()) return
        world.note(process, `does not start: ${String(error)}`)
        if (isBug(error)) return world.fail(error)
        // The process ends with code 1; its supervisor waits a little.
        process.kill()
        world.plan(process, 500, () => this.begin())
      },
    )
  }

  private config(): KafkaConfig {
    const given = {
      'broker.id': String(this.id),
      listeners: `PLAINTEXT://${this.process.name}:${FIRST_PORT + this.id}`,
      'log.dirs': '/data/logs',
      'zookeeper.connect': `zookeeper:${ZOOKEEPER_PORT}`,
      ...this.cluster.properties,
    }
    return new KafkaConfig(parseBrokerConfig(given).values)
  }
}

/** Keys that make what is rare in production happen all the time. */
const PROPERTIES: Record<string, string> = {
  'zookeeper.session.timeout.ms': '3000',
  'zookeeper.connection.timeout.ms': '6000',
  'request.timeout.ms': '4000',
  'controller.socket.timeout.ms': '3000',
  'replica.socket.timeout.ms': '3000',
  'replica.lag.time.max.ms': '2000',
  'replica.fetch.backoff.ms': '200',
  'replica.high.watermark.checkpoint.interval.ms': '1000',
  'log.flush.offset.checkpoint.interval.ms': '2000',
  'log.initial.task.delay.ms': '500',
  'log.segment.bytes': '4000',
  'log.index.interval.bytes': '200',
  'log.retention.ms': '-1',
  'file.delete.delay.ms': '1000',
  'leader.imbalance.check.interval.seconds': '10',
  'controlled.shutdown.retry.backoff.ms': '200',
  'min.insync.replicas': '2',
  'default.replication.factor': '3',
  'offsets.topic.num.partitions': '2',
}

/** ZooKeeper and brokers as the product wires them, in one world. */
export class SimulatedCluster {
  readonly world: World
  readonly zookeeper: Process
  readonly brokers: SimulatedBroker[]
  readonly properties: Readonly<Record<string, string>>
  /** undefined while it is down. */
  server: ZooKeeperServer | undefined
  onEvent: (broker: SimulatedBroker, event: RecordedEvent) => void = () => {}

  constructor(world: World, brokers: number, properties: Record<string, string> = {}) {
    this.world = world
    this.properties = { ...PROPERTIES, ...properties }
    this.zookeeper = world.process('zookeeper')
    this.brokers = Array.from({ length: brokers }, (_, id) => new SimulatedBroker(this, id))
    for (const { process } of this.brokers) {
      process.disk.makeDirectory('/data')
      process.disk.syncDirectory('/')
    }
  }

  get bootstrapServers(): string {
    return this.brokers.map(({ id, process }) => `${process.name}:${FIRST_PORT + id}`).join(',')
  }

  async start(): Promise<void> {
    this.startZooKeeper()
    for (const broker of this.brokers) broker.start()
    await this.world.runUntil(() => this.isServing, 60_000, 'every broker serves and knows a controller')
  }

  startZooKeeper(): void {
    const { zookeeper, world } = this
    const { incarnation } = zookeeper
    const logger = tracingLogger(zookeeper)
    startZooKeeperServer(zookeeper.env, {
      host: 'zookeeper',
      port: ZOOKEEPER_PORT,
      dataDir: '/data',
      tickTimeMs: TICK_MS,
      snapCount: 200,
      logger,
      onFailure: (error) => world.fail(error),
    }).then(
      (server) => {
        if (zookeeper.incarnation === incarnation) this.server = server as ZooKeeperServer
      },
      (error: unknown) => {
        if (zookeeper.incarnation === incarnation) world.fail(error)
      },
    )
  }

  killZooKeeper(isPowerCut: boolean): void {
    this.server = undefined
    if (isPowerCut) this.zookeeper.cutPower()
    else this.zookeeper.kill()
  }

  get isServing(): boolean {
    return this.brokers.every(({ running }) => running !== undefined && running.metadata.controllerId >= 0)
  }

  /** A znode's content, from the server's own memory; undefined where there is none. */
  znode(path: string): Buffer | null | undefined {
    return this.server?.database.tree.get(path)?.data
  }

  children(path: string): string[] {
    return [...(this.server?.database.tree.get(path)?.children ?? [])].sort()
  }
}
