import { ErrorCode } from '../../../../protocol/errors'
import { maxTimestampAt, timestampTypeAt } from '../../../../protocol/records/batch'
import { LogError } from '../../../../broker/log/log-error'
import type { Log } from '../../../../broker/log/log'
import { batch, batchesOf, contentOf, Fixture, marker, whole } from './log-fixture'

const client = { leaderEpoch: 0, origin: 'client' } as const
const coordinator = { leaderEpoch: 0, origin: 'coordinator' } as const

async function newLog(config: Record<string, string> = {}, options = {}): Promise<{ fixture: Fixture; log: Log }> {
  const fixture = new Fixture()
  const manager = await fixture.open(config, options)
  return { fixture, log: manager.getOrCreate('t', 0, { isNew: true }) }
}

function codeOf(work: () => unknown): number {
  try {
    work()
    return ErrorCode.NONE
  } catch (error) {
    if (error instanceof LogError) return error.code
    throw error
  }
}

describe('as leader', () => {
  test('what a client may not send is refused, and nothing is written', async () => {
    const { log } = await newLog({ 'max.message.bytes': '500', 'segment.bytes': '450' })
    const damaged = batch(1)
    damaged[damaged.length - 1]! ^= 1
    expect(codeOf(() => log.appendAsLeader(damaged, client))).toBe(ErrorCode.CORRUPT_MESSAGE)
    expect(codeOf(() => log.appendAsLeader(batch(1, { valueBytes: 600 }), client))).toBe(ErrorCode.MESSAGE_TOO_LARGE)
    expect(codeOf(() => log.appendAsLeader(batch(1, { valueBytes: 400 }), client))).toBe(ErrorCode.RECORD_LIST_TOO_LARGE)
    expect(codeOf(() => log.appendAsLeader(batch(1, { baseOffset: 5 }), client))).toBe(ErrorCode.INVALID_RECORD)
    expect(codeOf(() => log.appendAsLeader(Buffer.concat([batch(1), batch(1)]), client))).toBe(ErrorCode.INVALID_RECORD)
    expect(codeOf(() => log.appendAsLeader(marker(1, 1, 0), client))).toBe(ErrorCode.INVALID_RECORD)
    expect([log.endOffset, log.size, log.latestEpoch]).toEqual([0, 0, -1])
  })

  test('a key is needed where the topic is compacted; the records that have none are named', async () => {
    const { log } = await newLog({ 'cleanup.policy': 'compact' })
    try {
      log.appendAsLeader(batch(2, { key: null }), client)
      throw new Error('was taken')
    } catch (error) {
      expect(error).toMatchObject({ code: ErrorCode.INVALID_RECORD })
      expect((error as LogError).recordErrors.map((each) => each.batchIndex)).toEqual([0, 1])
    }
  })

  test('log append time is stamped', async () => {
    const { log, fixture } = await newLog({ 'message.timestamp.type': 'LogAppendTime' })
    const nowMs = fixture.clock.wallMs()
    expect(log.appendAsLeader(batch(2, { timestamp: 5 }), client)).toMatchObject({ logAppendTime: nowMs, maxTimestamp: nowMs })
    const [stored] = batchesOf(contentOf(log))
    expect([timestampTypeAt(stored!, 0), maxTimestampAt(stored!, 0)]).toEqual([1, nowMs])
  })

  test('a repeated batch is answered with the offsets that it has', async () => {
    const { log } = await newLog()
    const send = (sequence: number) => batch(3, { producerId: 5, producerEpoch: 0, baseSequence: sequence })
    for (let i = 0; i < 5; i++) log.appendAsLeader(send(i * 3), client)
    expect(log.appendAsLeader(send(3), client)).toMatchObject({ duplicate: true, firstOffset: 3, lastOffset: 5, bytes: 0 })
    expect(log.endOffset).toBe(15)
    expect(log.appendAsLeader(send(15), client)).toMatchObject({ duplicate: false, firstOffset: 15 })
    expect(codeOf(() => log.appendAsLeader(send(0), client))).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect(log.endOffset).toBe(18)
  })

  test('aborted transactions are told to readers of committed data, who stop at the open one', async () => {
    const { log } = await newLog({ 'index.interval.bytes': '0' })
    const send = (producerId: number, sequence: number) =>
      log.appendAsLeader(batch(2, { producerId, producerEpoch: 0, baseSequence: sequence, transactional: true }), client)
    send(1, 0)
    send(2, 0)
    log.appendAsLeader(marker(0, 1, 0), coordinator)
    send(3, 0)
    log.appendAsLeader(marker(1, 2, 0), coordinator)
    log.updateHighWatermark(log.endOffset)
    expect(log.endOffset).toBe(8)
    expect(log.lastStableOffset).toBe(5)
    const result = log.read(0, 1 << 20, { upTo: 'lastStable', minOneMessage: true })
    expect(batchesOf(result.records)).toHaveLength(3)
    expect(result.abortedTransactions).toEqual([{ producerId: 1, firstOffset: 0 }])
    expect(log.producers.map((each) => [each.producerId, each.currentTxnStartOffset])).toEqual([[1, -1], [2, -1], [3, 5]])
    log.appendAsLeader(marker(0, 3, 0), coordinator)
    log.updateHighWatermark(log.endOffset)
    expect(log.lastStableOffset).toBe(9)
    expect(log.read(4, 1 << 20, { upTo: 'lastStable', minOneMessage: true }).abortedTransactions).toEqual([
      { producerId: 1, firstOffset: 0 },
      { producerId: 3, firstOffset: 5 },
    ])
    expect(log.read(5, 1 << 20, { upTo: 'lastStable', minOneMessage: true }).abortedTransactions)
      .toEqual([{ producerId: 3, firstOffset: 5 }])
  })

  test('a transaction that ended is stable only when its marker is below the high watermark', async () => {
    const { log } = await newLog()
    log.appendAsLeader(batch(2, { producerId: 1, producerEpoch: 0, baseSequence: 0, transactional: true }), client)
    log.appendAsLeader(marker(1, 1, 0), coordinator)
    log.updateHighWatermark(2)
    expect(log.lastStableOffset).toBe(0)
    log.updateHighWatermark(3)
    expect(log.lastStableOffset).toBe(3)
  })

  test('a transaction must be verified before its first write (KIP-890)', async () => {
    const { log } = await newLog({}, { transactionVerification: true })
    const send = (sequence: number) => batch(1, { producerId: 1, producerEpoch: 0, baseSequence: sequence, transactional: true })
    expect(codeOf(() => log.appendAsLeader(send(0), client))).toBe(ErrorCode.INVALID_TXN_STATE)
    const verificationGuard = log.startTransactionVerification(1, 0, 0)
    expect(log.hasOngoingTransaction(1)).toBe(false)
    log.appendAsLeader(send(0), { ...client, verificationGuard })
    expect(log.hasOngoingTransaction(1)).toBe(true)
    expect(log.startTransactionVerification(1, 1, 0)).toBeUndefined()
    log.appendAsLeader(send(1), client)
    log.appendAsLeader(marker(0, 1, 0), coordinator)
    expect(codeOf(() => log.appendAsLeader(send(2), { ...client, verificationGuard }))).toBe(ErrorCode.INVALID_TXN_STATE)
  })

  test('small batches of a turn are written together, and can be read before', async () => {
    const { log, fixture } = await newLog()
    for (let i = 0; i < 10; i++) log.appendAsLeader(batch(1), client)
    expect(fixture.disk.stat(`${log.path}/00000000000000000000.log`)!.size).toBe(0)
    const { size } = log
    log.read(0, 100, whole).release()
    expect(fixture.disk.stat(`${log.path}/00000000000000000000.log`)!.size).toBe(size)
    log.appendAsLeader(batch(1), client)
    await fixture.world.run(1)
    expect(fixture.disk.stat(`${log.path}/00000000000000000000.log`)!.size).toBe(log.size)
  })

  test('flush.messages syncs in the turn', async () => {
    const { log, fixture } = await newLog({ 'flush.messages': '3' })
    log.appendAsLeader(batch(2), client)
    await fixture.world.run(0.01)
    expect(log.syncedOffset).toBe(0)
    log.appendAsLeader(batch(1), client)
    await fixture.world.run(0.01)
    expect(log.syncedOffset).toBe(3)
  })
})

describe('as follower', () => {
  const from = (offset: number, count: number, epoch = 0) => batch(count, { baseOffset: offset, leaderEpoch: epoch })

  test('batches are taken as they are; a piece of one at the end is left out', async () => {
    const { log } = await newLog()
    const records = Buffer.concat([from(0, 3, 1), from(3, 2, 4), from(9, 1, 4)])
    expect(log.appendAsFollower(Buffer.concat([records, from(10, 1).subarray(0, 40)])))
      .toMatchObject({ firstOffset: 0, lastOffset: 9, recordCount: 6 })
    expect(contentOf(log).equals(records)).toBe(true)
    expect(log.endOffset).toBe(10)
    expect(log.epochs.entries).toEqual([{ epoch: 1, startOffset: 0 }, { epoch: 4, startOffset: 3 }])
    const result = log.read(6, 1 << 20, whole)
    expect(batchesOf(result.records)).toHaveLength(1)
  })

  test('what was appended is in the file at once: the next fetch claims it, and leaves before the turn ends', async () => {
    const { fixture, log } = await newLog()
    log.appendAsFollower(from(0, 3))
    expect(fixture.disk.stat(`${log.path}/00000000000000000000.log`)?.size).toBe(log.size)
  })

  test('damage, disorder, and what begins below the end is refused', async () => {
    const { log } = await newLog()
    log.appendAsFollower(from(0, 3))
    const damaged = from(3, 1)
    damaged[70]! ^= 1
    expect(codeOf(() => log.appendAsFollower(damaged))).toBe(ErrorCode.CORRUPT_MESSAGE)
    expect(codeOf(() => log.appendAsFollower(Buffer.concat([from(5, 2), from(4, 1)])))).toBe(ErrorCode.UNKNOWN_SERVER_ERROR)
    expect(codeOf(() => log.appendAsFollower(from(2, 3)))).toBe(ErrorCode.UNKNOWN_SERVER_ERROR)
    expect(log.endOffset).toBe(3)
  })

  test('batches of a later epoch than was asked for are left out', async () => {
    const { log } = await newLog()
    const info = log.appendAsFollower(Buffer.concat([from(0, 2, 3), from(2, 2, 5)]), 4)
    expect([info.lastOffset, log.endOffset, log.latestEpoch]).toEqual([1, 2, 3])
    expect(log.appendAsFollower(from(2, 2, 5), 4)).toMatchObject({ bytes: 0, firstOffset: -1 })
  })

  test('an empty log whose start lies in a batch begins where the batch begins', async () => {
    const { log } = await newLog()
    log.truncateFullyAndStartAt(7)
    expect(log.appendAsFollower(from(5, 5))).toMatchObject({ firstOffset: 5, lastOffset: 9 })
    expect([log.startOffset, log.endOffset]).toEqual([5, 10])
  })

  test('more than a segment holds goes to several', async () => {
    const { log } = await newLog({ 'segment.bytes': '500' })
    log.appendAsFollower(Buffer.concat(Array.from({ length: 20 }, (_, i) => from(i * 3, 3))))
    expect(log.numberOfSegments).toBeGreaterThan(4)
    expect(log.endOffset).toBe(60)
    for (const segment of log.segments) expect(segment.size).toBeLessThanOrEqual(500)
  })

  test('offsets further apart than an index can tell go to segments of their own', async () => {
    const { log } = await newLog()
    log.appendAsFollower(Buffer.concat([from(0, 1), from(2 ** 31 - 1, 1), from(2 ** 31, 1), from(2 ** 40, 1)]))
    expect(log.segments.all().map((each) => each.baseOffset)).toEqual([0, 2 ** 31, 2 ** 40])
    expect(log.endOffset).toBe(2 ** 40 + 1)
    expect(batchesOf(log.read(2 ** 31 + 1, 1000, whole).records)).toHaveLength(1)
  })

  test('old producers and coordinators are not judged again', async () => {
    const { log } = await newLog()
    log.appendAsFollower(batch(1, { baseOffset: 0, producerId: 1, producerEpoch: 5, baseSequence: 7 }))
    log.appendAsFollower(batch(1, { baseOffset: 1, producerId: 1, producerEpoch: 4, baseSequence: 1 }))
    expect(log.producers[0]).toMatchObject({ producerEpoch: 4, lastSequence: 1 })
  })
})

describe('rolling', () => {
  test('by size, by the time between records, by a full index', async () => {
    const bySize = await newLog({ 'segment.bytes': String(batch(1).length * 2) })
    for (let i = 0; i < 5; i++) bySize.log.appendAsLeader(batch(1), client)
    expect(bySize.log.segments.all().map((each) => each.baseOffset)).toEqual([0, 2, 4])

    const byTime = await newLog({ 'segment.ms': '1000' })
    for (const timestamp of [5000, 6000, 6001, 6500, 7001, 7002]) byTime.log.appendAsLeader(batch(1, { timestamp }), client)
    expect(byTime.log.segments.all().map((each) => each.baseOffset)).toEqual([0, 2, 5])

    const byIndex = await newLog({ 'segment.index.bytes': '16', 'index.interval.bytes': '0' })
    for (let i = 0; i < 7; i++) byIndex.log.appendAsLeader(batch(1, { timestamp: 1000 }), client)
    expect(byIndex.log.numberOfSegments).toBeGreaterThan(2)
    expect(contentOf(byIndex.log).length).toBe(byIndex.log.size)
  })

  test('an index too small for any entry does not stop the log (KAFKA-6388)', async () => {
    const { log } = await newLog({ 'segment.index.bytes': '4' })
    for (let i = 0; i < 3; i++) log.appendAsLeader(batch(1), client)
    expect(log.endOffset).toBe(3)
    expect(batchesOf(contentOf(log))).toHaveLength(3)
  })

  test('records without a time are rolled by the age of the segment, and jitter makes it less', async () => {
    const { log, fixture } = await newLog({ 'segment.ms': '1000', 'segment.jitter.ms': '900' })
    const { rollJitterMs } = log.segments.active
    expect(rollJitterMs).toBeGreaterThan(0)
    log.appendAsFollower(batch(1, { baseOffset: 0, timestamp: -1 }))
    await fixture.world.run(1000 - rollJitterMs - 1)
    log.appendAsFollower(batch(1, { baseOffset: 1, timestamp: -1 }))
    expect(log.numberOfSegments).toBe(1)
    await fixture.world.run(rollJitterMs + 5)
    log.appendAsFollower(batch(1, { baseOffset: 2, timestamp: -1 }))
    expect(log.numberOfSegments).toBe(2)
  })

  test('the closed segment is synced, then the recovery point moves', async () => {
    const fixture = new Fixture()
    const manager = await fixture.open({ 'segment.bytes': '200' })
    const log = manager.getOrCreate('t', 0, { isNew: true })
    for (let i = 0; i < 6; i++) log.appendAsLeader(batch(1), client)
    expect(log.recoveryPoint).toBe(0)
    await fixture.settle(manager)
    expect(log.recoveryPoint).toBe(log.segments.active.baseOffset)
    expect(fixture.disk.exists(`${log.path}/leader-epoch-checkpoint`)).toBe(true)
  })
})
