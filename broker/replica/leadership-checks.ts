import type { Clock } from '../../runtime/ports'
import type { ReplicaManagerOptions } from './options'
import type { Partition } from './partition'
import { deposes } from './partition-state'

/** How long a request waits for ZooKeeper. */
const MOST_WAIT_MS = 1000
/** What clients ask for must be no burden to ZooKeeper: most reads under way, and most that begin within a second. */
const MOST_UNDER_WAY = 64
const MOST_PER_SECOND = 200
const SECOND_MS = 1000

interface Read {
  done: Promise<boolean>
  next: Promise<boolean> | undefined
}

/** The leaders that an answer depends on: it would do harm if they were deposed. */
export interface Doubts {
  readonly doubtful: Set<Partition>
  readonly confirmed: { has(partition: Partition): boolean }
}

const NOBODY = new Set<Partition>()
const EVERYBODY = { has: (): boolean => true }

/**
 * Asks ZooKeeper whether this broker still leads a partition. A leader that was deposed hears of it by LeaderAndIsr; cut off from
 * the controller, but not from ZooKeeper, it may not for long. What it has it may give until then; but it must not say that there
 * is nothing where its successor has records, for consumers would begin somewhere else.
 *
 * An answer counts only for those who asked before it was read (so there is no cache of answers). Beyond its bounds, and when
 * ZooKeeper does not answer in time, the leader is not confirmed: the client asks again.
 */
export class LeadershipChecks {
  private readonly clock: Clock
  private readonly readState: ReplicaManagerOptions['readPartitionState']
  private readonly answerLater: (answer: () => void) => void
  private readonly reads = new Map<Partition, Read>()
  private secondEndsMs = -Infinity
  private begunInSecond = 0

  /** Without `readState` every leader is believed. `answerLater`: when log writes are done. */
  constructor(
    clock: Clock,
    readState: ReplicaManagerOptions['readPartitionState'],
    answerLater: (answer: () => void) => void,
  ) {
    this.clock = clock
    this.readState = readState
    this.answerLater = answerLater
  }

  /**
   * Calls `done` with what `answer` gives: at once if it has no doubts, else it is dropped, ZooKeeper is asked, and what it gives
   * then counts.
   */
  withoutDoubt<T>(answer: (doubts: Doubts) => T, done: (answer: T) => void, drop: (answer: T) => void = () => {}): void {
    const confirmed = this.readState === undefined ? EVERYBODY : NOBODY
    const doubts: Doubts = { doubtful: new Set(), confirmed }
    const first = answer(doubts)
    if (doubts.doubtful.size === 0) {
      done(first)
      return
    }
    drop(first)
    void this.confirm(doubts.doubtful).then((led) =>
      this.answerLater(() => done(answer({ doubtful: new Set(), confirmed: led }))),
    )
  }

  /** Those of the partitions that this broker still leads in the same epoch. Those that it does not, it leads no more from here on. */
  async confirm(partitions: Iterable<Partition>): Promise<ReadonlySet<Partition>> {
    const confirmed = new Map<Partition, number>()
    const asked = [...partitions].map(async (partition) => {
      const { leaderEpoch } = partition
      if (await this.ask(partition)) confirmed.set(partition, leaderEpoch)
    })
    await this.inTime(Promise.all(asked))
    return new Set([...confirmed].filter(([{ isLeader, leaderEpoch }, epoch]) => isLeader && leaderEpoch === epoch).map(([led]) => led))
  }

  private ask(partition: Partition): Promise<boolean> {
    const underWay = this.reads.get(partition)
    if (underWay === undefined) return this.begin(partition)
    // That one may have been read before the change that this request knows of.
    return (underWay.next ??= underWay.done.then(() => this.begin(partition)))
  }

  private begin(partition: Partition): Promise<boolean> {
    if (!this.mayBegin()) return Promise.resolve(false)
    const read: Read = {
      done: this.read(partition).finally(() => {
        if (this.reads.get(partition) === read) this.reads.delete(partition)
      }),
      next: undefined,
    }
    this.reads.set(partition, read)
    return read.done
  }

  private mayBegin(): boolean {
    const nowMs = this.clock.monoMs()
    if (nowMs >= this.secondEndsMs) {
      this.secondEndsMs = nowMs + SECOND_MS
      this.begunInSecond = 0
    }
    return this.reads.size < MOST_UNDER_WAY && ++this.begunInSecond <= MOST_PER_SECOND
  }

  private async read(partition: Partition): Promise<boolean> {
    const { topic, partition: index, leaderEpoch } = partition
    try {
      const state = await this.readState!(topic, index)
      if (state === undefined || !partition.isLeader || partition.leaderEpoch !== leaderEpoch) return false
      if (!deposes(state, partition)) return state.leaderEpoch === leaderEpoch
      // It serves nothing more in this epoch. The LeaderAndIsr that follows gives the new role.
      partition.stop()
      return false
    } catch {
      return false
    }
  }

  private inTime(promise: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.clock.timer(MOST_WAIT_MS, resolve)
      void promise.then(() => {
        timer.cancel()
        resolve()
      })
    })
  }
}

/** True if `partition`'s leader must be confirmed before it says what depends on it. */
export function isInDoubt({ doubtful, confirmed }: Doubts, partition: Partition): boolean {
  if (confirmed.has(partition)) return false
  doubtful.add(partition)
  return true
}
