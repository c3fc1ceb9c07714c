import { ErrorCode } from '../../protocol/errors'
import type { ReplicaState } from './replica-state'

/**
 * The ISR as its leader holds it. `committed` is what ZooKeeper is known to say. While a proposal is with the controller nobody
 * knows whether it was written, so the leader reckons with the larger of both sets, the maximal ISR (KIP-497): the high
 * watermark waits for its every member, which is right whichever of the two is true.
 *
 * Invariant: at most one proposal is under way; `maximal` contains `committed`.
 */
export interface IsrState {
  readonly committed: readonly number[]
  readonly maximal: readonly number[]
  readonly proposal: IsrProposal | undefined
  /** The controller refused the proposal because it knows another state than this leader: that has to be found out first. */
  readonly isAwaitingState?: boolean
}

export interface IsrProposal {
  readonly kind: 'expand' | 'shrink'
  readonly isr: readonly number[]
  readonly leaderEpoch: number
  readonly partitionEpoch: number
}

export function committedIsr(isr: readonly number[]): IsrState {
  return { committed: isr, maximal: isr, proposal: undefined }
}

/** The new member counts from now on, before anybody confirmed it. */
export function pendingExpand(state: IsrState, replica: number, leaderEpoch: number, partitionEpoch: number): IsrState {
  const isr = [...state.committed, replica]
  return { committed: state.committed, maximal: isr, proposal: { kind: 'expand', isr, leaderEpoch, partitionEpoch } }
}

/** The members to leave count until the controller has confirmed that they are out. */
export function pendingShrink(
  state: IsrState,
  outOfSync: readonly number[],
  leaderEpoch: number,
  partitionEpoch: number,
): IsrState {
  const isr = state.committed.filter((id) => !outOfSync.includes(id))
  return { committed: state.committed, maximal: state.committed, proposal: { kind: 'shrink', isr, leaderEpoch, partitionEpoch } }
}

/**
 * Members of the committed ISR that have not been caught up for `lagMaxMs` or are not among the replicas; never the leader. Who is at the
 * end stays as long as it is alive: a dead one, that an old controller took back at its leader's late request (KIP-841), does not.
 */
export function outOfSyncReplicas(
  isr: readonly number[],
  leaderId: number,
  followers: ReadonlyMap<number, ReplicaState>,
  leaderEndOffset: number,
  nowMs: number,
  lagMaxMs: number,
  isAlive: (id: number) => boolean,
): number[] {
  return isr.filter((id) => {
    if (id === leaderId) return false
    const follower = followers.get(id)
    if (follower === undefined || !follower.isCaughtUp(leaderEndOffset, nowMs, lagMaxMs)) return true
    return !isAlive(id) && nowMs - follower.lastCaughtUpMs > lagMaxMs
  })
}

/** KIP-101 and KAFKA-7128: a joiner has the committed part, and what may have been committed before this epoch began. */
export function mayJoinIsr(followerEndOffset: number, highWatermark: number, epochStartOffset: number): boolean {
  return followerEndOffset >= highWatermark && followerEndOffset >= epochStartOffset
}

/**
 * The high watermark that the leader's and the followers' ends allow: the least end of the leader, the maximal ISR, and those
 * that are about to join it (caught up in time and alive). Without the last the watermark could run away from a joiner for ever.
 */
export function highWatermarkOf(
  leaderEndOffset: number,
  followers: Iterable<ReplicaState>,
  maximalIsr: readonly number[],
  waitsFor: (follower: ReplicaState) => boolean,
): number {
  let highWatermark = leaderEndOffset
  for (const follower of followers) {
    if (follower.logEndOffset < highWatermark && (maximalIsr.includes(follower.brokerId) || waitsFor(follower))) {
      highWatermark = follower.logEndOffset
    }
  }
  return highWatermark
}

/** min.insync.replicas cannot ask for more replicas than there are. */
export function effectiveMinIsr(minInsyncReplicas: number, replicationFactor: number): number {
  return Math.min(minInsyncReplicas, replicationFactor)
}

/** What the leader does with the controller's answer to a proposal. */
export type ProposalOutcome = 'commit' | 'revert' | 'await' | 'retry'

/**
 * - `revert`: the controller says that it did not write, and that our partition epoch is the right one.
 * - `await`: our epochs are behind, or the partition is unknown to it: only newer state can tell (LeaderAndIsr, or a read).
 * - `retry`: nothing is known.
 */
export function proposalOutcome(errorCode: number): ProposalOutcome {
  switch (errorCode) {
    case ErrorCode.NONE:
      return 'commit'
    case ErrorCode.OPERATION_NOT_ATTEMPTED:
    case ErrorCode.INELIGIBLE_REPLICA:
      return 'revert'
    case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
    case ErrorCode.INVALID_REQUEST:
    case ErrorCode.FENCED_LEADER_EPOCH:
    case ErrorCode.INVALID_UPDATE_VERSION:
    case ErrorCode.UNKNOWN_TOPIC_ID:
    case ErrorCode.NEW_LEADER_ELECTED:
      return 'await'
    default:
      return 'retry'
  }
}
