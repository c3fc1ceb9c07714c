import { ErrorCode } from '../../protocol/errors'
import { whyNoMember, whyNotCurrent } from './member-checks'
import { NOTHING, syncError, type SyncCallback } from './member'
import { syncResult, type GroupParts, type Rebalances } from './rebalances'
import type { Group } from './group'

export interface SyncRequest {
  groupId: string
  generationId: number
  memberId: string
  groupInstanceId: string | null
  /** null before version 5. */
  protocolType: string | null
  protocolName: string | null
  /** By member id; of the leader. Not aliasing the request. */
  assignments: ReadonlyMap<string, Buffer>
}

export interface HeartbeatRequest {
  groupId: string
  generationId: number
  memberId: string
  groupInstanceId: string | null
}

export interface LeavingMember {
  memberId: string
  groupInstanceId: string | null
  reason: string | null
}

/** SyncGroup, Heartbeat and LeaveGroup, for groups that this broker coordinates. */
export class Memberships {
  private readonly parts: GroupParts
  private readonly rebalances: Rebalances

  constructor(parts: GroupParts, rebalances: Rebalances) {
    this.parts = parts
    this.rebalances = rebalances
  }

  sync(request: SyncRequest, done: SyncCallback): void {
    const group = this.parts.store.get(request.groupId)
    if (group === undefined) {
      done(syncError(ErrorCode.UNKNOWN_MEMBER_ID))
      return
    }
    const errorCode = this.whyNoSync(group, request)
    if (errorCode !== ErrorCode.NONE) {
      done(syncError(errorCode))
      return
    }
    const member = group.members.get(request.memberId)!
    if (group.is('Stable')) {
      this.rebalances.hasSynced(group, member.memberId)
      done(syncResult(group, member))
      this.rebalances.keepAlive(group, member)
      return
    }
    // One that it sent before, on a connection that it has left, is ended.
    member.answerSync(syncError(ErrorCode.REBALANCE_IN_PROGRESS))
    member.awaitingSync = done
    this.rebalances.hasSynced(group, member.memberId)
    if (group.isLeader(member.memberId)) this.storeAssignment(group, request.assignments)
  }

  private whyNoSync(group: Group, { memberId, groupInstanceId, generationId, protocolType, protocolName }: SyncRequest): number {
    const errorCode = whyNotCurrent(group, memberId, groupInstanceId, generationId)
    if (errorCode !== ErrorCode.NONE) return errorCode
    if (protocolType !== null && protocolType !== group.protocolType) return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
    if (protocolName !== null && protocolName !== group.protocolName) return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
    if (group.is('Empty')) return ErrorCode.UNKNOWN_MEMBER_ID
    return group.is('PreparingRebalance') ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
  }

  private storeAssignment(group: Group, given: ReadonlyMap<string, Buffer>): void {
    const { generationId, groupId } = group
    const missing = [...group.members.keys()].filter((memberId) => !given.has(memberId))
    if (missing.length > 0) this.parts.logger.warn({ groupId, generationId, members: missing }, 'the leader assigns nothing to members')
    const assignments = new Map([...group.members.keys()].map((memberId) => [memberId, given.get(memberId) ?? NOTHING]))
    const failed = (errorCode: number): void => {
      this.rebalances.refuseSyncs(group, errorCode)
      this.rebalances.prepare(group, 'the assignment could not be written')
    }
    if (this.isTooMuch(group, assignments)) {
      failed(ErrorCode.COORDINATOR_NOT_AVAILABLE)
      return
    }
    this.parts.store.storeGroup(group, assignments, (errorCode) => {
      // Another member may have joined, or one left, while this was written.
      if (!group.is('CompletingRebalance') || group.generationId !== generationId) return
      if (errorCode === ErrorCode.NONE) {
        this.rebalances.assign(group, assignments)
        this.parts.logger.info({ groupId, generationId, members: group.members.size }, 'the group is stable')
      } else failed(errorCode)
    })
  }

  /** For the memory of this broker. */
  private isTooMuch(group: Group, assignments: ReadonlyMap<string, Buffer>): boolean {
    const { store, limits } = this.parts
    let moreBytes = 0
    for (const { length } of assignments.values()) moreBytes += length
    for (const { assignment } of group.members.values()) moreBytes -= assignment.length
    return moreBytes > 0 && store.memory.bytes + moreBytes > limits.memoryBytes
  }

  /** The error code of the answer. */
  heartbeat({ groupId, memberId, groupInstanceId, generationId }: HeartbeatRequest): number {
    const group = this.parts.store.get(groupId)
    if (group === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
    const errorCode = whyNotCurrent(group, memberId, groupInstanceId, generationId)
    if (errorCode !== ErrorCode.NONE) return errorCode
    if (group.is('Empty')) return ErrorCode.UNKNOWN_MEMBER_ID
    this.rebalances.keepAlive(group, group.members.get(memberId)!)
    return group.is('PreparingRebalance') ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
  }

  /** The error of each member in the order of the request; a number if it is one for all. */
  leave(groupId: string, members: readonly LeavingMember[]): number[] | number {
    const group = this.parts.store.get(groupId)
    if (group === undefined) return members.map(() => ErrorCode.UNKNOWN_MEMBER_ID)
    if (group.is('Dead')) return ErrorCode.COORDINATOR_NOT_AVAILABLE
    return members.map((member) => this.leaveOne(group, member))
  }

  private leaveOne(group: Group, { memberId, groupInstanceId, reason }: LeavingMember): number {
    // An administrator names a static member by its instance id.
    const id = memberId === '' && groupInstanceId !== null ? group.staticMemberId(groupInstanceId) : memberId
    if (id === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
    if (group.pendingMembers.has(id)) {
      this.rebalances.removePending(group, id)
      if (group.isUnused) this.rebalances.forget(group)
      return ErrorCode.NONE
    }
    const errorCode = whyNoMember(group, id, memberId === '' ? null : groupInstanceId)
    if (errorCode !== ErrorCode.NONE) return errorCode
    this.rebalances.removeMember(group, group.members.get(id)!, reason === null ? 'a member left' : `a member left: ${reason}`)
    return ErrorCode.NONE
  }
}
