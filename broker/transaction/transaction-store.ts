import { ErrorCode } from '../../protocol/errors'
import { CoordinatorPartitions } from '../coordinator/coordinator-partitions'
import { MAX_ID_LENGTH } from '../coordinator/id-length'
import { coordinatorError } from './decisions'
import { TransactionMetadata } from './transaction-metadata'
import { encodeTransition, replayBatch } from './transaction-record'
import { TransactionState } from './transaction-state'
import type { Logger } from '../../runtime/log'
import type { Clock } from '../../runtime/ports'
import type { CoordinatorLog } from '../coordinator/coordinator-log'
import type { PartitionState } from '../coordinator/coordinator-partitions'
import type { Transition } from './transaction-metadata'

export interface TransactionStoreOptions {
  log: Pick<CoordinatorLog, 'topic' | 'partitionFor' | 'learnPartitionCount' | 'append' | 'load' | 'caughtUp'>
  clock: Clock
  logger: Logger
  /** False when the ZooKeeper session may have expired: somebody else may coordinate then, and know more. */
  mayAct(): boolean
  maxMemoryBytes: number
  /** A partition was loaded: these transactions are to be completed. */
  onLoaded(logPartition: number, coordinatorEpoch: number, prepared: readonly TransactionMetadata[]): void
  /** The partition is not ours any more. */
  onUnloaded(logPartition: number): void
}

/** Where the state of a transactional id is kept: an error, or the partition of the log, with what is known of the id. */
export type Found =
  | { readonly errorCode: number }
  | {
      readonly logPartition: number
      readonly coordinatorEpoch: number
      /** undefined: nothing is known of it. */
      readonly metadata: TransactionMetadata | undefined
    }

/** What all transactional ids together may cost of memory; beyond it no id is taken in, and no transaction grows. */
export const MAX_MEMORY_BYTES = 512 * 1024 * 1024
/** A producer may give its transaction one millisecond, but not the replicas. */
const MIN_APPEND_TIMEOUT_MS = 5000
/** An id beyond its name: objects, map entries. */
const ID_BYTES = 1024
const PARTITION_BYTES = 64

function bytesOf({ transactionalId, partitions }: TransactionMetadata): number {
  return ID_BYTES + 2 * transactionalId.length + PARTITION_BYTES * partitions.size
}

interface LoadedPartition {
  /** What its ids cost of memory, about. */
  bytes: number
  readonly byId: Map<string, TransactionMetadata>
  /** Those with an open transaction, for the scan of time-outs. */
  readonly ongoing: Set<TransactionMetadata>
}

function count(partition: LoadedPartition, metadata: TransactionMetadata, bytes: number): void {
  partition.bytes += bytes - metadata.countedBytes
  metadata.countedBytes = bytes
}

/**
 * The transactional ids of the partitions of `__transaction_state` that this broker leads, in memory and in the log (Kafka's
 * TransactionStateManager). Memory changes after the log confirmed.
 */
export class TransactionStore {
  readonly partitions: CoordinatorPartitions
  private readonly options: TransactionStoreOptions
  private readonly loaded = new Map<number, LoadedPartition>()

  constructor(options: TransactionStoreOptions) {
    this.options = options
    this.partitions = new CoordinatorPartitions({
      log: options.log,
      clock: options.clock,
      logger: options.logger,
      // Markers of a decision, or the word that a partition is in a transaction, cannot be taken back if the record of it is lost.
      needsReplicated: true,
      begin: (partition, epoch) => this.begin(partition, epoch),
      unload: (partition) => {
        this.loaded.delete(partition)
        options.onUnloaded(partition)
      },
    })
  }

  /** How many transactional ids are known. */
  get size(): number {
    let size = 0
    for (const { byId } of this.loaded.values()) size += byId.size
    return size
  }

  find(transactionalId: string): Found {
    if (transactionalId.length > MAX_ID_LENGTH) return { errorCode: ErrorCode.INVALID_REQUEST }
    const logPartition = this.options.log.partitionFor(transactionalId)
    const errorCode = this.partitions.status(logPartition)
    if (errorCode !== ErrorCode.NONE) return { errorCode }
    // Much is answered from memory alone.
    if (!this.options.mayAct()) return { errorCode: ErrorCode.NOT_COORDINATOR }
    return {
      logPartition,
      coordinatorEpoch: this.partitions.coordinatorEpoch(logPartition)!,
      metadata: this.loaded.get(logPartition)!.byId.get(transactionalId),
    }
  }

  /** False if there is no memory for more ids, and larger transactions. */
  get hasRoom(): boolean {
    let bytes = 0
    for (const partition of this.loaded.values()) bytes += partition.bytes
    return bytes < this.options.maxMemoryBytes
  }

  /** Of an id of which nothing is known. It is in the log only after its first transition. */
  add(metadata: TransactionMetadata): void {
    const partition = this.loaded.get(metadata.logPartition)
    if (partition === undefined) return
    partition.byId.set(metadata.transactionalId, metadata)
    count(partition, metadata, bytesOf(metadata))
  }

  /** True while this broker coordinates the id in this epoch, and this is what it knows of it. */
  isCurrent(metadata: TransactionMetadata, coordinatorEpoch: number): boolean {
    const { logPartition, transactionalId } = metadata
    if (this.partitions.coordinatorEpoch(logPartition) !== coordinatorEpoch) return false
    return this.loaded.get(logPartition)?.byId.get(transactionalId) === metadata
  }

  /** Every id of the partition. */
  all(logPartition: number): Iterable<TransactionMetadata> {
    return this.loaded.get(logPartition)?.byId.values() ?? []
  }

  ongoing(logPartition: number): Iterable<TransactionMetadata> {
    return this.loaded.get(logPartition)?.ongoing ?? []
  }

  /**
   * Writes a transition that was begun, and completes it. `done` is called once: NONE, or the error for the client, and then
   * the transition is cancelled, unless `keepsPending`, so that nothing comes in between before it is written again.
   */
  append(
    metadata: TransactionMetadata,
    transition: Transition,
    coordinatorEpoch: number,
    done: (errorCode: number) => void,
    keepsPending = false,
  ): void {
    const { log, clock } = this.options
    const batch = encodeTransition(metadata.transactionalId, transition, clock.wallMs())
    const how = { timeoutMs: Math.max(transition.timeoutMs, MIN_APPEND_TIMEOUT_MS), requiredAcks: -1, coordinatorEpoch }
    log.append(metadata.logPartition, batch, how, (appendError) => {
      // Meanwhile the partition may have gone, and come back with other objects.
      if (!this.isCurrent(metadata, coordinatorEpoch)) {
        done(this.lostError(metadata.logPartition))
        return
      }
      if (appendError === ErrorCode.NONE) this.complete(metadata, transition)
      else if (!keepsPending) this.cancel(metadata)
      done(coordinatorError(appendError))
    })
  }

  private complete(metadata: TransactionMetadata, transition: Transition): void {
    const loaded = this.loaded.get(metadata.logPartition)!
    metadata.complete(transition)
    count(loaded, metadata, bytesOf(metadata))
    const { ongoing } = loaded
    if (transition.state === TransactionState.ongoing) ongoing.add(metadata)
    else ongoing.delete(metadata)
  }

  private cancel(metadata: TransactionMetadata): void {
    metadata.cancel()
    // It is not in the log: whoever comes next begins from nothing (KAFKA-14880).
    if (metadata.producerEpoch < 0) this.remove(metadata)
  }

  /** Its tombstone is in the log. */
  remove(metadata: TransactionMetadata): void {
    const partition = this.loaded.get(metadata.logPartition)
    if (partition?.byId.delete(metadata.transactionalId) === true) count(partition, metadata, 0)
  }

  private lostError(logPartition: number): number {
    const status = this.partitions.status(logPartition)
    return status === ErrorCode.NONE ? ErrorCode.NOT_COORDINATOR : status
  }

  private begin(logPartition: number, coordinatorEpoch: number): PartitionState {
    const byId = new Map<string, TransactionMetadata>()
    const onForeign = (offset: number, error: unknown): void =>
      this.options.logger.error({ logPartition, offset, err: error }, 'a record of the transaction log is left out')
    return {
      onBatch: (batch) => replayBatch(batch, logPartition, byId, onForeign),
      activate: () => {
        const ongoing = new Set<TransactionMetadata>()
        const prepared: TransactionMetadata[] = []
        for (const metadata of byId.values()) {
          const { state } = metadata
          if (state === TransactionState.ongoing) ongoing.add(metadata)
          if (state === TransactionState.prepareCommit || state === TransactionState.prepareAbort) prepared.push(metadata)
        }
        const loaded: LoadedPartition = { bytes: 0, byId, ongoing }
        for (const metadata of byId.values()) count(loaded, metadata, bytesOf(metadata))
        this.loaded.set(logPartition, loaded)
        this.options.onLoaded(logPartition, coordinatorEpoch, prepared)
      },
    }
  }

  close(): void {
    this.partitions.close()
  }
}
