import Denque from 'denque'
import type { Clock } from '../runtime/ports'
import { slicesOf } from '../runtime/slices'
import { Recent } from '../runtime/metrics'

/** The lanes, most urgent first. The next event is the oldest of the most urgent lane that is not empty. */
export const LANES = ['session', 'brokerFailure', 'isrAndShutdown', 'administration', 'housekeeping'] as const

export type Lane = (typeof LANES)[number]

export interface EventQueueOptions<Event> {
  clock: Clock
  laneOf(event: Event): Lane
  /** Events of one key say the same thing (their handler re-reads the world): one waiting is enough. Undefined: never merged. */
  coalesceKey(event: Event): string | undefined
  /** Somebody waits for its answer. Of the others no more wait than there are keys, or answers that brokers owe. */
  isRequest(event: Event): boolean
  /** Handles one event at a time, to its end. It must not reject; if it does, `onFault` hears of it. */
  process(event: Event, waitedMs: number): Promise<void>
  /** The event will not be processed: a request in it is answered now. */
  refuse(event: Event): void
  onFault(event: Event, error: unknown): void
  /** Events that may wait in one lane; requests beyond it are refused. */
  maxPerLane?: number
  /** An event that waited so long goes before the more urgent lanes (the session's excepted), so that no lane starves. */
  patienceMs?: number
}

interface Waiting<Event> {
  event: Event
  sinceMs: number
  key: string | undefined
}

/**
 * The controller's one queue with its one consumer (Kafka's ControllerEventManager), with lanes and coalescing. Whatever is put
 * in is either processed or refused, and that exactly once.
 */
export class EventQueue<Event> {
  /** Milliseconds between `put` and the start of processing (Kafka's EventQueueTimeMs). */
  readonly queueTimeMs = new Recent()
  private readonly options: EventQueueOptions<Event>
  private readonly maxPerLane: number
  private readonly patienceMs: number
  private readonly lanes = LANES.map(() => new Denque<Waiting<Event>>())
  private readonly waitingKeys = new Set<string>()
  private running: Event | undefined
  private closed = false
  private idleWaiters: (() => void)[] = []

  constructor(options: EventQueueOptions<Event>) {
    this.options = options
    this.maxPerLane = options.maxPerLane ?? 10_000
    this.patienceMs = options.patienceMs ?? 10_000
  }

  /** Events that wait. */
  get size(): number {
    return this.lanes.reduce((sum, lane) => sum + lane.length, 0)
  }

  get current(): Event | undefined {
    return this.running
  }

  /** Age in milliseconds of the event that waits longest; 0 when none waits. */
  get oldestAgeMs(): number {
    const oldest = Math.min(...this.lanes.map((lane) => lane.peekFront()?.sinceMs ?? Infinity))
    return oldest === Infinity ? 0 : this.options.clock.monoMs() - oldest
  }

  /** False if the event was not taken; then it has been refused. */
  put(event: Event): boolean {
    const key = this.options.coalesceKey(event)
    if (!this.closed && key !== undefined && this.waitingKeys.has(key)) {
      // Only events without a requester have a key, so nobody waits for this one.
      return true
    }
    const lane = this.lanes[LANES.indexOf(this.options.laneOf(event))]!
    if (this.closed || (lane.length >= this.maxPerLane && this.options.isRequest(event))) {
      this.options.refuse(event)
      return false
    }
    lane.push({ event, sinceMs: this.options.clock.monoMs(), key })
    if (key !== undefined) this.waitingKeys.add(key)
    this.start()
    return true
  }

  /** Refuses everything that waits. What is being processed goes on. */
  clear(): void {
    const refused: Event[] = []
    for (const lane of this.lanes) {
      for (let entry = lane.shift(); entry !== undefined; entry = lane.shift()) refused.push(entry.event)
    }
    this.waitingKeys.clear()
    for (const event of refused) this.options.refuse(event)
  }

  /** Takes no more events and refuses those that wait; resolves when the one in process is done. */
  async close(): Promise<void> {
    this.closed = true
    this.clear()
    await this.idle()
  }

  /** Resolves when nothing waits and nothing runs. */
  idle(): Promise<void> {
    if (this.running === undefined && this.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.idleWaiters.push(resolve))
  }

  private start(): void {
    if (this.running !== undefined) return
    const next = this.next()
    if (next === undefined) return
    this.running = next.event
    void this.consume(next)
  }

  private async consume(first: Waiting<Event>): Promise<void> {
    let next: Waiting<Event> | undefined = first
    while (next !== undefined) {
      this.running = next.event
      const waitedMs = this.options.clock.monoMs() - next.sinceMs
      this.queueTimeMs.add(waitedMs)
      try {
        // Never in the caller's stack: `put` is called from watch callbacks and from handlers.
        await undefined
        await this.options.process(next.event, waitedMs)
      } catch (error) {
        this.options.onFault(next.event, error)
      }
      const slices = slicesOf(this.options.clock)
      if (slices.isDue()) await slices.pause()
      next = this.next()
    }
    this.running = undefined
    const waiters = this.idleWaiters
    this.idleWaiters = []
    for (const wake of waiters) wake()
  }

  private next(): Waiting<Event> | undefined {
    const lane = this.impatientLane() ?? this.lanes.find((candidate) => candidate.length > 0)
    const next = lane?.shift()
    if (next?.key !== undefined) this.waitingKeys.delete(next.key)
    return next
  }

  /** A lower lane whose head has waited too long, unless a session event waits. */
  private impatientLane(): Denque<Waiting<Event>> | undefined {
    if (this.lanes[0]!.length > 0) return undefined
    const since = this.options.clock.monoMs() - this.patienceMs
    let oldest: Denque<Waiting<Event>> | undefined
    for (const lane of this.lanes) {
      const head = lane.peekFront()
      if (head === undefined || head.sinceMs > since) continue
      if (oldest === undefined || head.sinceMs < oldest.peekFront()!.sinceMs) oldest = lane
    }
    return oldest
  }
}
