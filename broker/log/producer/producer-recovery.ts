import {
  baseOffsetAt, baseSequenceAt, batchSizeAt, isControlAt, isTransactionalAt, lastOffsetAt, lastSequenceAt, magicAt,
  maxTimestampAt, NO_PRODUCER_ID, producerEpochAt, producerIdAt,
} from '../../../protocol/records/batch'
import { ControlType, decodeRecords, parseControlRecord } from '../../../protocol/records/records'
import type { Log } from '../log'
import type { DataBatch, EndMarker } from './producer-entry'
import type { CompletedTransaction, ProducerState } from './producer-state'
import type { Segment } from '../segment/segment'

/** Batches between two pauses of a scan. */
const BATCHES_PER_STEP = 4096

/** The producer's part of the header of the batch at `pos`. */
export function dataBatchAt(buffer: Buffer, pos: number): DataBatch {
  return {
    producerId: producerIdAt(buffer, pos),
    producerEpoch: producerEpochAt(buffer, pos),
    firstSequence: baseSequenceAt(buffer, pos),
    lastSequence: lastSequenceAt(buffer, pos),
    firstOffset: baseOffsetAt(buffer, pos),
    lastOffset: lastOffsetAt(buffer, pos),
    maxTimestamp: maxTimestampAt(buffer, pos),
    isTransactional: isTransactionalAt(buffer, pos),
  }
}

/** The marker in the control batch at `pos`, which must be whole; undefined if it holds none (the cleaner leaves empty ones). */
export function endMarkerAt(buffer: Buffer, pos: number): EndMarker | undefined {
  const [record] = decodeRecords(buffer.subarray(pos, pos + batchSizeAt(buffer, pos)))
  if (record === undefined) return undefined
  const marker = parseControlRecord(record.key, record.value)
  if (marker === undefined) return undefined
  return {
    producerId: producerIdAt(buffer, pos),
    producerEpoch: producerEpochAt(buffer, pos),
    coordinatorEpoch: marker.coordinatorEpoch,
    isAbort: marker.type === ControlType.abort,
    offset: baseOffsetAt(buffer, pos),
    timestamp: record.timestamp,
  }
}

/** Takes the batch at `pos` into the state, as it is in the log. The transaction that it ends is already complete then. */
export function replayBatch(
  state: ProducerState, buffer: Buffer, pos: number, onComplete?: (transaction: CompletedTransaction) => void,
): void {
  if (magicAt(buffer, pos) < 2) return
  state.endOffset = lastOffsetAt(buffer, pos) + 1
  if (producerIdAt(buffer, pos) === NO_PRODUCER_ID) return
  if (!isControlAt(buffer, pos)) {
    state.appendData(dataBatchAt(buffer, pos))
    return
  }
  const marker = endMarkerAt(buffer, pos)
  const completed = marker === undefined ? undefined : state.appendMarker(marker)
  if (completed === undefined) return
  onComplete?.(completed)
  state.complete(completed)
}

/**
 * Brings `state` to what it was when the log ended at `offset`: from the newest snapshot, and the headers of the batches after
 * it. Yields now and then, so that a caller who can wait lets others run.
 */
export function* loadProducerState(log: Log, state: ProducerState, offset: number): Generator<void> {
  log.snapshots.restore(state, log.startOffset, offset, log.context.producerIdExpirationMs)
  const ends = log.segments.all().slice(-2)
  for (const segment of log.segments.between(state.endOffset, offset)) {
    state.endOffset = Math.max(state.endOffset, segment.baseOffset)
    // For a truncation, or the next start.
    if (ends.includes(segment)) log.snapshots.take(state)
    yield* replaySegment(segment, state, offset)
  }
  state.endOffset = offset
  if (ends.some((segment) => segment.baseOffset === offset)) log.snapshots.take(state)
  state.onHighWatermark(log.highWatermark)
}

function* replaySegment(segment: Segment, state: ProducerState, end: number): Generator<void> {
  let position = segment.positionOf(state.endOffset)
  while (position >= 0 && position < segment.size) {
    let left = BATCHES_PER_STEP
    const start = position
    position = segment.forEachHeader(position, (header, at, where) => {
      if (left-- === 0 || baseOffsetAt(header, at) >= end) return false
      if (magicAt(header, at) >= 2 && isControlAt(header, at)) {
        // The header is all that the window is sure to hold.
        const batch = Buffer.allocUnsafe(batchSizeAt(header, at))
        segment.read(batch, batch.length, where)
        replayBatch(state, batch, 0)
      } else {
        replayBatch(state, header, at)
      }
      return true
    })
    if (position === start) return
    yield
  }
}
