import { Fixture, batch, contentOf } from './log-fixture'

const client = { leaderEpoch: 0, origin: 'client' } as const
const two = { dirs: ['/data/a', '/data/b'] }

test.each([0, 1, 100, 20_000])('what was synced before a move is there after a power cut %i ms after it', async (afterMs) => {
  const fixture = new Fixture()
  let manager = await fixture.open({}, two)
  const log = manager.getOrCreate('t', 0, { isNew: true, dir: '/data/a' })
  for (let i = 0; i < 4; i++) log.appendAsLeader(batch(2), client)
  await fixture.run(log.flush())
  expect(log.syncedOffset).toBe(8)
  log.updateHighWatermark(8)
  const future = manager.getOrCreate('t', 0, { isNew: true, dir: '/data/b', isFuture: true })
  future.appendAsFollower(contentOf(log))
  manager.replaceCurrentWithFuture('t', 0)
  await fixture.world.run(afterMs)
  fixture.kill()
  fixture.process.cutPower()
  manager = await fixture.open({}, two)
  expect(manager.get('t', 0)?.endOffset).toBe(8)
})

test('epochs are durable before the recovery point passes them, also when the directory gets another name meanwhile', async () => {
  const fixture = new Fixture()
  const manager = await fixture.open({ 'segment.bytes': '1000' }, two)
  const log = manager.getOrCreate('t', 0, { isNew: true, dir: '/data/a' })
  log.appendAsLeader(batch(20), { leaderEpoch: 3, origin: 'client' })
  log.updateHighWatermark(20)
  const future = manager.getOrCreate('t', 0, { isNew: true, dir: '/data/b', isFuture: true })
  future.appendAsFollower(contentOf(log))
  log.appendAsLeader(batch(20), { leaderEpoch: 4, origin: 'client' })
  const write = jest.spyOn(future.epochFile, 'write')
  future.appendAsFollower(contentOf(log).subarray(contentOf(future).length))
  expect(future.numberOfSegments).toBe(2)
  await fixture.world.runUntil(() => write.mock.calls.length > 0, 1000, 'the write is under way')
  manager.replaceCurrentWithFuture('t', 0)
  await fixture.settle(manager)
  await fixture.world.run(1000)
  expect(future.recoveryPoint).toBe(20)
  expect(fixture.disk.exists('/data/b/t-0/leader-epoch-checkpoint')).toBe(true)
})
