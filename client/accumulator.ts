import { BatchBuilder } from '../protocol/records/records'
import { NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, incrementSequence } from '../protocol/records/batch'
import type { Codec } from '../protocol/records/batch'
import type { HeaderInput } from '../protocol/records/records'

export interface RecordMetadata {
  topic: string
  partition: number
  /** -1 when the broker does not tell (acks=0). */
  offset: number
  /** Milliseconds, as stored. */
  timestamp: number
}

interface Waiting {
  resolve: (metadata: RecordMetadata) => void
  reject: (error: Error) => void
  timestamp: number
}

/** Producer epochs are 16 bits. */
const MAX_EPOCH = 32_767

/** Bytes that a batch costs beside its records, counted against `buffer.memory`. */
const BATCH_OVERHEAD = 61

/** Records of one partition that travel together. */
export class ProducerBatch {
  readonly queue: PartitionQueue
  readonly createdMs: number
  /** In the order of creation. */
  readonly number: number
  /** Set when first sent with an idempotent producer. */
  sequence: number = NO_SEQUENCE
  /** Above 0: it was taken to be sent, and takes no more records. */
  attempts = 0
  /** Attempts that failed though there was a connection; `retries` counts these. */
  tries = 0
  readonly waiting: Waiting[] = []
  private readonly records: {
    key: Uint8Array | null
    value: Uint8Array | null
    headers: readonly HeaderInput[]
    timestamp: number
  }[] = []
  private readonly sizer: BatchBuilder
  private bytes = BATCH_OVERHEAD
  private encoded: Buffer | undefined
  private encodedFor = ''
  /** Whether those who sent its records know what became of them. */
  isDone = false

  constructor(queue: PartitionQueue, createdMs: number) {
    this.queue = queue
    this.createdMs = createdMs
    this.number = queue.created++
    this.sizer = new BatchBuilder({}, BATCH_OVERHEAD)
  }

  get count(): number {
    return this.records.length
  }

  get size(): number {
    return this.bytes
  }

  sizeWith(key: Uint8Array | null, value: Uint8Array | null, headers: readonly HeaderInput[]): number {
    return this.bytes + recordSize(this.sizer, key, value, headers)
  }

  append(
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly HeaderInput[],
    timestamp: number,
    waiting: Waiting,
  ): void {
    this.bytes += recordSize(this.sizer, key, value, headers)
    this.records.push({ key, value, headers, timestamp })
    this.waiting.push(waiting)
  }

  /** The batch as it goes over the wire; made again only when the producer's identity changed. */
  encode(codec: Codec, level: number | undefined, producer: ProducerIdentity | undefined, transactional = false): Buffer {
    const wanted = `${producer?.id ?? ''}/${producer?.epoch ?? ''}/${this.sequence}`
    if (this.encoded !== undefined && this.encodedFor === wanted) return this.encoded
    const builder = new BatchBuilder(
      {
        codec,
        ...(level === undefined ? {} : { level }),
        transactional,
        producerId: producer?.id ?? NO_PRODUCER_ID,
        producerEpoch: producer?.epoch ?? NO_PRODUCER_EPOCH,
        baseSequence: producer === undefined ? NO_SEQUENCE : this.sequence,
      },
      this.bytes + 64,
    )
    for (const { key, value, headers, timestamp } of this.records) builder.append(key, value, headers, timestamp)
    this.encoded = builder.build()
    this.encodedFor = wanted
    return this.encoded
  }

  succeed(baseOffset: number, logAppendTimeMs: number): void {
    this.isDone = true
    const { topic, partition } = this.queue
    this.waiting.forEach(({ resolve, timestamp }, index) => {
      resolve({
        topic,
        partition,
        offset: baseOffset < 0 ? -1 : baseOffset + index,
        timestamp: logAppendTimeMs >= 0 ? logAppendTimeMs : timestamp,
      })
    })
  }

  fail(error: Error): void {
    this.isDone = true
    for (const { reject } of this.waiting) reject(error)
  }
}

function recordSize(
  sizer: BatchBuilder,
  key: Uint8Array | null,
  value: Uint8Array | null,
  headers: readonly HeaderInput[],
): number {
  // The deltas are counted at their longest (KafkaProducer estimates an upper bound too).
  return sizer.sizeOf(key, value, headers, 0) + 14
}

export interface ProducerIdentity {
  id: number
  epoch: number
}

/**
 * The batches of one partition, in order. Invariant: at most one list of them is sent again at a time, and while it is, nothing
 * newer goes out; so records keep their order, and sequences have no gap.
 */
export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  /** Complete or growing, not sent yet; the last one takes records. */
  readonly pending: ProducerBatch[] = []
  readonly inFlight: ProducerBatch[] = []
  /** The node that they went to. */
  inFlightTo = -1
  private readonly failed: ProducerBatch[] = []
  nextSequence = 0
  /** Of the idempotent producer in this partition; the epoch is the partition's own (the broker keeps one per partition). */
  identity: ProducerIdentity | undefined
  /**
   * Sequences begin anew in the next epoch: `now` when a batch at the head was refused as out of sequence, for then
   * neither it nor what comes
   * behind it is in the log; `whenClear` when a batch was given up of which that is not known: not before those that were
   * sent behind it have
   * been answered under their sequences, or they could be written twice.
   */
  private restart: 'no' | 'whenClear' | 'now' = 'no'
  /**
   * A batch of this identity is in the log. A leader that has none takes whatever sequence comes first: until then one
   * batch is in flight, or a
   * second one could be stored where the first was refused.
   */
  private isKnownToLeader = false
  /** Number of the newest batch that is known to be in the log; then those before it are there, too, if they had sequences. */
  private newestStored = -1
  /** Number of the newest batch that was given up and had a sequence. */
  private newestGivenUp = -1
  /** Batches so far. */
  created = 0
  /** Not before this time: a back-off after a failure. */
  retryAtMs = 0

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  /** All that have no answer yet. */
  batches(): ProducerBatch[] {
    return [...this.inFlight, ...this.failed, ...this.pending]
  }

  /** The next batch to send, if one may be sent now. `complete` closes it for more records. */
  ready(nowMs: number, lingerMs: number, batchSize: number, mostInFlight: number, hurry: boolean): ProducerBatch | undefined {
    const head = this.pending[0]
    if (head === undefined || this.isWaitingForAnswers(mostInFlight)) return undefined
    return nowMs >= this.dueMs(lingerMs, batchSize, hurry) ? head : undefined
  }

  /** When time lets the head go out; it is there. */
  dueMs(lingerMs: number, batchSize: number, hurry: boolean): number {
    const head = this.pending[0]!
    const lingers = this.pending.length === 1 && head.size < batchSize && !hurry && head.attempts === 0
    return Math.max(this.retryAtMs, lingers ? head.createdMs + lingerMs : 0)
  }

  /** True while time alone lets nothing go out. */
  isWaitingForAnswers(mostInFlight: number): boolean {
    if (this.failed.length > 0 || this.inFlight.length >= mostInFlight) return true
    if (this.identity !== undefined && !this.isKnownToLeader && this.inFlight.length > 0) return true
    if (this.restart === 'no' || this.inFlight.length === 0) return false
    return this.restart === 'now' || this.pending[0]?.sequence === NO_SEQUENCE
  }

  /** Takes the head out to be sent; `producer` is who it is sent by if the partition has no identity yet. */
  take(producer: ProducerIdentity | undefined): ProducerBatch {
    if (producer !== undefined) {
      this.restartIfClear()
      this.identity ??= producer
    }
    const batch = this.pending.shift()!
    if (producer !== undefined && batch.sequence === NO_SEQUENCE) {
      batch.sequence = this.nextSequence
      this.nextSequence = incrementSequence(this.nextSequence, batch.count)
    }
    batch.attempts++
    this.inFlight.push(batch)
    return batch
  }

  done(batch: ProducerBatch): void {
    this.inFlight.splice(this.inFlight.indexOf(batch), 1)
    this.requeue()
  }

  /** To be sent again, once all that is in flight has come back, in the order of before. */
  retry(batch: ProducerBatch, retryAtMs: number): void {
    this.inFlight.splice(this.inFlight.indexOf(batch), 1)
    this.failed.push(batch)
    this.failed.sort((a, b) => a.number - b.number)
    this.retryAtMs = retryAtMs
    this.requeue()
  }

  /** When the oldest batch that has no answer yet was created; Infinity without one. */
  get oldestMs(): number {
    return Math.min(...[this.inFlight, this.failed, this.pending].map(([first]) => first?.createdMs ?? Infinity))
  }

  /** Takes out the batches that are older than `timeoutMs`, also those that are in flight; in their order. */
  expire(nowMs: number, timeoutMs: number): ProducerBatch[] {
    const expired: ProducerBatch[] = []
    for (const batches of [this.inFlight, this.failed, this.pending])
      while (batches.length > 0 && batches[0]!.createdMs + timeoutMs <= nowMs) expired.push(batches.shift()!)
    if (expired.length > 0) this.requeue()
    return expired.sort((a, b) => a.number - b.number)
  }

  get isRecovering(): boolean {
    return this.failed.length > 0
  }

  /** An idempotent batch is in the log. */
  stored(batch: ProducerBatch): void {
    this.isKnownToLeader = true
    this.newestStored = Math.max(this.newestStored, batch.number)
    // One before it was refused because the leader knows only the newest batches of a producer, one after it was restarted.
    if (this.restart === 'now' && this.failed.every((each) => this.mustBeStored(each))) this.restart = 'no'
    // The leader took it behind what was given up: there is no gap.
    if (this.restart === 'whenClear' && batch.number > this.newestGivenUp) this.restart = 'no'
  }

  mustBeStored(batch: ProducerBatch): boolean {
    return batch.number < this.newestStored
  }

  /** A batch that had a sequence was given up. */
  gaveUp(batch: ProducerBatch): void {
    this.newestGivenUp = Math.max(this.newestGivenUp, batch.number)
    if (this.restart === 'no') this.restart = 'whenClear'
  }

  /** The batch at the head was refused for its sequence. */
  restartSequences(): void {
    this.restart = 'now'
  }

  /** The producer has another identity, and nothing is under way: sequences begin anew. */
  renew(): void {
    this.restart = 'no'
    this.isKnownToLeader = false
    this.nextSequence = 0
    this.identity = undefined
  }

  private restartIfClear(): void {
    if (this.restart === 'no' || this.inFlight.length > 0) return
    if (this.restart === 'whenClear' && this.pending[0]?.sequence !== NO_SEQUENCE) return
    this.restart = 'no'
    this.isKnownToLeader = false
    this.nextSequence = 0
    for (const batch of this.pending) batch.sequence = NO_SEQUENCE
    if (this.identity === undefined) return
    const { id, epoch } = this.identity
    // After the last epoch the partition goes on under the id that the producer has by then.
    this.identity = epoch < MAX_EPOCH ? { id, epoch: epoch + 1 } : undefined
  }

  private requeue(): void {
    if (this.inFlight.length > 0 || this.failed.length === 0) return
    this.pending.unshift(...this.failed.splice(0))
  }
}
