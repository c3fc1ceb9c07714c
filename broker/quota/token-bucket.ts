import type { SampleWindow } from './sampled-rate'

/**
 * Permits that come back with time (KIP-599, Kafka's TokenBucket): as many per second as the limit says, at most those of all
 * samples together. It may be overdrawn once; then it must refill to 0 first. Unlike a rate it does not hold a burst against
 * a client for longer than the burst is worth.
 */
export class TokenBucket {
  private readonly window: SampleWindow
  private tokens = Infinity
  private updatedMs = 0

  constructor(window: SampleWindow) {
    this.window = window
  }

  take(permits: number, limit: number, nowMs: number): void {
    this.tokens = Math.min(this.left(limit, nowMs) - permits, this.most(limit))
  }

  /** Below 0: overdrawn. */
  left(limit: number, nowMs: number): number {
    const refilled = this.tokens + (limit * (nowMs - this.updatedMs)) / 1000
    this.tokens = Math.min(refilled, this.most(limit))
    this.updatedMs = nowMs
    return this.tokens
  }

  /** How long it takes to refill to 0; 0 where it is not overdrawn, and for a limit of 0 (Kafka's arithmetic overflows). */
  throttleMs(limit: number, nowMs: number): number {
    const left = this.left(limit, nowMs)
    if (left >= 0) return 0
    const ms = Math.round((-left / limit) * 1000)
    return ms === Infinity ? 0 : Math.min(ms, 0x7fffffff)
  }

  private most(limit: number): number {
    return (limit * this.window.samples * this.window.sampleMs) / 1000
  }
}
