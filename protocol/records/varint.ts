/**
 * Zigzag variable-length integers of the record format, as numbers. Reading keeps its place in a cursor object, so that
 * nothing is allocated per value; BigInt would cost 200 ns a record.
 */

/** A place in a byte array; reads stop at `end` with a `VarintError`. */
export interface Cursor {
  bytes: Uint8Array
  at: number
  end: number
}

export class VarintError extends Error {
  override name = 'VarintError'
}

const TWO_27 = 134217728
const TWO_55 = 36028797018963968

/** An unsigned LEB128 of at most five bytes; returns the zigzag-decoded 32-bit value. */
export function readVarint(cursor: Cursor): number {
  const bytes = cursor.bytes as unknown as { readonly [index: number]: number }
  const end = cursor.end
  let at = cursor.at
  let raw = 0
  for (let shift = 0; ; shift += 7) {
    if (at >= end) throw new VarintError('a varint ends after the data')
    const byte = bytes[at++]!
    raw |= (byte & 0x7f) << shift
    if (byte < 0x80) break
    if (shift === 28) throw new VarintError('a varint is longer than 5 bytes')
  }
  cursor.at = at
  return (raw >>> 1) ^ -(raw & 1)
}

/** A zigzag varint of at most ten bytes, as a number: exact up to 2^53. */
export function readVarlong(cursor: Cursor): number {
  const bytes = cursor.bytes as unknown as { readonly [index: number]: number }
  const end = cursor.end
  let at = cursor.at
  // Three limbs of 28 bits: the low 28, the middle 28, and the top 8.
  let low = 0
  let middle = 0
  let high = 0
  for (let i = 0; ; i++) {
    if (at >= end) throw new VarintError('a varlong ends after the data')
    const byte = bytes[at++]!
    if (i < 4) low |= (byte & 0x7f) << (7 * i)
    else if (i < 8) middle |= (byte & 0x7f) << (7 * (i - 4))
    else high |= (byte & 0x7f) << (7 * (i - 8))
    if (byte < 0x80) break
    if (i === 9) throw new VarintError('a varlong is longer than 10 bytes')
  }
  cursor.at = at
  const negative = low & 1
  // Halved limb by limb: twice the value need not be exact, the value is.
  const half = (low >>> 1) + middle * TWO_27 + (high & 0xff) * TWO_55
  return negative ? -half - 1 : half
}

/** Bytes that `writeVarint` takes for a 32-bit value. */
export function varintSize(value: number): number {
  const raw = ((value << 1) ^ (value >> 31)) >>> 0
  return raw < 0x80 ? 1 : raw < 0x4000 ? 2 : raw < 0x200000 ? 3 : raw < 0x10000000 ? 4 : 5
}

/** Writes a 32-bit value; returns the position after it. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let raw = ((value << 1) ^ (value >> 31)) >>> 0
  while (raw >= 0x80) {
    bytes[at++] = (raw & 0x7f) | 0x80
    raw >>>= 7
  }
  bytes[at++] = raw
  return at
}

/** Bytes that `writeVarlong` takes. */
export function varlongSize(value: number): number {
  if (value >= -0x40000000 && value <= 0x3fffffff) return varintSize(value)
  let magnitude = value < 0 ? -value - 1 : value
  let size = 1
  // The first byte holds six bits of the magnitude beside the sign, each further one seven.
  magnitude = Math.floor(magnitude / 64)
  while (magnitude > 0) {
    magnitude = Math.floor(magnitude / 128)
    size++
  }
  return size
}

/** Writes a value of up to 64 bits (exact up to 2^53); returns the position after it. */
export function writeVarlong(bytes: Uint8Array, at: number, value: number): number {
  if (value >= -0x40000000 && value <= 0x3fffffff) return writeVarint(bytes, at, value)
  const negative = value < 0
  let magnitude = negative ? -value - 1 : value
  const first = magnitude % 64
  magnitude = (magnitude - first) / 64
  let byte = first * 2 + (negative ? 1 : 0)
  while (magnitude > 0) {
    bytes[at++] = byte | 0x80
    byte = magnitude % 128
    magnitude = (magnitude - byte) / 128
  }
  bytes[at++] = byte
  return at
}
