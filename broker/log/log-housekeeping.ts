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

  constructor(manager: LogManager) {
    this.manager = manager
  }

  start(options: LogManagerOptions): void {
    const { timers } = this.manager.context
    const firstMs = options.initialTaskDelayMs ?? 30_000
    timers.repeat(firstMs, options.retentionCheckIntervalMs ?? 300_000, () => this.eachLog((log) => void log.deleteOldSegments()))
    timers.repeat(firstMs, options.recoveryPointCheckpointIntervalMs ?? 60_000, () => this.manager.checkpointRecoveryPoints())
    timers.repeat(firstMs, options.startOffsetCheckpointIntervalMs ?? 60_000, () => this.manager.checkpointStartOffsets())
    const markMs = options.highWatermarkCheckpointIntervalMs ?? 5_000
    timers.repeat(markMs, markMs, () => this.manager.checkpointHighWatermarks())
    const expiryMs = options.producerIdExpirationCheckIntervalMs ?? 600_000
    timers.repeat(expiryMs, expiryMs, () => this.eachLog((log) => log.removeExpiredProducers()))
    timers.repeat(firstMs, options.flushCheckIntervalMs ?? Number.POSITIVE_INFINITY, () => this.flushDue())
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
      if (logs.length > 0) this.manager.context.timers.after(1, slice)
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
    const { disk, logger, timers } = this.manager.context
    timers.after(this.manager.fileDeleteDelayMs, () => {
      void quietly(async () => {
        await directory.guardLater(`deleting ${path}`, () => disk.removeTree(path))
        logger.debug({ path }, 'deleted a log')
      })
    })
  }
}
