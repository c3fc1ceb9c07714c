/**
 * What a leader decides about records that a producer sent (Kafka's LogValidator): refused with an error, taken as they are with
 * their header stamped, or written anew in the format and with the codec that the topic asks for.
 *
 * Kafka opens every compressed batch. Here one that goes to the log as it is gets opened only where the decision depends on its
 * records (`needsRecords`); who wants Kafka's full check anyway, or wants it away from the event loop, calls `prepareRecords`
 * before the append.
 */
import { ErrorCode } from '../errors'
import type { BrokerCompressionType } from '../rules/topic-config'
import type { TimestampType } from './batch'
import {
  BATCH_HEADER_BYTES,
  Codec,
  NO_PRODUCER_ID,
  NO_TIMESTAMP,
  TimestampType as TimestampTypes,
  baseOffsetAt,
  baseSequenceAt,
  baseTimestampAt,
  codecAt,
  isControlAt,
  isTransactionalAt,
  lastOffsetAt,
  magicAt,
  maxTimestampAt,
  producerEpochAt,
  producerIdAt,
  readBatchHeader,
  recordCountAt,
  setLastOffsetAt,
  setLeaderEpochAt,
  stampTimestampType,
  timestampTypeAt,
  writeBatchHeader,
} from './batch'
import type { CompressionPool } from './compression'
import { CompressionError, codecByName, compress, decompress } from './compression'
import { openMessageSet, openMessageSetLater, upConvert } from './conversion'
import type { LegacyRecord } from './legacy'
import { BatchBuilder, forEachRecord } from './records'
import type { RecordError } from './records-error'
import { RecordsError, invalid } from './records-error'
import type { Structure } from './structure'
import { walkRecords } from './walk'

/** What a partition takes. */
export interface AppendRules {
  /** `topic-0`, for messages. */
  topicPartition: string
  /** What clients may not send is looked for only in what clients sent. */
  fromClient: boolean
  compressionType: BrokerCompressionType
  /** For the codec that `compressionType` names; undefined for its default. */
  compressionLevel?: number | undefined
  compacted: boolean
  timestampType: TimestampType
  timestampBeforeMaxMs: number
  timestampAfterMaxMs: number
  /** Most that one batch may decompress to. */
  maxDecompressedBytes: number
}

export interface Placement {
  /** Offset of the first record. */
  firstOffset: number
  leaderEpoch: number
  /** Wall time. */
  nowMs: number
}

/** What goes to the log: one batch of magic 2. */
export interface Appendable {
  /** The buffer that was given, stamped in place; or another, if `rebuilt`. */
  records: Buffer
  rebuilt: boolean
  firstOffset: number
  lastOffset: number
  recordCount: number
  maxTimestamp: number
  /** -1 unless the topic stamps its own time. */
  logAppendTime: number
}

/** A batch whose header says more than an hour from now is opened: its maximal timestamp decides when the segment may go. */
const SUSPICIOUS_FUTURE_MS = 3_600_000
/** Errors of single records that are listed; how many there were is told. */
const MAX_LISTED_ERRORS = 1000

function targetCodec(source: Codec, rules: AppendRules): Codec {
  return rules.compressionType === 'producer' ? source : codecByName(rules.compressionType) ?? Codec.none
}

type Format = Pick<Structure, 'magic' | 'codec'>

/** True if the batch must be written anew whatever its records are. */
function needsRebuild(records: Buffer, structure: Format, rules: AppendRules): boolean {
  if (structure.magic < 2) return true
  // Control records are compressed only if they were written so.
  if (structure.codec === Codec.none && isControlAt(records, 0)) return false
  return targetCodec(structure.codec, rules) !== structure.codec
}

/**
 * True if compressed records must be opened before they can be appended: they are to be written anew, the topic has rules for
 * single records, or their header cannot be believed.
 */
export function needsRecords(records: Buffer, structure: Format, rules: AppendRules, nowMs: number): boolean {
  if (structure.codec === Codec.none) return false
  if (rules.compacted || needsRebuild(records, structure, rules)) return true
  if (rules.timestampType === TimestampTypes.logAppendTime) return false
  const latest = maxTimestampAt(records, 0)
  return latest > nowMs + SUSPICIOUS_FUTURE_MS || latest > nowMs + rules.timestampAfterMaxMs
    || nowMs - latest > rules.timestampBeforeMaxMs || nowMs - baseTimestampAt(records, 0) > rules.timestampBeforeMaxMs
}

/**
 * True if `prepareRecords` would do work that is worth doing away from the event loop: compressed records to open, or records to
 * compress. Looks at the header of the first batch alone; what is wrong with it is not said here.
 */
export function isWorthPreparing(records: Buffer, rules: AppendRules, nowMs: number): boolean {
  if (records.length < BATCH_HEADER_BYTES) return false
  const structure = { magic: magicAt(records, 0), codec: codecAt(records, 0) }
  if (structure.magic < 2) return true
  return structure.codec === Codec.none ? needsRebuild(records, structure, rules) : needsRecords(records, structure, rules, nowMs)
}

/**
 * Checks the records and gives them their place: offsets, leader epoch, timestamp type. Compressed records that must be opened
 * are opened on this thread, unless `recordsChecked`: then `prepareRecords` has given this buffer. Throws RecordsError.
 */
export function placeRecords(
  records: Buffer,
  structure: Structure,
  rules: AppendRules,
  placement: Placement,
  recordsChecked = false,
): Appendable {
  const { codec, magic } = structure
  if (magic < 2) {
    const opened = refusing(rules, () => openMessageSet(records, rules.maxDecompressedBytes))
    const plain = fromMessageSet(opened.records, opened.timestampType, rules, placement.nowMs)
    return stamp(finish(plain, codec, rules), true, rules, placement)
  }
  checkHeader(records, structure, rules)
  const body = records.subarray(BATCH_HEADER_BYTES, structure.validBytes)
  if (recordsChecked || (codec !== Codec.none && !needsRecords(records, structure, rules, placement.nowMs))) {
    checkFlaggedTime(records, rules)
    return stamp(records, recordsChecked, rules, placement)
  }
  const opened = codec === Codec.none ? body : refusing(rules, () => decompress(codec, body, rules.maxDecompressedBytes))
  const plain = checkOpened(records, opened, structure, rules, placement.nowMs)
  return stamp(plain === undefined ? records : finish(plain, codec, rules), plain !== undefined, rules, placement)
}

/**
 * Does away from the event loop what `placeRecords` would do on it: opens compressed records, checks each, writes them anew
 * where need be. Gives the buffer to append, with `recordsChecked`. `always`: opens them also where nothing depends on it, as
 * Kafka does. Rejects with RecordsError.
 */
export async function prepareRecords(
  records: Buffer,
  structure: Structure,
  rules: AppendRules,
  nowMs: number,
  pool: CompressionPool,
  always = false,
): Promise<Buffer> {
  const { codec, magic } = structure
  if (magic < 2) {
    const opened = await refusingLater(rules, () => openMessageSetLater(records, rules.maxDecompressedBytes, pool))
    return finishLater(fromMessageSet(opened.records, opened.timestampType, rules, nowMs), codec, rules, pool)
  }
  checkHeader(records, structure, rules)
  if (codec !== Codec.none && !always && !needsRecords(records, structure, rules, nowMs)) return records
  const body = records.subarray(BATCH_HEADER_BYTES, structure.validBytes)
  const opened = codec === Codec.none
    ? body
    : await refusingLater(rules, () => pool.decompress(codec, body, rules.maxDecompressedBytes))
  const plain = checkOpened(records, opened, structure, rules, nowMs)
  return plain === undefined ? records : finishLater(plain, codec, rules, pool)
}

/** What the header alone shows to be wrong. */
function checkHeader(records: Buffer, structure: Structure, rules: AppendRules): void {
  if (structure.batchCount > 1) throw invalid('Compressed outer record has more than one batch')
  if (structure.batchCount === 0) throw invalid('Record batch has no batches at all')
  if (!rules.fromClient) return
  const where = `in topic partition ${rules.topicPartition}`
  const baseOffset = baseOffsetAt(records, 0)
  const lastOffset = lastOffsetAt(records, 0)
  const count = recordCountAt(records, 0)
  const range = lastOffset - baseOffset + 1
  if (range <= 0) throw invalid(`Batch has an invalid offset range: [${baseOffset}, ${lastOffset}] ${where}`)
  if (count <= 0) throw invalid(`Invalid reported count for record batch: ${count} ${where}`)
  if (range !== count) {
    throw invalid(`Inconsistent batch offset range [${baseOffset}, ${lastOffset}] and count of records ${count} ${where}`)
  }
  if (isControlAt(records, 0)) throw invalid(`Clients are not allowed to write control records ${where}`)
  const producerId = producerIdAt(records, 0)
  const sequence = baseSequenceAt(records, 0)
  if (producerId > NO_PRODUCER_ID && sequence < 0) {
    throw invalid(`Invalid sequence number ${sequence} in record batch with producerId ${producerId} ${where}`)
  }
}

/** Where the topic stamps its own time, a producer may not claim to have done so. */
function checkFlaggedTime(records: Buffer, rules: AppendRules): void {
  if (rules.timestampType !== TimestampTypes.logAppendTime || timestampTypeAt(records, 0) !== TimestampTypes.logAppendTime) return
  refuse([{ index: 0, code: ErrorCode.INVALID_TIMESTAMP, message: flaggedTimeMessage }], recordCountAt(records, 0))
}

const flaggedTimeMessage = 'Invalid timestamp type in message. Producer should not set timestamp type to LogAppendTime.'

/**
 * Checks every record of a batch of magic 2. Gives the batch written anew, uncompressed and without a place, if it cannot go to
 * the log as it is; undefined if it can. A header that names another maximal timestamp than the records is put right in place.
 */
function checkOpened(
  records: Buffer,
  opened: Buffer,
  structure: Structure,
  rules: AppendRules,
  nowMs: number,
): Buffer | undefined {
  const walk = walkRecords(opened, 0, opened.length, recordCountAt(records, 0))
  const flagged = timestampTypeAt(records, 0) === TimestampTypes.logAppendTime
  const base = baseTimestampAt(records, 0)
  const min = flagged ? maxTimestampAt(records, 0) : base + walk.minTimestampDelta
  const max = flagged ? maxTimestampAt(records, 0) : base + walk.maxTimestampDelta
  if (!walk.wellFormed || (walk.hasNullKey && rules.compacted) || !timesAllowed(min, max, flagged, rules, nowMs)) {
    refuseRecords(records, opened, rules, nowMs)
    if (!walk.wellFormed) throw invalid(`Found invalid record structure in topic partition ${rules.topicPartition}`)
  }
  if (needsRebuild(records, structure, rules) || !walk.consecutive) return rebuild(records, opened)
  if (rules.timestampType === TimestampTypes.createTime) stampTimestampType(records, 0, TimestampTypes.createTime, max)
  return undefined
}

function timesAllowed(min: number, max: number, flagged: boolean, rules: AppendRules, nowMs: number): boolean {
  if (rules.timestampType === TimestampTypes.logAppendTime) return !flagged
  // A record without a timestamp may hide among others: then each is looked at.
  return nowMs - min <= rules.timestampBeforeMaxMs && max - nowMs <= rules.timestampAfterMaxMs
}

interface Problem {
  index: number
  code: number
  message: string
}

/** What is wrong with one record, in Kafka's words. */
function problemOf(
  index: number,
  record: { offset: number; timestamp: number; key: Buffer | null },
  flagged: boolean,
  rules: AppendRules,
  nowMs: number,
): Problem | undefined {
  if (rules.compacted && record.key === null) {
    const message = `Compacted topic cannot accept message without key in topic partition ${rules.topicPartition}`
    return { index, code: ErrorCode.INVALID_RECORD, message }
  }
  if (rules.timestampType === TimestampTypes.createTime && record.timestamp !== NO_TIMESTAMP) {
    const age = nowMs - record.timestamp
    if (age <= rules.timestampBeforeMaxMs && -age <= rules.timestampAfterMaxMs) return undefined
    const message = `Timestamp ${record.timestamp} of message with offset ${record.offset} is out of range. `
      + `The timestamp should be within [${nowMs - rules.timestampBeforeMaxMs}, ${nowMs + rules.timestampAfterMaxMs}]`
    return { index, code: ErrorCode.INVALID_TIMESTAMP, message }
  }
  return flagged ? { index, code: ErrorCode.INVALID_TIMESTAMP, message: flaggedTimeMessage } : undefined
}

/** Says what is wrong with the records of a batch; returns if nothing is, on a second look. */
function refuseRecords(records: Buffer, opened: Buffer, rules: AppendRules, nowMs: number): void {
  const flagged = timestampTypeAt(records, 0) === TimestampTypes.logAppendTime
  const problems: Problem[] = []
  let index = 0
  let total = 0
  forEachRecord(records, opened, (record) => {
    const problem = problemOf(index++, record, flagged, rules, nowMs)
    if (problem !== undefined && total++ < MAX_LISTED_ERRORS) problems.push(problem)
  })
  if (total > 0) refuse(problems, total)
}

function refuse(problems: readonly Problem[], total: number): never {
  const errors: RecordError[] = problems.map(({ index, message }) => ({ batchIndex: index, message }))
  if (problems.some((problem) => problem.code === ErrorCode.INVALID_TIMESTAMP)) {
    throw new RecordsError(ErrorCode.INVALID_TIMESTAMP, 'One or more records have been rejected due to invalid timestamp', errors)
  }
  const shown = errors.slice(0, 3).map(({ batchIndex, message }) => `RecordError(batchIndex=${batchIndex}, message='${message}')`)
  throw new RecordsError(
    ErrorCode.INVALID_RECORD,
    `One or more records have been rejected due to ${total} record errors in total, and only showing the first three errors `
    + `at most: [${shown.join(', ')}]`,
    errors)
}

/** The records of a batch again, with consecutive offsets, uncompressed. */
function rebuild(records: Buffer, opened: Buffer): Buffer {
  const builder = new BatchBuilder({
    producerId: producerIdAt(records, 0),
    producerEpoch: producerEpochAt(records, 0),
    baseSequence: baseSequenceAt(records, 0),
    transactional: isTransactionalAt(records, 0),
    control: isControlAt(records, 0),
  }, opened.length + BATCH_HEADER_BYTES)
  forEachRecord(records, opened, (record) => {
    builder.append(record.key, record.value, record.headers, record.timestamp)
  })
  return builder.build()
}

/** Checks the records of a message set, and writes them as a plain batch. */
function fromMessageSet(
  records: readonly LegacyRecord[],
  timestampType: TimestampType,
  rules: AppendRules,
  nowMs: number,
): Buffer {
  const flagged = timestampType === TimestampTypes.logAppendTime
  const problems: Problem[] = []
  let total = 0
  for (const [index, record] of records.entries()) {
    const problem = problemOf(index, record, flagged, rules, nowMs)
    if (problem !== undefined && total++ < MAX_LISTED_ERRORS) problems.push(problem)
  }
  if (total > 0) refuse(problems, total)
  return upConvert(records, {})
}

/** Compresses a plain batch as the topic asks for it. */
function finish(plain: Buffer, source: Codec, rules: AppendRules): Buffer {
  const codec = targetCodec(source, rules)
  if (codec === Codec.none) return plain
  return withBody(plain, codec, compress(codec, plain.subarray(BATCH_HEADER_BYTES), rules.compressionLevel))
}

async function finishLater(plain: Buffer, source: Codec, rules: AppendRules, pool: CompressionPool): Promise<Buffer> {
  const codec = targetCodec(source, rules)
  if (codec === Codec.none) return plain
  return withBody(plain, codec, await pool.compress(codec, plain.subarray(BATCH_HEADER_BYTES), rules.compressionLevel))
}

function withBody(plain: Buffer, codec: Codec, body: Buffer): Buffer {
  const header = readBatchHeader(plain, 0)
  const batch = Buffer.allocUnsafe(BATCH_HEADER_BYTES + body.length)
  batch.set(body, BATCH_HEADER_BYTES)
  writeBatchHeader(batch, 0, batch.length, { ...header, attributes: header.attributes | codec })
  return batch
}

/** Gives a checked batch its offsets, epoch and time. */
function stamp(records: Buffer, rebuilt: boolean, rules: AppendRules, placement: Placement): Appendable {
  const recordCount = recordCountAt(records, 0)
  const lastOffset = placement.firstOffset + recordCount - 1
  const logAppendTime = rules.timestampType === TimestampTypes.logAppendTime
  const maxTimestamp = logAppendTime ? placement.nowMs : maxTimestampAt(records, 0)
  setLastOffsetAt(records, 0, lastOffset)
  setLeaderEpochAt(records, 0, placement.leaderEpoch)
  stampTimestampType(records, 0, rules.timestampType, maxTimestamp)
  return {
    records,
    rebuilt,
    firstOffset: placement.firstOffset,
    lastOffset,
    recordCount,
    maxTimestamp,
    logAppendTime: logAppendTime ? placement.nowMs : NO_TIMESTAMP,
  }
}

/** Compressed data that cannot be opened is the producer's fault: its checksum was right. */
function asRefusal(error: unknown, rules: AppendRules): unknown {
  if (!(error instanceof CompressionError)) return error
  const code = error.code === 'TOO_LARGE' ? ErrorCode.MESSAGE_TOO_LARGE : ErrorCode.INVALID_RECORD
  return new RecordsError(code, `${error.message} in topic partition ${rules.topicPartition}`)
}

function refusing<T>(rules: AppendRules, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw asRefusal(error, rules)
  }
}

async function refusingLater<T>(rules: AppendRules, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw asRefusal(error, rules)
  }
}
