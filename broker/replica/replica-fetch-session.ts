import { ErrorCode } from '../../protocol/errors'
import type { Input } from '../../protocol/messages/codec'
import type { FetchPartition, FetchRequest, FetchResponse } from '../../protocol/messages/fetch'

/** What a follower wants of one partition. */
export interface FetchWish {
  topic: string
  topicId: string | undefined
  partition: number
  fetchOffset: number
  logStartOffset: number
  currentLeaderEpoch: number
  lastFetchedEpoch: number
  maxBytes: number
}

type RequestPart = Pick<FetchRequest, 'sessionId' | 'sessionEpoch'> & Pick<Input<FetchRequest>, 'topics' | 'forgottenTopicsData'>

const FIRST_VERSION_WITH_IDS = 13
const FIRST_VERSION_WITH_SESSIONS = 7

/** The follower's side of an incremental fetch session (KIP-227): says only what changed since the last request. */
export class ReplicaFetchSession {
  private sessionId = 0
  /** Of the next request; 0 begins a session, -1 goes without. */
  private epoch = 0
  private usesTopicIds = false
  private sent = new Map<string, FetchWish>()

  /** The highest version up to `version` that can name all the partitions. */
  versionFor(version: number, wishes: readonly FetchWish[]): number {
    const canUseIds = wishes.every((wish) => wish.topicId !== undefined)
    return canUseIds ? version : Math.min(version, FIRST_VERSION_WITH_IDS - 1)
  }

  /** The wishes as the part of a request in `version` (as `versionFor` gave it). */
  next(version: number, wishes: readonly FetchWish[]): RequestPart {
    const usesTopicIds = version >= FIRST_VERSION_WITH_IDS
    if (usesTopicIds !== this.usesTopicIds) this.reset()
    this.usesTopicIds = usesTopicIds
    if (version < FIRST_VERSION_WITH_SESSIONS) {
      return { sessionId: 0, sessionEpoch: -1, topics: grouped(wishes), forgottenTopicsData: [] }
    }
    const before = this.sent
    this.sent = new Map(wishes.map((wish) => [keyOf(wish, usesTopicIds), wish]))
    const isFull = this.epoch === 0
    const news = isFull ? wishes : wishes.filter((wish) => !isSame(before.get(keyOf(wish, usesTopicIds)), wish))
    const forgotten = isFull ? [] : [...before].filter(([key]) => !this.sent.has(key)).map(([, wish]) => wish)
    return {
      // A session that was given up is named once more with epoch 0: then the leader closes it.
      sessionId: this.sessionId,
      sessionEpoch: this.epoch,
      topics: grouped(news),
      forgottenTopicsData: forgotten.map(({ topic, topicId = '', partition }) => ({ topic, topicId, partitions: [partition] })),
    }
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
    this.sent = new Map()
  }
}

function keyOf(wish: FetchWish, usesTopicIds: boolean): string {
  return `${usesTopicIds ? wish.topicId : wish.topic}/${wish.partition}`
}

function isSame(a: FetchWish | undefined, b: FetchWish): boolean {
  return (
    a?.fetchOffset === b.fetchOffset &&
    a.logStartOffset === b.logStartOffset &&
    a.currentLeaderEpoch === b.currentLeaderEpoch &&
    a.lastFetchedEpoch === b.lastFetchedEpoch &&
    a.maxBytes === b.maxBytes
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
