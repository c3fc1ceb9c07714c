import type {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from '../../protocol/messages/alter-partition-reassignments'
import type {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse,
} from '../../protocol/messages/list-partition-reassignments'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

/** AlterPartitionReassignments 0 (KIP-455), on the active controller. Null replicas cancel. */
export function alterPartitionReassignmentsHandler(
  services: BrokerServices,
): Handler<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse> {
  return async (context) => context.respond(await services.controller.alterPartitionReassignments(context.body))
}

/** ListPartitionReassignments 0, on the active controller. */
export function listPartitionReassignmentsHandler(
  services: BrokerServices,
): Handler<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse> {
  return async (context) => context.respond(await services.controller.listPartitionReassignments(context.body))
}
