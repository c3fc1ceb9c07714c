import { ApiKey } from '../../protocol/messages/apis'
import { ErrorCode, errorName } from '../../protocol/errors'
import { MarkerQueue } from './marker-queue'
import { TopicPartitions } from './topic-partitions'
import type { Input } from '../../protocol/messages/codec'
import type {
  WritableTxnMarkerResult, WriteTxnMarkersRequest, WriteTxnMarkersResponse,
} from '../../protocol/messages/write-txn-markers'
import type { Logger } from '../../runtime/log'
import type { Clock, Timer } from '../../runtime/ports'
import type { MetadataCache } from '../metadata/metadata-cache'
import type { MarkerEntry, PendingCompletion } from './marker-queue'
import type { PeerConnections } from './peer-connections'
import type { TopicPartition } from './topic-partitions'

/** Until a marker that could not be written is sent once more. */
const RETRY_MS = 50
/** Transactions in one request; it bounds what one broker has to write in one turn. */
const MAX_PER_REQUEST = 500
/** Requests to one broker that are not answered. */
const MAX_IN_FLIGHT = 5

export interface MarkerSenderOptions {
  clock: Clock
  logger: Logger
  metadata: MetadataCache
  /** `inter.broker.listener.name`. */
  listenerName: string
  peers: Pick<PeerConnections, 'send'>
  /** What inter.broker.protocol.version says. */
  version: number
  /** Whether ZooKeeper says that there is no such partition; rejects if it cannot be asked. */
  isDeleted(topic: string, partition: number): Promise<boolean>
  /** The coordinator still holds this transaction in the epoch in which its end was decided. */
  isCurrent(pending: PendingCompletion): boolean
  /** Each partition has its marker. */
  onMarked(pending: PendingCompletion): void
}

interface Destination {
  readonly brokerId: number
  readonly queue: MarkerQueue
  inFlight: number
  isPlanned: boolean
  /** It was told once that this one does not answer. */
  isSilent: boolean
}

/**
 * Sends the markers of ended transactions to the leaders of their partitions, until every one is written (Kafka's
 * TransactionMarkerChannelManager). What a failed broker leaves unanswered goes to whoever leads then; nothing is given up
 * while this broker coordinates the transaction.
 */
export class MarkerSender {
  private readonly options: MarkerSenderOptions
  /** By transactional id; the newest one counts. */
  private readonly pending = new Map<string, PendingCompletion>()
  private readonly destinations = new Map<number, Destination>()
  /** What waits to be sent once more, or for a leader. */
  private readonly parked = new MarkerQueue()
  private retry: Timer | undefined
  private isClosed = false

  constructor(options: MarkerSenderOptions) {
    this.options = options
  }

  /** Transactions that wait for a marker. */
  get size(): number {
    return this.pending.size
  }

  /** Markers to send, for the partitions that the transaction has now. */
  add(pending: PendingCompletion): void {
    if (this.isClosed) return
    this.pending.set(pending.metadata.transactionalId, pending)
    this.route(pending, [...pending.metadata.partitions])
    this.checkMarked(pending)
  }

  /** The partition of the log is not ours any more; whoever has it sends its markers. */
  removeLogPartition(logPartition: number): void {
    for (const [id, { metadata }] of this.pending) if (metadata.logPartition === logPartition) this.pending.delete(id)
    const queues = [this.parked, ...[...this.destinations.values()].map(({ queue }) => queue)]
    for (const queue of queues) queue.removeWhere(({ metadata }) => metadata.logPartition === logPartition)
  }

  close(): void {
    this.isClosed = true
    this.retry?.cancel()
    this.pending.clear()
    this.destinations.clear()
    this.parked.removeWhere(() => true)
  }

  private isWanted(pending: PendingCompletion): boolean {
    return this.pending.get(pending.metadata.transactionalId) === pending && this.options.isCurrent(pending)
  }

  private route(pending: PendingCompletion, partitions: Iterable<TopicPartition>): void {
    const { metadata, listenerName } = this.options
    const byBroker = new Map<number, TopicPartition[]>()
    const unknown: TopicPartition[] = []
    const leaderless: TopicPartition[] = []
    for (const each of partitions) {
      const leader = metadata.partition(each.topic, each.partition)?.leader
      if (leader === undefined) {
        unknown.push(each)
      } else if (metadata.aliveBroker(leader, listenerName) === undefined) {
        leaderless.push(each)
      } else {
        const list = byBroker.get(leader)
        if (list === undefined) byBroker.set(leader, [each])
        else list.push(each)
      }
    }
    for (const [brokerId, list] of byBroker) this.enqueue(brokerId, pending, list)
    if (leaderless.length > 0) this.park(pending, leaderless)
    if (unknown.length > 0) void this.checkDeleted(pending, unknown)
  }

  /**
   * This broker knows of no such partitions: they were deleted, or it knows little as yet. Without a marker a partition that
   * exists would be blocked for ever, so ZooKeeper is asked.
   */
  private async checkDeleted(pending: PendingCompletion, partitions: readonly TopicPartition[]): Promise<void> {
    const { logger, isDeleted } = this.options
    const left: TopicPartition[] = []
    const gone: TopicPartition[] = []
    for (const each of partitions) {
      try {
        const list = (await isDeleted(each.topic, each.partition)) ? gone : left
        list.push(each)
      } catch (error) {
        logger.debug({ ...each, err: error }, 'cannot ask whether a partition exists')
        left.push(each)
      }
    }
    if (this.isClosed || !this.isWanted(pending)) return
    const { metadata } = pending
    if (gone.length > 0) {
      logger.info({ transactionalId: metadata.transactionalId, partitions: gone }, 'deleted partitions need no marker')
    }
    for (const { topic, partition } of gone) metadata.removePartition(topic, partition)
    if (left.length > 0) this.park(pending, left)
    this.checkMarked(pending)
  }

  private enqueue(brokerId: number, pending: PendingCompletion, partitions: Iterable<TopicPartition>): void {
    let destination = this.destinations.get(brokerId)
    if (destination === undefined) {
      destination = { brokerId, queue: new MarkerQueue(), inFlight: 0, isPlanned: false, isSilent: false }
      this.destinations.set(brokerId, destination)
    }
    destination.queue.add(pending, partitions)
    this.plan(destination)
  }

  /** What comes together goes together. */
  private plan(destination: Destination): void {
    if (destination.isPlanned || destination.inFlight >= MAX_IN_FLIGHT || destination.queue.isEmpty) return
    destination.isPlanned = true
    this.options.clock.immediate(() => {
      destination.isPlanned = false
      if (this.isClosed) return
      const entries = destination.queue.take(MAX_PER_REQUEST, (pending) => this.isWanted(pending))
      if (entries.length > 0) void this.send(destination, entries)
      this.plan(destination)
    })
  }

  private async send(destination: Destination, entries: readonly MarkerEntry[]): Promise<void> {
    const { peers, version, logger } = this.options
    const { brokerId } = destination
    let answer: WriteTxnMarkersResponse | undefined
    destination.inFlight++
    try {
      answer = await peers.send<WriteTxnMarkersRequest, WriteTxnMarkersResponse>(
        brokerId, ApiKey.writeTxnMarkers, requestOf(entries), (highest) => Math.min(highest, version),
      )
      destination.isSilent = false
    } catch (error) {
      if (!destination.isSilent) logger.info({ brokerId, err: error }, 'a broker did not answer to transaction markers')
      destination.isSilent = true
    }
    destination.inFlight--
    if (this.isClosed) return
    const results = new Map<number, WritableTxnMarkerResult>()
    for (const result of answer?.markers ?? []) results.set(result.producerId, result)
    for (const entry of entries) this.answered(brokerId, entry, results.get(entry.pending.producerId))
    this.plan(destination)
  }

  private answered(brokerId: number, { pending, partitions }: MarkerEntry, result: WritableTxnMarkerResult | undefined): void {
    if (!this.isWanted(pending)) return
    const { logger } = this.options
    const { metadata } = pending
    const { transactionalId } = metadata
    const errors = errorsOf(result)
    const left: TopicPartition[] = []
    for (const { topic, partition } of partitions) {
      const errorCode = errors.get(topic)?.get(partition)
      switch (errorCode) {
        case ErrorCode.NONE:
        // The producer cannot have written there.
        case ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT:
        case ErrorCode.UNSUPPORTED_VERSION:
          metadata.removePartition(topic, partition)
          break
        case ErrorCode.INVALID_PRODUCER_EPOCH:
        case ErrorCode.TRANSACTION_COORDINATOR_FENCED:
          logger.error(
            { transactionalId, topic, partition, brokerId, error: errorName(errorCode), coordinatorEpoch: pending.coordinatorEpoch },
            'a marker was refused for ever: another coordinator or producer came after this one; its transaction is left alone',
          )
          this.pending.delete(transactionalId)
          return
        default: {
          const error = errorCode === undefined ? 'no answer' : errorName(errorCode)
          logger.debug({ transactionalId, topic, partition, brokerId, error }, 'a marker is sent once more')
          left.push({ topic, partition })
        }
      }
    }
    if (left.length > 0) this.park(pending, left)
    this.checkMarked(pending)
  }

  private park(pending: PendingCompletion, partitions: readonly TopicPartition[]): void {
    this.parked.add(pending, partitions)
    this.retry ??= this.options.clock.timer(RETRY_MS, () => {
      this.retry = undefined
      // Two transactions of one producer cannot both be wanted.
      const again = this.parked.take(Infinity, (each) => this.isWanted(each))
      for (const entry of again) this.route(entry.pending, entry.partitions)
    })
  }

  private checkMarked(pending: PendingCompletion): void {
    const { metadata } = pending
    if (metadata.partitions.size > 0 || !this.isWanted(pending)) return
    this.pending.delete(metadata.transactionalId)
    this.options.onMarked(pending)
  }
}

function requestOf(entries: readonly MarkerEntry[]): Input<WriteTxnMarkersRequest> {
  return {
    markers: entries.map(({ pending, partitions }) => ({
      producerId: pending.producerId,
      producerEpoch: pending.producerEpoch,
      transactionResult: pending.isCommit,
      topics: [...TopicPartitions.of(partitions).topics()].map(({ topic, partitions: indexes }) => ({
        name: topic, partitionIndexes: indexes,
      })),
      coordinatorEpoch: pending.coordinatorEpoch,
    })),
  }
}

function errorsOf(result: WritableTxnMarkerResult | undefined): Map<string, Map<number, number>> {
  const errors = new Map<string, Map<number, number>>()
  for (const { name, partitions } of result?.topics ?? []) {
    errors.set(name, new Map(partitions.map(({ partitionIndex, errorCode }) => [partitionIndex, errorCode])))
  }
  return errors
}
