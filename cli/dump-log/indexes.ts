import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { lastOffsetAt, magicAt } from '../../protocol/records/batch'
import {
  OFFSET_INDEX_ENTRY_BYTES,
  TIME_INDEX_ENTRY_BYTES,
  TRANSACTION_INDEX_ENTRY_BYTES,
  indexPositionAt,
  indexRelativeOffsetAt,
  readAbortedTransaction,
  timeIndexRelativeOffsetAt,
  timeIndexTimestampAt,
} from '../../protocol/files/index-entries'
import { decodeProducerSnapshot } from '../../protocol/files/producer-snapshot'
import { SegmentReader, baseOffsetOf, logFileOf, recordsOf } from './records'

const NOT_FOUND = 'The following indexed offsets are not found in the log.'

/** What does not fit, by file, to be told after all files. */
export class Complaints {
  private readonly byTitle = new Map<string, string[]>()

  add(title: string, line: string): void {
    const lines = this.byTitle.get(title)
    if (lines === undefined) this.byTitle.set(title, [line])
    else lines.unshift(line)
  }

  lines(): string[] {
    return [...this.byTitle].flatMap(([title, lines]) => [
      title,
      ...lines.map((line) => (title === NOT_FOUND ? line : `  ${line}`)),
    ])
  }
}

export type Mode = 'dump' | 'verify' | 'sanity'

interface OffsetEntry {
  offset: number
  position: number
}

function offsetEntries(path: string): OffsetEntry[] {
  const bytes = readFileSync(path)
  const base = baseOffsetOf(path)
  const entries: OffsetEntry[] = []
  for (let i = 0; i < Math.floor(bytes.length / OFFSET_INDEX_ENTRY_BYTES); i++) {
    const relative = indexRelativeOffsetAt(bytes, i)
    // A file whose broker died has zeroes behind its entries.
    if (relative === 0 && i > 0) break
    entries.push({ offset: base + relative, position: indexPositionAt(bytes, i) })
  }
  return entries
}

export function dumpOffsetIndex(path: string, mode: Mode, print: (line: string) => void, complaints: Complaints): void {
  const entries = offsetEntries(path)
  if (entries.length === 0) return print(`${path} is empty.`)
  if (mode === 'sanity') {
    if (entries.at(-1)!.offset < baseOffsetOf(path))
      throw new Error(
        `Corrupt index found, index file (${path}) has non-zero size but the last offset is ${entries.at(-1)!.offset}`,
      )
    return print(`${path} passed sanity check.`)
  }
  const log = new SegmentReader(logFileOf(path))
  try {
    for (const { offset, position } of entries) {
      const batch = log.batchAt(position)
      const found = batch === undefined ? -1 : magicAt(batch, 0) < 2 ? offset : lastOffsetAt(batch, 0)
      if (found !== offset) complaints.add(`Mismatches in :${resolve(path)}`, `Index offset: ${offset}, log offset: ${found}`)
      if (mode === 'dump') print(`offset: ${offset} position: ${position}`)
    }
  } finally {
    log.close()
  }
}

export function dumpTimeIndex(path: string, mode: Mode, print: (line: string) => void, complaints: Complaints): void {
  if (mode === 'sanity') return print(`${path} passed sanity check.`)
  const bytes = readFileSync(path)
  const base = baseOffsetOf(path)
  const indexPath = logFileOf(path).replace(/log$/, 'index')
  const offsets = existsSync(indexPath) ? offsetEntries(indexPath) : []
  const log = new SegmentReader(logFileOf(path))
  const absolute = resolve(path)
  let previous = -1
  try {
    for (let i = 0; i < Math.floor(bytes.length / TIME_INDEX_ENTRY_BYTES); i++) {
      const relative = timeIndexRelativeOffsetAt(bytes, i)
      if (relative === 0 && i > 0) return
      const offset = base + relative
      const timestamp = timeIndexTimestampAt(bytes, i)
      const start = offsets.filter((entry) => entry.offset <= offset).at(-1)?.position ?? 0
      let found: Buffer | undefined
      for (const { batch } of log.batches(start)) {
        if (lastOffsetAt(batch, 0) < offset) continue
        found = batch
        break
      }
      if (found === undefined || lastOffsetAt(found, 0) !== offset) {
        complaints.add(
          NOT_FOUND,
          `Indexed offset: ${offset}, found log offset: ${found === undefined ? -1 : lastOffsetAt(found, 0)}`,
        )
      } else {
        const largest = Math.max(-1, ...recordsOf(found).map((record) => record.timestamp))
        if (largest !== timestamp)
          complaints.add(`Found timestamp mismatch in :${absolute}`, `Index timestamp: ${timestamp}, log timestamp: ${largest}`)
        if (previous >= timestamp)
          complaints.add(
            `Found out of order timestamp in :${absolute}`,
            `Index timestamp: ${timestamp}, Previously indexed timestamp: ${previous}`,
          )
      }
      if (mode === 'dump') print(`timestamp: ${timestamp} offset: ${offset}`)
      previous = timestamp
    }
  } finally {
    log.close()
  }
}

export function dumpTransactionIndex(path: string, print: (line: string) => void): void {
  const bytes = readFileSync(path)
  for (let at = 0; at + TRANSACTION_INDEX_ENTRY_BYTES <= bytes.length; at += TRANSACTION_INDEX_ENTRY_BYTES) {
    const { producerId, firstOffset, lastOffset, lastStableOffset } = readAbortedTransaction(bytes, at)
    print(
      `version: 0 producerId: ${producerId} firstOffset: ${firstOffset} lastOffset: ${lastOffset} lastStableOffset: ` +
        `${lastStableOffset}`,
    )
  }
}

export function dumpSnapshot(path: string, print: (line: string) => void): void {
  for (const entry of decodeProducerSnapshot(readFileSync(path))) {
    const open =
      entry.currentTransactionFirstOffset < 0 ? 'OptionalLong.empty' : `OptionalLong[${entry.currentTransactionFirstOffset}]`
    const batch =
      entry.lastOffset < 0
        ? ''
        : `firstSequence: ${entry.lastSequence - entry.offsetDelta} lastSequence: ${entry.lastSequence} lastOffset: ` +
          `${entry.lastOffset} offsetDelta: ${entry.offsetDelta} timestamp: ${entry.timestamp}`
    print(
      `producerId: ${entry.producerId} producerEpoch: ${entry.producerEpoch} coordinatorEpoch: ` +
        `${entry.coordinatorEpoch} currentTxnFirstOffset: ${open} lastTimestamp: ${entry.timestamp} ${batch}`,
    )
  }
}
