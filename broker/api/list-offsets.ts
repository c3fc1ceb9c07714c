import { ErrorCode } from '../../protocol/errors'
import type { ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse } from '../../protocol/messages/list-offsets'
import type { Input } from '../../protocol/messages/schema'
import type { ListOffsetsQuery, ListOffsetsResult } from '../replica/requests'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

/** The first version that knows each special timestamp: latest, earliest, largest timestamp, earliest local, latest tiered. */
const SPECIAL_TIMESTAMPS = new Map([
  [-1, 0],
  [-2, 0],
  [-3, 7],
  [-4, 8],
  [-5, 9],
])
const CONSUMER = -1

/**
 * ListOffsets 0-9. Version 0 answers with a list of segment base offsets, later ones with one offset (and its leader epoch from 4
 * on). A partition named twice is INVALID_REQUEST, a special timestamp newer than the version UNSUPPORTED_VERSION.
 */
export function listOffsetsHandler(services: BrokerServices): Handler<ListOffsetsRequest, ListOffsetsResponse> {
  return (context) => {
    const { body, apiVersion } = context
    const counts = new Map<string, number>()
    if (apiVersion > 0) {
      for (const { name, partitions } of body.topics) {
        for (const { partitionIndex } of partitions) {
          const key = `${name}-${partitionIndex}`
          counts.set(key, (counts.get(key) ?? 0) + 1)
        }
      }
    }
    const queries: ListOffsetsQuery[] = []
    const topics = body.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((asked): Input<ListOffsetsPartitionResponse> | number => {
        const { partitionIndex, timestamp } = asked
        if ((counts.get(`${name}-${partitionIndex}`) ?? 0) > 1) return { partitionIndex, errorCode: ErrorCode.INVALID_REQUEST }
        if (timestamp < 0 && apiVersion < (SPECIAL_TIMESTAMPS.get(timestamp) ?? Infinity)) {
          return { partitionIndex, errorCode: ErrorCode.UNSUPPORTED_VERSION }
        }
        queries.push({
          topic: name,
          partition: partitionIndex,
          timestamp,
          currentLeaderEpoch: asked.currentLeaderEpoch,
          maxOffsets: asked.maxNumOffsets,
        })
        return queries.length - 1
      }),
    }))
    if (body.isolationLevel !== 0 && body.isolationLevel !== 1) {
      // An exception in Kafka.
      const errorCode = ErrorCode.UNKNOWN_SERVER_ERROR
      context.respond({
        topics: body.topics.map(({ name, partitions }) => ({
          name, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
        })),
      })
      return
    }
    const params = {
      replicaId: body.replicaId,
      isolation:
        body.replicaId !== CONSUMER
          ? ('logEnd' as const)
          : body.isolationLevel === 1
            ? ('lastStable' as const)
            : ('highWatermark' as const),
      requestVersion: apiVersion,
    }
    const found = services.replicas.listOffsets(params, queries)
    context.respond({
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map((place) => (typeof place === 'number' ? answer(found[place]!, apiVersion) : place)),
      })),
    })
  }
}

function answer(result: ListOffsetsResult, apiVersion: number): Input<ListOffsetsPartitionResponse> {
  const { partition: partitionIndex, errorCode } = result
  if (errorCode !== ErrorCode.NONE) {
    const knowsNotAvailable = errorCode !== ErrorCode.OFFSET_NOT_AVAILABLE || apiVersion >= 5
    return { partitionIndex, errorCode: knowsNotAvailable ? errorCode : ErrorCode.LEADER_NOT_AVAILABLE }
  }
  if (apiVersion === 0) return { partitionIndex, errorCode, oldStyleOffsets: result.oldOffsets }
  const { timestamp, offset, leaderEpoch } = result
  return apiVersion >= 4
    ? { partitionIndex, errorCode, timestamp, offset, leaderEpoch }
    : { partitionIndex, errorCode, timestamp, offset }
}
