import { targetReplicas } from './assignment'
import type { ControllerContext, Partition } from './context'
import {
  electControlledShutdownLeader, electInitialLeader, electOfflinePartitionLeader, electPreferredLeader, electReassignLeader,
  NO_LEADER,
} from './leader-election'
import type { Election, LeaderAndIsr } from './leader-election'
import { isLegalPartitionTransition } from './partition-states'
import type { PartitionState } from './partition-states'

/** Why a leader is elected; each has its own rules (leader-election.ts). */
export type ElectionStrategy =
  | { readonly kind: 'offline'; readonly allowUnclean: boolean }
  | { readonly kind: 'reassign' }
  | { readonly kind: 'preferred' }
  | { readonly kind: 'controlledShutdown' }

export const OFFLINE_ELECTION: ElectionStrategy = { kind: 'offline', allowUnclean: false }

export interface ElectionPolicy {
  /** unclean.leader.election.enable of the partition's topic. */
  uncleanAllowed(partition: Partition): boolean
  recoveryState: boolean
}

/** The partitions that may enter `target`, and those that may not. Unknown is NonExistentPartition. */
export function sortByLegality(
  partitions: Iterable<Partition>, target: PartitionState,
): { legal: Partition[]; illegal: Partition[] } {
  const legal: Partition[] = []
  const illegal: Partition[] = []
  for (const partition of partitions) (isLegalPartitionTransition(partition.state, target) ? legal : illegal).push(partition)
  return { legal, illegal }
}

/** NewPartition to OnlinePartition. A partition with a past goes on from there, so that no broker holds a higher leader epoch. */
export function planInitialLeader(context: ControllerContext, partition: Partition, policy: ElectionPolicy): Election {
  const isOnline = (broker: number) => context.isReplicaOnline(broker, partition)
  const { former, isPastUnknown } = partition
  if (isPastUnknown) return { failed: 'its state was lost, and not all replicas can say yet what it was' }
  if (former === undefined) return electInitialLeader(partition.assignment.replicas, isOnline)
  const facts = { replicas: partition.assignment.replicas, isOnline, current: former }
  return electOfflinePartitionLeader(facts, policy.uncleanAllowed(partition), policy.recoveryState)
}

/** OnlinePartition or OfflinePartition to OnlinePartition, from what is known of the partition now. */
export function planElection(
  context: ControllerContext, partition: Partition, current: LeaderAndIsr, strategy: ElectionStrategy, policy: ElectionPolicy,
): Election {
  const isOnline = (broker: number) => context.isReplicaOnline(broker, partition)
  const replicas = partition.assignment.replicas
  switch (strategy.kind) {
    case 'offline': {
      const unclean = strategy.allowUnclean || policy.uncleanAllowed(partition)
      return electOfflinePartitionLeader({ replicas, isOnline, current }, unclean, policy.recoveryState)
    }
    case 'reassign':
      return electReassignLeader({ replicas: targetReplicas(partition.assignment), isOnline, current })
    case 'preferred':
      return electPreferredLeader({ replicas, isOnline, current })
    case 'controlledShutdown': {
      const isOnlineOrStopping = (broker: number) => context.isReplicaOnline(broker, partition, true)
      return electControlledShutdownLeader(
        { replicas, isOnline: isOnlineOrStopping, current }, (broker) => context.shuttingDown.has(broker),
      )
    }
  }
}

/** Would an election of kind 'offline' have to be unclean? Then the topic's configuration decides. */
export function hasNoLiveIsr(context: ControllerContext, partition: Partition): boolean {
  return !((partition.leadership ?? partition.former)?.isr ?? []).some((broker) => context.isReplicaOnline(broker, partition))
}

/** A replica goes: it leads no more, and leaves the ISR unless it is its last member. undefined: there is nothing to change. */
export function withoutReplica(current: LeaderAndIsr, broker: number): LeaderAndIsr | undefined {
  if (!current.isr.includes(broker) && current.leader !== broker) return undefined
  const rest = current.isr.filter((member) => member !== broker)
  const leader = current.leader === broker ? NO_LEADER : current.leader
  const isr = rest.length === 0 ? current.isr : rest
  if (leader === current.leader && isr.length === current.isr.length) return undefined
  return { leader, isr, leaderEpoch: current.leaderEpoch + 1, recoveryState: current.recoveryState }
}

/**
 * Some brokers restarted unseen: out of the ISR with them as long as a live member did not; the last ones stay, but lead in a new epoch only.
 * undefined: there is nothing to change.
 */
export function afterRestarts(
  current: LeaderAndIsr, isLive: (broker: number) => boolean, hasRestarted: (broker: number) => boolean,
): LeaderAndIsr | undefined {
  const steady = current.isr.filter((broker) => !hasRestarted(broker))
  if (steady.length === current.isr.length) return undefined
  if (!steady.some(isLive)) return hasRestarted(current.leader) ? withNextEpoch(current) : undefined
  const leader = hasRestarted(current.leader) ? NO_LEADER : current.leader
  return { leader, isr: steady, leaderEpoch: current.leaderEpoch + 1, recoveryState: current.recoveryState }
}

/** The same leader and ISR under the next leader epoch, so that brokers take a changed assignment. */
export function withNextEpoch(current: LeaderAndIsr): LeaderAndIsr {
  const { leader, isr, leaderEpoch, recoveryState } = current
  return { leader, isr, leaderEpoch: leaderEpoch + 1, recoveryState }
}
