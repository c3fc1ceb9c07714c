import type { TopicConfig } from '../../protocol/rules/topic-config'
import type { LogAppendRules } from './append-rules'
import type { LogError, RecordError } from './log-error'

/** Who brings the records: it decides what is checked (Kafka's AppendOrigin). */
export type AppendOrigin = 'client' | 'coordinator' | 'replication'

/** The topic's configuration; a log obeys those keys that concern it. */
export type LogConfig = TopicConfig

export interface AppendOptions {
  /** Stamped on each batch. */
  leaderEpoch: number
  origin: AppendOrigin
  /** Of the Produce request; what was sent in version 2 and below may be a message set of magic 0 or 1. */
  requestVersion?: number
  /** What `startTransactionVerification` gave when the coordinator was asked about this transaction (KIP-890). */
  verificationGuard?: VerificationGuard | undefined
  /** What `Log.prepare` gave for these records. */
  prepared?: PreparedRecords | undefined
}

/** What was done with records before their append. It counts only as long as the log still has these rules. */
export interface PreparedRecords {
  readonly rules: LogAppendRules
  /** To be appended in their place, or why they are refused. */
  readonly outcome: Buffer | LogError
}

/** Identity of one verification of a transaction; two of the same producer are not equal. */
export interface VerificationGuard {
  readonly producerId: number
}

export interface AppendInfo {
  /** Offset of the first record; of the batch that is already there if `duplicate`. -1 if nothing was appended. */
  firstOffset: number
  lastOffset: number
  maxTimestamp: number
  /** The time that was stamped on the records; -1 with CreateTime. */
  logAppendTime: number
  logStartOffset: number
  /** The producer's batch is already in the log: nothing was written. */
  duplicate: boolean
  recordErrors: readonly RecordError[]
  /** Bytes that were appended. */
  bytes: number
  recordCount: number
}

/** How far a reader may see: followers to the end, consumers to the high watermark or the last stable offset. */
export type ReadLimit = 'logEnd' | 'highWatermark' | 'lastStable'

export interface ReadOptions {
  upTo: ReadLimit
  /** Return the first batch whole although it is larger than `maxBytes`. */
  minOneMessage: boolean
}

export interface AbortedTransaction {
  producerId: number
  firstOffset: number
}

export interface ReadResult {
  /** Whole batches, and perhaps a piece of one at the end; lies in a pooled buffer until `release`. */
  records: Buffer
  /** Gives the buffer back. `records` must not be touched afterwards. Idempotent. */
  release(): void
  fetchOffset: number
  /** Only a piece of the first batch fitted (and `minOneMessage` was not asked for). */
  firstEntryIncomplete: boolean
  /** With `lastStable`: the aborted transactions that overlap what was read. */
  abortedTransactions?: AbortedTransaction[]
}

export interface EpochEndOffset {
  epoch: number
  endOffset: number
}

export interface TimestampOffset {
  timestamp: number
  offset: number
  /** -1 where it is not known. */
  leaderEpoch: number
}

/** One producer, as DescribeProducers shows it. */
export interface ActiveProducer {
  producerId: number
  producerEpoch: number
  /** -1 before its first batch. */
  lastSequence: number
  lastTimestamp: number
  coordinatorEpoch: number
  /** -1 outside a transaction. */
  currentTxnStartOffset: number
}

export const EARLIEST_TIMESTAMP = -2
export const LATEST_TIMESTAMP = -1
export const MAX_TIMESTAMP = -3
export const EARLIEST_LOCAL_TIMESTAMP = -4
export const LATEST_TIERED_TIMESTAMP = -5
