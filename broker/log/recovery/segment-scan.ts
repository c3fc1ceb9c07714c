import { baseOffsetAt, batchIsValidAt, batchSizeAt, leaderEpochAt, magicAt } from '../../../protocol/records/batch'
import { legacyIsValidAt } from '../../../protocol/records/legacy'
import { RecordsError } from '../../../protocol/records/records-error'
import { HEADER_BYTES_UP_TO_MAGIC, isPlausible, lastOffsetOf, maxTimestampOf } from '../segment/batch-scan'
import type { EpochEntry } from '../leader-epochs'
import type { Log } from '../log'
import { replayBatch } from '../producer/producer-recovery'
import type { ProducerState } from '../producer/producer-state'
import type { Segment } from '../segment/segment'

const CHUNK_BYTES = 1024 * 1024

/** What was found in a segment that was scanned. */
export interface ScanResult {
  /** The offset after the last good batch. */
  nextOffset: number
  /** Where the good batches end. */
  validBytes: number
  /** Why the scan ended there, undefined at the end of the file. */
  damage: string | undefined
  /** Nothing is wrong but that the offsets span more than an index can tell. */
  overflows: boolean
}

/** What a checkpoint says of the epochs of the records that are scanned, and where the last one of them ended. */
export interface KnownEpochs {
  entries: readonly EpochEntry[]
  end: number
}

const NOTHING_KNOWN: readonly EpochEntry[] = []

/**
 * Looks at every batch of a segment, and builds its indexes, the epochs and the producer state anew from them. Ends at the
 * first one that is cut off, damaged or out of place. Yields after each chunk, so that a caller can let others run.
 *
 * `state` must be as of the segment's beginning. From `strictFrom` on (the recovery point) an epoch that goes back counts as
 * damage: that is an older piece of the file, left behind what was written after a truncation.
 */
export function* scanSegment(
  log: Log, segment: Segment, state: ProducerState, strictFrom: number,
  known: KnownEpochs = { entries: NOTHING_KNOWN, end: segment.baseOffset },
): Generator<void, ScanResult> {
  segment.resetIndexes()
  const result: ScanResult = { nextOffset: segment.baseOffset, validBytes: 0, damage: undefined, overflows: false }
  const { buffers } = log.context
  let buffer = buffers.take(CHUNK_BYTES)
  try {
    while (result.validBytes < segment.size) {
      const length = Math.min(buffer.length, segment.size - result.validBytes)
      segment.read(buffer, length, result.validBytes)
      const needed = scanChunk(log, segment, state, strictFrom, known, buffer.subarray(0, length), result)
      if (result.damage !== undefined || result.overflows) break
      if (needed > segment.size - result.validBytes) {
        result.damage = 'the last batch is cut off'
        break
      }
      if (needed > buffer.length) {
        buffers.give(buffer)
        buffer = buffers.take(needed)
      }
      yield
    }
  } finally {
    buffers.give(buffer)
  }
  return result
}

/** Scans what is whole in `chunk`; the bytes that the next batch needs. */
function scanChunk(
  log: Log, segment: Segment, state: ProducerState, strictFrom: number, known: KnownEpochs, chunk: Buffer, result: ScanResult,
): number {
  let pos = 0
  while (pos < chunk.length) {
    if (chunk.length - pos < HEADER_BYTES_UP_TO_MAGIC) return HEADER_BYTES_UP_TO_MAGIC
    if (!isPlausible(chunk, pos)) {
      result.damage = 'no batch begins there'
      return 0
    }
    const size = batchSizeAt(chunk, pos)
    if (size > chunk.length - pos) return size
    result.damage = damageOf(log, chunk, pos, result.nextOffset, strictFrom)
    if (result.damage !== undefined) return 0
    if (!segment.canHold(lastOffsetOf(chunk, pos))) {
      result.overflows = true
      return 0
    }
    takeBatch(log, segment, state, known, chunk, pos, size, result)
    pos += size
  }
  return 0
}

function damageOf(log: Log, chunk: Buffer, pos: number, expected: number, strictFrom: number): string | undefined {
  const isV2 = magicAt(chunk, pos) >= 2
  if (!(isV2 ? batchIsValidAt(chunk, pos) : legacyIsValidAt(chunk, pos))) return 'the checksum is wrong'
  const first = isV2 ? baseOffsetAt(chunk, pos) : lastOffsetOf(chunk, pos)
  if (first < expected) return `offset ${first} follows ${expected - 1}`
  if (!isV2 || first < strictFrom) return undefined
  const epoch = leaderEpochAt(chunk, pos)
  const before = log.epochs.epochForOffset(first)
  if (epoch < before) return `epoch ${epoch} follows ${before}`
  return undefined
}

function takeBatch(
  log: Log, segment: Segment, state: ProducerState, known: KnownEpochs, chunk: Buffer, pos: number, size: number,
  result: ScanResult,
): void {
  const lastOffset = lastOffsetOf(chunk, pos)
  segment.noteBatches(result.validBytes, size, lastOffset, maxTimestampOf(chunk, pos), lastOffset, log.config.indexIntervalBytes)
  if (magicAt(chunk, pos) >= 2) {
    log.epochs.assignFound(leaderEpochAt(chunk, pos), baseOffsetAt(chunk, pos), known.end, known.entries)
    replayLeniently(log, segment, state, chunk, pos)
  }
  result.validBytes += size
  result.nextOffset = lastOffset + 1
  known.end = lastOffset + 1
}

/** A control batch with a right checksum and a wrong content is kept as it is. */
function replayLeniently(log: Log, segment: Segment, state: ProducerState, chunk: Buffer, pos: number): void {
  try {
    replayBatch(state, chunk, pos, (transaction) => {
      if (!transaction.isAborted) return
      const { producerId, firstOffset, lastOffset } = transaction
      segment.txnIndex.append({ producerId, firstOffset, lastOffset, lastStableOffset: state.lastStableOffsetAfter(transaction) })
    })
  } catch (error) {
    if (!(error instanceof RecordsError)) throw error
    const report = { log: log.name, offset: baseOffsetAt(chunk, pos), reason: error.message }
    log.context.logger.warn(report, 'a control batch cannot be read')
  }
}
