import type { Partition } from './context'

/** Replicas whose broker could not take its part. Told again when memory is compared with the world, for as long as it takes. */
export class Repairs {
  private readonly waiting = new Map<Partition, Set<number>>()

  get size(): number {
    return this.waiting.size
  }

  add(partition: Partition | undefined, broker: number): void {
    if (partition === undefined) return
    const brokers = this.waiting.get(partition)
    if (brokers === undefined) this.waiting.set(partition, new Set([broker]))
    else brokers.add(broker)
  }

  remove(partition: Partition, broker: number): void {
    const brokers = this.waiting.get(partition)
    if (brokers === undefined) return
    brokers.delete(broker)
    if (brokers.size === 0) this.waiting.delete(partition)
  }

  /** All of them, and none is left. */
  take(): [Partition, ReadonlySet<number>][] {
    const all = [...this.waiting]
    this.waiting.clear()
    return all
  }
}
