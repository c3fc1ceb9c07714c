import { ErrorCode, ProtocolError, isRetriable } from '../../protocol/errors'

/**
 * What an error code means for a transaction (Kafka's TransactionManager). `retry`: the same again. `find`: the same, by
 * another coordinator.
 * `abortable`: the program must abort, then it goes on. `bump`: the same, and the producer needs a new epoch for it.
 * `fatal`: the producer is
 * of no use any more.
 */
export type Consequence = 'retry' | 'find' | 'abortable' | 'bump' | 'fatal'

export type TransactionRequest = 'initProducerId' | 'addPartitionsToTxn' | 'addOffsetsToTxn' | 'txnOffsetCommit' | 'endTxn'

/** `code` is not NONE. */
export function consequenceOf(request: TransactionRequest, code: number): Consequence {
  switch (code) {
    case ErrorCode.COORDINATOR_NOT_AVAILABLE:
    case ErrorCode.NOT_COORDINATOR:
      return 'find'
    case ErrorCode.REQUEST_TIMED_OUT:
      return request === 'txnOffsetCommit' ? 'find' : 'retry'
    case ErrorCode.INVALID_PRODUCER_EPOCH:
    case ErrorCode.PRODUCER_FENCED:
    case ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case ErrorCode.CLUSTER_AUTHORIZATION_FAILED:
    case ErrorCode.INVALID_TXN_STATE:
    case ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT:
      return 'fatal'
    case ErrorCode.UNKNOWN_PRODUCER_ID:
    case ErrorCode.INVALID_PRODUCER_ID_MAPPING:
      return request === 'initProducerId' || request === 'txnOffsetCommit' ? 'fatal' : 'bump'
    case ErrorCode.GROUP_AUTHORIZATION_FAILED:
    case ErrorCode.TOPIC_AUTHORIZATION_FAILED:
    case ErrorCode.TRANSACTION_ABORTABLE:
    case ErrorCode.FENCED_INSTANCE_ID:
    case ErrorCode.UNKNOWN_MEMBER_ID:
    case ErrorCode.ILLEGAL_GENERATION:
      return 'abortable'
    default:
      if (isRetriable(code)) return 'retry'
      return request === 'addPartitionsToTxn' ? 'abortable' : 'fatal'
  }
}

/** What a batch that was given up means: the transaction cannot be committed, or the producer is of no use. */
export function consequenceOfBatch(error: Error): 'bump' | 'fatal' {
  if (!(error instanceof ProtocolError)) return 'bump'
  const fatal =
    error.code === ErrorCode.PRODUCER_FENCED ||
    error.code === ErrorCode.CLUSTER_AUTHORIZATION_FAILED ||
    error.code === ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED ||
    error.code === ErrorCode.INVALID_PRODUCER_ID_MAPPING
  return fatal ? 'fatal' : 'bump'
}

/**
 * A transactional call that cannot go on; `cause` is what went wrong. When it `isFatal` (another producer with this
 * transactional id has taken
 * over, or it may not write) the producer must be closed; else `abortTransaction` makes it usable again.
 */
export class TransactionError extends Error {
  override readonly name = 'TransactionError'
  readonly code: 'TRANSACTION_ABORTABLE' | 'TRANSACTION_FATAL'

  constructor(message: string, isFatal: boolean, cause: unknown) {
    super(message, { cause })
    this.code = isFatal ? 'TRANSACTION_FATAL' : 'TRANSACTION_ABORTABLE'
  }

  get isFatal(): boolean {
    return this.code === 'TRANSACTION_FATAL'
  }
}

/** A transactional call at a time when it makes no sense: the program's mistake. */
export class TransactionStateError extends Error {
  override readonly name = 'TransactionStateError'
  readonly code = 'TRANSACTION_STATE'
}
