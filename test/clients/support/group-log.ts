import { Admin, Consumer } from '../../../index'
import { groupLogEntry } from './group-records'
import type { GroupLogEntry } from './group-history'

const OFFSETS_TOPIC = '__consumer_offsets'

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
  for (const each of assignment) {
    while ((await consumer.position(each)) < ends.get(`${each.topic}-${each.partition}`)!) {
      for (const { key: bytes, value } of await consumer.poll(1000)) {
        const found = groupLogEntry(bytes!, value)
        if (found === undefined) continue
        const log = logs.get(found.group)
        if (log === undefined) logs.set(found.group, [found.entry])
        else log.push(found.entry)
      }
    }
  }
  await consumer.close()
  return logs
}
