import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBroker } from '../../../../broker/broker'
import { KafkaConfig } from '../../../../broker/config/kafka-config'
import { KafkaConnection } from '../../../../network/kafka-connection'
import { ApiKey, apiByKey } from '../../../../protocol/messages/apis'
import { decode } from '../../../../protocol/messages/codec'
import { encodeRequestFrame } from '../../../../protocol/messages/frames'
import { BatchBuilder } from '../../../../protocol/records/records'
import { parseBrokerConfig } from '../../../../protocol/rules/config-definition'
import { noRecorder } from '../../../../recording/events'
import { silentLogger } from '../../../../runtime/log'
import { Metrics } from '../../../../runtime/metrics'
import { realEnvironment } from '../../../../runtime/real'
import { startZooKeeperServer } from '../../../../zookeeper/server'
import type { Socket } from 'node:net'
import type { Broker, BrokerOptions } from '../../../../broker/broker'
import type { CreateTopicsRequest, CreateTopicsResponse } from '../../../../protocol/messages/create-topics'
import type { FetchRequest, FetchResponse } from '../../../../protocol/messages/fetch'
import type { ProduceRequest, ProduceResponse } from '../../../../protocol/messages/produce'
import type { Input } from '../../../../protocol/messages/schema'
import type { BatchOptions } from '../../../../protocol/records/records'
import type { Logger } from '../../../../runtime/log'
import type { Disk, DiskFile, Environment } from '../../../../runtime/ports'

/** Brokers in this process on an embedded ZooKeeper in memory, on free ports. */
export class RunningCluster {
  readonly brokers: Broker[] = []
  /** Of the last one that was started. */
  metrics = new Metrics()
  readonly fatal: Error[] = []
  readonly directory = mkdtempSync(join(tmpdir(), 'prekraft-test-'))
  zookeeperPort = 0
  /** Directories in which every write fails from now on. */
  readonly failingDirectories = new Set<string>()
  private readonly env = withFailingDisk(realEnvironment(), this.failingDirectories)
  private readonly connections: KafkaConnection[] = []
  private closeZooKeeper: () => Promise<void> = async () => {}

  private options: Partial<BrokerOptions> = {}

  static async start(brokers: number, properties: Record<string, string> = {}, options: Partial<BrokerOptions> = {}): Promise<RunningCluster> {
    const cluster = new RunningCluster()
    cluster.options = options
    const zookeeper = await startZooKeeperServer(cluster.env, { port: 0, tickTimeMs: 500, maxSessionTimeoutMs: 60_000 })
    cluster.zookeeperPort = zookeeper.port
    cluster.closeZooKeeper = () => zookeeper.close()
    for (let id = 0; id < brokers; id++) await cluster.startBroker(id, properties)
    await cluster.until(() =>
      cluster.brokers.every(({ metadata }) => metadata.controllerId >= 0 && [...metadata.allBrokers()].length === brokers),
    )
    return cluster
  }

  async startBroker(id: number, properties: Record<string, string> = {}, logger: Logger = silentLogger): Promise<Broker> {
    const given = {
      'broker.id': String(id),
      listeners: 'PLAINTEXT://127.0.0.1:0',
      'log.dirs': join(this.directory, `broker-${id}`),
      'zookeeper.connect': `127.0.0.1:${this.zookeeperPort}`,
      'offsets.topic.replication.factor': '1',
      'offsets.topic.num.partitions': '3',
      'controlled.shutdown.retry.backoff.ms': '100',
      ...properties,
    }
    this.metrics = new Metrics()
    const broker = await startBroker(this.env, new KafkaConfig(parseBrokerConfig(given).values), {
      logger,
      recorder: noRecorder,
      metrics: this.metrics,
      hostName: '127.0.0.1',
      processId: process.pid,
      onFatal: (error) => this.fatal.push(error),
      ...this.options,
    })
    this.brokers.push(broker)
    return broker
  }

  get port(): number {
    return this.brokers[0]!.portOf('PLAINTEXT')
  }

  async connect(port = this.port): Promise<KafkaConnection> {
    const connection = new KafkaConnection(this.env, { host: '127.0.0.1', port, clientId: 'test', requestTimeoutMs: 20_000 })
    await connection.connect()
    this.connections.push(connection)
    return connection
  }

  raw(port = this.port): Promise<RawClient> {
    return RawClient.connect(port)
  }

  /** Where topics are created: a connection to the active controller. */
  async connectToController(): Promise<KafkaConnection> {
    await this.until(() => this.brokers.some(({ controller }) => controller.isActive()))
    return this.connect(this.brokers.find(({ controller }) => controller.isActive())!.portOf('PLAINTEXT'))
  }

  async createTopic(
    name: string,
    options: { partitions?: number; replicas?: number; configs?: Record<string, string> } = {},
  ): Promise<void> {
    const connection = await this.connectToController()
    const { topics } = await connection.send<CreateTopicsRequest, CreateTopicsResponse>(ApiKey.createTopics, {
      topics: [
        {
          name,
          numPartitions: options.partitions ?? 1,
          replicationFactor: options.replicas ?? 1,
          configs: Object.entries(options.configs ?? {}).map(([key, value]) => ({ name: key, value })),
        },
      ],
      timeoutMs: 10_000,
    })
    if (topics[0]!.errorCode !== 0) throw new Error(`create ${name}: ${topics[0]!.errorCode} ${topics[0]!.errorMessage}`)
    await this.until(() => this.brokers.every(({ metadata }) => metadata.topic(name) !== undefined))
  }

  /** Waits for a condition, never for a time. */
  async until(condition: () => boolean, limitMs = 20_000): Promise<void> {
    const end = Date.now() + limitMs
    while (!condition()) {
      if (Date.now() > end) throw new Error(`never true: ${condition.toString()}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  async close(): Promise<void> {
    for (const connection of this.connections) connection.close()
    for (const broker of this.brokers) await broker.stop()
    await this.closeZooKeeper()
    rmSync(this.directory, { recursive: true, force: true })
  }
}

function withFailingDisk(env: Environment, failing: ReadonlySet<string>): Environment {
  const check = (path: string): void => {
    for (const directory of failing) {
      if (path.startsWith(directory)) throw Object.assign(new Error(`EIO: i/o error, write '${path}'`), { code: 'EIO' })
    }
  }
  const disk: Disk = Object.create(env.disk)
  disk.open = (path, mode, ...rest) => {
    if (mode !== 'read') check(path)
    const file = env.disk.open(path, mode, ...rest)
    const guarded: DiskFile = Object.create(file)
    guarded.write = (source, position) => {
      check(path)
      file.write(source, position)
    }
    guarded.writev = (sources, position) => {
      check(path)
      file.writev(sources, position)
    }
    for (const name of ['read', 'readLater', 'truncate', 'size', 'sync', 'syncNow', 'close'] as const) {
      guarded[name] = (file[name] as (...args: never[]) => never).bind(file) as never
    }
    return guarded
  }
  disk.openLater = async (path, mode, ...rest) => disk.open(path, mode, ...rest)
  return { ...env, disk }
}

/** A socket of a client that may send anything. */
export class RawClient {
  readonly socket: Socket
  private received = Buffer.alloc(0)
  private changed: () => void = () => {}
  isClosed = false

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk) => {
      this.received = Buffer.concat([this.received, chunk])
      this.changed()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.isClosed = true
      this.changed()
    })
  }

  static connect(port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new RawClient(socket)))
      socket.once('error', reject)
    })
  }

  send(apiKey: number, version: number, correlationId: number, body: object): void {
    this.write(...encodeRequestFrame(apiByKey(apiKey)!, version, correlationId, 'raw', body))
  }

  write(...parts: Uint8Array[]): void {
    this.socket.write(Buffer.concat(parts))
  }

  /** Header and body of any request, whatever the API says. */
  writeFrame(apiKey: number, version: number, correlationId: number, rest: Buffer = Buffer.alloc(0)): void {
    const frame = Buffer.alloc(4 + 8 + 2 + rest.length)
    frame.writeInt32BE(10 + rest.length, 0)
    frame.writeInt16BE(apiKey, 4)
    frame.writeInt16BE(version, 6)
    frame.writeInt32BE(correlationId, 8)
    frame.writeInt16BE(-1, 12)
    rest.copy(frame, 14)
    this.write(frame)
  }

  /** The next answer without its size; undefined if the connection ends first. */
  async next(): Promise<Buffer | undefined> {
    while (this.received.length < 4 || this.received.length < 4 + this.received.readInt32BE(0)) {
      if (this.isClosed) return undefined
      await new Promise<void>((resolve) => (this.changed = resolve))
    }
    const size = this.received.readInt32BE(0)
    const frame = this.received.subarray(4, 4 + size)
    this.received = this.received.subarray(4 + size)
    return frame
  }

  async closed(): Promise<void> {
    while (!this.isClosed) await new Promise<void>((resolve) => (this.changed = resolve))
  }

  close(): void {
    this.socket.destroy()
  }
}

/** The body of an answer of a version whose header has no tags. */
export function bodyOf<Response>(apiKey: number, version: number, frame: Buffer, headerBytes = 4): Response {
  return decode(apiByKey(apiKey)!.response, version, frame, headerBytes) as Response
}

export function batch(values: readonly string[], options: BatchOptions = {}): Buffer {
  const builder = new BatchBuilder(options)
  for (const value of values) builder.append(null, Buffer.from(value), [], 1_700_000_000_000)
  return builder.build()
}

export async function produce(
  connection: KafkaConnection,
  topic: string,
  records: Buffer,
  options: { partition?: number; acks?: number; version?: number } = {},
): Promise<ProduceResponse['responses'][number]['partitionResponses'][number]> {
  const body: Input<ProduceRequest> = {
    acks: options.acks ?? -1,
    timeoutMs: 10_000,
    topicData: [{ name: topic, partitionData: [{ index: options.partition ?? 0, records }] }],
  }
  const response = await connection.send<ProduceRequest, ProduceResponse>(
    ApiKey.produce,
    body,
    options.version === undefined ? {} : { version: options.version },
  )
  return response.responses[0]!.partitionResponses[0]!
}

export async function fetch(
  connection: KafkaConnection,
  topic: string,
  offset: number,
  options: { partition?: number; version?: number; maxWaitMs?: number } = {},
): Promise<FetchResponse['responses'][number]['partitions'][number]> {
  const response = await connection.send<FetchRequest, FetchResponse>(
    ApiKey.fetch,
    {
      maxWaitMs: options.maxWaitMs ?? 0,
      minBytes: 1,
      maxBytes: 1_000_000,
      topics: [{ topic, partitions: [{ partition: options.partition ?? 0, fetchOffset: offset, partitionMaxBytes: 1_000_000 }] }],
    },
    { version: options.version ?? 12 },
  )
  return response.responses[0]!.partitions[0]!
}
