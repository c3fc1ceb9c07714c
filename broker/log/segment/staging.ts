import type { BufferPool } from '../storage/buffer-pool'

const SLAB_BYTES = 256 * 1024

/**
 * Where small batches wait for the end of the turn, when each log writes its own with one call. What comes from a socket lies in a
 * buffer that the next read overwrites, so it is copied.
 *
 * One for all logs of a broker. Bounded: when `maxBytes` are staged, the log that wants to stage more writes first.
 */
export class Staging {
  /** Bytes that wait. */
  bytes = 0
  readonly maxBytes: number
  private readonly pool: BufferPool
  private slabs: Buffer[] = []
  private slab: Buffer | undefined
  private used = 0
  /** Pieces that were given out and not given back. */
  private pieces = 0

  constructor(pool: BufferPool, maxBytes = 8 * 1024 * 1024) {
    this.pool = pool
    this.maxBytes = maxBytes
  }

  /**
   * A copy of `source`. If `previous` (the last piece that this log got) ends where the copy would begin, the answer covers both,
   * and replaces it.
   */
  copy(source: Buffer, previous: Buffer | undefined): Buffer {
    if (this.slab === undefined || this.used + source.length > this.slab.length) this.nextSlab(source.length)
    const slab = this.slab!
    const at = this.used
    source.copy(slab, at)
    this.used += source.length
    this.bytes += source.length
    if (previous !== undefined && previous.buffer === slab.buffer && previous.byteOffset + previous.length === slab.byteOffset + at) {
      return slab.subarray(at - previous.length, at + source.length)
    }
    this.pieces++
    return slab.subarray(at, at + source.length)
  }

  private nextSlab(bytes: number): void {
    this.slab = this.pool.take(Math.max(bytes, SLAB_BYTES))
    this.slabs.push(this.slab)
    this.used = 0
  }

  /** The pieces have been written. */
  release(pieces: readonly Buffer[]): void {
    for (const piece of pieces) this.bytes -= piece.length
    this.pieces -= pieces.length
    if (this.pieces > 0) return
    // Nothing waits any more: begin again in the first slab, which is warm.
    this.used = 0
    if (this.slabs.length > 1) {
      for (let i = 1; i < this.slabs.length; i++) this.pool.give(this.slabs[i]!)
      this.slabs.length = 1
      this.slab = this.slabs[0]
    }
  }
}
