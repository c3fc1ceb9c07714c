import { ErrorCode } from '../../protocol/errors'
import { isEpochExhausted } from './transaction-metadata'
import { isAtRest, isPrepared, TransactionState } from './transaction-state'
import type { TopicPartitions } from './topic-partitions'
import type { TransactionMetadata, Transition } from './transaction-metadata'

/**
 * What each request means for a transactional id, as pure functions of what is known of it (coordinators.md, 4). They change
 * nothing; the coordinator carries out what they say.
 */

/** An answer at once, or a transition to be written first. */
export type Decision = { readonly errorCode: number } | { readonly transition: Transition }

/** `fence`: a transaction is open; it is aborted under a raised epoch, and the producer tries again. */
export type InitDecision = Decision | { readonly needs: 'producerId' } | { readonly needs: 'fence' }

export interface ProducerIdAndEpoch {
  readonly producerId: number
  readonly producerEpoch: number
}

const refuse = (errorCode: number): { errorCode: number } => ({ errorCode })

/**
 * InitProducerId of a known id. `expected`: what the producer says it had. `freshProducerId`: one that nobody has, if it was
 * fetched; whether one is needed turns out here.
 */
export function decideInit(
  metadata: TransactionMetadata,
  timeoutMs: number,
  expected: ProducerIdAndEpoch | undefined,
  freshProducerId: number | undefined,
  nowMs: number,
): InitDecision {
  if (metadata.isPending) return refuse(ErrorCode.CONCURRENT_TRANSACTIONS)
  if (expected !== undefined && !isKnownProducer(metadata, expected)) return refuse(ErrorCode.PRODUCER_FENCED)
  if (isPrepared(metadata.state)) return refuse(ErrorCode.CONCURRENT_TRANSACTIONS)
  if (metadata.state === TransactionState.ongoing) return { needs: 'fence' }
  const isCurrent = expected === undefined || expected.producerEpoch === metadata.producerEpoch
  if (isEpochExhausted(metadata.producerEpoch) && isCurrent) {
    if (freshProducerId === undefined) return { needs: 'producerId' }
    return { transition: metadata.toNewProducerId(freshProducerId, timeoutMs, expected !== undefined, nowMs) }
  }
  const transition = metadata.toNextEpoch(timeoutMs, expected?.producerEpoch, nowMs)
  return transition === undefined ? refuse(ErrorCode.PRODUCER_FENCED) : { transition }
}

function isKnownProducer(metadata: TransactionMetadata, { producerId, producerEpoch }: ProducerIdAndEpoch): boolean {
  if (metadata.producerEpoch < 0 || producerId === metadata.producerId) return true
  return producerId === metadata.lastProducerId && isEpochExhausted(producerEpoch)
}

/** AddPartitionsToTxn, AddOffsetsToTxn. */
export function decideAddPartitions(
  metadata: TransactionMetadata,
  producer: ProducerIdAndEpoch,
  partitions: TopicPartitions,
  nowMs: number,
): Decision {
  const error = producerError(metadata, producer)
  if (error !== ErrorCode.NONE) return refuse(error)
  if (metadata.isPending || isPrepared(metadata.state)) return refuse(ErrorCode.CONCURRENT_TRANSACTIONS)
  if (metadata.state === TransactionState.ongoing && metadata.partitions.includes(partitions)) return refuse(ErrorCode.NONE)
  return { transition: metadata.toOngoing(partitions, nowMs) }
}

/**
 * AddPartitionsToTxn with verifyOnly: an error for all, or NONE, and then each partition is in the transaction or
 * TRANSACTION_ABORTABLE.
 */
export function decideVerify(metadata: TransactionMetadata, producer: ProducerIdAndEpoch): number {
  const error = producerError(metadata, producer)
  if (error !== ErrorCode.NONE) return error
  return isPrepared(metadata.state) ? ErrorCode.CONCURRENT_TRANSACTIONS : ErrorCode.NONE
}

/** EndTxn of a client, which must name the very epoch. */
export function decideEnd(
  metadata: TransactionMetadata, producer: ProducerIdAndEpoch, isCommit: boolean, nowMs: number,
): Decision {
  const error = producerError(metadata, producer)
  if (error !== ErrorCode.NONE) return refuse(error)
  if (metadata.isPending) return refuse(ErrorCode.CONCURRENT_TRANSACTIONS)
  const { prepareCommit, prepareAbort, completeCommit, completeAbort, ongoing } = TransactionState
  switch (metadata.state) {
    case ongoing:
      return { transition: metadata.toPrepared(isCommit, nowMs) }
    case isCommit ? completeCommit : completeAbort:
      return refuse(ErrorCode.NONE)
    case isCommit ? prepareCommit : prepareAbort:
      return refuse(ErrorCode.CONCURRENT_TRANSACTIONS)
    default:
      return refuse(ErrorCode.INVALID_TXN_STATE)
  }
}

function producerError(metadata: TransactionMetadata, { producerId, producerEpoch }: ProducerIdAndEpoch): number {
  if (metadata.producerId !== producerId) return ErrorCode.INVALID_PRODUCER_ID_MAPPING
  return metadata.producerEpoch === producerEpoch ? ErrorCode.NONE : ErrorCode.PRODUCER_FENCED
}

/** Open for longer than its producer allowed. */
export function isTimedOut(metadata: TransactionMetadata, nowMs: number): boolean {
  return !metadata.isPending && metadata.state === TransactionState.ongoing && metadata.startMs + metadata.timeoutMs < nowMs
}

/** Idle for longer than transactional.id.expiration.ms. */
export function isExpired(metadata: TransactionMetadata, expirationMs: number, nowMs: number): boolean {
  return !metadata.isPending && isAtRest(metadata.state) && metadata.lastUpdateMs <= nowMs - expirationMs
}

/** What the coordinator answers when the append to its log failed so. */
export function coordinatorError(appendError: number): number {
  switch (appendError) {
    case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
    case ErrorCode.NOT_ENOUGH_REPLICAS:
    case ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case ErrorCode.REQUEST_TIMED_OUT:
      return ErrorCode.COORDINATOR_NOT_AVAILABLE
    case ErrorCode.NOT_LEADER_OR_FOLLOWER:
    case ErrorCode.KAFKA_STORAGE_ERROR:
      return ErrorCode.NOT_COORDINATOR
    case ErrorCode.MESSAGE_TOO_LARGE:
    case ErrorCode.RECORD_LIST_TOO_LARGE:
      return ErrorCode.UNKNOWN_SERVER_ERROR
    default:
      return appendError
  }
}
