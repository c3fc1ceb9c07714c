import { ErrorCode } from '../../protocol/errors'
import { Pacer } from '../coordinator/pacer'
import { decideAddPartitions, decideEnd, decideInit, decideVerify, isTimedOut } from './decisions'
import { ExpirationScan } from './expiration-scan'
import { MarkerSender } from './marker-sender'
import { TopicPartitions } from './topic-partitions'
import { NO_PRODUCER_EPOCH, NO_PRODUCER_ID, TransactionMetadata } from './transaction-metadata'
import { stateName, stateOfName, TransactionState } from './transaction-state'
import { MAX_MEMORY_BYTES, TransactionStore } from './transaction-store'
import type { Logger } from '../../runtime/log'
import type { Clock, Timer } from '../../runtime/ports'
import type { CoordinatorPartitions } from '../coordinator/coordinator-partitions'
import type { ProducerIdAndEpoch } from './decisions'
import type { PendingCompletion } from './marker-queue'
import type { MarkerSenderOptions } from './marker-sender'
import type { ProducerIdManager } from './producer-id-manager'
import type { TopicPartition } from './topic-partitions'
import type { Transition } from './transaction-metadata'
import type { TransactionStoreOptions } from './transaction-store'

/** Until the end of a transaction that has all its markers is written once more. */
const COMPLETION_RETRY_MS = 100

export interface TransactionCoordinatorOptions {
  clock: Clock
  logger: Logger
  log: TransactionStoreOptions['log']
  mayAct: TransactionStoreOptions['mayAct']
  /** Of all transactional ids together. */
  maxMemoryBytes?: number
  producerIds: Pick<ProducerIdManager, 'next' | 'close'>
  markers: Omit<MarkerSenderOptions, 'clock' | 'logger' | 'isCurrent' | 'onMarked'>
  /** `transaction.max.timeout.ms`. */
  maxTimeoutMs: number
  /** `transactional.id.expiration.ms`. */
  idExpirationMs: number
  /** `transaction.abort.timed.out.transaction.cleanup.interval.ms`. */
  abortTimedOutIntervalMs: number
  /** `transaction.remove.expired.transaction.cleanup.interval.ms`. */
  removeExpiredIntervalMs: number
  /** `max.message.bytes` of the log. */
  maxMessageBytes(): number
}

export interface InitProducerIdResult extends ProducerIdAndEpoch {
  readonly errorCode: number
}

export interface TransactionDescription {
  readonly errorCode: number
  readonly state: string
  readonly timeoutMs: number
  readonly startMs: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly topics: readonly { topic: string; partitions: number[] }[]
}

export interface TransactionListing {
  readonly errorCode: number
  readonly unknownStates: readonly string[]
  readonly transactions: readonly { transactionalId: string; producerId: number; state: string }[]
}

/**
 * Coordinates the transactions of the ids whose partition of `__transaction_state` this broker leads (Kafka's
 * TransactionCoordinator). What a request means is decided in decisions.ts; here it is carried out: the log first, then memory,
 * then the answer. Every promise resolves exactly once, with a protocol error code.
 */
export class TransactionCoordinator {
  private readonly options: TransactionCoordinatorOptions
  private readonly store: TransactionStore
  private readonly sender: MarkerSender
  private readonly expiration: ExpirationScan
  private readonly timers = new Set<Timer>()
  private isAborting = false
  private isClosed = false

  constructor(options: TransactionCoordinatorOptions) {
    const { clock, logger, log, markers } = options
    this.options = options
    this.store = new TransactionStore({
      log,
      clock,
      logger,
      mayAct: () => options.mayAct(),
      maxMemoryBytes: options.maxMemoryBytes ?? MAX_MEMORY_BYTES,
      onLoaded: (logPartition, coordinatorEpoch, prepared) => {
        this.sender.removeLogPartition(logPartition)
        for (const metadata of prepared) this.sendMarkers(metadata, coordinatorEpoch)
      },
      onUnloaded: (logPartition) => this.sender.removeLogPartition(logPartition),
    })
    this.sender = new MarkerSender({
      ...markers,
      clock,
      logger,
      isCurrent: ({ metadata, coordinatorEpoch }) => this.store.isCurrent(metadata, coordinatorEpoch),
      onMarked: (pending) => this.writeCompletion(pending),
    })
    this.expiration = new ExpirationScan({
      store: this.store,
      log,
      clock,
      logger,
      expirationMs: options.idExpirationMs,
      maxMessageBytes: () => options.maxMessageBytes(),
    })
  }

  /** To be told which partitions of the log this broker leads. */
  get partitions(): CoordinatorPartitions {
    return this.store.partitions
  }

  /** How many transactional ids are known here. */
  get size(): number {
    return this.store.size
  }

  /** Starts the periodic scans. */
  startup(): void {
    const { abortTimedOutIntervalMs, removeExpiredIntervalMs } = this.options
    this.repeat(abortTimedOutIntervalMs, () => void this.abortTimedOut())
    this.repeat(removeExpiredIntervalMs, () => void this.expiration.run())
  }

  /** Answers COORDINATOR_NOT_AVAILABLE from now on. */
  close(): void {
    this.isClosed = true
    for (const timer of this.timers) timer.cancel()
    this.timers.clear()
    this.expiration.close()
    this.store.close()
    this.sender.close()
    this.options.producerIds.close()
  }

  /** The partition of the log that holds an id. */
  partitionFor(transactionalId: string): number {
    return this.options.log.partitionFor(transactionalId)
  }

  /**
   * `transactionalId` null: a fresh producer id for an idempotent producer. `expected`: the id and epoch that the producer has,
   * and wants to go on with (KIP-360).
   */
  async initProducerId(
    transactionalId: string | null,
    timeoutMs: number,
    expected: ProducerIdAndEpoch | undefined,
  ): Promise<InitProducerIdResult> {
    if (transactionalId === null) {
      const producerId = await this.options.producerIds.next()
      return producerId === undefined
        ? initRefused(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
        : { errorCode: ErrorCode.NONE, producerId, producerEpoch: 0 }
    }
    if (transactionalId === '') return initRefused(ErrorCode.INVALID_REQUEST)
    if (timeoutMs <= 0 || timeoutMs > this.options.maxTimeoutMs) return initRefused(ErrorCode.INVALID_TRANSACTION_TIMEOUT)
    let fresh: number | undefined
    for (;;) {
      const outcome = this.tryInit(transactionalId, timeoutMs, expected, fresh)
      if (outcome !== 'needsProducerId') return outcome
      // Whatever happens meanwhile, it is decided anew; an id that is not needed then is lost.
      fresh = await this.options.producerIds.next()
      if (fresh === undefined) return initRefused(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    }
  }

  private tryInit(
    transactionalId: string,
    timeoutMs: number,
    expected: ProducerIdAndEpoch | undefined,
    fresh: number | undefined,
  ): Promise<InitProducerIdResult> | InitProducerIdResult | 'needsProducerId' {
    const found = this.store.find(transactionalId)
    if ('errorCode' in found) return initRefused(found.errorCode)
    const { coordinatorEpoch, logPartition } = found
    const nowMs = this.options.clock.wallMs()
    let { metadata } = found
    if (metadata === undefined) {
      if (!this.store.hasRoom) return initRefused(ErrorCode.COORDINATOR_NOT_AVAILABLE)
      if (fresh === undefined) return 'needsProducerId'
      metadata = new TransactionMetadata(transactionalId, logPartition, fresh, timeoutMs, nowMs)
      this.store.add(metadata)
    }
    const decision = decideInit(metadata, timeoutMs, expected, fresh, nowMs)
    if ('errorCode' in decision) return initRefused(decision.errorCode)
    if ('needs' in decision) {
      if (decision.needs === 'producerId') return 'needsProducerId'
      // The producer comes back when the old transaction is aborted.
      return this.fence(metadata, coordinatorEpoch).then((errorCode) =>
        initRefused(errorCode === ErrorCode.NONE ? ErrorCode.CONCURRENT_TRANSACTIONS : errorCode),
      )
    }
    const { transition } = decision
    return this.write(metadata, transition, coordinatorEpoch).then((errorCode) => {
      if (errorCode !== ErrorCode.NONE) return initRefused(errorCode)
      const { producerId, producerEpoch } = transition
      this.options.logger.debug({ transactionalId, producerId, producerEpoch, logPartition }, 'transactional id initialised')
      return { errorCode, producerId, producerEpoch }
    })
  }

  /** AddPartitionsToTxn, AddOffsetsToTxn: all of the partitions, or none. */
  async addPartitions(
    transactionalId: string,
    producer: ProducerIdAndEpoch,
    partitions: Iterable<TopicPartition>,
  ): Promise<number> {
    const found = this.known(transactionalId)
    if (typeof found === 'number') return found
    const decision = decideAddPartitions(found.metadata, producer, TopicPartitions.of(partitions), this.options.clock.wallMs())
    if ('errorCode' in decision) return decision.errorCode
    if (!this.store.hasRoom) return ErrorCode.COORDINATOR_NOT_AVAILABLE
    return this.write(found.metadata, decision.transition, found.coordinatorEpoch)
  }

  /** AddPartitionsToTxn with verifyOnly: an error code for each of the partitions. */
  verifyPartitions(
    transactionalId: string,
    producer: ProducerIdAndEpoch,
    partitions: readonly TopicPartition[],
  ): (TopicPartition & { errorCode: number })[] {
    const found = this.known(transactionalId)
    const error = typeof found === 'number' ? found : decideVerify(found.metadata, producer)
    return partitions.map(({ topic, partition }) => {
      if (typeof found === 'number' || error !== ErrorCode.NONE) return { topic, partition, errorCode: error }
      const isIn = found.metadata.partitions.has(topic, partition)
      return { topic, partition, errorCode: isIn ? ErrorCode.NONE : ErrorCode.TRANSACTION_ABORTABLE }
    })
  }

  /** EndTxn: resolves when the decision is in the log; the markers follow. */
  async endTransaction(transactionalId: string, producer: ProducerIdAndEpoch, isCommit: boolean): Promise<number> {
    const found = this.known(transactionalId)
    if (typeof found === 'number') return found
    const { metadata, coordinatorEpoch } = found
    const decision = decideEnd(metadata, producer, isCommit, this.options.clock.wallMs())
    if ('errorCode' in decision) return decision.errorCode
    return this.prepare(metadata, decision.transition, coordinatorEpoch)
  }

  describe(transactionalId: string): TransactionDescription {
    const refused = (errorCode: number): TransactionDescription => ({
      errorCode, state: '', timeoutMs: 0, startMs: 0, producerId: 0, producerEpoch: 0, topics: [],
    })
    if (transactionalId === '') return refused(this.isClosed ? ErrorCode.COORDINATOR_NOT_AVAILABLE : ErrorCode.INVALID_REQUEST)
    const found = this.store.find(transactionalId)
    if ('errorCode' in found) return refused(found.errorCode)
    const { metadata } = found
    if (metadata === undefined) return refused(ErrorCode.TRANSACTIONAL_ID_NOT_FOUND)
    const { state, timeoutMs, startMs, producerId, producerEpoch, partitions } = metadata
    const topics = [...partitions.topics()]
    return { errorCode: ErrorCode.NONE, state: stateName(state), timeoutMs, startMs, producerId, producerEpoch, topics }
  }

  /** Empty lists filter nothing; `minDurationMs` negative neither. */
  list(filter: { states: readonly string[]; producerIds: readonly number[]; minDurationMs: number }): TransactionListing {
    const failed = (errorCode: number): TransactionListing => ({ errorCode, unknownStates: [], transactions: [] })
    if (this.isClosed) return failed(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    if (this.partitions.isLoading) return failed(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    const unknownStates = filter.states.filter((name) => stateOfName(name) === undefined)
    const states = new Set(filter.states.map(stateOfName))
    const producerIds = new Set(filter.producerIds)
    const nowMs = this.options.clock.wallMs()
    const transactions: { transactionalId: string; producerId: number; state: string }[] = []
    for (const logPartition of this.partitions.active()) {
      for (const { transactionalId, producerId, state, startMs } of this.store.all(logPartition)) {
        if (producerIds.size > 0 && !producerIds.has(producerId)) continue
        if (filter.states.length > 0 && !states.has(state)) continue
        if (filter.minDurationMs >= 0 && nowMs - startMs <= filter.minDurationMs) continue
        transactions.push({ transactionalId, producerId, state: stateName(state) })
      }
    }
    return { errorCode: ErrorCode.NONE, unknownStates, transactions }
  }

  private known(transactionalId: string): number | { metadata: TransactionMetadata; coordinatorEpoch: number } {
    if (transactionalId === '') return ErrorCode.INVALID_REQUEST
    const found = this.store.find(transactionalId)
    if ('errorCode' in found) return found.errorCode
    const { metadata, coordinatorEpoch } = found
    return metadata === undefined ? ErrorCode.INVALID_PRODUCER_ID_MAPPING : { metadata, coordinatorEpoch }
  }

  private write(metadata: TransactionMetadata, transition: Transition, coordinatorEpoch: number): Promise<number> {
    metadata.begin(transition)
    return new Promise((resolve) => this.store.append(metadata, transition, coordinatorEpoch, resolve))
  }

  /** Writes PrepareCommit or PrepareAbort; the markers are on their way in the same turn as it is confirmed. */
  private prepare(metadata: TransactionMetadata, transition: Transition, coordinatorEpoch: number): Promise<number> {
    metadata.begin(transition)
    return new Promise((resolve) =>
      this.store.append(metadata, transition, coordinatorEpoch, (errorCode) => {
        if (errorCode === ErrorCode.NONE) this.sendMarkers(metadata, coordinatorEpoch)
        resolve(errorCode)
      }),
    )
  }

  /** Raises the epoch, so that the producer is fenced, and aborts its transaction. */
  private async fence(metadata: TransactionMetadata, coordinatorEpoch: number): Promise<number> {
    metadata.fence()
    const errorCode = await this.prepare(metadata, metadata.toPrepared(false, this.options.clock.wallMs()), coordinatorEpoch)
    if (errorCode !== ErrorCode.NONE) {
      metadata.hasFailedEpochFence = true
      const { transactionalId, producerEpoch } = metadata
      // Another coordinator, or this broker in a new term, finds the transaction in the log and goes on with it.
      const level = this.store.isCurrent(metadata, coordinatorEpoch) ? 'warn' : 'info'
      this.options.logger[level]({ transactionalId, producerEpoch, errorCode }, 'the fencing of a producer could not be written')
    }
    return errorCode
  }

  private sendMarkers(metadata: TransactionMetadata, coordinatorEpoch: number): void {
    const isCommit = metadata.state === TransactionState.prepareCommit
    const transition = metadata.toComplete(this.options.clock.wallMs())
    metadata.begin(transition)
    const { producerId, producerEpoch } = metadata
    this.sender.add({ metadata, coordinatorEpoch, isCommit, producerId, producerEpoch, transition })
  }

  /** Until it is written, or another coordinator has the partition: else the id would be blocked for ever. */
  private writeCompletion(pending: PendingCompletion): void {
    const { metadata, coordinatorEpoch, transition } = pending
    if (!this.store.isCurrent(metadata, coordinatorEpoch)) return
    const done = (errorCode: number): void => {
      if (errorCode === ErrorCode.NONE || !this.store.isCurrent(metadata, coordinatorEpoch)) return
      const { transactionalId } = metadata
      this.options.logger.info({ transactionalId, errorCode }, 'the end of a transaction is written once more')
      this.after(COMPLETION_RETRY_MS, () => this.writeCompletion(pending))
    }
    this.store.append(metadata, transition, coordinatorEpoch, done, true)
  }

  /** In slices: after an outage all of them may have timed out. Not while the last scan still runs. */
  private async abortTimedOut(): Promise<void> {
    if (this.isAborting) return
    this.isAborting = true
    const { clock, logger } = this.options
    const pacer = new Pacer(clock)
    for (const logPartition of [...this.partitions.active()]) {
      const coordinatorEpoch = this.partitions.coordinatorEpoch(logPartition)
      if (coordinatorEpoch === undefined) continue
      for (const metadata of this.store.ongoing(logPartition)) {
        if (pacer.isDue()) await pacer.pause()
        if (!this.store.isCurrent(metadata, coordinatorEpoch)) break
        if (!isTimedOut(metadata, clock.wallMs())) continue
        const { transactionalId, timeoutMs, producerId } = metadata
        logger.info({ transactionalId, timeoutMs, producerId }, 'a transaction timed out: it is aborted')
        void this.fence(metadata, coordinatorEpoch)
      }
    }
    this.isAborting = false
  }

  private repeat(intervalMs: number, work: () => void): void {
    this.after(intervalMs, () => {
      work()
      this.repeat(intervalMs, work)
    })
  }

  private after(delayMs: number, work: () => void): void {
    if (this.isClosed) return
    const timer = this.options.clock.timer(delayMs, () => {
      this.timers.delete(timer)
      work()
    })
    this.timers.add(timer)
  }
}

function initRefused(errorCode: number): InitProducerIdResult {
  return { errorCode, producerId: NO_PRODUCER_ID, producerEpoch: NO_PRODUCER_EPOCH }
}
