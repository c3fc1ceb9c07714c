import { assert } from '../../runtime/assert'
import { TopicPartitions } from './topic-partitions'
import { isAtRest, isPrepared, mayFollow, stateName, TransactionState } from './transaction-state'

export const NO_PRODUCER_ID = -1
export const NO_PRODUCER_EPOCH = -1
export const MAX_EPOCH = 0x7fff

/** The highest epoch is kept for fencing: a producer never gets it. */
export function isEpochExhausted(epoch: number): boolean {
  return epoch >= MAX_EPOCH - 1
}

/** What a transactional id becomes when the record of it is written (Kafka's TxnTransitMetadata). */
export interface Transition {
  readonly state: TransactionState
  readonly producerId: number
  readonly producerEpoch: number
  readonly lastProducerId: number
  readonly lastProducerEpoch: number
  readonly timeoutMs: number
  readonly partitions: TopicPartitions
  /** -1 before the first partition. Wall time. */
  readonly startMs: number
  readonly lastUpdateMs: number
}

/**
 * What the coordinator knows of one transactional id (Kafka's TransactionMetadata). `begin` marks it with the state that it is
 * about to enter, so that no other transition starts; `complete` enters it when the log has it; `cancel` when it could not
 * be written.
 */
export class TransactionMetadata {
  readonly transactionalId: string
  /** Of the log. */
  readonly logPartition: number
  state: TransactionState = TransactionState.empty
  producerId: number
  producerEpoch = NO_PRODUCER_EPOCH
  /** Those before the last InitProducerId of a producer that named its own; so that its retry is known. */
  lastProducerId = NO_PRODUCER_ID
  lastProducerEpoch = NO_PRODUCER_EPOCH
  timeoutMs: number
  /** Of the open transaction; while the markers are written, those that lack theirs. */
  partitions = new TopicPartitions()
  startMs = -1
  lastUpdateMs: number
  pendingState: TransactionState | undefined
  /** The raised epoch may not be in the log: it is not raised once more (KAFKA-9666). Nobody was told of it. */
  hasFailedEpochFence = false
  /** What of its memory is counted; of the store. */
  countedBytes = 0

  constructor(transactionalId: string, logPartition: number, producerId: number, timeoutMs: number, nowMs: number) {
    this.transactionalId = transactionalId
    this.logPartition = logPartition
    this.producerId = producerId
    this.timeoutMs = timeoutMs
    this.lastUpdateMs = nowMs
  }

  /** A transition is being written. */
  get isPending(): boolean {
    return this.pendingState !== undefined
  }

  // What it may become

  /**
   * The next epoch for a producer that initialises. `expectedEpoch`: the one that it names, undefined if it names none.
   * undefined: the producer is fenced.
   */
  toNextEpoch(timeoutMs: number, expectedEpoch: number | undefined, nowMs: number): Transition | undefined {
    const epochs = this.nextEpochs(expectedEpoch)
    if (epochs === undefined) return undefined
    const [producerEpoch, lastProducerEpoch] = epochs
    return { ...this.toEmpty(timeoutMs, nowMs), producerEpoch, lastProducerEpoch }
  }

  private nextEpochs(expectedEpoch: number | undefined): [epoch: number, lastEpoch: number] | undefined {
    const { producerEpoch, lastProducerEpoch } = this
    const mayBump = !isEpochExhausted(producerEpoch)
    if (expectedEpoch === undefined) return mayBump ? [producerEpoch + 1, NO_PRODUCER_EPOCH] : undefined
    const isCurrent = producerEpoch === NO_PRODUCER_EPOCH || expectedEpoch === producerEpoch
    if (isCurrent) return mayBump ? [producerEpoch + 1, producerEpoch] : undefined
    // The answer to its last attempt was lost. A newer producer would have set the last epoch to -1.
    return expectedEpoch === lastProducerEpoch ? [producerEpoch, lastProducerEpoch] : undefined
  }

  /** A fresh producer id, as the epochs of this one are used up. */
  toNewProducerId(producerId: number, timeoutMs: number, keepsLastEpoch: boolean, nowMs: number): Transition {
    const lastProducerEpoch = keepsLastEpoch ? this.producerEpoch : NO_PRODUCER_EPOCH
    return { ...this.toEmpty(timeoutMs, nowMs), producerId, producerEpoch: 0, lastProducerEpoch }
  }

  private toEmpty(timeoutMs: number, nowMs: number): Transition {
    return { ...this.to(TransactionState.empty, new TopicPartitions(), nowMs), timeoutMs, startMs: -1 }
  }

  toOngoing(added: TopicPartitions, nowMs: number): Transition {
    const startMs = isAtRest(this.state) ? nowMs : this.startMs
    return { ...this.to(TransactionState.ongoing, this.partitions.union(added), nowMs), startMs }
  }

  toPrepared(isCommit: boolean, nowMs: number): Transition {
    const state = isCommit ? TransactionState.prepareCommit : TransactionState.prepareAbort
    return this.to(state, TopicPartitions.of(this.partitions), nowMs)
  }

  toComplete(nowMs: number): Transition {
    const isCommit = this.state === TransactionState.prepareCommit
    return this.to(isCommit ? TransactionState.completeCommit : TransactionState.completeAbort, new TopicPartitions(), nowMs)
  }

  toDead(): Transition {
    return this.to(TransactionState.dead, new TopicPartitions(), this.lastUpdateMs)
  }

  private to(state: TransactionState, partitions: TopicPartitions, lastUpdateMs: number): Transition {
    return {
      state,
      producerId: this.producerId,
      producerEpoch: this.producerEpoch,
      lastProducerId: this.producerId,
      lastProducerEpoch: this.lastProducerEpoch,
      timeoutMs: this.timeoutMs,
      partitions,
      startMs: this.startMs,
      lastUpdateMs,
    }
  }

  // How it becomes that

  /**
   * The producer's epoch is raised, so that it is fenced at once: whatever becomes of the abort that follows. Once more after a
   * failure the same epoch is used.
   */
  fence(): void {
    if (!this.hasFailedEpochFence) {
      assert(this.producerEpoch < MAX_EPOCH, `${this.transactionalId}: no epoch is left to fence its producer`)
      this.producerEpoch++
    }
    this.lastProducerEpoch = NO_PRODUCER_EPOCH
  }

  begin(transition: Transition): void {
    assert(!this.isPending, `${this.transactionalId}: a transition is being written already`)
    assert(
      mayFollow(transition.state, this.state),
      `${this.transactionalId}: ${stateName(transition.state)} may not follow ${stateName(this.state)}`,
    )
    assert(transition.producerId >= 0, `${this.transactionalId}: producer id ${transition.producerId}`)
    assert(
      transition.producerEpoch >= 0 || transition.state === TransactionState.dead,
      `${this.transactionalId}: producer epoch ${transition.producerEpoch}`,
    )
    this.pendingState = transition.state
  }

  cancel(): void {
    this.pendingState = undefined
  }

  /** The log has it. */
  complete(transition: Transition): void {
    assert(
      this.pendingState === transition.state && transition.state !== TransactionState.dead,
      `${this.transactionalId}: ${stateName(transition.state)} was not begun`,
    )
    this.checkCompletion(transition)
    const { state, producerId, producerEpoch, lastProducerId, lastProducerEpoch, timeoutMs } = transition
    if (state === TransactionState.empty) {
      Object.assign(this, { producerId, producerEpoch, lastProducerId, lastProducerEpoch, timeoutMs })
    }
    // While the markers are written partitions are taken out; those that the transition names were all of them.
    if (!isPrepared(state)) this.partitions = TopicPartitions.of(transition.partitions)
    if (!isPrepared(state) && state !== TransactionState.ongoing) this.hasFailedEpochFence = false
    this.startMs = transition.startMs
    this.lastUpdateMs = transition.lastUpdateMs
    this.pendingState = undefined
    this.state = state
  }

  private checkCompletion(transition: Transition): void {
    const { state, producerId, producerEpoch } = transition
    const isSame = producerId === this.producerId && producerEpoch === this.producerEpoch
    const isNext = producerEpoch === this.producerEpoch + 1 || (producerEpoch === 0 && producerId !== this.producerId)
    assert(
      isSame || (state === TransactionState.empty && isNext),
      `${this.transactionalId}: ${producerId}/${producerEpoch} may not follow ${this.producerId}/${this.producerEpoch}`,
    )
  }

  /** This partition has its marker, or is gone. */
  removePartition(topic: string, partition: number): void {
    const { state, transactionalId } = this
    assert(isPrepared(state), `${transactionalId}: ${stateName(state)} is not a state in which markers are written`)
    this.partitions.remove(topic, partition)
  }
}
