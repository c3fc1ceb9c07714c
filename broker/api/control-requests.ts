import { ErrorCode } from '../../protocol/errors'
import type { ControlledShutdownRequest, ControlledShutdownResponse } from '../../protocol/messages/controlled-shutdown'
import type { LeaderAndIsrRequest, LeaderAndIsrResponse } from '../../protocol/messages/leader-and-isr'
import type { StopReplicaRequest, StopReplicaResponse } from '../../protocol/messages/stop-replica'
import type { UpdateMetadataRequest, UpdateMetadataResponse } from '../../protocol/messages/update-metadata'
import type { Handler, RequestContext } from '../server/request-context'
import type { BrokerServices } from './services'

/**
 * LeaderAndIsr 0-7, StopReplica 0-4, UpdateMetadata 0-8: the controller's requests. What they prove (epochs, the controller in
 * ZooKeeper) is checked by the replica manager; here only where they came from: with control.plane.listener.name they are accepted
 * on that listener alone.
 */
function cameFromElsewhere(context: RequestContext<unknown, { errorCode: number }>): boolean {
  if (!context.origin.hasControlPlane || context.origin.isControlPlane) return false
  context.respond({ errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED })
  return true
}

export function leaderAndIsrHandler(services: BrokerServices): Handler<LeaderAndIsrRequest, LeaderAndIsrResponse> {
  return async (context) => {
    if (cameFromElsewhere(context)) return
    context.respond(await services.replicas.becomeLeaderOrFollower(context.body, context.apiVersion))
  }
}

export function stopReplicaHandler(services: BrokerServices): Handler<StopReplicaRequest, StopReplicaResponse> {
  return async (context) => {
    if (cameFromElsewhere(context)) return
    context.respond(await services.replicas.stopReplica(context.body, context.apiVersion))
  }
}

export function updateMetadataHandler(services: BrokerServices): Handler<UpdateMetadataRequest, UpdateMetadataResponse> {
  return async (context) => {
    if (cameFromElsewhere(context)) return
    context.respond(await services.replicas.updateMetadata(context.body, context.apiVersion))
  }
}

/** ControlledShutdown 0-3, to the controller: a broker that is about to stop gives its leaderships away. */
export function controlledShutdownHandler(services: BrokerServices): Handler<ControlledShutdownRequest, ControlledShutdownResponse> {
  return async (context) => context.respond(await services.controller.controlledShutdown(context.body, context.apiVersion))
}
