import type { OpenThread, Thread } from '../../../runtime/threads'
import { CleaningAbortedError } from './cleaner-pool'
import type { CleanerPool, CleaningRun } from './cleaner-pool'
import type { CleanedGroup, CleaningJob, CleaningResult } from './cleaning-job'
import type { CleaningOrder, CleaningReport } from './thread-cleaning'

interface Worker {
  thread: Thread
  /** Of the job it does; undefined while it has none. */
  current: { onMessage(message: CleaningReport): void; onEnd(error: Error): void } | undefined
}

/** Cleans in threads: as many as there are jobs, and none while there is nothing to clean. */
export class ThreadCleanerPool implements CleanerPool {
  private readonly open: OpenThread
  private readonly workers = new Set<Worker>()

  constructor(open: OpenThread) {
    this.open = open
  }

  /** Threads that are there. */
  get size(): number {
    return this.workers.size
  }

  start(job: CleaningJob, onGroup: (group: CleanedGroup) => void): CleaningRun {
    const worker = [...this.workers].find(({ current }) => current === undefined) ?? this.add()
    const done = new Promise<CleaningResult>((resolve, reject) => {
      worker.current = {
        onMessage(message) {
          if (message.kind === 'group') return onGroup(message.group)
          worker.current = undefined
          if (message.kind === 'done') resolve(message.result)
          else reject(errorOf(message))
        },
        onEnd: reject,
      }
    })
    const order = (message: CleaningOrder) => worker.thread.post(message)
    const { current } = worker
    order({ kind: 'start', job })
    return {
      done,
      abort() {
        if (worker.current === current) order({ kind: 'abort' })
      },
    }
  }

  private add(): Worker {
    const worker: Worker = {
      current: undefined,
      thread: this.open({
        onMessage: (message) => worker.current?.onMessage(message as CleaningReport),
        onEnd: (error) => {
          this.workers.delete(worker)
          worker.current?.onEnd(error ?? new CleaningAbortedError())
          worker.current = undefined
        },
      }),
    }
    this.workers.add(worker)
    return worker
  }

  rest(): void {
    void this.endIdle()
  }

  private async endIdle(): Promise<void> {
    const idle = [...this.workers].filter(({ current }) => current === undefined)
    for (const worker of idle) this.workers.delete(worker)
    await Promise.all(idle.map(({ thread }) => thread.end()))
  }

  close(): Promise<void> {
    return this.endIdle()
  }
}

function errorOf({ name, message, code }: Extract<CleaningReport, { kind: 'failed' }>): Error {
  if (name === 'CleaningAbortedError') return new CleaningAbortedError()
  return Object.assign(new Error(message), { name, code })
}
