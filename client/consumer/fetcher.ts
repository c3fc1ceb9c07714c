import { ApiKey } from '../../protocol/messages/apis'
import { ErrorCode, ProtocolError, isRetriable, isStaleMetadata } from '../../protocol/errors'
import { mayRetry } from '../cluster'
import { readFetched } from '../fetched'
import { partitionKey } from '../leaders'
import { READ_COMMITTED } from '../offsets'
import { NoOffsetError } from './errors'
import { FetchSession } from './fetch-session'
import type { Cluster } from '../cluster'
import type { ConsumerRecord } from '../fetched'
import type { ConsumerSettings } from './settings'
import type { FetchResponse } from '../../protocol/messages/fetch'
import type { PartitionState } from './partition-state'
import type { Subscription } from './subscription'

const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

/** The last version of Fetch that names topics instead of giving their ids (KIP-516). */
const LAST_FETCH_BY_NAME = 12

type PartitionAnswer = FetchResponse['responses'][number]['partitions'][number]

/**
 * Reads ahead: one fetch per broker at a time, for the partitions whose buffer is empty. What arrives waits in the partition's
 * state until the program takes it.
 */
export class Fetcher {
  private readonly cluster: Cluster
  private readonly settings: ConsumerSettings
  private readonly subscription: Subscription
  private readonly sessions = new Map<number, FetchSession>()
  private readonly busyNodes = new Set<number>()
  private readonly onNews: (failure?: unknown) => void

  /** `onNews` is called after each answer, with an error that the program must hear of, if there is one. */
  constructor(cluster: Cluster, settings: ConsumerSettings, subscription: Subscription, onNews: (failure?: unknown) => void) {
    this.cluster = cluster
    this.settings = settings
    this.subscription = subscription
    this.onNews = onNews
  }

  /** Up to `max.poll.records` records that wait. */
  take(): ConsumerRecord[] {
    const taken: ConsumerRecord[] = []
    for (const state of this.subscription.inTurn()) {
      if (state.paused || state.isLeaving || state.state !== 'fetching' || state.buffered.length === 0) continue
      for (const record of state.take(this.settings.maxPollRecords - taken.length)) taken.push(record)
      if (taken.length >= this.settings.maxPollRecords) break
    }
    return taken
  }

  /** Sends what can be sent. `leaderOf` gives undefined while no leader is known. */
  start(leaderOf: (state: PartitionState) => number | undefined): void {
    const nowMs = this.cluster.env.clock.monoMs()
    const byNode = new Map<number, PartitionState[]>()
    for (const state of this.subscription.inTurn()) {
      const idle = !state.busy && !state.paused && !state.isLeaving && state.buffered.length === 0 && state.retryAtMs <= nowMs
      if (!idle || state.state !== 'fetching') continue
      const leader = leaderOf(state)
      if (leader === undefined || this.busyNodes.has(leader)) continue
      const list = byNode.get(leader)
      if (list === undefined) byNode.set(leader, [state])
      else list.push(state)
    }
    for (const [leader, states] of byNode) void this.fetch(leader, states)
  }

  private async fetch(leader: number, states: readonly PartitionState[]): Promise<void> {
    this.busyNodes.add(leader)
    for (const state of states) state.busy = true
    let failure: unknown
    try {
      await this.exchange(leader, states)
    } catch (error) {
      for (const state of states) {
        this.cluster.forgetTopic(state.topic)
        state.retryAtMs = this.cluster.env.clock.monoMs() + this.cluster.settings.retryBackoffMs
      }
      if (!mayRetry(error)) failure = error
    }
    this.busyNodes.delete(leader)
    for (const state of states) state.busy = false
    this.onNews(failure)
  }

  private async exchange(leader: number, states: readonly PartitionState[]): Promise<void> {
    const ids = new Map(states.map(({ topic }) => [topic, this.cluster.topic(topic)?.topicId ?? ZERO_UUID]))
    const highest = await this.cluster.versionOf(leader, ApiKey.fetch)
    const byId = highest > LAST_FETCH_BY_NAME && ![...ids.values()].includes(ZERO_UUID)
    const seeks = new Map(states.map((state) => [state, state.seeks]))
    const session = this.session(leader)
    const { maxWaitMs, minBytes, maxBytes, isolation } = this.settings
    let response: FetchResponse
    try {
      response = await this.cluster.send<FetchResponse>(
        leader,
        ApiKey.fetch,
        {
          maxWaitMs,
          minBytes,
          maxBytes,
          isolationLevel: isolation,
          ...session.request(
            states.map((state) => ({
              topic: state.topic,
              topicId: ids.get(state.topic)!,
              partition: state.partition,
              currentLeaderEpoch: this.cluster.leaderEpoch(state.topic, state.partition),
              fetchOffset: state.fetchPosition.offset,
              partitionMaxBytes: this.settings.maxPartitionBytes,
            })),
            byId,
          ),
        },
        {
          version: byId ? highest : Math.min(highest, LAST_FETCH_BY_NAME),
          timeoutMs: this.cluster.settings.requestTimeoutMs + maxWaitMs,
        },
      )
    } catch (error) {
      session.failed()
      throw error
    }
    if (!session.answered(response)) {
      // The session is begun anew at once; anything else waits.
      if (isSessionError(response.errorCode)) return
      throw new ProtocolError(response.errorCode)
    }
    const names = new Map([...ids].map(([name, id]) => [id, name]))
    for (const topic of response.responses) {
      const name = byId ? names.get(topic.topicId) : topic.topic
      for (const answer of topic.partitions) {
        const state = name === undefined ? undefined : this.subscription.find(name, answer.partitionIndex)
        if (state === undefined || seeks.get(state) !== state.seeks) continue
        this.takeIn(state, answer)
      }
    }
  }

  private session(leader: number): FetchSession {
    let session = this.sessions.get(leader)
    if (session === undefined) this.sessions.set(leader, (session = new FetchSession()))
    return session
  }

  private takeIn(state: PartitionState, answer: PartitionAnswer): void {
    if (answer.errorCode !== 0) return this.refused(state, answer.errorCode)
    state.highWatermark = answer.highWatermark
    state.lastStableOffset = answer.lastStableOffset
    state.logStartOffset = answer.logStartOffset
    const bytes = answer.records
    if (bytes === null || bytes.length === 0) return
    const aborted = [...(answer.abortedTransactions ?? [])].sort((a, b) => a.firstOffset - b.firstOffset)
    try {
      const { records, nextPosition, leaderEpoch } = readFetched({
        topic: state.topic,
        partition: state.partition,
        position: state.fetchPosition.offset,
        bytes,
        checkCrcs: this.settings.checkCrcs,
        aborted: this.settings.isolation === READ_COMMITTED ? aborted : undefined,
      })
      state.buffered = records
      state.fetchPosition = { offset: nextPosition, leaderEpoch: leaderEpoch ?? state.fetchPosition.leaderEpoch }
      if (records.length === 0) state.position = state.fetchPosition
    } catch (error) {
      // The program may seek past it.
      state.retryAtMs = this.cluster.env.clock.monoMs() + this.cluster.settings.retryBackoffMs
      this.onNews(error)
    }
  }

  private refused(state: PartitionState, code: number): void {
    const { autoReset } = this.settings
    state.retryAtMs = this.cluster.env.clock.monoMs() + this.cluster.settings.retryBackoffMs
    const isDeposed = this.cluster.leaderEpoch(state.topic, state.partition) < state.fetchPosition.leaderEpoch
    if (code === ErrorCode.OFFSET_OUT_OF_RANGE && !isDeposed) {
      if (autoReset !== 'none') return state.resetTo(autoReset)
      const where = partitionKey(state.topic, state.partition)
      this.onNews(
        new NoOffsetError(
          `Fetch position ${state.fetchPosition.offset} is out of range for partition ${where}, ` +
            'and no reset policy is configured',
        ),
      )
      return
    }
    if (isDeposed || isStaleMetadata(code) || code === ErrorCode.UNKNOWN_LEADER_EPOCH) this.cluster.forgetTopic(state.topic)
    else if (code === ErrorCode.CORRUPT_MESSAGE || (!isRetriable(code) && code !== ErrorCode.UNKNOWN_SERVER_ERROR))
      this.onNews(new ProtocolError(code, reasonOf(code, state)))
  }
}

/** Kafka's words, where they are not the code's own. */
function reasonOf(code: number, { topic, partition, fetchPosition }: PartitionState): string | undefined {
  if (code === ErrorCode.TOPIC_AUTHORIZATION_FAILED) return `Not authorized to access topics: [${topic}]`
  if (code !== ErrorCode.CORRUPT_MESSAGE) return undefined
  const where = partitionKey(topic, partition)
  return `Encountered corrupt message when fetching offset ${fetchPosition.offset} for topic-partition ${where}`
}

function isSessionError(code: number): boolean {
  return (
    code === ErrorCode.FETCH_SESSION_ID_NOT_FOUND ||
    code === ErrorCode.INVALID_FETCH_SESSION_EPOCH ||
    code === ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR
  )
}
