import type { TimerEntry } from '../../runtime/timer-wheel'

/** What a member can do: an assignor by name, with what it tells the others about itself. */
export interface MemberProtocol {
  readonly name: string
  readonly metadata: Buffer
}

export interface JoinedMember {
  memberId: string
  groupInstanceId: string | null
  metadata: Buffer
}

/** The answer to JoinGroup, free of wire versions. */
export interface JoinResult {
  errorCode: number
  /** -1 with an error. */
  generationId: number
  protocolType: string | null
  protocolName: string | null
  /** '' with an error. */
  leaderId: string
  /** To a static leader that came back: do not assign anew. */
  skipAssignment: boolean
  memberId: string
  /** Only for the leader. */
  members: JoinedMember[]
}

export interface SyncResult {
  errorCode: number
  protocolType: string | null
  protocolName: string | null
  assignment: Buffer
}

export type JoinCallback = (result: JoinResult) => void
export type SyncCallback = (result: SyncResult) => void

export const NOTHING = Buffer.alloc(0)
/** What a member costs beyond its bytes: objects, timers, map entries. */
const MEMBER_OVERHEAD_BYTES = 512

export function joinError(memberId: string, errorCode: number): JoinResult {
  return {
    errorCode, memberId, generationId: -1, protocolType: null, protocolName: null, leaderId: '', skipAssignment: false, members: [],
  }
}

export function syncError(errorCode: number): SyncResult {
  return { errorCode, protocolType: null, protocolName: null, assignment: NOTHING }
}

export interface MemberFacts {
  memberId: string
  groupInstanceId: string | null
  clientId: string
  /** As Java prints an address: '/10.0.0.1'. */
  clientHost: string
  rebalanceTimeoutMs: number
  sessionTimeoutMs: number
  protocolType: string
  protocols: readonly MemberProtocol[]
}

/** One member of a group (Kafka's MemberMetadata). A parked join is answered by its group, which counts them. */
export class Member {
  memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly protocolType: string
  rebalanceTimeoutMs: number
  sessionTimeoutMs: number
  protocols: readonly MemberProtocol[]
  /** Set by its group, which counts what that costs. */
  assignment: Buffer = NOTHING
  awaitingJoin: JoinCallback | undefined
  awaitingSync: SyncCallback | undefined
  /** Has not completed its first join: does not know its id yet, so that it cannot send heartbeats. */
  isNew = false
  /** When the member is given up, unless it is heard of; of no meaning while `sessionTimer` is undefined. */
  deadlineMs = 0
  timerDueMs = 0
  sessionTimer: TimerEntry | undefined

  constructor(facts: MemberFacts) {
    this.memberId = facts.memberId
    this.groupInstanceId = facts.groupInstanceId
    this.clientId = facts.clientId
    this.clientHost = facts.clientHost
    this.rebalanceTimeoutMs = facts.rebalanceTimeoutMs
    this.sessionTimeoutMs = facts.sessionTimeoutMs
    this.protocolType = facts.protocolType
    this.protocols = facts.protocols
  }

  get isStatic(): boolean {
    return this.groupInstanceId !== null
  }

  /** What the member costs of memory, about. */
  get bytes(): number {
    const idLength = this.memberId.length + this.clientId.length + this.clientHost.length + (this.groupInstanceId?.length ?? 0)
    return MEMBER_OVERHEAD_BYTES + 2 * idLength + protocolBytes(this.protocols) + this.assignment.length
  }

  /** The same protocols in the same order with the same metadata: nothing about it has changed. */
  matches(protocols: readonly MemberProtocol[]): boolean {
    return (
      protocols.length === this.protocols.length &&
      protocols.every(({ name, metadata }, i) => name === this.protocols[i]!.name && metadata.equals(this.protocols[i]!.metadata))
    )
  }

  metadataOf(protocol: string): Buffer {
    return this.protocols.find(({ name }) => name === protocol)?.metadata ?? NOTHING
  }

  /** True if a sync was parked. */
  answerSync(result: SyncResult): boolean {
    const callback = this.awaitingSync
    this.awaitingSync = undefined
    callback?.(result)
    return callback !== undefined
  }
}

export function protocolBytes(protocols: readonly MemberProtocol[]): number {
  return protocols.reduce((sum, { name, metadata }) => sum + 64 + 2 * name.length + metadata.length, 0)
}
