import { ErrorCode, errorMessage } from '../../protocol/errors'
import { validateTopicName } from '../../protocol/rules/topic-name'
import { firstOfEach } from './group-requests'
import type { DescribeProducersRequest, DescribeProducersResponse } from '../../protocol/messages/describe-producers'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

/** DescribeProducers 0 (KIP-664): the producers that a partition's leader remembers. */
export function describeProducersHandler(services: BrokerServices): Handler<DescribeProducersRequest, DescribeProducersResponse> {
  return (context) => {
    context.respond({
      topics: firstOfEach(context.body.topics, ({ name }) => name).map(({ name, partitionIndexes: named }) => {
        const partitionIndexes = [...new Set(named)]
        const invalid = validateTopicName(name)
        if (invalid !== undefined || services.metadata.topic(name) === undefined) {
          const errorCode = invalid === undefined ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.INVALID_TOPIC_EXCEPTION
          return {
            name,
            partitions: partitionIndexes.map((partitionIndex) => ({
              partitionIndex,
              errorCode,
              errorMessage: invalid ?? errorMessage(errorCode),
            })),
          }
        }
        const found = services.replicas.describeProducers(partitionIndexes.map((partition) => ({ topic: name, partition })))
        return {
          name,
          partitions: found.map(({ partition, errorCode, errorMessage, activeProducers }) => ({
            partitionIndex: partition,
            errorCode,
            errorMessage,
            activeProducers,
          })),
        }
      }),
    })
  }
}
