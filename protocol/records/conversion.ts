/**
 * Between the record formats: what old producers send becomes a batch of magic 2, what old consumers fetch becomes a message set.
 */
import type { CompressionPool } from './compression'
import type { BatchOptions } from './records'
import { BatchBuilder, DEFAULT_MAX_DECOMPRESSED_BYTES, decodeRecords, forEachRecord, iterateBatches, recordBytes } from './records'
import { Codec, TimestampType, codecAt, isControlAt, magicAt, maxTimestampAt, nextOffsetAt, timestampTypeAt } from './batch'
import type { LegacyMagic, LegacyMessage, LegacyRecord } from './legacy'
import { CompressionError } from './compression-error'
import { MessageSetWriter, decompressWrapper, legacyMessages, legacyRecords, readLegacyMessage, wrappedRecords } from './legacy'
import type { Record } from './record'
import { RecordsError, invalid } from './records-error'

/** A batch that has more, opened or as messages, is not converted: that would hold up the broker for seconds. */
const MAX_DOWN_CONVERTED_BYTES = 64 * 1024 * 1024

/** The records of a batch of any magic. Throws RecordsError, CompressionError. */
export function decodeAnyRecords(batch: Buffer, maxBytes = DEFAULT_MAX_DECOMPRESSED_BYTES): (Record | LegacyRecord)[] {
  return magicAt(batch, 0) >= 2 ? decodeRecords(batch, maxBytes) : legacyRecords(readLegacyMessage(batch, 0), maxBytes)
}

/** A message set as it was produced, opened. */
export interface OpenedMessageSet {
  magic: LegacyMagic
  codec: Codec
  timestampType: TimestampType
  records: LegacyRecord[]
}

/**
 * Opens what a Produce request of version 0 to 2 carries: messages of one magic, or one wrapper. Throws RecordsError for mixed
 * magics, for a wrapper that is not alone, and for whatever is wrong inside; CompressionError.
 */
export function openMessageSet(set: Buffer, maxBytes = DEFAULT_MAX_DECOMPRESSED_BYTES): OpenedMessageSet {
  const { messages, first, codec } = shallowMessages(set)
  const records = codec === Codec.none ? messages : wrappedRecords(first, decompressWrapper(first, maxBytes))
  return { magic: first.magic, codec, timestampType: first.timestampType, records }
}

/** The same, with the wrapper opened by a pool. */
export async function openMessageSetLater(set: Buffer, maxBytes: number, pool: CompressionPool): Promise<OpenedMessageSet> {
  const { messages, first, codec } = shallowMessages(set)
  const records = codec === Codec.none ? messages : wrappedRecords(first, await decompressLater(first, maxBytes, pool))
  return { magic: first.magic, codec, timestampType: first.timestampType, records }
}

function shallowMessages(set: Buffer): { messages: LegacyMessage[]; first: LegacyMessage; codec: Codec } {
  const messages = legacyMessages(set)
  const first = messages[0]
  if (first === undefined) throw invalid('Record batch has no batches at all')
  for (const { magic } of messages) {
    if (magic === first.magic) continue
    throw invalid(`Batch magic ${magic} is not the same as the first batch's magic byte ${first.magic}`)
  }
  const codec = messages.find((each) => each.codec !== Codec.none)?.codec ?? Codec.none
  if (codec !== Codec.none && messages.length > 1) throw invalid('Compressed outer record has more than one batch')
  return { messages, first, codec }
}

function decompressLater(wrapper: LegacyMessage, maxBytes: number, pool: CompressionPool): Promise<Buffer> {
  // lz4 of magic 0 needs its header put right, which a pool does not know of.
  if (wrapper.value === null || wrapper.codec === Codec.zstd || (wrapper.codec === Codec.lz4 && wrapper.magic === 0)) {
    return Promise.resolve().then(() => decompressWrapper(wrapper, maxBytes))
  }
  return pool.decompress(wrapper.codec, wrapper.value, maxBytes)
}

/** The records as one batch of magic 2, with offsets from `options.baseOffset` on. */
export function upConvert(records: readonly LegacyRecord[], options: BatchOptions): Buffer {
  const builder = new BatchBuilder(options)
  for (const record of records) builder.append(record.key, record.value, [], record.timestamp)
  return builder.build()
}

/**
 * One batch for a consumer that reads no more than `magic`: undefined if nothing of it is for such a one (control batches, or all
 * below `fetchOffset`). A compressed batch is converted whole, also where its first records lie below `fetchOffset`. Throws
 * RecordsError: UNSUPPORTED_COMPRESSION_TYPE for zstd, MESSAGE_TOO_LARGE for what would be larger than `maxBytes` opened.
 */
export function downConvertBatch(
  batch: Buffer,
  magic: LegacyMagic,
  fetchOffset: number,
  maxBytes = MAX_DOWN_CONVERTED_BYTES,
): Buffer | undefined {
  if (magicAt(batch, 0) <= magic) return batch
  const isV2 = magicAt(batch, 0) >= 2
  if (isV2 && isControlAt(batch, 0)) return undefined
  const logAppendTime = isV2 && timestampTypeAt(batch, 0) === TimestampType.logAppendTime
  const codec = isV2 ? codecAt(batch, 0) : readLegacyMessage(batch, 0).codec
  const writer = new MessageSetWriter(magic, {
    codec,
    timestampType: logAppendTime ? TimestampType.logAppendTime : TimestampType.createTime,
    logAppendTime: logAppendTime ? maxTimestampAt(batch, 0) : -1,
  }, codec === Codec.none ? Infinity : maxBytes)
  const append = (record: Record | LegacyRecord): void => {
    if (codec !== Codec.none || record.offset >= fetchOffset) writer.append(record)
  }
  // One record at a time: a small batch that nobody opened when it came may hold millions.
  if (isV2) forEachRecord(batch, recordBytes(batch, maxBytes), append)
  else legacyRecords(readLegacyMessage(batch, 0), maxBytes).forEach(append)
  const set = writer.finish()
  return set.length === 0 ? undefined : set
}

export interface DownConverted {
  /** Message sets of the asked magic, at most about `maxBytes` (the first batch whole, however large). */
  records: Buffer
  /** Offset of the first record that is not in it. */
  nextOffset: number
}

/** Down-converts batches from the beginning of `records` until `maxBytes` of output are there. */
export function downConvert(records: Buffer, magic: LegacyMagic, fetchOffset: number, maxBytes: number): DownConverted {
  const parts: Buffer[] = []
  let bytes = 0
  let nextOffset = fetchOffset
  for (const batch of iterateBatches(records)) {
    if (bytes > 0 && bytes + batch.length > maxBytes) break
    let converted: Buffer | undefined
    try {
      converted = downConvertBatch(batch, magic, fetchOffset)
    } catch (error) {
      // What stands before it can be read; the consumer hears of it when it has come so far.
      if (bytes > 0 && (error instanceof RecordsError || error instanceof CompressionError)) break
      throw error
    }
    if (converted !== undefined) {
      parts.push(converted)
      bytes += converted.length
    }
    nextOffset = magicAt(batch, 0) >= 2 ? nextOffsetAt(batch, 0) : readLegacyMessage(batch, 0).offset + 1
  }
  return { records: parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts), nextOffset }
}
