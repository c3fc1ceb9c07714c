import type { BufferPool } from '../storage/buffer-pool'

const SLAB_BYTES = 256 * 1024

/** A piece of a slab that was given out; whoever has it may be given more of the same slab. */
export interface StagedPiece {
  readonly slab: Buffer
  readonly start: number
  end: number
}

/**
 * Where small batches wait for the end of the turn, when each log writes its own with one call. What comes from a socket lies
 * in a buffer that the next read overwrites, so it is copied.
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

  /** Copies `source`: behind `previous`, the last piece that this log got, if that place is free, else into a new piece. */
  copy(source: Buffer, previous: StagedPiece | undefined): StagedPiece {
    if (this.slab === undefined || this.used + source.length > this.slab.length) this.nextSlab(source.length)
    const slab = this.slab!
    const start = this.used
    source.copy(slab, start)
    this.used += source.length
    this.bytes += source.length
    if (previous !== undefined && previous.slab === slab && previous.end === start) {
      previous.end = this.used
      return previous
    }
    this.pieces++
    return { slab, start, end: this.used }
  }

  private nextSlab(bytes: number): void {
    this.slab = this.pool.take(Math.max(bytes, SLAB_BYTES))
    this.slabs.push(this.slab)
    this.used = 0
  }

  /** The pieces have been written. */
  release(pieces: readonly StagedPiece[]): void {
    for (const piece of pieces) this.bytes -= piece.end - piece.start
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
