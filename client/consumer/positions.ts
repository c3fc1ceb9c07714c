import { ApiKey } from '../../protocol/messages/apis'
import { ErrorCode, ProtocolError, isRetriable, isStaleMetadata } from '../../protocol/errors'
import { TimeoutError, mayRetry } from '../cluster'
import { byTopic, partitionKey } from '../leaders'
import { OffsetSpec, offsetsFrom } from '../offsets'
import { NoOffsetError } from './errors'
import type { Cluster } from '../cluster'
import type { CommittedOffset } from '../group/committed'
import type { ConsumerSettings } from './settings'
import type { OffsetForLeaderEpochResponse } from '../../protocol/messages/offset-for-leader-epoch'
import type { PartitionState } from './partition-state'
import type { Subscription } from './subscription'
import type { TopicPartition } from '../leaders'

/** Reliable answers of OffsetForLeaderEpoch begin here (KIP-320). */
const FIRST_FOR_CONSUMERS = 3

export type FetchCommitted = (partitions: readonly TopicPartition[]) => Promise<Map<string, CommittedOffset>>

/** Brings partitions to a position that holds: the group's, or by `auto.offset.reset`; checked when the leader changed. */
export class Positions {
  private readonly cluster: Cluster
  private readonly settings: ConsumerSettings
  private readonly subscription: Subscription
  private readonly committed: FetchCommitted | undefined
  private readonly onNews: (failure?: unknown) => void

  /** `committed` asks the group; undefined without one. Errors that the program must hear of go to `onNews`. */
  constructor(
    cluster: Cluster,
    settings: ConsumerSettings,
    subscription: Subscription,
    committed: FetchCommitted | undefined,
    onNews: (failure?: unknown) => void,
  ) {
    this.cluster = cluster
    this.settings = settings
    this.subscription = subscription
    this.committed = committed
    this.onNews = onNews
  }

  /** Takes the next step of each partition that needs one; `leaderOf` gives undefined while no leader is known. */
  start(leaderOf: (state: PartitionState) => number | undefined): void {
    const nowMs = this.cluster.env.clock.monoMs()
    const initial: PartitionState[] = []
    const questions = new Map<number, { reset: PartitionState[]; validate: PartitionState[] }>()
    for (const state of this.subscription.all()) {
      if (state.busy || state.isLeaving || state.retryAtMs > nowMs) continue
      if (state.state === 'initializing') initial.push(state)
      if (state.state === 'fetching') this.checkLeader(state)
      if (state.state === 'validating' && this.isBehind(state, nowMs)) {
        this.cluster.forgetTopic(state.topic)
        this.later(state)
        continue
      }
      if (state.state !== 'resetting' && state.state !== 'validating') continue
      const leader = leaderOf(state)
      if (leader === undefined) continue
      const entry = questions.get(leader) ?? { reset: [], validate: [] }
      entry[state.state === 'resetting' ? 'reset' : 'validate'].push(state)
      questions.set(leader, entry)
    }
    if (initial.length > 0) void this.run(initial, () => this.initialize(initial))
    for (const [leader, { reset, validate }] of questions) {
      if (reset.length > 0) void this.run(reset, () => this.reset(leader, reset))
      if (validate.length > 0) void this.run(validate, () => this.validate(leader, validate))
    }
  }

  /** Under another leader than the position was found to hold by: its log may end before. */
  private checkLeader(state: PartitionState): void {
    const epoch = this.cluster.leaderEpoch(state.topic, state.partition)
    if (epoch < 0 || epoch === state.validatedEpoch) return
    const known = state.fetchPosition.leaderEpoch
    // What is buffered was read under the former leader, and is handed out first.
    if (known >= 0 && epoch !== known && state.buffered.length === 0) state.state = 'validating'
    else if (known < 0 || epoch === known) state.validatedEpoch = epoch
  }

  /**
   * The metadata is older than what was read or committed: the leader in it was deposed, and its log may end too early
   * (KIP-320). For as long as `default.api.timeout.ms` newer metadata is waited for; after that the topic must be another one of
   * the same name.
   */
  private isBehind(state: PartitionState, nowMs: number): boolean {
    const epoch = this.cluster.leaderEpoch(state.topic, state.partition)
    if (epoch < 0 || epoch >= state.fetchPosition.leaderEpoch) {
      state.behindSinceMs = undefined
      return false
    }
    state.behindSinceMs ??= nowMs
    return nowMs - state.behindSinceMs < this.cluster.settings.apiTimeoutMs
  }

  private async run(states: readonly PartitionState[], ask: () => Promise<void>): Promise<void> {
    for (const state of states) state.busy = true
    let failure: unknown
    try {
      await ask()
    } catch (error) {
      for (const state of states) this.later(state)
      // A coordinator that is away, or a transaction that is open, is waited for: poll gives nothing meanwhile, as Kafka's.
      const isLate = error instanceof TimeoutError && mayRetry(error.cause)
      if (isLate || mayRetry(error)) for (const { topic } of states) this.cluster.forgetTopic(topic)
      else failure = error
    }
    for (const state of states) state.busy = false
    this.onNews(failure)
  }

  private later(state: PartitionState): void {
    state.retryAtMs = this.cluster.env.clock.monoMs() + this.cluster.settings.retryBackoffMs
  }

  private async initialize(states: readonly PartitionState[]): Promise<void> {
    const seeks = new Map(states.map((state) => [state, state.seeks]))
    const committed = this.committed === undefined ? new Map<string, CommittedOffset>() : await this.committed(states)
    const without: string[] = []
    for (const state of states) {
      if (!this.subscription.isCurrent(state, seeks.get(state)!)) continue
      const key = partitionKey(state.topic, state.partition)
      const found = committed.get(key)
      if (found !== undefined) state.seek({ offset: found.offset, leaderEpoch: found.leaderEpoch }, true)
      else if (this.settings.autoReset === 'none') {
        without.push(key)
        this.later(state)
      } else state.resetTo(this.settings.autoReset)
    }
    if (without.length > 0)
      throw new NoOffsetError(`Undefined offset with no reset policy for partitions: [${without.join(', ')}]`)
  }

  private async reset(leader: number, states: readonly PartitionState[]): Promise<void> {
    const seeks = new Map(states.map((state) => [state, state.seeks]))
    const wanted = states.map((state) => ({
      topic: state.topic,
      partition: state.partition,
      timestamp: OffsetSpec[state.reset ?? 'latest'],
    }))
    const answers = await offsetsFrom(this.cluster, leader, wanted, this.settings.isolation)
    states.forEach((state, index) => {
      if (!this.subscription.isCurrent(state, seeks.get(state)!)) return
      const answer = answers[index]!
      if (answer instanceof ProtocolError) this.refused(state, answer.code)
      else state.seek({ offset: answer.offset, leaderEpoch: answer.leaderEpoch }, false)
    })
  }

  private async validate(leader: number, states: readonly PartitionState[]): Promise<void> {
    const seeks = new Map(states.map((state) => [state, state.seeks]))
    const epochs = new Map(states.map((state) => [state, this.cluster.leaderEpoch(state.topic, state.partition)]))
    if ((await this.cluster.versionOf(leader, ApiKey.offsetForLeaderEpoch)) < FIRST_FOR_CONSUMERS) {
      for (const state of states)
        if (this.subscription.isCurrent(state, seeks.get(state)!) && state.state === 'validating') this.holds(state, epochs.get(state)!)
      return
    }
    const response = await this.cluster.send<OffsetForLeaderEpochResponse>(leader, ApiKey.offsetForLeaderEpoch, {
      replicaId: -1,
      topics: byTopic(states).map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map((state) => ({
          partition: state.partition,
          currentLeaderEpoch: epochs.get(state)!,
          leaderEpoch: state.fetchPosition.leaderEpoch,
        })),
      })),
    })
    const answers = new Map(
      response.topics.flatMap(({ topic, partitions }) =>
        partitions.map((each) => [partitionKey(topic, each.partition), each] as const),
      ),
    )
    for (const state of states) {
      if (!this.subscription.isCurrent(state, seeks.get(state)!) || state.state !== 'validating') continue
      const answer = answers.get(partitionKey(state.topic, state.partition))
      const code = answer?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
      if (code !== 0) this.refused(state, code)
      else this.compare(state, answer!, epochs.get(state)!)
    }
  }

  /** The log of the leader ends earlier than where this consumer stands: what it read last is gone. */
  private compare(state: PartitionState, end: { leaderEpoch: number; endOffset: number }, epoch: number): void {
    const { offset } = state.fetchPosition
    const { autoReset } = this.settings
    const unknown = end.endOffset < 0 || end.leaderEpoch < 0
    if (!unknown && end.endOffset >= offset) return this.holds(state, epoch)
    if (autoReset === 'none') {
      this.later(state)
      const where = partitionKey(state.topic, state.partition)
      throw new NoOffsetError(
        `Truncated partition ${where}: detected at offset ${offset}, ` +
          `the log diverges at ${unknown ? 'an unknown offset' : end.endOffset}`,
      )
    }
    if (unknown) state.resetTo(autoReset)
    else state.seek({ offset: end.endOffset, leaderEpoch: end.leaderEpoch }, false)
  }

  private holds(state: PartitionState, epoch: number): void {
    state.validatedEpoch = epoch
    state.state = 'fetching'
  }

  private refused(state: PartitionState, code: number): void {
    this.later(state)
    if (isStaleMetadata(code) || code === ErrorCode.UNKNOWN_LEADER_EPOCH) this.cluster.forgetTopic(state.topic)
    else if (!isRetriable(code)) this.onNews(new ProtocolError(code))
  }
}
