import type { Recorded } from '../../recording/events'

interface Waiting {
  recorded: Recorded
  /** Never earlier than what the same process said before, whatever its clock does. */
  orderUs: number
  arrivedMs: number
}

/**
 * Events of several processes in one order: by wall time, process and sequence. Each waits for a while, so that another process's
 * earlier one may still come; what comes later than that is given out when it comes.
 */
export class Merger {
  private readonly windowMs: number
  private readonly give: (recorded: Recorded) => void
  private readonly lastUs = new Map<string, number>()
  private waiting: Waiting[] = []

  constructor(windowMs: number, give: (recorded: Recorded) => void) {
    this.windowMs = windowMs
    this.give = give
  }

  add(recorded: Recorded, nowMs: number): void {
    const { process, wallUs } = recorded
    const orderUs = Math.max(wallUs, this.lastUs.get(process) ?? 0)
    this.lastUs.set(process, orderUs)
    this.waiting.push({ recorded, orderUs, arrivedMs: nowMs })
  }

  /** Gives out what has waited long enough, and everything that belongs in front of it. */
  flush(nowMs: number): void {
    let latestUs = -Infinity
    for (const { orderUs, arrivedMs } of this.waiting)
      if (nowMs - arrivedMs >= this.windowMs) latestUs = Math.max(latestUs, orderUs)
    if (latestUs === -Infinity) return
    const ready = this.waiting.filter(({ orderUs }) => orderUs <= latestUs)
    this.waiting = this.waiting.filter(({ orderUs }) => orderUs > latestUs)
    this.giveInOrder(ready)
  }

  /** Everything, at the end. */
  drain(): void {
    this.giveInOrder(this.waiting)
    this.waiting = []
  }

  private giveInOrder(events: Waiting[]): void {
    // The sort is stable: events of one process with one time stay as they came.
    events.sort((a, b) => a.orderUs - b.orderUs || compare(a.recorded.process, b.recorded.process))
    for (const { recorded } of events) this.give(recorded)
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
