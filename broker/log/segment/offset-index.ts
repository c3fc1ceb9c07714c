import {
  indexPositionAt, indexRelativeOffsetAt, OFFSET_INDEX_ENTRY_BYTES, writeIndexEntry,
} from '../../../protocol/files/index-entries'
import type { FileCache } from '../storage/file-cache'
import { IndexFile } from './index-file'

export const MAX_RELATIVE_OFFSET = 0x7fffffff

/**
 * Which position of the segment an offset is near: per entry the last offset of an appended chunk, relative to the segment's
 * base, and the position where the chunk begins. Kafka's OffsetIndex.
 */
export class OffsetIndex {
  readonly file: IndexFile
  readonly maxEntries: number
  /** Offset of the last entry; the base offset without one. */
  lastOffset: number
  private readonly baseOffset: number

  constructor(cache: FileCache, path: string, baseOffset: number, maxIndexBytes: number) {
    this.file = new IndexFile(cache, path, OFFSET_INDEX_ENTRY_BYTES)
    this.baseOffset = baseOffset
    this.lastOffset = baseOffset
    this.maxEntries = Math.floor(maxIndexBytes / OFFSET_INDEX_ENTRY_BYTES)
  }

  get entries(): number {
    return this.file.entries
  }

  get isFull(): boolean {
    return this.file.entries >= this.maxEntries
  }

  create(): void {
    this.file.create()
    this.lastOffset = this.baseOffset
  }

  /**
   * Takes over an existing file. False if it cannot be the index of this segment (of `segmentBytes`): its last entries are looked
   * at, not all.
   */
  load(segmentBytes: number): boolean {
    if (!this.file.load()) return false
    if (this.entries === 0) return true
    this.readLastOffset()
    if (this.lastOffset < this.baseOffset || this.positionOf(this.entries - 1) >= segmentBytes) return false
    if (this.entries === 1) return true
    const last = this.entries - 1
    return this.offsetOf(last - 1) < this.lastOffset && this.positionOf(last - 1) < this.positionOf(last)
  }

  private readLastOffset(): void {
    this.lastOffset = this.entries === 0 ? this.baseOffset : this.offsetOf(this.entries - 1)
  }

  offsetOf(entry: number): number {
    this.file.locate(entry)
    return this.baseOffset + indexRelativeOffsetAt(this.file.found, this.file.foundEntry)
  }

  positionOf(entry: number): number {
    this.file.locate(entry)
    return indexPositionAt(this.file.found, this.file.foundEntry)
  }

  /** The position of the last entry with an offset <= `offset`: from there on `offset` is found. 0 without such an entry. */
  lookup(offset: number): number {
    const entry = this.lowerBound(offset)
    return entry < 0 ? 0 : this.positionOf(entry)
  }

  /** The last entry with an offset <= `offset`, -1 if there is none. */
  private lowerBound(offset: number): number {
    let low = 0
    let high = this.entries - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      if (this.offsetOf(middle) <= offset) low = middle + 1
      else high = middle - 1
    }
    return high
  }

  /** An offset above all those that lie before `position`; undefined if the index does not reach that far. */
  upperBoundOffset(position: number): number | undefined {
    let low = 0
    let high = this.entries
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.positionOf(middle) >= position) high = middle
      else low = middle + 1
    }
    return low === this.entries ? undefined : this.offsetOf(low)
  }

  /** False, and nothing added, where the offset is not above the last one. */
  append(offset: number, position: number): boolean {
    if (this.entries > 0 && offset <= this.lastOffset) return false
    this.file.extend()
    writeIndexEntry(this.file.found, this.file.foundEntry, offset - this.baseOffset, position)
    this.lastOffset = offset
    return true
  }

  /** Removes the entries with an offset >= `offset`. */
  truncateTo(offset: number): void {
    this.file.truncate(this.lowerBound(offset - 1) + 1)
    this.readLastOffset()
  }

  reset(): void {
    this.file.truncate(0)
    this.lastOffset = this.baseOffset
  }
}
