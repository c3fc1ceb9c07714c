import { SampledRate, throttleMs } from './sampled-rate'
import { Sensors } from './sensors'
import type { Clock } from '../../runtime/ports'
import type { SampleWindow } from './sampled-rate'

/** Kafka's largest: no limit. */
const UNLIMITED = 0x7fffffff

/** How many connections per second a broker takes. */
export interface ListenerRates {
  /** `max.connection.creation.rate` of all listeners together. */
  broker: number
  /** Of each listener by its name; what is not there has no limit. */
  listeners: ReadonlyMap<string, number>
}

/**
 * Limits on the rate of new connections (KIP-612): of the broker, of each listener, and of each address
 * (`connection_creation_rate` in `/config/ips`).
 */
export class ConnectionRates {
  private readonly clock: Clock
  private readonly window: SampleWindow
  private limits: ListenerRates = { broker: UNLIMITED, listeners: new Map() }
  private readonly addressLimits = new Map<string, number>()
  private defaultAddressLimit = UNLIMITED
  private broker: SampledRate
  private readonly listeners = new Map<string, SampledRate>()
  private readonly addresses: Sensors<SampledRate>
  private isListenerLimited = false

  constructor(clock: Clock, window: SampleWindow) {
    this.clock = clock
    this.window = window
    this.broker = new SampledRate(window)
    this.addresses = new Sensors(() => new SampledRate(window))
  }

  /** False while nothing is limited. */
  get isOn(): boolean {
    return this.isListenerLimited || this.addressLimits.size > 0 || this.defaultAddressLimit !== UNLIMITED
  }

  setListenerRates(limits: ListenerRates): void {
    this.limits = limits
    this.isListenerLimited = [limits.broker, ...limits.listeners.values()].some((limit) => limit < UNLIMITED)
    for (const name of this.listeners.keys()) if (!limits.listeners.has(name)) this.listeners.delete(name)
  }

  /** `null`: of all addresses that have none of their own. `undefined` removes a limit. */
  setAddressRate(address: string | null, limit: number | undefined): void {
    if (address === null) this.defaultAddressLimit = limit ?? UNLIMITED
    else if (limit === undefined) this.addressLimits.delete(address)
    else this.addressLimits.set(address, limit)
  }

  /**
   * Counts a new connection. How long its listener has to wait before it takes the connection, in milliseconds. A listener for
   * brokers alone is not counted among the others.
   */
  listenerDelayMs(listenerName: string, isForBrokers: boolean): number {
    const nowMs = this.clock.monoMs()
    const ofBroker = isForBrokers ? 0 : this.record(this.broker, this.limits.broker, nowMs)
    const limit = this.limits.listeners.get(listenerName)
    if (limit === undefined) return ofBroker
    return Math.max(ofBroker, this.record(this.rateOf(listenerName), limit, nowMs))
  }

  /**
   * Counts a connection of this address. Above 0: one too many, which counts nowhere then; how long it is left waiting before it
   * is closed, in milliseconds.
   */
  addressDelayMs(address: string, listenerName: string, isForBrokers: boolean): number {
    const limit = this.addressLimits.get(address) ?? this.defaultAddressLimit
    if (limit === UNLIMITED) return 0
    const nowMs = this.clock.monoMs()
    const rate = this.addresses.get(address, nowMs)
    const delayMs = this.record(rate, limit, nowMs)
    if (delayMs === 0) return 0
    rate.record(-1, nowMs)
    if (!isForBrokers) this.broker.record(-1, nowMs)
    if (this.limits.listeners.has(listenerName)) this.rateOf(listenerName).record(-1, nowMs)
    return delayMs
  }

  private rateOf(listenerName: string): SampledRate {
    let rate = this.listeners.get(listenerName)
    if (rate === undefined) {
      rate = new SampledRate(this.window)
      this.listeners.set(listenerName, rate)
    }
    return rate
  }

  private record(rate: SampledRate, limit: number, nowMs: number): number {
    rate.record(1, nowMs)
    return throttleMs(rate, limit, nowMs, this.window.sampleMs)
  }
}
