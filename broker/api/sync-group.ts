import { ErrorCode } from '../../protocol/errors'
import { syncError } from '../group/member'
import { isTooNew, keptBytes } from './group-requests'
import type { SyncGroupRequest, SyncGroupResponse } from '../../protocol/messages/sync-group'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

/** SyncGroup 0-5. Answered when the leader's assignment is written. Version 5 must name the protocol. */
export function syncGroupHandler({ groups, groupConfig }: BrokerServices): Handler<SyncGroupRequest, SyncGroupResponse> {
  return (context) => {
    const { body, apiVersion } = context
    if (isTooNew(body.groupInstanceId, groupConfig)) return context.respond(syncError(ErrorCode.UNSUPPORTED_VERSION))
    if (apiVersion >= 5 && (body.protocolType === null || body.protocolName === null)) {
      return context.respond(syncError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL))
    }
    const assignments = new Map(body.assignments.map(({ memberId, assignment }) => [memberId, keptBytes(assignment)]))
    groups.sync({ ...body, assignments }, (result) => context.respond(result))
  }
}
