import { ErrorCode } from '../../protocol/errors'
import { CoordinatorPartitions } from '../coordinator/coordinator-partitions'
import { MAX_ID_LENGTH } from '../coordinator/id-length'
import { Pacer } from '../coordinator/pacer'
import { GROUP_LIMITS, type GroupLimits } from './group-limits'
import { GroupLoader } from './group-loader'
import { GroupOffsets, type CommitDone, type CommitRequest, type FetchedOffset } from './group-offsets'
import { GroupRemoval, type OffsetDeletion } from './group-removal'
import { GroupStore, type Transaction } from './group-store'
import { describeGroup, listedGroup, type GroupDescription, type ListedGroup } from './group-descriptions'
import { joinError, syncError, type JoinCallback, type SyncCallback } from './member'
import { Joining, type JoinRequest } from './joining'
import { Memberships, type HeartbeatRequest, type LeavingMember, type SyncRequest } from './memberships'
import { Rebalances, type GroupParts } from './rebalances'
import type { Logger } from '../../runtime/log'
import type { Metrics } from '../../runtime/metrics'
import type { Environment, Timer } from '../../runtime/ports'
import type { TimerWheel } from '../../runtime/timer-wheel'
import type { CoordinatorLog } from '../coordinator/coordinator-log'
import type { PartitionState } from '../coordinator/coordinator-partitions'
import type { MetadataCache } from '../metadata/metadata-cache'
import type { Group } from './group'
import type { GroupConfig } from './group-config'
import type { OffsetKey } from './offset-cache'

export interface GroupCoordinatorOptions {
  env: Environment
  timers: TimerWheel
  logger: Logger
  metrics?: Metrics
  config: GroupConfig
  limits?: GroupLimits
  log: Pick<CoordinatorLog, 'topic' | 'partitionFor' | 'append' | 'load' | 'learnPartitionCount' | 'caughtUp'>
  metadata: MetadataCache
  /** False when the ZooKeeper session may have expired: somebody else may coordinate then, and know more. */
  mayAct(): boolean
}

/** The APIs that admit the group id "": offsets may be kept under it, and it can be looked at and deleted. */
type EmptyIdAllowed = 'emptyIdAllowed' | 'idNeeded'

/**
 * The coordinator of the groups whose partition of `__consumer_offsets` this broker leads (Kafka's GroupCoordinator of the classic
 * protocol). Everything happens on the event loop, in one turn per request; what must be written is answered when it is.
 */
export class GroupCoordinator {
  readonly partitions: CoordinatorPartitions
  private readonly options: GroupCoordinatorOptions
  private readonly store: GroupStore
  private readonly rebalances: Rebalances
  private readonly joining: Joining
  private readonly memberships: Memberships
  private readonly offsets: GroupOffsets
  private readonly removal: GroupRemoval
  /** Partitions of topics that were deleted since a partition became ours, until it is loaded, by that one's number. */
  private readonly deletedWhileLoading = new Map<number, { coordinatorEpoch: number; keys: OffsetKey[] }>()
  private readonly stopListening: () => void
  private expiryTimer: Timer | undefined
  private isClosed = false

  constructor(options: GroupCoordinatorOptions) {
    const { env, config, log, logger, timers, metadata } = options
    this.options = options
    this.partitions = new CoordinatorPartitions({
      log,
      clock: env.clock,
      logger,
      begin: (partition, coordinatorEpoch) => this.load(partition, coordinatorEpoch),
      unload: (partition) => this.unload(partition),
      // Whoever leads all the time has seen every write: memory is what the log says, and members need not join again.
      advance: () => {},
    })
    this.store = new GroupStore({
      log, config, clock: env.clock, logger, coordinatorEpoch: (partition) => this.partitions.coordinatorEpoch(partition),
    })
    const { limits = GROUP_LIMITS } = options
    const parts: GroupParts = { store: this.store, config, limits, clock: env.clock, timers, logger }
    this.rebalances = new Rebalances(parts)
    this.joining = new Joining(parts, this.rebalances, env.random)
    this.memberships = new Memberships(parts, this.rebalances)
    this.offsets = new GroupOffsets(parts, this.rebalances)
    this.removal = new GroupRemoval(parts)
    this.stopListening = metadata.onChange(({ deletedPartitions }) => this.onDeleted(deletedPartitions))
    this.count()
  }

  /** Begins to look for expired offsets. */
  start(): void {
    const { env, config, logger } = this.options
    if (this.isClosed) return
    this.expiryTimer = env.clock.timer(config.offsetsRetentionCheckIntervalMs, () => {
      const expiry = this.options.mayAct() ? this.removal.removeExpired(new Pacer(env.clock)) : Promise.resolve()
      expiry.catch((error: unknown) => logger.error({ err: error }, 'expired offsets could not be removed')).finally(() => this.start())
    })
  }

  /** Answers everything that waits; all later requests get COORDINATOR_NOT_AVAILABLE. */
  close(): void {
    this.isClosed = true
    this.expiryTimer?.cancel()
    this.stopListening()
    this.partitions.close()
  }

  // Requests of members

  join(request: JoinRequest, done: JoinCallback): void {
    const errorCode = this.status(request.groupId, 'idNeeded')
    if (errorCode === ErrorCode.NONE) this.joining.join(request, done)
    else done(joinError(request.memberId, errorCode))
  }

  sync(request: SyncRequest, done: SyncCallback): void {
    const errorCode = this.status(request.groupId, 'idNeeded')
    if (errorCode === ErrorCode.NONE) this.memberships.sync(request, done)
    // The rebalance is lost with the last coordinator. Old clients do not expect that a coordinator loads.
    else done(syncError(errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS ? ErrorCode.REBALANCE_IN_PROGRESS : errorCode))
  }

  heartbeat(request: HeartbeatRequest): number {
    const errorCode = this.status(request.groupId, 'idNeeded')
    if (errorCode === ErrorCode.NONE) return this.memberships.heartbeat(request)
    return errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS ? ErrorCode.NONE : errorCode
  }

  /** The error of each member in the order of the request; a number if it is one for all. */
  leave(groupId: string, members: readonly LeavingMember[]): number[] | number {
    const errorCode = this.status(groupId, 'idNeeded')
    return errorCode === ErrorCode.NONE ? this.memberships.leave(groupId, members) : errorCode
  }

  // Offsets

  commit(request: CommitRequest, done: CommitDone): void {
    const errorCode = this.status(request.groupId, 'emptyIdAllowed')
    if (errorCode === ErrorCode.NONE) this.offsets.commit(request, done)
    else done(request.offsets.map(() => errorCode))
  }

  /** NONE if a transaction may commit offsets of this group here; to be asked before the transaction is verified. */
  transactionalStatus(groupId: string): number {
    return this.status(groupId, 'idNeeded')
  }

  /** The transaction was verified with its coordinator, or need not be. */
  commitTransactional(request: CommitRequest, transaction: Transaction, done: CommitDone): void {
    const errorCode = this.transactionalStatus(request.groupId)
    if (errorCode === ErrorCode.NONE) this.offsets.commitTransactional(request, transaction, done)
    else done(request.offsets.map(() => errorCode))
  }

  /** `keys` undefined: every partition that has an offset. A number is the error of the whole group. */
  fetch(groupId: string, keys: readonly OffsetKey[] | undefined, requireStable: boolean): FetchedOffset[] | number {
    const errorCode = this.freshStatus(groupId, 'emptyIdAllowed')
    return errorCode === ErrorCode.NONE ? this.offsets.fetch(groupId, keys, requireStable) : errorCode
  }

  /**
   * The marker of a transaction was written to these partitions of `__consumer_offsets`. To be called when the append is
   * acknowledged and before that is answered. A partition that is still being loaded finds the marker in its log.
   */
  completeTransaction(producerId: number, partitions: Iterable<number>, isCommit: boolean): void {
    this.store.completeTransaction(producerId, new Set(partitions), isCommit)
  }

  // Administration

  describe(groupId: string): GroupDescription {
    const errorCode = this.status(groupId, 'emptyIdAllowed')
    return describeGroup(groupId, errorCode, errorCode === ErrorCode.NONE ? this.store.get(groupId) : undefined)
  }

  /** The groups of this broker. Names of states in any case; empty filters admit all. */
  list(states: readonly string[], types: readonly string[]): { errorCode: number; groups: ListedGroup[] } {
    if (this.isClosed) return { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, groups: [] }
    const errorCode = this.partitions.isLoading ? ErrorCode.COORDINATOR_LOAD_IN_PROGRESS : ErrorCode.NONE
    const wanted = new Set(states.map((state) => state.toLowerCase()))
    const isTypeWanted = types.length === 0 || types.some((type) => type.toLowerCase() === 'classic')
    const groups: ListedGroup[] = []
    for (const group of isTypeWanted ? this.store.all() : []) {
      if (wanted.size === 0 || wanted.has(group.state.toLowerCase())) groups.push(listedGroup(group))
    }
    return { errorCode, groups }
  }

  deleteGroup(groupId: string): number {
    const errorCode = this.freshStatus(groupId, 'emptyIdAllowed')
    return errorCode === ErrorCode.NONE ? this.removal.deleteGroup(groupId) : errorCode
  }

  deleteOffsets(groupId: string, keys: readonly OffsetKey[]): OffsetDeletion {
    const errorCode = this.freshStatus(groupId, 'idNeeded')
    return errorCode === ErrorCode.NONE ? this.removal.deleteOffsets(groupId, keys) : { errorCode, errorCodes: [] }
  }

  // Partitions

  private status(groupId: string, empty: EmptyIdAllowed): number {
    if ((groupId === '' && empty === 'idNeeded') || groupId.length > MAX_ID_LENGTH) return ErrorCode.INVALID_GROUP_ID
    return this.partitions.status(this.store.partitionFor(groupId))
  }

  /** Also asks whether this broker may still speak for the group: for what is answered from memory alone. */
  private freshStatus(groupId: string, empty: EmptyIdAllowed): number {
    const errorCode = this.status(groupId, empty)
    return errorCode === ErrorCode.NONE && !this.options.mayAct() ? ErrorCode.NOT_COORDINATOR : errorCode
  }

  private load(partition: number, coordinatorEpoch: number): PartitionState {
    const { env, logger } = this.options
    const loader = new GroupLoader(partition, env.clock.wallMs(), logger)
    return {
      onBatch: (batch) => loader.onBatch(batch),
      settle: (pacer) => loader.settle(pacer),
      activate: () => {
        const groups = loader.groups()
        this.store.adopt(partition, groups)
        const deleted = this.deletedWhileLoading.get(partition)
        this.deletedWhileLoading.delete(partition)
        if (deleted?.coordinatorEpoch === coordinatorEpoch) this.removal.removeOfDeleted(deleted.keys)
        void this.resume([...groups.values()])
      },
    }
  }

  private async resume(groups: readonly Group[]): Promise<void> {
    const pacer = new Pacer(this.options.env.clock)
    for (const group of groups) {
      if (group.members.size === 0) continue
      this.rebalances.resume(group)
      if (pacer.isDue()) await pacer.pause()
    }
  }

  private unload(partition: number): void {
    for (const group of this.store.release(partition)) this.rebalances.unload(group)
  }

  private onDeleted(deleted: readonly OffsetKey[]): void {
    if (deleted.length === 0) return
    const known = new Map(this.deletedWhileLoading)
    // What is not loaded any more is given up with its list.
    this.deletedWhileLoading.clear()
    for (const { partition, coordinatorEpoch } of this.partitions.loading()) {
      const before = known.get(partition)
      const keys = before?.coordinatorEpoch === coordinatorEpoch ? before.keys : []
      keys.push(...deleted)
      this.deletedWhileLoading.set(partition, { coordinatorEpoch, keys })
    }
    this.removal.removeOfDeleted(deleted)
  }

  private count(): void {
    const { metrics } = this.options
    if (metrics === undefined) return
    const manager = 'kafka.coordinator.group:type=GroupMetadataManager,name='
    const sum = (value: (group: Group) => number) => () => {
      let total = 0
      for (const group of this.store.all()) total += value(group)
      return total
    }
    metrics.gauge(`${manager}NumGroups`, () => this.store.size)
    metrics.gauge(`${manager}NumOffsets`, sum((group) => group.offsets.size))
    for (const state of ['PreparingRebalance', 'CompletingRebalance', 'Stable', 'Dead', 'Empty'] as const) {
      metrics.gauge(`${manager}NumGroups${state}`, sum((group) => (group.is(state) ? 1 : 0)))
    }
  }
}
