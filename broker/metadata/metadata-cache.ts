import type { UpdateMetadataRequest } from '../../protocol/messages/update-metadata'

const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

/** In UpdateMetadata: the topic is being deleted, forget the partition (Kafka's LeaderDuringDelete). */
export const LEADER_DURING_DELETE = -2
/** The partition has no leader. */
export const NO_LEADER = -1

export interface PartitionMetadata {
  readonly partition: number
  readonly controllerEpoch: number
  /** -1: none. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly isr: readonly number[]
  /** Partition epoch: the version of the state znode. */
  readonly partitionEpoch: number
  readonly replicas: readonly number[]
  readonly offlineReplicas: readonly number[]
}

export interface TopicMetadata {
  readonly name: string
  /** undefined before the controller gave one (IBP < 2.8). */
  readonly topicId: string | undefined
  readonly partitions: ReadonlyMap<number, PartitionMetadata>
}

export interface BrokerEndpoint {
  readonly host: string
  readonly port: number
  readonly securityProtocol: number
}

export interface BrokerMetadata {
  readonly id: number
  readonly rack: string | null
  /** By listener name. */
  readonly endpoints: ReadonlyMap<string, BrokerEndpoint>
}

/** A broker as a client of one listener sees it. */
export interface BrokerNode {
  readonly id: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/** What one UpdateMetadata changed. */
export interface MetadataChange {
  readonly brokersChanged: boolean
  /** Topics with a partition added, changed or removed. */
  readonly topics: ReadonlySet<string>
  /** Also of a topic that was deleted and created again since: its old partitions, by numbers that the new ones may have, too. */
  readonly deletedPartitions: readonly { topic: string; partition: number }[]
}

const SECURITY_PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']

/**
 * The cluster as this broker knows it, fed by UpdateMetadata alone (Kafka's ZkMetadataCache).
 *
 * A topic's metadata is an immutable object, replaced when one of its partitions changes; nothing else is copied, so an
 * update costs what it changes (known-problems 1.6). `update` runs without interruption: no reader sees half of one, and who
 * holds a TopicMetadata over an await holds one consistent version.
 */
export class MetadataCache {
  private readonly topicsByName = new Map<string, TopicMetadata>()
  private readonly namesById = new Map<string, string>()
  private brokersById: ReadonlyMap<number, BrokerMetadata> = new Map()
  private readonly listeners = new Set<(change: MetadataChange) => void>()
  private controller = -1
  private updates = 0

  /** -1 before the first update. */
  get controllerId(): number {
    return this.controller
  }

  /** How many updates were taken; 0: this broker knows nothing yet. */
  get updateCount(): number {
    return this.updates
  }

  get topicCount(): number {
    return this.topicsByName.size
  }

  topics(): Iterable<TopicMetadata> {
    return this.topicsByName.values()
  }

  topic(name: string): TopicMetadata | undefined {
    return this.topicsByName.get(name)
  }

  partition(topic: string, partition: number): PartitionMetadata | undefined {
    return this.topicsByName.get(topic)?.partitions.get(partition)
  }

  topicId(name: string): string | undefined {
    return this.topicsByName.get(name)?.topicId
  }

  topicName(topicId: string): string | undefined {
    return this.namesById.get(topicId)
  }

  hasAliveBroker(id: number): boolean {
    return this.brokersById.has(id)
  }

  /** All live brokers, with every endpoint, by ascending id. */
  allBrokers(): Iterable<BrokerMetadata> {
    return this.brokersById.values()
  }

  broker(id: number): BrokerMetadata | undefined {
    return this.brokersById.get(id)
  }

  /** The live brokers that have this listener, by ascending id. */
  brokers(listener: string): BrokerNode[] {
    const nodes: BrokerNode[] = []
    for (const id of this.brokersById.keys()) {
      const node = this.aliveBroker(id, listener)
      if (node !== undefined) nodes.push(node)
    }
    return nodes
  }

  /** undefined if the broker is not alive or has no such listener. */
  aliveBroker(id: number, listener: string): BrokerNode | undefined {
    const broker = this.brokersById.get(id)
    const endpoint = broker?.endpoints.get(listener)
    if (broker === undefined || endpoint === undefined) return undefined
    return { id, host: endpoint.host, port: endpoint.port, rack: broker.rack }
  }

  /** Calls `listener` after each update that changed something; returns how to stop that. */
  onChange(listener: (change: MetadataChange) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Takes an UpdateMetadata of any version (0-8). The caller has checked that it comes from the controller. */
  update(request: UpdateMetadataRequest): MetadataChange {
    const brokersChanged = this.replaceBrokers(request)
    const topics = new Set<string>()
    const deletedPartitions: { topic: string; partition: number }[] = []
    for (const { name, topicId, states } of statesByTopic(request)) {
      if (this.mergeTopic(name, topicId, states, deletedPartitions)) topics.add(name)
    }
    this.controller = request.controllerId
    this.updates++
    const change = { brokersChanged, topics, deletedPartitions }
    if (brokersChanged || topics.size > 0 || this.updates === 1) this.tell(change)
    return change
  }

  /** Forgets these very topics, which are known to be deleted; one of the same name that came since stays. */
  forget(deleted: Iterable<TopicMetadata>): void {
    const topics = new Set<string>()
    const deletedPartitions: { topic: string; partition: number }[] = []
    for (const topic of deleted) {
      const known = this.topicsByName.get(topic.name)
      const isSame = known === topic || (known?.topicId !== undefined && known.topicId === topic.topicId)
      if (known === undefined || !isSame) continue
      this.forgetTopic(known)
      topics.add(topic.name)
      deletedPartitions.push(...partitionsOf(known))
    }
    if (topics.size > 0) this.tell({ brokersChanged: false, topics, deletedPartitions })
  }

  private tell(change: MetadataChange): void {
    for (const listener of [...this.listeners]) listener(change)
  }

  /** The broker list is always complete in a request. */
  private replaceBrokers(request: UpdateMetadataRequest): boolean {
    const next = new Map<number, BrokerMetadata>()
    for (const broker of request.liveBrokers.toSorted((a, b) => a.id - b.id)) {
      const endpoints = new Map<string, BrokerEndpoint>()
      for (const { listener, host, port, securityProtocol } of broker.endpoints) {
        // Before v3 a listener is named by its security protocol.
        endpoints.set(listener === '' ? (SECURITY_PROTOCOLS[securityProtocol] ?? '') : listener, { host, port, securityProtocol })
      }
      if (broker.endpoints.length === 0 && broker.v0Host !== '') {
        endpoints.set('PLAINTEXT', { host: broker.v0Host, port: broker.v0Port, securityProtocol: 0 })
      }
      next.set(broker.id, { id: broker.id, rack: broker.rack, endpoints })
    }
    const changed = !sameBrokers(this.brokersById, next)
    if (changed) this.brokersById = next
    return changed
  }

  private mergeTopic(
    name: string,
    topicId: string | undefined,
    states: readonly PartitionMetadata[],
    deleted: { topic: string; partition: number }[],
  ): boolean {
    const known = this.topicsByName.get(name)
    // A topic that was deleted and created again is another one: nothing of the first is kept (known-problems 3.1).
    const recreated = known?.topicId !== undefined && topicId !== undefined && known.topicId !== topicId
    if (recreated) {
      this.forgetTopic(known)
      deleted.push(...partitionsOf(known))
    }
    const partitions = new Map(recreated ? [] : known?.partitions)
    const id = topicId ?? known?.topicId
    let changed = recreated || id !== known?.topicId
    for (const state of states) {
      if (state.leader === LEADER_DURING_DELETE) {
        if (!partitions.delete(state.partition)) continue
        deleted.push({ topic: name, partition: state.partition })
      } else {
        const old = partitions.get(state.partition)
        if (old !== undefined && samePartition(old, state)) continue
        partitions.set(state.partition, state)
      }
      changed = true
    }
    if (!changed) return false
    if (partitions.size === 0) {
      if (known !== undefined) this.forgetTopic(known)
      return known !== undefined
    }
    this.topicsByName.set(name, { name, topicId: id, partitions })
    if (id !== undefined) this.namesById.set(id, name)
    return true
  }

  private forgetTopic(topic: TopicMetadata): void {
    this.topicsByName.delete(topic.name)
    if (topic.topicId !== undefined) this.namesById.delete(topic.topicId)
  }
}

function partitionsOf({ name, partitions }: TopicMetadata): { topic: string; partition: number }[] {
  return [...partitions.keys()].map((partition) => ({ topic: name, partition }))
}

function* statesByTopic(
  request: UpdateMetadataRequest,
): Iterable<{ name: string; topicId: string | undefined; states: PartitionMetadata[] }> {
  for (const topic of request.topicStates) {
    yield {
      name: topic.topicName,
      topicId: topic.topicId === ZERO_UUID ? undefined : topic.topicId,
      states: topic.partitionStates.map(partitionMetadata),
    }
  }
  const ungrouped = new Map<string, PartitionMetadata[]>()
  for (const state of request.ungroupedPartitionStates) {
    const states = ungrouped.get(state.topicName)
    if (states === undefined) ungrouped.set(state.topicName, [partitionMetadata(state)])
    else states.push(partitionMetadata(state))
  }
  for (const [name, states] of ungrouped) yield { name, topicId: undefined, states }
}

type PartitionState = UpdateMetadataRequest['ungroupedPartitionStates'][number]

function partitionMetadata(state: PartitionState): PartitionMetadata {
  return {
    partition: state.partitionIndex,
    controllerEpoch: state.controllerEpoch,
    leader: state.leader,
    leaderEpoch: state.leaderEpoch,
    isr: state.isr,
    partitionEpoch: state.zkVersion,
    replicas: state.replicas,
    offlineReplicas: state.offlineReplicas,
  }
}

function samePartition(a: PartitionMetadata, b: PartitionMetadata): boolean {
  return (
    a.leader === b.leader &&
    a.leaderEpoch === b.leaderEpoch &&
    a.partitionEpoch === b.partitionEpoch &&
    a.controllerEpoch === b.controllerEpoch &&
    sameNumbers(a.isr, b.isr) &&
    sameNumbers(a.replicas, b.replicas) &&
    sameNumbers(a.offlineReplicas, b.offlineReplicas)
  )
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i])
}

function sameBrokers(a: ReadonlyMap<number, BrokerMetadata>, b: ReadonlyMap<number, BrokerMetadata>): boolean {
  if (a.size !== b.size) return false
  for (const [id, broker] of b) {
    const other = a.get(id)
    if (other === undefined || other.rack !== broker.rack || other.endpoints.size !== broker.endpoints.size) return false
    for (const [listener, endpoint] of broker.endpoints) {
      const old = other.endpoints.get(listener)
      if (old?.host !== endpoint.host || old.port !== endpoint.port) return false
    }
  }
  return true
}
