import type { Clock } from '../../runtime/ports'

interface Sample {
  startMs: number
  bytes: number
}

export interface QuotaWindow {
  /** `replication.quota.window.num`: samples that are kept. */
  samples: number
  /** `replication.quota.window.size.seconds`, in milliseconds: how long one sample lasts. */
  sampleMs: number
}

/**
 * A limit on the bytes per second of replication (KIP-73, Kafka's ReplicationQuotaManager): what was moved is counted for all
 * throttled replicas, in sync or not; who asks `isExceeded` holds back those that are not in sync, so that ISRs do not thrash.
 */
export class ReplicationQuota {
  private readonly clock: Clock
  private readonly window: QuotaWindow
  private readonly throttled = new Map<string, ReadonlySet<number> | 'all'>()
  private samples: Sample[] = []
  private bytesPerSecond = Infinity

  constructor(clock: Clock, window: QuotaWindow) {
    this.clock = clock
    this.window = window
  }

  get limit(): number {
    return this.bytesPerSecond
  }

  setLimit(bytesPerSecond: number): void {
    this.bytesPerSecond = bytesPerSecond
  }

  /** Which partitions of a topic the limit is for; none: an empty set. */
  setThrottled(topic: string, partitions: ReadonlySet<number> | 'all'): void {
    if (partitions !== 'all' && partitions.size === 0) this.throttled.delete(topic)
    else this.throttled.set(topic, partitions)
  }

  isThrottled(topic: string, partition: number): boolean {
    if (this.throttled.size === 0) return false
    const partitions = this.throttled.get(topic)
    return partitions !== undefined && (partitions === 'all' || partitions.has(partition))
  }

  record(bytes: number): void {
    const nowMs = this.clock.monoMs()
    const last = this.samples.at(-1)
    if (last !== undefined && nowMs - last.startMs < this.window.sampleMs) last.bytes += bytes
    else this.samples.push({ startMs: nowMs, bytes })
    this.forgetOld(nowMs)
  }

  /** Kafka's SimpleRate: over the samples that there are, and over one whole sample at least. */
  get rate(): number {
    const nowMs = this.clock.monoMs()
    this.forgetOld(nowMs)
    const [oldest] = this.samples
    if (oldest === undefined) return 0
    const bytes = this.samples.reduce((sum, sample) => sum + sample.bytes, 0)
    return (bytes * 1000) / Math.max(nowMs - oldest.startMs, this.window.sampleMs)
  }

  get isExceeded(): boolean {
    return this.bytesPerSecond !== Infinity && this.rate > this.bytesPerSecond
  }

  /** Invariant: at most `samples` + 1 of them. */
  private forgetOld(nowMs: number): void {
    const { samples, sampleMs } = this.window
    while (this.samples.length > 0 && nowMs - this.samples[0]!.startMs >= samples * sampleMs) this.samples.shift()
  }
}

/** `*`, or `partition:broker` of which those of this broker count: `leader.replication.throttled.replicas` of a topic. */
export function throttledPartitions(replicas: readonly string[], brokerId: number): ReadonlySet<number> | 'all' {
  const trimmed = replicas.map((each) => each.trim())
  if (trimmed.includes('*')) return 'all'
  const pairs = trimmed.map((each) => each.split(':').map(Number))
  return new Set(pairs.filter(([, broker]) => broker === brokerId).map(([partition]) => partition!))
}
