import type { AllocateProducerIdsRequest, AllocateProducerIdsResponse } from '../../protocol/messages/allocate-producer-ids'
import type { AlterPartitionRequest, AlterPartitionResponse } from '../../protocol/messages/alter-partition'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

/** AlterPartition 0-3 (KIP-497), from a leader to the controller. */
export function alterPartitionHandler(services: BrokerServices): Handler<AlterPartitionRequest, AlterPartitionResponse> {
  return async (context) => context.respond(await services.controller.alterPartition(context.body, context.apiVersion))
}

/** AllocateProducerIds 0, from a broker to the controller. */
export function allocateProducerIdsHandler(
  services: BrokerServices,
): Handler<AllocateProducerIdsRequest, AllocateProducerIdsResponse> {
  return async (context) => context.respond(await services.controller.allocateProducerIds(context.body))
}
