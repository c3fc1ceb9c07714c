/**
 * Building and reading record batches of magic 2: for clients, coordinators, control records and the cleaner. A broker's data
 * path does not come through here, it stamps headers in place (batch.ts).
 */
import type { TimestampType } from './batch'
import {
  BATCH_HEADER_BYTES,
  CONTROL_FLAG,
  Codec,
  DELETE_HORIZON_FLAG,
  HEADER_BYTES_UP_TO_MAGIC,
  LOG_APPEND_TIME_FLAG,
  LOG_OVERHEAD_BYTES,
  NO_LEADER_EPOCH,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  NO_SEQUENCE,
  NO_TIMESTAMP,
  TRANSACTIONAL_FLAG,
  TimestampType as TimestampTypes,
  baseOffsetAt,
  baseTimestampAt,
  batchSizeAt,
  codecAt,
  magicAt,
  maxTimestampAt,
  recordCountAt,
  timestampTypeAt,
  writeBatchHeader,
} from './batch'
import { readInt16, readInt32, writeInt16, writeInt32 } from './big-endian'
import { compress, decompress } from './compression'
import type { HeaderInput, Record } from './record'
import { readRecord, recordBodySize, writeRecord } from './record'
import { corrupt, invalid } from './records-error'
import { varintSize } from './varint'

export type { HeaderInput, Record, RecordHeader } from './record'

/** What a batch may decompress to where the caller names no limit. */
export const DEFAULT_MAX_DECOMPRESSED_BYTES = 256 * 1024 * 1024

export interface BatchOptions {
  codec?: Codec
  /** As the codec understands it; undefined for the codec's default. */
  level?: number
  baseOffset?: number
  leaderEpoch?: number
  timestampType?: TimestampType
  /** The timestamp of all records with `timestampType` LogAppendTime. */
  logAppendTime?: number
  producerId?: number
  producerEpoch?: number
  baseSequence?: number
  transactional?: boolean
  control?: boolean
  /** Stamped by the cleaner (KIP-534); takes the place of the base timestamp. */
  deleteHorizonMs?: number
}

/** Composes one batch, record by record. */
export class BatchBuilder {
  readonly #options: BatchOptions
  readonly #baseOffset: number
  #bytes: Buffer
  #size = BATCH_HEADER_BYTES
  #count = 0
  #baseTimestamp: number
  #maxTimestamp = NO_TIMESTAMP
  #lastOffset: number

  constructor(options: BatchOptions = {}, initialBytes = 512) {
    this.#options = options
    this.#baseOffset = options.baseOffset ?? 0
    this.#lastOffset = this.#baseOffset - 1
    this.#baseTimestamp = options.deleteHorizonMs ?? NO_TIMESTAMP
    this.#bytes = Buffer.allocUnsafe(Math.max(initialBytes, BATCH_HEADER_BYTES))
  }

  get count(): number {
    return this.#count
  }

  /** Bytes of the batch as it is now, before compression. */
  get uncompressedSize(): number {
    return this.#size
  }

  get maxTimestamp(): number {
    return this.#maxTimestamp
  }

  /** Bytes that one more record would add, before compression. */
  sizeOf(
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly HeaderInput[] = [],
    timestamp: number = NO_TIMESTAMP,
  ): number {
    const body = recordBodySize(this.#timestampDelta(timestamp), this.#count, key, value, headers)
    return varintSize(body) + body
  }

  /** Adds a record with the next offset. `timestamp` in ms. */
  append(
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly HeaderInput[] = [],
    timestamp: number = NO_TIMESTAMP,
  ): this {
    return this.appendAt(this.#lastOffset + 1, key, value, headers, timestamp)
  }

  /** Adds a record with a given offset, above those before it: a compacted batch has gaps. */
  appendAt(
    offset: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly HeaderInput[],
    timestamp: number,
  ): this {
    if (offset <= this.#lastOffset) throw new RangeError(`offset ${offset} is not above ${this.#lastOffset}`)
    if (this.#count === 0 && this.#options.deleteHorizonMs === undefined) this.#baseTimestamp = timestamp
    const timestampDelta = this.#timestampDelta(timestamp)
    const offsetDelta = offset - this.#baseOffset
    const body = recordBodySize(timestampDelta, offsetDelta, key, value, headers)
    this.#reserve(varintSize(body) + body)
    this.#size = writeRecord(this.#bytes, this.#size, body, timestampDelta, offsetDelta, key, value, headers)
    this.#lastOffset = offset
    this.#count++
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
    return this
  }

  /** Makes the batch span offsets up to `offset`, though its last record lies below: the cleaner keeps a batch's range. */
  overrideLastOffset(offset: number): this {
    if (offset < this.#lastOffset) throw new RangeError(`last offset ${offset} is below ${this.#lastOffset}`)
    this.#lastOffset = offset
    return this
  }

  /** The finished batch; the builder must not be used afterwards. */
  build(): Buffer {
    const options = this.#options
    const codec = options.codec ?? Codec.none
    let batch: Buffer
    if (codec === Codec.none) {
      batch = this.#bytes.subarray(0, this.#size)
    } else {
      const compressed = compress(codec, this.#bytes.subarray(BATCH_HEADER_BYTES, this.#size), options.level)
      batch = Buffer.allocUnsafe(BATCH_HEADER_BYTES + compressed.length)
      batch.set(compressed, BATCH_HEADER_BYTES)
    }
    const logAppendTime = options.timestampType === TimestampTypes.logAppendTime
    writeBatchHeader(batch, 0, batch.length, {
      baseOffset: this.#baseOffset,
      leaderEpoch: options.leaderEpoch ?? NO_LEADER_EPOCH,
      attributes: codec
        | (logAppendTime ? LOG_APPEND_TIME_FLAG : 0)
        | (options.transactional ? TRANSACTIONAL_FLAG : 0)
        | (options.control ? CONTROL_FLAG : 0)
        | (options.deleteHorizonMs === undefined ? 0 : DELETE_HORIZON_FLAG),
      lastOffsetDelta: this.#lastOffset - this.#baseOffset,
      baseTimestamp: this.#baseTimestamp,
      maxTimestamp: logAppendTime ? options.logAppendTime ?? this.#maxTimestamp : this.#maxTimestamp,
      producerId: options.producerId ?? NO_PRODUCER_ID,
      producerEpoch: options.producerEpoch ?? NO_PRODUCER_EPOCH,
      baseSequence: options.baseSequence ?? NO_SEQUENCE,
      recordCount: this.#count,
    })
    return batch
  }

  #timestampDelta(timestamp: number): number {
    const base = this.#count === 0 && this.#options.deleteHorizonMs === undefined ? timestamp : this.#baseTimestamp
    return timestamp - base
  }

  #reserve(more: number): void {
    if (this.#size + more <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#size + more))
    larger.set(this.#bytes.subarray(0, this.#size))
    this.#bytes = larger
  }
}

/**
 * The batches (of any magic) in `buffer`, as parts of it. A batch that is cut off at the end is left out: Fetch answers end so.
 * Throws RecordsError (CORRUPT_MESSAGE) for a length that no batch can have.
 */
export function* iterateBatches(buffer: Buffer): Generator<Buffer, void, undefined> {
  let pos = 0
  while (buffer.length - pos >= HEADER_BYTES_UP_TO_MAGIC) {
    const size = batchSizeAt(buffer, pos)
    const minimum = magicAt(buffer, pos) >= 2 ? BATCH_HEADER_BYTES : LOG_OVERHEAD_BYTES + 14
    if (size < minimum) throw corrupt(`Record batch at position ${pos} has ${size} bytes, fewer than its header of ${minimum}`)
    if (size > buffer.length - pos) return
    yield buffer.subarray(pos, pos + size)
    pos += size
  }
}

/** The bytes of a batch's records, decompressed if need be. */
export function recordBytes(batch: Buffer, maxBytes = DEFAULT_MAX_DECOMPRESSED_BYTES): Buffer {
  const bytes = batch.subarray(BATCH_HEADER_BYTES, batchSizeAt(batch, 0))
  const codec = codecAt(batch, 0)
  return codec === Codec.none ? bytes : decompress(codec, bytes, maxBytes)
}

/**
 * The records of one batch of magic 2, decompressed (to at most `maxBytes`) if need be. The checksum is not looked at.
 * Throws RecordsError (INVALID_RECORD) for a malformed record or a wrong count, CompressionError for a bad compressed block.
 */
export function decodeRecords(batch: Buffer, maxBytes = DEFAULT_MAX_DECOMPRESSED_BYTES): Record[] {
  const records: Record[] = []
  forEachRecord(batch, recordBytes(batch, maxBytes), (record) => {
    records.push(record)
  })
  return records
}

/** Calls `visit` with each record of a batch whose (decompressed) record bytes the caller already has, until it says false. */
export function forEachRecord(batch: Buffer, bytes: Buffer, visit: (record: Record) => boolean | void): void {
  const count = recordCountAt(batch, 0)
  if (count < 0) throw invalid(`Found invalid record count ${count} in magic v2 batch`)
  const base = {
    offset: baseOffsetAt(batch, 0),
    timestamp: baseTimestampAt(batch, 0),
    logAppendTime: timestampTypeAt(batch, 0) === TimestampTypes.logAppendTime ? maxTimestampAt(batch, 0) : undefined,
  }
  const cursor = { bytes, at: 0, end: bytes.length }
  for (let i = 0; i < count; i++) {
    if (cursor.at >= cursor.end) throw invalid(`Incorrect declared batch size, premature EOF reached: ${i} of ${count} records`)
    if (visit(readRecord(cursor, base)) === false) return
  }
  if (cursor.at !== cursor.end) throw invalid('Incorrect declared batch size, records still remaining in file')
}

/** Types of control records; what is not known is skipped by readers. */
export const ControlType = {
  abort: 0,
  commit: 1,
  leaderChange: 2,
  snapshotHeader: 3,
  snapshotFooter: 4,
  kraftVersion: 5,
  kraftVoters: 6,
} as const

export interface EndTransactionMarker {
  type: typeof ControlType.abort | typeof ControlType.commit
  coordinatorEpoch: number
}

/** A marker batch as the leader appends it: transactional, control, without a sequence. */
export function controlBatch(marker: {
  type: EndTransactionMarker['type']
  coordinatorEpoch: number
  producerId: number
  producerEpoch: number
  timestamp: number
  baseOffset?: number
  leaderEpoch?: number
}): Buffer {
  const key = Buffer.alloc(4)
  writeInt16(key, 2, marker.type)
  const value = Buffer.alloc(6)
  writeInt32(value, 2, marker.coordinatorEpoch)
  const builder = new BatchBuilder({
    baseOffset: marker.baseOffset ?? 0,
    ...(marker.leaderEpoch === undefined ? {} : { leaderEpoch: marker.leaderEpoch }),
    producerId: marker.producerId,
    producerEpoch: marker.producerEpoch,
    transactional: true,
    control: true,
  }, 128)
  return builder.append(key, value, [], marker.timestamp).build()
}

/** The type in the key of a control record. Throws RecordsError (INVALID_RECORD) if the key is too short. */
export function parseControlType(key: Uint8Array | null): number {
  if (key === null || key.length < 4) throw invalid('Invalid size for control record key: expected at least 4 bytes')
  const version = readInt16(key, 0)
  if (version < 0) throw invalid(`Invalid version found for control record: ${version}. May indicate data corruption`)
  return readInt16(key, 2)
}

/** The marker in a control record's key and value; undefined for another type of control record. */
export function parseControlRecord(key: Uint8Array | null, value: Uint8Array | null): EndTransactionMarker | undefined {
  const type = parseControlType(key)
  if (type !== ControlType.abort && type !== ControlType.commit) return undefined
  if (value === null || value.length < 6) {
    throw invalid('Invalid value size found for end transaction marker: must have at least 6 bytes')
  }
  const version = readInt16(value, 0)
  if (version < 0) throw invalid(`Invalid version found for end transaction marker: ${version}. May indicate data corruption`)
  return { type, coordinatorEpoch: readInt32(value, 2) }
}

