/** Below this a wait is not worth its timer. */
const SHORTEST_WAIT_MS = 2

/** Keeps reads and writes below a rate. */
export class Throttle {
  private readonly bytesPerMs: number
  /** When all that was done so far would be done at the rate. */
  private dueMs = 0

  constructor(bytesPerSecond: number) {
    this.bytesPerMs = bytesPerSecond / 1000
  }

  /** How long to wait after `bytes` were read or written; 0 not at all. */
  waitMs(bytes: number, nowMs: number): number {
    this.dueMs = Math.max(this.dueMs, nowMs) + bytes / this.bytesPerMs
    const wait = this.dueMs - nowMs
    return wait < SHORTEST_WAIT_MS ? 0 : wait
  }
}
