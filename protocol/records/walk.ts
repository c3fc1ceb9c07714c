/**
 * A walk over the records of a batch that only looks: are they as many and as long as they say, are their offsets consecutive, what
 * is the highest timestamp. No object is made per record; on the hot path of every uncompressed append.
 */

/** What a walk found. */
export interface WalkResult {
  /** False if a length, a count or a varint is wrong: `decodeRecords` says what. */
  wellFormed: boolean
  /** The record offsets are 0, 1, 2 ... relative to the base offset. */
  consecutive: boolean
  hasNullKey: boolean
  minTimestampDelta: number
  maxTimestampDelta: number
}

/** The walker's place; module-wide, since a walk is never interrupted. */
let at = 0

/** An unsigned varint of at most `most` bytes; -1 if it is cut off or longer. Zigzag is the caller's. */
function readUnsigned(bytes: { readonly [index: number]: number }, end: number, most: number): number {
  if (at >= end) return -1
  let byte = bytes[at++]!
  if (byte < 0x80) return byte
  let raw = byte & 0x7f
  let scale = 128
  for (let i = 1; i < most; i++) {
    if (at >= end) return -1
    byte = bytes[at++]!
    raw += (byte & 0x7f) * scale
    if (byte < 0x80) return raw
    scale *= 128
  }
  return -1
}

/** The 32-bit value of a zigzag form; bits beyond 32 are dropped, as everywhere in Kafka. */
function zigzag32(raw: number): number {
  return (raw >>> 1) ^ -(raw & 1)
}

/** Walks `count` records in `bytes[start, end)`, which must be exactly filled by them. */
export function walkRecords(buffer: Uint8Array, start: number, end: number, count: number): WalkResult {
  const bytes = buffer as unknown as { readonly [index: number]: number }
  const result: WalkResult = { wellFormed: false, consecutive: true, hasNullKey: false, minTimestampDelta: 0, maxTimestampDelta: 0 }
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  at = start
  for (let index = 0; index < count; index++) {
    const rawSize = readUnsigned(bytes, end, 5)
    const size = rawSize < 0 ? -1 : zigzag32(rawSize)
    const recordEnd = at + size
    if (size < 6 || recordEnd > end) return result
    at++ // attributes
    const rawTimestamp = readUnsigned(bytes, recordEnd, 10)
    const rawOffset = readUnsigned(bytes, recordEnd, 5)
    const rawKey = readUnsigned(bytes, recordEnd, 5)
    if (rawTimestamp < 0 || rawOffset < 0 || rawKey < 0) return result
    const timestampDelta = rawTimestamp % 2 === 0 ? rawTimestamp / 2 : -(rawTimestamp + 1) / 2
    if (timestampDelta > max) max = timestampDelta
    if (timestampDelta < min) min = timestampDelta
    if (zigzag32(rawOffset) !== index) result.consecutive = false
    const keyLength = zigzag32(rawKey)
    if (keyLength < 0) result.hasNullKey = true
    else at += keyLength
    const rawValue = readUnsigned(bytes, recordEnd, 5)
    if (rawValue < 0) return result
    const valueLength = zigzag32(rawValue)
    if (valueLength > 0) at += valueLength
    const rawHeaders = readUnsigned(bytes, recordEnd, 5)
    if (rawHeaders !== 0 && !skipHeaders(bytes, rawHeaders, recordEnd)) return result
    if (at !== recordEnd) return result
  }
  result.wellFormed = at === end
  if (count > 0) {
    result.minTimestampDelta = min
    result.maxTimestampDelta = max
  }
  return result
}

function skipHeaders(bytes: { readonly [index: number]: number }, rawCount: number, end: number): boolean {
  const count = zigzag32(rawCount)
  if (rawCount < 0 || count < 0 || count > end - at) return false
  for (let i = 0; i < count; i++) {
    const rawKey = readUnsigned(bytes, end, 5)
    const keyLength = zigzag32(rawKey)
    if (rawKey < 0 || keyLength < 0) return false
    at += keyLength
    const rawValue = readUnsigned(bytes, end, 5)
    if (rawValue < 0) return false
    const valueLength = zigzag32(rawValue)
    if (valueLength > 0) at += valueLength
  }
  return true
}
