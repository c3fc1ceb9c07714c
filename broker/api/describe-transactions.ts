import { firstOfEach } from './group-requests'
import type { DescribeTransactionsRequest, DescribeTransactionsResponse } from '../../protocol/messages/describe-transactions'
import type { ListTransactionsRequest, ListTransactionsResponse } from '../../protocol/messages/list-transactions'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

/** DescribeTransactions 0 (KIP-664): transactional ids that this broker coordinates. */
export function describeTransactionsHandler(
  services: BrokerServices,
): Handler<DescribeTransactionsRequest, DescribeTransactionsResponse> {
  return (context) => {
    context.respond({
      transactionStates: firstOfEach(context.body.transactionalIds, (id) => id).map((transactionalId) => {
        const { errorCode, state, timeoutMs, startMs, producerId, producerEpoch, topics } =
          services.transactions.describe(transactionalId)
        return {
          errorCode,
          transactionalId,
          transactionState: state,
          transactionTimeoutMs: timeoutMs,
          transactionStartTimeMs: startMs,
          producerId,
          producerEpoch,
          topics,
        }
      }),
    })
  }
}

/** ListTransactions 0-1: what this broker coordinates; from version 1 on only transactions that began long enough ago. */
export function listTransactionsHandler(services: BrokerServices): Handler<ListTransactionsRequest, ListTransactionsResponse> {
  return (context) => {
    const { stateFilters, producerIdFilters, durationFilter } = context.body
    const { errorCode, unknownStates, transactions } = services.transactions.list({
      states: stateFilters,
      producerIds: producerIdFilters,
      minDurationMs: durationFilter,
    })
    context.respond({
      errorCode,
      unknownStateFilters: unknownStates,
      transactionStates: transactions.map(({ transactionalId, producerId, state }) => ({
        transactionalId, producerId, transactionState: state,
      })),
    })
  }
}
