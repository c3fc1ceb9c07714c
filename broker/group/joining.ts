import { ErrorCode } from '../../protocol/errors'
import { MAX_ID_LENGTH } from '../coordinator/id-length'
import { randomUuidText } from './random-uuid'
import { joinError, Member, protocolBytes, type JoinCallback, type JoinResult, type MemberProtocol } from './member'
import { NEW_MEMBER_JOIN_TIMEOUT_MS, type GroupParts, type Rebalances } from './rebalances'
import { whyNoMember } from './member-checks'
import type { Random } from '../../runtime/ports'
import type { Group } from './group'

/** With what separates it. */
const UUID_LENGTH = 37

export interface JoinRequest {
  groupId: string
  memberId: string
  groupInstanceId: string | null
  /** From version 4 on: a new dynamic member is given an id, and joins with that. */
  requireKnownMemberId: boolean
  /** From version 9 on. */
  supportsSkippingAssignment: boolean
  clientId: string
  clientHost: string
  rebalanceTimeoutMs: number
  sessionTimeoutMs: number
  protocolType: string
  /** Not aliasing the request. */
  protocols: readonly MemberProtocol[]
  /** What the client says why it joins. */
  reason: string | null
}

/** JoinGroup (GroupCoordinator.handleJoinGroup and what follows from it). `done` is called exactly once, at once or much later. */
export class Joining {
  private readonly parts: GroupParts
  private readonly rebalances: Rebalances
  private readonly random: Random

  constructor(parts: GroupParts, rebalances: Rebalances, random: Random) {
    this.parts = parts
    this.rebalances = rebalances
    this.random = random
  }

  /** The caller has checked that this broker coordinates the group. */
  join(request: JoinRequest, done: JoinCallback): void {
    const { config, limits, store } = this.parts
    const { groupId, memberId, sessionTimeoutMs } = request
    if (sessionTimeoutMs < config.minSessionTimeoutMs || sessionTimeoutMs > config.maxSessionTimeoutMs) {
      done(joinError(memberId, ErrorCode.INVALID_SESSION_TIMEOUT))
      return
    }
    if ((request.groupInstanceId ?? '').length + UUID_LENGTH > MAX_ID_LENGTH) {
      done(joinError(memberId, ErrorCode.INVALID_REQUEST))
      return
    }
    const group = memberId === '' ? store.getOrCreate(groupId) : store.get(groupId)
    if (group === undefined) {
      done(joinError(memberId, ErrorCode.UNKNOWN_MEMBER_ID))
      return
    }
    if (this.needsTooMuch(group, request, store.memory.bytes, limits.memoryBytes)) {
      done(joinError(memberId, ErrorCode.COORDINATOR_NOT_AVAILABLE))
    } else if (!this.hasRoom(group, request)) {
      const member = group.members.get(memberId)
      done(joinError('', ErrorCode.GROUP_MAX_SIZE_REACHED))
      // The others take over what it had.
      if (member !== undefined) this.rebalances.removeMember(group, member, 'the group has no room for a member')
      else group.removePending(memberId)
    } else if (memberId === '') this.joinAsNew(group, request, done)
    else this.joinAsKnown(group, request, done)
    this.rebalances.tryCompleteJoin(group)
    if (group.isUnused) this.rebalances.forget(group)
  }

  private needsTooMuch(group: Group, request: JoinRequest, usedBytes: number, maxBytes: number): boolean {
    const { memberId, groupInstanceId, protocols, clientId } = request
    // Its id begins with the one or the other.
    const idLength = clientId.length + Math.max(clientId.length, 2 * (groupInstanceId?.length ?? 0))
    const moreBytes = protocolBytes(protocols) + 2 * idLength - (group.members.get(memberId)?.bytes ?? 0)
    return moreBytes > 0 && usedBytes + moreBytes > maxBytes
  }

  /**
   * While members gather, those that have joined count, so that a group above its limit (which may have been lowered) sheds the
   * ones that come last; later on all members count.
   */
  private hasRoom(group: Group, request: JoinRequest): boolean {
    const { config: { maxSize }, limits } = this.parts
    const { memberId } = request
    const member = group.members.get(memberId)
    if (this.needsTooMuch(group, request, group.bytes, limits.groupBytes)) return false
    if (group.is('Empty', 'Dead')) return true
    if (group.is('PreparingRebalance')) return member?.awaitingJoin !== undefined || group.awaitingJoins < maxSize
    return member !== undefined || group.members.size < maxSize
  }

  private joinAsNew(group: Group, request: JoinRequest, done: JoinCallback): void {
    const { groupInstanceId, protocolType, protocols } = request
    if (group.is('Dead')) {
      done(joinError('', ErrorCode.COORDINATOR_NOT_AVAILABLE))
      return
    }
    if (!group.supportsProtocols(protocolType, protocols)) {
      done(joinError('', ErrorCode.INCONSISTENT_GROUP_PROTOCOL))
      return
    }
    const memberId = `${groupInstanceId ?? request.clientId.slice(0, MAX_ID_LENGTH - UUID_LENGTH)}-${randomUuidText(this.random)}`
    if (groupInstanceId !== null) {
      const oldMemberId = group.staticMemberId(groupInstanceId)
      if (oldMemberId === undefined) this.add(group, memberId, request, done)
      else this.replace(group, groupInstanceId, oldMemberId, memberId, request, done)
    } else if (request.requireKnownMemberId) {
      this.rebalances.expectMember(group, memberId, request.sessionTimeoutMs)
      done(joinError(memberId, ErrorCode.MEMBER_ID_REQUIRED))
    } else this.add(group, memberId, request, done)
  }

  private joinAsKnown(group: Group, request: JoinRequest, done: JoinCallback): void {
    const { memberId, groupInstanceId, protocolType, protocols } = request
    if (group.is('Dead')) {
      done(joinError(memberId, ErrorCode.COORDINATOR_NOT_AVAILABLE))
      return
    }
    if (!group.supportsProtocols(protocolType, protocols)) {
      done(joinError(memberId, ErrorCode.INCONSISTENT_GROUP_PROTOCOL))
      return
    }
    if (group.pendingMembers.has(memberId)) {
      // Ids are given out to dynamic members only.
      if (groupInstanceId !== null) done(joinError('', ErrorCode.UNKNOWN_SERVER_ERROR))
      else this.add(group, memberId, request, done)
      return
    }
    const errorCode = whyNoMember(group, memberId, groupInstanceId)
    if (errorCode === ErrorCode.NONE) this.rejoin(group, group.members.get(memberId)!, request, done)
    else done(joinError(memberId, errorCode))
  }

  private rejoin(group: Group, member: Member, request: JoinRequest, done: JoinCallback): void {
    const { memberId, protocols } = request
    const rejoin = (why: string): void => {
      this.update(group, member, request, done)
      this.rebalances.prepareIfPossible(group, request.reason === null ? why : `${why}; client: ${request.reason}`)
    }
    switch (group.state) {
      case 'PreparingRebalance':
        rejoin('a member joins again')
        break
      case 'CompletingRebalance':
        // Nothing changed: it has missed the answer to its first join.
        if (member.matches(protocols)) done(group.joinResult(memberId, group.isLeader(memberId) ? group.joinedMembers() : []))
        else rejoin('a member has changed')
        break
      case 'Stable':
        // The leader may have seen a change that is not in its metadata, new partitions of a topic for example.
        if (group.isLeader(memberId)) rejoin('the leader joins again')
        else if (!member.matches(protocols)) rejoin('a member has changed')
        else done(group.joinResult(memberId))
        break
      case 'Empty':
      case 'Dead':
        done(joinError(memberId, ErrorCode.UNKNOWN_MEMBER_ID))
        break
      default:
        group.state satisfies never
    }
  }

  private update(group: Group, member: Member, request: JoinRequest, done: JoinCallback): void {
    group.update(member, request.protocols, request.rebalanceTimeoutMs, request.sessionTimeoutMs)
    group.parkJoin(member, done)
  }

  private add(group: Group, memberId: string, request: JoinRequest, done: JoinCallback): void {
    const member = new Member({ ...request, memberId })
    member.isNew = true
    if (group.is('PreparingRebalance') && group.generationId === 0) group.newMemberAdded = true
    group.add(member)
    group.parkJoin(member, done)
    // It cannot send heartbeats before it knows its id. Should its client be gone, its parked join must not stay for ever.
    this.rebalances.keepAlive(group, member, NEW_MEMBER_JOIN_TIMEOUT_MS)
    const { groupInstanceId, reason } = request
    const what = groupInstanceId === null ? 'a new member' : `the new static member ${groupInstanceId}`
    this.rebalances.prepareIfPossible(group, reason === null ? what : `${what}; client: ${reason}`)
  }

  /** A static member came back without its id: it goes on under a new one, if possible without a rebalance (KIP-345, KIP-814). */
  private replace(
    group: Group,
    groupInstanceId: string,
    oldMemberId: string,
    newMemberId: string,
    request: JoinRequest,
    done: JoinCallback,
  ): void {
    const oldLeaderId = group.leaderId
    const member = group.replaceStaticMember(groupInstanceId, oldMemberId, newMemberId)
    const { protocols, rebalanceTimeoutMs, sessionTimeoutMs } = member
    this.update(group, member, request, done)
    this.rebalances.keepAlive(group, member)
    if (group.is('CompletingRebalance')) {
      // The leader may be assigning to the old id.
      this.rebalances.prepare(group, `the static member ${groupInstanceId} came back`)
      return
    }
    if (!group.is('Stable')) return
    if (group.chooseProtocol() !== group.protocolName) {
      this.rebalances.prepare(group, `the static member ${groupInstanceId} came back with other protocols`)
      return
    }
    const assignments = new Map([...group.members].map(([id, { assignment }]) => [id, assignment]))
    this.parts.store.storeGroup(group, assignments, (errorCode) => {
      // Gone, or replaced once more, or called to a rebalance meanwhile: its join is answered, or will be, there.
      if (member.memberId !== newMemberId || member.awaitingJoin !== done || !group.is('Stable')) return
      if (errorCode !== ErrorCode.NONE) {
        group.answerJoin(member, { ...group.joinResult(''), leaderId: oldLeaderId ?? '', errorCode })
        group.update(member, protocols, rebalanceTimeoutMs, sessionTimeoutMs)
        group.replaceStaticMember(groupInstanceId, newMemberId, oldMemberId)
      } else group.answerJoin(member, this.resultOfReturn(group, member, request, oldLeaderId))
      this.rebalances.keepAlive(group, member)
    })
  }

  /** Who is leader must not assign: a stable group takes no assignment. Old clients are made to believe that another one leads. */
  private resultOfReturn(group: Group, { memberId }: Member, request: JoinRequest, oldLeaderId: string | undefined): JoinResult {
    if (!request.supportsSkippingAssignment) return { ...group.joinResult(memberId), leaderId: oldLeaderId ?? '' }
    const isLeader = group.isLeader(memberId)
    return { ...group.joinResult(memberId, isLeader ? group.joinedMembers() : []), skipAssignment: isLeader }
  }
}
