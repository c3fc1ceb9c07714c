import { partitionKey } from '../../client/leaders'
import type { ActiveProducer, ProducersOfPartition, TransactionDescription } from '../../client/admin/transactions'
import type { TopicPartition } from '../../client/leaders'

/** A transaction as a partition sees it. */
export interface OpenTransaction extends TopicPartition {
  producer: ActiveProducer
}

/** Transactions that have been open for longer than any may be. */
export function candidates(
  partitions: Iterable<ProducersOfPartition>,
  maxTransactionTimeoutMs: number,
  nowMs: number,
): OpenTransaction[] {
  return [...partitions].flatMap(({ topic, partition, activeProducers }) =>
    activeProducers
      .filter((each) => each.currentTransactionStartOffset !== undefined && nowMs - each.lastTimestamp > maxTransactionTimeoutMs)
      .map((producer) => ({ topic, partition, producer })),
  )
}

/**
 * A transaction hangs when no coordinator will ever write its marker: nobody knows the producer id's transactional id, or its
 * transaction is without this partition (KIP-664). `transactionalIds` by producer id, `descriptions` by transactional id.
 */
export function hanging(
  open: readonly OpenTransaction[],
  transactionalIds: ReadonlyMap<number, string>,
  descriptions: ReadonlyMap<string, Pick<TransactionDescription, 'partitions'>>,
): OpenTransaction[] {
  return open.filter(({ topic, partition, producer }) => {
    const transactionalId = transactionalIds.get(producer.producerId)
    const description = transactionalId === undefined ? undefined : descriptions.get(transactionalId)
    return !(description?.partitions ?? []).some(
      (each) => partitionKey(each.topic, each.partition) === partitionKey(topic, partition),
    )
  })
}
