/** When a member must send a heartbeat, and when it has been silent for too long; all times are monotonic milliseconds. */
export interface HeartbeatTimes {
  sessionTimeoutMs: number
  heartbeatIntervalMs: number
  maxPollIntervalMs: number
  retryBackoffMs: number
}

export class Heartbeat {
  private readonly times: HeartbeatTimes
  private nextMs = 0
  private sessionEndsMs = 0
  private pollEndsMs = 0
  private inFlight = false

  constructor(times: HeartbeatTimes) {
    this.times = times
  }

  /** A new generation begins: the session and the time until the next poll count from now. */
  reset(nowMs: number): void {
    this.inFlight = false
    this.sessionEndsMs = nowMs + this.times.sessionTimeoutMs
    this.nextMs = nowMs + this.times.heartbeatIntervalMs
    this.polled(nowMs)
  }

  /** The program polls: it is alive. */
  polled(nowMs: number): void {
    this.pollEndsMs = nowMs + this.times.maxPollIntervalMs
  }

  isDue(nowMs: number): boolean {
    return !this.inFlight && nowMs >= this.nextMs
  }

  sent(nowMs: number): void {
    this.inFlight = true
    this.nextMs = nowMs + this.times.heartbeatIntervalMs
  }

  succeeded(nowMs: number): void {
    this.inFlight = false
    this.sessionEndsMs = nowMs + this.times.sessionTimeoutMs
  }

  failed(nowMs: number): void {
    this.inFlight = false
    this.nextMs = nowMs + this.times.retryBackoffMs
  }

  /** No heartbeat has been answered for a session: the coordinator may be somebody else. */
  sessionExpired(nowMs: number): boolean {
    return nowMs >= this.sessionEndsMs
  }

  /** The session gets another chance, with a coordinator that is looked for anew. */
  extendSession(nowMs: number): void {
    this.inFlight = false
    this.sessionEndsMs = nowMs + this.times.sessionTimeoutMs
  }

  /** The program has not polled for `max.poll.interval.ms`. */
  pollExpired(nowMs: number): boolean {
    return nowMs >= this.pollEndsMs
  }

  /** When to look again. */
  wakeAtMs(): number {
    return Math.min(this.inFlight ? Infinity : this.nextMs, this.sessionEndsMs, this.pollEndsMs)
  }
}
