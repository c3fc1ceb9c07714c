/**
 * A walk over the records of a batch that only looks: are they as many and as long as they say, are their offsets consecutive,
 * what is the highest timestamp. It makes no object per record, for it is on the path of every uncompressed append.
 */

/** What a walk found; of what is malformed nothing else is told. */
export interface WalkResult {
  /** False if a length, a count or a varint is wrong: `decodeRecords` says what. */
  readonly wellFormed: boolean
  /** The record offsets are 0, 1, 2 ... relative to the base offset. */
  readonly consecutive: boolean
  readonly hasNullKey: boolean
  readonly minTimestampDelta: number
  readonly maxTimestampDelta: number
}

type Bytes = { readonly [index: number]: number }

/** Where the last varint of several bytes ended; module-wide, since a walk is never interrupted. */
let at = 0

/** A zigzag varint of at most 5 bytes from `from` on; sets `at` to its end, to -1 if it is cut off or longer. */
function readInt(bytes: Bytes, from: number, end: number): number {
  let pos = from
  let raw = 0
  for (let shift = 0; shift < 35; shift += 7) {
    if (pos >= end) break
    const byte = bytes[pos++]!
    raw |= (byte & 0x7f) << shift
    if (byte < 0x80) {
      at = pos
      return (raw >>> 1) ^ -(raw & 1)
    }
  }
  at = -1
  return 0
}

/** The same of at most 10 bytes. */
function readLong(bytes: Bytes, from: number, end: number): number {
  let pos = from
  let raw = 0
  let scale = 1
  for (let i = 0; i < 10; i++) {
    if (pos >= end) break
    const byte = bytes[pos++]!
    raw += (byte & 0x7f) * scale
    if (byte < 0x80) {
      at = pos
      return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2
    }
    scale *= 128
  }
  at = -1
  return 0
}

/** What the careful look at one record found; module-wide, as `at`. */
let timestampDelta = 0
let offsetDelta = 0
let hasKey = false

/** Looks at the record at `from` with care for every form that it may have. Its end, -1 if it is malformed. */
function walkOne(bytes: Bytes, from: number, end: number): number {
  const size = readInt(bytes, from, end)
  const recordEnd = at + size
  if (at < 0 || size < 6 || recordEnd > end) return -1
  timestampDelta = readLong(bytes, at + 1, recordEnd) // behind the attributes
  if (at < 0) return -1
  offsetDelta = readInt(bytes, at, recordEnd)
  if (at < 0) return -1
  const keyLength = readInt(bytes, at, recordEnd)
  if (at < 0) return -1
  hasKey = keyLength >= 0
  const valueLength = readInt(bytes, keyLength > 0 ? at + keyLength : at, recordEnd)
  if (at < 0) return -1
  return skipHeaders(bytes, valueLength > 0 ? at + valueLength : at, recordEnd) === recordEnd ? recordEnd : -1
}

/**
 * Walks `count` records in `bytes[start, end)`, which must be exactly filled by them.
 *
 * The loop takes the usual record by itself: no varint beyond three bytes, no headers. It is written out, for a function with two
 * results (value and position) costs more than the rest. Any other record, a wrong one too, gets the careful look. Reads behind
 * the end of a record do no harm: the ends are compared at last.
 */
export function walkRecords(buffer: Uint8Array, start: number, end: number, count: number): WalkResult {
  const bytes = buffer as unknown as Bytes
  let consecutive = true
  let hasNullKey = false
  let min = Number.MAX_VALUE
  let max = -Number.MAX_VALUE
  let next = start
  for (let index = 0; index < count; index++) {
    let pos = next
    let byte = bytes[pos++]!
    let raw = byte
    if (byte >= 0x80) {
      byte = bytes[pos++]!
      raw = (raw & 0x7f) | (byte << 7)
      if (byte >= 0x80) raw = (raw & 0x3fff) | ((byte = bytes[pos++]!) << 14)
    }
    let usual = byte < 0x80 && (raw & 1) === 0
    const recordEnd = pos + (raw >>> 1)
    pos++ // the attributes

    raw = byte = bytes[pos++]!
    if (byte >= 0x80) {
      byte = bytes[pos++]!
      raw = (raw & 0x7f) | (byte << 7)
      if (byte >= 0x80) raw = (raw & 0x3fff) | ((byte = bytes[pos++]!) << 14)
    }
    usual &&= byte < 0x80
    const timestamp = (raw >>> 1) ^ -(raw & 1)

    raw = byte = bytes[pos++]!
    if (byte >= 0x80) {
      byte = bytes[pos++]!
      raw = (raw & 0x7f) | (byte << 7)
      if (byte >= 0x80) raw = (raw & 0x3fff) | ((byte = bytes[pos++]!) << 14)
    }
    usual &&= byte < 0x80 && raw === index << 1

    raw = byte = bytes[pos++]!
    if (byte >= 0x80) {
      byte = bytes[pos++]!
      raw = (raw & 0x7f) | (byte << 7)
      if (byte >= 0x80) raw = (raw & 0x3fff) | ((byte = bytes[pos++]!) << 14)
    }
    usual &&= byte < 0x80
    const noKey = (raw & 1) === 1
    if (!noKey) pos += raw >>> 1

    raw = byte = bytes[pos++]!
    if (byte >= 0x80) {
      byte = bytes[pos++]!
      raw = (raw & 0x7f) | (byte << 7)
      if (byte >= 0x80) raw = (raw & 0x3fff) | ((byte = bytes[pos++]!) << 14)
    }
    if ((raw & 1) === 0) pos += raw >>> 1

    if (usual && byte < 0x80 && bytes[pos] === 0 && pos + 1 === recordEnd && recordEnd <= end) {
      if (timestamp > max) max = timestamp
      if (timestamp < min) min = timestamp
      if (noKey) hasNullKey = true
      next = recordEnd
      continue
    }
    next = walkOne(bytes, next, end)
    if (next < 0) return malformed
    if (timestampDelta > max) max = timestampDelta
    if (timestampDelta < min) min = timestampDelta
    if (offsetDelta !== index) consecutive = false
    if (!hasKey) hasNullKey = true
  }
  if (next !== end) return malformed
  if (count <= 0) return { wellFormed: true, consecutive, hasNullKey, minTimestampDelta: 0, maxTimestampDelta: 0 }
  return { wellFormed: true, consecutive, hasNullKey, minTimestampDelta: min, maxTimestampDelta: max }
}

const malformed: WalkResult = {
  wellFormed: false, consecutive: false, hasNullKey: false, minTimestampDelta: 0, maxTimestampDelta: 0,
}

/** Where the headers end; -1 if they are malformed. */
function skipHeaders(bytes: Bytes, from: number, end: number): number {
  const count = readInt(bytes, from, end)
  if (at < 0 || count < 0 || count > end - at) return -1
  for (let i = 0; i < count; i++) {
    const keyLength = readInt(bytes, at, end)
    if (at < 0 || keyLength < 0) return -1
    const valueLength = readInt(bytes, at + keyLength, end)
    if (at < 0) return -1
    if (valueLength > 0) at += valueLength
  }
  return at
}
