import { ErrorCode, ProtocolError } from '../../protocol/errors'
import { CoordinatorType, perCoordinator, withCoordinator } from '../coordinators'
import { commitOffsets, fetchCommitted } from '../group/committed'
import type { Cluster } from '../cluster'
import type { CommittedOffset, OffsetToCommit } from '../group/committed'
import type { PartitionResult } from './groups'
import type { TopicPartition } from '../leaders'

/** Errors of a commit that concern the whole group; Kafka tells them by partition. */
const ofTheGroup: ReadonlySet<number> = new Set([
  ErrorCode.INVALID_GROUP_ID,
  ErrorCode.INVALID_COMMIT_OFFSET_SIZE,
  ErrorCode.GROUP_AUTHORIZATION_FAILED,
])

/**
 * The committed offsets of groups, keyed by group, then by `topic-partition`. A partition without an offset is missing,
 * and so is one
 * whose offset could not be told.
 */
export function listConsumerGroupOffsets(
  cluster: Cluster,
  groups: ReadonlyMap<string, readonly TopicPartition[] | null>,
  requireStable: boolean,
): Promise<Map<string, Map<string, CommittedOffset> | Error>> {
  return perCoordinator(
    cluster,
    'listing the offsets of consumer groups',
    CoordinatorType.group,
    [...groups.keys()],
    async (coordinator, groupIds) => {
      const wanted = groupIds.map((groupId) => ({ groupId, partitions: groups.get(groupId) ?? null }))
      const found = await fetchCommitted(cluster, coordinator, wanted, requireStable)
      return new Map([...found].map(([groupId, result]) => [groupId, result instanceof ProtocolError ? result : result.offsets]))
    },
  )
}

/** Commits for a group that has no members. Throws the group's error; a partition's stands in its result. */
export function alterConsumerGroupOffsets(
  cluster: Cluster,
  groupId: string,
  offsets: readonly OffsetToCommit[],
): Promise<PartitionResult[]> {
  const member = { groupId, generationId: -1, memberId: '', groupInstanceId: null }
  return withCoordinator<PartitionResult[]>(
    cluster,
    `altering the offsets of group ${groupId}`,
    CoordinatorType.group,
    groupId,
    async (coordinator) => {
      const results = await commitOffsets(cluster, coordinator, member, offsets)
      for (const { code } of results) {
        const passes =
          code === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS ||
          code === ErrorCode.COORDINATOR_NOT_AVAILABLE ||
          code === ErrorCode.NOT_COORDINATOR
        if (passes || ofTheGroup.has(code)) return new ProtocolError(code)
      }
      return results.map(({ topic, partition, code }) => ({
        topic,
        partition,
        error: code === 0 ? undefined : new ProtocolError(code),
      }))
    },
  )
}
