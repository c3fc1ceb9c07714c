import type { Timer } from '../../runtime/ports'
import type { Log } from './log'
import type { LogDirectory } from './log-directory'
import { quietly } from './log-directory'
import { StorageError } from './log-error'
import type { LogManager, LogManagerOptions } from './log-manager'

/** Logs that are looked at before others get their turn. */
const LOGS_PER_SLICE = 256

/** What a log manager does by the clock: retention, flushes, checkpoints, expiry of producers, removal of deleted logs. */
export class LogHousekeeping {
  private readonly manager: LogManager
  private readonly options: LogManagerOptions
  private readonly timers = new Set<Timer>()
  private isStopped = false

  constructor(manager: LogManager, options: LogManagerOptions) {
    this.manager = manager
    this.options = options
  }

  start(): void {
    const { options } = this
    const firstMs = options.initialTaskDelayMs ?? 30_000
    this.repeat(firstMs, options.retentionCheckIntervalMs ?? 300_000, () => this.eachLog((log) => void log.deleteOldSegments()))
    this.repeat(firstMs, options.recoveryPointCheckpointIntervalMs ?? 60_000, () => this.manager.checkpointRecoveryPoints())
    this.repeat(firstMs, options.startOffsetCheckpointIntervalMs ?? 60_000, () => this.manager.checkpointStartOffsets())
    const markMs = options.highWatermarkCheckpointIntervalMs ?? 5_000
    this.repeat(markMs, markMs, () => this.manager.checkpointHighWatermarks())
    const expiryMs = options.producerIdExpirationCheckIntervalMs ?? 600_000
    this.repeat(expiryMs, expiryMs, () => this.eachLog((log) => log.removeExpiredProducers()))
    this.repeat(firstMs, options.flushCheckIntervalMs ?? Number.POSITIVE_INFINITY, () => this.flushDue())
  }

  stop(): void {
    this.isStopped = true
    for (const timer of this.timers) timer.cancel()
    this.timers.clear()
  }

  private repeat(firstMs: number, everyMs: number, work: () => void): void {
    // log.flush.scheduler.interval.ms is Long.MAX by default: never.
    if (everyMs > Number.MAX_SAFE_INTEGER) return
    this.after(firstMs, () => {
      this.repeat(everyMs, everyMs, work)
      work()
    })
  }

  private after(delayMs: number, work: () => void): void {
    if (this.isStopped) return
    const timer = this.manager.context.clock.timer(delayMs, () => {
      this.timers.delete(timer)
      if (!this.isStopped) work()
    })
    this.timers.add(timer)
  }

  /** In slices: with thousands of logs one pass would hold up the sockets. */
  private eachLog(work: (log: Log) => void): void {
    const logs = [...this.manager.all(), ...this.manager.allFuture()]
    const slice = (): void => {
      for (const log of logs.splice(0, LOGS_PER_SLICE)) {
        if (!log.isOnline) continue
        try {
          work(log)
        } catch (error) {
          // Its directory went offline, and has told so.
          if (!(error instanceof StorageError)) throw error
        }
      }
      if (logs.length > 0) this.after(1, slice)
    }
    slice()
  }

  private flushDue(): void {
    const nowMs = this.manager.context.clock.wallMs()
    this.eachLog((log) => {
      if (nowMs - log.flusher.lastFlushMs >= log.config.flushMs) log.flusher.schedule(log.endOffset)
    })
  }

  /** Removes a directory that is marked for deletion, after file.delete.delay.ms. */
  removeLater(directory: LogDirectory, path: string): void {
    const { disk, logger } = this.manager.context
    this.after(this.manager.fileDeleteDelayMs, () => {
      if (!directory.isOnline) return
      void quietly(() => directory.guardLater(`deleting ${path}`, () => disk.removeTree(path))).then(() => {
        logger.info({ path }, 'deleted a log')
      })
    })
  }
}
