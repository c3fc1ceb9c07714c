import type { CachedFile, FileCache } from '../storage/file-cache'
import { ioError } from '../storage/io-error'

/** At most this many entries are held in memory per index; older ones are read from the file when needed. */
const TAIL_ENTRIES = 1024

const scratch = Buffer.allocUnsafeSlow(64)

/**
 * A file of entries of one size in ascending order, as all three indexes of a segment are. The newest entries are in memory
 * (where nearly all lookups go), and reach the file when the segment is synced, rolled or closed, or when they are many: after
 * a crash the index of the last segment is rebuilt in any case.
 *
 * Kafka pre-allocates such a file and cuts it when the segment is rolled or closed. We do not; zeros at the end of a file, left
 * by a broker that was killed, are not entries.
 */
export class IndexFile {
  /** Entries, in memory and on disk. */
  entries = 0
  /** The entry that `locate` found: entry number `foundEntry` of `found`. */
  found: Buffer = scratch
  foundEntry = 0
  readonly entryBytes: number
  /** The file was created, and its directory not synced since. */
  isNew = false
  /** An existing file is known to be synced. */
  isSynced = false
  private readonly cache: FileCache
  private file: CachedFile | undefined
  private filePath: string
  /** Entries `tailStart` and on; undefined: none in memory. */
  private tail: Buffer | undefined
  private tailStart = 0
  /** How many entries are in the file. */
  private written = 0

  constructor(cache: FileCache, path: string, entryBytes: number) {
    this.cache = cache
    this.filePath = path
    this.entryBytes = entryBytes
  }

  get path(): string {
    return this.filePath
  }

  get sizeInBytes(): number {
    return this.entries * this.entryBytes
  }

  /** Begins anew, whatever is there. The file is created when something is written to it: a young partition has no use for it. */
  create(): void {
    if (this.exists()) this.createFile()
    this.entries = 0
    this.written = 0
    this.tailStart = 0
  }

  private createFile(): CachedFile {
    this.file?.close()
    this.file = this.cache.create(this.filePath)
    this.isNew = true
    return this.file
  }

  /** Creates the file if there is none: others expect one also where it has no entries. */
  ensureExists(): void {
    if (this.file === undefined && !this.exists()) this.createFile()
  }

  exists(): boolean {
    return this.file !== undefined || this.cache.disk.exists(this.filePath)
  }

  /**
   * Counts the entries of an existing file. False if its length is no multiple of the entry size, or there are zeros only: then it
   * is damaged.
   */
  load(): boolean {
    const bytes = this.cache.disk.stat(this.filePath)?.size ?? 0
    this.entries = Math.floor(bytes / this.entryBytes)
    this.written = this.entries
    this.tailStart = this.entries
    this.file?.close()
    this.file = this.cache.file(this.filePath)
    this.file.isDirty = !this.isSynced
    if (this.entries > 0 && this.isZero(this.entries - 1)) this.dropTrailingZeros()
    return bytes % this.entryBytes === 0 && (this.entries > 0 || bytes === 0)
  }

  private isZero(entry: number): boolean {
    this.locate(entry)
    const at = this.foundEntry * this.entryBytes
    for (let i = 0; i < this.entryBytes; i++) if (this.found[at + i] !== 0) return false
    return true
  }

  /** Entries ascend, so that those of zeros are all behind the others. */
  private dropTrailingZeros(): void {
    let low = 0
    let high = this.entries - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.isZero(middle)) high = middle
      else low = middle + 1
    }
    this.entries = low
    this.tailStart = low
    // Nothing but zeros is damage, and stays to be seen as such.
    if (low > 0) this.truncateFile()
  }

  /** Points `found` and `foundEntry` at an entry; valid until the next call of anything. */
  locate(entry: number): void {
    if (entry >= this.tailStart) {
      this.found = this.tail!
      this.foundEntry = entry - this.tailStart
      return
    }
    const read = this.file!.readable().read(scratch, 0, this.entryBytes, entry * this.entryBytes)
    if (read < this.entryBytes) throw ioError(`${this.filePath} ended before entry ${entry} of ${this.entries}`)
    this.found = scratch
    this.foundEntry = 0
  }

  /** Makes room for one more entry and points `found` and `foundEntry` at it. */
  extend(): void {
    const inTail = this.entries - this.tailStart
    if (inTail === TAIL_ENTRIES) {
      this.writePending()
      // Half of them go, so that lookups near the end still find theirs in memory.
      const kept = TAIL_ENTRIES / 2
      this.tail!.copyWithin(0, (inTail - kept) * this.entryBytes, inTail * this.entryBytes)
      this.tailStart += inTail - kept
    } else if (this.tail === undefined) {
      this.tail = Buffer.allocUnsafeSlow(8 * this.entryBytes)
    } else if ((inTail + 1) * this.entryBytes > this.tail.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(this.tail.length * 4, TAIL_ENTRIES * this.entryBytes))
      this.tail.copy(larger, 0, 0, inTail * this.entryBytes)
      this.tail = larger
    }
    this.foundEntry = this.entries - this.tailStart
    this.found = this.tail!
    this.entries++
  }

  /** Writes to the file what is only in memory. Creates the file if there is none. */
  writePending(): void {
    if (this.written === this.entries) return
    const file = this.file ?? this.createFile()
    const from = (this.written - this.tailStart) * this.entryBytes
    const to = (this.entries - this.tailStart) * this.entryBytes
    file.writable().write(this.tail!.subarray(from, to), this.written * this.entryBytes)
    this.written = this.entries
  }

  /** Writes what is pending and lets the memory go: for a segment that is not written any more. */
  settle(): void {
    this.writePending()
    this.tail = undefined
    this.tailStart = this.entries
  }

  truncate(entries: number): void {
    if (entries >= this.entries) return
    this.entries = entries
    if (this.tailStart > entries) this.tailStart = entries
    this.truncateFile()
  }

  private truncateFile(): void {
    if (this.written <= this.entries && this.file === undefined) return
    this.written = Math.min(this.written, this.entries)
    this.file!.writable().truncate(this.written * this.entryBytes)
  }

  /** The descriptor to sync; undefined if there is no file. Call `writePending` first. */
  get syncTarget(): CachedFile | undefined {
    return this.file
  }

  close(): void {
    this.file?.close()
  }

  /** Renames the file, if there is one. */
  rename(path: string): void {
    if (this.file !== undefined) this.file.rename(path)
    else if (this.cache.disk.exists(this.filePath)) this.cache.disk.rename(this.filePath, path)
    this.filePath = path
  }

  /** The directory was renamed: the file has this path now. */
  moved(path: string): void {
    this.filePath = path
    if (this.file !== undefined) this.file.path = path
  }

  remove(): void {
    this.file?.close()
    this.cache.disk.remove(this.filePath)
  }
}
