import type { TimerEntry, TimerWheel } from '../../runtime/timer-wheel'

/**
 * Something that waits for a condition, at most for a while (Kafka's DelayedOperation).
 *
 * Invariant: `onComplete` runs exactly once, because the condition came true, time ran out, or somebody forced it.
 */
export abstract class DelayedOperation<Key> {
  private completed = false
  private keys: readonly Key[] = []
  private purgatory: Purgatory<Key> | undefined
  private timer: TimerEntry | undefined

  /** Is the condition true? `changed` names the key that made somebody ask; undefined: look at everything. */
  protected abstract isReady(changed: Key | undefined): boolean
  protected abstract onComplete(expired: boolean): void

  get isCompleted(): boolean {
    return this.completed
  }

  /** True if this call completed it. */
  tryComplete(changed?: Key): boolean {
    return !this.completed && this.isReady(changed) && this.complete(false)
  }

  /** Completes it whether or not it is ready. True if this call did. */
  forceComplete(): boolean {
    return this.complete(false)
  }

  /** Called by the purgatory alone. */
  watch(purgatory: Purgatory<Key>, keys: readonly Key[], timer: TimerEntry): void {
    this.purgatory = purgatory
    this.keys = keys
    this.timer = timer
  }

  /** Called by the purgatory's timer alone. */
  expire(): void {
    this.complete(true)
  }

  private complete(expired: boolean): boolean {
    if (this.completed) return false
    this.completed = true
    this.timer?.cancel()
    this.purgatory?.forget(this, this.keys)
    this.onComplete(expired)
    return true
  }
}

/**
 * Where delayed operations wait, under the keys whose changes may complete them. A completed operation leaves at once, so there
 * is nothing to purge; the number of waiting operations is bounded. A key keeps its list until it is dropped: a fetch waits for many
 * keys, thousands of times a second.
 */
export class Purgatory<Key> {
  private readonly timers: TimerWheel
  private readonly maxOperations: number
  /** In the order of arrival. */
  private readonly watchers = new Map<Key, DelayedOperation<Key>[]>()
  private waiting = 0

  constructor(timers: TimerWheel, maxOperations: number) {
    this.timers = timers
    this.maxOperations = maxOperations
  }

  /** Operations that wait. */
  get size(): number {
    return this.waiting
  }

  /** Keys that somebody waits for. */
  get watchedKeys(): number {
    let count = 0
    for (const watchers of this.watchers.values()) if (watchers.length > 0) count++
    return count
  }

  /**
   * Completes the operation if it is ready, else lets it wait up to `timeoutMs`. With the purgatory full it is completed as it
   * is, as if its time had run out. True if it is completed.
   */
  tryCompleteElseWatch(operation: DelayedOperation<Key>, keys: readonly Key[], timeoutMs: number): boolean {
    if (operation.tryComplete()) return true
    if (this.waiting >= this.maxOperations || timeoutMs <= 0) {
      operation.expire()
      return true
    }
    this.waiting++
    operation.watch(this, keys, this.timers.add(timeoutMs, () => operation.expire()))
    for (const key of keys) {
      const watchers = this.watchers.get(key)
      if (watchers === undefined) this.watchers.set(key, [operation])
      else watchers.push(operation)
    }
    return false
  }

  /** Something about `key` changed: completes what became ready and returns how many that were. */
  checkAndComplete(key: Key): number {
    const watchers = this.watchers.get(key)
    if (watchers === undefined || watchers.length === 0) return 0
    let completed = 0
    for (const operation of [...watchers]) if (operation.tryComplete(key)) completed++
    return completed
  }

  isWatched(key: Key): boolean {
    return (this.watchers.get(key)?.length ?? 0) > 0
  }

  /** Completes everything, ready or not. */
  completeAll(): void {
    for (const watchers of [...this.watchers.values()]) for (const operation of [...watchers]) operation.forceComplete()
  }

  /** There will be no such key any more. What waits for it completes by its other keys, or when its time is over. */
  drop(key: Key): void {
    this.watchers.delete(key)
  }

  /** Called by an operation that completed. */
  forget(operation: DelayedOperation<Key>, keys: readonly Key[]): void {
    this.waiting--
    for (const key of keys) {
      const watchers = this.watchers.get(key)
      const index = watchers?.indexOf(operation) ?? -1
      if (index >= 0) watchers!.splice(index, 1)
    }
  }
}
