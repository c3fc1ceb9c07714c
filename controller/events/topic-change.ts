import { randomUuid } from '../../protocol/rules/uuid'
import { topicPath } from '../../zk-schema/topics'
import { sameAssignment } from '../assignment'
import { partitionName } from '../context'
import type { Partition, Topic } from '../context'
import type { LeaderAndIsr } from '../leader-election'
import type { TopicNode, TopicNodes } from '../load'
import { RequestBatch } from '../request-batch'
import type { Term } from '../term'
import { topicData, writeAssignment } from '../topic-znode'
import type { EventOf } from './event'

/**
 * The list of topics changed. Told apart by name here; a topic that was deleted and created again under its name is seen by the
 * watch of its own znode (PartitionModifications).
 */
export async function onTopicChange(term: Term): Promise<void> {
  const { context, loader } = term
  const names = await loader.topicNames()
  const present = new Set(names)
  for (const topic of [...context.topics.values()]) {
    // One that we are deleting goes its own way to the end.
    if (!present.has(topic.name) && topic.deletion !== 'started') topicIsGone(term, topic, false)
  }
  for (const name of [...context.malformedTopics.keys()]) if (!present.has(name)) context.malformedTopics.delete(name)
  const unknown = names.filter((name) => !context.topics.has(name) && !context.malformedTopics.has(name))
  if (unknown.length === 0) return
  const added = await addLoadedTopics(term, await loader.topics(unknown))
  await onNewPartitions(term, added.flatMap((topic) => [...topic.partitions.values()]))
}

/** A topic's znode changed or went: partitions were added, or it is another topic now. */
export async function onPartitionModifications(term: Term, event: EventOf<'PartitionModifications'>): Promise<void> {
  const { context, loader, logger } = term
  const loaded = await loader.topics([event.topic])
  const known = context.topics.get(event.topic)
  const node = loaded.topics.get(event.topic)
  if (node === undefined) {
    // Gone: the list says so too. Unreadable: it was reported, and what is known stays.
    if (!loaded.malformed.has(event.topic)) term.put({ kind: 'TopicChange' })
    return
  }
  if (known?.czxid === node.czxid) {
    await adoptChanges(term, known, node)
    return
  }
  context.malformedTopics.delete(event.topic)
  const former = new Map<number, LeaderAndIsr>()
  if (known !== undefined) {
    logger.warn(
      { topic: event.topic, formerId: known.id, id: node.id }, 'the topic was deleted and created again behind our back',
    )
    const isSame = known.id !== undefined && known.id === node.id
    for (const partition of known.partitions.values()) {
      if (isSame && partition.leadership !== undefined) former.set(partition.index, partition.leadership)
    }
    topicIsGone(term, known, !isSame)
  }
  const added = await addLoadedTopics(term, { topics: new Map([[node.name, node]]), malformed: new Map() })
  for (const topic of added) for (const partition of topic.partitions.values()) partition.former = former.get(partition.index)
  await onNewPartitions(term, added.flatMap((topic) => [...topic.partitions.values()]))
}

/** Enters topics into memory; topics without an id get one. Their partitions are NonExistent still. */
export async function addLoadedTopics(term: Term, loaded: TopicNodes): Promise<Topic[]> {
  const { context } = term
  for (const [name, reason] of loaded.malformed) context.malformedTopics.set(name, reason)
  const topics: Topic[] = []
  for (const node of loaded.topics.values()) {
    const topic = context.addTopic(node.name, node.id, node.czxid, node.version)
    for (const [index, assignment] of node.partitions) context.addPartition(topic, index, assignment)
    topics.push(topic)
  }
  await assignTopicIds(term, topics)
  return topics
}

/** Brings new partitions online: memory, their first leader, then their replicas (Kafka's onNewPartitionCreation). */
export async function onNewPartitions(term: Term, partitions: readonly Partition[]): Promise<void> {
  if (partitions.length === 0) return
  const { changes } = term
  await changes.movePartitions(partitions, 'NewPartition')
  const replicas = partitions.flatMap((partition) => partition.assignment.replicas.map((broker) => ({ partition, broker })))
  await changes.moveReplicas(replicas, 'NewReplica')
  await changes.movePartitions(partitions, 'OnlinePartition')
  await changes.moveReplicas(replicas, 'OnlineReplica')
}

/** The topic's znode went without a deletion of ours: brokers stop serving it, and keep the logs unless `deleteLogs`. */
function topicIsGone(term: Term, topic: Topic, deleteLogs: boolean): void {
  const { changes, channels, context, deletion, logger } = term
  logger.warn({ topic: topic.name, deleteLogs }, 'the znode of the topic is gone')
  topic.deletion = 'started'
  changes.sendMetadata(topic.partitions.values())
  const batch = new RequestBatch(context)
  for (const partition of topic.partitions.values()) batch.addStopReplica(partition.assignment.replicas, partition, deleteLogs)
  channels.send(batch)
  deletion.forget(topic)
  context.removeTopic(topic)
}

async function adoptChanges(term: Term, topic: Topic, node: TopicNode): Promise<void> {
  const { context, logger } = term
  const isOwnWrite = topic.version === node.version
  topic.version = node.version
  if (topic.id === undefined && node.id !== undefined) context.setTopicId(topic, node.id)
  const added = [...node.partitions].filter(([index]) => !topic.partitions.has(index))
  if (added.length > 0 && topic.deletion !== 'none') {
    const fields = { topic: topic.name, added: added.map(([index]) => index) }
    logger.warn(fields, 'partitions were added to a topic that is being deleted, taking them out')
    const outcome = await writeAssignment(term, topic, new Map(), true)
    if (outcome !== 'written') logger.warn({ topic: topic.name }, 'could not restore the assignment of the topic')
    return
  }
  if (!isOwnWrite) reportEdits(term, topic, node)
  const partitions = added.map(([index, assignment]) => context.addPartition(topic, index, assignment))
  await onNewPartitions(term, partitions)
  if (topic.id === undefined) await assignTopicIds(term, [topic])
}

/** Edits by hand other than added partitions are not obeyed, but said. */
function reportEdits(term: Term, topic: Topic, node: TopicNode): void {
  if (node.id !== topic.id) {
    term.logger.warn({ topic: topic.name, id: topic.id, found: node.id }, 'the id of a topic was edited; it is ignored')
  }
  for (const partition of topic.partitions.values()) {
    const found = node.partitions.get(partition.index)
    if (found !== undefined && sameAssignment(found, partition.assignment)) continue
    term.logger.warn(
      { partition: partitionName(partition), replicas: partition.assignment.replicas, found: found?.replicas ?? null },
      'the assignment of a partition was edited by hand; it is ignored, use a reassignment',
    )
  }
}

async function assignTopicIds(term: Term, topics: readonly Topic[]): Promise<void> {
  const { context, env, rules, writer } = term
  const nameless = rules.topicIds ? topics.filter((topic) => topic.id === undefined) : []
  const ids = nameless.map(() => randomUuid(env.random))
  const results = await writer.write(nameless.map((topic, index) => {
    const assignments = [...topic.partitions.values()].map((partition) => [partition.index, partition.assignment] as const)
    return {
      ops: [{ type: 'set', path: topicPath(topic.name), data: topicData(ids[index], assignments), version: topic.version }],
    }
  }))
  for (const [index, topic] of nameless.entries()) {
    const result = results[index]!
    const written = result.ok ? result.results[0] : undefined
    // Refused: somebody wrote meanwhile, and the watch of the znode brings us back here.
    if (written?.type !== 'set') continue
    context.setTopicId(topic, ids[index]!)
    topic.version = written.stat.version
  }
}
