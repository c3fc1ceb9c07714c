import type { Clock } from './ports'

/** So long one piece of work goes on in one turn of the event loop. */
const MOST_PER_TURN_MS = 5

const byClock = new WeakMap<Clock, Slices>()

/** The slices that all parts of one process share. */
export function slicesOf(clock: Clock): Slices {
  let slices = byClock.get(clock)
  if (slices === undefined) byClock.set(clock, (slices = new Slices(clock)))
  return slices
}

/**
 * Cuts long work into slices, so that sockets and timers have their turn between them: `if (slices.isDue()) await slices.pause()`
 * inside a loop over many things, where nobody else may touch what the loop works on.
 */
export class Slices {
  private readonly clock: Clock
  private sinceMs = 0
  private isCounting = false

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Has the work of this turn, since it was first asked for, gone on long enough? */
  isDue(): boolean {
    const nowMs = this.clock.monoMs()
    if (this.isCounting) return nowMs - this.sinceMs >= MOST_PER_TURN_MS
    this.isCounting = true
    this.sinceMs = nowMs
    this.clock.immediate(() => {
      this.isCounting = false
    })
    return false
  }

  /** Resolves in a later turn. */
  pause(): Promise<void> {
    return new Promise((resolve) => this.clock.immediate(resolve))
  }
}
