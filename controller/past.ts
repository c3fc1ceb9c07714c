import { NO_LEADER, RECOVERED } from './leader-election'
import type { LeaderAndIsr } from './leader-election'

/** What a broker's metadata says of a partition. */
export interface Witness {
  /** -1: none, or it is not alive. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly isr: readonly number[]
}

/** What a replica says of itself. */
export interface ReplicaAnswer {
  /** That it has taken; of one that has not been told its part since it started, the last in its log. */
  readonly leaderEpoch: number
  readonly endOffset: number
  readonly leads: boolean
}

export interface PastFacts {
  readonly replicas: readonly number[]
  /** From the live brokers that know the partition. */
  readonly witnesses: readonly Witness[]
  /** By replica; 'none' has no log of it. One that is dead or silent is not in it. */
  readonly answers: ReadonlyMap<number, ReplicaAnswer | 'none'>
}

/** `known`: to be gone on from by an election, which raises the epoch. `unknown`: it has one, and it is not safe to guess. */
export type Past =
  | { readonly kind: 'new' }
  | { readonly kind: 'known'; readonly rule: string; readonly state: LeaderAndIsr }
  | { readonly kind: 'unknown'; readonly waitsFor: readonly number[] }

/**
 * What a partition was whose state is lost. In this order:
 * 1. Nobody knows it: it is new, as in Kafka.
 * 2. Whoever leads in the highest epoch that anybody knows has all that was committed: it goes on, at first alone in the ISR,
 *    since a shrink of which the others were not told yet may have taken any of them out; they come back by AlterPartition.
 * 3. It does not live: the ISR of the newest metadata, where brokers differ what they have in common; where a replica has
 *    taken a younger epoch than any metadata tells of, those of the ISR that have taken it.
 * 4. No metadata is left (all brokers restarted): once each replica has said how far its log goes, the one with the youngest last
 *    epoch, among those the longest, has all that was committed. Until then nobody leads.
 */
export function decidePast({ replicas, witnesses, answers }: PastFacts): Past {
  const told = replicas.flatMap((broker) => {
    const answer = answers.get(broker)
    return answer === undefined || answer === 'none' ? [] : [{ broker, ...answer }]
  })
  if (told.length === 0 && witnesses.length === 0) return { kind: 'new' }
  const leaderEpoch = Math.max(...told.map((each) => each.leaderEpoch), ...witnesses.map((each) => each.leaderEpoch))
  const known = (rule: string, isr: readonly number[]): Past => {
    return { kind: 'known', rule, state: { leader: NO_LEADER, leaderEpoch, isr, recoveryState: RECOVERED } }
  }
  const leader = told.find((each) => each.leads && each.leaderEpoch === leaderEpoch)
  if (leader !== undefined) return known('its leader goes on', [leader.broker])
  const isr = commonIsr(witnesses)
  if (isr.length > 0) {
    const newestTold = Math.max(...witnesses.map((each) => each.leaderEpoch))
    const young = isr.filter((broker) => told.some((each) => each.broker === broker && each.leaderEpoch === leaderEpoch))
    return known('the ISR that brokers knew', leaderEpoch > newestTold && young.length > 0 ? young : isr)
  }
  const silent = replicas.filter((broker) => !answers.has(broker))
  if (silent.length > 0) return { kind: 'unknown', waitsFor: silent }
  const [best] = told.toSorted((a, b) => b.leaderEpoch - a.leaderEpoch || b.endOffset - a.endOffset)
  return best === undefined ? { kind: 'new' } : known('the longest log of the youngest epoch', [best.broker])
}

/** Of those that know the youngest epoch; empty if there are none. */
function commonIsr(witnesses: readonly Witness[]): readonly number[] {
  const newest = Math.max(...witnesses.map((each) => each.leaderEpoch))
  const [first, ...others] = witnesses.filter((each) => each.leaderEpoch === newest)
  return first?.isr.filter((broker) => others.every((other) => other.isr.includes(broker))) ?? []
}
