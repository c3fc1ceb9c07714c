import {
  TIME_INDEX_ENTRY_BYTES, timeIndexRelativeOffsetAt, timeIndexTimestampAt, writeTimeIndexEntry,
} from '../../../protocol/files/index-entries'
import { NO_TIMESTAMP } from '../../../protocol/records/batch'
import type { FileCache } from '../storage/file-cache'
import { IndexFile } from './index-file'

/**
 * Up to which offset no record is later than a time: per entry the largest timestamp so far and the offset of the batch that
 * has it, relative to the segment's base. Kafka's TimeIndex.
 */
export class TimeIndex {
  readonly file: IndexFile
  readonly maxEntries: number
  lastTimestamp = NO_TIMESTAMP
  lastOffset: number
  private readonly baseOffset: number

  constructor(cache: FileCache, path: string, baseOffset: number, maxIndexBytes: number) {
    this.file = new IndexFile(cache, path, TIME_INDEX_ENTRY_BYTES)
    this.baseOffset = baseOffset
    this.lastOffset = baseOffset
    this.maxEntries = Math.floor(maxIndexBytes / TIME_INDEX_ENTRY_BYTES)
  }

  get entries(): number {
    return this.file.entries
  }

  /** One slot is kept for the entry that rolling or closing adds. */
  get isFull(): boolean {
    return this.file.entries >= this.maxEntries - 1
  }

  create(): void {
    this.file.create()
    this.forgetLast()
  }

  /** Takes over an existing file. False if it cannot be the index of this segment; only its ends are looked at. */
  load(): boolean {
    if (!this.file.load()) return false
    if (this.entries === 0) return true
    this.readLast()
    return this.lastOffset >= this.baseOffset && this.lastTimestamp >= this.timestampOf(0)
  }

  private forgetLast(): void {
    this.lastTimestamp = NO_TIMESTAMP
    this.lastOffset = this.baseOffset
  }

  private readLast(): void {
    if (this.entries === 0) return this.forgetLast()
    this.lastTimestamp = this.timestampOf(this.entries - 1)
    this.lastOffset = this.offsetOf(this.entries - 1)
  }

  timestampOf(entry: number): number {
    this.file.locate(entry)
    return timeIndexTimestampAt(this.file.found, this.file.foundEntry)
  }

  offsetOf(entry: number): number {
    this.file.locate(entry)
    return this.baseOffset + timeIndexRelativeOffsetAt(this.file.found, this.file.foundEntry)
  }

  /** The offset of the last entry with a timestamp <= `timestamp`; the base offset without one. */
  lookup(timestamp: number): number {
    let low = 0
    let high = this.entries - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      if (this.timestampOf(middle) <= timestamp) low = middle + 1
      else high = middle - 1
    }
    return high < 0 ? this.baseOffset : this.offsetOf(high)
  }

  /** Adds the entry unless its timestamp is not above the last one's. */
  maybeAppend(timestamp: number, offset: number): void {
    if (timestamp <= this.lastTimestamp || (this.entries > 0 && offset < this.lastOffset)) return
    this.file.extend()
    writeTimeIndexEntry(this.file.found, this.file.foundEntry, timestamp, offset - this.baseOffset)
    this.lastTimestamp = timestamp
    this.lastOffset = offset
  }

  /** Removes the entries with an offset >= `offset`. */
  truncateTo(offset: number): void {
    let low = 0
    let high = this.entries
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.offsetOf(middle) >= offset) high = middle
      else low = middle + 1
    }
    this.file.truncate(low)
    this.readLast()
  }

  reset(): void {
    this.file.truncate(0)
    this.forgetLast()
  }
}
