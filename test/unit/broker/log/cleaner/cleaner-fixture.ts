import { BatchBuilder, controlBatch, decodeRecords, parseControlType } from '../../../../../protocol/records/records'
import { baseOffsetAt, isControlAt, isTransactionalAt, magicAt, producerIdAt } from '../../../../../protocol/records/batch'
import type { Codec } from '../../../../../protocol/records/batch'
import { DEFAULT_CLEANER_CONFIG } from '../../../../../broker/log/cleaner/cleaner-config'
import type { CleanerConfig } from '../../../../../broker/log/cleaner/cleaner-config'
import type { Log } from '../../../../../broker/log/log'
import type { LogManager, LogManagerOptions } from '../../../../../broker/log/log-manager'
import { roll } from '../../../../../broker/log/roll'
import { batchesOf, Fixture, whole } from '../log-fixture'

export const COMPACTED = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0', 'segment.bytes': '100000' }

/** One record as a consumer sees it. */
export interface Seen {
  offset: number
  key: string | null
  value: string | null
  timestamp: number
}

export class CleanerFixture extends Fixture {
  config: CleanerConfig = { ...DEFAULT_CLEANER_CONFIG, backoffMs: 1000, dedupeBufferBytes: 1 << 20, ioBufferBytes: 8192 }

  openCleaning(overrides: Record<string, string> = {}, options: Partial<LogManagerOptions> = {}): Promise<LogManager> {
    return this.open(
      { ...COMPACTED, ...overrides },
      { cleaner: this.config, initialTaskDelayMs: 1e9, highWatermarkCheckpointIntervalMs: 1e9, ...options },
    )
  }

  get nowMs(): number {
    return this.clock.wallMs()
  }

  /** Appends, with everything replicated at once. */
  append(log: Log, records: Buffer, origin: 'client' | 'coordinator' = 'client'): number {
    const { firstOffset } = log.appendAsLeader(records, { leaderEpoch: 0, origin })
    log.updateHighWatermark(log.endOffset)
    return firstOffset
  }

  put(log: Log, ...pairs: [key: string | null, value: string | null][]): number {
    return this.append(log, recordsOf(pairs, { timestamp: this.nowMs }))
  }

  roll(log: Log): void {
    log.writeStaged()
    if (log.segments.active.size > 0) roll(log)
  }

  /** Until the cleaner finds nothing more to do. */
  async clean(manager: LogManager): Promise<void> {
    await this.world.run(1001)
    for (let i = 0; i < 1000 && manager.cleaner!.running > 0; i++) await this.world.run(10)
    await this.run(manager.context.background.drained())
  }
}

export interface RecordsOptions {
  codec?: Codec
  timestamp?: number
  producerId?: number
  producerEpoch?: number
  baseSequence?: number
  transactional?: boolean
}

export function recordsOf(pairs: readonly [string | null, string | null][], options: RecordsOptions = {}): Buffer {
  const { timestamp = 1_700_000_000_000, ...rest } = options
  const builder = new BatchBuilder(rest)
  const bytes = (text: string | null) => (text === null ? null : Buffer.from(text))
  pairs.forEach(([key, value], i) => builder.append(bytes(key), bytes(value), [{ key: 'h', value: Buffer.from([i]) }], timestamp + i))
  return Buffer.from(builder.build())
}

export function endOf(type: 0 | 1, producerId: number, producerEpoch: number, timestamp: number): Buffer {
  return Buffer.from(controlBatch({ type, coordinatorEpoch: 0, producerId, producerEpoch, timestamp }))
}

/** All batches, in order. */
export function batches(log: Log): Buffer[] {
  const found: Buffer[] = []
  for (let offset = log.startOffset; offset < log.endOffset; ) {
    const result = log.read(offset, 1 << 20, whole)
    const records = Buffer.from(result.records)
    result.release()
    const some = batchesOf(records)
    if (some.length === 0) break
    found.push(...some)
    const last = some.at(-1)!
    offset = magicAt(last, 0) < 2 ? baseOffsetAt(last, 0) + 1 : baseOffsetAt(last, 0) + last.readInt32BE(23) + 1
  }
  return found
}

/** What a consumer with isolation.level=read_committed gets, by the lists of aborted transactions that it is given. */
export function committed(log: Log): Seen[] {
  const seen: Seen[] = []
  const options = { upTo: 'lastStable', minOneMessage: true } as const
  for (let offset = log.startOffset; offset < log.lastStableOffset; ) {
    const result = log.read(offset, 4096, options)
    const records = Buffer.from(result.records)
    result.release()
    const waiting = [...result.abortedTransactions!].sort((a, b) => a.firstOffset - b.firstOffset)
    const aborted = new Set<number>()
    const some = batchesOf(records)
    if (some.length === 0) break
    for (const each of some) {
      const last = baseOffsetAt(each, 0) + each.readInt32BE(23)
      while (waiting.length > 0 && waiting[0]!.firstOffset <= last) aborted.add(waiting.shift()!.producerId)
      const producerId = producerIdAt(each, 0)
      const records = decodeRecords(each)
      if (isControlAt(each, 0)) {
        if (records.length > 0 && parseControlType(records[0]!.key) === 0) aborted.delete(producerId)
      } else if (!isTransactionalAt(each, 0) || !aborted.has(producerId)) {
        for (const { offset: at, key, value, timestamp } of records) {
          if (at >= offset) seen.push({ offset: at, key: key?.toString() ?? null, value: value?.toString() ?? null, timestamp })
        }
      }
      offset = Math.max(offset, last + 1)
    }
  }
  return seen
}
