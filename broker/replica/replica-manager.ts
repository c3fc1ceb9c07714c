import type { LeaderAndIsrRequest, LeaderAndIsrResponse } from '../../protocol/messages/leader-and-isr'
import type { StopReplicaRequest, StopReplicaResponse } from '../../protocol/messages/stop-replica'
import type { UpdateMetadataRequest, UpdateMetadataResponse } from '../../protocol/messages/update-metadata'
import type { Input } from '../../protocol/messages/codec'
import type { FetchSessionCache } from './fetch-session'
import type { ReplicaLog } from './log-port'
import type { ReplicaManagerOptions } from './options'
import type { Partition } from './partition'
import type {
  AppendParams, AppendResult, DeleteRecordsParams, DeleteRecordsResult, DescribeProducersResult, EpochQuery, EpochResult, FetchParams,
  FetchPartition, FetchPartitionResult, ListOffsetsParams, ListOffsetsQuery, ListOffsetsResult, LogDirDescription, TopicPartition,
} from './requests'

/**
 * The replicas of this broker: leaders take appends and serve fetches, followers fetch from their leaders. Every `done` is called
 * exactly once, never from inside the call.
 */
export declare class ReplicaManager {
  constructor(options: ReplicaManagerOptions)
  readonly fetchSessions: FetchSessionCache

  /** Starts the periodic checks of the in-sync replicas and the checkpoints. */
  startup(): void
  /** Completes everything that waits, stops the fetchers, writes the high watermarks. */
  shutdown(): Promise<void>

  append(params: AppendParams, done: (results: AppendResult[]) => void): void
  /** The partitions in the order of the request; the first with data is answered whole. */
  fetch(params: FetchParams, partitions: readonly FetchPartition[], done: (results: FetchPartitionResult[]) => void): void
  listOffsets(params: ListOffsetsParams, queries: readonly ListOffsetsQuery[]): ListOffsetsResult[]
  offsetsForLeaderEpoch(queries: readonly EpochQuery[]): EpochResult[]
  deleteRecords(params: DeleteRecordsParams, done: (results: DeleteRecordsResult[]) => void): void

  /** Control requests, one after another in order of arrival. They never reject. */
  becomeLeaderOrFollower(request: LeaderAndIsrRequest, version: number): Promise<Input<LeaderAndIsrResponse>>
  stopReplica(request: StopReplicaRequest, version: number): Promise<Input<StopReplicaResponse>>
  updateMetadata(request: UpdateMetadataRequest, version: number): Promise<Input<UpdateMetadataResponse>>

  /** undefined: all partitions. */
  describeLogDirs(partitions: readonly TopicPartition[] | undefined): LogDirDescription[]
  alterReplicaLogDirs(moves: readonly (TopicPartition & { dir: string })[]): (TopicPartition & { errorCode: number })[]
  describeProducers(partitions: readonly TopicPartition[]): DescribeProducersResult[]

  /** undefined if this broker has no replica of it, or only one whose directory is offline. */
  partition(topic: string, partition: number): Partition | undefined
  localLog(topic: string, partition: number): ReplicaLog | undefined
  /** Partitions with this broker as leader. */
  leaderPartitions(): Iterable<Partition>
}
