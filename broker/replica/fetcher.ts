import { ErrorCode, errorName } from '../../protocol/errors'
import type { FetchResponse, PartitionData } from '../../protocol/messages/fetch'
import { InvariantError } from '../../runtime/assert'
import type { Logger } from '../../runtime/log'
import type { Timer } from '../../runtime/ports'
import { LogError } from '../log/log-error'
import { backoffMs, initialFetchState, type FetchState } from './fetcher-state'
import { resetOutOfRange, truncateByEpochs, type TruncationContext } from './fetcher-truncation'
import type { LeaderConnection } from './leader-connection'
import type { ReplicaManagerOptions } from './options'
import type { Partition } from './partition'
import { ReplicaFetchSession } from './replica-fetch-session'
import { decideTruncation } from './truncation'

const FIRST_VERSION_WITH_REPLICA_STATE = 15
const FIRST_VERSION_WITH_LAST_FETCHED_EPOCH = 12
const LEAST_INTERRUPT_INTERVAL_MS = 50
/** Twice as long after each that was interrupted before its answer was there. */
const MOST_DOUBLINGS = 8
/** How soon a follower that is held back looks again whether it may go on. */
const THROTTLE_PAUSE_MS = 100

/**
 * Fetches some of the partitions that one broker leads (Kafka's ReplicaFetcherThread): cut the logs to what the leader has, then
 * fetch, append, and take over the leader's watermarks, in this order. One request at a time.
 *
 * Between a request and its answer a partition may have been taken away, or given again in another epoch: an answer counts only
 * for the very FetchState that was asked for, with the very offset.
 */
export class ReplicaFetcher {
  private readonly options: ReplicaManagerOptions
  private readonly logger: Logger
  readonly leaderId: number
  private readonly clientId: string
  private readonly states = new Map<Partition, FetchState>()
  private readonly session = new ReplicaFetchSession()
  private readonly onFailed: (partition: Partition) => void
  private connection: LeaderConnection | undefined
  private connectFailures = 0
  private closed = false
  private running = false
  /** A fetch is at the leader, where it may wait for as long as `replica.fetch.wait.max.ms`. */
  private isAsking = false
  private isInterrupted = false
  private lastInterruptMs = Number.NEGATIVE_INFINITY
  /** Since the last answer. */
  private interrupts = 0
  private interruptTimer: Timer | undefined
  private wakeUp: (() => void) | undefined
  private timer: Timer | undefined

  constructor(options: ReplicaManagerOptions, leaderId: number, fetcherId: number, onFailed: (partition: Partition) => void) {
    this.options = options
    this.leaderId = leaderId
    this.onFailed = onFailed
    this.clientId = `broker-${options.brokerId}-fetcher-${fetcherId}`
    this.logger = options.logger.child({ fetcher: fetcherId, leader: leaderId })
  }

  get size(): number {
    return this.states.size
  }

  has(partition: Partition): boolean {
    return this.states.get(partition)?.leaderEpoch === partition.leaderEpoch
  }

  /** Begins with the partition, or begins anew with it in a new epoch; in the same one it just goes on. */
  add(partition: Partition): void {
    if (this.has(partition)) return
    this.states.set(partition, initialFetchState(partition, this.options.protocol.truncationOnFetch))
    this.wake()
    this.interrupt()
    if (!this.running) {
      this.running = true
      void this.run()
    }
  }

  remove(partition: Partition): void {
    this.states.delete(partition)
  }

  close(): void {
    this.closed = true
    this.states.clear()
    this.connection?.close()
    this.interruptTimer?.cancel()
    this.wake()
  }

  /**
   * Hangs up on a fetch that waits at the leader, so that a new partition need not wait for it: half a second is long for the
   * first acks=all of a new topic, or of a new leader. The more partitions there are to be named anew, the more rarely; and more and more
   * rarely while no answer comes in between: a large one takes its time, and partitions may be added one after another for long.
   */
  private interrupt(): void {
    if (!this.isAsking || this.isInterrupted || this.interruptTimer !== undefined) return
    const { clock } = this.options.env
    const leastMs = LEAST_INTERRUPT_INTERVAL_MS * 2 ** Math.min(this.interrupts, MOST_DOUBLINGS) + this.states.size / 10
    const waitMs = this.lastInterruptMs + leastMs - clock.monoMs()
    if (waitMs > 0) {
      this.interruptTimer = clock.timer(waitMs, () => {
        this.interruptTimer = undefined
        this.interrupt()
      })
      return
    }
    this.lastInterruptMs = clock.monoMs()
    this.interrupts++
    this.isInterrupted = true
    this.connection?.close()
  }

  private async run(): Promise<void> {
    while (!this.closed) {
      if (this.states.size === 0) {
        await this.sleep(undefined)
        continue
      }
      try {
        await this.round()
      } catch (error) {
        if (error instanceof InvariantError) throw error
        if (this.closed) return
        this.connection?.close()
        this.connection = undefined
        this.session.reset()
        if (this.isInterrupted) continue
        this.logger.debug({ error: String(error) }, 'leader does not answer')
        await this.sleep(backoffMs(this.connectFailures++, this.options.config.replicaFetchBackoffMs))
      }
    }
  }

  private async round(): Promise<void> {
    this.isInterrupted = false
    const connection = (this.connection ??= await this.connect())
    await truncateByEpochs(this.truncationContext(connection), this.statesIn('truncating'))
    // Before the sync: what is added meanwhile may hold something that is not synced.
    const ready = this.statesIn('fetching')
    await this.syncBeforeClaim()
    if (ready.length === 0) {
      await this.sleep(this.untilReady())
      return
    }
    await this.fetch(connection, ready)
    this.connectFailures = 0
  }

  private async connect(): Promise<LeaderConnection> {
    const node = this.options.metadata.aliveBroker(this.leaderId, this.options.interBrokerListener)
    if (node === undefined) throw new Error(`broker ${this.leaderId} is not alive`)
    const connection = await this.options.connectToLeader!(node, this.clientId)
    if (this.closed) connection.close()
    return connection
  }

  private statesIn(stage: FetchState['stage']): FetchState[] {
    const nowMs = this.options.env.clock.monoMs()
    const ready: FetchState[] = []
    for (const state of this.states.values()) if (state.stage === stage && state.readyAtMs <= nowMs) ready.push(state)
    return ready
  }

  /** With `flush.before.ack` the offset of a fetch says what is on the disk, so it must be there before. */
  private async syncBeforeClaim(): Promise<void> {
    const syncs: Promise<void>[] = []
    for (const { partition } of this.states.values()) {
      const { log } = partition
      if (log === undefined || log.syncedOffset >= log.endOffset) continue
      if (this.options.topicReplication(partition.topic).flushBeforeAck) syncs.push(log.flush())
    }
    // A failed sync has taken its log directory offline, and its partitions with it.
    if (syncs.length > 0) await Promise.allSettled(syncs)
  }

  private async fetch(connection: LeaderConnection, asked: readonly FetchState[]): Promise<void> {
    const { config, brokerId, protocol } = this.options
    // What was waited for since then may have taken some away.
    const wanted = asked.filter(
      (state) => state.partition.log !== undefined && this.states.get(state.partition) === state && !this.isHeldBack(state),
    )
    if (wanted.length === 0) {
      await this.sleep(Math.min(THROTTLE_PAUSE_MS, config.replicaFetchBackoffMs))
      return
    }
    const version = this.session.versionFor(protocol.fetchVersion, wanted)
    const namesLastEpoch = protocol.truncationOnFetch && version >= FIRST_VERSION_WITH_LAST_FETCHED_EPOCH
    this.isAsking = true
    const request = {
      ...(version >= FIRST_VERSION_WITH_REPLICA_STATE
        ? { replicaState: { replicaId: brokerId, replicaEpoch: this.options.brokerEpoch() } }
        : { replicaId: brokerId }),
      maxWaitMs: config.replicaFetchWaitMaxMs,
      minBytes: config.replicaFetchMinBytes,
      maxBytes: config.replicaFetchResponseMaxBytes,
      ...this.session.next(version, wanted, { maxBytes: config.replicaFetchMaxBytes, namesLastEpoch }),
    }
    const asking = connection.fetch(version, request, (response) => {
      // From here on the answer is taken whole: a partition that was added is asked for in the next round.
      this.isAsking = false
      this.interrupts = 0
      this.interruptTimer?.cancel()
      this.interruptTimer = undefined
      if (this.session.take(version, response)) return this.process(response)
      this.logger.info({ error: errorName(response.errorCode) }, 'fetch session begins anew')
      return []
    })
    const outOfRange = await asking.finally(() => (this.isAsking = false))
    await resetOutOfRange(this.truncationContext(connection), outOfRange)
  }

  /** Beyond the limit on replication? One that is in sync goes on (Kafka's shouldFollowerThrottle). */
  private isHeldBack({ partition, lag }: FetchState): boolean {
    const follower = this.options.quotas?.follower
    return follower?.isThrottled(partition.topic, partition.partition) === true && lag !== 0 && follower.isExceeded
  }

  /** Appends, without waiting for anything: the answer's memory is used again. Which partitions were asked for out of range. */
  private process(response: FetchResponse): FetchState[] {
    const outOfRange: FetchState[] = []
    for (const topic of response.responses) {
      for (const data of topic.partitions) {
        const asked = this.session.asked(topic.topic, topic.topicId, data.partitionIndex)
        if (asked === undefined) continue
        const { state, fetchOffset } = asked
        if (this.states.get(state.partition) !== state || state.fetchOffset !== fetchOffset) {
          // The leader counts this as told, its high watermark above all, and would not say it again within the session.
          this.session.reset()
          continue
        }
        if (data.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) outOfRange.push(state)
        else this.take(state, data)
      }
    }
    return outOfRange
  }

  private take(state: FetchState, data: PartitionData): void {
    const { errorCode, divergingEpoch } = data
    if (errorCode !== ErrorCode.NONE) {
      this.failedAnswer(state, errorCode)
      return
    }
    try {
      // Nothing else of this answer counts: watermarks only after the log is the leader's again (KAFKA-14704).
      if (divergingEpoch.epoch >= 0 && divergingEpoch.endOffset >= 0) {
        this.truncateTo(state, divergingEpoch)
        this.session.reset()
      } else {
        this.append(state, data)
      }
      state.failures = 0
    } catch (error) {
      // The leader counts this as told.
      this.session.reset()
      this.failedAppend(state, error)
    }
  }

  private append(state: FetchState, data: PartitionData): void {
    const { partition } = state
    if (partition.log?.endOffset !== state.fetchOffset) {
      // Somebody else cut the log while the answer was under way.
      this.session.reset()
      Object.assign(state, initialFetchState(partition, this.options.protocol.truncationOnFetch))
      return
    }
    partition.appendAsFollower(data.records ?? Buffer.alloc(0), {
      leaderEpoch: state.leaderEpoch,
      highWatermark: data.highWatermark,
      logStartOffset: data.logStartOffset,
    })
    const { log } = partition
    state.fetchOffset = log.endOffset
    state.lag = Math.max(0, data.highWatermark - log.endOffset)
    const follower = this.options.quotas?.follower
    if (follower?.isThrottled(partition.topic, partition.partition) === true) follower.record(data.records?.length ?? 0)
    if (log.latestEpoch >= 0) state.lastFetchedEpoch = log.latestEpoch
  }

  private truncateTo(state: FetchState, leaderEnd: { epoch: number; endOffset: number }): void {
    const log = state.partition.log
    if (log === undefined) return
    const { offset } = decideTruncation(log, leaderEnd, log.highWatermark)
    state.partition.truncateTo(offset, `diverging from epoch ${leaderEnd.epoch}`)
    state.fetchOffset = log.endOffset
    state.lastFetchedEpoch = log.latestEpoch
  }

  private failedAppend(state: FetchState, error: unknown): void {
    if (error instanceof InvariantError) throw error
    const { topic, partition } = state.partition
    const code = error instanceof LogError ? error.code : ErrorCode.UNKNOWN_SERVER_ERROR
    if (code === ErrorCode.CORRUPT_MESSAGE || code === ErrorCode.INVALID_RECORD) {
      this.logger.error({ topic, partition, offset: state.fetchOffset, error: String(error) }, 'the leader sent corrupt records')
      this.delay(state)
    } else {
      this.logger.error({ topic, partition, offset: state.fetchOffset, err: error }, 'cannot append what the leader sent')
      this.fail(state)
    }
  }

  private failedAnswer(state: FetchState, errorCode: number): void {
    const { topic, partition } = state.partition
    this.logger.debug({ topic, partition, error: errorName(errorCode), epoch: state.leaderEpoch }, 'the leader refused a fetch')
    // The leader is in a later epoch: this replica's next LeaderAndIsr is on its way.
    if (errorCode === ErrorCode.FENCED_LEADER_EPOCH) this.fail(state)
    else this.delay(state)
  }

  private delay(state: FetchState): void {
    state.readyAtMs = this.options.env.clock.monoMs() + backoffMs(state.failures++, this.options.config.replicaFetchBackoffMs)
  }

  /** Not fetched any more until a LeaderAndIsr gives it again. */
  private fail(state: FetchState): void {
    if (this.states.get(state.partition) !== state) return
    this.states.delete(state.partition)
    this.onFailed(state.partition)
  }

  private truncationContext(connection: LeaderConnection): TruncationContext {
    return {
      connection,
      brokerId: this.options.brokerId,
      protocol: this.options.protocol,
      isCurrent: (state) => this.states.get(state.partition) === state,
      refused: (state, errorCode) => this.failedAnswer(state, errorCode),
      failed: (state, error) => this.failedAppend(state, error),
    }
  }

  private untilReady(): number | undefined {
    let soonest = Infinity
    for (const state of this.states.values()) soonest = Math.min(soonest, state.readyAtMs)
    return soonest === Infinity ? undefined : Math.max(1, soonest - this.options.env.clock.monoMs())
  }

  /** Until `wake`, at most `delayMs`. */
  private sleep(delayMs: number | undefined): Promise<void> {
    if (this.closed) return Promise.resolve()
    return new Promise((resolve) => {
      this.wakeUp = resolve
      if (delayMs !== undefined) this.timer = this.options.env.clock.timer(delayMs, () => this.wake())
    })
  }

  private wake(): void {
    this.timer?.cancel()
    this.timer = undefined
    const wakeUp = this.wakeUp
    this.wakeUp = undefined
    wakeUp?.()
  }
}
