import { partitionKey } from '../leaders'
import { PartitionState } from './partition-state'
import type { ConsumerRecord } from '../fetched'
import type { Position } from './partition-state'
import type { TopicPartition } from '../leaders'

/**
 * Hears of partitions that come and go by rebalances; may be asynchronous. Called within `poll`, `unsubscribe` and `close`
 * alone.
 */
export interface RebalanceListener {
  /**
   * Partitions come, after the others are gone; all of them under an eager protocol, those that are new under a
   * cooperative one.
   */
  onPartitionsAssigned?(partitions: TopicPartition[]): void | Promise<void>
  /** Partitions go to others: the last chance to commit. */
  onPartitionsRevoked?(partitions: TopicPartition[]): void | Promise<void>
  /** They went already: somebody else may have them. If left out, `onPartitionsRevoked` is called. */
  onPartitionsLost?(partitions: TopicPartition[]): void | Promise<void>
}

export class SubscriptionError extends Error {
  override readonly name = 'SubscriptionError'
  readonly code = 'SUBSCRIPTION'
}

const EXCLUSIVE = 'Subscription to topics, partitions and pattern are mutually exclusive'

/** What a consumer wants, and what it has (Kafka's SubscriptionState). */
export class Subscription {
  kind: 'none' | 'topics' | 'pattern' | 'assigned' = 'none'
  listener: RebalanceListener = {}
  pattern: RegExp | undefined
  /** Subscribed; those that match a pattern, too. */
  topics: ReadonlySet<string> = new Set()
  private states = new Map<string, PartitionState>()
  /** What `poll` gave and the loop that asked has not handed out, and how often each position had been set by then. */
  private held: { records: readonly ConsumerRecord[]; seeks: ReadonlyMap<PartitionState, number> } | undefined
  /** Whose turn it is, so that a full partition does not starve the others. */
  private turn = 0

  get isAutomatic(): boolean {
    return this.kind === 'topics' || this.kind === 'pattern'
  }

  subscribe(wanted: readonly string[] | RegExp, listener: RebalanceListener): void {
    const kind = wanted instanceof RegExp ? 'pattern' : 'topics'
    this.change(kind)
    this.listener = listener
    if (wanted instanceof RegExp) {
      this.pattern = new RegExp(wanted.source, wanted.flags.replace(/[gy]/g, ''))
      this.topics = new Set()
    } else this.topics = new Set(wanted)
  }

  /** Replaces the assignment by hand. Partitions that stay keep their position. */
  assign(partitions: readonly TopicPartition[]): void {
    this.change('assigned')
    this.setAssigned(partitions)
  }

  /** The same by a rebalance. */
  setAssigned(partitions: readonly TopicPartition[]): void {
    const before = this.states
    this.states = new Map(
      partitions.map(({ topic, partition }) => {
        const key = partitionKey(topic, partition)
        return [key, before.get(key) ?? new PartitionState({ topic, partition })]
      }),
    )
    for (const [key, state] of before) if (!this.states.has(key)) state.seeks++
  }

  clear(): void {
    this.kind = 'none'
    this.listener = {}
    this.pattern = undefined
    this.topics = new Set()
    this.setAssigned([])
  }

  assigned(): TopicPartition[] {
    return this.all().map(({ topic, partition }) => ({ topic, partition }))
  }

  all(): PartitionState[] {
    return [...this.states.values()]
  }

  /** The same, a different one first each time. */
  inTurn(): PartitionState[] {
    const all = this.all()
    const first = all.length === 0 ? 0 : this.turn++ % all.length
    return first === 0 ? all : [...all.slice(first), ...all.slice(0, first)]
  }

  find(topic: string, partition: number): PartitionState | undefined {
    return this.states.get(partitionKey(topic, partition))
  }

  get(topic: string, partition: number): PartitionState {
    const state = this.find(topic, partition)
    if (state === undefined) throw new SubscriptionError(`No current assignment for partition ${partitionKey(topic, partition)}`)
    return state
  }

  /** True if this very state is still assigned, and nobody has set its position since. */
  isCurrent(state: PartitionState, seeks: number): boolean {
    return state.seeks === seeks && this.find(state.topic, state.partition) === state
  }

  /** These count as consumed when they leave the list. */
  hold(records: readonly ConsumerRecord[]): void {
    const seeks = new Map<PartitionState, number>()
    for (const { topic, partition } of records) {
      const state = this.find(topic, partition)
      if (state !== undefined) seeks.set(state, state.seeks)
    }
    this.held = { records, seeks }
  }

  /** Where the loop stands in each partition of which it holds records; not where the position has been set since. */
  firstHeld(): Map<PartitionState, Position> {
    const first = new Map<PartitionState, Position>()
    for (const { topic, partition, offset, leaderEpoch } of this.held?.records ?? []) {
      const state = this.find(topic, partition)
      if (state === undefined || first.has(state) || this.held!.seeks.get(state) !== state.seeks) continue
      // A log that has this record has the one before it.
      first.set(state, { offset, leaderEpoch })
    }
    return first
  }

  /** Positions as they would be committed. */
  consumed(): { topic: string; partition: number; offset: number; leaderEpoch: number }[] {
    const held = this.firstHeld()
    return this.all().flatMap((state) => {
      const { topic, partition } = state
      const position = held.get(state) ?? state.position
      return position === undefined ? [] : [{ topic, partition, ...position }]
    })
  }

  private change(kind: 'topics' | 'pattern' | 'assigned'): void {
    if (this.kind !== 'none' && this.kind !== kind) throw new SubscriptionError(EXCLUSIVE)
    this.kind = kind
  }
}
