/**
 * Producer snapshots, `%020d.snapshot`: the state of each idempotent producer at an offset, of its last batch only.
 */
import { crc32cRange } from '../crc32c'
import { readInt16, readInt32, readInt64, readUint32, writeInt16, writeInt32, writeInt64 } from '../records/big-endian'
import { FileFormatError } from './checkpoint-text'

export interface ProducerSnapshotEntry {
  producerId: number
  producerEpoch: number
  lastSequence: number
  lastOffset: number
  /** Last minus first sequence of the last batch. */
  offsetDelta: number
  timestamp: number
  coordinatorEpoch: number
  /** -1 without an open transaction. */
  currentTransactionFirstOffset: number
}

const VERSION = 1
const CRC_AT = 2
const CONTENT_AT = 6
const ENTRIES_AT = 10
const ENTRY_BYTES = 8 + 2 + 4 + 8 + 4 + 8 + 4 + 8

export function encodeProducerSnapshot(entries: readonly ProducerSnapshotEntry[]): Buffer {
  const bytes = Buffer.alloc(ENTRIES_AT + entries.length * ENTRY_BYTES)
  writeInt16(bytes, 0, VERSION)
  writeInt32(bytes, CONTENT_AT, entries.length)
  let at = ENTRIES_AT
  for (const entry of entries) {
    writeInt64(bytes, at, entry.producerId)
    writeInt16(bytes, at + 8, entry.producerEpoch)
    writeInt32(bytes, at + 10, entry.lastSequence)
    writeInt64(bytes, at + 14, entry.lastOffset)
    writeInt32(bytes, at + 22, entry.offsetDelta)
    writeInt64(bytes, at + 26, entry.timestamp)
    writeInt32(bytes, at + 34, entry.coordinatorEpoch)
    writeInt64(bytes, at + 38, entry.currentTransactionFirstOffset)
    at += ENTRY_BYTES
  }
  writeInt32(bytes, CRC_AT, crc32cRange(bytes, CONTENT_AT, bytes.length))
  return bytes
}

/** Throws FileFormatError for an unknown version, a wrong checksum or length: the caller removes such a file and scans. */
export function decodeProducerSnapshot(bytes: Uint8Array): ProducerSnapshotEntry[] {
  if (bytes.length < ENTRIES_AT) throw new FileFormatError(`Snapshot of ${bytes.length} bytes is shorter than its header`)
  const version = readInt16(bytes, 0)
  if (version !== VERSION) throw new FileFormatError(`Snapshot contained an unknown file version ${version}`)
  const stored = readUint32(bytes, CRC_AT)
  const computed = crc32cRange(bytes, CONTENT_AT, bytes.length)
  if (stored !== computed) {
    throw new FileFormatError(`Snapshot is corrupt (CRC is no longer valid). Stored crc: ${stored}. Computed crc: ${computed}`)
  }
  const count = readInt32(bytes, CONTENT_AT)
  if (count < 0 || bytes.length !== ENTRIES_AT + count * ENTRY_BYTES) {
    throw new FileFormatError(`Snapshot of ${bytes.length} bytes does not hold ${count} entries`)
  }
  const entries: ProducerSnapshotEntry[] = []
  for (let i = 0, at = ENTRIES_AT; i < count; i++, at += ENTRY_BYTES) {
    entries.push({
      producerId: readInt64(bytes, at),
      producerEpoch: readInt16(bytes, at + 8),
      lastSequence: readInt32(bytes, at + 10),
      lastOffset: readInt64(bytes, at + 14),
      offsetDelta: readInt32(bytes, at + 22),
      timestamp: readInt64(bytes, at + 26),
      coordinatorEpoch: readInt32(bytes, at + 34),
      currentTransactionFirstOffset: readInt64(bytes, at + 38),
    })
  }
  return entries
}
