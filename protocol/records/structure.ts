/**
 * The first look at records that arrive: where each batch ends, whether it is as large as it may be, and whether its checksum is
 * right (Kafka's UnifiedLog.analyzeAndValidateRecords and ProduceRequest.validateRecords).
 */
import { ErrorCode } from '../errors'
import type { Codec } from './batch'
import {
  BATCH_HEADER_BYTES,
  Codec as Codecs,
  HEADER_BYTES_UP_TO_MAGIC,
  LOG_OVERHEAD_BYTES,
  baseOffsetAt,
  batchSizeAt,
  codecAt,
  computeCrcAt,
  crcAt,
  lastOffsetAt,
  magicAt,
} from './batch'
import { codecName } from './compression'
import { legacyCodecAt, legacyIsValidAt } from './legacy'
import { RecordsError, corrupt, invalid } from './records-error'

/** What the first look found. */
export interface Structure {
  /** Bytes of whole batches; a piece of one may follow. */
  validBytes: number
  batchCount: number
  /** Of the first batch; -1 without one. */
  magic: number
  /** The codec that is used, of all batches; 0 if none is. */
  codec: Codec
  /** As the headers say it. -1 without a batch; in magic 0 and 1 `firstOffset` is the first message's own. */
  firstOffset: number
  lastOffset: number
  /** Each batch ends above the one before. */
  monotonic: boolean
}

/** What a partition allows; `topicPartition` (`topic-0`) is for messages. */
export interface StructureRules {
  topicPartition: string
  /** A client's batches of magic 2 begin at offset 0. */
  fromClient: boolean
  /** undefined: any size. */
  maxMessageBytes?: number
}

/** Looks at every batch. RecordsError: CORRUPT_MESSAGE, MESSAGE_TOO_LARGE, INVALID_RECORD or UNSUPPORTED_COMPRESSION_TYPE. */
export function checkStructure(records: Buffer, rules: StructureRules): Structure {
  const found: Structure = {
    validBytes: 0, batchCount: 0, magic: -1, codec: Codecs.none, firstOffset: -1, lastOffset: -1, monotonic: true,
  }
  let pos = 0
  while (records.length - pos >= LOG_OVERHEAD_BYTES) {
    const size = batchSizeAt(records, pos)
    if (size < LOG_OVERHEAD_BYTES + 14) {
      throw corrupt(`Record size ${size - LOG_OVERHEAD_BYTES} is less than the minimum record overhead (14)`)
    }
    if (records.length - pos < HEADER_BYTES_UP_TO_MAGIC) break
    const magic = magicAt(records, pos)
    if (magic < 0 || magic > 2) throw corrupt(`Invalid magic found in record: ${magic}`)
    if (size > records.length - pos) break
    checkBatch(records, pos, size, magic, rules)
    const codec = magic === 2 ? codecAt(records, pos) : legacyCodecAt(records, pos)
    if (codecName(codec) === undefined) {
      throw new RecordsError(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, `Unknown compression type id: ${codec}`)
    }
    if (found.batchCount === 0) {
      found.magic = magic
      found.firstOffset = baseOffsetAt(records, pos)
    }
    const lastOffset = magic === 2 ? lastOffsetAt(records, pos) : baseOffsetAt(records, pos)
    if (found.batchCount > 0 && lastOffset <= found.lastOffset) found.monotonic = false
    if (codec !== Codecs.none) found.codec = codec
    found.lastOffset = lastOffset
    found.batchCount++
    pos += size
    found.validBytes = pos
  }
  return found
}

function checkBatch(records: Buffer, pos: number, size: number, magic: number, rules: StructureRules): void {
  if (rules.maxMessageBytes !== undefined && size > rules.maxMessageBytes) {
    throw new RecordsError(
      ErrorCode.MESSAGE_TOO_LARGE,
      `The record batch size in the append to ${rules.topicPartition} is ${size} bytes which exceeds the maximum configured `
      + `value of ${rules.maxMessageBytes}.`)
  }
  if (magic === 2) {
    const baseOffset = baseOffsetAt(records, pos)
    if (rules.fromClient && size >= BATCH_HEADER_BYTES && baseOffset !== 0) {
      throw invalid(
        `The baseOffset of the record batch in the append to ${rules.topicPartition} should be 0, but it is ${baseOffset}`)
    }
    if (size >= BATCH_HEADER_BYTES && computeCrcAt(records, pos) === crcAt(records, pos)) return
    const stored = size >= 21 ? crcAt(records, pos) : 0
    throw corrupt(`Record is corrupt (stored crc = ${stored}) in topic partition ${rules.topicPartition}.`)
  }
  if (legacyIsValidAt(records, pos)) return
  throw corrupt(`Record is corrupt (stored crc = ${records.readUInt32BE(pos + 12)}) in topic partition ${rules.topicPartition}.`)
}

/** What a Produce request of this version may carry for a partition. Throws RecordsError. */
export function checkProduceVersion(version: number, records: Buffer | null): void {
  if (version < 3) return
  const first = records === null ? undefined : wholeBatchSize(records, 0)
  if (records === null || first === undefined) {
    throw invalid(`Produce requests with version ${version} must have at least one record batch per partition`)
  }
  if (magicAt(records, 0) !== 2) {
    throw invalid(`Produce requests with version ${version} are only allowed to contain record batches with magic version 2`)
  }
  if (version < 7 && first >= BATCH_HEADER_BYTES && codecAt(records, 0) === Codecs.zstd) {
    throw new RecordsError(
      ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
      `Produce requests with version ${version} are not allowed to use ZStandard compression`)
  }
  if (wholeBatchSize(records, first) !== undefined) {
    throw invalid(`Produce requests with version ${version} are only allowed to contain exactly one record batch per partition`)
  }
}

function wholeBatchSize(records: Buffer, pos: number): number | undefined {
  if (records.length - pos < HEADER_BYTES_UP_TO_MAGIC) return undefined
  const size = batchSizeAt(records, pos)
  return size >= HEADER_BYTES_UP_TO_MAGIC && size <= records.length - pos ? size : undefined
}
