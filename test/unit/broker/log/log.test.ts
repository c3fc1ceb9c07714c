import { baseOffsetAt, leaderEpochAt } from '../../../../protocol/records/batch'
import { decodeRecords } from '../../../../protocol/records/records'
import { batch, batchesOf, contentOf, Fixture, whole } from './log-fixture'

test('what was appended is read, with offsets and leader epoch', async () => {
  const fixture = new Fixture()
  const manager = await fixture.open()
  const log = manager.getOrCreate('t', 0, { isNew: true })
  const first = log.appendAsLeader(batch(3), { leaderEpoch: 5, origin: 'client', requestVersion: 9 })
  expect(first).toMatchObject({ firstOffset: 0, lastOffset: 2, duplicate: false, logAppendTime: -1 })
  const second = log.appendAsLeader(batch(2, { valueBytes: 20_000 }), { leaderEpoch: 6, origin: 'client' })
  expect(second).toMatchObject({ firstOffset: 3, lastOffset: 4 })
  expect(log.endOffset).toBe(5)
  const result = log.read(1, 1 << 20, whole)
  const batches = batchesOf(result.records)
  expect(batches.map((each) => [baseOffsetAt(each, 0), leaderEpochAt(each, 0)])).toEqual([[0, 5], [3, 6]])
  expect(batches.flatMap((each) => decodeRecords(each)).map((record) => record.offset)).toEqual([0, 1, 2, 3, 4])
  result.release()
  expect(log.endOffsetForEpoch(5)).toEqual({ epoch: 5, endOffset: 3 })
  await fixture.run(manager.shutdown())
})

test('a clean stop and a start give the same log', async () => {
  const fixture = new Fixture()
  const config = { 'segment.bytes': '2000', 'index.interval.bytes': '100' }
  const manager = await fixture.open(config)
  const log = manager.getOrCreate('t', 0, { isNew: true, topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' })
  for (let i = 0; i < 50; i++) log.appendAsLeader(batch(3), { leaderEpoch: i >> 4, origin: 'client' })
  log.updateHighWatermark(120)
  await fixture.settle(manager)
  expect(log.numberOfSegments).toBeGreaterThan(3)
  const before = contentOf(log)
  await fixture.run(manager.shutdown())
  expect(fixture.disk.exists('/data/a/.kafka_cleanshutdown')).toBe(true)
  const again = await fixture.open(config)
  const same = again.get('t', 0)!
  expect(same.endOffset).toBe(150)
  expect(same.highWatermark).toBe(120)
  expect(same.topicId).toBe('AAAAAAAAAAAAAAAAAAAAAQ')
  expect(same.epochs.entries).toEqual(log.epochs.entries)
  expect(contentOf(same).equals(before)).toBe(true)
  expect(fixture.disk.exists('/data/a/.kafka_cleanshutdown')).toBe(false)
  expect(fixture.logger.warnings).toEqual([])
  await fixture.run(again.shutdown())
})
