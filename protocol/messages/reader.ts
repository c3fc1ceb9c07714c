import { isAscii, isUtf8 } from 'node:buffer'

/** Bytes that are no valid message. Nothing was allocated beyond what the sender has really sent, times a constant. */
export class DecodeError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'DecodeError'
  }
}

/** The id of nothing: 16 zero bytes. */
export const zeroUuid = 'AAAAAAAAAAAAAAAAAAAAAA'

/** Node's own conversions, without the look-up of the encoding's name on every call. */
interface SlicingBuffer extends Buffer {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
}

/** As long as a string can be on the wire. */
export const longestStringBytes = 0x7fff
/**
 * As long as a name in a client's request may be. V8 hashes strings of more than 16,383 characters by their length alone: a
 * thousand such names as keys of one Map stop the event loop for many seconds. With this limit a key of two names and what
 * stands between them is short enough, too.
 */
export const longestNameBytes = 8191

const emptyBuffer = Buffer.alloc(0)
const two32 = 4294967296

/** Estimated heap bytes, charged to the budget: a Buffer view, a string without its characters, one slot of an array. */
const bufferCost = 96
const stringCost = 24
const slotCost = 12

/**
 * Reads Kafka's primitive types. Reading past the end throws the RangeError of DataView, which codec.ts turns into a
 * DecodeError. Everything that lets the sender choose an amount (counts, lengths) is compared with the bytes that are there and
 * charged to `budget`, so that small bytes cannot become a large heap.
 *
 * There is exactly one Reader class, and it only ever sees Buffers: more shapes would cost two to five times.
 */
export class Reader {
  readonly buffer: Buffer
  readonly end: number
  position: number
  /** Heap bytes that may still be spent on decoded objects. */
  budget: number
  /** Most bytes of a string that may become a key. */
  private readonly longestName: number
  private readonly view: DataView

  constructor(buffer: Buffer, position: number, budget: number, longestName = longestStringBytes) {
    this.buffer = buffer
    this.view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
    this.end = buffer.length
    this.position = position
    this.budget = budget
    this.longestName = longestName
  }

  bool(): boolean {
    return this.view.getInt8(this.position++) !== 0
  }

  int8(): number {
    return this.view.getInt8(this.position++)
  }

  int16(): number {
    const at = this.position
    this.position = at + 2
    return this.view.getInt16(at)
  }

  uint16(): number {
    const at = this.position
    this.position = at + 2
    return this.view.getUint16(at)
  }

  int32(): number {
    const at = this.position
    this.position = at + 4
    return this.view.getInt32(at)
  }

  uint32(): number {
    const at = this.position
    this.position = at + 4
    return this.view.getUint32(at)
  }

  /** Exact up to 2^53; Long.MAX_VALUE reads as 2^63. */
  int64(): number {
    const at = this.position
    this.position = at + 8
    return this.view.getInt32(at) * two32 + this.view.getUint32(at + 4)
  }

  float64(): number {
    const at = this.position
    this.position = at + 8
    return this.view.getFloat64(at)
  }

  /** 22 characters of base64url, as Kafka prints topic ids. */
  uuid(): string {
    const at = this.position
    const end = at + 16
    if (end > this.end) throw new DecodeError('truncated')
    this.position = end
    const { view } = this
    if (view.getInt32(at) === 0 && view.getInt32(at + 4) === 0 && view.getInt32(at + 8) === 0 && view.getInt32(at + 12) === 0) {
      return zeroUuid
    }
    this.charge(stringCost + 22)
    return this.buffer.toString('base64url', at, end)
  }

  /** An unsigned varint of at most 32 bits. */
  uvarint(): number {
    const first = this.view.getUint8(this.position++)
    if (first < 0x80) return first
    let value = first & 0x7f
    for (let shift = 7; shift < 28; shift += 7) {
      const byte = this.view.getUint8(this.position++)
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    const last = this.view.getUint8(this.position++)
    if (last > 0x0f) throw new DecodeError('varint longer than 32 bits')
    return (value | (last << 28)) >>> 0
  }

  string(): string {
    return this.stringOf(this.notNull(this.int16()), this.longestName)
  }

  nullableString(): string | null {
    const length = this.int16()
    return length === -1 ? null : this.stringOf(length, this.longestName)
  }

  compactString(): string {
    return this.stringOf(this.notNull(this.uvarint() - 1), this.longestName)
  }

  compactNullableString(): string | null {
    const length = this.uvarint() - 1
    return length === -1 ? null : this.stringOf(length, this.longestName)
  }

  /** A string that is no name: a value, or for people to read. */
  text(): string {
    return this.stringOf(this.notNull(this.int16()), longestStringBytes)
  }

  nullableText(): string | null {
    const length = this.int16()
    return length === -1 ? null : this.stringOf(length, longestStringBytes)
  }

  compactText(): string {
    return this.stringOf(this.notNull(this.uvarint() - 1), longestStringBytes)
  }

  compactNullableText(): string | null {
    const length = this.uvarint() - 1
    return length === -1 ? null : this.stringOf(length, longestStringBytes)
  }

  /** A copy: such bytes are small and kept (subscriptions, assignments, tokens), while the frame's memory is used again. */
  bytes(): Buffer {
    return this.copyOf(this.notNull(this.int32()))
  }

  nullableBytes(): Buffer | null {
    const length = this.int32()
    return length === -1 ? null : this.copyOf(length)
  }

  compactBytes(): Buffer {
    return this.copyOf(this.notNull(this.uvarint() - 1))
  }

  compactNullableBytes(): Buffer | null {
    const length = this.uvarint() - 1
    return length === -1 ? null : this.copyOf(length)
  }

  /** A view of the frame: records go from socket to file without being copied. */
  records(): Buffer {
    return this.viewOf(this.notNull(this.int32()))
  }

  nullableRecords(): Buffer | null {
    const length = this.int32()
    return length === -1 ? null : this.viewOf(length)
  }

  compactRecords(): Buffer {
    return this.viewOf(this.notNull(this.uvarint() - 1))
  }

  compactNullableRecords(): Buffer | null {
    const length = this.uvarint() - 1
    return length === -1 ? null : this.viewOf(length)
  }

  /** The number of elements of an array; `wire` is the least that one takes on the wire, `cost` what it takes on the heap. */
  count(wire: number, cost: number): number {
    return this.countOf(this.notNull(this.int32()), wire, cost)
  }

  /** -1 is a null array. */
  nullableCount(wire: number, cost: number): number {
    const count = this.int32()
    return count === -1 ? -1 : this.countOf(count, wire, cost)
  }

  compactCount(wire: number, cost: number): number {
    return this.countOf(this.notNull(this.uvarint() - 1), wire, cost)
  }

  compactNullableCount(wire: number, cost: number): number {
    const count = this.uvarint() - 1
    return count === -1 ? -1 : this.countOf(count, wire, cost)
  }

  /** Whether a nullable struct is there: a byte, 1 or -1; as a tagged field 1 or 0. */
  present(tagged: boolean): boolean {
    const marker = this.int8()
    return tagged ? marker > 0 : marker >= 0
  }

  /** The end of a tagged field whose size comes next. */
  tagEnd(): number {
    const size = this.uvarint()
    const end = this.position + size
    if (end > this.end) throw new DecodeError(`tagged field of ${size} bytes, ${this.end - this.position} are left`)
    return end
  }

  badTag(tag: number): never {
    throw new DecodeError(`the content of tagged field ${tag} does not fill its size`)
  }

  /** Skips the tagged fields of a struct that knows none. */
  skipTags(): void {
    for (let left = this.uvarint(); left > 0; left--) {
      this.uvarint()
      this.position = this.tagEnd()
    }
  }

  /** The bytes that are left, to be read by somebody else. */
  remaining(): number {
    return this.end - this.position
  }

  charge(cost: number): void {
    this.budget -= cost
    if (this.budget < 0) throw new DecodeError('more objects than a request may hold')
  }

  private notNull(length: number): number {
    if (length < 0) throw new DecodeError('null where null is not allowed, or a negative length')
    return length
  }

  private countOf(count: number, wire: number, cost: number): number {
    if (count < 0 || count * wire > this.end - this.position) {
      throw new DecodeError(`${count} elements, ${this.end - this.position} bytes are left`)
    }
    this.charge(count * (cost + slotCost))
    return count
  }

  private stringOf(length: number, longest: number): string {
    const at = this.position
    const end = at + length
    if (length < 0 || length > longest || end > this.end) {
      throw new DecodeError(`string of ${length} bytes, ${this.end - at} are left`)
    }
    this.position = end
    this.charge(stringCost + length)
    const buffer = this.buffer as SlicingBuffer
    if (length <= 48) {
      for (let i = at; i < end; i++) if ((buffer[i] as number) > 0x7f) return this.utf8(at, end)
    } else if (!isAscii(buffer.subarray(at, end))) return this.utf8(at, end)
    return buffer.latin1Slice(at, end)
  }

  private utf8(at: number, end: number): string {
    if (!isUtf8(this.buffer.subarray(at, end))) throw new DecodeError('string is not UTF-8')
    return (this.buffer as SlicingBuffer).utf8Slice(at, end)
  }

  private copyOf(length: number): Buffer {
    const view = this.viewOf(length)
    this.charge(length)
    return Buffer.from(view)
  }

  private viewOf(length: number): Buffer {
    const at = this.position
    const end = at + length
    if (length < 0 || end > this.end) throw new DecodeError(`${length} bytes, ${this.end - at} are left`)
    this.position = end
    if (length === 0) return emptyBuffer
    this.charge(bufferCost)
    return this.buffer.subarray(at, end)
  }
}
