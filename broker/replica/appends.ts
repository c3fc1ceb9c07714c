import { ErrorCode } from '../../protocol/errors'
import { BATCH_HEADER_BYTES, baseSequenceAt, magicAt, producerIdAt } from '../../protocol/records/batch'
import { isInternalTopic } from '../../protocol/rules/topic-name'
import { LogError } from '../log/log-error'
import type { PreparedRecords } from '../log/log-types'
import type { ReplicaLog } from './log-port'
import type { Partition } from './partition'
import { DelayedOperation } from './purgatory'
import type { ReplicaCore } from './replica-core'
import type { AppendParams, AppendPartition, AppendResult } from './requests'
import { beginVerification, produceRefusal } from './verification'
import type { PendingVerification } from './verification'

/** One partition of a produce request. */
interface Entry {
  partition: Partition | undefined
  result: AppendResult
  /** In which it was appended. */
  leaderEpoch: number
  /** acks=all: not yet known whether enough replicas have it. */
  isPending: boolean
}

/**
 * Appends records to leaders (Kafka's ReplicaManager.appendRecords). acks=1 is answered when the leader has it, acks=all when the
 * high watermark has passed it, both after the turn's log writes.
 *
 * What was appended and then lost its leader is answered with NOT_LEADER_OR_FOLLOWER, as Kafka does, though it may have been kept: an
 * idempotent client sends the same batch again and is recognized. (NOT_ENOUGH_REPLICAS_AFTER_APPEND and REQUEST_TIMED_OUT would be
 * nearer to the truth, and let librdkafka send what comes behind it first, to the next leader, and die of the gap.) A broker that
 * may not act any more (known-problems 2.3) keeps its answer back for a moment, since it may soon be able to say what is true.
 *
 * Resolves when everything has been appended or refused; undefined if that is so on return. Records that must be opened are opened
 * away from the event loop, and transactional ones wait for their coordinator's word; then the leadership is looked at.
 */
export function append(core: ReplicaCore, params: AppendParams, done: (results: AppendResult[]) => void): Promise<void> | undefined {
  const { acks } = params
  if (acks !== -1 && acks !== 0 && acks !== 1) {
    const results = params.partitions.map((each) => refused(each, ErrorCode.INVALID_REQUIRED_ACKS, null))
    core.answerLater(() => done(results))
    return undefined
  }
  if (params.origin === 'client') {
    const verification = beginVerification(core, params)
    if (verification !== undefined) {
      if ('places' in verification) return appendVerified(core, params, verification, done)
      const { errorCode, errorMessage: message } = verification
      const results = params.partitions.map((each) => refused(each, errorCode, message))
      core.answerLater(() => done(results))
      return undefined
    }
  }
  return appendNow(core, params, done)
}

/** Asks the coordinator, then appends what it confirms. At once if it answers at once. */
function appendVerified(
  core: ReplicaCore, params: AppendParams, verification: PendingVerification, done: (results: AppendResult[]) => void,
): Promise<void> | undefined {
  const { transaction, partitions } = verification
  const errors = core.options.verifyTransaction!(transaction, partitions)
  if (Array.isArray(errors)) return appendConfirmed(core, params, verification, errors, done)
  const bytes = params.partitions.reduce((sum, { records }) => sum + records.length, 0)
  if (!core.preparation.hold(bytes)) {
    return appendConfirmed(core, params, verification, partitions.map(() => ErrorCode.COORDINATOR_NOT_AVAILABLE), done)
  }
  // The caller's buffer is used for other requests when it goes on.
  const kept = { ...params, partitions: params.partitions.map((each) => ({ ...each, records: Buffer.from(each.records) })) }
  return errors
    .then((found) => appendConfirmed(core, kept, verification, found, done))
    .finally(() => core.preparation.release(bytes))
}

function appendConfirmed(
  core: ReplicaCore,
  params: AppendParams,
  { places, guards }: PendingVerification,
  errors: readonly number[],
  done: (results: AppendResult[]) => void,
): Promise<void> | undefined {
  const results: (AppendResult | undefined)[] = params.partitions.map(() => undefined)
  const partitions = params.partitions.slice()
  for (const [i, place] of places.entries()) {
    const refusal = produceRefusal(errors[i]!, params.requestVersion)
    if (refusal === undefined) partitions[place] = { ...partitions[place]!, verificationGuard: guards[i] }
    else results[place] = refused(partitions[place]!, refusal.errorCode, refusal.errorMessage)
  }
  const confirmed = partitions.filter((_, place) => results[place] === undefined)
  return appendNow(core, { ...params, partitions: confirmed }, (appended) => {
    let next = 0
    done(results.map((result) => result ?? appended[next++]!))
  })
}

function appendNow(core: ReplicaCore, params: AppendParams, done: (results: AppendResult[]) => void): Promise<void> | undefined {
  if (params.origin === 'client' && params.partitions.some((each) => logToPrepareFor(core, each) !== undefined)) {
    const bytes = params.partitions.reduce((sum, { records }) => sum + records.length, 0)
    if (core.preparation.hold(bytes)) return appendPrepared(core, params, done).finally(() => core.preparation.release(bytes))
  }
  finish(core, params, params.partitions.map((each) => appendOne(core, params, each, undefined)), done)
  return undefined
}

/** The log that should prepare these records, if they need it and this broker seems to lead the partition. */
function logToPrepareFor(core: ReplicaCore, { topic, partition: index, records }: AppendPartition): ReplicaLog | undefined {
  const partition = core.get(topic, index)
  return partition?.isLeader === true && partition.log?.needsPreparation(records) === true ? partition.log : undefined
}

async function appendPrepared(core: ReplicaCore, params: AppendParams, done: (results: AppendResult[]) => void): Promise<void> {
  // The caller's buffer is used for other requests when it goes on.
  const partitions = params.partitions.map((each) => ({ ...each, records: Buffer.from(each.records) }))
  const entries: Entry[] = []
  // One after the other, so that no more than one is held opened.
  for (const each of partitions) {
    const log = logToPrepareFor(core, each)
    entries.push(appendOne(core, params, each, log && (await core.preparation.prepare(log, each.records))))
  }
  for (const { partition, result, leaderEpoch } of entries) {
    // Nobody watched it in the meantime; it may have been truncated.
    const isLost = result.errorCode === ErrorCode.NONE && (!partition!.isLeader || partition!.leaderEpoch !== leaderEpoch)
    if (isLost) fail(result, ErrorCode.NOT_LEADER_OR_FOLLOWER)
  }
  finish(core, params, entries.map((entry) => ({ ...entry, isPending: entry.isPending && entry.result.errorCode === ErrorCode.NONE })), done)
}

function finish(core: ReplicaCore, asked: AppendParams, entries: Entry[], done: (results: AppendResult[]) => void): void {
  // What waits must not keep the bytes of its request (KafkaApis: clearPartitionRecords).
  const params = { ...asked, partitions: [] }
  if (params.acks !== -1 || entries.every((entry) => !entry.isPending)) {
    answer(core, params, entries, done)
    return
  }
  const watched = entries.filter((entry) => entry.isPending).map((entry) => entry.partition!)
  core.produces.tryCompleteElseWatch(new DelayedProduce(core, params, entries, done), watched, params.timeoutMs)
}

function appendOne(core: ReplicaCore, params: AppendParams, request: AppendPartition, prepared: PreparedRecords | undefined): Entry {
  const { topic, partition: index, records, verificationGuard } = request
  if (!params.internalTopicsAllowed && isInternalTopic(topic)) {
    return {
      partition: undefined,
      isPending: false,
      leaderEpoch: -1,
      result: refused(request, ErrorCode.INVALID_TOPIC_EXCEPTION, null),
    }
  }
  let partition: Partition | undefined
  try {
    partition = core.require(topic, index)
    if (core.isShutDown || !core.mayLead(partition)) {
      partition.refusedAppendMs = core.options.env.clock.monoMs()
      return { partition, isPending: false, leaderEpoch: -1, result: fenced(core, request) }
    }
    if (comesTooSoon(core, params, partition, records)) {
      return { partition, isPending: false, leaderEpoch: -1, result: fenced(core, request) }
    }
    const info = partition.appendAsLeader(records, params.acks, {
      origin: params.origin,
      requestVersion: params.requestVersion,
      verificationGuard,
      prepared,
    })
    return {
      partition,
      isPending: params.acks === -1,
      leaderEpoch: partition.leaderEpoch,
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
    const nowMs = core.options.env.clock.monoMs()
    if (partition !== undefined && errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER && isSettling(params, partition, nowMs)) {
      return { partition, isPending: false, leaderEpoch: -1, result: fenced(core, request) }
    }
    const result = refused(request, errorCode, error instanceof LogError && ABOUT_RECORDS.has(errorCode) ? error.message : null)
    if (error instanceof LogError) result.recordErrors = error.recordErrors
    if (partition !== undefined && REFUSED_FOR_NOW.has(errorCode)) partition.refusedAppendMs = nowMs
    if (!WITHOUT_LOG_START.has(errorCode)) result.logStartOffset = partition?.log?.startOffset ?? -1
    if (errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER) addCurrentLeader(core, result)
    return { partition, isPending: false, leaderEpoch: -1, result }
  }
}

/** With a message; the others have but their code. */
const ABOUT_RECORDS = new Set<number>([ErrorCode.INVALID_RECORD, ErrorCode.INVALID_TIMESTAMP])
/** After other errors Kafka says where the log begins. */
const WITHOUT_LOG_START = new Set<number>([
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.MESSAGE_TOO_LARGE, ErrorCode.RECORD_LIST_TOO_LARGE,
  ErrorCode.CORRUPT_MESSAGE, ErrorCode.KAFKA_STORAGE_ERROR,
])
/** Nothing was appended, and the client will send it again. */
const REFUSED_FOR_NOW = new Set<number>([ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.NOT_ENOUGH_REPLICAS])
const SETTLING_MS = 1000

/**
 * A batch was refused a moment ago, so a gap in the sequence is one that the client will close. Told of the gap, librdkafka would begin
 * a new epoch, and send again under it what had been appended before the refusal, as records that nobody can recognize
 * (librdkafka issue 4953). So it is told to send this one again as well.
 */
function isSettling(params: AppendParams, partition: Partition, nowMs: number): boolean {
  return params.origin === 'client' && nowMs - partition.refusedAppendMs < SETTLING_MS
}

/**
 * The same for a producer of which nothing is known, whose batch has not the first sequence: any sequence would begin. Kafka takes
 * it, and librdkafka says of what was refused before that it was written.
 */
function comesTooSoon(core: ReplicaCore, params: AppendParams, partition: Partition, records: Buffer): boolean {
  if (partition.refusedAppendMs === -Infinity || !isSettling(params, partition, core.options.env.clock.monoMs())) return false
  if (records.length < BATCH_HEADER_BYTES || magicAt(records, 0) !== 2 || baseSequenceAt(records, 0) <= 0) return false
  return partition.isLeader && partition.log?.knowsProducer(producerIdAt(records, 0)) === false
}

/** What a produce waits for: each of its partitions replicated, or lost to this leader. */
class DelayedProduce extends DelayedOperation<Partition> {
  private readonly core: ReplicaCore
  private readonly params: AppendParams
  private readonly entries: readonly Entry[]
  private readonly done: (results: AppendResult[]) => void

  constructor(core: ReplicaCore, params: AppendParams, entries: readonly Entry[], done: (results: AppendResult[]) => void) {
    super()
    this.core = core
    this.params = params
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
    answer(this.core, this.params, this.entries, this.done)
  }
}

const LONGEST_FENCED_MS = 1000
const FENCED_LOOK_MS = 10

/**
 * Answers at the end of the turn, if this broker may act. A session that may have run out comes back or is followed by the next within
 * a moment, as a rule, and then the records are acknowledged, or whoever leads says what became of them.
 */
function answer(core: ReplicaCore, params: AppendParams, entries: readonly Entry[], done: (results: AppendResult[]) => void): void {
  const { env, timers } = core.options
  const latestMs = env.clock.monoMs() + Math.min(params.timeoutMs, LONGEST_FENCED_MS)
  const look = (): void => {
    const isLate = core.isShutDown || env.clock.monoMs() >= latestMs
    let isHeld = false
    for (const { partition, result, leaderEpoch } of entries) {
      if (result.errorCode !== ErrorCode.NONE) continue
      // The write itself may have failed at the end of the turn.
      if (partition!.isOffline) fail(result, ErrorCode.KAFKA_STORAGE_ERROR)
      // What all in-sync replicas have stays; with acks=1 the next leader may lack it.
      else if (params.acks !== -1 && !leadsSince(partition!, leaderEpoch)) fail(result, ErrorCode.NOT_LEADER_OR_FOLLOWER)
      else if (core.mayLead(partition!)) continue
      else if (isLate || params.origin !== 'client') fail(result, ErrorCode.NOT_LEADER_OR_FOLLOWER)
      else isHeld = true
    }
    if (isHeld) timers.add(FENCED_LOOK_MS, () => core.answerLater(look))
    else done(entries.map((entry) => entry.result))
  }
  core.answerLater(look)
}

/** Another epoch of the same leader changes nothing for what it has. */
function leadsSince(partition: Partition, leaderEpoch: number): boolean {
  return partition.isLeader && partition.leaderEpoch >= leaderEpoch
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
  const result = refused(request, ErrorCode.NOT_LEADER_OR_FOLLOWER, null)
  addCurrentLeader(core, result)
  return result
}

/** Turns the result of an append that was made into one that promises nothing. */
function fail(result: AppendResult, errorCode: number): void {
  result.errorCode = errorCode
  result.errorMessage = null
  result.baseOffset = -1
  result.nextOffset = -1
  result.logAppendTimeMs = -1
}

function addCurrentLeader(core: ReplicaCore, result: AppendResult): void {
  const leader = core.currentLeader(result.topic, result.partition)
  // This broker's own name would send the client back here.
  if (leader !== undefined && leader.leaderId !== core.options.brokerId) result.currentLeader = leader
}
