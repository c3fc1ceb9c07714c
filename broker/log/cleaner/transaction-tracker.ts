import { baseOffsetAt, batchSizeAt, isTransactionalAt, lastOffsetAt, producerIdAt } from '../../../protocol/records/batch'
import type { AbortedTransaction } from '../../../protocol/files/index-entries'
import { ControlType, decodeRecords, parseControlType } from '../../../protocol/records/records'

interface OpenAborted {
  readonly transaction: AbortedTransaction
  hasRecords: boolean
}

/**
 * Which transaction each batch belongs to, and how that ended, while the batches are seen in order: what was aborted can go, and
 * so can a marker when nothing of its transaction is left. Kafka's CleanedTransactionMetadata.
 */
export class TransactionTracker {
  /** Producers of committed transactions of which records were seen, and not their marker. */
  private readonly openCommitted = new Set<number>()
  private readonly openAborted = new Map<number, OpenAborted>()
  /** Aborted ones that begin further on, by their first offsets. */
  private waiting: AbortedTransaction[] = []
  /** Called with an aborted transaction of which records were seen: what is written must still name it. */
  private readonly onAborted: (transaction: AbortedTransaction) => void

  constructor(onAborted: (transaction: AbortedTransaction) => void) {
    this.onAborted = onAborted
  }

  /** Told again of one that is known, it does no harm. */
  add(aborted: readonly AbortedTransaction[]): void {
    if (aborted.length === 0) return
    this.waiting = [...this.waiting, ...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  }

  /** True if the records of the batch at `pos` were aborted. */
  onData(buffer: Buffer, pos: number): boolean {
    this.beginUpTo(lastOffsetAt(buffer, pos))
    if (!isTransactionalAt(buffer, pos)) return false
    const producerId = producerIdAt(buffer, pos)
    const aborted = this.openAbortedAt(producerId, baseOffsetAt(buffer, pos))
    if (aborted === undefined) {
      this.openCommitted.add(producerId)
      return false
    }
    aborted.hasRecords = true
    return true
  }

  /** True if the control batch at `pos` is of no use any more: nothing is left of the transaction that it ends. */
  onControl(buffer: Buffer, pos: number): boolean {
    this.beginUpTo(lastOffsetAt(buffer, pos))
    const producerId = producerIdAt(buffer, pos)
    const type = controlTypeAt(buffer, pos)
    if (type === undefined) return true
    if (type === ControlType.commit) return !this.openCommitted.delete(producerId)
    if (type !== ControlType.abort) return false
    const aborted = this.openAbortedAt(producerId, baseOffsetAt(buffer, pos))
    this.openAborted.delete(producerId)
    if (aborted === undefined || !aborted.hasRecords) return true
    this.onAborted(aborted.transaction)
    return false
  }

  /** An index may name a transaction whose marker is gone: what its producer wrote behind it is of another one. */
  private openAbortedAt(producerId: number, offset: number): OpenAborted | undefined {
    const aborted = this.openAborted.get(producerId)
    if (aborted === undefined || aborted.transaction.lastOffset >= offset) return aborted
    this.openAborted.delete(producerId)
    return undefined
  }

  private beginUpTo(offset: number): void {
    let count = 0
    for (const transaction of this.waiting) {
      if (transaction.firstOffset > offset) break
      count++
      const open = this.openAborted.get(transaction.producerId)
      if (open === undefined || open.transaction.lastOffset < transaction.firstOffset) {
        this.openAborted.set(transaction.producerId, { transaction, hasRecords: false })
      }
    }
    if (count > 0) this.waiting.splice(0, count)
  }
}

/** The type of the control batch at `pos`; undefined if it holds no record any more. */
function controlTypeAt(buffer: Buffer, pos: number): number | undefined {
  const [record] = decodeRecords(buffer.subarray(pos, pos + batchSizeAt(buffer, pos)))
  return record === undefined ? undefined : parseControlType(record.key)
}
