import type { Input } from '../../protocol/messages/codec'
import type { AlterPartitionRequest } from '../../protocol/messages/alter-partition'
import type { AlterPartitionResponse } from '../../protocol/messages/alter-partition'
import type { CompressionPool } from '../../protocol/records/compression'
import type { Recorder } from '../../recording/events'
import type { Logger } from '../../runtime/log'
import type { Metrics } from '../../runtime/metrics'
import type { Environment } from '../../runtime/ports'
import type { TimerWheel } from '../../runtime/timer-wheel'
import type { Turn } from '../../runtime/turn'
import type { ReplicationQuotas } from '../quota/replication-quotas'
import type { MetadataCache } from '../metadata/metadata-cache'
import type { ConnectToLeader } from './leader-connection'
import type { LogStore } from './log-port'
import type { PartitionState } from './partition-state'
import type { VerifyTransaction } from './verification'

/** What follows from `inter.broker.protocol.version` for replication (broker.md §6). */
export interface ReplicationProtocol {
  fetchVersion: number
  listOffsetsVersion: number
  offsetForLeaderEpochVersion: number
  /** IBP 2.7-IV1: the leader answers a fetch with the diverging epoch; before, followers ask by OffsetsForLeaderEpoch. */
  truncationOnFetch: boolean
  /** IBP 2.2: control requests carry broker epochs, so that -1 is refused. */
  brokerEpochs: boolean
}

export const NEWEST_REPLICATION_PROTOCOL: ReplicationProtocol = {
  fetchVersion: 17,
  listOffsetsVersion: 9,
  offsetForLeaderEpochVersion: 4,
  truncationOnFetch: true,
  brokerEpochs: true,
}

/** Broker configuration that replication obeys, with Kafka's defaults in `DEFAULT_REPLICA_CONFIG`. */
export interface ReplicaConfig {
  replicaLagTimeMaxMs: number
  replicaFetchWaitMaxMs: number
  replicaFetchMinBytes: number
  replicaFetchMaxBytes: number
  replicaFetchResponseMaxBytes: number
  replicaFetchBackoffMs: number
  replicaSocketTimeoutMs: number
  numReplicaFetchers: number
  /** `fetch.max.bytes`: most that one answer holds. */
  fetchMaxBytes: number
  maxIncrementalFetchSessionSlots: number
  /** `replica.selector.class` is RackAwareReplicaSelector. */
  rackAwareReplicaSelector: boolean
  /** Most produce, fetch and delete-records requests that wait at a time, of each. Beyond it they are answered at once. */
  maxDelayedOperations: number
}

export const DEFAULT_REPLICA_CONFIG: ReplicaConfig = {
  replicaLagTimeMaxMs: 30_000,
  replicaFetchWaitMaxMs: 500,
  replicaFetchMinBytes: 1,
  replicaFetchMaxBytes: 1024 * 1024,
  replicaFetchResponseMaxBytes: 10 * 1024 * 1024,
  replicaFetchBackoffMs: 1000,
  replicaSocketTimeoutMs: 30_000,
  numReplicaFetchers: 1,
  fetchMaxBytes: 55 * 1024 * 1024,
  maxIncrementalFetchSessionSlots: 1000,
  rackAwareReplicaSelector: false,
  maxDelayedOperations: 100_000,
}

/** A topic's configuration as far as replication obeys it (its own settings over the broker's). */
export interface TopicReplication {
  minInsyncReplicas: number
  /** `flush.before.ack`. */
  flushBeforeAck: boolean
}

export interface LeadershipChange {
  topic: string
  partition: number
  leaderEpoch: number
}

export interface ReplicaManagerOptions {
  env: Environment
  turn: Turn
  timers: TimerWheel
  logger: Logger
  recorder?: Recorder
  metrics?: Metrics
  brokerId: number
  /** `broker.rack`, for rack-aware reads. */
  rack?: string | null
  /** Of the own registration; -1 before the first. */
  brokerEpoch(): number
  /**
   * Resolves when the own registration is as new as `epoch` or newer, or it is clear that it will not be; for control requests
   * that name a broker epoch above the own. Without it they are refused.
   */
  awaitBrokerEpoch?(epoch: number): Promise<void>
  /** False when the ZooKeeper session may have expired (monotonic time), and until the next one has registered: it leads nothing then. */
  mayAct(): boolean
  logs: LogStore
  metadata: MetadataCache
  config: ReplicaConfig
  protocol: ReplicationProtocol
  topicReplication(topic: string): TopicReplication
  /** Throttles of replication; none by default. */
  quotas?: ReplicationQuotas
  /** Listener by which followers reach leaders. */
  interBrokerListener: string
  /** How a follower reaches a leader; network/kafka-connection by default. */
  connectToLeader?: ConnectToLeader
  /** Where produced records are opened and compressed; on the event loop by default. */
  compression?: CompressionPool
  /**
   * Sends AlterPartition to the active controller. The request holds names and ids, ISRs with and without epochs: the sender
   * picks the version (at most `highestAlterPartitionVersion`) and drops what it has not (`alterPartitionForVersion`, both in
   * alter-partition-manager.ts). Rejects if there is no answer.
   */
  toController(request: Input<AlterPartitionRequest>): Promise<AlterPartitionResponse>
  /**
   * Asks ZooKeeper, after a sync, whether this broker is the controller with this epoch (`/controller`, `/controller_epoch`).
   * False: it is not believed. Rejects: ZooKeeper cannot be asked; it is asked again.
   */
  confirmController(controllerId: number, controllerEpoch: number): Promise<boolean>
  /** The czxid of `/brokers/ids/<id>`, undefined if it is not there. Without it every follower's epoch is believed. */
  readBrokerEpoch?(brokerId: number): Promise<number | undefined>
  /** The partition's state znode, read after a sync; for a leader whose proposal was refused as out of date (2.9). */
  readPartitionState?(topic: string, partition: number): Promise<PartitionState | undefined>
  /**
   * Does ZooKeeper say that this very topic is meant: its id in `/brokers/topics/<topic>` or in `/prekraft/deletions`? Asked
   * before a replica is deleted; if not, or if it rejects, the log is kept as `-stray`.
   */
  mayDeleteReplica?(topic: string, topicId: string): Promise<boolean>
  /** Asked before a producer's first transactional append to a partition; without it nothing is verified. */
  verifyTransaction?: VerifyTransaction
  /** Coordinators start and stop with the leadership of their partitions. An epoch may be announced again. */
  onLeadershipChange?(leaders: readonly LeadershipChange[], followers: readonly LeadershipChange[]): void
  /** The replica is gone (StopReplica), after `onLeadershipChange` would have said follower. */
  onReplicaStopped?(partition: LeadershipChange & { deleted: boolean }): void
  /** After a log directory failed and its partitions were taken offline: to write the notification, or to stop. */
  onLogDirFailure?(dir: string): void
}
