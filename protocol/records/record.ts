/**
 * One record inside a batch of magic 2: varint length, attributes, timestamp and offset as deltas, key, value, headers
 * (Kafka's DefaultRecord).
 */
import type { Cursor } from './varint'
import { VarintError, readVarint, readVarlong, varintSize, varlongSize, writeVarint, writeVarlong } from './varint'
import { invalid } from './records-error'

export interface RecordHeader {
  key: string
  value: Buffer | null
}

/** A decoded record. `key`, `value` and header values alias the bytes that were decoded. */
export interface Record {
  offset: number
  timestamp: number
  key: Buffer | null
  value: Buffer | null
  headers: RecordHeader[]
}

/** What a caller gives for a header. */
export interface HeaderInput {
  key: string
  value: Uint8Array | null
}

const noHeaders: RecordHeader[] = []
/** Up to this many bytes a loop is faster than a call that copies. */
const COPIED_BY_HAND_BYTES = 48

/** What the deltas of a record are relative to. With `logAppendTime` every record has that timestamp. */
export interface RecordBase {
  offset: number
  timestamp: number
  logAppendTime: number | undefined
}

/** Reads the record at the cursor, and checks that it is as long as it says. Throws RecordsError (INVALID_RECORD). */
export function readRecord(cursor: Cursor, base: RecordBase): Record {
  try {
    return readRecordBody(cursor, base)
  } catch (error) {
    if (error instanceof VarintError) throw invalid(`Found invalid record structure: ${error.message}`)
    throw error
  }
}

function readRecordBody(cursor: Cursor, base: RecordBase): Record {
  const size = readVarint(cursor)
  const start = cursor.at
  const batchEnd = cursor.end
  if (size < 0 || size > batchEnd - start) {
    throw invalid(`Invalid record size: expected ${size} bytes in record payload, but ${batchEnd - start} are left in the batch`)
  }
  cursor.end = start + size
  cursor.at += 1 // attributes, unused
  const timestampDelta = readVarlong(cursor)
  const offsetDelta = readVarint(cursor)
  const key = readBytes(cursor)
  const value = readBytes(cursor)
  const headers = readHeaders(cursor)
  if (cursor.at !== cursor.end) {
    throw invalid(`Invalid record size: expected to read ${size} bytes in record payload, but instead read ${cursor.at - start}`)
  }
  cursor.end = batchEnd
  return {
    offset: base.offset + offsetDelta,
    timestamp: base.logAppendTime ?? base.timestamp + timestampDelta,
    key,
    value,
    headers,
  }
}

function readBytes(cursor: Cursor): Buffer | null {
  const length = readVarint(cursor)
  if (length < 0) return null
  if (length > cursor.end - cursor.at) throw invalid(`A field of ${length} bytes does not fit in its record`)
  return slice(cursor, length)
}

function slice(cursor: Cursor, length: number): Buffer {
  const from = cursor.at
  cursor.at += length
  return Buffer.from(cursor.bytes.buffer, cursor.bytes.byteOffset + from, length)
}

function readHeaders(cursor: Cursor): RecordHeader[] {
  const count = readVarint(cursor)
  if (count === 0) return noHeaders
  if (count < 0) throw invalid(`Found invalid number of record headers ${count}`)
  if (count > cursor.end - cursor.at) {
    throw invalid(`Found invalid number of record headers. ${count} is larger than the remaining size of the buffer`)
  }
  const headers: RecordHeader[] = []
  for (let i = 0; i < count; i++) {
    const keyLength = readVarint(cursor)
    if (keyLength < 0) throw invalid(`Invalid negative header key size ${keyLength}`)
    if (keyLength > cursor.end - cursor.at) throw invalid(`A header key of ${keyLength} bytes does not fit in its record`)
    headers.push({ key: slice(cursor, keyLength).toString('utf8'), value: readBytes(cursor) })
  }
  return headers
}

/** Bytes of a record without its length prefix. */
export function recordBodySize(
  timestampDelta: number,
  offsetDelta: number,
  key: Uint8Array | null,
  value: Uint8Array | null,
  headers: readonly HeaderInput[],
): number {
  let size = 1 + varlongSize(timestampDelta) + varintSize(offsetDelta) + varintSize(headers.length)
  size += key === null ? 1 : varintSize(key.length) + key.length
  size += value === null ? 1 : varintSize(value.length) + value.length
  for (const header of headers) {
    const keyLength = Buffer.byteLength(header.key)
    size += varintSize(keyLength) + keyLength
    size += header.value === null ? 1 : varintSize(header.value.length) + header.value.length
  }
  return size
}

/** Writes a record whose body has `bodySize` bytes; returns the position after it. */
export function writeRecord(
  target: Buffer,
  at: number,
  bodySize: number,
  timestampDelta: number,
  offsetDelta: number,
  key: Uint8Array | null,
  value: Uint8Array | null,
  headers: readonly HeaderInput[],
): number {
  at = writeVarint(target, at, bodySize)
  target[at++] = 0
  at = writeVarlong(target, at, timestampDelta)
  at = writeVarint(target, at, offsetDelta)
  at = writeBytes(target, at, key)
  at = writeBytes(target, at, value)
  at = writeVarint(target, at, headers.length)
  for (const header of headers) {
    at = writeVarint(target, at, Buffer.byteLength(header.key))
    at += target.write(header.key, at)
    at = writeBytes(target, at, header.value)
  }
  return at
}

function writeBytes(target: Buffer, at: number, bytes: Uint8Array | null): number {
  if (bytes === null) return writeVarint(target, at, -1)
  const { length } = bytes
  at = writeVarint(target, at, length)
  if (length <= COPIED_BY_HAND_BYTES) for (let i = 0; i < length; i++) target[at + i] = bytes[i] as number
  else target.set(bytes, at)
  return at + length
}
