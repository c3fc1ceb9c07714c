import type { Clock, Disk } from '../../../runtime/ports'
import { cleanLog } from './clean-log'
import { CleaningAbortedError } from './cleaner-pool'
import type { CleanerPool, CleaningRun } from './cleaner-pool'
import type { CleanedGroup, CleaningJob, CleaningResult } from './cleaning-job'
import { Throttle } from './throttle'

/** Cleans on this thread, a buffer at a time with other work in between: in the simulator, and where there are no threads. */
export class InlineCleanerPool implements CleanerPool {
  private readonly disk: Disk
  private readonly clock: Clock

  constructor(disk: Disk, clock: Clock) {
    this.disk = disk
    this.clock = clock
  }

  start(job: CleaningJob, onGroup: (group: CleanedGroup) => void): CleaningRun {
    let isAborted = false
    const done = new Promise<CleaningResult>((resolve, reject) => {
      const work = cleanLog(this.disk, this.clock, job)
      const throttle = new Throttle(job.maxBytesPerSecond)
      const step = (): void => {
        try {
          if (isAborted) {
            work.return(undefined as never)
            throw new CleaningAbortedError()
          }
          const next = work.next()
          if (next.done === true) return resolve(next.value)
          if ('group' in next.value) onGroup(next.value.group)
          const waitMs = 'bytes' in next.value ? throttle.waitMs(next.value.bytes, this.clock.monoMs()) : 0
          if (waitMs > 0) this.clock.timer(waitMs, step)
          else this.clock.immediate(step)
        } catch (error) {
          reject(error as Error)
        }
      }
      this.clock.immediate(step)
    })
    return {
      done,
      abort() {
        isAborted = true
      },
    }
  }

  rest(): void {}

  async close(): Promise<void> {}
}
