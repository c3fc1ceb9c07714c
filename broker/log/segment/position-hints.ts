const HINTS = 16

/**
 * The positions of a few offsets that were appended or looked up of late: readers at the end of a log ask for just these, and
 * need no index then.
 */
export class PositionHints {
  private offsets: Float64Array | undefined
  private positions: Float64Array | undefined
  private next = 0

  add(offset: number, position: number): void {
    if (this.offsets === undefined || this.positions === undefined) {
      this.offsets = new Float64Array(HINTS).fill(-1)
      this.positions = new Float64Array(HINTS)
    }
    this.offsets[this.next] = offset
    this.positions[this.next] = position
    this.next = (this.next + 1) % HINTS
  }

  /** -1 if the offset is not known. */
  find(offset: number): number {
    const offsets = this.offsets
    if (offsets === undefined) return -1
    for (let i = 0; i < HINTS; i++) if (offsets[i] === offset) return this.positions![i]!
    return -1
  }

  clear(): void {
    this.offsets = undefined
    this.positions = undefined
    this.next = 0
  }
}
