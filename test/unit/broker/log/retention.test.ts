import type { Log } from '../../../../broker/log/log'
import type { LogManager } from '../../../../broker/log/log-manager'
import { batch, Fixture } from './log-fixture'

const client = { leaderEpoch: 0, origin: 'client' } as const
const size = batch(1).length

interface Filled {
  fixture: Fixture
  manager: LogManager
  log: Log
}

async function filled(config: Record<string, string>, timestamps = [0, 1, 2, 3, 4, 5]): Promise<Filled> {
  const fixture = new Fixture()
  const manager = await fixture.open({ 'segment.bytes': String(size), ...config })
  const log = manager.getOrCreate('t', 0, { isNew: true })
  const nowMs = fixture.clock.wallMs()
  for (const seconds of timestamps) log.appendAsLeader(batch(1, { timestamp: nowMs + seconds * 1000 }), client)
  log.updateHighWatermark(log.endOffset)
  return { fixture, manager, log }
}

test('too much: the oldest go until what is left is no less than the limit', async () => {
  const { log } = await filled({ 'retention.bytes': String(size * 3 + 1) })
  expect(log.deleteOldSegments()).toBe(2)
  expect([log.startOffset, log.numberOfSegments, log.size]).toEqual([2, 4, size * 4])
  expect(log.deleteOldSegments()).toBe(0)
})

test('too old, by the latest record of the segment, up to the first that is not', async () => {
  const { log, fixture } = await filled({ 'retention.ms': '10000' }, [0, 1, 5, 2, 4])
  await fixture.world.run(13_500)
  expect(log.deleteOldSegments()).toBe(2)
  expect(log.startOffset).toBe(2)
})

test('records without a time are as old as the file', async () => {
  const fixture = new Fixture()
  const manager = await fixture.open({ 'segment.bytes': String(size), 'retention.ms': '10000' })
  const log = manager.getOrCreate('t', 0, { isNew: true })
  for (let i = 0; i < 3; i++) log.appendAsFollower(batch(1, { baseOffset: i, timestamp: -1 }))
  log.updateHighWatermark(3)
  log.writeStaged()
  await fixture.world.run(9_000)
  expect(log.deleteOldSegments()).toBe(0)
  await fixture.world.run(2_000)
  expect(log.deleteOldSegments()).toBe(3)
})

test('the last segment goes, too, if it has records; the log begins at its end then', async () => {
  const { log, fixture } = await filled({ 'retention.ms': '1000' })
  await fixture.world.run(20_000)
  expect(log.deleteOldSegments()).toBe(6)
  expect([log.startOffset, log.endOffset, log.numberOfSegments, log.size]).toEqual([6, 6, 1, 0])
  expect(log.deleteOldSegments()).toBe(0)
  expect(log.appendAsLeader(batch(1), client).firstOffset).toBe(6)
})

test('nothing at or above the high watermark goes', async () => {
  const { log, fixture } = await filled({ 'retention.ms': '1000', 'retention.bytes': '0' })
  log.updateHighWatermark(3)
  await fixture.world.run(20_000)
  expect(log.deleteOldSegments()).toBe(3)
  expect(log.startOffset).toBe(3)
})

test('with compaction only what lies below the log start goes', async () => {
  const { log, fixture } = await filled({ 'retention.ms': '1000', 'retention.bytes': '0', 'cleanup.policy': 'compact' })
  await fixture.world.run(20_000)
  expect(log.deleteOldSegments()).toBe(0)
  log.incrementLogStartOffset(4)
  expect(log.deleteOldSegments()).toBe(4)
  expect(log.segments.first.baseOffset).toBe(4)
})

test('-1 is for ever', async () => {
  const { log, fixture } = await filled({ 'retention.ms': '-1', 'retention.bytes': '-1' })
  await fixture.world.run(20_000)
  expect(log.deleteOldSegments()).toBe(0)
})

test('the start offset breach comes first, so that size counts what is left', async () => {
  const { log } = await filled({ 'retention.bytes': String(size * 4) })
  log.incrementLogStartOffset(2)
  expect(log.deleteOldSegments()).toBe(2)
  expect(log.startOffset).toBe(2)
})

test('files are renamed at once and removed after file.delete.delay.ms, with their snapshots', async () => {
  const { log, fixture, manager } = await filled({ 'retention.bytes': String(size * 3), 'file.delete.delay.ms': '1000' })
  await fixture.settle(manager)
  log.deleteOldSegments()
  const deleted = () => fixture.disk.list(log.path).filter((name) => name.endsWith('.deleted'))
  expect(deleted()).toHaveLength(9)
  expect(fixture.disk.list(log.path).filter((name) => name.endsWith('.snapshot'))).toHaveLength(3)
  await fixture.world.run(900)
  expect(deleted()).toHaveLength(9)
  await fixture.world.run(200)
  expect(deleted()).toEqual([])
  expect(log.epochs.entries).toEqual([{ epoch: 0, startOffset: 3 }])
})

test('the log manager looks every retention interval', async () => {
  const fixture = new Fixture()
  const options = { initialTaskDelayMs: 100, retentionCheckIntervalMs: 500 }
  const manager = await fixture.open({ 'segment.bytes': String(size), 'retention.bytes': String(size) }, options)
  const log = manager.getOrCreate('t', 0, { isNew: true })
  for (const rounds of [1, 2]) {
    for (let i = 0; i < 3; i++) log.appendAsLeader(batch(1, { timestamp: fixture.clock.wallMs() }), client)
    log.updateHighWatermark(log.endOffset)
    await fixture.world.run(510)
    expect([rounds, log.numberOfSegments]).toEqual([rounds, 1])
  }
})
