import type { Log } from '../../../../broker/log/log'
import type { LogManager } from '../../../../broker/log/log-manager'
import { batch, batchesOf, contentOf, Fixture, marker, whole } from './log-fixture'

const client = (leaderEpoch: number) => ({ leaderEpoch, origin: 'client' }) as const
const size = batch(3).length

async function filled(): Promise<{ fixture: Fixture; manager: LogManager; log: Log }> {
  const fixture = new Fixture()
  const manager = await fixture.open({ 'segment.bytes': String(size * 2), 'index.interval.bytes': '0' })
  const log = manager.getOrCreate('t', 0, { isNew: true })
  for (let i = 0; i < 6; i++) log.appendAsLeader(batch(3), client(i))
  log.updateHighWatermark(15)
  return { fixture, manager, log }
}

test('at or above the end only epochs without records go', async () => {
  const { log } = await filled()
  log.assignEpochStart(9, 18)
  expect(log.truncateTo(18)).toBe(false)
  expect(log.latestEpoch).toBe(5)
  expect(log.truncateTo(100)).toBe(false)
  expect(log.endOffset).toBe(18)
})

test('segments, batches, epochs and the high watermark above go', async () => {
  const { log } = await filled()
  expect(log.truncateTo(9)).toBe(true)
  expect([log.endOffset, log.highWatermark, log.numberOfSegments, log.latestEpoch]).toEqual([9, 9, 2, 2])
  expect(log.appendAsLeader(batch(1), client(7)).firstOffset).toBe(9)
  expect(log.epochs.entries.at(-1)).toEqual({ epoch: 7, startOffset: 9 })
})

test('a batch that holds the offset goes whole', async () => {
  const { log } = await filled()
  log.truncateTo(10)
  expect(log.endOffset).toBe(10)
  expect(batchesOf(contentOf(log))).toHaveLength(3)
  log.appendAsFollower(batch(2, { baseOffset: 10, leaderEpoch: 8 }))
  expect(batchesOf(contentOf(log))).toHaveLength(4)
})

test('below the first segment everything goes', async () => {
  const { log } = await filled()
  log.incrementLogStartOffset(12)
  log.deleteOldSegments()
  expect(log.segments.first.baseOffset).toBe(12)
  log.truncateTo(5)
  expect([log.startOffset, log.endOffset, log.highWatermark, log.size]).toEqual([5, 5, 5, 0])
  expect(log.epochs.entries).toEqual([])
})

test('fully, with a start of its own', async () => {
  const { log, fixture, manager } = await filled()
  log.truncateFullyAndStartAt(100, 50)
  expect([log.startOffset, log.endOffset, log.highWatermark, log.numberOfSegments]).toEqual([50, 100, 100, 1])
  await fixture.settle(manager)
  expect(fixture.disk.readFile('/data/a/recovery-point-offset-checkpoint').toString()).toBe('0\n1\nt 0 0\n')
})

test('producers and transactions are as they were then', async () => {
  const fixture = new Fixture()
  const manager = await fixture.open({ 'segment.bytes': '300' })
  const log = manager.getOrCreate('t', 0, { isNew: true })
  const send = (producerId: number, sequence: number) =>
    log.appendAsLeader(batch(2, { producerId, producerEpoch: 0, baseSequence: sequence, transactional: true }), client(0))
  send(1, 0)
  send(1, 2)
  log.appendAsLeader(marker(0, 1, 0), { leaderEpoch: 0, origin: 'coordinator' })
  send(2, 0)
  send(1, 4)
  log.updateHighWatermark(log.endOffset)
  const lastSequences = () => log.producers.map((each) => [each.producerId, each.lastSequence, each.currentTxnStartOffset])
  expect(lastSequences()).toEqual([[1, 5, 7], [2, 1, 5]])
  log.truncateTo(7)
  expect(lastSequences()).toEqual([[1, 3, -1], [2, 1, 5]])
  log.truncateTo(4)
  expect(lastSequences()).toEqual([[1, 3, 0]])
  expect(log.lastStableOffset).toBe(0)
  log.truncateTo(2)
  expect(lastSequences()).toEqual([[1, 1, 0]])
  send(1, 2)
  log.truncateTo(0)
  expect(log.producers).toEqual([])
})

test('the recovery point follows, on disk before anything is rolled', async () => {
  const { log, fixture, manager } = await filled()
  await fixture.settle(manager)
  manager.checkpointRecoveryPoints()
  await fixture.settle(manager)
  expect(log.recoveryPoint).toBe(12)
  log.truncateTo(6)
  expect([log.recoveryPoint, log.checkpointedRecoveryPoint]).toEqual([6, 12])
  for (let i = 0; i < 3; i++) log.appendAsLeader(batch(3), client(9))
  expect(log.checkpointedRecoveryPoint).toBe(6)
  expect(fixture.disk.readFile('/data/a/recovery-point-offset-checkpoint').toString()).toBe('0\n1\nt 0 6\n')
})

test('what was synced is no longer, where it was cut', async () => {
  const { log, fixture } = await filled()
  await fixture.run(log.flush())
  expect(log.syncedOffset).toBe(18)
  log.truncateTo(9)
  expect(log.syncedOffset).toBe(9)
  log.appendAsLeader(batch(3), client(9))
  expect(log.syncedOffset).toBe(9)
  const flushing = log.flush()
  await fixture.world.run(0.01)
  log.truncateTo(9)
  log.appendAsLeader(batch(3), client(10))
  await fixture.run(flushing)
  expect(log.syncedOffset).toBeGreaterThanOrEqual(9)
})

test('positions that were known before are forgotten', async () => {
  const fixture = new Fixture()
  const log = (await fixture.open()).getOrCreate('t', 0, { isNew: true })
  for (let i = 0; i < 3; i++) log.appendAsLeader(batch(3), client(0))
  log.truncateTo(3)
  log.appendAsLeader(batch(3, { valueBytes: 100 }), client(0))
  log.appendAsLeader(batch(3), client(0))
  expect(batchesOf(log.read(6, 1 << 20, whole).records).map((each) => Number(each.readBigInt64BE(0)))).toEqual([6])
})

describe('and a crash', () => {
  const config = {}

  async function closed(...epochs: number[]): Promise<{ fixture: Fixture; log: Log }> {
    const fixture = new Fixture()
    const manager = await fixture.open(config)
    const log = manager.getOrCreate('t', 0, { isNew: true })
    for (const epoch of epochs) {
      log.appendAsLeader(batch(3, { producerId: 1, producerEpoch: 0, baseSequence: log.endOffset }), client(epoch))
    }
    await fixture.run(manager.shutdown())
    return { fixture, log: (await fixture.open(config)).get('t', 0)! }
  }

  async function killed(fixture: Fixture, meanwhile: () => void = () => {}): Promise<Log> {
    await fixture.world.run(0)
    fixture.kill()
    meanwhile()
    return (await fixture.open(config)).get('t', 0)!
  }

  test('lower epochs than before are believed after everything was removed', async () => {
    const { fixture, log } = await closed(5)
    log.truncateFullyAndStartAt(100)
    log.appendAsFollower(batch(2, { baseOffset: 100, leaderEpoch: 2 }))
    const again = await killed(fixture)
    expect([again.endOffset, again.epochs.entries]).toEqual([102, [{ epoch: 2, startOffset: 100 }]])
  })

  test('an epoch that begins earlier now is found where it begins', async () => {
    const { fixture, log } = await closed(0, 3)
    log.truncateTo(1)
    log.appendAsFollower(batch(2, { baseOffset: 1, leaderEpoch: 3 }))
    const again = await killed(fixture)
    expect([again.endOffset, again.epochForOffset(1)]).toEqual([3, 3])
  })

  test('what was written again is not taken for synced', async () => {
    const { fixture, log } = await closed(0)
    expect(log.syncedOffset).toBe(3)
    log.truncateTo(0)
    log.appendAsLeader(batch(3), client(1))
    expect((await killed(fixture)).syncedOffset).toBe(0)
  })

  test('a snapshot of what was truncated is not used again', async () => {
    const { fixture, log } = await closed(0, 0)
    const path = `${log.path}/00000000000000000006.snapshot`
    const stale = fixture.disk.readFile(path)
    log.truncateTo(3)
    log.appendAsLeader(batch(4, { producerId: 2, producerEpoch: 0, baseSequence: 0 }), client(1))
    const again = await killed(fixture, () => fixture.disk.open(path, 'create').write(stale, 0))
    expect(again.producers.map((each) => [each.producerId, each.lastSequence])).toEqual([[1, 2], [2, 3]])
    again.truncateTo(6)
    expect(again.producers.map((each) => [each.producerId, each.lastSequence])).toEqual([[1, 2]])
  })
})
