import { TopicPartitions } from './topic-partitions'
import type { TransactionMetadata, Transition } from './transaction-metadata'

/** A transaction whose end is decided and written: it is complete when each of its partitions has its marker. */
export interface PendingCompletion {
  readonly metadata: TransactionMetadata
  readonly coordinatorEpoch: number
  readonly isCommit: boolean
  readonly producerId: number
  readonly producerEpoch: number
  /** To be written when all the markers are. */
  readonly transition: Transition
}

export interface MarkerEntry {
  readonly pending: PendingCompletion
  readonly partitions: TopicPartitions
}

/** Markers that wait for one broker. Those of one transaction are one entry. */
export class MarkerQueue {
  private readonly waiting = new Map<PendingCompletion, TopicPartitions>()

  get isEmpty(): boolean {
    return this.waiting.size === 0
  }

  /** Transactions. */
  get size(): number {
    return this.waiting.size
  }

  add(pending: PendingCompletion, partitions: Iterable<{ topic: string; partition: number }>): void {
    let entry = this.waiting.get(pending)
    if (entry === undefined) this.waiting.set(pending, (entry = new TopicPartitions()))
    for (const { topic, partition } of partitions) entry.add(topic, partition)
  }

  /**
   * Takes up to `limit` entries, the oldest first, but no two of one producer: their answers could not be told apart. What is not
   * wanted any more is thrown away.
   */
  take(limit: number, isWanted: (pending: PendingCompletion) => boolean): MarkerEntry[] {
    const taken: MarkerEntry[] = []
    const producers = new Set<number>()
    for (const [pending, partitions] of this.waiting) {
      if (taken.length >= limit) break
      if (!isWanted(pending)) {
        this.waiting.delete(pending)
        continue
      }
      if (producers.has(pending.producerId)) continue
      producers.add(pending.producerId)
      this.waiting.delete(pending)
      taken.push({ pending, partitions })
    }
    return taken
  }

  removeWhere(condition: (pending: PendingCompletion) => boolean): void {
    for (const pending of this.waiting.keys()) if (condition(pending)) this.waiting.delete(pending)
  }
}
