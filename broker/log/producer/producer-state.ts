import type { ProducerSnapshotEntry } from '../../../protocol/files/producer-snapshot'
import { inJavaOrder } from '../../../protocol/rules/hash-order'
import { checkData, checkMarker, ProducerEntry } from './producer-entry'
import type { BatchMetadata, DataBatch, EndMarker } from './producer-entry'
import type { ActiveProducer, AppendOrigin, VerificationGuard } from '../log-types'

export interface CompletedTransaction {
  producerId: number
  firstOffset: number
  /** Offset of the marker. */
  lastOffset: number
  isAborted: boolean
}

interface Verification {
  guard: VerificationGuard
  epoch: number
  lowestSequence: number
  startedMs: number
}

/**
 * The producers of one partition and their open transactions: in memory, without files. Kafka's ProducerStateManager. Checks
 * come before the write and change nothing; `append...` comes after it and refuses nothing, since what is in the log is true.
 */
export class ProducerState {
  /** The offset up to which the log has been taken into account. */
  endOffset = 0
  private readonly partition: string
  private readonly producers = new Map<number, ProducerEntry>()
  /** First offset -> producer, of the open transactions; in ascending order, since a transaction begins at the end of the log. */
  private readonly ongoing = new Map<number, number>()
  /** Transactions whose marker is not below the high watermark, in the order of their markers. */
  private unreplicated: CompletedTransaction[] = []
  private readonly verifications = new Map<number, Verification>()

  constructor(partition: string) {
    this.partition = partition
  }

  get size(): number {
    return this.producers.size
  }

  get isEmpty(): boolean {
    return this.producers.size === 0 && this.unreplicated.length === 0
  }

  entry(producerId: number): ProducerEntry | undefined {
    return this.producers.get(producerId)
  }

  active(): ActiveProducer[] {
    return [...this.producers.values()].map((entry) => ({
      producerId: entry.producerId,
      producerEpoch: entry.epoch,
      lastSequence: entry.lastSequence,
      lastTimestamp: entry.lastTimestamp,
      coordinatorEpoch: entry.coordinatorEpoch,
      currentTxnStartOffset: entry.currentTxnFirstOffset,
    }))
  }

  findDuplicate(producerId: number, epoch: number, firstSequence: number, lastSequence: number): BatchMetadata | undefined {
    return this.producers.get(producerId)?.findDuplicate(epoch, firstSequence, lastSequence)
  }

  /** `entry` is what is known of the producer, with the earlier batches of the same append taken into account. */
  checkData(entry: ProducerEntry, batch: DataBatch, origin: AppendOrigin): void {
    checkData(entry, batch, origin, this.verifications.get(batch.producerId)?.lowestSequence, this.partition)
  }

  checkMarker(entry: ProducerEntry, marker: EndMarker): void {
    checkMarker(entry, marker, this.partition)
  }

  appendData(batch: DataBatch): void {
    const entry = this.getOrCreate(batch.producerId)
    const hadTransaction = entry.currentTxnFirstOffset >= 0
    entry.applyData(batch)
    if (batch.isTransactional) {
      if (!hadTransaction) this.ongoing.set(batch.firstOffset, batch.producerId)
      this.verifications.delete(batch.producerId)
    }
  }

  /** The transaction that ends with this marker, undefined if none was open. Call `complete` when it is indexed. */
  appendMarker(marker: EndMarker): CompletedTransaction | undefined {
    const entry = this.getOrCreate(marker.producerId)
    const firstOffset = entry.currentTxnFirstOffset
    entry.applyMarker(marker)
    this.verifications.delete(marker.producerId)
    if (firstOffset < 0) return undefined
    return { producerId: marker.producerId, firstOffset, lastOffset: marker.offset, isAborted: marker.isAbort }
  }

  private getOrCreate(producerId: number): ProducerEntry {
    let entry = this.producers.get(producerId)
    if (entry === undefined) {
      entry = new ProducerEntry(producerId)
      this.producers.set(producerId, entry)
    }
    return entry
  }

  /** The last stable offset as it is once `completed` is complete, not counting the high watermark: for the transaction index. */
  lastStableOffsetAfter(completed: CompletedTransaction): number {
    for (const [firstOffset, producerId] of this.ongoing) if (producerId !== completed.producerId) return firstOffset
    return completed.lastOffset + 1
  }

  complete(transaction: CompletedTransaction): void {
    this.ongoing.delete(transaction.firstOffset)
    this.unreplicated.push(transaction)
  }

  /** The first offset of any transaction that is open or whose marker is not replicated; undefined without one. */
  get firstUnstableOffset(): number | undefined {
    let first = this.firstUndecidedOffset
    for (const transaction of this.unreplicated) {
      if (first === undefined || transaction.firstOffset < first) first = transaction.firstOffset
    }
    return first
  }

  /** The first offset of an open transaction. */
  get firstUndecidedOffset(): number | undefined {
    for (const firstOffset of this.ongoing.keys()) return firstOffset
    return undefined
  }

  onHighWatermark(offset: number): void {
    if (this.unreplicated.length === 0 || this.unreplicated[0]!.lastOffset >= offset) return
    this.unreplicated = this.unreplicated.filter((transaction) => transaction.lastOffset >= offset)
  }

  hasOngoingTransaction(producerId: number): boolean {
    const entry = this.producers.get(producerId)
    return entry !== undefined && entry.currentTxnFirstOffset >= 0
  }

  /** Undefined if a transaction is open: then it is known to the coordinator. Later calls of one verification give one guard. */
  startVerification(producerId: number, sequence: number, epoch: number, nowMs: number): VerificationGuard | undefined {
    if (this.hasOngoingTransaction(producerId)) return undefined
    const known = this.verifications.get(producerId)
    if (known === undefined) {
      const guard = { producerId }
      this.verifications.set(producerId, { guard, epoch, lowestSequence: sequence, startedMs: nowMs })
      return guard
    }
    if (epoch > known.epoch) {
      known.epoch = epoch
      known.lowestSequence = sequence
    } else if (epoch === known.epoch && sequence < known.lowestSequence) {
      known.lowestSequence = sequence
    }
    return known.guard
  }

  /** True if `guard` is the verification that runs for its producer. */
  isVerified(producerId: number, guard: VerificationGuard | undefined): boolean {
    return guard !== undefined && this.verifications.get(producerId)?.guard === guard
  }

  /** Forgets producers that were idle for `expirationMs` and have no transaction open. */
  removeExpired(nowMs: number, expirationMs: number): void {
    for (const [producerId, entry] of this.producers) {
      if (entry.currentTxnFirstOffset < 0 && nowMs - entry.lastTimestamp >= expirationMs) this.producers.delete(producerId)
    }
    for (const [producerId, verification] of this.verifications) {
      if (nowMs - verification.startedMs >= expirationMs) this.verifications.delete(producerId)
    }
  }

  clear(): void {
    this.producers.clear()
    this.ongoing.clear()
    this.unreplicated = []
  }

  /** In the order in which Kafka writes them. */
  snapshot(): ProducerSnapshotEntry[] {
    return inJavaOrder(this.producers).map((entry) => ({
      producerId: entry.producerId,
      producerEpoch: entry.epoch,
      lastSequence: entry.lastSequence,
      lastOffset: entry.last?.lastOffset ?? -1,
      offsetDelta: entry.last?.offsetDelta ?? 0,
      timestamp: entry.lastTimestamp,
      coordinatorEpoch: entry.coordinatorEpoch,
      currentTransactionFirstOffset: entry.currentTxnFirstOffset,
    }))
  }

  /** Takes over what a snapshot at `endOffset` held; what expired since is left out. */
  restore(entries: readonly ProducerSnapshotEntry[], endOffset: number, nowMs: number, expirationMs: number): void {
    this.clear()
    const open: [firstOffset: number, producerId: number][] = []
    for (const saved of entries) {
      if (saved.currentTransactionFirstOffset < 0 && nowMs - saved.timestamp >= expirationMs) continue
      const entry = this.getOrCreate(saved.producerId)
      entry.epoch = saved.producerEpoch
      entry.coordinatorEpoch = saved.coordinatorEpoch
      entry.lastTimestamp = saved.timestamp
      entry.currentTxnFirstOffset = saved.currentTransactionFirstOffset
      if (saved.lastOffset >= 0) {
        const { lastSequence, lastOffset, offsetDelta, timestamp } = saved
        entry.batches.push({ lastSequence, lastOffset, offsetDelta, timestamp })
      }
      if (saved.currentTransactionFirstOffset >= 0) open.push([saved.currentTransactionFirstOffset, saved.producerId])
    }
    for (const [firstOffset, producerId] of open.sort((a, b) => a[0] - b[0])) this.ongoing.set(firstOffset, producerId)
    this.endOffset = endOffset
  }
}
