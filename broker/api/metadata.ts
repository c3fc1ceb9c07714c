import { ErrorCode } from '../../protocol/errors'
import { isInternalTopic, validateTopicName } from '../../protocol/rules/topic-name'
import { NO_LEADER } from '../metadata/metadata-cache'
import { CLUSTER_OPERATIONS, NOT_ASKED, TOPIC_OPERATIONS } from './authorized-operations'
import { allowanceOf } from './mutation-allowance'
import { ZERO_UUID } from './topic-ids'
import type { Input } from '../../protocol/messages/schema'
import type {
  MetadataRequest,
  MetadataResponse,
  MetadataResponsePartition,
  MetadataResponseTopic,
} from '../../protocol/messages/metadata'
import type { PartitionMetadata, TopicMetadata } from '../metadata/metadata-cache'
import type { Clock } from '../../runtime/ports'
import type { Handler, RequestContext } from '../server/request-context'
import type { BrokerServices } from './services'

/** How long an answer waits for the leaders of topics that it has caused to be created. */
const CREATION_WAIT_MS = 500

/**
 * Metadata 0-12. Version 0 means all topics by an empty list, later ones by null; from 12 on topics may be asked for by id.
 * Shows only brokers that have the listener of the request. Topics that do not exist are created on the way if the broker and the
 * request allow it: the controller is asked, and the client hears of the topic, or LEADER_NOT_AVAILABLE, on which it asks again.
 */
export function metadataHandler(services: BrokerServices): Handler<MetadataRequest, MetadataResponse> {
  return async (context) => {
    const { body, apiVersion } = context
    const asked = body.topics
    if (asked !== null && apiVersion < 12 && asked.some(({ name, topicId }) => name === null || topicId !== ZERO_UUID)) {
      context.respond(
        answer(
          services,
          context,
          asked.map((topic) => ({ ...topic, errorCode: ErrorCode.INVALID_REQUEST, name: topic.name ?? '' })),
        ),
      )
      return
    }
    const topics: Input<MetadataResponseTopic>[] = []
    const missing: string[] = []
    if (asked === null || (apiVersion === 0 && asked.length === 0)) {
      for (const topic of services.metadata.topics()) topics.push(describe(services, context, topic))
    } else {
      collect(services, context, asked, topics, missing)
    }
    const create = missing.length > 0 && body.allowAutoTopicCreation && services.config.autoCreateTopicsEnable
    const created = create ? await createMissing(services, context, missing) : undefined
    for (const name of missing) {
      const topic = services.metadata.topic(name)
      if (topic !== undefined) {
        topics.push(describe(services, context, topic))
        continue
      }
      const errorCode = created?.get(name) ?? errorOfMissing(name)
      topics.push({ errorCode, name, topicId: ZERO_UUID, isInternal: isInternalTopic(name), partitions: [] })
    }
    context.respond(answer(services, context, topics))
  }
}

/** Asks for the topics, and waits a moment for their leaders: then the client hears of them now, and need not come back. */
async function createMissing(
  services: BrokerServices, context: RequestContext<MetadataRequest, MetadataResponse>, missing: readonly string[],
): Promise<Map<string, number>> {
  // Elsewhere the controller charges this broker, as in Kafka.
  const allowance = services.controller.isActive() ? allowanceOf(services, context, Infinity) : undefined
  const { clock, metadataWaits } = services
  const deadlineMs = clock.monoMs() + CREATION_WAIT_MS
  const { known: results, pending } = services.autoTopicCreation.create(missing, allowance)
  // A controller that does not answer must hold up neither the connection nor, for long, what the request has named.
  const codes = await inTime(clock, Promise.all(pending.map(([, errorCode]) => errorCode)), CREATION_WAIT_MS)
  for (const [i, [name]] of pending.entries()) results.set(name, codes?.[i] ?? ErrorCode.LEADER_NOT_AVAILABLE)
  const created = missing.filter((name) => results.get(name) === ErrorCode.LEADER_NOT_AVAILABLE)
  await metadataWaits.until(created, () => created.every((name) => metadataWaits.hasLeaders(name, 1)), deadlineMs - clock.monoMs())
  return results
}

/** undefined when it takes longer. */
function inTime<T>(clock: Clock, promise: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = clock.timer(timeoutMs, () => resolve(undefined))
    promise.then(resolve, reject).finally(() => timer.cancel())
  })
}

function collect(
  services: BrokerServices,
  context: RequestContext<MetadataRequest, MetadataResponse>,
  asked: NonNullable<MetadataRequest['topics']>,
  topics: Input<MetadataResponseTopic>[],
  missing: string[],
): void {
  const byId = asked.some(({ topicId }) => topicId !== ZERO_UUID)
  const seen = new Set<string>()
  for (const { topicId, name } of asked) {
    if (byId) {
      if (topicId === ZERO_UUID || seen.has(topicId)) continue
      seen.add(topicId)
      const topic = services.metadata.topic(services.metadata.topicName(topicId) ?? '')
      if (topic === undefined) topics.push({ errorCode: ErrorCode.UNKNOWN_TOPIC_ID, name: null, topicId, partitions: [] })
      else topics.push(describe(services, context, topic))
      continue
    }
    if (name === null || seen.has(name)) continue
    seen.add(name)
    const topic = services.metadata.topic(name)
    if (topic === undefined) missing.push(name)
    else topics.push(describe(services, context, topic))
  }
}

function errorOfMissing(name: string): number {
  return validateTopicName(name) === undefined ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.INVALID_TOPIC_EXCEPTION
}

function answer(
  services: BrokerServices,
  context: RequestContext<MetadataRequest, MetadataResponse>,
  topics: Input<MetadataResponseTopic>[],
): Input<MetadataResponse> {
  const showsOperations = context.apiVersion >= 8 && context.body.includeTopicAuthorizedOperations
  const brokers = services.metadata.brokers(context.listenerName)
  return {
    brokers: brokers.map(({ id, host, port, rack }) => ({ nodeId: id, host, port, rack })),
    clusterId: services.clusterId,
    controllerId: services.metadata.controllerId,
    topics: showsOperations ? topics.map((topic) => ({ ...topic, topicAuthorizedOperations: TOPIC_OPERATIONS })) : topics,
    clusterAuthorizedOperations: context.body.includeClusterAuthorizedOperations ? CLUSTER_OPERATIONS : NOT_ASKED,
  }
}

function describe(
  services: BrokerServices,
  context: RequestContext<MetadataRequest, MetadataResponse>,
  topic: TopicMetadata,
): Input<MetadataResponseTopic> {
  const partitions: Input<MetadataResponsePartition>[] = []
  for (const partition of topic.partitions.values()) partitions.push(describePartition(services, context, partition))
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.topicId ?? ZERO_UUID,
    isInternal: isInternalTopic(topic.name),
    partitions,
  }
}

/** As ZkMetadataCache.getPartitionMetadata. */
function describePartition(
  { metadata }: BrokerServices,
  { apiVersion, listenerName }: RequestContext,
  partition: PartitionMetadata,
): Input<MetadataResponsePartition> {
  const hasListener = (id: number): boolean => metadata.aliveBroker(id, listenerName) !== undefined
  const common = { partitionIndex: partition.partition, leaderEpoch: partition.leaderEpoch }
  // Version 0 clients are shown live replicas alone, and told by an error that some are missing.
  const replicaNodes = apiVersion === 0 ? partition.replicas.filter(hasListener) : [...partition.replicas]
  const isrNodes = apiVersion === 0 ? partition.isr.filter(hasListener) : [...partition.isr]
  const offlineReplicas = partition.replicas.filter((id) => partition.offlineReplicas.includes(id) || !hasListener(id))
  const lists = { replicaNodes, isrNodes, offlineReplicas }
  if (!hasListener(partition.leader)) {
    const listenerIsMissing = metadata.hasAliveBroker(partition.leader)
    const errorCode = listenerIsMissing && apiVersion >= 6 ? ErrorCode.LISTENER_NOT_FOUND : ErrorCode.LEADER_NOT_AVAILABLE
    return { ...common, ...lists, errorCode, leaderId: NO_LEADER }
  }
  const isIncomplete = replicaNodes.length < partition.replicas.length || isrNodes.length < partition.isr.length
  return {
    ...common,
    ...lists,
    errorCode: isIncomplete ? ErrorCode.REPLICA_NOT_AVAILABLE : ErrorCode.NONE,
    leaderId: partition.leader,
  }
}
