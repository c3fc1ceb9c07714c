import { isCompacted } from '../../protocol/rules/topic-config'
import type { Log } from './log'
import { loadProducerState } from './producer/producer-recovery'
import { createSegment } from './roll'
import { removeSegments } from './segment/segment-removal'

/**
 * Removes all records at and above `offset`; a batch that holds it goes whole. Epochs, producer state and high watermark
 * follow. True if anything was removed.
 */
export function truncateTo(log: Log, offset: number): boolean {
  if (offset >= log.endOffset) {
    // A leader that was elected and replaced before it wrote anything has left an epoch that begins at the end: it must go.
    log.epochs.truncateFromEnd(log.endOffset)
    return false
  }
  if (offset < log.segments.first.baseOffset) {
    truncateFullyAndStartAt(log, offset, offset)
    return true
  }
  log.context.logger.info({ log: log.name, offset, endOffset: log.endOffset }, 'truncating the log')
  forgetCleaning(log, offset)
  lowerStartOffset(log, offset)
  log.writeStaged()
  log.flusher.onTruncate(offset)
  const doomed = log.segments.all().filter((segment) => segment.baseOffset > offset)
  // From the end on: a crash in between must not leave a hole.
  removeSegments(log, doomed.toReversed())
  // Else a power cut might bring a removed segment back, behind what is cut, or written from now on.
  if (doomed.length > 0 || log.hasUnsyncedNames) log.context.disk.syncDirectory(log.path)
  log.segments.active.truncateTo(offset)
  log.endOffset = offset
  truncateEpochs(log, offset)
  log.updateHighWatermark(log.highWatermark)
  rebuildProducers(log)
  log.directory.scheduleRecoveryPointCheckpoint()
  return true
}

/**
 * Where records were compacted away a recovery believes what the file says of their epochs: those that are cut off must not stay in it
 * until the next roll.
 */
function truncateEpochs(log: Log, offset: number): void {
  const { revision } = log.epochs
  log.epochs.truncateFromEnd(offset)
  if (log.epochs.revision !== revision && isCompacted(log.config)) log.epochFile.writeLater()
}

/** A cleaning that runs is void, and what is written from `offset` on is not clean. */
function forgetCleaning(log: Log, offset: number): void {
  log.truncations++
  if (log.cleanedOffset === undefined || log.cleanedOffset <= offset) return
  log.cleanedOffset = offset
  log.directory.scheduleCleanerCheckpoint()
}

/** A start that finds a higher one in the checkpoint would take what is written from `offset` on for deleted. Blocks if there is one. */
function lowerStartOffset(log: Log, offset: number): void {
  if (log.startOffset <= offset) return
  log.startOffset = offset
  log.directory.forgetStartOffsetOf(log.topic, log.partition)
}

function rebuildProducers(log: Log): void {
  const { producerState } = log
  log.snapshots.removeWhere((snapshot) => snapshot > log.endOffset || snapshot <= log.startOffset)
  // Without producers before there are none after it.
  if (producerState.isEmpty) {
    producerState.endOffset = log.endOffset
    return
  }
  for (const _ of loadProducerState(log, producerState, log.endOffset)) continue
}

/** Removes everything; the next record gets `offset`. */
export function truncateFullyAndStartAt(log: Log, offset: number, startOffset: number): void {
  log.context.logger.info({ log: log.name, offset, endOffset: log.endOffset }, 'truncating the whole log')
  forgetCleaning(log, offset)
  lowerStartOffset(log, Math.min(startOffset, offset))
  log.writeStaged()
  log.flusher.onTruncate(offset)
  const doomed = log.segments.all()
  removeSegments(log, doomed)
  log.segments.add(createSegment(log, offset))
  log.context.disk.syncDirectory(log.path)
  log.endOffset = offset
  log.startOffset = Math.min(startOffset, offset)
  log.epochs.clear()
  // What is written from now on may be of an earlier epoch than what was here: a crash must not find that.
  log.epochFile.writeNow()
  log.producerState.clear()
  log.producerState.endOffset = offset
  log.snapshots.removeWhere(() => true)
  log.snapshots.onStartOffset(offset)
  log.updateHighWatermark(offset)
  log.directory.scheduleRecoveryPointCheckpoint()
}
