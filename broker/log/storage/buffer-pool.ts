const SMALLEST_BYTES = 4096
/** Doubling from 4 KiB to 4 MiB; what is larger is allocated for one use. */
const CLASSES = 11

/**
 * Buffers for reads and staged writes, by size class. Last in, first out, so that the one in use stays in the processor's cache;
 * to allocate a new one of 1 MiB costs sixty times as much (io.md). What is kept for later use is bounded.
 */
export class BufferPool {
  private readonly free: Buffer[][] = Array.from({ length: CLASSES }, () => [])
  private readonly maxIdleBytes: number
  private idleBytes = 0
  /** Buffers that are out; for tests of leaks. */
  inUse = 0

  constructor(maxIdleBytes = 32 * 1024 * 1024) {
    this.maxIdleBytes = maxIdleBytes
  }

  /** A buffer of at least `bytes`, its content undefined. */
  take(bytes: number): Buffer {
    this.inUse++
    const index = classOf(bytes)
    if (index >= CLASSES) return Buffer.allocUnsafeSlow(bytes)
    const buffer = this.free[index]!.pop()
    if (buffer === undefined) return Buffer.allocUnsafeSlow(SMALLEST_BYTES << index)
    this.idleBytes -= buffer.length
    return buffer
  }

  /** `buffer` is what `take` gave. */
  give(buffer: Buffer): void {
    this.inUse--
    const index = classOf(buffer.length)
    if (index >= CLASSES || buffer.length !== SMALLEST_BYTES << index) return
    if (this.idleBytes + buffer.length > this.maxIdleBytes) return
    this.idleBytes += buffer.length
    this.free[index]!.push(buffer)
  }
}

function classOf(bytes: number): number {
  return bytes <= SMALLEST_BYTES ? 0 : 32 - Math.clz32((bytes - 1) >>> 12)
}
