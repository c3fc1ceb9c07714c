import { Consumer } from '../../../client/consumer'
import { Producer } from '../../../client/producer'
import { TransactionError } from '../../../client/producer/transaction-errors'
import type { OffsetToCommit } from '../../../client/group/committed'
import type { MemberEvent } from '../../clients/support/group-job'
import type { SimulatedCluster } from './cluster'
import type { SeededRandom } from '../world/random'
import type { Process } from '../world/world'

export const GROUP = 'readers'
export const COPY_GROUP = 'copiers'
export const COPY_MARK = '*'

/** A program's own mistake: no other answer of a broker makes it better. */
function isBug(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError
}

/** A client process that is started again when it dies or gives up. */
export abstract class Actor {
  readonly process: Process
  protected readonly cluster: SimulatedCluster
  protected readonly random: SeededRandom
  protected stopping = false
  private running: Promise<void> = Promise.resolve()
  private isUp = false

  constructor(cluster: SimulatedCluster, name: string) {
    this.cluster = cluster
    this.process = cluster.world.process(name)
    this.random = cluster.world.random.fork(name)
  }

  start(): void {
    if (this.isUp) return
    this.isUp = true
    this.running = this.live()
  }

  kill(): void {
    this.isUp = false
    this.process.kill()
  }

  /** Resolves when it has left. */
  stop(): Promise<void> {
    this.stopping = true
    return this.running
  }

  protected get common(): Record<string, string | number | boolean> {
    return {
      'bootstrap.servers': this.cluster.bootstrapServers, 'client.id': this.process.name, 'request.timeout.ms': 3000, 'metadata.max.age.ms': 5000,
      'socket.connection.setup.timeout.ms': 2000, 'default.api.timeout.ms': 8000,
    }
  }

  protected pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.process.env.clock.timer(ms, resolve))
  }

  /** Consumes until told to stop, or until something cannot go on. */
  protected abstract work(): Promise<void>

  private async live(): Promise<void> {
    while (!this.stopping) {
      try {
        await this.work()
      } catch (error) {
        this.process.world.note(this.process, `starts anew: ${String(error)}`)
        if (isBug(error)) return this.process.world.fail(error)
        await this.pause(this.random.between(50, 500))
      }
    }
  }
}

/** A member of a group that reads, and then commits what it has read. */
export class GroupMember extends Actor {
  private readonly topics: readonly string[]
  private readonly onEvent: (event: MemberEvent) => void
  private readonly settings: Record<string, string | number>

  constructor(cluster: SimulatedCluster, name: string, topics: readonly string[], isStatic: boolean, onEvent: (event: MemberEvent) => void) {
    super(cluster, name)
    this.topics = topics
    this.onEvent = onEvent
    this.settings = {
      'session.timeout.ms': this.random.pick([2000, 4000]),
      ...(isStatic ? { 'group.instance.id': name } : {}),
    }
  }

  protected async work(): Promise<void> {
    const { process } = this
    const { world } = process
    const consumer = new Consumer(
      {
        ...this.common, ...this.settings, 'group.id': GROUP, 'heartbeat.interval.ms': 400, 'max.poll.interval.ms': 5000, 'enable.auto.commit': false,
        'auto.offset.reset': 'earliest', 'fetch.max.wait.ms': 300, 'max.poll.records': 50,
      },
      process.env,
    )
    const member = `${process.name}.${process.incarnation}`
    consumer.subscribe(this.topics, {
      onPartitionsAssigned: (partitions) => {
        const names = partitions.map(({ topic, partition }) => `${topic}/${partition}`)
        world.note(process, `assigned ${names.join(',')}`)
        this.onEvent({ kind: 'assigned', member, atMs: world.nowMs, partitions: names })
      },
    })
    try {
      while (!this.stopping) {
        const records = await consumer.poll(300)
        if (records.length === 0) continue
        const ends = new Map<string, OffsetToCommit>()
        for (const { topic, partition, offset, leaderEpoch } of records) {
          this.onEvent({ kind: 'read', member, at: `${topic}/${partition}`, offset })
          ends.set(`${topic}/${partition}`, { topic, partition, offset: offset + 1, leaderEpoch })
        }
        try {
          await consumer.commitSync([...ends.values()], { timeoutMs: 6000 })
          for (const [at, { offset }] of ends) this.onEvent({ kind: 'committed', member, atMs: world.nowMs, at, offset })
        } catch (error) {
          world.note(process, `not committed: ${String(error)}`)
          if (isBug(error)) throw error
        }
      }
    } finally {
      await consumer.close({ timeoutMs: 3000 })
    }
  }
}

/** Consumes one topic, and writes each record to the same partition of another in transactions that commit both. */
export class Copier extends Actor {
  committed = 0
  aborted = 0
  private readonly from: string
  private readonly to: string
  private readonly settings: Record<string, string | number>

  constructor(cluster: SimulatedCluster, name: string, from: string, to: string) {
    super(cluster, name)
    this.from = from
    this.to = to
    this.settings = { 'transaction.timeout.ms': this.random.pick([2000, 5000]), 'linger.ms': this.random.pick([0, 5]) }
  }

  protected async work(): Promise<void> {
    const { env } = this.process
    const producer = new Producer(
      { ...this.common, ...this.settings, 'transactional.id': this.process.name, 'max.block.ms': 6000, 'delivery.timeout.ms': 8000 }, env)
    const consumer = new Consumer(
      {
        ...this.common, 'group.id': COPY_GROUP, 'session.timeout.ms': 3000, 'heartbeat.interval.ms': 400, 'max.poll.interval.ms': 20_000,
        'enable.auto.commit': false, 'auto.offset.reset': 'earliest', 'isolation.level': 'read_committed', 'fetch.max.wait.ms': 300, 'max.poll.records': 30,
      },
      env,
    )
    try {
      await producer.initTransactions()
      consumer.subscribe([this.from])
      while (!this.stopping) {
        const records = await consumer.poll(300)
        if (records.length > 0) await this.copy(producer, consumer, records)
      }
    } finally {
      await consumer.close({ timeoutMs: 3000 })
      await producer.close({ timeoutMs: 3000 })
    }
  }

  private async copy(producer: Producer, consumer: Consumer, records: Awaited<ReturnType<Consumer['poll']>>): Promise<void> {
    const { process } = this
    producer.beginTransaction()
    try {
      const sent = records.map(({ partition, key, value }) => producer.send({ topic: this.to, partition, key, value: `${value!.toString()}${COPY_MARK}` }))
      const done = Promise.all(sent)
      done.catch(() => {})
      if (this.random.chance(0.5)) await this.pause(this.random.between(1, 400))
      if (this.random.chance(0.05)) throw new Error('it has changed its mind')
      await done
      // With its epoch: who goes on from there does not believe a leader that was deposed before.
      const next = new Map(records.map(({ topic, partition, offset, leaderEpoch }) => [partition, { topic, partition, offset: offset + 1, leaderEpoch }]))
      await producer.sendOffsetsToTransaction([...next.values()], consumer.groupMetadata())
      await producer.commitTransaction()
      this.committed++
    } catch (error) {
      process.world.note(process, `gives up a transaction: ${String(error)}`)
      if (isBug(error)) throw error
      if (!(error instanceof TransactionError && error.isFatal)) {
        await producer.abortTransaction()
        this.aborted++
      }
      // Its consumer is ahead of what is committed: it begins again from there.
      throw error
    }
  }
}

/** Follows a topic with read_committed. */
export class CommittedReader {
  readonly process: Process
  /** By partition, in the order of reading. */
  readonly seen: { offset: number; value: string }[][]
  private readonly cluster: SimulatedCluster
  private readonly topic: string
  private stopping = false

  constructor(cluster: SimulatedCluster, topic: string, partitions: number) {
    this.cluster = cluster
    this.topic = topic
    this.process = cluster.world.process('committed-reader')
    this.seen = Array.from({ length: partitions }, () => [])
  }

  get count(): number {
    return this.seen.reduce((sum, { length }) => sum + length, 0)
  }

  start(): void {
    this.read().catch((error: unknown) => this.process.world.fail(error))
  }

  stop(): void {
    this.stopping = true
  }

  private async read(): Promise<void> {
    const consumer = new Consumer(
      {
        'bootstrap.servers': this.cluster.bootstrapServers, 'client.id': this.process.name, 'auto.offset.reset': 'none', 'isolation.level': 'read_committed',
        'request.timeout.ms': 3000, 'fetch.max.wait.ms': 300, 'max.partition.fetch.bytes': 2000, 'metadata.max.age.ms': 5000,
        'default.api.timeout.ms': 600_000, 'socket.connection.setup.timeout.ms': 2000,
      },
      this.process.env,
    )
    const all = this.seen.map((_, partition) => ({ topic: this.topic, partition }))
    consumer.assign(all)
    for (const each of all) consumer.seek(each, 0)
    while (!this.stopping) {
      for (const { partition, offset, value } of await consumer.poll(500)) this.seen[partition]!.push({ offset, value: value!.toString() })
    }
    await consumer.close()
  }
}
