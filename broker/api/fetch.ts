import { ErrorCode } from '../../protocol/errors'
import { ANONYMOUS } from '../quota/client-quotas'
import { downConvert } from './fetch-down-conversion'
import { NodeEndpoints } from './node-endpoints'
import { ZERO_UUID } from './topic-ids'
import type { FetchableTopicResponse, FetchRequest, FetchResponse, PartitionData } from '../../protocol/messages/fetch'
import type { Input } from '../../protocol/messages/schema'
import type { FetchContext } from '../replica/fetch-session'
import type { FetchParams, FetchPartition, FetchPartitionResult } from '../replica/requests'
import type { Handler, RequestContext } from '../server/request-context'
import type { Draft } from './draft'
import type { BrokerServices } from './services'

const CONSUMER = -1
const READ_COMMITTED = 1
const EMPTY = Buffer.alloc(0)
/** In all large fetches that wait, and as many again in the others: each costs some 400 bytes. */
const MOST_WAITING_PARTITIONS = 1_000_000
/** Of this many partitions or more; such a one waits for a minute at most, for nobody always hears that its client has gone. */
const LARGE_FETCH = 1000
const LONGEST_LARGE_WAIT_MS = 60_000

/**
 * Fetch 0-17, from consumers and from followers (whose replica id is checked by the replica manager). Below version 3 the limits
 * hold even for the first batch; sessions from 7 on (KIP-227), leader epochs from 9, diverging epochs from 12, topic ids from 13,
 * replica epochs from 15 (KIP-903), the leader's endpoint from 16 (KIP-951). Versions below 4 get their records converted to
 * message sets of magic 0 or 1.
 */
export function fetchHandler(services: BrokerServices): Handler<FetchRequest, FetchResponse> {
  let waiting = 0
  return (context) => {
    const { body, apiVersion } = context
    const session = services.replicas.fetchSessions.begin(body, apiVersion, services.metadata)
    if (session.errorCode !== ErrorCode.NONE) {
      context.respond({ errorCode: session.errorCode })
      return
    }
    const params = paramsOf(context, mostBytes(services, context))
    // What followers fetch has throttles of its own.
    if (params.replicaId >= 0) context.time = undefined
    const readable: FetchPartition[] = []
    const places = session.partitions.map((partition): FetchPartitionResult | number => {
      const errorCode = refusal(services, partition, apiVersion)
      return errorCode === ErrorCode.NONE ? readable.push(partition) - 1 : failedPartition(partition, errorCode)
    })
    if (readable.length === 0) {
      answer(services, context, session, places as FetchPartitionResult[])
      return
    }
    if (context.body.isolationLevel > READ_COMMITTED || context.body.isolationLevel < 0) {
      context.respond(refusedWhole(context.body, apiVersion))
      return
    }
    const isLarge = places.length >= LARGE_FETCH
    if (isLarge) params.maxWaitMs = Math.min(params.maxWaitMs, LONGEST_LARGE_WAIT_MS)
    // Beyond the bound a fetch is answered as it stands, large ones first.
    if (waiting + places.length > (isLarge ? 1 : 2) * MOST_WAITING_PARTITIONS) params.maxWaitMs = 0
    waiting += places.length
    const answerNow = services.replicas.fetch(params, readable, (results) => {
      waiting -= places.length
      const inOrder =
        readable.length === places.length ? results : places.map((place) => (typeof place === 'number' ? results[place]! : place))
      answer(services, context, session, inOrder)
    })
    if (answerNow !== undefined) context.whenAbandoned(answerNow)
  }
}

/** More than a quota can ever allow is not fetched: the consumer would come to nothing. */
function mostBytes(services: BrokerServices, context: RequestContext<FetchRequest, FetchResponse>): number {
  const { quotas, config } = services
  if (!quotas.fetch.isOn || replicaIdOf(context) >= 0) return config.fetchMaxBytes
  return Math.min(config.fetchMaxBytes, Math.trunc(quotas.fetch.mostAtOnce(ANONYMOUS, context.clientId)))
}

function replicaIdOf({ body, apiVersion }: RequestContext<FetchRequest, FetchResponse>): number {
  return apiVersion >= 15 ? body.replicaState.replicaId : body.replicaId
}

function paramsOf(context: RequestContext<FetchRequest, FetchResponse>, fetchMaxBytes: number): FetchParams {
  const { body, apiVersion, clientId, clientHost, listenerName } = context
  const replicaId = replicaIdOf(context)
  const maxBytes = Math.max(Math.min(body.maxBytes, fetchMaxBytes), 0)
  const isolation: FetchParams['isolation'] =
    replicaId !== CONSUMER ? 'logEnd' : body.isolationLevel === READ_COMMITTED ? 'lastStable' : 'highWatermark'
  return {
    replicaId,
    replicaEpoch: body.replicaState.replicaEpoch,
    maxWaitMs: body.maxWaitMs,
    minBytes: Math.min(body.minBytes, maxBytes),
    maxBytes,
    hardMaxBytes: apiVersion < 3,
    isolation,
    ...(apiVersion >= 11 ? { clientMetadata: { rackId: body.rackId, clientId, clientHost, listenerName } } : {}),
  }
}

/** An isolation level that there is not: an exception in Kafka, which from 13 on needs no partitions to say so. */
function refusedWhole({ sessionId, topics }: FetchRequest, apiVersion: number): Input<FetchResponse> {
  const errorCode = ErrorCode.UNKNOWN_SERVER_ERROR
  const responses = topics.map(({ topic, partitions }) => ({
    topic, partitions: partitions.map(({ partition }) => ({ partitionIndex: partition, errorCode, highWatermark: -1, records: null })),
  }))
  return { errorCode, sessionId, responses: apiVersion < 13 ? responses : [] }
}

function refusal(services: BrokerServices, { topic, partition }: FetchPartition, apiVersion: number): number {
  if (topic === '' && apiVersion >= 13) return ErrorCode.UNKNOWN_TOPIC_ID
  if (services.metadata.partition(topic, partition) === undefined) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  if (apiVersion < 10 && services.topicConfigs.of(topic).compressionType === 'zstd') return ErrorCode.UNSUPPORTED_COMPRESSION_TYPE
  return ErrorCode.NONE
}

function failedPartition({ topic, topicId, partition }: FetchPartition, errorCode: number): FetchPartitionResult {
  return {
    topic,
    topicId,
    partition,
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    records: EMPTY,
    release() {},
    abortedTransactions: [],
    preferredReadReplica: -1,
  }
}

function answer(
  services: BrokerServices,
  context: RequestContext<FetchRequest, FetchResponse>,
  session: FetchContext,
  results: readonly FetchPartitionResult[],
): void {
  const { apiVersion } = context
  // Nobody gets it: it makes no session that nobody knows of, and counts for no quota. A follower hangs up on many a one.
  if (!context.isOpen || isHeldBack(services, context, results)) {
    for (const result of results) result.release()
    context.respond(session.skip())
    return
  }
  const { errorCode, sessionId, results: toSend } = session.finish(results)
  const endpoints = new NodeEndpoints(services.metadata, context.listenerName)
  const responses: Draft<FetchableTopicResponse>[] = []
  let topic: { topic: string; topicId: string; partitions: Input<PartitionData>[] } | undefined
  for (let i = 0; i < toSend.length; i++) {
    const result = toSend[i]!
    // By id two topics may both have no known name.
    if (topic === undefined || topic.topic !== result.topic || topic.topicId !== result.topicId) {
      topic = { topic: result.topic, topicId: result.topicId ?? ZERO_UUID, partitions: [] }
      responses.push(topic)
    }
    topic.partitions.push(partitionData(services, context, result, endpoints, apiVersion < 4 ? session.partitions[i] : undefined))
  }
  const body =
    apiVersion >= 16 ? { errorCode, sessionId, responses, nodeEndpoints: endpoints.list() } : { errorCode, sessionId, responses }
  context.respond(body, () => {
    for (const result of toSend) result.release()
  })
}

/** Of a partition in an answer, its records excluded; of a topic, its name excluded. */
const PARTITION_BYTES = 50
const TOPIC_BYTES = 20

/** Counts the answer, about, and what it took. True: it is not sent; the records count when they are fetched again, later. */
function isHeldBack(
  services: BrokerServices, context: RequestContext<FetchRequest, FetchResponse>, results: readonly FetchPartitionResult[],
): boolean {
  const quota = services.quotas.fetch
  if ((!quota.isOn && context.time === undefined) || replicaIdOf(context) >= 0) return false
  context.throttle(context.timeThrottleMs())
  const topics = new Set<string>()
  let bytes = 0
  for (const { topic, records, errorCode } of results) {
    if (records.length === 0 && errorCode === ErrorCode.NONE) continue
    bytes += PARTITION_BYTES + records.length + (topics.has(topic) ? 0 : TOPIC_BYTES + topic.length)
    topics.add(topic)
  }
  context.throttle(quota.record(ANONYMOUS, context.clientId, bytes))
  if (context.isThrottled) quota.add(ANONYMOUS, context.clientId, -bytes)
  return context.isThrottled
}

function partitionData(
  services: BrokerServices,
  { body, apiVersion }: RequestContext<FetchRequest, FetchResponse>,
  result: FetchPartitionResult,
  endpoints: NodeEndpoints,
  asked: FetchPartition | undefined,
): Draft<PartitionData> {
  const data: Draft<PartitionData> = {
    partitionIndex: result.partition,
    errorCode: result.errorCode,
    highWatermark: result.highWatermark,
    lastStableOffset: result.lastStableOffset,
    logStartOffset: result.logStartOffset,
    abortedTransactions: result.abortedTransactions,
    records: result.records,
  }
  if (apiVersion >= 11) data.preferredReadReplica = result.preferredReadReplica
  if (apiVersion >= 12 && result.divergingEpoch !== undefined) data.divergingEpoch = result.divergingEpoch
  const movesAway = result.errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER || result.errorCode === ErrorCode.FENCED_LEADER_EPOCH
  if (apiVersion >= 16 && movesAway) data.currentLeader = endpoints.leaderOf(result.topic, result.partition, result.currentLeader)
  // Old clients do not know that this error can be tried again.
  if (apiVersion <= 5 && result.errorCode === ErrorCode.KAFKA_STORAGE_ERROR) data.errorCode = ErrorCode.NOT_LEADER_OR_FOLLOWER
  if (asked !== undefined && result.records.length > 0) {
    const config = services.topicConfigs.of(result.topic)
    const converted = downConvert(
      result.records,
      apiVersion,
      asked.fetchOffset,
      asked.maxBytes,
      config,
      body.replicaId !== CONSUMER,
    )
    data.errorCode = converted.errorCode
    data.records = converted.records
    if (converted.errorCode !== ErrorCode.NONE) data.highWatermark = -1
  }
  return data
}
