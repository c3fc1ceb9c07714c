import { ErrorCode } from '../../protocol/errors'
import type { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/messages/init-producer-id'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

const NONE = -1
/** The first version in which a client knows PRODUCER_FENCED. */
const FIRST_FENCED = 4

/**
 * InitProducerId 0-5: a producer id for an idempotent producer, or for a transactional id, whose older producers are fenced with
 * it. From version 3 on a producer names what it had, to go on with it (KIP-360).
 */
export function initProducerIdHandler(services: BrokerServices): Handler<InitProducerIdRequest, InitProducerIdResponse> {
  return async (context) => {
    const { transactionalId, transactionTimeoutMs, producerId, producerEpoch } = context.body
    if ((producerId === NONE) !== (producerEpoch === NONE)) {
      context.respond({ errorCode: ErrorCode.INVALID_REQUEST, producerId: NONE, producerEpoch: NONE })
      return
    }
    const expected = producerId === NONE ? undefined : { producerId, producerEpoch }
    const result = await services.transactions.initProducerId(transactionalId, transactionTimeoutMs, expected)
    const isUnknown = result.errorCode === ErrorCode.PRODUCER_FENCED && context.apiVersion < FIRST_FENCED
    context.respond({ ...result, errorCode: isUnknown ? ErrorCode.INVALID_PRODUCER_EPOCH : result.errorCode })
  }
}
