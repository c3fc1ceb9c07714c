import { ErrorCode, errorMessage } from '../../protocol/errors'
import type { Coordinator, FindCoordinatorRequest, FindCoordinatorResponse } from '../../protocol/messages/find-coordinator'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

const GROUP = 0
const TRANSACTION = 1
const SHARE = 2
const NO_NODE = { nodeId: -1, host: '', port: -1 }

/**
 * FindCoordinator 0-6: one key up to version 3, several from 4 on. The coordinator of a key is the leader of one partition of an
 * internal topic; who looks for the first one creates that topic, through the controller, and is told to come back.
 */
export function findCoordinatorHandler(services: BrokerServices): Handler<FindCoordinatorRequest, FindCoordinatorResponse> {
  return (context) => {
    const { body, apiVersion, listenerName } = context
    const keys = apiVersion < 4 ? [body.key] : body.coordinatorKeys
    const found = keys.map((key) => find(services, body.keyType, key, listenerName, apiVersion))
    if (apiVersion >= 4) {
      context.respond({ coordinators: found })
      return
    }
    const { errorCode, nodeId, host, port } = found[0]!
    context.respond({
      errorCode,
      errorMessage: errorCode === ErrorCode.NONE ? 'NONE' : errorMessage(errorCode),
      nodeId,
      host,
      port,
    })
  }
}

function find(services: BrokerServices, keyType: number, key: string, listenerName: string, apiVersion: number): Coordinator {
  const failed = (errorCode: number): Coordinator => ({ key, ...NO_NODE, errorCode, errorMessage: '' })
  // There are no share groups here; from version 6 on a client may ask for their coordinator all the same.
  if (keyType === SHARE && apiVersion >= 6) return failed(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  if (keyType !== GROUP && keyType !== TRANSACTION) return failed(ErrorCode.INVALID_REQUEST)
  const log = keyType === GROUP ? services.coordinatorLogs.group : services.coordinatorLogs.transaction
  const topicName = log.topic
  const topic = services.metadata.topic(topicName)
  if (topic === undefined) {
    services.autoTopicCreation.create([topicName])
    return failed(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  }
  const partition = topic.partitions.get(log.partitionFor(key))
  const leader = partition === undefined ? undefined : services.metadata.aliveBroker(partition.leader, listenerName)
  if (leader === undefined) return failed(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  return { key, nodeId: leader.id, host: leader.host, port: leader.port, errorCode: ErrorCode.NONE, errorMessage: '' }
}
