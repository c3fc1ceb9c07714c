import { Consumer, Producer } from '../../../index'
import { valueOf } from './history'
import { RdkafkaProducer } from './rdkafka-producer'
import type { EndSeen, History, Seen, Sent } from './history'
import type { TestCluster } from '../../../index'

export interface LoadOptions {
  topic: string
  partitions: number
  /** Of our own producers. Default: 2. */
  clients?: number
  /** And one of librdkafka's, where Python has it. */
  rdkafka?: boolean
  /** When writers give up waiting for an answer and ask again. Default: 5000. */
  requestTimeoutMs?: number
}

/** Records of one client and one partition that wait for their acknowledgement at most. */
const WINDOW = 20
const PAUSE_MS = 4
const PADDING = '.'.repeat(200)

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

/** Takes the padding off. */
export function stripped(value: Buffer | null): string {
  return (value ?? Buffer.alloc(0)).toString('latin1').replace(/\.*$/, '')
}

/**
 * Writers and readers beside which something breaks. Each writer is idempotent, asks for acks=all and writes numbered records to
 * every partition; one reader follows, and one asks again and again how far readers may read.
 */
export class Load {
  readonly sent: Sent[] = []
  readonly polls = new Map<string, Seen[]>()
  readonly ends: EndSeen[] = []
  private readonly cluster: TestCluster
  private readonly options: LoadOptions
  private readonly acknowledged: number[]
  private readonly requestTimeoutMs: number
  private going = true
  private readonly writers: Promise<void>[] = []
  private readonly readers: Promise<void>[] = []
  private readonly rdkafka: RdkafkaProducer | undefined

  constructor(cluster: TestCluster, options: LoadOptions) {
    this.cluster = cluster
    this.options = options
    this.requestTimeoutMs = options.requestTimeoutMs ?? 5000
    this.acknowledged = new Array<number>(options.partitions).fill(0)
    for (let i = 0; i < (options.clients ?? 2); i++) this.writers.push(this.write(`client-${i}`))
    this.readers.push(this.read('reader'), this.watchEnds())
    if (options.rdkafka === true && RdkafkaProducer.isThere()) {
      const { topic, partitions } = options
      const args = [cluster.bootstrapServers, topic, String(partitions), PADDING, String(this.requestTimeoutMs)]
      this.rdkafka = new RdkafkaProducer(args, (partition) => this.acknowledged[partition]!++)
    }
  }

  /** Per partition. */
  counts(): number[] {
    return [...this.acknowledged]
  }

  /** Resolves when every partition has acknowledged `count` records more than now. */
  async progress(why: string, count = 40, timeoutMs = 60_000): Promise<void> {
    const before = this.counts()
    try {
      await this.cluster.until('', timeoutMs, () => Promise.resolve(this.acknowledged.every((each, i) => each >= before[i]! + count)))
    } catch {
      const missing = this.acknowledged.map((each, i) => each - before[i]!)
      throw new Error(`${timeoutMs} ms went by without ${count} acknowledgements in each partition (${missing.join(', ')}) ${why}`)
    }
  }

  /** Ends the writers, when each record has its answer, then the readers; then reads everything once more. */
  async stop(): Promise<History> {
    this.going = false
    await Promise.all(this.writers)
    if (this.rdkafka !== undefined) {
      this.sent.push(...(await this.rdkafka.stop()))
      if (this.rdkafka.fatal.length > 0) throw new Error(`librdkafka's producer ended: ${this.rdkafka.fatal.join('; ')}`)
    }
    await Promise.all(this.readers)
    return { sent: this.sent, polls: this.polls, ends: this.ends, final: await this.readAll() }
  }

  /** Lets everything go, when the test has failed anyway. */
  abandon(): void {
    this.going = false
    this.rdkafka?.kill()
  }

  private async write(client: string): Promise<void> {
    const producer = new Producer({ 'bootstrap.servers': this.cluster.bootstrapServers, 'client.id': client, 'linger.ms': 2, 'request.timeout.ms': this.requestTimeoutMs })
    const waiting = new Array<number>(this.options.partitions).fill(0)
    const outcomes = new Set<Promise<void>>()
    for (let n = 0; this.going; ) {
      for (let partition = 0; partition < this.options.partitions; partition++) {
        if (waiting[partition]! >= WINDOW) continue
        waiting[partition]!++
        const outcome = this.writeOne(producer, client, n++, partition).finally(() => {
          waiting[partition]!--
          outcomes.delete(outcome)
        })
        outcomes.add(outcome)
      }
      await pause(PAUSE_MS)
    }
    await Promise.all(outcomes)
    await producer.close()
  }

  private async writeOne(producer: Producer, client: string, n: number, partition: number): Promise<void> {
    const record: Sent = { client, n, partition, outcome: 'unknown', offset: -1 }
    this.sent.push(record)
    try {
      const { offset } = await producer.send({ topic: this.options.topic, partition, key: client, value: valueOf(record) + PADDING })
      record.outcome = 'acknowledged'
      record.offset = offset
      this.acknowledged[partition]!++
    } catch (error) {
      record.error = String(error)
    }
  }

  private assignment(): { topic: string; partition: number }[] {
    return Array.from({ length: this.options.partitions }, (_, partition) => ({ topic: this.options.topic, partition }))
  }

  private async read(name: string): Promise<void> {
    const seen: Seen[] = []
    this.polls.set(name, seen)
    const consumer = new Consumer({ 'bootstrap.servers': this.cluster.bootstrapServers, 'auto.offset.reset': 'earliest', 'fetch.max.wait.ms': 100 })
    consumer.assign(this.assignment())
    while (this.going) {
      try {
        for (const { partition, offset, value } of await consumer.poll(200)) seen.push({ partition, offset, value: stripped(value) })
      } catch (error) {
        seen.push({ partition: -1, offset: -1, value: `the reader failed: ${String(error)}` })
        break
      }
    }
    await consumer.close()
  }

  private async watchEnds(): Promise<void> {
    const settings = { 'bootstrap.servers': this.cluster.bootstrapServers, 'request.timeout.ms': 3000, 'default.api.timeout.ms': 3000 }
    const consumer = new Consumer(settings)
    const wanted = this.assignment().map((each) => ({ ...each, timestamp: -1 }))
    while (this.going) {
      try {
        for (const [key, { offset, leaderEpoch }] of await consumer.offsetsForTimes(wanted)) {
          this.ends.push({ partition: Number(key.slice(key.lastIndexOf('-') + 1)), offset, leaderEpoch })
        }
      } catch {
        // Nobody to ask just now.
      }
      await pause(50)
    }
    await consumer.close()
  }

  private async readAll(): Promise<Seen[]> {
    const consumer = new Consumer({ 'bootstrap.servers': this.cluster.bootstrapServers, 'auto.offset.reset': 'earliest' })
    const assignment = this.assignment()
    consumer.assign(assignment)
    const ends = await consumer.endOffsets(assignment)
    const final: Seen[] = []
    for (const each of assignment) {
      while ((await consumer.position(each)) < ends.get(`${each.topic}-${each.partition}`)!) {
        for (const { partition, offset, value } of await consumer.poll(1000)) final.push({ partition, offset, value: stripped(value) })
      }
    }
    await consumer.close()
    return final
  }
}
