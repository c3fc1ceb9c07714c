import { byTopic } from '../../client/leaders'
import { exceptionClass } from '../tool/exceptions'
import { jsonDouble } from '../tool/java-number'
import type { ConsumerRecord } from '../../client/fetched'
import type { TopicPartition } from '../../client/leaders'

/** One line, the time first, as Kafka's verifiable clients print it. `raw` values are written as they are. */
export function eventLine(
  timestamp: number,
  name: string,
  fields: readonly (readonly [name: string, value: unknown])[] = [],
): string {
  const parts = fields.map(
    ([field, value]) => `${JSON.stringify(field)}:${value instanceof Raw ? value.text : JSON.stringify(value)}`,
  )
  return `{${[`"timestamp":${timestamp}`, `"name":${JSON.stringify(name)}`, ...parts].join(',')}}\n`
}

class Raw {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export interface Sent {
  key: string | null
  value: string
  topic: string
}

export function sendSuccess(timestamp: number, { key, value, topic }: Sent, partition: number, offset: number): string {
  return eventLine(timestamp, 'producer_send_success', [
    ['key', key],
    ['value', value],
    ['offset', offset],
    ['topic', topic],
    ['partition', partition],
  ])
}

export function sendError(timestamp: number, { key, value, topic }: Sent, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return eventLine(timestamp, 'producer_send_error', [
    ['topic', topic],
    ['key', key],
    ['value', value],
    ['exception', `class ${exceptionClass(error)}`],
    ['message', message],
  ])
}

export function toolData(timestamp: number, sent: number, acked: number, throughput: number, elapsedMs: number): string {
  return eventLine(timestamp, 'tool_data', [
    ['sent', sent],
    ['acked', acked],
    ['target_throughput', throughput],
    ['avg_throughput', new Raw(jsonDouble((1000 * acked) / elapsedMs))],
  ])
}

/** Partitions that came or went. */
export function partitionsEvent(
  timestamp: number,
  name: 'partitions_assigned' | 'partitions_revoked',
  partitions: readonly TopicPartition[],
): string {
  return eventLine(timestamp, name, [['partitions', partitions.map(({ topic, partition }) => ({ topic, partition }))]])
}

export function recordData(timestamp: number, record: ConsumerRecord): string {
  const text = (bytes: Buffer | null): string | null => bytes?.toString() ?? null
  return eventLine(timestamp, 'record_data', [
    ['key', text(record.key)],
    ['value', text(record.value)],
    ['topic', record.topic],
    ['partition', record.partition],
    ['offset', record.offset],
  ])
}

/** What a poll gave, by partition. */
export interface Summary extends TopicPartition {
  count: number
  minOffset: number
  maxOffset: number
}

/** Adds up the records by partition, at most `most` of them in all. */
export function summariesOf(records: readonly ConsumerRecord[], most: number): { summaries: Summary[]; taken: ConsumerRecord[] } {
  const summaries: Summary[] = []
  const taken: ConsumerRecord[] = []
  for (const { topic, partitions } of byTopic(records)) {
    for (const partition of new Set(partitions.map((record) => record.partition))) {
      const part = partitions.filter((record) => record.partition === partition).slice(0, Math.max(most - taken.length, 0))
      if (part.length === 0) continue
      taken.push(...part)
      summaries.push({ topic, partition, count: part.length, minOffset: part[0]!.offset, maxOffset: part.at(-1)!.offset })
    }
  }
  return { summaries, taken }
}

export function recordsConsumed(timestamp: number, count: number, summaries: readonly Summary[]): string {
  return eventLine(timestamp, 'records_consumed', [
    ['count', count],
    ['partitions', summaries],
  ])
}

export function offsetsCommitted(
  timestamp: number,
  offsets: readonly (TopicPartition & { offset: number })[],
  error: unknown,
): string {
  const fields: [string, unknown][] = [['offsets', offsets.map(({ topic, partition, offset }) => ({ topic, partition, offset }))]]
  if (error !== undefined) fields.push(['error', error instanceof Error ? error.message : String(error)])
  return eventLine(timestamp, 'offsets_committed', [...fields, ['success', error === undefined]])
}
