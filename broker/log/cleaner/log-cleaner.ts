import { assert } from '../../../runtime/assert'
import type { Metrics } from '../../../runtime/metrics'
import { isCompacted } from '../../../protocol/rules/topic-config'
import type { Log } from '../log'
import { quietly } from '../log-directory'
import { StorageError } from '../log-error'
import type { LogManager } from '../log-manager'
import { isIoError } from '../storage/io-error'
import { replaceSegments } from '../segment/replace-segments'
import { removeSegment } from '../segment/segment-removal'
import { Segment } from '../segment/segment'
import { CLEANED_SUFFIX } from '../storage/file-names'
import { removeCleaned } from './clean-log'
import { cleanableOf, cleanableRatio, mayBeCleaned, wantsCleaning } from './cleanable'
import type { Cleanable } from './cleanable'
import type { CleanerConfig } from './cleaner-config'
import { addCleanerMetrics } from './cleaner-metrics'
import type { CleanerState } from './cleaner-metrics'
import { CleaningAbortedError } from './cleaner-pool'
import type { CleanerPool, CleaningRun } from './cleaner-pool'
import type { CleanedGroup, CleaningJob, CleaningResult, CleaningStats } from './cleaning-job'

/** Logs that are looked at before others get their turn. */
const LOGS_PER_SLICE = 256
/** How often the logs that are being cleaned are looked at: whether they are still there, and still to be cleaned. */
const WATCH_INTERVAL_MS = 500
/** An offset map is never larger: its table must be one piece of memory. */
const MOST_MAP_BYTES = 2 ** 31 - 1

interface Cleaning {
  log: Log
  /** The segments of the job, by their base offsets. */
  segments: ReadonlyMap<number, Segment>
  truncations: number
  run: CleaningRun
  startedMs: number
  /** Resolves when nothing of it is left to do. */
  finished: Promise<void>
}

/**
 * Compacts the logs whose cleanup.policy says so, the dirtiest first, a few at a time; the heavy work is done in a pool. Each
 * cleaned segment takes its place in one turn of the event loop, and only if its log is as it was. Kafka's LogCleaner.
 *
 * A log that cannot be cleaned is left alone until the broker is restarted, and counted and reported.
 */
export class LogCleaner implements CleanerState {
  readonly uncleanable = new Set<Log>()
  dirtiestRatio = 0
  overdueMs = 0
  lastStats: CleaningStats | undefined
  lastTookMs = 0
  private readonly manager: LogManager
  private readonly pool: CleanerPool
  private config: CleanerConfig
  /** By name: a new log of a name waits until the cleaning of the old one has ended. */
  private readonly cleanings = new Map<string, Cleaning>()
  private isStopped = false
  private isLooking = false
  private isTimerSet = false
  private lastRunMs: number

  constructor(manager: LogManager, pool: CleanerPool, config: CleanerConfig, metrics?: Metrics) {
    this.manager = manager
    this.pool = pool
    this.config = config
    this.lastRunMs = manager.context.clock.monoMs()
    if (metrics !== undefined) addCleanerMetrics(metrics, manager.dirs, this)
  }

  get sinceLastRunMs(): number {
    return this.manager.context.clock.monoMs() - this.lastRunMs
  }

  /** Logs that are being cleaned. */
  get running(): number {
    return this.cleanings.size
  }

  start(): void {
    void this.look()
  }

  /** The `log.cleaner.*` keys may change while the broker runs; a job that runs keeps what it began with. */
  reconfigure(config: CleanerConfig): void {
    this.config = config
    void this.look()
  }

  /** Gives up what runs; resolves when nothing does. */
  async stop(): Promise<void> {
    this.isStopped = true
    const cleanings = [...this.cleanings.values()]
    for (const { run } of cleanings) run.abort()
    await Promise.all(cleanings.map(({ finished }) => finished))
    await this.pool.close()
  }

  /** Begins with the dirtiest logs, as long as a thread is free for them. */
  private async look(): Promise<void> {
    if (this.isLooking || this.isStopped) return
    this.isLooking = true
    try {
      while (!this.isStopped && this.cleanings.size < this.config.threads) {
        const filthiest = await this.filthiest()
        if (filthiest === undefined) break
        this.begin(filthiest)
      }
    } finally {
      this.isLooking = false
    }
    if (this.cleanings.size === 0) this.pool.rest()
    this.lookLater()
  }

  private lookLater(): void {
    if (this.isTimerSet) return
    this.isTimerSet = true
    this.manager.context.timers.after(this.config.backoffMs, () => {
      this.isTimerSet = false
      void this.look()
    })
  }

  private async filthiest(): Promise<Log | undefined> {
    const { clock } = this.manager.context
    this.lastRunMs = clock.monoMs()
    for (const log of this.uncleanable) if (this.manager.get(log.topic, log.partition) !== log) this.uncleanable.delete(log)
    const logs = [...this.manager.all()]
    let best: Cleanable | undefined
    let dirtiest = 0
    let overdueMs = 0
    while (logs.length > 0) {
      for (const log of logs.splice(-LOGS_PER_SLICE)) {
        const found = this.cleanableOf(log)
        if (found === undefined) continue
        dirtiest = Math.max(dirtiest, cleanableRatio(found))
        overdueMs = Math.max(overdueMs, found.overdueMs)
        if (wantsCleaning(found) && (best === undefined || cleanableRatio(found) > cleanableRatio(best))) best = found
      }
      if (logs.length > 0) await new Promise<void>((resolve) => clock.immediate(resolve))
    }
    this.dirtiestRatio = dirtiest
    this.overdueMs = overdueMs
    return best?.log
  }

  private cleanableOf(log: Log): Cleanable | undefined {
    if (!mayBeCleaned(log) || this.uncleanable.has(log) || this.cleanings.has(log.name) || this.isMoving(log)) return undefined
    try {
      return log.guard(`looking at ${log.name}`, () => cleanableOf(log, this.manager.context.clock.wallMs()))
    } catch (error) {
      if (!(error instanceof StorageError)) this.giveUp(log, error as Error)
      return undefined
    }
  }

  /** Its future log reads it. */
  private isMoving(log: Log): boolean {
    return this.manager.future(log.topic, log.partition) !== undefined
  }

  private begin(log: Log): void {
    // Time went by since it was found.
    if (this.isStopped) return
    const cleanable = this.manager.get(log.topic, log.partition) === log ? this.cleanableOf(log) : undefined
    if (cleanable === undefined || !wantsCleaning(cleanable)) return
    const segments = log.segments.all().filter((segment) => segment.baseOffset < cleanable.firstUncleanableOffset)
    const job = this.jobOf(cleanable, segments)
    const { firstDirtyOffset, firstUncleanableOffset } = cleanable
    log.context.logger.info({ log: log.name, firstDirtyOffset, firstUncleanableOffset }, 'cleaning a log')
    try {
      this.clean(log, segments, job)
    } catch (error) {
      this.giveUp(log, error as Error)
    }
  }

  /** Throws what the pool throws that cannot open a thread. */
  private clean(log: Log, segments: readonly Segment[], job: CleaningJob): void {
    const cleaning: Cleaning = {
      log,
      segments: new Map(segments.map((segment) => [segment.baseOffset, segment])),
      truncations: log.truncations,
      run: this.pool.start(job, (group) => this.swapIn(cleaning, group)),
      startedMs: this.manager.context.clock.monoMs(),
      finished: Promise.resolve(),
    }
    log.isBeingCleaned = true
    this.cleanings.set(log.name, cleaning)
    this.watch(cleaning)
    cleaning.finished = this.finish(cleaning, job)
  }

  private jobOf(cleanable: Cleanable, segments: readonly Segment[]): CleaningJob {
    const { log, firstDirtyOffset, firstUncleanableOffset } = cleanable
    const { clock, random } = this.manager.context
    const threads = Math.max(this.config.threads, 1)
    return {
      name: log.name,
      path: log.path,
      config: log.config,
      nowMs: clock.wallMs(),
      firstDirtyOffset,
      firstUncleanableOffset,
      segments: segments.map(({ baseOffset, size }) => ({ baseOffset, size })),
      lastRecords: log.producerState.snapshot().map(({ producerId, producerEpoch, lastOffset }) => {
        return { producerId, producerEpoch, lastDataOffset: lastOffset }
      }),
      mapBytes: Math.min(Math.floor(this.config.dedupeBufferBytes / threads), MOST_MAP_BYTES),
      loadFactor: this.config.loadFactor,
      bufferBytes: Math.floor(this.config.ioBufferBytes / threads / 2),
      maxBytesPerSecond: this.config.ioMaxBytesPerSecond / threads,
      salt: random.bytes(16),
    }
  }

  /** False as soon as what is being done is of no use any more. */
  private isWanted({ log, truncations }: Cleaning): boolean {
    return (
      !this.isStopped &&
      log.isOnline &&
      isCompacted(log.config) &&
      log.truncations === truncations &&
      this.manager.get(log.topic, log.partition) === log &&
      !this.isMoving(log)
    )
  }

  private watch(cleaning: Cleaning): void {
    this.manager.context.timers.after(WATCH_INTERVAL_MS, () => {
      if (this.cleanings.get(cleaning.log.name) !== cleaning) return
      if (this.isWanted(cleaning)) this.watch(cleaning)
      else cleaning.run.abort()
    })
  }

  /** A cleaned segment is ready. */
  private swapIn(cleaning: Cleaning, group: CleanedGroup): void {
    const { log } = cleaning
    if (!this.isWanted(cleaning)) {
      cleaning.run.abort()
      this.discard(cleaning, group)
      return
    }
    const old = group.replaces.map((baseOffset) => cleaning.segments.get(baseOffset)!)
    assert(
      old.every((segment) => log.segments.floor(segment.baseOffset) === segment && segment !== log.segments.active),
      `the segments of ${log.name} changed under the cleaner`,
    )
    try {
      log.guard(`swapping in a cleaned segment of ${log.name}`, () => {
        const fresh = Segment.open(log.context, log.path, group.baseOffset, log.config, 0, CLEANED_SUFFIX)
        fresh.loadTransactionIndex()
        fresh.trust(true)
        log.hasUnsyncedNames = true
        replaceSegments(log, [fresh], old, (segment) => removeSegment(log, segment))
      })
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      cleaning.run.abort()
    }
  }

  /** A directory that has failed, or is on its way out, is not touched. */
  private discard({ log }: Cleaning, group: CleanedGroup): void {
    if (!log.isOnline) return
    try {
      log.guard(`removing a cleaned segment of ${log.name}`, () => removeCleaned(log.context.disk, log.path, group.baseOffset))
    } catch (error) {
      // It is offline now. Who brought the segment, a message from a thread, has no use for the error.
      if (!(error instanceof StorageError)) throw error
    }
  }

  private async finish(cleaning: Cleaning, job: CleaningJob): Promise<void> {
    const { log } = cleaning
    try {
      const result = await cleaning.run.done
      await this.syncNames(log)
      if (this.isWanted(cleaning)) this.succeeded(cleaning, job, result)
    } catch (error) {
      this.failed(cleaning, error as Error)
      await quietly(() => this.syncNames(log))
    } finally {
      log.isBeingCleaned = false
      this.cleanings.delete(log.name)
    }
    this.applyRetention(log)
    if (!this.isStopped) void this.look()
  }

  /** Before a checkpoint says that all is clean; and so that a truncation need not wait for it. */
  private async syncNames(log: Log): Promise<void> {
    if (!log.hasUnsyncedNames || !log.isOnline) return
    await log.directory.guardLater(`syncing the segments of ${log.name}`, () => log.context.disk.syncDirectoryLater(log.path))
    log.hasUnsyncedNames = false
  }

  private succeeded({ log, startedMs }: Cleaning, job: CleaningJob, { endOffset, stats }: CleaningResult): void {
    log.cleanedOffset = endOffset
    log.directory.scheduleCleanerCheckpoint()
    this.lastStats = stats
    this.lastTookMs = this.manager.context.clock.monoMs() - startedMs
    const { bytesRead, bytesWritten, messagesRead, messagesWritten, mapMessagesRead, mapUtilization, invalidMessages } = stats
    log.context.logger.info(
      {
        log: log.name, from: job.firstDirtyOffset, to: endOffset, tookMs: Math.round(this.lastTookMs), bytesRead, bytesWritten,
        messagesRead, messagesWritten, mapMessagesRead, mapUtilization,
      },
      'cleaned a log',
    )
    if (invalidMessages > 0) log.context.logger.warn({ log: log.name, invalidMessages }, 'records without a key were removed')
  }

  private failed(cleaning: Cleaning, error: Error): void {
    // What was read or written while the log changed or went is no error.
    if (error instanceof CleaningAbortedError || error instanceof StorageError || !this.isWanted(cleaning)) return
    const { log } = cleaning
    if (isIoError(error)) log.directory.translate(error, `cleaning ${log.name}`)
    else this.giveUp(log, error)
  }

  private giveUp(log: Log, error: Error): void {
    this.uncleanable.add(log)
    log.context.logger.error(
      { log: log.name, dir: log.dir, reason: error.message },
      'a log cannot be cleaned, and is left as it is until the broker is restarted',
    )
  }

  /** Retention leaves a log alone while it is cleaned; it may be cleaned often. */
  private applyRetention(log: Log): void {
    if (!log.isOnline || this.isStopped) return
    try {
      log.deleteOldSegments()
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
    }
  }
}
