import fc from 'fast-check'
import { batchIsValidAt } from '../../../../protocol/records/batch'
import { openMessageSet } from '../../../../protocol/records/conversion'
import { writeMessageSet } from '../../../../protocol/records/legacy'
import { BatchBuilder, decodeRecords } from '../../../../protocol/records/records'
import { checkProduceVersion, checkStructure } from '../../../../protocol/records/structure'

// Another implementation of the same formats.
const KafkajsDecoder = require('kafkajs/src/protocol/decoder')
const kafkajsRecord = require('kafkajs/src/protocol/recordBatch/record/v0')
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0')
const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder')
const kafkajsMessageSet = require('kafkajs/src/protocol/messageSet')
const decodeMessageSet = require('kafkajs/src/protocol/messageSet/decoder')

const T0 = 1_700_000_000_000
const bytes = fc.option(fc.uint8Array({ maxLength: 50 }).map((each) => Buffer.from(each)), { nil: null })
const entry = fc.record({ key: bytes, value: bytes, header: fc.string({ minLength: 1, maxLength: 5 }), after: fc.nat(100_000) })
const entries = fc.array(entry, { minLength: 1, maxLength: 10 })
const codec = fc.constantFrom(0, 1) as fc.Arbitrary<0 | 1>

test('batches of kafkajs are read', async () => {
  await fc.assert(fc.asyncProperty(entries, codec, async (entries, compression) => {
    const batch = await RecordBatch({
      compression, firstTimestamp: T0, maxTimestamp: T0 + 100_000, lastOffsetDelta: entries.length - 1, producerId: 12, producerEpoch: 3, firstSequence: 4,
      records: entries.map(({ key, value, header, after }, i) => kafkajsRecord({
        offsetDelta: i, timestampDelta: after, key, value, headers: { [header]: Buffer.from('x') },
      })),
    })
    const buffer: Buffer = batch.buffer
    expect(batchIsValidAt(buffer, 0)).toBe(true)
    expect(checkStructure(buffer, { topicPartition: 't-0', fromClient: true })).toMatchObject({ batchCount: 1, codec: compression, validBytes: buffer.length })
    expect(() => checkProduceVersion(3, buffer)).not.toThrow()
    expect(decodeRecords(buffer)).toEqual(entries.map(({ key, value, header, after }, i) => ({
      offset: i, timestamp: T0 + after, key, value, headers: [{ key: header, value: Buffer.from('x') }],
    })))
  }), { numRuns: 100 })
})

test('kafkajs reads ours', async () => {
  await fc.assert(fc.asyncProperty(entries, codec, fc.nat(1e9), async (entries, codec, baseOffset) => {
    const builder = new BatchBuilder({ codec, baseOffset, leaderEpoch: 2, producerId: 77, producerEpoch: 1, baseSequence: 0 })
    for (const { key, value, header, after } of entries) builder.append(key, value, [{ key: header, value: Buffer.from('x') }], T0 + after)
    const decoded = await decodeBatch(new KafkajsDecoder(builder.build()))
    expect(decoded).toMatchObject({ partitionLeaderEpoch: 2, producerId: '77', producerEpoch: 1, firstSequence: 0, lastOffsetDelta: entries.length - 1 })
    expect(decoded.records.map(({ offset, timestamp, key, value, headers }: Record<string, unknown>) => ({ offset, timestamp, key, value, headers }))).toEqual(
      entries.map(({ key, value, header, after }, i) => ({
        offset: String(baseOffset + i), timestamp: String(T0 + after), key, value, headers: { [header]: Buffer.from('x') },
      })))
  }), { numRuns: 100 })
})

test.each([0, 1] as const)('message sets of magic %i, both ways', async (magic) => {
  const records = [{ key: Buffer.from('k'), value: Buffer.from('v') }, { key: null, value: Buffer.from('w') }]
  const theirs: Buffer = kafkajsMessageSet({ messageVersion: magic, compression: 0, entries: records.map((each) => ({ ...each, timestamp: T0 })) }).buffer
  expect(openMessageSet(theirs).records.map(({ key, value, timestamp }) => ({ key, value, timestamp }))).toEqual(
    records.map((each) => ({ ...each, timestamp: magic === 0 ? -1 : T0 })))
  for (const codec of [0, 1] as const) {
    const ours = writeMessageSet(magic, {
      codec, timestampType: 0, logAppendTime: -1, records: records.map((each, i) => ({ ...each, offset: 20 + i, timestamp: T0 + i })),
    })
    const sized = Buffer.concat([Buffer.alloc(4), ours])
    sized.writeInt32BE(ours.length, 0)
    const decoded = await decodeMessageSet(new KafkajsDecoder(sized))
    expect(decoded.map(({ offset, key, value }: Record<string, unknown>) => ({ offset, key, value }))).toEqual(
      records.map((each, i) => ({ ...each, offset: String(20 + i) })))
  }
})
