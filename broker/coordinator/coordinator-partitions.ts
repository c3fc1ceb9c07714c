import { ErrorCode } from '../../protocol/errors'
import { InvariantError } from '../../runtime/assert'
import type { Logger } from '../../runtime/log'
import type { Clock, Timer } from '../../runtime/ports'
import type { CoordinatorLog, LogVisitor } from './coordinator-log'

/** After a log could not be read; requests are answered with COORDINATOR_LOAD_IN_PROGRESS meanwhile. */
const RETRY_MS = 1000

/** What one partition becomes when its log has been read. */
export type PartitionState = Pick<LogVisitor, 'onBatch' | 'settle'> & {
  /** The partition is ours from now on; unless `needsReplicated`, in the same turn as the end of its log was read. */
  activate(): void
}

export interface CoordinatorPartitionsOptions {
  log: Pick<CoordinatorLog, 'topic' | 'load' | 'learnPartitionCount' | 'caughtUp'>
  clock: Clock
  logger: Logger
  /**
   * What was read counts only when it is replicated, and is not to be acted upon before: until then the partition is loading. Only for
   * a log that nobody else appends to.
   */
  needsReplicated?: boolean
  /** Begins to load a partition; called anew for each attempt. What it fills counts only from `activate` on. */
  begin(partition: number, coordinatorEpoch: number): PartitionState
  /** The partition is not ours any more: forgets its state and answers what waits for it. Only called after `activate`. */
  unload(partition: number): void
  /**
   * This broker goes on leading the partition in a newer epoch. Where it is given the state is kept, as nobody else can have
   * written meanwhile; else the partition is unloaded and loaded again.
   */
  advance?(partition: number, coordinatorEpoch: number): void
}

interface Ownership {
  coordinatorEpoch: number
  state: 'loading' | 'active'
}

/**
 * Which partitions of a coordinator's topic this broker coordinates: it follows the leadership of their logs. The coordinator
 * epoch of a partition is the leader epoch of its log; news of an older epoch is ignored, so that a late resignation cannot wipe
 * out a newer election. Partitions are loaded one after the other, so that one buffer suffices.
 */
export class CoordinatorPartitions {
  private readonly options: CoordinatorPartitionsOptions
  private readonly owned = new Map<number, Ownership>()
  private readonly queue: { partition: number; ownership: Ownership }[] = []
  private readonly retries = new Set<Timer>()
  private isWorking = false
  private isClosed = false

  constructor(options: CoordinatorPartitionsOptions) {
    this.options = options
  }

  /** This broker leads the partition. The same epoch may be announced again. */
  onElection(partition: number, leaderEpoch: number): void {
    if (this.isClosed) return
    const current = this.owned.get(partition)
    if (current !== undefined) {
      if (leaderEpoch <= current.coordinatorEpoch) return
      if (current.state === 'active' && this.options.advance !== undefined) {
        current.coordinatorEpoch = leaderEpoch
        this.options.advance(partition, leaderEpoch)
        return
      }
      this.forget(partition, current)
    }
    const ownership: Ownership = { coordinatorEpoch: leaderEpoch, state: 'loading' }
    this.owned.set(partition, ownership)
    this.enqueue(partition, ownership)
  }

  /** This broker does not lead the partition any more. `leaderEpoch` undefined: whatever the epoch (its log is gone). */
  onResignation(partition: number, leaderEpoch?: number): void {
    const current = this.owned.get(partition)
    if (current === undefined || (leaderEpoch !== undefined && leaderEpoch < current.coordinatorEpoch)) return
    this.forget(partition, current)
  }

  /**
   * NONE if this broker coordinates the partition, else what a client is told: NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS,
   * COORDINATOR_NOT_AVAILABLE (it is being shut down).
   */
  status(partition: number): number {
    if (this.isClosed) return ErrorCode.COORDINATOR_NOT_AVAILABLE
    const current = this.owned.get(partition)
    if (current === undefined) return ErrorCode.NOT_COORDINATOR
    return current.state === 'active' ? ErrorCode.NONE : ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
  }

  /** undefined unless this broker coordinates the partition. */
  coordinatorEpoch(partition: number): number | undefined {
    const current = this.owned.get(partition)
    return current?.state === 'active' ? current.coordinatorEpoch : undefined
  }

  get isLoading(): boolean {
    for (const { state } of this.owned.values()) if (state === 'loading') return true
    return false
  }

  /** The partitions that this broker coordinates. */
  *active(): Iterable<number> {
    for (const [partition, { state }] of this.owned) if (state === 'active') yield partition
  }

  /** The partitions that this broker is about to coordinate, with their coordinator epochs; also those that wait for their turn. */
  *loading(): Iterable<{ partition: number; coordinatorEpoch: number }> {
    for (const [partition, { state, coordinatorEpoch }] of this.owned) if (state === 'loading') yield { partition, coordinatorEpoch }
  }

  /** Unloads everything; nothing is loaded any more. */
  close(): void {
    this.isClosed = true
    for (const timer of this.retries) timer.cancel()
    this.retries.clear()
    this.queue.length = 0
    for (const [partition, ownership] of [...this.owned]) this.forget(partition, ownership)
  }

  private forget(partition: number, ownership: Ownership): void {
    this.owned.delete(partition)
    if (ownership.state === 'active') this.options.unload(partition)
  }

  private enqueue(partition: number, ownership: Ownership): void {
    this.queue.push({ partition, ownership })
    if (this.isWorking) return
    this.isWorking = true
    void this.work()
  }

  private async work(): Promise<void> {
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
      const { partition, ownership } = next
      try {
        await this.load(partition, ownership)
      } catch (error) {
        this.failed(partition, ownership, error)
      }
    }
    this.isWorking = false
  }

  private async load(partition: number, ownership: Ownership): Promise<void> {
    const { log, clock, logger, begin, needsReplicated = false } = this.options
    const { coordinatorEpoch } = ownership
    const isWanted = (): boolean => this.owned.get(partition) === ownership
    if (!isWanted()) return
    await log.learnPartitionCount()
    if (!isWanted()) return
    const startedMs = clock.monoMs()
    const state = begin(partition, coordinatorEpoch)
    const activate = (): void => {
      ownership.state = 'active'
      state.activate()
    }
    let batches = 0
    const isComplete = await log.load(partition, coordinatorEpoch, {
      onBatch: (batch) => {
        batches++
        state.onBatch(batch)
      },
      ...(state.settle === undefined ? {} : { settle: (pacer) => state.settle!(pacer) }),
      onEnd: () => {
        if (!needsReplicated) activate()
      },
      isWanted,
    })
    const fields = { topic: log.topic, partition, coordinatorEpoch, batches, ms: Math.round(clock.monoMs() - startedMs) }
    logger.info(fields, isComplete ? 'coordinator loaded' : 'coordinator no longer wanted here')
    if (!isComplete) this.retry(partition, ownership)
    // Others need not wait for the replicas of this one.
    else if (needsReplicated) void this.activateReplicated(partition, ownership, activate)
  }

  private async activateReplicated(partition: number, ownership: Ownership, activate: () => void): Promise<void> {
    const isWanted = (): boolean => this.owned.get(partition) === ownership
    try {
      if (!(await this.options.log.caughtUp(partition, ownership.coordinatorEpoch, isWanted))) this.retry(partition, ownership)
      else if (isWanted()) activate()
    } catch (error) {
      this.failed(partition, ownership, error)
    }
  }

  /** Still ours, though not usable: it is tried again, whether the error was passing or is repaired by somebody. */
  private failed(partition: number, ownership: Ownership, error: unknown): void {
    if (error instanceof InvariantError) throw error
    const { log, logger } = this.options
    logger.error({ topic: log.topic, partition, err: error }, 'the state of a coordinator could not be loaded')
    this.retry(partition, ownership)
  }

  /** If it is ours: its log may be away for a moment only. */
  private retry(partition: number, ownership: Ownership): void {
    if (this.isClosed || this.owned.get(partition) !== ownership) return
    const { clock } = this.options
    const timer = clock.timer(RETRY_MS, () => {
      this.retries.delete(timer)
      if (this.owned.get(partition) === ownership) this.enqueue(partition, ownership)
    })
    this.retries.add(timer)
  }
}
