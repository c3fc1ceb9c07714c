import { FileFormatError } from '../../protocol/files/checkpoint-text'
import { decodeLeaderEpochCheckpoint, encodeLeaderEpochCheckpoint } from '../../protocol/files/leader-epoch-checkpoint'
import { readTextFile, replaceFile } from './storage/checkpoint-file'
import { isIoError } from './storage/io-error'
import { join } from './storage/file-names'
import type { Log } from './log'

const FILE_NAME = 'leader-epoch-checkpoint'

/**
 * `leader-epoch-checkpoint` of a log. It is written in the background; before the recovery point moves it must be durable (`write`), for
 * epochs of records above the recovery point are found again by the scan after a crash, and others are not (KAFKA-16541).
 */
export class EpochFile {
  private readonly log: Log
  private writtenRevision = 0
  private inFlight: Promise<void> | undefined

  constructor(log: Log) {
    this.log = log
  }

  /** Reads the file. A damaged one counts as empty, with a warning: recovery fills in what the records say. */
  load(): void {
    const { log } = this
    try {
      log.epochs.load(decodeLeaderEpochCheckpoint(readTextFile(log.context.disk, join(log.path, FILE_NAME)) ?? ''))
    } catch (error) {
      if (!(error instanceof FileFormatError)) throw error
      log.context.logger.warn({ log: log.name, reason: error.message }, 'a damaged leader epoch checkpoint is ignored')
    }
  }

  scheduleWrite(): void {
    const { log } = this
    log.context.background.schedule(`epochs ${log.path}`, async () => {
      try {
        await this.write()
      } catch (error) {
        if (!isIoError(error)) throw error
        if (log.isOnline) log.directory.fail(error, `writing the leader epochs of ${log.name}`)
      }
    })
  }

  /** Resolves when the file says, durably, what the cache says now. */
  async write(): Promise<void> {
    while (this.inFlight !== undefined) await this.inFlight
    const { log } = this
    if (this.writtenRevision === log.epochs.revision || !log.isOnline) return
    this.inFlight = this.writeOnce().finally(() => {
      this.inFlight = undefined
    })
    await this.inFlight
  }

  private async writeOnce(): Promise<void> {
    const { log } = this
    const { path } = log
    const { revision, entries } = log.epochs
    const content = encodeLeaderEpochCheckpoint(entries)
    const isThere = () => log.isOnline && log.path === path
    if (await replaceFile(log.context.disk, join(path, FILE_NAME), content, isThere)) this.writtenRevision = revision
  }
}
