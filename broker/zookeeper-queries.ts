import { brokerIdPath } from '../zk-schema/brokers'
import { deleteTopicPath } from '../zk-schema/admin'
import { deletionPath } from '../zk-schema/deletions'
import { controllerEpochPath, controllerPath, decodeController, decodeControllerEpoch } from '../zk-schema/controller'
import { encodeLogDirEvent, logDirEvents, notificationCreatePath } from '../zk-schema/notifications'
import { decodePartitionState, decodeTopic, partitionStatePath, topicPath } from '../zk-schema/topics'
import { isZooKeeperError } from '../zk-schema/session/errors'
import { ZnodeFormatError } from '../zk-schema/znode-json'
import type { SessionKeeper } from '../zk-schema/session/keeper'
import type { PartitionState } from './replica/partition-state'

/**
 * What replication asks ZooKeeper, and tells it. Questions on which a decision hangs are asked after a sync: the server that
 * we talk to may lag behind the one that the controller wrote to.
 */
export class ZooKeeperQueries {
  private readonly keeper: SessionKeeper

  constructor(keeper: SessionKeeper) {
    this.keeper = keeper
  }

  /** Whether this broker is the controller with this epoch, as `/controller` and `/controller_epoch` say. */
  async confirmController(controllerId: number, controllerEpoch: number): Promise<boolean> {
    const session = this.keeper.current
    await session.sync()
    const [controller, epoch] = await Promise.all([session.get(controllerPath), session.get(controllerEpochPath)])
    if (controller === undefined || epoch === undefined) return false
    try {
      return decodeController(controller.data).brokerId === controllerId && decodeControllerEpoch(epoch.data) === controllerEpoch
    } catch (error) {
      if (error instanceof ZnodeFormatError) return false
      throw error
    }
  }

  async brokerEpoch(brokerId: number): Promise<number | undefined> {
    return (await this.keeper.current.exists(brokerIdPath(brokerId)))?.czxid
  }

  async partitionState(topic: string, partition: number): Promise<PartitionState | undefined> {
    const session = this.keeper.current
    await session.sync()
    const node = await session.get(partitionStatePath(topic, partition))
    if (node === undefined) return undefined
    const { controllerEpoch, leader, leaderEpoch, isr } = decodePartitionState(topic, partition, node.data)
    return { controllerEpoch, leader, leaderEpoch, isr, partitionEpoch: node.stat.version }
  }

  /** undefined if there is no such topic. */
  async partitionCount(topic: string): Promise<number | undefined> {
    const session = this.keeper.current
    await session.sync()
    const node = await session.get(topicPath(topic))
    return node === undefined ? undefined : decodeTopic(topic, node.data).partitions.size
  }

  /** Whether there is no such partition, or not for long: the controller of an Apache broker finishes only when all replicas are alive. */
  async isPartitionGone(topic: string, partition: number): Promise<boolean> {
    if (partition >= ((await this.partitionCount(topic)) ?? 0)) return true
    return (await this.keeper.current.exists(deleteTopicPath(topic))) !== undefined
  }

  /** Whether ZooKeeper still means this very topic, or has written down that it was deleted. */
  async mayDeleteReplica(topic: string, topicId: string): Promise<boolean> {
    const session = this.keeper.current
    await session.sync()
    const [node, deletion] = await Promise.all([session.get(topicPath(topic)), session.exists(deletionPath(topicId))])
    if (deletion !== undefined) return true
    return node !== undefined && decodeTopic(topic, node.data).topicId === topicId
  }

  /** Tells the controller that a log directory of this broker has failed. */
  async announceLogDirFailure(brokerId: number): Promise<void> {
    const session = this.keeper.current
    for (;;) {
      try {
        await session.create(notificationCreatePath(logDirEvents), encodeLogDirEvent(brokerId), { sequential: true })
        return
      } catch (error) {
        // Told twice does no harm, not at all leaves the partitions where they are. A new session tells with its registration.
        if (!isZooKeeperError(error, 'CONNECTION_LOSS') || session.state === 'closed') throw error
      }
    }
  }
}
