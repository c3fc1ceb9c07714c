import { batchSizeAt } from '../../../protocol/records/batch'
import type { LogConfig } from '../log-types'
import { lastOffsetOf, maxTimestampOf } from '../segment/batch-scan'
import { MAX_RELATIVE_OFFSET } from '../segment/offset-index'
import type { Segment } from '../segment/segment'
import { CleaningError } from './cleaning-job'

/** Collects batches, and writes them to the cleaned segment with their index entries. */
export class Output {
  private buffer: Buffer
  private used = 0

  constructor(bufferBytes: number) {
    this.buffer = Buffer.allocUnsafeSlow(Math.max(bufferBytes, 4096))
  }

  /** Room for `bytes` more at the end; `length` says where. The caller fills it. */
  reserve(bytes: number): Buffer {
    if (this.used + bytes > this.buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.used + bytes))
      this.buffer.copy(larger, 0, 0, this.used)
      this.buffer = larger
    }
    return this.buffer
  }

  /** Bytes that wait. */
  get length(): number {
    return this.used
  }

  /** What was reserved is filled. */
  advance(bytes: number): void {
    this.used += bytes
  }

  copy(source: Buffer, from: number, to: number): void {
    this.reserve(to - from)
    source.copy(this.buffer, this.used, from, to)
    this.used += to - from
  }

  /** Adds what waits to `segment`. Returns how many bytes that was. */
  flush(segment: Segment, config: LogConfig, usualBytes: number): number {
    const written = this.used
    if (written === 0) return 0
    const batches = this.buffer.subarray(0, written)
    const start = segment.size
    if (start + written > MAX_RELATIVE_OFFSET) throw new CleaningError(`The cleaned segment ${segment.baseOffset} is too large`)
    segment.log.append(batches)
    for (let at = 0; at < written; at += batchSizeAt(batches, at)) {
      const lastOffset = lastOffsetOf(batches, at)
      if (!segment.canHold(lastOffset)) {
        throw new CleaningError(`The offset ${lastOffset} does not fit into the segment of ${segment.baseOffset}`)
      }
      const isFull = segment.offsetIndex.isFull || segment.timeIndex.isFull
      const interval = isFull ? Number.POSITIVE_INFINITY : config.indexIntervalBytes
      segment.noteBatches(start + at, batchSizeAt(batches, at), lastOffset, maxTimestampOf(batches, at), lastOffset, interval)
    }
    this.used = 0
    if (this.buffer.length > 4 * usualBytes) this.buffer = Buffer.allocUnsafeSlow(Math.max(usualBytes, 4096))
    return written
  }
}
