import { ErrorCode } from '../../protocol/errors'
import type { FetchRequest, FetchTopic } from '../../protocol/messages/fetch'
import type { Clock, Random } from '../../runtime/ports'
import { NOTHING_NEW, type FetchPartition, type FetchPartitionResult } from './requests'

const NO_SESSION = 0
const INITIAL_EPOCH = 0
const FINAL_EPOCH = -1
/** The version from which partitions are named by topic id. */
const FIRST_VERSION_WITH_IDS = 13
/** An idle session may be replaced after this time; a young one is not replaced for a larger one. */
const EVICTION_MS = 120_000
/** Partitions that all sessions together may hold: what a session costs is the client's to choose, so their sum is bounded. */
const MAX_CACHED_PARTITIONS = 1_000_000
const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

/** How the partitions of a fetch were named, and by what they are known. */
export interface TopicNames {
  topicName(topicId: string): string | undefined
  topicId(name: string): string | undefined
}

interface CachedPartition {
  request: FetchPartition
  highWatermark: number
  logStartOffset: number
}

interface Session {
  readonly id: number
  readonly isPrivileged: boolean
  readonly usesTopicIds: boolean
  readonly createdMs: number
  lastUsedMs: number
  /** What the next request must carry. */
  epoch: number
  /** In the order in which they are read: who got data goes to the end. */
  readonly partitions: Map<string, CachedPartition>
}

/** One fetch request, seen through its session. */
export interface FetchContext {
  /** Of the whole answer, which is then empty. */
  readonly errorCode: number
  /** What to read, in order. A topic id that is not known leaves the topic name '': UNKNOWN_TOPIC_ID for that partition. */
  readonly partitions: readonly FetchPartition[]
  /** Takes the results in the order of `partitions`; returns those to send. Call it once. */
  finish(results: readonly FetchPartitionResult[]): { errorCode: number; sessionId: number; results: FetchPartitionResult[] }
  /** Instead of `finish`: nothing is sent, and the client is told nothing. */
  skip(): { errorCode: number; sessionId: number }
}

/**
 * Incremental fetch sessions (KIP-227): a client names its partitions once, then only what changes, and is told only what
 * changed. The number of sessions is bounded; a session that has been idle for two minutes makes room, or an old one for a
 * larger one or a follower's.
 */
export class FetchSessionCache {
  private readonly clock: Clock
  private readonly random: Random
  private readonly maxSlots: number
  /** Least recently used first. */
  private readonly sessions = new Map<number, Session>()
  private cachedPartitions = 0
  evictions = 0

  constructor(options: { clock: Clock; random: Random; maxSlots: number }) {
    this.clock = options.clock
    this.random = options.random
    this.maxSlots = options.maxSlots
  }

  get size(): number {
    return this.sessions.size
  }

  get partitionCount(): number {
    return this.cachedPartitions
  }

  /** Kafka's FetchManager.newContext. */
  begin(request: FetchRequest, version: number, names: TopicNames): FetchContext {
    const usesTopicIds = version >= FIRST_VERSION_WITH_IDS
    const isFull = request.sessionEpoch === INITIAL_EPOCH || request.sessionEpoch === FINAL_EPOCH
    const requested = partitionsOf(request.topics, usesTopicIds, names)
    if (isFull) {
      this.remove(request.sessionId)
      return request.sessionEpoch === FINAL_EPOCH
        ? sessionless(requested)
        : this.fullContext(requested, usesTopicIds, Math.max(request.replicaId, request.replicaState.replicaId) >= 0)
    }
    const session = this.sessions.get(request.sessionId)
    if (session === undefined) return refused(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    if (session.epoch !== request.sessionEpoch) return refused(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
    if (session.usesTopicIds !== usesTopicIds) return refused(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR)
    this.updateSession(session, requested, request)
    if (session.partitions.size === 0) {
      this.remove(session.id)
      return sessionless(requested)
    }
    if (this.cachedPartitions > MAX_CACHED_PARTITIONS) {
      this.remove(session.id)
      return refused(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    }
    session.epoch = nextEpoch(session.epoch)
    this.touch(session)
    return this.incrementalContext(session, names)
  }

  private fullContext(requested: readonly FetchPartition[], usesTopicIds: boolean, isPrivileged: boolean): FetchContext {
    return {
      errorCode: ErrorCode.NONE,
      partitions: requested,
      finish: (results) => {
        const session = this.create(requested.length, usesTopicIds, isPrivileged)
        if (session !== undefined) {
          requested.forEach((request, i) => this.put(session, request, results[i]!))
        }
        return { errorCode: ErrorCode.NONE, sessionId: session?.id ?? NO_SESSION, results: [...results] }
      },
      skip: () => ({ errorCode: ErrorCode.NONE, sessionId: NO_SESSION }),
    }
  }

  private incrementalContext(session: Session, names: TopicNames): FetchContext {
    const expectedEpoch = session.epoch
    const cached = [...session.partitions.values()]
    for (const each of cached) {
      resolveNames(each.request, session.usesTopicIds, names)
      each.request.told = each
    }
    return {
      errorCode: ErrorCode.NONE,
      partitions: cached.map((each) => each.request),
      finish: (results) => {
        // Another request of the session overtook this one while it waited.
        if (session.epoch !== expectedEpoch) {
          for (const result of results) result.release()
          return { errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH, sessionId: session.id, results: [] }
        }
        const changed: FetchPartitionResult[] = []
        results.forEach((result, i) => {
          if (result === NOTHING_NEW) return
          const partition = cached[i]!
          if (!noteResult(partition, result)) {
            result.release()
            return
          }
          changed.push(result)
          const key = keyOf(partition.request, session.usesTopicIds)
          // Who was served goes to the end, so that nobody starves behind it.
          if (result.records.length > 0 && session.partitions.delete(key)) session.partitions.set(key, partition)
        })
        return { errorCode: ErrorCode.NONE, sessionId: session.id, results: changed }
      },
      skip: () => {
        const errorCode = session.epoch === expectedEpoch ? ErrorCode.NONE : ErrorCode.INVALID_FETCH_SESSION_EPOCH
        return { errorCode, sessionId: session.id }
      },
    }
  }

  private updateSession(session: Session, requested: readonly FetchPartition[], request: FetchRequest): void {
    const before = session.partitions.size
    for (const partition of requested) {
      const key = keyOf(partition, session.usesTopicIds)
      const cached = session.partitions.get(key)
      // In another epoch the follower may have dropped what it was told: it is told again.
      const isNew = cached === undefined || cached.request.currentLeaderEpoch !== partition.currentLeaderEpoch
      if (isNew) session.partitions.set(key, { request: partition, highWatermark: -1, logStartOffset: -1 })
      else cached.request = partition
    }
    for (const { topic, topicId, partitions } of request.forgottenTopicsData) {
      for (const partition of partitions) session.partitions.delete(keyOf({ topic, topicId, partition }, session.usesTopicIds))
    }
    this.cachedPartitions += session.partitions.size - before
  }

  private put(session: Session, request: FetchPartition, result: FetchPartitionResult): void {
    const key = keyOf(request, session.usesTopicIds)
    const isNew = !session.partitions.has(key)
    const cached = { request, highWatermark: -1, logStartOffset: -1 }
    noteResult(cached, result)
    session.partitions.set(key, cached)
    if (isNew) this.cachedPartitions++
  }

  private create(size: number, usesTopicIds: boolean, isPrivileged: boolean): Session | undefined {
    if (size === 0 || this.cachedPartitions + size > MAX_CACHED_PARTITIONS) return undefined
    const nowMs = this.clock.monoMs()
    if (this.sessions.size >= this.maxSlots && !this.evict(size, isPrivileged, nowMs)) return undefined
    const session: Session = {
      id: this.newId(),
      isPrivileged,
      usesTopicIds,
      createdMs: nowMs,
      lastUsedMs: nowMs,
      epoch: nextEpoch(INITIAL_EPOCH),
      partitions: new Map(),
    }
    this.sessions.set(session.id, session)
    return session
  }

  private newId(): number {
    for (;;) {
      const id = 1 + this.random.below(0x7fffffff)
      if (!this.sessions.has(id)) return id
    }
  }

  /** Makes room for a session of `size` partitions, if one may go for it. */
  private evict(size: number, isPrivileged: boolean, nowMs: number): boolean {
    const oldest: Session | undefined = this.sessions.values().next().value
    if (oldest === undefined) return false
    if (nowMs - oldest.lastUsedMs > EVICTION_MS) return this.evictSession(oldest)
    let candidate: Session | undefined
    for (const session of this.sessions.values()) {
      if (nowMs - session.createdMs <= EVICTION_MS || (session.isPrivileged && !isPrivileged)) continue
      if (candidate === undefined || worthMore(candidate.isPrivileged, candidate.partitions.size, session)) candidate = session
    }
    return candidate !== undefined && worthMore(isPrivileged, size, candidate) && this.evictSession(candidate)
  }

  private evictSession(session: Session): true {
    this.remove(session.id)
    this.evictions++
    return true
  }

  private remove(id: number): void {
    const session = this.sessions.get(id)
    if (session === undefined) return
    this.sessions.delete(id)
    this.cachedPartitions -= session.partitions.size
    // A request of it that still waits must not find its epoch again.
    session.epoch = FINAL_EPOCH
  }

  private touch(session: Session): void {
    session.lastUsedMs = this.clock.monoMs()
    this.sessions.delete(session.id)
    this.sessions.set(session.id, session)
  }
}

/** Would a session with these properties be kept rather than `other`? */
function worthMore(isPrivileged: boolean, size: number, other: Session): boolean {
  return isPrivileged !== other.isPrivileged ? isPrivileged : size > other.partitions.size
}

/** Remembers what the client will have been told; false if that is nothing new. */
function noteResult(cached: CachedPartition, result: FetchPartitionResult): boolean {
  let isNews = result.records.length > 0 || result.preferredReadReplica >= 0 || result.divergingEpoch !== undefined
  if (cached.highWatermark !== result.highWatermark) {
    cached.highWatermark = result.highWatermark
    isNews = true
  }
  if (cached.logStartOffset !== result.logStartOffset) {
    cached.logStartOffset = result.logStartOffset
    isNews = true
  }
  if (result.errorCode !== ErrorCode.NONE || result.divergingEpoch !== undefined) {
    // After an error the next success is news too; and a follower that has to truncate takes no watermark from this answer.
    cached.highWatermark = -1
    isNews = true
  }
  return isNews
}

function nextEpoch(epoch: number): number {
  return epoch >= 0x7fffffff ? 1 : epoch + 1
}

function keyOf(partition: { topic: string; topicId: string; partition: number }, usesTopicIds: boolean): string {
  return `${usesTopicIds ? partition.topicId : partition.topic}/${partition.partition}`
}

function partitionsOf(topics: readonly FetchTopic[], usesTopicIds: boolean, names: TopicNames): FetchPartition[] {
  const seen = new Map<string, FetchPartition>()
  for (const topic of topics) {
    for (const each of topic.partitions) {
      const partition: FetchPartition = {
        topic: topic.topic,
        topicId: topic.topicId,
        partition: each.partition,
        fetchOffset: each.fetchOffset,
        logStartOffset: each.logStartOffset,
        maxBytes: each.partitionMaxBytes,
        currentLeaderEpoch: each.currentLeaderEpoch,
        lastFetchedEpoch: each.lastFetchedEpoch,
      }
      resolveNames(partition, usesTopicIds, names)
      // Named twice, the last one counts, as in Kafka.
      seen.set(keyOf(partition, usesTopicIds), partition)
    }
  }
  return [...seen.values()]
}

/** A topic that was not known by its id may be by now. */
function resolveNames(partition: FetchPartition, usesTopicIds: boolean, names: TopicNames): void {
  if (!usesTopicIds) partition.topicId = names.topicId(partition.topic) ?? ZERO_UUID
  else partition.topic = names.topicName(partition.topicId) ?? ''
}

function sessionless(partitions: readonly FetchPartition[]): FetchContext {
  return {
    errorCode: ErrorCode.NONE,
    partitions,
    finish: (results) => ({ errorCode: ErrorCode.NONE, sessionId: NO_SESSION, results: [...results] }),
    skip: () => ({ errorCode: ErrorCode.NONE, sessionId: NO_SESSION }),
  }
}

function refused(errorCode: number): FetchContext {
  const whole = { errorCode, sessionId: NO_SESSION }
  return { errorCode, partitions: [], finish: () => ({ ...whole, results: [] }), skip: () => whole }
}
