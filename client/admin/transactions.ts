import { ApiKey } from '../../protocol/messages/apis'
import { ErrorCode, ProtocolError } from '../../protocol/errors'
import { CoordinatorType, perCoordinator } from '../coordinators'
import { byTopic, partitionKey, perLeader } from '../leaders'
import type { Cluster, Node } from '../cluster'
import type { DescribeProducersResponse } from '../../protocol/messages/describe-producers'
import type { DescribeTransactionsResponse } from '../../protocol/messages/describe-transactions'
import type { InitProducerIdResponse } from '../../protocol/messages/init-producer-id'
import type { ListTransactionsResponse } from '../../protocol/messages/list-transactions'
import type { TopicPartition } from '../leaders'
import type { WriteTxnMarkersResponse } from '../../protocol/messages/write-txn-markers'

export interface TransactionListing {
  transactionalId: string
  producerId: number
  /** 'Ongoing', 'Empty' ... */
  state: string
}

export interface TransactionDescription {
  transactionalId: string
  coordinatorId: number
  state: string
  producerId: number
  producerEpoch: number
  timeoutMs: number
  /** Milliseconds since 1970; undefined while no transaction is open. */
  startTimeMs: number | undefined
  partitions: TopicPartition[]
}

export interface ActiveProducer {
  producerId: number
  producerEpoch: number
  lastSequence: number
  lastTimestamp: number
  /** Of the last marker; undefined before the first. */
  coordinatorEpoch: number | undefined
  /** undefined while no transaction is open. */
  currentTransactionStartOffset: number | undefined
}

export interface ProducersOfPartition extends TopicPartition {
  activeProducers: ActiveProducer[]
}

export interface ListTransactionsOptions {
  /** Only in these states: 'Ongoing', 'PrepareAbort' ... */
  states?: readonly string[] | undefined
  producerIds?: readonly number[] | undefined
  /** Only those that have been open for longer (ms; ListTransactions 1). */
  durationMs?: number | undefined
}

/** Names an open transaction in one partition, for `abortTransaction`. */
export interface TransactionToAbort extends TopicPartition {
  producerId: number
  producerEpoch: number
  /** As DescribeProducers tells it; 0 when none is known. */
  coordinatorEpoch: number
}

export function describeTransactions(
  cluster: Cluster,
  transactionalIds: readonly string[],
): Promise<Map<string, TransactionDescription | Error>> {
  return perCoordinator<TransactionDescription>(
    cluster,
    'describing transactions',
    CoordinatorType.transaction,
    transactionalIds,
    async (coordinator, ids) => {
      const response = await cluster.sendTo<DescribeTransactionsResponse>(coordinator, ApiKey.describeTransactions, {
        transactionalIds: ids,
      })
      return new Map(
        response.transactionStates.map((each) => [
          each.transactionalId,
          each.errorCode !== 0
            ? new ProtocolError(each.errorCode)
            : {
                transactionalId: each.transactionalId,
                coordinatorId: coordinator.id,
                state: each.transactionState,
                producerId: each.producerId,
                producerEpoch: each.producerEpoch,
                timeoutMs: each.transactionTimeoutMs,
                startTimeMs: each.transactionStartTimeMs >= 0 ? each.transactionStartTimeMs : undefined,
                partitions: each.topics.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition }))),
              },
        ]),
      )
    },
  )
}

/** By broker id what it coordinates, or its error. */
export async function listTransactions(
  cluster: Cluster,
  options: ListTransactionsOptions,
): Promise<Map<number, TransactionListing[] | Error>> {
  await cluster.retrying('listing the brokers', () => cluster.metadata([]))
  const results = new Map<number, TransactionListing[] | Error>()
  await Promise.all(
    cluster.allNodes().map(async (node) => {
      try {
        results.set(
          node.id,
          await cluster.retrying(`listing the transactions of broker ${node.id}`, () => transactionsOf(cluster, node, options)),
        )
      } catch (error) {
        results.set(node.id, error as Error)
      }
    }),
  )
  return new Map([...results].sort(([a], [b]) => a - b))
}

async function transactionsOf(cluster: Cluster, node: Node, options: ListTransactionsOptions): Promise<TransactionListing[]> {
  const { durationMs } = options
  const response = await cluster.sendTo<ListTransactionsResponse>(node, ApiKey.listTransactions, (version: number) => {
    if (durationMs !== undefined && durationMs >= 0 && version < 1)
      throw new ProtocolError(
        ErrorCode.UNSUPPORTED_VERSION,
        'Duration filter can be set only when using API version 1 or higher.',
      )
    return {
      stateFilters: [...(options.states ?? [])],
      producerIdFilters: [...(options.producerIds ?? [])],
      ...(version >= 1 ? { durationFilter: durationMs ?? -1 } : {}),
    }
  })
  if (response.errorCode !== 0) throw new ProtocolError(response.errorCode)
  return response.transactionStates.map(({ transactionalId, producerId, transactionState }) => ({
    transactionalId,
    producerId,
    state: transactionState,
  }))
}

/** Asks the leaders, or one broker for its replicas. Throws the first partition's error. */
export async function describeProducers(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  brokerId: number | undefined,
): Promise<Map<string, ProducersOfPartition>> {
  const ask = (broker: number, list: readonly TopicPartition[]): Promise<(ProducersOfPartition | ProtocolError)[]> =>
    producersOn(cluster, broker, list)
  if (brokerId === undefined)
    return perLeader<TopicPartition, ProducersOfPartition>(cluster, 'describing producers', partitions, ask)
  const answers = await cluster.retrying(`describing the producers of broker ${brokerId}`, async () => {
    if (cluster.node(brokerId) === undefined) await cluster.metadata([])
    const found = await ask(brokerId, partitions)
    // The broker was named: that it is not the leader does not pass by asking again.
    const passing = found.find((each) => each instanceof ProtocolError && each.code !== ErrorCode.NOT_LEADER_OR_FOLLOWER && each.retriable)
    if (passing !== undefined) throw passing
    return found
  })
  const results = new Map<string, ProducersOfPartition>()
  for (const answer of answers) {
    if (answer instanceof ProtocolError) throw answer
    results.set(partitionKey(answer.topic, answer.partition), answer)
  }
  return results
}

async function producersOn(
  cluster: Cluster,
  broker: number,
  partitions: readonly TopicPartition[],
): Promise<(ProducersOfPartition | ProtocolError)[]> {
  const response = await cluster.send<DescribeProducersResponse>(broker, ApiKey.describeProducers, {
    topics: byTopic(partitions).map(({ topic, partitions: list }) => ({
      name: topic,
      partitionIndexes: list.map(({ partition }) => partition),
    })),
  })
  const answers = new Map(
    response.topics.flatMap(({ name, partitions: list }) =>
      list.map((each) => [partitionKey(name, each.partitionIndex), each] as const),
    ),
  )
  return partitions.map(({ topic, partition }) => {
    const answer = answers.get(partitionKey(topic, partition))
    if (answer === undefined) return new ProtocolError(ErrorCode.UNKNOWN_SERVER_ERROR, 'the partition is missing in the answer')
    if (answer.errorCode !== 0) return new ProtocolError(answer.errorCode, answer.errorMessage ?? undefined)
    return {
      topic,
      partition,
      activeProducers: answer.activeProducers.map(
        ({ producerId, producerEpoch, lastSequence, lastTimestamp, coordinatorEpoch, currentTxnStartOffset }) => ({
          producerId,
          producerEpoch,
          lastSequence,
          lastTimestamp,
          coordinatorEpoch: coordinatorEpoch >= 0 ? coordinatorEpoch : undefined,
          currentTransactionStartOffset: currentTxnStartOffset >= 0 ? currentTxnStartOffset : undefined,
        }),
      ),
    }
  })
}

/** Writes an abort marker into one partition, whatever the coordinator thinks: for transactions that hang (KIP-664). */
export async function abortTransaction(cluster: Cluster, transaction: TransactionToAbort): Promise<void> {
  const { topic, partition, producerId, producerEpoch, coordinatorEpoch } = transaction
  await perLeader<TopicPartition, true>(cluster, 'aborting a transaction', [{ topic, partition }], async (leader) => {
    const response = await cluster.send<WriteTxnMarkersResponse>(leader, ApiKey.writeTxnMarkers, {
      markers: [
        {
          producerId,
          producerEpoch,
          coordinatorEpoch,
          transactionResult: false,
          topics: [{ name: topic, partitionIndexes: [partition] }],
        },
      ],
    })
    const code = response.markers[0]?.topics[0]?.partitions[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
    return [code === 0 ? true : new ProtocolError(code)]
  })
}

/**
 * Ends what the producers of these transactional ids have open, and fences them (KIP-360): who they are from now on, or an
 * error.
 */
export function fenceProducers(
  cluster: Cluster,
  transactionalIds: readonly string[],
): Promise<Map<string, { producerId: number; producerEpoch: number } | Error>> {
  return perCoordinator(cluster, 'fencing producers', CoordinatorType.transaction, transactionalIds, async (coordinator, ids) => {
    const results = new Map<string, { producerId: number; producerEpoch: number } | ProtocolError>()
    for (const transactionalId of ids) {
      const response = await cluster.sendTo<InitProducerIdResponse>(coordinator, ApiKey.initProducerId, {
        transactionalId,
        transactionTimeoutMs: cluster.settings.requestTimeoutMs,
        producerId: -1,
        producerEpoch: -1,
      })
      const { errorCode, producerId, producerEpoch } = response
      results.set(transactionalId, errorCode === 0 ? { producerId, producerEpoch } : new ProtocolError(errorCode))
    }
    return results
  })
}
