import type { Clock, Disk, DiskFile } from '../runtime/ports'
import { adler32 } from './adler32'
import { JuteError, JuteWriter } from './jute'
import { StorageError, zxidOfName } from './storage-error'
import { readTxn, writeTxn } from './txn'
import type { Txn, TxnHeader } from './txn'

/** 'ZKLG' */
const MAGIC = 0x5a4b4c47
const VERSION = 2
const HEADER_BYTES = 16
const END_OF_RECORD = 0x42
/** Checksum, length and end mark around an entry. */
const FRAME_BYTES = 13

export interface TxnLogOptions {
  /** False: answers do not wait for the disk (Apache's forceSync=no). */
  forceSync: boolean
  /** A write or a sync failed: nothing may be answered any more. Called once. */
  onFailure: (error: Error) => void
  /** Everything up to this zxid survives. */
  onDurable: (zxid: number) => void
}

/**
 * The transactions, in files `log.<first zxid>` of Apache's FileTxnLog form. Entries of one turn are one write; while a sync runs,
 * what is written waits for the next one, so a slow disk makes larger groups and not a longer queue.
 */
export class TxnLog {
  private readonly disk: Disk
  private readonly clock: Clock
  private readonly directory: string
  private readonly options: TxnLogOptions
  private readonly batch = new JuteWriter(64 * 1024)
  private file: DiskFile | undefined
  private position = 0
  /** Full files whose last entries may not be on the disk yet. */
  private retired: DiskFile[] = []
  private appendedZxid: number
  private writtenZxid: number
  private syncing: Promise<void> | undefined
  private failed = false
  /** Everything up to here survives. */
  durableZxid: number
  /** Of all entries since the last roll. */
  bytesSinceRoll = 0
  /** The duration of the last sync and of the longest one. */
  lastSyncMs = 0
  longestSyncMs = 0

  constructor(disk: Disk, clock: Clock, directory: string, lastZxid: number, options: TxnLogOptions) {
    this.disk = disk
    this.clock = clock
    this.directory = directory
    this.options = options
    this.appendedZxid = lastZxid
    this.writtenZxid = lastZxid
    this.durableZxid = lastZxid
  }

  append(header: TxnHeader, txn: Txn): void {
    if (this.failed) return
    if (this.file === undefined && !this.attempt(() => this.openFile(header.zxid))) return
    const { batch } = this
    const start = batch.length
    batch.writeLong(0)
    batch.writeInt(0)
    writeTxn(batch, header, txn)
    batch.patchInt(start + 8, batch.length - start - 12)
    batch.patchLong(start, adler32(batch.view(start + 12)))
    batch.writeByte(END_OF_RECORD)
    this.bytesSinceRoll += batch.length - start
    this.appendedZxid = header.zxid
  }

  /** The turn's entries to the file, and a sync if none is running. */
  flush(): void {
    if (this.failed) return
    if (this.batch.length > 0) {
      const bytes = this.batch.view()
      if (!this.attempt(() => this.file!.write(bytes, this.position))) return
      this.position += bytes.length
      this.batch.reset()
      this.writtenZxid = this.appendedZxid
    }
    if (this.syncing === undefined) this.syncing = this.sync().finally(() => (this.syncing = undefined))
  }

  /** The next entry begins a new file. */
  roll(): void {
    this.flush()
    if (this.file === undefined || this.failed) return
    this.retired.push(this.file)
    this.file = undefined
    this.bytesSinceRoll = 0
  }

  /** Resolves when all that was appended is durable, or the log has failed. */
  async settled(): Promise<void> {
    while (!this.failed && (this.durableZxid < this.appendedZxid || this.syncing !== undefined)) {
      this.flush()
      await this.syncing
    }
  }

  async close(): Promise<void> {
    await this.settled()
    for (const file of [...this.retired, ...(this.file === undefined ? [] : [this.file])]) file.close()
    this.retired = []
    this.file = undefined
    this.failed = true
  }

  private openFile(firstZxid: number): void {
    const header = new JuteWriter(HEADER_BYTES)
    header.writeInt(MAGIC)
    header.writeInt(VERSION)
    header.writeLong(0)
    const file = this.disk.open(`${this.directory}/log.${firstZxid.toString(16)}`, 'create')
    file.write(header.view(), 0)
    this.disk.syncDirectory(this.directory)
    this.file = file
    this.position = HEADER_BYTES
  }

  private async sync(): Promise<void> {
    while (!this.failed && this.durableZxid < this.writtenZxid) {
      const zxid = this.writtenZxid
      if (this.options.forceSync) {
        const started = this.clock.monoMs()
        const full = this.retired
        const current = this.file
        try {
          for (const file of full) await file.sync()
          if (current !== undefined && !full.includes(current)) await current.sync()
        } catch (error) {
          return this.fail(error)
        }
        this.retired = this.retired.filter((file) => !full.includes(file))
        for (const file of full) file.close()
        this.lastSyncMs = this.clock.monoMs() - started
        this.longestSyncMs = Math.max(this.longestSyncMs, this.lastSyncMs)
      } else {
        for (const file of this.retired) file.close()
        this.retired = []
      }
      this.durableZxid = zxid
      this.options.onDurable(zxid)
    }
  }

  private attempt(action: () => void): boolean {
    try {
      action()
      return true
    } catch (error) {
      this.fail(error)
      return false
    }
  }

  private fail(error: unknown): void {
    if (this.failed) return
    this.failed = true
    this.options.onFailure(error instanceof Error ? error : new Error(String(error)))
  }
}

export interface LogFile {
  path: string
  firstZxid: number
}

/** The log files of a directory, oldest first. */
export function listLogs(disk: Disk, directory: string): LogFile[] {
  return disk
    .list(directory)
    .map((name) => ({ path: `${directory}/${name}`, firstZxid: zxidOfName(name, 'log') }))
    .filter((file): file is LogFile => file.firstZxid !== undefined)
    .sort((a, b) => a.firstZxid - b.firstZxid)
}

/** Where a file's good entries end. */
interface LogEnd {
  position: number
  size: number
  lastZxid: number
}

/** Hands each good entry of a file to `visit`, and tells where they end: at the end, at Apache's zero padding, or at damage. */
function readLog(disk: Disk, file: LogFile, visit: (header: TxnHeader, txn: Txn) => void): LogEnd {
  const bytes = disk.readFile(file.path)
  const end: LogEnd = { position: HEADER_BYTES, size: bytes.length, lastZxid: file.firstZxid - 1 }
  if (bytes.length < HEADER_BYTES) return { ...end, position: 0 }
  if (bytes.readInt32BE(0) !== MAGIC) throw new StorageError(`${file.path} is not a ZooKeeper transaction log.`)
  while (end.position + FRAME_BYTES <= bytes.length) {
    const start = end.position + 12
    const length = bytes.readInt32BE(end.position + 8)
    if (length <= 0 || start + length >= bytes.length || bytes[start + length] !== END_OF_RECORD) break
    const entry = bytes.subarray(start, start + length)
    if (bytes.readInt32BE(end.position) !== 0 || bytes.readUInt32BE(end.position + 4) !== adler32(entry)) break
    let record: ReturnType<typeof readTxn>
    try {
      record = readTxn(entry)
    } catch (error) {
      if (!(error instanceof JuteError)) throw error
      throw new StorageError(`${file.path} holds at byte ${end.position} a transaction that this server does not know (${error.message}).`)
    }
    visit(record.header, record.txn)
    end.position = start + length + 1
    end.lastZxid = record.header.zxid
  }
  return end
}

export interface Replay {
  transactions: number
  /** Bytes behind the last good entry that were cut off: the end of a write that a crash interrupted. */
  tornBytes: number
}

/**
 * Replays everything after `afterZxid`. What a crash left of its last write is cut off; damage in front of entries that are there
 * is an error, because transactions that were answered are missing. Throws StorageError.
 */
export function replayLogs(disk: Disk, directory: string, afterZxid: number, visit: (header: TxnHeader, txn: Txn) => void): Replay {
  const all = listLogs(disk, directory)
  const first = Math.max(0, all.findLastIndex((file) => file.firstZxid <= afterZxid + 1))
  const files = all.slice(first)
  const replay: Replay = { transactions: 0, tornBytes: 0 }
  let last = afterZxid
  files.forEach((file, index) => {
    const end = readLog(disk, file, (header, txn) => {
      if (header.zxid <= last) return
      last = header.zxid
      replay.transactions++
      visit(header, txn)
    })
    const next = files[index + 1]
    if (next !== undefined && end.position < end.size && next.firstZxid > last + 1 && isDamaged(disk, file, end)) {
      throw new StorageError(
        `${file.path} is damaged at byte ${end.position}: the transactions from zxid 0x${(last + 1).toString(16)} to ` +
          `0x${(next.firstZxid - 1).toString(16)} are missing; restore the file, or move all log files away to start from the last snapshot.`,
      )
    }
    if (next === undefined && end.position < end.size) replay.tornBytes = cutTail(disk, file, end)
  })
  return replay
}

/** Zeros are padding, not damage. */
function isDamaged(disk: Disk, file: LogFile, end: LogEnd): boolean {
  return disk.readFile(file.path).subarray(end.position).some((byte) => byte !== 0)
}

function cutTail(disk: Disk, file: LogFile, end: LogEnd): number {
  if (!isDamaged(disk, file, end)) return 0
  const open = disk.open(file.path, 'update')
  try {
    open.truncate(end.position)
    open.syncNow()
  } finally {
    open.close()
  }
  return end.size - end.position
}
