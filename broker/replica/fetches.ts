import { ErrorCode } from '../../protocol/errors'
import { InvariantError } from '../../runtime/assert'
import type { ReadResult } from '../log/log-types'
import { isInDoubt, type Doubts } from './leadership-checks'
import type { Partition, PartitionRead } from './partition'
import { preferredReadReplica } from './preferred-replica'
import { DelayedOperation } from './purgatory'
import type { ReplicaCore } from './replica-core'
import type { ReplicaEpochs } from './replica-epochs'
import { NOTHING_NEW, type FetchParams, type FetchPartition, type FetchPartitionResult } from './requests'

type Done = (results: FetchPartitionResult[]) => void

const NOTHING = Buffer.alloc(0)
const noRelease = (): void => {}

/**
 * Serves a fetch of a consumer or a follower (Kafka's ReplicaManager.fetchMessages): at once if there are `minBytes`, an error, a
 * diverging epoch or a better replica to read from, else when there are, at the latest after `maxWaitMs`.
 *
 * A follower's fetch tells the leader how far it is, once, on arrival; and only a follower that is assigned, alive and, as far
 * as it says, registered under the epoch that it names (broker.md §5).
 *
 * Returns what answers it at once, for one that nobody waits for any more; undefined when it was answered.
 */
export function fetch(
  core: ReplicaCore,
  epochs: ReplicaEpochs,
  params: FetchParams,
  requests: readonly FetchPartition[],
  done: Done,
): (() => void) | undefined {
  const { replicaId, replicaEpoch } = params
  let isFollower = false
  if (replicaId >= 0 && core.options.metadata.hasAliveBroker(replicaId)) {
    const claim = epochs.check(replicaId, replicaEpoch)
    if (claim === 'unknown') {
      let answerNow: (() => void) | undefined
      let isAbandoned = false
      void epochs.learn(replicaId).then(() => {
        answerNow = serve(core, params, requests, epochs.check(replicaId, replicaEpoch) === 'right', done)
        if (isAbandoned) answerNow?.()
      })
      return () => {
        isAbandoned = true
        answerNow?.()
      }
    }
    isFollower = claim === 'right'
  }
  return serve(core, params, requests, isFollower, done)
}

function serve(
  core: ReplicaCore,
  params: FetchParams,
  requests: readonly FetchPartition[],
  isFollower: boolean,
  done: Done,
): (() => void) | undefined {
  const delayed = new DelayedFetch(core, params, requests, done)
  const partitions: Partition[] = []
  for (const request of requests) {
    const partition = core.get(request.topic, request.partition)
    if (partition === undefined) continue
    partitions.push(partition)
    if (isFollower) noteFollowerPosition(partition, params, request)
  }
  core.fetches.tryCompleteElseWatch(delayed, partitions, core.isShutDown ? 0 : params.maxWaitMs)
  return delayed.isCompleted ? undefined : () => void delayed.forceComplete()
}

function noteFollowerPosition(partition: Partition, params: FetchParams, request: FetchPartition): void {
  const { replicaId, replicaEpoch } = params
  const follower = partition.followers.get(replicaId)
  if (follower === undefined) return
  const { fetchOffset, logStartOffset } = request
  if (standsAtEnd(partition, request, replicaId, true)) {
    partition.updateFollower(follower, fetchOffset, logStartOffset, fetchOffset, replicaEpoch)
    return
  }
  let read: PartitionRead
  try {
    read = partition.prepareRead(request, replicaId, true)
  } catch {
    // The answer will say why.
    return
  }
  if (read.divergingEpoch !== undefined) return
  partition.updateFollower(follower, fetchOffset, logStartOffset, read.logEndOffset, replicaEpoch)
}

/**
 * Does the fetch begin where the log ends, with nothing to be said against it? Of the many partitions of a follower most do, at each
 * fetch: `prepareRead` would say so, too, but makes objects.
 */
function standsAtEnd(partition: Partition, request: FetchPartition, replicaId: number, onlyLeader: boolean): boolean {
  const { log, role } = partition
  if (log === undefined || partition.isOffline || role === 'none' || (onlyLeader && role !== 'leader')) return false
  const { currentLeaderEpoch, fetchOffset, lastFetchedEpoch } = request
  if (currentLeaderEpoch >= 0 && currentLeaderEpoch !== partition.leaderEpoch) return false
  if (fetchOffset !== log.endOffset || (lastFetchedEpoch >= 0 && lastFetchedEpoch !== log.latestEpoch)) return false
  return replicaId < 0 || partition.followers.has(replicaId)
}

/** Bytes that a waiting fetch could have; -1 if it should be answered now, because it cannot go on as it is. */
function bytesFor(partition: Partition, request: FetchPartition, params: FetchParams): number {
  const onlyLeader = readsOnlyLeader(params)
  if (standsAtEnd(partition, request, params.replicaId, onlyLeader)) return 0
  try {
    const { log, divergingEpoch } = partition.prepareRead(request, params.replicaId, onlyLeader)
    return divergingEpoch !== undefined ? -1 : Math.min(log.bytesFrom(request.fetchOffset, params.isolation), request.maxBytes)
  } catch (error) {
    if (error instanceof InvariantError) throw error
    return -1
  }
}

/** Followers read from leaders; consumers too, but for those that can be told of a nearer replica, and debugging ones. */
function readsOnlyLeader(params: FetchParams): boolean {
  return params.replicaId >= 0 || (params.replicaId === -1 && params.clientMetadata === undefined)
}

class DelayedFetch extends DelayedOperation<Partition> {
  private readonly core: ReplicaCore
  private readonly params: FetchParams
  private readonly requests: readonly FetchPartition[]
  private readonly done: Done

  constructor(core: ReplicaCore, params: FetchParams, requests: readonly FetchPartition[], done: Done) {
    super()
    this.core = core
    this.params = params
    this.requests = requests
    this.done = done
  }

  protected isReady(changed: Partition | undefined): boolean {
    const { minBytes } = this.params
    if (this.requests.length === 0 || minBytes <= 0) return true
    // With the usual minBytes of 1, a change elsewhere cannot matter: a fetch over 1,000 partitions looks at one.
    const only = minBytes <= 1 ? changed : undefined
    let bytes = 0
    for (const request of this.requests) {
      if (only !== undefined && (request.partition !== only.partition || request.topic !== only.topic)) continue
      const available = this.available(request)
      if (available < 0) return true
      bytes += available
      if (bytes >= minBytes) return true
    }
    return false
  }

  /** Bytes to be had from a partition; -1 if there is something to say at once. */
  private available(request: FetchPartition): number {
    const { core, params } = this
    const partition = core.get(request.topic, request.partition)
    if (partition === undefined || partition.isOffline) return -1
    if (params.replicaId < 0) {
      if (partition.isLeader && !core.mayLead(partition)) return -1
      if (preferredReadReplica(core, partition, params, request) !== undefined) return -1
    }
    const bytes = bytesFor(partition, request, params)
    return bytes > 0 && isHeldBack(core, partition, params.replicaId) ? 0 : bytes
  }

  protected onComplete(): void {
    const { core, params, requests, done } = this
    core.answerLater(() => core.leadership.withoutDoubt((doubts) => readAll(core, params, requests, doubts), done, releaseAll))
  }
}

/**
 * Is the follower beyond the limit on replication? One that is in sync is not held back, or it would fall out of the ISR
 * (Kafka's shouldLeaderThrottle).
 */
function isHeldBack(core: ReplicaCore, partition: Partition, replicaId: number): boolean {
  if (replicaId < 0) return false
  const { leader } = core.quotas
  return leader.isThrottled(partition.topic, partition.partition) && !partition.isr.committed.includes(replicaId) && leader.isExceeded
}

/** Reads in the order of the request until the bytes are used up; the first batch that there is is given whole. */
function readAll(
  core: ReplicaCore,
  params: FetchParams,
  requests: readonly FetchPartition[],
  doubts: Doubts,
): FetchPartitionResult[] {
  let bytesLeft = Math.min(params.maxBytes, core.options.config.fetchMaxBytes)
  let minOneMessage = !params.hardMaxBytes
  const results: FetchPartitionResult[] = []
  for (const request of requests) {
    const result = readOne(core, params, request, Math.min(request.maxBytes, bytesLeft), minOneMessage, doubts)
    if (result.records.length > 0) {
      minOneMessage = false
      const isThrottled = params.replicaId >= 0 && core.quotas.leader.isThrottled(request.topic, request.partition)
      if (isThrottled) core.quotas.leader.record(result.records.length)
    }
    bytesLeft = Math.max(0, bytesLeft - result.records.length)
    results.push(result)
  }
  return results
}

function readOne(
  core: ReplicaCore,
  params: FetchParams,
  request: FetchPartition,
  maxBytes: number,
  minOneMessage: boolean,
  doubts: Doubts,
): FetchPartitionResult {
  const { topic, partition: index, topicId } = request
  try {
    const partition = core.require(topic, index)
    if (params.replicaId < 0 && partition.isLeader && !core.mayLead(partition)) {
      return failed(core, request, ErrorCode.NOT_LEADER_OR_FOLLOWER)
    }
    const preferred = preferredReadReplica(core, partition, params, request)
    if (preferred === undefined && hasNoNews(partition, params, request)) return NOTHING_NEW
    const read = partition.prepareRead(request, params.replicaId, readsOnlyLeader(params))
    const mayRead =
      read.divergingEpoch === undefined && preferred === undefined && !isHeldBack(core, partition, params.replicaId)
    const records = mayRead ? readRecords(params, request, read, maxBytes, minOneMessage) : undefined
    return {
      topic,
      partition: index,
      topicId,
      errorCode: ErrorCode.NONE,
      highWatermark: read.highWatermark,
      lastStableOffset: read.lastStableOffset,
      logStartOffset: read.logStartOffset,
      records: records?.records ?? NOTHING,
      release: records === undefined ? noRelease : () => records.release(),
      abortedTransactions: params.isolation === 'lastStable' ? (records?.abortedTransactions ?? []) : null,
      ...(read.divergingEpoch !== undefined && { divergingEpoch: read.divergingEpoch }),
      preferredReadReplica: preferred ?? -1,
    }
  } catch (error) {
    const errorCode = core.errorCodeOf(error)
    return failed(core, request, errorCode === ErrorCode.OFFSET_OUT_OF_RANGE ? outOfRange(core, params, request, doubts) : errorCode)
  }
}

/** Is there nothing to be read, and nothing else that the client was not told within its session? */
function hasNoNews(partition: Partition, params: FetchParams, request: FetchPartition): boolean {
  const { told } = request
  if (told === undefined || !standsAtEnd(partition, request, params.replicaId, readsOnlyLeader(params))) return false
  return told.highWatermark === partition.log!.highWatermark && told.logStartOffset === partition.log!.startOffset
}

/**
 * The answer to an offset that is not here. Consumers begin somewhere else after OFFSET_OUT_OF_RANGE: twice, or not at all, they
 * read what a later leader has told them before. So of offsets above its end it must come from who leads the partition now;
 * Kafka's comes from whoever has led it.
 */
function outOfRange(core: ReplicaCore, params: FetchParams, request: FetchPartition, doubts: Doubts): number {
  const partition = core.get(request.topic, request.partition)
  if (partition?.log === undefined) return ErrorCode.NOT_LEADER_OR_FOLLOWER
  const isAbove = request.fetchOffset > partition.log.endOffset || request.lastFetchedEpoch > partition.leaderEpoch
  if (!isAbove) return ErrorCode.OFFSET_OUT_OF_RANGE
  // Nobody has sent a consumer without a rack to a follower; the others go back to the leader.
  const isMistaken = partition.isLeader
    ? isInDoubt(doubts, partition)
    : params.replicaId === -1 && params.clientMetadata?.rackId === ''
  return isMistaken ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.OFFSET_OUT_OF_RANGE
}

function releaseAll(results: readonly FetchPartitionResult[]): void {
  for (const result of results) result.release()
}

function readRecords(
  params: FetchParams,
  request: FetchPartition,
  read: PartitionRead,
  maxBytes: number,
  minOneMessage: boolean,
): ReadResult | undefined {
  const { fetchOffset } = request
  const { isolation } = params
  const committed = isolation === 'highWatermark' ? read.highWatermark : read.lastStableOffset
  const limit = isolation === 'logEnd' ? read.logEndOffset : committed
  // Most partitions of a follower's fetch have nothing new: they cost no read.
  if (fetchOffset >= limit || (maxBytes <= 0 && !minOneMessage)) return undefined
  const result = read.log.read(fetchOffset, maxBytes, { upTo: isolation, minOneMessage })
  if (!result.firstEntryIncomplete || params.hardMaxBytes) return result
  // From v3 on a piece of a batch is of no use: the partition comes first another time.
  result.release()
  return undefined
}

function failed(core: ReplicaCore, request: FetchPartition, code: number): FetchPartitionResult {
  // The session found no name for the topic id.
  const errorCode = request.topic === '' ? ErrorCode.UNKNOWN_TOPIC_ID : code
  const result: FetchPartitionResult = {
    topic: request.topic,
    partition: request.partition,
    topicId: request.topicId,
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    records: NOTHING,
    release: noRelease,
    abortedTransactions: null,
    preferredReadReplica: -1,
  }
  if (errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER || errorCode === ErrorCode.FENCED_LEADER_EPOCH) {
    const leader = core.currentLeader(request.topic, request.partition)
    if (leader !== undefined) result.currentLeader = leader
  }
  return result
}
