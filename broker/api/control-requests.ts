import { ErrorCode } from '../../protocol/errors'
import type { ControlledShutdownRequest, ControlledShutdownResponse } from '../../protocol/messages/controlled-shutdown'
import type { LeaderAndIsrRequest, LeaderAndIsrResponse } from '../../protocol/messages/leader-and-isr'
import type { StopReplicaRequest, StopReplicaResponse } from '../../protocol/messages/stop-replica'
import type { UpdateMetadataRequest, UpdateMetadataResponse } from '../../protocol/messages/update-metadata'
import type { Handler, RequestContext } from '../server/request-context'
import type { BrokerServices } from './services'

/**
 * LeaderAndIsr 0-7, StopReplica 0-4, UpdateMetadata 0-8: the controller's requests. What they prove (epochs, the controller
 * in ZooKeeper) is checked by the replica manager; here only where they came from: with control.plane.listener.name they are
 * accepted on that listener alone.
 */
function cameFromElsewhere(context: RequestContext<unknown, { errorCode: number }>): boolean {
  if (!context.origin.hasControlPlane || context.origin.isControlPlane) return false
  context.respond({ errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED })
  return true
}

/** How long a LeaderAndIsr may wait for the configuration of its new topics; without it they begin with the defaults. */
const CONFIG_WAIT_MS = 2000

export function leaderAndIsrHandler(services: BrokerServices): Handler<LeaderAndIsrRequest, LeaderAndIsrResponse> {
  return async (context) => {
    if (cameFromElsewhere(context)) return
    // Not before the request is believed: anybody may send one with a hundred thousand names.
    const prepare = async (): Promise<void> => {
      const topics = newTopics(services, context.body)
      if (topics.length > 0) await readConfigs(services, topics)
    }
    context.respond(await services.replicas.becomeLeaderOrFollower(context.body, context.apiVersion, prepare))
  }
}

/** Nobody is told of a new topic's configuration; one of the same name may have had another. */
function newTopics({ topicConfigs }: BrokerServices, request: LeaderAndIsrRequest): string[] {
  const topics = new Set<string>()
  for (const { topicName, partitionStates } of request.topicStates) {
    if (!topicConfigs.has(topicName) || partitionStates.some(({ isNew }) => isNew)) topics.add(topicName)
  }
  for (const { topicName, isNew } of request.ungroupedPartitionStates) {
    if (isNew || !topicConfigs.has(topicName)) topics.add(topicName)
  }
  return [...topics]
}

/** Never rejects. */
function readConfigs({ refreshTopicConfigs, clock, logger }: BrokerServices, topics: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.timer(CONFIG_WAIT_MS, () => {
      logger.warn({ topics: topics.length }, 'the configuration of new topics comes late')
      resolve()
    })
    refreshTopicConfigs(topics)
      .catch((error: unknown) => logger.warn({ err: error }, 'the configuration of new topics could not be read'))
      .finally(() => {
        timer.cancel()
        resolve()
      })
  })
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
export function controlledShutdownHandler(
  services: BrokerServices,
): Handler<ControlledShutdownRequest, ControlledShutdownResponse> {
  return async (context) => context.respond(await services.controller.controlledShutdown(context.body, context.apiVersion))
}
