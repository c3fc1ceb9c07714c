import { ErrorCode } from '../../protocol/errors'
import { ZERO_UUID } from './topic-ids'
import type { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/delete-topics'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

/**
 * DeleteTopics 0-6 (by name or, from 6 on, by id), on the active controller. Answered when this broker's metadata has no partition
 * of the topic any more; else REQUEST_TIMED_OUT, and the deletion goes on.
 */
export function deleteTopicsHandler(services: BrokerServices): Handler<DeleteTopicsRequest, DeleteTopicsResponse> {
  return async (context) => {
    const { body, apiVersion } = context
    if (apiVersion >= 6 && body.topics.some(({ name, topicId }) => name !== null && topicId !== ZERO_UUID)) {
      context.respond({
        responses: body.topics.map(({ name, topicId }) => ({
          name,
          topicId,
          errorCode: ErrorCode.INVALID_REQUEST,
          errorMessage: 'Topic name and topic ID can not both be specified.',
        })),
      })
      return
    }
    const startMs = services.clock.monoMs()
    // Names by id have to be remembered now: they are gone when the deletion is done.
    const identities = new Map<string, string | undefined>()
    const response = await services.controller.deleteTopics(body, apiVersion)
    const responses = response.responses ?? []
    for (const { name } of responses) if (name !== undefined && name !== null) identities.set(name, services.metadata.topicId(name))
    const finished = responses.map(async (topic) => {
      const { name, errorCode = ErrorCode.NONE } = topic
      if (errorCode !== ErrorCode.NONE || name === undefined || name === null) return topic
      const isGone = (): boolean => {
        const current = services.metadata.topic(name)
        return current === undefined || current.topicId !== identities.get(name)
      }
      const left = body.timeoutMs <= 0 ? 0 : startMs + body.timeoutMs - services.clock.monoMs()
      const done = await services.metadataWaits.until([name], isGone, left)
      return done && body.timeoutMs > 0 ? topic : { ...topic, errorCode: ErrorCode.REQUEST_TIMED_OUT }
    })
    context.respond({ ...response, responses: await Promise.all(finished) })
  }
}
