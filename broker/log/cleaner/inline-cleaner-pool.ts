import type { Clock, Disk, Timer } from '../../../runtime/ports'
import { cleanLog } from './clean-log'
import { CleaningAbortedError } from './cleaner-pool'
import type { CleanerPool, CleaningRun } from './cleaner-pool'
import type { CleanedGroup, CleaningJob, CleaningResult, CleaningStep } from './cleaning-job'
import { Throttle } from './throttle'

/**
 * Cleans on this thread, a buffer at a time with other work in between: in a thread of its own, in the simulator, and where there
 * are no threads. (In a thread of its own, too, the event loop has to turn: what native codecs allocate is freed only then.)
 */
export class InlineCleanerPool implements CleanerPool {
  private readonly disk: Disk
  private readonly clock: Clock

  constructor(disk: Disk, clock: Clock) {
    this.disk = disk
    this.clock = clock
  }

  start(job: CleaningJob, onGroup: (group: CleanedGroup) => void): CleaningRun {
    return new InlineRun(this.disk, this.clock, job, onGroup)
  }

  rest(): void {}

  async close(): Promise<void> {}
}

class InlineRun implements CleaningRun {
  readonly done: Promise<CleaningResult>
  private readonly clock: Clock
  private readonly work: Generator<CleaningStep, CleaningResult>
  private readonly throttle: Throttle
  private readonly onGroup: (group: CleanedGroup) => void
  private isAborted = false
  private waiting: Timer | undefined
  private resolve!: (result: CleaningResult) => void
  private reject!: (error: unknown) => void

  constructor(disk: Disk, clock: Clock, job: CleaningJob, onGroup: (group: CleanedGroup) => void) {
    this.clock = clock
    this.onGroup = onGroup
    this.work = cleanLog(disk, clock, job)
    this.throttle = new Throttle(job.maxBytesPerSecond)
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    clock.immediate(() => this.step())
  }

  abort(): void {
    this.isAborted = true
    if (this.waiting === undefined) return
    this.waiting.cancel()
    this.step()
  }

  private step(): void {
    this.waiting = undefined
    try {
      if (this.isAborted) {
        this.work.return(undefined as never)
        throw new CleaningAbortedError()
      }
      const next = this.work.next()
      if (next.done === true) return this.resolve(next.value)
      if ('group' in next.value) this.onGroup(next.value.group)
      const waitMs = 'bytes' in next.value ? this.throttle.waitMs(next.value.bytes, this.clock.monoMs()) : 0
      if (waitMs > 0) this.waiting = this.clock.timer(waitMs, () => this.step())
      else this.clock.immediate(() => this.step())
    } catch (error) {
      this.reject(error)
    }
  }
}
