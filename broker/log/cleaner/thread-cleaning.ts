/** The cleaner's work in a thread of its own: what goes there and comes back, and what is done there. */
import type { Clock, Disk } from '../../../runtime/ports'
import type { CleaningRun } from './cleaner-pool'
import type { CleanedGroup, CleaningJob, CleaningResult } from './cleaning-job'
import { InlineCleanerPool } from './inline-cleaner-pool'

/** To the thread. */
export type CleaningOrder = { kind: 'start'; job: CleaningJob } | { kind: 'abort' }

/** From the thread. */
export type CleaningReport =
  | { kind: 'group'; group: CleanedGroup }
  | { kind: 'done'; result: CleaningResult }
  | { kind: 'failed'; name: string; message: string; code: unknown }

/** Does one job at a time, as it is told by orders. */
export class CleaningThread {
  private readonly pool: InlineCleanerPool
  private readonly post: (report: CleaningReport) => void
  private run: CleaningRun | undefined

  constructor(disk: Disk, clock: Clock, post: (report: CleaningReport) => void) {
    this.pool = new InlineCleanerPool(disk, clock)
    this.post = post
  }

  onOrder(order: CleaningOrder): void {
    if (order.kind === 'abort') this.run?.abort()
    else void this.clean(order.job)
  }

  private async clean(job: CleaningJob): Promise<void> {
    this.run = this.pool.start(job, (group) => this.post({ kind: 'group', group }))
    try {
      const result = await this.run.done
      this.post({ kind: 'done', result })
    } catch (error) {
      const { name, message, code } = error as Error & { code?: unknown }
      this.post({ kind: 'failed', name, message, code })
    }
  }
}
