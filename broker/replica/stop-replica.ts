import { ErrorCode } from '../../protocol/errors'
import type { Input } from '../../protocol/messages/codec'
import type { StopReplicaRequest, StopReplicaResponse } from '../../protocol/messages/stop-replica'
import type { FetcherManager } from './fetcher-manager'
import type { ReplicaCore } from './replica-core'

/** In StopReplica: no epoch is known. -2 means that the topic is being deleted. */
const NO_EPOCH = -1

interface StopRequest {
  topic: string
  partition: number
  leaderEpoch: number
  isDelete: boolean
}

/**
 * Carries out a StopReplica that was believed. All roles end at once, then the logs to delete go: the request has no topic
 * id, so ZooKeeper is asked whether this very topic is meant; a log that it does not confirm is kept as `-stray`
 * (known-problems 2.7).
 */
export async function applyStopReplica(
  core: ReplicaCore,
  fetchers: FetcherManager,
  request: StopReplicaRequest,
): Promise<Input<StopReplicaResponse>> {
  const stopped = partitionsOf(request).map((each) => ({ each, errorCode: stopOne(core, fetchers, each) }))
  fetchers.closeIdle()
  const partitionErrors = await Promise.all(
    stopped.map(async ({ each, errorCode }) => ({
      topicName: each.topic,
      partitionIndex: each.partition,
      errorCode: errorCode === ErrorCode.NONE && each.isDelete ? await deleteLog(core, each) : errorCode,
    })),
  )
  return { errorCode: ErrorCode.NONE, partitionErrors }
}

function partitionsOf(request: StopReplicaRequest): StopRequest[] {
  const isDelete = request.deletePartitions
  return [
    ...request.ungroupedPartitions.map((each) => ({
      topic: each.topicName, partition: each.partitionIndex, leaderEpoch: NO_EPOCH, isDelete,
    })),
    ...request.topics.flatMap(({ name, partitionIndexes }) =>
      partitionIndexes.map((partition) => ({ topic: name, partition, leaderEpoch: NO_EPOCH, isDelete })),
    ),
    ...request.topicStates.flatMap(({ topicName, partitionStates }) =>
      partitionStates.map((state) => ({
        topic: topicName,
        partition: state.partitionIndex,
        leaderEpoch: state.leaderEpoch,
        isDelete: state.deletePartition,
      })),
    ),
  ]
}

function stopOne(core: ReplicaCore, fetchers: FetcherManager, request: StopRequest): number {
  const partition = core.get(request.topic, request.partition)
  if (partition === undefined) return ErrorCode.NONE
  if (partition.isOffline) return ErrorCode.KAFKA_STORAGE_ERROR
  // Against what was seen: a state that could not be applied is newer news than this request all the same.
  if (request.leaderEpoch >= 0 && request.leaderEpoch < partition.seen.leaderEpoch) return ErrorCode.FENCED_LEADER_EPOCH
  const { topic, partition: index, leaderEpoch, role: from } = partition
  fetchers.remove(partition)
  if (request.isDelete) core.remove(partition)
  else partition.stop()
  core.recorder.record({
    kind: 'stateTransition', topic, partition: index, replica: core.options.brokerId, from, leaderEpoch,
    to: request.isDelete ? 'deleted' : 'none', rule: 'StopReplica',
  })
  core.options.onReplicaStopped?.({ topic, partition: index, leaderEpoch, deleted: request.isDelete })
  return ErrorCode.NONE
}

async function deleteLog(core: ReplicaCore, { topic, partition }: StopRequest): Promise<number> {
  const { logs, mayDeleteReplica } = core.options
  const log = logs.get(topic, partition)
  if (log === undefined && logs.future(topic, partition) === undefined) return ErrorCode.NONE
  let isConfirmed = true
  try {
    // A log of a time without ids cannot be told from another one.
    if (mayDeleteReplica !== undefined && log?.topicId !== undefined) isConfirmed = await mayDeleteReplica(topic, log.topicId)
  } catch (error) {
    core.logger.warn({ topic, partition, error: String(error) }, 'cannot ask whether a replica may be deleted')
    isConfirmed = false
  }
  // While ZooKeeper was asked the topic may have come back.
  if (core.get(topic, partition) !== undefined) return ErrorCode.FENCED_LEADER_EPOCH
  try {
    if (logs.future(topic, partition) !== undefined) logs.delete(topic, partition, { future: true })
    if (logs.get(topic, partition) !== undefined) logs.delete(topic, partition, { stray: !isConfirmed })
    const topicId = log?.topicId
    if (!isConfirmed) core.logger.warn({ topic, partition, topicId }, 'kept as stray: ZooKeeper does not say to delete it')
    return ErrorCode.NONE
  } catch (error) {
    return core.errorCodeOf(error)
  }
}
