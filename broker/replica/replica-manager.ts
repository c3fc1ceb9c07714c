import { ErrorCode, errorName } from '../../protocol/errors'
import type { Input } from '../../protocol/messages/codec'
import type { LeaderAndIsrRequest, LeaderAndIsrResponse } from '../../protocol/messages/leader-and-isr'
import type { StopReplicaRequest, StopReplicaResponse } from '../../protocol/messages/stop-replica'
import type { UpdateMetadataRequest, UpdateMetadataResponse } from '../../protocol/messages/update-metadata'
import type { Timer } from '../../runtime/ports'
import type { VerificationGuard } from '../log/log-types'
import type { MetadataChange } from '../metadata/metadata-cache'
import { append } from './appends'
import { ControllerBelief, type ControllerClaim } from './controller-belief'
import { FetchSessionCache } from './fetch-session'
import { FetcherManager } from './fetcher-manager'
import { fetch } from './fetches'
import { FutureReplicas } from './future-replicas'
import { considerShrinkingIsr, retryReadingState } from './isr-changes'
import { applyLeaderAndIsr, logsToCreate, refuseLeaderAndIsr } from './leader-and-isr'
import { connectByNetwork } from './leader-connection'
import { alterReplicaLogDirs, describeLogDirs } from './log-dirs'
import type { ReplicaLog } from './log-port'
import { describeProducers, listOffsets, offsetsForLeaderEpoch } from './offset-queries'
import type { ReplicaManagerOptions } from './options'
import type { Partition } from './partition'
import { deleteRecords } from './record-deletions'
import { ReplicaCore } from './replica-core'
import { ReplicaEpochs } from './replica-epochs'
import type {
  AppendParams, AppendResult, DeleteRecordsParams, DeleteRecordsResult, DescribeProducersResult, EpochQuery, EpochResult,
  FetchParams, FetchPartition, FetchPartitionResult, ListOffsetsParams, ListOffsetsQuery, ListOffsetsResult, LogDirDescription,
  TopicPartition,
} from './requests'
import { applyStopReplica } from './stop-replica'
import { TurnShare } from './turn-share'
import { verifyForCoordinator, type TransactionIdentity } from './verification'

/**
 * The replicas of this broker: leaders take appends and serve fetches, followers fetch from their leaders. Every `done` is called
 * exactly once, never from inside the call.
 */
export class ReplicaManager {
  readonly fetchSessions: FetchSessionCache
  private readonly options: ReplicaManagerOptions
  private readonly core: ReplicaCore
  private readonly belief: ControllerBelief
  private readonly epochs: ReplicaEpochs
  private readonly fetchers: FetcherManager
  private readonly futures: FutureReplicas
  private readonly share: TurnShare
  private readonly stopListening: () => void
  private isrTimer: Timer | undefined

  constructor(given: ReplicaManagerOptions) {
    const { env, config, logger, metadata, logs } = given
    const connectToLeader = given.connectToLeader ?? connectByNetwork(env, logger, config.replicaSocketTimeoutMs)
    const options = { ...given, connectToLeader }
    this.options = options
    this.core = new ReplicaCore(options)
    this.belief = new ControllerBelief(options)
    this.epochs = new ReplicaEpochs(env.clock, options.readBrokerEpoch)
    this.fetchers = new FetcherManager(options)
    this.futures = new FutureReplicas(this.core)
    this.share = new TurnShare(env.clock)
    this.fetchSessions = new FetchSessionCache({
      clock: env.clock, random: env.random, maxSlots: config.maxIncrementalFetchSessionSlots,
    })
    this.stopListening = metadata.onChange((change) => this.metadataChanged(change))
    logs.onDirFailure((dir, failed) => this.dirFailed(dir, failed))
    this.countThings()
  }

  /** Starts the periodic check of the in-sync replicas. */
  startup(): void {
    if (this.isrTimer !== undefined || this.core.isShutDown) return
    const check = (): void => {
      this.checkIsrs()
      this.isrTimer = this.options.env.clock.timer(this.options.config.replicaLagTimeMaxMs / 2, check)
    }
    this.isrTimer = this.options.env.clock.timer(this.options.config.replicaLagTimeMaxMs / 2, check)
  }

  /**
   * This broker is about to be shut down. It goes on as it is, but begins to follow nothing whose ISR it is not in: once caught up, its
   * leader would ask for it, and a controller before KIP-841 would take it back though it is going.
   */
  leave(): void {
    this.core.isLeaving = true
    this.fetchers.leave()
  }

  /** Stops the fetchers, completes everything that waits, writes the high watermarks. Then nothing more may be asked. */
  async shutdown(): Promise<void> {
    this.core.isShutDown = true
    this.isrTimer?.cancel()
    this.stopListening()
    this.fetchers.shutdown()
    this.futures.shutdown()
    this.core.alterPartition.close()
    this.core.produces.completeAll()
    this.core.fetches.completeAll()
    this.core.recordDeletions.completeAll()
    await new Promise<void>((resolve) => this.options.turn.atEnd(2, resolve))
    this.options.logs.checkpointHighWatermarks()
  }

  /** Resolves when everything has been appended or refused; undefined if that is so on return. Later than that comes `done`. */
  append(params: AppendParams, done: (results: AppendResult[]) => void): Promise<void> | undefined {
    return append(this.core, params, done)
  }

  /**
   * Before a group coordinator appends offsets in a producer's transaction: asks the transaction's coordinator. With NONE the guard,
   * if there is one, goes with the append. `knowsAbortable`: the client knows TRANSACTION_ABORTABLE.
   */
  verifyTransaction(
    transaction: TransactionIdentity, partition: TopicPartition, knowsAbortable: boolean,
  ): Promise<{ errorCode: number; verificationGuard: VerificationGuard | undefined }> {
    return verifyForCoordinator(this.core, transaction, partition, knowsAbortable)
  }

  /**
   * The partitions in the order of the request; the first with data is answered whole. Returns what answers it at once, for one that
   * nobody waits for any more; undefined when it was answered.
   */
  fetch(params: FetchParams, partitions: readonly FetchPartition[], done: (results: FetchPartitionResult[]) => void): (() => void) | undefined {
    return fetch(this.core, this.epochs, params, partitions, done)
  }

  listOffsets(params: ListOffsetsParams, queries: readonly ListOffsetsQuery[]): ListOffsetsResult[] {
    return listOffsets(this.core, params, queries)
  }

  /** `done` may be called from inside. */
  offsetsForLeaderEpoch(queries: readonly EpochQuery[], done: (results: EpochResult[]) => void): void {
    offsetsForLeaderEpoch(this.core, queries, done)
  }

  deleteRecords(params: DeleteRecordsParams, done: (results: DeleteRecordsResult[]) => void): void {
    deleteRecords(this.core, params, done)
  }

  /**
   * The controller's requests. They never reject: one that is not believed is answered with STALE_BROKER_EPOCH or
   * STALE_CONTROLLER_EPOCH and changes nothing. Those that are applied are applied without interruption, after `prepare`.
   */
  async becomeLeaderOrFollower(
    request: LeaderAndIsrRequest, version: number, prepare?: () => Promise<void>,
  ): Promise<Input<LeaderAndIsrResponse>> {
    const count = request.ungroupedPartitionStates.length + partitionCount(request.topicStates)
    let errorCode = await this.believe('LeaderAndIsr', request, count)
    if (errorCode !== ErrorCode.NONE) return refuseLeaderAndIsr(request, version, errorCode)
    const newLogs = logsToCreate(this.core, request)
    const [removeUnused] = await Promise.all([newLogs.length === 0 ? undefined : this.options.logs.prepare(newLogs), prepare?.()])
    try {
      errorCode = this.belief.isStale(request)
      if (errorCode === ErrorCode.NONE) errorCode = await this.roomFor(request)
      if (errorCode !== ErrorCode.NONE) return refuseLeaderAndIsr(request, version, errorCode)
      return this.share.spend(() => applyLeaderAndIsr(this.core, this.fetchers, this.futures, request, version))
    } finally {
      removeUnused?.()
    }
  }

  async stopReplica(request: StopReplicaRequest, _version: number): Promise<Input<StopReplicaResponse>> {
    const named = request.topics.flatMap(({ partitionIndexes }) => partitionIndexes).length
    const count = request.ungroupedPartitions.length + named + partitionCount(request.topicStates)
    let errorCode = await this.believe('StopReplica', request, count)
    if (errorCode === ErrorCode.NONE) errorCode = await this.roomFor(request)
    if (errorCode !== ErrorCode.NONE) return { errorCode }
    return this.share.spend(() => applyStopReplica(this.core, this.fetchers, request))
  }

  async updateMetadata(request: UpdateMetadataRequest, _version: number): Promise<Input<UpdateMetadataResponse>> {
    const count = request.ungroupedPartitionStates.length + partitionCount(request.topicStates)
    let errorCode = await this.believe('UpdateMetadata', request, count)
    if (errorCode === ErrorCode.NONE) errorCode = await this.roomFor(request)
    if (errorCode === ErrorCode.NONE) this.share.spend(() => this.options.metadata.update(request))
    return { errorCode }
  }

  /** `partitions` undefined: all. */
  describeLogDirs(partitions: readonly TopicPartition[] | undefined): LogDirDescription[] {
    return describeLogDirs(this.core, partitions)
  }

  alterReplicaLogDirs(moves: readonly (TopicPartition & { dir: string })[]): (TopicPartition & { errorCode: number })[] {
    return alterReplicaLogDirs(this.core, this.futures, moves)
  }

  /** `num.replica.fetchers` changed. */
  resizeFetchers(count: number): void {
    this.fetchers.resize(count)
  }

  describeProducers(partitions: readonly TopicPartition[]): DescribeProducersResult[] {
    return describeProducers(this.core, partitions)
  }

  /** undefined if this broker has no replica of it, or only one whose directory is offline. */
  partition(topic: string, partition: number): Partition | undefined {
    const found = this.core.get(topic, partition)
    return found?.isOffline ? undefined : found
  }

  localLog(topic: string, partition: number): ReplicaLog | undefined {
    return this.core.get(topic, partition)?.log
  }

  *leaderPartitions(): Iterable<Partition> {
    for (const partition of this.core.partitions()) if (partition.isLeader) yield partition
  }

  /** Shrinks ISRs by members that lag, and goes on with proposals that got stuck. Every `replica.lag.time.max.ms` / 2. */
  checkIsrs(): void {
    for (const partition of this.leaderPartitions()) {
      retryReadingState(partition)
      void considerShrinkingIsr(partition)
      // A joiner that the watermark waited for may have been given up.
      partition.advanceHighWatermark()
    }
  }

  /** Waits for this turn's or a later turn's room; another controller may have been believed meanwhile. */
  private async roomFor(claim: ControllerClaim): Promise<number> {
    const room = this.share.room()
    if (room === undefined) return ErrorCode.NONE
    await room
    return this.belief.isStale(claim)
  }

  private async believe(api: string, claim: ControllerClaim, partitions: number): Promise<number> {
    const { recorder } = this.core
    let errorCode = await this.belief.check(claim)
    // Another request may have been believed since.
    if (errorCode === ErrorCode.NONE) errorCode = this.belief.isStale(claim)
    const { controllerId, controllerEpoch, brokerEpoch } = claim
    const error = errorCode === ErrorCode.NONE ? '' : errorName(errorCode)
    recorder.record({ kind: 'controlRequest', api, phase: 'received', broker: controllerId, controllerEpoch, partitions, error })
    if (error !== '') this.core.logger.warn({ api, controllerId, controllerEpoch, brokerEpoch, error }, 'control request refused')
    return errorCode
  }

  private metadataChanged({ brokersChanged }: MetadataChange): void {
    if (!brokersChanged) return
    const { metadata } = this.options
    this.epochs.retain((id) => metadata.hasAliveBroker(id))
    this.fetchers.brokersChanged()
    // What waited for a replica that is gone.
    for (const partition of this.leaderPartitions()) {
      partition.advanceHighWatermark()
      this.core.recordDeletions.checkAndComplete(partition)
    }
  }

  private dirFailed(dir: string, failed: readonly ReplicaLog[]): void {
    for (const log of failed) {
      const partition = this.core.get(log.topic, log.partition)
      if (partition === undefined) continue
      if (partition.futureLog === log) this.futures.forget(partition)
      if (partition.log !== log) continue
      const { topic, partition: index, role, leaderEpoch } = partition
      this.fetchers.remove(partition)
      partition.markOffline()
      this.core.recorder.record({
        kind: 'stateTransition', topic, partition: index, replica: this.options.brokerId, from: role, to: 'offline', leaderEpoch,
        rule: 'log directory failed',
      })
      this.options.onReplicaStopped?.({ topic, partition: index, leaderEpoch, deleted: false })
    }
    this.core.logger.error({ dir, partitions: failed.length }, 'log directory failed')
    this.options.onLogDirFailure?.(dir)
  }

  private countThings(): void {
    const { metrics } = this.options
    if (metrics === undefined) return
    const count = (matches: (partition: Partition) => boolean) => () => {
      let sum = 0
      for (const partition of this.leaderPartitions()) if (matches(partition)) sum++
      return sum
    }
    const manager = 'kafka.server:type=ReplicaManager,name='
    const purgatory = 'kafka.server:type=DelayedOperationPurgatory,name=PurgatorySize,delayedOperation='
    metrics.gauge(`${manager}LeaderCount`, count(() => true))
    metrics.gauge(`${manager}PartitionCount`, () => [...this.core.partitions(true)].length)
    metrics.gauge(`${manager}UnderReplicatedPartitions`, count((each) => each.isr.committed.length < each.replicas.length))
    metrics.gauge(`${manager}UnderMinIsrPartitionCount`, count((each) => each.isUnderMinIsr))
    metrics.gauge(`${manager}ReassigningPartitions`, count((each) => each.isReassigning))
    metrics.gauge('kafka.server:type=ReplicaFetcherManager,name=FailedPartitionsCount', () => this.fetchers.counts.failed)
    metrics.gauge(`${purgatory}Produce`, () => this.core.produces.size)
    metrics.gauge(`${purgatory}Fetch`, () => this.core.fetches.size)
    metrics.gauge('kafka.server:type=FetchSessionCache,name=NumIncrementalFetchSessions', () => this.fetchSessions.size)
  }
}

function partitionCount(topics: readonly { partitionStates: readonly unknown[] }[]): number {
  return topics.reduce((sum, { partitionStates }) => sum + partitionStates.length, 0)
}
