import type { DeleteGroupsRequest, DeleteGroupsResponse } from '../../protocol/messages/delete-groups'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

/** DeleteGroups 0-2. Only groups without members can be deleted. */
export function deleteGroupsHandler({ groups }: BrokerServices): Handler<DeleteGroupsRequest, DeleteGroupsResponse> {
  return (context) => {
    const groupIds = [...new Set(context.body.groupsNames)]
    context.respond({ results: groupIds.map((groupId) => ({ groupId, errorCode: groups.deleteGroup(groupId) })) })
  }
}
