import { decodeDeletion, deletionPath, deletionsPath } from '../zk-schema/deletions'
import { decodeTopic, topicPath } from '../zk-schema/topics'
import { ZnodeFormatError } from '../zk-schema/znode-json'
import { StartError } from './start-error'
import type { Logger } from '../runtime/log'
import type { ZooKeeperSession } from '../zk-schema/session/session'
import type { LogStore, ReplicaLog } from './replica/log-port'

interface LocalLog {
  topic: string
  partition: number
  topicId: string | undefined
  isFuture: boolean
}

/**
 * The logs whose topic is gone from ZooKeeper, or is another one of the same name: deleted while this broker was down. A topic
 * znode that cannot be read proves nothing.
 */
async function findStrays(session: ZooKeeperSession, logs: readonly LocalLog[]): Promise<LocalLog[]> {
  const topics = [...new Set(logs.map(({ topic }) => topic))]
  const nodes = await session.getMany(topics.map(topicPath))
  /** undefined: gone; null: there, without an id that could be compared. */
  const ids = new Map<string, string | null | undefined>()
  topics.forEach((topic, i) => {
    const node = nodes[i]
    if (node === undefined) return
    try {
      ids.set(topic, decodeTopic(topic, node.data).topicId)
    } catch (error) {
      if (!(error instanceof ZnodeFormatError)) throw error
      ids.set(topic, null)
    }
  })
  return logs.filter(({ topic, topicId }) => {
    const current = ids.get(topic)
    return current === undefined || (current !== null && topicId !== undefined && current !== topicId)
  })
}

interface KnownDeletions {
  ids: Set<string>
  topics: Set<string>
}

/** The topics whose deletion was finished without this broker, which the controller wrote down (controller.md, 8). */
async function knownDeletions(session: ZooKeeperSession, brokerId: number): Promise<KnownDeletions> {
  const known: KnownDeletions = { ids: new Set(), topics: new Set() }
  const listed = await session.children(deletionsPath)
  const ids = listed?.names ?? []
  const nodes = await session.getMany(ids.map(deletionPath))
  ids.forEach((id, i) => {
    const node = nodes[i]
    if (node === undefined) return
    try {
      const { topic, brokers } = decodeDeletion(id, node.data)
      if (!brokers.includes(brokerId)) return
      known.ids.add(id)
      known.topics.add(topic)
    } catch (error) {
      if (!(error instanceof ZnodeFormatError)) throw error
    }
  })
  return known
}

/**
 * Before registration: renames what this broker holds of deleted topics to `-stray` (kept, never deleted at once), so that it
 * never answers for them. If more than half of the logs belong to no known topic, and nobody wrote down that they were
 * deleted, that is a wrong ZooKeeper and not a deletion: throws StartError, and changes nothing.
 */
export async function quarantineStrays(
  session: ZooKeeperSession,
  brokerId: number,
  logs: LogStore,
  logger: Logger,
): Promise<void> {
  const describe = (isFuture: boolean) => ({ topic, partition, topicId }: ReplicaLog) => ({ topic, partition, topicId, isFuture })
  // A future log that stayed would be taken for a copy of the next topic of this name.
  const local = [...[...logs.all()].map(describe(false)), ...[...logs.allFuture()].map(describe(true))]
  if (local.length === 0) return
  const strays = await findStrays(session, local)
  if (strays.length === 0) return
  const deletions = await knownDeletions(session, brokerId)
  // A loss of power may have taken the file with the id, and left the log.
  const unexplained = strays.filter(({ topic, topicId }) => !(topicId === undefined ? deletions.topics.has(topic) : deletions.ids.has(topicId)))
  if (unexplained.length > local.length / 2) {
    throw new StartError(
      `${unexplained.length} of ${local.length} logs belong to topics that this ZooKeeper does not know, such as ` +
        `${unexplained[0]!.topic}-${unexplained[0]!.partition}: ` +
        'zookeeper.connect or log.dirs is probably wrong. Nothing was changed.',
    )
  }
  for (const { topic, partition, isFuture } of strays) {
    logger.warn({ topic, partition }, 'the topic was deleted while this broker was down: its log is set aside as -stray')
    logs.delete(topic, partition, { stray: true, future: isFuture })
  }
}
