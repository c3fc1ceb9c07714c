import { ApiKey } from '../protocol/messages/apis'
import type { Input } from '../protocol/messages/schema'
import type { LeaderAndIsrRequest, LeaderAndIsrPartitionState } from '../protocol/messages/leader-and-isr'
import type { StopReplicaRequest } from '../protocol/messages/stop-replica'
import type { UpdateMetadataPartitionState, UpdateMetadataRequest } from '../protocol/messages/update-metadata'
import type { MetadataVersionRules } from '../protocol/rules/metadata-version'
import { ZERO_UUID } from '../protocol/rules/uuid'
import type { Broker } from './context'
import type { BrokersSnapshot, ControlBatch, LeaderAndIsrEntry, StopReplicaEntry, UpdateMetadataEntry } from './control-entries'

/** Who speaks to whom. */
export interface ControlSender {
  readonly controllerId: number
  readonly controllerEpoch: number
  /** Epoch of the broker that is spoken to. */
  readonly brokerEpoch: number
  readonly level: MetadataVersionRules
  /** The listener whose end points go into LeaderAndIsr's live leaders. */
  readonly interBrokerListener: string
}

export type ControlRequest =
  | { api: 'LeaderAndIsr'; apiKey: number; version: number; body: Input<LeaderAndIsrRequest>; entries: LeaderAndIsrEntry[] }
  | { api: 'UpdateMetadata'; apiKey: number; version: number; body: Input<UpdateMetadataRequest>; entries: UpdateMetadataEntry[] }
  | { api: 'StopReplica'; apiKey: number; version: number; body: Input<StopReplicaRequest>; entries: StopReplicaEntry[] }

/** Lines in one request: for so long a broker that applies it does nothing else. */
const MAX_METADATA_ENTRIES = 1000
/** The same for LeaderAndIsr by weight: a new partition means a new log. */
const MAX_LEADER_AND_ISR_WEIGHT = 64
const NEW_PARTITION_WEIGHT = 2
/** And for StopReplica, where a deletion is a directory that gets another name. */
const MAX_STOP_REPLICA_WEIGHT = 128
const DELETION_WEIGHT = 8

/** `securityProtocol` in the order of Kafka's ids. */
const SECURITY_PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']

/** The requests of one batch in the order in which they must be sent and answered. */
export function buildControlRequests(batch: ControlBatch, sender: ControlSender): ControlRequest[] {
  const requests: ControlRequest[] = []
  const leaderAndIsr = chunksByWeight(
    batch.leaderAndIsr.values(), MAX_LEADER_AND_ISR_WEIGHT, ({ isNew }) => isNew ? NEW_PARTITION_WEIGHT : 1,
  )
  for (const entries of leaderAndIsr) requests.push(leaderAndIsrRequest(entries, batch.brokers, sender))
  if (batch.updateMetadata !== undefined) {
    const all = chunks([...batch.updateMetadata.values()], MAX_METADATA_ENTRIES)
    for (const entries of all.length === 0 ? [[]] : all) requests.push(updateMetadataRequest(entries, batch.brokers, sender))
  }
  const stopReplica = chunksByWeight(
    batch.stopReplica.values(), MAX_STOP_REPLICA_WEIGHT, ({ deletePartition }) => deletePartition ? DELETION_WEIGHT : 1,
  )
  for (const entries of stopReplica) requests.push(...stopReplicaRequests(entries, sender))
  return requests
}

/** The body is made when it is sent, so that many requests are not all made in one turn of the event loop. */
function lazily<Api extends string, Body, Entry>(api: Api, apiKey: number, version: number, entries: Entry[], make: () => Body) {
  return {
    api, apiKey, version, entries,
    get body(): Body {
      return make()
    },
  }
}

function leaderAndIsrRequest(entries: LeaderAndIsrEntry[], brokers: BrokersSnapshot, sender: ControlSender): ControlRequest {
  const version = sender.level.leaderAndIsr
  return lazily('LeaderAndIsr', ApiKey.leaderAndIsr, version, entries, () => leaderAndIsrBody(entries, version, brokers, sender))
}

function leaderAndIsrBody(
  entries: LeaderAndIsrEntry[], version: number, brokers: BrokersSnapshot, sender: ControlSender,
): Input<LeaderAndIsrRequest> {
  const leaders = new Set(entries.map((entry) => entry.leadership.leader))
  const state = (entry: LeaderAndIsrEntry) => leaderAndIsrState(entry, version)
  return {
    controllerId: sender.controllerId,
    controllerEpoch: sender.controllerEpoch,
    brokerEpoch: sender.brokerEpoch,
    ...(version < 2
      ? { ungroupedPartitionStates: entries.map((entry) => ({ ...state(entry), topicName: entry.topic })) }
      : {
          topicStates: byTopic(entries).map(([topicName, topicId, group]) => ({
            topicName, topicId: topicId ?? ZERO_UUID, partitionStates: group.map(state),
          })),
        }),
    liveLeaders: brokers.brokers.filter((broker) => leaders.has(broker.id)).map((broker) => {
      const endpoint = endpointOf(broker, sender.interBrokerListener)
      return { brokerId: broker.id, hostName: endpoint?.host ?? '', port: endpoint?.port ?? -1 }
    }),
  }
}

function leaderAndIsrState(entry: LeaderAndIsrEntry, version: number): Input<LeaderAndIsrPartitionState> {
  const { leadership, assignment } = entry
  return {
    partitionIndex: entry.index,
    controllerEpoch: leadership.controllerEpoch,
    leader: leadership.leader,
    leaderEpoch: leadership.leaderEpoch,
    isr: leadership.isr,
    partitionEpoch: leadership.partitionEpoch,
    replicas: assignment.replicas,
    addingReplicas: assignment.adding,
    removingReplicas: assignment.removing,
    isNew: entry.isNew,
    ...(version >= 6 ? { leaderRecoveryState: leadership.recoveryState } : {}),
  }
}

function updateMetadataRequest(entries: UpdateMetadataEntry[], brokers: BrokersSnapshot, sender: ControlSender): ControlRequest {
  const version = sender.level.updateMetadata
  return lazily('UpdateMetadata', ApiKey.updateMetadata, version, entries, () => updateMetadataBody(entries, version, brokers, sender))
}

function updateMetadataBody(
  entries: UpdateMetadataEntry[], version: number, brokers: BrokersSnapshot, sender: ControlSender,
): Input<UpdateMetadataRequest> {
  const state = (entry: UpdateMetadataEntry) => updateMetadataState(entry, version)
  return {
    controllerId: sender.controllerId,
    controllerEpoch: sender.controllerEpoch,
    brokerEpoch: sender.brokerEpoch,
    ...(version < 5
      ? { ungroupedPartitionStates: entries.map((entry) => ({ ...state(entry), topicName: entry.topic })) }
      : {
          topicStates: byTopic(entries).map(([topicName, topicId, group]) => ({
            topicName, topicId: topicId ?? ZERO_UUID, partitionStates: group.map(state),
          })),
        }),
    liveBrokers: brokers.brokers.map((broker) => liveBroker(broker, version)),
  }
}

function updateMetadataState(entry: UpdateMetadataEntry, version: number): Input<UpdateMetadataPartitionState> {
  const { leadership } = entry
  return {
    partitionIndex: entry.index,
    controllerEpoch: leadership.controllerEpoch,
    leader: leadership.leader,
    leaderEpoch: leadership.leaderEpoch,
    isr: leadership.isr,
    zkVersion: leadership.partitionEpoch,
    replicas: entry.replicas,
    ...(version >= 4 ? { offlineReplicas: [...entry.offlineReplicas] } : {}),
  }
}

function liveBroker(broker: Broker, version: number) {
  if (version === 0) {
    const endpoint = broker.endpoints.find((candidate) => candidate.securityProtocol === 'PLAINTEXT')
    return { id: broker.id, v0Host: endpoint?.host ?? '', v0Port: endpoint?.port ?? -1 }
  }
  const endpoints = broker.endpoints.map((endpoint) => ({
    host: endpoint.host,
    port: endpoint.port,
    securityProtocol: Math.max(0, SECURITY_PROTOCOLS.indexOf(endpoint.securityProtocol)),
    ...(version >= 3 ? { listener: endpoint.listenerName } : {}),
  }))
  return { id: broker.id, endpoints, ...(version >= 2 ? { rack: broker.rack } : {}) }
}

/** Before version 3 a request deletes all its partitions or none, so that two may be needed. */
function stopReplicaRequests(entries: StopReplicaEntry[], sender: ControlSender): ControlRequest[] {
  if (sender.level.stopReplica >= 3) return [stopReplicaRequest(entries, false, sender)]
  const groups: [StopReplicaEntry[], boolean][] = [
    [entries.filter((entry) => !entry.deletePartition), false],
    [entries.filter((entry) => entry.deletePartition), true],
  ]
  return groups.filter(([group]) => group.length > 0).map(([group, deletes]) => stopReplicaRequest(group, deletes, sender))
}

function stopReplicaRequest(entries: StopReplicaEntry[], deletePartitions: boolean, sender: ControlSender): ControlRequest {
  const version = sender.level.stopReplica
  const body: Input<StopReplicaRequest> = {
    controllerId: sender.controllerId,
    controllerEpoch: sender.controllerEpoch,
    brokerEpoch: sender.brokerEpoch,
    ...stoppedPartitions(entries, deletePartitions, version),
  }
  return { api: 'StopReplica', apiKey: ApiKey.stopReplica, version, body, entries }
}

function stoppedPartitions(entries: StopReplicaEntry[], deletePartitions: boolean, version: number): Input<StopReplicaRequest> {
  if (version === 0) {
    const ungroupedPartitions = entries.map(({ topic, index }) => ({ topicName: topic, partitionIndex: index }))
    return { deletePartitions, ungroupedPartitions }
  }
  if (version <= 2) {
    const topics = byTopic(entries).map(([name, , group]) => ({ name, partitionIndexes: group.map(({ index }) => index) }))
    return { deletePartitions, topics }
  }
  const topicStates = byTopic(entries).map(([topicName, , group]) => ({
    topicName,
    partitionStates: group.map(
      ({ index, leaderEpoch, deletePartition }) => ({ partitionIndex: index, leaderEpoch, deletePartition }),
    ),
  }))
  return { topicStates }
}

function endpointOf(broker: Broker, listener: string) {
  return broker.endpoints.find((endpoint) => endpoint.listenerName === listener)
}

function byTopic<E extends { topic: string; topicId: string | undefined }>(entries: E[]): [string, string | undefined, E[]][] {
  const groups = new Map<string, [string, string | undefined, E[]]>()
  for (const entry of entries) {
    const group = groups.get(entry.topic)
    if (group === undefined) groups.set(entry.topic, [entry.topic, entry.topicId, [entry]])
    else group[2].push(entry)
  }
  return [...groups.values()]
}

function chunksByWeight<E>(entries: Iterable<E>, most: number, weightOf: (entry: E) => number): E[][] {
  const parts: E[][] = []
  let room = 0
  for (const entry of entries) {
    if (room <= 0) {
      parts.push([])
      room = most
    }
    parts.at(-1)!.push(entry)
    room -= weightOf(entry)
  }
  return parts
}

function chunks<E>(entries: E[], size: number): E[][] {
  const parts: E[][] = []
  for (let start = 0; start < entries.length; start += size) parts.push(entries.slice(start, start + size))
  return parts
}
