/**
 * The four leader elections of the classic controller, one per cause (Kafka's PartitionLeaderElectionAlgorithms and Election).
 * Each is a pure function of what is known and says which rule decided, so that a timeline can show why.
 */

/** 0: the leader's log is complete. 1: it was elected uncleanly and is still recovering (KIP-704). */
export type LeaderRecoveryState = 0 | 1

export const RECOVERED: LeaderRecoveryState = 0
export const RECOVERING: LeaderRecoveryState = 1

export const NO_LEADER = -1
/** Brokers read this leader as "the topic is being deleted" (LeaderAndIsr.LeaderDuringDelete). */
export const LEADER_DURING_DELETE = -2

/** What a partition's state znode says. */
export interface LeaderAndIsr {
  readonly leader: number
  readonly leaderEpoch: number
  readonly isr: readonly number[]
  readonly recoveryState: LeaderRecoveryState
}

export type ElectionRule =
  | 'initial: first live replica'
  | 'offline: first live replica in ISR'
  | 'offline: unclean, first live replica'
  | 'reassign: first live target replica in ISR'
  | 'preferred: head of the assignment'
  | 'controlled shutdown: first other live replica in ISR'

export interface Elected extends LeaderAndIsr {
  readonly rule: ElectionRule
  /** Who is told by LeaderAndIsr. */
  readonly recipients: readonly number[]
}

export interface NotElected {
  readonly failed: string
}

export type Election = Elected | NotElected

export interface ElectionFacts {
  /** In order of preference. */
  readonly replicas: readonly number[]
  /** Is this replica's broker registered, not shutting down, and its log directory online? */
  readonly isOnline: (broker: number) => boolean
  readonly current: LeaderAndIsr
}

export function isElected(election: Election): election is Elected {
  return !('failed' in election)
}

function elected(
  current: LeaderAndIsr, leader: number, isr: readonly number[], rule: ElectionRule, recipients: readonly number[],
  recoveryState = current.recoveryState,
): Elected {
  return { leader, isr, leaderEpoch: current.leaderEpoch + 1, recoveryState, rule, recipients }
}

/** New to Online: the first live replica leads, all live replicas are in sync, the leader epoch is 0. */
export function electInitialLeader(replicas: readonly number[], isOnline: (broker: number) => boolean): Election {
  const live = replicas.filter(isOnline)
  const leader = live[0]
  if (leader === undefined) return { failed: `no replica of [${replicas.join(', ')}] is online` }
  return { leader, isr: live, leaderEpoch: 0, recoveryState: RECOVERED, rule: 'initial: first live replica', recipients: live }
}

/** The leader is gone. `uncleanAllowed` is asked only for when no member of the ISR lives; then data may be lost. */
export function electOfflinePartitionLeader(facts: ElectionFacts, uncleanAllowed: boolean, supportsRecovery = true): Election {
  const { replicas, isOnline, current } = facts
  const live = replicas.filter(isOnline)
  const clean = live.find((replica) => current.isr.includes(replica))
  if (clean !== undefined) {
    const isr = current.isr.filter(isOnline)
    return elected(current, clean, isr, 'offline: first live replica in ISR', live)
  }
  const unclean = live[0]
  if (uncleanAllowed && unclean !== undefined) {
    const recovery = supportsRecovery ? RECOVERING : current.recoveryState
    return elected(current, unclean, [unclean], 'offline: unclean, first live replica', live, recovery)
  }
  return { failed: `no replica in ISR [${current.isr.join(', ')}] is online, live replicas are [${live.join(', ')}]` }
}

/** A reassignment ends and the leader leaves: `replicas` is the target. */
export function electReassignLeader(facts: ElectionFacts): Election {
  const { replicas, isOnline, current } = facts
  const leader = replicas.find((replica) => isOnline(replica) && current.isr.includes(replica))
  if (leader === undefined) {
    return { failed: `no live target replica of [${replicas.join(', ')}] is in ISR [${current.isr.join(', ')}]` }
  }
  return elected(current, leader, current.isr, 'reassign: first live target replica in ISR', replicas)
}

export function electPreferredLeader(facts: ElectionFacts): Election {
  const { replicas, isOnline, current } = facts
  const preferred = replicas[0]
  if (preferred === undefined || !isOnline(preferred) || !current.isr.includes(preferred)) {
    return { failed: `preferred replica ${preferred ?? 'none'} is not online or not in ISR [${current.isr.join(', ')}]` }
  }
  return elected(current, preferred, current.isr, 'preferred: head of the assignment', replicas)
}

/** A broker asked to stop. `isOnline` here counts the brokers that are shutting down as online. */
export function electControlledShutdownLeader(facts: ElectionFacts, isShuttingDown: (broker: number) => boolean): Election {
  const { replicas, isOnline, current } = facts
  const live = replicas.filter(isOnline)
  const leader = live.find((replica) => current.isr.includes(replica) && !isShuttingDown(replica))
  if (leader === undefined) {
    return { failed: `no other live replica in ISR [${current.isr.join(', ')}], live replicas are [${live.join(', ')}]` }
  }
  const isr = current.isr.filter((replica) => !isShuttingDown(replica))
  return elected(current, leader, isr, 'controlled shutdown: first other live replica in ISR', live)
}
