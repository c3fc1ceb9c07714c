import { basename, dirname, join } from 'node:path'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import {
  HEADER_BYTES_UP_TO_MAGIC,
  TimestampType,
  attributesAt,
  baseOffsetAt,
  baseSequenceAt,
  baseTimestampAt,
  batchIsValidAt,
  batchSizeAt,
  codecAt,
  crcAt,
  hasDeleteHorizonAt,
  isControlAt,
  isTransactionalAt,
  lastOffsetAt,
  lastSequenceAt,
  leaderEpochAt,
  magicAt,
  maxTimestampAt,
  producerEpochAt,
  producerIdAt,
  recordCountAt,
  timestampTypeAt,
} from '../../protocol/records/batch'
import { codecName } from '../../protocol/records/compression'
import { ControlType, decodeRecords, parseControlRecord } from '../../protocol/records/records'
import type { Record } from '../../protocol/records/records'

/** A segment read batch by batch, so that a large one costs no more memory than its largest batch. */
export class SegmentReader {
  readonly path: string
  readonly size: number
  private readonly fd: number

  constructor(path: string) {
    this.path = path
    this.fd = openSync(path, 'r')
    this.size = fstatSync(this.fd).size
  }

  /** The batch at a position; undefined at the end, or where what is left is no batch. */
  batchAt(position: number): Buffer | undefined {
    const header = this.read(position, HEADER_BYTES_UP_TO_MAGIC)
    if (header.length < HEADER_BYTES_UP_TO_MAGIC) return undefined
    const size = batchSizeAt(header, 0)
    if (size < HEADER_BYTES_UP_TO_MAGIC || size > this.size - position) return undefined
    return this.read(position, size)
  }

  *batches(from = 0, to = this.size): Generator<{ batch: Buffer; position: number }, number, undefined> {
    let position = from
    while (position < to) {
      const batch = this.batchAt(position)
      if (batch === undefined) break
      yield { batch, position }
      position += batch.length
    }
    return position
  }

  close(): void {
    closeSync(this.fd)
  }

  private read(position: number, length: number): Buffer {
    const bytes = Buffer.alloc(Math.max(Math.min(length, this.size - position), 0))
    return bytes.subarray(0, readSync(this.fd, bytes, 0, bytes.length, position))
  }
}

/** The number in a segment file's name. */
export function baseOffsetOf(path: string): number {
  const text = basename(path).split('.')[0]!
  if (!/^\d+$/.test(text)) throw new Error(`For input string: "${text}": the name of a segment's file is its base offset`)
  return Number(text)
}

export function logFileOf(path: string): string {
  return join(dirname(path), `${basename(path).split('.')[0]!}.log`)
}

export function timestampName(batch: Buffer): string {
  return timestampTypeAt(batch, 0) === TimestampType.logAppendTime ? 'LogAppendTime' : 'CreateTime'
}

/** The line of one batch, as Kafka's DumpLogSegments prints it. */
export function batchLine(batch: Buffer, position: number): string {
  const magic = magicAt(batch, 0)
  if (magic < 2) {
    // The offset of a message set is its last one; attributes stand after the checksum and the magic byte.
    const codec = batch[17]! & 7
    const timestamp = magic === 1 ? Number(batch.readBigInt64BE(18)) : -1
    const name = magic === 0 ? 'NoTimestampType' : (batch[17]! & 8) !== 0 ? 'LogAppendTime' : 'CreateTime'
    return (
      `offset: ${baseOffsetAt(batch, 0)} position: ${position} ${name}: ${timestamp} size: ${batch.length} magic: ` +
      `${magic} compresscodec: ${codecName(codec) ?? codec} crc: ${batch.readUInt32BE(12)}`
    )
  }
  const horizon = hasDeleteHorizonAt(batch, 0) ? `OptionalLong[${baseTimestampAt(batch, 0)}]` : 'OptionalLong.empty'
  return [
    `baseOffset: ${baseOffsetAt(batch, 0)} lastOffset: ${lastOffsetAt(batch, 0)} count: ${recordCountAt(batch, 0)}`,
    `baseSequence: ${baseSequenceAt(batch, 0)} lastSequence: ${lastSequenceAt(batch, 0)} producerId: ` +
      `${producerIdAt(batch, 0)} producerEpoch: ${producerEpochAt(batch, 0)}`,
    `partitionLeaderEpoch: ${leaderEpochAt(batch, 0)} isTransactional: ${isTransactionalAt(batch, 0)} isControl: ` +
      `${isControlAt(batch, 0)} deleteHorizonMs: ${horizon}`,
    `position: ${position} ${timestampName(batch)}: ${maxTimestampAt(batch, 0)} size: ${batch.length} magic: ${magic}`,
    `compresscodec: ${codecName(codecAt(batch, 0)) ?? attributesAt(batch, 0)} crc: ${crcAt(batch, 0)} isvalid: ` +
      `${batchIsValidAt(batch, 0)}`,
  ].join(' ')
}

/** The records of a batch of magic 2; none for older formats, which are shown by batch only. */
export function recordsOf(batch: Buffer): Record[] {
  return magicAt(batch, 0) < 2 ? [] : decodeRecords(batch)
}

export function recordLine(
  batch: Buffer,
  record: Record,
  options: {
    contents: boolean
    metadata: boolean
    parse: (record: Record) => { key?: string | undefined; payload?: string | undefined }
  },
): string {
  let line = ''
  if (options.metadata) {
    const sequence = baseSequenceAt(batch, 0) < 0 ? -1 : baseSequenceAt(batch, 0) + (record.offset - baseOffsetAt(batch, 0))
    line = [
      `| offset: ${record.offset} ${timestampName(batch)}: ${record.timestamp} keySize: ${record.key?.length ?? -1} ` +
        `valueSize: ${record.value?.length ?? -1}`,
      `sequence: ${sequence} headerKeys: [${record.headers.map(({ key }) => key).join(',')}]`,
    ].join(' ')
    const marker = isControlAt(batch, 0) ? parseControlRecord(record.key, record.value) : undefined
    if (marker !== undefined)
      line +=
        ` endTxnMarker: ${marker.type === ControlType.commit ? 'COMMIT' : 'ABORT'} coordinatorEpoch: ` +
        `${marker.coordinatorEpoch}`
  }
  if (options.contents && !isControlAt(batch, 0)) {
    const { key, payload } = options.parse(record)
    // Without metadata only a key brings the bar.
    if (key !== undefined) line += `${options.metadata ? '' : '|'} key: ${key}`
    if (payload !== undefined) line += ` payload: ${payload}`
  }
  return line
}
