import { ErrorCode, errorName } from '../../protocol/errors'
import { ANONYMOUS } from '../quota/client-quotas'
import { BATCH_HEADER_BYTES, batchSizeAt, codecAt, isTransactionalAt, magicAt } from '../../protocol/records/batch'
import { NodeEndpoints } from './node-endpoints'
import type { PartitionProduceResponse, ProduceRequest, ProduceResponse } from '../../protocol/messages/produce'
import type { Input } from '../../protocol/messages/schema'
import type { AppendPartition, AppendResult } from '../replica/requests'
import type { Handler, RequestContext } from '../server/request-context'
import type { Draft } from './draft'
import type { BrokerServices } from './services'

const ZSTD = 4
/** The one client that may write to internal topics (Kafka's admin tools call themselves so). */
const ADMIN_CLIENT_ID = '__admin_client'
const NO_OFFSET = -1
/** Up to the magic, which is at one place in all formats, the size before it. */
const LEGACY_HEADER_BYTES = 17
const SIZE_OFFSET = 8
const LEAST_RECORD_BYTES = 14

/**
 * Produce 0-11. Versions 0 to 2 carry message sets of magic 0 or 1, which the log converts; from 3 on exactly one batch of
 * magic 2 per partition; zstd from 7 on. With acks=0 nothing is answered, and an error ends the connection. From 10 on
 * NOT_LEADER_OR_FOLLOWER names the leader and its endpoint (KIP-951). Transactional records need a transactional id, whose
 * coordinator is asked whether the partition was added to the transaction (KIP-890).
 */
export function produceHandler(services: BrokerServices): Handler<ProduceRequest, ProduceResponse> {
  return (context) => {
    const { body, apiVersion } = context
    const quota = services.quotas.produce
    if (quota.isOn) context.throttle(quota.record(ANONYMOUS, context.clientId, context.sizeBytes))
    const partitions: AppendPartition[] = []
    const results: AppendResult[] = []
    // For each partition of the request in its order: a result that is there already, or the place in `partitions`.
    const places: (AppendResult | number)[] = []
    for (const { name, partitionData } of body.topicData) {
      for (const { index, records } of partitionData) {
        const refusal = refuse(services, apiVersion, body.transactionalId, name, index, records)
        if (refusal !== undefined) {
          const result = failed(name, index, refusal)
          results.push(result)
          places.push(result)
        } else {
          places.push(partitions.length)
          partitions.push({ topic: name, partition: index, records: records! })
        }
      }
    }
    if (partitions.length === 0) {
      finish(services, context, results)
      return undefined
    }
    const pending = services.replicas.append(
      {
        timeoutMs: body.timeoutMs,
        acks: body.acks,
        internalTopicsAllowed: context.clientId === ADMIN_CLIENT_ID,
        origin: 'client',
        transactionalId: body.transactionalId,
        partitions,
        requestVersion: apiVersion,
      },
      (appended) => {
        if (results.length === 0) finish(services, context, appended)
        else
          finish(
            services,
            context,
            places.map((place) => (typeof place === 'number' ? appended[place]! : place)),
          )
      },
    )
    // Everything has been appended, or refused: what the client sent behind it need not wait for the replicas, and the records are
    // not needed any more.
    const proceed = (): void => {
      forgetRecords(body)
      if (!context.isThrottled) context.proceed()
    }
    if (pending !== undefined) return pending.then(proceed)
    proceed()
    return undefined
  }
}

function forgetRecords({ topicData }: ProduceRequest): void {
  for (const { partitionData } of topicData) for (const each of partitionData) (each as { records: Buffer | null }).records = null
}

interface Refusal {
  errorCode: number
  errorMessage: string | null
}

/** What is wrong before the log is asked (ProduceRequest.validateRecords, KafkaApis.handleProduceRequest). */
function refuse(
  services: BrokerServices,
  apiVersion: number,
  transactionalId: string | null,
  topic: string,
  partition: number,
  records: Buffer | null,
): Refusal | undefined {
  if (services.metadata.partition(topic, partition) === undefined) {
    return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: null }
  }
  if (records === null) return { errorCode: ErrorCode.INVALID_RECORD, errorMessage: 'There are no records for this partition.' }
  if (apiVersion < 3) return undefined
  const malformed = malformedBatch(records)
  if (malformed !== undefined) return { errorCode: ErrorCode.CORRUPT_MESSAGE, errorMessage: malformed }
  // Exactly one batch of magic 2.
  if (records.length < BATCH_HEADER_BYTES || magicAt(records, 0) !== 2 || batchSizeAt(records, 0) !== records.length) {
    return { errorCode: ErrorCode.INVALID_RECORD, errorMessage: null }
  }
  if (apiVersion < 7 && codecAt(records, 0) === ZSTD) {
    return { errorCode: ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, errorMessage: null }
  }
  if (isTransactionalAt(records, 0) && transactionalId === null) {
    return { errorCode: ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, errorMessage: null }
  }
  return undefined
}

/** What no format has; Kafka says so while it looks for the batch. */
function malformedBatch(records: Buffer): string | undefined {
  if (records.length < LEGACY_HEADER_BYTES) return undefined
  const size = records.readInt32BE(SIZE_OFFSET)
  if (size < LEAST_RECORD_BYTES) return `Record size ${size} is less than the minimum record overhead (${LEAST_RECORD_BYTES})`
  const magic = magicAt(records, 0)
  return magic < 0 || magic > 2 ? `Invalid magic found in record: ${magic}` : undefined
}

function failed(topic: string, partition: number, { errorCode, errorMessage }: Refusal): AppendResult {
  return {
    topic,
    partition,
    errorCode,
    errorMessage,
    baseOffset: NO_OFFSET,
    nextOffset: NO_OFFSET,
    logAppendTimeMs: -1,
    logStartOffset: NO_OFFSET,
    recordErrors: [],
  }
}

function finish(
  services: BrokerServices,
  context: RequestContext<ProduceRequest, ProduceResponse>,
  results: readonly AppendResult[],
): void {
  if (context.body.acks === 0) {
    const error = results.find(({ errorCode }) => errorCode !== ErrorCode.NONE)
    if (error === undefined) {
      context.noResponse()
      return
    }
    const what = `${error.topic}-${error.partition}: ${errorName(error.errorCode)}`
    services.logger.info({ client: context.clientId, what }, 'connection closed: a produce request with acks=0 failed')
    context.close(`produce with acks=0 failed for ${what}`)
    return
  }
  const { apiVersion } = context
  const endpoints = new NodeEndpoints(services.metadata, context.listenerName)
  const responses: { name: string; partitionResponses: Input<PartitionProduceResponse>[] }[] = []
  let at = 0
  for (const { name, partitionData } of context.body.topicData) {
    const partitionResponses: Input<PartitionProduceResponse>[] = []
    for (let i = 0; i < partitionData.length; i++)
      partitionResponses.push(partitionResponse(results[at++]!, apiVersion, endpoints))
    responses.push({ name, partitionResponses })
  }
  context.respond(apiVersion >= 10 ? { responses, nodeEndpoints: endpoints.list() } : { responses })
}

function partitionResponse(result: AppendResult, apiVersion: number, endpoints: NodeEndpoints): Input<PartitionProduceResponse> {
  const response: Draft<PartitionProduceResponse> = {
    index: result.partition,
    errorCode: result.errorCode,
    baseOffset: result.baseOffset,
    logAppendTimeMs: result.logAppendTimeMs,
    logStartOffset: result.logStartOffset,
  }
  if (result.errorCode === ErrorCode.NONE) return response
  response.errorMessage = result.errorMessage
  if (result.recordErrors.length > 0) {
    response.recordErrors = result.recordErrors.map(({ batchIndex, message }) => ({
      batchIndex,
      batchIndexErrorMessage: message,
    }))
  }
  if (result.errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER && apiVersion >= 10) {
    response.currentLeader = endpoints.leaderOf(result.topic, result.partition, result.currentLeader)
  }
  // Old clients do not know that this error can be tried again.
  if (result.errorCode === ErrorCode.KAFKA_STORAGE_ERROR && apiVersion < 4) response.errorCode = ErrorCode.NOT_LEADER_OR_FOLLOWER
  return response
}
