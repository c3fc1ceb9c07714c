import { ApiKey } from '../../protocol/messages/apis'
import { ErrorCode, ProtocolError } from '../../protocol/errors'
import { ClosedError, mayRetry } from '../cluster'
import { CoordinatorType } from '../coordinators'
import { CoordinatorFinder } from '../group/coordinator-finder'
import { byTopic } from '../leaders'
import { consequenceOf } from './transaction-errors'
import type { AddOffsetsToTxnResponse } from '../../protocol/messages/add-offsets-to-txn'
import type { AddPartitionsToTxnResponse } from '../../protocol/messages/add-partitions-to-txn'
import type { Body, Cluster } from '../cluster'
import type { Consequence, TransactionRequest } from './transaction-errors'
import type { EndTxnResponse } from '../../protocol/messages/end-txn'
import type { GroupMember, OffsetToCommit } from '../group/committed'
import type { InitProducerIdResponse } from '../../protocol/messages/init-producer-id'
import type { ProducerIdentity } from '../accumulator'
import type { TopicPartition } from '../leaders'
import type { TxnOffsetCommitResponse } from '../../protocol/messages/txn-offset-commit'

/** Clients speak it up to here; what comes after is among brokers (KIP-890). */
const LAST_ADD_PARTITIONS = 3
const FIRST_WITH_BUMP = 3
const FIRST_WITH_MEMBERS = 3

/** The transaction before is being completed, which takes no time: Kafka's ADD_PARTITIONS_RETRY_BACKOFF_MS. */
const CONCURRENT_PAUSE_MS = 20

/** An answer that ends the attempt; `consequence` is what it means for the transaction. */
export class RequestFailure extends Error {
  override readonly name = 'RequestFailure'
  readonly consequence: Exclude<Consequence, 'retry' | 'find'>

  constructor(consequence: Exclude<Consequence, 'retry' | 'find'>, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.consequence = consequence
  }
}

/**
 * The requests of a transactional producer to its coordinators, each repeated until it has succeeded or never will. Errors
 * are RequestFailure.
 */
export class TransactionRequests {
  private readonly cluster: Cluster
  private readonly transactionalId: string
  private readonly timeoutMs: number
  private readonly coordinator: CoordinatorFinder
  private readonly groups = new Map<string, CoordinatorFinder>()
  /** Whether the coordinator gives a new epoch to a producer that names its present one (KIP-360). */
  canBump = true

  constructor(cluster: Cluster, transactionalId: string, timeoutMs: number) {
    this.cluster = cluster
    this.transactionalId = transactionalId
    this.timeoutMs = timeoutMs
    this.coordinator = new CoordinatorFinder(cluster, CoordinatorType.transaction, transactionalId)
  }

  /** `present`: who the producer is, to get the next epoch; undefined for a new one, which fences those before. */
  async initProducerId(present: ProducerIdentity | undefined): Promise<ProducerIdentity> {
    const body = (version: number): object => {
      this.canBump = version >= FIRST_WITH_BUMP
      const { transactionalId, timeoutMs } = this
      return {
        transactionalId,
        transactionTimeoutMs: timeoutMs,
        ...(this.canBump ? { producerId: present?.id ?? -1, producerEpoch: present?.epoch ?? -1 } : {}),
      }
    }
    const response = await this.ask<InitProducerIdResponse>(
      'initProducerId',
      this.coordinator,
      ApiKey.initProducerId,
      body,
      ({ errorCode }) => [errorCode],
    )
    return { id: response.producerId, epoch: response.producerEpoch }
  }

  async addPartitions(identity: ProducerIdentity, partitions: readonly TopicPartition[]): Promise<void> {
    await this.ask<AddPartitionsToTxnResponse>(
      'addPartitionsToTxn',
      this.coordinator,
      ApiKey.addPartitionsToTxn,
      {
        v3AndBelowTransactionalId: this.transactionalId,
        v3AndBelowProducerId: identity.id,
        v3AndBelowProducerEpoch: identity.epoch,
        v3AndBelowTopics: byTopic(partitions).map(({ topic, partitions: list }) => ({
          name: topic,
          partitions: list.map(({ partition }) => partition),
        })),
      },
      (response) =>
        response.resultsByTopicV3AndBelow.flatMap(({ resultsByPartition }) =>
          resultsByPartition.map((each) => each.partitionErrorCode),
        ),
      LAST_ADD_PARTITIONS,
    )
  }

  async addOffsets(identity: ProducerIdentity, groupId: string): Promise<void> {
    const body = { transactionalId: this.transactionalId, producerId: identity.id, producerEpoch: identity.epoch, groupId }
    await this.ask<AddOffsetsToTxnResponse>(
      'addOffsetsToTxn',
      this.coordinator,
      ApiKey.addOffsetsToTxn,
      body,
      ({ errorCode }) => [errorCode],
    )
  }

  async commitOffsets(identity: ProducerIdentity, member: GroupMember, offsets: readonly OffsetToCommit[]): Promise<void> {
    const { groupId, memberId, generationId, groupInstanceId } = member
    let finder = this.groups.get(groupId)
    if (finder === undefined)
      this.groups.set(groupId, (finder = new CoordinatorFinder(this.cluster, CoordinatorType.group, groupId)))
    const body = (version: number): object => ({
      transactionalId: this.transactionalId,
      groupId,
      producerId: identity.id,
      producerEpoch: identity.epoch,
      ...(version >= FIRST_WITH_MEMBERS ? { generationId, memberId, groupInstanceId } : {}),
      topics: byTopic(offsets).map(({ topic, partitions }) => ({
        name: topic,
        partitions: partitions.map(({ partition, offset, leaderEpoch, metadata }) => ({
          partitionIndex: partition,
          committedOffset: offset,
          committedLeaderEpoch: leaderEpoch ?? -1,
          committedMetadata: metadata ?? '',
        })),
      })),
    })
    await this.ask<TxnOffsetCommitResponse>('txnOffsetCommit', finder, ApiKey.txnOffsetCommit, body, (response) =>
      response.topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode)),
    )
  }

  async end(identity: ProducerIdentity, committed: boolean): Promise<void> {
    const body = { transactionalId: this.transactionalId, producerId: identity.id, producerEpoch: identity.epoch, committed }
    await this.ask<EndTxnResponse>('endTxn', this.coordinator, ApiKey.endTxn, body, ({ errorCode }) => [errorCode])
  }

  private async ask<Response>(
    request: TransactionRequest,
    finder: CoordinatorFinder,
    apiKey: number,
    body: Body,
    codesOf: (response: Response) => number[],
    mostVersion?: number,
  ): Promise<Response> {
    for (;;) {
      let pauseMs = this.cluster.settings.retryBackoffMs
      let coordinator
      try {
        coordinator = await finder.find(Infinity)
        if (coordinator === undefined) throw new ClosedError('the producer is closed')
        const highest = (await this.cluster.connection(coordinator.host, coordinator.port, 'coordinator')).versionOf(apiKey)
        const version = Math.min(highest, mostVersion ?? highest)
        const response = await this.cluster.sendTo<Response>(coordinator, apiKey, body, { version, lane: 'coordinator' })
        const code = worstOf(request, codesOf(response))
        if (code === 0) return response
        const consequence = consequenceOf(request, code)
        // A fenced producer hears it by the newer of the two names, whatever the broker's version.
        const told = code === ErrorCode.INVALID_PRODUCER_EPOCH ? ErrorCode.PRODUCER_FENCED : code
        if (consequence !== 'retry' && consequence !== 'find') throw new RequestFailure(consequence, new ProtocolError(told))
        if (consequence === 'find') finder.forget(coordinator)
        if (code === ErrorCode.CONCURRENT_TRANSACTIONS) pauseMs = Math.min(pauseMs, CONCURRENT_PAUSE_MS)
      } catch (error) {
        if (error instanceof RequestFailure) throw error
        if (this.cluster.isClosed) throw new RequestFailure('fatal', new ClosedError('the producer is closed'))
        if (!mayRetry(error))
          throw new RequestFailure(request === 'txnOffsetCommit' && isOfGroup(error) ? 'abortable' : 'fatal', error)
        if (coordinator !== undefined) finder.forget(coordinator)
      }
      await this.cluster.sleep(pauseMs)
    }
  }
}

function isOfGroup(error: unknown): boolean {
  return error instanceof ProtocolError && error.code === ErrorCode.GROUP_AUTHORIZATION_FAILED
}

const severity: Readonly<Record<Consequence, number>> = { fatal: 5, bump: 4, abortable: 3, find: 2, retry: 1 }

/** Of several codes that which decides; the others say nothing then (OPERATION_NOT_ATTEMPTED). */
function worstOf(request: TransactionRequest, codes: readonly number[]): number {
  let worst = 0
  for (const code of codes) {
    if (code === 0 || code === ErrorCode.OPERATION_NOT_ATTEMPTED) continue
    if (worst === 0 || severity[consequenceOf(request, code)] > severity[consequenceOf(request, worst)]) worst = code
  }
  return worst === 0 && codes.includes(ErrorCode.OPERATION_NOT_ATTEMPTED) ? ErrorCode.OPERATION_NOT_ATTEMPTED : worst
}
