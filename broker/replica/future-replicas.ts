import { InvariantError } from '../../runtime/assert'
import { StorageError } from '../log/log-error'
import type { ReplicaLog } from './log-port'
import type { Partition } from './partition'
import type { ReplicaCore } from './replica-core'
import { decideTruncation, startWithinFirstBatch } from './truncation'

const COPY_BYTES = 1024 * 1024
/** How soon it is looked again whether copying may go on. */
const THROTTLE_PAUSE_MS = 100

/**
 * Copies replicas that move to another log directory (KIP-113, Kafka's ReplicaAlterLogDirsThread): a future log follows the
 * current one as a follower its leader, and takes its place when it has all. Copying and the last comparison are synchronous, so
 * nothing is appended between them.
 */
export class FutureReplicas {
  private readonly core: ReplicaCore
  private readonly copying = new Set<Partition>()
  /** Copies that had all once, and were synced: the little that came since may block. */
  private readonly synced = new WeakSet<ReplicaLog>()
  private scheduled = false
  /** Pieces one after another that had nothing in them: the end of a compacted log may lie beyond its last record. */
  private turnsInVain = 0
  private closed = false

  constructor(core: ReplicaCore) {
    this.core = core
  }

  get size(): number {
    return this.copying.size
  }

  begin(partition: Partition, futureLog: ReplicaLog): void {
    partition.futureLog = futureLog
    this.copying.add(partition)
    this.schedule()
  }

  /** Goes on with a move that a restart interrupted. */
  resume(partition: Partition): void {
    if (partition.futureLog !== undefined || partition.log === undefined) return
    const { logs } = this.core.options
    const { topic, partition: index, topicId } = partition
    const futureLog = logs.future(topic, index)
    if (futureLog === undefined) return
    // Of an earlier topic of this name; or the current log was lost, and was made anew where this one would go.
    const isOfOther = topicId !== undefined && futureLog.topicId !== undefined && futureLog.topicId !== topicId
    if (isOfOther || futureLog.dir === partition.log.dir) {
      this.core.logger.warn({ topic, partition: index, dir: futureLog.dir }, 'a future log is not of this replica, and is put aside')
      try {
        logs.delete(topic, index, { future: true, stray: true })
      } catch (error) {
        // Its directory is offline now, and has told so.
        if (!(error instanceof StorageError)) throw error
      }
      return
    }
    this.begin(partition, futureLog)
  }

  /** Gives up the move to another directory than `dir`; one that failed has left a future log, too. */
  cancelUnlessTo(partition: Partition, dir: string): void {
    const { logs } = this.core.options
    const { topic, partition: index } = partition
    const future = logs.future(topic, index)
    if (future === undefined || future.dir === dir) return
    this.forget(partition)
    logs.delete(topic, index, { future: true })
  }

  /** The future log is gone by itself. */
  forget(partition: Partition): void {
    this.copying.delete(partition)
    partition.futureLog = undefined
  }

  shutdown(): void {
    this.closed = true
    this.copying.clear()
  }

  private schedule(): void {
    if (this.scheduled || this.closed || this.copying.size === 0) return
    this.scheduled = true
    const { clock } = this.core.options.env
    const run = (): void => {
      this.scheduled = false
      this.copyOne()
      this.schedule()
    }
    if (this.core.quotas.alterLogDirs.isExceeded || this.turnsInVain > this.copying.size) clock.timer(THROTTLE_PAUSE_MS, run)
    else clock.immediate(run)
  }

  /** One piece of one partition, then the next one's turn. */
  private copyOne(): void {
    const partition: Partition | undefined = this.copying.values().next().value
    if (partition === undefined || this.closed || this.core.quotas.alterLogDirs.isExceeded) return
    this.copying.delete(partition)
    const { log, futureLog } = partition
    if (log === undefined || futureLog === undefined) {
      partition.futureLog = undefined
      return
    }
    try {
      const bytes = this.copyPiece(log, futureLog)
      this.core.quotas.alterLogDirs.record(bytes)
      const hasAll = futureLog.endOffset === log.endOffset && this.isSame(log, futureLog)
      this.turnsInVain = bytes > 0 || hasAll ? 0 : this.turnsInVain + 1
      if (!hasAll) this.copying.add(partition)
      else if (this.synced.has(futureLog)) this.replace(partition)
      else this.sync(partition, futureLog)
    } catch (error) {
      if (error instanceof InvariantError) throw error
      const { topic, partition: index } = partition
      this.core.logger.error({ topic, partition: index, err: error }, 'moving a replica to another log directory failed')
      this.forget(partition)
    }
  }

  private copyPiece(log: ReplicaLog, future: ReplicaLog): number {
    // Nothing is copied (any more): begin where the current log begins, which may be lower than before (an unclean leader had less).
    // What retention took of the copy has left its epoch there: that would be taken again, and the copy might never come to its end.
    const isEmpty = future.startOffset === future.endOffset && future.latestEpoch < 0
    if (isEmpty && future.endOffset > log.startOffset) future.truncateFullyAndStartAt(log.startOffset)
    if (!this.isSame(log, future)) {
      const end = log.endOffsetForEpoch(future.latestEpoch)
      future.truncateTo(decideTruncation(future, { epoch: end.epoch, endOffset: end.endOffset }, future.startOffset).offset)
      return 0
    }
    if (future.endOffset < log.startOffset) future.truncateFullyAndStartAt(log.startOffset)
    const bytes = future.endOffset < log.endOffset ? this.copyRecords(log, future) : 0
    // Also when there is nothing to copy: this is the last look before it takes the place of the current log.
    future.maybeIncrementHighWatermark(Math.min(log.highWatermark, future.endOffset))
    const { startOffset } = log
    if (startOffset > future.startOffset && startOffset <= future.highWatermark) future.incrementLogStartOffset(startOffset)
    return bytes
  }

  private copyRecords(log: ReplicaLog, future: ReplicaLog): number {
    const read = log.read(future.endOffset, COPY_BYTES, { upTo: 'logEnd', minOneMessage: true })
    try {
      if (read.records.length > 0) {
        startWithinFirstBatch(future, read.records)
        future.appendAsFollower(read.records)
      }
      return read.records.length
    } finally {
      read.release()
    }
  }

  /** False when the current log was truncated since, so that the copy has what is no longer there. */
  private isSame(log: ReplicaLog, future: ReplicaLog): boolean {
    if (future.latestEpoch < 0) return future.endOffset <= log.endOffset
    const end = log.endOffsetForEpoch(future.latestEpoch)
    return end.epoch === future.latestEpoch && end.endOffset >= future.endOffset
  }

  /** Off the event loop, before it takes the place of what may have been synced and acknowledged as such. */
  private sync(partition: Partition, future: ReplicaLog): void {
    this.synced.add(future)
    future.flush().then(
      () => {
        if (partition.futureLog !== future || this.closed) return
        this.copying.add(partition)
        this.schedule()
      },
      // Its directory is offline, or it was deleted; that was told.
      () => {},
    )
  }

  private replace(partition: Partition): void {
    const { logs } = this.core.options
    const { topic, partition: index } = partition
    logs.replaceCurrentWithFuture(topic, index)
    partition.log = logs.get(topic, index)
    partition.futureLog = undefined
    // No record of it need be there yet: then the copy does not know that the epoch has begun.
    if (partition.isLeader) partition.log?.assignEpochStart(partition.leaderEpoch, partition.log.endOffset)
    // What waited for a sync of the old log.
    partition.advanceHighWatermark()
    // It has waited for the copy's start.
    this.core.recordDeletions.checkAndComplete(partition)
    this.core.logger.info({ topic, partition: index, dir: partition.log?.dir }, 'replica moved to another log directory')
  }
}
