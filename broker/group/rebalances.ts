import { ErrorCode } from '../../protocol/errors'
import { joinError, NOTHING, syncError, type Member, type SyncResult } from './member'
import type { Logger } from '../../runtime/log'
import type { Clock } from '../../runtime/ports'
import type { TimerWheel } from '../../runtime/timer-wheel'
import type { Group } from './group'
import type { GroupConfig } from './group-config'
import type { GroupLimits } from './group-limits'
import type { GroupStore } from './group-store'

/** A new member does not know its id until its first join is answered; till then it may take this long. */
export const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60 * 1000

export interface GroupParts {
  store: GroupStore
  config: GroupConfig
  limits: GroupLimits
  clock: Clock
  timers: TimerWheel
  logger: Logger
}

/**
 * What happens to a group in time: it gathers its members, hands out a generation, waits for their syncs, and gives up the ones
 * that are not heard of any more (Kafka's GroupCoordinator with its DelayedJoin, DelayedSync, DelayedHeartbeat).
 */
export class Rebalances {
  private readonly store: GroupStore
  private readonly config: GroupConfig
  private readonly clock: Clock
  private readonly timers: TimerWheel
  private readonly logger: Logger

  constructor(parts: GroupParts) {
    this.store = parts.store
    this.config = parts.config
    this.clock = parts.clock
    this.timers = parts.timers
    this.logger = parts.logger
  }

  // Gathering

  prepareIfPossible(group: Group, reason: string): void {
    if (group.canRebalance) this.prepare(group, reason)
  }

  /** Calls the members to join. Those that wait for their assignment are sent to join at once. */
  prepare(group: Group, reason: string): void {
    if (group.is('CompletingRebalance')) this.refuseSyncs(group, ErrorCode.REBALANCE_IN_PROGRESS)
    this.endSyncWait(group)
    const { groupId, generationId } = group
    const isInitial = group.is('Empty')
    group.transitionTo('PreparingRebalance', this.clock.wallMs())
    this.logger.info({ groupId, generationId, members: group.members.size, reason }, 'rebalance begins')
    if (isInitial) {
      const { initialRebalanceDelayMs } = this.config
      group.newMemberAdded = false
      this.waitForMore(group, initialRebalanceDelayMs, Math.max(group.rebalanceTimeoutMs - initialRebalanceDelayMs, 0))
    } else {
      this.waitForJoins(group)
      this.tryCompleteJoin(group)
    }
  }

  private waitForJoins(group: Group): void {
    const timer = this.timers.add(group.rebalanceTimeoutMs, () => this.completeJoin(group))
    group.joinWait = { timer, initial: undefined }
  }

  /** The first members of a group seldom come alone: each that comes prolongs the wait, within the rebalance time-out. */
  private waitForMore(group: Group, delayMs: number, remainingMs: number): void {
    const timer = this.timers.add(delayMs, () => {
      if (group.newMemberAdded && remainingMs !== 0) {
        group.newMemberAdded = false
        const nextMs = Math.min(this.config.initialRebalanceDelayMs, remainingMs)
        this.waitForMore(group, nextMs, Math.max(remainingMs - delayMs, 0))
      } else this.completeJoin(group)
    })
    group.joinWait = { timer, initial: { remainingMs } }
  }

  /** Ends the gathering if nobody is missing. The first one of an empty group ends by time alone. */
  tryCompleteJoin(group: Group): void {
    if (group.joinWait === undefined || group.joinWait.initial !== undefined || !group.hasAllJoined) return
    this.completeJoin(group)
  }

  private completeJoin(group: Group): void {
    group.joinWait?.timer.cancel()
    group.joinWait = undefined
    if (!group.is('PreparingRebalance')) return
    const missing = [...group.members.values()].filter((member) => member.awaitingJoin === undefined && !member.isStatic)
    for (const member of missing) group.remove(member.memberId)
    const { groupId } = group
    if (missing.length > 0) {
      this.logger.info({ groupId, members: missing.map((member) => member.memberId) }, 'members have not joined in time')
    }
    if (!group.electJoinedLeader() && group.members.size > 0) {
      this.logger.warn({ groupId, members: group.members.size }, 'nobody has joined: the static members are waited for once more')
      this.waitForJoins(group)
      return
    }
    group.nextGeneration(this.clock.wallMs())
    if (group.is('Empty')) this.storeEmpty(group)
    else this.answerJoins(group)
  }

  private storeEmpty(group: Group): void {
    this.logger.info({ groupId: group.groupId, generationId: group.generationId }, 'the group is empty')
    // Should it not be written, the generation before counts again after a failover; its members are gone and time out.
    this.store.storeGroup(group, new Map(), () => {})
  }

  private answerJoins(group: Group): void {
    const { groupId, generationId, protocolName, leaderId } = group
    this.logger.info({ groupId, generationId, protocolName, leaderId, members: group.members.size }, 'members have joined')
    for (const member of group.members.values()) group.pendingSyncs.add(member.memberId)
    for (const member of [...group.members.values()]) {
      const result = group.joinResult(member.memberId, group.isLeader(member.memberId) ? group.joinedMembers() : [])
      member.isNew = false
      group.answerJoin(member, result)
      this.keepAlive(group, member)
    }
    group.syncTimer = this.timers.add(group.rebalanceTimeoutMs, () => this.expireSyncs(group, generationId))
  }

  // Handing out

  /** The member has asked for its assignment. */
  hasSynced(group: Group, memberId: string): void {
    group.pendingSyncs.delete(memberId)
    if (group.pendingSyncs.size === 0) this.endSyncWait(group)
  }

  private endSyncWait(group: Group): void {
    group.pendingSyncs.clear()
    group.syncTimer?.cancel()
    group.syncTimer = undefined
  }

  private expireSyncs(group: Group, generationId: number): void {
    group.syncTimer = undefined
    if (group.generationId !== generationId || !group.is('CompletingRebalance', 'Stable') || group.pendingSyncs.size === 0) return
    const late = [...group.pendingSyncs]
    for (const memberId of late) group.remove(memberId)
    this.logger.info({ groupId: group.groupId, members: late }, 'members have not asked for their assignment in time')
    this.prepare(group, 'members did not sync in time')
  }

  /** The leader's assignment is written: everybody who waits gets its part. */
  assign(group: Group, assignments: ReadonlyMap<string, Buffer>): void {
    for (const member of group.members.values()) group.setAssignment(member, assignments.get(member.memberId) ?? NOTHING)
    group.transitionTo('Stable', this.clock.wallMs())
    for (const member of [...group.members.values()]) this.answerSync(group, member, syncResult(group, member))
  }

  /** Nobody gets anything. */
  refuseSyncs(group: Group, errorCode: number): void {
    for (const member of group.members.values()) group.setAssignment(member, NOTHING)
    for (const member of [...group.members.values()]) this.answerSync(group, member, syncError(errorCode))
  }

  private answerSync(group: Group, member: Member, result: SyncResult): void {
    // While it waited nothing was expected of it.
    if (member.answerSync(result)) this.keepAlive(group, member)
  }

  // Liveness

  /** The member was heard of: it has its session time-out from now on, or `timeoutMs`. */
  keepAlive(group: Group, member: Member, timeoutMs = member.sessionTimeoutMs): void {
    const nowMs = this.clock.monoMs()
    member.deadlineMs = nowMs + timeoutMs
    // A timer that fires too early looks at the deadline again: so a heartbeat costs no timer.
    if (member.sessionTimer !== undefined && member.timerDueMs <= member.deadlineMs) return
    member.sessionTimer?.cancel()
    this.armSession(group, member, timeoutMs)
  }

  private armSession(group: Group, member: Member, delayMs: number): void {
    member.timerDueMs = this.clock.monoMs() + delayMs
    member.sessionTimer = this.timers.add(delayMs, () => {
      member.sessionTimer = undefined
      const leftMs = member.deadlineMs - this.clock.monoMs()
      if (leftMs > 0) this.armSession(group, member, leftMs)
      else this.expireSession(group, member)
    })
  }

  private expireSession(group: Group, member: Member): void {
    if (group.is('Dead') || group.members.get(member.memberId) !== member) return
    // Who waits for an answer cannot send heartbeats; it gets a new deadline with the answer.
    if (!member.isNew && (member.awaitingJoin !== undefined || member.awaitingSync !== undefined)) return
    this.logger.info({ groupId: group.groupId, memberId: member.memberId }, 'a member was not heard of in time')
    this.removeMember(group, member, 'a member was not heard of in time')
  }

  /** Gives out an id that must be used within the session time-out. */
  expectMember(group: Group, memberId: string, sessionTimeoutMs: number): void {
    const timer = this.timers.add(sessionTimeoutMs, () => {
      if (group.is('Dead') || !group.pendingMembers.has(memberId)) return
      this.logger.info({ groupId: group.groupId, memberId }, 'a member has not joined with the id that it was given')
      this.removePending(group, memberId)
      if (group.isUnused) this.forget(group)
    })
    group.addPending(memberId, timer)
  }

  // Leaving

  removeMember(group: Group, member: Member, reason: string): void {
    group.remove(member.memberId)
    if (group.is('Stable', 'CompletingRebalance')) this.prepare(group, reason)
    else if (group.is('PreparingRebalance')) this.tryCompleteJoin(group)
  }

  removePending(group: Group, memberId: string): void {
    group.remove(memberId)
    if (group.is('PreparingRebalance')) this.tryCompleteJoin(group)
  }

  /** A group that never came to anything. */
  forget(group: Group): void {
    group.transitionTo('Dead', this.clock.wallMs())
    this.store.remove(group)
  }

  // The partition of the group comes or goes

  /** A group that was loaded: its members are expected to be heard of. */
  resume(group: Group): void {
    if (group.is('Dead')) return
    if (group.members.size > this.config.maxSize) this.prepareIfPossible(group, 'the group has too many members')
    for (const member of group.members.values()) if (member.sessionTimer === undefined) this.keepAlive(group, member)
  }

  /** The group is another broker's now. */
  unload(group: Group): void {
    group.transitionTo('Dead', this.clock.wallMs())
    group.joinWait?.timer.cancel()
    group.joinWait = undefined
    this.endSyncWait(group)
    for (const timer of group.pendingMembers.values()) timer.cancel()
    for (const member of [...group.members.values()]) {
      member.sessionTimer?.cancel()
      member.sessionTimer = undefined
      group.answerJoin(member, joinError(member.memberId, ErrorCode.NOT_COORDINATOR))
      member.answerSync(syncError(ErrorCode.NOT_COORDINATOR))
    }
  }
}

export function syncResult(group: Group, member: Member): SyncResult {
  return {
    errorCode: ErrorCode.NONE,
    protocolType: group.protocolType ?? null,
    protocolName: group.protocolName ?? null,
    assignment: member.assignment,
  }
}
