import { QuotaLimits } from './quota-limits'
import { SampledRate, throttleMs } from './sampled-rate'
import { Sensors } from './sensors'
import type { Clock } from '../../runtime/ports'
import type { SampleWindow } from './sampled-rate'

/**
 * A quota on something per second: bytes produced, bytes consumed, per cents of time (Kafka's ClientQuotaManager). Measured for
 * those alone who have a limit; nothing is measured while there are no limits.
 */
export class RateQuota {
  readonly limits = new QuotaLimits()
  private readonly clock: Clock
  private readonly window: SampleWindow
  private readonly longestMs: number
  private readonly sensors: Sensors<SampledRate>

  /** `longestMs`: no throttle is longer. */
  constructor(clock: Clock, window: SampleWindow, longestMs = Infinity) {
    this.clock = clock
    this.window = window
    this.longestMs = longestMs
    this.sensors = new Sensors(() => new SampledRate(window))
  }

  get isOn(): boolean {
    return !this.limits.isEmpty
  }

  /** Counts `value`. For how long, in milliseconds, the client is to be held back; 0 while it keeps to its limit. */
  record(user: string, clientId: string, value: number): number {
    if (!this.isOn) return 0
    const nowMs = this.clock.monoMs()
    const found = this.find(user, clientId, nowMs)
    if (found === undefined) return 0
    found.rate.record(value, nowMs)
    return throttleMs(found.rate, found.limit, nowMs, this.longestMs)
  }

  /** Counts `value`, or takes it back where it is negative, without asking whether it was too much. */
  add(user: string, clientId: string, value: number): void {
    if (!this.isOn) return
    const nowMs = this.clock.monoMs()
    this.find(user, clientId, nowMs)?.rate.record(value, nowMs)
  }

  /** More than this at once would be too much even for a client that was idle; Infinity where there is no limit. */
  mostAtOnce(user: string, clientId: string): number {
    if (!this.isOn) return Infinity
    const { limit } = this.limits.match(user, clientId)
    return limit === undefined ? Infinity : (limit * (this.window.samples - 1) * this.window.sampleMs) / 1000
  }

  private find(user: string, clientId: string, nowMs: number): { rate: SampledRate; limit: number } | undefined {
    const { sensor, limit } = this.limits.match(user, clientId)
    return limit === undefined ? undefined : { rate: this.sensors.get(sensor, nowMs), limit }
  }
}
