import {
  Codec, TimestampType, baseOffsetAt, batchIsValidAt, codecAt, lastOffsetAt, leaderEpochAt, magicAt, maxTimestampAt, producerIdAt,
  sealBatchAt, timestampTypeAt,
} from '../../../../protocol/records/batch'
import { inlineCompression } from '../../../../protocol/records/compression'
import { writeMessageSet } from '../../../../protocol/records/legacy'
import type { BatchOptions } from '../../../../protocol/records/records'
import { BatchBuilder, ControlType, controlBatch, decodeRecords } from '../../../../protocol/records/records'
import { RecordsError } from '../../../../protocol/records/records-error'
import { checkProduceVersion, checkStructure } from '../../../../protocol/records/structure'
import type { AppendRules } from '../../../../protocol/records/validate'
import { needsRecords, placeRecords, prepareRecords } from '../../../../protocol/records/validate'

const NOW = 1_700_000_000_000
const LONG_MAX = 2 ** 63
const plainRules: AppendRules = {
  topicPartition: 'foo-0', fromClient: true, compressionType: 'producer', compacted: false, timestampType: TimestampType.createTime,
  timestampBeforeMaxMs: LONG_MAX, timestampAfterMaxMs: LONG_MAX, maxDecompressedBytes: 10_000_000,
}
const placement = { firstOffset: 500, leaderEpoch: 7, nowMs: NOW }
const structureRules = { topicPartition: 'foo-0', fromClient: true, maxMessageBytes: 100_000 }

function batchOf(options: BatchOptions = {}, timestamps: number[] = [NOW - 3, NOW - 1, NOW - 2], keys: (string | null)[] = []): Buffer {
  const builder = new BatchBuilder(options)
  timestamps.forEach((timestamp, i) => {
    const key = keys[i] === undefined ? `k${i}` : keys[i]
    builder.append(key === null ? null : Buffer.from(key), Buffer.from(`value ${i}`), [], timestamp)
  })
  return builder.build()
}

const place = (records: Buffer, rules: Partial<AppendRules> = {}) =>
  placeRecords(records, checkStructure(records, structureRules), { ...plainRules, ...rules }, placement)

function refusal(work: () => unknown): { code: number; message: string; errors: number[] } {
  try {
    work()
  } catch (error) {
    if (!(error instanceof RecordsError)) throw error
    return { code: error.code, message: error.message, errors: error.recordErrors.map((each) => each.batchIndex) }
  }
  throw new Error('nothing was refused')
}

/** Changes the header, and makes the checksum right again. */
function altered(batch: Buffer, change: (batch: Buffer) => void): Buffer {
  const copy = Buffer.from(batch)
  change(copy)
  sealBatchAt(copy, 0)
  return copy
}

describe('structure', () => {
  test('what is whole and right', () => {
    const batch = batchOf({ codec: Codec.gzip })
    expect(checkStructure(Buffer.concat([batch, batch.subarray(0, 30)]), structureRules)).toEqual({
      validBytes: batch.length, batchCount: 1, magic: 2, codec: 1, firstOffset: 0, lastOffset: 2, monotonic: true,
    })
    expect(checkStructure(Buffer.alloc(0), structureRules)).toMatchObject({ batchCount: 0, magic: -1, validBytes: 0 })
  })

  test('offsets that do not grow', () => {
    const fromLeader = { topicPartition: 'foo-0', fromClient: false }
    const [one, two] = [batchOf({ baseOffset: 5 }), batchOf({ baseOffset: 7 })]
    expect(checkStructure(Buffer.concat([one, two]), fromLeader).monotonic).toBe(true)
    expect(checkStructure(Buffer.concat([two, one]), fromLeader).monotonic).toBe(false)
    expect(checkStructure(Buffer.concat([one, one]), fromLeader).monotonic).toBe(false)
  })

  test.each([
    ['a damaged byte', 2, /^Record is corrupt \(stored crc = \d+\) in topic partition foo-0\.$/, (b: Buffer) => b.fill(0, b.length - 2)],
    ['a length below any record', 2, /^Record size 13 is less than the minimum record overhead \(14\)$/, (b: Buffer) => b.writeInt32BE(13, 8) && b],
    ['a length below the header', 2, /Record is corrupt/, (b: Buffer) => b.writeInt32BE(30, 8) && b],
    ['magic 3', 2, /^Invalid magic found in record: 3$/, (b: Buffer) => b.fill(3, 16, 17)],
    ['a negative magic', 2, /^Invalid magic found in record: -1$/, (b: Buffer) => b.fill(255, 16, 17)],
    ['a base offset', 87, /^The baseOffset of the record batch in the append to foo-0 should be 0, but it is 1$/, (b: Buffer) => b.fill(1, 7, 8)],
    ['codec 5', 76, /^Unknown compression type id: 5$/, (b: Buffer) => altered(b, (copy) => copy.fill(5, 22, 23))],
  ])('%s is refused', (_, code, message, damage) => {
    const result = refusal(() => checkStructure(damage(batchOf()) as Buffer, structureRules))
    expect(result).toMatchObject({ code, message: expect.stringMatching(message) })
  })

  test('a batch above max.message.bytes is refused in Kafka\'s words', () => {
    const batch = batchOf()
    expect(refusal(() => checkStructure(batch, { ...structureRules, maxMessageBytes: 50 }))).toMatchObject({
      code: 10,
      message: `The record batch size in the append to foo-0 is ${batch.length} bytes which exceeds the maximum configured value of 50.`,
    })
  })

  test('what each version of Produce may carry', () => {
    const old = writeMessageSet(1, { codec: 0, timestampType: 0, logAppendTime: 0, records: [{ offset: 0, timestamp: 1, key: null, value: null }] })
    const batch = batchOf()
    expect(() => checkProduceVersion(2, old)).not.toThrow()
    expect(() => checkProduceVersion(3, batch)).not.toThrow()
    expect(() => checkProduceVersion(7, batchOf({ codec: Codec.zstd }))).not.toThrow()
    expect(refusal(() => checkProduceVersion(6, batchOf({ codec: Codec.zstd }))).code).toBe(76)
    expect(refusal(() => checkProduceVersion(3, old)).message).toMatch(/magic version 2$/)
    expect(refusal(() => checkProduceVersion(8, Buffer.concat([batch, batch]))).message).toMatch(/exactly one record batch per partition$/)
    expect(refusal(() => checkProduceVersion(9, Buffer.alloc(0))).message).toMatch(/at least one record batch per partition$/)
    expect(refusal(() => checkProduceVersion(9, null)).code).toBe(87)
  })
})

describe.each([Codec.none, Codec.gzip])('a batch with codec %i', (codec) => {
  test('is stamped in place', () => {
    const batch = batchOf({ codec })
    expect(place(batch)).toEqual({
      records: batch, rebuilt: false, firstOffset: 500, lastOffset: 502, recordCount: 3, maxTimestamp: NOW - 1, logAppendTime: -1,
    })
    expect([baseOffsetAt(batch, 0), lastOffsetAt(batch, 0), leaderEpochAt(batch, 0)]).toEqual([500, 502, 7])
    expect(batchIsValidAt(batch, 0)).toBe(true)
  })

  test('gets the time of the append', () => {
    const batch = batchOf({ codec })
    expect(place(batch, { timestampType: TimestampType.logAppendTime })).toMatchObject({ maxTimestamp: NOW, logAppendTime: NOW, rebuilt: false })
    expect(timestampTypeAt(batch, 0)).toBe(1)
    expect(batchIsValidAt(batch, 0)).toBe(true)
    expect(decodeRecords(batch).map((each) => each.timestamp)).toEqual([NOW, NOW, NOW])
  })

  test('may not claim the time of the append for itself', () => {
    const batch = batchOf({ codec, timestampType: TimestampType.logAppendTime, logAppendTime: 5 })
    expect(refusal(() => place(batch, { timestampType: TimestampType.logAppendTime }))).toMatchObject({
      code: 32, message: 'One or more records have been rejected due to invalid timestamp',
    })
  })

  test('has a key in each record of a compacted topic', () => {
    const batch = batchOf({ codec }, [1, 2, 3], ['a', null, null])
    expect(refusal(() => place(batch, { compacted: true }))).toEqual({
      code: 87,
      message: 'One or more records have been rejected due to 2 record errors in total, and only showing the first three errors at most: '
        + '[RecordError(batchIndex=1, message=\'Compacted topic cannot accept message without key in topic partition foo-0\'), '
        + 'RecordError(batchIndex=2, message=\'Compacted topic cannot accept message without key in topic partition foo-0\')]',
      errors: [1, 2],
    })
    expect(place(batch).rebuilt).toBe(false)
  })

  test('is within the bounds for timestamps, each record of it', () => {
    const bounds = { timestampBeforeMaxMs: 1000, timestampAfterMaxMs: 100 }
    expect(place(batchOf({ codec }, [NOW - 1000, NOW + 100, -1]), bounds).maxTimestamp).toBe(NOW + 100)
    expect(refusal(() => place(batchOf({ codec }, [NOW, NOW - 1001, NOW + 101]), bounds))).toEqual({
      code: 32, message: 'One or more records have been rejected due to invalid timestamp', errors: [1, 2],
    })
  })

  test.each([
    ['control records', /Clients are not allowed to write control records in topic partition foo-0/, (b: Buffer) => b.fill(b[22]! | 0x20, 22, 23)],
    ['no records', /Invalid reported count for record batch: 0 in/, (b: Buffer) => b.writeInt32BE(0, 57)],
    ['more records than offsets', /Inconsistent batch offset range \[0, 2\] and count of records 4 in/, (b: Buffer) => b.writeInt32BE(4, 57)],
    ['an empty range', /invalid offset range: \[0, -1\] in/, (b: Buffer) => b.writeInt32BE(-1, 23)],
    ['a producer without sequence', /Invalid sequence number -1 in record batch with producerId 9 in/, (b: Buffer) => b.writeBigInt64BE(9n, 43)],
  ])('is refused with %s', (_, message, change) => {
    const batch = altered(batchOf({ codec }), change)
    expect(refusal(() => place(batch))).toMatchObject({ code: 87, message: expect.stringMatching(message) })
  })

  test('whose records are fewer than it says is refused when they are looked at', () => {
    const batch = altered(batchOf({ codec }), (b) => {
      b.writeInt32BE(4, 57)
      b.writeInt32BE(3, 23)
    })
    expect(refusal(() => place(batch, { compacted: true })).code).toBe(87)
  })

  test('whose inner offsets have gaps is written anew', () => {
    const batch = new BatchBuilder({ codec, producerId: 4, producerEpoch: 1, baseSequence: 8 })
      .appendAt(0, null, Buffer.from('a'), [{ key: 'h', value: null }], NOW).appendAt(2, null, Buffer.from('b'), [], NOW + 1).overrideLastOffset(2).build()
    batch.writeInt32BE(1, 23)
    sealBatchAt(batch, 0)
    const placed = place(batch, { timestampBeforeMaxMs: 1, timestampAfterMaxMs: 0.5 + 1 })
    expect(placed.rebuilt).toBe(codec === Codec.none)
    if (placed.rebuilt) {
      expect(decodeRecords(placed.records).map((each) => each.offset)).toEqual([500, 501])
      expect(decodeRecords(placed.records)[0]?.headers).toEqual([{ key: 'h', value: null }])
      expect([producerIdAt(placed.records, 0), placed.maxTimestamp]).toEqual([4, NOW + 1])
    }
    const again = altered(batch, (b) => b.writeBigInt64BE(0n, 0))
    expect(decodeRecords(place(again, { compressionType: 'lz4' }).records).map((each) => each.offset)).toEqual([500, 501])
  })

  test('whose header lies about the latest time is put right', () => {
    const batch = altered(batchOf({ codec }), (b) => b.writeBigInt64BE(2n ** 62n, 35))
    expect(place(batch)).toMatchObject({ maxTimestamp: NOW - 1, rebuilt: false })
    expect(maxTimestampAt(batch, 0)).toBe(NOW - 1)
  })

  test.each(['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'] as const)('is written anew for a topic with %s', (compressionType) => {
    const batch = batchOf({ codec, producerId: 3, producerEpoch: 0, baseSequence: 1, transactional: true })
    const before = decodeRecords(batch).map((each) => ({ ...each, offset: each.offset + 500 }))
    const placed = place(batch, { compressionType })
    expect(codecAt(placed.records, 0)).toBe(['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'].indexOf(compressionType))
    expect(placed.rebuilt).toBe(codecAt(placed.records, 0) !== codec)
    expect(decodeRecords(placed.records)).toEqual(before)
    expect(batchIsValidAt(placed.records, 0)).toBe(true)
  })
})

describe('opening compressed records', () => {
  const structureOf = (batch: Buffer) => checkStructure(batch, structureRules)

  test('is needed only where the decision depends on them', () => {
    const batch = batchOf({ codec: Codec.lz4 })
    const need = (rules: Partial<AppendRules>) => needsRecords(batch, structureOf(batch), { ...plainRules, ...rules }, NOW)
    expect(need({})).toBe(false)
    expect(need({ compressionType: 'lz4' })).toBe(false)
    expect(need({ timestampType: TimestampType.logAppendTime })).toBe(false)
    expect(need({ timestampBeforeMaxMs: 1000, timestampAfterMaxMs: 1000 })).toBe(false)
    expect(need({ timestampBeforeMaxMs: 2 })).toBe(true)
    expect(need({ compacted: true })).toBe(true)
    expect(need({ compressionType: 'gzip' })).toBe(true)
    const future = batchOf({ codec: Codec.lz4 }, [NOW + 4_000_000])
    expect(needsRecords(future, structureOf(future), plainRules, NOW)).toBe(true)
    expect(needsRecords(batchOf(), structureOf(batchOf()), { ...plainRules, compacted: true }, NOW)).toBe(false)
  })

  test('garbage under a right checksum goes through unread, and is refused when it is looked at', () => {
    const garbage = altered(batchOf({ codec: Codec.gzip }), (b) => b.fill(7, 70))
    expect(place(Buffer.from(garbage)).rebuilt).toBe(false)
    expect(refusal(() => place(garbage, { compacted: true }))).toMatchObject({ code: 87, message: expect.stringMatching(/gzip data is damaged.*foo-0/) })
  })

  test('a bomb is MESSAGE_TOO_LARGE', () => {
    const bomb = new BatchBuilder({ codec: Codec.zstd }).append(null, Buffer.alloc(20_000_000), [], NOW).build()
    expect(refusal(() => place(bomb, { compacted: true })).code).toBe(10)
  })

  test('away from the event loop: the same, then placed without another look', async () => {
    for (const codec of [0, 1, 2, 3, 4] as const) {
      for (const compressionType of ['producer', 'uncompressed', 'gzip', 'zstd'] as const) {
        const rules = { ...plainRules, compressionType }
        const batch = batchOf({ codec })
        const expected = place(Buffer.from(batch), { compressionType })
        const ready = await prepareRecords(batch, structureOf(batch), rules, NOW, inlineCompression, true)
        const placed = placeRecords(ready, structureOf(ready), rules, placement, true)
        expect(decodeRecords(placed.records)).toEqual(decodeRecords(expected.records))
        expect(codecAt(placed.records, 0)).toBe(codecAt(expected.records, 0))
        expect({ ...placed, records: null, rebuilt: null }).toEqual({ ...expected, records: null, rebuilt: null })
      }
    }
    const garbage = altered(batchOf({ codec: Codec.gzip }), (b) => b.fill(7, 70))
    await expect(prepareRecords(garbage, structureOf(garbage), plainRules, NOW, inlineCompression)).resolves.toBe(garbage)
    await expect(prepareRecords(garbage, structureOf(garbage), plainRules, NOW, inlineCompression, true)).rejects.toMatchObject({ code: 87 })
  })
})

describe('message sets of old producers', () => {
  const records = [1, 2, 3].map((i) => ({ offset: i - 1, timestamp: NOW - i, key: i === 2 ? null : Buffer.from(`k${i}`), value: Buffer.from(`v${i}`) }))
  const setOf = (magic: 0 | 1, codec: Codec) => writeMessageSet(magic, { codec, timestampType: 0, logAppendTime: -1, records })

  test.each([[0, 0], [0, 1], [0, 3], [1, 0], [1, 2], [1, 3]] as const)('magic %i with codec %i becomes a batch of magic 2', async (magic, codec) => {
    const placed = place(setOf(magic, codec))
    expect(placed).toMatchObject({ rebuilt: true, firstOffset: 500, lastOffset: 502, recordCount: 3, maxTimestamp: magic === 0 ? -1 : NOW - 1 })
    expect([magicAt(placed.records, 0), codecAt(placed.records, 0), leaderEpochAt(placed.records, 0)]).toEqual([2, codec, 7])
    expect(batchIsValidAt(placed.records, 0)).toBe(true)
    expect(decodeRecords(placed.records).map(({ offset, value }) => [offset, value?.toString()])).toEqual([[500, 'v1'], [501, 'v2'], [502, 'v3']])
    const ready = await prepareRecords(setOf(magic, codec), checkStructure(setOf(magic, codec), structureRules), plainRules, NOW, inlineCompression)
    expect(decodeRecords(ready).map((each) => each.value?.toString())).toEqual(['v1', 'v2', 'v3'])
  })

  test('are held to the same rules', () => {
    expect(refusal(() => place(setOf(1, Codec.gzip), { compacted: true })).errors).toEqual([1])
    expect(refusal(() => place(setOf(1, Codec.none), { timestampBeforeMaxMs: 2 })).errors).toEqual([2])
    expect(refusal(() => place(setOf(0, Codec.gzip), { maxDecompressedBytes: 10 })).code).toBe(10)
    const stamped = writeMessageSet(1, { codec: 1, timestampType: 1, logAppendTime: 5, records })
    expect(refusal(() => place(stamped, { timestampType: TimestampType.logAppendTime })).code).toBe(32)
    expect(place(setOf(1, Codec.gzip), { timestampType: TimestampType.logAppendTime, compressionType: 'uncompressed' })).toMatchObject({
      logAppendTime: NOW, maxTimestamp: NOW,
    })
  })

  test('a wrapper with garbage is refused', () => {
    const wrapper = writeMessageSet(1, { codec: 1, timestampType: 0, logAppendTime: -1, records })
    const garbage = Buffer.concat([wrapper.subarray(0, 40), Buffer.alloc(wrapper.length - 40, 9)])
    expect(refusal(() => checkStructure(garbage, structureRules)).code).toBe(2)
  })
})

test('a coordinator writes control records; they are never compressed', () => {
  const marker = controlBatch({ type: ControlType.commit, coordinatorEpoch: 1, producerId: 5, producerEpoch: 0, timestamp: NOW })
  const placed = placeRecords(
    marker, checkStructure(marker, { topicPartition: 'foo-0', fromClient: false }), { ...plainRules, fromClient: false, compressionType: 'gzip' }, placement)
  expect(placed).toMatchObject({ rebuilt: false, firstOffset: 500, lastOffset: 500 })
  expect(refusal(() => place(controlBatch({ type: 0, coordinatorEpoch: 1, producerId: 5, producerEpoch: 0, timestamp: NOW }))).code).toBe(87)
})

test('two batches at once are refused', () => {
  expect(refusal(() => place(Buffer.concat([batchOf(), batchOf()]))).message).toBe('Compressed outer record has more than one batch')
  expect(refusal(() => place(Buffer.alloc(0))).message).toBe('Record batch has no batches at all')
})
