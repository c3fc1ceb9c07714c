import { BATCH_HEADER_BYTES, batchSizeAt, HEADER_BYTES_UP_TO_MAGIC } from '../../../protocol/records/batch'
import type { DiskFile } from '../../../runtime/ports'
import type { CachedFile, FileCache } from '../storage/file-cache'
import { ioError } from '../storage/io-error'
import { isPlausible } from './batch-scan'
import type { StagedPiece, Staging } from './staging'

/** Batches of this size and above go to the file at once, smaller ones wait for the end of the turn (io.md). */
const DIRECT_WRITE_BYTES = 16 * 1024
const WINDOW_BYTES = 4096

/** Where headers are read into, by one scan at a time: a scan is never interrupted. */
const window = Buffer.allocUnsafeSlow(WINDOW_BYTES)
/** Which bytes of the file the window holds. */
let windowStart = 0
let windowEnd = 0

/** Sees the header of a batch, in `header` at `at`; false ends the scan. `position` is its place in the file. */
export type HeaderVisitor = (header: Buffer, at: number, position: number) => boolean

/**
 * The `.log` file of a segment: batches, one after another. Positions count those that are staged, too; whatever reads the file
 * writes them first.
 */
export class SegmentFile {
  readonly file: CachedFile
  /** Bytes, those that wait included. */
  size = 0
  private readonly cache: FileCache
  private readonly staging: Staging
  private staged: StagedPiece[] = []
  private stagedBytes = 0

  constructor(cache: FileCache, staging: Staging, path: string) {
    this.cache = cache
    this.staging = staging
    this.file = cache.file(path)
  }

  get path(): string {
    return this.file.path
  }

  /** Begins an empty file, whatever is there; `opened`: it has been begun. */
  create(opened?: DiskFile): void {
    this.file.adopt(opened ?? this.cache.disk.open(this.path, 'create'), true)
  }

  /** Takes over an existing file. */
  load(): void {
    this.size = this.cache.disk.stat(this.path)?.size ?? 0
  }

  get modifiedMs(): number | undefined {
    return this.cache.disk.stat(this.path)?.mtimeMs
  }

  /** Adds whole batches. True if they wait for `writeStaged` at the end of the turn. */
  append(records: Buffer): boolean {
    const waits = records.length < DIRECT_WRITE_BYTES && this.staging.bytes + records.length <= this.staging.maxBytes
    if (waits) {
      this.stage(records)
    } else {
      this.writeStaged()
      this.file.writable().write(records, this.size)
    }
    this.size += records.length
    return waits
  }

  private stage(records: Buffer): void {
    const last = this.staged[this.staged.length - 1]
    const piece = this.staging.copy(records, last)
    if (piece !== last) this.staged.push(piece)
    this.stagedBytes += records.length
  }

  /** Writes the batches that wait. If it throws, the content of the file from there on is undefined: the directory has failed. */
  writeStaged(): void {
    if (this.stagedBytes === 0) return
    const pieces = this.staged
    const position = this.size - this.stagedBytes
    this.staged = []
    this.stagedBytes = 0
    try {
      const file = this.file.writable()
      const parts = pieces.map(({ slab, start, end }) => slab.subarray(start, end))
      if (parts.length === 1) file.write(parts[0]!, position)
      else file.writev(parts, position)
    } finally {
      this.staging.release(pieces)
    }
  }

  /** Forgets the batches that wait: the directory has failed, or the segment goes. */
  dropStaged(): void {
    if (this.stagedBytes === 0) return
    this.staging.release(this.staged)
    this.size -= this.stagedBytes
    this.staged = []
    this.stagedBytes = 0
  }

  /** Reads `length` bytes at `position` into `target`. Throws if the file is shorter than it should be. */
  read(target: Buffer, length: number, position: number): void {
    this.writeStaged()
    const count = this.file.readable().read(target, 0, length, position)
    if (count < length) throw ioError(`${this.path} ends at ${position + count}, but ought to be ${this.size} bytes long`)
  }

  /** Cuts everything from `position` on. */
  cutAt(position: number): void {
    this.writeStaged()
    this.file.writable().truncate(position)
    this.size = position
  }

  /**
   * Visits the headers of the batches from `position` on. Where it stopped: at the batch that was refused, at what is no batch
   * or not whole, or at the end.
   */
  forEachHeader(position: number, visit: HeaderVisitor): number {
    for (let fresh = true; position < this.size; fresh = false) {
      const at = this.headerAt(position, fresh)
      if (at < 0) break
      const bytes = batchSizeAt(window, at)
      if (position + bytes > this.size || !visit(window, at, position)) break
      position += bytes
    }
    return position
  }

  /** Shows one header. False if no batch begins at `position`. */
  withHeader(position: number, look: (header: Buffer, at: number) => void): boolean {
    const at = position < this.size ? this.headerAt(position, true) : -1
    if (at >= 0) look(window, at)
    return at >= 0
  }

  /** Bytes of the batch at `position`; 0 if none begins there. */
  batchSize(position: number): number {
    const at = position < this.size ? this.headerAt(position, true) : -1
    return at < 0 ? 0 : batchSizeAt(window, at)
  }

  /**
   * Where in `window` the header of the batch at `position` lies, -1 if there is none. `fresh`: the window is of another scan.
   */
  private headerAt(position: number, fresh: boolean): number {
    const end = Math.min(this.size, position + BATCH_HEADER_BYTES)
    if (fresh || position < windowStart || end > windowEnd) {
      this.writeStaged()
      windowStart = position
      windowEnd = position + this.file.readable().read(window, 0, Math.min(WINDOW_BYTES, this.size - position), position)
    }
    const at = position - windowStart
    return windowEnd - position >= HEADER_BYTES_UP_TO_MAGIC && isPlausible(window, at) ? at : -1
  }
}
