import { TopicAdmin } from './admin/topic-admin'
import { alterConsumerGroupOffsets, listConsumerGroupOffsets } from './admin/group-offsets'
import {
  deleteConsumerGroupOffsets,
  deleteConsumerGroups,
  describeConsumerGroups,
  listConsumerGroups,
  removeMembersFromConsumerGroup,
} from './admin/groups'
import { abortTransaction, describeProducers, describeTransactions, fenceProducers, listTransactions } from './admin/transactions'
import type { CommittedOffset, OffsetToCommit } from './group/committed'
import type {
  ConsumerGroupDescription,
  ConsumerGroupListing,
  ListGroupsOptions,
  PartitionResult,
  RemovedMember,
} from './admin/groups'
import type {
  ListTransactionsOptions,
  ProducersOfPartition,
  TransactionDescription,
  TransactionListing,
  TransactionToAbort,
} from './admin/transactions'
import type { Node } from './cluster'
import type { TopicPartition } from './leaders'

export { AlterOperation, ElectionType, ResourceType } from './admin/types'
export type {
  ClusterDescription,
  ConfigChange,
  Features,
  NewTopic,
  Reassignment,
  ReplicaMove,
  ReplicaMoveResult,
} from './admin/types'

/**
 * What an administrator asks of a cluster. Each call retries while that can help; item errors are thrown, or given per
 * item where so said.
 */
export class Admin extends TopicAdmin {
  /** All consumer groups, by name, and the errors of brokers that could not tell theirs. */
  listConsumerGroups(
    options: ListGroupsOptions = {},
  ): Promise<{ groups: ConsumerGroupListing[]; errors: { node: Node; error: Error }[] }> {
    return listConsumerGroups(this.cluster, options)
  }

  /** Per group its description or its error. A group that does not exist is 'Dead'. */
  describeConsumerGroups(groupIds: readonly string[]): Promise<Map<string, ConsumerGroupDescription | Error>> {
    return describeConsumerGroups(this.cluster, groupIds)
  }

  /** What a group has committed, keyed `topic-partition`; of all partitions, unless some are named. Throws the group's error. */
  async listConsumerGroupOffsets(
    groupId: string,
    options: { partitions?: readonly TopicPartition[]; requireStable?: boolean } = {},
  ): Promise<Map<string, CommittedOffset>> {
    const found = (await this.listOffsetsOfConsumerGroups([groupId], options)).get(groupId)!
    if (found instanceof Error) throw found
    return found
  }

  /** The same for many groups, whose errors stand in the result. */
  listOffsetsOfConsumerGroups(
    groupIds: readonly string[],
    options: { partitions?: readonly TopicPartition[]; requireStable?: boolean } = {},
  ): Promise<Map<string, Map<string, CommittedOffset> | Error>> {
    const wanted = new Map(groupIds.map((groupId) => [groupId, options.partitions ?? null]))
    return listConsumerGroupOffsets(this.cluster, wanted, options.requireStable ?? false)
  }

  /** Commits for a group without members. Throws the group's error, UNKNOWN_MEMBER_ID when it has members. */
  alterConsumerGroupOffsets(groupId: string, offsets: readonly OffsetToCommit[]): Promise<PartitionResult[]> {
    return alterConsumerGroupOffsets(this.cluster, groupId, offsets)
  }

  /** Forgets offsets of topics that no member subscribes to (KIP-496). Throws the group's error. */
  deleteConsumerGroupOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<PartitionResult[]> {
    return deleteConsumerGroupOffsets(this.cluster, groupId, partitions)
  }

  /** Per group its error; undefined when it was deleted. */
  deleteConsumerGroups(groupIds: readonly string[]): Promise<Map<string, Error | undefined>> {
    return deleteConsumerGroups(this.cluster, groupIds)
  }

  /** Removes static members by instance id; all members when none is named (KIP-571). Throws the group's error. */
  removeMembersFromConsumerGroup(
    groupId: string,
    options: { groupInstanceIds?: readonly string[]; reason?: string } = {},
  ): Promise<RemovedMember[]> {
    return removeMembersFromConsumerGroup(this.cluster, groupId, options)
  }

  /** Per transactional id its description or its error. */
  describeTransactions(transactionalIds: readonly string[]): Promise<Map<string, TransactionDescription | Error>> {
    return describeTransactions(this.cluster, transactionalIds)
  }

  /** By broker id the transactions that it coordinates, or its error. */
  listTransactions(options: ListTransactionsOptions = {}): Promise<Map<number, TransactionListing[] | Error>> {
    return listTransactions(this.cluster, options)
  }

  /**
   * The producers that partitions know, keyed `topic-partition`; as their leaders see it, or as one broker does. Throws a
   * partition's error.
   */
  describeProducers(
    partitions: readonly TopicPartition[],
    options: { brokerId?: number } = {},
  ): Promise<Map<string, ProducersOfPartition>> {
    return describeProducers(this.cluster, partitions, options.brokerId)
  }

  /** Writes an abort marker into one partition, whatever the coordinator thinks: for transactions that hang (KIP-664). */
  abortTransaction(transaction: TransactionToAbort): Promise<void> {
    return abortTransaction(this.cluster, transaction)
  }

  /** Ends what the producers of these transactional ids have open, and fences them: who they are from now on, or an error. */
  fenceProducers(
    transactionalIds: readonly string[],
  ): Promise<Map<string, { producerId: number; producerEpoch: number } | Error>> {
    return fenceProducers(this.cluster, transactionalIds)
  }
}
