/** So many background tasks may wait for the disk at a time; the rest queues. */
const MOST_RUNNING = 4

/**
 * Disk work that nobody waits for (syncs after a roll, checkpoints): few at a time, and of each kind one; a task is scheduled
 * again at most once while it runs.
 */
export class Background {
  private readonly queue = new Map<string, () => Promise<void>>()
  private readonly running = new Set<string>()
  private idle: (() => void)[] = []

  /**
   * Runs `task` soon, and never two of one key at a time. A task that waits under the same key is replaced, so a task must look
   * at the state when it runs. It deals with its errors itself.
   */
  schedule(key: string, task: () => Promise<void>): void {
    this.queue.set(key, task)
    this.next()
  }

  /** Resolves when nothing runs and nothing waits. */
  drained(): Promise<void> {
    if (this.running.size === 0 && this.queue.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.idle.push(resolve))
  }

  private next(): void {
    for (const [key, task] of this.queue) {
      if (this.running.size >= MOST_RUNNING) return
      if (this.running.has(key)) continue
      this.queue.delete(key)
      this.running.add(key)
      void this.run(key, task)
    }
  }

  private async run(key: string, task: () => Promise<void>): Promise<void> {
    try {
      await task()
    } finally {
      this.running.delete(key)
      this.next()
      if (this.running.size === 0 && this.queue.size === 0) this.tellIdle()
    }
  }

  private tellIdle(): void {
    const waiting = this.idle
    this.idle = []
    for (const resolve of waiting) resolve()
  }
}
