import type { Clock } from '../../runtime/ports'
import type { Connection } from './connection'
import type { ListenerOptions } from './socket-server'

/** Limits on the rate of new connections; made in broker/quota. */
export interface ConnectionThrottle {
  /** False while nothing is limited. */
  readonly isOn: boolean
  /** Counts a connection; how long its listener has to wait before it takes it, in milliseconds. */
  listenerDelayMs(listenerName: string, isForBrokers: boolean): number
  /** Counts a connection of an address; above 0: one too many, to be closed after so many milliseconds. */
  addressDelayMs(address: string, listenerName: string, isForBrokers: boolean): number
}

/** Of each listener; Kafka leaves them to the kernel's backlog. */
const MOST_WAITING = 1000

/**
 * Takes new connections as fast as the limits allow (KIP-612). A listener that is too fast takes the next one later, in their
 * order; who comes from an address that is too fast is left waiting, and closed. Nothing is read from any of them meanwhile.
 */
export class Admission {
  private readonly clock: Clock
  private readonly throttle: ConnectionThrottle
  private readonly resume: (connection: Connection) => void
  private readonly waiting = new Map<string, Connection[]>()
  private readonly doomed = new Set<Connection>()

  /** `resume` reads from a connection whose time has come. */
  constructor(clock: Clock, throttle: ConnectionThrottle, resume: (connection: Connection) => void) {
    this.clock = clock
    this.throttle = throttle
    this.resume = resume
  }

  /** Whether the connection may be read from at once; otherwise it is resumed, or closed, when its time has come. */
  admits(connection: Connection, listener: ListenerOptions): boolean {
    if (!this.throttle.isOn && this.waiting.size === 0) return true
    const queue = this.waiting.get(listener.name)
    if (queue !== undefined) {
      if (queue.length < MOST_WAITING) queue.push(connection)
      else connection.close('too many new connections')
      return false
    }
    const delayMs = this.throttle.listenerDelayMs(listener.name, listener.isProtected)
    if (delayMs <= 0) return this.admitsAddress(connection, listener)
    this.waiting.set(listener.name, [connection])
    this.wait(listener, delayMs)
    return false
  }

  /** Not to be resumed by others. */
  holds(connection: Connection): boolean {
    if (this.doomed.has(connection)) return true
    return this.waiting.get(connection.origin.listenerName)?.includes(connection) === true
  }

  forget(connection: Connection): void {
    this.doomed.delete(connection)
  }

  private wait(listener: ListenerOptions, delayMs: number): void {
    this.clock.timer(delayMs, () => this.admitWaiting(listener))
  }

  /** The first one has waited for its turn; those behind it are counted only now. */
  private admitWaiting(listener: ListenerOptions): void {
    const queue = this.waiting.get(listener.name)!
    this.admit(queue.shift()!, listener)
    for (;;) {
      while (queue[0]?.isClosed === true) queue.shift()
      if (queue.length === 0) {
        this.waiting.delete(listener.name)
        return
      }
      const delayMs = this.throttle.isOn ? this.throttle.listenerDelayMs(listener.name, listener.isProtected) : 0
      if (delayMs > 0) {
        this.wait(listener, delayMs)
        return
      }
      this.admit(queue.shift()!, listener)
    }
  }

  private admit(connection: Connection, listener: ListenerOptions): void {
    if (!connection.isClosed && this.admitsAddress(connection, listener)) this.resume(connection)
  }

  private admitsAddress(connection: Connection, listener: ListenerOptions): boolean {
    const delayMs = this.throttle.addressDelayMs(connection.origin.clientHost, listener.name, listener.isProtected)
    if (delayMs <= 0) return true
    this.doomed.add(connection)
    this.clock.timer(delayMs, () => connection.close('too many new connections from its address'))
    return false
  }
}
