import { ApiKey } from '../protocol/messages/apis'
import { ErrorCode, ProtocolError, isStaleMetadata } from '../protocol/errors'
import { ClosedError, TimeoutError, mayRetry } from './cluster'
import { NetworkError } from '../network/kafka-connection'
import { PartitionQueue } from './accumulator'
import { NO_SEQUENCE } from '../protocol/records/batch'
import { byTopic, partitionKey } from './leaders'
import type { Cluster } from './cluster'
import type { Codec } from '../protocol/records/batch'
import type { InitProducerIdResponse } from '../protocol/messages/init-producer-id'
import type { ProducerBatch, ProducerIdentity } from './accumulator'
import type { ProduceResponse } from '../protocol/messages/produce'
import type { Timer } from '../runtime/ports'
import type { Transactions } from './producer/transactions'

export interface SenderSettings {
  acks: number
  codec: Codec
  level: number | undefined
  lingerMs: number
  batchSize: number
  maxRequestBytes: number
  maxInFlight: number
  deliveryTimeoutMs: number
  requestTimeoutMs: number
  retries: number
  idempotent: boolean
  transactionalId: string | null
}

/** Errors after which the sequences of this producer id cannot go on. */
function breaksSequence(code: number): boolean {
  return (
    code === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER ||
    code === ErrorCode.UNKNOWN_PRODUCER_ID ||
    code === ErrorCode.INVALID_PRODUCER_EPOCH
  )
}

/**
 * Moves batches from the partition queues to their leaders: several in flight per partition, in order, each settled exactly once
 * (KIP-98). Where a sequence would have a gap the partition goes on in a new producer epoch (KIP-360).
 */
export class Sender {
  private readonly cluster: Cluster
  private readonly settings: SenderSettings
  readonly queues = new Map<string, PartitionQueue>()
  private identity: ProducerIdentity | undefined
  private identityPending: Promise<void> | undefined
  private inFlight = 0
  private readonly perNode = new Map<number, number>()
  private scheduled = false
  private timer: Timer | undefined
  private expiry: { atMs: number; timer: Timer } | undefined
  /** No metadata is asked for before: some has just been asked for, or a partition had no leader. */
  private refreshAtMs = 0
  private readonly idle: (() => void)[] = []
  /** Those who flush, and what each of them waits for. */
  private readonly flushes = new Set<{ left: Set<ProducerBatch>; done: () => void }>()
  private readonly released: (batch: ProducerBatch) => void
  private readonly isExhausted: () => boolean
  private readonly transactions: Transactions | undefined

  constructor(
    cluster: Cluster,
    settings: SenderSettings,
    transactions: Transactions | undefined,
    released: (batch: ProducerBatch) => void,
    /** Somebody waits for memory: what lingers has it. */
    isExhausted: () => boolean,
  ) {
    this.cluster = cluster
    this.settings = settings
    this.transactions = transactions
    this.released = released
    this.isExhausted = isExhausted
  }

  queue(topic: string, partition: number): PartitionQueue {
    const key = partitionKey(topic, partition)
    let queue = this.queues.get(key)
    if (queue === undefined) this.queues.set(key, (queue = new PartitionQueue(topic, partition)))
    return queue
  }

  /** Batches of a partition that were not sent yet. */
  waiting(topic: string, partition: number): number {
    return this.queues.get(partitionKey(topic, partition))?.pending.length ?? 0
  }

  /** Looks soon for what can be sent. */
  wake(): void {
    if (this.scheduled) return
    this.scheduled = true
    this.cluster.env.clock.immediate(() => {
      this.scheduled = false
      this.run().catch((error: unknown) => this.failAll(error instanceof Error ? error : new Error(String(error))))
    })
  }

  /** Sends everything at once, whatever `linger.ms` says; resolves when every record that is here now has its answer. */
  async flush(): Promise<void> {
    const left = new Set([...this.queues.values()].flatMap((queue) => queue.batches()))
    if (left.size === 0) return
    this.wake()
    await new Promise<void>((resolve) => {
      const flush = {
        left,
        done: () => {
          this.flushes.delete(flush)
          resolve()
        },
      }
      this.flushes.add(flush)
    })
  }

  /** Resolves when no request is out, of batches given up neither. */
  async whenIdle(): Promise<void> {
    if (this.inFlight > 0) await new Promise<void>((resolve) => this.idle.push(resolve))
  }

  /** Sequences begin anew in every partition. */
  forgetSequences(): void {
    for (const queue of this.queues.values()) queue.renew()
  }

  /** Fails what is not in flight. */
  failAll(error: Error): void {
    if (this.cluster.isClosed) for (const timer of [this.timer, this.expiry?.timer]) timer?.cancel()
    for (const queue of this.queues.values()) {
      for (const batch of queue.pending.splice(0)) {
        this.leaveGap(batch)
        this.settle(batch, () => batch.fail(error))
      }
    }
  }

  private async run(): Promise<void> {
    // What was in flight when it was closed may have come back to be sent again.
    if (this.cluster.isClosed) return this.failAll(new ClosedError('the producer is closed'))
    this.expire()
    const { transactions } = this
    if (transactions !== undefined) {
      const { failure } = transactions
      if (failure !== undefined) return this.failAll(failure)
      this.identity = transactions.producer
      if (this.identity === undefined) return
    } else if (this.settings.idempotent) await this.ensureIdentity()
    const { clock } = this.cluster.env
    const nowMs = clock.monoMs()
    const stale = new Set<string>()
    const requests = new Map<number, { batches: ProducerBatch[]; bytes: number }>()
    let nextMs = Infinity
    const { lingerMs, batchSize, maxInFlight } = this.settings
    const hurry = this.flushes.size > 0 || this.isExhausted()
    for (const queue of this.queues.values()) {
      if (queue.pending.length === 0) continue
      // The answer to its addition wakes.
      if (transactions !== undefined && !transactions.mayProduce(queue)) continue
      const batch = queue.ready(nowMs, lingerMs, batchSize, maxInFlight, hurry)
      if (batch === undefined) {
        // An answer wakes.
        if (queue.isWaitingForAnswers(maxInFlight)) continue
        nextMs = Math.min(nextMs, queue.dueMs(lingerMs, batchSize, hurry))
        continue
      }
      const leader = this.leaderOf(queue)
      // Others of its topic go on meanwhile: one partition without a leader must not hold them up.
      if (leader === undefined || !this.cluster.isFresh(queue.topic)) stale.add(queue.topic)
      if (leader === undefined) continue
      // What went to a former leader must be answered first: behind its back its sequences could be left out of the
      // leader's window.
      if (queue.inFlight.length > 0 && queue.inFlightTo !== leader) continue
      if ((this.perNode.get(leader) ?? 0) >= maxInFlight) continue
      const request = requests.get(leader) ?? { batches: [], bytes: 0 }
      if (request.bytes > 0 && request.bytes + batch.size > this.settings.maxRequestBytes) {
        nextMs = nowMs
        continue
      }
      request.batches.push(queue.take(this.settings.idempotent ? this.identity : undefined))
      request.bytes += batch.size
      requests.set(leader, request)
      queue.inFlightTo = leader
      if (queue.pending.length > 0) nextMs = nowMs
    }
    for (const [leader, { batches }] of requests) this.send(leader, batches)
    if (stale.size > 0) {
      if (nowMs >= this.refreshAtMs) this.refresh([...stale])
      nextMs = Math.min(nextMs, this.refreshAtMs)
    }
    if (nextMs < Infinity) this.wakeAt(nextMs)
  }

  private leaderOf(queue: PartitionQueue): number | undefined {
    // What was refused goes out again when it has been looked where the leader is.
    if (queue.pending[0]!.attempts > 0 && !this.cluster.isFresh(queue.topic)) return undefined
    const leader = this.cluster.topic(queue.topic)?.partitions.find((each) => each.partition === queue.partition)?.leader ?? -1
    return leader >= 0 && this.cluster.node(leader) !== undefined ? leader : undefined
  }

  private refresh(topics: string[]): void {
    const { env, settings } = this.cluster
    // A node that says nothing must not hold up the question for as long as a request may take.
    this.refreshAtMs = env.clock.monoMs() + settings.retryBackoffMaxMs
    const answered = (): void => {
      // Also where every partition has a leader: ours may not be among them any more.
      this.refreshAtMs = env.clock.monoMs() + settings.retryBackoffMs
      this.wake()
    }
    this.cluster.metadata(topics).then(answered, answered)
  }

  private wakeAt(atMs: number): void {
    this.timer?.cancel()
    // A timer keeps the process from ending.
    if (this.cluster.isClosed) return
    this.timer = this.cluster.env.clock.timer(Math.max(atMs - this.cluster.env.clock.monoMs(), 0), () => this.wake())
  }

  private send(leader: number, taken: ProducerBatch[]): void {
    const { acks, codec, level, requestTimeoutMs, transactionalId } = this.settings
    const encoded = new Map<ProducerBatch, Buffer>()
    for (const batch of taken) {
      try {
        encoded.set(batch, batch.encode(codec, level, batch.queue.identity, transactionalId !== null))
      } catch (error) {
        // No other batch has to suffer for it.
        this.giveUp(batch, error instanceof Error ? error : new Error(String(error)))
      }
    }
    const batches = [...encoded.keys()]
    if (batches.length === 0) return
    this.inFlight++
    this.perNode.set(leader, (this.perNode.get(leader) ?? 0) + 1)
    const body = {
      ...(transactionalId === null ? {} : { transactionalId }),
      acks,
      timeoutMs: requestTimeoutMs,
      topicData: byTopic(batches.map((batch) => ({ topic: batch.queue.topic, partition: batch.queue.partition, batch }))).map(
        ({ topic, partitions }) => ({
          name: topic,
          partitionData: partitions.map(({ partition, batch }) => ({
            index: partition,
            records: encoded.get(batch)!,
          })),
        }),
      ),
    }
    this.cluster
      .send<ProduceResponse>(leader, ApiKey.produce, body, {
        timeoutMs: requestTimeoutMs,
        ...(acks === 0 ? { expectResponse: false } : {}),
      })
      .then(
        (response) => this.answered(batches, response),
        (error: unknown) => {
          for (const batch of batches) {
            this.cluster.forgetTopic(batch.queue.topic)
            if (!batch.isDone) this.failed(batch, error instanceof Error ? error : new Error(String(error)))
          }
        },
      )
      .finally(() => {
        this.inFlight--
        this.perNode.set(leader, this.perNode.get(leader)! - 1)
        if (this.inFlight === 0) for (const resolve of this.idle.splice(0)) resolve()
        this.wake()
      })
      .catch((error: unknown) => this.failAll(error instanceof Error ? error : new Error(String(error))))
  }

  private answered(batches: ProducerBatch[], response: ProduceResponse | undefined): void {
    const answers = new Map<string, ProduceResponse['responses'][number]['partitionResponses'][number]>()
    for (const topic of response?.responses ?? []) {
      for (const each of topic.partitionResponses) answers.set(partitionKey(topic.name, each.index), each)
    }
    for (const batch of batches) {
      const answer = answers.get(partitionKey(batch.queue.topic, batch.queue.partition))
      if (answer !== undefined && isStaleMetadata(answer.errorCode)) this.cluster.forgetTopic(batch.queue.topic)
      // It came too late.
      if (batch.isDone) continue
      if (this.settings.acks === 0) this.succeed(batch, -1, -1)
      else if (answer === undefined)
        this.failed(batch, new ProtocolError(ErrorCode.UNKNOWN_SERVER_ERROR, 'the partition is missing in the answer'))
      else if (answer.errorCode === 0 || answer.errorCode === ErrorCode.DUPLICATE_SEQUENCE_NUMBER)
        this.succeed(batch, answer.baseOffset, answer.logAppendTimeMs)
      else this.failed(batch, new ProtocolError(answer.errorCode, answer.errorMessage ?? undefined))
    }
  }

  private succeed(batch: ProducerBatch, offset: number, logAppendTimeMs: number): void {
    if (batch.sequence !== NO_SEQUENCE) batch.queue.stored(batch)
    batch.queue.done(batch)
    this.settle(batch, () => batch.succeed(offset, logAppendTimeMs))
  }

  private failed(batch: ProducerBatch, error: Error): void {
    const { queue } = batch
    const nowMs = this.cluster.env.clock.monoMs()
    // Kafka's producer takes no batch before there is a connection for it: that there is none is no try.
    if (!(error instanceof NetworkError && error.code === 'CONNECT')) batch.tries++
    const inTime =
      nowMs - batch.createdMs < this.settings.deliveryTimeoutMs &&
      batch.tries <= this.settings.retries &&
      !this.cluster.isClosed
    const sequenceBroken = this.settings.idempotent && error instanceof ProtocolError && breaksSequence(error.code)
    // The leader takes sequences only in order. Where it is stored is not known any more.
    if (sequenceBroken && queue.mustBeStored(batch)) return this.succeed(batch, -1, -1)
    if (this.transactions !== undefined) return this.failedInTransaction(batch, error, inTime, sequenceBroken)
    // A batch behind one that failed is out of order only until that one has been sent again.
    const behindAFailure = sequenceBroken && (queue.isRecovering || queue.inFlight[0] !== batch)
    if (inTime && (mayRetry(error) || sequenceBroken)) {
      if (sequenceBroken && !behindAFailure) queue.restartSequences()
      queue.retry(batch, nowMs + this.cluster.settings.retryBackoffMs)
      return
    }
    this.giveUp(batch, error)
  }

  /** There is no going on in another epoch here: what is given up ends the transaction. */
  private failedInTransaction(batch: ProducerBatch, error: Error, inTime: boolean, sequenceBroken: boolean): void {
    const { queue } = batch
    const transactions = this.transactions!
    const isBehind = sequenceBroken && (queue.isRecovering || queue.inFlight[0] !== batch) && transactions.failure === undefined
    const code = error instanceof ProtocolError ? error.code : 0
    if (
      inTime &&
      transactions.failure === undefined &&
      (isBehind || (mayRetry(error) && code !== ErrorCode.INVALID_PRODUCER_EPOCH))
    ) {
      queue.retry(batch, this.cluster.env.clock.monoMs() + this.cluster.settings.retryBackoffMs)
      return
    }
    this.giveUp(batch, error)
  }

  /** What was taken to be sent, and will not be sent again. */
  private giveUp(batch: ProducerBatch, error: Error): void {
    this.leaveGap(batch)
    batch.queue.done(batch)
    this.transactions?.batchFailed(error)
    this.settle(batch, () => batch.fail(error))
  }

  /** A batch that is given up may be missing in the log: the sequences that follow it are of no use then. */
  private leaveGap(batch: ProducerBatch): void {
    if (batch.sequence === NO_SEQUENCE) return
    if (this.transactions === undefined) batch.queue.gaveUp(batch)
    else this.transactions.sequenceLost()
  }

  private settle(batch: ProducerBatch, how: () => void): void {
    how()
    this.released(batch)
    for (const { left, done } of this.flushes) if (left.delete(batch) && left.size === 0) done()
  }

  /**
   * Fails what is older than `delivery.timeout.ms`, also when a request with it is out: the answer says nothing any more
   * (Kafka's Sender.getExpiredInflightBatches).
   */
  private expire(): void {
    const { deliveryTimeoutMs } = this.settings
    const nowMs = this.cluster.env.clock.monoMs()
    let nextMs = Infinity
    for (const queue of this.queues.values()) {
      for (const batch of queue.expire(nowMs, deliveryTimeoutMs)) {
        const error = new TimeoutError(
          `Expiring ${batch.count} record(s) for ${partitionKey(queue.topic, queue.partition)}:` +
            `${Math.round(nowMs - batch.createdMs)} ms has passed since batch creation`,
        )
        this.leaveGap(batch)
        this.transactions?.batchFailed(error)
        this.settle(batch, () => batch.fail(error))
      }
      nextMs = Math.min(nextMs, queue.oldestMs + deliveryTimeoutMs)
    }
    this.expireAt(nextMs)
  }

  private expireAt(atMs: number): void {
    if (this.expiry !== undefined && this.expiry.atMs <= atMs && atMs < Infinity) return
    this.expiry?.timer.cancel()
    this.expiry = undefined
    if (atMs === Infinity) return
    const timer = this.cluster.env.clock.timer(Math.max(atMs - this.cluster.env.clock.monoMs(), 0), () => {
      this.expiry = undefined
      this.wake()
    })
    this.expiry = { atMs, timer }
  }

  /** The producer id, asked for once. */
  private async ensureIdentity(): Promise<void> {
    if (this.identity !== undefined) return
    this.identityPending ??= this.obtainIdentity().finally(() => {
      this.identityPending = undefined
    })
    await this.identityPending
  }

  private async obtainIdentity(): Promise<void> {
    await this.cluster.retrying(
      'obtaining a producer id',
      async () => {
        const response = await this.cluster.sendToAny<InitProducerIdResponse>(ApiKey.initProducerId, {
          transactionalId: null,
          transactionTimeoutMs: 60_000,
        })
        if (response.errorCode !== 0) throw new ProtocolError(response.errorCode)
        this.identity = { id: response.producerId, epoch: response.producerEpoch }
      },
      this.settings.deliveryTimeoutMs,
    )
  }
}
