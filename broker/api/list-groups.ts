import type { ListGroupsRequest, ListGroupsResponse } from '../../protocol/messages/list-groups'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

/** ListGroups 0-5: the groups that this broker coordinates; with COORDINATOR_LOAD_IN_PROGRESS if there may be more. */
export function listGroupsHandler({ groups }: BrokerServices): Handler<ListGroupsRequest, ListGroupsResponse> {
  return (context) => context.respond(groups.list(context.body.statesFilter, context.body.typesFilter))
}
