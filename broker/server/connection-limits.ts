/** Counts connections against max.connections and max.connections.per.ip with its overrides. */
export class ConnectionLimits {
  private readonly max: number
  private readonly maxPerIp: number
  private readonly overrides: ReadonlyMap<string, number>
  private readonly countByIp = new Map<string, number>()
  private count = 0

  constructor(options: {
    maxConnections: number
    maxConnectionsPerIp: number
    maxConnectionsPerIpOverrides: ReadonlyMap<string, number>
  }) {
    this.max = options.maxConnections
    this.maxPerIp = options.maxConnectionsPerIp
    this.overrides = options.maxConnectionsPerIpOverrides
  }

  /** One more from this address? */
  allows(ip: string): boolean {
    return this.count < this.max && !this.isIpFull(ip)
  }

  isIpFull(ip: string): boolean {
    return (this.countByIp.get(ip) ?? 0) >= (this.overrides.get(ip) ?? this.maxPerIp)
  }

  add(ip: string): void {
    this.count++
    this.countByIp.set(ip, (this.countByIp.get(ip) ?? 0) + 1)
  }

  remove(ip: string): void {
    this.count--
    const left = (this.countByIp.get(ip) ?? 1) - 1
    if (left === 0) this.countByIp.delete(ip)
    else this.countByIp.set(ip, left)
  }
}
