import { readAbortedTransaction, TRANSACTION_INDEX_ENTRY_BYTES } from '../../../protocol/files/index-entries'
import type { AbortedTransaction } from '../../../protocol/files/index-entries'
import type { Disk } from '../../../runtime/ports'
import { fileName, join, offsetOfName, TXN_INDEX_SUFFIX } from '../storage/file-names'

/** The transaction indexes of a log, read as its segments are gone through; few segments have one. */
export class TransactionIndexes {
  private readonly disk: Disk
  private readonly directory: string
  /** Ascending. */
  private readonly baseOffsets: readonly number[]

  constructor(disk: Disk, directory: string) {
    this.disk = disk
    this.directory = directory
    this.baseOffsets = disk
      .list(directory)
      .filter((name) => name.endsWith(TXN_INDEX_SUFFIX))
      .map(offsetOfName)
      .sort((a, b) => a - b)
  }

  /**
   * The aborted transactions that have records or their marker in [from, to), where a segment begins at `from`. A transaction is
   * listed in the segment of its marker, so that later ones have to be looked at, too.
   */
  overlapping(from: number, to: number): AbortedTransaction[] {
    const found: AbortedTransaction[] = []
    for (const baseOffset of this.baseOffsets) {
      if (baseOffset < from) continue
      for (const entry of this.entries(baseOffset)) {
        if (entry.lastOffset >= from && entry.firstOffset < to) found.push(entry)
        if (entry.lastStableOffset >= to) return found
      }
    }
    return found
  }

  private *entries(baseOffset: number): Generator<AbortedTransaction> {
    const bytes = this.disk.readFile(join(this.directory, fileName(baseOffset, TXN_INDEX_SUFFIX)))
    for (let at = 0; at + TRANSACTION_INDEX_ENTRY_BYTES <= bytes.length; at += TRANSACTION_INDEX_ENTRY_BYTES) {
      yield readAbortedTransaction(bytes, at)
    }
  }
}
