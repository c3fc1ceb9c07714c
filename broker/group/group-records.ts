import { encodeGroupKey, encodeGroupValue, encodeOffsetKey, encodeOffsetValue } from '../../protocol/files/internal-records'
import { BatchBuilder } from '../../protocol/records/records'
import { Member, NOTHING } from './member'
import type { GroupMetadataValue } from '../../protocol/messages/group-metadata-record'
import type { OffsetCommitValue } from '../../protocol/messages/offset-commit-record'
import type { Group } from './group'
import type { GroupConfig } from './group-config'
import type { CommittedOffset, OffsetEntry, OffsetKey } from './offset-cache'

/** Tombstones go in batches of about this size: many offsets may go at once, and a batch has its limit (message.max.bytes). */
const TOMBSTONE_BATCH_BYTES = 256 * 1024
/** The first version of an offset's value that has an expiry, and the only one. */
const EXPLICIT_EXPIRY_VERSION = 1

type Versions = Pick<GroupConfig, 'codec' | 'groupValueVersion' | 'offsetValueVersion'>

/** The record of a group, in a batch of its own. `assignments` by member id, of each member. */
export function groupBatch(
  group: Group,
  assignments: ReadonlyMap<string, Buffer>,
  config: Versions,
  nowMs: number,
): Buffer {
  const { protocolName } = group
  const value = encodeGroupValue(
    {
      protocolType: group.protocolType ?? '',
      generation: group.generationId,
      protocol: protocolName ?? null,
      leader: group.leaderId ?? null,
      currentStateTimestamp: group.stateSinceMs ?? -1,
      members: [...group.members.values()].map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        rebalanceTimeout: member.rebalanceTimeoutMs,
        sessionTimeout: member.sessionTimeoutMs,
        subscription: member.metadataOf(protocolName ?? ''),
        assignment: assignments.get(member.memberId) ?? NOTHING,
      })),
    },
    config.groupValueVersion,
  )
  return new BatchBuilder({ codec: config.codec }).append(encodeGroupKey(group.groupId), value, [], nowMs).build()
}

function offsetValue(commit: CommittedOffset, version: number): Buffer {
  const { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp } = commit
  const value = { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp }
  return encodeOffsetValue(value, expireTimestamp >= 0 ? EXPLICIT_EXPIRY_VERSION : version)
}

/** Committed offsets in one batch; a transactional one if a producer is given. */
export function offsetsBatch(
  groupId: string,
  entries: readonly OffsetEntry[],
  config: Versions,
  nowMs: number,
  producer?: { producerId: number; producerEpoch: number },
): Buffer {
  const builder = new BatchBuilder({
    codec: config.codec,
    // Nobody numbers these batches: the coordinator is the only one that writes them. 0 is what Kafka's GroupMetadataManager writes.
    baseSequence: 0,
    ...(producer === undefined ? {} : { ...producer, transactional: true }),
  })
  for (const { topic, partition, commit } of entries) {
    builder.append(encodeOffsetKey(groupId, topic, partition), offsetValue(commit, config.offsetValueVersion), [], nowMs)
  }
  return builder.build()
}

/** Takes offsets out of the log, and the group if `withGroup`. */
export function* tombstoneBatches(
  groupId: string,
  offsets: Iterable<OffsetKey>,
  withGroup: boolean,
  config: Versions,
  nowMs: number,
): Generator<Buffer> {
  let builder = new BatchBuilder({ codec: config.codec })
  for (const { topic, partition } of offsets) {
    if (builder.uncompressedSize >= TOMBSTONE_BATCH_BYTES) {
      yield builder.build()
      builder = new BatchBuilder({ codec: config.codec })
    }
    builder.append(encodeOffsetKey(groupId, topic, partition), null, [], nowMs)
  }
  if (withGroup) builder.append(encodeGroupKey(groupId), null, [], nowMs)
  if (builder.count > 0) yield builder.build()
}

/** The commit in a record. */
export function committedOffset(value: OffsetCommitValue, appendedAt: number): CommittedOffset {
  const { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp } = value
  return { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp, appendedAt }
}

/** Fills a group with what its record says; its bytes become the group's. */
export function restoreGroup(group: Group, value: GroupMetadataValue): void {
  group.generationId = value.generation
  group.protocolType = value.protocolType === '' ? undefined : value.protocolType
  group.protocolName = value.protocol ?? undefined
  group.leaderId = value.leader ?? undefined
  group.stateSinceMs = value.currentStateTimestamp < 0 ? undefined : value.currentStateTimestamp
  for (const saved of value.members) {
    const member = new Member({
      memberId: saved.memberId,
      groupInstanceId: saved.groupInstanceId,
      clientId: saved.clientId,
      clientHost: saved.clientHost,
      rebalanceTimeoutMs: saved.rebalanceTimeout < 0 ? saved.sessionTimeout : saved.rebalanceTimeout,
      sessionTimeoutMs: saved.sessionTimeout,
      protocolType: value.protocolType,
      protocols: [{ name: value.protocol ?? '', metadata: saved.subscription }],
    })
    member.assignment = saved.assignment
    group.add(member)
  }
  if (group.members.size > 0) group.state = 'Stable'
  if (group.leaderId === undefined || !group.members.has(group.leaderId)) group.leaderId = group.members.keys().next().value
  group.learnSubscribedTopics()
}
