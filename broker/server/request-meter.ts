/** Counts the time that requests take, for the quotas of clients; made in broker/quota. */
export interface RequestMeter {
  /** False while no such quota is set: then nothing is measured. */
  readonly isOn: boolean
  nowMs(): number
  /** Counts what a request took. For how long its client is to be held back, in milliseconds; 0 while it keeps to its limit. */
  charge(clientId: string, tookMs: number): number
  /** Counts what its answer took behind that; the next request is asked for it. */
  add(clientId: string, tookMs: number): void
}

/** What one request has taken so far. */
export class RequestTime {
  private readonly meter: RequestMeter
  private readonly clientId: string
  private readonly startMs: number
  private handledMs: number | undefined
  private throttle: number | undefined

  constructor(meter: RequestMeter, clientId: string, startMs: number) {
    this.meter = meter
    this.clientId = clientId
    this.startMs = startMs
  }

  /** The handler has returned; what comes later is waiting, and no work. */
  handled(): void {
    this.handledMs ??= this.meter.nowMs() - this.startMs
  }

  /** Counts the time, once. */
  throttleMs(): number {
    this.handled()
    this.throttle ??= this.meter.charge(this.clientId, this.handledMs!)
    return this.throttle
  }

  /** Runs what sends the answer, and counts it. */
  answering(send: () => void): void {
    const startMs = this.meter.nowMs()
    send()
    this.meter.add(this.clientId, this.meter.nowMs() - startMs)
  }
}
