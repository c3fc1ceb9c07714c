import { ErrorCode, errorMessage } from '../../protocol/errors'
import { validateTopicName } from '../../protocol/rules/topic-name'
import type { DescribeProducersRequest, DescribeProducersResponse } from '../../protocol/messages/describe-producers'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

/** DescribeProducers 0 (KIP-664): the producers that a partition's leader remembers. */
export function describeProducersHandler(services: BrokerServices): Handler<DescribeProducersRequest, DescribeProducersResponse> {
  return (context) => {
    context.respond({
      topics: eachOnce(context.body.topics).map(({ name, partitionIndexes }) => {
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

/** What is named a thousand times is answered once, so that a small request has no huge answer. */
function eachOnce(topics: DescribeProducersRequest['topics']): { name: string; partitionIndexes: number[] }[] {
  const named = new Map<string, Set<number>>()
  for (const { name, partitionIndexes } of topics) {
    const indexes = named.get(name) ?? new Set()
    for (const index of partitionIndexes) indexes.add(index)
    named.set(name, indexes)
  }
  return [...named].map(([name, indexes]) => ({ name, partitionIndexes: [...indexes] }))
}
