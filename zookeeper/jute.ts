/** Bytes that are not the record they should be. */
export class JuteError extends Error {
  override readonly name = 'JuteError'
}

/** Reads jute's binary form. Every length is checked against the bytes that are there before anything is allocated. */
export class JuteReader {
  private readonly buffer: Buffer
  private position: number

  constructor(buffer: Buffer, position = 0) {
    this.buffer = buffer
    this.position = position
  }

  get remaining(): number {
    return this.buffer.length - this.position
  }

  private take(bytes: number): number {
    const at = this.position
    if (bytes > this.buffer.length - at) throw new JuteError(`${bytes} bytes wanted at ${at}, ${this.buffer.length - at} left`)
    this.position = at + bytes
    return at
  }

  readBool(): boolean {
    return this.buffer[this.take(1)] !== 0
  }

  readByte(): number {
    return this.buffer[this.take(1)]!
  }

  readInt(): number {
    return this.buffer.readInt32BE(this.take(4))
  }

  /** An int64 that is exact as a number (zxids, times). */
  readLong(): number {
    const at = this.take(8)
    const value = this.buffer.readInt32BE(at) * 2 ** 32 + this.buffer.readUInt32BE(at + 4)
    return value
  }

  /** An int64 with all its bits (session ids, owners). */
  readBigLong(): bigint {
    return this.buffer.readBigInt64BE(this.take(8))
  }

  readString(): string | null {
    const length = this.readInt()
    if (length === -1) return null
    if (length < 0) throw new JuteError(`a string of ${length} bytes`)
    const at = this.take(length)
    return this.buffer.toString('utf8', at, at + length)
  }

  /** A string that may not be null. */
  readText(): string {
    const text = this.readString()
    if (text === null) throw new JuteError('a null string')
    return text
  }

  /** A copy of its own, so that what is kept does not hold the packet it came in. */
  readBuffer(): Buffer | null {
    const length = this.readInt()
    if (length === -1) return null
    if (length < 0) throw new JuteError(`a buffer of ${length} bytes`)
    const at = this.take(length)
    const copy = Buffer.allocUnsafeSlow(length)
    this.buffer.copy(copy, 0, at, at + length)
    return copy
  }

  /** Null becomes empty, as the callers of Apache's server treat it. `leastBytes`: what an element takes at least. */
  readVector<T>(leastBytes: number, element: () => T): T[] {
    const count = this.readInt()
    if (count === -1) return []
    if (count < 0 || count * leastBytes > this.remaining) throw new JuteError(`a vector of ${count}`)
    const elements: T[] = []
    for (let i = 0; i < count; i++) elements.push(element())
    return elements
  }
}

/** Writes jute's binary form into one growing buffer that is used again. */
export class JuteWriter {
  private buffer: Buffer
  length = 0

  constructor(capacity = 512) {
    this.buffer = Buffer.allocUnsafeSlow(capacity)
  }

  /** Where the next `bytes` go. May replace the buffer: call it before `this.buffer` is evaluated. */
  private room(bytes: number): number {
    const at = this.length
    if (at + bytes > this.buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, at + bytes))
      this.buffer.copy(grown, 0, 0, at)
      this.buffer = grown
    }
    this.length = at + bytes
    return at
  }

  writeBool(value: boolean): void {
    const at = this.room(1)
    this.buffer[at] = value ? 1 : 0
  }

  writeByte(value: number): void {
    const at = this.room(1)
    this.buffer[at] = value
  }

  writeInt(value: number): void {
    const at = this.room(4)
    this.buffer.writeInt32BE(value, at)
  }

  writeLong(value: number): void {
    const at = this.room(8)
    this.buffer.writeInt32BE(Math.floor(value / 2 ** 32), at)
    this.buffer.writeUInt32BE(value >>> 0, at + 4)
  }

  writeBigLong(value: bigint): void {
    const at = this.room(8)
    this.buffer.writeBigInt64BE(value, at)
  }

  writeString(value: string | null): void {
    if (value === null) return this.writeInt(-1)
    const bytes = Buffer.byteLength(value)
    this.writeInt(bytes)
    const at = this.room(bytes)
    this.buffer.write(value, at, bytes, 'utf8')
  }

  writeBuffer(value: Uint8Array | null): void {
    if (value === null) return this.writeInt(-1)
    this.writeInt(value.length)
    const at = this.room(value.length)
    this.buffer.set(value, at)
  }

  writeRaw(bytes: Uint8Array): void {
    const at = this.room(bytes.length)
    this.buffer.set(bytes, at)
  }

  writeVector<T>(elements: readonly T[], element: (value: T) => void): void {
    this.writeInt(elements.length)
    for (const value of elements) element(value)
  }

  /** Overwrites what was written at `at`. */
  patchInt(at: number, value: number): void {
    this.buffer.writeInt32BE(value, at)
  }

  patchLong(at: number, value: number): void {
    this.buffer.writeInt32BE(Math.floor(value / 2 ** 32), at)
    this.buffer.writeUInt32BE(value >>> 0, at + 4)
  }

  /** A view of what was written; valid until the next write. */
  view(start = 0): Buffer {
    return this.buffer.subarray(start, this.length)
  }

  /** A copy of what was written since `start`; the writer is empty again, and small. */
  take(): Buffer {
    const copy = Buffer.from(this.buffer.subarray(0, this.length))
    this.reset()
    return copy
  }

  reset(): void {
    this.length = 0
    if (this.buffer.length > 256 * 1024) this.buffer = Buffer.allocUnsafeSlow(512)
  }
}
