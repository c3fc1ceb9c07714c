import { lockDirectory } from '../storage/directory-lock'
import { join, parentOf, parsePartitionDirectory } from '../storage/file-names'
import { isIoError } from '../storage/io-error'
import { Log } from '../log'
import type { LogContext } from '../log-context'
import { CLEANER_FILE, HIGH_WATERMARK_FILE, LOG_START_FILE, partitionKey, RECOVERY_POINT_FILE } from '../log-directory'
import type { LogDirectory } from '../log-directory'
import { StorageError } from '../log-error'
import { loadLog } from './log-loader'
import type { LogConfig } from '../log-types'

/** A folder in a log directory that is no log: nothing of ours has put it there, and nothing of ours may touch it. */
export class LogFormatError extends Error {
  override readonly name = 'LogFormatError'
  readonly code = 'LOG_FORMAT'
}

export interface OpenedDirectories {
  logs: Log[]
  /** Directories of partitions that were deleted before the last stop. */
  doomed: { directory: LogDirectory; path: string }[]
}

/** So long may loading go on before others get their turn. */
const SLICE_MS = 8

/**
 * Locks the log directories and loads what is in them. A directory that cannot be read or written goes offline; none left is an
 * error.
 */
export async function openDirectories(
  context: LogContext, directories: readonly LogDirectory[], processId: number, configOf: (topic: string) => LogConfig,
): Promise<OpenedDirectories> {
  const opened: OpenedDirectories = { logs: [], doomed: [] }
  const usable: LogDirectory[] = []
  for (const directory of directories) if (prepare(context, directory, processId)) usable.push(directory)
  for (const directory of usable) await load(context, directory, configOf, opened)
  if (directories.every((directory) => !directory.isOnline)) {
    const reasons = directories.map(({ path, failure }) => `${path} (${failure?.message ?? 'offline'})`)
    throw new StorageError(`None of the log directories can be used: ${reasons.join(', ')}`)
  }
  const seen = new Map<string, Log>()
  for (const log of opened.logs) {
    const key = `${log.name} ${log.isFuture}`
    const other = seen.get(key)
    if (other !== undefined) {
      throw new LogFormatError(
        `Duplicate log directories for ${log.name} are found in both ${other.path} and ${log.path}. `
          + 'Recover from this by deleting the one in the log directory that is known to have failed recently.',
      )
    }
    seen.set(key, log)
  }
  opened.logs = opened.logs.filter((log) => log.isOnline)
  return opened
}

function prepare(context: LogContext, directory: LogDirectory, processId: number): boolean {
  const { disk } = context
  try {
    directory.guard('opening the log directory', () => {
      if (!disk.exists(directory.path)) {
        disk.makeDirectory(directory.path)
        disk.syncDirectory(parentOf(directory.path))
      }
      lockDirectory(disk, directory.path, processId)
      directory.isOurs = true
    })
    return true
  } catch (error) {
    if (error instanceof StorageError) return false
    throw error
  }
}

async function load(
  context: LogContext, directory: LogDirectory, configOf: (topic: string) => LogConfig, opened: OpenedDirectories,
): Promise<void> {
  const { disk, clock, logger } = context
  const startedMs = clock.monoMs()
  let sliceMs = startedMs
  const pause = (): Promise<void> => {
    if (clock.monoMs() - sliceMs < SLICE_MS) return Promise.resolve()
    return new Promise((resolve) =>
      clock.immediate(() => {
        sliceMs = clock.monoMs()
        resolve()
      }),
    )
  }
  const logs: Log[] = []
  try {
    const cleanShutdown = directory.takeCleanShutdownMarker()
    const recoveryPoints = directory.readCheckpoint(RECOVERY_POINT_FILE)
    const startOffsets = directory.readCheckpoint(LOG_START_FILE)
    const highWatermarks = directory.readCheckpoint(HIGH_WATERMARK_FILE)
    const cleanedOffsets = directory.readCheckpoint(CLEANER_FILE)
    for (const name of disk.list(directory.path)) {
      const path = join(directory.path, name)
      if (disk.stat(path)?.isDirectory !== true) continue
      const parsed = parsePartitionDirectory(name)
      if (parsed === undefined) throw notALog(directory, name)
      const { topic, partition, state } = parsed
      if (state === 'delete') opened.doomed.push({ directory, path })
      if (state === 'delete' || state === 'stray') continue
      const log = new Log(context, directory, topic, partition, path, configOf(topic), state === 'future')
      const key = partitionKey(topic, partition)
      logs.push(log)
      await loadLog(log, {
        cleanShutdown,
        recoveryPoint: recoveryPoints.get(key) ?? 0,
        startOffset: startOffsets.get(key) ?? 0,
        highWatermark: highWatermarks.get(key) ?? 0,
        pause,
      })
      if (!log.isFuture) log.cleanedOffset = cleanedOffsets.get(key)
      directory.logs.add(log)
      await pause()
    }
    opened.logs.push(...logs)
    const tookMs = Math.round(clock.monoMs() - startedMs)
    logger.info({ dir: directory.path, logs: logs.length, cleanShutdown, tookMs }, 'loaded the logs of a directory')
  } catch (error) {
    if (!isIoError(error)) throw error
    for (const log of logs) log.abandon()
    directory.fail(error, 'loading the logs')
  }
}

function notALog(directory: LogDirectory, name: string): LogFormatError {
  return new LogFormatError(
    `Found directory ${join(directory.path, name)}, '${name}' is not in the form of topic-partition or `
      + 'topic-partition.uniqueId-delete (if marked for deletion).\n'
      + 'Kafka\'s log directories (and children) should only contain Kafka topic data.',
  )
}
