import { ErrorCode } from '../../protocol/errors'
import { byTopic, partitionKey } from '../leaders'
import type { TopicPartition } from '../leaders'

export interface WantedPartition extends TopicPartition {
  topicId: string
  currentLeaderEpoch: number
  fetchOffset: number
  partitionMaxBytes: number
}

interface FetchBody {
  sessionId: number
  sessionEpoch: number
  topics: { topic: string; topicId: string; partitions: object[] }[]
  forgottenTopicsData: { topic: string; topicId: string; partitions: number[] }[]
}

const INITIAL_EPOCH = 0
const NO_SESSION = 0
const MOST_EPOCH = 0x7fffffff

/** What one broker remembers of this consumer's fetches: only what differs from the fetch before is sent (KIP-227). */
export class FetchSession {
  private id = NO_SESSION
  private epoch = INITIAL_EPOCH
  private known = new Map<string, WantedPartition>()
  private next = new Map<string, WantedPartition>()

  /** The part of the request that names partitions. `byId`: the version names topics by their id (KIP-516). */
  request(wanted: readonly WantedPartition[], byId: boolean): FetchBody {
    this.next = new Map(wanted.map((each) => [partitionKey(each.topic, each.partition), each]))
    const isFull = this.epoch === INITIAL_EPOCH
    const changed = isFull
      ? wanted
      : wanted.filter((each) => !isSame(this.known.get(partitionKey(each.topic, each.partition)), each))
    const gone: WantedPartition[] = []
    if (!isFull) {
      for (const [key, each] of this.known) {
        const now = this.next.get(key)
        // A topic that was deleted and made again is another one.
        if (now === undefined || (byId && now.topicId !== each.topicId)) gone.push(each)
      }
    }
    return {
      sessionId: this.id,
      sessionEpoch: this.epoch,
      topics: byTopic(changed).map(({ topic, partitions }) => ({
        topic,
        topicId: partitions[0]!.topicId,
        partitions: partitions.map(({ partition, currentLeaderEpoch, fetchOffset, partitionMaxBytes }) => ({
          partition,
          currentLeaderEpoch,
          fetchOffset,
          partitionMaxBytes,
        })),
      })),
      forgottenTopicsData: byTopic(gone).map(({ topic, partitions }) => ({
        topic,
        topicId: partitions[0]!.topicId,
        partitions: partitions.map(({ partition }) => partition),
      })),
    }
  }

  /** True if the answer can be used. */
  answered(response: { errorCode: number; sessionId: number }): boolean {
    const { errorCode, sessionId } = response
    if (errorCode !== 0) {
      // The broker forgot it, or lost count: begin anew; with the old id, so that what is left of it goes.
      if (errorCode === ErrorCode.FETCH_SESSION_ID_NOT_FOUND || errorCode === ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR)
        this.id = NO_SESSION
      this.epoch = INITIAL_EPOCH
      return false
    }
    if (sessionId === NO_SESSION) {
      // It has no room for sessions.
      this.id = NO_SESSION
      this.epoch = INITIAL_EPOCH
      return true
    }
    this.id = sessionId
    this.epoch = this.epoch >= MOST_EPOCH ? 1 : this.epoch + 1
    this.known = this.next
    return true
  }

  /** No answer: what the broker knows is not known. */
  failed(): void {
    this.epoch = INITIAL_EPOCH
  }
}

function isSame(known: WantedPartition | undefined, wanted: WantedPartition): boolean {
  return (
    known !== undefined &&
    known.fetchOffset === wanted.fetchOffset &&
    known.currentLeaderEpoch === wanted.currentLeaderEpoch &&
    known.partitionMaxBytes === wanted.partitionMaxBytes &&
    known.topicId === wanted.topicId
  )
}
