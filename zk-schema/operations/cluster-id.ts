import { randomUuid } from '../../protocol/rules/uuid'
import type { Random } from '../../runtime/ports'
import { clusterIdPath, clusterPath, decodeClusterId, encodeClusterId } from '../cluster'
import { isZooKeeperError } from '../session/errors'
import type { ZooKeeperSession } from '../session/session'

/** undefined: no broker was ever started here. Throws ZnodeFormatError. */
export async function readClusterId(session: ZooKeeperSession): Promise<string | undefined> {
  const node = await session.get(clusterIdPath)
  return node === undefined ? undefined : decodeClusterId(node.data)
}

/** The id of the cluster; the first broker of all makes it up. Of two first ones, one wins and both get its id. */
export async function getOrCreateClusterId(session: ZooKeeperSession, random: Random): Promise<string> {
  for (;;) {
    const id = await readClusterId(session)
    if (id !== undefined) return id
    const proposed = randomUuid(random)
    try {
      await session.createRecursive(clusterPath)
      await session.create(clusterIdPath, encodeClusterId(proposed))
      return proposed
    } catch (error) {
      if (!isZooKeeperError(error, 'NODE_EXISTS', 'CONNECTION_LOSS') || session.state === 'closed') throw error
    }
  }
}
