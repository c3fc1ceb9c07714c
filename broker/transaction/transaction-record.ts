import { FileFormatError } from '../../protocol/files/checkpoint-text'
import {
  decodeTransactionKey, decodeTransactionValue, encodeTransactionKey, encodeTransactionValue,
} from '../../protocol/files/internal-records'
import { isControlAt } from '../../protocol/records/batch'
import { BatchBuilder, decodeRecords, type Record } from '../../protocol/records/records'
import { TopicPartitions } from './topic-partitions'
import { MAX_EPOCH, TransactionMetadata } from './transaction-metadata'
import { stateName, stateOfId, TransactionState } from './transaction-state'
import type { Transition } from './transaction-metadata'

/** One batch with the record of a transition, never compressed (Kafka's TransactionLog). */
export function encodeTransition(transactionalId: string, transition: Transition, nowMs: number): Buffer {
  const isEmpty = transition.state === TransactionState.empty
  const topics = [...transition.partitions.topics()].map(({ topic, partitions }) => ({ topic, partitionIds: partitions }))
  const value = encodeTransactionValue({
    producerId: transition.producerId,
    producerEpoch: transition.producerEpoch,
    transactionTimeoutMs: transition.timeoutMs,
    transactionStatus: transition.state,
    transactionPartitions: isEmpty ? null : topics,
    transactionLastUpdateTimestampMs: transition.lastUpdateMs,
    transactionStartTimestampMs: transition.startMs,
  })
  return new BatchBuilder().append(encodeTransactionKey(transactionalId), value, [], nowMs).build()
}

/** One batch of tombstones. */
export function encodeTombstones(transactionalIds: Iterable<string>, nowMs: number): Buffer {
  const batch = new BatchBuilder()
  for (const id of transactionalIds) batch.append(encodeTransactionKey(id), null, [], nowMs)
  return batch.build()
}

/**
 * Takes the records of a batch of the log into `transactions`. One that nobody understands, or that no coordinator writes, is left out
 * and told to `onForeign`: whoever calls itself an admin client may write there, and one record must not take the others with it.
 */
export function replayBatch(
  batch: Buffer,
  logPartition: number,
  transactions: Map<string, TransactionMetadata>,
  onForeign: (offset: number, error: unknown) => void,
): void {
  if (isControlAt(batch, 0)) return
  for (const record of decodeRecords(batch)) {
    try {
      replayRecord(record, logPartition, transactions)
    } catch (error) {
      onForeign(record.offset, error)
    }
  }
}

function replayRecord({ key, value }: Record, logPartition: number, transactions: Map<string, TransactionMetadata>): void {
  if (key === null) throw new FileFormatError('A record of the transaction log has no key')
  const transactionalId = decodeTransactionKey(Buffer.from(key))
  // What a newer release wrote that was taken back.
  if (transactionalId === undefined) return
  if (value === null) transactions.delete(transactionalId)
  else transactions.set(transactionalId, metadataOf(transactionalId, logPartition, Buffer.from(value)))
}

/** States that stand in the log. */
function isWritten(state: TransactionState): boolean {
  return state !== TransactionState.dead && state !== TransactionState.prepareEpochFence
}

function metadataOf(transactionalId: string, logPartition: number, bytes: Buffer): TransactionMetadata {
  const value = decodeTransactionValue(bytes)
  const { producerId, producerEpoch } = value
  const state = stateOfId(value.transactionStatus)
  if (state === undefined || !isWritten(state)) {
    throw new FileFormatError(`State ${value.transactionStatus} of ${transactionalId} is none that is written`)
  }
  // The highest epoch is there to fence the producer of an open transaction.
  const highestEpoch = state === TransactionState.ongoing ? MAX_EPOCH - 1 : MAX_EPOCH
  if (producerId < 0 || producerEpoch < 0 || producerEpoch > highestEpoch) {
    throw new FileFormatError(`${transactionalId} cannot be ${stateName(state)} with producer ${producerId}, epoch ${producerEpoch}`)
  }
  const metadata = new TransactionMetadata(
    transactionalId, logPartition, producerId, value.transactionTimeoutMs, value.transactionLastUpdateTimestampMs,
  )
  metadata.state = state
  metadata.producerEpoch = producerEpoch
  metadata.startMs = value.transactionStartTimestampMs
  if (state !== TransactionState.empty) {
    const topics = value.transactionPartitions ?? []
    metadata.partitions = TopicPartitions.of(
      topics.flatMap(({ topic, partitionIds }) => partitionIds.map((partition) => ({ topic, partition }))),
    )
  }
  return metadata
}
