import { ErrorCode } from '../../../../protocol/errors'
import { Codec } from '../../../../protocol/records/batch'
import type { Log } from '../../../../broker/log/log'
import type { LogManager } from '../../../../broker/log/log-manager'
import { batch, batchesOf, Fixture, whole } from './log-fixture'

const client = { leaderEpoch: 2, origin: 'client' } as const

async function newLog(config: Record<string, string> = {}): Promise<{ fixture: Fixture; log: Log; manager: LogManager }> {
  const fixture = new Fixture()
  const manager = await fixture.open(config)
  return { fixture, manager, log: manager.getOrCreate('t', 0, { isNew: true }) }
}

test('outside of the log is out of range, its end is empty', async () => {
  const { log } = await newLog()
  log.truncateFullyAndStartAt(10)
  log.appendAsLeader(batch(2), client)
  const outOfRange = expect.objectContaining({ code: ErrorCode.OFFSET_OUT_OF_RANGE })
  for (const offset of [9, 13]) expect(() => log.read(offset, 100, whole)).toThrow(outOfRange)
  expect(log.read(12, 100, whole)).toMatchObject({ records: Buffer.alloc(0), fetchOffset: 12, firstEntryIncomplete: false })
})

test('a reader sees to its limit, in whole batches', async () => {
  const { log } = await newLog()
  for (let i = 0; i < 5; i++) log.appendAsLeader(batch(3), client)
  log.updateHighWatermark(7)
  const visible = batchesOf(log.read(0, 1 << 20, { upTo: 'highWatermark', minOneMessage: true }).records)
  expect(visible).toHaveLength(2)
  expect(log.read(7, 1 << 20, { upTo: 'highWatermark', minOneMessage: true }).records).toHaveLength(0)
  expect(log.read(9, 1 << 20, { upTo: 'highWatermark', minOneMessage: true }).records).toHaveLength(0)
  const size = batch(3).length
  expect([0, 3, 6, 15].map((offset) => log.bytesFrom(offset, 'logEnd'))).toEqual([5 * size, 4 * size, 3 * size, 0])
  expect([0, 3, 6].map((offset) => log.bytesFrom(offset, 'highWatermark'))).toEqual([2 * size, size, 0])
})

test('the first batch comes whole if it is asked for, else a piece of it', async () => {
  const { log } = await newLog()
  log.appendAsLeader(batch(1, { valueBytes: 1000 }), client)
  const piece = log.read(0, 100, { upTo: 'logEnd', minOneMessage: false })
  expect([piece.records.length, piece.firstEntryIncomplete]).toEqual([100, true])
  expect(log.read(0, 100, whole)).toMatchObject({ firstEntryIncomplete: false })
  expect(batchesOf(log.read(0, 0, whole).records)).toHaveLength(1)
  expect(log.read(0, 0, { upTo: 'logEnd', minOneMessage: false }).records).toHaveLength(0)
})

test('an answer ends with its segment', async () => {
  const { log } = await newLog({ 'segment.bytes': '300' })
  for (let i = 0; i < 10; i++) log.appendAsLeader(batch(1), client)
  const first = log.read(0, 1 << 20, whole)
  expect(first.records.length).toBe(log.segments.first.size)
  expect(log.bytesFrom(0, 'logEnd')).toBe(log.size)
})

test('buffers come back', async () => {
  const { log, manager } = await newLog()
  log.appendAsLeader(batch(1, { valueBytes: 100_000 }), client)
  const { buffers } = manager.context
  const before = buffers.inUse
  const first = log.read(0, 1 << 20, whole)
  expect(buffers.inUse).toBe(before + 1)
  const { buffer } = first.records
  first.release()
  first.release()
  expect(buffers.inUse).toBe(before)
  const second = log.read(0, 1 << 20, whole)
  expect(second.records.buffer).toBe(buffer)
  second.release()
})

test('damage is told, not sent', async () => {
  const { log, fixture } = await newLog()
  for (let i = 0; i < 3; i++) log.appendAsLeader(batch(1), client)
  log.writeStaged()
  const size = batch(1).length
  const file = fixture.disk.open(`${log.path}/00000000000000000000.log`, 'update')
  file.write(Buffer.alloc(20), size)
  log.segments.active.settle()
  expect(() => log.read(2, 100, whole)).toThrow(expect.objectContaining({ code: ErrorCode.CORRUPT_MESSAGE }))
  expect(log.isOnline).toBe(true)
})

test('an index that lies is passed over', async () => {
  const { log, fixture } = await newLog({ 'index.interval.bytes': '0' })
  for (let i = 0; i < 20; i++) log.appendAsLeader(batch(1), client)
  log.segments.active.settle()
  const file = fixture.disk.open(`${log.path}/00000000000000000000.index`, 'update')
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(batch(1).length * 17)
  for (let i = 0; i < 10; i++) file.write(bytes, i * 8 + 4)
  for (let offset = 0; offset < 20; offset++) {
    expect(batchesOf(log.read(offset, 1, whole).records)[0]!.readBigInt64BE(0)).toBe(BigInt(offset))
  }
})

describe('by time', () => {
  async function timed(): Promise<Log> {
    const { log } = await newLog({ 'segment.bytes': '400', 'index.interval.bytes': '0' })
    // Timestamps need not ascend.
    for (const timestamp of [1000, 2000, 1500, 5000, 4000, 4500, 9000, 9000]) {
      log.appendAsLeader(batch(2, { timestamp, codec: timestamp === 4500 ? Codec.gzip : Codec.none }), client)
    }
    return log
  }

  test.each([
    [0, 1000, 0], [1000, 1000, 0], [1001, 1001, 1], [1002, 2000, 2],
    [2002, 5000, 6], [5001, 5001, 7], [5002, 9000, 12], [9001, 9001, 13],
  ])('the first record from %s on', async (asked, timestamp, offset) => {
    const log = await timed()
    expect(log.offsetForTimestamp(asked)).toEqual({ timestamp, offset, leaderEpoch: 2 })
  })

  test('none is that late; nothing below the log start counts', async () => {
    const log = await timed()
    expect(log.offsetForTimestamp(9002)).toBeUndefined()
    log.updateHighWatermark(log.endOffset)
    log.incrementLogStartOffset(7)
    expect(log.offsetForTimestamp(0)).toEqual({ timestamp: 5001, offset: 7, leaderEpoch: 2 })
  })

  test('the special times', async () => {
    const log = await timed()
    expect(log.offsetForTimestamp(-1)).toEqual({ timestamp: -1, offset: 16, leaderEpoch: 2 })
    expect(log.offsetForTimestamp(-2)).toEqual({ timestamp: -1, offset: 0, leaderEpoch: 2 })
    expect(log.offsetForTimestamp(-3)).toEqual({ timestamp: 9001, offset: 13, leaderEpoch: 2 })
    expect(log.offsetForTimestamp(-4)).toEqual({ timestamp: -1, offset: 0, leaderEpoch: 2 })
    expect(log.offsetForTimestamp(-5)).toEqual({ timestamp: -1, offset: -1, leaderEpoch: -1 })
  })

  test('an empty log has no latest record', async () => {
    const { log } = await newLog()
    expect(log.offsetForTimestamp(-3)).toBeUndefined()
    expect(log.offsetForTimestamp(5)).toBeUndefined()
    expect(log.offsetForTimestamp(-2)).toEqual({ timestamp: -1, offset: 0, leaderEpoch: -1 })
  })

  test('version 0 lists the beginnings of segments', async () => {
    const { log, fixture } = await newLog({ 'segment.bytes': '200' })
    const times: number[] = []
    for (let i = 0; i < 6; i++) {
      log.appendAsLeader(batch(1), client)
      log.writeStaged()
      times.push(fixture.clock.wallMs())
      await fixture.world.run(100)
    }
    const bases = log.segments.all().map((each) => each.baseOffset)
    expect(log.legacyOffsetsBefore(-1, 10)).toEqual([6, ...bases.toReversed()])
    expect(log.legacyOffsetsBefore(-1, 1)).toEqual([6])
    expect(log.legacyOffsetsBefore(-2, 10)).toEqual([0])
    expect(log.legacyOffsetsBefore(times[0]! - 1, 10)).toEqual([])
    expect(log.legacyOffsetsBefore(times[3]!, 1)).toEqual([bases[1]])
  })
})
