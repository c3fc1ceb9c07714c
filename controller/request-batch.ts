import { entryKey } from './control-entries'
import type { ControlBatch, LeaderAndIsrEntry, StopReplicaEntry, UpdateMetadataEntry } from './control-entries'
import type { ControllerContext, Leadership, Partition } from './context'
import { LEADER_DURING_DELETE } from './leader-election'

const EPOCH_DURING_DELETE = -2
const NO_EPOCH = -1

/**
 * Collects what one step of the controller has to tell the brokers (Kafka's ControllerBrokerRequestBatch). Short-lived: made,
 * filled and sent by one step of one handler, so that it can neither be left over nor be seen half-filled.
 */
export class RequestBatch {
  private readonly context: ControllerContext
  private readonly leaderAndIsr = new Map<number, Map<string, LeaderAndIsrEntry>>()
  private readonly stopReplica = new Map<number, Map<string, StopReplicaEntry>>()
  private readonly metadata = new Map<string, UpdateMetadataEntry>()
  private readonly metadataBrokers = new Set<number>()

  constructor(context: ControllerContext) {
    this.context = context
  }

  get isEmpty(): boolean {
    return this.leaderAndIsr.size === 0 && this.stopReplica.size === 0 && this.metadataBrokers.size === 0
  }

  /** Tells `brokers` their part in a partition, and every registered broker who leads it. Nothing if no state is known. */
  addLeaderAndIsr(brokers: Iterable<number>, partition: Partition, isNew: boolean): void {
    const { leadership, topic, index } = partition
    if (leadership === undefined) return
    const key = entryKey(topic.name, index)
    for (const broker of brokers) {
      if (!this.context.brokers.has(broker) || this.context.owesDeletion(broker, topic.name)) continue
      const entries = mapOf(this.leaderAndIsr, broker)
      entries.set(key, {
        topic: topic.name, topicId: topic.id, index, leadership, assignment: partition.assignment,
        isNew: isNew || (entries.get(key)?.isNew ?? false),
      })
    }
    this.addUpdateMetadata(this.context.brokers.keys(), [partition])
  }

  /** Tells `brokers` who leads `partitions`, and who the registered brokers are. */
  addUpdateMetadata(brokers: Iterable<number>, partitions: Iterable<Partition>): void {
    for (const broker of brokers) this.metadataBrokers.add(broker)
    for (const partition of partitions) {
      const { topic, index, leadership } = partition
      if (leadership === undefined) continue
      const replicas = partition.assignment.replicas
      this.metadata.set(entryKey(topic.name, index), {
        topic: topic.name, topicId: topic.id, index, replicas,
        leadership: topic.deletion === 'none' ? leadership : duringDelete(leadership),
        offlineReplicas: replicas.filter((replica) => !this.context.isReplicaOnline(replica, partition)),
      })
    }
  }

  /** Tells `brokers` to stop a replica, and to delete its log if `deletePartition`. */
  addStopReplica(brokers: Iterable<number>, partition: Partition, deletePartition: boolean): void {
    const { topic, index } = partition
    const leaderEpoch = topic.deletion === 'none' ? (partition.leadership?.leaderEpoch ?? NO_EPOCH) : EPOCH_DURING_DELETE
    for (const broker of brokers) this.stop(broker, { topic: topic.name, topicId: topic.id, index, leaderEpoch, deletePartition })
  }

  /** Tells a broker that came back to delete logs of a topic that is gone. */
  addOwedDeletion(broker: number, topic: string, topicId: string | undefined, indexes: Iterable<number>): void {
    for (const index of indexes) {
      this.stop(broker, { topic, topicId, index, leaderEpoch: EPOCH_DURING_DELETE, deletePartition: true })
    }
  }

  /** What each registered broker shall be told. The metadata map is shared between them: nobody changes it. */
  take(): Map<number, ControlBatch> {
    const snapshot = this.context.brokersSnapshot()
    const batches = new Map<number, ControlBatch>()
    for (const id of this.context.registeredBrokerIds()) {
      const leaderAndIsr = this.leaderAndIsr.get(id)
      const stopReplica = this.stopReplica.get(id)
      const updateMetadata = this.metadataBrokers.has(id) ? this.metadata : undefined
      if (leaderAndIsr === undefined && stopReplica === undefined && updateMetadata === undefined) continue
      batches.set(id, {
        leaderAndIsr: leaderAndIsr ?? new Map(), stopReplica: stopReplica ?? new Map(), updateMetadata, brokers: snapshot,
      })
    }
    return batches
  }

  private stop(broker: number, entry: StopReplicaEntry): void {
    const entries = mapOf(this.stopReplica, broker)
    const key = entryKey(entry.topic, entry.index)
    const deletePartition = entry.deletePartition || (entries.get(key)?.deletePartition ?? false)
    entries.set(key, { ...entry, deletePartition })
  }
}

function duringDelete(leadership: Leadership): Leadership {
  return { ...leadership, leader: LEADER_DURING_DELETE, leaderEpoch: 0, partitionEpoch: 0 }
}

function mapOf<Key, Entry>(maps: Map<Key, Map<string, Entry>>, key: Key): Map<string, Entry> {
  let map = maps.get(key)
  if (map === undefined) maps.set(key, (map = new Map()))
  return map
}
