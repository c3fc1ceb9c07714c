/**
 * Entries of the index files beside a segment, read and written at a position of a buffer:
 * `.index` (relative offset, file position), `.timeindex` (timestamp, relative offset), `.txnindex` (aborted transactions).
 */
import { readInt16, readInt32, readInt64, writeInt16, writeInt32, writeInt64 } from '../records/big-endian'
import { FileFormatError } from './checkpoint-text'

export const OFFSET_INDEX_ENTRY_BYTES = 8
export const TIME_INDEX_ENTRY_BYTES = 12
export const TRANSACTION_INDEX_ENTRY_BYTES = 34

const TRANSACTION_INDEX_VERSION = 0

/** Offset minus the segment's base offset. */
export function indexRelativeOffsetAt(bytes: Uint8Array, entry: number): number {
  return readInt32(bytes, entry * OFFSET_INDEX_ENTRY_BYTES)
}

export function indexPositionAt(bytes: Uint8Array, entry: number): number {
  return readInt32(bytes, entry * OFFSET_INDEX_ENTRY_BYTES + 4)
}

export function writeIndexEntry(bytes: Uint8Array, entry: number, relativeOffset: number, position: number): void {
  writeInt32(bytes, entry * OFFSET_INDEX_ENTRY_BYTES, relativeOffset)
  writeInt32(bytes, entry * OFFSET_INDEX_ENTRY_BYTES + 4, position)
}

export function timeIndexTimestampAt(bytes: Uint8Array, entry: number): number {
  return readInt64(bytes, entry * TIME_INDEX_ENTRY_BYTES)
}

export function timeIndexRelativeOffsetAt(bytes: Uint8Array, entry: number): number {
  return readInt32(bytes, entry * TIME_INDEX_ENTRY_BYTES + 8)
}

export function writeTimeIndexEntry(bytes: Uint8Array, entry: number, timestamp: number, relativeOffset: number): void {
  writeInt64(bytes, entry * TIME_INDEX_ENTRY_BYTES, timestamp)
  writeInt32(bytes, entry * TIME_INDEX_ENTRY_BYTES + 8, relativeOffset)
}

/** A transaction that was aborted: its records lie in [firstOffset, lastOffset], lastOffset being the marker. */
export interface AbortedTransaction {
  producerId: number
  firstOffset: number
  lastOffset: number
  /** The last stable offset when it was aborted. */
  lastStableOffset: number
}

export function writeAbortedTransaction(bytes: Uint8Array, at: number, transaction: AbortedTransaction): void {
  writeInt16(bytes, at, TRANSACTION_INDEX_VERSION)
  writeInt64(bytes, at + 2, transaction.producerId)
  writeInt64(bytes, at + 10, transaction.firstOffset)
  writeInt64(bytes, at + 18, transaction.lastOffset)
  writeInt64(bytes, at + 26, transaction.lastStableOffset)
}

export function encodeAbortedTransaction(transaction: AbortedTransaction): Buffer {
  const bytes = Buffer.alloc(TRANSACTION_INDEX_ENTRY_BYTES)
  writeAbortedTransaction(bytes, 0, transaction)
  return bytes
}

/** Throws FileFormatError for an unknown version. */
export function readAbortedTransaction(bytes: Uint8Array, at: number): AbortedTransaction {
  const version = readInt16(bytes, at)
  if (version !== TRANSACTION_INDEX_VERSION) {
    throw new FileFormatError(`Unexpected aborted transaction version ${version}, current version is 0`)
  }
  return {
    producerId: readInt64(bytes, at + 2),
    firstOffset: readInt64(bytes, at + 10),
    lastOffset: readInt64(bytes, at + 18),
    lastStableOffset: readInt64(bytes, at + 26),
  }
}
