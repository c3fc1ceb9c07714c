import { ErrorCode, errorMessage, errorName } from '../../protocol/errors'
import {
  BATCH_HEADER_BYTES, baseSequenceAt, isTransactionalAt, magicAt, NO_PRODUCER_ID, NO_SEQUENCE, producerEpochAt, producerIdAt,
} from '../../protocol/records/batch'
import type { VerificationGuard } from '../log/log-types'
import type { ReplicaCore } from './replica-core'
import type { AppendParams, TopicPartition } from './requests'

/** A producer's transaction, as it names it. */
export interface TransactionIdentity {
  transactionalId: string
  producerId: number
  producerEpoch: number
}

/**
 * Asks the coordinator of a transaction whether these partitions were added to it (KIP-890, part 1). An error code for each, in
 * their order, at once if this broker coordinates it; never rejects.
 */
export type VerifyTransaction = (
  transaction: TransactionIdentity,
  partitions: readonly TopicPartition[],
) => number[] | Promise<number[]>

/** The first version of Produce in which a client knows TRANSACTION_ABORTABLE. */
const FIRST_ABORTABLE_PRODUCE = 11

export interface VerificationRefusal {
  errorCode: number
  errorMessage: string | null
}

/** What is to be verified before a produce request is appended. */
export interface PendingVerification {
  transaction: TransactionIdentity
  /** Their places in the request. */
  places: number[]
  partitions: TopicPartition[]
  guards: VerificationGuard[]
}

/**
 * Begins the verification of a client's transactional records: of those partitions that this broker leads and in which the
 * producer has no transaction open. undefined: nothing to verify. A refusal concerns the whole request.
 */
export function beginVerification(
  core: ReplicaCore, params: AppendParams,
): PendingVerification | VerificationRefusal | undefined {
  const { transactionalId } = params
  let verification: PendingVerification | undefined
  let producerId = NO_PRODUCER_ID
  let producerEpoch = -1
  for (const [place, { topic, partition: index, records }] of params.partitions.entries()) {
    if (records.length < BATCH_HEADER_BYTES || magicAt(records, 0) < 2 || !isTransactionalAt(records, 0)) continue
    const id = producerIdAt(records, 0)
    const epoch = producerEpochAt(records, 0)
    if (id === NO_PRODUCER_ID) continue
    if (producerId !== NO_PRODUCER_ID && (id !== producerId || epoch !== producerEpoch)) {
      const errorMessage = 'Transactional records contained more than one producer ID'
      return { errorCode: ErrorCode.INVALID_PRODUCER_ID_MAPPING, errorMessage }
    }
    producerId = id
    producerEpoch = epoch
    if (transactionalId === undefined || transactionalId === null || core.options.verifyTransaction === undefined) continue
    const partition = core.get(topic, index)
    if (partition?.isLeader !== true || partition.log === undefined) continue
    const guard = partition.log.startTransactionVerification(producerId, baseSequenceAt(records, 0), producerEpoch)
    if (guard === undefined) continue
    verification ??= { transaction: { transactionalId, producerId, producerEpoch }, places: [], partitions: [], guards: [] }
    verification.places.push(place)
    verification.partitions.push({ topic, partition: index })
    verification.guards.push(guard)
  }
  return verification
}

/** What a producer is told; undefined if the partition is in the transaction. Nothing was written. */
export function produceRefusal(errorCode: number, requestVersion: number): VerificationRefusal | undefined {
  const told = clientError(errorCode, requestVersion >= FIRST_ABORTABLE_PRODUCE)
  switch (told) {
    case ErrorCode.NONE:
      return undefined
    case ErrorCode.INVALID_TXN_STATE:
      return { errorCode: told, errorMessage: 'Partition was not added to the transaction' }
    // Not every client tries again after these; after NOT_ENOUGH_REPLICAS all do, and without asking for metadata first.
    case ErrorCode.CONCURRENT_TRANSACTIONS:
    case ErrorCode.NETWORK_EXCEPTION:
    case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
    case ErrorCode.COORDINATOR_NOT_AVAILABLE:
    case ErrorCode.NOT_COORDINATOR:
      return {
        errorCode: ErrorCode.NOT_ENOUGH_REPLICAS,
        errorMessage:
          `Unable to verify the partition has been added to the transaction. Underlying error: ${errorName(told)}`,
      }
    default:
      return { errorCode: told, errorMessage: errorMessage(told) }
  }
}

/** A coordinator's answer in words that the client knows. */
function clientError(errorCode: number, knowsAbortable: boolean): number {
  if (errorCode === ErrorCode.PRODUCER_FENCED) return ErrorCode.INVALID_PRODUCER_EPOCH
  if (errorCode === ErrorCode.TRANSACTION_ABORTABLE && !knowsAbortable) return ErrorCode.INVALID_TXN_STATE
  return errorCode
}

/**
 * For a group coordinator that is about to append offsets in a producer's transaction. With NONE the guard, if there is one, goes
 * with the append. `knowsAbortable`: the client knows TRANSACTION_ABORTABLE (TxnOffsetCommit 4).
 */
export async function verifyForCoordinator(
  core: ReplicaCore,
  transaction: TransactionIdentity,
  { topic, partition: index }: TopicPartition,
  knowsAbortable: boolean,
): Promise<{ errorCode: number; verificationGuard: VerificationGuard | undefined }> {
  const failed = (errorCode: number): { errorCode: number; verificationGuard: undefined } => ({
    errorCode, verificationGuard: undefined,
  })
  let verificationGuard: VerificationGuard | undefined
  try {
    const log = core.require(topic, index).leaderLog()
    verificationGuard = log.startTransactionVerification(transaction.producerId, NO_SEQUENCE, transaction.producerEpoch)
  } catch (error) {
    return failed(core.errorCodeOf(error))
  }
  if (verificationGuard === undefined || core.options.verifyTransaction === undefined) return failed(ErrorCode.NONE)
  const [errorCode = ErrorCode.UNKNOWN_SERVER_ERROR] = await core.options.verifyTransaction(transaction, [
    { topic, partition: index },
  ])
  return errorCode === ErrorCode.NONE ? { errorCode, verificationGuard } : failed(clientError(errorCode, knowsAbortable))
}
