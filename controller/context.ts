import { assert } from '../runtime/assert'
import type { BrokerEndpoint, SupportedFeature } from '../zk-schema/brokers'
import { isBeingReassigned, plainAssignment } from './assignment'
import type { ReplicaAssignment } from './assignment'
import type { BrokersSnapshot } from './control-entries'
import { NO_LEADER } from './leader-election'
import type { LeaderAndIsr } from './leader-election'
import type { PartitionState } from './partition-states'
import type { ReplicaState } from './replica-states'

/** A registered broker. Its identity is (id, epoch); the epoch is the czxid of its znode (KIP-380). */
export interface Broker {
  readonly id: number
  readonly epoch: number
  readonly rack: string | null
  readonly endpoints: readonly BrokerEndpoint[]
  readonly features: Readonly<Record<string, SupportedFeature>>
}

/** A partition's state znode as the controller last read or wrote it. */
export interface Leadership extends LeaderAndIsr {
  /** Version of the state znode ("zkVersion"). */
  readonly partitionEpoch: number
  readonly controllerEpoch: number
}

export interface Partition {
  readonly topic: Topic
  readonly index: number
  assignment: ReplicaAssignment
  leadership: Leadership | undefined
  state: PartitionState
  /** Its znodes were lost, and it is not new: what was true before, for the first leader to follow. */
  former: LeaderAndIsr | undefined
  /** The same, and nobody could say yet what was true before: until then nobody may lead. */
  isPastUnknown: boolean
  /** While a reassignment runs that began under this controller: the replicas before it, in their order (the znode loses it). */
  originalReplicas: readonly number[] | undefined
  readonly replicaStates: Map<number, ReplicaState>
}

export type Deletion = 'none' | 'queued' | 'started'

/** A topic. Its identity is (name, id, czxid): another czxid under the same name is another topic. */
export interface Topic {
  readonly name: string
  /** undefined while the cluster writes no topic ids (inter.broker.protocol.version < 2.8). */
  id: string | undefined
  readonly czxid: number
  /** Version of the topic znode that `partitions` came from. */
  version: number
  readonly partitions: Map<number, Partition>
  deletion: Deletion
}

export function partitionName(partition: Partition): string {
  return `${partition.topic.name}-${partition.index}`
}

/**
 * What the active controller knows (Kafka's ControllerContext), indexed by topic and by broker, so that nothing filters the
 * whole partition map. Only the event queue's handlers touch it.
 *
 * Invariant: `partition.leadership` is what ZooKeeper confirmed, never what is wished for.
 */
export class ControllerContext {
  readonly topics = new Map<string, Topic>()
  readonly topicsById = new Map<string, Topic>()
  /** Topics whose znode could not be read: name to reason. They are left alone. */
  readonly malformedTopics = new Map<string, string>()
  readonly brokers = new Map<number, Broker>()
  readonly shuttingDown = new Set<number>()
  readonly reassigning = new Set<Partition>()
  /** Partitions without a leader: those in NewPartition and OfflinePartition. */
  readonly leaderless = new Set<Partition>()
  /** Changes whenever a broker comes, goes or changes its endpoints. */
  brokersVersion = 0
  private readonly partitionsByBroker = new Map<number, Set<Partition>>()
  private readonly offlineDirs = new Map<number, Set<Partition>>()
  /** Deletions of earlier topics that a broker has not confirmed: broker to topic names (/prekraft/deletions). */
  private readonly owedDeletions = new Map<number, Map<string, number>>()
  private partitionCount = 0
  private snapshot: BrokersSnapshot | undefined

  get partitionTotal(): number {
    return this.partitionCount
  }

  // Brokers

  putBroker(broker: Broker): void {
    this.brokers.set(broker.id, broker)
    this.brokersVersion++
  }

  removeBroker(id: number): void {
    this.brokers.delete(id)
    this.shuttingDown.delete(id)
    this.offlineDirs.delete(id)
    this.brokersVersion++
  }

  /** Registered and not shutting down. */
  isLive(id: number): boolean {
    return this.brokers.has(id) && !this.shuttingDown.has(id)
  }

  liveBrokerIds(): number[] {
    return [...this.brokers.keys()].filter((id) => !this.shuttingDown.has(id)).sort((a, b) => a - b)
  }

  /** Registered, shutting down or not, by id. */
  registeredBrokerIds(): number[] {
    return [...this.brokers.keys()].sort((a, b) => a - b)
  }

  isReplicaOnline(broker: number, partition: Partition, countShuttingDown = false): boolean {
    const alive = countShuttingDown ? this.brokers.has(broker) : this.isLive(broker)
    return alive && !this.offlineDirs.get(broker)?.has(partition) && !this.owesDeletion(broker, partition.topic.name)
  }

  /** The registered brokers, by id; the same object as long as nothing changed. */
  brokersSnapshot(): BrokersSnapshot {
    if (this.snapshot?.version !== this.brokersVersion) {
      const brokers = [...this.brokers.values()].sort((a, b) => a.id - b.id)
      this.snapshot = { version: this.brokersVersion, brokers }
    }
    return this.snapshot
  }

  // Log directories and owed deletions

  offlineOn(broker: number): ReadonlySet<Partition> {
    return this.offlineDirs.get(broker) ?? NO_PARTITIONS
  }

  setOffline(broker: number, partition: Partition, offline: boolean): void {
    if (!offline) {
      this.offlineDirs.get(broker)?.delete(partition)
      return
    }
    let set = this.offlineDirs.get(broker)
    if (set === undefined) this.offlineDirs.set(broker, (set = new Set()))
    set.add(partition)
  }

  forgetOfflineDirs(broker: number): void {
    this.offlineDirs.delete(broker)
  }

  /** Must this broker still delete the log of an earlier topic of that name? Until then it gets no replica of the new one. */
  owesDeletion(broker: number, topic: string): boolean {
    return this.owedDeletions.get(broker)?.has(topic) ?? false
  }

  addOwedDeletion(broker: number, topic: string): void {
    let owed = this.owedDeletions.get(broker)
    if (owed === undefined) this.owedDeletions.set(broker, (owed = new Map()))
    owed.set(topic, (owed.get(topic) ?? 0) + 1)
  }

  removeOwedDeletion(broker: number, topic: string): void {
    const owed = this.owedDeletions.get(broker)
    const count = owed?.get(topic)
    if (owed === undefined || count === undefined) return
    if (count > 1) owed.set(topic, count - 1)
    else owed.delete(topic)
  }

  // Topics and partitions

  addTopic(name: string, id: string | undefined, czxid: number, version: number): Topic {
    assert(!this.topics.has(name), `topic ${name} is known already`)
    const topic: Topic = {
      name, id, czxid, version, partitions: new Map(), deletion: 'none',
    }
    this.topics.set(name, topic)
    if (id !== undefined) this.topicsById.set(id, topic)
    return topic
  }

  setTopicId(topic: Topic, id: string): void {
    topic.id = id
    this.topicsById.set(id, topic)
  }

  removeTopic(topic: Topic): void {
    for (const partition of topic.partitions.values()) this.forget(partition)
    this.topics.delete(topic.name)
    if (topic.id !== undefined && this.topicsById.get(topic.id) === topic) this.topicsById.delete(topic.id)
  }

  addPartition(topic: Topic, index: number, assignment: ReplicaAssignment): Partition {
    assert(!topic.partitions.has(index), `partition ${topic.name}-${index} is known already`)
    const partition: Partition = {
      topic, index, assignment: plainAssignment([]), leadership: undefined, state: 'NonExistentPartition', former: undefined,
      isPastUnknown: false, originalReplicas: undefined, replicaStates: new Map(),
    }
    topic.partitions.set(index, partition)
    this.partitionCount++
    this.setAssignment(partition, assignment)
    return partition
  }

  partition(topic: string, index: number): Partition | undefined {
    return this.topics.get(topic)?.partitions.get(index)
  }

  * allPartitions(): Generator<Partition> {
    for (const topic of this.topics.values()) yield* topic.partitions.values()
  }

  partitionsOn(broker: number): ReadonlySet<Partition> {
    return this.partitionsByBroker.get(broker) ?? NO_PARTITIONS
  }

  setAssignment(partition: Partition, assignment: ReplicaAssignment): void {
    for (const broker of partition.assignment.replicas) {
      if (!assignment.replicas.includes(broker)) this.partitionsByBroker.get(broker)?.delete(partition)
    }
    for (const broker of assignment.replicas) {
      let set = this.partitionsByBroker.get(broker)
      if (set === undefined) this.partitionsByBroker.set(broker, (set = new Set()))
      set.add(partition)
    }
    partition.assignment = assignment
  }

  /** Marks a partition as in reassignment if its assignment says so. */
  noteReassignment(partition: Partition): void {
    if (isBeingReassigned(partition.assignment)) this.reassigning.add(partition)
  }

  setState(partition: Partition, state: PartitionState): void {
    partition.state = state
    if (state === 'NewPartition' || state === 'OfflinePartition') this.leaderless.add(partition)
    else this.leaderless.delete(partition)
  }

  replicaState(partition: Partition, broker: number): ReplicaState {
    return partition.replicaStates.get(broker) ?? 'NonExistentReplica'
  }

  setReplicaState(partition: Partition, broker: number, state: ReplicaState): void {
    if (state === 'NonExistentReplica') partition.replicaStates.delete(broker)
    else partition.replicaStates.set(broker, state)
  }

  /** Is this very partition object still part of what is known? Ask after an await. */
  isKnown(partition: Partition): boolean {
    const { topic, index } = partition
    return this.topics.get(topic.name) === topic && topic.partitions.get(index) === partition
  }

  // Counts for metrics

  /** Partitions whose leader is gone, topics in deletion left out. */
  offlinePartitionCount(): number {
    let count = 0
    for (const partition of this.leaderless) {
      if (partition.topic.deletion === 'none') count++
    }
    return count
  }

  preferredReplicaImbalanceCount(): number {
    let count = 0
    for (const partition of this.allPartitions()) {
      if (partition.topic.deletion !== 'none' || partition.leadership === undefined) continue
      if (partition.leadership.leader !== partition.assignment.replicas[0]) count++
    }
    return count
  }

  partitionsLedBy(broker: number): Partition[] {
    return [...this.partitionsOn(broker)].filter((partition) => partition.leadership?.leader === broker)
  }

  hasLiveLeader(partition: Partition): boolean {
    const leader = partition.leadership?.leader ?? NO_LEADER
    return leader !== NO_LEADER && this.isReplicaOnline(leader, partition, true)
  }

  private forget(partition: Partition): void {
    for (const broker of partition.assignment.replicas) this.partitionsByBroker.get(broker)?.delete(partition)
    for (const set of this.offlineDirs.values()) set.delete(partition)
    this.reassigning.delete(partition)
    this.leaderless.delete(partition)
    this.partitionCount--
  }
}

const NO_PARTITIONS: ReadonlySet<Partition> = new Set()
