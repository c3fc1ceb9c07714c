import { consumerOffsetPath, decodeConsumerOffset, encodeConsumerOffset } from '../zk-schema/consumers'
import { isZooKeeperError } from '../zk-schema/session/errors'
import type { SessionKeeper } from '../zk-schema/session/keeper'

/** Offsets of consumers of 0.8, in `/consumers/<group>/offsets/<topic>/<partition>` (OffsetCommit and OffsetFetch version 0). */
export class ZooKeeperOffsets {
  private readonly keeper: SessionKeeper

  constructor(keeper: SessionKeeper) {
    this.keeper = keeper
  }

  /** undefined if nothing was committed. Throws ZooKeeperError, ZnodeFormatError. */
  async fetch(groupId: string, topic: string, partition: number): Promise<number | undefined> {
    const path = consumerOffsetPath(groupId, topic, partition)
    const node = await this.keeper.current.get(path)
    return node === undefined ? undefined : decodeConsumerOffset(path, node.data)
  }

  /** Throws ZooKeeperError. */
  async commit(groupId: string, topic: string, partition: number, offset: number): Promise<void> {
    const path = consumerOffsetPath(groupId, topic, partition)
    const data = encodeConsumerOffset(offset)
    const session = this.keeper.current
    try {
      await session.set(path, data, -1)
    } catch (error) {
      if (!isZooKeeperError(error, 'NO_NODE')) throw error
      // Another commit may have come first: then the node is there, with that one's offset.
      if (!(await session.createRecursive(path, data))) await session.set(path, data, -1)
    }
  }
}
