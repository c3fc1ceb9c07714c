import type { Logger } from '../../runtime/log'
import type { Environment } from '../../runtime/ports'
import type { Turn } from '../../runtime/turn'
import type { Log } from './log'
import type { LogConfig } from './log-types'

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
  producerIdExpirationMs?: number
  producerIdExpirationCheckIntervalMs?: number
  transactionVerification?: boolean
  /** Open files that segments may hold between them. */
  maxOpenFiles?: number
  /** Own process id, for `.lock`. */
  processId?: number
}

export interface CreateLogOptions {
  topicId?: string | undefined
  /** The controller says that this replica never existed: then it is created although a directory is offline. */
  isNew?: boolean
  /** In this log directory, else where `preferDirectory` said, else where the fewest logs are. */
  dir?: string | undefined
  isFuture?: boolean
}

/** All logs of a broker, in its log directories. */
export declare class LogManager {
  /** Loads (and after an unclean stop recovers) all logs. Throws if a directory is in use, or none is usable. */
  static open(env: Environment, options: LogManagerOptions): Promise<LogManager>
  /** All of `log.dirs`. */
  readonly dirs: readonly string[]
  readonly onlineDirs: readonly string[]
  /** Throws StorageError; LogError INCONSISTENT_TOPIC_ID. */
  getOrCreate(topic: string, partition: number, options?: CreateLogOptions): Log
  get(topic: string, partition: number): Log | undefined
  future(topic: string, partition: number): Log | undefined
  /** Current logs. */
  all(): Iterable<Log>
  allFuture(): Iterable<Log>
  isOnline(dir: string): boolean
  /** Renames the directory to `-delete` (removed after file.delete.delay.ms) or `-stray` (kept). */
  delete(topic: string, partition: number, options?: { stray?: boolean; future?: boolean }): void
  preferDirectory(topic: string, partition: number, dir: string): void
  /** The future log takes the place of the current one. */
  replaceCurrentWithFuture(topic: string, partition: number): void
  /** Called once per directory that fails, with its logs, which are offline already. */
  onDirFailure(fn: (dir: string, logs: readonly Log[]) => void): void
  checkpointHighWatermarks(): void
  checkpointRecoveryPoints(): void
  checkpointStartOffsets(): void
  reconfigureDefaults(defaults: LogConfig): void
  updateTopicConfig(topic: string, config: LogConfig): void
  /** With `clean`: syncs and closes all logs, writes the checkpoints and the marker. */
  shutdown(clean?: boolean): Promise<void>
}
