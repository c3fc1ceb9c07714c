/** What members of a group saw, what `__consumer_offsets` holds of it, and what is wrong with that. */
import type { MemberEvent } from './group-job'

/** A record of the group in `__consumer_offsets`, in the order of the log. */
export type GroupLogEntry =
  | { kind: 'offset'; at: string; offset: number }
  | { kind: 'offset gone'; at: string }
  | {
    kind: 'group'
    generation: number
    /** `topic/partition`s by member; a static one by its instance id. */
    assignments: ReadonlyMap<string, readonly string[]>
  }

/**
 * What a client is known for. `always`: it commits, as a member of a new generation, what it had read in an older one. `a while`:
 * a commit that waited in a connection which it had given up may come behind a newer one; the next mends that, before the
 * generation ends.
 */
export type CommitsGoBack = 'always' | 'a while'

export interface GroupHistory {
  /** Offset behind the last acknowledged record, by `topic/partition`; all from 0 were acknowledged. */
  ends: ReadonlyMap<string, number>
  /** Of all members, in the order in which they were heard; those of one member in their own order. */
  events: readonly MemberEvent[]
  log: readonly GroupLogEntry[]
  commitsMayGoBack?: CommitsGoBack
}

/** Each a sentence. */
export function groupAnomalies(history: GroupHistory): string[] {
  return [...neverConsumed(history), ...lostCommits(history), ...wrongInLog(history)]
}

/** Records that nobody has consumed, as ranges. */
export function neverConsumed({ ends, events }: Pick<GroupHistory, 'ends' | 'events'>): string[] {
  const seen = new Map<string, Set<number>>()
  for (const event of events) {
    if (event.kind !== 'read') continue
    let offsets = seen.get(event.at)
    if (offsets === undefined) seen.set(event.at, (offsets = new Set()))
    offsets.add(event.offset)
  }
  const anomalies: string[] = []
  for (const [at, end] of ends) {
    const offsets = seen.get(at)
    for (let from = 0; from < end; from++) {
      if (offsets?.has(from) === true) continue
      let to = from
      while (to + 1 < end && offsets?.has(to + 1) !== true) to++
      anomalies.push(`consumed by nobody: ${at} from ${from} to ${to}`)
      from = to
    }
  }
  return anomalies
}

/** Who is assigned a partition goes on at or behind what had been committed by then. */
function lostCommits({ events, commitsMayGoBack }: GroupHistory): string[] {
  if (commitsMayGoBack === 'always') return []
  const commits = new Map<string, { atMs: number; offset: number; member: string }[]>()
  for (const event of events) {
    if (event.kind !== 'committed') continue
    const all = commits.get(event.at) ?? []
    all.push(event)
    commits.set(event.at, all)
  }
  const anomalies: string[] = []
  const waiting = new Map<string, number>()
  for (const event of events) {
    if (event.kind === 'assigned') {
      for (const at of event.partitions) waiting.set(`${event.member} ${at}`, event.atMs)
    } else if (event.kind === 'read') {
      const since = waiting.get(`${event.member} ${event.at}`)
      if (since === undefined) continue
      waiting.delete(`${event.member} ${event.at}`)
      const before = (commits.get(event.at) ?? []).filter(({ atMs }) => atMs < since)
      const highest = before.reduce((most, each) => (each.offset > most.offset ? each : most), { offset: 0, member: '', atMs: 0 })
      if (event.offset < highest.offset) {
        anomalies.push(
          `lost commit: ${event.member}, assigned ${event.at} at ${since}, went on at ${event.offset}; ${highest.member} had committed ` +
            `${highest.offset} at ${highest.atMs}`,
        )
      }
    }
  }
  return anomalies
}

function wrongInLog({ log, commitsMayGoBack }: GroupHistory): string[] {
  const anomalies: string[] = []
  const offsets = new Map<string, number>()
  const late = new Map<string, { before: number; anomaly: string }>()
  let generation = -1
  let owners = new Map<string, string>()
  const giveUpOn = (): void => {
    anomalies.push(...[...late.values()].map(({ anomaly }) => anomaly))
    late.clear()
  }
  for (const entry of log) {
    if (entry.kind === 'offset') {
      const { at, offset } = entry
      const before = late.get(at)?.before ?? offsets.get(at) ?? 0
      const anomaly = `commit went back: ${at} from ${before} to ${offset}`
      if (offset >= before) late.delete(at)
      else if (commitsMayGoBack === 'a while') late.set(at, { before, anomaly })
      else if (commitsMayGoBack === undefined) anomalies.push(anomaly)
      offsets.set(at, offset)
    } else if (entry.kind === 'offset gone') {
      anomalies.push(`committed offset removed: ${entry.at}`)
    } else {
      if (entry.generation < generation) anomalies.push(`generation went back: from ${generation} to ${entry.generation}`)
      if (entry.generation !== generation) {
        owners = new Map()
        giveUpOn()
      }
      generation = entry.generation
      for (const [member, partitions] of entry.assignments) {
        for (const at of partitions) {
          const other = owners.get(at)
          if (other !== undefined && other !== member) anomalies.push(`two owners in generation ${generation}: ${at} of ${other} and ${member}`)
          owners.set(at, member)
        }
      }
    }
  }
  giveUpOn()
  return anomalies
}
