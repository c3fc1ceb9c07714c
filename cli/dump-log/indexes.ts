import { existsSync, readFileSync, statSync } from 'node:fs'
import { isAbsolute } from 'node:path'
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
import { bucketsOfMap, inScalaOrder, javaStringHash } from '../../protocol/rules/hash-order'
import { SegmentReader, baseOffsetOf, logFileOf, recordsOf } from './records'

/** In the order in which they are told. */
const TITLES = {
  offsets: (path: string) => `Mismatches in :${path}`,
  timestamps: (path: string) => `Found timestamp mismatch in :${path}`,
  order: (path: string) => `Found out of order timestamp in :${path}`,
  notFound: () => 'The following indexed offsets are not found in the log.',
  gaps: (path: string) => `Non-consecutive offsets in ${path}`,
} as const

export type ComplaintKind = keyof typeof TITLES

function absolute(path: string): string {
  return isAbsolute(path) ? path : `${process.cwd()}/${path}`
}

/** What does not fit, to be told after all files: by kind, then by file, each in Kafka's order. */
export class Complaints {
  private readonly kinds = new Map<ComplaintKind, Map<string, string[]>>()
  /** How often Kafka puts something into the map of a kind, as far as it makes it grow. */
  private readonly inserts = new Map<ComplaintKind, number>()

  add(kind: ComplaintKind, file: string, line: string): void {
    const path = absolute(file)
    let files = this.kinds.get(kind)
    if (files === undefined) this.kinds.set(kind, (files = new Map()))
    const lines = files.get(path)
    const isList = kind === 'offsets' || kind === 'gaps'
    if (lines === undefined) files.set(path, [line])
    else if (isList) lines.unshift(line)
    else lines.push(line)
    const inserts = files.size + (lines !== undefined && isList ? 1 : 0)
    this.inserts.set(kind, Math.max(inserts, this.inserts.get(kind) ?? 0))
  }

  lines(): string[] {
    return (Object.keys(TITLES) as ComplaintKind[]).flatMap((kind) => {
      const buckets = bucketsOfMap(this.inserts.get(kind) ?? 0)
      const inOrder = inScalaOrder([...(this.kinds.get(kind) ?? [])], ([path]) => javaStringHash(path), buckets)
      const indent = kind === 'notFound' ? '' : '  '
      return inOrder.flatMap(([path, lines]) => [TITLES[kind](path), ...lines.map((line) => indent + line)])
    })
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
    const { size } = statSync(path)
    if (size % OFFSET_INDEX_ENTRY_BYTES !== 0)
      throw new Error(`Index file ${absolute(path)} ${notAMultiple(size, OFFSET_INDEX_ENTRY_BYTES)}`)
    return print(`${path} passed sanity check.`)
  }
  const log = new SegmentReader(logFileOf(path))
  try {
    for (const { offset, position } of entries) {
      const batch = log.batchAt(position)
      const found = batch === undefined ? -1 : magicAt(batch, 0) < 2 ? offset : lastOffsetAt(batch, 0)
      if (found !== offset) complaints.add('offsets', path, `Index offset: ${offset}, log offset: ${found}`)
      if (mode === 'dump') print(`offset: ${offset} position: ${position}`)
    }
  } finally {
    log.close()
  }
}

function notAMultiple(bytes: number, entryBytes: number): string {
  return `is corrupt, found ${bytes} bytes which is neither positive nor a multiple of ${entryBytes}`
}

/** That of an active segment whose broker was killed ends with zeros, and does not pass: Kafka builds it anew. */
function checkTimeIndex(path: string, bytes: Buffer): void {
  const entries = Math.floor(bytes.length / TIME_INDEX_ENTRY_BYTES)
  const [first, last] = entries === 0 ? [0, 0] : [timeIndexTimestampAt(bytes, 0), timeIndexTimestampAt(bytes, entries - 1)]
  if (last < first)
    throw new Error(
      `Corrupt time index found, time index file (${absolute(path)}) has non-zero size but the last timestamp is ${last} ` +
        `which is less than the first timestamp ${first}`,
    )
  if (bytes.length % TIME_INDEX_ENTRY_BYTES !== 0)
    throw new Error(`Time index file ${absolute(path)} ${notAMultiple(bytes.length, TIME_INDEX_ENTRY_BYTES)}`)
}

export function dumpTimeIndex(path: string, mode: Mode, print: (line: string) => void, complaints: Complaints): void {
  const bytes = readFileSync(path)
  if (mode === 'sanity') {
    checkTimeIndex(path, bytes)
    return print(`${path} passed sanity check.`)
  }
  const base = baseOffsetOf(path)
  const indexPath = logFileOf(path).replace(/log$/, 'index')
  const offsets = existsSync(indexPath) ? offsetEntries(indexPath) : []
  const log = new SegmentReader(logFileOf(path))
  let previous = -1
  // Of the entry of the offset index that is at or below an offset; both go up, so it does, too.
  let nearest = -1
  try {
    for (let i = 0; i < Math.floor(bytes.length / TIME_INDEX_ENTRY_BYTES); i++) {
      const relative = timeIndexRelativeOffsetAt(bytes, i)
      if (relative === 0 && i > 0) return
      const offset = base + relative
      const timestamp = timeIndexTimestampAt(bytes, i)
      while (nearest + 1 < offsets.length && offsets[nearest + 1]!.offset <= offset) nearest++
      while (nearest >= 0 && offsets[nearest]!.offset > offset) nearest--
      const start = offsets[nearest]?.position ?? 0
      let found: Buffer | undefined
      for (const { batch } of log.batches(start)) {
        if (lastOffsetAt(batch, 0) < offset) continue
        found = batch
        break
      }
      if (found === undefined || lastOffsetAt(found, 0) !== offset) {
        complaints.add(
          'notFound',
          path,
          `Indexed offset: ${offset}, found log offset: ${found === undefined ? -1 : lastOffsetAt(found, 0)}`,
        )
      } else {
        const largest = recordsOf(found).reduce((most, { timestamp: each }) => Math.max(most, each), -1)
        if (largest !== timestamp)
          complaints.add('timestamps', path, `Index timestamp: ${timestamp}, log timestamp: ${largest}`)
        if (previous >= timestamp)
          complaints.add(
            'order',
            path,
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
