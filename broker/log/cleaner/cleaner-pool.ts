import type { CleanedGroup, CleaningJob, CleaningResult } from './cleaning-job'

/** A job under way. */
export interface CleaningRun {
  /**
   * Rejects with what cleanLog throws (across threads with its name, message and code), with CleaningAbortedError after `abort`.
   * Nothing of the job runs any more when it is settled.
   */
  readonly done: Promise<CleaningResult>
  /** Soon. Idempotent. */
  abort(): void
}

/** Where logs are cleaned: in threads, or beside other work on this one. */
export interface CleanerPool {
  /** `onGroup` is called for each segment that is ready, before `done` resolves. */
  start(job: CleaningJob, onGroup: (group: CleanedGroup) => void): CleaningRun
  /** There is nothing to clean for a while. */
  rest(): void
  /** Call when no job runs. */
  close(): Promise<void>
}

export class CleaningAbortedError extends Error {
  override readonly name = 'CleaningAbortedError'
  readonly code = 'ABORTED'

  constructor() {
    super('The cleaning was aborted')
  }
}
