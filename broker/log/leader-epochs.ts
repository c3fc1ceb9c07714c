import type { EpochEndOffset } from './log-types'

export interface EpochEntry {
  epoch: number
  /** Offset of the first record of this epoch. */
  startOffset: number
}

const UNDEFINED: EpochEndOffset = { epoch: -1, endOffset: -1 }

/**
 * At which offset each leader epoch of a log began (KIP-101): what a follower truncates by. Kafka's LeaderEpochFileCache.
 * Invariant: epochs and start offsets both ascend.
 */
export class LeaderEpochs {
  /** Grows with each change, so that a writer knows whether what it wrote is still the newest. */
  revision = 0
  private list: EpochEntry[] = []
  private isKept = true

  /**
   * False: the log's format is one of before epochs, and as in Kafka none are kept. A leader of that format knows none, and answers
   * whoever names one with OFFSET_OUT_OF_RANGE, for ever. True if what there was is gone.
   */
  keep(isKept: boolean): boolean {
    const { revision } = this
    this.isKept = isKept
    if (!isKept) this.clear()
    return this.revision !== revision
  }

  get entries(): readonly EpochEntry[] {
    return this.list
  }

  /** -1 without an entry. */
  get latestEpoch(): number {
    return this.list.length === 0 ? -1 : this.list[this.list.length - 1]!.epoch
  }

  get earliest(): EpochEntry | undefined {
    return this.list[0]
  }

  /** Replaces everything by what a checkpoint held; entries that contradict earlier ones make those go. */
  load(entries: readonly EpochEntry[]): void {
    this.list = []
    for (const entry of entries) this.insert(entry.epoch, entry.startOffset)
    // The file shall not speak of them when they are kept again: there may be records without epochs behind them by then.
    if (!this.isKept && entries.length > 0) this.revision++
  }

  /** No change where `epoch` is the latest already and does not begin earlier; else entries that contradict it go. */
  assign(epoch: number, startOffset: number): void {
    if (this.insert(epoch, startOffset)) this.revision++
  }

  /**
   * Takes in the record at `offset`, found in a scan, `end` being the end of what was there before it. Where `known` (an earlier
   * state, which may be wrong) says of an epoch that it began in between, it is believed: the first records of an epoch may have
   * been compacted away, and all records of one as well.
   */
  assignFound(epoch: number, offset: number, end: number, known: readonly EpochEntry[]): void {
    if (epoch <= this.latestEpoch) return
    for (const entry of known) {
      const isBetween = entry.startOffset >= end && entry.startOffset <= offset
      if (isBetween && entry.epoch <= epoch && entry.epoch > this.latestEpoch) this.assign(entry.epoch, entry.startOffset)
    }
    if (epoch > this.latestEpoch) this.assign(epoch, offset)
  }

  private insert(epoch: number, startOffset: number): boolean {
    if (!this.isKept || epoch < 0 || startOffset < 0) return false
    const latest = this.list[this.list.length - 1]
    if (latest !== undefined && latest.epoch === epoch && startOffset >= latest.startOffset) return false
    while (this.list.length > 0) {
      const last = this.list[this.list.length - 1]!
      if (last.epoch < epoch && last.startOffset < startOffset) break
      this.list.pop()
    }
    this.list.push({ epoch, startOffset })
    return true
  }

  /**
   * Where `epoch` ended: with the latest epoch at `logEndOffset`, else where the next known one began. The epoch in the answer
   * is the largest known one that is not above. { -1, -1 } for -1, or an epoch above all.
   */
  endOffsetFor(epoch: number, logEndOffset: number): EpochEndOffset {
    if (epoch < 0 || epoch > this.latestEpoch) return UNDEFINED
    if (epoch === this.latestEpoch) return { epoch, endOffset: logEndOffset }
    const next = this.indexAbove(epoch)
    const endOffset = this.list[next]!.startOffset
    // Older than everything here: the data of that epoch is gone, and the follower goes on at our first one.
    return { epoch: next === 0 ? epoch : this.list[next - 1]!.epoch, endOffset }
  }

  private indexAbove(epoch: number): number {
    let low = 0
    let high = this.list.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.list[middle]!.epoch > epoch) high = middle
      else low = middle + 1
    }
    return low
  }

  /** The epoch of the record at `offset`, -1 if it is older than the first entry. */
  epochForOffset(offset: number): number {
    let low = 0
    let high = this.list.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.list[middle]!.startOffset > offset) high = middle
      else low = middle + 1
    }
    return low === 0 ? -1 : this.list[low - 1]!.epoch
  }

  /** The log ends at `endOffset` now: epochs that began there or later did not happen. */
  truncateFromEnd(endOffset: number): void {
    const before = this.list.length
    while (this.list.length > 0 && this.list[this.list.length - 1]!.startOffset >= endOffset) this.list.pop()
    if (this.list.length !== before) this.revision++
  }

  /** The log begins at `startOffset` now: the epoch of that offset begins there. */
  truncateFromStart(startOffset: number): void {
    let gone = 0
    while (gone < this.list.length && this.list[gone]!.startOffset <= startOffset) gone++
    if (gone === 0) return
    const first = this.list[gone - 1]!
    if (gone === 1 && first.startOffset === startOffset) return
    this.list.splice(0, gone, { epoch: first.epoch, startOffset })
    this.revision++
  }

  clear(): void {
    if (this.list.length === 0) return
    this.list = []
    this.revision++
  }
}
