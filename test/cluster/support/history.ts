/**
 * What clients did and saw, and what is wrong with it. The server gives every record its offset, so the order is known and a few
 * linear passes find what a search would.
 */

/** One record that a client sent. Its value is `client:n`; n counts per client, also across partitions. */
export interface Sent {
  client: string
  n: number
  partition: number
  /** `unknown`: it may have been written, or may still be. `refused`: it was certainly not written. */
  outcome: 'unknown' | 'acknowledged' | 'refused'
  /** -1 where the client was not told. */
  offset: number
  /** What the client was told instead of an acknowledgement. */
  error?: string
}

export interface Seen {
  partition: number
  offset: number
  value: string
}

/** One answer to the question where a partition ends for readers. */
export interface EndSeen {
  partition: number
  leaderEpoch: number
  /** The high watermark. */
  offset: number
}

export interface History {
  sent: readonly Sent[]
  /** Per reader, in the order of reading, while the cluster was in trouble. */
  polls: ReadonlyMap<string, readonly Seen[]>
  /** In order: each was asked for after the answer to the one before. */
  ends: readonly EndSeen[]
  /** Everything, per partition from its first to its last offset, read at the end. */
  final: readonly Seen[]
}

export type AnomalyKind =
  | 'lost' | 'repeated' | 'reordered' | 'inconsistent offset' | 'wrong offset' | 'phantom' | 'written though refused' | 'read and lost'
  | 'non-monotonic poll' | 'skipped by a poll' | 'non-monotonic high watermark' | 'non-monotonic final read'

export interface Anomaly {
  kind: AnomalyKind
  detail: string
}

export function valueOf({ client, n }: { client: string; n: number }): string {
  return `${client}:${n}`
}

/** Everything that is wrong, for idempotent producers with acks=all. */
export function anomaliesOf(history: History): Anomaly[] {
  const anomalies: Anomaly[] = []
  const add = (kind: AnomalyKind, detail: string): void => void anomalies.push({ kind, detail })
  const sent = new Map(history.sent.map((each) => [valueOf(each), each]))
  const offsets = checkFinal(history.final, sent, add)
  checkOrder(history.final, sent, add)
  for (const each of history.sent) {
    const value = valueOf(each)
    const found = offsets.get(value)
    if (each.outcome === 'acknowledged') {
      if (found === undefined) add('lost', `${value}, acknowledged at ${each.partition}@${each.offset}`)
      else if (each.offset >= 0 && !found.includes(`${each.partition}@${each.offset}`)) {
        add('wrong offset', `${value} was acknowledged at ${each.partition}@${each.offset} and is at ${found.join(', ')}`)
      }
    } else if (each.outcome === 'refused' && found !== undefined) add('written though refused', `${value} at ${found.join(', ')}`)
  }
  checkPolls(history, add)
  checkEnds(history.ends, add)
  return anomalies
}

type Add = (kind: AnomalyKind, detail: string) => void

/** Gives where each value is. */
function checkFinal(final: readonly Seen[], sent: ReadonlyMap<string, Sent>, add: Add): Map<string, string[]> {
  const offsets = new Map<string, string[]>()
  const last = new Map<number, number>()
  for (const { partition, offset, value } of final) {
    if (offset <= (last.get(partition) ?? -1)) add('non-monotonic final read', `${partition}@${offset} after ${last.get(partition)}`)
    last.set(partition, offset)
    const at = offsets.get(value)
    if (at === undefined) offsets.set(value, [`${partition}@${offset}`])
    else at.push(`${partition}@${offset}`)
    if (!sent.has(value)) add('phantom', `${value} at ${partition}@${offset} was never sent`)
  }
  for (const [value, at] of offsets) if (at.length > 1) add('repeated', `${value} at ${at.join(', ')}`)
  return offsets
}

/** Per client and partition the log has what was sent first in front. */
function checkOrder(final: readonly Seen[], sent: ReadonlyMap<string, Sent>, add: Add): void {
  const highest = new Map<string, number>()
  for (const { partition, offset, value } of final) {
    const one = sent.get(value)
    if (one === undefined) continue
    const key = `${one.client} ${partition}`
    const before = highest.get(key) ?? -1
    if (one.n < before) add('reordered', `${value} at ${partition}@${offset} behind ${one.client}:${before}`)
    else highest.set(key, one.n)
  }
}

function checkPolls({ polls, final }: History, add: Add): void {
  const truth = new Map(final.map(({ partition, offset, value }) => [`${partition}@${offset}`, value]))
  const offsetsOf = new Map<number, number[]>()
  const indexOf = new Map<string, number>()
  for (const { partition, offset } of final) {
    const all = offsetsOf.get(partition) ?? []
    indexOf.set(`${partition}@${offset}`, all.length)
    all.push(offset)
    offsetsOf.set(partition, all)
  }
  for (const [reader, seen] of polls) {
    const last = new Map<number, number>()
    for (const { partition, offset, value } of seen) {
      const at = `${partition}@${offset}`
      const real = truth.get(at)
      if (real === undefined) add('read and lost', `${reader} read ${value} at ${at}, where there is nothing now`)
      else if (real !== value) add('inconsistent offset', `${reader} read ${value} at ${at}, where there is ${real} now`)
      const before = last.get(partition)
      if (before !== undefined && offset <= before) add('non-monotonic poll', `${reader} read ${at} after ${before}`)
      const index = indexOf.get(at)
      const beforeIndex = before === undefined ? -1 : indexOf.get(`${partition}@${before}`)
      if (index !== undefined && beforeIndex !== undefined && index > beforeIndex + 1 && (before !== undefined || offset > 0)) {
        add('skipped by a poll', `${reader} read ${at} after ${before ?? 'nothing'} and left out ${index - beforeIndex - 1}`)
      }
      last.set(partition, offset)
    }
  }
}

/** A deposed leader may still say what was true; a leader of the same or a later epoch never says less. */
function checkEnds(ends: readonly EndSeen[], add: Add): void {
  const highest = new Map<number, EndSeen>()
  for (const end of ends) {
    const before = highest.get(end.partition)
    if (before !== undefined && end.leaderEpoch < before.leaderEpoch) continue
    if (before !== undefined && end.offset < before.offset) {
      add('non-monotonic high watermark', `partition ${end.partition}: ${before.offset} in epoch ${before.leaderEpoch}, then ${end.offset} in ${end.leaderEpoch}`)
    }
    highest.set(end.partition, { ...end, offset: Math.max(end.offset, before?.offset ?? 0) })
  }
}
