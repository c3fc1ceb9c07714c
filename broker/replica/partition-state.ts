/** One partition's state as the controller decides it: from LeaderAndIsr, or from the state znode. */
export interface PartitionState {
  controllerEpoch: number
  /** -1: none. */
  leader: number
  leaderEpoch: number
  isr: readonly number[]
  /** Version of the state znode. */
  partitionEpoch: number
}

/** What LeaderAndIsr says of one replica. */
export interface ReplicaAssignment extends PartitionState {
  replicas: readonly number[]
  addingReplicas: readonly number[]
  removingReplicas: readonly number[]
  isNew: boolean
}

/** Has the leader that stands in `state` taken the place of this broker, which leads in `leader.leaderEpoch`? */
export function deposes(state: PartitionState, leader: { leaderEpoch: number; context: { brokerId: number } }): boolean {
  if (state.leaderEpoch !== leader.leaderEpoch) return state.leaderEpoch > leader.leaderEpoch
  return state.leader !== leader.context.brokerId
}

/**
 * The order of partition states: LeaderAndIsr raises the leader epoch, AlterPartition only the partition epoch, and both may
 * overtake one another (KAFKA-13790). Negative if `a` is older.
 */
export function compareEpochs(
  a: { leaderEpoch: number; partitionEpoch: number },
  b: { leaderEpoch: number; partitionEpoch: number },
): number {
  return a.leaderEpoch - b.leaderEpoch || a.partitionEpoch - b.partitionEpoch
}
