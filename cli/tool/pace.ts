import type { Environment } from '../../runtime/ports'

/** Most records that may be on their way before the next one is made. */
const MOST_UNANSWERED = 10_000
/** Records after which the sockets get their turn. */
const TURN = 500

/** How long to wait after `sent` records since `elapsedMs` so that there are `perSecond` of them; Infinity for none at all. */
export function pauseMs(perSecond: number, sent: number, elapsedMs: number): number {
  if (perSecond < 0) return 0
  return perSecond === 0 ? Infinity : Math.max((sent / perSecond) * 1000 - elapsedMs, 0)
}

/** Slows a producing tool down: to the throughput that is wanted, and to what the cluster takes. */
export class Pace {
  private readonly env: Environment
  private readonly perSecond: number
  private readonly startMs: number
  private unanswered = 0
  private sent = 0
  private wake: (() => void) | undefined
  private stopped = false

  constructor(env: Environment, perSecond: number) {
    this.env = env
    this.perSecond = perSecond
    this.startMs = env.clock.monoMs()
  }

  get isStopped(): boolean {
    return this.stopped
  }

  /** Counts a record until it is answered. */
  track(answer: Promise<unknown>): void {
    this.sent++
    this.unanswered++
    const settle = (): void => {
      this.unanswered--
      if (this.unanswered < MOST_UNANSWERED) this.wake?.()
    }
    answer.then(settle, settle)
  }

  /** Resolves when the next record may be made. */
  async next(): Promise<void> {
    if (this.sent % TURN === 0) await new Promise<void>((resolve) => void this.env.clock.immediate(resolve))
    while (this.unanswered >= MOST_UNANSWERED && !this.stopped) await new Promise<void>((resolve) => (this.wake = resolve))
    const waitMs = pauseMs(this.perSecond, this.sent, this.env.clock.monoMs() - this.startMs)
    if (waitMs <= 0 || this.stopped) return
    await new Promise<void>((resolve) => {
      const timer = Number.isFinite(waitMs) ? this.env.clock.timer(waitMs, resolve) : undefined
      this.wake = () => {
        if (!this.stopped) return
        timer?.cancel()
        resolve()
      }
    })
  }

  /** Nothing is waited for any more. */
  stop(): void {
    this.stopped = true
    this.wake?.()
  }
}
