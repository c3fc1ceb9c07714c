import { encodePartitionMetadata } from '../../protocol/files/partition-metadata'
import type { Disk, DiskFile } from '../../runtime/ports'
import type { LogContext } from './log-context'
import { partitionKey } from './log-directory'
import type { LogDirectory } from './log-directory'
import { PARTITION_METADATA_FILE } from './partition-metadata-file'
import { DELETE_DIR_SUFFIX, fileName, join, LOG_SUFFIX, markedDirectoryName } from './storage/file-names'

/** A partition that will get a log here. */
export interface NewLog {
  topic: string
  partition: number
  topicId: string | undefined
}

/** A folder with what a log begins with, not yet under its name. */
export interface NewFolder {
  directory: LogDirectory
  path: string
  /** Of the first segment. */
  file: DiskFile
  /** What its partition.metadata says; undefined: there is none. */
  topicId: string | undefined
}

/** Of one request. Each holds an open file; the rest is made when the logs are. */
const MOST_FOLDERS = 512

/**
 * Folders of logs that are about to be created, made off the event loop: to create a folder and two files may take a millisecond,
 * and a new topic has a thousand of them. Until its log is created a folder has the name of one that is being deleted, so that
 * what a crash leaves behind is removed by the next start.
 */
export class NewFolders {
  private readonly context: LogContext
  private readonly homeOf: (log: NewLog) => LogDirectory
  private readonly ready = new Map<string, NewFolder>()
  private isClosed = false

  /** `homeOf` says where a log shall be created; it may throw. */
  constructor(context: LogContext, homeOf: (log: NewLog) => LogDirectory) {
    this.context = context
    this.homeOf = homeOf
  }

  /**
   * Makes folders for these logs, one after another: several at a time are hardly sooner, since they meet in the file system, and
   * the event loop waits longer for a processor. Never rejects: what cannot be made fails again, and is told, when the log is
   * created. Resolves with what removes those that were not taken.
   */
  async make(logs: readonly NewLog[]): Promise<() => void> {
    const wanted = logs.filter((log) => !this.ready.has(keyOf(log))).slice(0, MOST_FOLDERS)
    const made = new Map<string, NewFolder>()
    for (const log of wanted) {
      if (this.isClosed) break
      const folder = await this.makeOne(log)
      if (folder === undefined) continue
      // Another request has made it meanwhile.
      if (this.isClosed || this.ready.has(keyOf(log))) this.discard(folder)
      else {
        this.ready.set(keyOf(log), folder)
        made.set(keyOf(log), folder)
      }
    }
    return () => {
      for (const [key, folder] of made) {
        if (this.ready.get(key) !== folder) continue
        this.ready.delete(key)
        this.discard(folder)
      }
    }
  }

  /** The folder for a log, if there is one for this topic in `dir`, where it is given. Who takes it renames it. */
  take(log: NewLog, dir: string | undefined): NewFolder | undefined {
    const folder = this.ready.get(keyOf(log))
    if (folder === undefined) return undefined
    this.ready.delete(keyOf(log))
    const { directory, topicId } = folder
    if (directory.isOnline && topicId === log.topicId && (dir === undefined || dir === directory.path)) {
      directory.foldersAhead--
      return folder
    }
    this.discard(folder)
    return undefined
  }

  /** Lets go of what nobody has taken; the next start removes it. */
  close(): void {
    this.isClosed = true
    for (const { file } of this.ready.values()) file.close()
    this.ready.clear()
  }

  private async makeOne(log: NewLog): Promise<NewFolder | undefined> {
    const { disk, random } = this.context
    let directory: LogDirectory
    try {
      directory = this.homeOf(log)
    } catch {
      return undefined
    }
    directory.foldersAhead++
    const path = join(directory.path, markedDirectoryName(log.topic, log.partition, DELETE_DIR_SUFFIX, random))
    try {
      await disk.makeDirectoryLater(path)
    } catch {
      directory.foldersAhead--
      return undefined
    }
    const { topicId } = log
    const [opened, written] = await Promise.allSettled([
      disk.openLater(join(path, fileName(0, LOG_SUFFIX)), 'create'),
      topicId === undefined ? undefined : writeMetadata(disk, path, topicId),
    ])
    if (opened.status === 'fulfilled' && written.status === 'fulfilled') return { directory, path, file: opened.value, topicId }
    directory.foldersAhead--
    if (opened.status === 'fulfilled') opened.value.close()
    this.removeTree(directory, path)
    return undefined
  }

  private discard({ directory, path, file }: NewFolder): void {
    directory.foldersAhead--
    file.close()
    if (!this.isClosed) this.removeTree(directory, path)
  }

  private removeTree(directory: LogDirectory, path: string): void {
    if (!directory.isOnline) return
    this.context.background.schedule(`unused ${path}`, async () => {
      // What stays is removed by the next start.
      await this.context.disk.removeTree(path).catch((error: unknown) => {
        this.context.logger.warn({ path, error: String(error) }, 'the folder of a log that was not created cannot be removed')
      })
    })
  }
}

function keyOf({ topic, partition }: NewLog): string {
  return partitionKey(topic, partition)
}

async function writeMetadata(disk: Disk, path: string, topicId: string): Promise<void> {
  const file = await disk.openLater(join(path, PARTITION_METADATA_FILE), 'create')
  try {
    file.write(Buffer.from(encodePartitionMetadata(topicId)), 0)
  } finally {
    file.close()
  }
}
