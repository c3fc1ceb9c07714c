/** max.connections, max.connections.per.ip and its overrides. */
export interface ConnectionMaxima {
  maxConnections: number
  maxConnectionsPerIp: number
  maxConnectionsPerIpOverrides: ReadonlyMap<string, number>
  /** `listener.name.<listener>.max.connections`, by the listener's name; what is not there has no limit of its own. */
  maxConnectionsPerListener?: ReadonlyMap<string, number>
}

/** Counts connections. */
export class ConnectionLimits {
  private maxima: ConnectionMaxima
  private readonly countByIp = new Map<string, number>()
  private readonly countByListener = new Map<string, number>()
  private count = 0

  constructor(maxima: ConnectionMaxima) {
    this.maxima = maxima
  }

  /** Other limits, for connections to come. */
  reconfigure(maxima: ConnectionMaxima): void {
    this.maxima = maxima
  }

  /** One more from this address? */
  allows(ip: string): boolean {
    return this.count < this.maxima.maxConnections && !this.isIpFull(ip)
  }

  isIpFull(ip: string): boolean {
    return (this.countByIp.get(ip) ?? 0) >= (this.maxima.maxConnectionsPerIpOverrides.get(ip) ?? this.maxima.maxConnectionsPerIp)
  }

  isListenerFull(listenerName: string): boolean {
    return (this.countByListener.get(listenerName) ?? 0) >= (this.maxima.maxConnectionsPerListener?.get(listenerName) ?? Infinity)
  }

  add(ip: string, listenerName: string): void {
    this.count++
    this.countByListener.set(listenerName, (this.countByListener.get(listenerName) ?? 0) + 1)
    this.countByIp.set(ip, (this.countByIp.get(ip) ?? 0) + 1)
  }

  remove(ip: string, listenerName: string): void {
    this.count--
    this.countByListener.set(listenerName, this.countByListener.get(listenerName)! - 1)
    const left = (this.countByIp.get(ip) ?? 1) - 1
    if (left === 0) this.countByIp.delete(ip)
    else this.countByIp.set(ip, left)
  }
}
