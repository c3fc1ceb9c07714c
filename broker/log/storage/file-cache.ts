import { assert } from '../../../runtime/assert'
import type { Disk, DiskFile } from '../../../runtime/ports'
import { isIoError } from './io-error'

/**
 * The open files of all segments of a broker: at most `capacity` descriptors, the least recently used is closed first. So
 * 20,000 partitions run under a limit of 20,000 files although each segment consists of three.
 */
export class FileCache {
  readonly disk: Disk
  private readonly capacity: number
  private openCount = 0
  /** Head of the circular list of open files; `newest.next` was used longest ago. */
  private newest: CachedFile | undefined

  constructor(disk: Disk, capacity: number) {
    this.disk = disk
    this.capacity = Math.max(capacity, 1)
  }

  /** How many descriptors are open. */
  get size(): number {
    return this.openCount
  }

  /** A file that is opened when it is first used. */
  file(path: string): CachedFile {
    return new CachedFile(this, path)
  }

  /** Creates the file, or empties what is there. */
  create(path: string): CachedFile {
    const file = new CachedFile(this, path)
    file.adopt(this.disk.open(path, 'create'), true)
    return file
  }

  /** Called by a file that has just been opened: it becomes the newest, and the oldest may have to go. */
  opened(file: CachedFile): void {
    this.openCount++
    this.insert(file)
    for (let oldest = this.newest!.next!; this.openCount > this.capacity && oldest !== file; ) {
      const next = oldest.next!
      if (oldest.pins === 0) oldest.close()
      oldest = next
    }
  }

  /** Called by a file that was used. */
  touched(file: CachedFile): void {
    if (this.newest === file) return
    this.unlink(file)
    this.insert(file)
  }

  /** Called by a file that has been closed. */
  closed(file: CachedFile): void {
    this.openCount--
    this.unlink(file)
  }

  private insert(file: CachedFile): void {
    if (this.newest === undefined) {
      file.next = file
      file.previous = file
    } else {
      file.next = this.newest.next!
      file.previous = this.newest
      this.newest.next!.previous = file
      this.newest.next = file
    }
    this.newest = file
  }

  private unlink(file: CachedFile): void {
    if (file.next === file) {
      this.newest = undefined
    } else {
      file.previous!.next = file.next
      file.next!.previous = file.previous
      if (this.newest === file) this.newest = file.previous
    }
    file.next = undefined
    file.previous = undefined
  }
}

/** A file that may be open or closed at the moment; whoever uses it does not notice. */
export class CachedFile {
  path: string
  /** Something may have been written and not synced. After a clean stop nothing was. */
  isDirty = true
  /** While not 0 the descriptor is in use by a call that has not returned, and stays. */
  pins = 0
  next: CachedFile | undefined
  previous: CachedFile | undefined
  private readonly cache: FileCache
  private handle: DiskFile | undefined
  private isWritable = false
  /** Closed, but in use by a sync. */
  private readonly closing: DiskFile[] = []

  constructor(cache: FileCache, path: string) {
    this.cache = cache
    this.path = path
  }

  /** Takes over a descriptor that was opened elsewhere. */
  adopt(handle: DiskFile, writable: boolean): void {
    assert(this.handle === undefined, `${this.path} is open already`)
    this.handle = handle
    this.isWritable = writable
    this.cache.opened(this)
  }

  /** The open file, good for reading and syncing until the next use of the cache. Throws ENOENT. */
  readable(): DiskFile {
    if (this.handle !== undefined) {
      this.cache.touched(this)
      return this.handle
    }
    this.adopt(this.cache.disk.open(this.path, 'read'), false)
    return this.handle!
  }

  /** The open file, good for reading and writing until the next use of the cache. Throws ENOENT: `cache.create` creates. */
  writable(): DiskFile {
    this.isDirty = true
    if (this.handle !== undefined && this.isWritable) {
      this.cache.touched(this)
      return this.handle
    }
    if (!this.exists()) throw Object.assign(new Error(`ENOENT: no such file, open '${this.path}'`), { code: 'ENOENT' })
    this.close()
    this.adopt(this.cache.disk.open(this.path, 'update'), true)
    return this.handle!
  }

  exists(): boolean {
    return this.handle !== undefined || this.cache.disk.exists(this.path)
  }

  /** fdatasync, if there may be something to sync; the descriptor cannot be evicted meanwhile. */
  async sync(): Promise<void> {
    // While another sync is in flight nobody knows yet that what it covers is durable.
    if (!this.isDirty && this.pins === 0) return
    const handle = this.readable()
    this.pins++
    // What is written from now on is for the next one.
    this.isDirty = false
    try {
      await handle.sync()
    } finally {
      this.pins--
      if (this.pins === 0) for (const closing of this.closing.splice(0)) closeQuietly(closing)
    }
  }

  syncNow(): void {
    if (!this.isDirty && this.pins === 0) return
    this.readable().syncNow()
    this.isDirty = false
  }

  /** Closes the descriptor, if there is one, or as soon as a sync has ended that uses it; the next use opens it again. */
  close(): void {
    const handle = this.handle
    if (handle === undefined) return
    this.handle = undefined
    this.cache.closed(this)
    if (this.pins === 0) closeQuietly(handle)
    else this.closing.push(handle)
  }

  /** Renames the file; an open descriptor stays good. */
  rename(path: string): void {
    this.cache.disk.rename(this.path, path)
    this.path = path
  }
}

/** An error of closing says nothing that the next sync would not say, and is no reason to leave other files open. */
function closeQuietly(handle: DiskFile): void {
  try {
    handle.close()
  } catch (error) {
    if (!isIoError(error)) throw error
  }
}
