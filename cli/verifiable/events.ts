import { exceptionClass } from '../tool/exceptions'
import { jsonDouble } from '../tool/java-number'

/** One line, the time first, as Kafka's verifiable clients print it. `raw` values are written as they are. */
export function eventLine(timestamp: number, name: string, fields: readonly (readonly [name: string, value: unknown])[] = []): string {
  const parts = fields.map(([field, value]) => `${JSON.stringify(field)}:${value instanceof Raw ? value.text : JSON.stringify(value)}`)
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
  return eventLine(timestamp, 'producer_send_success', [['key', key], ['value', value], ['offset', offset], ['topic', topic], ['partition', partition]])
}

export function sendError(timestamp: number, { key, value, topic }: Sent, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return eventLine(timestamp, 'producer_send_error', [
    ['topic', topic], ['key', key], ['value', value], ['exception', `class ${exceptionClass(error)}`], ['message', message],
  ])
}

export function toolData(timestamp: number, sent: number, acked: number, throughput: number, elapsedMs: number): string {
  return eventLine(timestamp, 'tool_data', [
    ['sent', sent], ['acked', acked], ['target_throughput', throughput], ['avg_throughput', new Raw(jsonDouble((1000 * acked) / elapsedMs))],
  ])
}
