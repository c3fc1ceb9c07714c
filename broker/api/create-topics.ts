import { ErrorCode } from '../../protocol/errors'
import { allowanceOf, respondWithin } from './mutation-allowance'
import type { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/create-topics'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

const STRICT_SINCE_VERSION = 6

/**
 * CreateTopics 0-7, on the active controller (elsewhere NOT_CONTROLLER per topic). Answered when the partitions have leaders in
 * this broker's metadata; REQUEST_TIMED_OUT, also with timeout 0, means that the topic is created all the same.
 */
export function createTopicsHandler(services: BrokerServices): Handler<CreateTopicsRequest, CreateTopicsResponse> {
  return async (context) => {
    const { body, apiVersion } = context
    const startMs = services.clock.monoMs()
    const allowance = allowanceOf(services, context, STRICT_SINCE_VERSION)
    const response = await services.controller.createTopics(body, apiVersion, allowance)
    if (body.validateOnly) {
      respondWithin(allowance, context, response)
      return
    }
    const topics = (response.topics ?? []).map(async (topic) => {
      const { name = '', topicId, errorCode = ErrorCode.NONE, numPartitions = -1 } = topic
      if (errorCode !== ErrorCode.NONE) return topic
      const isReady = (): boolean => services.metadataWaits.hasLeaders(name, Math.max(numPartitions, 1))
      const left = body.timeoutMs <= 0 ? 0 : startMs + body.timeoutMs - services.clock.monoMs()
      const done = await services.metadataWaits.until([name], isReady, left)
      // A timeout of 0 is always reported as one, as in Kafka.
      if (done && body.timeoutMs > 0) return topic
      return {
        name,
        ...(topicId === undefined ? {} : { topicId }),
        errorCode: ErrorCode.REQUEST_TIMED_OUT,
        errorMessage: null,
        configs: [],
      }
    })
    respondWithin(allowance, context, { ...response, topics: await Promise.all(topics) })
  }
}
