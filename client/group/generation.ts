import type { HeartbeatTimes } from './heartbeat'
import type { JoinGroupResponseMember } from '../../protocol/messages/join-group'

export interface GroupSettings extends HeartbeatTimes {
  groupId: string
  /** Makes the member static: it keeps its place while it is away for less than a session (KIP-345). */
  groupInstanceId: string | null
}

/** One membership; another object after each change, so that a late answer is known by what it was sent for. */
export interface Generation {
  readonly id: number
  readonly memberId: string
  readonly protocol: string | null
}

export const NO_GENERATION: Generation = { id: -1, memberId: '', protocol: null }

/** Whoever is in no generation has lost what it had. */
export function isInNone({ id, memberId }: Generation): boolean {
  return id < 0 || memberId === ''
}

/** What the group is about; called by `ensureActive` alone, one at a time. */
export interface GroupBusiness {
  protocols(): { name: string; metadata: Buffer }[]
  /** Before `prepareToJoin`: commits, if that is automatic. False if `deadlineMs` comes first; called again, it goes on. */
  commitBeforeJoin(generation: Generation, deadlineMs: number): Promise<boolean>
  /** Before each rebalance: time to let go of what the member has. It has lost it if it is in no generation. */
  prepareToJoin(): Promise<void>
  /** The leader's part. With `skip` nothing is to be assigned: a static leader came back (KIP-814). */
  assign(protocol: string, members: readonly JoinGroupResponseMember[], skip: boolean): Promise<Map<string, Buffer>>
  joined(generation: Generation, assignment: Buffer): Promise<void>
}
