/** Sizes of slabs. From 16 KiB on there is room for a request's header behind a power of two of records. */
const classes = [
  2 * 1024,
  20 * 1024,
  68 * 1024,
  260 * 1024,
  1088 * 1024,
  2112 * 1024,
  4160 * 1024,
  8256 * 1024,
  16448 * 1024,
  32832 * 1024,
  65600 * 1024,
]
/** Larger slabs are rare and not kept. */
const largestKept = 4160 * 1024

/** Somebody who holds slabs while a frame is being received, and can be made to give them up. */
export interface SlabHolder {
  /** Gives back what it holds and ends its connection. */
  evict(): void
  /** Never evicted: connections from peers of the cluster. */
  readonly privileged: boolean
}

/**
 * Memory for frames that are being received, shared by all connections of an event loop. `budgetBytes` bounds what the
 * frames under way occupy; when it is used up, the holder that has waited longest without progress is evicted. So a thousand
 * stalled frames cannot keep one live connection from sending.
 *
 * Slabs come back last in, first out, so that the one in use stays in the cache; fresh memory costs 400 us per MiB to touch.
 */
export class SlabPool {
  readonly budgetBytes: number
  /** Bytes of slabs that are in use for frames under way. */
  usedBytes = 0
  /** Bytes of slabs that wait to be used again. */
  keptBytes = 0
  private readonly maxKeptBytes: number
  private readonly free: Buffer[][] = classes.map(() => [])
  /** In the order of their last progress. */
  private readonly holders = new Set<SlabHolder>()

  constructor(budgetBytes: number, maxKeptBytes = Math.min(budgetBytes, 32 * 1024 * 1024)) {
    this.budgetBytes = budgetBytes
    this.maxKeptBytes = maxKeptBytes
  }

  /**
   * A slab of at least `bytes`, whose content is arbitrary; undefined if the budget allows none even after evictions. The holder
   * counts as the one with the latest progress.
   */
  take(bytes: number, holder: SlabHolder): Buffer | undefined {
    const at = classOf(bytes)
    const size = classes[at] ?? bytes
    this.holders.delete(holder)
    while (this.usedBytes + size > this.budgetBytes) {
      const stalest = this.stalest()
      if (!stalest) {
        this.holders.add(holder)
        return undefined
      }
      this.holders.delete(stalest)
      stalest.evict()
    }
    this.holders.add(holder)
    this.usedBytes += size
    const kept = this.free[at]?.pop()
    if (kept) {
      this.keptBytes -= kept.length
      return kept
    }
    return Buffer.allocUnsafeSlow(size)
  }

  /** Notes that bytes for a frame under way have arrived. */
  progress(holder: SlabHolder): void {
    this.holders.delete(holder)
    this.holders.add(holder)
  }

  /** The holder holds nothing any more. */
  forget(holder: SlabHolder): void {
    this.holders.delete(holder)
  }

  /** Takes a slab out of the budget: its frame is complete, and memory of requests under way is bounded elsewhere. */
  handOver(slab: Buffer): void {
    this.usedBytes -= slab.length
  }

  /** Keeps a slab for later use. Whoever calls it must not touch the slab again. */
  recycle(slab: Buffer): void {
    if (slab.length > largestKept || this.keptBytes + slab.length > this.maxKeptBytes) return
    const at = classOf(slab.length)
    if (classes[at] !== slab.length) return
    this.keptBytes += slab.length
    this.free[at]?.push(slab)
  }

  private stalest(): SlabHolder | undefined {
    for (const holder of this.holders) if (!holder.privileged) return holder
    return undefined
  }
}

function classOf(bytes: number): number {
  let at = 0
  while (at < classes.length && (classes[at] as number) < bytes) at++
  return at
}
