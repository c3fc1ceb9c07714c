/**
 * What a member of a group is told, as JSON on its command line. It consumes in the group until its standard input ends, and then
 * leaves. On its standard output it says
 *
 * - `assigned <ms> <topic>/<partition>,...` (or `-`) for each assignment, at the wall time at which it learned of it, before it asks
 *   where to go on;
 * - `r <topic> <partition> <offset>` for each record, before it commits it;
 * - `c <ms> <topic> <partition> <offset>` for each commit that was answered without an error, at the wall time of the answer.
 */
export interface GroupJob {
  bootstrap: string
  group: string
  member: string
  topics: string[]
  sessionTimeoutMs: number
  /** A static member. */
  instanceId?: string
  /** Of librdkafka. Default: range. */
  assignor?: 'range' | 'cooperative-sticky'
}

export type MemberEvent =
  | { kind: 'assigned'; member: string; atMs: number; partitions: string[] }
  | { kind: 'read'; member: string; at: string; offset: number }
  | { kind: 'committed'; member: string; atMs: number; at: string; offset: number }

/** One line of a member's output; undefined for a line that is none of them. */
export function parseEvent(member: string, line: string): MemberEvent | undefined {
  const [kind, ...rest] = line.trim().split(' ')
  if (kind === 'assigned' && rest.length === 2) {
    return { kind, member, atMs: Number(rest[0]), partitions: rest[1] === '-' ? [] : rest[1]!.split(',') }
  }
  if (kind === 'r' && rest.length === 3) return { kind: 'read', member, at: `${rest[0]}/${rest[1]}`, offset: Number(rest[2]) }
  if (kind === 'c' && rest.length === 4) {
    return { kind: 'committed', member, atMs: Number(rest[0]), at: `${rest[1]}/${rest[2]}`, offset: Number(rest[3]) }
  }
  return undefined
}
