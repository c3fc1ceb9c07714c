import { Admin, Producer } from '../../index'
import { Trickle } from '../clients/support/group-run'
import { Coordinated } from './coordinated'
import { compacted } from './log-steps'
import { pause } from './mixed-cluster'
import { readCommitted } from './transaction-steps'
import type { Ends } from './coordinated'
import type { Run } from './mixed-run'

/** Of one partition each. */
const WIDE = Array.from({ length: 100 }, (_, i) => `wide-${i}`)
/** Compacted; the second is written in transactions, of which every third is aborted. */
const TABLES = ['table', 'ledger'] as const
const OPENED = 'opened'
const IDLE = 'idle'
const KEYS = 40
const ROUND_MS = { table: 100, ledger: 400 } as const

/** Replicas for `count` partitions on three brokers, each of them first for a third. */
export function spread(count: number): number[][] {
  return Array.from({ length: count }, (_, i) => [
    i % 3,
    (i + 1 + (Math.floor(i / 3) % 2)) % 3,
    (i + 2 - (Math.floor(i / 3) % 2)) % 3,
  ])
}

/** Writes a compacted topic over and over, and knows what is the last of each key. */
class Table {
  readonly expected: Map<string, string>[]
  readonly topic: (typeof TABLES)[number]
  written = 0
  private going = true
  private readonly done: Promise<void>

  constructor(bootstrapServers: string, topic: (typeof TABLES)[number], partitions: number) {
    this.topic = topic
    this.expected = Array.from({ length: partitions }, () => new Map())
    const common = { 'bootstrap.servers': bootstrapServers, 'linger.ms': 2, 'request.timeout.ms': 5000 }
    const inTransactions = { 'transactional.id': topic, 'transaction.timeout.ms': 300_000 }
    this.done = this.write(new Producer(topic === 'ledger' ? { ...common, ...inTransactions } : common))
    this.done.catch(() => undefined)
  }

  async stop(): Promise<void> {
    this.going = false
    await this.done
  }

  private async write(producer: Producer): Promise<void> {
    const inTransactions = this.topic === 'ledger'
    if (inTransactions) await producer.initTransactions()
    for (let round = 0; this.going; round++) {
      const sent: Promise<unknown>[] = []
      const isToCommit = !inTransactions || round % 3 > 0
      if (inTransactions) producer.beginTransaction()
      for (const [partition, map] of this.expected.entries()) {
        for (let n = round % 4; n < KEYS; n += 4) {
          const key = `key-${n}`
          const value = (n + round) % 13 === 0 ? null : `${round}:${'x'.repeat(60)}`
          sent.push(producer.send({ topic: this.topic, partition, key, value }))
          this.written++
          if (!isToCommit) continue
          if (value === null) map.delete(key)
          else map.set(key, value)
        }
      }
      await Promise.all(sent)
      if (inTransactions) await (isToCommit ? producer.commitTransaction() : producer.abortTransaction())
      await pause(ROUND_MS[this.topic])
    }
    await producer.close()
  }
}

/** Transactions that are open while a broker changes. */
class OpenTransactions {
  private readonly committed: string[] = []
  private readonly producer: Producer
  private readonly partitions: number
  private n = 0

  constructor(bootstrapServers: string, partitions: number) {
    this.partitions = partitions
    this.producer = new Producer({
      'bootstrap.servers': bootstrapServers,
      'transactional.id': OPENED,
      'transaction.timeout.ms': 300_000,
      'request.timeout.ms': 5000,
    })
  }

  async init(): Promise<void> {
    await this.producer.initTransactions()
  }

  /** Writes to all partitions in a new transaction. */
  async begin(): Promise<void> {
    this.producer.beginTransaction()
    await this.write('before')
  }

  /** Writes more in the same, and ends it. */
  async end(isToCommit: boolean): Promise<void> {
    await this.write('after')
    if (isToCommit) {
      await this.producer.commitTransaction()
      this.committed.push(`${this.n} before`, `${this.n} after`)
    } else {
      await this.producer.abortTransaction()
    }
    this.n++
  }

  /** What is wrong with what a consumer with read_committed sees. */
  async anomalies(run: Run): Promise<string[]> {
    await this.producer.close()
    const read = await readCommitted(run, OPENED)
    return Array.from({ length: this.partitions }, (_, partition) => {
      const found = (read.get(partition) ?? []).map(({ value }) => value).join()
      const wanted = this.committed.join()
      return found === wanted ? '' : `${OPENED}-${partition} has ${found}, committed was ${wanted}`
    }).filter((each) => each !== '')
  }

  private async write(when: string): Promise<void> {
    const all = Array.from({ length: this.partitions }, (_, partition) => partition)
    await Promise.all(all.map((partition) => this.producer.send({ topic: OPENED, partition, value: `${this.n} ${when}` })))
  }
}

/** A hundred topics and some more, with everything that a cluster is used for. */
export class MigrationLoad {
  readonly open: OpenTransactions
  private readonly run: Run
  private readonly load: Coordinated
  private readonly tables: Table[]
  private readonly wide: Trickle

  private constructor(run: Run, load: Coordinated) {
    const { bootstrapServers } = run.cluster
    this.run = run
    this.load = load
    this.tables = TABLES.map((topic) => new Table(bootstrapServers, topic, 6))
    this.wide = new Trickle(bootstrapServers, new Map(WIDE.map((topic) => [topic, 1])))
    this.open = new OpenTransactions(bootstrapServers, 6)
  }

  static async start(run: Run): Promise<MigrationLoad> {
    const safe = { 'min.insync.replicas': '2' }
    for (const [i, replicas] of spread(WIDE.length).entries()) await run.createTopic(WIDE[i]!, [replicas], safe)
    await run.createTopic(OPENED, spread(6), safe)
    for (const topic of TABLES) {
      await run.createTopic(topic, spread(6), {
        ...safe,
        'cleanup.policy': 'compact',
        'segment.bytes': '20000',
        'min.cleanable.dirty.ratio': '0.01',
        'delete.retention.ms': '100',
      })
      run.cleaned.add(topic)
    }
    const load = await Coordinated.start(run, { name: 'm', orders: spread(12), copied: spread(3) })
    const all = new MigrationLoad(run, load)
    await all.open.init()
    const admin = new Admin({ 'bootstrap.servers': run.cluster.bootstrapServers })
    const offsets = WIDE.map((topic, i) => ({ topic, partition: 0, offset: i + 1, metadata: `m${i}` }))
    const results = await admin.alterConsumerGroupOffsets(IDLE, offsets).finally(() => admin.close())
    for (const { error } of results) if (error !== undefined) throw error
    await load.progress('at the beginning')
    load.check('orderly')
    return all
  }

  /** Everybody got on, and nothing that was committed is gone. */
  async progress(why: string, ends: Ends): Promise<void> {
    const round = this.wide.rounds + 2
    await this.load.progress(why)
    await this.run.cluster.until(`records are written to every topic ${why}`, 30_000, () =>
      Promise.resolve(this.wide.rounds >= round),
    )
    this.load.check(ends)
    const admin = new Admin({ 'bootstrap.servers': this.run.cluster.bootstrapServers })
    const offsets = await admin.listConsumerGroupOffsets(IDLE).finally(() => admin.close())
    for (const [i, topic] of WIDE.entries()) {
      const found = offsets.get(`${topic}-0`)
      if (found?.offset !== i + 1 || found.metadata !== `m${i}`)
        throw new Error(`${IDLE} has ${JSON.stringify(found)} for ${topic}`)
    }
  }

  /** Ends it, and says what is wrong. */
  async finish(): Promise<string[]> {
    await Promise.all(this.tables.map((table) => table.stop()))
    await this.wide.stop()
    const found = [...(await this.load.finish()), ...(await this.open.anomalies(this.run)), ...(await this.lostOrRepeated())]
    for (const { topic, expected, written } of this.tables)
      await compacted(this.run, topic, expected, written).catch((error: unknown) => found.push((error as Error).message))
    return found
  }

  /** What was written to the hundred topics: each record once, in order. */
  private async lostOrRepeated(): Promise<string[]> {
    const written = Array.from({ length: this.wide.rounds }, (_, n) => `${n}`).join()
    const found: string[] = []
    for (const topic of WIDE) {
      const read = ((await readCommitted(this.run, topic)).get(0) ?? []).map(({ value }) => value).join()
      if (read !== written) found.push(`${topic} has ${read}, written was ${written}`.slice(0, 1000))
    }
    return found
  }

  async abandon(): Promise<void> {
    await this.load.abandon()
    await Promise.race([Promise.all([...this.tables.map((table) => table.stop()), this.wide.stop()]).catch(() => undefined), pause(5000)])
  }
}
