import { ErrorCode } from '../../protocol/errors'
import { GROUP_OPERATIONS, NOT_ASKED } from './authorized-operations'
import { firstOfEach } from './group-requests'
import type { DescribeGroupsRequest, DescribeGroupsResponse } from '../../protocol/messages/describe-groups'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

/** DescribeGroups 0-5. A group that is not known is Dead, without an error. */
export function describeGroupsHandler({ groups }: BrokerServices): Handler<DescribeGroupsRequest, DescribeGroupsResponse> {
  return (context) => {
    const { body } = context
    context.respond({
      groups: firstOfEach(body.groups, (groupId) => groupId).map((groupId) => {
        const description = groups.describe(groupId)
        const isAsked = body.includeAuthorizedOperations && description.errorCode === ErrorCode.NONE
        return { ...description, authorizedOperations: isAsked ? GROUP_OPERATIONS : NOT_ASKED }
      }),
    })
  }
}
