import fc from 'fast-check'
import { BATCH_HEADER_BYTES, Codec, batchIsValidAt, isControlAt, isTransactionalAt } from '../../../../protocol/records/batch'
import {
  BatchBuilder, ControlType, controlBatch, decodeRecords, iterateBatches, parseControlRecord, recordBytes,
} from '../../../../protocol/records/records'
import { walkRecords } from '../../../../protocol/records/walk'

const bytes = fc.uint8Array({ maxLength: 40 }).map((each) => Buffer.from(each))
const nullable = fc.option(bytes, { nil: null })
const record = fc.record({
  key: nullable,
  value: nullable,
  headers: fc.array(fc.record({ key: fc.string({ maxLength: 6, }), value: nullable }), { maxLength: 3 }),
  timestamp: fc.oneof(fc.integer({ min: 0, max: 2_000_000_000_000 }), fc.constant(-1)),
})
const codec = fc.constantFrom(0, 1, 2, 3, 4) as fc.Arbitrary<Codec>

describe('BatchBuilder and decodeRecords', () => {
  test('what goes in comes out, with every codec', () => {
    fc.assert(fc.property(codec, fc.array(record, { minLength: 1, maxLength: 20 }), fc.nat(1e9), (codec, records, baseOffset) => {
      const builder = new BatchBuilder({ codec, baseOffset })
      let size = builder.uncompressedSize
      for (const { key, value, headers, timestamp } of records) {
        size += builder.sizeOf(key, value, headers, timestamp)
        builder.append(key, value, headers, timestamp)
        expect(builder.uncompressedSize).toBe(size)
      }
      const batch = builder.build()
      expect(batchIsValidAt(batch, 0)).toBe(true)
      expect(decodeRecords(batch)).toEqual(records.map((each, i) => ({ ...each, offset: baseOffset + i })))
      const plain = recordBytes(batch)
      expect(walkRecords(plain, 0, plain.length, records.length)).toMatchObject({ wellFormed: true, consecutive: true })
    }), { numRuns: 200 })
  })

  test('the walk takes exactly what can be decoded', () => {
    fc.assert(fc.property(fc.array(record, { minLength: 1, maxLength: 4 }), fc.nat(), fc.nat(255), (records, where, byte) => {
      const builder = new BatchBuilder()
      for (const { key, value, headers, timestamp } of records) builder.append(key, value, headers, timestamp)
      const batch = builder.build()
      batch[BATCH_HEADER_BYTES + (where % (batch.length - BATCH_HEADER_BYTES))] = byte
      const walk = walkRecords(batch, BATCH_HEADER_BYTES, batch.length, records.length)
      let decoded = true
      try {
        decodeRecords(batch)
      } catch {
        decoded = false
      }
      expect(walk.wellFormed).toBe(decoded)
    }), { numRuns: 1500 })
  })

  test('every prefix of the record bytes is refused, and one byte too many', () => {
    const batch = new BatchBuilder().append(Buffer.from('key'), Buffer.from('value'), [{ key: 'h', value: null }], 1).build()
    for (let end = BATCH_HEADER_BYTES; end < batch.length; end++) {
      const cut = Buffer.from(batch.subarray(0, end))
      cut.writeInt32BE(end - 12, 8)
      expect(() => decodeRecords(cut)).toThrow(expect.objectContaining({ code: 87 }))
      expect(walkRecords(cut, BATCH_HEADER_BYTES, end, 1).wellFormed).toBe(false)
    }
    const longer = Buffer.concat([batch, Buffer.from([0])])
    longer.writeInt32BE(longer.length - 12, 8)
    expect(() => decodeRecords(longer)).toThrow(/records still remaining/)
    expect(walkRecords(longer, BATCH_HEADER_BYTES, longer.length, 1).wellFormed).toBe(false)
  })

  test('a count of headers larger than the record is refused before anything is made for it', () => {
    const batch = new BatchBuilder().append(null, null, [], 1).build()
    // length 10: attributes, timestamp, offset, null key, null value, then a header count of 2^31-1.
    const body = Buffer.from([20, 0, 0, 0, 1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f])
    const hostile = Buffer.concat([batch.subarray(0, BATCH_HEADER_BYTES), body])
    hostile.writeInt32BE(hostile.length - 12, 8)
    expect(() => decodeRecords(hostile)).toThrow(/invalid number of record headers/)
    expect(walkRecords(hostile, BATCH_HEADER_BYTES, hostile.length, 1).wellFormed).toBe(false)
  })

  test('a count of records larger than the batch is refused', () => {
    const batch = new BatchBuilder().append(null, Buffer.from('v'), [], 1).build()
    batch.writeInt32BE(0x7fffffff, 57)
    expect(() => decodeRecords(batch)).toThrow(/premature EOF/)
    batch.writeInt32BE(-1, 57)
    expect(() => decodeRecords(batch)).toThrow(/invalid record count -1/)
  })

  test('LogAppendTime gives every record the time of the batch', () => {
    const batch = new BatchBuilder({ timestampType: 1, logAppendTime: 500 }).append(null, Buffer.from('a'), [], 1).append(null, null, [], 9).build()
    expect(decodeRecords(batch).map((each) => each.timestamp)).toEqual([500, 500])
  })

  test('offsets with gaps and a last offset beyond the last record, as the cleaner writes them', () => {
    const batch = new BatchBuilder({ baseOffset: 10, deleteHorizonMs: 7000 })
      .appendAt(12, Buffer.from('a'), null, [], 100)
      .appendAt(15, Buffer.from('b'), Buffer.from('1'), [], 200)
      .overrideLastOffset(19)
      .build()
    expect(decodeRecords(batch).map(({ offset, timestamp }) => [offset, timestamp])).toEqual([[12, 100], [15, 200]])
    expect(batch.readInt32BE(23)).toBe(9)
    expect(() => new BatchBuilder({ baseOffset: 10 }).appendAt(9, null, null, [], 1)).toThrow(RangeError)
  })
})

describe('iterateBatches', () => {
  const one = new BatchBuilder().append(null, Buffer.from('one'), [], 1).build()
  const two = new BatchBuilder({ baseOffset: 1 }).append(null, Buffer.from('two'), [], 1).build()

  test('gives whole batches and leaves out the piece at the end', () => {
    for (let cut = 0; cut < two.length; cut++) {
      expect([...iterateBatches(Buffer.concat([one, two.subarray(0, cut)]))]).toEqual([one])
    }
    expect([...iterateBatches(Buffer.concat([one, two]))]).toEqual([one, two])
  })

  test('refuses a length that no batch can have', () => {
    for (const length of [-1, 0, 48, -0x80000000]) {
      const bad = Buffer.from(two)
      bad.writeInt32BE(length, 8)
      expect(() => [...iterateBatches(Buffer.concat([one, bad]))]).toThrow(expect.objectContaining({ code: 2 }))
    }
  })
})

describe('control batches', () => {
  test('a commit marker, byte for byte in key and value', () => {
    const batch = controlBatch({ type: ControlType.commit, coordinatorEpoch: 5, producerId: 9, producerEpoch: 2, timestamp: 1 })
    expect(isControlAt(batch, 0) && isTransactionalAt(batch, 0) && batchIsValidAt(batch, 0)).toBe(true)
    const [record] = decodeRecords(batch)
    expect(record?.key?.toString('hex')).toBe('00000001')
    expect(record?.value?.toString('hex')).toBe('000000000005')
    expect(parseControlRecord(record?.key ?? null, record?.value ?? null)).toEqual({ type: 1, coordinatorEpoch: 5 })
  })

  test('another type is no end of a transaction; a short key is refused', () => {
    expect(parseControlRecord(Buffer.from('00000002', 'hex'), null)).toBeUndefined()
    expect(() => parseControlRecord(Buffer.from('0000', 'hex'), null)).toThrow(/at least 4 bytes/)
    expect(() => parseControlRecord(null, null)).toThrow(/at least 4 bytes/)
    expect(() => parseControlRecord(Buffer.from('00000001', 'hex'), Buffer.from('0000', 'hex'))).toThrow(/at least 6 bytes/)
  })
})
