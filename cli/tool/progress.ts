/** Between two looks of the line, and before the first: what is done sooner shows none. */
const INTERVAL_MS = 250
const ERASE_LINE = '\r\x1b[K'

export interface ProgressStream {
  isTTY?: boolean | undefined
  write(text: string): unknown
}

/** A line on a terminal that says how far long work is, and is gone at its end. Nothing where the stream is no terminal. */
export class Progress {
  private readonly what: string
  private readonly total: number | undefined
  private readonly stream: ProgressStream
  private readonly nowMs: () => number
  private done = 0
  private shownMs: number
  private isShown = false

  /** `what` stands behind the numbers: `records copied`. */
  constructor(
    what: string,
    total?: number,
    stream: ProgressStream = process.stderr,
    nowMs: () => number = () => performance.now(),
  ) {
    this.what = what
    this.total = total
    this.stream = stream
    this.nowMs = nowMs
    this.shownMs = nowMs()
  }

  add(count = 1): void {
    this.done += count
    if (this.stream.isTTY !== true || this.nowMs() - this.shownMs < INTERVAL_MS) return
    this.shownMs = this.nowMs()
    this.isShown = true
    this.stream.write(`${ERASE_LINE}${this.done}${this.total === undefined ? '' : ` of ${this.total}`} ${this.what}`)
  }

  /** Takes the line away; in front of anything else that is printed, too. */
  clear(): void {
    if (!this.isShown) return
    this.isShown = false
    this.stream.write(ERASE_LINE)
  }
}
