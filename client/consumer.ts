import { ErrorCode, ProtocolError } from '../protocol/errors'
import { realEnvironment } from '../runtime/real'
import { ClosedError, Cluster, TimeoutError } from './cluster'
import { clientSettings } from './config'
import { WakeupError } from './consumer/errors'
import { Fetcher } from './consumer/fetcher'
import { ConsumerInterceptors } from './consumer/interceptors'
import { Positions } from './consumer/positions'
import { consumerSettings } from './consumer/settings'
import { Subscription, SubscriptionError } from './consumer/subscription'
import { TopicWatch } from './consumer/topic-watch'
import { ConsumerGroup } from './group/consumer-group'
import { partitionKey } from './leaders'
import { OffsetSpec, READ_COMMITTED, listOffsets } from './offsets'
import type { CommitCallback } from './group/commits'
import type { CommittedOffset, GroupMember, OffsetToCommit } from './group/committed'
import type { ConsumerConfig } from './config'
import type { ConsumerRecord } from './fetched'
import type { ConsumerSettings } from './consumer/settings'
import type { Environment } from '../runtime/ports'
import type { OffsetAndTimestamp } from './offsets'
import type { PartitionState } from './consumer/partition-state'
import type { RebalanceListener } from './consumer/subscription'
import type { TopicMetadata } from './cluster'
import type { TopicPartition } from './leaders'

export { NoOffsetError } from './consumer/errors'

const CLOSE_TIMEOUT_MS = 30_000

const NEEDS_GROUP =
  'To use the group management or offset commit APIs, you must provide a valid group.id in the consumer configuration.'

/**
 * Reads partitions: those that the program chooses (`assign`), or those that its group gives it (`subscribe`). One call at
 * a time: while `poll` is
 * under way only `wakeup` and `close` may be called.
 */
export class Consumer {
  private readonly env: Environment
  private readonly cluster: Cluster
  private readonly settings: ConsumerSettings
  private readonly subscribed = new Subscription()
  private readonly interceptors: ConsumerInterceptors
  private readonly watch: TopicWatch
  private readonly group: ConsumerGroup | undefined
  private readonly positions: Positions
  private readonly fetcher: Fetcher
  private failure: unknown
  private wake: (() => void) | undefined
  private woken = false
  private closing: Promise<void> | undefined
  private polling: Promise<unknown> = Promise.resolve()

  constructor(config: ConsumerConfig, env: Environment = realEnvironment()) {
    this.env = env
    this.settings = consumerSettings(config)
    const { createTopics, excludeInternalTopics, group, interceptors } = this.settings
    this.cluster = new Cluster(env, clientSettings(config, 'consumer'))
    this.interceptors = new ConsumerInterceptors(interceptors)
    const onNews = (failure?: unknown): void => {
      if (failure !== undefined && !(failure instanceof ClosedError)) this.failure ??= failure
      this.wake?.()
    }
    this.watch = new TopicWatch(
      this.cluster,
      this.subscribed,
      { create: createTopics, excludeInternal: excludeInternalTopics },
      onNews,
    )
    this.group =
      group === undefined
        ? undefined
        : new ConsumerGroup(this.cluster, this.settings, group, this.subscribed, this.watch, this.interceptors, onNews)
    const { commits } = this.group ?? {}
    const committed =
      commits && ((partitions: readonly TopicPartition[]) => commits.fetch(partitions, this.cluster.settings.apiTimeoutMs))
    this.positions = new Positions(this.cluster, this.settings, this.subscribed, committed, onNews)
    this.fetcher = new Fetcher(this.cluster, this.settings, this.subscribed, onNews)
  }

  /**
   * Joins the group for these topics, or for all whose name a pattern matches, now and later. Replaces an earlier
   * subscription. Takes effect in
   * `poll`, where the listener is called, too.
   */
  subscribe(topics: readonly string[] | RegExp, listener: RebalanceListener = {}): void {
    this.needGroup()
    if (!(topics instanceof RegExp) && topics.length === 0)
      throw new SubscriptionError('There is nothing to subscribe to; unsubscribe() ends a subscription')
    this.subscribed.subscribe(topics, listener)
  }

  /** Leaves the group, or drops the assignment. */
  async unsubscribe(): Promise<void> {
    try {
      await this.group?.leave('the consumer unsubscribed from all topics')
    } finally {
      this.subscribed.clear()
    }
  }

  /** The topics subscribed to; those that match the pattern by now. */
  subscription(): string[] {
    return [...this.subscribed.topics].sort()
  }

  /** Replaces the assignment; no group has a say in it. Partitions that stay keep their position. */
  assign(partitions: readonly TopicPartition[]): void {
    this.subscribed.assign(partitions)
  }

  assignment(): TopicPartition[] {
    return this.subscribed.assigned()
  }

  seek({ topic, partition }: TopicPartition, offset: number): void {
    if (!Number.isSafeInteger(offset) || offset < 0) throw new RangeError('seek offset must not be a negative number')
    this.subscribed.get(topic, partition).seek({ offset, leaderEpoch: -1 }, false)
  }

  seekToBeginning(partitions: readonly TopicPartition[] = this.assignment()): void {
    for (const each of partitions) this.subscribed.get(each.topic, each.partition).resetTo('earliest')
  }

  seekToEnd(partitions: readonly TopicPartition[] = this.assignment()): void {
    for (const each of partitions) this.subscribed.get(each.topic, each.partition).resetTo('latest')
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const each of partitions) this.subscribed.get(each.topic, each.partition).paused = true
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const each of partitions) this.subscribed.get(each.topic, each.partition).paused = false
  }

  paused(): TopicPartition[] {
    return this.subscribed
      .all()
      .filter((state) => state.paused)
      .map(({ topic, partition }) => ({ topic, partition }))
  }

  /** The offset of the next record that `poll` gives. */
  async position({ topic, partition }: TopicPartition): Promise<number> {
    const { clock } = this.env
    const deadline = clock.monoMs() + this.cluster.settings.apiTimeoutMs
    for (;;) {
      const { position } = this.subscribed.get(topic, partition)
      if (position !== undefined) return position.offset
      if (this.cluster.isClosed) throw new ClosedError('the consumer is closed')
      this.throwFailure()
      this.watch.start()
      this.positions.start(this.leaderOf)
      const leftMs = deadline - clock.monoMs()
      if (leftMs <= 0) throw new TimeoutError(`the position of ${partitionKey(topic, partition)} could not be determined in time`)
      await this.waitForNews(Math.min(leftMs, this.cluster.settings.retryBackoffMs))
    }
  }

  async beginningOffsets(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    return this.offsets(partitions, OffsetSpec.earliest)
  }

  /** High watermarks, or last stable offsets under read_committed. */
  async endOffsets(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    return this.offsets(partitions, OffsetSpec.latest)
  }

  /** Per partition the first record at or after `timestamp` (ms). Keyed `topic-partition`. */
  offsetsForTimes(wanted: readonly (TopicPartition & { timestamp: number })[]): Promise<Map<string, OffsetAndTimestamp>> {
    return listOffsets(this.cluster, wanted, this.settings.isolation)
  }

  async partitionsFor(topic: string): Promise<TopicMetadata> {
    return this.cluster.retrying(`finding the partitions of ${topic}`, async () => {
      const [found] = await this.cluster.metadata([topic])
      if (found === undefined || found.errorCode !== 0)
        throw new ProtocolError(found?.errorCode ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
      return found
    })
  }

  async listTopics(): Promise<TopicMetadata[]> {
    return this.cluster.retrying('listing topics', () => this.cluster.metadata(null))
  }

  /**
   * Up to `max.poll.records` records, as soon as there are any; none after `timeoutMs`. Rebalances and automatic commits
   * happen in here; what was
   * given out last time counts as consumed. Throws what is not worth a retry.
   */
  async poll(timeoutMs: number): Promise<ConsumerRecord[]> {
    if (this.closing !== undefined) throw new ClosedError('the consumer is closed')
    if (this.subscribed.kind === 'none')
      throw new SubscriptionError('Consumer is not subscribed to any topics or assigned any partitions')
    const polling = this.pollUntil(this.env.clock.monoMs() + timeoutMs)
    this.polling = polling.catch(() => {})
    return polling
  }

  private async pollUntil(deadline: number): Promise<ConsumerRecord[]> {
    const { clock } = this.env
    for (;;) {
      if (this.closing !== undefined) throw new ClosedError('the consumer is closed')
      if (this.woken) {
        this.woken = false
        throw new WakeupError('wakeup was called')
      }
      this.watch.start()
      // In steps: what ends this call is looked at between them.
      await this.group?.poll(Math.min(deadline, clock.monoMs() + this.cluster.settings.retryBackoffMs))
      const records = this.fetcher.take()
      if (records.length === 0) this.throwFailure()
      this.positions.start(this.leaderOf)
      this.fetcher.start(this.leaderOf)
      if (records.length > 0) return this.interceptors.onConsume(records)
      const leftMs = deadline - clock.monoMs()
      if (leftMs <= 0) return []
      await this.waitForNews(Math.min(leftMs, this.cluster.settings.retryBackoffMs))
    }
  }

  /**
   * Records for ever: `for await (const record of consumer)`. Ends when the consumer is closed. Whoever leaves the loop
   * has consumed
   * the records that it was given, and no others.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<ConsumerRecord, void, undefined> {
    let left: ConsumerRecord[] = []
    try {
      while (this.closing === undefined) {
        left = await this.poll(1000)
        this.subscribed.hold(left)
        while (left.length > 0 && this.closing === undefined) yield left.shift()!
      }
    } catch (error) {
      if (!(error instanceof ClosedError)) throw error
    } finally {
      this.giveBack()
    }
  }

  /**
   * Commits positions, by default of everything consumed, and waits for it. Throws CommitFailedError when the group has
   * gone on without.
   */
  async commitSync(offsets?: readonly OffsetToCommit[], options: { timeoutMs?: number } = {}): Promise<void> {
    const { commits } = this.needGroup()
    await commits.sync(
      offsets ?? this.subscribed.consumed(),
      this.env.clock.monoMs() + (options.timeoutMs ?? this.cluster.settings.apiTimeoutMs),
    )
  }

  /** The same without waiting, tried once. */
  commitAsync(offsets?: readonly OffsetToCommit[], callback?: CommitCallback): void {
    void this.needGroup().commits.async(offsets ?? this.subscribed.consumed(), callback)
  }

  /** What the group has committed, keyed `topic-partition`; a partition without an offset is missing. */
  async committed(
    partitions: readonly TopicPartition[],
    options: { timeoutMs?: number } = {},
  ): Promise<Map<string, CommittedOffset>> {
    return this.needGroup().commits.fetch(partitions, options.timeoutMs ?? this.cluster.settings.apiTimeoutMs)
  }

  /** The member that `poll` has given its partitions to last, for `Producer.sendOffsetsToTransaction`. */
  groupMetadata(): GroupMember {
    return this.needGroup().membership.assignedMember
  }

  /** The next `poll` joins anew, for a reason of the program's own. */
  enforceRebalance(reason = 'rebalance enforced by user'): void {
    this.needGroup().membership.requestRejoin(reason)
  }

  /** Makes the `poll` that is under way, or the next one, throw WakeupError. */
  wakeup(): void {
    this.woken = true
    this.wake?.()
  }

  /** Of the newest fetch; -1 before the first. */
  highWatermark({ topic, partition }: TopicPartition): number {
    return this.subscribed.get(topic, partition).highWatermark
  }

  /**
   * Records up to the end of the partition (to the last stable one under read_committed), as of the newest fetch;
   * undefined before that.
   */
  currentLag({ topic, partition }: TopicPartition): number | undefined {
    const { position, highWatermark, lastStableOffset } = this.subscribed.get(topic, partition)
    const end = this.settings.isolation === READ_COMMITTED ? lastStableOffset : highWatermark
    return position === undefined || end < 0 ? undefined : Math.max(end - position.offset, 0)
  }

  /** Commits if that is automatic, and leaves the group; a static member stays in it until its session ends. Never rejects. */
  close(options: { timeoutMs?: number } = {}): Promise<void> {
    this.closing ??= this.end(this.env.clock.monoMs() + (options.timeoutMs ?? CLOSE_TIMEOUT_MS))
    return this.closing
  }

  private async end(deadlineMs: number): Promise<void> {
    this.wake?.()
    if (this.group !== undefined) {
      this.group.hurry()
      await this.cluster.within(this.polling, deadlineMs)
      await this.group.commitBeforeEnd(deadlineMs)
      await this.cluster.within(
        this.group.leave('the consumer is being closed').catch(() => {}),
        deadlineMs,
      )
      this.group.membership.close()
    }
    this.interceptors.close()
    this.cluster.close()
    this.wake?.()
  }

  private needGroup(): ConsumerGroup {
    if (this.group === undefined) throw new ProtocolError(ErrorCode.INVALID_GROUP_ID, NEEDS_GROUP)
    return this.group
  }

  /** They were not consumed after all: the next poll gives them again, and no commit passes them. */
  private giveBack(): void {
    for (const [state, position] of this.subscribed.firstHeld()) state.seek(position, false)
    this.subscribed.hold([])
  }

  private readonly leaderOf = ({ topic, partition }: PartitionState): number | undefined => {
    const found = this.cluster.topic(topic)?.partitions.find((each) => each.partition === partition)
    if (found !== undefined && found.leader >= 0 && this.cluster.node(found.leader) !== undefined) return found.leader
    // The other partitions of the topic go on.
    this.cluster.forgetTopic(topic)
    return undefined
  }

  private async offsets(partitions: readonly TopicPartition[], timestamp: number): Promise<Map<string, number>> {
    const found = await listOffsets(
      this.cluster,
      partitions.map((each) => ({ ...each, timestamp })),
      this.settings.isolation,
    )
    return new Map([...found].map(([key, { offset }]) => [key, offset]))
  }

  private throwFailure(): void {
    if (this.failure === undefined) return
    const { failure } = this
    this.failure = undefined
    throw failure
  }

  private waitForNews(mostMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel()
        this.wake = undefined
        resolve()
      }
      const timer = this.env.clock.timer(mostMs, done)
      this.wake = done
    })
  }
}
