import { decode } from '../../../protocol/messages/codec'
import { consumerProtocolAssignment } from '../../../protocol/messages/consumer-protocol'
import { decodeGroupRecordKey, decodeGroupValue, decodeOffsetValue } from '../../../protocol/files/internal-records'
import type { GroupLogEntry } from './group-history'

/** `topic/partition`s of an assignment as the clients encode it: an int16 version in front. */
function partitionsOf(assignment: Buffer): string[] {
  if (assignment.length < 2) return []
  const version = Math.min(assignment.readInt16BE(0), 3)
  const { assignedPartitions } = decode(consumerProtocolAssignment, version, assignment.subarray(2))
  return assignedPartitions.flatMap(({ topic, partitions }) => partitions.map((partition) => `${topic}/${partition}`))
}

/** What a record of `__consumer_offsets` says, and of which group; undefined for a group that is gone, and for what a newer protocol wrote. */
export function groupLogEntry(keyBytes: Buffer, value: Buffer | null): { group: string; entry: GroupLogEntry } | undefined {
  const key = decodeGroupRecordKey(keyBytes)
  if (key.kind === 'offset') {
    const { group, topic, partition } = key
    const at = `${topic}/${partition}`
    return { group, entry: value === null ? { kind: 'offset gone', at } : { kind: 'offset', at, offset: decodeOffsetValue(value).offset } }
  }
  if (key.kind !== 'group' || value === null) return undefined
  const { generation, members } = decodeGroupValue(value)
  const assignments = new Map(members.map((member) => [member.groupInstanceId ?? member.memberId, partitionsOf(member.assignment)]))
  return { group: key.group, entry: { kind: 'group', generation, assignments } }
}
