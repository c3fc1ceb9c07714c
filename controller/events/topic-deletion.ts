import { ErrorCode } from '../../protocol/errors'
import type { DeleteTopicsResponse } from '../../protocol/messages/delete-topics'
import type { Input } from '../../protocol/messages/schema'
import { ZERO_UUID } from '../../protocol/rules/uuid'
import { deleteTopicPath, deleteTopicsPath } from '../../zk-schema/admin'
import { topicPath } from '../../zk-schema/topics'
import type { Topic } from '../context'
import { createOp } from '../leadership-writer'
import type { Term } from '../term'
import type { EventOf } from './event'

/** DeleteTopics, by name or (version 6) by id. Answered when the topics are marked and not served any more. */
export async function onDeleteTopics(term: Term, event: EventOf<'DeleteTopics'>): Promise<Input<DeleteTopicsResponse>> {
  const { context, config, deletion, writer } = term
  const { request, version } = event
  const asked = version >= 6 ? request.topics : request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }))
  if (asked.some(({ name, topicId }) => name !== null && topicId !== ZERO_UUID)) {
    const refusal = { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: 'Topic name and topic ID can not both be specified.' }
    return { responses: asked.map((entry) => ({ ...entry, ...refusal })) }
  }
  if (!config.deleteTopicEnable) {
    const errorCode = version < 3 ? ErrorCode.INVALID_REQUEST : ErrorCode.TOPIC_DELETION_DISABLED
    return { responses: asked.map((entry) => ({ ...entry, errorCode })) }
  }
  const found = asked.map(
    ({ name, topicId }) => (topicId === ZERO_UUID ? context.topics.get(name ?? '') : context.topicsById.get(topicId)),
  )
  const throttled = new Set<Topic>()
  const topics = [...new Set(found.filter((topic) => topic !== undefined))].filter((topic) => {
    const isAllowed = event.allowance?.record(topic.partitions.size) !== false
    if (!isAllowed) throttled.add(topic)
    return isAllowed
  })
  const results = await writer.write(topics.map((topic) => ({ ops: [createOp(deleteTopicPath(topic.name), null)] })))
  const marked = topics.filter((_, index) => {
    const result = results[index]!
    return result.ok || result.code === 'NODE_EXISTS'
  })
  deletion.queue(marked)
  await deletion.resume()
  const done = request.timeoutMs <= 0 ? ErrorCode.REQUEST_TIMED_OUT : ErrorCode.NONE
  return {
    responses: asked.map(({ name, topicId }, index) => {
      const topic = found[index]
      const unknown = topicId === ZERO_UUID ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.UNKNOWN_TOPIC_ID
      if (topic === undefined) return { name, topicId, errorCode: unknown }
      if (throttled.has(topic)) return { name: topic.name, topicId, errorCode: ErrorCode.THROTTLING_QUOTA_EXCEEDED }
      return { name: topic.name, topicId, errorCode: marked.includes(topic) ? done : ErrorCode.UNKNOWN_SERVER_ERROR }
    }),
  }
}

/** Markers below /admin/delete_topics, by whomever. */
export async function onTopicDeletion(term: Term): Promise<void> {
  const { context, config, deletion, loader, logger } = term
  const names = await loader.names(deleteTopicsPath, true)
  if (!config.deleteTopicEnable && names.length > 0) {
    logger.info({ topics: names }, 'topics are not deleted, delete.topic.enable is false')
    await removeMarkers(term, names)
    return
  }
  await adoptUnreadable(term, names.filter((name) => context.malformedTopics.has(name)))
  const unknown = names.filter((name) => !context.topics.has(name))
  if (unknown.length > 0) await removeUnknown(term, unknown)
  const topics = names.map((name) => context.topics.get(name)).filter((topic) => topic !== undefined)
  deletion.queue(topics)
  await deletion.resume()
}

/** A topic may have been created that memory does not know yet: then its own event comes first. */
async function removeUnknown(term: Term, names: readonly string[]): Promise<void> {
  const stats = await Promise.all(names.map((name) => term.session.exists(topicPath(name))))
  const missing = names.filter((_, index) => stats[index] === undefined)
  if (missing.length > 0) {
    term.logger.warn({ topics: missing }, 'these topics were to be deleted, but there are none')
    await removeMarkers(term, missing)
  }
  if (missing.length === names.length) return
  term.put({ kind: 'TopicChange' })
  term.put({ kind: 'TopicDeletion' })
}

/** A topic whose znode cannot be read has no partitions that we know of, but its znodes can be removed. */
async function adoptUnreadable(term: Term, names: readonly string[]): Promise<void> {
  const { context, session } = term
  for (const name of names) {
    const stat = await session.exists(topicPath(name))
    context.malformedTopics.delete(name)
    if (stat !== undefined) context.addTopic(name, undefined, stat.czxid, stat.version)
  }
}

async function removeMarkers(term: Term, names: readonly string[]): Promise<void> {
  await term.writer.write(names.map((name) => ({ ops: [{ type: 'remove', path: deleteTopicPath(name), version: -1 }] })))
}
