import type { Clock, Timer } from '../../../../../runtime/ports'

/** Time that goes on only when it is told to. */
export class VirtualClock implements Clock {
  now = 1_000_000
  private readonly timers: { atMs: number; callback: () => void }[] = []
  private immediates: (() => void)[] = []

  monoMs(): number {
    return this.now
  }

  wallMs(): number {
    return this.now
  }

  timer(delayMs: number, callback: () => void): Timer {
    const entry = { atMs: this.now + delayMs, callback }
    this.timers.push(entry)
    return {
      cancel: () => {
        const at = this.timers.indexOf(entry)
        if (at >= 0) this.timers.splice(at, 1)
      },
    }
  }

  immediate(callback: () => void): void {
    this.immediates.push(callback)
  }

  /** Everything that can happen without time going by. */
  async settle(): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      const due = this.immediates
      if (due.length === 0) return
      this.immediates = []
      for (const callback of due) callback()
    }
  }

  async advance(ms: number): Promise<void> {
    const end = this.now + ms
    await this.settle()
    for (;;) {
      const next = this.timers.filter(({ atMs }) => atMs <= end).sort((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined) break
      this.timers.splice(this.timers.indexOf(next), 1)
      this.now = Math.max(this.now, next.atMs)
      next.callback()
      await this.settle()
    }
    this.now = end
  }
}
