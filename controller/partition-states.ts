/** The states of a partition and the moves between them, by Kafka's names (PartitionStateMachine). */

export type PartitionState = 'NonExistentPartition' | 'NewPartition' | 'OnlinePartition' | 'OfflinePartition'

/** A partition may enter the state on the left only from one on the right. */
export const LEGAL_PREVIOUS_PARTITION_STATES: Readonly<Record<PartitionState, readonly PartitionState[]>> = {
  NewPartition: ['NonExistentPartition'],
  OnlinePartition: ['NewPartition', 'OnlinePartition', 'OfflinePartition'],
  OfflinePartition: ['NewPartition', 'OnlinePartition', 'OfflinePartition'],
  NonExistentPartition: ['OfflinePartition'],
}

export function isLegalPartitionTransition(from: PartitionState, to: PartitionState): boolean {
  return LEGAL_PREVIOUS_PARTITION_STATES[to].includes(from)
}
