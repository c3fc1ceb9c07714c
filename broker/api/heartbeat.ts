import { ErrorCode } from '../../protocol/errors'
import { isTooNew } from './group-requests'
import type { HeartbeatRequest, HeartbeatResponse } from '../../protocol/messages/heartbeat'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

/** Heartbeat 0-4. REBALANCE_IN_PROGRESS calls the member to join again. */
export function heartbeatHandler({ groups, groupConfig }: BrokerServices): Handler<HeartbeatRequest, HeartbeatResponse> {
  return (context) => {
    const isRefused = isTooNew(context.body.groupInstanceId, groupConfig)
    context.respond({ errorCode: isRefused ? ErrorCode.UNSUPPORTED_VERSION : groups.heartbeat(context.body) })
  }
}
