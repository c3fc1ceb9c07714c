import type { ControllerContext, Partition } from './context'
import { isLegalReplicaTransition } from './replica-states'
import type { ReplicaState } from './replica-states'

export interface Replica {
  readonly partition: Partition
  readonly broker: number
}

/** What a move of one replica asks for besides the change in memory; carried out by state-changes.ts in its stated order. */
export type ReplicaCommand =
  /** LeaderAndIsr to the replica. */
  | { readonly do: 'tellReplica'; readonly isNew: boolean }
  | { readonly do: 'stopReplica'; readonly deletePartition: boolean }
  /** Take it out of the ISR, in ZooKeeper first; then LeaderAndIsr to the others. */
  | { readonly do: 'leaveIsr' }
  /** UpdateMetadata of the partition to everybody: it lists the replicas that are offline. */
  | { readonly do: 'tellMetadata' }
  /** Forget it in memory: it is no longer assigned. */
  | { readonly do: 'leaveAssignment' }

export type ReplicaPlan = { readonly refused: string } | { readonly commands: readonly ReplicaCommand[] }

/** What it takes to bring a replica from its state into `target` (Kafka's ReplicaStateMachine). Changes nothing. */
export function planReplicaMove(context: ControllerContext, replica: Replica, target: ReplicaState): ReplicaPlan {
  const { partition, broker } = replica
  const from = context.replicaState(partition, broker)
  if (!isLegalReplicaTransition(from, target)) return { refused: `${from} may not become ${target}` }
  const { leadership } = partition
  switch (target) {
    case 'NewReplica':
      if (leadership?.leader === broker) return { refused: 'a new replica must not be the leader' }
      return { commands: leadership === undefined ? [] : [{ do: 'tellReplica', isNew: true }] }
    case 'OnlineReplica':
      // From New its brokers have been told already, by the partition's own move to Online.
      if (from === 'NewReplica' || leadership === undefined) return { commands: [] }
      return { commands: [{ do: 'tellReplica', isNew: false }] }
    case 'OfflineReplica': {
      // The state goes with the topic, and the StopReplica that deletes also stops.
      if (partition.topic.deletion === 'started') return { commands: [] }
      const stop: ReplicaCommand = { do: 'stopReplica', deletePartition: false }
      const inIsr = leadership !== undefined && (leadership.isr.includes(broker) || leadership.leader === broker)
      return { commands: [stop, { do: inIsr ? 'leaveIsr' : 'tellMetadata' }] }
    }
    case 'ReplicaDeletionStarted':
      return { commands: [{ do: 'stopReplica', deletePartition: true }] }
    case 'NonExistentReplica':
      return { commands: [{ do: 'leaveAssignment' }] }
    case 'ReplicaDeletionSuccessful':
    case 'ReplicaDeletionIneligible':
      return { commands: [] }
  }
}
