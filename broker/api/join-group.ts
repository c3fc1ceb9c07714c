import { ErrorCode } from '../../protocol/errors'
import { joinError, type JoinResult } from '../group/member'
import { isTooNew, javaHost, keptBytes } from './group-requests'
import type { JoinGroupRequest, JoinGroupResponse } from '../../protocol/messages/join-group'
import type { Input } from '../../protocol/messages/schema'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

/**
 * JoinGroup 0-9. Answered when the rebalance is over, which may take minutes. From version 4 on a new dynamic member is given its
 * id first; version 0 has one time-out for both session and rebalance.
 */
export function joinGroupHandler({ groups, groupConfig }: BrokerServices): Handler<JoinGroupRequest, JoinGroupResponse> {
  return (context) => {
    const { body, apiVersion } = context
    const respond = (result: JoinResult): void => context.respond(responseOf(result, apiVersion))
    if (isTooNew(body.groupInstanceId, groupConfig)) return respond(joinError('', ErrorCode.UNSUPPORTED_VERSION))
    groups.join(
      {
        groupId: body.groupId,
        memberId: body.memberId,
        groupInstanceId: body.groupInstanceId,
        requireKnownMemberId: apiVersion >= 4 && body.groupInstanceId === null,
        supportsSkippingAssignment: apiVersion >= 9,
        clientId: context.clientId,
        clientHost: javaHost(context.clientHost),
        rebalanceTimeoutMs: apiVersion === 0 ? body.sessionTimeoutMs : body.rebalanceTimeoutMs,
        sessionTimeoutMs: body.sessionTimeoutMs,
        protocolType: body.protocolType,
        protocols: body.protocols.map(({ name, metadata }) => ({ name, metadata: keptBytes(metadata) })),
        reason: body.reason,
      },
      respond,
    )
  }
}

function responseOf(result: JoinResult, apiVersion: number): Input<JoinGroupResponse> {
  return {
    errorCode: result.errorCode,
    generationId: result.generationId,
    protocolType: result.protocolType,
    protocolName: result.protocolName ?? (apiVersion >= 7 ? null : ''),
    leader: result.leaderId,
    ...(apiVersion >= 9 ? { skipAssignment: result.skipAssignment } : {}),
    memberId: result.memberId,
    members: result.members,
  }
}
