import { ErrorCode, ProtocolError } from '../../protocol/errors'
import { TimeoutError, mayRetry } from '../cluster'
import { CommitFailedError, RetriableCommitFailedError } from '../consumer/errors'
import { commitOffsets, fetchCommitted } from './committed'
import type { Cluster } from '../cluster'
import type { CommittedOffset, GroupMember, OffsetToCommit } from './committed'
import type { Membership } from './membership'
import type { TopicPartition } from '../leaders'

export type CommitCallback = (error: Error | undefined, offsets: readonly OffsetToCommit[]) => void

/** After so long it is looked whether the wait is over. */
const FIND_STEP_MS = 1000

const REBALANCED =
  'Offset commit cannot be completed since the consumer is not part of an active group for auto partition assignment; ' +
  'it is likely that the consumer was kicked out of the group.'
const REBALANCING =
  'Offset commit cannot be completed since the consumer is undergoing a rebalance for auto partition assignment. ' +
  'You can try completing the rebalance by calling poll() and then retry the operation.'
const TOO_LATE =
  'Commit cannot be completed since the group has already rebalanced and assigned the partitions to another member. ' +
  'This means that the time between subsequent calls to poll() was longer than the configured max.poll.interval.ms, ' +
  'or that heartbeats did not get through.'
const OUT_OF_TIME = 'Timeout expired before successfully committing offsets'

/** Commits of one consumer, and what the group has committed. */
export class Commits {
  private readonly cluster: Cluster
  private readonly membership: Membership
  private readonly isSubscribed: () => boolean
  private readonly committed: (offsets: readonly OffsetToCommit[]) => void
  /** Asynchronous ones under way, so that a later synchronous one is not overtaken. */
  private readonly pending = new Set<Promise<void>>()

  /** `isSubscribed`: by a group's generation; else anybody may commit. `committed` hears of what succeeded. */
  constructor(
    cluster: Cluster,
    membership: Membership,
    isSubscribed: () => boolean,
    committed: (offsets: readonly OffsetToCommit[]) => void,
  ) {
    this.cluster = cluster
    this.membership = membership
    this.isSubscribed = isSubscribed
    this.committed = committed
  }

  /**
   * Repeats until it succeeds, fails for good (CommitFailedError, FENCED_INSTANCE_ID ...) or the time is over
   * (TimeoutError), which it is, too,
   * when `isOver` says so.
   */
  async sync(given: readonly OffsetToCommit[], deadlineMs: number, isOver = (): boolean => false): Promise<void> {
    const { clock } = this.cluster.env
    const offsets = copyOf(given)
    await this.cluster.within(Promise.allSettled([...this.pending]), deadlineMs)
    if (offsets.length === 0) return
    let last: unknown
    for (;;) {
      try {
        const findMs = Math.min(deadlineMs, clock.monoMs() + FIND_STEP_MS)
        if ((await this.membership.finder.find(findMs)) !== undefined) {
          if (await this.onceUntil(offsets, deadlineMs)) return
          throw new TimeoutError(OUT_OF_TIME)
        }
      } catch (error) {
        if (!mayRetry(error)) throw error
        last = error
      }
      const leftMs = deadlineMs - clock.monoMs()
      if (leftMs <= 0 || isOver() || this.cluster.isClosed)
        throw new TimeoutError(OUT_OF_TIME, { cause: last })
      await this.cluster.sleep(Math.min(leftMs, this.cluster.settings.retryBackoffMs))
    }
  }

  /** Tries once. The callback is called with RetriableCommitFailedError where trying again may help. */
  async(given: readonly OffsetToCommit[], callback?: CommitCallback): Promise<void> {
    const offsets = copyOf(given)
    const attempt = this.attempt(offsets).then(
      () => callback?.(undefined, offsets),
      (error: unknown) =>
        callback?.(
          mayRetry(error)
            ? new RetriableCommitFailedError(
                'Offset commit failed with a retriable exception. You should retry committing the latest consumed offsets.',
                { cause: error },
              )
            : (error as Error),
          offsets,
        ),
    )
    this.pending.add(attempt)
    return attempt.finally(() => this.pending.delete(attempt))
  }

  /** Throws errors as they come; looks for the coordinator for a request's time at most. */
  async attempt(offsets: readonly OffsetToCommit[]): Promise<void> {
    if (offsets.length === 0) return
    const deadlineMs = this.cluster.env.clock.monoMs() + this.cluster.settings.requestTimeoutMs
    if ((await this.membership.finder.find(deadlineMs)) === undefined)
      throw new ProtocolError(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    await this.once(offsets)
  }

  /** What the group has committed for these partitions; those without an offset are missing. */
  async fetch(partitions: readonly TopicPartition[], timeoutMs: number): Promise<Map<string, CommittedOffset>> {
    if (partitions.length === 0) return new Map()
    const { finder, member } = this.membership
    return this.cluster.retrying(
      'fetching committed offsets',
      async (leftMs) => {
        const coordinator = await finder.find(this.cluster.env.clock.monoMs() + leftMs)
        if (coordinator === undefined) throw new ProtocolError(ErrorCode.COORDINATOR_NOT_AVAILABLE)
        try {
          const found = (
            await fetchCommitted(this.cluster, coordinator, [{ groupId: member.groupId, partitions }], true, {
              lane: 'coordinator',
            })
          ).get(member.groupId)
          if (found === undefined) throw new ProtocolError(ErrorCode.UNKNOWN_SERVER_ERROR)
          if (found instanceof ProtocolError) throw found
          for (const error of found.errors.values()) throw error
          return found.offsets
        } catch (error) {
          if (isOfCoordinator(error)) finder.forget(coordinator)
          throw error
        }
      },
      timeoutMs,
    )
  }

  private committingMember(): GroupMember {
    const { membership } = this
    if (!this.isSubscribed()) return { ...membership.member, generationId: -1, memberId: '', groupInstanceId: null }
    const member = membership.stableMember
    if (member !== undefined) return member
    if (membership.isRebalancing) throw new ProtocolError(ErrorCode.REBALANCE_IN_PROGRESS, REBALANCING)
    throw new CommitFailedError(REBALANCED)
  }

  /** False if there is no answer by then; who commits later waits for it. */
  private async onceUntil(offsets: readonly OffsetToCommit[], deadlineMs: number): Promise<boolean> {
    const attempt = this.once(offsets)
    const settled = attempt.catch(() => {})
    this.pending.add(settled)
    void settled.then(() => this.pending.delete(settled))
    return (await this.cluster.within(attempt.then(() => true), deadlineMs)) ?? false
  }

  private async once(offsets: readonly OffsetToCommit[]): Promise<void> {
    const { membership } = this
    const member = this.committingMember()
    const sent = membership.generation
    const coordinator = membership.finder.known
    if (coordinator === undefined) throw new ProtocolError(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    let results
    try {
      results = await commitOffsets(this.cluster, coordinator, member, offsets, { lane: 'coordinator' })
    } catch (error) {
      if (mayRetry(error)) membership.finder.forget(coordinator)
      throw error
    }
    for (const { topic, code } of results) {
      if (code === 0) continue
      switch (code) {
        case ErrorCode.COORDINATOR_NOT_AVAILABLE:
        case ErrorCode.NOT_COORDINATOR:
        case ErrorCode.REQUEST_TIMED_OUT:
          membership.finder.forget(coordinator)
          throw new ProtocolError(code)
        case ErrorCode.FENCED_INSTANCE_ID:
          if (sent === membership.generation) throw new ProtocolError(code)
          throw new CommitFailedError(TOO_LATE)
        case ErrorCode.UNKNOWN_MEMBER_ID:
        case ErrorCode.ILLEGAL_GENERATION:
          // A rebalance has gone on since: the answer is for the generation before.
          if (sent !== membership.generation && membership.isRebalancing)
            throw new ProtocolError(ErrorCode.REBALANCE_IN_PROGRESS, REBALANCING)
          if (this.isSubscribed()) membership.lost(sent, code)
          throw new CommitFailedError(TOO_LATE)
        case ErrorCode.REBALANCE_IN_PROGRESS:
          if (sent === membership.generation) membership.requestRejoin('offset commit failed since group is already rebalancing')
          throw new ProtocolError(code, REBALANCING)
        case ErrorCode.TOPIC_AUTHORIZATION_FAILED:
          throw new ProtocolError(code, `Not authorized to access topics: [${topic}]`)
        default:
          throw new ProtocolError(code)
      }
    }
    this.committed(offsets)
  }
}

/** What the caller does with its own list meanwhile does not change what is committed. */
function copyOf(offsets: readonly OffsetToCommit[]): OffsetToCommit[] {
  return offsets.map((each) => ({ ...each }))
}

function isOfCoordinator(error: unknown): boolean {
  if (!(error instanceof ProtocolError)) return mayRetry(error)
  return error.code === ErrorCode.NOT_COORDINATOR || error.code === ErrorCode.COORDINATOR_NOT_AVAILABLE
}
