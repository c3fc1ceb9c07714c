import { ErrorCode, ProtocolError } from '../../protocol/errors'
import { assert } from '../../runtime/assert'
import type { AppendInfo, AppendOptions } from '../log/log-types'
import { committedIsr, effectiveMinIsr, highWatermarkOf, type IsrState } from './isr'
import { considerExpandingIsr } from './isr-changes'
import type { ReplicaLog } from './log-port'
import type { PartitionContext } from './partition-context'
import { compareEpochs, type ReplicaAssignment } from './partition-state'
import { ReplicaState } from './replica-state'
import type { EpochResult, FetchPartition } from './requests'
import { startWithinFirstBatch } from './truncation'

export type PartitionRole = 'none' | 'leader' | 'follower'

interface Epochs {
  leaderEpoch: number
  partitionEpoch: number
}

// Made once: hundreds of partitions may be refused in one fetch, and to make an error is to walk the stack.
const STORAGE_ERROR = new ProtocolError(ErrorCode.KAFKA_STORAGE_ERROR)
const NOT_LEADER = new ProtocolError(ErrorCode.NOT_LEADER_OR_FOLLOWER)
const FENCED = new ProtocolError(ErrorCode.FENCED_LEADER_EPOCH)
const UNKNOWN_EPOCH = new ProtocolError(ErrorCode.UNKNOWN_LEADER_EPOCH)

/** What a read found, apart from the records. */
export interface PartitionRead {
  log: ReplicaLog
  highWatermark: number
  lastStableOffset: number
  logStartOffset: number
  logEndOffset: number
  divergingEpoch: { epoch: number; endOffset: number } | undefined
}

/** A request that names no leader epoch. */
const NO_EPOCH = -1

/**
 * One replica of this broker: the leader of its partition or a follower (Kafka's Partition).
 *
 * `seen` is the newest state that a controller sent, `applied` the one that took effect completely. They differ when a step
 * failed (a disk, say): then the same state may be sent again and is carried out, and older ones stay refused
 * (KAFKA-9307). Invariant: applied <= seen.
 *
 * Everything is synchronous; the parts that wait (syncing, asking the controller) look at the epochs again afterwards.
 */
export class Partition {
  readonly topic: string
  readonly partition: number
  readonly context: PartitionContext
  topicId: string | undefined
  /** As the controller named it last; leaders are asked by this one: under a controller below IBP 2.8, which names none, they know none. */
  toldTopicId: string | undefined
  role: PartitionRole = 'none'
  /** -1: unknown or none. */
  leaderId = -1
  leaderEpoch = -1
  partitionEpoch = -1
  controllerEpoch = 0
  /** The end of the log when this broker became leader in `leaderEpoch`. */
  epochStartOffset: number | undefined
  replicas: readonly number[] = []
  addingReplicas: readonly number[] = []
  removingReplicas: readonly number[] = []
  /** Only a leader has followers. */
  readonly followers = new Map<number, ReplicaState>()
  isr: IsrState = committedIsr([])
  seen: Epochs = { leaderEpoch: -1, partitionEpoch: -1 }
  private applied: Epochs | undefined
  /** undefined before the first state was applied, and when the replica is offline or deleted. */
  log: ReplicaLog | undefined
  futureLog: ReplicaLog | undefined
  /** Its log directory failed. It stays so until the process ends. */
  isOffline = false
  isDeleted = false
  /** The broker epoch under which a controller last told this broker its part; with each registration it must be told again. */
  toldUnder: number | undefined
  /** When an append was last refused though the client may repeat it (monotonic time). */
  refusedAppendMs = -Infinity
  private syncing = false

  constructor(context: PartitionContext, topic: string, partition: number) {
    this.context = context
    this.topic = topic
    this.partition = partition
  }

  get isLeader(): boolean {
    return this.role === 'leader'
  }

  get isReassigning(): boolean {
    return this.addingReplicas.length > 0 || this.removingReplicas.length > 0
  }

  isApplied(state: Epochs): boolean {
    return this.applied !== undefined && compareEpochs(this.applied, state) === 0
  }

  /** The log if this broker leads the partition; throws NOT_LEADER_OR_FOLLOWER or KAFKA_STORAGE_ERROR. */
  leaderLog(): ReplicaLog {
    if (this.isOffline) throw new ProtocolError(ErrorCode.KAFKA_STORAGE_ERROR)
    if (!this.isLeader || this.log === undefined) throw new ProtocolError(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    return this.log
  }

  /**
   * The log for a request that names a leader epoch (-1: none). Throws NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH (the
   * request is behind) or UNKNOWN_LEADER_EPOCH (this broker is).
   */
  logForEpoch(currentLeaderEpoch: number, onlyLeader: boolean): ReplicaLog {
    if (this.isOffline) throw STORAGE_ERROR
    if (this.log === undefined || this.role === 'none') throw NOT_LEADER
    if (currentLeaderEpoch !== NO_EPOCH) {
      if (currentLeaderEpoch < this.leaderEpoch) throw FENCED
      if (currentLeaderEpoch > this.leaderEpoch) throw UNKNOWN_EPOCH
    }
    if (onlyLeader && !this.isLeader) throw NOT_LEADER
    return this.log
  }

  // Roles

  /** True if this broker did not lead the partition before. The caller has compared epochs. */
  becomeLeader(state: ReplicaAssignment, log: ReplicaLog): boolean {
    const isNewLeader = !this.isLeader
    const isNewEpoch = isNewLeader || state.leaderEpoch > this.leaderEpoch
    // The only step that may fail comes first, so that a failure leaves the old role whole.
    const epochStartOffset = log.endOffset
    if (isNewEpoch) log.assignEpochStart(state.leaderEpoch, epochStartOffset)
    this.take(state, log)
    this.role = 'leader'
    this.leaderId = this.context.brokerId
    this.isr = committedIsr(state.isr)
    for (const id of [...this.followers.keys()]) if (!state.replicas.includes(id)) this.followers.delete(id)
    for (const id of state.replicas) {
      if (id !== this.context.brokerId && !this.followers.has(id)) this.followers.set(id, new ReplicaState(id))
    }
    if (isNewEpoch) {
      const nowMs = this.context.clock.monoMs()
      this.epochStartOffset = epochStartOffset
      for (const follower of this.followers.values()) {
        follower.reset(nowMs, epochStartOffset, isNewLeader, state.isr.includes(follower.brokerId))
      }
    }
    this.advanceHighWatermark()
    // The last replica standing (KIP-966): what it holds must survive its own crash.
    if (this.mustSync()) this.syncLog()
    return isNewLeader
  }

  becomeFollower(state: ReplicaAssignment, log: ReplicaLog): void {
    this.take(state, log)
    this.role = 'follower'
    this.leaderId = state.leader
    this.epochStartOffset = undefined
    this.followers.clear()
    this.isr = committedIsr([])
    this.context.interrupted(this)
  }

  private take(state: ReplicaAssignment, log: ReplicaLog): void {
    assert(compareEpochs(state, this.seen) >= 0, `${this.topic}-${this.partition}: state is older than one that was seen`)
    this.log = log
    this.topicId = log.topicId
    this.controllerEpoch = state.controllerEpoch
    this.leaderEpoch = state.leaderEpoch
    this.partitionEpoch = state.partitionEpoch
    this.replicas = state.replicas
    this.addingReplicas = state.addingReplicas
    this.removingReplicas = state.removingReplicas
    this.applied = { leaderEpoch: state.leaderEpoch, partitionEpoch: state.partitionEpoch }
    this.seen = this.applied
  }

  /** The partition epoch that the controller confirmed to this leader. */
  takePartitionEpoch(partitionEpoch: number): void {
    this.partitionEpoch = partitionEpoch
    this.applied = { leaderEpoch: this.leaderEpoch, partitionEpoch }
    if (compareEpochs(this.applied, this.seen) > 0) this.seen = this.applied
  }

  /** No role any more, until a state is applied again, which may be the same as before. */
  stop(): void {
    this.role = 'none'
    this.leaderId = -1
    this.applied = undefined
    this.epochStartOffset = undefined
    this.followers.clear()
    this.isr = committedIsr([])
    this.context.interrupted(this)
  }

  markOffline(): void {
    this.isOffline = true
    this.log = undefined
    this.futureLog = undefined
    this.stop()
  }

  markDeleted(): void {
    this.isDeleted = true
    this.log = undefined
    this.futureLog = undefined
    this.stop()
  }

  // Leader

  /** Replicas that are in the ISR and in the assignment (KAFKA-9672: after a reassignment the ISR may hold others). */
  private countOf(isr: readonly number[]): number {
    let count = 0
    for (const id of isr) if (id === this.context.brokerId || this.followers.has(id)) count++
    return count
  }

  minIsr(): number {
    return effectiveMinIsr(this.context.topicReplication(this.topic).minInsyncReplicas, this.followers.size + 1)
  }

  get isUnderMinIsr(): boolean {
    return this.isLeader && this.countOf(this.isr.committed) < this.minIsr()
  }

  /** Throws what the log throws, NOT_LEADER_OR_FOLLOWER, or NOT_ENOUGH_REPLICAS with acks = -1 below min.insync.replicas. */
  appendAsLeader(records: Buffer, acks: number, options: Omit<AppendOptions, 'leaderEpoch'>): AppendInfo {
    const log = this.leaderLog()
    if (acks === -1 && this.countOf(this.isr.committed) < this.minIsr()) throw new ProtocolError(ErrorCode.NOT_ENOUGH_REPLICAS)
    const info = log.appendAsLeader(records, { ...options, leaderEpoch: this.leaderEpoch })
    if (!info.duplicate) this.context.appended(this)
    this.advanceHighWatermark()
    if (this.mustSync()) this.syncLog()
    return info
  }

  /**
   * For acks = all: has every replica that counts reached `requiredOffset`? undefined: not yet. Else NONE, or why it never
   * will: NOT_ENOUGH_REPLICAS_AFTER_APPEND, NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR.
   */
  ackState(requiredOffset: number): number | undefined {
    if (this.isOffline) return ErrorCode.KAFKA_STORAGE_ERROR
    if (!this.isLeader || this.log === undefined) return ErrorCode.NOT_LEADER_OR_FOLLOWER
    if (this.log.highWatermark < requiredOffset) return undefined
    return this.countOf(this.isr.maximal) < this.minIsr() ? ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND : ErrorCode.NONE
  }

  /**
   * Moves the high watermark as far as the in-sync replicas allow; true if it moved. Not while the ISR is smaller than
   * min.insync.replicas (KAFKA-15583): what acks=all would refuse must not become visible.
   */
  advanceHighWatermark(): boolean {
    const log = this.log
    if (!this.isLeader || log === undefined || this.isUnderMinIsr) return false
    const nowMs = this.context.clock.monoMs()
    const lagMaxMs = this.context.config.replicaLagTimeMaxMs
    const mustSync = this.mustSync()
    // Also what was appended before it had to: while a proposal that leaves it alone was under way, for one.
    if (mustSync) this.syncLog()
    const own = mustSync ? Math.min(log.endOffset, log.syncedOffset) : log.endOffset
    const highWatermark = highWatermarkOf(
      own,
      this.followers.values(),
      this.isr.maximal,
      (follower) =>
        follower.isCaughtUp(log.endOffset, nowMs, lagMaxMs) && this.context.metadata.hasAliveBroker(follower.brokerId),
    )
    if (highWatermark < 0 || !log.maybeIncrementHighWatermark(highWatermark)) return false
    this.context.highWatermarkAdvanced(this)
    return true
  }

  /** A leader that counts only what it has synced: by configuration, or as the last of several replicas. */
  mustSync(): boolean {
    if (!this.isLeader) return false
    const alone = this.followers.size > 0 && this.countOf(this.isr.maximal) <= 1
    return alone || this.context.topicReplication(this.topic).flushBeforeAck
  }

  private syncLog(): void {
    const log = this.log
    if (this.syncing || log === undefined || log.syncedOffset >= log.endOffset) return
    this.syncing = true
    log.flush().then(
      () => {
        this.syncing = false
        if (this.log !== log) return
        this.advanceHighWatermark()
        if (this.mustSync()) this.syncLog()
      },
      // The log has taken its directory offline, and this partition with it.
      () => {
        this.syncing = false
      },
    )
  }

  /** A fetch of a follower that is assigned, alive and the one it says it is. `leaderEndOffset` was read before the records. */
  updateFollower(
    follower: ReplicaState, fetchOffset: number, logStartOffset: number, leaderEndOffset: number, brokerEpoch: number,
  ): void {
    const oldEndOffset = follower.logEndOffset
    const oldStartOffset = follower.logStartOffset
    follower.update(fetchOffset, logStartOffset, this.context.clock.monoMs(), leaderEndOffset, brokerEpoch)
    considerExpandingIsr(this, follower)
    if (oldEndOffset !== follower.logEndOffset) this.advanceHighWatermark()
    if (oldStartOffset !== follower.logStartOffset) this.context.lowWatermarkMayHaveMoved(this)
  }

  /** The least log start of the leader and its live followers: DeleteRecords waits for it. */
  lowWatermark(): number {
    let low = this.leaderLog().startOffset
    for (const follower of this.followers.values()) {
      if (follower.logStartOffset < low && this.context.metadata.hasAliveBroker(follower.brokerId)) low = follower.logStartOffset
    }
    return this.futureLog === undefined ? low : Math.min(low, this.futureLog.startOffset)
  }

  // Both roles

  /**
   * Checks a fetch and says from where to where it may read. Throws OFFSET_OUT_OF_RANGE and the errors of `logForEpoch`;
   * a replica that is not assigned gets UNKNOWN_LEADER_EPOCH, or NOT_LEADER_OR_FOLLOWER if it named no epoch.
   */
  prepareRead(request: FetchPartition, replicaId: number, onlyLeader: boolean): PartitionRead {
    // A fetch names no epoch with any number below 0, a query with -1 alone.
    const log = this.logForEpoch(Math.max(request.currentLeaderEpoch, NO_EPOCH), onlyLeader)
    if (replicaId >= 0 && !this.followers.has(replicaId)) {
      throw new ProtocolError(
        request.currentLeaderEpoch >= 0 ? ErrorCode.UNKNOWN_LEADER_EPOCH : ErrorCode.NOT_LEADER_OR_FOLLOWER,
      )
    }
    const read: PartitionRead = {
      log,
      highWatermark: log.highWatermark,
      lastStableOffset: log.lastStableOffset,
      logStartOffset: log.startOffset,
      logEndOffset: log.endOffset,
      divergingEpoch: undefined,
    }
    if (request.fetchOffset < read.logStartOffset || request.fetchOffset > read.logEndOffset) {
      if (request.lastFetchedEpoch < 0 || request.fetchOffset < read.logStartOffset) {
        throw new ProtocolError(ErrorCode.OFFSET_OUT_OF_RANGE)
      }
    }
    if (request.lastFetchedEpoch >= 0) {
      const end = log.endOffsetForEpoch(request.lastFetchedEpoch)
      if (end.endOffset < 0 || end.epoch < 0) throw new ProtocolError(ErrorCode.OFFSET_OUT_OF_RANGE)
      if (end.epoch < request.lastFetchedEpoch || end.endOffset < request.fetchOffset) {
        read.divergingEpoch = { epoch: end.epoch, endOffset: end.endOffset }
      }
    }
    return read
  }

  /** The end of an epoch, for OffsetForLeaderEpoch. Throws as `logForEpoch`. */
  endOffsetForEpoch(currentLeaderEpoch: number, leaderEpoch: number): Pick<EpochResult, 'leaderEpoch' | 'endOffset'> {
    const { epoch, endOffset } = this.logForEpoch(currentLeaderEpoch, true).endOffsetForEpoch(leaderEpoch)
    return { leaderEpoch: epoch, endOffset }
  }

  // Follower

  /** What the leader sent, then (and only then) its watermarks (KAFKA-14704). Throws what the log throws. */
  appendAsFollower(records: Buffer, leader: { leaderEpoch: number; highWatermark: number; logStartOffset: number }): void {
    const log = this.log
    if (log === undefined) {
      throw new ProtocolError(this.isOffline ? ErrorCode.KAFKA_STORAGE_ERROR : ErrorCode.NOT_LEADER_OR_FOLLOWER)
    }
    if (records.length > 0) {
      startWithinFirstBatch(log, records)
      log.appendAsFollower(records, leader.leaderEpoch)
      this.context.appended(this)
    }
    // Kept when a new leader's is lower for a moment: what was committed stays committed, and no reader may see it go back.
    if (log.maybeIncrementHighWatermark(Math.min(leader.highWatermark, log.endOffset))) this.context.highWatermarkAdvanced(this)
    if (leader.logStartOffset > log.startOffset && leader.logStartOffset <= log.highWatermark) {
      log.incrementLogStartOffset(leader.logStartOffset)
    }
  }

  truncateTo(offset: number, reason: string): void {
    const log = this.log
    if (log === undefined) return
    const fromOffset = log.endOffset
    if (!log.truncateTo(offset)) return
    this.context.truncated(this, fromOffset, log.endOffset, reason)
  }

  truncateFullyAndStartAt(offset: number, reason: string): void {
    const log = this.log
    if (log === undefined) return
    const fromOffset = log.endOffset
    log.truncateFullyAndStartAt(offset)
    this.context.truncated(this, fromOffset, offset, reason)
  }
}
