import type { SlabHolder, SlabPool } from './slab-pool'

/** A slab holds at most this times what was received of its frame, so that a promise costs nothing. */
const growth = 4
/** Below this a direct read into the slab is not worth it. */
const leastDirect = 8 * 1024
const noRecycle = (): void => {}

export interface FrameReaderOptions {
  /** Frames that claim more end the connection. */
  maxFrameBytes: number
  pool: SlabPool
  /**
   * A complete frame, without its size. The receiver owns it, except where `mayBorrow` said true. When nothing refers to the
   * frame any more, `recycle` may be called (once) so that its memory is used again; not calling it is safe.
   */
  onFrame(frame: Buffer, recycle: () => void): void
  /** The bytes are no Kafka frames, or memory is short: the connection must be closed. Nothing is read after it. */
  onBad(reason: string): void
  /**
   * Whether the receiver is done with this frame when `onFrame` returns. Then it is not copied out of the shared read buffer,
   * and its slab is used again at once.
   */
  mayBorrow?(frame: Buffer): boolean
  /**
   * Whether the receiver takes a frame now. While it does not, what was received stays uncut, in one piece of the pool's memory,
   * until `resume`; the receiver should stop the stream as soon as it refuses. Always by default.
   */
  mayDeliver?(): boolean
  /** A peer of the cluster: never evicted to make room for others. */
  privileged?: boolean
}

/**
 * Cuts a byte stream into frames (int32 size, then so many bytes). Memory grows with the bytes received, never with the size
 * that was promised: 1,500 connections that promise 100 MB each cost 2 KiB each. A frame that lies in one chunk is never put
 * together; a larger one is received into a slab, into which the port reads directly where it can (`receiveBuffer`).
 */
export class FrameReader implements SlabHolder {
  readonly privileged: boolean
  private readonly options: FrameReaderOptions
  private closed = false
  /** Size of the frame under way; -1 while its size is being read. */
  private size = -1
  private sizeBytes = 0
  private sizeSoFar = 0
  private slab: Buffer | undefined
  private filled = 0
  /** What was received behind a frame that the receiver did not take: `rest` from `restAt` to `restEnd`. */
  private rest: Buffer | undefined
  private restAt = 0
  private restEnd = 0

  constructor(options: FrameReaderOptions) {
    this.options = options
    this.privileged = options.privileged ?? false
  }

  /** Bytes of a frame that is not complete yet; 0 between frames. */
  get pendingBytes(): number {
    return this.sizeBytes + this.filled
  }

  /** Something was received that the receiver has not taken. */
  get hasRest(): boolean {
    return this.rest !== undefined || this.isComplete
  }

  private get isComplete(): boolean {
    return this.slab !== undefined && this.filled === this.size
  }

  /** The part of the slab that the next bytes of a long frame belong into; undefined where the shared buffer will do. */
  receiveBuffer(): Buffer | undefined {
    const { slab } = this
    if (slab === undefined || this.rest !== undefined || this.size - this.filled < leastDirect) return undefined
    const end = Math.min(slab.length, this.size)
    return end - this.filled < leastDirect ? undefined : slab.subarray(this.filled, end)
  }

  /** Takes bytes from the stream. `chunk` may be overwritten afterwards, unless it lies in what `receiveBuffer` gave. */
  onData(chunk: Buffer): void {
    if (this.closed) return
    const { slab } = this
    if (slab !== undefined && chunk.buffer === slab.buffer && chunk.byteOffset === slab.byteOffset + this.filled) {
      this.filled += chunk.length
      this.received()
      return
    }
    if (this.hasRest) {
      this.keep(chunk, 0)
      return
    }
    const at = this.cut(chunk)
    if (at < chunk.length && !this.closed) this.keep(chunk, at)
  }

  /** Delivers what was received meanwhile, as far as the receiver takes it. */
  resume(): void {
    if (this.closed || !this.mayDeliver()) return
    if (this.isComplete) this.deliver((this.slab as Buffer).subarray(0, this.size), this.slab)
    const { rest } = this
    if (this.closed || rest === undefined) return
    this.restAt += this.cut(rest.subarray(this.restAt, this.restEnd))
    if (this.closed || this.restAt < this.restEnd) return
    this.giveBackRest()
    if (this.slab === undefined) this.options.pool.forget(this)
  }

  /** Cuts frames out of bytes and delivers them; how far it came before the receiver took no more. */
  private cut(chunk: Buffer): number {
    let at = 0
    while (at < chunk.length && !this.closed) {
      if (this.size < 0) {
        at = this.readSize(chunk, at)
        if (this.size !== 0 || this.closed) continue
      }
      if (this.isComplete) return at
      const wanted = this.size - this.filled
      const available = Math.min(wanted, chunk.length - at)
      if (this.filled === 0 && available === wanted) {
        if (!this.mayDeliver()) return at
        this.deliver(chunk.subarray(at, at + available), undefined)
      } else if (this.store(chunk, at, available)) {
        this.received()
      }
      at += available
    }
    return at
  }

  /** Copies what the receiver does not take yet behind what waits already. */
  private keep(chunk: Buffer, at: number): void {
    const { pool } = this.options
    const waiting = this.restEnd - this.restAt
    const bytes = waiting + chunk.length - at
    if (this.rest === undefined || this.restEnd + chunk.length - at > this.rest.length) {
      const larger = pool.take(bytes, this)
      if (larger === undefined) {
        this.drop()
        this.bad('memory for requests is short')
        return
      }
      this.rest?.copy(larger, 0, this.restAt, this.restEnd)
      this.giveBackRest()
      this.rest = larger
      this.restEnd = waiting
    }
    this.restEnd += chunk.copy(this.rest, this.restEnd, at)
  }

  private giveBackRest(): void {
    const { pool } = this.options
    if (this.rest !== undefined) {
      pool.handOver(this.rest)
      pool.recycle(this.rest)
    }
    this.rest = undefined
    this.restAt = 0
    this.restEnd = 0
  }

  private mayDeliver(): boolean {
    return this.options.mayDeliver?.() ?? true
  }

  /** Gives back all memory; nothing is delivered afterwards. */
  close(): void {
    this.closed = true
    this.drop()
  }

  evict(): void {
    this.drop()
    this.bad('evicted: memory for requests is short and this one has waited longest')
  }

  private readSize(chunk: Buffer, start: number): number {
    let at = start
    if (this.sizeBytes === 0 && chunk.length - at >= 4) {
      this.sizeSoFar = chunk.readInt32BE(at)
      at += 4
      this.sizeBytes = 4
    } else {
      while (this.sizeBytes < 4 && at < chunk.length) {
        this.sizeSoFar = (this.sizeSoFar << 8) | (chunk[at++] as number)
        this.sizeBytes++
      }
    }
    if (this.sizeBytes < 4) return at
    const size = this.sizeSoFar
    this.sizeBytes = 0
    this.sizeSoFar = 0
    if (size < 0 || size > this.options.maxFrameBytes) this.bad(badSize(size, this.options.maxFrameBytes))
    else this.size = size
    return at
  }

  private store(chunk: Buffer, at: number, length: number): boolean {
    const end = this.filled + length
    if ((this.slab === undefined || this.slab.length < end) && !this.grow(end)) return false
    chunk.copy(this.slab as Buffer, this.filled, at, at + length)
    this.filled = end
    return true
  }

  /** Called when bytes were put into the slab. */
  private received(): void {
    const slab = this.slab as Buffer
    if (this.filled === this.size) {
      if (this.mayDeliver()) this.deliver(slab.subarray(0, this.size), slab)
      return
    }
    this.options.pool.progress(this)
    if (this.filled === slab.length) this.grow(this.filled)
  }

  private grow(received: number): boolean {
    const { pool } = this.options
    const next = pool.take(Math.min(this.size, received * growth), this)
    if (!next) {
      this.drop()
      this.bad('memory for requests is short')
      return false
    }
    if (this.slab) {
      this.slab.copy(next, 0, 0, this.filled)
      pool.handOver(this.slab)
      pool.recycle(this.slab)
    }
    this.slab = next
    return true
  }

  private deliver(frame: Buffer, slab: Buffer | undefined): void {
    const { pool, onFrame, mayBorrow } = this.options
    const borrow = mayBorrow?.(frame) ?? false
    // The state is that between two frames before anybody else runs: the receiver may close this reader, or throw.
    this.size = -1
    this.filled = 0
    if (!slab) {
      onFrame(borrow ? frame : Buffer.from(frame), noRecycle)
      return
    }
    this.slab = undefined
    pool.handOver(slab)
    if (this.rest === undefined) pool.forget(this)
    if (!borrow) {
      let given = false
      onFrame(frame, () => {
        if (!given) pool.recycle(slab)
        given = true
      })
      return
    }
    try {
      onFrame(frame, noRecycle)
    } finally {
      pool.recycle(slab)
    }
  }

  private drop(): void {
    const { pool } = this.options
    if (this.slab) {
      pool.handOver(this.slab)
      pool.recycle(this.slab)
      this.slab = undefined
    }
    this.giveBackRest()
    pool.forget(this)
    this.filled = 0
    this.size = -1
  }

  private bad(reason: string): void {
    if (this.closed) return
    this.closed = true
    this.options.onBad(reason)
  }
}

/** The first bytes of other protocols are absurd sizes; say which, since it is nearly always a wrong port or a missing TLS. */
function badSize(size: number, max: number): string {
  const text = Buffer.alloc(4)
  text.writeInt32BE(size)
  if (text[0] === 0x16 && text[1] === 0x03) return 'TLS where a plain connection was expected'
  if (/^(GET |POST|PUT |HEAD|HTTP|OPTI|CONN|PRI )$/.test(text.toString('latin1'))) return 'HTTP where Kafka was expected'
  return `a frame of ${size} bytes, at most ${max} are allowed`
}
