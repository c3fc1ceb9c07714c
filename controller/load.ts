import { validateTopicName } from '../protocol/rules/topic-name'
import type { Logger } from '../runtime/log'
import { brokerIdPath, brokerIdsPath, decodeBroker } from '../zk-schema/brokers'
import type { NodeData, ZooKeeperSession } from '../zk-schema/session/session'
import { decodeTopic, topicPath, topicsPath } from '../zk-schema/topics'
import { ZnodeFormatError } from '../zk-schema/znode-json'
import type { ReplicaAssignment } from './assignment'
import type { Broker } from './context'
import type { Watches } from './watches'

/** A topic's znode as it was read. */
export interface TopicNode {
  readonly name: string
  readonly id: string | undefined
  readonly czxid: number
  readonly version: number
  readonly partitions: ReadonlyMap<number, ReplicaAssignment>
}

export interface TopicNodes {
  readonly topics: Map<string, TopicNode>
  /** Name to reason: a znode that does not hold what it should. */
  readonly malformed: Map<string, string>
}

/**
 * Reads the znodes that the controller's memory is made of, and arms their watches; who hears of them is registered first, since
 * an event may follow the very answer. What cannot be decoded is reported and left out, so that one bad znode harms nothing but
 * itself.
 */
export class Loader {
  private readonly session: ZooKeeperSession
  private readonly watches: Watches
  private readonly logger: Logger

  constructor(session: ZooKeeperSession, watches: Watches, logger: Logger) {
    this.session = session
    this.watches = watches
    this.logger = logger
  }

  /** Names of the children, sorted; none where the node is missing. */
  async names(path: string, watch: boolean): Promise<string[]> {
    const children = await this.session.children(path, watch)
    return (children?.names ?? []).sort()
  }

  /** The registered brokers and the watch of their list. */
  async brokers(known: ReadonlyMap<number, Broker> = new Map()): Promise<Map<number, Broker>> {
    const ids = (await this.names(brokerIdsPath, true)).filter((name) => /^\d+$/.test(name)).map(Number)
    for (const id of ids) this.watchBroker(id)
    const nodes = await this.session.getMany(ids.map(brokerIdPath), true)
    const brokers = new Map<number, Broker>()
    for (const [index, id] of ids.entries()) {
      const node = nodes[index]
      const broker = node === undefined ? undefined : this.decodeBroker(id, node)
      // A registration that became unreadable does not kill the broker behind it.
      const before = known.get(id)
      if (broker !== undefined) brokers.set(id, broker)
      else if (node !== undefined && before?.epoch === node.stat.czxid) brokers.set(id, before)
    }
    return brokers
  }

  /** One broker's registration and the watch of it; undefined if it is gone or cannot be read. */
  async broker(id: number): Promise<Broker | undefined> {
    this.watchBroker(id)
    const node = await this.session.get(brokerIdPath(id), true)
    return node === undefined ? undefined : this.decodeBroker(id, node)
  }

  /** All names below /brokers/topics and the watch of the list. */
  topicNames(): Promise<string[]> {
    return this.names(topicsPath, true)
  }

  async topics(names: readonly string[]): Promise<TopicNodes> {
    for (const name of names) this.watches.onNode(topicPath(name), { kind: 'PartitionModifications', topic: name })
    const nodes = await this.session.getMany(names.map(topicPath), true)
    const topics = new Map<string, TopicNode>()
    const malformed = new Map<string, string>()
    for (const [index, name] of names.entries()) {
      const node = nodes[index]
      if (node === undefined) {
        this.watches.forgetNode(topicPath(name))
        continue
      }
      const decoded = this.decodeTopic(name, node)
      if (typeof decoded === 'string') malformed.set(name, decoded)
      else topics.set(name, decoded)
    }
    return { topics, malformed }
  }

  private watchBroker(id: number): void {
    this.watches.onNode(brokerIdPath(id), { kind: 'BrokerModifications', broker: id })
  }

  private decodeTopic(name: string, node: NodeData): TopicNode | string {
    // Hands can write any name; it becomes the name of a directory on every broker.
    const invalid = validateTopicName(name)
    if (invalid !== undefined) {
      this.logger.warn({ path: topicPath(name), reason: invalid }, 'the znode of a topic has an invalid name, the topic is left alone')
      return invalid
    }
    try {
      const { topicId, partitions } = decodeTopic(name, node.data)
      const assignments = new Map<number, ReplicaAssignment>()
      for (const [index, { replicas, addingReplicas, removingReplicas }] of partitions) {
        assignments.set(index, { replicas, adding: addingReplicas, removing: removingReplicas })
      }
      return { name, id: topicId ?? undefined, czxid: node.stat.czxid, version: node.stat.version, partitions: assignments }
    } catch (error) {
      if (!(error instanceof ZnodeFormatError)) throw error
      this.logger.warn(
        { path: error.path, reason: error.message }, 'the znode of a topic cannot be read, the topic is left alone',
      )
      return error.message
    }
  }

  private decodeBroker(id: number, node: NodeData): Broker | undefined {
    try {
      const { rack, endpoints, features } = decodeBroker(id, node.data)
      return { id, epoch: node.stat.czxid, rack, endpoints, features }
    } catch (error) {
      if (!(error instanceof ZnodeFormatError)) throw error
      this.logger.warn(
        { path: error.path, reason: error.message }, 'the registration of a broker cannot be read, it is left alone',
      )
      return undefined
    }
  }
}
