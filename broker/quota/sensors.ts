/** Nobody heard of for so long is forgotten, as in Kafka. */
const INACTIVE_MS = 3_600_000
/** What all sensors of a quota together may cost: client ids are the clients' to choose. */
const MAX_COST_BYTES = 16 * 1024 * 1024
/** Of a sensor with all its samples, its name excluded. */
const SENSOR_COST_BYTES = 1200

interface Entry<Sensor> {
  sensor: Sensor
  usedMs: number
  costBytes: number
}

/** What is measured of each client. Who has been idle for longest makes room for others. */
export class Sensors<Sensor> {
  private readonly create: () => Sensor
  /** Least recently used first. */
  private readonly entries = new Map<string, Entry<Sensor>>()
  private costBytes = 0

  constructor(create: () => Sensor) {
    this.create = create
  }

  get size(): number {
    return this.entries.size
  }

  get(name: string, nowMs: number): Sensor {
    const known = this.entries.get(name)
    if (known !== undefined) {
      this.entries.delete(name)
      this.entries.set(name, known)
      known.usedMs = nowMs
      return known.sensor
    }
    const entry = { sensor: this.create(), usedMs: nowMs, costBytes: SENSOR_COST_BYTES + 2 * name.length }
    this.entries.set(name, entry)
    this.costBytes += entry.costBytes
    this.forgetIdle(nowMs)
    return entry.sensor
  }

  clear(): void {
    this.entries.clear()
    this.costBytes = 0
  }

  private forgetIdle(nowMs: number): void {
    for (const [name, entry] of this.entries) {
      if (this.costBytes <= MAX_COST_BYTES && nowMs - entry.usedMs <= INACTIVE_MS) return
      this.entries.delete(name)
      this.costBytes -= entry.costBytes
    }
  }
}
