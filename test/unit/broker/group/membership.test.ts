import { LEGAL_PREVIOUS_STATES, isLegalTransition, transition } from '../../../../broker/group/group-state'
import { ErrorCode } from '../../../../protocol/errors'
import { Fixture, subscription } from './support/coordinator-fixture'
import type { GroupState } from '../../../../broker/group/group-state'

test('a group goes from state to state as Kafka’s does', () => {
  const states = Object.keys(LEGAL_PREVIOUS_STATES) as GroupState[]
  const legal = states.flatMap((from) => states.filter((to) => isLegalTransition(from, to)).map((to) => `${from} > ${to}`))
  expect(legal).toEqual([
    'Empty > PreparingRebalance', 'Empty > Dead',
    'PreparingRebalance > Empty', 'PreparingRebalance > CompletingRebalance', 'PreparingRebalance > Dead',
    'CompletingRebalance > PreparingRebalance', 'CompletingRebalance > Stable', 'CompletingRebalance > Dead',
    'Stable > PreparingRebalance', 'Stable > Dead',
    'Dead > Dead',
  ])
  expect(() => transition('g', 'Stable', 'Empty')).toThrow('cannot go from Stable to Empty')
})

test('members join, the leader assigns, everybody gets its part', async () => {
  const f = await Fixture.start({ initialRebalanceDelayMs: 3000 })
  const [a, b] = [f.join({ clientId: 'a' }), f.join({ clientId: 'b' })]
  await f.clock.advance(2900)
  expect([a.isThere, b.isThere, f.state()]).toEqual([false, false, 'PreparingRebalance'])
  // The second one has prolonged the wait once.
  await f.clock.advance(3200)
  expect(a.value).toMatchObject({ errorCode: 0, generationId: 1, protocolType: 'consumer', protocolName: 'range', skipAssignment: false })
  expect(a.value.memberId).toMatch(/^a-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect([a.value.leaderId, b.value.leaderId]).toEqual([a.value.memberId, a.value.memberId])
  expect(a.value.members.map(({ memberId }) => memberId)).toEqual([a.value.memberId, b.value.memberId])
  expect(b.value.members).toEqual([])
  expect(f.state()).toBe('CompletingRebalance')
  const late = f.sync(b.value.memberId, 1)
  const first = f.sync(a.value.memberId, 1, { [a.value.memberId]: 'left', [b.value.memberId]: 'right', stranger: 'nothing' })
  expect([late.isThere, first.isThere]).toEqual([false, false])
  await f.clock.settle()
  expect([first.value.assignment.toString(), late.value.assignment.toString()]).toEqual(['left', 'right'])
  expect(f.state()).toBe('Stable')
  expect(f.sync(b.value.memberId, 1).value.assignment.toString()).toBe('right')
  expect(f.heartbeat(a.value.memberId, 1)).toBe(ErrorCode.NONE)
  expect(f.log.records()).toHaveLength(1)
  expect(f.coordinator.describe('group')).toMatchObject({
    protocolData: 'range', protocolType: 'consumer', members: [{ clientId: 'a', clientHost: '/127.0.0.1' }, { clientId: 'b' }],
  })
})

test('a new member is given an id first, and must come back with it', async () => {
  const f = await Fixture.start()
  const asked = f.join({ requireKnownMemberId: true }).value
  expect(asked).toMatchObject({ errorCode: ErrorCode.MEMBER_ID_REQUIRED, generationId: -1, leaderId: '' })
  expect(f.state()).toBe('Empty')
  const joined = f.join({ requireKnownMemberId: true, memberId: asked.memberId })
  await f.clock.advance(20)
  expect(joined.value).toMatchObject({ errorCode: 0, memberId: asked.memberId, generationId: 1 })
  // One that never comes back holds up a rebalance only for its session time-out.
  const lost = f.join({ requireKnownMemberId: true })
  const again = f.join({ memberId: asked.memberId, metadata: subscription('other') })
  await f.clock.advance(9900)
  expect([lost.value.errorCode, again.isThere]).toEqual([ErrorCode.MEMBER_ID_REQUIRED, false])
  await f.clock.advance(200)
  expect(again.value).toMatchObject({ errorCode: 0, generationId: 2 })
  expect(f.join({ memberId: lost.value.memberId }).value.errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
})

test('a group that nobody came back to is forgotten', async () => {
  const f = await Fixture.start()
  f.join({ requireKnownMemberId: true })
  expect(f.coordinator.list([], []).groups).toHaveLength(1)
  await f.clock.advance(10_100)
  expect(f.coordinator.list([], []).groups).toEqual([])
  f.join({ protocols: [] })
  expect(f.coordinator.list([], []).groups).toEqual([])
})

test('joins are refused with Kafka’s errors', async () => {
  const f = await Fixture.start()
  const errorOf = (options: Parameters<Fixture['join']>[0]): number => f.join(options).value.errorCode
  expect(errorOf({ groupId: '' })).toBe(ErrorCode.INVALID_GROUP_ID)
  expect(errorOf({ sessionTimeoutMs: 5999 })).toBe(ErrorCode.INVALID_SESSION_TIMEOUT)
  expect(errorOf({ sessionTimeoutMs: 1_800_001 })).toBe(ErrorCode.INVALID_SESSION_TIMEOUT)
  expect(errorOf({ memberId: 'stranger' })).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  expect(errorOf({ protocols: [] })).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  expect(errorOf({ protocolType: '' })).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  const { ids } = await f.stable(1)
  expect(errorOf({ memberId: 'stranger' })).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  expect(errorOf({ protocolType: 'connect' })).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  expect(errorOf({ protocol: 'sticky' })).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  expect(errorOf({ memberId: ids[0]!, groupInstanceId: 'i' })).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  f.coordinator.close()
  expect(errorOf({})).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
})

test('all members support the protocol that is chosen, and most prefer it', async () => {
  const f = await Fixture.start({ initialRebalanceDelayMs: 100 })
  const join = (...names: string[]) => f.join({ protocols: names.map((name) => ({ name, metadata: Buffer.from(name) })) })
  const joins = [join('a', 'b', 'c'), join('b', 'c'), join('x', 'c', 'b')]
  await f.clock.advance(1000)
  expect(joins.map(({ value }) => value.protocolName)).toEqual(['b', 'b', 'b'])
  expect(joins[0]!.value.members.map(({ metadata }) => metadata.toString())).toEqual(['b', 'b', 'b'])
  expect(join('a').value.errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
})

test('syncs and heartbeats are answered by state', async () => {
  const f = await Fixture.start()
  expect(f.sync('m', 1).value.errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  expect(f.heartbeat('m', 1)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  expect([f.heartbeat('m', 1, null, ''), f.sync('m', 1, {}, { groupId: '' }).value.errorCode]).toEqual([24, 24])
  const { ids, generationId } = await f.stable(2)
  const id = ids[0]!
  expect(f.sync('m', generationId).value.errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  expect(f.sync(id, generationId + 1).value.errorCode).toBe(ErrorCode.ILLEGAL_GENERATION)
  expect(f.sync(id, generationId, {}, { protocolType: 'connect' }).value.errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  expect(f.sync(id, generationId, {}, { protocolName: 'sticky' }).value.errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  expect(f.sync(id, generationId, {}, { protocolType: null, protocolName: null }).value.errorCode).toBe(ErrorCode.NONE)
  expect(f.heartbeat(id, generationId - 1)).toBe(ErrorCode.ILLEGAL_GENERATION)
  expect(f.heartbeat(id, generationId, 'i')).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  const other = f.join({ memberId: id })
  expect(f.state()).toBe('PreparingRebalance')
  expect(f.heartbeat(ids[1]!, generationId)).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
  expect(f.sync(ids[1]!, generationId).value.errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
  const follower = f.join({ memberId: ids[1]! })
  expect([other.value.generationId, follower.value.generationId]).toEqual([generationId + 1, generationId + 1])
  expect(f.heartbeat(id, generationId + 1)).toBe(ErrorCode.NONE)
})

test('a stable group rebalances when its leader or changed members join, and not else', async () => {
  const f = await Fixture.start()
  const { ids, generationId } = await f.stable(2)
  expect(f.join({ memberId: ids[1]! }).value).toMatchObject({ generationId, members: [] })
  expect(f.state()).toBe('Stable')
  const changed = f.join({ memberId: ids[1]!, metadata: subscription('topic', 'more') })
  expect([f.state(), changed.isThere]).toEqual(['PreparingRebalance', false])
  const leader = f.join({ memberId: ids[0]! })
  expect(leader.value.generationId).toBe(generationId + 1)
  expect(changed.value.leaderId).toBe(ids[0])
  // The same join once more: its answer was lost.
  expect(f.join({ memberId: ids[0]! }).value).toMatchObject({ generationId: generationId + 1, members: [{}, {}] })
  const waiting = f.sync(ids[1]!, generationId + 1)
  f.join({ memberId: ids[0]!, metadata: subscription('again') })
  expect(waiting.value.errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
})

test('who does not join in time is left behind; static members are not', async () => {
  const f = await Fixture.start({ initialRebalanceDelayMs: 10 })
  const options = { rebalanceTimeoutMs: 20_000, sessionTimeoutMs: 60_000 }
  const [a, b, s] = [f.join(options), f.join(options), f.join({ ...options, groupInstanceId: 's' })]
  await f.clock.advance(100)
  expect(f.sync(a.value.memberId, 1, { [a.value.memberId]: 'x' }).isThere).toBe(false)
  await f.clock.settle()
  f.sync(b.value.memberId, 1)
  f.sync(s.value.memberId, 1, {}, { groupInstanceId: 's' })
  const again = f.join({ ...options, memberId: b.value.memberId, metadata: subscription('other') })
  await f.clock.advance(19_900)
  expect(again.isThere).toBe(false)
  await f.clock.advance(200)
  expect(again.value).toMatchObject({ generationId: 2, leaderId: b.value.memberId })
  expect(again.value.members.map(({ groupInstanceId }) => groupInstanceId).sort()).toEqual([null, 's'])
  expect(f.heartbeat(a.value.memberId, 1)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
})

test('a member that is not heard of goes; heartbeats, commits and waiting keep it', async () => {
  const f = await Fixture.start()
  const { ids, generationId } = await f.stable(2)
  for (let i = 0; i < 4; i++) {
    await f.clock.advance(4000)
    expect(f.heartbeat(ids[0]!, generationId)).toBe(ErrorCode.NONE)
    f.commit(i, { memberId: ids[1]!, generationId })
  }
  expect(f.state()).toBe('Stable')
  await f.clock.advance(4000)
  f.heartbeat(ids[0]!, generationId)
  await f.clock.advance(6100)
  expect(f.state()).toBe('PreparingRebalance')
  const alone = f.join({ memberId: ids[0]! })
  expect(alone.value).toMatchObject({ generationId: generationId + 1, members: [{ memberId: ids[0] }] })
  // It waits for itself as leader: a sync that is being written is no silence.
  f.log.held = []
  const sync = f.sync(ids[0]!, generationId + 1, { [ids[0]!]: 'all' })
  await f.clock.advance(30_000)
  expect([sync.isThere, f.state()]).toEqual([false, 'CompletingRebalance'])
  f.log.release()
  await f.clock.settle()
  expect(sync.value.errorCode).toBe(0)
  await f.clock.advance(10_100)
  expect([f.state(), f.coordinator.describe('group').members]).toEqual(['Empty', []])
})

test('a first join whose client is gone ends after five minutes', async () => {
  const f = await Fixture.start({ initialRebalanceDelayMs: 10 })
  const options = { rebalanceTimeoutMs: 1_000_000, sessionTimeoutMs: 1_000_000 }
  const a = f.join(options)
  await f.clock.advance(100)
  const b = f.join(options)
  await f.clock.advance(300_100)
  expect(b.value).toMatchObject({ errorCode: ErrorCode.UNKNOWN_MEMBER_ID, memberId: '' })
  expect(a.values).toHaveLength(1)
})

test('members that do not sync in time go', async () => {
  const f = await Fixture.start({ initialRebalanceDelayMs: 10 })
  const options = { rebalanceTimeoutMs: 15_000, sessionTimeoutMs: 60_000 }
  const [a, b] = [f.join(options), f.join(options)]
  await f.clock.advance(100)
  const sync = f.sync(b.value.memberId, 1)
  await f.clock.advance(15_100)
  expect([f.state(), sync.value.errorCode]).toEqual(['PreparingRebalance', ErrorCode.REBALANCE_IN_PROGRESS])
  expect(f.heartbeat(a.value.memberId, 1)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  expect(f.join({ ...options, memberId: b.value.memberId }).value).toMatchObject({ generationId: 2, leaderId: b.value.memberId })
})

test('members leave, alone and many at a time', async () => {
  const f = await Fixture.start()
  expect(f.coordinator.leave('group', [{ memberId: 'm', groupInstanceId: null, reason: null }])).toEqual([ErrorCode.UNKNOWN_MEMBER_ID])
  const { ids, generationId } = await f.stable(3)
  const s = f.join({ groupInstanceId: 's' })
  for (const id of ids) f.join({ memberId: id })
  await f.clock.settle()
  expect(s.value.generationId).toBe(generationId + 1)
  const pending = f.join({ requireKnownMemberId: true }).value.memberId
  const parked = f.sync(ids[1]!, generationId + 1)
  const left = f.coordinator.leave('group', [
    { memberId: ids[1]!, groupInstanceId: null, reason: 'enough' },
    { memberId: '', groupInstanceId: 's', reason: null },
    { memberId: '', groupInstanceId: 'none', reason: null },
    { memberId: '', groupInstanceId: null, reason: null },
    { memberId: pending, groupInstanceId: null, reason: null },
    { memberId: ids[2]!, groupInstanceId: 'none', reason: null },
    { memberId: ids[1]!, groupInstanceId: null, reason: null },
  ])
  expect(left).toEqual([0, 0, 25, 25, 0, 25, 25])
  expect(parked.value.errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  expect(f.state()).toBe('PreparingRebalance')
  expect(f.coordinator.leave('group', [{ memberId: ids[0]!, groupInstanceId: null, reason: null }])).toEqual([0])
  expect(f.coordinator.leave('group', [{ memberId: ids[2]!, groupInstanceId: null, reason: null }])).toEqual([0])
  expect(f.state()).toBe('Empty')
  expect(f.coordinator.leave('', [])).toBe(ErrorCode.INVALID_GROUP_ID)
})

test('a group takes no more members than it may', async () => {
  const f = await Fixture.start({ maxSize: 2, initialRebalanceDelayMs: 100 })
  const joins = [f.join(), f.join(), f.join()]
  expect(joins[2]!.value).toMatchObject({ errorCode: ErrorCode.GROUP_MAX_SIZE_REACHED, memberId: '' })
  await f.clock.advance(1000)
  expect(joins[0]!.value.members).toHaveLength(2)
  expect(f.join().value.errorCode).toBe(ErrorCode.GROUP_MAX_SIZE_REACHED)
  expect(f.join({ memberId: joins[0]!.value.memberId }).value.errorCode).toBe(ErrorCode.NONE)
})

test('a group is bounded by bytes, too', async () => {
  const f = await Fixture.start()
  const metadata = Buffer.alloc(40 * 1024 * 1024)
  f.join({ metadata })
  await f.clock.advance(20)
  expect(f.join({ metadata }).value.errorCode).toBe(ErrorCode.GROUP_MAX_SIZE_REACHED)
  expect(f.join().values).toEqual([])
})

test('all groups together are bounded, too, and what goes makes room', async () => {
  const f = await Fixture.start()
  const metadata = Buffer.alloc(60 * 1024 * 1024)
  const joins = Array.from({ length: 9 }, (_, i) => f.join({ groupId: `g${i}`, metadata }))
  await f.clock.advance(20)
  expect(joins.map(({ value }) => value.errorCode)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, ErrorCode.COORDINATOR_NOT_AVAILABLE])
  expect(f.join({ groupId: 'g0', memberId: joins[0]!.value.memberId, metadata }).value.errorCode).toBe(0)
  f.coordinator.leave('g0', [{ memberId: joins[0]!.value.memberId, groupInstanceId: null, reason: null }])
  expect(f.join({ groupId: 'g8', metadata }).values).toEqual([])
  await f.failOver()
  expect(f.join({ groupId: 'g9', metadata }).values).toEqual([])
})

test('an assignment that cannot be written is nobody’s', async () => {
  for (const [appendError, told] of [
    [ErrorCode.NOT_ENOUGH_REPLICAS, ErrorCode.COORDINATOR_NOT_AVAILABLE],
    [ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.NOT_COORDINATOR],
    [ErrorCode.REQUEST_TIMED_OUT, ErrorCode.REBALANCE_IN_PROGRESS],
    [ErrorCode.MESSAGE_TOO_LARGE, ErrorCode.UNKNOWN_SERVER_ERROR],
  ] as const) {
    const f = await Fixture.start()
    const join = f.join()
    await f.clock.advance(20)
    f.log.errorCode = appendError
    const sync = f.sync(join.value.memberId, 1, { [join.value.memberId]: 'x' })
    await f.clock.settle()
    expect(sync.value).toMatchObject({ errorCode: told, assignment: Buffer.alloc(0) })
    expect(f.state()).toBe('PreparingRebalance')
  }
})

test('an assignment that was overtaken by a rebalance is nobody’s', async () => {
  const f = await Fixture.start()
  const { ids, generationId } = await f.stable(2)
  const joins = [f.join({ memberId: ids[0]! }), f.join({ memberId: ids[1]! })]
  expect(joins[0]!.value.generationId).toBe(generationId + 1)
  f.log.held = []
  const sync = f.sync(ids[0]!, generationId + 1, { [ids[0]!]: 'stale' })
  const next = f.join({ memberId: ids[1]!, metadata: subscription('new') })
  expect(sync.value.errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
  f.join({ memberId: ids[0]! })
  f.log.release()
  await f.clock.settle()
  expect(next.value.generationId).toBe(generationId + 2)
  expect(f.state()).toBe('CompletingRebalance')
})
