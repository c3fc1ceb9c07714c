import { ErrorCode } from '../../../../protocol/errors'
import { Fixture, subscription } from './support/coordinator-fixture'

/** Two static members, stable: the ids by instance. */
async function stable(f: Fixture): Promise<{ a: string; b: string; generationId: number }> {
  const joins = [f.join({ groupInstanceId: 'a' }), f.join({ groupInstanceId: 'b' })]
  await f.clock.advance(500)
  const [a, b] = [joins[0]!.value.memberId, joins[1]!.value.memberId]
  const syncs = [f.sync(a, 1, { [a]: 'for a', [b]: 'for b' }, { groupInstanceId: 'a' }), f.sync(b, 1, {}, { groupInstanceId: 'b' })]
  await f.clock.settle()
  expect(syncs.map(({ value }) => value.errorCode)).toEqual([0, 0])
  return { a, b, generationId: 1 }
}

test('a static member comes back under a new id, without a rebalance, and keeps its part', async () => {
  const f = await Fixture.start({ initialRebalanceDelayMs: 100 })
  const { a, b } = await stable(f)
  expect(a).toMatch(/^a-/)
  const back = f.join({ groupInstanceId: 'b' })
  expect(back.isThere).toBe(false)
  await f.clock.settle()
  expect(back.value).toMatchObject({ errorCode: 0, generationId: 1, leaderId: a, members: [], skipAssignment: false })
  expect(back.value.memberId).not.toBe(b)
  expect(f.state()).toBe('Stable')
  expect(f.sync(back.value.memberId, 1, {}, { groupInstanceId: 'b' }).value.assignment.toString()).toBe('for b')
  // The one before is fenced, whatever it asks.
  expect(f.heartbeat(b, 1, 'b')).toBe(ErrorCode.FENCED_INSTANCE_ID)
  expect(f.heartbeat(b, 1)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  expect(f.sync(b, 1, {}, { groupInstanceId: 'b' }).value.errorCode).toBe(ErrorCode.FENCED_INSTANCE_ID)
  expect(f.join({ memberId: b, groupInstanceId: 'b' }).value.errorCode).toBe(ErrorCode.FENCED_INSTANCE_ID)
  expect(f.commit(1, { memberId: b, groupInstanceId: 'b', generationId: 1 }).value).toEqual([ErrorCode.FENCED_INSTANCE_ID])
  expect(f.coordinator.leave('group', [{ memberId: b, groupInstanceId: 'b', reason: null }])).toEqual([ErrorCode.FENCED_INSTANCE_ID])
  // It is in the log: the next coordinator knows the new id.
  await f.failOver()
  expect(f.heartbeat(back.value.memberId, 1, 'b')).toBe(ErrorCode.NONE)
})

test('a leader that comes back leads, and must not assign', async () => {
  const f = await Fixture.start({ initialRebalanceDelayMs: 100 })
  await stable(f)
  const back = f.join({ groupInstanceId: 'a' })
  await f.clock.settle()
  expect(back.value).toMatchObject({ leaderId: back.value.memberId, skipAssignment: true })
  expect(back.value.members.map(({ groupInstanceId }) => groupInstanceId).sort()).toEqual(['a', 'b'])
  // An old client would assign: it is made to believe that another one leads.
  const old = f.join({ groupInstanceId: 'a', supportsSkippingAssignment: false })
  await f.clock.settle()
  expect(old.value).toMatchObject({ leaderId: back.value.memberId, skipAssignment: false, members: [] })
  expect(old.value.memberId).not.toBe(back.value.memberId)
})

test('what the one before has parked is answered', async () => {
  const f = await Fixture.start({ initialRebalanceDelayMs: 100 })
  const { a, b } = await stable(f)
  const rebalance = f.join({ memberId: a, groupInstanceId: 'a' })
  const parked = f.join({ groupInstanceId: 'b' })
  // Preparing needs nobody else; the next one comes while the group completes.
  expect(rebalance.value.generationId).toBe(2)
  const sync = f.sync(parked.value.memberId, 2, {}, { groupInstanceId: 'b' })
  const next = f.join({ groupInstanceId: 'b' })
  expect(sync.value.errorCode).toBe(ErrorCode.FENCED_INSTANCE_ID)
  expect(f.state()).toBe('PreparingRebalance')
  const third = f.join({ groupInstanceId: 'b' })
  expect(next.value).toMatchObject({ errorCode: ErrorCode.FENCED_INSTANCE_ID })
  expect(b).not.toBe(third)
  f.join({ memberId: a, groupInstanceId: 'a' })
  expect(third.value.generationId).toBe(3)
})

test('other protocols make a rebalance', async () => {
  const f = await Fixture.start({ initialRebalanceDelayMs: 100 })
  const both = (first: string, second: string) => [first, second].map((name) => ({ name, metadata: subscription('topic') }))
  const join = f.join({ groupInstanceId: 'a', protocols: both('range', 'sticky') })
  await f.clock.advance(500)
  f.sync(join.value.memberId, 1, { [join.value.memberId]: 'x' }, { groupInstanceId: 'a' })
  await f.clock.settle()
  const back = f.join({ groupInstanceId: 'a', protocols: both('sticky', 'range') })
  expect(back.value).toMatchObject({ generationId: 2, protocolName: 'sticky', leaderId: back.value.memberId })
})

test('a return that cannot be written did not happen', async () => {
  const f = await Fixture.start({ initialRebalanceDelayMs: 100 })
  const { a, b } = await stable(f)
  f.log.errorCode = ErrorCode.NOT_ENOUGH_REPLICAS
  const back = f.join({ groupInstanceId: 'b' })
  await f.clock.settle()
  expect(back.value).toMatchObject({ errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, memberId: '', leaderId: a })
  f.log.errorCode = ErrorCode.NONE
  expect(f.heartbeat(b, 1, 'b')).toBe(ErrorCode.NONE)
  expect(f.state()).toBe('Stable')
})

test('a return that was overtaken is answered by the rebalance', async () => {
  const f = await Fixture.start({ initialRebalanceDelayMs: 100 })
  const { a } = await stable(f)
  f.log.held = []
  const back = f.join({ groupInstanceId: 'b' })
  const leader = f.join({ memberId: a, groupInstanceId: 'a' })
  expect([back.value.generationId, leader.value.generationId]).toEqual([2, 2])
  f.log.release()
  await f.clock.settle()
  expect([back.values.length, f.state()]).toEqual([1, 'CompletingRebalance'])
})

test('a group whose static members are all away waits for one of them', async () => {
  const f = await Fixture.start({ initialRebalanceDelayMs: 100 })
  const { a } = await stable(f)
  const dynamic = f.join({ rebalanceTimeoutMs: 5000, sessionTimeoutMs: 6000 })
  f.coordinator.leave('group', [{ memberId: '', groupInstanceId: 'b', reason: null }])
  expect(f.state()).toBe('PreparingRebalance')
  await f.clock.advance(10_100)
  // Its session is over.
  expect(f.heartbeat(a, 1, 'a')).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  expect(dynamic.value).toMatchObject({ generationId: 2, leaderId: dynamic.value.memberId })
})
