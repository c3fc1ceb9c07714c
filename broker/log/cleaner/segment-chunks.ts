import { batchIsValidAt, batchSizeAt, HEADER_BYTES_UP_TO_MAGIC, magicAt } from '../../../protocol/records/batch'
import { legacyIsValidAt } from '../../../protocol/records/legacy'
import type { Disk, DiskFile } from '../../../runtime/ports'
import { headerBytes, isPlausible } from '../segment/batch-scan'
import { fileName, join, LOG_SUFFIX } from '../storage/file-names'
import { CleaningError } from './cleaning-job'
import type { SourceSegment } from './cleaning-job'

/**
 * Reads segments in pieces that hold whole batches. One buffer, which grows for a batch that is larger than it, and then goes
 * back to its size.
 */
export class SegmentChunks {
  private readonly disk: Disk
  private readonly directory: string
  private readonly usualBytes: number
  private buffer: Buffer
  private file: DiskFile | undefined
  private segment: SourceSegment | undefined

  constructor(disk: Disk, directory: string, bufferBytes: number) {
    this.disk = disk
    this.directory = directory
    this.usualBytes = Math.max(bufferBytes, 4096)
    this.buffer = Buffer.allocUnsafeSlow(this.usualBytes)
  }

  open(segment: SourceSegment): void {
    this.close()
    this.segment = segment
    this.file = this.disk.open(join(this.directory, fileName(segment.baseOffset, LOG_SUFFIX)), 'read')
    if (this.buffer.length > this.usualBytes) this.buffer = Buffer.allocUnsafeSlow(this.usualBytes)
  }

  close(): void {
    this.file?.close()
    this.file = undefined
  }

  /**
   * Whole batches from `position` on, at least one; good until the next call. Throws CleaningError if there is none, or a
   * checksum is wrong.
   */
  read(position: number): Buffer {
    const left = this.segment!.size - position
    const length = this.fill(position, left)
    let end = 0
    let needed = 0
    while (end < length) {
      needed = this.batchBytes(position, end, length)
      if (needed > left - end) throw this.damaged(position + end, `a batch of ${needed} bytes is cut off`)
      if (needed > length - end) break
      this.check(position, end)
      end += needed
    }
    if (end > 0) return this.buffer.subarray(0, end)
    this.buffer = Buffer.allocUnsafeSlow(Math.min(Math.max(needed, this.buffer.length * 2), Math.max(left, needed)))
    return this.read(position)
  }

  private fill(position: number, left: number): number {
    const wanted = Math.min(this.buffer.length, left)
    const length = this.file!.read(this.buffer, 0, wanted, position)
    if (length < wanted) throw this.damaged(position + length, 'the file is shorter than it was')
    return length
  }

  /** What the batch at `at` needs, as far as its header is there. */
  private batchBytes(position: number, at: number, length: number): number {
    if (length - at < HEADER_BYTES_UP_TO_MAGIC) return HEADER_BYTES_UP_TO_MAGIC
    if (!isPlausible(this.buffer, at)) throw this.damaged(position + at, 'no batch begins there')
    return Math.max(batchSizeAt(this.buffer, at), headerBytes(magicAt(this.buffer, at)))
  }

  /** A batch that is damaged must not get a right checksum by being written anew. */
  private check(position: number, at: number): void {
    const isValid = magicAt(this.buffer, at) >= 2 ? batchIsValidAt(this.buffer, at) : legacyIsValidAt(this.buffer, at)
    if (!isValid) throw this.damaged(position + at, 'the checksum is wrong')
  }

  private damaged(position: number, what: string): CleaningError {
    return new CleaningError(`Segment ${this.segment!.baseOffset} of ${this.directory} is damaged at ${position}: ${what}`)
  }
}
