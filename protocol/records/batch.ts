/**
 * The header of a record batch, magic 2 (KIP-98), read and stamped in place: a broker handles a batch as an opaque piece of
 * a buffer from socket to file to socket. Nothing here allocates.
 *
 * Every function takes a buffer and the position of the batch in it, and trusts that the header (61 bytes) is there; whoever
 * takes bytes from outside asks `batchIsCompleteAt` first.
 *
 * The checksum covers everything from `attributes` on, so that base offset and leader epoch can be stamped without a new one.
 */
import { crc32cRange } from '../crc32c'
import { readInt16, readInt32, readInt64, readUint32, writeInt16, writeInt32, writeInt64 } from './big-endian'

export const BASE_OFFSET_AT = 0
export const BATCH_LENGTH_AT = 8
export const LEADER_EPOCH_AT = 12
export const MAGIC_AT = 16
export const CRC_AT = 17
export const ATTRIBUTES_AT = 21
export const LAST_OFFSET_DELTA_AT = 23
export const BASE_TIMESTAMP_AT = 27
export const MAX_TIMESTAMP_AT = 35
export const PRODUCER_ID_AT = 43
export const PRODUCER_EPOCH_AT = 51
export const BASE_SEQUENCE_AT = 53
export const RECORD_COUNT_AT = 57

/** The whole header of a batch of magic 2. */
export const BATCH_HEADER_BYTES = 61
/** Offset and length, which every format begins with; the length counts what follows these 12 bytes. */
export const LOG_OVERHEAD_BYTES = 12
/** What must be there to tell the format: offset, length, and magic at the same place in all formats. */
export const HEADER_BYTES_UP_TO_MAGIC = 17

export const NO_TIMESTAMP = -1
export const NO_PRODUCER_ID = -1
export const NO_PRODUCER_EPOCH = -1
export const NO_SEQUENCE = -1
export const NO_LEADER_EPOCH = -1

/** Bits of the attributes. */
export const CODEC_MASK = 0x07
export const LOG_APPEND_TIME_FLAG = 0x08
export const TRANSACTIONAL_FLAG = 0x10
export const CONTROL_FLAG = 0x20
export const DELETE_HORIZON_FLAG = 0x40

/** Compression codecs, by their number in the attributes. */
export const Codec = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const
export type Codec = (typeof Codec)[keyof typeof Codec]

/** Timestamp types, by their bit in the attributes. */
export const TimestampType = { createTime: 0, logAppendTime: 1 } as const
export type TimestampType = (typeof TimestampType)[keyof typeof TimestampType]

/** Bytes of the whole entry at `pos`, header included, whatever its format; the length field is taken as it is. */
export function batchSizeAt(buf: Uint8Array, pos: number): number {
  return LOG_OVERHEAD_BYTES + readInt32(buf, pos + BATCH_LENGTH_AT)
}

/** True if a whole batch of magic 2 lies at `pos`, by its length field and the end of the buffer. */
export function batchIsCompleteAt(buf: Uint8Array, pos: number, end = buf.length): boolean {
  if (end - pos < BATCH_HEADER_BYTES) return false
  const size = batchSizeAt(buf, pos)
  return size >= BATCH_HEADER_BYTES && size <= end - pos
}

export function baseOffsetAt(buf: Uint8Array, pos: number): number {
  return readInt64(buf, pos)
}

/** Offset of the last record; the compacted log keeps it also when that record is gone. */
export function lastOffsetAt(buf: Uint8Array, pos: number): number {
  return readInt64(buf, pos) + readInt32(buf, pos + LAST_OFFSET_DELTA_AT)
}

export function nextOffsetAt(buf: Uint8Array, pos: number): number {
  return lastOffsetAt(buf, pos) + 1
}

export function leaderEpochAt(buf: Uint8Array, pos: number): number {
  return readInt32(buf, pos + LEADER_EPOCH_AT)
}

/** 0, 1 (message sets) or 2; signed, so that a damaged byte may read as negative. */
export function magicAt(buf: Uint8Array, pos: number): number {
  return ((buf[pos + MAGIC_AT] as number) << 24) >> 24
}

export function crcAt(buf: Uint8Array, pos: number): number {
  return readUint32(buf, pos + CRC_AT)
}

export function attributesAt(buf: Uint8Array, pos: number): number {
  return readInt16(buf, pos + ATTRIBUTES_AT)
}

/** The number of the codec; 5 to 7 do not exist, and a caller that takes foreign bytes must refuse them. */
export function codecAt(buf: Uint8Array, pos: number): Codec {
  return ((buf[pos + ATTRIBUTES_AT + 1] as number) & CODEC_MASK) as Codec
}

export function timestampTypeAt(buf: Uint8Array, pos: number): TimestampType {
  return (((buf[pos + ATTRIBUTES_AT + 1] as number) & LOG_APPEND_TIME_FLAG) >> 3) as TimestampType
}

export function isTransactionalAt(buf: Uint8Array, pos: number): boolean {
  return ((buf[pos + ATTRIBUTES_AT + 1] as number) & TRANSACTIONAL_FLAG) !== 0
}

export function isControlAt(buf: Uint8Array, pos: number): boolean {
  return ((buf[pos + ATTRIBUTES_AT + 1] as number) & CONTROL_FLAG) !== 0
}

/** True if the cleaner stamped a delete horizon (KIP-534): then `baseTimestampAt` is that horizon. */
export function hasDeleteHorizonAt(buf: Uint8Array, pos: number): boolean {
  return ((buf[pos + ATTRIBUTES_AT + 1] as number) & DELETE_HORIZON_FLAG) !== 0
}

export function lastOffsetDeltaAt(buf: Uint8Array, pos: number): number {
  return readInt32(buf, pos + LAST_OFFSET_DELTA_AT)
}

/** What the records' timestamps are relative to: the first record's timestamp, or the delete horizon. */
export function baseTimestampAt(buf: Uint8Array, pos: number): number {
  return readInt64(buf, pos + BASE_TIMESTAMP_AT)
}

export function maxTimestampAt(buf: Uint8Array, pos: number): number {
  return readInt64(buf, pos + MAX_TIMESTAMP_AT)
}

export function producerIdAt(buf: Uint8Array, pos: number): number {
  return readInt64(buf, pos + PRODUCER_ID_AT)
}

export function producerEpochAt(buf: Uint8Array, pos: number): number {
  return readInt16(buf, pos + PRODUCER_EPOCH_AT)
}

export function baseSequenceAt(buf: Uint8Array, pos: number): number {
  return readInt32(buf, pos + BASE_SEQUENCE_AT)
}

/** Sequence of the last record, -1 without one. Sequences wrap from 2^31-1 to 0. */
export function lastSequenceAt(buf: Uint8Array, pos: number): number {
  const base = baseSequenceAt(buf, pos)
  return base === NO_SEQUENCE ? NO_SEQUENCE : incrementSequence(base, lastOffsetDeltaAt(buf, pos))
}

export function recordCountAt(buf: Uint8Array, pos: number): number {
  return readInt32(buf, pos + RECORD_COUNT_AT)
}

/** `sequence` + `by`, wrapped as a producer wraps it: after 2^31-1 comes 0. */
export function incrementSequence(sequence: number, by: number): number {
  const sum = sequence + by
  return sum > 0x7fffffff ? sum - 0x80000000 : sum
}

/** `sequence` - `by`, wrapped: before 0 comes 2^31-1. */
export function decrementSequence(sequence: number, by: number): number {
  const difference = sequence - by
  return difference < 0 ? difference + 0x80000000 : difference
}

export function setBaseOffsetAt(buf: Uint8Array, pos: number, offset: number): void {
  writeInt64(buf, pos, offset)
}

/** Sets the base offset such that the last record gets `offset`. */
export function setLastOffsetAt(buf: Uint8Array, pos: number, offset: number): void {
  writeInt64(buf, pos, offset - readInt32(buf, pos + LAST_OFFSET_DELTA_AT))
}

export function setLeaderEpochAt(buf: Uint8Array, pos: number, epoch: number): void {
  writeInt32(buf, pos + LEADER_EPOCH_AT, epoch)
}

/** The checksum that the batch ought to carry. The batch must be complete. */
export function computeCrcAt(buf: Uint8Array, pos: number): number {
  return crc32cRange(buf, pos + ATTRIBUTES_AT, pos + batchSizeAt(buf, pos))
}

/** True if a whole batch lies at `pos` and its checksum is right. */
export function batchIsValidAt(buf: Uint8Array, pos: number): boolean {
  return batchIsCompleteAt(buf, pos) && computeCrcAt(buf, pos) === crcAt(buf, pos)
}

/** Writes the right checksum; after a change of anything from the attributes on. */
export function sealBatchAt(buf: Uint8Array, pos: number): void {
  writeInt32(buf, pos + CRC_AT, computeCrcAt(buf, pos))
}

/**
 * Sets timestamp type and maximal timestamp, and a new checksum if one of them changed
 * (Kafka's DefaultRecordBatch.setMaxTimestamp). With LogAppendTime every record counts as of `maxTimestamp`.
 */
export function stampTimestampType(buf: Uint8Array, pos: number, type: TimestampType, maxTimestamp: number): void {
  if (timestampTypeAt(buf, pos) === type && maxTimestampAt(buf, pos) === maxTimestamp) return
  const others = attributesAt(buf, pos) & ~LOG_APPEND_TIME_FLAG
  writeInt16(buf, pos + ATTRIBUTES_AT, others | (type === TimestampType.logAppendTime ? LOG_APPEND_TIME_FLAG : 0))
  writeInt64(buf, pos + MAX_TIMESTAMP_AT, maxTimestamp)
  sealBatchAt(buf, pos)
}

/** What a batch header says, beyond what is fixed; for whoever composes one. */
export interface BatchHeader {
  baseOffset: number
  leaderEpoch: number
  attributes: number
  lastOffsetDelta: number
  baseTimestamp: number
  maxTimestamp: number
  producerId: number
  producerEpoch: number
  baseSequence: number
  recordCount: number
}

/** Writes a header in front of `size - 61` bytes that are already at their place, and seals the batch. */
export function writeBatchHeader(buf: Uint8Array, pos: number, size: number, header: BatchHeader): void {
  writeInt64(buf, pos + BASE_OFFSET_AT, header.baseOffset)
  writeInt32(buf, pos + BATCH_LENGTH_AT, size - LOG_OVERHEAD_BYTES)
  writeInt32(buf, pos + LEADER_EPOCH_AT, header.leaderEpoch)
  buf[pos + MAGIC_AT] = 2
  writeInt16(buf, pos + ATTRIBUTES_AT, header.attributes)
  writeInt32(buf, pos + LAST_OFFSET_DELTA_AT, header.lastOffsetDelta)
  writeInt64(buf, pos + BASE_TIMESTAMP_AT, header.baseTimestamp)
  writeInt64(buf, pos + MAX_TIMESTAMP_AT, header.maxTimestamp)
  writeInt64(buf, pos + PRODUCER_ID_AT, header.producerId)
  writeInt16(buf, pos + PRODUCER_EPOCH_AT, header.producerEpoch)
  writeInt32(buf, pos + BASE_SEQUENCE_AT, header.baseSequence)
  writeInt32(buf, pos + RECORD_COUNT_AT, header.recordCount)
  sealBatchAt(buf, pos)
}

/** Reads a header back. */
export function readBatchHeader(buf: Uint8Array, pos: number): BatchHeader {
  return {
    baseOffset: baseOffsetAt(buf, pos),
    leaderEpoch: leaderEpochAt(buf, pos),
    attributes: attributesAt(buf, pos),
    lastOffsetDelta: lastOffsetDeltaAt(buf, pos),
    baseTimestamp: baseTimestampAt(buf, pos),
    maxTimestamp: maxTimestampAt(buf, pos),
    producerId: producerIdAt(buf, pos),
    producerEpoch: producerEpochAt(buf, pos),
    baseSequence: baseSequenceAt(buf, pos),
    recordCount: recordCountAt(buf, pos),
  }
}
