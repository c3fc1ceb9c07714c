const EMPTY = Buffer.alloc(0)

/**
 * Cuts the stream of a server into frames (int32 length, body) and keeps only bytes that were received: a promised length costs
 * nothing. A frame is valid during the call of `onFrame` only.
 */
export class FrameAssembler {
  private readonly maxFrameBytes: number
  private readonly onFrame: (frame: Buffer) => void
  /** A frame of an impossible length begins: nothing after it can be understood. */
  private readonly onBadLength: (length: number) => void
  private partial = EMPTY
  private partialBytes = 0
  private stopped = false

  constructor(maxFrameBytes: number, onFrame: (frame: Buffer) => void, onBadLength: (length: number) => void) {
    this.maxFrameBytes = maxFrameBytes
    this.onFrame = onFrame
    this.onBadLength = onBadLength
  }

  push(chunk: Buffer): void {
    let offset = 0
    while (!this.stopped && offset < chunk.length) {
      if (this.partialBytes > 0) {
        offset += this.complete(chunk, offset)
        continue
      }
      const length = chunk.length - offset >= 4 ? chunk.readInt32BE(offset) : undefined
      if (length !== undefined && this.refuses(length)) return
      if (length === undefined || chunk.length - offset - 4 < length) {
        this.keep(chunk, offset, chunk.length)
        return
      }
      offset += 4 + length
      this.onFrame(chunk.subarray(offset - length, offset))
    }
  }

  /** Nothing more is delivered, also of the chunk that is being cut. */
  stop(): void {
    this.stopped = true
    this.partial = EMPTY
    this.partialBytes = 0
  }

  /** Adds to the frame that has begun; returns how many bytes of the chunk it took. */
  private complete(chunk: Buffer, offset: number): number {
    const wanted = (this.partialBytes < 4 ? 4 : 4 + this.partial.readInt32BE(0)) - this.partialBytes
    const taken = Math.min(wanted, chunk.length - offset)
    this.keep(chunk, offset, offset + taken)
    if (this.partialBytes < 4) return taken
    const length = this.partial.readInt32BE(0)
    if (this.refuses(length)) return taken
    if (this.partialBytes === 4 + length) {
      const frame = this.partial.subarray(4, 4 + length)
      this.partial = EMPTY
      this.partialBytes = 0
      this.onFrame(frame)
    }
    return taken
  }

  private keep(chunk: Buffer, from: number, to: number): void {
    const bytes = this.partialBytes + to - from
    if (bytes > this.partial.length) {
      // Doubling keeps the copying linear in what was received.
      const grown = Buffer.allocUnsafe(Math.max(bytes, Math.min(this.partial.length * 2, this.maxFrameBytes + 4)))
      this.partial.copy(grown, 0, 0, this.partialBytes)
      this.partial = grown
    }
    chunk.copy(this.partial, this.partialBytes, from, to)
    this.partialBytes = bytes
  }

  private refuses(length: number): boolean {
    if (length >= 0 && length <= this.maxFrameBytes) return false
    this.stop()
    this.onBadLength(length)
    return true
  }
}
