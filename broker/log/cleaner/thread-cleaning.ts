/** The cleaner's work in a thread of its own: what goes there and comes back, and what is done there. */
import type { Clock, Disk } from '../../../runtime/ports'
import { cleanLog } from './clean-log'
import { CleaningAbortedError } from './cleaner-pool'
import type { CleanedGroup, CleaningJob, CleaningResult } from './cleaning-job'
import { Throttle } from './throttle'

export interface StartCleaning {
  job: CleaningJob
  /** One int32: not 0 as soon as the job is to be given up. */
  signal: SharedArrayBuffer
}

export type CleaningMessage =
  | { kind: 'group'; group: CleanedGroup }
  | { kind: 'done'; result: CleaningResult }
  | { kind: 'failed'; name: string; message: string; code: unknown }

/** Does one job, from beginning to end, on this thread. */
export function runCleaning(disk: Disk, clock: Clock, start: StartCleaning, post: (message: CleaningMessage) => void): void {
  const signal = new Int32Array(start.signal)
  const throttle = new Throttle(start.job.maxBytesPerSecond)
  const work = cleanLog(disk, clock, start.job)
  try {
    for (;;) {
      if (Atomics.load(signal, 0) !== 0) {
        work.return(undefined as never)
        throw new CleaningAbortedError()
      }
      const next = work.next()
      if (next.done === true) return post({ kind: 'done', result: next.value })
      if ('group' in next.value) {
        post({ kind: 'group', group: next.value.group })
        continue
      }
      const waitMs = throttle.waitMs(next.value.bytes, clock.monoMs())
      if (waitMs > 0) Atomics.wait(signal, 0, 0, waitMs)
    }
  } catch (error) {
    const { name, message, code } = error as Error & { code?: unknown }
    post({ kind: 'failed', name, message, code })
  }
}
