import { ErrorCode } from '../../protocol/errors'
import type { LeaveGroupRequest, LeaveGroupResponse } from '../../protocol/messages/leave-group'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

/** LeaveGroup 0-5. Several members from version 3 on, each with an error of its own; before, the one member's error is the answer's. */
export function leaveGroupHandler({ groups }: BrokerServices): Handler<LeaveGroupRequest, LeaveGroupResponse> {
  return (context) => {
    const { body, apiVersion } = context
    const { groupId } = body
    const members = apiVersion >= 3 ? body.members : [{ memberId: body.memberId, groupInstanceId: null, reason: null }]
    const result = groups.leave(groupId, members)
    if (typeof result === 'number') return context.respond({ errorCode: result })
    if (apiVersion < 3) return context.respond({ errorCode: result[0]! })
    context.respond({
      errorCode: ErrorCode.NONE,
      members: members.map(({ memberId, groupInstanceId }, i) => ({ memberId, groupInstanceId, errorCode: result[i]! })),
    })
  }
}
