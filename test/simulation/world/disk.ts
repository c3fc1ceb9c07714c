import { createHash } from 'node:crypto'
import type { SeededRandom } from './random'
import type { Process } from './world'
import type { Disk, DiskFile, FileStat, OpenMode } from '../../../runtime/ports'

const SECTOR = 512

type FileChange = { kind: 'write'; position: number; bytes: Buffer } | { kind: 'truncate'; length: number }

/** A file as the page cache shows it, and as it would be after a power cut. */
class Inode {
  readonly number: number
  content = Buffer.alloc(0)
  length = 0
  durable = Buffer.alloc(0)
  /** What happened since the last sync, oldest first. */
  unsynced: FileChange[] = []
  mtimeMs = 0

  constructor(number: number) {
    this.number = number
  }

  apply(change: FileChange): void {
    if (change.kind === 'truncate') {
      if (change.length > this.content.length) this.grow(change.length)
      if (change.length < this.length) this.content.fill(0, change.length, this.length)
      this.length = change.length
      return
    }
    const end = change.position + change.bytes.length
    this.grow(end)
    change.bytes.copy(this.content, change.position)
    this.length = Math.max(this.length, end)
  }

  bytes(): Buffer {
    return this.content.subarray(0, this.length)
  }

  sync(): void {
    this.durable = Buffer.from(this.bytes())
    this.unsynced = []
  }

  /** Of the changes since the last sync a prefix survives, the last of it perhaps torn at a sector. */
  losePower(random: SeededRandom): void {
    const kept = this.unsynced.slice(0, random.below(this.unsynced.length + 1))
    const torn = kept.at(-1)
    if (torn?.kind === 'write' && random.chance(0.5)) {
      const sectors = Math.floor(torn.bytes.length / SECTOR)
      kept[kept.length - 1] = { ...torn, bytes: torn.bytes.subarray(0, random.below(sectors + 1) * SECTOR) }
    }
    this.content = Buffer.from(this.durable)
    this.length = this.durable.length
    for (const change of kept) this.apply(change)
    this.sync()
  }

  private grow(length: number): void {
    if (length <= this.content.length) return
    const larger = Buffer.alloc(Math.max(length, this.content.length * 2, 256))
    this.bytes().copy(larger)
    this.content = larger
  }
}

/** One change of names that a power cut undoes as a whole: what stood under each name before. */
type NameChange = { directory: Directory; name: string; former: Inode | Directory | undefined }[]

/** Names as the page cache shows them, and what happened to them since the last sync, oldest first. */
class Directory {
  readonly entries = new Map<string, Inode | Directory>()
  unsynced: NameChange[] = []
}

function fault(code: string, what: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${what} '${path}'`), { code, path })
}

function parentOf(path: string): string {
  const at = path.lastIndexOf('/')
  return at <= 0 ? '/' : path.slice(0, at)
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function normal(path: string): string {
  const clean = path.replace(/\/+/g, '/')
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean
}

/** What a test can make go wrong. */
export interface DiskFaults {
  /** Error code for every write, sync and creation below this path (ENOSPC, EIO). */
  failBelow?: { path: string; code: string }
}

/**
 * A disk in memory that knows what a power cut takes: of each file what was not synced, of each directory the creations,
 * renames and removals after its last sync, newest first.
 */
export class SimulatedDisk implements Disk {
  readonly faults: DiskFaults = {}
  private readonly process: Process
  private readonly random: SeededRandom
  private readonly root = new Directory()
  private nextInode = 1
  private readonly openFiles = new Set<SimulatedFile>()

  constructor(process: Process, random: SeededRandom) {
    this.process = process
    this.random = random
  }

  open(path: string, mode: OpenMode): DiskFile {
    path = normal(path)
    let inode = this.find(path)
    if (inode instanceof Directory) throw fault('EISDIR', 'open', path)
    if (inode === undefined) {
      if (mode === 'read') throw fault('ENOENT', 'open', path)
      this.check(path)
      inode = this.touch(new Inode(this.nextInode++))
      this.put(path, inode)
    }
    const file = new SimulatedFile(this.process, this, path, inode, this.random)
    this.openFiles.add(file)
    if (mode === 'create' && inode.length > 0) file.truncate(0)
    return file
  }

  openLater(path: string, mode: OpenMode): Promise<DiskFile> {
    return this.later(() => this.open(path, mode))
  }

  exists(path: string): boolean {
    return this.find(normal(path)) !== undefined
  }

  stat(path: string): FileStat | undefined {
    const inode = this.find(normal(path))
    if (inode === undefined) return undefined
    if (inode instanceof Directory) return { size: 0, mtimeMs: 0, isDirectory: true, inode: 0 }
    return { size: inode.length, mtimeMs: inode.mtimeMs, isDirectory: false, inode: inode.number }
  }

  list(path: string): string[] {
    return [...this.directory(normal(path)).entries.keys()].sort()
  }

  makeDirectory(path: string): void {
    path = normal(path)
    if (this.find(path) instanceof Directory) return
    this.check(path)
    this.makeDirectory(parentOf(path))
    this.put(path, new Directory())
  }

  makeDirectoryLater(path: string): Promise<void> {
    path = normal(path)
    return this.later(() => {
      if (this.find(path) !== undefined) throw fault('EEXIST', 'mkdir', path)
      this.check(path)
      this.put(path, new Directory())
    })
  }

  /** One change of the new parent: it is durable, or undone, as a whole. */
  rename(from: string, to: string): void {
    from = normal(from)
    to = normal(to)
    this.check(to)
    const moved = this.find(from)
    if (moved === undefined) throw fault('ENOENT', 'rename', from)
    const source = this.directory(parentOf(from))
    const target = this.directory(parentOf(to))
    const replaced = target.entries.get(nameOf(to))
    if (moved instanceof Directory && replaced !== undefined) throw fault('ENOTEMPTY', 'rename', to)
    source.entries.delete(nameOf(from))
    target.entries.set(nameOf(to), moved)
    target.unsynced.push([
      { directory: source, name: nameOf(from), former: moved },
      { directory: target, name: nameOf(to), former: replaced },
    ])
  }

  remove(path: string): void {
    path = normal(path)
    const inode = this.find(path)
    if (inode === undefined) return
    if (inode instanceof Directory) throw fault('EISDIR', 'unlink', path)
    this.check(path)
    this.drop(path)
  }

  removeTree(path: string): Promise<void> {
    path = normal(path)
    const { incarnation } = this.process
    return new Promise((resolve) => {
      this.process.world.plan(this.process, this.random.between(0.1, 5), () => {
        if (incarnation !== this.process.incarnation) return
        this.dropTree(path)
        resolve()
      })
    })
  }

  readFile(path: string): Buffer {
    const inode = this.find(normal(path))
    if (inode === undefined) throw fault('ENOENT', 'open', path)
    if (inode instanceof Directory) throw fault('EISDIR', 'read', path)
    return Buffer.from(inode.bytes())
  }

  syncDirectory(path: string): void {
    path = normal(path)
    this.check(path)
    this.directory(path).unsynced = []
  }

  /** What is renamed meanwhile is not covered. */
  syncDirectoryLater(path: string): Promise<void> {
    path = normal(path)
    this.check(path)
    const directory = this.directory(path)
    const covered = new Set(directory.unsynced)
    const { incarnation } = this.process
    return new Promise((resolve) => {
      this.process.world.plan(this.process, this.random.between(0.1, 5), () => {
        if (incarnation !== this.process.incarnation) return
        directory.unsynced = directory.unsynced.filter((change) => !covered.has(change))
        resolve()
      })
    })
  }

  setModified(path: string, mtimeMs: number): void {
    const inode = this.find(normal(path))
    if (inode instanceof Inode) inode.mtimeMs = mtimeMs
  }

  space(): { total: number; usable: number } {
    return { total: 1e12, usable: 5e11 }
  }

  /** Throws the fault that a test has planned for this path. */
  check(path: string): void {
    const planned = this.faults.failBelow
    if (planned !== undefined && (path === planned.path || path.startsWith(`${planned.path}/`))) throw fault(planned.code, 'write', path)
  }

  touch(inode: Inode): Inode {
    inode.mtimeMs = 1_700_000_000_000 + Math.floor(this.process.world.nowMs)
    return inode
  }

  closeAll(): void {
    for (const file of this.openFiles) file.poison()
    this.openFiles.clear()
  }

  forget(file: SimulatedFile): void {
    this.openFiles.delete(file)
  }

  losePower(): void {
    this.loseNames(this.root)
    for (const [, inode] of this.all()) if (inode instanceof Inode) inode.losePower(this.random)
  }

  /** Each directory keeps its oldest changes; the newest are undone, newest first. What is found there then may have lost names, too. */
  private loseNames(directory: Directory): void {
    const lost = directory.unsynced.splice(this.random.below(directory.unsynced.length + 1))
    for (const change of lost.reverse()) {
      for (const { directory: changed, name, former } of change) {
        if (former === undefined) changed.entries.delete(name)
        else changed.entries.set(name, former)
      }
    }
    directory.unsynced = []
    for (const name of [...directory.entries.keys()].sort()) {
      const entry = directory.entries.get(name)
      if (entry instanceof Directory) this.loseNames(entry)
    }
  }

  /** Of names and contents, for the trace. */
  digest(): string {
    const hash = createHash('sha256')
    for (const [path, inode] of this.all()) {
      hash.update(path)
      if (inode instanceof Inode) hash.update(inode.bytes())
    }
    return hash.digest('hex').slice(0, 16)
  }

  /** Everything, by path. */
  private all(directory = this.root, prefix = ''): [string, Inode | Directory][] {
    return [...directory.entries.keys()].sort().flatMap((name) => {
      const entry = directory.entries.get(name)!
      const path = `${prefix}/${name}`
      const own: [string, Inode | Directory] = [path, entry]
      return entry instanceof Directory ? [own, ...this.all(entry, path)] : [own]
    })
  }

  private find(path: string): Inode | Directory | undefined {
    let found: Inode | Directory | undefined = this.root
    if (path === '/') return found
    for (const name of path.slice(1).split('/')) {
      if (!(found instanceof Directory)) return undefined
      found = found.entries.get(name)
    }
    return found
  }

  private directory(path: string): Directory {
    const found = this.find(path)
    if (found === undefined) throw fault('ENOENT', 'no directory', path)
    if (!(found instanceof Directory)) throw fault('ENOTDIR', 'not a directory', path)
    return found
  }

  private put(path: string, entry: Inode | Directory): void {
    const directory = this.directory(parentOf(path))
    const name = nameOf(path)
    directory.unsynced.push([{ directory, name, former: directory.entries.get(name) }])
    directory.entries.set(name, entry)
  }

  private drop(path: string): void {
    const directory = this.directory(parentOf(path))
    const name = nameOf(path)
    directory.unsynced.push([{ directory, name, former: directory.entries.get(name) }])
    directory.entries.delete(name)
  }

  /** As the thread pool would: done a little later, unless the process has died by then. */
  private later<T>(work: () => T): Promise<T> {
    const { incarnation } = this.process
    return new Promise((resolve, reject) => {
      this.process.world.plan(this.process, this.random.between(0.05, 3), () => {
        if (incarnation !== this.process.incarnation) return
        try {
          resolve(work())
        } catch (error) {
          reject(error)
        }
      })
    })
  }

  private dropTree(path: string): void {
    const entry = this.find(path)
    if (entry === undefined) return
    if (entry instanceof Directory) for (const name of [...entry.entries.keys()].sort()) this.dropTree(`${path}/${name}`)
    this.drop(path)
  }
}

export class SimulatedFile implements DiskFile {
  readonly path: string
  private readonly process: Process
  private readonly disk: SimulatedDisk
  private readonly inode: Inode
  private readonly random: SeededRandom
  private readonly incarnation: number
  private state: 'open' | 'closed' | 'poisoned' = 'open'

  constructor(process: Process, disk: SimulatedDisk, path: string, inode: Inode, random: SeededRandom) {
    this.process = process
    this.disk = disk
    this.path = path
    this.inode = inode
    this.random = random
    this.incarnation = process.incarnation
  }

  read(target: Uint8Array, offset: number, length: number, position: number): number {
    this.use()
    const available = Math.max(0, Math.min(length, this.inode.length - position))
    target.set(this.inode.content.subarray(position, position + available), offset)
    return available
  }

  readLater(target: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    return this.later(0.05, 2, () => this.read(target, offset, length, position))
  }

  write(source: Uint8Array, position: number): void {
    this.use()
    this.disk.check(this.path)
    this.change({ kind: 'write', position, bytes: Buffer.from(source) })
  }

  writev(sources: Uint8Array[], position: number): void {
    this.write(Buffer.concat(sources), position)
  }

  truncate(length: number): void {
    this.use()
    this.disk.check(this.path)
    this.change({ kind: 'truncate', length })
  }

  size(): number {
    this.use()
    return this.inode.length
  }

  sync(): Promise<void> {
    this.use()
    return this.later(0.1, 4, () => this.syncNow())
  }

  syncNow(): void {
    this.disk.check(this.path)
    this.inode.sync()
  }

  close(): void {
    if (this.state === 'open') this.state = 'closed'
    this.disk.forget(this)
  }

  /** The process that had it open is dead: whoever still uses it would be a ghost. */
  poison(): void {
    this.state = 'poisoned'
  }

  private change(change: FileChange): void {
    this.inode.apply(change)
    this.inode.unsynced.push(change)
    this.disk.touch(this.inode)
  }

  private use(): void {
    if (this.state === 'open') return
    const error = new Error(`${this.path} was used after it was ${this.state}`)
    this.process.world.fail(error)
    throw error
  }

  /** As the thread pool would: done a little later, unless the process has died by then. */
  private later<T>(lowMs: number, highMs: number, work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.process.world.plan(this.process, this.random.between(lowMs, highMs), () => {
        if (this.incarnation !== this.process.incarnation) return
        try {
          resolve(work())
        } catch (error) {
          reject(error)
        }
      })
    })
  }
}
