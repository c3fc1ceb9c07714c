import type { Clock, Timer } from '../../../../../runtime/ports'

interface Entry {
  atMs: number
  order: number
  callback: (() => void) | undefined
}

/** A clock that moves when told to. What was put off with `immediate` runs before time goes on. */
export class VirtualClock implements Clock {
  nowMs = 1_700_000_000_000
  private readonly entries: Entry[] = []
  private soon: (() => void)[] = []
  private order = 0

  monoMs(): number {
    return this.nowMs
  }

  wallMs(): number {
    return this.nowMs
  }

  timer(delayMs: number, callback: () => void): Timer {
    const entry: Entry = { atMs: this.nowMs + Math.max(delayMs, 0), order: this.order++, callback }
    this.entries.push(entry)
    return {
      cancel: () => {
        entry.callback = undefined
      },
    }
  }

  immediate(callback: () => void): void {
    this.soon.push(callback)
  }

  /** Runs everything that waits for nothing but its turn, promises too. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      for (let i = 0; i < 20; i++) await Promise.resolve()
      const due = this.soon
      this.soon = []
      for (const each of due) each()
      quiet = due.length > 0 ? 0 : quiet + 1
    }
  }

  async advance(ms: number): Promise<void> {
    await this.settle()
    const end = this.nowMs + ms
    for (;;) {
      let next: Entry | undefined
      for (const entry of this.entries) {
        if (entry.callback === undefined || entry.atMs > end) continue
        if (next === undefined || entry.atMs < next.atMs || (entry.atMs === next.atMs && entry.order < next.order)) next = entry
      }
      if (next === undefined) break
      this.nowMs = Math.max(this.nowMs, next.atMs)
      const { callback } = next
      next.callback = undefined
      this.entries.splice(this.entries.indexOf(next), 1)
      callback!()
      await this.settle()
    }
    this.nowMs = end
    await this.settle()
  }
}
