import type { Clock, Timer } from '../../../runtime/ports'

/** Timers that end together: nothing fires after `stop`. */
export class Timers {
  private readonly clock: Clock
  private readonly pending = new Set<Timer>()
  private isStopped = false

  constructor(clock: Clock) {
    this.clock = clock
  }

  after(delayMs: number, work: () => void): void {
    if (this.isStopped) return
    const timer = this.clock.timer(delayMs, () => {
      this.pending.delete(timer)
      work()
    })
    this.pending.add(timer)
  }

  repeat(firstMs: number, everyMs: number, work: () => void): void {
    // log.flush.scheduler.interval.ms is Long.MAX by default: never.
    if (everyMs > Number.MAX_SAFE_INTEGER) return
    this.after(firstMs, () => {
      this.repeat(everyMs, everyMs, work)
      work()
    })
  }

  stop(): void {
    this.isStopped = true
    for (const timer of this.pending) timer.cancel()
    this.pending.clear()
  }
}
