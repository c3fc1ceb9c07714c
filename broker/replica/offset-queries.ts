import { ErrorCode, ProtocolError, errorMessage } from '../../protocol/errors'
import {
  EARLIEST_LOCAL_TIMESTAMP, EARLIEST_TIMESTAMP, LATEST_TIERED_TIMESTAMP, LATEST_TIMESTAMP, MAX_TIMESTAMP, type TimestampOffset,
} from '../log/log-types'
import { isInDoubt, type Doubts } from './leadership-checks'
import type { ReplicaLog } from './log-port'
import type { Partition } from './partition'
import type { ReplicaCore } from './replica-core'
import type {
  DescribeProducersResult, EpochQuery, EpochResult, ListOffsetsParams, ListOffsetsQuery, ListOffsetsResult, TopicPartition,
} from './requests'

/** The first ListOffsets version that knows each special timestamp. */
const FIRST_VERSION_OF = new Map([
  [LATEST_TIMESTAMP, 1],
  [EARLIEST_TIMESTAMP, 1],
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL_TIMESTAMP, 8],
  [LATEST_TIERED_TIMESTAMP, 9],
])

const DEBUGGING_CONSUMER = -2

const NOT_FOUND: TimestampOffset = { timestamp: -1, offset: -1, leaderEpoch: -1 }

/** A partition that the request names twice is refused with INVALID_REQUEST, both times. */
export function listOffsets(
  core: ReplicaCore,
  params: ListOffsetsParams,
  queries: readonly ListOffsetsQuery[],
): ListOffsetsResult[] {
  const twice = duplicates(queries)
  return queries.map((query) => {
    const result: ListOffsetsResult = {
      topic: query.topic, partition: query.partition, errorCode: ErrorCode.NONE, ...NOT_FOUND, oldOffsets: [],
    }
    try {
      if (twice.has(`${query.topic}/${query.partition}`)) throw new ProtocolError(ErrorCode.INVALID_REQUEST)
      if (params.requestVersion === 0) result.oldOffsets = oldOffsets(core, params, query)
      else Object.assign(result, offsetOf(core, params, query))
    } catch (error) {
      result.errorCode = core.errorCodeOf(error)
      if (result.errorCode === ErrorCode.OFFSET_NOT_AVAILABLE && params.requestVersion < 5) {
        result.errorCode = ErrorCode.LEADER_NOT_AVAILABLE
      }
    }
    return result
  })
}

/** A debugging consumer (-2) may ask a follower. A leader that may not act answers only replicas. */
function partitionFor(
  core: ReplicaCore,
  params: ListOffsetsParams,
  query: TopicPartition,
): { partition: Partition; onlyLeader: boolean } {
  const partition = core.require(query.topic, query.partition)
  const isFenced = params.replicaId < 0 && partition.isLeader && !core.mayLead(partition)
  if (isFenced) throw new ProtocolError(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  return { partition, onlyLeader: params.replicaId !== DEBUGGING_CONSUMER }
}

/** The log of a partition that the controller has not told this broker of since it started; a controller may ask for its end. */
function logWithoutRole(core: ReplicaCore, { topic, partition: index }: TopicPartition): ReplicaLog | undefined {
  const partition = core.get(topic, index)
  return partition === undefined || (partition.role === 'none' && !partition.isOffline) ? core.options.logs.get(topic, index) : undefined
}

function offsetOf(core: ReplicaCore, params: ListOffsetsParams, query: ListOffsetsQuery): TimestampOffset {
  const { timestamp, currentLeaderEpoch } = query
  if (timestamp < 0 && params.requestVersion < (FIRST_VERSION_OF.get(timestamp) ?? Infinity)) {
    throw new ProtocolError(ErrorCode.UNSUPPORTED_VERSION)
  }
  const unopened = params.replicaId === DEBUGGING_CONSUMER && timestamp === LATEST_TIMESTAMP ? logWithoutRole(core, query) : undefined
  if (unopened !== undefined) return { timestamp: -1, offset: unopened.endOffset, leaderEpoch: unopened.latestEpoch }
  const { partition, onlyLeader } = partitionFor(core, params, query)
  const log = partition.logForEpoch(currentLeaderEpoch, onlyLeader)
  const isClient = params.replicaId === -1
  const end =
    !isClient || params.isolation === 'logEnd'
      ? log.endOffset
      : params.isolation === 'lastStable'
        ? log.lastStableOffset
        : log.highWatermark
  // After an election the high watermark may lie below what was committed before: then "latest" is not known yet (KIP-207).
  const isLagging = isClient && partition.epochStartOffset !== undefined && partition.epochStartOffset > log.highWatermark
  if (timestamp === LATEST_TIMESTAMP) {
    if (isLagging) throw new ProtocolError(ErrorCode.OFFSET_NOT_AVAILABLE)
    return { timestamp: -1, offset: end, leaderEpoch: partition.leaderEpoch }
  }
  if (timestamp === LATEST_TIERED_TIMESTAMP) return NOT_FOUND
  const found = log.offsetForTimestamp(timestamp)
  if (timestamp === EARLIEST_TIMESTAMP || timestamp === EARLIEST_LOCAL_TIMESTAMP) return found ?? NOT_FOUND
  if (found !== undefined && found.offset >= 0 && found.offset < end) return found
  if (isLagging) throw new ProtocolError(ErrorCode.OFFSET_NOT_AVAILABLE)
  return NOT_FOUND
}

/** Version 0: segment starts, newest first, led by the high watermark for a consumer if some lie above it. */
function oldOffsets(core: ReplicaCore, params: ListOffsetsParams, query: ListOffsetsQuery): number[] {
  const { partition, onlyLeader } = partitionFor(core, params, query)
  const log = partition.logForEpoch(-1, onlyLeader)
  const offsets = log.legacyOffsetsBefore(query.timestamp, query.maxOffsets)
  if (params.replicaId >= 0 || offsets.every((offset) => offset <= log.highWatermark)) return offsets
  return [log.highWatermark, ...offsets.filter((offset) => offset <= log.highWatermark)]
}

/** Where epochs end, for followers (and consumers) that look for where their log parts from the leader's. */
export function offsetsForLeaderEpoch(
  core: ReplicaCore,
  queries: readonly EpochQuery[],
  done: (results: EpochResult[]) => void,
): void {
  core.leadership.withoutDoubt((doubts) => queries.map((query) => endOfEpoch(core, query, doubts)), done)
}

/** Consumers begin somewhere else when the leader knows no end: of an epoch above its own it must be the leader still. */
function endOfEpoch(core: ReplicaCore, query: EpochQuery, doubts: Doubts): EpochResult {
  const { topic, partition: index, currentLeaderEpoch, leaderEpoch } = query
  try {
    const partition = core.require(topic, index)
    const end = partition.endOffsetForEpoch(currentLeaderEpoch, leaderEpoch)
    if (leaderEpoch > partition.leaderEpoch && isInDoubt(doubts, partition)) {
      throw new ProtocolError(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    }
    return { topic, partition: index, errorCode: ErrorCode.NONE, ...end }
  } catch (error) {
    return { topic, partition: index, errorCode: core.errorCodeOf(error), leaderEpoch: -1, endOffset: -1 }
  }
}

export function describeProducers(core: ReplicaCore, partitions: readonly TopicPartition[]): DescribeProducersResult[] {
  return partitions.map(({ topic, partition }) => {
    try {
      const log = core.require(topic, partition).logForEpoch(-1, false)
      return { topic, partition, errorCode: ErrorCode.NONE, errorMessage: null, activeProducers: log.producers }
    } catch (error) {
      const errorCode = core.errorCodeOf(error)
      return { topic, partition, errorCode, errorMessage: errorMessage(errorCode), activeProducers: [] }
    }
  })
}

function duplicates(queries: readonly TopicPartition[]): Set<string> {
  const seen = new Set<string>()
  const twice = new Set<string>()
  for (const { topic, partition } of queries) {
    const key = `${topic}/${partition}`
    if (seen.has(key)) twice.add(key)
    else seen.add(key)
  }
  return twice
}
