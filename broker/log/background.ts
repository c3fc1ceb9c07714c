/** So many background tasks may wait for the disk at a time; the rest queues. */
const MOST_RUNNING = 4

/**
 * Disk work that nobody waits for (syncs after a roll, checkpoints): few at a time, one per key and kind in the queue.
 */
export class Background {
  private readonly queue = new Map<string, () => Promise<void>>()
  private running = 0
  private idle: (() => void)[] = []

  /**
   * Runs `task` soon. A task that waits under the same key is replaced, so a task must look at the state when it runs. `task` deals with
   * its errors itself.
   */
  schedule(key: string, task: () => Promise<void>): void {
    this.queue.set(key, task)
    this.next()
  }

  /** Resolves when nothing runs and nothing waits. */
  drained(): Promise<void> {
    if (this.running === 0 && this.queue.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.idle.push(resolve))
  }

  private next(): void {
    while (this.running < MOST_RUNNING && this.queue.size > 0) {
      const [key, task] = this.queue.entries().next().value!
      this.queue.delete(key)
      this.running++
      void task().finally(() => {
        this.running--
        this.next()
        if (this.running > 0 || this.queue.size > 0) return
        const waiting = this.idle
        this.idle = []
        for (const resolve of waiting) resolve()
      })
    }
  }
}
