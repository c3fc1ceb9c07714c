import { topicsPath } from '../zk-schema/topics'
import type { Logger } from '../runtime/log'
import type { MetadataCache } from './metadata/metadata-cache'
import type { ZooKeeperSession } from '../zk-schema/session/session'

/**
 * Forgets the topics that were deleted while this broker had no session: nobody told it, and nobody will. To be called when it has
 * registered again; a deletion that is still under way then is told by the controller.
 */
export async function forgetDeletedTopics(session: ZooKeeperSession, metadata: MetadataCache, logger: Logger): Promise<void> {
  const known = [...metadata.topics()]
  if (known.length === 0) return
  await session.sync(topicsPath)
  const listed = await session.children(topicsPath)
  if (listed === undefined) return
  const names = new Set(listed.names)
  const deleted = known.filter(({ name }) => !names.has(name))
  if (deleted.length === 0) return
  logger.info({ topics: deleted.map(({ name }) => name) }, 'these topics were deleted while this broker had no session')
  metadata.forget(deleted)
}
