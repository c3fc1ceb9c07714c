import { TimeoutError } from '../cluster'
import { partitionKey } from '../leaders'
import { RequestFailure, TransactionRequests } from './transaction-requests'
import { TransactionError, TransactionStateError, consequenceOfBatch } from './transaction-errors'
import type { Cluster } from '../cluster'
import type { GroupMember, OffsetToCommit } from '../group/committed'
import type { ProducerIdentity } from '../accumulator'
import type { TopicPartition } from '../leaders'

type State = 'uninitialized' | 'ready' | 'open' | 'committing' | 'aborting' | 'abortable' | 'fatal'

/** What the transactions need of the producer's sender. */
export interface Batches {
  /** Sends all that waits; resolves when everything has its answer. */
  flush(): Promise<void>
  /** Gives up what was not sent; resolves when what was has its answer. */
  abort(error: Error): Promise<void>
  /** Sequences begin anew: the producer has another epoch. */
  forgetSequences(): void
  wake(): void
}

/** The transactions of one producer, one after the other (KIP-98; Kafka's TransactionManager). */
export class Transactions {
  private readonly cluster: Cluster
  private readonly requests: TransactionRequests
  private readonly maxBlockMs: number
  private batches: Batches | undefined
  private state: State = 'uninitialized'
  private identity: ProducerIdentity | undefined
  private readonly added = new Map<string, TopicPartition>()
  private readonly toAdd = new Map<string, TopicPartition>()
  private adding: Promise<void> | undefined
  private hasOffsets = false
  /** Settles when the last of the offsets that were to be sent are; never rejects. */
  private lastOffsets: Promise<void> = Promise.resolve()
  private needsBump = false
  private lastError: unknown
  /** A call that did not finish in time goes on; the same call takes it up again. */
  private underWay: { what: string; promise: Promise<void> } | undefined

  constructor(cluster: Cluster, transactionalId: string, timeoutMs: number, maxBlockMs: number) {
    this.cluster = cluster
    this.maxBlockMs = maxBlockMs
    this.requests = new TransactionRequests(cluster, transactionalId, timeoutMs)
  }

  attach(batches: Batches): void {
    this.batches = batches
  }

  get producer(): ProducerIdentity | undefined {
    return this.identity
  }

  /** Why nothing may be sent; undefined while all is well. */
  get failure(): Error | undefined {
    if (this.state === 'abortable' || this.state === 'fatal') return this.error()
    return this.state === 'aborting'
      ? new TransactionError('Failing batch since transaction was aborted', false, this.lastError)
      : undefined
  }

  /** Becomes the producer of this transactional id: those before are fenced, what they left open is aborted. */
  init(): Promise<void> {
    if (this.underWay === undefined && this.state !== 'uninitialized')
      return this.refuse('initTransactions', 'it was called before')
    return this.block('initTransactions', async () => {
      this.identity = await this.requests.initProducerId(undefined)
      this.state = 'ready'
    })
  }

  begin(): void {
    this.throwFailure()
    if (this.state !== 'ready')
      throw new TransactionStateError(
        `beginTransaction in state ${this.state}: ` +
          (this.state === 'uninitialized' ? 'initTransactions comes first' : 'a transaction is open'),
      )
    this.state = 'open'
  }

  /** Throws where a record cannot be sent. */
  check(): void {
    this.throwFailure()
    if (this.state !== 'open') throw new TransactionStateError(`send in state ${this.state}: beginTransaction comes first`)
  }

  get isOpen(): boolean {
    return this.state === 'open' || this.state === 'abortable'
  }

  /** A record for this partition is about to be sent; `check` was called before, and a commit waits for what came before it. */
  add(partition: TopicPartition): void {
    this.throwFailure()
    const key = partitionKey(partition.topic, partition.partition)
    if (!this.added.has(key)) this.toAdd.set(key, partition)
  }

  /** Whether batches of this partition may go out; if not, sees to it that they may soon. */
  mayProduce({ topic, partition }: TopicPartition): boolean {
    if (this.added.has(partitionKey(topic, partition))) return this.failure === undefined
    this.addPartitions()
    return false
  }

  /**
   * Offsets that are committed with the transaction, or not at all. Throws what `commit` would throw, too. Each call sends its own, one
   * after the other; what takes too long goes on, and a commit or an abort waits for it.
   */
  async sendOffsets(offsets: readonly OffsetToCommit[], member: GroupMember): Promise<void> {
    this.refuseAnother('sendOffsetsToTransaction')
    this.throwFailure()
    if (this.state !== 'open')
      throw new TransactionStateError(`sendOffsetsToTransaction in state ${this.state}: beginTransaction comes first`)
    if (offsets.length === 0) return
    const mine = [...offsets]
    const sent = this.lastOffsets.then(() => this.run(() => this.sendOffsetsNow(mine, member)))
    this.lastOffsets = sent.catch(() => {})
    await this.inTime('sendOffsetsToTransaction', sent)
  }

  private async sendOffsetsNow(offsets: readonly OffsetToCommit[], member: GroupMember): Promise<void> {
    this.throwFailure()
    await this.requests.addOffsets(this.identity!, member.groupId)
    this.hasOffsets = true
    this.throwFailure()
    await this.requests.commitOffsets(this.identity!, member, offsets)
  }

  /** Sends what waits, then commits. When it throws TimeoutError it is not known whether it was committed: call it again. */
  commit(): Promise<void> {
    if (this.underWay === undefined) {
      if (this.failure !== undefined) return Promise.reject(this.failure)
      if (this.state !== 'open') return this.refuse('commitTransaction', 'there is no transaction')
    }
    return this.block('commitTransaction', async () => {
      this.state = 'committing'
      await this.batches!.flush()
      await this.adding
      await this.lastOffsets
      if ((this.state as State) !== 'committing') throw this.error()
      if (this.wasStarted) await this.requests.end(this.identity!, true)
      this.completed()
    })
  }

  /** Gives up what was sent in the transaction. */
  abort(): Promise<void> {
    if (this.underWay === undefined) {
      if (this.state === 'fatal') return Promise.reject(this.error())
      if (this.state !== 'open' && this.state !== 'abortable') return this.refuse('abortTransaction', 'there is no transaction')
    }
    return this.block('abortTransaction', async () => {
      this.state = 'aborting'
      this.toAdd.clear()
      await this.batches!.abort(this.failure!)
      await this.adding
      await this.lastOffsets
      if ((this.state as State) === 'fatal') throw this.error()
      try {
        if (this.wasStarted) await this.requests.end(this.identity!, false)
      } catch (error) {
        // The coordinator has forgotten the producer: there is nothing left to abort.
        if (!(error instanceof RequestFailure && error.consequence === 'bump')) {
          this.state = 'abortable'
          throw error
        }
        this.needsBump = true
      }
      if (this.needsBump && this.requests.canBump) {
        this.identity = await this.requests.initProducerId(this.identity)
        this.batches!.forgetSequences()
      }
      this.completed()
    })
  }

  /** What is being committed or aborted is, what is open is aborted; for at most `max.block.ms`. Never rejects. */
  async end(): Promise<void> {
    const what = this.underWay?.what
    if (what === 'commitTransaction') await this.commit().catch(() => {})
    if (this.isOpen || what === 'abortTransaction') await this.abort().catch(() => {})
  }

  /** A batch of the transaction was given up. */
  batchFailed(error: Error): void {
    // What is given up because of an abort says nothing new.
    if (this.state === 'aborting' || this.state === 'fatal' || error instanceof TransactionError) return
    this.fail(consequenceOfBatch(error), error)
  }

  /** A batch that had a sequence is given up: the next transaction must be of another epoch. */
  sequenceLost(): void {
    this.needsBump = true
  }

  private get wasStarted(): boolean {
    return this.added.size > 0 || this.hasOffsets
  }

  private completed(): void {
    this.added.clear()
    this.toAdd.clear()
    this.hasOffsets = false
    this.needsBump = false
    this.lastError = undefined
    this.state = 'ready'
  }

  private addPartitions(): void {
    if (this.adding !== undefined || this.toAdd.size === 0 || this.identity === undefined || this.failure !== undefined) return
    const partitions = [...this.toAdd]
    this.toAdd.clear()
    this.adding = this.requests
      .addPartitions(
        this.identity,
        partitions.map(([, partition]) => partition),
      )
      .then(
        () => {
          for (const [key, partition] of partitions) this.added.set(key, partition)
        },
        (error: unknown) => {
          this.needsBump ||= this.state === 'aborting'
          if (error instanceof RequestFailure) this.fail(error.consequence, error.cause)
          else this.fail('fatal', error)
        },
      )
      .finally(() => {
        this.adding = undefined
        this.batches?.wake()
      })
  }

  /** One call at a time, for at most `max.block.ms`; then it goes on by itself. */
  private async block(what: string, run: () => Promise<void>): Promise<void> {
    this.refuseAnother(what)
    if (this.underWay === undefined) {
      const promise = this.run(run)
      this.underWay = { what, promise }
      promise.catch(() => {})
    }
    try {
      await this.inTime(what, this.underWay.promise)
      this.underWay = undefined
    } catch (error) {
      if (!(error instanceof TimeoutError)) this.underWay = undefined
      throw error
    }
  }

  private refuseAnother(what: string): void {
    if (this.underWay === undefined || this.underWay.what === what) return
    throw new TransactionStateError(
      `Cannot attempt operation ${what} because the previous call to ${this.underWay.what} timed out and must be retried`,
    )
  }

  private async run(requests: () => Promise<void>): Promise<void> {
    try {
      await requests()
    } catch (error) {
      if (!(error instanceof RequestFailure)) throw error
      this.fail(error.consequence, error.cause)
      throw this.error()
    }
  }

  private async inTime(what: string, promise: Promise<void>): Promise<void> {
    const deadline = this.cluster.env.clock.monoMs() + this.maxBlockMs
    const isDone = await this.cluster.within(promise.then(() => true), deadline)
    if (isDone === undefined) throw new TimeoutError(`Timeout expired after ${this.maxBlockMs}ms while awaiting ${what}`)
  }

  private fail(consequence: 'abortable' | 'bump' | 'fatal', error: unknown): void {
    if (this.state === 'fatal') return
    this.lastError = error
    if (consequence === 'fatal') this.state = 'fatal'
    else {
      if (consequence === 'bump') this.needsBump = true
      if (this.state !== 'aborting') this.state = 'abortable'
    }
    this.batches?.wake()
  }

  private error(): TransactionError {
    const isFatal = this.state === 'fatal'
    const { lastError } = this
    const detail = lastError instanceof Error ? lastError.message : String(lastError)
    return new TransactionError(
      `Cannot execute transactional method because we are in an error state: ${detail}`,
      isFatal,
      lastError,
    )
  }

  private throwFailure(): void {
    const { failure } = this
    if (failure !== undefined) throw failure
  }

  private refuse(what: string, why: string): Promise<never> {
    return Promise.reject(new TransactionStateError(`${what} in state ${this.state}: ${why}`))
  }
}
