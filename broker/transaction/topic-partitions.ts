export interface TopicPartition {
  topic: string
  partition: number
}

/** A set of partitions. */
export class TopicPartitions {
  private readonly byTopic = new Map<string, Set<number>>()
  private count = 0

  static of(partitions: Iterable<TopicPartition>): TopicPartitions {
    const set = new TopicPartitions()
    for (const { topic, partition } of partitions) set.add(topic, partition)
    return set
  }

  get size(): number {
    return this.count
  }

  has(topic: string, partition: number): boolean {
    return this.byTopic.get(topic)?.has(partition) === true
  }

  add(topic: string, partition: number): void {
    let partitions = this.byTopic.get(topic)
    if (partitions === undefined) this.byTopic.set(topic, (partitions = new Set()))
    if (partitions.has(partition)) return
    partitions.add(partition)
    this.count++
  }

  remove(topic: string, partition: number): void {
    const partitions = this.byTopic.get(topic)
    if (partitions?.delete(partition) !== true) return
    this.count--
    if (partitions.size === 0) this.byTopic.delete(topic)
  }

  includes(other: TopicPartitions): boolean {
    for (const { topic, partition } of other) if (!this.has(topic, partition)) return false
    return true
  }

  union(other: TopicPartitions): TopicPartitions {
    const both = TopicPartitions.of(this)
    for (const { topic, partition } of other) both.add(topic, partition)
    return both
  }

  /** By topic, as requests and records have them. */
  *topics(): Iterable<{ topic: string; partitions: number[] }> {
    for (const [topic, partitions] of this.byTopic) yield { topic, partitions: [...partitions] }
  }

  *[Symbol.iterator](): Iterator<TopicPartition> {
    for (const [topic, partitions] of this.byTopic) for (const partition of partitions) yield { topic, partition }
  }
}
