import { ErrorCode } from '../../protocol/errors'
import type { RecordError } from '../log/log-error'
import type { AbortedTransaction, ActiveProducer, AppendOrigin, ReadLimit, VerificationGuard } from '../log/log-types'

/**
 * What the replica manager is asked and what it answers, free of wire versions: broker/api translates.
 *
 * Error codes are Kafka's (protocol/errors.ts), 0 for none. A topic id is the 22-character form.
 */

export interface TopicPartition {
  topic: string
  partition: number
}

export interface AppendPartition extends TopicPartition {
  records: Buffer
  /** Of a transaction that was verified with its coordinator (KIP-890). */
  verificationGuard?: VerificationGuard | undefined
}

export interface AppendParams {
  /** How long acks=all may wait for the in-sync replicas. */
  timeoutMs: number
  /** -1 (all in-sync replicas), 0 or 1; anything else is INVALID_REQUIRED_ACKS. */
  acks: number
  internalTopicsAllowed: boolean
  origin: AppendOrigin
  /** Of a producer that writes in transactions; its partitions are verified with the coordinator. */
  transactionalId?: string | null
  partitions: AppendPartition[]
  /** Version of the Produce request; the newest for appends of our own. */
  requestVersion: number
}

export interface LeaderIdAndEpoch {
  leaderId: number
  leaderEpoch: number
}

export interface AppendResult extends TopicPartition {
  errorCode: number
  errorMessage: string | null
  /** -1 with an error. */
  baseOffset: number
  /** The offset after the last record; -1 with an error. */
  nextOffset: number
  /** -1 unless the topic's timestamp type is LogAppendTime. */
  logAppendTimeMs: number
  logStartOffset: number
  recordErrors: readonly RecordError[]
  /** With NOT_LEADER_OR_FOLLOWER: the leader as this broker knows it (KIP-951). */
  currentLeader?: LeaderIdAndEpoch
}

export interface ClientMetadata {
  rackId: string
  clientId: string
  clientHost: string
  listenerName: string
}

export interface FetchParams {
  /** -1 for a consumer, -2 for a debugging consumer (any replica, to the log end). */
  replicaId: number
  /** From Fetch v15 the czxid of the follower's registration; -1 unknown. */
  replicaEpoch: number
  maxWaitMs: number
  minBytes: number
  maxBytes: number
  /** Fetch below v3: the limits hold even for the first batch. */
  hardMaxBytes: boolean
  isolation: ReadLimit
  /** Consumers from v11: they may be sent to, or served by, a follower (KIP-392). */
  clientMetadata?: ClientMetadata
}

export interface FetchPartition extends TopicPartition {
  topicId: string
  fetchOffset: number
  /** Of the follower; -1 for a consumer. */
  logStartOffset: number
  maxBytes: number
  /** -1 when not given. */
  currentLeaderEpoch: number
  /** -1 when not given. */
  lastFetchedEpoch: number
  /** What the client was told last within its session: then NOTHING_NEW may be the result. */
  told?: { readonly highWatermark: number; readonly logStartOffset: number }
}

export interface FetchPartitionResult extends TopicPartition {
  topicId: string
  errorCode: number
  highWatermark: number
  /** -1 unless read_committed. */
  lastStableOffset: number
  logStartOffset: number
  /** Lies in a pooled buffer: call `release` when it has been sent. */
  records: Buffer
  release(): void
  abortedTransactions: AbortedTransaction[] | null
  divergingEpoch?: { epoch: number; endOffset: number }
  /** -1: read on from here. */
  preferredReadReplica: number
  currentLeader?: LeaderIdAndEpoch
}

/** The result of a partition of which an incremental session says nothing: most of a follower's, at each fetch. */
export const NOTHING_NEW: FetchPartitionResult = Object.freeze({
  topic: '',
  topicId: '',
  partition: -1,
  errorCode: ErrorCode.NONE,
  highWatermark: -1,
  lastStableOffset: -1,
  logStartOffset: -1,
  records: Buffer.alloc(0),
  release() {},
  abortedTransactions: null,
  preferredReadReplica: -1,
})

export interface ListOffsetsQuery extends TopicPartition {
  /** -1 latest, -2 earliest, -3 offset of the largest timestamp, -4 earliest local, -5 latest tiered; else a timestamp. */
  timestamp: number
  /** -1 when not given. */
  currentLeaderEpoch: number
  /** Only v0 uses it. */
  maxOffsets: number
}

export interface ListOffsetsParams {
  replicaId: number
  isolation: ReadLimit
  requestVersion: number
}

export interface ListOffsetsResult extends TopicPartition {
  errorCode: number
  timestamp: number
  offset: number
  /** -1 unknown. */
  leaderEpoch: number
  /** Only v0: descending. */
  oldOffsets: number[]
}

export interface EpochQuery extends TopicPartition {
  currentLeaderEpoch: number
  leaderEpoch: number
}

export interface EpochResult extends TopicPartition {
  errorCode: number
  /** -1 undefined. */
  leaderEpoch: number
  endOffset: number
}

export interface DeleteRecordsParams {
  timeoutMs: number
  /** -1: up to the high watermark. */
  partitions: (TopicPartition & { offset: number })[]
}

export interface DeleteRecordsResult extends TopicPartition {
  errorCode: number
  lowWatermark: number
}

export interface ReplicaDescription {
  partitionIndex: number
  partitionSize: number
  offsetLag: number
  isFutureKey: boolean
}

export interface LogDirDescription {
  errorCode: number
  logDir: string
  topics: { name: string; partitions: ReplicaDescription[] }[]
  totalBytes: number
  usableBytes: number
}

export interface DescribeProducersResult extends TopicPartition {
  errorCode: number
  errorMessage: string | null
  activeProducers: readonly ActiveProducer[]
}
