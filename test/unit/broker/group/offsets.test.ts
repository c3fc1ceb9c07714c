import { ErrorCode } from '../../../../protocol/errors'
import { expiredOffsets } from '../../../../broker/group/offset-expiry'
import { OffsetCache, type CommittedOffset } from '../../../../broker/group/offset-cache'
import { Fixture, subscription } from './support/coordinator-fixture'
import type { ExpiryFacts } from '../../../../broker/group/offset-expiry'

const TX = { producerId: 7, producerEpoch: 0 }

test('offsets are committed when they are in the log, and found again', async () => {
  const f = await Fixture.start()
  expect(f.committed()).toBe(-1)
  const commit = f.commit(5, { metadata: 'note', leaderEpoch: 3 })
  expect([commit.isThere, f.committed()]).toEqual([false, -1])
  expect(f.committed('group', 'topic', 0, true)).toEqual({ errorCode: ErrorCode.UNSTABLE_OFFSET_COMMIT })
  await f.clock.settle()
  expect(commit.value).toEqual([0])
  expect(f.coordinator.fetch('group', undefined, true)).toEqual([
    { topic: 'topic', partition: 0, errorCode: 0, offset: 5, leaderEpoch: 3, metadata: 'note' },
  ])
  expect(f.log.records()).toMatchObject([
    { kind: 'offset', group: 'group', topic: 'topic', partition: 0, value: { offset: 5, metadata: 'note', commitTimestamp: f.clock.nowMs } },
  ])
  expect(f.coordinator.describe('group')).toMatchObject({ groupState: 'Empty', protocolType: '' })
  expect(f.coordinator.list([], [])).toEqual({
    errorCode: 0, groups: [{ groupId: 'group', protocolType: '', groupState: 'Empty', groupType: 'classic' }],
  })
  // The empty id has offsets, too.
  f.commit(9, { groupId: '' })
  await f.clock.settle()
  expect(f.committed('')).toBe(9)
})

test('who may commit is checked as Kafka does', async () => {
  const f = await Fixture.start()
  expect(f.commit(1, { generationId: 3, memberId: 'm' }).value).toEqual([ErrorCode.ILLEGAL_GENERATION])
  const { ids, generationId } = await f.stable(1)
  expect(f.commit(1).value).toEqual([ErrorCode.UNKNOWN_MEMBER_ID])
  expect(f.commit(1, { memberId: 'm', generationId }).value).toEqual([ErrorCode.UNKNOWN_MEMBER_ID])
  expect(f.commit(1, { memberId: ids[0]!, generationId: generationId - 1 }).value).toEqual([ErrorCode.ILLEGAL_GENERATION])
  expect(f.commit(1, { memberId: ids[0]!, generationId: -1 }).value).toEqual([ErrorCode.ILLEGAL_GENERATION])
  const good = f.commit(1, { memberId: ids[0]!, generationId })
  f.join({ memberId: ids[0]! })
  expect(f.commit(2, { memberId: ids[0]!, generationId: generationId + 1 }).value).toEqual([ErrorCode.REBALANCE_IN_PROGRESS])
  await f.clock.settle()
  expect([good.value, f.committed()]).toEqual([[0], 1])
  // While others are awaited a member may still commit.
  f.sync(ids[0]!, generationId + 1, {})
  await f.clock.settle()
  f.join()
  const late = f.commit(3, { memberId: ids[0]!, generationId: generationId + 1 })
  await f.clock.settle()
  expect([late.value, f.committed()]).toEqual([[0], 3])
})

test('metadata is bounded, each partition on its own', async () => {
  const f = await Fixture.start({ offsetMetadataMaxBytes: 3 })
  const answer = f.commit(1, {
    offsets: ['abc', 'abcd'].map((metadata, partition) => ({
      topic: 'topic', partition, offset: 1, leaderEpoch: -1, metadata, commitTimestamp: -1, expireTimestamp: -1,
    })),
  })
  await f.clock.settle()
  expect(answer.value).toEqual([0, ErrorCode.OFFSET_METADATA_TOO_LARGE])
  expect([f.committed(), f.committed('group', 'topic', 1)]).toEqual([1, -1])
  expect(f.commit(1, { groupId: 'other', metadata: 'abcd' }).value).toEqual([ErrorCode.OFFSET_METADATA_TOO_LARGE])
  expect(f.state('other')).toBe('Dead')
})

test('what cannot be written is refused with Kafka’s errors, and does not count', async () => {
  const f = await Fixture.start()
  f.commit(1)
  await f.clock.settle()
  for (const [appendError, told] of [
    [ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND, ErrorCode.COORDINATOR_NOT_AVAILABLE],
    [ErrorCode.KAFKA_STORAGE_ERROR, ErrorCode.NOT_COORDINATOR],
    [ErrorCode.MESSAGE_TOO_LARGE, ErrorCode.INVALID_COMMIT_OFFSET_SIZE],
    [ErrorCode.REQUEST_TIMED_OUT, ErrorCode.REQUEST_TIMED_OUT],
    [ErrorCode.INVALID_TXN_STATE, ErrorCode.INVALID_TXN_STATE],
  ] as const) {
    f.log.errorCode = appendError
    const answers = [f.commit(2), f.commitTransactional(3, TX)]
    await f.clock.settle()
    expect(answers.map(({ value }) => value)).toEqual([[told], [told]])
    expect(f.committed('group', 'topic', 0, true)).toBe(1)
  }
})

test('of commits that overlap the later one counts', async () => {
  const f = await Fixture.start()
  f.log.held = []
  const commits = [f.commit(1), f.commit(2)]
  const held = f.log.held
  f.log.held = undefined
  for (const answer of held.reverse()) answer()
  expect(commits.map(({ value }) => value)).toEqual([[0], [0]])
  expect(f.committed('group', 'topic', 0, true)).toBe(2)
})

describe('in a transaction', () => {
  test('offsets count from the commit on', async () => {
    const f = await Fixture.start()
    f.commit(1)
    const answer = f.commitTransactional(5, TX)
    await f.clock.settle()
    expect([answer.value, f.committed()]).toEqual([[0], 1])
    expect(f.committed('group', 'topic', 0, true)).toEqual({ errorCode: ErrorCode.UNSTABLE_OFFSET_COMMIT })
    f.coordinator.completeTransaction(8, [0], true)
    f.coordinator.completeTransaction(TX.producerId, [1], true)
    expect(f.committed()).toBe(1)
    f.coordinator.completeTransaction(TX.producerId, [0], true)
    expect(f.committed('group', 'topic', 0, true)).toBe(5)
  })

  test('what is aborted never counts', async () => {
    const f = await Fixture.start()
    f.commitTransactional(5, TX)
    await f.clock.settle()
    f.coordinator.completeTransaction(TX.producerId, [0], false)
    f.coordinator.completeTransaction(TX.producerId, [0], true)
    expect(f.committed('group', 'topic', 0, true)).toBe(-1)
  })

  test('a younger commit outside of it stays', async () => {
    const f = await Fixture.start()
    f.commitTransactional(5, TX)
    f.commit(6)
    await f.clock.settle()
    f.coordinator.completeTransaction(TX.producerId, [0], true)
    expect(f.committed()).toBe(6)
  })

  test('an older commit outside of it does not come back when it is acknowledged late', async () => {
    const f = await Fixture.start()
    f.log.held = []
    f.commit(6)
    f.commitTransactional(5, TX)
    const [older, younger] = f.log.held
    younger!()
    f.coordinator.completeTransaction(TX.producerId, [0], true)
    older!()
    expect(f.committed('group', 'topic', 0, true)).toBe(5)
  })

  test('members are checked, who names none is believed', async () => {
    const f = await Fixture.start()
    const { ids, generationId } = await f.stable(1)
    expect(f.commitTransactional(1, TX, { memberId: 'm', generationId }).value).toEqual([ErrorCode.UNKNOWN_MEMBER_ID])
    expect(f.commitTransactional(1, TX, { memberId: ids[0]!, generationId: 9 }).value).toEqual([ErrorCode.ILLEGAL_GENERATION])
    const answers = [f.commitTransactional(1, TX), f.commitTransactional(2, TX, { memberId: ids[0]!, generationId })]
    await f.clock.settle()
    expect(answers.map(({ value }) => value)).toEqual([[0], [0]])
    expect(f.coordinator.transactionalStatus('')).toBe(ErrorCode.INVALID_GROUP_ID)
  })
})

describe('go', () => {
  test('by request, with the whole group only when nobody is in it', async () => {
    const f = await Fixture.start()
    expect(f.coordinator.deleteGroup('group')).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
    const { ids } = await f.stable(1)
    expect(f.coordinator.deleteGroup('group')).toBe(ErrorCode.NON_EMPTY_GROUP)
    f.coordinator.leave('group', [{ memberId: ids[0]!, groupInstanceId: null, reason: null }])
    f.commit(4)
    f.commit(5, { partition: 1 })
    await f.clock.settle()
    expect(f.coordinator.deleteGroup('group')).toBe(ErrorCode.NONE)
    expect([f.committed(), f.state(), f.coordinator.list([], []).groups]).toEqual([-1, 'Dead', []])
    await f.clock.settle()
    expect(f.log.records().slice(-3)).toEqual([
      { kind: 'offset', group: 'group', topic: 'topic', partition: 0, value: null },
      { kind: 'offset', group: 'group', topic: 'topic', partition: 1, value: null },
      { kind: 'group', group: 'group', value: null },
    ])
    await f.failOver()
    expect(f.state()).toBe('Dead')
  })

  test('by request, if nobody consumes them', async () => {
    const f = await Fixture.start()
    const keys = [{ topic: 'topic', partition: 0 }, { topic: 'old', partition: 0 }]
    expect(f.coordinator.deleteOffsets('group', keys)).toEqual({ errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorCodes: [] })
    f.commit(1, { topic: 'old' })
    await f.clock.settle()
    const { ids } = await f.stable(1)
    expect(f.coordinator.deleteOffsets('group', keys)).toEqual({ errorCode: 0, errorCodes: [ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC, 0] })
    expect(f.committed('group', 'old')).toBe(-1)
    // What cannot be understood counts as subscribed.
    f.join({ memberId: ids[0]!, metadata: Buffer.from([0, 0, 0]) })
    expect(f.coordinator.deleteOffsets('group', keys).errorCodes).toEqual([86, 86])
    await f.stable(1, { groupId: 'connect', protocolType: 'connect' }).catch(() => {})
    expect(f.coordinator.deleteOffsets('connect', keys).errorCode).toBe(ErrorCode.NON_EMPTY_GROUP)
    expect(f.coordinator.deleteOffsets('', keys).errorCode).toBe(ErrorCode.INVALID_GROUP_ID)
  })

  test('with their topic', async () => {
    const f = await Fixture.start()
    const name = 'topic'
    const state = { topicName: name, partitionIndex: 0, controllerEpoch: 1, leader: 0, leaderEpoch: 0, isr: [0], zkVersion: 0, replicas: [0], offlineReplicas: [] }
    const update = (leader: number): void => {
      f.metadata.update({
        controllerId: 0, isKRaftController: false, type: 0, controllerEpoch: 1, brokerEpoch: 1, liveBrokers: [], topicStates: [],
        ungroupedPartitionStates: [{ ...state, leader }],
      })
    }
    update(0)
    f.commit(1)
    f.commit(2, { partition: 1 })
    f.commitTransactional(3, TX)
    await f.clock.settle()
    update(-2)
    expect([f.committed(), f.committed('group', name, 1)]).toEqual([-1, 2])
    f.coordinator.completeTransaction(TX.producerId, [0], true)
    expect(f.committed()).toBe(-1)
    await f.clock.settle()
    expect(f.log.records().at(-1)).toEqual({ kind: 'offset', group: 'group', topic: name, partition: 0, value: null })
  })

  test('when their time is over, and the group with the last one', async () => {
    const f = await Fixture.start({ offsetsRetentionMs: 3_600_000 })
    const { ids, generationId } = await f.stable(1)
    f.commit(1, { memberId: ids[0]!, generationId })
    f.commit(1, { memberId: ids[0]!, generationId, topic: 'left' })
    await f.clock.settle()
    for (let i = 0; i < 900; i++) {
      await f.clock.advance(5000)
      f.heartbeat(ids[0]!, generationId)
    }
    expect([f.committed(), f.committed('group', 'left')]).toEqual([1, -1])
    f.coordinator.leave('group', [{ memberId: ids[0]!, groupInstanceId: null, reason: null }])
    await f.clock.advance(3_000_000)
    expect(f.committed()).toBe(1)
    await f.clock.advance(1_300_000)
    expect([f.committed(), f.state()]).toEqual([-1, 'Dead'])
    expect(f.log.records().at(-1)).toEqual({ kind: 'group', group: 'group', value: null })
  })

  test('not while this broker may not be the coordinator any more', async () => {
    const f = await Fixture.start()
    f.commit(1)
    await f.clock.settle()
    f.mayAct = false
    expect(f.committed()).toEqual({ errorCode: ErrorCode.NOT_COORDINATOR })
    expect(f.coordinator.deleteGroup('group')).toBe(ErrorCode.NOT_COORDINATOR)
    expect(f.coordinator.deleteOffsets('group', []).errorCode).toBe(ErrorCode.NOT_COORDINATOR)
    await f.clock.advance(30 * 24 * 3600 * 1000)
    f.mayAct = true
    expect(f.committed()).toBe(1)
  })
})

test('a commit that is written counts, though a later one of its partition was refused', async () => {
  const f = await Fixture.start()
  f.log.held = []
  const first = f.commit(5)
  const held = f.log.held
  f.log.held = undefined
  f.log.errorCode = ErrorCode.NOT_ENOUGH_REPLICAS
  const second = f.commit(6)
  await f.clock.settle()
  for (const answer of held) answer()
  expect([first.value, second.value]).toEqual([[ErrorCode.NONE], [ErrorCode.COORDINATOR_NOT_AVAILABLE]])
  expect(f.committed()).toBe(5)
})

test('expiry follows KIP-211', () => {
  const commit = (commitTimestamp: number, expireTimestamp = -1): CommittedOffset => ({
    offset: 1, leaderEpoch: -1, metadata: '', commitTimestamp, expireTimestamp, appendedAt: 0,
  })
  const offsets = new OffsetCache()
  offsets.load({ topic: 'old', partition: 0 }, commit(0))
  offsets.load({ topic: 'new', partition: 0 }, commit(90))
  offsets.load({ topic: 'explicit', partition: 0 }, commit(90, 95))
  offsets.load({ topic: 'busy', partition: 0 }, commit(0))
  offsets.prepare([{ topic: 'busy', partition: 0, commit: commit(0) }])
  const expired = (facts: Partial<ExpiryFacts>): string[] =>
    expiredOffsets({ state: 'Empty', protocolType: 'consumer', stateSinceMs: undefined, subscribedTopics: undefined, ...facts }, offsets, 100, 50)
      .map(({ topic }) => topic)
  expect(expired({ protocolType: undefined })).toEqual(['old', 'explicit'])
  expect(expired({ stateSinceMs: undefined })).toEqual(['old', 'explicit'])
  expect(expired({ stateSinceMs: 60 })).toEqual(['explicit'])
  expect(expired({ stateSinceMs: 50 })).toEqual(['old', 'new', 'explicit'])
  expect(expired({ state: 'Stable', subscribedTopics: new Set(['old']) })).toEqual(['explicit'])
  expect(expired({ state: 'Stable', subscribedTopics: new Set() })).toEqual(['old', 'explicit'])
  expect(expired({ state: 'Stable' })).toEqual([])
  expect(expired({ state: 'PreparingRebalance', subscribedTopics: new Set() })).toEqual([])
  expect(expired({ state: 'Stable', protocolType: 'connect', subscribedTopics: new Set() })).toEqual([])
})

test('lists are filtered', async () => {
  const f = await Fixture.start()
  f.commit(1, { groupId: 'standalone' })
  await f.stable(1, { metadata: subscription() })
  const names = (states: string[], types: string[]): string[] => f.coordinator.list(states, types).groups.map(({ groupId }) => groupId)
  expect(names([], [])).toEqual(['standalone', 'group'])
  expect(names(['sTaBle'], [])).toEqual(['group'])
  expect(names(['Empty', 'Dead'], ['Classic'])).toEqual(['standalone'])
  expect(names([], ['consumer'])).toEqual([])
})
