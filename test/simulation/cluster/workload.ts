import { Consumer } from '../../../client/consumer'
import { Producer } from '../../../client/producer'
import type { SimulatedCluster } from './cluster'
import type { SeededRandom } from '../world/random'
import type { Process } from '../world/world'

export interface Topic {
  name: string
  partitions: number
}

export interface Acknowledged {
  topic: string
  partition: number
  offset: number
  key: string
  value: string
}

const KEYS = 5
/** Records of one writer that may wait for their answer. */
const MOST_WAITING = 40

/** A client process that writes numbered records under a few keys, and remembers what was acknowledged. */
export class Writer {
  readonly process: Process
  readonly acknowledged: Acknowledged[] = []
  failed = 0
  topics: readonly Topic[]
  private readonly cluster: SimulatedCluster
  private readonly random: SeededRandom
  private producer: Producer | undefined
  private next = 0
  private waiting = 0
  private stopping = false

  constructor(cluster: SimulatedCluster, name: string, topics: readonly Topic[]) {
    this.cluster = cluster
    this.topics = topics
    this.process = cluster.world.process(name)
    this.random = cluster.world.random.fork(name)
  }

  start(): void {
    const { random } = this
    this.waiting = 0
    this.producer = new Producer(
      {
        'bootstrap.servers': this.cluster.bootstrapServers,
        'client.id': this.process.name,
        'request.timeout.ms': 3000,
        'delivery.timeout.ms': random.pick([6000, 30_000]),
        'max.block.ms': 10_000,
        'linger.ms': random.pick([0, 5, 20]),
        'batch.size': random.pick([100, 400, 2000]),
        'socket.connection.setup.timeout.ms': 2000,
        'compression.type': random.pick(['none', 'none', 'gzip', 'snappy', 'lz4', 'zstd']),
        'metadata.max.age.ms': 5000,
      },
      this.process.env,
    )
    void this.write(this.producer)
  }

  kill(): void {
    this.process.kill()
    this.producer = undefined
  }

  /** Resolves when every record has its answer. */
  async stop(): Promise<void> {
    this.stopping = true
    await this.producer?.close()
  }

  private async write(producer: Producer): Promise<void> {
    const { clock } = this.process.env
    while (!this.stopping) {
      for (let count = 1 + this.random.below(4); count > 0 && this.waiting < MOST_WAITING; count--) this.send(producer)
      await new Promise<void>((resolve) => clock.timer(this.random.between(5, 200), resolve))
    }
  }

  private send(producer: Producer): void {
    const { name } = this.random.pick(this.topics)
    const key = `${this.process.name}-k${this.random.below(KEYS)}`
    const value = `${this.process.name}:${this.next++}`
    this.waiting++
    producer.send({ topic: name, key, value }).then(
      ({ topic, partition, offset }) => {
        this.waiting--
        this.acknowledged.push({ topic, partition, offset, key, value })
        this.process.world.note(this.process, `acknowledged ${value} ${topic}-${partition}@${offset}`)
      },
      (error: unknown) => {
        this.waiting--
        this.failed++
        this.process.world.note(this.process, `not acknowledged ${value}: ${String(error)}`)
        if (error instanceof TypeError || error instanceof RangeError) this.process.world.fail(error)
      },
    )
  }
}

/** A client process that reads everything, and remembers it: what was once read is read for ever (I2, I15). */
export class Reader {
  readonly process: Process
  readonly seen = new Map<string, string>()
  private readonly cluster: SimulatedCluster
  private readonly topics: readonly Topic[]
  private readonly next = new Map<string, number>()
  private stopping = false

  constructor(cluster: SimulatedCluster, name: string, topics: readonly Topic[]) {
    this.cluster = cluster
    this.topics = topics
    this.process = cluster.world.process(name)
  }

  start(): void {
    this.read().catch((error: unknown) => this.process.world.fail(error))
  }

  stop(): void {
    this.stopping = true
  }

  /** Offset of the next record of a partition: all before it were read. */
  position(topic: string, partition: number): number {
    return this.next.get(`${topic}-${partition}`) ?? 0
  }

  private async read(): Promise<void> {
    const consumer = new Consumer(
      {
        'bootstrap.servers': this.cluster.bootstrapServers,
        'client.id': this.process.name,
        'auto.offset.reset': 'none',
        'request.timeout.ms': 3000,
        'fetch.max.wait.ms': 300,
        'max.partition.fetch.bytes': 1000,
        'metadata.max.age.ms': 5000,
        'default.api.timeout.ms': 600_000,
        'socket.connection.setup.timeout.ms': 2000,
      },
      this.process.env,
    )
    const all = this.topics.flatMap(({ name, partitions }) => Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })))
    consumer.assign(all)
    for (const each of all) consumer.seek(each, 0)
    while (!this.stopping) {
      for (const { topic, partition, offset, value } of await consumer.poll(500)) {
        const name = `${topic}-${partition}`
        const expected = this.position(topic, partition)
        if (offset !== expected) throw new Error(`read ${name}@${offset} where ${expected} was to come`)
        this.next.set(name, offset + 1)
        this.seen.set(`${name}@${offset}`, value!.toString())
      }
    }
    await consumer.close()
  }
}
