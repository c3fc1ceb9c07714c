/** The values below which the given shares of the latencies lie. Sorts a copy. */
export function percentiles(latencies: readonly number[], ...shares: number[]): number[] {
  const sorted = [...latencies].sort((a, b) => a - b)
  return shares.map((share) => sorted[Math.trunc(share * sorted.length)] ?? 0)
}

/** The last two lines of kafka-e2e-latency. */
export function summaryOf(averageMs: number, latencies: readonly number[]): string {
  const [p50, p99, p999] = percentiles(latencies, 0.5, 0.99, 0.999)
  return `Avg latency: ${averageMs.toFixed(4)} ms\nPercentiles: 50th = ${p50!}, 99th = ${p99!}, 99.9th = ${p999!}\n`
}

const MB = 1024 * 1024
/** Latencies that are kept: beyond, each nth one is. */
const MOST_SAMPLES = 500_000

/** What a producer's answers say of its speed: Kafka's ProducerPerformance.Stats. */
export class ProducerStats {
  private readonly startMs: number
  private readonly intervalMs: number
  private readonly sampling: number
  private readonly samples: number[] = []
  private count = 0
  private bytes = 0
  private maxMs = 0
  private totalMs = 0
  private window = { startMs: 0, count: 0, bytes: 0, maxMs: 0, totalMs: 0 }

  constructor(records: number, nowMs: number, intervalMs = 5000) {
    this.startMs = nowMs
    this.intervalMs = intervalMs
    this.sampling = Math.max(Math.trunc(records / Math.min(records, MOST_SAMPLES)), 1)
    this.window.startMs = nowMs
  }

  /** Gives a line when an interval is over. */
  record(latencyMs: number, bytes: number, nowMs: number): string | undefined {
    if (this.count % this.sampling === 0) this.samples.push(latencyMs)
    this.count++
    this.bytes += bytes
    this.totalMs += latencyMs
    this.maxMs = Math.max(this.maxMs, latencyMs)
    const { window } = this
    window.count++
    window.bytes += bytes
    window.totalMs += latencyMs
    window.maxMs = Math.max(window.maxMs, latencyMs)
    if (nowMs - window.startMs < this.intervalMs) return undefined
    this.window = { startMs: nowMs, count: 0, bytes: 0, maxMs: 0, totalMs: 0 }
    const elapsedMs = nowMs - window.startMs
    return (
      `${window.count} records sent, ${((1000 * window.count) / elapsedMs).toFixed(1)} records/sec ` +
      `(${((1000 * window.bytes) / elapsedMs / MB).toFixed(2)} MB/sec), ${(window.totalMs / window.count).toFixed(1)} ms ` +
      `avg latency, ` +
      `${window.maxMs.toFixed(1)} ms max latency.\n`
    )
  }

  total(nowMs: number): string {
    const elapsedMs = nowMs - this.startMs
    const [p50, p95, p99, p999] = percentiles(this.samples, 0.5, 0.95, 0.99, 0.999)
    return (
      `${this.count} records sent, ${((1000 * this.count) / elapsedMs).toFixed(6)} records/sec ` +
      `(${((1000 * this.bytes) / elapsedMs / MB).toFixed(2)} MB/sec), ${(this.totalMs / this.count).toFixed(2)} ms avg ` +
      `latency, ` +
      `${this.maxMs.toFixed(2)} ms max latency, ${p50!} ms 50th, ${p95!} ms 95th, ${p99!} ms 99th, ${p999!} ms 99.9th.\n`
    )
  }
}
