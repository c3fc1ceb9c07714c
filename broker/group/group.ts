import { ErrorCode } from '../../protocol/errors'
import { assert } from '../../runtime/assert'
import { transition, type GroupState } from './group-state'
import { joinError, syncError, type JoinCallback, type JoinedMember, type JoinResult, type Member, type MemberProtocol } from './member'
import { OffsetCache } from './offset-cache'
import { chooseProtocol, SupportedProtocols } from './protocol-vote'
import { CONSUMER_PROTOCOL_TYPE, subscribedTopics } from './subscribed-topics'
import type { TimerEntry } from '../../runtime/timer-wheel'

/** The wait for members to join. `initial`: the first rebalance of an empty group, which waits for more members in any case. */
export interface JoinWait {
  timer: TimerEntry
  initial: { remainingMs: number } | undefined
}

/** What the groups of a broker cost of memory together, their offsets, and those of open transactions, apart. */
export interface MemoryUse {
  bytes: number
  offsetBytes: number
}

/** A group beyond its members, and an id that was given out beyond itself: objects, timers, map entries. */
const GROUP_OVERHEAD_BYTES = 2048
const PENDING_MEMBER_BYTES = 512

const LAST_GENERATION = 0x7fffffff

function pendingBytes(memberId: string): number {
  return PENDING_MEMBER_BYTES + 2 * memberId.length
}

/**
 * One group (Kafka's GroupMetadata): its members and its offsets. Decides nothing by time and sends nothing but answers to parked
 * requests; Rebalances does.
 *
 * Invariants: the leader is a member, if there is one; `awaitingJoins` counts the members with a parked join; an instance id
 * names one member; a pending member is no member.
 */
export class Group {
  readonly groupId: string
  /** Of `__consumer_offsets`. */
  readonly partition: number
  state: GroupState = 'Empty'
  /** Wall time at which it came into its state; undefined if the log does not say. */
  stateSinceMs: number | undefined
  generationId = 0
  /** undefined: nobody has ever joined. */
  protocolType: string | undefined
  protocolName: string | undefined
  leaderId: string | undefined
  readonly members = new Map<string, Member>()
  readonly offsets = new OffsetCache((bytes) => this.chargeOffsets(bytes))
  /** Ids that were given out in answer to a first JoinGroup, until they join. */
  readonly pendingMembers = new Map<string, TimerEntry>()
  /** Members of this generation that have not asked for their assignment. */
  readonly pendingSyncs = new Set<string>()
  joinWait: JoinWait | undefined
  syncTimer: TimerEntry | undefined
  /** Since the initial wait began; then it may be prolonged. */
  newMemberAdded = false
  /** Of consumers; undefined: not known. */
  subscribedTopics: ReadonlySet<string> | undefined
  /** What the group costs of memory, offsets left out. */
  private usedBytes: number
  private offsetBytes = 0
  private memory: MemoryUse | undefined
  private parkedJoins = 0
  private readonly staticMembers = new Map<string, string>()
  private readonly supported = new SupportedProtocols()

  constructor(groupId: string, partition: number, nowMs: number | undefined) {
    this.groupId = groupId
    this.usedBytes = GROUP_OVERHEAD_BYTES + 2 * groupId.length
    this.partition = partition
    this.stateSinceMs = nowMs
  }

  get bytes(): number {
    return this.usedBytes
  }

  /** Counts with the others from now on; `undefined`: not any more. */
  countIn(memory: MemoryUse | undefined): void {
    if (this.memory !== undefined) {
      this.memory.bytes -= this.usedBytes
      this.memory.offsetBytes -= this.offsetBytes
    }
    this.memory = memory
    if (memory === undefined) return
    memory.bytes += this.usedBytes
    memory.offsetBytes += this.offsetBytes
  }

  private charge(bytes: number): void {
    this.usedBytes += bytes
    if (this.memory !== undefined) this.memory.bytes += bytes
  }

  private chargeOffsets(bytes: number): void {
    this.offsetBytes += bytes
    if (this.memory !== undefined) this.memory.offsetBytes += bytes
  }

  is(...states: readonly GroupState[]): boolean {
    return states.includes(this.state)
  }

  get canRebalance(): boolean {
    return this.is('Stable', 'CompletingRebalance', 'Empty')
  }

  transitionTo(state: GroupState, nowMs: number): void {
    this.state = transition(this.groupId, this.state, state)
    this.stateSinceMs = nowMs
  }

  /** Nobody would miss it: it has no members to come, no offsets, and nothing of it was ever written. */
  get isUnused(): boolean {
    return (
      this.state === 'Empty' && this.generationId === 0 && this.members.size === 0 && this.pendingMembers.size === 0
      && this.offsets.isEmpty
    )
  }

  // Members

  isLeader(memberId: string): boolean {
    return this.leaderId === memberId
  }

  staticMemberId(groupInstanceId: string): string | undefined {
    return this.staticMembers.get(groupInstanceId)
  }

  /** Members with a parked join. */
  get awaitingJoins(): number {
    return this.parkedJoins
  }

  get hasAllJoined(): boolean {
    return this.pendingMembers.size === 0 && this.parkedJoins === this.members.size
  }

  /** Keeps a join until the rebalance is over. One that the member sent before, on a connection that it has left, is ended. */
  parkJoin(member: Member, callback: JoinCallback): void {
    this.answerJoin(member, joinError(member.memberId, ErrorCode.REBALANCE_IN_PROGRESS))
    member.awaitingJoin = callback
    this.parkedJoins++
  }

  /** True if a join was parked. */
  answerJoin(member: Member, result: JoinResult): boolean {
    const callback = member.awaitingJoin
    if (callback === undefined) return false
    member.awaitingJoin = undefined
    this.parkedJoins--
    callback(result)
    return true
  }

  /** The longest of its members; 0 without members. */
  get rebalanceTimeoutMs(): number {
    let timeoutMs = 0
    for (const member of this.members.values()) timeoutMs = Math.max(timeoutMs, member.rebalanceTimeoutMs)
    return timeoutMs
  }

  supportsProtocols(protocolType: string, protocols: readonly MemberProtocol[]): boolean {
    if (this.is('Empty')) return protocolType !== '' && protocols.length > 0
    return this.protocolType === protocolType && protocols.some(({ name }) => this.supported.isSupportedByAll(name, this.members.size))
  }

  add(member: Member): void {
    const { memberId, groupInstanceId } = member
    assert(!this.members.has(memberId), `${memberId} is a member of ${this.groupId} already`)
    if (groupInstanceId !== null) {
      assert(!this.staticMembers.has(groupInstanceId), `${groupInstanceId} is a member of ${this.groupId} already`)
      this.staticMembers.set(groupInstanceId, memberId)
    }
    if (this.members.size === 0) this.protocolType = member.protocolType
    assert(this.protocolType === member.protocolType, `${memberId} has another protocol type than ${this.groupId}`)
    this.leaderId ??= memberId
    this.members.set(memberId, member)
    this.supported.add(member.protocols)
    this.charge(member.bytes)
    this.removePending(memberId)
  }

  /** Removes a member, or one that was to become one, and answers what it has parked. */
  remove(memberId: string): void {
    const member = this.members.get(memberId)
    if (member !== undefined) {
      this.members.delete(memberId)
      this.supported.remove(member.protocols)
      this.charge(-member.bytes)
      if (member.groupInstanceId !== null) this.staticMembers.delete(member.groupInstanceId)
      member.sessionTimer?.cancel()
      member.sessionTimer = undefined
      this.answerJoin(member, joinError('', ErrorCode.UNKNOWN_MEMBER_ID))
      member.answerSync(syncError(ErrorCode.UNKNOWN_MEMBER_ID))
    }
    if (this.isLeader(memberId)) this.leaderId = this.members.keys().next().value
    this.removePending(memberId)
    this.pendingSyncs.delete(memberId)
  }

  addPending(memberId: string, timer: TimerEntry): void {
    assert(!this.members.has(memberId), `${memberId} is a member of ${this.groupId} already`)
    this.pendingMembers.set(memberId, timer)
    this.charge(pendingBytes(memberId))
  }

  removePending(memberId: string): void {
    this.pendingMembers.get(memberId)?.cancel()
    if (this.pendingMembers.delete(memberId)) this.charge(-pendingBytes(memberId))
  }

  setAssignment(member: Member, assignment: Buffer): void {
    this.charge(assignment.length - member.assignment.length)
    member.assignment = assignment
  }

  update(member: Member, protocols: readonly MemberProtocol[], rebalanceTimeoutMs: number, sessionTimeoutMs: number): void {
    this.supported.remove(member.protocols)
    this.charge(-member.bytes)
    member.protocols = protocols
    member.rebalanceTimeoutMs = rebalanceTimeoutMs
    member.sessionTimeoutMs = sessionTimeoutMs
    this.charge(member.bytes)
    this.supported.add(protocols)
  }

  /** The static member goes on under another id; the old one is fenced, with what it has parked. */
  replaceStaticMember(groupInstanceId: string, oldMemberId: string, newMemberId: string): Member {
    const member = this.members.get(oldMemberId)
    assert(member !== undefined, `${oldMemberId} is no member of ${this.groupId}`)
    this.members.delete(oldMemberId)
    this.answerJoin(member, joinError(oldMemberId, ErrorCode.FENCED_INSTANCE_ID))
    member.answerSync(syncError(ErrorCode.FENCED_INSTANCE_ID))
    this.charge(-member.bytes)
    member.memberId = newMemberId
    this.charge(member.bytes)
    this.members.set(newMemberId, member)
    if (this.pendingSyncs.delete(oldMemberId)) this.pendingSyncs.add(newMemberId)
    if (this.isLeader(oldMemberId)) this.leaderId = newMemberId
    this.staticMembers.set(groupInstanceId, newMemberId)
    return member
  }

  // Generations

  /** The leader stays if it has joined, else it is the first that has. False if none has. */
  electJoinedLeader(): boolean {
    if (this.leaderId === undefined) return false
    if (this.members.get(this.leaderId)!.awaitingJoin !== undefined) return true
    for (const { memberId, awaitingJoin } of this.members.values()) {
      if (awaitingJoin === undefined) continue
      this.leaderId = memberId
      return true
    }
    return false
  }

  /** What the members would choose now; undefined if they have nothing in common. */
  chooseProtocol(): string | undefined {
    return chooseProtocol(this.members.values(), (name) => this.supported.isSupportedByAll(name, this.members.size))
  }

  nextGeneration(nowMs: number): void {
    // After the last one of its type the first.
    this.generationId = this.generationId >= LAST_GENERATION ? 1 : this.generationId + 1
    this.pendingSyncs.clear()
    this.protocolName = this.members.size === 0 ? undefined : this.chooseProtocol()
    this.learnSubscribedTopics()
    this.transitionTo(this.members.size === 0 ? 'Empty' : 'CompletingRebalance', nowMs)
  }

  learnSubscribedTopics(): void {
    const name = this.protocolName
    const metadata = name === undefined ? [] : [...this.members.values()].map((member) => member.metadataOf(name))
    const isUnknown = this.members.size > 0 && name === undefined
    this.subscribedTopics = isUnknown ? undefined : subscribedTopics(this.protocolType, name, metadata)
  }

  /** A group of consumers that is not known to subscribe to the topic counts as subscribed, to be safe. */
  isSubscribedTo(topic: string): boolean {
    return this.subscribedTopics?.has(topic) ?? true
  }

  get isConsumerGroup(): boolean {
    return this.protocolType === CONSUMER_PROTOCOL_TYPE
  }

  /** What the leader is told about the members of this generation. */
  joinedMembers(): JoinedMember[] {
    const protocol = this.protocolName ?? ''
    return [...this.members.values()].map((member) => ({
      memberId: member.memberId, groupInstanceId: member.groupInstanceId, metadata: member.metadataOf(protocol),
    }))
  }

  /** The answer to a join in this generation. */
  joinResult(memberId: string, members: JoinedMember[] = []): JoinResult {
    return {
      errorCode: ErrorCode.NONE,
      memberId,
      generationId: this.generationId,
      protocolType: this.protocolType ?? null,
      protocolName: this.protocolName ?? null,
      leaderId: this.leaderId ?? '',
      skipAssignment: false,
      members,
    }
  }
}
