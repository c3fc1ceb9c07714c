import { FileFormatError } from '../../../protocol/files/checkpoint-text'
import {
  readAbortedTransaction, TRANSACTION_INDEX_ENTRY_BYTES, writeAbortedTransaction,
} from '../../../protocol/files/index-entries'
import type { AbortedTransaction as AbortedEntry } from '../../../protocol/files/index-entries'
import type { FileCache } from '../storage/file-cache'
import { IndexFile } from './index-file'
import type { AbortedTransaction } from '../log-types'

/**
 * The aborted transactions of a segment, in the order of their markers; so that a consumer of committed data is told what to
 * skip. Kafka's TransactionIndex. The file exists only if there was an abort, and is written at once: aborts are rare.
 */
export class TransactionIndex {
  readonly file: IndexFile
  private readonly baseOffset: number

  constructor(cache: FileCache, path: string, baseOffset: number) {
    this.file = new IndexFile(cache, path, TRANSACTION_INDEX_ENTRY_BYTES)
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
    try {
      for (let i = 0; i < this.entries; i++) {
        const { lastOffset } = this.entry(i)
        if (lastOffset <= last) return false
        last = lastOffset
      }
    } catch (error) {
      if (error instanceof FileFormatError) return false
      throw error
    }
    return true
  }

  private entry(index: number): AbortedEntry {
    this.file.locate(index)
    return readAbortedTransaction(this.file.found, this.file.foundEntry * TRANSACTION_INDEX_ENTRY_BYTES)
  }

  append(entry: AbortedEntry): void {
    this.file.extend()
    writeAbortedTransaction(this.file.found, this.file.foundEntry * TRANSACTION_INDEX_ENTRY_BYTES, entry)
    this.file.settle()
  }

  /**
   * Adds to `into` the aborted transactions that overlap [fetchOffset, upperBound). True if no later segment can know of more.
   */
  collect(fetchOffset: number, upperBound: number, into: AbortedTransaction[]): boolean {
    for (let i = this.firstWithMarkerFrom(fetchOffset); i < this.entries; i++) {
      const entry = this.entry(i)
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
      if (this.entry(middle).lastOffset >= offset) high = middle
      else low = middle + 1
    }
    return low
  }

  reset(): void {
    this.file.truncate(0)
  }
}
