import { readInt16, readInt64, writeInt16, writeInt64 } from '../../protocol/records/big-endian'
import type { FileCache } from './file-cache'
import { IndexFile } from './index-file'
import type { AbortedTransaction } from './log-types'

const ENTRY_BYTES = 34
const VERSION = 0

export interface AbortedEntry extends AbortedTransaction {
  /** Offset of the abort marker. */
  lastOffset: number
  /** The last stable offset when the marker was written. */
  lastStableOffset: number
}

/**
 * The aborted transactions of a segment, in the order of their markers; so that a consumer of committed data is told what to
 * skip. Kafka's TransactionIndex. The file exists only if there was an abort, and is written at once: aborts are rare.
 */
export class TransactionIndex {
  readonly file: IndexFile
  private readonly baseOffset: number

  constructor(cache: FileCache, path: string, baseOffset: number) {
    this.file = new IndexFile(cache, path, ENTRY_BYTES)
    this.baseOffset = baseOffset
  }

  get entries(): number {
    return this.file.entries
  }

  /** Takes over an existing file, if there is one. False if it cannot be the index of this segment. */
  load(): boolean {
    if (!this.file.exists()) return true
    if (!this.file.load()) return false
    let last = this.baseOffset - 1
    for (let i = 0; i < this.entries; i++) {
      const entry = this.entry(i)
      if (entry === undefined || entry.lastOffset <= last) return false
      last = entry.lastOffset
    }
    return true
  }

  /** Undefined if the entry is of a version that we do not know. */
  entry(index: number): AbortedEntry | undefined {
    this.file.locate(index)
    const { found, foundAt } = this.file
    if (readInt16(found, foundAt) !== VERSION) return undefined
    return {
      producerId: readInt64(found, foundAt + 2),
      firstOffset: readInt64(found, foundAt + 10),
      lastOffset: readInt64(found, foundAt + 18),
      lastStableOffset: readInt64(found, foundAt + 26),
    }
  }

  append(entry: AbortedEntry): void {
    this.file.extend()
    const { found, foundAt } = this.file
    writeInt16(found, foundAt, VERSION)
    writeInt64(found, foundAt + 2, entry.producerId)
    writeInt64(found, foundAt + 10, entry.firstOffset)
    writeInt64(found, foundAt + 18, entry.lastOffset)
    writeInt64(found, foundAt + 26, entry.lastStableOffset)
    this.file.settle()
  }

  /**
   * Adds to `into` the aborted transactions that overlap [fetchOffset, upperBound). True if no later segment can know of more.
   */
  collect(fetchOffset: number, upperBound: number, into: AbortedTransaction[]): boolean {
    for (let i = this.firstWithMarkerFrom(fetchOffset); i < this.entries; i++) {
      const entry = this.entry(i)!
      if (entry.firstOffset < upperBound) into.push({ producerId: entry.producerId, firstOffset: entry.firstOffset })
      if (entry.lastStableOffset >= upperBound) return true
    }
    return false
  }

  /** Removes the entries whose marker is at or above `offset`. */
  truncateTo(offset: number): void {
    this.file.truncate(this.firstWithMarkerFrom(offset))
  }

  private firstWithMarkerFrom(offset: number): number {
    let low = 0
    let high = this.entries
    while (low < high) {
      const middle = (low + high) >>> 1
      this.file.locate(middle)
      if (readInt64(this.file.found, this.file.foundAt + 18) >= offset) high = middle
      else low = middle + 1
    }
    return low
  }

  reset(): void {
    this.file.truncate(0)
  }
}
