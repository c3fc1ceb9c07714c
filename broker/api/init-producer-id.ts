import { ErrorCode } from '../../protocol/errors'
import type { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/messages/init-producer-id'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

const NONE = -1

/**
 * InitProducerId 0-5 for idempotent producers: a fresh id, epoch 0, also if the producer names an id that it had. There is no
 * transaction coordinator yet, so a transactional id is refused with UNSUPPORTED_VERSION, which no client tries again.
 */
export function initProducerIdHandler(services: BrokerServices): Handler<InitProducerIdRequest, InitProducerIdResponse> {
  return async (context) => {
    const { transactionalId, producerId, producerEpoch } = context.body
    const refuse = (errorCode: number): void => context.respond({ errorCode, producerId: NONE, producerEpoch: NONE })
    if ((producerId === NONE) !== (producerEpoch === NONE)) return refuse(ErrorCode.INVALID_REQUEST)
    if (transactionalId === '') return refuse(ErrorCode.INVALID_REQUEST)
    if (transactionalId !== null) return refuse(ErrorCode.UNSUPPORTED_VERSION)
    const fresh = await services.producerIds.next()
    if (fresh === undefined) return refuse(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    context.respond({ errorCode: ErrorCode.NONE, producerId: fresh, producerEpoch: 0 })
  }
}
