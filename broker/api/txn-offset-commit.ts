import { ErrorCode } from '../../protocol/errors'
import { GROUP_METADATA_TOPIC } from '../../protocol/rules/topic-name'
import { offsetCommitError } from '../group/append-errors'
import { errorsByTopic, knownPartitions } from './group-requests'
import type { TxnOffsetCommitRequest, TxnOffsetCommitResponse } from '../../protocol/messages/txn-offset-commit'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

/** The first version of clients that understand COORDINATOR_LOAD_IN_PROGRESS, and TRANSACTION_ABORTABLE. */
const KNOWS_LOADING = 2
const KNOWS_ABORTABLE = 4

/**
 * TxnOffsetCommit 0-4: offsets that count when the producer's transaction is committed. Before they are written its coordinator is
 * asked whether the transaction holds the group's partition (KIP-890).
 */
export function txnOffsetCommitHandler(services: BrokerServices): Handler<TxnOffsetCommitRequest, TxnOffsetCommitResponse> {
  return async (context) => {
    const { body, apiVersion } = context
    const { groupId, transactionalId, producerId, producerEpoch, topics } = body
    const { groups, replicas } = services
    const known = knownPartitions(topics, services.metadata)
    const done = (errorCodes: readonly number[]): void => {
      const told = apiVersion >= KNOWS_LOADING ? errorCodes : errorCodes.map(beforeLoading)
      context.respond({ topics: errorsByTopic(topics, known, told, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) })
    }
    const all = (errorCode: number): void => done(known.map(() => errorCode))
    if (known.length === 0) return done([])
    const status = groups.transactionalStatus(groupId)
    if (status !== ErrorCode.NONE) return all(status)
    const partition = { topic: GROUP_METADATA_TOPIC, partition: services.coordinatorLogs.group.partitionFor(groupId) }
    const transaction = { transactionalId, producerId, producerEpoch }
    const { errorCode, verificationGuard } = await replicas.verifyTransaction(
      transaction, partition, apiVersion >= KNOWS_ABORTABLE,
    )
    if (errorCode !== ErrorCode.NONE) return all(offsetCommitError(errorCode))
    groups.commitTransactional(
      {
        groupId,
        memberId: body.memberId,
        groupInstanceId: body.groupInstanceId,
        generationId: body.generationId,
        offsets: known.map(({ topic, partition: index, asked }) => ({
          topic,
          partition: index,
          offset: asked.committedOffset,
          leaderEpoch: asked.committedLeaderEpoch,
          metadata: asked.committedMetadata ?? '',
          commitTimestamp: -1,
          expireTimestamp: -1,
        })),
      },
      { producerId, producerEpoch, verificationGuard },
      done,
    )
  }
}

function beforeLoading(errorCode: number): number {
  return errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS ? ErrorCode.COORDINATOR_NOT_AVAILABLE : errorCode
}
