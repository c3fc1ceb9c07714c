import type { Disk, Environment } from '../runtime/ports'
import type { Logger } from '../runtime/log'
import { DataTree } from './data-tree'
import type { Change, TxnResult } from './data-tree'
import { OpCode } from './protocol'
import { freeze, listSnapshots, loadNewestSnapshot, writeSnapshot } from './snapshot'
import type { SavedSession } from './snapshot'
import { StorageError } from './storage-error'
import { TxnLog, listLogs, replayLogs } from './txn-log'
import type { Txn, TxnHeader } from './txn'

export interface DatabaseOptions {
  /** Undefined: in memory only. */
  dataDir: string | undefined
  /** Where the log goes, if not to `dataDir`. */
  dataLogDir?: string | undefined
  forceSync: boolean
  /** Transactions between snapshots. */
  snapCount: number
  /** Snapshots that are kept, with the logs from the oldest of them on; 0 keeps everything. */
  snapRetainCount: number
  logger: Logger
  onDurable: (zxid: number) => void
  onFailure: (error: Error) => void
}

/** A log of this many bytes calls for a snapshot, however few its transactions. */
const SNAPSHOT_LOG_BYTES = 128 * 1024 * 1024
/** What may lie in a new data directory; Apache's scripts put some of it there. */
const OWN_FILES: ReadonlySet<string> = new Set([
  'session-identity',
  'session-identity.tmp',
  'myid',
  'zookeeper_server.pid',
  'initialize',
  'lost+found',
])
/** A replay of this many transactions at the start calls for one too. */
const LONG_REPLAY = 1000

/** Makes a directory, and its name in its parent, and so on, survive a power cut. */
function makeDurableDirectory(disk: Disk, path: string): void {
  if (disk.exists(path)) return
  const parent = path.slice(0, Math.max(path.lastIndexOf('/'), 0))
  if (parent !== '') makeDurableDirectory(disk, parent)
  disk.makeDirectory(path)
  disk.syncDirectory(parent === '' ? (path.startsWith('/') ? '/' : '.') : parent)
}

/**
 * The tree and what makes it survive. A transaction changes the tree at once and is durable later; whoever tells the world of the
 * tree waits for `durableZxid`.
 */
export class Database {
  readonly tree = new DataTree()
  /** What was open when the server stopped. */
  readonly savedSessions: SavedSession[]
  private readonly env: Environment
  private readonly options: DatabaseOptions
  private readonly snapDirectory: string
  private readonly logDirectory: string
  private readonly log: TxnLog | undefined
  private transactionsSinceSnapshot = 0
  private snapshotting: Promise<void> | undefined
  private closed = false

  private constructor(env: Environment, options: DatabaseOptions) {
    this.env = env
    this.options = options
    const { dataDir, dataLogDir } = options
    this.snapDirectory = `${dataDir ?? ''}/version-2`
    this.logDirectory = `${dataLogDir ?? dataDir ?? ''}/version-2`
    this.savedSessions = dataDir === undefined ? [] : this.recover()
    if (dataDir !== undefined) {
      this.log = new TxnLog(env.disk, env.clock, this.logDirectory, this.tree.lastZxid, options)
    }
  }

  /** Reads what is there. Throws StorageError, or Node's errors for a directory that cannot be used. */
  static async open(env: Environment, options: DatabaseOptions): Promise<Database> {
    const database = new Database(env, options)
    if (options.dataDir === undefined) return database
    const first = listSnapshots(env.disk, database.snapDirectory).length === 0
    if (first || database.transactionsSinceSnapshot >= LONG_REPLAY) database.startSnapshot(() => [...database.savedSessions])
    // Logs without any snapshot could not be told from a loss.
    if (first) await database.snapshotting
    return database
  }

  get durableZxid(): number {
    return this.log?.durableZxid ?? Number.MAX_SAFE_INTEGER
  }

  get lastSyncMs(): number {
    return this.log?.lastSyncMs ?? 0
  }

  get longestSyncMs(): number {
    return this.log?.longestSyncMs ?? 0
  }

  /** Applies a checked transaction and puts it into the log. `sessions` is asked when a snapshot begins. */
  commit(header: TxnHeader, txn: Txn, changes: Change[] | undefined): TxnResult {
    this.log?.append(header, txn)
    this.transactionsSinceSnapshot++
    return this.tree.apply(header, txn, changes)
  }

  /** At the end of a turn: what was committed goes to the disk. */
  flush(sessions: () => SavedSession[]): void {
    if (this.log === undefined || this.closed) return
    this.log.flush()
    if (this.transactionsSinceSnapshot >= this.options.snapCount || this.log.bytesSinceRoll >= SNAPSHOT_LOG_BYTES) {
      this.startSnapshot(sessions)
    }
  }

  async close(): Promise<void> {
    this.closed = true
    await this.log?.close()
    await this.snapshotting
  }

  /** Bytes in the two directories, for the four-letter words. */
  directorySizes(): { snapshots: number; logs: number } {
    if (this.options.dataDir === undefined) return { snapshots: 0, logs: 0 }
    const { disk } = this.env
    const total = (files: { path: string }[]): number => files.reduce((sum, { path }) => sum + (disk.stat(path)?.size ?? 0), 0)
    return { snapshots: total(listSnapshots(disk, this.snapDirectory)), logs: total(listLogs(disk, this.logDirectory)) }
  }

  private recover(): SavedSession[] {
    const { disk } = this.env
    this.refuseForeignDirectory()
    makeDurableDirectory(disk, this.snapDirectory)
    makeDurableDirectory(disk, this.logDirectory)
    const loaded = loadNewestSnapshot(disk, this.snapDirectory, this.tree)
    // A snapshot's name may still be on its way to the disk when the process that gave it was killed.
    disk.syncDirectory(this.snapDirectory)
    if (loaded === undefined && listLogs(disk, this.logDirectory).length > 0) {
      throw new StorageError(
        `${this.logDirectory} has transaction logs, but ${this.snapDirectory} has no snapshot to start them from.`,
      )
    }
    for (const reason of loaded?.skipped ?? []) this.options.logger.warn({ reason }, 'skipped a snapshot that is not whole')
    const sessions = new Map((loaded?.sessions ?? []).map((session) => [session.id, session]))
    const replay = replayLogs(disk, this.logDirectory, this.tree.lastZxid, (header, txn) => {
      if (txn.type === OpCode.createSession) sessions.set(header.sessionId, { id: header.sessionId, timeoutMs: txn.timeoutMs })
      if (txn.type === OpCode.closeSession) sessions.delete(header.sessionId)
      this.tree.apply(header, txn)
    })
    this.transactionsSinceSnapshot = replay.transactions
    if (replay.tornBytes > 0)
      this.options.logger.warn({ bytes: replay.tornBytes }, 'cut off the end of a write that was interrupted')
    return [...sessions.values()]
  }

  /** A directory with other things in it is somebody's mistake, not a place for a database. */
  private refuseForeignDirectory(): void {
    const { disk } = this.env
    const dataDir = this.options.dataDir!
    if (!disk.exists(dataDir) || disk.exists(this.snapDirectory)) return
    const foreign = disk.list(dataDir).filter((name) => !OWN_FILES.has(name))
    if (foreign.length === 0) return
    const names = foreign.slice(0, 3).join(', ') + (foreign.length > 3 ? ' ...' : '')
    throw new StorageError(
      `${dataDir} holds something else (${names}): set dataDir to an empty directory, or to one of a ZooKeeper.`,
    )
  }

  private startSnapshot(sessions: () => SavedSession[]): void {
    if (this.snapshotting !== undefined || this.closed) return
    this.transactionsSinceSnapshot = 0
    this.log?.roll()
    const state = freeze(this.tree, sessions())
    const { disk, clock } = this.env
    const { logger } = this.options
    this.snapshotting = writeSnapshot(disk, clock, this.snapDirectory, state, () => this.closed)
      .then((complete) => {
        if (complete) this.purge()
      })
      .catch((error: unknown) => {
        // The log still has everything: the next snapshot may succeed.
        logger.error({ error, zxid: state.zxid }, 'could not write a snapshot')
      })
      .finally(() => (this.snapshotting = undefined))
  }

  /** Removes the snapshots beyond those that are kept, and the logs that only they needed. */
  private purge(): void {
    const { disk } = this.env
    const { snapRetainCount } = this.options
    if (snapRetainCount === 0) return
    const snapshots = listSnapshots(disk, this.snapDirectory)
    const oldest = snapshots[Math.min(snapRetainCount, snapshots.length) - 1]
    if (oldest === undefined) return
    for (const { path } of snapshots.slice(snapRetainCount)) disk.remove(path)
    const logs = listLogs(disk, this.logDirectory)
    const needed = logs.findLastIndex((file) => file.firstZxid <= oldest.zxid + 1)
    for (const { path } of logs.slice(0, Math.max(needed, 0))) disk.remove(path)
  }
}
