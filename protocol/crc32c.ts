/**
 * CRC-32C (Castagnoli), the checksum of record batches, of producer snapshots and of nothing else in Kafka.
 *
 * The native package checks 8 GB/s but a call costs 100 ns, so short inputs are summed here, eight bytes at a step.
 */
import { crc32c as nativeCrc32c } from '@node-rs/crc32'

/** Below this many bytes plain JavaScript is faster than a call into native code (measured, see bench). */
const NATIVE_FROM_BYTES = 150

/** Eight tables of 256: `tables[k * 256 + b]` is the CRC of byte b followed by k zero bytes. */
const tables = makeTables()

function makeTables(): Int32Array {
  const result = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    result[byte] = crc
  }
  for (let byte = 0; byte < 256; byte++) {
    for (let k = 1; k < 8; k++) {
      const previous = result[(k - 1) * 256 + byte] as number
      result[k * 256 + byte] = (previous >>> 8) ^ (result[previous & 0xff] as number)
    }
  }
  return result
}

function scriptCrc32c(bytes: Uint8Array, start: number, end: number, seed: number): number {
  const t = tables as unknown as { readonly [index: number]: number }
  const b = bytes as unknown as { readonly [index: number]: number }
  let crc = ~seed
  let i = start
  for (const last = end - 8; i <= last; i += 8) {
    crc ^= b[i]! | (b[i + 1]! << 8) | (b[i + 2]! << 16) | (b[i + 3]! << 24)
    crc = t[1792 + (crc & 0xff)]! ^ t[1536 + ((crc >>> 8) & 0xff)]! ^ t[1280 + ((crc >>> 16) & 0xff)]! ^ t[1024 + (crc >>> 24)]!
      ^ t[768 + b[i + 4]!]! ^ t[512 + b[i + 5]!]! ^ t[256 + b[i + 6]!]! ^ t[b[i + 7]!]!
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ t[(crc ^ b[i]!) & 0xff]!
  return ~crc >>> 0
}

/**
 * The CRC-32C of `bytes`, as an unsigned number. `seed` is the CRC of what came before, so that a sum can be made in pieces:
 * `crc32c(b, crc32c(a)) === crc32c(ab)`.
 */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  return bytes.length < NATIVE_FROM_BYTES ? scriptCrc32c(bytes, 0, bytes.length, seed) : nativeCrc32c(bytes, seed)
}

/** The CRC-32C of `bytes[start, end)`; allocates nothing when the range is short. */
export function crc32cRange(bytes: Uint8Array, start: number, end: number, seed = 0): number {
  if (end - start < NATIVE_FROM_BYTES) return scriptCrc32c(bytes, start, end, seed)
  return nativeCrc32c(bytes.subarray(start, end), seed)
}
