import type { Logger } from '../../runtime/log'
import type { Clock } from '../../runtime/ports'
import type { Recorder } from '../../recording/events'
import type { MetadataCache } from '../metadata/metadata-cache'
import type { ProposalAnswer } from './alter-partition-manager'
import type { ReplicaConfig, TopicReplication } from './options'
import type { Partition } from './partition'
import type { PartitionState } from './partition-state'

/** What the partitions of a broker share: settings, and whom they tell of what happened. */
export interface PartitionContext {
  readonly brokerId: number
  readonly clock: Clock
  readonly config: ReplicaConfig
  readonly metadata: Pick<MetadataCache, 'hasAliveBroker'>
  readonly logger: Logger
  readonly recorder: Recorder
  topicReplication(topic: string): TopicReplication
  brokerEpoch(): number
  /** The end of the log moved. */
  appended(partition: Partition): void
  highWatermarkAdvanced(partition: Partition): void
  lowWatermarkMayHaveMoved(partition: Partition): void
  /** The role ended: what waits for this replica has waited in vain. */
  interrupted(partition: Partition): void
  truncated(partition: Partition, fromOffset: number, toOffset: number, reason: string): void
  /** Sends a proposal to the controller. `done` is called once, unless a newer proposal of the partition took its place. */
  proposeIsr(proposal: IsrProposalRequest, done: (answer: ProposalAnswer) => void): void
  /** The partition's state as ZooKeeper has it, undefined if it cannot be had. */
  readPartitionState(topic: string, partition: number): Promise<PartitionState | undefined>
}

export interface IsrProposalRequest {
  topic: string
  partition: number
  topicId: string | undefined
  leaderEpoch: number
  partitionEpoch: number
  isr: readonly { brokerId: number; brokerEpoch: number }[]
}
