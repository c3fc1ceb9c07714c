import type { Clock, Timer } from './ports'

/** Milliseconds per slot of the fine wheel, and slots per wheel: two levels reach 512 * 10 ms, then 512 * 5.12 s (44 minutes). */
const TICK_MS = 10
const SLOTS = 512

/** One entry of a slot's circular list; the slot itself is its list's head. */
class Node {
  previous: Node = this
  next: Node = this

  unlink(): void {
    this.previous.next = this.next
    this.next.previous = this.previous
    this.previous = this
    this.next = this
  }
}

export class TimerEntry extends Node {
  /** In ticks since the wheel began. */
  readonly dueTick: number
  callback: (() => void) | undefined
  private readonly wheel: TimerWheel

  constructor(wheel: TimerWheel, dueTick: number, callback: () => void) {
    super()
    this.wheel = wheel
    this.dueTick = dueTick
    this.callback = callback
  }

  /** Idempotent; of no effect once the callback has run. */
  cancel(): void {
    if (this.callback === undefined) return
    this.callback = undefined
    this.unlink()
    this.wheel.forget()
  }
}

function isEmpty(slot: Node): boolean {
  return slot.next === slot
}

function slots(): Node[] {
  return Array.from({ length: SLOTS }, () => new Node())
}

/**
 * A hierarchical timing wheel (Kafka's SystemTimer, with other sizes) for the many time-outs that nearly always are cancelled:
 * delayed produce and fetch, requests in flight. Entries fire up to TICK_MS late, never early. One real timer drives it, armed
 * only while there are entries.
 */
export class TimerWheel {
  private readonly clock: Clock
  private readonly originMs: number
  private readonly fine = slots()
  private readonly coarse = slots()
  /** Every entry due at or before this tick has fired. */
  private currentTick = 0
  private count = 0
  private timer: Timer | undefined
  /** When `timer` fires: the next tick that has something to do. */
  private armedTick = 0

  constructor(clock: Clock) {
    this.clock = clock
    this.originMs = clock.monoMs()
  }

  get size(): number {
    return this.count
  }

  /** Calls `callback` once, `delayMs` from now or up to 10 ms later. */
  add(delayMs: number, callback: () => void): TimerEntry {
    const nowTick = (this.clock.monoMs() - this.originMs) / TICK_MS
    if (this.count === 0) this.currentTick = Math.floor(nowTick)
    const entry = new TimerEntry(this, Math.max(Math.ceil(nowTick + Math.max(delayMs, 0) / TICK_MS), this.currentTick + 1), callback)
    this.count++
    this.place(entry)
    if (this.timer !== undefined && entry.dueTick < this.armedTick) this.disarm()
    this.arm()
    return entry
  }

  /** Called by an entry that was cancelled. */
  forget(): void {
    this.count--
    if (this.count === 0) this.disarm()
  }

  private disarm(): void {
    this.timer?.cancel()
    this.timer = undefined
  }

  private place(entry: TimerEntry): void {
    const away = entry.dueTick - this.currentTick
    const slot =
      away < SLOTS
        ? this.fine[entry.dueTick % SLOTS]!
        : // What lies beyond the coarse wheel waits in its last slot and is placed again from there.
          this.coarse[Math.min(Math.floor(entry.dueTick / SLOTS), Math.floor(this.currentTick / SLOTS) + SLOTS - 1) % SLOTS]!
    entry.previous = slot.previous
    entry.next = slot
    slot.previous.next = entry
    slot.previous = entry
  }

  private arm(): void {
    if (this.timer !== undefined || this.count === 0) return
    this.armedTick = this.currentTick + 1
    // A turn of the fine wheel ends with a cascade; before that, only slots with entries matter.
    while (this.armedTick % SLOTS !== 0 && isEmpty(this.fine[this.armedTick % SLOTS]!)) this.armedTick++
    const nextMs = this.originMs + this.armedTick * TICK_MS
    this.timer = this.clock.timer(Math.max(nextMs - this.clock.monoMs(), 1), this.advance)
  }

  private readonly advance = (): void => {
    this.timer = undefined
    const target = Math.floor((this.clock.monoMs() - this.originMs) / TICK_MS)
    try {
      while (this.currentTick < target && this.count > 0) {
        this.currentTick++
        if (this.currentTick % SLOTS === 0) this.cascade()
        this.fire(this.fine[this.currentTick % SLOTS]!)
      }
    } finally {
      this.arm()
    }
  }

  private cascade(): void {
    const slot = this.coarse[Math.floor(this.currentTick / SLOTS) % SLOTS]!
    const entries: TimerEntry[] = []
    while (!isEmpty(slot)) {
      const entry = slot.next as TimerEntry
      entry.unlink()
      entries.push(entry)
    }
    for (const entry of entries) this.place(entry)
  }

  private fire(slot: Node): void {
    while (!isEmpty(slot)) {
      const entry = slot.next as TimerEntry
      entry.unlink()
      const callback = entry.callback!
      entry.callback = undefined
      this.count--
      callback()
    }
  }
}
