import { ErrorCode } from '../../../protocol/errors'
import { decrementSequence, NO_PRODUCER_EPOCH, NO_SEQUENCE } from '../../../protocol/records/batch'
import { LogError } from '../log-error'
import type { AppendOrigin } from '../log-types'

/** So many batches of a producer are remembered, so that the repetition of any of them is known (max.in.flight 5). */
export const BATCHES_PER_PRODUCER = 5

const LAST_SEQUENCE = 0x7fffffff

/** A batch of records as far as producer state goes. */
export interface DataBatch {
  producerId: number
  producerEpoch: number
  firstSequence: number
  lastSequence: number
  firstOffset: number
  lastOffset: number
  maxTimestamp: number
  isTransactional: boolean
}

/** The end of a transaction. */
export interface EndMarker {
  producerId: number
  producerEpoch: number
  coordinatorEpoch: number
  isAbort: boolean
  offset: number
  timestamp: number
}

export interface BatchMetadata {
  lastSequence: number
  lastOffset: number
  /** Last offset minus first offset; the same for the sequences. */
  offsetDelta: number
  timestamp: number
}

/** What a partition knows of one producer. Kafka's ProducerStateEntry. */
export class ProducerEntry {
  readonly producerId: number
  epoch = NO_PRODUCER_EPOCH
  coordinatorEpoch = -1
  lastTimestamp = -1
  /** -1 outside a transaction. */
  currentTxnFirstOffset = -1
  /** Oldest first, all of the current epoch. */
  batches: BatchMetadata[] = []

  constructor(producerId: number) {
    this.producerId = producerId
  }

  get last(): BatchMetadata | undefined {
    return this.batches[this.batches.length - 1]
  }

  get lastSequence(): number {
    return this.last?.lastSequence ?? NO_SEQUENCE
  }

  copy(): ProducerEntry {
    const copy = new ProducerEntry(this.producerId)
    copy.epoch = this.epoch
    copy.coordinatorEpoch = this.coordinatorEpoch
    copy.lastTimestamp = this.lastTimestamp
    copy.currentTxnFirstOffset = this.currentTxnFirstOffset
    copy.batches = this.batches.slice()
    return copy
  }

  /** The remembered batch with exactly these sequences. */
  findDuplicate(epoch: number, firstSequence: number, lastSequence: number): BatchMetadata | undefined {
    if (epoch !== this.epoch) return undefined
    for (const batch of this.batches) {
      if (batch.lastSequence === lastSequence && firstSequenceOf(batch) === firstSequence) return batch
    }
    return undefined
  }

  applyData(batch: DataBatch): void {
    this.moveToEpoch(batch.producerEpoch)
    if (this.batches.length === BATCHES_PER_PRODUCER) this.batches.shift()
    this.batches.push({
      lastSequence: batch.lastSequence,
      lastOffset: batch.lastOffset,
      offsetDelta: batch.lastOffset - batch.firstOffset,
      timestamp: batch.maxTimestamp,
    })
    this.lastTimestamp = batch.maxTimestamp
    if (batch.isTransactional && this.currentTxnFirstOffset < 0) this.currentTxnFirstOffset = batch.firstOffset
  }

  applyMarker(marker: EndMarker): void {
    this.moveToEpoch(marker.producerEpoch)
    this.coordinatorEpoch = marker.coordinatorEpoch
    this.currentTxnFirstOffset = -1
    this.lastTimestamp = marker.timestamp
  }

  private moveToEpoch(epoch: number): void {
    if (this.epoch === epoch) return
    this.epoch = epoch
    this.batches = []
  }
}

export function firstSequenceOf(batch: BatchMetadata): number {
  return decrementSequence(batch.lastSequence, batch.offsetDelta)
}

/**
 * Refuses a batch that a producer may not write now: of an old epoch, out of sequence, or outside the transaction it has open.
 * `lowestSequence`: of the verification that runs for this producer (KAFKA-14844), undefined without one.
 */
export function checkData(
  entry: ProducerEntry, batch: DataBatch, origin: AppendOrigin, lowestSequence: number | undefined, partition: string,
): void {
  checkEpoch(entry, batch.producerEpoch, batch.firstOffset, partition)
  if (origin === 'client') checkSequence(entry, batch, lowestSequence, partition)
  if (entry.currentTxnFirstOffset >= 0 && !batch.isTransactional) {
    throw new LogError(
      ErrorCode.INVALID_TXN_STATE,
      `Expected transactional write from producer ${batch.producerId} at offset ${batch.firstOffset} in partition ${partition}`,
    )
  }
}

function checkEpoch(entry: ProducerEntry, epoch: number, offset: number, partition: string): void {
  if (epoch >= entry.epoch) return
  throw new LogError(
    ErrorCode.INVALID_PRODUCER_EPOCH,
    `Epoch of producer ${entry.producerId} at offset ${offset} in ${partition} is ${epoch}, `
      + `which is smaller than the last seen epoch ${entry.epoch}`,
  )
}

function checkSequence(entry: ProducerEntry, batch: DataBatch, lowestSequence: number | undefined, partition: string): void {
  const first = batch.firstSequence
  const where = `producer ${batch.producerId} at offset ${batch.firstOffset} in partition ${partition}`
  if (lowestSequence !== undefined && first > lowestSequence) {
    throw outOfOrder(
      `Out of order sequence number for ${where}: ${first} (incoming seq. number), ${lowestSequence} (earliest seen sequence)`,
    )
  }
  // Nothing is known of this producer (it is new, or was idle for long): any sequence begins.
  if (entry.epoch === NO_PRODUCER_EPOCH) return
  if (batch.producerEpoch !== entry.epoch) {
    if (first === 0) return
    throw outOfOrder(
      `Invalid sequence number for new epoch of ${where}: ${batch.producerEpoch} (request epoch), ${first} (seq. number), `
        + `${entry.epoch} (current producer epoch)`,
    )
  }
  const last = entry.lastSequence
  if (first === last + 1 || (first === 0 && last === LAST_SEQUENCE)) return
  throw outOfOrder(
    `Out of order sequence number for ${where}: ${first} (incoming seq. number), ${last} (current end sequence number)`,
  )
}

function outOfOrder(message: string): LogError {
  return new LogError(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, message)
}

/** Refuses the marker of a producer epoch, or of a coordinator, that has been followed by another. */
export function checkMarker(entry: ProducerEntry, marker: EndMarker, partition: string): void {
  checkEpoch(entry, marker.producerEpoch, marker.offset, partition)
  if (entry.coordinatorEpoch <= marker.coordinatorEpoch) return
  throw new LogError(
    ErrorCode.TRANSACTION_COORDINATOR_FENCED,
    `Invalid coordinator epoch for producerId ${marker.producerId} at offset ${marker.offset} in partition ${partition}: `
      + `${marker.coordinatorEpoch} (zombie), ${entry.coordinatorEpoch} (current)`,
  )
}
