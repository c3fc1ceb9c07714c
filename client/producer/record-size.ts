import { varintSize } from '../../protocol/records/varint'
import type { HeaderInput } from '../../protocol/records/record'

const BATCH_HEADER_BYTES = 61
/** Length, attributes, and the deltas of timestamp and offset, at their longest. */
const MOST_RECORD_OVERHEAD_BYTES = 21

function sizeOf(bytes: Uint8Array | null): number {
  return bytes === null ? varintSize(-1) : varintSize(bytes.length) + bytes.length
}

/**
 * What a record takes at most, uncompressed, in a batch of its own: what `max.request.size` and `buffer.memory` are compared with
 * (AbstractRecords.estimateSizeInBytesUpperBound).
 */
export function mostBytes(key: Uint8Array | null, value: Uint8Array | null, headers: readonly HeaderInput[]): number {
  let bytes = BATCH_HEADER_BYTES + MOST_RECORD_OVERHEAD_BYTES + sizeOf(key) + sizeOf(value) + varintSize(headers.length)
  for (const header of headers) {
    const nameBytes = Buffer.byteLength(header.key)
    bytes += varintSize(nameBytes) + nameBytes + sizeOf(header.value)
  }
  return bytes
}
