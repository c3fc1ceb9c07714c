import { ErrorCode, errorMessage } from '../../protocol/errors'
import type { AnswerOf, RequestKind, RequestTypes } from './event'

const NOT_CONTROLLER = ErrorCode.NOT_CONTROLLER
const message = errorMessage(NOT_CONTROLLER)

/** What each request hears where this broker is not the controller: Kafka says it inside each item, or once at the top. */
export const REFUSALS: { readonly [K in RequestKind]: (request: RequestTypes[K][0]) => AnswerOf<K> } = {
  AlterPartition: () => ({ errorCode: NOT_CONTROLLER }),
  // Kafka's ControllerMovedException is this code on the wire.
  ControlledShutdown: () => ({ errorCode: ErrorCode.STALE_CONTROLLER_EPOCH }),
  AllocateProducerIds: () => ({ errorCode: NOT_CONTROLLER }),
  CreateTopics: (request) => ({ topics: request.topics.map(({ name }) => ({ name, errorCode: NOT_CONTROLLER })) }),
  DeleteTopics: (request) => ({
    responses: [
      ...request.topicNames.map((name) => ({ name, errorCode: NOT_CONTROLLER })),
      ...request.topics.map(({ name, topicId }) => ({ name, topicId, errorCode: NOT_CONTROLLER })),
    ],
  }),
  CreatePartitions: (request) => ({ results: request.topics.map(({ name }) => ({ name, errorCode: NOT_CONTROLLER })) }),
  ReplicaLeaderElection: (request) => ({
    replicaElectionResults: (request.topicPartitions ?? []).map(({ topic, partitions }) => ({
      topic, partitionResult: partitions.map((partitionId) => ({ partitionId, errorCode: NOT_CONTROLLER, errorMessage: null })),
    })),
  }),
  ApiPartitionReassignment: () => ({ errorCode: NOT_CONTROLLER, errorMessage: message }),
  ListPartitionReassignments: () => ({ errorCode: NOT_CONTROLLER, errorMessage: message }),
  UpdateFeatures: () => ({ errorCode: NOT_CONTROLLER }),
}
