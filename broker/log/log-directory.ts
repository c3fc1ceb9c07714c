import { decodeOffsetCheckpoint, encodeOffsetCheckpoint, FileFormatError } from '../../protocol/files/offset-checkpoint'
import type { PartitionOffset } from '../../protocol/files/offset-checkpoint'
import type { Background } from './storage/background'
import type { Logger } from '../../runtime/log'
import type { Disk } from '../../runtime/ports'
import { readTextFile, replaceFile, replaceFileNow } from './storage/checkpoint-file'
import { join } from './storage/file-names'
import { isIoError } from './storage/io-error'
import type { Log } from './log'
import { StorageError } from './log-error'

export const RECOVERY_POINT_FILE = 'recovery-point-offset-checkpoint'
export const LOG_START_FILE = 'log-start-offset-checkpoint'
export const HIGH_WATERMARK_FILE = 'replication-offset-checkpoint'
export const CLEANER_FILE = 'cleaner-offset-checkpoint'
const CLEAN_SHUTDOWN_FILE = '.kafka_cleanshutdown'

export type CheckpointFile =
  | typeof RECOVERY_POINT_FILE | typeof LOG_START_FILE | typeof HIGH_WATERMARK_FILE | typeof CLEANER_FILE

/** Offsets by `topic-partition`. */
export type PartitionOffsets = Map<string, number>

export function partitionKey(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

/**
 * One of `log.dirs`. When anything in it fails it is offline until the broker is restarted: nothing is written to it any more,
 * since nobody knows what of the earlier writes is there (a failed sync may have thrown pages away).
 */
export class LogDirectory {
  readonly path: string
  /** The error that took it offline. */
  failure: Error | undefined
  /** We hold its lock. */
  isOurs = false
  /** A log was created, renamed or removed here, and that is not synced. */
  isDirty = false
  /** How often each checkpoint was written. */
  private readonly writes = new Map<CheckpointFile, number>()
  /** The partitions that each of the checkpoints which recovery goes by may name. */
  private readonly named = new Map<CheckpointFile, ReadonlySet<string>>()
  /** Current and future logs here. */
  readonly logs = new Set<Log>()
  /** Folders that were made for logs which are not here yet. */
  foldersAhead = 0
  private readonly disk: Disk
  private readonly background: Background
  private readonly logger: Logger
  private readonly onFailure: (directory: LogDirectory) => void

  constructor(
    disk: Disk, background: Background, logger: Logger, path: string, onFailure: (directory: LogDirectory) => void,
  ) {
    this.disk = disk
    this.background = background
    this.logger = logger
    this.path = path
    this.onFailure = onFailure
  }

  get isOnline(): boolean {
    return this.failure === undefined
  }

  /** Takes the directory offline; of no effect the second time. */
  fail(error: Error, doing: string): void {
    if (this.failure !== undefined) return
    this.failure = error
    this.logger.error({ dir: this.path, error: error.message }, `log directory is offline: ${doing} failed`)
    this.onFailure(this)
  }

  /** Throws StorageError if the directory is offline. */
  requireOnline(): void {
    if (this.failure !== undefined) throw new StorageError(`Log directory ${this.path} is offline`)
  }

  /** Runs `work`; an error of the disk takes the directory offline and comes out as StorageError. */
  guard<T>(doing: string, work: () => T): T {
    this.requireOnline()
    try {
      return work()
    } catch (error) {
      throw this.translate(error, doing)
    }
  }

  async guardLater<T>(doing: string, work: () => Promise<T>): Promise<T> {
    this.requireOnline()
    try {
      return await work()
    } catch (error) {
      throw this.translate(error, doing)
    }
  }

  /** What to throw for `error`: one of the disk takes the directory offline and becomes a StorageError. */
  translate(error: unknown, doing: string): unknown {
    if (!isIoError(error)) return error
    this.fail(error, doing)
    return new StorageError(`Error while ${doing} in dir ${this.path}: ${error.message}`)
  }

  /** Makes creations and renames of partition directories durable. */
  syncIfDirty(): void {
    if (!this.isDirty) return
    this.isDirty = false
    this.disk.syncDirectory(this.path)
  }

  /** True if the last stop was clean. The marker goes at once: a crash from now on is an unclean stop (KAFKA-10471). */
  takeCleanShutdownMarker(): boolean {
    const path = join(this.path, CLEAN_SHUTDOWN_FILE)
    if (!this.disk.exists(path)) return false
    this.disk.remove(path)
    // Without this a power cut may bring the marker back, and recovery of a torn log would be skipped.
    this.disk.syncDirectory(this.path)
    return true
  }

  /** At the very end of a clean stop. */
  writeCleanShutdownMarker(): void {
    replaceFileNow(this.disk, join(this.path, CLEAN_SHUTDOWN_FILE), '{"version":0,"brokerEpoch":-1}')
  }

  /**
   * A log of this name is about to be created. What the checkpoints still say of one that was deleted, or moved away, goes first:
   * after a crash it would be believed of the new one, and cost it its records. Blocks if there is anything.
   */
  forgetOffsetsOf(topic: string, partition: number): void {
    const key = partitionKey(topic, partition)
    this.forgetStartOffsetOf(topic, partition)
    if (this.named.get(RECOVERY_POINT_FILE)?.has(key)) this.checkpointRecoveryPointsNow()
  }

  /** The start that the checkpoint has of a log is too high now. Blocks if there is one. */
  forgetStartOffsetOf(topic: string, partition: number): void {
    if (!this.named.get(LOG_START_FILE)?.has(partitionKey(topic, partition))) return
    this.writeCheckpointNow(LOG_START_FILE, this.startOffsets())
  }

  /** The offsets in a checkpoint. A damaged one counts as empty, with a warning: then more is recovered than needed. */
  readCheckpoint(file: CheckpointFile): PartitionOffsets {
    const offsets: PartitionOffsets = new Map()
    try {
      for (const { topic, partition, offset } of decodeOffsetCheckpoint(readTextFile(this.disk, join(this.path, file)) ?? '')) {
        offsets.set(partitionKey(topic, partition), offset)
      }
    } catch (error) {
      if (!(error instanceof FileFormatError)) throw error
      this.logger.warn({ dir: this.path, file, reason: error.message }, 'a damaged checkpoint is ignored')
      offsets.clear()
    }
    if (file === LOG_START_FILE || file === RECOVERY_POINT_FILE) this.named.set(file, new Set(offsets.keys()))
    return offsets
  }

  /** So that a start does not scan what is known to be whole. Blocks. */
  checkpointRecoveryPointsNow(): void {
    const points = this.recoveryPoints()
    this.guard('writing the recovery points', () => this.writeCheckpointNow(RECOVERY_POINT_FILE, points))
    for (const { log, offset } of points) log.checkpointedRecoveryPoint = offset
  }

  async checkpointRecoveryPoints(): Promise<void> {
    const points = this.recoveryPoints()
    const write = () => this.writeCheckpoint(RECOVERY_POINT_FILE, points)
    // Until it is there nobody knows which of the two a crash would leave: a roll after a truncation must not wait to see.
    for (const { log, offset } of points) log.checkpointedRecoveryPoint = Math.max(log.checkpointedRecoveryPoint, offset)
    const isWritten = await this.guardLater('writing the recovery points', write)
    if (isWritten) for (const { log, offset } of points) log.checkpointedRecoveryPoint = offset
  }

  /** In the background, soon. */
  scheduleRecoveryPointCheckpoint(): void {
    this.background.schedule(`recovery points ${this.path}`, () => quietly(() => this.checkpointRecoveryPoints()))
  }

  scheduleStartOffsetCheckpoint(): void {
    this.background.schedule(`start offsets ${this.path}`, () => quietly(() => this.checkpointStartOffsets()))
  }

  scheduleHighWatermarkCheckpoint(): void {
    this.background.schedule(`high watermarks ${this.path}`, () => quietly(() => this.checkpointHighWatermarks()))
  }

  scheduleCleanerCheckpoint(): void {
    this.background.schedule(`cleaned offsets ${this.path}`, () => quietly(() => this.checkpointCleanedOffsets()))
  }

  /** Logs came or went. */
  scheduleCheckpoints(): void {
    this.scheduleCleanerCheckpoint()
    this.scheduleRecoveryPointCheckpoint()
    this.scheduleStartOffsetCheckpoint()
    this.scheduleHighWatermarkCheckpoint()
  }

  private recoveryPoints(): (PartitionOffset & { log: Log })[] {
    return [...this.logs].map((log) => ({ log, topic: log.topic, partition: log.partition, offset: log.recoveryPoint }))
  }

  /** Only logs whose start lies above their first segment: the rest is seen from the files. */
  async checkpointStartOffsets(): Promise<void> {
    await this.guardLater('writing the log start offsets', () => this.writeCheckpoint(LOG_START_FILE, this.startOffsets()))
  }

  private startOffsets(): PartitionOffset[] {
    return [...this.logs]
      .filter((log) => log.startOffset > log.segments.first.baseOffset)
      .map((log) => ({ topic: log.topic, partition: log.partition, offset: log.startOffset }))
  }

  async checkpointHighWatermarks(): Promise<void> {
    const marks = [...this.logs].map((log) => ({ topic: log.topic, partition: log.partition, offset: log.highWatermark }))
    await this.guardLater('writing the high watermarks', () => this.writeCheckpoint(HIGH_WATERMARK_FILE, marks))
  }

  /** Only logs that were cleaned; without one no file is begun. */
  async checkpointCleanedOffsets(): Promise<void> {
    const cleaned = [...this.logs].flatMap(({ topic, partition, cleanedOffset: offset, isFuture }) =>
      offset === undefined || isFuture ? [] : [{ topic, partition, offset }])
    if (cleaned.length === 0 && !this.disk.exists(join(this.path, CLEANER_FILE))) return
    await this.guardLater('writing the cleaned offsets', () => this.writeCheckpoint(CLEANER_FILE, cleaned))
  }

  /** Blocks until it is durable. */
  private writeCheckpointNow(file: CheckpointFile, offsets: readonly PartitionOffset[]): void {
    this.writes.set(file, this.writesOf(file) + 1)
    replaceFileNow(this.disk, join(this.path, file), encodeOffsetCheckpoint(offsets))
    if (this.named.has(file)) this.named.set(file, keysOf(offsets))
  }

  /** Gives way to a write that begins later. True if this one was made. */
  private async writeCheckpoint(file: CheckpointFile, offsets: readonly PartitionOffset[]): Promise<boolean> {
    const revision = this.writesOf(file) + 1
    this.writes.set(file, revision)
    const stillWanted = () => this.isOnline && this.writesOf(file) === revision
    const keys = this.named.has(file) ? keysOf(offsets) : undefined
    // Until it is there nobody knows which of the two a crash would leave.
    if (keys !== undefined) this.named.set(file, new Set([...this.named.get(file)!, ...keys]))
    const isWritten = await replaceFile(this.disk, join(this.path, file), encodeOffsetCheckpoint(offsets), stillWanted)
    // Whoever began to write later speaks for the file now.
    if (isWritten && keys !== undefined && this.writesOf(file) === revision) this.named.set(file, keys)
    return isWritten
  }

  private writesOf(file: CheckpointFile): number {
    return this.writes.get(file) ?? 0
  }
}

function keysOf(offsets: readonly PartitionOffset[]): Set<string> {
  return new Set(offsets.map(({ topic, partition }) => partitionKey(topic, partition)))
}

/** An error of the disk has taken the directory offline, and that was told. */
export async function quietly(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
  }
}
