import { FileFormatError } from '../../protocol/files/checkpoint-text'
import { decodeLeaderEpochCheckpoint, encodeLeaderEpochCheckpoint } from '../../protocol/files/leader-epoch-checkpoint'
import type { Log } from './log'
import { quietly } from './log-directory'
import { readTextFile, replaceFile, replaceFileNow } from './storage/checkpoint-file'
import { join } from './storage/file-names'

const FILE_NAME = 'leader-epoch-checkpoint'

/**
 * `leader-epoch-checkpoint` of a log. Kafka writes it at each change of leader, with a sync. After a crash the epochs of all
 * records above the recovery point are found again by the scan, so it need only be durable before the recovery point passes
 * them (KAFKA-16541); an epoch that no record was written in may be forgotten.
 */
export class EpochFile {
  private readonly log: Log
  private writtenRevision = 0
  private inFlight: Promise<void> | undefined
  /** How often the file was written at once, past a write that may be in flight. */
  private overtaken = 0

  constructor(log: Log) {
    this.log = log
  }

  private get path(): string {
    return join(this.log.path, FILE_NAME)
  }

  /** Reads the file. A damaged one counts as empty, with a warning: recovery fills in what the records say. */
  load(): void {
    const { log } = this
    try {
      log.epochs.load(decodeLeaderEpochCheckpoint(readTextFile(log.context.disk, this.path) ?? ''))
    } catch (error) {
      if (!(error instanceof FileFormatError)) throw error
      log.context.logger.warn({ log: log.name, reason: error.message }, 'a damaged leader epoch checkpoint is ignored')
    }
  }

  /** Resolves when the file says, durably, what the cache says now. */
  async write(): Promise<void> {
    const { log } = this
    // A write that was overtaken, or whose directory got another name meanwhile, has written nothing.
    for (;;) {
      while (this.inFlight !== undefined) await this.inFlight
      if (this.writtenRevision === log.epochs.revision || !log.isOnline) return
      this.inFlight = this.writeOnce().finally(() => {
        this.inFlight = undefined
      })
      await this.inFlight
    }
  }

  /** In the background, soon. */
  writeLater(): void {
    const { log } = this
    log.context.background.schedule(`epochs ${log.path}`, async () => {
      if (!log.isOnline) return
      await quietly(() => log.directory.guardLater(`writing the epochs of ${log.name}`, () => this.write()))
    })
  }

  private async writeOnce(): Promise<void> {
    const { log, path } = this
    const { revision, entries } = log.epochs
    const { overtaken } = this
    const isWanted = () => log.isOnline && this.path === path && this.overtaken === overtaken
    if (await replaceFile(log.context.disk, path, encodeLeaderEpochCheckpoint(entries), isWanted)) this.writtenRevision = revision
  }

  /** For when nothing may be written to the log before the old epochs are gone. Blocks. */
  writeNow(): void {
    this.overtaken++
    this.writtenRevision = this.log.epochs.revision
    replaceFileNow(this.log.context.disk, this.path, encodeLeaderEpochCheckpoint(this.log.epochs.entries))
  }
}
