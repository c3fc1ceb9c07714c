/** A count that only grows. A plain field, so that a hot path pays one addition. */
export class Counter {
  value = 0

  add(amount = 1): void {
    this.value += amount
  }
}

export interface Sample {
  name: string
  labels: Readonly<Record<string, string>>
  value: number
}

/** The most recent values of something that is measured now and then; bounded, oldest first out. */
export class Recent {
  private readonly values: Float64Array
  private written = 0

  constructor(capacity = 1024) {
    this.values = new Float64Array(capacity)
  }

  add(value: number): void {
    this.values[this.written++ % this.values.length] = value
  }

  /** `fraction` in [0, 1]; 0 when nothing was measured. */
  quantile(fraction: number): number {
    const count = Math.min(this.written, this.values.length)
    if (count === 0) return 0
    const sorted = this.values.slice(0, count).sort()
    return sorted[Math.min(count - 1, Math.floor(fraction * count))]!
  }
}

/** What a process counts, by Kafka's metric names. Read when asked (a snapshot in the recording), never pushed. */
export class Metrics {
  private readonly readers = new Map<string, { name: string; labels: Record<string, string>; read: () => number }>()

  counter(name: string, labels: Record<string, string> = {}): Counter {
    const counter = new Counter()
    this.gauge(name, () => counter.value, labels)
    return counter
  }

  gauge(name: string, read: () => number, labels: Record<string, string> = {}): void {
    this.readers.set(name + JSON.stringify(labels), { name, labels, read })
  }

  remove(name: string, labels: Record<string, string> = {}): void {
    this.readers.delete(name + JSON.stringify(labels))
  }

  samples(): Sample[] {
    return [...this.readers.values()].map(({ name, labels, read }) => ({ name, labels, value: read() }))
  }
}
