import { ErrorCode } from '../../protocol/errors'
import type { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/create-topics'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

/**
 * CreateTopics 0-7, on the active controller (elsewhere NOT_CONTROLLER per topic). Answered when the partitions have leaders in
 * this broker's metadata; REQUEST_TIMED_OUT, also with timeout 0, means that the topic is created all the same.
 */
export function createTopicsHandler(services: BrokerServices): Handler<CreateTopicsRequest, CreateTopicsResponse> {
  return async (context) => {
    const { body, apiVersion } = context
    const startMs = services.clock.monoMs()
    const response = await services.controller.createTopics(body, apiVersion)
    const topics = response.topics ?? []
    if (!body.validateOnly) {
      const deadlineMs = startMs + body.timeoutMs
      await Promise.all(
        topics.map(async (topic) => {
          if ((topic.errorCode ?? ErrorCode.NONE) !== ErrorCode.NONE) return
          const name = topic.name ?? ''
          const count = Math.max(topic.numPartitions ?? -1, 1)
          const isReady = await services.metadataWaits.until(
            [name],
            () => services.metadataWaits.hasLeaders(name, count),
            body.timeoutMs <= 0 ? 0 : deadlineMs - services.clock.monoMs(),
          )
          // A timeout of 0 is always reported as one, as in Kafka.
          if (!isReady || body.timeoutMs <= 0) markTimedOut(topic)
        }),
      )
    }
    context.respond(response)
  }
}

type Topic = NonNullable<Parameters<Parameters<Handler<CreateTopicsRequest, CreateTopicsResponse>>[0]['respond']>[0]['topics']>[number]

function markTimedOut(topic: Topic): void {
  topic.errorCode = ErrorCode.REQUEST_TIMED_OUT
  topic.errorMessage = null
  topic.numPartitions = -1
  topic.replicationFactor = -1
  topic.configs = []
}
