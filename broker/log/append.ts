import { ErrorCode } from '../../protocol/errors'
import {
  baseOffsetAt, baseSequenceAt, batchSizeAt, isControlAt, isTransactionalAt, lastSequenceAt, leaderEpochAt, magicAt,
  NO_PRODUCER_ID, NO_TIMESTAMP, producerEpochAt, producerIdAt, recordCountAt,
} from '../../protocol/records/batch'
import { checkStructure } from '../../protocol/records/structure'
import { placeRecords } from '../../protocol/records/validate'
import type { Appendable } from '../../protocol/records/validate'
import { lastOffsetOf, maxTimestampOf } from './segment/batch-scan'
import { asLogError, LogError, StorageError } from './log-error'
import type { Log } from './log'
import type { AppendInfo, AppendOptions } from './log-types'
import { MAX_RELATIVE_OFFSET } from './segment/offset-index'
import { ProducerEntry } from './producer/producer-entry'
import type { BatchMetadata } from './producer/producer-entry'
import { dataBatchAt, endMarkerAt, replayBatch } from './producer/producer-recovery'
import { maybeRoll } from './roll'
import type { Segment } from './segment/segment'

/** Whole batches that go to one segment with one write. */
interface Chunk {
  records: Buffer
  firstOffset: number
  lastOffset: number
  maxTimestamp: number
  /** Last offset of the batch that has it. */
  offsetOfMaxTimestamp: number
  recordCount: number
}

/** Runs `work`; what is wrong with the records comes out as LogError. */
function refusing<A extends unknown[], T>(work: (...args: A) => T, ...args: A): T {
  try {
    return work(...args)
  } catch (error) {
    throw asLogError(error)
  }
}

export function appendAsLeader(log: Log, records: Buffer, options: AppendOptions): AppendInfo {
  const nowMs = log.context.clock.wallMs()
  const placed = refusing(checkAndPlace, log, records, options, nowMs)
  if (placed === undefined) return nothingAppended(log)
  const { maxMessageBytes } = log.config
  if (placed.rebuilt && placed.records.length > maxMessageBytes) {
    throw new LogError(
      ErrorCode.MESSAGE_TOO_LARGE,
      `Message batch size is ${placed.records.length} bytes in append to partition ${log.name} `
        + `which exceeds the maximum configured size of ${maxMessageBytes}.`,
    )
  }
  const duplicate = checkProducer(log, placed.records, options)
  if (duplicate !== undefined) return duplicateInfo(log, duplicate)
  const chunk = chunkOf(placed)
  if (chunk.records.length > log.config.segmentBytes) {
    throw new LogError(
      ErrorCode.RECORD_LIST_TOO_LARGE,
      `Message batch size is ${chunk.records.length} bytes in append to partition ${log.name}, `
        + `which exceeds the maximum configured segment size of ${log.config.segmentBytes}.`,
    )
  }
  write(log, chunk, nowMs)
  return infoOf(log, chunk, placed.logAppendTime)
}

function checkAndPlace(log: Log, given: Buffer, options: AppendOptions, nowMs: number): Appendable | undefined {
  const rules = log.appendRules.get(log.name, log.config, options.origin === 'client')
  const prepared = options.prepared?.rules === rules ? options.prepared.outcome : undefined
  if (prepared instanceof LogError) throw prepared
  const records = prepared ?? given
  const structure = checkStructure(records, rules)
  if (structure.validBytes === 0) return undefined
  const whole = structure.validBytes === records.length ? records : records.subarray(0, structure.validBytes)
  const placement = { firstOffset: log.endOffset, leaderEpoch: options.leaderEpoch, nowMs }
  return placeRecords(whole, structure, rules, placement, prepared !== undefined)
}

function chunkOf(placed: Appendable): Chunk {
  const { records, firstOffset, lastOffset, maxTimestamp, recordCount } = placed
  return { records, firstOffset, lastOffset, maxTimestamp, offsetOfMaxTimestamp: lastOffset, recordCount }
}

/** Refuses what this producer may not write now; gives the batch that is in the log already if this one repeats it. */
function checkProducer(log: Log, records: Buffer, options: AppendOptions): BatchMetadata | undefined {
  const producerId = producerIdAt(records, 0)
  if (producerId === NO_PRODUCER_ID) return undefined
  const { producerState } = log
  const entry = producerState.entry(producerId) ?? new ProducerEntry(producerId)
  if (isControlAt(records, 0)) {
    const marker = refusing(endMarkerAt, records, 0)
    if (marker !== undefined) producerState.checkMarker(entry, marker)
    return undefined
  }
  if (options.origin === 'client') {
    const duplicate = entry.findDuplicate(producerEpochAt(records, 0), baseSequenceAt(records, 0), lastSequenceAt(records, 0))
    if (duplicate !== undefined) return duplicate
  }
  if (isTransactionalAt(records, 0) && entry.currentTxnFirstOffset < 0 && log.context.transactionVerification
    && !producerState.isVerified(producerId, options.verificationGuard)) {
    throw new LogError(ErrorCode.INVALID_TXN_STATE, 'Record was not part of an ongoing transaction')
  }
  producerState.checkData(entry, dataBatchAt(records, 0), options.origin)
  return undefined
}

function duplicateInfo(log: Log, duplicate: BatchMetadata): AppendInfo {
  return {
    ...nothingAppended(log),
    firstOffset: duplicate.lastOffset - duplicate.offsetDelta,
    lastOffset: duplicate.lastOffset,
    logAppendTime: duplicate.timestamp,
    duplicate: true,
  }
}

function nothingAppended(log: Log): AppendInfo {
  return {
    firstOffset: -1,
    lastOffset: -1,
    maxTimestamp: NO_TIMESTAMP,
    logAppendTime: NO_TIMESTAMP,
    logStartOffset: log.startOffset,
    duplicate: false,
    recordErrors: [],
    bytes: 0,
    recordCount: 0,
  }
}

function infoOf(log: Log, chunk: Chunk, logAppendTime: number): AppendInfo {
  return {
    firstOffset: chunk.firstOffset,
    lastOffset: chunk.lastOffset,
    maxTimestamp: chunk.maxTimestamp,
    logAppendTime,
    logStartOffset: log.startOffset,
    duplicate: false,
    recordErrors: [],
    bytes: chunk.records.length,
    recordCount: chunk.recordCount,
  }
}

/** Adds a chunk to the log; what could be refused has been. */
function write(log: Log, chunk: Chunk, nowMs: number): void {
  const { records, firstOffset, lastOffset, maxTimestamp } = chunk
  const question = { bytes: records.length, lastOffset, maxTimestamp, nowMs }
  const segment = maybeRoll(log, question, firstOffset)
  for (let pos = 0; pos < records.length; pos += batchSizeAt(records, pos)) {
    if (magicAt(records, pos) >= 2) log.epochs.assign(leaderEpochAt(records, pos), baseOffsetAt(records, pos))
  }
  const waits = segment.append(records, log.endOffset, lastOffset, maxTimestamp, chunk.offsetOfMaxTimestamp, log.config)
  log.endOffset = lastOffset + 1
  const wantsFlush = log.endOffset - log.flusher.syncedOffset >= log.config.flushMessages
  if (waits || wantsFlush) scheduleEndOfTurn(log)
  for (let pos = 0; pos < records.length; pos += batchSizeAt(records, pos)) replay(log, segment, records, pos)
}

function replay(log: Log, segment: Segment, records: Buffer, pos: number): void {
  if (magicAt(records, pos) < 2 || producerIdAt(records, pos) === NO_PRODUCER_ID) return
  replayBatch(log.producerState, records, pos, (transaction) => {
    if (!transaction.isAborted) return
    segment.txnIndex.append({
      producerId: transaction.producerId,
      firstOffset: transaction.firstOffset,
      lastOffset: transaction.lastOffset,
      lastStableOffset: log.producerState.lastStableOffsetAfter(transaction),
    })
  })
}

function scheduleEndOfTurn(log: Log): void {
  if (log.awaitsEndOfTurn) return
  log.awaitsEndOfTurn = true
  log.context.turn.atEnd(0, () => {
    log.awaitsEndOfTurn = false
    if (!log.isOnline) return
    try {
      log.guard(`appending to ${log.name}`, () => {
        log.writeStaged()
        if (log.endOffset - log.flusher.syncedOffset >= log.config.flushMessages) log.flusher.flushNow()
      })
    } catch (error) {
      // The directory is offline now, and has told so; answers look at `isOnline`.
      if (!(error instanceof StorageError)) throw error
    }
  })
}

export function appendAsFollower(log: Log, records: Buffer, leaderEpochOfRequest: number | undefined): AppendInfo {
  const structure = refusing(checkStructure, records, { topicPartition: log.name, fromClient: false })
  if (!structure.monotonic) {
    throw new LogError(ErrorCode.UNKNOWN_SERVER_ERROR, `Out of order offsets found in append to ${log.name}`)
  }
  const nowMs = log.context.clock.wallMs()
  let info = nothingAppended(log)
  for (const chunk of chunks(log, records.subarray(0, structure.validBytes), leaderEpochOfRequest)) {
    checkNextOffset(log, chunk)
    write(log, chunk, nowMs)
    const added = infoOf(log, chunk, NO_TIMESTAMP)
    info = info.bytes === 0 ? added : joined(info, added)
  }
  return info
}

function joined(first: AppendInfo, second: AppendInfo): AppendInfo {
  return {
    ...second,
    firstOffset: first.firstOffset,
    maxTimestamp: Math.max(first.maxTimestamp, second.maxTimestamp),
    bytes: first.bytes + second.bytes,
    recordCount: first.recordCount + second.recordCount,
  }
}

/**
 * Where the leader's log start lies inside a batch (after DeleteRecords) the first batch that it sends begins below it: an
 * empty log begins there then, too. Anything else that begins below the end is a mistake.
 */
function checkNextOffset(log: Log, chunk: Chunk): void {
  if (chunk.firstOffset >= log.endOffset) return
  if (log.startOffset === log.endOffset && chunk.lastOffset >= log.endOffset) {
    const report = { log: log.name, offset: chunk.firstOffset, endOffset: log.endOffset }
    log.context.logger.warn(report, 'an empty log begins at an earlier offset')
    log.truncateFullyAndStartAt(chunk.firstOffset)
    return
  }
  throw new LogError(
    ErrorCode.UNKNOWN_SERVER_ERROR,
    `Unexpected offset in append to ${log.name}. `
      + `First offset ${chunk.firstOffset} is less than the next offset ${log.endOffset}. `
      + `Last offset in append: ${chunk.lastOffset}. Log start offset = ${log.startOffset}`,
  )
}

/** The batches in pieces that fit in a segment. Ends before a batch of a later epoch than the asked leader's. */
function* chunks(log: Log, records: Buffer, leaderEpochOfRequest: number | undefined): Generator<Chunk> {
  let start = 0
  let chunk: Chunk | undefined
  for (let pos = 0; pos < records.length; pos += batchSizeAt(records, pos)) {
    const isV2 = magicAt(records, pos) >= 2
    if (leaderEpochOfRequest !== undefined && isV2 && leaderEpochAt(records, pos) > leaderEpochOfRequest) {
      const report = { log: log.name, epoch: leaderEpochAt(records, pos), leaderEpochOfRequest }
      log.context.logger.warn(report, 'batches of a later epoch are left out')
      break
    }
    const end = pos + batchSizeAt(records, pos)
    const lastOffset = lastOffsetOf(records, pos)
    const fits = chunk === undefined
      || (end - start <= log.config.segmentBytes && lastOffset - chunk.firstOffset <= MAX_RELATIVE_OFFSET)
    if (chunk !== undefined && !fits) {
      yield chunk
      start = pos
      chunk = undefined
    }
    chunk ??= emptyChunk(isV2 ? baseOffsetAt(records, pos) : Math.max(log.endOffset, lastOffset - MAX_RELATIVE_OFFSET))
    chunk.records = records.subarray(start, end)
    chunk.lastOffset = lastOffset
    chunk.recordCount += isV2 ? recordCountAt(records, pos) : 1
    const timestamp = maxTimestampOf(records, pos)
    if (timestamp > chunk.maxTimestamp) {
      chunk.maxTimestamp = timestamp
      chunk.offsetOfMaxTimestamp = lastOffset
    }
  }
  if (chunk !== undefined) yield chunk
}

function emptyChunk(firstOffset: number): Chunk {
  return {
    records: Buffer.alloc(0),
    firstOffset,
    lastOffset: -1,
    maxTimestamp: NO_TIMESTAMP,
    offsetOfMaxTimestamp: -1,
    recordCount: 0,
  }
}
