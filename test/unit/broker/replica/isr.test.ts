import fc from 'fast-check'
import {
  committedIsr, effectiveMinIsr, highWatermarkOf, mayJoinIsr, outOfSyncReplicas, pendingExpand, pendingShrink, proposalOutcome,
} from '../../../../broker/replica/isr'
import { ReplicaState } from '../../../../broker/replica/replica-state'
import { ErrorCode } from '../../../../protocol/errors'

function follower(brokerId: number, logEndOffset: number, lastCaughtUpMs = -Infinity): ReplicaState {
  return Object.assign(new ReplicaState(brokerId), { logEndOffset, lastCaughtUpMs })
}

test('a joiner counts from its proposal on, a leaver until it is confirmed', () => {
  const expanding = pendingExpand(committedIsr([1, 2]), 3, 5, 7)
  expect(expanding).toMatchObject({ committed: [1, 2], maximal: [1, 2, 3] })
  expect(expanding.proposal).toEqual({ kind: 'expand', isr: [1, 2, 3], leaderEpoch: 5, partitionEpoch: 7 })
  const shrinking = pendingShrink(committedIsr([1, 2, 3]), [2], 5, 7)
  expect(shrinking).toMatchObject({ committed: [1, 2, 3], maximal: [1, 2, 3] })
  expect(shrinking.proposal).toEqual({ kind: 'shrink', isr: [1, 3], leaderEpoch: 5, partitionEpoch: 7 })
})

test.each([
  // [leader's end, [[id, end, waits]...], maximal ISR, high watermark]
  ['the leader alone', 10, [], [1], 10],
  ['the slowest of the ISR', 10, [[2, 7, false], [3, 5, false]], [1, 2, 3], 5],
  ['not those out of the ISR', 10, [[2, 7, false], [3, 5, false]], [1, 2], 7],
  ['but those about to join it', 10, [[2, 7, false], [3, 5, true]], [1, 2], 5],
  ['a member that never fetched', 10, [[2, -1, false]], [1, 2], -1],
  ['a member of the ISR that is no replica any more', 10, [[2, 9, false]], [1, 2, 4], 9],
] as const)('the high watermark waits for %s', (_, end, followers, isr, expected) => {
  const states = followers.map(([id, logEnd]) => follower(id, logEnd))
  const waits = new Set(followers.filter(([, , wait]) => wait).map(([id]) => id as number))
  expect(highWatermarkOf(end, states, isr, (each) => waits.has(each.brokerId))).toBe(expected)
})

test.each([
  // [follower's end, high watermark, epoch start, may join]
  [10, 10, 5, true],
  [9, 10, 5, false],
  [10, 8, 11, false],
  [11, 8, 11, true],
])('a follower at %i may join above high watermark %i and epoch start %i: %s', (end, highWatermark, epochStart, expected) => {
  expect(mayJoinIsr(end, highWatermark, epochStart)).toBe(expected)
})

test('out of sync is who has lagged too long or is no replica; never the leader, never who is at the end and alive', () => {
  const followers = new Map([
    [2, follower(2, 10, 0)],
    [3, follower(3, 9, 69_999)],
    [4, follower(4, 9, 70_000)],
    [6, follower(6, 10, 69_999)],
    [7, follower(7, 10, 70_000)],
  ])
  const isAlive = (id: number): boolean => id < 6
  expect(outOfSyncReplicas([1, 2, 3, 4, 5, 6, 7], 1, followers, 10, 100_000, 30_000, isAlive)).toEqual([3, 5, 6])
})

test('min.insync.replicas is at most the number of replicas', () => {
  expect(effectiveMinIsr(2, 3)).toBe(2)
  expect(effectiveMinIsr(3, 2)).toBe(2)
})

test.each([
  [ErrorCode.NONE, 'commit'],
  [ErrorCode.INELIGIBLE_REPLICA, 'revert'],
  [ErrorCode.OPERATION_NOT_ATTEMPTED, 'revert'],
  [ErrorCode.INVALID_UPDATE_VERSION, 'await'],
  [ErrorCode.FENCED_LEADER_EPOCH, 'await'],
  [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'await'],
  [ErrorCode.UNKNOWN_TOPIC_ID, 'await'],
  [ErrorCode.INVALID_REQUEST, 'await'],
  [ErrorCode.NEW_LEADER_ELECTED, 'await'],
  [ErrorCode.NOT_CONTROLLER, 'retry'],
  [ErrorCode.UNKNOWN_SERVER_ERROR, 'retry'],
  [ErrorCode.REQUEST_TIMED_OUT, 'retry'],
])('error %i: %s', (errorCode, outcome) => {
  expect(proposalOutcome(errorCode)).toBe(outcome)
})

describe('a follower’s lag', () => {
  test('caught up now, if it asks from the leader’s end', () => {
    const state = new ReplicaState(2)
    state.update(10, 0, 1000, 10, -1)
    expect(state.lastCaughtUpMs).toBe(1000)
    expect(state.isCaughtUp(11, 31_000, 30_000)).toBe(true)
    expect(state.isCaughtUp(11, 31_001, 30_000)).toBe(false)
    expect(state.isCaughtUp(10, 99_000, 30_000)).toBe(true)
  })

  test('caught up at its previous fetch, if it has now what the leader had then', () => {
    const state = new ReplicaState(2)
    state.update(5, 0, 1000, 10, -1)
    state.update(10, 0, 2000, 20, -1)
    expect(state.lastCaughtUpMs).toBe(1000)
    state.update(15, 0, 3000, 30, -1)
    expect(state.lastCaughtUpMs).toBe(1000)
  })

  test('a new epoch: members of the ISR begin caught up, others do not', () => {
    const state = new ReplicaState(2)
    state.update(10, 3, 1000, 10, 77)
    state.reset(5000, 12, false, true)
    expect(state).toMatchObject({ lastCaughtUpMs: 5000, logEndOffset: 10, brokerEpoch: 77 })
    state.reset(6000, 12, true, false)
    expect(state).toMatchObject({ lastCaughtUpMs: -Infinity, logEndOffset: -1, brokerEpoch: undefined })
  })

  /** The time of being caught up by its definition: the latest t with all that the leader had at t. */
  test('never claims to be caught up later than it was', () => {
    const step = fc.record({ appended: fc.nat(5), fetched: fc.nat(8), passMs: fc.integer({ min: 1, max: 100 }) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const state = new ReplicaState(2)
        let [nowMs, leaderEnd, followerEnd] = [0, 0, 0]
        const leaderEnds: { atMs: number; end: number }[] = []
        for (const { appended, fetched, passMs } of steps) {
          nowMs += passMs
          leaderEnd += appended
          leaderEnds.push({ atMs: nowMs, end: leaderEnd })
          followerEnd = Math.min(followerEnd + fetched, leaderEnd)
          state.update(followerEnd, 0, nowMs, leaderEnd, -1)
          const truth = leaderEnds.findLast((each) => each.end <= followerEnd)?.atMs ?? -Infinity
          expect(state.lastCaughtUpMs).toBeLessThanOrEqual(Math.max(truth, 0))
        }
      }),
    )
  })
})
