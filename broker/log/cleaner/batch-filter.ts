import {
  ATTRIBUTES_AT, attributesAt, BASE_TIMESTAMP_AT, BATCH_HEADER_BYTES, BATCH_LENGTH_AT, baseOffsetAt, baseTimestampAt, Codec, codecAt,
  DELETE_HORIZON_FLAG, hasDeleteHorizonAt, isControlAt, LOG_OVERHEAD_BYTES, magicAt, MAX_TIMESTAMP_AT, maxTimestampAt,
  NO_PRODUCER_ID, NO_TIMESTAMP, producerEpochAt, producerIdAt, readBatchHeader, RECORD_COUNT_AT, recordCountAt, sealBatchAt,
  TimestampType, timestampTypeAt, writeBatchHeader, CODEC_MASK, lastOffsetAt,
} from '../../../protocol/records/batch'
import { writeInt16, writeInt32, writeInt64 } from '../../../protocol/records/big-endian'
import { compress, decompress } from '../../../protocol/records/compression'
import { legacyRecords, readLegacyMessage, writeMessageSet } from '../../../protocol/records/legacy'
import { DEFAULT_MAX_DECOMPRESSED_BYTES } from '../../../protocol/records/records'
import { varlongSize, writeVarint, writeVarlong } from '../../../protocol/records/varint'
import type { CleaningJob, CleaningStats, LastRecord } from './cleaning-job'
import type { OffsetMap } from './offset-map'
import type { Output } from './output'
import { RecordCursor } from './record-cursor'
import type { TransactionTracker } from './transaction-tracker'

/** Takes each batch, decides what of it stays, and writes that: Kafka's RecordFilter and MemoryRecords.filterTo. */
export class BatchFilter {
  private readonly job: CleaningJob
  private readonly map: OffsetMap
  private readonly transactions: TransactionTracker
  private readonly stats: CleaningStats
  private readonly output: Output
  private readonly lastRecords: Map<number, LastRecord>
  /** Where kept records begin and end, in turns; neighbours are one. */
  private kept: number[] = []
  private keptCount = 0
  private keepsTombstone = false
  private maxTimestampDelta = 0

  constructor(job: CleaningJob, map: OffsetMap, transactions: TransactionTracker, stats: CleaningStats, output: Output) {
    this.job = job
    this.map = map
    this.transactions = transactions
    this.stats = stats
    this.output = output
    this.lastRecords = new Map(job.lastRecords.map((last) => [last.producerId, last]))
  }

  /**
   * The batch in `chunk[pos, end)`. `keepsLegacyTombstones`: those of magic 0 and 1 are not old enough yet, by their segment's
   * time. Throws RecordsError, VarintError, CompressionError for what cannot be read.
   */
  take(chunk: Buffer, pos: number, end: number, keepsLegacyTombstones: boolean): void {
    if (magicAt(chunk, pos) < 2) this.takeLegacy(chunk, pos, end, keepsLegacyTombstones)
    else if (isControlAt(chunk, pos)) this.takeControl(chunk, pos, end)
    else this.takeData(chunk, pos, end)
  }

  private takeControl(chunk: Buffer, pos: number, end: number): void {
    const count = recordCountAt(chunk, pos)
    this.stats.messagesRead += count
    const isUseless = this.transactions.onControl(chunk, pos)
    const horizonPassed = hasDeleteHorizonAt(chunk, pos) && baseTimestampAt(chunk, pos) <= this.job.nowMs
    if (count === 0 || (isUseless && horizonPassed)) {
      if (this.isLastOfProducer(chunk, pos)) this.keepEmpty(chunk, pos)
      return
    }
    this.stats.messagesWritten += count
    if (!isUseless || hasDeleteHorizonAt(chunk, pos)) {
      this.output.copy(chunk, pos, end)
      return
    }
    const records = this.recordsOf(chunk, pos, end)
    const cursor = new RecordCursor(records)
    this.startKeeping()
    for (let i = 0; i < count; i++) {
      cursor.next()
      this.keep(cursor)
    }
    this.rewrite(chunk, pos, records, true)
  }

  private takeData(chunk: Buffer, pos: number, end: number): void {
    const count = recordCountAt(chunk, pos)
    this.stats.messagesRead += count
    const isAborted = this.transactions.onData(chunk, pos)
    this.startKeeping()
    if (isAborted || count === 0) {
      if (this.isLastOfProducer(chunk, pos)) this.keepEmpty(chunk, pos)
      return
    }
    const records = this.recordsOf(chunk, pos, end)
    this.select(chunk, pos, records, count)
    this.stats.messagesWritten += this.keptCount
    if (this.keptCount === 0) {
      if (this.isLastOfProducer(chunk, pos)) this.keepEmpty(chunk, pos)
      return
    }
    const getsHorizon = this.keepsTombstone && !hasDeleteHorizonAt(chunk, pos)
    if (this.keptCount === count && !getsHorizon) this.output.copy(chunk, pos, end)
    else this.rewrite(chunk, pos, records, getsHorizon)
  }

  private recordsOf(chunk: Buffer, pos: number, end: number): Buffer {
    const bytes = chunk.subarray(pos + BATCH_HEADER_BYTES, end)
    const codec = codecAt(chunk, pos)
    return codec === Codec.none ? bytes : decompress(codec, bytes, DEFAULT_MAX_DECOMPRESSED_BYTES)
  }

  /** Goes through the records, and keeps those that nothing later replaces. */
  private select(chunk: Buffer, pos: number, records: Buffer, count: number): void {
    const baseOffset = baseOffsetAt(chunk, pos)
    const keepsTombstones = !hasDeleteHorizonAt(chunk, pos) || this.job.nowMs < baseTimestampAt(chunk, pos)
    const { map } = this
    const cursor = new RecordCursor(records)
    for (let i = 0; i < count; i++) {
      cursor.next()
      const offset = baseOffset + cursor.offsetDelta
      if (offset <= map.latestOffset) {
        if (cursor.keyAt < 0) {
          this.stats.invalidMessages++
          continue
        }
        if (!cursor.hasValue && !keepsTombstones) continue
        if (offset < map.get(records, cursor.keyAt, cursor.keyEnd)) continue
      }
      this.keep(cursor)
    }
  }

  private startKeeping(): void {
    this.kept.length = 0
    this.keptCount = 0
    this.keepsTombstone = false
    this.maxTimestampDelta = Number.NEGATIVE_INFINITY
  }

  private keep(cursor: RecordCursor): void {
    const { kept } = this
    if (kept.length > 0 && kept[kept.length - 1] === cursor.recordAt) kept[kept.length - 1] = cursor.at
    else kept.push(cursor.recordAt, cursor.at)
    this.keptCount++
    if (!cursor.hasValue) this.keepsTombstone = true
    if (cursor.timestampDelta > this.maxTimestampDelta) this.maxTimestampDelta = cursor.timestampDelta
  }

  /** True if this batch says what the producer's last sequence is. */
  private isLastOfProducer(chunk: Buffer, pos: number): boolean {
    const producerId = producerIdAt(chunk, pos)
    const last = producerId === NO_PRODUCER_ID ? undefined : this.lastRecords.get(producerId)
    if (last === undefined) return false
    if (last.lastDataOffset >= 0) return lastOffsetAt(chunk, pos) === last.lastDataOffset
    return isControlAt(chunk, pos) && producerEpochAt(chunk, pos) === last.producerEpoch
  }

  /** The header alone: no records, and no codec. */
  private keepEmpty(chunk: Buffer, pos: number): void {
    const header = readBatchHeader(chunk, pos)
    const target = this.output.reserve(BATCH_HEADER_BYTES)
    writeBatchHeader(target, this.output.length, BATCH_HEADER_BYTES, {
      ...header,
      attributes: header.attributes & ~(CODEC_MASK | DELETE_HORIZON_FLAG),
      baseTimestamp: header.maxTimestamp,
      recordCount: 0,
    })
    this.output.advance(BATCH_HEADER_BYTES)
  }

  /** The kept records under the header that they had, but for what the header says of them. */
  private rewrite(chunk: Buffer, pos: number, records: Buffer, getsHorizon: boolean): void {
    const baseTimestamp = baseTimestampAt(chunk, pos)
    const horizonMs = this.job.nowMs + this.job.config.deleteRetentionMs
    const plain = getsHorizon ? this.shifted(records, baseTimestamp - horizonMs) : this.gathered(records)
    const codec = codecAt(chunk, pos)
    const body = codec === Codec.none ? plain : compress(codec, plain)
    const size = BATCH_HEADER_BYTES + body.length
    const target = this.output.reserve(size)
    const at = this.output.length
    chunk.copy(target, at, pos, pos + BATCH_HEADER_BYTES)
    body.copy(target, at + BATCH_HEADER_BYTES)
    writeInt32(target, at + BATCH_LENGTH_AT, size - LOG_OVERHEAD_BYTES)
    if (getsHorizon) {
      writeInt16(target, at + ATTRIBUTES_AT, attributesAt(chunk, pos) | DELETE_HORIZON_FLAG)
      writeInt64(target, at + BASE_TIMESTAMP_AT, horizonMs)
    }
    if (timestampTypeAt(chunk, pos) === TimestampType.createTime) {
      writeInt64(target, at + MAX_TIMESTAMP_AT, Math.max(baseTimestamp + this.maxTimestampDelta, NO_TIMESTAMP))
    } else {
      writeInt64(target, at + MAX_TIMESTAMP_AT, maxTimestampAt(chunk, pos))
    }
    writeInt32(target, at + RECORD_COUNT_AT, this.keptCount)
    sealBatchAt(target, at)
    this.output.advance(size)
  }

  private gathered(records: Buffer): Buffer {
    const { kept } = this
    if (kept.length === 2) return records.subarray(kept[0]!, kept[1]!)
    const parts: Buffer[] = []
    for (let i = 0; i < kept.length; i += 2) parts.push(records.subarray(kept[i]!, kept[i + 1]!))
    return Buffer.concat(parts)
  }

  /** The kept records, their timestamps told from another base. All else of them is copied as it is. */
  private shifted(records: Buffer, by: number): Buffer {
    const gathered = this.gathered(records)
    // A length and a timestamp may take 5 and 10 bytes more than they did.
    const target = Buffer.allocUnsafe(gathered.length + this.keptCount * 15)
    const cursor = new RecordCursor(gathered)
    let at = 0
    for (let i = 0; i < this.keptCount; i++) {
      cursor.next()
      const delta = cursor.timestampDelta + by
      const rest = cursor.at - cursor.restAt
      at = writeVarint(target, at, 1 + varlongSize(delta) + rest)
      target[at++] = gathered[cursor.bodyAt]!
      at = writeVarlong(target, at, delta)
      at += gathered.copy(target, at, cursor.restAt, cursor.at)
    }
    return target.subarray(0, at)
  }

  private takeLegacy(chunk: Buffer, pos: number, end: number, keepsTombstones: boolean): void {
    const { map, stats } = this
    const message = readLegacyMessage(chunk.subarray(pos, end), 0)
    const records = legacyRecords(message, DEFAULT_MAX_DECOMPRESSED_BYTES)
    stats.messagesRead += records.length
    const kept = records.filter(({ offset, key, value }) => {
      if (offset > map.latestOffset) return true
      if (key === null) {
        stats.invalidMessages++
        return false
      }
      return offset >= map.get(key, 0, key.length) && (value !== null || keepsTombstones)
    })
    stats.messagesWritten += kept.length
    if (kept.length === records.length) {
      this.output.copy(chunk, pos, end)
    } else if (kept.length > 0) {
      const { magic, codec, timestampType, timestamp } = message
      const set = writeMessageSet(magic, { codec, timestampType, logAppendTime: timestamp, records: kept })
      this.output.copy(set, 0, set.length)
    }
  }
}
