/** What the four-letter words tell of the server's work since it started, or since `srst`. */
export class Statistics {
  readonly startedAtMs: number
  received = 0
  sent = 0
  minLatencyMs = 0
  maxLatencyMs = 0
  private latencySumMs = 0
  private latencies = 0

  constructor(nowMs: number) {
    this.startedAtMs = nowMs
  }

  answered(latencyMs: number): void {
    this.sent++
    this.minLatencyMs = this.latencies === 0 ? latencyMs : Math.min(this.minLatencyMs, latencyMs)
    this.maxLatencyMs = Math.max(this.maxLatencyMs, latencyMs)
    this.latencySumMs += latencyMs
    this.latencies++
  }

  get averageLatencyMs(): number {
    return this.latencies === 0 ? 0 : this.latencySumMs / this.latencies
  }

  reset(): void {
    this.received = 0
    this.sent = 0
    this.minLatencyMs = 0
    this.maxLatencyMs = 0
    this.latencySumMs = 0
    this.latencies = 0
  }
}
