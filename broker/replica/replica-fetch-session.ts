import { ErrorCode } from '../../protocol/errors'
import type { Input } from '../../protocol/messages/codec'
import type { FetchPartition, FetchRequest, FetchResponse } from '../../protocol/messages/fetch'
import type { FetchState } from './fetcher-state'

/** What a follower wants of one partition, as the leader was told. */
interface FetchWish {
  topic: string
  topicId: string | undefined
  partition: number
  fetchOffset: number
  logStartOffset: number
  currentLeaderEpoch: number
  lastFetchedEpoch: number
  maxBytes: number
}

/** A partition that the leader knows of. */
interface Told {
  readonly state: FetchState
  readonly wish: FetchWish
  /** The last request that asked for it. */
  round: number
}

export interface WishLimits {
  /** Of one partition. */
  maxBytes: number
  /** Is the epoch of the last record to be named, so that the leader can say where the logs part (KIP-595)? */
  namesLastEpoch: boolean
}

type RequestPart = Pick<FetchRequest, 'sessionId' | 'sessionEpoch'> & Pick<Input<FetchRequest>, 'topics' | 'forgottenTopicsData'>

const FIRST_VERSION_WITH_IDS = 13
const FIRST_VERSION_WITH_SESSIONS = 7

/**
 * The follower's side of an incremental fetch session (KIP-227): says only what changed since the last request, and makes nothing for
 * a partition that did not change: a follower asks for all of its partitions after each record of any of them.
 */
export class ReplicaFetchSession {
  private sessionId = 0
  /** Of the next request; 0 begins a session, -1 goes without. */
  private epoch = 0
  private usesTopicIds = false
  private round = 0
  /** After a reset still what the last request asked, for its answer; until the next one. */
  private readonly told = new Map<FetchState, Told>()
  private readonly byName = new Map<string, Told>()

  /** The highest version up to `version` that can name all the partitions. */
  versionFor(version: number, states: readonly FetchState[]): number {
    const canUseIds = states.every(({ partition }) => partition.toldTopicId !== undefined)
    return canUseIds ? version : Math.min(version, FIRST_VERSION_WITH_IDS - 1)
  }

  /** Asks for these and no others: the part of a request in `version` (as `versionFor` gave it). Each has a log. */
  next(version: number, states: readonly FetchState[], limits: WishLimits): RequestPart {
    const usesTopicIds = version >= FIRST_VERSION_WITH_IDS
    const isSessionless = version < FIRST_VERSION_WITH_SESSIONS
    if (isSessionless || usesTopicIds !== this.usesTopicIds) this.reset()
    this.usesTopicIds = usesTopicIds
    if (this.epoch === 0) {
      this.told.clear()
      this.byName.clear()
    }
    this.round++
    const news: FetchWish[] = []
    for (const state of states) {
      const told = this.told.get(state)
      if (told !== undefined && isCurrent(told.wish, state, limits)) told.round = this.round
      else news.push(this.tell(state, limits))
    }
    if (isSessionless) return { sessionId: 0, sessionEpoch: -1, topics: grouped(news), forgottenTopicsData: [] }
    return {
      // A session that was given up is named once more with epoch 0: then the leader closes it.
      sessionId: this.sessionId,
      sessionEpoch: this.epoch,
      topics: grouped(news),
      forgottenTopicsData: this.told.size > states.length ? this.forget() : [],
    }
  }

  private tell(state: FetchState, limits: WishLimits): FetchWish {
    const { topic, toldTopicId: topicId, partition, log } = state.partition
    const wish = {
      topic, topicId, partition,
      fetchOffset: state.fetchOffset,
      logStartOffset: log!.startOffset,
      currentLeaderEpoch: state.leaderEpoch,
      lastFetchedEpoch: limits.namesLastEpoch ? state.lastFetchedEpoch : -1,
      maxBytes: limits.maxBytes,
    }
    const told = { state, wish, round: this.round }
    this.told.set(state, told)
    this.byName.set(this.keyOf(topic, topicId, partition), told)
    return wish
  }

  /** Takes out what the last request did not ask for. */
  private forget(): { topic: string; topicId: string; partitions: number[] }[] {
    const forgotten: { topic: string; topicId: string; partitions: number[] }[] = []
    for (const told of this.told.values()) {
      if (told.round === this.round) continue
      const { topic, topicId, partition } = told.wish
      this.told.delete(told.state)
      const key = this.keyOf(topic, topicId, partition)
      // Added again in another epoch, it is told anew under the same name.
      if (this.byName.get(key) !== told) continue
      this.byName.delete(key)
      forgotten.push({ topic, topicId: topicId ?? '', partitions: [partition] })
    }
    return forgotten
  }

  /** What the last request asked of a partition that the answer names. */
  asked(topic: string, topicId: string, partition: number): { state: FetchState; fetchOffset: number } | undefined {
    const told = this.byName.get(this.keyOf(topic, topicId, partition))
    return told?.round === this.round ? { state: told.state, fetchOffset: told.wish.fetchOffset } : undefined
  }

  private keyOf(topic: string, topicId: string | undefined, partition: number): string {
    return `${this.usesTopicIds ? topicId : topic}/${partition}`
  }

  /** Takes the answer; false if the session failed and the answer holds nothing. */
  take(version: number, response: FetchResponse): boolean {
    if (response.errorCode !== ErrorCode.NONE) {
      if (response.errorCode === ErrorCode.FETCH_SESSION_ID_NOT_FOUND) this.sessionId = 0
      this.reset()
      return false
    }
    if (version < FIRST_VERSION_WITH_SESSIONS) return true
    if (response.sessionId === 0) {
      this.sessionId = 0
      this.epoch = 0
    } else if (this.epoch === 0) {
      this.sessionId = response.sessionId
      this.epoch = 1
    } else {
      this.epoch = this.epoch === 0x7fffffff ? 1 : this.epoch + 1
    }
    return true
  }

  /** The next request begins a new session, and closes the old one: the outcome of the last request is not known. */
  reset(): void {
    this.epoch = 0
  }
}

function isCurrent(wish: FetchWish, state: FetchState, { maxBytes, namesLastEpoch }: WishLimits): boolean {
  return (
    wish.fetchOffset === state.fetchOffset &&
    wish.logStartOffset === state.partition.log!.startOffset &&
    wish.currentLeaderEpoch === state.leaderEpoch &&
    wish.lastFetchedEpoch === (namesLastEpoch ? state.lastFetchedEpoch : -1) &&
    wish.maxBytes === maxBytes &&
    wish.topicId === state.partition.toldTopicId
  )
}

function grouped(wishes: readonly FetchWish[]): NonNullable<Input<FetchRequest>['topics']> {
  const topics = new Map<string, { topic: string; topicId?: string; partitions: Input<FetchPartition>[] }>()
  for (const wish of wishes) {
    let topic = topics.get(wish.topic)
    if (topic === undefined) {
      topic = { topic: wish.topic, ...(wish.topicId !== undefined && { topicId: wish.topicId }), partitions: [] }
      topics.set(wish.topic, topic)
    }
    topic.partitions.push({
      partition: wish.partition,
      currentLeaderEpoch: wish.currentLeaderEpoch,
      fetchOffset: wish.fetchOffset,
      lastFetchedEpoch: wish.lastFetchedEpoch,
      logStartOffset: wish.logStartOffset,
      partitionMaxBytes: wish.maxBytes,
    })
  }
  return [...topics.values()]
}
