import { Admin, Consumer, Producer } from '../../../index'
import { copyAnomalies } from './check'
import { Copier } from './copier'
import { MARK } from './job'
import type { Content } from './check'
import type { CopierKind } from './copier'
import type { TestCluster } from '../../../index'

export const TRANSACTION_TIMEOUT_MS = 8000
const SESSION_TIMEOUT_MS = 6000
const HOLD_MS = 60
const PARTITIONS = 3
const KEYS = 4

/** What the brokers of these trials are started with. */
export const OVERRIDES = {
  'zookeeper.session.timeout.ms': '4000', 'replica.lag.time.max.ms': '6000', 'offsets.topic.num.partitions': '4', 'transaction.state.log.num.partitions': '4',
  'group.initial.rebalance.delay.ms': '200', 'transaction.abort.timed.out.transaction.cleanup.interval.ms': '1000', 'min.insync.replicas': '2',
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

/** What a copy asks of a cluster. */
type Cluster = Pick<TestCluster, 'bootstrapServers' | 'until'>

/** One client's copy: its input as it is written, its copiers, and a reader of its output. */
export class Line {
  readonly kind: CopierKind
  readonly input: string
  readonly output: string
  readonly group: string
  readonly copiers: Copier[]
  /** What a consumer with read_committed has seen so far, by partition. */
  readonly seen = new Map<number, { offset: number; value: string }[]>()
  /** Records of the input that were acknowledged, by partition. */
  readonly written: number[] = new Array<number>(PARTITIONS).fill(0)
  private readonly cluster: Cluster
  private writing = true
  private reading = true
  private readonly writer: Promise<void>
  private readonly reader: Promise<void>

  constructor(cluster: Cluster, kind: CopierKind, name: string, createdTopics: { input: string; output: string }) {
    this.cluster = cluster
    this.kind = kind
    this.input = createdTopics.input
    this.output = createdTopics.output
    this.group = `copy-${name}`
    this.copiers = Array.from({ length: kind.count }, (_, i) => new Copier(kind, {
      bootstrap: cluster.bootstrapServers, client: `${name}-${i}`, group: this.group, input: this.input, output: this.output,
      transactionalId: `${name}-${i}`, transactionTimeoutMs: TRANSACTION_TIMEOUT_MS, sessionTimeoutMs: SESSION_TIMEOUT_MS, holdMs: HOLD_MS,
    }))
    this.writer = this.write()
    this.reader = this.read()
    this.writer.catch(() => {})
    this.reader.catch(() => {})
  }

  get seenTotal(): number {
    return [...this.seen.values()].reduce((sum, { length }) => sum + length, 0)
  }

  get writtenTotal(): number {
    return this.written.reduce((sum, count) => sum + count, 0)
  }

  /** Ends the input; resolves when all of it was copied, or `timeoutMs` is over. */
  async finish(timeoutMs: number): Promise<void> {
    this.writing = false
    await this.writer
    await this.cluster.until('', timeoutMs, () => Promise.resolve(this.seenTotal >= this.writtenTotal)).catch(() => {})
    await Promise.all(this.copiers.map((copier) => copier.stop()))
    this.reading = false
    await this.reader
  }

  /** What is wrong with the copy, after `finish`. */
  async anomalies(): Promise<string[]> {
    const [input, output] = await Promise.all([this.content(this.input), this.content(this.output)])
    const ends = await this.ends()
    return copyAnomalies({ client: this.kind.name, input, output, seen: this.seen, mark: MARK, ends })
  }

  abandon(): void {
    this.writing = false
    this.reading = false
    for (const copier of this.copiers) copier.abandon()
  }

  private async write(): Promise<void> {
    const producer = new Producer({ 'bootstrap.servers': this.cluster.bootstrapServers, 'linger.ms': 2, 'request.timeout.ms': 5000 })
    for (let n = 0; this.writing; n++) {
      const sent = Array.from({ length: PARTITIONS }, (_, partition) =>
        producer.send({ topic: this.input, partition, key: `k${n % KEYS}`, value: `${partition}:${n}` }).then(() => void this.written[partition]!++))
      await Promise.all(sent)
      await pause(40)
    }
    await producer.close()
  }

  private assignment(topic: string): { topic: string; partition: number }[] {
    return Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }))
  }

  private consumer(isolation: 'read_committed' | 'read_uncommitted'): Consumer {
    return new Consumer({
      'bootstrap.servers': this.cluster.bootstrapServers, 'auto.offset.reset': 'earliest', 'isolation.level': isolation, 'fetch.max.wait.ms': 100,
    })
  }

  private async read(): Promise<void> {
    const consumer = this.consumer('read_committed')
    consumer.assign(this.assignment(this.output))
    for (const { partition } of this.assignment(this.output)) this.seen.set(partition, [])
    while (this.reading) {
      for (const { partition, offset, value } of await consumer.poll(200)) this.seen.get(partition)!.push({ offset, value: value!.toString() })
    }
    await consumer.close()
  }

  private async content(topic: string): Promise<Content> {
    const consumer = this.consumer('read_committed')
    const assignment = this.assignment(topic)
    consumer.assign(assignment)
    const ends = await consumer.endOffsets(assignment)
    const content = new Map<number, { offset: number; value: string }[]>(assignment.map(({ partition }) => [partition, []]))
    for (const each of assignment) {
      while ((await consumer.position(each)) < ends.get(`${topic}-${each.partition}`)!) {
        for (const { partition, offset, value } of await consumer.poll(500)) content.get(partition)!.push({ offset, value: value!.toString() })
      }
    }
    await consumer.close()
    return content
  }

  private async ends(): Promise<Map<number, { stable: number; high: number }>> {
    const ends = new Map<number, { stable: number; high: number }>()
    const committed = this.consumer('read_committed')
    const uncommitted = this.consumer('read_uncommitted')
    // A transaction that nobody ended is over when its time is.
    await this.cluster.until('', TRANSACTION_TIMEOUT_MS + 10_000, async () => {
      const stable = await committed.endOffsets(this.assignment(this.output))
      const high = await uncommitted.endOffsets(this.assignment(this.output))
      for (const { topic, partition } of this.assignment(this.output)) {
        ends.set(partition, { stable: stable.get(`${topic}-${partition}`)!, high: high.get(`${topic}-${partition}`)! })
      }
      return [...ends.values()].every((end) => end.stable === end.high)
    }).catch(() => {})
    await Promise.all([committed.close(), uncommitted.close()])
    return ends
  }
}

let trials = 0

/** Several clients copy at once while something breaks. */
export class CopyTrial {
  readonly cluster: TestCluster
  readonly lines: Line[]
  readonly random: () => number

  private constructor(cluster: TestCluster, lines: Line[], random: () => number) {
    this.cluster = cluster
    this.lines = lines
    this.random = random
  }

  static async start(cluster: TestCluster, kinds: readonly CopierKind[], random: () => number): Promise<CopyTrial> {
    const number = trials++
    const admin = new Admin({ 'bootstrap.servers': cluster.bootstrapServers })
    const names = kinds.map(({ name }) => ({ input: `in-${name}-${number}`, output: `out-${name}-${number}` }))
    try {
      const topics = names.flatMap(({ input, output }) => [input, output]).map((name) => ({ name, partitions: PARTITIONS, replicationFactor: 3 }))
      await admin.createTopics(topics)
    } finally {
      await admin.close()
    }
    await cluster.waitUntilHealthy()
    return new CopyTrial(cluster, kinds.map((kind, i) => new Line(cluster, kind, `${kind.name}-${number}`, names[i]!)), random)
  }

  /** Every client copies `count` records more. */
  async progress(why: string, count = 60, timeoutMs = 90_000): Promise<void> {
    const goals = this.lines.map((line) => line.seenTotal + count)
    const late = (): Line[] => this.lines.filter((line, i) => line.seenTotal < goals[i]!)
    try {
      await this.cluster.until('', timeoutMs, () => Promise.resolve(late().length === 0))
    } catch {
      const told = late().map(({ kind, seenTotal, writtenTotal, copiers }) =>
        `${kind.name} (${seenTotal} of ${writtenTotal}; ${copiers.flatMap(({ endings }) => endings).slice(-3).join('; ')})`)
      throw new Error(`${timeoutMs} ms went by without ${count} more copies ${why}: ${told.join(', ')}`)
    }
  }

  /** Ends it; throws with all that is wrong. */
  async finish(timeoutMs = 90_000): Promise<void> {
    await Promise.all(this.lines.map((line) => line.finish(timeoutMs)))
    const anomalies = (await Promise.all(this.lines.map((line) => line.anomalies()))).flat()
    if (anomalies.length === 0) return
    const endings = this.lines.flatMap(({ copiers }) => copiers.flatMap(({ job, endings: all }) => all.slice(-4).map((each) => `${job.client} ended: ${each}`)))
    throw new Error(`The copies are not exact:\n  ${[...anomalies.slice(0, 20), ...endings].join('\n  ')}`)
  }

  abandon(): void {
    for (const line of this.lines) line.abandon()
  }
}
