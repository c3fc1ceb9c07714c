import { assert } from '../../../runtime/assert'
import type { Segment } from './segment'

/**
 * The segments of a log by their base offsets. The last one is active: it takes the appends.
 * Invariant: base offsets ascend; never empty once the log is loaded.
 */
export class Segments {
  private list: Segment[] = []

  get count(): number {
    return this.list.length
  }

  get first(): Segment {
    assert(this.list.length > 0, 'a log has no segment')
    return this.list[0]!
  }

  get active(): Segment {
    assert(this.list.length > 0, 'a log has no segment')
    return this.list[this.list.length - 1]!
  }

  get isEmpty(): boolean {
    return this.list.length === 0
  }

  [Symbol.iterator](): Iterator<Segment> {
    return this.list[Symbol.iterator]()
  }

  /** A copy, good while segments come and go. */
  all(): Segment[] {
    return this.list.slice()
  }

  /** Bytes of all. */
  get size(): number {
    let bytes = 0
    for (const segment of this.list) bytes += segment.size
    return bytes
  }

  add(segment: Segment): void {
    const at = this.firstAbove(segment.baseOffset)
    assert(at === 0 || this.list[at - 1]!.baseOffset !== segment.baseOffset, `two segments of base offset ${segment.baseOffset}`)
    this.list.splice(at, 0, segment)
  }

  remove(segment: Segment): void {
    const at = this.list.indexOf(segment)
    if (at >= 0) this.list.splice(at, 1)
  }

  /** The segment that `offset` lies in, or would. */
  floor(offset: number): Segment | undefined {
    return this.list[this.firstAbove(offset) - 1]
  }

  /** The one after `segment`. */
  after(segment: Segment): Segment | undefined {
    return this.list[this.firstAbove(segment.baseOffset)]
  }

  before(segment: Segment): Segment | undefined {
    return this.list[this.firstAbove(segment.baseOffset) - 2]
  }

  /** From the segment that `from` lies in (or the first above it) up to those that begin below `to`. */
  between(from: number, to: number): Segment[] {
    const first = Math.max(this.firstAbove(from) - 1, 0)
    return this.list.slice(first).filter((segment) => segment.baseOffset < to)
  }

  private firstAbove(offset: number): number {
    let low = 0
    let high = this.list.length
    // Nearly always it is the last one.
    if (high > 0 && this.list[high - 1]!.baseOffset <= offset) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.list[middle]!.baseOffset > offset) high = middle
      else low = middle + 1
    }
    return low
  }
}
