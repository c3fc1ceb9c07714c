import { brokerSequenceIdPath } from '../brokers'
import { isZooKeeperError } from '../session/errors'
import type { ZooKeeperSession } from '../session/session'

/**
 * A broker id that nobody had before: the version of /brokers/seqid after writing it, above `reservedBrokerMaxId` (the key
 * reserved.broker.max.id). An attempt of which the outcome is unknown wastes one.
 */
export async function generateBrokerId(session: ZooKeeperSession, reservedBrokerMaxId: number): Promise<number> {
  for (;;) {
    try {
      const stat = await session.set(brokerSequenceIdPath, Buffer.alloc(0), -1)
      return reservedBrokerMaxId + stat.version
    } catch (error) {
      if (isZooKeeperError(error, 'NO_NODE')) await session.createRecursive(brokerSequenceIdPath)
      else if (!isZooKeeperError(error, 'CONNECTION_LOSS') || session.state === 'closed') throw error
    }
  }
}
