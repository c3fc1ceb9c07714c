import { ErrorCode } from '../../protocol/errors'
import type { AddOffsetsToTxnRequest, AddOffsetsToTxnResponse } from '../../protocol/messages/add-offsets-to-txn'
import type { EndTxnRequest, EndTxnResponse } from '../../protocol/messages/end-txn'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

/** The first version of either in which a client knows PRODUCER_FENCED. */
const FIRST_FENCED = 2

function forClient(errorCode: number, apiVersion: number): number {
  return errorCode === ErrorCode.PRODUCER_FENCED && apiVersion < FIRST_FENCED ? ErrorCode.INVALID_PRODUCER_EPOCH : errorCode
}

/** AddOffsetsToTxn 0-4: the partition of `__consumer_offsets` that holds the group becomes part of the transaction. */
export function addOffsetsToTxnHandler(services: BrokerServices): Handler<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse> {
  return async (context) => {
    const { transactionalId, groupId } = context.body
    const { group } = services.coordinatorLogs
    const partition = { topic: group.topic, partition: group.partitionFor(groupId) }
    const errorCode = await services.transactions.addPartitions(transactionalId, context.body, [partition])
    context.respond({ errorCode: forClient(errorCode, context.apiVersion) })
  }
}

/** EndTxn 0-4: answered when the decision is in the log; the markers are written afterwards. */
export function endTxnHandler(services: BrokerServices): Handler<EndTxnRequest, EndTxnResponse> {
  return async (context) => {
    const { transactionalId, committed } = context.body
    const errorCode = await services.transactions.endTransaction(transactionalId, context.body, committed)
    context.respond({ errorCode: forClient(errorCode, context.apiVersion) })
  }
}
