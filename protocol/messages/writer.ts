/** A value that a message cannot hold: a programming error of the caller, or a field that the chosen version lacks. */
export class EncodeError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'EncodeError'
  }
}

/** Node's own conversion, without the look-up of the encoding's name on every call. */
interface WritingBuffer extends Buffer {
  utf8Write(text: string, offset: number, length?: number): number
}

const two32 = 4294967296
const two63 = 2 ** 63
const initialBytes = 64 * 1024
/** From this size on, bytes are handed on by reference instead of being copied. */
const referenceBytes = 1024

/**
 * Writes Kafka's primitive types into one growing buffer. There is exactly one Writer class (see Reader); codec.ts and frames.ts
 * share one instance, since encoding never awaits.
 */
export class Writer {
  position = 0
  readonly noBytes = new Uint8Array(0)
  private buffer = Buffer.allocUnsafeSlow(initialBytes) as WritingBuffer
  view = new DataView(this.buffer.buffer)
  private limit = initialBytes
  private referencing = false
  private tagDepth = 0
  private referenced = 0
  private marks: number[] = []
  private references: Uint8Array[] = []

  /** Starts anew. With `byReference`, large bytes are not copied but become parts of their own (`takeParts`). */
  start(byReference: boolean): void {
    this.position = 0
    this.referencing = byReference
    this.tagDepth = 0
    this.referenced = 0
    if (this.marks.length > 0) {
      this.marks = []
      this.references = []
    }
  }

  /** Makes room for what will probably come: growing step by step would touch fresh memory several times. */
  expect(bytes: number): void {
    if (this.position + bytes > this.limit) this.grow(this.position + bytes)
  }

  /** Bytes written so far, with those by reference. */
  get length(): number {
    return this.position + this.referenced
  }

  /** What was written, as one buffer of its own. */
  take(): Buffer {
    const { position, buffer } = this
    if (position < initialBytes || position < buffer.length >> 1) {
      const copy = Buffer.allocUnsafe(position)
      buffer.copy(copy, 0, 0, position)
      if (buffer.length > 16 * initialBytes) this.replace(Buffer.allocUnsafeSlow(initialBytes))
      return copy
    }
    this.replace(Buffer.allocUnsafeSlow(initialBytes))
    return buffer.subarray(0, position)
  }

  /** What was written, in order, with the bytes that went by reference. */
  takeParts(): Uint8Array[] {
    const { marks, references } = this
    const own = this.take()
    if (marks.length === 0) return [own]
    const parts: Uint8Array[] = []
    let from = 0
    for (let i = 0; i < marks.length; i++) {
      const mark = marks[i] as number
      if (mark > from) parts.push(own.subarray(from, mark))
      parts.push(references[i] as Uint8Array)
      from = mark
    }
    if (own.length > from) parts.push(own.subarray(from))
    this.start(false)
    return parts
  }

  bool(value: boolean): void {
    const at = this.reserve(1)
    this.view.setInt8(at, value ? 1 : 0)
  }

  int8(value: number): void {
    if ((value << 24) >> 24 !== value) throw new EncodeError(`${value} is no int8`)
    const at = this.reserve(1)
    this.view.setInt8(at, value)
  }

  int16(value: number): void {
    if ((value << 16) >> 16 !== value) throw new EncodeError(`${value} is no int16`)
    const at = this.reserve(2)
    this.view.setInt16(at, value)
  }

  uint16(value: number): void {
    if ((value & 0xffff) !== value) throw new EncodeError(`${value} is no uint16`)
    const at = this.reserve(2)
    this.view.setUint16(at, value)
  }

  int32(value: number): void {
    if ((value | 0) !== value) throw new EncodeError(`${value} is no int32`)
    const at = this.reserve(4)
    this.view.setInt32(at, value)
  }

  uint32(value: number): void {
    if (value >>> 0 !== value) throw new EncodeError(`${value} is no uint32`)
    const at = this.reserve(4)
    this.view.setUint32(at, value)
  }

  /** The elements of an array of int32. */
  int32s(values: readonly number[]): void {
    const { length } = values
    let at = this.reserve(4 * length)
    const { view } = this
    for (let i = 0; i < length; i++) {
      const value = values[i] as number
      if ((value | 0) !== value) throw new EncodeError(`${value} is no int32`)
      view.setInt32(at, value)
      at += 4
    }
  }

  int64(value: number): void {
    const at = this.reserve(8)
    this.setInt64(at, value)
  }

  /** 2^63 (what Long.MAX_VALUE reads as) is written as Long.MAX_VALUE. */
  setInt64(at: number, value: number): void {
    const high = Math.floor(value / two32)
    const low = value - high * two32
    if (value >= two63 || low >>> 0 !== low || high < -0x80000000) {
      if (value !== two63) throw new EncodeError(`${value} is no int64`)
      this.view.setUint32(at, 0x7fffffff)
      this.view.setUint32(at + 4, 0xffffffff)
      return
    }
    this.view.setInt32(at, high)
    this.view.setUint32(at + 4, low)
  }

  float64(value: number): void {
    const at = this.reserve(8)
    this.view.setFloat64(at, value)
  }

  uuid(value: string): void {
    if (value.length !== 22) throw new EncodeError(`'${value}' is no uuid`)
    const at = this.reserve(16)
    if (this.buffer.write(value, at, 16, 'base64url') !== 16) throw new EncodeError(`'${value}' is no uuid`)
  }

  uvarint(value: number): void {
    let at = this.reserve(5)
    let rest = value
    while (rest > 0x7f) {
      this.buffer[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.buffer[at++] = rest
    this.position = at
  }

  string(value: string): void {
    const at = this.reserve(2 + value.length * 3) + 2
    const length = this.characters(value, at)
    if (length > 0x7fff) throw new EncodeError(`string of ${length} bytes`)
    this.view.setInt16(at - 2, length)
    this.position = at + length
  }

  nullableString(value: string | null): void {
    if (value === null) this.int16(-1)
    else this.string(value)
  }

  compactString(value: string): void {
    const at = this.reserve(3 + value.length * 3)
    if (value.length < 42) {
      // At most 126 bytes of UTF-8: the length takes one byte.
      const length = this.characters(value, at + 1)
      this.buffer[at] = length + 1
      this.position = at + 1 + length
      return
    }
    const length = Buffer.byteLength(value)
    if (length > 0x7fff) throw new EncodeError(`string of ${length} bytes`)
    this.position = at
    this.uvarint(length + 1)
    this.buffer.utf8Write(value, this.position, length)
    this.position += length
  }

  compactNullableString(value: string | null): void {
    if (value === null) this.uvarint(0)
    else this.compactString(value)
  }

  bytes(value: Uint8Array): void {
    this.int32(value.length)
    this.raw(value)
  }

  nullableBytes(value: Uint8Array | null): void {
    if (value === null) this.int32(-1)
    else this.bytes(value)
  }

  compactBytes(value: Uint8Array): void {
    this.uvarint(value.length + 1)
    this.raw(value)
  }

  compactNullableBytes(value: Uint8Array | null): void {
    if (value === null) this.uvarint(0)
    else this.compactBytes(value)
  }

  /** Bytes without a length. */
  raw(value: Uint8Array): void {
    if (this.referencing && value.length >= referenceBytes && this.tagDepth === 0) {
      this.marks.push(this.position)
      this.references.push(value)
      this.referenced += value.length
      return
    }
    const at = this.reserve(value.length)
    this.buffer.set(value, at)
  }

  /** Begins a tagged field whose size is not known yet. */
  beginTag(tag: number): number {
    this.uvarint(tag)
    this.tagDepth++
    return this.reserve(1)
  }

  /** Ends what `beginTag` began: the size goes in front, one byte for nearly every field. */
  endTag(at: number): void {
    this.tagDepth--
    const size = this.position - at - 1
    if (size < 0x80) {
      this.buffer[at] = size
      return
    }
    let extra = 0
    for (let rest = size >>> 7; rest > 0; rest >>>= 7) extra++
    const end = this.reserve(extra)
    this.buffer.copyWithin(at + 1 + extra, at + 1, end)
    this.position = at
    this.uvarint(size)
    this.position = end + extra
  }

  /** Overwrites four bytes that were written before, such as the size of a frame. */
  setInt32(at: number, value: number): void {
    this.view.setInt32(at, value)
  }

  private characters(value: string, at: number): number {
    const { length } = value
    if (length > 42) return this.buffer.utf8Write(value, at)
    const { buffer } = this
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i)
      if (code > 0x7f) return buffer.utf8Write(value, at)
      buffer[at + i] = code
    }
    return length
  }

  /** Makes room, and gives its position. `view` and `buffer` may be others afterwards: read them after this call, not before. */
  reserve(bytes: number): number {
    const at = this.position
    const end = at + bytes
    if (end > this.limit) this.grow(end)
    this.position = end
    return at
  }

  private grow(needed: number): void {
    const next = Buffer.allocUnsafeSlow(Math.max(needed, this.limit * 2))
    this.buffer.copy(next, 0, 0, this.position)
    this.replace(next)
  }

  private replace(buffer: Buffer): void {
    this.buffer = buffer as WritingBuffer
    this.view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
    this.limit = buffer.length
  }
}
