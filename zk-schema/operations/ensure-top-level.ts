import { isZooKeeperError } from '../session/errors'
import { parentOf } from '../session/paths'
import type { ZooKeeperSession } from '../session/session'
import { defaultAcl, persistentPaths } from '../top-level'

/** Creates what Kafka expects to find at the top of the tree, where it is missing. `secure` is zookeeper.set.acl. */
export async function ensureTopLevelPaths(session: ZooKeeperSession, secure = false): Promise<void> {
  await Promise.all(persistentPaths.map((path) => ensure(session, path, secure)))
}

async function ensure(session: ZooKeeperSession, path: string, secure: boolean): Promise<void> {
  for (;;) {
    try {
      await session.create(path, null, { acl: defaultAcl(path, secure) })
      return
    } catch (error) {
      if (isZooKeeperError(error, 'NODE_EXISTS')) return
      if (isZooKeeperError(error, 'NO_NODE')) await ensure(session, parentOf(path), secure)
      else if (!isZooKeeperError(error, 'CONNECTION_LOSS') || session.state === 'closed') throw error
    }
  }
}
