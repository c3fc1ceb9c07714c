import { ErrorCode } from '../../protocol/errors'
import { CLUSTER_OPERATIONS, NOT_ASKED } from './authorized-operations'
import type { DescribeClusterRequest, DescribeClusterResponse } from '../../protocol/messages/describe-cluster'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

const BROKERS = 1
const CONTROLLERS = 2

/** DescribeCluster 0-1. Only brokers can be described (KIP-919): there are no separate controllers in ZooKeeper mode. */
export function describeClusterHandler(services: BrokerServices): Handler<DescribeClusterRequest, DescribeClusterResponse> {
  return (context) => {
    const { endpointType, includeClusterAuthorizedOperations } = context.body
    if (endpointType !== BROKERS) {
      const isKnown = endpointType === CONTROLLERS
      context.respond({
        errorCode: isKnown ? ErrorCode.MISMATCHED_ENDPOINT_TYPE : ErrorCode.UNSUPPORTED_ENDPOINT_TYPE,
        errorMessage: isKnown
          ? 'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER'
          : `Unsupported endpoint type ${endpointType}`,
      })
      return
    }
    context.respond({
      clusterId: services.clusterId,
      controllerId: services.metadata.controllerId,
      brokers: services.metadata
        .brokers(context.listenerName)
        .map(({ id, host, port, rack }) => ({ brokerId: id, host, port, rack })),
      clusterAuthorizedOperations: includeClusterAuthorizedOperations ? CLUSTER_OPERATIONS : NOT_ASKED,
    })
  }
}
