import { ErrorCode } from '../../protocol/errors'
import type { Logger } from '../../runtime/log'
import { silentLogger } from '../../runtime/log'
import type { Metrics } from '../../runtime/metrics'
import type { Disk, Environment } from '../../runtime/ports'
import { Turn } from '../../runtime/turn'
import type { CleanerConfig } from './cleaner/cleaner-config'
import type { CleanerPool } from './cleaner/cleaner-pool'
import { InlineCleanerPool } from './cleaner/inline-cleaner-pool'
import { LogCleaner } from './cleaner/log-cleaner'
import { Background } from './storage/background'
import { BufferPool } from './storage/buffer-pool'
import { forgetDirectory, unlockDirectory } from './storage/directory-lock'
import { FileCache } from './storage/file-cache'
import {
  DELETE_DIR_SUFFIX, FUTURE_DIR_SUFFIX, join, markedDirectoryName, partitionDirectoryName, STRAY_DIR_SUFFIX,
} from './storage/file-names'
import { Log } from './log'
import type { LogContext } from './log-context'
import { LogDirectory, partitionKey, quietly } from './log-directory'
import { LogError, StorageError } from './log-error'
import { LogHousekeeping } from './log-housekeeping'
import { openDirectories } from './recovery/log-startup'
import type { OpenedDirectories } from './recovery/log-startup'
import type { LogConfig } from './log-types'
import { NewFolders } from './new-folders'
import type { NewFolder, NewLog } from './new-folders'
import { createSegment } from './roll'
import { Staging } from './segment/staging'
import { Timers } from './storage/timers'

export interface LogManagerOptions {
  /** `log.dirs`. */
  dirs: readonly string[]
  defaults: LogConfig
  /** The effective configuration of a topic with its own settings; undefined: the defaults. */
  topicConfigs?: (topic: string) => LogConfig | undefined
  turn?: Turn
  logger?: Logger
  retentionCheckIntervalMs?: number
  flushCheckIntervalMs?: number
  recoveryPointCheckpointIntervalMs?: number
  startOffsetCheckpointIntervalMs?: number
  highWatermarkCheckpointIntervalMs?: number
  initialTaskDelayMs?: number
  ignoresMessageFormatVersion?: boolean
  producerIdExpirationMs?: number
  producerIdExpirationCheckIntervalMs?: number
  transactionVerification?: boolean
  /** Open files that segments may hold between them. */
  maxOpenFiles?: number
  /** Own process id, for `.lock`. */
  processId?: number
  /** `log.cleaner.*`; without it compacted logs are not cleaned. */
  cleaner?: CleanerConfig
  /** Where logs are cleaned; on the event loop by default, a buffer at a time. */
  cleanerPool?: CleanerPool
  metrics?: Metrics
}

export interface CreateLogOptions {
  topicId?: string | undefined
  /** The controller says that this replica never existed: then it is created although a directory is offline. */
  isNew?: boolean
  /** In this log directory, else where `preferDirectory` said, else where the fewest logs are. */
  dir?: string | undefined
  isFuture?: boolean
}

/** Below the usual limit of 20,000 files with room for sockets. */
const DEFAULT_OPEN_FILES = 10_000
const DAY_MS = 86_400_000
/** Wishes of logs that are not there yet. */
const MAX_PREFERRED = 100_000

/** All logs of a broker, in its log directories. Kafka's LogManager. */
export class LogManager {
  /** All of `log.dirs`. */
  readonly dirs: readonly string[]
  readonly context: LogContext
  private readonly options: LogManagerOptions
  private readonly directories = new Map<string, LogDirectory>()
  private readonly current = new Map<string, Log>()
  private readonly futures = new Map<string, Log>()
  private readonly preferred = new Map<string, string>()
  private readonly failureListeners: ((dir: string, logs: readonly Log[]) => void)[] = []
  private readonly housekeeping: LogHousekeeping
  private readonly newFolders: NewFolders
  /** Undefined with log.cleaner.enable=false. */
  readonly cleaner: LogCleaner | undefined
  private defaults: LogConfig
  private isStopped = false

  private constructor(env: Environment, options: LogManagerOptions) {
    const buffers = new BufferPool()
    this.options = options
    this.dirs = [...options.dirs]
    this.defaults = options.defaults
    this.context = {
      disk: env.disk,
      clock: env.clock,
      random: env.random,
      turn: options.turn ?? new Turn(env.clock),
      logger: options.logger ?? silentLogger,
      buffers,
      staging: new Staging(buffers),
      cache: new FileCache(env.disk, options.maxOpenFiles ?? DEFAULT_OPEN_FILES),
      background: new Background(),
      timers: new Timers(env.clock),
      ignoresMessageFormatVersion: options.ignoresMessageFormatVersion ?? true,
      producerIdExpirationMs: options.producerIdExpirationMs ?? DAY_MS,
      transactionVerification: options.transactionVerification ?? true,
    }
    for (const path of this.dirs) {
      const { disk, background, logger } = this.context
      this.directories.set(path, new LogDirectory(disk, background, logger, path, (directory) => this.onFailure(directory)))
    }
    this.housekeeping = new LogHousekeeping(this)
    this.newFolders = new NewFolders(this.context, ({ topic, partition }) => this.directoryFor(topic, partition, undefined))
    const { cleaner, cleanerPool = new InlineCleanerPool(env.disk, env.clock), metrics } = options
    if (cleaner?.enable === true) this.cleaner = new LogCleaner(this, cleanerPool, cleaner, metrics)
  }

  /**
   * Loads (and after an unclean stop recovers) all logs. Throws DirectoryInUseError if another broker runs on a directory,
   * StorageError if none can be used, LogFormatError for a folder that no log has.
   */
  static async open(env: Environment, options: LogManagerOptions): Promise<LogManager> {
    const manager = new LogManager(env, options)
    const loaded = await manager.load()
    for (const log of loaded.logs) (log.isFuture ? manager.futures : manager.current).set(log.name, log)
    for (const path of loaded.doomed) manager.housekeeping.removeLater(path.directory, path.path)
    manager.housekeeping.start(options)
    manager.cleaner?.start()
    return manager
  }

  private async load(): Promise<OpenedDirectories> {
    const directories = [...this.directories.values()]
    try {
      return await openDirectories(this.context, directories, this.options.processId ?? 0, (topic) => this.configOf(topic))
    } catch (error) {
      for (const directory of directories) if (directory.isOurs) unlockDirectory(this.context.disk, directory.path)
      throw error
    }
  }

  get onlineDirs(): readonly string[] {
    return this.dirs.filter((dir) => this.isOnline(dir))
  }

  isOnline(dir: string): boolean {
    return this.directories.get(dir)?.isOnline === true
  }

  get(topic: string, partition: number): Log | undefined {
    return this.current.get(partitionKey(topic, partition))
  }

  future(topic: string, partition: number): Log | undefined {
    return this.futures.get(partitionKey(topic, partition))
  }

  /** Current logs. */
  all(): Iterable<Log> {
    return this.current.values()
  }

  allFuture(): Iterable<Log> {
    return this.futures.values()
  }

  /** The producer settings may change while the broker runs. */
  updateProducerSettings(settings: { producerIdExpirationMs?: number; transactionVerification?: boolean }): void {
    Object.assign(this.context, settings)
  }

  /** Of the broker: a topic that is gone has no configuration any more. */
  get fileDeleteDelayMs(): number {
    return this.defaults.fileDeleteDelayMs
  }

  private configOf(topic: string): LogConfig {
    return this.options.topicConfigs?.(topic) ?? this.defaults
  }

  /**
   * The log of a partition; a new one if there is none. Throws StorageError (its directory is offline, or it may lie in one
   * that is), LogError INCONSISTENT_TOPIC_ID, LOG_DIR_NOT_FOUND.
   */
  getOrCreate(topic: string, partition: number, options: CreateLogOptions = {}): Log {
    const logs = options.isFuture === true ? this.futures : this.current
    const name = partitionKey(topic, partition)
    let log = logs.get(name)
    if (log === undefined) {
      if (options.isNew !== true && this.onlineDirs.length < this.dirs.length) {
        throw new StorageError(`Can not create log for ${name} because log directories are offline`)
      }
      log = this.create(topic, partition, options)
      logs.set(name, log)
    }
    if (options.topicId !== undefined) log.assignTopicId(options.topicId)
    return log
  }

  /**
   * Does ahead, off the event loop, what takes long when these logs are created soon; a log that is here has no use for it. Never
   * rejects. Whoever has created the logs calls what it resolves with.
   */
  prepare(logs: readonly NewLog[]): Promise<() => void> {
    return this.newFolders.make(logs)
  }

  private create(topic: string, partition: number, options: CreateLogOptions): Log {
    const isFuture = options.isFuture === true
    const { topicId, dir = this.preferred.get(partitionKey(topic, partition)) } = options
    const ahead = isFuture ? undefined : this.newFolders.take({ topic, partition, topicId }, dir)
    const directory = ahead?.directory ?? this.directoryFor(topic, partition, dir)
    const { disk, random, logger } = this.context
    const name = isFuture
      ? markedDirectoryName(topic, partition, FUTURE_DIR_SUFFIX, random)
      : partitionDirectoryName(topic, partition)
    const path = join(directory.path, name)
    return directory.guard(`creating the log of ${topic}-${partition}`, () => {
      directory.forgetOffsetsOf(topic, partition)
      // A folder that nobody loaded: somebody has put it there. What is in it is not ours to remove.
      if (disk.exists(path)) {
        const aside = markedDirectoryName(topic, partition, STRAY_DIR_SUFFIX, random)
        disk.rename(path, join(directory.path, aside))
        logger.warn({ path, aside }, 'a folder is in the place of a new log, and is put aside')
      }
      if (ahead === undefined) disk.makeDirectory(path)
      else putInPlace(disk, ahead, path)
      directory.isDirty = true
      const log = new Log(this.context, directory, topic, partition, path, this.configOf(topic), isFuture)
      log.segments.add(createSegment(log, 0, ahead?.file))
      if (ahead?.topicId !== undefined) log.metadataFile.adopt(ahead.topicId)
      directory.logs.add(log)
      this.preferred.delete(log.name)
      logger.debug({ log: log.name, path }, 'created a log')
      return log
    })
  }

  private directoryFor(topic: string, partition: number, dir: string | undefined): LogDirectory {
    const wanted = dir ?? this.preferred.get(partitionKey(topic, partition))
    if (wanted !== undefined) {
      const directory = this.directories.get(wanted)
      if (directory === undefined) throw unknownDirectory(wanted)
      return directory
    }
    const online = [...this.directories.values()].filter((directory) => directory.isOnline)
    const count = ({ logs, foldersAhead }: LogDirectory) => logs.size + foldersAhead
    const fewest = online.sort((a, b) => count(a) - count(b))[0]
    if (fewest === undefined) throw new StorageError(`No log directories available. Tried ${this.dirs.join(', ')}`)
    return fewest
  }

  /**
   * Where the log of a partition that is not here yet shall be created. LogError LOG_DIR_NOT_FOUND for a directory that is not
   * ours.
   */
  preferDirectory(topic: string, partition: number, dir: string): void {
    if (!this.directories.has(dir)) throw unknownDirectory(dir)
    if (this.get(topic, partition)?.dir === dir || this.future(topic, partition)?.dir === dir) return
    // It may be a name of nothing: the oldest give way.
    if (this.preferred.size >= MAX_PREFERRED) this.preferred.delete(this.preferred.keys().next().value!)
    this.preferred.set(partitionKey(topic, partition), dir)
  }

  /**
   * Takes a log out of service: its directory is renamed to `-delete` and removed after file.delete.delay.ms, or to `-stray`
   * and kept. Without such a log nothing happens; throws StorageError if it may lie in a directory that is offline.
   */
  delete(topic: string, partition: number, options: { stray?: boolean; future?: boolean } = {}): void {
    const logs = options.future === true ? this.futures : this.current
    const log = logs.get(partitionKey(topic, partition))
    if (log === undefined) {
      if (this.onlineDirs.length === this.dirs.length) return
      throw new StorageError(`Failed to delete log for ${topic}-${partition} because it may be in one of the offline directories`)
    }
    logs.delete(log.name)
    this.retire(log, options.stray === true ? STRAY_DIR_SUFFIX : DELETE_DIR_SUFFIX)
    log.directory.scheduleCheckpoints()
  }

  private retire(log: Log, suffix: typeof STRAY_DIR_SUFFIX | typeof DELETE_DIR_SUFFIX): void {
    log.rename(markedDirectoryName(log.topic, log.partition, suffix, this.context.random))
    log.directory.logs.delete(log)
    log.abandon()
    this.context.logger.debug({ log: log.name, path: log.path }, 'a log is taken out of service')
    if (suffix === DELETE_DIR_SUFFIX) this.housekeeping.removeLater(log.directory, log.path)
  }

  /** The future log takes the place of the current one, with its high watermark; the old one is deleted. Throws StorageError. */
  replaceCurrentWithFuture(topic: string, partition: number): void {
    const name = partitionKey(topic, partition)
    const old = this.current.get(name)
    const log = this.futures.get(name)
    if (old === undefined || !old.isOnline) throw new StorageError(`The current replica for ${name} is offline`)
    if (log === undefined || !log.isOnline) throw new StorageError(`The future replica for ${name} is offline`)
    // What was synced there must not depend on what is not synced here. Most of it was before: this blocks.
    log.guard(`syncing ${log.path}`, () => log.flusher.flushNow())
    log.rename(partitionDirectoryName(topic, partition))
    // Two directories may be two file systems, which keep no order between them.
    log.directory.guard(`syncing ${log.dir}`, () => log.directory.syncIfDirty())
    log.isFuture = false
    log.updateHighWatermark(old.highWatermark)
    if (old.cleanedOffset !== undefined) log.cleanedOffset = Math.min(old.cleanedOffset, log.endOffset)
    this.futures.delete(name)
    this.current.set(name, log)
    this.retire(old, DELETE_DIR_SUFFIX)
    old.directory.scheduleCheckpoints()
    log.directory.scheduleCheckpoints()
  }

  /** Called once per directory that fails, with its logs, which are offline already. */
  onDirFailure(fn: (dir: string, logs: readonly Log[]) => void): void {
    this.failureListeners.push(fn)
  }

  private onFailure(directory: LogDirectory): void {
    const logs = [...directory.logs]
    for (const log of logs) {
      log.abandon()
      if (this.current.get(log.name) === log) this.current.delete(log.name)
      if (this.futures.get(log.name) === log) this.futures.delete(log.name)
    }
    directory.logs.clear()
    forgetDirectory(this.context.disk, directory.path)
    for (const listener of this.failureListeners) listener(directory.path, logs)
  }

  private get online(): LogDirectory[] {
    return [...this.directories.values()].filter((directory) => directory.isOnline)
  }

  /** In the background. */
  checkpointHighWatermarks(): void {
    for (const directory of this.online) directory.scheduleHighWatermarkCheckpoint()
  }

  checkpointRecoveryPoints(): void {
    for (const directory of this.online) directory.scheduleRecoveryPointCheckpoint()
  }

  checkpointStartOffsets(): void {
    for (const directory of this.online) directory.scheduleStartOffsetCheckpoint()
  }

  /** The defaults of the broker changed: what topics have of their own is asked for again. */
  reconfigureDefaults(defaults: LogConfig): void {
    this.defaults = defaults
    for (const log of [...this.current.values(), ...this.futures.values()]) log.updateConfig(this.configOf(log.topic))
  }

  updateTopicConfig(topic: string, config: LogConfig): void {
    for (const log of [...this.current.values(), ...this.futures.values()]) if (log.topic === topic) log.updateConfig(config)
  }

  /** With `clean`: syncs and closes all logs, writes the checkpoints and last of all the marker of a clean stop. */
  async shutdown(clean = true): Promise<void> {
    if (this.isStopped) return
    this.isStopped = true
    this.context.timers.stop()
    await this.cleaner?.stop()
    this.newFolders.close()
    if (clean) for (const directory of this.online) await quietly(() => this.closeDirectory(directory))
    for (const log of [...this.current.values(), ...this.futures.values()]) log.abandon()
    await this.context.background.drained()
    for (const directory of this.online) unlockDirectory(this.context.disk, directory.path)
  }

  private async closeDirectory(directory: LogDirectory): Promise<void> {
    await directory.checkpointHighWatermarks()
    const logs = [...directory.logs]
    // A few at a time: a sync waits for the disk, not for us.
    const lanes = Array.from({ length: 4 }, async () => {
      for (let log = logs.pop(); log !== undefined; log = logs.pop()) await log.close()
    })
    await Promise.all(lanes)
    await directory.checkpointRecoveryPoints()
    await directory.checkpointStartOffsets()
    directory.guard('writing the marker of a clean stop', () => directory.writeCleanShutdownMarker())
  }
}

function putInPlace(disk: Disk, folder: NewFolder, path: string): void {
  try {
    disk.rename(folder.path, path)
  } catch (error) {
    folder.file.close()
    throw error
  }
}

function unknownDirectory(dir: string): LogError {
  return new LogError(ErrorCode.LOG_DIR_NOT_FOUND, `Log dir ${dir} is not found in the config.`)
}
