import { Admin, Consumer } from '../../../index'
import { decode } from '../../../protocol/messages/codec'
import { consumerProtocolAssignment } from '../../../protocol/messages/consumer-protocol'
import { decodeGroupRecordKey, decodeGroupValue, decodeOffsetValue } from '../../../protocol/files/internal-records'
import type { GroupLogEntry } from './group-history'

const OFFSETS_TOPIC = '__consumer_offsets'

/** `topic/partition`s of an assignment as the clients encode it: an int16 version in front. */
function partitionsOf(assignment: Buffer): string[] {
  if (assignment.length < 2) return []
  const version = Math.min(assignment.readInt16BE(0), 3)
  const { assignedPartitions } = decode(consumerProtocolAssignment, version, assignment.subarray(2))
  return assignedPartitions.flatMap(({ topic, partitions }) => partitions.map((partition) => `${topic}/${partition}`))
}

/** What `__consumer_offsets` holds of each group, in the order of its partition. */
export async function readGroupLogs(bootstrapServers: string): Promise<Map<string, GroupLogEntry[]>> {
  const admin = new Admin({ 'bootstrap.servers': bootstrapServers })
  const [topic] = await admin.describeTopics([OFFSETS_TOPIC])
  await admin.close()
  const consumer = new Consumer({ 'bootstrap.servers': bootstrapServers, 'auto.offset.reset': 'earliest' })
  const assignment = topic!.partitions.map(({ partition }) => ({ topic: OFFSETS_TOPIC, partition }))
  consumer.assign(assignment)
  const ends = await consumer.endOffsets(assignment)
  const logs = new Map<string, GroupLogEntry[]>()
  const add = (group: string, entry: GroupLogEntry): void => {
    const log = logs.get(group)
    if (log === undefined) logs.set(group, [entry])
    else log.push(entry)
  }
  for (const each of assignment) {
    while ((await consumer.position(each)) < ends.get(`${each.topic}-${each.partition}`)!) {
      for (const { key: bytes, value } of await consumer.poll(1000)) {
        const key = decodeGroupRecordKey(bytes!)
        if (key.kind === 'offset') {
          const at = `${key.topic}/${key.partition}`
          add(key.group, value === null ? { kind: 'offset gone', at } : { kind: 'offset', at, offset: decodeOffsetValue(value).offset })
        } else if (key.kind === 'group' && value !== null) {
          const { generation, members } = decodeGroupValue(value)
          const assignments = new Map(members.map((member) => [member.groupInstanceId ?? member.memberId, partitionsOf(member.assignment)]))
          add(key.group, { kind: 'group', generation, assignments })
        }
      }
    }
  }
  await consumer.close()
  return logs
}
