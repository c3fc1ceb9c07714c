import type { MetadataCache, TopicMetadata } from '../metadata/metadata-cache'
import type { TimerWheel } from '../../runtime/timer-wheel'

/** Requests that wait at a time; beyond it they are answered as timed out at once. */
const MAX_WAITS = 10_000

interface Wait {
  isDone(): boolean
  topics: ReadonlySet<string>
  finish(isDone: boolean): void
}

/**
 * Delays the answers to CreateTopics, CreatePartitions, DeleteTopics and ElectLeaders until this broker's metadata shows what was
 * done (Kafka's topic and elect-leader purgatories), so that a client that asks next sees it.
 */
export class MetadataWaits {
  private readonly metadata: MetadataCache
  private readonly timers: TimerWheel
  private readonly waits = new Set<Wait>()

  constructor(metadata: MetadataCache, timers: TimerWheel) {
    this.metadata = metadata
    this.timers = timers
    metadata.onChange(({ topics }) => {
      if (this.waits.size === 0) return
      for (const wait of [...this.waits]) {
        for (const topic of wait.topics) {
          if (!topics.has(topic)) continue
          if (wait.isDone()) wait.finish(true)
          break
        }
      }
    })
  }

  /** Resolves with true once `isDone`, evaluated when metadata of `topics` changes; with false after `timeoutMs`. */
  until(topics: Iterable<string>, isDone: () => boolean, timeoutMs: number): Promise<boolean> {
    if (isDone()) return Promise.resolve(true)
    if (timeoutMs <= 0 || this.waits.size >= MAX_WAITS) return Promise.resolve(false)
    return new Promise((resolve) => {
      const timer = this.timers.add(timeoutMs, () => wait.finish(isDone()))
      const wait: Wait = {
        topics: new Set(topics),
        isDone,
        finish: (done) => {
          if (!this.waits.delete(wait)) return
          timer.cancel()
          resolve(done)
        },
      }
      this.waits.add(wait)
    })
  }

  /** True if partitions 0 to count-1 have a leader here. */
  hasLeaders(topicName: string, count: number): boolean {
    const topic: TopicMetadata | undefined = this.metadata.topic(topicName)
    if (topic === undefined || topic.partitions.size < count) return false
    for (const { leader } of topic.partitions.values()) if (leader < 0) return false
    return true
  }

  /** Answers everything that waits as it stands. */
  close(): void {
    for (const wait of [...this.waits]) wait.finish(wait.isDone())
  }
}
