import { isControlAt, isTransactionalAt, producerIdAt } from '../../../protocol/records/batch'
import { ControlType, decodeRecords, parseControlType } from '../../../protocol/records/records'
import type { Record } from '../../../protocol/records/records'

interface Kept {
  /** Of data; a marker has none that counts. */
  key: string | undefined
  content: string
  isTombstone: boolean
  /** Of a transaction that has not ended yet, by this producer. */
  openOf: number | undefined
}

function contentOf({ timestamp, key, value }: Record): string {
  return `${timestamp} ${key?.toString('hex')} ${value?.toString('hex')}`
}

/** What was committed in a compacted partition, record by record: cleaning may take records away, and change none (I17). */
export class CompactedRecords {
  private readonly records = new Map<number, Kept>()

  /** The next committed batch. */
  add(batch: Buffer): void {
    const producerId = producerIdAt(batch, 0)
    const isControl = isControlAt(batch, 0)
    for (const record of decodeRecords(batch)) {
      if (isControl) this.end(producerId, parseControlType(record.key) === ControlType.abort)
      this.records.set(record.offset, {
        key: isControl ? undefined : String(record.key?.toString('hex')),
        content: contentOf(record),
        isTombstone: record.value === null,
        openOf: !isControl && isTransactionalAt(batch, 0) ? producerId : undefined,
      })
    }
  }

  private end(producerId: number, isAborted: boolean): void {
    for (const kept of this.records.values()) {
      if (kept.openOf !== producerId) continue
      kept.openOf = undefined
      // Nobody misses it.
      if (isAborted) kept.key = undefined
    }
  }

  /** What is wrong with a replica that begins at `startOffset` and has these batches below `end`; undefined if nothing is. */
  wrongWith(batches: readonly Buffer[], startOffset: number, end: number): string | undefined {
    const found = new Set<number>()
    for (const batch of batches) {
      for (const record of decodeRecords(batch)) {
        if (record.offset >= end) continue
        found.add(record.offset)
        if (this.records.get(record.offset)?.content !== contentOf(record)) return `has another record at ${record.offset} than was committed`
      }
    }
    const last = new Map<string, number>()
    for (const [offset, { key }] of this.records) if (key !== undefined && offset < end) last.set(key, offset)
    for (const offset of last.values()) {
      if (offset >= startOffset && !found.has(offset) && !this.records.get(offset)!.isTombstone) {
        return `has lost the record at ${offset}, which was the last one of its key`
      }
    }
    return undefined
  }
}
