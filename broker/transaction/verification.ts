import { NetworkError } from '../../network/kafka-connection'
import { ErrorCode } from '../../protocol/errors'
import { ApiKey } from '../../protocol/messages/apis'
import { TopicPartitions } from './topic-partitions'
import type { AddPartitionsToTxnRequest, AddPartitionsToTxnResponse } from '../../protocol/messages/add-partitions-to-txn'
import type { Logger } from '../../runtime/log'
import type { Clock } from '../../runtime/ports'
import type { MetadataCache } from '../metadata/metadata-cache'
import type { TransactionIdentity } from '../replica/verification'
import type { PeerConnections } from './peer-connections'
import type { TopicPartition } from './topic-partitions'
import type { TransactionCoordinator } from './transaction-coordinator'

/** The first version with verifyOnly. */
const FIRST_VERSION = 4
/** Transactions in one request. */
const MAX_PER_REQUEST = 1000
/** Verifications that wait for one coordinator; more are told to come back. */
const MAX_WAITING = 10_000

/** The coordinator cannot verify: it is of a release before 3.5. Then nothing is verified, as there. */
class VerificationUnsupported extends Error {}

interface Waiting {
  transaction: TransactionIdentity
  partitions: readonly TopicPartition[]
  resolve(errorCodes: number[]): void
}

interface Destination {
  readonly brokerId: number
  waiting: Waiting[]
  isAsking: boolean
  /** It was told once that this one does not answer. */
  isSilent: boolean
}

export interface TransactionVerifierOptions {
  clock: Clock
  logger: Logger
  brokerId: number
  metadata: MetadataCache
  listenerName: string
  peers: Pick<PeerConnections, 'send'>
  /** The topic of the transaction log. */
  topic: string
  /** Of this broker. */
  coordinator: Pick<TransactionCoordinator, 'partitionFor' | 'verifyPartitions'>
}

/**
 * Asks coordinators whether partitions were added to a transaction, before its first record is appended to them (KIP-890; Kafka's
 * AddPartitionsToTxnManager). One request to each coordinator at a time; what comes meanwhile goes together.
 */
export class TransactionVerifier {
  private readonly options: TransactionVerifierOptions
  private readonly destinations = new Map<number, Destination>()
  private isClosed = false

  constructor(options: TransactionVerifierOptions) {
    this.options = options
  }

  /** An error code for each partition. Never rejects. */
  verify(transaction: TransactionIdentity, partitions: readonly TopicPartition[]): number[] | Promise<number[]> {
    const { metadata, topic, coordinator, brokerId, listenerName } = this.options
    const leader = metadata.partition(topic, coordinator.partitionFor(transaction.transactionalId))?.leader
    if (leader === brokerId) {
      return coordinator
        .verifyPartitions(transaction.transactionalId, transaction, partitions)
        .map(({ errorCode }) => errorCode)
    }
    const isKnown = leader !== undefined && metadata.aliveBroker(leader, listenerName) !== undefined
    const destination = isKnown ? this.destination(leader) : undefined
    if (destination === undefined || destination.waiting.length >= MAX_WAITING || this.isClosed) {
      return partitions.map(() => ErrorCode.COORDINATOR_NOT_AVAILABLE)
    }
    return new Promise((resolve) => {
      destination.waiting.push({ transaction, partitions, resolve })
      this.plan(destination)
    })
  }

  close(): void {
    this.isClosed = true
    for (const destination of this.destinations.values()) {
      for (const waiting of destination.waiting.splice(0)) fail(waiting, ErrorCode.COORDINATOR_NOT_AVAILABLE)
    }
  }

  private destination(brokerId: number): Destination {
    let destination = this.destinations.get(brokerId)
    if (destination === undefined) {
      destination = { brokerId, waiting: [], isAsking: false, isSilent: false }
      this.destinations.set(brokerId, destination)
    }
    return destination
  }

  private plan(destination: Destination): void {
    if (destination.isAsking || destination.waiting.length === 0 || this.isClosed) return
    destination.isAsking = true
    this.options.clock.immediate(() => void this.ask(destination))
  }

  private async ask(destination: Destination): Promise<void> {
    const asked = take(destination)
    try {
      const answer = await this.options.peers.send<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse>(
        destination.brokerId,
        ApiKey.addPartitionsToTxn,
        { transactions: asked.map(transactionOf) },
        (highest) => {
          if (highest < FIRST_VERSION) throw new VerificationUnsupported()
          return highest
        },
      )
      destination.isSilent = false
      settle(asked, answer)
    } catch (error) {
      const isUnsupported =
        error instanceof VerificationUnsupported || (error instanceof NetworkError && error.code === 'UNSUPPORTED_VERSION')
      const fields = { brokerId: destination.brokerId, transactions: asked.length, ...(isUnsupported ? {} : { err: error }) }
      const what = isUnsupported ? 'a coordinator cannot verify transactions' : 'a coordinator did not answer'
      if (destination.isSilent) this.options.logger.debug(fields, what)
      else this.options.logger.warn(fields, what)
      destination.isSilent = true
      for (const each of asked) fail(each, isUnsupported ? ErrorCode.NONE : ErrorCode.NETWORK_EXCEPTION)
    }
    destination.isAsking = false
    this.plan(destination)
  }
}

/** No two of one transactional id: their answers could not be told apart. */
function take(destination: Destination): Waiting[] {
  const taken: Waiting[] = []
  const left: Waiting[] = []
  const ids = new Set<string>()
  for (const each of destination.waiting) {
    const { transactionalId } = each.transaction
    if (taken.length >= MAX_PER_REQUEST || ids.has(transactionalId)) {
      left.push(each)
    } else {
      ids.add(transactionalId)
      taken.push(each)
    }
  }
  destination.waiting = left
  return taken
}

function transactionOf({ transaction, partitions }: Waiting): AddPartitionsToTxnRequest['transactions'][number] {
  const topics = [...TopicPartitions.of(partitions).topics()].map(({ topic, partitions: indexes }) => ({
    name: topic, partitions: indexes,
  }))
  return { ...transaction, verifyOnly: true, topics }
}

function settle(asked: readonly Waiting[], answer: AddPartitionsToTxnResponse): void {
  const byId = new Map(answer.resultsByTransaction.map((result) => [result.transactionalId, result]))
  for (const each of asked) {
    if (answer.errorCode !== ErrorCode.NONE) {
      const isForbidden = answer.errorCode === ErrorCode.CLUSTER_AUTHORIZATION_FAILED
      fail(each, isForbidden ? ErrorCode.INVALID_TXN_STATE : answer.errorCode)
      continue
    }
    const errors = new Map<string, number>()
    for (const { name, resultsByPartition } of byId.get(each.transaction.transactionalId)?.topicResults ?? []) {
      for (const { partitionIndex, partitionErrorCode } of resultsByPartition) {
        errors.set(`${name}/${partitionIndex}`, partitionErrorCode)
      }
    }
    each.resolve(
      each.partitions.map(({ topic, partition }) => errors.get(`${topic}/${partition}`) ?? ErrorCode.UNKNOWN_SERVER_ERROR),
    )
  }
}

function fail({ partitions, resolve }: Waiting, errorCode: number): void {
  resolve(partitions.map(() => errorCode))
}
