import type { Partition } from './context'

const FIRST_DELAY_MS = 1000
const LONGEST_DELAY_MS = 5 * 60_000

/** Replicas whose broker could not take its part. They are told again, at growing intervals, for as long as it takes. */
export class Repairs {
  private readonly waiting = new Map<Partition, Set<number>>()

  private delayMs = FIRST_DELAY_MS

  get size(): number {
    return this.waiting.size
  }

  /** When to try again: twice as long as the last time, until all was well once. */
  nextDelayMs(): number {
    const delayMs = this.delayMs
    this.delayMs = Math.min(LONGEST_DELAY_MS, delayMs * 2)
    return delayMs
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
    if (this.waiting.size === 0) this.delayMs = FIRST_DELAY_MS
  }

  /** All of them. They stay until their broker says that all is well, or until `forget`. */
  all(): [Partition, ReadonlySet<number>][] {
    return [...this.waiting]
  }

  forget(partition: Partition): void {
    this.waiting.delete(partition)
  }
}
