import { ApiKey } from '../../protocol/messages/apis'
import { ErrorCode, ProtocolError, errorName } from '../../protocol/errors'
import { mayRetry } from '../cluster'
import { GroupCoordinatorFinder } from './coordinator-finder'
import { NO_GENERATION } from './generation'
import { Heartbeat } from './heartbeat'
import { CONSUMER_PROTOCOL_TYPE } from './protocol'
import type { Cluster, Node } from '../cluster'
import type { Generation, GroupBusiness, GroupSettings } from './generation'
import type { GroupMember } from './committed'
import type { HeartbeatResponse } from '../../protocol/messages/heartbeat'
import type { JoinGroupResponse } from '../../protocol/messages/join-group'
import type { LeaveGroupResponse } from '../../protocol/messages/leave-group'
import type { SyncGroupResponse } from '../../protocol/messages/sync-group'
import type { Timer } from '../../runtime/ports'

type State = 'unjoined' | 'preparing' | 'completing' | 'stable'
type Outcome = { assignment: Buffer } | { error: unknown }

/** JoinGroup is answered when all have joined; the broker's own clock may be a bit late (Kafka's JOIN_GROUP_TIMEOUT_LAPSE). */
const JOIN_LAPSE_MS = 5000
const MOST_REASON = 255

/** Rebalances after which one joins again at once. */
const joinsAgain: ReadonlySet<number> = new Set([
  ErrorCode.UNKNOWN_MEMBER_ID,
  ErrorCode.ILLEGAL_GENERATION,
  ErrorCode.REBALANCE_IN_PROGRESS,
  ErrorCode.MEMBER_ID_REQUIRED,
])

/**
 * A member's side of the group protocol: find the coordinator, join, sync, keep the membership alive by heartbeats, leave
 * (Kafka's
 * AbstractCoordinator). Rebalances are carried out inside `ensureActive`; heartbeats go on by themselves.
 */
export class Membership {
  readonly finder: GroupCoordinatorFinder
  private readonly cluster: Cluster
  readonly settings: GroupSettings
  private readonly business: GroupBusiness
  private readonly heartbeat: Heartbeat
  private current: Generation = NO_GENERATION
  private assignedIn: Generation = NO_GENERATION
  /** Who gave the member id, until a SyncGroup succeeds under it: only then it is written down for the next coordinator. */
  private givenBy: Node | undefined
  private state: State = 'unjoined'
  private rejoinNeeded = true
  private rejoinReason = ''
  private needsPreparation = true
  private joining: Promise<Outcome> | undefined
  private outcome: Outcome | undefined
  private retryAtMs = 0
  private failure: unknown
  private timer: Timer | undefined
  private readonly notify: () => void

  constructor(cluster: Cluster, settings: GroupSettings, business: GroupBusiness, notify: () => void) {
    this.cluster = cluster
    this.settings = settings
    this.business = business
    this.notify = notify
    this.finder = new GroupCoordinatorFinder(cluster, settings.groupId)
    this.heartbeat = new Heartbeat(settings)
  }

  get generation(): Generation {
    return this.current
  }

  /** Who commits; undefined while there is no generation to commit in. */
  get stableMember(): GroupMember | undefined {
    return this.state === 'stable' ? this.member : undefined
  }

  get member(): GroupMember {
    const { groupId, groupInstanceId } = this.settings
    return { groupId, groupInstanceId, generationId: this.current.id, memberId: this.current.memberId }
  }

  /**
   * Who the program is that works on what `poll` gave it: the member that last took an assignment there. One that has been forgotten
   * since, or is joining anew behind the program's back, is refused by this; by its present state it would be taken for nobody, and
   * nobody is not fenced (KIP-447).
   */
  get assignedMember(): GroupMember {
    const { groupId, groupInstanceId } = this.settings
    return { groupId, groupInstanceId, generationId: this.assignedIn.id, memberId: this.assignedIn.memberId }
  }

  get isRebalancing(): boolean {
    return this.state === 'preparing' || this.state === 'completing'
  }

  /** True when the next poll has to rebalance, or a rebalance is under way. */
  get needsRejoin(): boolean {
    return this.rejoinNeeded || this.joining !== undefined
  }

  requestRejoin(reason: string): void {
    this.rejoinNeeded = true
    this.rejoinReason = reason
    this.notify()
  }

  /** The program is alive (`max.poll.interval.ms` counts from here). Throws what made heartbeats end for good. */
  polled(): void {
    this.throwFailure()
    this.heartbeat.polled(this.now())
  }

  /**
   * Rebalances if that is due. Waits for the coordinator until `deadlineMs`, but not for the others to join: false while
   * that goes on; the next
   * call takes it up. Throws errors that end the membership: FENCED_INSTANCE_ID, INCONSISTENT_GROUP_PROTOCOL,
   * GROUP_AUTHORIZATION_FAILED ...,
   * and what the business throws.
   */
  async ensureActive(deadlineMs: number): Promise<boolean> {
    while (this.needsRejoin) {
      this.throwFailure()
      if (this.joining === undefined) {
        if (this.now() < this.retryAtMs || (await this.finder.find(deadlineMs)) === undefined) return false
        if (this.needsPreparation) {
          if (!(await this.business.commitBeforeJoin(this.current, deadlineMs))) return false
          // Should it throw, it is not done again.
          this.needsPreparation = false
          await this.business.prepareToJoin()
          // The membership was lost meanwhile: so is what was to be kept.
          if (this.needsPreparation) continue
        }
        // The program may have left in the listener.
        if (!this.needsRejoin) return true
        this.startJoin()
      }
      const { outcome } = this
      if (outcome === undefined) return false
      this.outcome = undefined
      if ('assignment' in outcome && this.state === 'stable') {
        this.joining = undefined
        this.needsPreparation = true
        this.assignedIn = this.current
        await this.business.joined(this.current, outcome.assignment)
        continue
      }
      this.joining = undefined
      if ('assignment' in outcome) {
        this.reset('rebalance failed since the membership was lost before it was complete')
        continue
      }
      const { error } = outcome
      const code = error instanceof ProtocolError ? error.code : undefined
      if (code !== ErrorCode.MEMBER_ID_REQUIRED)
        this.requestRejoin(`rebalance failed due to ${code === undefined ? String(error) : errorName(code)}`)
      if (code !== undefined && joinsAgain.has(code)) continue
      if (!mayRetry(error)) throw error
      this.retryAtMs = this.now() + this.settings.retryBackoffMs
    }
    return true
  }

  private startJoin(): void {
    const joining = this.join().then(
      (assignment): Outcome => ({ assignment }),
      (error: unknown): Outcome => ({ error }),
    )
    this.joining = joining
    void joining.then((outcome) => {
      // The program has left since, and perhaps joined again.
      if (this.joining !== joining) return
      this.outcome = outcome
      this.notify()
    })
  }

  /**
   * Ends the membership. A static member stays in the group until its session ends. Resolves when the coordinator has
   * answered, or
   * could not be reached; never rejects.
   */
  async leave(reason: string): Promise<void> {
    const coordinator = this.finder.known
    const { memberId } = this.current
    const { groupId, groupInstanceId } = this.settings
    const leaves = this.state !== 'unjoined' && memberId !== '' && groupInstanceId === null
    this.reset(reason)
    this.joining = undefined
    this.outcome = undefined
    this.needsPreparation = true
    if (!leaves || coordinator === undefined) return
    const members = [{ memberId, reason: reason.slice(0, MOST_REASON) }]
    const body = (version: number): object => (version >= 3 ? { groupId, members } : { groupId, memberId })
    try {
      await this.cluster.sendTo<LeaveGroupResponse>(coordinator, ApiKey.leaveGroup, body, { lane: 'coordinator' })
    } catch {
      // It will notice by the missing heartbeats.
    }
  }

  /** No more heartbeats. */
  close(): void {
    this.timer?.cancel()
    this.state = 'unjoined'
  }

  /** Forgets the membership: whoever joins next does so as a new member, and has lost what it had. */
  reset(reason: string): void {
    // Another object: what is still under way for the former one must not take this for its own.
    this.current = { ...NO_GENERATION }
    this.givenBy = undefined
    this.state = 'unjoined'
    this.needsPreparation = true
    this.timer?.cancel()
    this.requestRejoin(reason)
  }

  /**
   * The answer to what was sent for `sent` says that the coordinator does not know this member any more; forgets it unless
   * it is another one now.
   */
  lost(sent: Generation, code: number): boolean {
    if (sent !== this.current) return false
    const { memberId } = this.current
    this.reset(`encountered ${errorName(code)}`)
    // It only has the generation wrong: it may keep its id, and its place.
    if (code === ErrorCode.ILLEGAL_GENERATION) this.current = { ...NO_GENERATION, memberId }
    return true
  }

  private now(): number {
    return this.cluster.env.clock.monoMs()
  }

  private throwFailure(): void {
    if (this.failure === undefined) return
    const { failure } = this
    this.failure = undefined
    throw failure
  }

  private async send<Response>(
    apiKey: number,
    body: object | ((version: number) => object),
    timeoutMs?: number,
  ): Promise<Response> {
    const coordinator = this.finder.known
    if (coordinator === undefined) throw new ProtocolError(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    try {
      return await this.cluster.sendTo<Response>(coordinator, apiKey, body, {
        lane: 'coordinator',
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      })
    } catch (error) {
      if (mayRetry(error)) this.finder.forget(coordinator)
      throw error
    }
  }

  private async join(): Promise<Buffer> {
    this.state = 'preparing'
    this.timer?.cancel()
    const sent = this.current
    const coordinator = this.finder.known
    const { groupId, groupInstanceId, sessionTimeoutMs, maxPollIntervalMs } = this.settings
    const reason = this.rejoinReason.slice(0, MOST_REASON)
    const response = await this.send<JoinGroupResponse>(
      ApiKey.joinGroup,
      {
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs: maxPollIntervalMs,
        memberId: sent.memberId,
        ...(groupInstanceId === null ? {} : { groupInstanceId }),
        protocolType: CONSUMER_PROTOCOL_TYPE,
        protocols: this.business.protocols(),
        reason,
      },
      Math.max(this.cluster.settings.requestTimeoutMs, maxPollIntervalMs + JOIN_LAPSE_MS),
    )
    if (response.errorCode !== 0) this.refused(response.errorCode, sent, coordinator, response)
    if (response.protocolType !== null && response.protocolType !== CONSUMER_PROTOCOL_TYPE)
      throw new ProtocolError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    // The program may have left meanwhile.
    if (sent !== this.current || (this.state as State) !== 'preparing') throw new ProtocolError(ErrorCode.REBALANCE_IN_PROGRESS)
    const generation: Generation = { id: response.generationId, memberId: response.memberId, protocol: response.protocolName }
    this.current = generation
    if (generation.memberId !== sent.memberId) this.givenBy = coordinator
    this.state = 'completing'
    this.heartbeat.reset(this.now())
    this.beat()
    const isLeader = response.leader === response.memberId
    const assignments = isLeader
      ? await this.business.assign(response.protocolName ?? '', response.members, response.skipAssignment)
      : new Map<string, Buffer>()
    return this.sync(generation, assignments)
  }

  /**
   * A static member is refused by a coordinator that has not heard of its latest id: the one before has given it, and gone before it
   * could write it down. That is not another process with the same `group.instance.id`, though Kafka's consumer takes it for one.
   */
  private isForgotten(code: number, sent: Generation, coordinator: Node | undefined): boolean {
    const isAnother = this.givenBy !== undefined && coordinator !== undefined && coordinator.id !== this.givenBy.id
    return code === ErrorCode.FENCED_INSTANCE_ID && isAnother && sent === this.current
  }

  /** Throws; before that takes the consequences of an error code of JoinGroup. */
  private refused(given: number, sent: Generation, coordinator: Node | undefined, response: JoinGroupResponse): never {
    const code = this.isForgotten(given, sent, coordinator) ? ErrorCode.UNKNOWN_MEMBER_ID : given
    if (code === ErrorCode.UNKNOWN_MEMBER_ID) this.lost(sent, code)
    if (code === ErrorCode.COORDINATOR_NOT_AVAILABLE || code === ErrorCode.NOT_COORDINATOR) this.finder.forget(coordinator)
    if (code === ErrorCode.MEMBER_ID_REQUIRED && sent === this.current) {
      this.current = { ...NO_GENERATION, memberId: response.memberId }
      this.requestRejoin(`need to re-join with the given member-id: ${response.memberId}`)
    }
    if (code === ErrorCode.GROUP_MAX_SIZE_REACHED) {
      throw new ProtocolError(
        code,
        `Consumer group ${this.settings.groupId} already has the configured maximum number of members.`,
      )
    }
    throw new ProtocolError(code)
  }

  private async sync(generation: Generation, assignments: ReadonlyMap<string, Buffer>): Promise<Buffer> {
    const { groupId, groupInstanceId, maxPollIntervalMs } = this.settings
    const coordinator = this.finder.known
    const response = await this.send<SyncGroupResponse>(
      ApiKey.syncGroup,
      {
        groupId,
        generationId: generation.id,
        memberId: generation.memberId,
        ...(groupInstanceId === null ? {} : { groupInstanceId }),
        protocolType: CONSUMER_PROTOCOL_TYPE,
        protocolName: generation.protocol,
        assignments: [...assignments].map(([memberId, assignment]) => ({ memberId, assignment })),
      },
      Math.max(this.cluster.settings.requestTimeoutMs, maxPollIntervalMs + JOIN_LAPSE_MS),
    )
    const code = this.isForgotten(response.errorCode, generation, coordinator) ? ErrorCode.UNKNOWN_MEMBER_ID : response.errorCode
    if (code === 0) {
      if (generation !== this.current || this.state !== 'completing') throw new ProtocolError(ErrorCode.REBALANCE_IN_PROGRESS)
      const otherType = response.protocolType !== null && response.protocolType !== CONSUMER_PROTOCOL_TYPE
      const otherProtocol = response.protocolName !== null && response.protocolName !== generation.protocol
      if (otherType || otherProtocol) throw new ProtocolError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
      this.state = 'stable'
      this.givenBy = undefined
      this.rejoinNeeded = false
      this.rejoinReason = ''
      return response.assignment
    }
    if (code === ErrorCode.UNKNOWN_MEMBER_ID || code === ErrorCode.ILLEGAL_GENERATION) this.lost(generation, code)
    if (code === ErrorCode.COORDINATOR_NOT_AVAILABLE || code === ErrorCode.NOT_COORDINATOR) this.finder.forget(coordinator)
    if (code === ErrorCode.FENCED_INSTANCE_ID && generation !== this.current)
      throw new ProtocolError(ErrorCode.REBALANCE_IN_PROGRESS)
    throw new ProtocolError(code)
  }

  /** Does what the clock says is due, and looks again when the next thing is. */
  private beat(): void {
    this.timer?.cancel()
    if (this.cluster.isClosed || (this.state !== 'completing' && this.state !== 'stable')) return
    const nowMs = this.now()
    let againMs = nowMs + this.settings.retryBackoffMs
    if (this.heartbeat.pollExpired(nowMs)) {
      void this.leave('consumer poll timeout has expired.')
      return
    }
    if (this.finder.known === undefined) {
      this.finder.find(againMs).catch((error: unknown) => this.fail(error))
    } else if (this.heartbeat.sessionExpired(nowMs)) {
      this.finder.forget(this.finder.known)
      this.heartbeat.extendSession(nowMs)
    } else {
      if (this.heartbeat.isDue(nowMs)) void this.sendHeartbeat(nowMs)
      againMs = this.heartbeat.wakeAtMs()
    }
    this.timer = this.cluster.env.clock.timer(Math.max(againMs - nowMs, 1), () => this.beat())
  }

  private async sendHeartbeat(nowMs: number): Promise<void> {
    const sent = this.current
    const coordinator = this.finder.known
    const { groupId, groupInstanceId } = this.settings
    this.heartbeat.sent(nowMs)
    let code: number
    try {
      const response = await this.send<HeartbeatResponse>(ApiKey.heartbeat, {
        groupId,
        generationId: sent.id,
        memberId: sent.memberId,
        ...(groupInstanceId === null ? {} : { groupInstanceId }),
      })
      code = this.isForgotten(response.errorCode, sent, coordinator) ? ErrorCode.UNKNOWN_MEMBER_ID : response.errorCode
    } catch (error) {
      if (!mayRetry(error) && !this.cluster.isClosed) this.fail(error)
      code = ErrorCode.NETWORK_EXCEPTION
    }
    if (sent !== this.current) return
    if (code === 0 || code === ErrorCode.REBALANCE_IN_PROGRESS) {
      this.heartbeat.succeeded(this.now())
      if (code !== 0 && this.state === 'stable') this.requestRejoin('group is already rebalancing')
    } else {
      this.heartbeat.failed(this.now())
      if (code === ErrorCode.COORDINATOR_NOT_AVAILABLE || code === ErrorCode.NOT_COORDINATOR) this.finder.forget(coordinator)
      else if (code === ErrorCode.UNKNOWN_MEMBER_ID || code === ErrorCode.ILLEGAL_GENERATION) this.lost(sent, code)
      else if (code !== ErrorCode.NETWORK_EXCEPTION && code !== ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
        this.fail(new ProtocolError(code))
    }
    this.beat()
  }

  private fail(error: unknown): void {
    this.failure = error
    this.timer?.cancel()
    this.notify()
  }
}
