import {
  baseOffsetAt, BATCH_HEADER_BYTES, batchSizeAt, HEADER_BYTES_UP_TO_MAGIC, lastOffsetAt, magicAt, maxTimestampAt, NO_TIMESTAMP,
} from '../../../protocol/records/batch'
import { readInt64 } from '../../../protocol/records/big-endian'

/** Offset, length, CRC, magic, attributes of a message of magic 1, before its timestamp. */
const LEGACY_TIMESTAMP_AT = 18
const SMALLEST_LEGACY_BYTES = 26

/** The offset of the last record of the batch, or message set of an older format, at `pos`. */
export function lastOffsetOf(buf: Uint8Array, pos: number): number {
  return magicAt(buf, pos) >= 2 ? lastOffsetAt(buf, pos) : baseOffsetAt(buf, pos)
}

export function maxTimestampOf(buf: Uint8Array, pos: number): number {
  const magic = magicAt(buf, pos)
  return magic >= 2 ? maxTimestampAt(buf, pos) : magic === 1 ? readInt64(buf, pos + LEGACY_TIMESTAMP_AT) : NO_TIMESTAMP
}

/** True if what lies at `pos` (with a whole header) can be the beginning of a batch, by its format and length. */
export function isPlausible(buf: Uint8Array, pos: number): boolean {
  const magic = magicAt(buf, pos)
  const size = batchSizeAt(buf, pos)
  return magic === 2 ? size >= BATCH_HEADER_BYTES : (magic === 0 || magic === 1) && size >= SMALLEST_LEGACY_BYTES
}

/** The bytes that the header of any format needs, once its magic is known. */
export function headerBytes(magic: number): number {
  return magic >= 2 ? BATCH_HEADER_BYTES : SMALLEST_LEGACY_BYTES
}

export { HEADER_BYTES_UP_TO_MAGIC }
