import { ErrorCode } from '../../protocol/errors'
import { allowanceOf, respondWithin } from './mutation-allowance'
import { ZERO_UUID } from './topic-ids'
import type { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/delete-topics'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

const STRICT_SINCE_VERSION = 5

/**
 * DeleteTopics 0-6 (by name or, from 6 on, by id), on the active controller. Answered when this broker's metadata has no
 * partition of the topic any more; else REQUEST_TIMED_OUT, and the deletion goes on.
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
    if (!services.controller.isActive()) {
      context.respond(await services.controller.deleteTopics(body, apiVersion))
      return
    }
    const startMs = services.clock.monoMs()
    // What this broker does not know (any more) is unknown, also while the controller has still to tidy up behind it.
    const { metadata } = services
    const isUnknown = (name: string | null, topicId: string): boolean =>
      topicId === ZERO_UUID ? metadata.topic(name ?? '') === undefined : metadata.topicName(topicId) === undefined
    const unknown = [
      ...body.topics.filter(({ name, topicId }) => isUnknown(name, topicId)),
      ...body.topicNames.filter((name) => isUnknown(name, ZERO_UUID)).map((name) => ({ name, topicId: ZERO_UUID })),
    ].map(({ name, topicId }) => ({
      name: topicId === ZERO_UUID ? name : null,
      topicId,
      errorCode: topicId === ZERO_UUID ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.UNKNOWN_TOPIC_ID,
    }))
    const known = {
      ...body,
      topics: body.topics.filter(({ name, topicId }) => !isUnknown(name, topicId)),
      topicNames: body.topicNames.filter((name) => !isUnknown(name, ZERO_UUID)),
    }
    // Ids have to be remembered now: they are gone when the deletion is done.
    const identities = new Map<string, string | undefined>()
    for (const { name, topicId } of known.topics) {
      const topic = name ?? metadata.topicName(topicId)
      if (topic !== undefined) identities.set(topic, metadata.topicId(topic))
    }
    for (const name of known.topicNames) identities.set(name, metadata.topicId(name))
    const allowance = allowanceOf(services, context, STRICT_SINCE_VERSION)
    const response = await services.controller.deleteTopics(known, apiVersion, allowance)
    const responses = response.responses ?? []
    const finished = responses.map(async (topic) => {
      const { name, errorCode = ErrorCode.NONE } = topic
      if (errorCode !== ErrorCode.NONE || name === undefined || name === null) return topic
      const isGone = (): boolean => {
        const current = metadata.topic(name)
        return current === undefined || current.topicId !== identities.get(name)
      }
      const left = body.timeoutMs <= 0 ? 0 : startMs + body.timeoutMs - services.clock.monoMs()
      const done = await services.metadataWaits.until([name], isGone, left)
      return done && body.timeoutMs > 0 ? topic : { ...topic, errorCode: ErrorCode.REQUEST_TIMED_OUT }
    })
    respondWithin(allowance, context, { ...response, responses: [...(await Promise.all(finished)), ...unknown] })
  }
}
