import { ErrorCode, errorMessage } from '../../protocol/errors'
import { isInternalTopic } from '../../protocol/rules/topic-name'
import { LogError } from '../log/log-error'
import type { Partition } from './partition'
import { DelayedOperation } from './purgatory'
import type { ReplicaCore } from './replica-core'
import type { AppendParams, AppendPartition, AppendResult } from './requests'

/** One partition of a produce request. */
interface Entry {
  partition: Partition | undefined
  result: AppendResult
  /** acks=all: not yet known whether enough replicas have it. */
  isPending: boolean
}

/**
 * Appends records to leaders (Kafka's ReplicaManager.appendRecords). acks=1 is answered when the leader has it, acks=all when the
 * high watermark has passed it, both after the turn's log writes; a broker that may not act any more answers that it is not
 * the leader, even if it has appended (known-problems 2.3).
 */
export function append(core: ReplicaCore, params: AppendParams, done: (results: AppendResult[]) => void): void {
  const { acks } = params
  if (acks !== -1 && acks !== 0 && acks !== 1) {
    const results = params.partitions.map((each) => refused(each, ErrorCode.INVALID_REQUIRED_ACKS, null))
    core.answerLater(() => done(results))
    return
  }
  const entries = params.partitions.map((each) => appendOne(core, params, each))
  if (acks !== -1 || entries.every((entry) => !entry.isPending)) {
    answer(core, entries, done)
    return
  }
  const watched = entries.filter((entry) => entry.isPending).map((entry) => entry.partition!)
  core.produces.tryCompleteElseWatch(new DelayedProduce(core, entries, done), watched, params.timeoutMs)
}

function appendOne(core: ReplicaCore, params: AppendParams, request: AppendPartition): Entry {
  const { topic, partition: index, records, verificationGuard } = request
  if (!params.internalTopicsAllowed && isInternalTopic(topic)) {
    return {
      partition: undefined,
      isPending: false,
      result: refused(request, ErrorCode.INVALID_TOPIC_EXCEPTION, `Cannot append to internal topic ${topic}`),
    }
  }
  let partition: Partition | undefined
  try {
    partition = core.require(topic, index)
    if (!core.options.mayAct()) return { partition, isPending: false, result: fenced(core, request) }
    const info = partition.appendAsLeader(records, params.acks, {
      origin: params.origin,
      requestVersion: params.requestVersion,
      verificationGuard,
    })
    return {
      partition,
      isPending: params.acks === -1,
      result: {
        topic,
        partition: index,
        errorCode: ErrorCode.NONE,
        errorMessage: null,
        baseOffset: info.firstOffset,
        nextOffset: info.lastOffset + 1,
        logAppendTimeMs: info.logAppendTime,
        logStartOffset: info.logStartOffset,
        recordErrors: [],
      },
    }
  } catch (error) {
    const errorCode = core.errorCodeOf(error)
    const result = refused(request, errorCode, error instanceof LogError ? error.message : errorMessage(errorCode))
    if (error instanceof LogError) result.recordErrors = error.recordErrors
    if (errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER) addCurrentLeader(core, result)
    return { partition, isPending: false, result }
  }
}

/** What a produce waits for: each of its partitions replicated, or lost to this leader. */
class DelayedProduce extends DelayedOperation<Partition> {
  private readonly core: ReplicaCore
  private readonly entries: readonly Entry[]
  private readonly done: (results: AppendResult[]) => void

  constructor(core: ReplicaCore, entries: readonly Entry[], done: (results: AppendResult[]) => void) {
    super()
    this.core = core
    this.entries = entries
    this.done = done
  }

  protected isReady(changed: Partition | undefined): boolean {
    let isReady = true
    for (const entry of this.entries) {
      if (!entry.isPending) continue
      if (changed === undefined || entry.partition === changed) this.check(entry)
      if (entry.isPending) isReady = false
    }
    return isReady
  }

  private check(entry: Entry): void {
    const errorCode = entry.partition!.ackState(entry.result.nextOffset)
    if (errorCode === undefined) return
    entry.isPending = false
    if (errorCode !== ErrorCode.NONE) fail(entry.result, errorCode)
  }

  protected onComplete(): void {
    for (const entry of this.entries) {
      if (!entry.isPending) continue
      entry.isPending = false
      fail(entry.result, ErrorCode.REQUEST_TIMED_OUT)
    }
    answer(this.core, this.entries, this.done)
  }
}

function answer(core: ReplicaCore, entries: readonly Entry[], done: (results: AppendResult[]) => void): void {
  core.answerLater(() => {
    const mayAct = core.options.mayAct()
    for (const { partition, result } of entries) {
      if (result.errorCode !== ErrorCode.NONE) continue
      // The write itself may have failed at the end of the turn, and the session may have run out while this waited.
      if (partition!.isOffline) fail(result, ErrorCode.KAFKA_STORAGE_ERROR)
      else if (!mayAct) fail(result, ErrorCode.NOT_LEADER_OR_FOLLOWER)
    }
    done(entries.map((entry) => entry.result))
  })
}

function refused(request: AppendPartition, errorCode: number, message: string | null): AppendResult {
  return {
    topic: request.topic,
    partition: request.partition,
    errorCode,
    errorMessage: message,
    baseOffset: -1,
    nextOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    recordErrors: [],
  }
}

function fenced(core: ReplicaCore, request: AppendPartition): AppendResult {
  const result = refused(request, ErrorCode.NOT_LEADER_OR_FOLLOWER, errorMessage(ErrorCode.NOT_LEADER_OR_FOLLOWER))
  addCurrentLeader(core, result)
  return result
}

/** Turns the result of an append that was made into one that promises nothing. */
function fail(result: AppendResult, errorCode: number): void {
  result.errorCode = errorCode
  result.errorMessage = errorMessage(errorCode)
  result.baseOffset = -1
  result.nextOffset = -1
  result.logAppendTimeMs = -1
}

function addCurrentLeader(core: ReplicaCore, result: AppendResult): void {
  const leader = core.currentLeader(result.topic, result.partition)
  // This broker's own name would send the client back here.
  if (leader !== undefined && leader.leaderId !== core.options.brokerId) result.currentLeader = leader
}
