import { ErrorCode } from '../../protocol/errors'
import type {
  AddPartitionsToTxnRequest, AddPartitionsToTxnResponse, AddPartitionsToTxnResult, AddPartitionsToTxnTopic,
  AddPartitionsToTxnTopicResult, AddPartitionsToTxnTransaction,
} from '../../protocol/messages/add-partitions-to-txn'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

interface PartitionResult {
  topic: string
  partition: number
  errorCode: number
}

/** The first version that brokers send, for many transactions at once. */
const FIRST_BATCHED = 4
/** The first version in which a client knows PRODUCER_FENCED. */
const FIRST_FENCED = 2

/**
 * AddPartitionsToTxn 0-5. Up to version 3 a client adds partitions to its transaction: all of them or, if one cannot be, none.
 * From 4 on brokers do it for many transactions, or only ask whether partitions were added (verifyOnly, KIP-890).
 */
export function addPartitionsToTxnHandler(
  services: BrokerServices,
): Handler<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse> {
  return async (context) => {
    const { body, apiVersion } = context
    if (apiVersion < FIRST_BATCHED) {
      const transaction = {
        transactionalId: body.v3AndBelowTransactionalId,
        producerId: body.v3AndBelowProducerId,
        producerEpoch: body.v3AndBelowProducerEpoch,
        verifyOnly: false,
        topics: body.v3AndBelowTopics,
      }
      const results = await resultsOf(services, transaction, apiVersion)
      context.respond({ resultsByTopicV3AndBelow: byTopic(results) })
      return
    }
    const resultsByTransaction = await Promise.all(
      body.transactions.map(async (transaction): Promise<AddPartitionsToTxnResult> => {
        const results = await resultsOf(services, transaction, apiVersion)
        return { transactionalId: transaction.transactionalId, topicResults: byTopic(results) }
      }),
    )
    context.respond({ resultsByTransaction })
  }
}

async function resultsOf(
  { metadata, transactions }: BrokerServices,
  transaction: AddPartitionsToTxnTransaction,
  apiVersion: number,
): Promise<PartitionResult[]> {
  const { transactionalId } = transaction
  const partitions = partitionsOf(transaction.topics)
  const isUnknown = partitions.map(({ topic, partition }) => metadata.partition(topic, partition) === undefined)
  if (isUnknown.includes(true)) {
    return partitions.map((each, i) => ({
      ...each,
      errorCode: isUnknown[i] === true ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.OPERATION_NOT_ATTEMPTED,
    }))
  }
  if (transaction.verifyOnly && transactionalId !== '') {
    return transactions.verifyPartitions(transactionalId, transaction, partitions)
  }
  const error = await transactions.addPartitions(transactionalId, transaction, partitions)
  const isFenced = error === ErrorCode.PRODUCER_FENCED && apiVersion < FIRST_FENCED
  return partitions.map((each) => ({ ...each, errorCode: isFenced ? ErrorCode.INVALID_PRODUCER_EPOCH : error }))
}

function partitionsOf(topics: readonly AddPartitionsToTxnTopic[]): { topic: string; partition: number }[] {
  return topics.flatMap(({ name, partitions }) => [...new Set(partitions)].map((partition) => ({ topic: name, partition })))
}

function byTopic(results: readonly PartitionResult[]): AddPartitionsToTxnTopicResult[] {
  const topics = new Map<string, AddPartitionsToTxnTopicResult>()
  for (const { topic, partition, errorCode } of results) {
    let result = topics.get(topic)
    if (result === undefined) topics.set(topic, (result = { name: topic, resultsByPartition: [] }))
    result.resultsByPartition.push({ partitionIndex: partition, partitionErrorCode: errorCode })
  }
  return [...topics.values()]
}
