import { LogError } from '../../../../broker/log/log-error'
import { ErrorCode } from '../../../../protocol/errors'
import { World } from '../../../simulation/world/world'
import { batch } from './support/fake-log'
import { brokers, elect, TOPIC } from './support/brokers'
import type { TestBroker } from './support/brokers'

const dirs = ['/d1', '/d2']
const client = { leaderEpoch: 0, origin: 'client' } as const

function aBroker(): { world: World; broker: TestBroker } {
  const world = new World(2)
  const [broker] = brokers(world, 1, { dirs }) as [TestBroker]
  return { world, broker }
}

test('records that are deleted while the copy is synced stay deleted', async () => {
  const { world, broker } = aBroker()
  await elect(world, [broker], { leader: 1, leaderEpoch: 0, isr: [1], replicas: [1], isNew: true })
  for (const text of ['a', 'b', 'c']) await world.settle(broker.produce(text), 100, 'the answer')
  const [moved] = broker.replicas.alterReplicaLogDirs([{ topic: TOPIC, partition: 0, dir: '/d2' }])
  expect(moved!.errorCode).toBe(ErrorCode.NONE)
  const future = broker.logs.future(TOPIC, 0)!
  future.holdsSyncs = true
  await world.runUntil(() => future.syncCount === 1, 1000, 'the copy is being synced')
  let answer: unknown
  broker.replicas.deleteRecords({ partitions: [{ topic: TOPIC, partition: 0, offset: 2 }], timeoutMs: 1000 }, ([result]) => {
    answer = result
  })
  await world.runUntil(() => broker.log().startOffset === 2, 1000, 'they are deleted')
  future.finishSync()
  await world.runUntil(() => broker.log().dir === '/d2', 1000, 'the replacement')
  await world.runUntil(() => answer !== undefined, 2000, 'the answer')
  expect(broker.log().startOffset).toBe(2)
  expect(answer).toMatchObject({ errorCode: ErrorCode.NONE, lowWatermark: 2 })
})

test('the future log of an earlier topic of the name takes no part', async () => {
  const { world, broker } = aBroker()
  const old = broker.logs.getOrCreate(TOPIC, 0, { topicId: 'oldoldoldoldoldoldoldo', isNew: true, dir: '/d2', isFuture: true })
  const fresh = broker.logs.getOrCreate(TOPIC, 0, { isNew: true, dir: '/d1' })
  for (const log of [old, fresh]) log.assignEpochStart(0, 0)
  for (const text of ['old 0', 'old 1']) old.appendAsLeader(batch(text), client)
  // As many, so that nothing looks missing.
  for (const text of ['new 0', 'new 1', 'new 2']) fresh.appendAsLeader(batch(text), client)
  const content = fresh.content()
  await elect(world, [broker], { leader: 1, leaderEpoch: 0, isr: [1], replicas: [1] })
  await world.run(2000)
  expect(broker.log().content()).toEqual(content)
  expect(broker.logs.futures.size).toBe(0)
})

test('a future log where the current one was made anew (its disk was replaced) takes no part', async () => {
  const { world, broker } = aBroker()
  broker.logs.getOrCreate(TOPIC, 0, { isNew: true, dir: '/d2', isFuture: true })
  const current = broker.logs.getOrCreate(TOPIC, 0, { isNew: true, dir: '/d2' })
  await elect(world, [broker], { leader: 1, leaderEpoch: 0, isr: [1], replicas: [1] })
  await world.run(2000)
  expect(broker.log()).toBe(current)
  expect(broker.logs.futures.size).toBe(0)
})

test('a log that is cut below where its copy begins (an unclean leader had less) is copied from there', async () => {
  const { world, broker } = aBroker()
  await elect(world, [broker], { leader: 1, leaderEpoch: 0, isr: [1], replicas: [1], isNew: true })
  for (let i = 0; i < 4; i++) await world.settle(broker.produce(`${i}`), 100, 'the answer')
  broker.log().incrementLogStartOffset(3)
  broker.replicas.alterReplicaLogDirs([{ topic: TOPIC, partition: 0, dir: '/d2' }])
  const future = broker.logs.future(TOPIC, 0)!
  future.holdsSyncs = true
  await world.runUntil(() => future.syncCount === 1, 1000, 'the copy is being synced')
  expect([future.startOffset, future.endOffset]).toEqual([3, 4])
  broker.log().truncateTo(1)
  future.finishSync()
  // Nothing is there to copy, and the turns of the event loop are not used up for that.
  await world.run(1000)
  for (let i = 1; i < 7; i++) await world.settle(broker.produce(`new ${i}`), 100, 'the answer')
  const content = broker.log().content()
  future.holdsSyncs = false
  future.finishSync()
  await world.runUntil(() => broker.log().dir === '/d2', 1000, 'the replacement')
  expect([broker.log().startOffset, broker.log().content()]).toEqual([1, content])
})

test('a copy that waits for the next record does not use up the turns of the event loop', async () => {
  const { world, broker } = aBroker()
  await elect(world, [broker], { leader: 1, leaderEpoch: 0, isr: [1], replicas: [1], isNew: true })
  await world.settle(broker.produce('a'), 100, 'the answer')
  // Compaction took the last records before the active segment, which is empty.
  Object.defineProperty(broker.log(), 'endOffset', { value: 5, configurable: true })
  broker.replicas.alterReplicaLogDirs([{ topic: TOPIC, partition: 0, dir: '/d2' }])
  await world.run(1000)
  expect(broker.logs.future(TOPIC, 0)!.endOffset).toBe(1)
  Reflect.deleteProperty(broker.log(), 'endOffset')
  await world.runUntil(() => broker.log().dir === '/d2', 1000, 'the replacement')
})

test('a copy all of whose records retention has taken meanwhile does not begin anew', async () => {
  const { world, broker } = aBroker()
  await elect(world, [broker], { leader: 1, leaderEpoch: 0, isr: [1], replicas: [1], isNew: true })
  // Each is a piece of its own.
  for (const letter of 'abc') await world.settle(broker.produce(letter.repeat(700_000)), 100, 'the answer')
  broker.replicas.alterReplicaLogDirs([{ topic: TOPIC, partition: 0, dir: '/d2' }])
  const future = broker.logs.future(TOPIC, 0)!
  await world.runUntil(() => future.endOffset > 0, 1000, 'the first piece')
  const copied = future.endOffset
  expect(copied).toBeLessThan(3)
  // Its segments are not those of the current log, where younger records keep these.
  future.incrementLogStartOffset(copied)
  await world.runUntil(() => broker.log().dir === '/d2', 1000, 'the replacement')
  expect([broker.log().startOffset, broker.log().endOffset]).toEqual([copied, 3])
})

test.each([
  ['is given up by naming the directory where the replica is', '/d1', undefined],
  ['is made to another directory', '/d3', '/d3'],
])('a move that failed %s', async (_, dir, expected) => {
  const world = new World(2)
  const [broker] = brokers(world, 1, { dirs: [...dirs, '/d3'] }) as [TestBroker]
  await elect(world, [broker], { leader: 1, leaderEpoch: 0, isr: [1], replicas: [1], isNew: true })
  await world.settle(broker.produce('a'), 100, 'the answer')
  const read = jest.spyOn(broker.log(), 'read').mockImplementation(() => {
    throw new LogError(ErrorCode.CORRUPT_MESSAGE, 'There is no batch at position 0')
  })
  broker.replicas.alterReplicaLogDirs([{ topic: TOPIC, partition: 0, dir: '/d2' }])
  await world.runUntil(() => read.mock.calls.length > 0, 1000, 'the failure')
  expect(broker.logs.future(TOPIC, 0)!.dir).toBe('/d2')
  const [moved] = broker.replicas.alterReplicaLogDirs([{ topic: TOPIC, partition: 0, dir }])
  expect(moved!.errorCode).toBe(ErrorCode.NONE)
  expect(broker.logs.future(TOPIC, 0)?.dir).toBe(expected)
})
