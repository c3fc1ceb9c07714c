/**
 * Message sets of magic 0 and 1, which clients before Kafka 0.11 wrote and read: a sequence of messages, each of them a record,
 * or (with a codec) a wrapper whose value is a compressed message set.
 *
 * Layout: int64 offset, int32 size, uint32 CRC-32 of the rest, int8 magic, int8 attributes (bits 0-2 codec, 3 timestamp type),
 * [magic 1: int64 timestamp], int32 key length and key, int32 value length and value.
 */
import { crc32 } from '@node-rs/crc32'
import { ErrorCode } from '../errors'
import type { TimestampType } from './batch'
import { CODEC_MASK, Codec, LOG_OVERHEAD_BYTES, NO_TIMESTAMP, TimestampType as TimestampTypes } from './batch'
import { readInt32, readInt64, readUint32, writeInt32, writeInt64 } from './big-endian'
import { compress, decompress } from './compression'
import { compressLz4, decompressLz4 } from './lz4'
import type { RecordHeader } from './record'
import { RecordsError, corrupt, invalid } from './records-error'

const CRC_AT = 12
const MAGIC_AT = 16
const ATTRIBUTES_AT = 17
const TIMESTAMP_AT = 18
const LOG_APPEND_TIME_FLAG = 0x08

/** Bytes of a message without key and value, and without offset and size. */
export const LEGACY_OVERHEAD_BYTES = { 0: 14, 1: 22 } as const

export type LegacyMagic = 0 | 1

/** One record of a message set, wrappers opened. `timestamp` is -1 in magic 0. */
export interface LegacyRecord {
  offset: number
  timestamp: number
  timestampType: TimestampType
  key: Buffer | null
  value: Buffer | null
  headers: RecordHeader[]
}

/** A message as it lies in the set: perhaps a wrapper. */
export interface LegacyMessage extends LegacyRecord {
  magic: LegacyMagic
  codec: Codec
}

const noHeaders: RecordHeader[] = []

/** True if the message at `pos`, which must be complete, has the checksum that it names. */
export function legacyIsValidAt(buf: Buffer, pos: number): boolean {
  const end = pos + LOG_OVERHEAD_BYTES + readInt32(buf, pos + 8)
  return end - pos >= LOG_OVERHEAD_BYTES + 14 && crc32(buf.subarray(pos + MAGIC_AT, end)) === readUint32(buf, pos + CRC_AT)
}

/** The codec of the message at `pos`. */
export function legacyCodecAt(buf: Uint8Array, pos: number): Codec {
  return ((buf[pos + ATTRIBUTES_AT] as number) & CODEC_MASK) as Codec
}

/** The message at `pos`. Throws RecordsError for one that is cut off, or whose lengths lie. */
export function readLegacyMessage(buf: Buffer, pos: number): LegacyMessage {
  if (buf.length - pos < LOG_OVERHEAD_BYTES + LEGACY_OVERHEAD_BYTES[0]) throw corrupt('A message is cut off')
  const size = readInt32(buf, pos + 8)
  const magic = buf[pos + MAGIC_AT] as number
  if (magic !== 0 && magic !== 1) throw invalid(`Message magic ${magic} in a message set of magic 0 or 1`)
  if (size < LEGACY_OVERHEAD_BYTES[magic] || size > buf.length - pos - LOG_OVERHEAD_BYTES) {
    throw corrupt(`Record size ${size} is less than the minimum record overhead or more than is there`)
  }
  const end = pos + LOG_OVERHEAD_BYTES + size
  const attributes = buf[pos + ATTRIBUTES_AT] as number
  const keyAt = magic === 0 ? TIMESTAMP_AT : TIMESTAMP_AT + 8
  const key = readField(buf, pos + keyAt, end)
  const value = readField(buf, pos + keyAt + 4 + (key?.length ?? 0), end)
  return {
    offset: readInt64(buf, pos),
    magic,
    codec: (attributes & CODEC_MASK) as Codec,
    timestampType: magic === 1 && attributes & LOG_APPEND_TIME_FLAG ? TimestampTypes.logAppendTime : TimestampTypes.createTime,
    timestamp: magic === 0 ? NO_TIMESTAMP : readInt64(buf, pos + TIMESTAMP_AT),
    key,
    value,
    headers: noHeaders,
  }
}

function readField(buf: Buffer, at: number, end: number): Buffer | null {
  if (end - at < 4) throw invalid('A message is shorter than its fields')
  const length = readInt32(buf, at)
  if (length < 0) return null
  if (length > end - at - 4) throw invalid(`A field of ${length} bytes does not fit in its message`)
  return buf.subarray(at + 4, at + 4 + length)
}

/** The messages of a set, wrappers as they are; one that is cut off at the end is left out. */
export function legacyMessages(set: Buffer): LegacyMessage[] {
  const messages: LegacyMessage[] = []
  for (let pos = 0; set.length - pos >= LOG_OVERHEAD_BYTES;) {
    const size = readInt32(set, pos + 8)
    if (size < LEGACY_OVERHEAD_BYTES[0]) throw corrupt(`Record size ${size} is less than the minimum record overhead (14)`)
    if (size > set.length - pos - LOG_OVERHEAD_BYTES) break
    messages.push(readLegacyMessage(set, pos))
    pos += LOG_OVERHEAD_BYTES + size
  }
  return messages
}

/**
 * The records of one message at the beginning of `bytes`: itself, or what it wraps. Offsets and timestamps are those that a
 * consumer sees. Throws RecordsError, CompressionError.
 */
export function legacyRecords(message: LegacyMessage, maxBytes: number): LegacyRecord[] {
  return message.codec === Codec.none ? [message] : wrappedRecords(message, decompressWrapper(message, maxBytes))
}

/** The message set in a wrapper. Throws RecordsError, CompressionError. */
export function decompressWrapper(wrapper: LegacyMessage, maxBytes: number): Buffer {
  if (wrapper.codec === Codec.zstd) throw invalid(`zstd cannot be used in a message of magic ${wrapper.magic}`)
  if (wrapper.value === null) throw invalid(`Found invalid compressed record set with null value (magic = ${wrapper.magic})`)
  if (wrapper.codec === Codec.lz4) return decompressLz4(wrapper.value, maxBytes, wrapper.magic === 0)
  return decompress(wrapper.codec, wrapper.value, maxBytes)
}

/** The records of the message set that a wrapper held. Throws RecordsError. */
export function wrappedRecords(wrapper: LegacyMessage, set: Buffer): LegacyRecord[] {
  const inner = innerMessages(set, wrapper.magic)
  const last = inner.at(-1)
  if (last === undefined) throw invalid('Found invalid compressed record set with no inner records')
  // In magic 1 inner offsets count from 0, and the wrapper has the offset of the last. Some producers leave the wrapper's at 0.
  let shift = 0
  if (wrapper.magic === 1 && wrapper.offset !== 0) {
    if (wrapper.offset < last.offset) {
      throw invalid(
        `Found invalid wrapper offset in compressed v1 message set, wrapper offset '${wrapper.offset}' is less than the last `
        + `inner message offset '${last.offset}' and it is not zero.`)
    }
    shift = wrapper.offset - last.offset
  }
  for (const record of inner) {
    record.offset += shift
    if (wrapper.magic === 1 && wrapper.timestampType === TimestampTypes.logAppendTime) {
      record.timestamp = wrapper.timestamp
      record.timestampType = TimestampTypes.logAppendTime
    }
  }
  return inner
}

function innerMessages(set: Buffer, magic: LegacyMagic): LegacyMessage[] {
  const messages: LegacyMessage[] = []
  for (let pos = 0; pos < set.length;) {
    const message = readLegacyMessage(set, pos)
    if (message.magic !== magic) throw invalid(`Compressed message magic ${message.magic} does not match wrapper magic ${magic}`)
    if (message.codec !== Codec.none) throw invalid('Inner messages must not be compressed')
    if (!legacyIsValidAt(set, pos)) throw corrupt(`Record is corrupt (stored crc = ${readUint32(set, pos + CRC_AT)})`)
    messages.push(message)
    pos += LOG_OVERHEAD_BYTES + readInt32(set, pos + 8)
  }
  return messages
}

/** How records become messages. */
export interface LegacyFormat {
  codec: Codec
  timestampType: TimestampType
  /** The timestamp of all with LogAppendTime. */
  logAppendTime: number
}

/** What of a record an old client can see. */
type Written = Pick<LegacyRecord, 'offset' | 'timestamp' | 'key' | 'value'>

/** A message set of magic 0 or 1 with these records; see MessageSetWriter. */
export function writeMessageSet(magic: LegacyMagic, source: LegacyFormat & { records: readonly Written[] }): Buffer {
  const writer = new MessageSetWriter(magic, source)
  for (const record of source.records) writer.append(record)
  return writer.finish()
}

/**
 * A message set of magic 0 or 1, written record after record, headers left out: each a message of its own, or all in one wrapper.
 * Throws RecordsError: UNSUPPORTED_COMPRESSION_TYPE for zstd, which old clients cannot read; MESSAGE_TOO_LARGE above `maxBytes`.
 */
export class MessageSetWriter {
  private readonly magic: LegacyMagic
  private readonly format: LegacyFormat
  private readonly maxBytes: number
  private set = Buffer.allocUnsafe(1024)
  private size = 0
  private firstOffset = 0
  private lastOffset = 0
  private maxTimestamp = NO_TIMESTAMP

  constructor(magic: LegacyMagic, format: LegacyFormat, maxBytes = Infinity) {
    if (format.codec === Codec.zstd) {
      throw new RecordsError(
        ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, 'Down-conversion of zstandard-compressed batches is not supported')
    }
    this.magic = magic
    this.format = format
    this.maxBytes = maxBytes
  }

  append(record: Written): void {
    const { offset, timestamp, key, value } = record
    const { codec, timestampType, logAppendTime } = this.format
    if (this.size === 0) this.firstOffset = offset
    this.lastOffset = offset
    this.maxTimestamp = Math.max(this.maxTimestamp, timestamp)
    const at = this.size
    this.reserve(messageBytes(this.magic, key, value))
    writeMessageAt(this.set, at, this.magic, {
      // In magic 1 inner offsets count from 0.
      offset: this.magic === 1 && codec !== Codec.none ? offset - this.firstOffset : offset,
      timestamp: timestampType === TimestampTypes.logAppendTime ? logAppendTime : timestamp,
      timestampType, codec: Codec.none, key, value,
    })
  }

  finish(): Buffer {
    const set = this.set.subarray(0, this.size)
    const { codec, timestampType, logAppendTime } = this.format
    if (codec === Codec.none || this.size === 0) return set
    return writeMessage(this.magic, {
      offset: this.lastOffset,
      timestamp: timestampType === TimestampTypes.logAppendTime ? logAppendTime : this.maxTimestamp,
      timestampType,
      codec,
      key: null,
      value: codec === Codec.lz4 ? compressLz4(set, this.magic === 0) : compress(codec, set),
    })
  }

  private reserve(bytes: number): void {
    this.size += bytes
    if (this.size > this.maxBytes) {
      throw new RecordsError(ErrorCode.MESSAGE_TOO_LARGE, `A batch has more than ${this.maxBytes} bytes in message format ${this.magic}`)
    }
    if (this.size <= this.set.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.set.length * 2, this.size))
    larger.set(this.set.subarray(0, this.size - bytes))
    this.set = larger
  }
}

/** One message; a wrapper if it has a codec. */
export function writeMessage(magic: LegacyMagic, message: MessageFields): Buffer {
  const buf = Buffer.allocUnsafe(messageBytes(magic, message.key, message.value))
  writeMessageAt(buf, 0, magic, message)
  return buf
}

type MessageFields = Omit<LegacyMessage, 'magic' | 'headers'>

function messageBytes(magic: LegacyMagic, key: Buffer | null, value: Buffer | null): number {
  return LOG_OVERHEAD_BYTES + LEGACY_OVERHEAD_BYTES[magic] + (key?.length ?? 0) + (value?.length ?? 0)
}

function writeMessageAt(buf: Buffer, start: number, magic: LegacyMagic, message: MessageFields): void {
  const { key, value } = message
  const stamped = magic === 1 && message.timestampType === TimestampTypes.logAppendTime
  writeInt64(buf, start, message.offset)
  writeInt32(buf, start + 8, messageBytes(magic, key, value) - LOG_OVERHEAD_BYTES)
  buf[start + MAGIC_AT] = magic
  buf[start + ATTRIBUTES_AT] = message.codec | (stamped ? LOG_APPEND_TIME_FLAG : 0)
  let at = start + TIMESTAMP_AT
  if (magic === 1) {
    writeInt64(buf, at, message.timestamp)
    at += 8
  }
  at = writeField(buf, at, key)
  at = writeField(buf, at, value)
  writeInt32(buf, start + CRC_AT, crc32(buf.subarray(start + MAGIC_AT, at)))
}

function writeField(buf: Buffer, at: number, bytes: Buffer | null): number {
  writeInt32(buf, at, bytes === null ? -1 : bytes.length)
  if (bytes === null) return at + 4
  buf.set(bytes, at + 4)
  return at + 4 + bytes.length
}
