/** Over how long a rate is measured. */
export interface SampleWindow {
  /** `quota.window.num` and its like: samples that are kept. */
  samples: number
  /** `quota.window.size.seconds` and its like, in milliseconds: how long one sample lasts. */
  sampleMs: number
}

interface Sample {
  startMs: number
  lastMs: number
  sum: number
}

/**
 * What happened per second, over the last samples (Kafka's Rate over a WindowedSum). A window that has only begun counts as if it
 * were all but one sample long, so that a first burst is not taken for a rate.
 */
export class SampledRate {
  private readonly window: SampleWindow
  /** A ring. Invariant: at most `samples` + 1 of them, the additional one for what overlaps the beginning of the window. */
  private readonly ring: Sample[] = []
  private current = 0

  constructor(window: SampleWindow) {
    this.window = window
  }

  /** A negative value takes back what was recorded. */
  record(value: number, nowMs: number): void {
    let sample = this.ring[this.current]
    if (sample === undefined || nowMs - sample.startMs >= this.window.sampleMs) sample = this.advance(nowMs)
    sample.sum += value
    sample.lastMs = nowMs
  }

  perSecond(nowMs: number): number {
    this.forgetOld(nowMs)
    let sum = 0
    for (const sample of this.ring) sum += sample.sum
    return (sum * 1000) / this.windowMs(nowMs)
  }

  /** What `perSecond` divides by. */
  windowMs(nowMs: number): number {
    this.forgetOld(nowMs)
    const { samples, sampleMs } = this.window
    let oldestMs = nowMs
    for (const { startMs } of this.ring) oldestMs = Math.min(oldestMs, startMs)
    const elapsedMs = nowMs - oldestMs
    const missing = Math.max(samples - 1 - Math.floor(elapsedMs / sampleMs), 0)
    return Math.max(elapsedMs + missing * sampleMs, 1)
  }

  private advance(nowMs: number): Sample {
    if (this.ring.length > 0) this.current = (this.current + 1) % (this.window.samples + 1)
    const sample = { startMs: nowMs, lastMs: nowMs, sum: 0 }
    this.ring[this.current] = sample
    return sample
  }

  /** A sample in which something happened within the window is kept whole, even where it began before. */
  private forgetOld(nowMs: number): void {
    const longestMs = this.window.samples * this.window.sampleMs
    for (const sample of this.ring) {
      if (nowMs - sample.lastMs < longestMs) continue
      sample.startMs = nowMs
      sample.lastMs = nowMs
      sample.sum = 0
    }
  }
}

/** The longest throttle that an answer can name. */
export const LONGEST_THROTTLE_MS = 0x7fffffff

/**
 * How long nothing may happen for the rate to come down to the limit (Kafka's QuotaUtils.throttleTime): where the rate is O over
 * a window W, O * W / (W + X) is the limit after X. 0 while the limit is kept. A limit of 0 never holds anybody back, unless
 * there is a longest time: Kafka's arithmetic overflows.
 */
export function throttleMs(rate: SampledRate, limit: number, nowMs: number, longestMs = Infinity): number {
  const observed = rate.perSecond(nowMs)
  if (!(observed > limit)) return 0
  const wantedMs = Math.min(Math.round(((observed - limit) / limit) * rate.windowMs(nowMs)), longestMs)
  return wantedMs === Infinity ? 0 : Math.min(wantedMs, LONGEST_THROTTLE_MS)
}
