import { FileFormatError } from '../../protocol/files/checkpoint-text'
import {
  decodeTransactionKey, decodeTransactionValue, encodeTransactionKey, encodeTransactionValue,
} from '../../protocol/files/internal-records'
import { isControlAt } from '../../protocol/records/batch'
import { BatchBuilder, decodeRecords } from '../../protocol/records/records'
import { TopicPartitions } from './topic-partitions'
import { TransactionMetadata } from './transaction-metadata'
import { stateOfId, TransactionState } from './transaction-state'
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

/** Takes the records of a batch of the log into `transactions`. Throws what a damaged or unknown record throws. */
export function replayBatch(batch: Buffer, logPartition: number, transactions: Map<string, TransactionMetadata>): void {
  if (isControlAt(batch, 0)) return
  for (const { key, value } of decodeRecords(batch)) {
    if (key === null) throw new FileFormatError('A record of the transaction log has no key')
    const transactionalId = decodeTransactionKey(Buffer.from(key))
    // What a newer release wrote that was taken back.
    if (transactionalId === undefined) continue
    if (value === null) transactions.delete(transactionalId)
    else transactions.set(transactionalId, metadataOf(transactionalId, logPartition, Buffer.from(value)))
  }
}

function metadataOf(transactionalId: string, logPartition: number, bytes: Buffer): TransactionMetadata {
  const value = decodeTransactionValue(bytes)
  const state = stateOfId(value.transactionStatus)
  if (state === undefined) throw new FileFormatError(`Unknown state ${value.transactionStatus} of ${transactionalId}`)
  const metadata = new TransactionMetadata(
    transactionalId, logPartition, value.producerId, value.transactionTimeoutMs, value.transactionLastUpdateTimestampMs,
  )
  metadata.state = state
  metadata.producerEpoch = value.producerEpoch
  metadata.startMs = value.transactionStartTimestampMs
  if (state !== TransactionState.empty) {
    const topics = value.transactionPartitions ?? []
    metadata.partitions = TopicPartitions.of(
      topics.flatMap(({ topic, partitionIds }) => partitionIds.map((partition) => ({ topic, partition }))),
    )
  }
  return metadata
}
