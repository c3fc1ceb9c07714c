import { ApiKey } from '../../protocol/messages/apis'
import { ErrorCode, ProtocolError } from '../../protocol/errors'
import { byTopic, partitionKey } from '../leaders'
import type { Cluster, Node, SendOptions } from '../cluster'
import type { OffsetCommitResponse } from '../../protocol/messages/offset-commit'
import type { OffsetFetchResponse } from '../../protocol/messages/offset-fetch'
import type { TopicPartition } from '../leaders'

/** A position that a group has reached, with what its consumers noted beside it. */
export interface CommittedOffset extends TopicPartition {
  offset: number
  /** Of the last record consumed; -1 when it is not known. */
  leaderEpoch: number
  metadata: string
}

/** A position to commit: that of the next record to consume. */
export interface OffsetToCommit extends TopicPartition {
  offset: number
  leaderEpoch?: number | undefined
  metadata?: string | undefined
}

/** Who commits: nobody in particular (generation -1), or a member of a generation. */
export interface GroupMember {
  groupId: string
  generationId: number
  memberId: string
  groupInstanceId: string | null
}

/** What became of one partition of a commit. */
export interface CommitResult extends TopicPartition {
  code: number
}

const FIRST_BATCHED_FETCH = 8
const FIRST_STABLE_FETCH = 7
const FIRST_WITH_INSTANCES = 7

/**
 * Asks a coordinator for the offsets of groups; `partitions` null: all that the group has. Partitions without an offset
 * are left out. An error
 * of a group stands in its place; one of a partition in `errors`, keyed `topic-partition`.
 */
export async function fetchCommitted(
  cluster: Cluster,
  coordinator: Node,
  groups: readonly { groupId: string; partitions: readonly TopicPartition[] | null }[],
  requireStable: boolean,
  options: SendOptions = {},
): Promise<Map<string, ProtocolError | { offsets: Map<string, CommittedOffset>; errors: Map<string, ProtocolError> }>> {
  const topicsOf = (partitions: readonly TopicPartition[] | null): { name: string; partitionIndexes: number[] }[] | null =>
    partitions === null
      ? null
      : byTopic(partitions).map(({ topic, partitions: list }) => ({
          name: topic,
          partitionIndexes: list.map(({ partition }) => partition),
        }))
  const version = (await cluster.connection(coordinator.host, coordinator.port, options.lane)).versionOf(ApiKey.offsetFetch)
  const batched = version >= FIRST_BATCHED_FETCH
  const bodies = batched
    ? [{ groups: groups.map(({ groupId, partitions }) => ({ groupId, topics: topicsOf(partitions) })), requireStable }]
    : groups.map(({ groupId, partitions }) => ({
        groupId,
        topics: topicsOf(partitions),
        requireStable: requireStable && version >= FIRST_STABLE_FETCH,
      }))
  const results = new Map<string, ProtocolError | { offsets: Map<string, CommittedOffset>; errors: Map<string, ProtocolError> }>()
  for (const [index, body] of bodies.entries()) {
    const response = await cluster.sendTo<OffsetFetchResponse>(coordinator, ApiKey.offsetFetch, body, { ...options, version })
    const answers = batched
      ? response.groups
      : [{ groupId: groups[index]!.groupId, topics: response.topics, errorCode: response.errorCode }]
    for (const group of answers) {
      if (group.errorCode !== 0) {
        results.set(group.groupId, new ProtocolError(group.errorCode))
        continue
      }
      const offsets = new Map<string, CommittedOffset>()
      const errors = new Map<string, ProtocolError>()
      for (const { name, partitions } of group.topics) {
        for (const each of partitions) {
          const key = partitionKey(name, each.partitionIndex)
          if (each.errorCode !== 0) errors.set(key, new ProtocolError(each.errorCode))
          else if (each.committedOffset >= 0) {
            offsets.set(key, {
              topic: name,
              partition: each.partitionIndex,
              offset: each.committedOffset,
              leaderEpoch: each.committedLeaderEpoch,
              metadata: each.metadata ?? '',
            })
          }
        }
      }
      results.set(group.groupId, { offsets, errors })
    }
  }
  return results
}

/** Sends one commit; gives each partition's code. */
export async function commitOffsets(
  cluster: Cluster,
  coordinator: Node,
  member: GroupMember,
  offsets: readonly OffsetToCommit[],
  options: SendOptions = {},
): Promise<CommitResult[]> {
  const response = await cluster.sendTo<OffsetCommitResponse>(
    coordinator,
    ApiKey.offsetCommit,
    (version: number) => ({
      groupId: member.groupId,
      ...(version >= 1 ? { generationIdOrMemberEpoch: member.generationId, memberId: member.memberId } : {}),
      ...(version >= FIRST_WITH_INSTANCES ? { groupInstanceId: member.groupInstanceId } : {}),
      topics: byTopic(offsets).map(({ topic, partitions }) => ({
        name: topic,
        partitions: partitions.map(({ partition, offset, leaderEpoch, metadata }) => ({
          partitionIndex: partition,
          committedOffset: offset,
          committedLeaderEpoch: leaderEpoch ?? -1,
          committedMetadata: metadata ?? '',
        })),
      })),
    }),
    options,
  )
  const codes = new Map(
    response.topics.flatMap(({ name, partitions }) =>
      partitions.map((each) => [partitionKey(name, each.partitionIndex), each.errorCode] as const),
    ),
  )
  return offsets.map(({ topic, partition }) => ({
    topic,
    partition,
    code: codes.get(partitionKey(topic, partition)) ?? ErrorCode.UNKNOWN_SERVER_ERROR,
  }))
}
