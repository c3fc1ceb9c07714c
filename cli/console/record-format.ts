import { javaString } from '../tool/java-string'
import type { ConsumerRecord } from '../../client/fetched'

type Deserializer = (bytes: Buffer) => string

/** By the last part of Kafka's class names. */
const DESERIALIZERS: Record<string, Deserializer> = {
  StringDeserializer: javaString,
  ByteArrayDeserializer: javaString,
  LongDeserializer: (bytes) => String(bytes.readBigInt64BE(0)),
  IntegerDeserializer: (bytes) => String(bytes.readInt32BE(0)),
  ShortDeserializer: (bytes) => String(bytes.readInt16BE(0)),
  DoubleDeserializer: (bytes) => javaNumber(bytes.readDoubleBE(0)),
  FloatDeserializer: (bytes) => javaNumber(Math.fround(bytes.readFloatBE(0))),
  UUIDDeserializer: javaString,
}

function javaNumber(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e7 ? value.toFixed(1) : String(value)
}

/** Kafka's tool, too, goes on with the bytes as they are when a class is unknown. */
function deserializer(name: string | undefined, warn: (text: string) => void): (bytes: Buffer) => Buffer | string {
  const asIs = (bytes: Buffer): Buffer => bytes
  if (name === undefined) return asIs
  const found = DESERIALIZERS[name.split('.').at(-1)!]
  if (found === undefined) warn(`Unable to instantiate a deserializer from ${name}`)
  return found ?? asIs
}

/** The properties of Kafka's DefaultMessageFormatter. */
export class RecordFormat {
  private readonly properties: Readonly<Record<string, string>>
  private readonly keyOf: (bytes: Buffer) => Buffer | string
  private readonly contentOf: (bytes: Buffer) => Buffer | string
  private readonly headerOf: (bytes: Buffer) => Buffer | string

  /** `warn` hears of deserializers that there are not. */
  constructor(properties: Readonly<Record<string, string>>, warn: (text: string) => void) {
    this.properties = properties
    this.keyOf = deserializer(properties['key.deserializer'], warn)
    this.contentOf = deserializer(properties['value.deserializer'], warn)
    this.headerOf = deserializer(properties['headers.deserializer'], warn)
  }

  /** Timestamp, partition, offset, headers, key, value, as far as they are asked for, in this order. */
  format(record: ConsumerRecord): Buffer {
    const parts: (Buffer | string)[] = []
    const absent = this.properties['null.literal'] ?? 'null'
    if (this.shows('print.timestamp')) {
      parts.push(record.timestampType === 'NoTimestampType' ? 'NO_TIMESTAMP' : `${record.timestampType}:${record.timestamp}`)
    }
    if (this.shows('print.partition')) parts.push(`Partition:${record.partition}`)
    if (this.shows('print.offset')) parts.push(`Offset:${record.offset}`)
    if (this.shows('print.headers')) parts.push(this.headers(record, absent))
    if (this.shows('print.key')) parts.push(record.key === null ? absent : this.keyOf(record.key))
    if (this.shows('print.value', true)) parts.push(record.value === null ? absent : this.contentOf(record.value))
    return join(parts, this.properties['key.separator'] ?? '\t', this.properties['line.separator'] ?? '\n')
  }

  private shows(name: string, fallback = false): boolean {
    const value = this.properties[name]
    return value === undefined ? fallback : value.trim().toLowerCase() === 'true'
  }

  private headers(record: ConsumerRecord, absent: string): Buffer | string {
    if (record.headers.length === 0) return 'NO_HEADERS'
    const pairs = record.headers.map(({ key, value }) =>
      join([`${key}:`, value === null ? absent : this.headerOf(value)], '', ''),
    )
    return join(pairs, this.properties['headers.separator'] ?? ',', '')
  }
}

function join(parts: readonly (Buffer | string)[], separator: string, end: string): Buffer {
  const pieces: Buffer[] = []
  parts.forEach((part, index) => {
    if (index > 0) pieces.push(Buffer.from(separator))
    pieces.push(typeof part === 'string' ? Buffer.from(part) : part)
  })
  pieces.push(Buffer.from(end))
  return Buffer.concat(pieces)
}
