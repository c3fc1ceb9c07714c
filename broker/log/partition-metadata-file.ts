import { FileFormatError } from '../../protocol/files/checkpoint-text'
import { decodePartitionMetadata, encodePartitionMetadata } from '../../protocol/files/partition-metadata'
import { join } from './storage/file-names'
import { isIoError } from './storage/io-error'
import type { Log } from './log'
import { readTextFile } from './storage/checkpoint-file'

export const PARTITION_METADATA_FILE = 'partition.metadata'

/**
 * `partition.metadata`: the id of the topic that the log belongs to. It is there before the first record is; synced in the
 * background.
 */
export class PartitionMetadataFile {
  topicId: string | undefined
  private readonly log: Log

  constructor(log: Log) {
    this.log = log
  }

  /** Reads the file. One that a power cut left empty counts as absent: the controller tells the id again. */
  load(): void {
    const { log } = this
    const text = readTextFile(log.context.disk, join(log.path, PARTITION_METADATA_FILE))
    if (text === undefined) return
    try {
      this.topicId = decodePartitionMetadata(text)
    } catch (error) {
      if (!(error instanceof FileFormatError)) throw error
      log.context.logger.warn({ log: log.name, reason: error.message }, 'a damaged partition.metadata is ignored')
    }
  }

  record(topicId: string): void {
    const { log } = this
    const { disk } = log.context
    this.topicId = topicId
    const path = join(log.path, PARTITION_METADATA_FILE)
    const file = disk.open(`${path}.tmp`, 'create')
    try {
      file.write(Buffer.from(encodePartitionMetadata(topicId)), 0)
    } finally {
      file.close()
    }
    disk.rename(`${path}.tmp`, path)
    this.syncLater()
  }

  /** The file of a new log is there already, with this id in it. */
  adopt(topicId: string): void {
    this.topicId = topicId
    this.syncLater()
  }

  private syncLater(): void {
    this.log.context.background.schedule(`metadata ${this.log.path}`, () => this.sync())
  }

  private async sync(): Promise<void> {
    const { log } = this
    const path = join(log.path, PARTITION_METADATA_FILE)
    if (!log.isOnline) return
    try {
      const file = await log.context.disk.openLater(path, 'read')
      try {
        await file.sync()
      } finally {
        file.close()
      }
    } catch (error) {
      if (!isIoError(error)) throw error
      // The folder may have got another name, or be gone.
      if (error.code !== 'ENOENT' && log.isOnline) log.directory.fail(error, `syncing the topic id of ${log.name}`)
    }
  }
}
