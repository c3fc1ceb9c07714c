import {
  CLEANED_SUFFIX, DELETED_SUFFIX, fileName, INDEX_SUFFIX, join, LOG_SUFFIX, offsetOfName, SWAP_SUFFIX, TIME_INDEX_SUFFIX,
  TXN_INDEX_SUFFIX,
} from '../storage/file-names'
import type { Log } from '../log'
import { MAX_RELATIVE_OFFSET } from '../segment/offset-index'
import { loadProducerState } from '../producer/producer-recovery'
import { ProducerState } from '../producer/producer-state'
import { scanSegment } from './segment-scan'
import type { KnownEpochs } from './segment-scan'
import { createSegment, rollJitterMs } from '../roll'
import { removeSegments } from '../segment/segment-removal'
import { Segment } from '../segment/segment'
import { splitSegment } from '../segment/split-segment'

export interface LoadOptions {
  cleanShutdown: boolean
  /** Checkpoints; 0 where there is none. */
  recoveryPoint: number
  startOffset: number
  highWatermark: number
  /** Lets others run now and then. */
  pause(): Promise<void>
}

/**
 * Brings up a log from its directory: finishes what the cleaner had begun, opens the segments, and after an unclean stop looks
 * at every batch from the recovery point on. What is damaged is cut off, with all that follows it, and reported. Kafka's
 * LogLoader.
 */
export async function loadLog(log: Log, options: LoadOptions): Promise<void> {
  finishSwaps(log)
  const names = log.context.disk.list(log.path)
  log.epochFile.load()
  log.metadataFile.load()
  log.snapshots.load(names)
  log.startOffset = options.startOffset
  log.recoveryPoint = options.recoveryPoint
  log.checkpointedRecoveryPoint = options.recoveryPoint
  openSegments(log, names)
  trustFiles(log, options.cleanShutdown)
  await splitOverflowing(log, options)
  const recovered = await recover(log, names, options)
  setBounds(log, options)
  if (!recovered) await runPausing(loadProducerState(log, log.producerState, log.endOffset), options)
  log.snapshots.removeWhere((offset) => offset > log.endOffset || offset < log.startOffset)
  log.snapshots.removeStray(new Set(log.segments.all().map((segment) => segment.baseOffset)))
  log.updateHighWatermark(options.highWatermark)
  log.flusher.syncedOffset = log.recoveryPoint
  if (!options.cleanShutdown && log.segments.count > 1) log.flusher.schedule(log.segments.active.baseOffset)
}

/** A broker that was killed may have left files, and names of files, that are not synced. */
function trustFiles(log: Log, isSynced: boolean): void {
  for (const segment of log.segments) segment.trust(isSynced)
  if (!isSynced) log.directory.isDirty = true
}

async function runPausing<T>(work: Generator<void, T>, options: LoadOptions): Promise<T> {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
    await options.pause()
  }
}

/**
 * `.deleted` and `.cleaned` files go; a `.swap` at or above the lowest `.cleaned` is of a split that was not finished, and goes
 * too. Other `.swap` files are whole: they take the place of the segments that they were made of.
 */
function finishSwaps(log: Log): void {
  const { disk } = log.context
  const names = disk.list(log.path)
  const cleaned = names.filter((name) => name.endsWith(CLEANED_SUFFIX))
  const firstCleaned = Math.min(Number.POSITIVE_INFINITY, ...cleaned.map(offsetOfName))
  const swaps = names.filter((name) => name.endsWith(SWAP_SUFFIX))
  const valid = swaps.filter((name) => offsetOfName(name) < firstCleaned)
  const deleted = names.filter((name) => name.endsWith(DELETED_SUFFIX))
  const unfinished = swaps.filter((name) => !valid.includes(name))
  for (const name of [...deleted, ...cleaned, ...unfinished]) disk.remove(join(log.path, name))
  if (valid.length === 0) return
  const range = swapRange(log, valid)
  for (const name of names) {
    const offset = offsetOfName(name)
    if (!isSegmentFile(name) || offset < range.from || offset >= range.to) continue
    disk.remove(join(log.path, name))
  }
  // An old segment that came back beside the new one would hold the same offsets again.
  disk.syncDirectory(log.path)
  for (const name of valid) disk.rename(join(log.path, name), join(log.path, name.slice(0, -SWAP_SUFFIX.length)))
  disk.syncDirectory(log.path)
  log.context.logger.info({ log: log.name, files: valid.length }, 'finished an interrupted swap of segments')
}

function isSegmentFile(name: string): boolean {
  return [LOG_SUFFIX, INDEX_SUFFIX, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX].some((suffix) => name.endsWith(suffix))
}

/** The offsets that the swapped segments cover. */
function swapRange(log: Log, names: readonly string[]): { from: number; to: number } {
  let from = Number.POSITIVE_INFINITY
  let to = Number.NEGATIVE_INFINITY
  for (const name of names.filter((each) => each.endsWith(LOG_SUFFIX + SWAP_SUFFIX))) {
    const baseOffset = offsetOfName(name)
    const segment = Segment.open(log.context, log.path, baseOffset, log.config, 0, SWAP_SUFFIX)
    from = Math.min(from, baseOffset)
    to = Math.max(to, segment.nextOffset())
    segment.close()
  }
  return { from, to }
}

function openSegments(log: Log, names: readonly string[]): void {
  const present = new Set(names)
  for (const name of names) {
    const offset = offsetOfName(name)
    if (offset < 0) continue
    if (name === fileName(offset, LOG_SUFFIX)) {
      log.segments.add(Segment.open(log.context, log.path, offset, log.config, rollJitterMs(log)))
    } else if (isSegmentFile(name) && !present.has(fileName(offset, LOG_SUFFIX))) {
      log.context.logger.warn({ log: log.name, name }, 'an index without its log file is removed')
      log.context.disk.remove(join(log.path, name))
    }
  }
}

/**
 * Very old brokers wrote segments whose offsets span more than an index can tell (KAFKA-6264). Those that are to be scanned
 * show it then; of others it is enough to look where the next one begins.
 */
async function splitOverflowing(log: Log, options: LoadOptions): Promise<void> {
  for (const segment of log.segments.all()) {
    const next = log.segments.after(segment)
    if (next === undefined ? !options.cleanShutdown : next.baseOffset - segment.baseOffset - 1 <= MAX_RELATIVE_OFFSET) continue
    if (segment.size === 0 || !segment.loadIndexes() || segment.canHold(segment.nextOffset() - 1)) continue
    splitSegment(log, segment)
    await options.pause()
  }
}

/**
 * Scans what an unclean stop may have damaged, and segments that have lost their index. True if the producer state is as of the
 * end of the log afterwards.
 */
async function recover(log: Log, names: readonly string[], options: LoadOptions): Promise<boolean> {
  const present = new Set(names)
  const unflushed = options.cleanShutdown ? [] : log.segments.between(options.recoveryPoint, Number.POSITIVE_INFINITY)
  for (const segment of log.segments.all()) {
    if (unflushed.includes(segment)) break
    const hasIndexes = [INDEX_SUFFIX, TIME_INDEX_SUFFIX].every((suffix) => present.has(fileName(segment.baseOffset, suffix)))
    const isWhole = hasIndexes && segment.loadTransactionIndex()
    if (!isWhole || (segment === log.segments.active && !segment.loadIndexes())) await rebuildIndexes(log, segment, options)
  }
  if (unflushed.length === 0) return false
  await recoverUnflushed(log, unflushed, options)
  return true
}

/** The batches of this segment were synced: what is damaged in it stays, and is reported when it is read. */
async function rebuildIndexes(log: Log, segment: Segment, options: LoadOptions): Promise<void> {
  log.context.logger.warn({ log: log.name, offset: segment.baseOffset }, 'an index is missing or damaged, and is built anew')
  const state = new ProducerState(log.name)
  await runPausing(loadProducerState(log, state, segment.baseOffset), options)
  const result = await runPausing(scanSegment(log, segment, state, Number.POSITIVE_INFINITY), options)
  if (result.overflows) {
    for (const piece of splitSegment(log, segment)) if (piece !== log.segments.active) piece.settle()
    return
  }
  if (result.damage !== undefined) {
    const { validBytes, damage } = result
    const report = { log: log.name, offset: segment.baseOffset, position: validBytes, damage }
    log.context.logger.error(report, 'a log segment is damaged')
    if (segment === log.segments.active) cut(log, segment, validBytes)
  }
  if (segment === log.segments.active) return
  segment.settle()
  if (result.damage !== undefined) return
  // If there is none: the next segment that has lost its index need not begin at the start of the log.
  state.endOffset = log.segments.after(segment)!.baseOffset
  if (!log.snapshots.list.includes(state.endOffset)) log.snapshots.take(state)
}

async function recoverUnflushed(log: Log, segments: readonly Segment[], options: LoadOptions): Promise<void> {
  const { producerState: state, snapshots } = log
  const first = segments[0]!
  // What was written from there on may be of a log that was truncated since.
  snapshots.removeWhere((offset) => offset > first.baseOffset)
  // The records say it better than a checkpoint that may be older, or newer, than they are; it counts where they are silent.
  const entries = log.epochs.entries.filter(({ startOffset }) => startOffset >= first.baseOffset)
  const known: KnownEpochs = { entries, end: first.baseOffset }
  log.epochs.truncateFromEnd(first.baseOffset)
  await runPausing(loadProducerState(log, state, first.baseOffset), options)
  for (const [index, segment] of segments.entries()) {
    const next = segments[index + 1]
    const result = await runPausing(scanSegment(log, segment, state, options.recoveryPoint, known), options)
    if (result.overflows) {
      splitSegment(log, segment)
      await recoverUnflushed(log, log.segments.between(first.baseOffset, Number.POSITIVE_INFINITY), options)
      return
    }
    let { damage } = result
    if (damage === undefined && next !== undefined && next.baseOffset < result.nextOffset) {
      damage = `the next segment begins at ${next.baseOffset}, below the end at ${result.nextOffset}`
    }
    state.endOffset = result.nextOffset
    if (damage !== undefined) {
      dropFrom(log, segment, result.validBytes, damage, segments.slice(index + 1))
      return
    }
    if (next === undefined) return
    segment.settle()
    state.endOffset = next.baseOffset
    snapshots.take(state)
  }
}

/** Cuts the damaged piece off, and drops the segments that follow it: with a hole before them they are worth nothing. */
function dropFrom(log: Log, segment: Segment, validBytes: number, damage: string, later: readonly Segment[]): void {
  const report = {
    log: log.name,
    segment: segment.baseOffset,
    position: validBytes,
    damage,
    bytesCut: segment.size - validBytes,
    segmentsDropped: later.length,
    bytesDropped: later.reduce((sum, each) => sum + each.size, 0),
    lastSegmentDropped: later[later.length - 1]?.baseOffset,
  }
  log.context.logger.warn(report, 'the log is damaged after an unclean stop, and is truncated')
  // From the end on, and before the cut: a crash in between must not leave what follows a hole, for a hole is not seen the next time.
  removeSegments(log, later.toReversed())
  log.context.disk.syncDirectory(log.path)
  cut(log, segment, validBytes)
}

function cut(log: Log, segment: Segment, validBytes: number): void {
  if (validBytes < segment.size) segment.cutAt(validBytes)
  log.context.disk.syncDirectory(log.path)
}

/** Where the last segment ends. What is behind its last batch goes, or the next one would be written where nobody finds it. */
function endOf(log: Log): number {
  const { active } = log.segments
  const { nextOffset, position } = active.findEnd()
  if (position < active.size) {
    const report = { log: log.name, segment: active.baseOffset, position, bytesCut: active.size - position }
    log.context.logger.warn(report, 'the end of the log is damaged, and is truncated')
    cut(log, active, position)
  }
  return nextOffset
}

/** Start, end and recovery point, once the segments are what they are. */
function setBounds(log: Log, options: LoadOptions): void {
  const hadSegments = !log.segments.isEmpty
  log.endOffset = hadSegments ? endOf(log) : options.startOffset
  if (hadSegments && log.endOffset < options.startOffset) {
    log.context.logger.warn(
      { log: log.name, endOffset: log.endOffset, startOffset: options.startOffset },
      'the log ends below its start offset (segment files were removed?): all segments are deleted',
    )
    removeSegments(log, log.segments.all())
    log.epochs.clear()
    log.epochFile.writeNow()
    log.producerState.clear()
    log.snapshots.removeWhere(() => true)
    log.endOffset = options.startOffset
  }
  if (log.segments.isEmpty) log.segments.add(createSegment(log, log.endOffset))
  log.startOffset = Math.max(options.startOffset, log.segments.first.baseOffset)
  log.endOffset = Math.max(log.endOffset, log.startOffset)
  log.producerState.endOffset = log.endOffset
  // The checkpoint may be from before a truncation; but one was made before the next roll, so only the active segment is in
  // doubt.
  const known = options.cleanShutdown ? log.endOffset : Math.min(options.recoveryPoint, log.segments.active.baseOffset)
  log.recoveryPoint = Math.min(Math.max(known, log.startOffset), log.endOffset)
  log.epochs.truncateFromEnd(log.endOffset)
  log.epochs.truncateFromStart(log.startOffset)
}
