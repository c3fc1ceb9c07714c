import { ErrorCode } from '../../protocol/errors'
import { canHaveFutureDirectory } from '../log/storage/file-names'
import type { FutureReplicas } from './future-replicas'
import type { ReplicaLog } from './log-port'
import type { ReplicaCore } from './replica-core'
import type { LogDirDescription, TopicPartition } from './requests'

/** What lies in each log directory; `wanted` undefined: everything. An offline directory only says so. */
export function describeLogDirs(core: ReplicaCore, wanted: readonly TopicPartition[] | undefined): LogDirDescription[] {
  const { logs, env } = core.options
  const names = wanted && new Set(wanted.map(({ topic, partition }) => `${topic}/${partition}`))
  const isWanted = (log: ReplicaLog): boolean => names?.has(`${log.topic}/${log.partition}`) ?? true
  return logs.dirs.map((logDir) => {
    const description: LogDirDescription = { errorCode: ErrorCode.NONE, logDir, topics: [], totalBytes: -1, usableBytes: -1 }
    if (!logs.isOnline(logDir)) return { ...description, errorCode: ErrorCode.KAFKA_STORAGE_ERROR }
    const topics = new Map<string, LogDirDescription['topics'][number]>()
    const add = (log: ReplicaLog, offsetLag: number, isFutureKey: boolean): void => {
      const topic = topics.get(log.topic) ?? { name: log.topic, partitions: [] }
      topics.set(log.topic, topic)
      topic.partitions.push({ partitionIndex: log.partition, partitionSize: log.size, offsetLag, isFutureKey })
    }
    for (const log of logs.all()) {
      if (log.dir === logDir && isWanted(log)) add(log, Math.max(0, log.highWatermark - log.endOffset), false)
    }
    for (const log of logs.allFuture()) {
      if (log.dir !== logDir || !isWanted(log)) continue
      add(log, (logs.get(log.topic, log.partition)?.endOffset ?? log.endOffset) - log.endOffset, true)
    }
    description.topics = [...topics.values()]
    try {
      const { total, usable } = env.disk.space(logDir)
      description.totalBytes = total
      description.usableBytes = usable
    } catch {
      // A file system that does not say how large it is.
    }
    return description
  })
}

/** Begins, redirects or (given the directory where it is) ends the move of a replica to another log directory (KIP-113). */
export function alterReplicaLogDirs(
  core: ReplicaCore,
  futures: FutureReplicas,
  moves: readonly (TopicPartition & { dir: string })[],
): (TopicPartition & { errorCode: number })[] {
  return moves.map(({ topic, partition, dir }) => {
    try {
      return { topic, partition, errorCode: alterOne(core, futures, topic, partition, dir) }
    } catch (error) {
      return { topic, partition, errorCode: core.errorCodeOf(error) }
    }
  })
}

function alterOne(core: ReplicaCore, futures: FutureReplicas, topic: string, index: number, dir: string): number {
  const { logs } = core.options
  if (!canHaveFutureDirectory(topic, index)) return ErrorCode.INVALID_TOPIC_EXCEPTION
  if (!logs.dirs.includes(dir)) return ErrorCode.LOG_DIR_NOT_FOUND
  if (!logs.isOnline(dir)) return ErrorCode.KAFKA_STORAGE_ERROR
  const partition = core.get(topic, index)
  if (partition?.isOffline) return ErrorCode.KAFKA_STORAGE_ERROR
  if (partition?.log === undefined) {
    // Remembered for when the replica is created.
    logs.preferDirectory(topic, index, dir)
    const exists = partition !== undefined || core.options.metadata.partition(topic, index) !== undefined
    return exists ? ErrorCode.REPLICA_NOT_AVAILABLE : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  }
  futures.cancelUnlessTo(partition, dir)
  if (partition.log.dir === dir || partition.futureLog !== undefined) return ErrorCode.NONE
  // With a directory offline the partition might have a log there.
  if (logs.onlineDirs.length < logs.dirs.length) return ErrorCode.KAFKA_STORAGE_ERROR
  futures.begin(partition, logs.getOrCreate(topic, index, { topicId: partition.topicId, isNew: true, dir, isFuture: true }))
  return ErrorCode.NONE
}
