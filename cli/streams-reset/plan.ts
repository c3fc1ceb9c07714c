import { OffsetSpec } from '../../client/offsets'
import { partitionKey } from '../../client/leaders'
import { parseDateTime, parseDuration } from '../tool/java-time'
import type { Admin } from '../../client/admin'
import type { CommandLine } from '../tool/command-line'
import type { Planned } from '../consumer-groups/csv'
import type { TopicPartition } from '../../client/leaders'

const INTERNAL = /(-changelog|-repartition|-subscription-registration-topic|-subscription-response-topic)$/
const JOIN = /^.+-KTABLE-FK-JOIN-SUBSCRIPTION-(REGISTRATION|RESPONSE)-\d+-topic$/

/** Whether Kafka Streams has made this topic for an application. */
export function isInternalTopicOf(applicationId: string, topic: string): boolean {
  return topic.startsWith(`${applicationId}-`) && (INTERNAL.test(topic) || JOIN.test(topic))
}

/** An offset moved into what the log holds, with Kafka's remark, which it makes at the very edges too. */
export function checkedOffset(offset: number, start: number, end: number, say: (text: string) => void): number {
  if (offset >= end) {
    say(`New offset (${offset}) is higher than latest offset. Value will be set to ${end}\n`)
    return end
  }
  if (offset > start) return offset
  say(`New offset (${offset}) is lower than earliest offset. Value will be set to ${start}\n`)
  return start
}

/** `topic,partition,offset` a line. Throws Error in Kafka's words. */
export function parsePlan(text: string): Map<string, Planned> {
  if (text === '') throw new Error('Error parsing reset plan CSV file. It is empty,')
  const plan = new Map<string, Planned>()
  for (const line of text.replace(/\n+$/, '').split('\n')) {
    const parts = line.split(',')
    if (parts.length !== 3) throw new Error('Reset plan CSV file is not following the format `TOPIC,PARTITION,OFFSET`.')
    for (const number of parts.slice(1)) if (!/^[-+]?\d+$/.test(number)) throw new Error(`For input string: "${number}"`)
    plan.set(partitionKey(parts[0]!, Number(parts[1])), {
      topic: parts[0]!,
      partition: Number(parts[1]),
      offset: Number(parts[2]),
    })
  }
  return plan
}

/** Where the application is to begin in its input topics. `fromFile` is the text of the plan. */
export async function inputOffsets(
  admin: Admin,
  line: CommandLine,
  partitions: readonly TopicPartition[],
  fromFile: string | undefined,
  nowMs: number,
  say: (text: string) => void,
): Promise<Planned[]> {
  const offsetsAt = async (timestamp: number): Promise<Map<string, number>> => {
    if (partitions.length === 0) return new Map()
    const found = await admin.listOffsets(partitions.map((each) => ({ ...each, timestamp })))
    return new Map([...found].map(([key, { offset }]) => [key, offset]))
  }
  const [starts, ends] = await Promise.all([offsetsAt(OffsetSpec.earliest), offsetsAt(OffsetSpec.latest)])
  const each = (offsetOf: (key: string, partition: TopicPartition) => number): Planned[] =>
    partitions.map((partition) => ({
      ...partition,
      offset: offsetOf(partitionKey(partition.topic, partition.partition), partition),
    }))
  const checked = (key: string, offset: number): number => checkedOffset(offset, starts.get(key)!, ends.get(key)!, say)
  const atTime = async (timestamp: number): Promise<Planned[]> => {
    const found = await offsetsAt(timestamp)
    return each((key, { topic, partition }) => {
      const offset = found.get(key)!
      if (offset >= 0) return offset
      say(
        `Partition ${partition} from topic ${topic} is empty, without a committed record. Falling back to latest known offset.\n`,
      )
      return ends.get(key)!
    })
  }
  if (line.has('to-offset')) return each((key) => checked(key, line.whole('to-offset', 0)))
  if (line.has('to-latest')) return each((key) => ends.get(key)!)
  if (line.has('shift-by')) {
    const committed = await admin.listConsumerGroupOffsets(line.required('application-id'))
    return each((key) => checked(key, (committed.get(key)?.offset ?? ends.get(key)!) + line.whole('shift-by', 0)))
  }
  if (line.has('to-datetime')) return atTime(parseDateTime(line.required('to-datetime')))
  if (line.has('by-duration')) return atTime(nowMs - parseDuration(line.required('by-duration')))
  if (fromFile !== undefined) {
    const plan = parsePlan(fromFile)
    return each((key) => {
      const planned = plan.get(key)
      if (planned === undefined) throw new Error(`The reset plan has no offset for ${key}.`)
      return checked(key, planned.offset)
    })
  }
  return each((key) => starts.get(key)!)
}
