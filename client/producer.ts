import { ErrorCode, ProtocolError } from '../protocol/errors'
import { partitionOfKey } from '../protocol/rules/murmur2'
import { realEnvironment } from '../runtime/real'
import { ClosedError, Cluster, TimeoutError } from './cluster'
import { ConfigReader, clientSettings } from './config'
import { ProducerBatch } from './accumulator'
import { partitionKey } from './leaders'
import { leastWaiting } from './producer/adaptive'
import { ProducerInterceptors } from './producer/interceptors'
import { mostBytes } from './producer/record-size'
import { senderSettings } from './producer/settings'
import { TransactionStateError } from './producer/transaction-errors'
import { Transactions } from './producer/transactions'
import { Sender } from './sender'
import type { Environment } from '../runtime/ports'
import type { GroupMember, OffsetToCommit } from './group/committed'
import type { HeaderInput } from '../protocol/records/records'
import type { PartitionQueue, RecordMetadata } from './accumulator'
import type { ProducerConfig } from './config'
import type { SenderSettings } from './sender'

export interface ProducerRecord {
  topic: string
  partition?: number | undefined
  key?: Uint8Array | string | null | undefined
  value: Uint8Array | string | null
  /** Milliseconds; now, if left out. */
  timestamp?: number | undefined
  headers?: readonly { key: string; value: Uint8Array | string | null }[] | undefined
}

/** A record on its way into a batch. */
interface Entry {
  record: ProducerRecord
  key: Uint8Array | null
  value: Uint8Array | null
  headers: readonly HeaderInput[]
  size: number
}

function bytesOf(value: Uint8Array | string | null | undefined): Uint8Array | null {
  if (value === undefined || value === null) return null
  return typeof value === 'string' ? Buffer.from(value) : value
}

/** Writes records: batched per partition, in order, by default idempotent and acknowledged by all in-sync replicas. */
export class Producer {
  private readonly env: Environment
  private readonly cluster: Cluster
  private readonly settings: SenderSettings
  private readonly sender: Sender
  private readonly bufferBytes: number
  private readonly maxBlockMs: number
  private usedBytes = 0
  private readonly blocked: (() => void)[] = []
  private readonly sticky = new Map<string, { partition: number; bytes: number }>()
  private readonly finding = new Map<string, Promise<void>>()
  /** By topic: settles when the last of those that wait for metadata or memory has entered. */
  private readonly lastEntering = new Map<string, Promise<void>>()
  private closing = false
  private readonly transactions: Transactions | undefined
  private readonly interceptors: ProducerInterceptors
  private readonly ignoreKeys: boolean
  private readonly adaptive: boolean

  constructor(config: ProducerConfig, env: Environment = realEnvironment()) {
    const read = new ConfigReader(config)
    this.env = env
    this.settings = senderSettings(config)
    this.bufferBytes = read.whole('buffer.memory', 33_554_432, 0)
    this.maxBlockMs = read.whole('max.block.ms', 60_000, 0)
    this.cluster = new Cluster(env, clientSettings(config, 'producer'))
    const { transactionalId } = this.settings
    if (transactionalId !== null) {
      this.transactions = new Transactions(
        this.cluster,
        transactionalId,
        read.whole('transaction.timeout.ms', 60_000, 1),
        this.maxBlockMs,
      )
    }
    this.sender = new Sender(
      this.cluster,
      this.settings,
      this.transactions,
      (batch) => this.release(batch.size),
      () => this.blocked.length > 0,
    )
    this.transactions?.attach({
      flush: () => this.flush(),
      abort: async (error) => {
        this.sender.failAll(error)
        await this.flush()
        // What was given up in flight must not come behind the marker of the abort.
        await this.sender.whenIdle()
      },
      forgetSequences: () => this.sender.forgetSequences(),
      wake: () => this.sender.wake(),
    })
    this.interceptors = new ProducerInterceptors(config['interceptor.classes'] ?? [])
    this.adaptive = read.flag('partitioner.adaptive.partitioning.enable', true)
    this.ignoreKeys = read.flag('partitioner.ignore.keys', false)
  }

  /**
   * Becomes the one producer of its `transactional.id`: others are fenced, what they left open is aborted. Comes first,
   * once. Like the other
   * transactional calls it waits for `max.block.ms` at most and then throws TimeoutError: call it again.
   */
  initTransactions(): Promise<void> {
    return this.transactional().init()
  }

  /** What is sent from now on counts only if `commitTransaction` succeeds. */
  beginTransaction(): void {
    this.transactional().begin()
  }

  /**
   * Commits what a consumer has consumed with the transaction, or not at all; `member` is `consumer.groupMetadata()`. Its
   * automatic commits
   * must be off.
   */
  sendOffsetsToTransaction(offsets: readonly OffsetToCommit[], member: GroupMember): Promise<void> {
    return this.transactional().sendOffsets(offsets, member)
  }

  /** Sends what waits, and commits. Throws TransactionError: abort when it is not fatal, else close. */
  commitTransaction(): Promise<void> {
    return this.transactional().commit()
  }

  /** Gives up what was sent in the transaction. */
  abortTransaction(): Promise<void> {
    return this.transactional().abort()
  }

  private transactional(): Transactions {
    if (this.closing) throw new ClosedError('the producer is closed')
    if (this.transactions === undefined)
      throw new TransactionStateError(
        'Cannot use transactional methods without enabling transactions by setting the transactional.id configuration property',
      )
    return this.transactions
  }

  /**
   * Resolves when the record has been acknowledged as `acks` says. Waits for metadata and for buffer space up to `max.block.ms`.
   * Records of one topic go into their partitions in the order of the calls.
   */
  async send(record: ProducerRecord): Promise<RecordMetadata> {
    if (this.interceptors.isEmpty) return this.enter(record)
    const changed = this.interceptors.onSend(record)
    try {
      const metadata = await this.enter(changed)
      this.interceptors.onAcknowledgement(metadata, undefined, changed)
      return metadata
    } catch (error) {
      this.interceptors.onAcknowledgement(undefined, error as Error, changed)
      throw error
    }
  }

  private async enter(record: ProducerRecord): Promise<RecordMetadata> {
    if (this.closing) throw new ClosedError('the producer is closed')
    this.transactions?.check()
    const entry = this.entryOf(record)
    const deadline = this.env.clock.monoMs() + this.maxBlockMs
    if (this.lastEntering.size === 0 && this.mayEnter(entry)) return this.take(entry)
    const lane = this.laneOf(record)
    const before = this.lastEntering.get(lane)
    if (before === undefined && this.mayEnter(entry)) return this.take(entry)
    // Who comes later waits behind: what is awaited here may come true before those who waited for it have had their turn.
    const mine = (before ?? Promise.resolve())
      .then(() => this.waitToEnter(entry, deadline))
      .finally(() => {
        if (this.lastEntering.get(lane) === settled) this.lastEntering.delete(lane)
      })
    const settled = mine.then(
      () => {},
      () => {},
    )
    this.lastEntering.set(lane, settled)
    return (await mine).outcome
  }

  /** Who waits for a partition that may come does not hold up the others of the topic. */
  private laneOf(record: ProducerRecord): string {
    const own = partitionKey(record.topic, record.partition ?? -1)
    const isApart = (this.cluster.isKnown(record.topic) && !this.hasPartition(record)) || this.lastEntering.has(own)
    return isApart ? own : record.topic
  }

  private entryOf(record: ProducerRecord): Entry {
    const { timestamp } = record
    if (timestamp !== undefined && !(timestamp >= 0 && timestamp < Infinity))
      throw new RangeError(`Invalid timestamp: ${timestamp}. Timestamp should always be non-negative or null.`)
    const key = bytesOf(record.key)
    const value = bytesOf(record.value)
    const headers = (record.headers ?? []).map((header) => ({ key: header.key, value: bytesOf(header.value) }))
    return { record, key, value, headers, size: mostBytes(key, value, headers) }
  }

  private mayEnter({ record, size }: Entry): boolean {
    return this.cluster.isKnown(record.topic) && this.hasPartition(record) && this.hasSpace(size)
  }

  /** False where metadata that is newer than ours may have it; what no topic has is for `partitionFor` to refuse. */
  private hasPartition({ topic, partition }: ProducerRecord): boolean {
    if (partition === undefined || partition < 0 || !Number.isInteger(partition)) return true
    return partition < this.cluster.topic(topic)!.partitions.length
  }

  private hasSpace(size: number): boolean {
    return this.usedBytes === 0 || this.usedBytes + size <= this.bufferBytes
  }

  /** What it gives settles with the batch; wrapped, for a promise of a promise would be awaited. */
  private async waitToEnter(entry: Entry, deadline: number): Promise<{ outcome: Promise<RecordMetadata> }> {
    while (!this.mayEnter(entry)) {
      if (!this.cluster.isKnown(entry.record.topic)) await this.findTopic(entry.record.topic, deadline)
      if (!this.hasPartition(entry.record)) await this.findPartition(entry.record, deadline)
      if (!this.hasSpace(entry.size)) await this.waitForSpace(deadline)
    }
    return { outcome: this.take(entry) }
  }

  /** Takes the record into its batch. */
  private take({ record, key, value, headers, size }: Entry): Promise<RecordMetadata> {
    if (size > this.settings.maxRequestBytes) {
      throw new ProtocolError(
        ErrorCode.MESSAGE_TOO_LARGE,
        `The message is ${size} bytes when serialized which is larger than ${this.settings.maxRequestBytes}, ` +
          'which is the value of the max.request.size configuration.',
      )
    }
    if (size > this.bufferBytes) {
      throw new ProtocolError(
        ErrorCode.MESSAGE_TOO_LARGE,
        `The message is ${size} bytes when serialized which is larger than ` +
          'the total memory buffer you have configured with the buffer.memory configuration.',
      )
    }
    const queue = this.sender.queue(record.topic, this.partitionFor(record, key, size))
    this.transactions?.add(queue)
    return new Promise<RecordMetadata>((resolve, reject) => {
      this.append(queue, key, value, headers, record.timestamp ?? this.env.clock.wallMs(), resolve, reject)
      this.sender.wake()
    })
  }

  /** Sends what waits; resolves when every record sent so far has its answer. */
  async flush(): Promise<void> {
    // A record that waits for metadata or memory was sent before this call, too; the others do not linger for it.
    if (this.lastEntering.size > 0) await Promise.all([...this.lastEntering.values(), this.sender.flush()])
    await this.sender.flush()
  }

  async partitionsFor(topic: string): Promise<number> {
    if (!this.cluster.isFresh(topic)) await this.findTopic(topic, this.env.clock.monoMs() + this.maxBlockMs)
    return this.cluster.topic(topic)!.partitions.length
  }

  /** Delivers what waits, for `timeoutMs` at most (no limit by default), then closes. A transaction that is open is aborted. */
  async close(options: { timeoutMs?: number } = {}): Promise<void> {
    this.closing = true
    const finished = this.transactions === undefined ? this.flush() : this.transactions.end().then(() => this.flush())
    if (options.timeoutMs === undefined) await finished
    else await this.cluster.within(finished, this.env.clock.monoMs() + options.timeoutMs)
    this.interceptors.close()
    this.cluster.close()
    this.sender.failAll(new ClosedError('the producer is closed'))
    for (const wake of this.blocked.splice(0)) wake()
  }

  private append(
    queue: PartitionQueue,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly HeaderInput[],
    timestamp: number,
    resolve: (metadata: RecordMetadata) => void,
    reject: (error: Error) => void,
  ): void {
    let batch = queue.pending.at(-1)
    if (
      batch === undefined ||
      batch.attempts > 0 ||
      (batch.count > 0 && batch.sizeWith(key, value, headers) > this.settings.batchSize)
    ) {
      batch = new ProducerBatch(queue, this.env.clock.monoMs())
      queue.pending.push(batch)
      this.usedBytes += batch.size
    }
    const before = batch.size
    batch.append(key, value, headers, timestamp, { resolve, reject, timestamp })
    this.usedBytes += batch.size - before
  }

  /** By the record, by its key (murmur2), or the partition that is the topic's for `batch.size` bytes (KIP-480, KIP-794). */
  private partitionFor(record: ProducerRecord, key: Uint8Array | null, size: number): number {
    const { partitions } = this.cluster.topic(record.topic)!
    if (record.partition !== undefined) {
      if (!Number.isInteger(record.partition) || record.partition < 0 || record.partition >= partitions.length) {
        throw new ProtocolError(
          ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
          `partition ${record.partition} of topic ${record.topic} ` +
            `with partition count ${partitions.length} is not present in metadata`,
        )
      }
      return record.partition
    }
    if (key !== null && !this.ignoreKeys) return partitionOfKey(key, partitions.length)
    let sticky = this.sticky.get(record.topic)
    if (sticky === undefined || sticky.bytes >= this.settings.batchSize || sticky.partition >= partitions.length) {
      const available = partitions.filter((each) => each.leader >= 0)
      const choice = available.length > 0 ? available : partitions
      const waiting = choice.map(({ partition }) => (this.adaptive ? this.sender.waiting(record.topic, partition) : 0))
      sticky = { partition: choice[leastWaiting(waiting, this.env.random.next())]!.partition, bytes: 0 }
      this.sticky.set(record.topic, sticky)
    }
    sticky.bytes += size
    return sticky.partition
  }

  private findTopic(topic: string, deadline: number): Promise<void> {
    let found = this.finding.get(topic)
    if (found === undefined) {
      found = this.cluster
        .retrying(
          `finding the leaders of ${topic}`,
          async () => {
            const [metadata] = await this.cluster.metadata([topic], { create: true })
            if (metadata === undefined || metadata.errorCode !== 0)
              throw new ProtocolError(metadata?.errorCode ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
            if (metadata.partitions.length === 0) throw new ProtocolError(ErrorCode.LEADER_NOT_AVAILABLE)
          },
          Math.max(deadline - this.env.clock.monoMs(), 0),
        )
        .catch((error: unknown) => {
          throw error instanceof TimeoutError
            ? new TimeoutError(`Topic ${topic} not present in metadata after ${this.maxBlockMs} ms.`, { cause: error.cause })
            : error
        })
        .finally(() => this.finding.delete(topic))
      this.finding.set(topic, found)
    }
    return found
  }

  /** The topic may have grown since its metadata was read (Kafka's waitOnMetadata). */
  private async findPartition(record: ProducerRecord, deadline: number): Promise<void> {
    const { topic, partition } = record
    const missing = (): string =>
      `Partition ${partition} of topic ${topic} with partition count ${this.cluster.topic(topic)?.partitions.length ?? 0} ` +
      `is not present in metadata after ${this.maxBlockMs} ms.`
    try {
      await this.cluster.retrying(
        `finding partition ${partition} of ${topic}`,
        async () => {
          await this.findTopic(topic, deadline)
          if (!this.hasPartition(record)) throw new ProtocolError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
        },
        Math.max(deadline - this.env.clock.monoMs(), 0),
      )
    } catch (error) {
      throw error instanceof TimeoutError ? new TimeoutError(missing(), { cause: error.cause }) : error
    }
  }

  private async waitForSpace(deadline: number): Promise<void> {
    const leftMs = deadline - this.env.clock.monoMs()
    if (leftMs <= 0)
      throw new TimeoutError(`Failed to allocate memory within the configured max blocking time ${this.maxBlockMs} ms.`)
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        timer.cancel()
        const at = this.blocked.indexOf(wake)
        if (at >= 0) this.blocked.splice(at, 1)
        resolve()
      }
      const timer = this.env.clock.timer(leftMs, wake)
      this.blocked.push(wake)
      this.sender.wake()
    })
  }

  private release(bytes: number): void {
    this.usedBytes -= bytes
    for (const wake of this.blocked.splice(0)) wake()
  }
}
