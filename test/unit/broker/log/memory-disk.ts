import type { Disk, DiskFile, FileStat, OpenMode } from '../../../../runtime/ports'

interface Inode {
  id: number
  content: Buffer
  length: number
  /** As of the last sync. */
  synced: Buffer
  mtimeMs: number
}

type Entry = Inode | Map<string, Entry>

export interface CrashPolicy {
  /** In [0, 1). */
  random(): number
  /** Everything that was written is there (the process was killed, the machine not). */
  keepAll?: boolean
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}

const isDirectory = (entry: Entry | undefined): entry is Map<string, Entry> => entry instanceof Map

/**
 * A disk in memory that forgets: what was not synced may be lost, wholly or in pieces of 512 bytes, when it crashes; names are safe once
 * their directory was synced.
 */
export class MemoryDisk implements Disk {
  nowMs = () => 0
  /** Called before each operation that writes; may throw. */
  onOperation: (kind: string, path: string) => void = () => {}
  openFiles = 0
  mostOpenFiles = 0
  syncs = 0
  private root = new Map<string, Entry>()
  /** What a crash leaves of the names. */
  private safe = new Map<string, Entry>()
  private nextId = 1
  private generation = 0

  private walk(path: string): { parent: Map<string, Entry>; name: string; entry: Entry | undefined } {
    const parts = path.split('/').filter((part) => part !== '')
    const name = parts.pop() ?? ''
    let parent = this.root
    for (const part of parts) {
      const next = parent.get(part)
      if (!isDirectory(next)) throw failure('ENOENT', path)
      parent = next
    }
    return { parent, name, entry: name === '' ? this.root : parent.get(name) }
  }

  private find(path: string): Entry | undefined {
    try {
      return this.walk(path).entry
    } catch {
      return undefined
    }
  }

  private inode(path: string): Inode {
    const entry = this.find(path)
    if (entry === undefined || isDirectory(entry)) throw failure('ENOENT', path)
    return entry
  }

  open(path: string, mode: OpenMode): DiskFile {
    if (mode !== 'read') this.onOperation('open', path)
    const { parent, name, entry } = this.walk(path)
    if (isDirectory(entry)) throw failure('EISDIR', path)
    let inode = entry
    if (inode === undefined) {
      if (mode === 'read') throw failure('ENOENT', path)
      inode = { id: this.nextId++, content: Buffer.alloc(0), length: 0, synced: Buffer.alloc(0), mtimeMs: this.nowMs() }
      parent.set(name, inode)
    } else if (mode === 'create') {
      inode.length = 0
    }
    this.openFiles++
    this.mostOpenFiles = Math.max(this.mostOpenFiles, this.openFiles)
    return new MemoryFile(this, path, inode, mode !== 'read', this.generation)
  }

  requireAlive(generation: number): void {
    if (generation !== this.generation) throw failure('EIO', 'the disk has crashed')
  }

  exists(path: string): boolean {
    return this.find(path) !== undefined
  }

  stat(path: string): FileStat | undefined {
    const entry = this.find(path)
    if (entry === undefined) return undefined
    if (isDirectory(entry)) return { size: 0, mtimeMs: 0, isDirectory: true, inode: 0 }
    return { size: entry.length, mtimeMs: entry.mtimeMs, isDirectory: false, inode: entry.id }
  }

  list(path: string): string[] {
    const entry = this.find(path)
    if (!isDirectory(entry)) throw failure('ENOENT', path)
    return [...entry.keys()].sort()
  }

  makeDirectory(path: string): void {
    this.onOperation('mkdir', path)
    let at = this.root
    for (const part of path.split('/').filter((each) => each !== '')) {
      let next = at.get(part)
      if (next === undefined) {
        next = new Map()
        at.set(part, next)
      }
      if (!isDirectory(next)) throw failure('EEXIST', path)
      at = next
    }
  }

  rename(from: string, to: string): void {
    this.onOperation('rename', from)
    const source = this.walk(from)
    if (source.entry === undefined) throw failure('ENOENT', from)
    const target = this.walk(to)
    source.parent.delete(source.name)
    target.parent.set(target.name, source.entry)
  }

  remove(path: string): void {
    this.onOperation('remove', path)
    const { parent, name } = this.walk(path)
    parent.delete(name)
  }

  async removeTree(path: string): Promise<void> {
    this.remove(path)
  }

  readFile(path: string): Buffer {
    const inode = this.inode(path)
    return Buffer.from(inode.content.subarray(0, inode.length))
  }

  syncDirectory(path: string): void {
    this.onOperation('syncDirectory', path)
    this.syncs++
    const entry = this.find(path)
    if (!isDirectory(entry)) throw failure('ENOENT', path)
    // A directory is found after a crash only if its name, too, was synced.
    let safe: Map<string, Entry> | undefined = this.safe
    for (const part of path.split('/').filter((each) => each !== '')) {
      const next: Entry | undefined = safe?.get(part)
      safe = isDirectory(next) ? next : undefined
    }
    if (safe === undefined) {
      this.pending.push({ path, names: new Map(entry) })
      return
    }
    this.copyNames(entry, safe)
  }

  private pending: { path: string; names: Map<string, Entry> }[] = []

  private copyNames(from: Map<string, Entry>, to: Map<string, Entry>): void {
    const before = new Map(to)
    to.clear()
    for (const [name, entry] of from) {
      if (!isDirectory(entry)) to.set(name, entry)
      else to.set(name, this.safeDirectory(entry, before))
    }
  }

  private readonly safeOf = new WeakMap<Map<string, Entry>, Map<string, Entry>>()

  /** A directory keeps what was synced in it when it is renamed. */
  private safeDirectory(directory: Map<string, Entry>, _before: Map<string, Entry>): Map<string, Entry> {
    let safe = this.safeOf.get(directory)
    if (safe === undefined) {
      safe = new Map()
      this.safeOf.set(directory, safe)
      const synced = this.pending.filter((each) => this.find(each.path) === directory).at(-1)
      if (synced !== undefined) this.copyNames(synced.names, safe)
    }
    return safe
  }

  setModified(path: string, mtimeMs: number): void {
    this.inode(path).mtimeMs = mtimeMs
  }

  space(): { total: number; usable: number } {
    return { total: 1e12, usable: 1e11 }
  }

  /** Power fails: open files are dead, what was not synced is lost or torn. Returns the disk as it is found afterwards. */
  crash(policy: CrashPolicy): void {
    this.generation++
    this.openFiles = 0
    if (policy.keepAll === true) return
    const inodes = new Map<number, Inode>()
    this.root = this.mergeNames(this.root, this.safe, policy, inodes)
    for (const inode of inodes.values()) tear(inode, policy)
    this.pending = []
    this.safe = new Map()
    this.makeAllSafe(this.root, this.safe)
  }

  private makeAllSafe(from: Map<string, Entry>, to: Map<string, Entry>): void {
    for (const [name, entry] of from) {
      if (!isDirectory(entry)) {
        to.set(name, entry)
        continue
      }
      const safe = new Map<string, Entry>()
      this.safeOf.set(entry, safe)
      to.set(name, safe)
      this.makeAllSafe(entry, safe)
    }
  }

  /** Each directory is found either as it was or as it was when it was last synced. */
  private mergeNames(now: Map<string, Entry>, safe: Map<string, Entry>, policy: CrashPolicy, inodes: Map<number, Inode>): Map<string, Entry> {
    const result = new Map<string, Entry>()
    const chosen = policy.random() < 0.5 ? now : safe
    for (const [name, entry] of chosen) {
      if (!isDirectory(entry)) {
        result.set(name, entry)
        inodes.set(entry.id, entry)
        continue
      }
      const current = chosen === now ? entry : [...this.allDirectories(this.root)].find((each) => this.safeOf.get(each) === entry)
      const known = chosen === now ? this.safeOf.get(entry) ?? new Map<string, Entry>() : entry
      result.set(name, this.mergeNames(current ?? known, known, policy, inodes))
    }
    return result
  }

  private *allDirectories(from: Map<string, Entry>): Generator<Map<string, Entry>> {
    for (const entry of from.values()) {
      if (!isDirectory(entry)) continue
      yield entry
      yield* this.allDirectories(entry)
    }
  }

  closed(): void {
    this.openFiles--
  }
}

/** Unsynced blocks are new or old, each for itself; the length is some of those in between. */
function tear(inode: Inode, policy: CrashPolicy): void {
  const now = inode.content.subarray(0, inode.length)
  const old = inode.synced
  const mode = policy.random()
  let result: Buffer
  if (mode < 0.3) result = Buffer.from(old)
  else if (mode < 0.5) result = Buffer.from(now)
  else {
    const low = Math.min(old.length, now.length)
    const high = Math.max(old.length, now.length)
    const length = low + Math.floor(policy.random() * (high - low + 1))
    result = Buffer.alloc(length)
    for (let at = 0; at < length; at += 512) {
      const source = policy.random() < 0.7 ? now : old
      source.copy(result, at, at, Math.min(at + 512, length))
      if (source.length < at) now.copy(result, at, at, Math.min(at + 512, length))
    }
    // What both have is never lost.
    let same = 0
    while (same < low && old[same] === now[same]) same++
    now.copy(result, 0, 0, Math.min(same, length))
  }
  inode.content = result
  inode.length = result.length
  inode.synced = Buffer.from(result)
}

class MemoryFile implements DiskFile {
  readonly path: string
  private readonly disk: MemoryDisk
  private readonly inode: Inode
  private readonly isWritable: boolean
  private readonly generation: number
  private isOpen = true

  constructor(disk: MemoryDisk, path: string, inode: Inode, isWritable: boolean, generation: number) {
    this.disk = disk
    this.path = path
    this.inode = inode
    this.isWritable = isWritable
    this.generation = generation
  }

  private check(write: boolean): void {
    this.disk.requireAlive(this.generation)
    if (!this.isOpen || (write && !this.isWritable)) throw failure('EBADF', this.path)
  }

  read(target: Uint8Array, offset: number, length: number, position: number): number {
    this.check(false)
    const count = Math.max(Math.min(length, this.inode.length - position), 0)
    target.set(this.inode.content.subarray(position, position + count), offset)
    return count
  }

  async readLater(target: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    return this.read(target, offset, length, position)
  }

  write(source: Uint8Array, position: number): void {
    this.check(true)
    this.disk.onOperation('write', this.path)
    const end = position + source.length
    const { inode } = this
    if (end > inode.content.length) {
      const larger = Buffer.alloc(Math.max(end, inode.content.length * 2))
      inode.content.copy(larger, 0, 0, inode.length)
      inode.content = larger
    }
    if (position > inode.length) inode.content.fill(0, inode.length, position)
    inode.content.set(source, position)
    inode.length = Math.max(inode.length, end)
    inode.mtimeMs = this.disk.nowMs()
  }

  writev(sources: Uint8Array[], position: number): void {
    this.write(Buffer.concat(sources), position)
  }

  truncate(length: number): void {
    this.check(true)
    this.disk.onOperation('truncate', this.path)
    if (length > this.inode.length) throw failure('EINVAL', this.path)
    this.inode.length = length
  }

  size(): number {
    this.check(false)
    return this.inode.length
  }

  async sync(): Promise<void> {
    this.check(false)
    // What is written while the sync runs need not be in it.
    const content = Buffer.from(this.inode.content.subarray(0, this.inode.length))
    await Promise.resolve()
    this.check(false)
    this.disk.onOperation('sync', this.path)
    this.disk.syncs++
    this.inode.synced = content
  }

  syncNow(): void {
    this.check(false)
    this.disk.onOperation('sync', this.path)
    this.disk.syncs++
    this.inode.synced = Buffer.from(this.inode.content.subarray(0, this.inode.length))
  }

  close(): void {
    if (this.isOpen && this.generationIsCurrent()) this.disk.closed()
    this.isOpen = false
  }

  private generationIsCurrent(): boolean {
    try {
      this.disk.requireAlive(this.generation)
      return true
    } catch {
      return false
    }
  }
}
