import type { Clock } from '../../runtime/ports'

/** So long control requests may work in one turn of the event loop, before the rest of the world has its turn. */
const MOST_PER_TURN_MS = 5

/**
 * The share of each turn of the event loop that control requests may have. A connection takes its next request as soon as the one before
 * is answered, so that a hundred LeaderAndIsr requests that lie in one read would be one turn; this spreads them, in their order.
 */
export class TurnShare {
  private readonly clock: Clock
  private spentMs = 0
  private isCounting = false
  private readonly waiting: (() => void)[] = []

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Resolves when there is room, first come first served; undefined if there is now. Who has waited goes on without asking again. */
  room(): Promise<void> | undefined {
    if (this.waiting.length === 0 && this.spentMs < MOST_PER_TURN_MS) return undefined
    return new Promise((resolve) => this.waiting.push(resolve))
  }

  /** Does the work and counts how long it took. */
  spend<T>(work: () => T): T {
    const startedMs = this.clock.monoMs()
    try {
      return work()
    } finally {
      this.spentMs += this.clock.monoMs() - startedMs
      if (this.spentMs < MOST_PER_TURN_MS) this.waiting.shift()?.()
      this.count()
    }
  }

  private count(): void {
    if (this.isCounting) return
    this.isCounting = true
    this.clock.immediate(() => {
      this.isCounting = false
      this.spentMs = 0
      this.waiting.shift()?.()
      if (this.waiting.length > 0) this.count()
    })
  }
}
