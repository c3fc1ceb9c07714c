import { StorageError } from './log-error'
import type { Log } from './log'
import type { Segment } from './segment/segment'

interface Waiter {
  upTo: number
  resolve(): void
  reject(error: unknown): void
}

/**
 * Makes a log durable: one sync in flight, and all who ask meanwhile share the next one (io.md: 119 k acknowledged writes a
 * second with 64 writers, 16 k with a sync each). A failed sync is never repeated: the system may have thrown the pages away.
 */
export class Flusher {
  /** Everything below was synced. */
  syncedOffset = 0
  lastFlushMs: number
  private readonly log: Log
  private waiters: Waiter[] = []
  private running = false
  /** What the sync in flight will have covered; a truncation lowers it. */
  private target = 0

  constructor(log: Log) {
    this.log = log
    this.lastFlushMs = log.context.clock.wallMs()
  }

  flush(upTo: number): Promise<void> {
    if (upTo <= this.syncedOffset) return Promise.resolve()
    if (!this.log.isOnline) return Promise.reject(offline(this.log))
    return new Promise((resolve, reject) => {
      this.waiters.push({ upTo, resolve, reject })
      if (!this.running) void this.run()
    })
  }

  private async run(): Promise<void> {
    const { log } = this
    this.running = true
    // Whoever asks in this turn, too, shares the first sync.
    await Promise.resolve()
    while (this.waiters.length > 0) {
      try {
        await log.directory.guardLater(`flushing ${log.name}`, () => this.syncOnce())
      } catch (error) {
        this.rejectAll(error)
        break
      }
      if (!log.isOnline) this.rejectAll(offline(log))
      else this.resolveReached()
    }
    this.running = false
  }

  private resolveReached(): void {
    const waiting = this.waiters
    this.waiters = []
    for (const waiter of waiting) {
      // What was asked for may have been truncated away; there is nothing left to sync then.
      if (Math.min(waiter.upTo, this.log.endOffset) <= this.syncedOffset) waiter.resolve()
      else this.waiters.push(waiter)
    }
  }

  private rejectAll(error: unknown): void {
    const waiting = this.waiters
    this.waiters = []
    for (const waiter of waiting) waiter.reject(error)
  }

  private async syncOnce(): Promise<void> {
    const { log } = this
    log.writeStaged()
    this.target = log.endOffset
    const { active } = log.segments
    const closed = this.closedSegments()
    const touched = [...closed, active]
    for (const segment of touched) await segment.sync(segment !== active)
    this.syncNames(touched)
    this.syncedOffset = Math.max(this.syncedOffset, this.target)
    this.lastFlushMs = log.context.clock.wallMs()
    await this.moveRecoveryPoint(active.baseOffset, closed)
  }

  /** Segments that get no more appends, and are not known to be whole on disk. */
  private closedSegments(): Segment[] {
    const { segments, recoveryPoint } = this.log
    return segments.between(recoveryPoint, segments.active.baseOffset)
  }

  private syncNames(segments: readonly Segment[]): void {
    const { log } = this
    if (!log.isOnline) return
    if (segments.some((segment) => segment.hasNewNames)) this.syncDirectory(segments)
    log.directory.syncIfDirty()
  }

  private syncDirectory(segments: readonly Segment[]): void {
    const { log } = this
    for (const segment of segments) segment.namesSynced()
    log.snapshots.hasNewNames = false
    log.context.disk.syncDirectory(log.path)
  }

  /** Up to `offset`, all of whose segments below are synced with their indexes. Epochs and snapshots go first (KAFKA-16541). */
  private async moveRecoveryPoint(offset: number, closed: readonly Segment[]): Promise<void> {
    const { log } = this
    if (closed.length === 0 || offset <= log.recoveryPoint || !log.isOnline) return
    await log.epochFile.write()
    await log.snapshots.sync(() => log.isOnline)
    if (!log.isOnline) return
    if (log.snapshots.hasNewNames) this.syncDirectory(closed)
    // A truncation while this waited has lowered the target.
    log.recoveryPoint = Math.max(log.recoveryPoint, Math.min(offset, this.target))
  }

  /** After a roll: the segment before is made durable in the background. */
  schedule(upTo: number): void {
    const { log } = this
    log.context.background.schedule(`flush ${log.path}`, async () => {
      try {
        if (log.isOnline) await this.flush(upTo)
      } catch (error) {
        if (!(error instanceof StorageError)) throw error
      }
    })
  }

  /** Syncs the batches at once and blocks meanwhile: what flush.messages asks for. */
  flushNow(): void {
    const { log } = this
    const touched = log.segments.between(this.syncedOffset, log.endOffset + 1)
    for (const segment of touched) segment.syncNow()
    this.syncNames(touched)
    this.syncedOffset = log.endOffset
    this.lastFlushMs = log.context.clock.wallMs()
  }

  /** For a clean stop: everything, indexes and names included; the recovery point is the end then. */
  async flushWhole(): Promise<void> {
    const { log } = this
    const touched = log.segments.between(log.recoveryPoint, log.endOffset + 1)
    for (const segment of touched) await segment.sync(true)
    await log.epochFile.write()
    await log.snapshots.sync(() => log.isOnline)
    if (log.snapshots.hasNewNames || touched.some((segment) => segment.hasNewNames)) this.syncDirectory(touched)
    log.directory.syncIfDirty()
    this.syncedOffset = log.endOffset
    log.recoveryPoint = log.endOffset
  }

  /** The log ends at `offset` now. */
  onTruncate(offset: number): void {
    this.target = Math.min(this.target, offset)
    this.syncedOffset = Math.min(this.syncedOffset, offset)
    this.log.recoveryPoint = Math.min(this.log.recoveryPoint, offset)
  }

  /** The log is closed: nobody waits any more. */
  abandon(): void {
    this.rejectAll(offline(this.log))
  }
}

function offline(log: Log): StorageError {
  return new StorageError(`The log of ${log.name} is offline`)
}
