import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { Codec, TimestampType, batchIsValidAt, codecAt, magicAt } from '../../../../protocol/records/batch'
import { codecByName } from '../../../../protocol/records/compression'
import { ErrorCode } from '../../../../protocol/errors'
import { decodeAnyRecords, downConvert, downConvertBatch, openMessageSet, upConvert } from '../../../../protocol/records/conversion'
import type { LegacyMagic } from '../../../../protocol/records/legacy'
import { legacyIsValidAt, writeMessage, writeMessageSet } from '../../../../protocol/records/legacy'
import { compressSnappy } from '../../../../protocol/records/snappy'
import { BatchBuilder, ControlType, controlBatch, decodeRecords, iterateBatches } from '../../../../protocol/records/records'
import { apacheBatches } from './apache-batches'

const text = Buffer.from('the value, the value, the value, the value')
const records = [
  { offset: 100, timestamp: 1000, key: null, value: text },
  { offset: 101, timestamp: 1050, key: Buffer.from('key1'), value: text },
  { offset: 102, timestamp: 1020, key: Buffer.from('key2'), value: null },
]
const headers = [{ key: 'hk', value: Buffer.from('hv') }, { key: 'null', value: null }]

describe.each(apacheBatches)('Apache Kafka, magic $magic, $codec, timestamp type $timestampType', ({ magic, codec, timestampType, base64 }) => {
  const bytes = Buffer.from(base64, 'base64')
  const expected = records.map((record) => ({
    ...record,
    timestamp: magic === 0 ? -1 : timestampType === 1 ? 5000 : record.timestamp,
    headers: magic === 2 ? headers : [],
  }))

  test('is read', () => {
    const batches = [...iterateBatches(bytes)]
    for (const batch of batches) expect(magic === 2 ? batchIsValidAt(batch, 0) : legacyIsValidAt(batch, 0)).toBe(true)
    const decoded = batches.flatMap((batch) => decodeAnyRecords(batch))
    expect(decoded.map(({ offset, timestamp, key, value, headers }) => ({ offset, timestamp, key, value, headers }))).toEqual(expected)
  })

  test('is written the same, where no compressor has its own way', () => {
    if (codec !== 'none') return
    if (magic === 2) {
      const builder = new BatchBuilder({
        baseOffset: 100, leaderEpoch: 6, timestampType, logAppendTime: 5000, producerId: 77, producerEpoch: 3, baseSequence: 9, transactional: true,
      })
      for (const { key, value, timestamp } of records) builder.append(key, value, headers, timestamp)
      expect(builder.build().toString('hex')).toBe(bytes.toString('hex'))
    } else {
      const written = writeMessageSet(magic, { codec: Codec.none, timestampType, logAppendTime: 5000, records })
      expect(written.toString('hex')).toBe(bytes.toString('hex'))
    }
  })

  test('a wrapper differs only in its compressed value', () => {
    if (magic === 2 || codec === 'none') return
    const written = writeMessageSet(magic, { codec: codecByName(codec) as Codec, timestampType, logAppendTime: 5000, records })
    const headerEnd = magic === 0 ? 22 : 30
    expect(written.subarray(0, 8)).toEqual(bytes.subarray(0, 8))
    expect(written.subarray(16, headerEnd)).toEqual(bytes.subarray(16, headerEnd))
    expect(decodeAnyRecords(written)).toEqual(decodeAnyRecords(bytes))
  })
})

describe('message sets', () => {
  const source = { codec: Codec.none, timestampType: TimestampType.createTime, logAppendTime: -1, records }

  test('up and down again gives the same records', () => {
    fc.assert(fc.property(
      fc.constantFrom<LegacyMagic>(0, 1), fc.constantFrom(0, 1, 2, 3) as fc.Arbitrary<Codec>,
      fc.array(fc.tuple(fc.option(fc.uint8Array({ maxLength: 9 })), fc.option(fc.uint8Array({ maxLength: 99 })), fc.nat()), { minLength: 1, maxLength: 8 }),
      (magic, codec, entries) => {
        const given = entries.map(([key, value, timestamp], i) => ({
          offset: i, timestamp, key: key && Buffer.from(key), value: value && Buffer.from(value),
        }))
        const set = writeMessageSet(magic, { ...source, codec, records: given })
        const opened = openMessageSet(set)
        expect(opened).toMatchObject({ magic, codec })
        const batch = upConvert(opened.records, { codec, baseOffset: 50 })
        expect(batchIsValidAt(batch, 0)).toBe(true)
        const down = downConvertBatch(batch, magic, 0) as Buffer
        expect([...iterateBatches(down)].flatMap((each) => decodeAnyRecords(each)).map(({ offset, timestamp, key, value }) => (
          { offset: offset - 50, timestamp, key, value }))).toEqual(given.map((each) => ({ ...each, timestamp: magic === 0 ? -1 : each.timestamp })))
      }), { numRuns: 150 })
  })

  test('a wrapper at offset 0 counts from 0 (librdkafka)', () => {
    const wrapper = writeMessageSet(1, { ...source, codec: Codec.gzip, records: records.map((each, i) => ({ ...each, offset: i })) })
    wrapper.writeBigInt64BE(0n, 0)
    expect(openMessageSet(wrapper).records.map((each) => each.offset)).toEqual([0, 1, 2])
  })

  test.each([
    ['two magics', () => Buffer.concat([writeMessageSet(0, source), writeMessageSet(1, source)]), /not the same as the first/],
    ['a wrapper among others', () => Buffer.concat([writeMessageSet(1, source), writeMessageSet(1, { ...source, codec: Codec.gzip })]), /more than one batch/],
    ['a wrapper in a wrapper', () => {
      const inner = writeMessageSet(1, { ...source, codec: Codec.gzip })
      return writeMessage(1, {
        offset: 9, timestamp: 1, timestampType: 0, codec: Codec.snappy, key: null,
        value: compressSnappy(inner),
      })
    }, /must not be compressed/],
    ['an empty wrapper', () => writeMessage(1, {
      offset: 0, timestamp: 1, timestampType: 0, codec: Codec.gzip, key: null, value: gzipSync(Buffer.alloc(0)),
    }), /no inner records/],
    ['a wrapper without a value', () => writeMessage(1, { offset: 0, timestamp: 1, timestampType: 0, codec: Codec.gzip, key: null, value: null }), /null value/],
    ['zstd', () => writeMessage(1, { offset: 0, timestamp: 1, timestampType: 0, codec: Codec.zstd, key: null, value: text }), /zstd cannot/],
    ['nothing', () => Buffer.alloc(0), /no batches/],
    ['a wrapper that ends too early', () => writeMessage(1, {
      offset: 1, timestamp: 1, timestampType: 0, codec: Codec.gzip, key: null,
      value: gzipSync(writeMessageSet(1, { ...source, records: records.map((each, i) => ({ ...each, offset: i + 1 })) })),
    }), /wrapper offset '1' is less than/],
    ['an inner checksum', () => {
      const inner = writeMessageSet(1, source)
      inner[12] = (inner[12] as number) ^ 1
      return writeMessage(1, { offset: 102, timestamp: 1, timestampType: 0, codec: Codec.gzip, key: null, value: gzipSync(inner) })
    }, /corrupt/],
  ])('%s is refused', (_, make, message) => {
    expect(() => openMessageSet(make())).toThrow(message)
  })

  test('a bomb in a wrapper stops at the limit', () => {
    const big = writeMessageSet(1, { ...source, codec: Codec.gzip, records: [{ offset: 0, timestamp: 1, key: null, value: Buffer.alloc(5_000_000) }] })
    expect(big.length).toBeLessThan(10_000)
    expect(() => openMessageSet(big, 1_000_000)).toThrow(/more than 1000000 bytes/)
  })
})

describe('down-conversion', () => {
  const batchOf = (codec: Codec, baseOffset: number) => {
    const builder = new BatchBuilder({ codec, baseOffset })
    for (let i = 0; i < 4; i++) builder.append(Buffer.from(`k${i}`), Buffer.from(`v${i}`), headers, 1000 + i)
    return builder.build()
  }

  test('uncompressed records below the fetch offset are left out, a compressed batch stays whole', () => {
    expect([...iterateBatches(downConvertBatch(batchOf(0, 10), 1, 12) as Buffer)].length).toBe(2)
    expect(decodeAnyRecords(downConvertBatch(batchOf(1, 10), 1, 12) as Buffer).map((each) => each.offset)).toEqual([10, 11, 12, 13])
  })

  test('control batches are not for old consumers; zstd cannot be read by them', () => {
    expect(downConvertBatch(controlBatch({ type: ControlType.abort, coordinatorEpoch: 0, producerId: 1, producerEpoch: 0, timestamp: 0 }), 0, 0)).toBeUndefined()
    expect(() => downConvertBatch(batchOf(Codec.zstd, 0), 1, 0)).toThrow(expect.objectContaining({ code: 76 }))
  })

  test('what would be too large opened is refused', () => {
    expect(() => downConvertBatch(batchOf(Codec.gzip, 0), 1, 0, 100)).toThrow(expect.objectContaining({ code: ErrorCode.MESSAGE_TOO_LARGE }))
    expect(downConvertBatch(batchOf(Codec.gzip, 0), 1, 0, 1000)).toBeDefined()
    expect(downConvertBatch(batchOf(Codec.none, 0), 1, 0, 100)).toBeDefined()
  })

  test('stops within its limit, but gives at least one batch', () => {
    const three = Buffer.concat([batchOf(0, 0), batchOf(2, 4), batchOf(0, 8)])
    const all = downConvert(three, 0, 0, 1 << 20)
    expect(all.nextOffset).toBe(12)
    expect([...iterateBatches(all.records)].flatMap((each) => decodeAnyRecords(each)).map((each) => each.offset)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    expect(downConvert(three, 0, 0, 1).nextOffset).toBe(4)
  })

  test('what cannot be converted does not hide what stands before it', () => {
    const bomb = new BatchBuilder({ codec: Codec.gzip, baseOffset: 4 }).append(null, Buffer.alloc(70 * 1024 * 1024), headers, 1).build()
    expect(downConvert(Buffer.concat([batchOf(0, 0), bomb]), 1, 0, 1 << 20).nextOffset).toBe(4)
    expect(() => downConvert(bomb, 1, 4, 1 << 20)).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }))
  })

  test('LogAppendTime reaches an old consumer', () => {
    const builder = new BatchBuilder({ timestampType: 1, logAppendTime: 7777 }).append(null, text, [], 1)
    const message = downConvertBatch(builder.build(), 1, 0) as Buffer
    expect(magicAt(message, 0)).toBe(1)
    expect(decodeAnyRecords(message)[0]).toMatchObject({ timestamp: 7777, timestampType: 1 })
  })

  test('what an old client wrote stays readable as magic 2', () => {
    const gzipV1 = apacheBatches.find((each) => each.magic === 1 && each.codec === 'gzip')
    const opened = openMessageSet(Buffer.from(gzipV1?.base64 ?? '', 'base64'))
    const batch = upConvert(opened.records, { codec: opened.codec, baseOffset: 5 })
    expect(codecAt(batch, 0)).toBe(1)
    expect(decodeRecords(batch).map((each) => each.offset)).toEqual([5, 6, 7])
  })
})
