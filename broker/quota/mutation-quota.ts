import { QuotaLimits } from './quota-limits'
import { Sensors } from './sensors'
import { TokenBucket } from './token-bucket'
import type { Clock } from '../../runtime/ports'
import type { SampleWindow } from './sampled-rate'

/** What one request may still change. */
export interface MutationAllowance {
  /** Counts partitions that are to be created or deleted. False: not now, THROTTLING_QUOTA_EXCEEDED. */
  record(permits: number): boolean
  /** For how long the client is to be held back from now on. */
  readonly throttleMs: number
}

const UNBOUNDED: MutationAllowance = { record: () => true, throttleMs: 0 }

/** The quota on partitions created and deleted, `controller_mutation_rate` (KIP-599, Kafka's ControllerMutationQuotaManager). */
export class MutationQuota {
  readonly limits = new QuotaLimits()
  private readonly clock: Clock
  private readonly sensors: Sensors<TokenBucket>

  constructor(clock: Clock, window: SampleWindow) {
    this.clock = clock
    this.sensors = new Sensors(() => new TokenBucket(window))
  }

  /**
   * For one request. A strict one is refused what it asks for while the bucket is overdrawn; another one may overdraw it ever
   * more, and its client is held back for it.
   */
  allowance(user: string, clientId: string, isStrict: boolean): MutationAllowance {
    if (this.limits.isEmpty) return UNBOUNDED
    const { clock } = this
    const { sensor, limit } = this.limits.match(user, clientId)
    if (limit === undefined) return UNBOUNDED
    const bucket = this.sensors.get(sensor, clock.monoMs())
    let untilMs = 0
    return {
      record(permits: number): boolean {
        const nowMs = clock.monoMs()
        if (isStrict && bucket.left(limit, nowMs) < 0) {
          untilMs = nowMs + bucket.throttleMs(limit, nowMs)
          return false
        }
        bucket.take(permits, limit, nowMs)
        if (!isStrict && bucket.left(limit, nowMs) < 0) untilMs = nowMs + bucket.throttleMs(limit, nowMs)
        return true
      },
      get throttleMs(): number {
        return Math.max(Math.round(untilMs - clock.monoMs()), 0)
      },
    }
  }
}
