import type { Clock, Disk, DiskFile } from '../runtime/ports'
import { adler32 } from './adler32'
import { JuteError, JuteWriter } from './jute'
import { StorageError, zxidOfName } from './storage-error'
import { readTxn, writeTxn } from './txn'
import type { Txn, TxnHeader } from './txn'

/** 'ZKLG' */
const MAGIC = 0x5a4b4c47
const VERSION = 2
/** The header's database id, which nobody reads but us: where it stands, zxids follow each other without a gap. */
const OUR_DATABASE_ID = 0x70726b
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
 * The transactions, in files `log.<first zxid>` of Apache's FileTxnLog form. Entries of one turn are one write; while a sync
 * runs, what is written waits for the next one, so a slow disk makes larger groups and not a longer queue.
 *
 * Invariant: a file is written only when all files before it are on the disk, so that a power cut leaves no gap.
 */
export class TxnLog {
  private readonly disk: Disk
  private readonly clock: Clock
  private readonly directory: string
  private readonly options: TxnLogOptions
  /** Entries that are not in a file yet. */
  private readonly batch = new JuteWriter(64 * 1024)
  private batchFirstZxid = 0
  private file: DiskFile | undefined
  private position = 0
  /** A full file that is being synced; what comes after it waits. */
  private retired: DiskFile | undefined
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
    const { batch } = this
    const start = batch.length
    if (start === 0) this.batchFirstZxid = header.zxid
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
    if (!this.attempt(() => this.writeBatch())) return
    if (this.syncing === undefined && this.needsSync) this.syncing = this.sync().finally(() => (this.syncing = undefined))
  }

  /** The next entry begins a new file. */
  roll(): void {
    this.flush()
    if (this.failed || this.retired !== undefined || this.file === undefined) return
    this.retired = this.file
    this.file = undefined
    this.bytesSinceRoll = 0
    this.flush()
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
    this.failed = true
    this.retired?.close()
    this.file?.close()
  }

  private get needsSync(): boolean {
    return this.retired !== undefined || this.durableZxid < this.writtenZxid
  }

  private writeBatch(): void {
    if (this.batch.length === 0 || this.retired !== undefined) return
    this.file ??= this.openFile(this.batchFirstZxid)
    const bytes = this.batch.view()
    this.file.write(bytes, this.position)
    this.position += bytes.length
    this.batch.reset()
    this.writtenZxid = this.appendedZxid
  }

  private openFile(firstZxid: number): DiskFile {
    const header = new JuteWriter(HEADER_BYTES)
    header.writeInt(MAGIC)
    header.writeInt(VERSION)
    header.writeLong(OUR_DATABASE_ID)
    const file = this.disk.open(`${this.directory}/log.${firstZxid.toString(16)}`, 'create')
    file.write(header.view(), 0)
    this.disk.syncDirectory(this.directory)
    this.position = HEADER_BYTES
    return file
  }

  private async sync(): Promise<void> {
    try {
      while (!this.failed && this.needsSync) {
        const zxid = this.writtenZxid
        const { retired } = this
        // Also with forceSync=no: a file that is full is made durable, or its successor could survive without it.
        if (retired !== undefined || this.options.forceSync) {
          const started = this.clock.monoMs()
          await (retired ?? this.file!).sync()
          this.lastSyncMs = this.clock.monoMs() - started
          this.longestSyncMs = Math.max(this.longestSyncMs, this.lastSyncMs)
        }
        if (retired !== undefined) {
          retired.close()
          this.retired = undefined
          this.writeBatch()
        }
        this.durableZxid = zxid
        this.options.onDurable(zxid)
      }
    } catch (error) {
      this.fail(error)
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
  entries: number
}

type Visit = (header: TxnHeader, txn: Txn, isOurs: boolean) => void

/** Hands each good entry of a file to `visit`, and tells where they end: at the end, at Apache's zero padding, or at damage. */
function readLog(path: string, bytes: Buffer, visit: Visit): LogEnd {
  const end: LogEnd = { position: HEADER_BYTES, size: bytes.length, entries: 0 }
  if (bytes.length < HEADER_BYTES) return { ...end, position: 0 }
  if (bytes.readInt32BE(0) !== MAGIC) throw new StorageError(`${path} is not a ZooKeeper transaction log.`)
  const isOurs = bytes.readInt32BE(12) === OUR_DATABASE_ID
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
      throw new StorageError(
        `${path} holds at byte ${end.position} a transaction that this server does not know (${error.message}).`,
      )
    }
    visit(record.header, record.txn, isOurs)
    end.position = start + length + 1
    end.entries++
  }
  return end
}

export interface Replay {
  transactions: number
  /** Bytes behind the last good entry that were cut off: the end of a write that a crash interrupted. */
  tornBytes: number
}

/**
 * Replays everything after `afterZxid`. What a crash left of its last write is cut off; transactions that are missing in front of
 * others are an error, because they were answered. Throws StorageError.
 */
export function replayLogs(
  disk: Disk,
  directory: string,
  afterZxid: number,
  visit: (header: TxnHeader, txn: Txn) => void,
): Replay {
  const all = listLogs(disk, directory)
  const files = all.slice(
    Math.max(
      0,
      all.findLastIndex((file) => file.firstZxid <= afterZxid + 1),
    ),
  )
  const replay: Replay = { transactions: 0, tornBytes: 0 }
  let last = afterZxid
  let damage = ''
  files.forEach((file, index) => {
    const bytes = disk.readFile(file.path)
    const end = readLog(file.path, bytes, (header, txn, isOurs) => {
      if (header.zxid <= last) return
      if (header.zxid > last + 1 && (isOurs || damage !== '')) throw missing(last + 1, header.zxid - 1, file.path, damage)
      last = header.zxid
      replay.transactions++
      visit(header, txn)
    })
    // Zeros are padding.
    const isDamaged = bytes.subarray(end.position).some((byte) => byte !== 0)
    if (isDamaged) damage = `${file.path} is damaged at byte ${end.position}`
    const isLast = index === files.length - 1
    if (isLast && end.entries === 0 && file.firstZxid > last) return disk.remove(file.path)
    if (isLast && isDamaged) replay.tornBytes = end.size - end.position
    secure(disk, file, isLast && isDamaged ? end.position : undefined)
  })
  disk.syncDirectory(directory)
  return replay
}

function missing(first: number, last: number, path: string, damage: string): StorageError {
  const range =
    first === last
      ? `Transaction 0x${first.toString(16)} is`
      : `Transactions 0x${first.toString(16)} to 0x${last.toString(16)} are`
  const cause = damage === '' ? '' : ` (${damage})`
  return new StorageError(
    `${range} missing in front of those in ${path}${cause}: ` +
      'restore the file, or move the log files away to go back to the last snapshot.',
  )
}

/**
 * What a killed process wrote is in the page cache, and perhaps nowhere else. It is about to be told to clients: on the disk
 * with it. `length`: where a torn tail is cut off.
 */
function secure(disk: Disk, file: LogFile, length: number | undefined): void {
  const open = disk.open(file.path, 'update')
  try {
    if (length !== undefined) open.truncate(length)
    open.syncNow()
  } finally {
    open.close()
  }
}
