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
