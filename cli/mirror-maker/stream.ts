import { CommitFailedError, RetriableCommitFailedError, WakeupError } from '../../client/consumer/errors'
import { TimeoutError } from '../../client/cluster'
import { partitionKey } from '../../client/leaders'
import type { Consumer } from '../../client/consumer'
import type { ConsumerRecord } from '../../client/fetched'
import type { OffsetToCommit } from '../../client/group/committed'
import type { Producer } from '../../client/producer'

/** Less than the interval of commits may be, so that they are not late when nothing comes. */
const POLL_MS = 1000
const RETRY_MS = 100
/** Records that may be on their way before more are read. */
const MOST_UNANSWERED = 10_000

/** What the streams of one mirror share. */
export interface Mirror {
  producer: Producer
  include: RegExp
  commitIntervalMs: number
  abortOnSendFailure: boolean
  /** `producer.type=sync`: one record at a time. */
  sync: boolean
  /** Set when all have to stop: at the end, or without a commit after a failure. */
  state: 'running' | 'stopping' | 'failed'
  say(text: string): void
  /** Hears of each record that the target has taken. */
  copied(): void
  nowMs(): number
  pause(ms: number): Promise<void>
}

/**
 * One consumer and its way to the producer. Nothing is committed before the producer has flushed it; after a send that failed
 * for good nothing is
 * committed at all (with `--abort.on.send.failure`), so that nothing is lost: it is copied again.
 */
export class MirrorStream {
  private readonly mirror: Mirror
  private readonly consumer: Consumer
  private readonly offsets = new Map<string, OffsetToCommit>()
  private readonly unanswered = new Set<Promise<unknown>>()
  private lastCommitMs: number

  constructor(mirror: Mirror, consumer: Consumer) {
    this.mirror = mirror
    this.consumer = consumer
    this.lastCommitMs = mirror.nowMs()
  }

  /** Copies until the mirror stops. Never rejects: what goes wrong makes the mirror fail. */
  async run(): Promise<void> {
    const { mirror, consumer } = this
    try {
      consumer.subscribe(mirror.include, {
        onPartitionsRevoked: () => this.flushAndCommit(),
        onPartitionsLost: () => this.offsets.clear(),
      })
      while (mirror.state === 'running') {
        try {
          for (const record of await consumer.poll(POLL_MS)) {
            if (this.isFailed()) break
            await this.copy(record)
          }
        } catch (error) {
          if (!(error instanceof WakeupError)) throw error
        }
        if (mirror.nowMs() - this.lastCommitMs > mirror.commitIntervalMs) await this.flushAndCommit()
      }
    } catch (error) {
      mirror.state = 'failed'
      mirror.say(`Mirror maker thread failure due to ${error instanceof Error ? error.message : String(error)}`)
    }
    await this.flushAndCommit().catch((error: unknown) => mirror.say(error instanceof Error ? error.message : String(error)))
    await consumer.close()
  }

  wakeup(): void {
    this.consumer.wakeup()
  }

  /** Looked at anew after each wait. */
  private isFailed(): boolean {
    return this.mirror.state === 'failed'
  }

  private async copy({ topic, partition, offset, key, value, headers, timestamp, timestampType }: ConsumerRecord): Promise<void> {
    const { producer, sync } = this.mirror
    // The partition is the partitioner's: the topics may have different numbers of them.
    const answer = producer
      .send({ topic, key, value, headers, ...(timestampType === 'NoTimestampType' ? {} : { timestamp }) })
      .then(
        () => this.mirror.copied(),
        (error: unknown) => this.sendFailed(topic, error),
      )
      .finally(() => this.unanswered.delete(answer))
    this.unanswered.add(answer)
    if (sync) await answer
    while (this.unanswered.size >= MOST_UNANSWERED) await Promise.race(this.unanswered)
    this.offsets.set(partitionKey(topic, partition), { topic, partition, offset: offset + 1 })
  }

  private sendFailed(topic: string, error: unknown): void {
    this.mirror.say(
      `Error when sending message to topic ${topic} with error: ${error instanceof Error ? error.message : String(error)}`,
    )
    if (this.mirror.abortOnSendFailure) this.mirror.state = 'failed'
  }

  private async flushAndCommit(): Promise<void> {
    await this.mirror.producer.flush()
    while (this.unanswered.size > 0) await Promise.all(this.unanswered)
    for (;;) {
      if (this.isFailed() || this.offsets.size === 0) break
      const offsets = [...this.offsets.values()]
      try {
        await this.consumer.commitSync(offsets)
        for (const { topic, partition, offset } of offsets) {
          if (this.offsets.get(partitionKey(topic, partition))?.offset === offset)
            this.offsets.delete(partitionKey(topic, partition))
        }
        break
      } catch (error) {
        if (error instanceof CommitFailedError) {
          this.mirror.say(
            'Failed to commit offsets because the consumer group has rebalanced and assigned partitions to another instance.',
          )
          this.offsets.clear()
          break
        }
        if (!(error instanceof TimeoutError || error instanceof RetriableCommitFailedError)) throw error
        await this.forgetDeletedTopics()
        this.mirror.say('Failed to commit offsets because the offset commit request processing can not be completed in time.')
        await this.mirror.pause(RETRY_MS)
      }
    }
    this.lastCommitMs = this.mirror.nowMs()
  }

  /** What was read of a topic that is gone can never be committed, and must not hold up the rest. */
  private async forgetDeletedTopics(): Promise<void> {
    try {
      const topics = new Set((await this.consumer.listTopics()).map(({ name }) => name))
      for (const [key, { topic }] of this.offsets) if (!topics.has(topic)) this.offsets.delete(key)
    } catch (error) {
      this.mirror.say(`Failed to list all topics: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}
