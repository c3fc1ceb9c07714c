import * as fc from 'fast-check'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import {
  Codec, TimestampType, baseOffsetAt, baseSequenceAt, baseTimestampAt, codecAt, hasDeleteHorizonAt, isTransactionalAt, leaderEpochAt,
  lastOffsetAt, magicAt, maxTimestampAt, producerEpochAt, producerIdAt, timestampTypeAt,
} from '../../../../protocol/records/batch'
import { decodeAnyRecords } from '../../../../protocol/records/conversion'
import { writeMessageSet } from '../../../../protocol/records/legacy'
import { BatchBuilder, iterateBatches } from '../../../../protocol/records/records'
import type { LegacyMagic } from '../../../../protocol/records/legacy'

/**
 * Beside Kafka's own record batches: KAFKA_JARS=<folder with the jars of kafka-clients> npx jest apache-oracle. Java must read in
 * random batches of every codec what is in them, and what Java makes of the same must be the same bytes or, where the compressed
 * ones depend on the library, be read as the same.
 */
const jars = process.env['KAFKA_JARS']
const run = jars === undefined ? test.skip : test
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

const bytes = fc.oneof(
  fc.constant(null),
  fc.uint8Array({ maxLength: 40 }),
  // What compresses, also over the block of a codec.
  fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 6000 })).map(([part, times]) => Buffer.alloc(part.length * times, part)),
).map((each) => (each === null ? null : Buffer.from(each)))
const headers = fc.array(fc.record({ key: fc.string({ unit: 'grapheme', maxLength: 8 }), value: bytes.filter((each) => (each?.length ?? 0) < 100) }), { maxLength: 3 })
const timestamp = fc.oneof(fc.constant(1_700_000_000_000), fc.integer({ min: 0, max: 2 ** 45 }))
const record = fc.record({ gap: fc.oneof(fc.constant(0), fc.nat(300)), timestamp, key: bytes, value: bytes, headers })
const records = fc.array(record, { minLength: 1, maxLength: 12 })
const codec = fc.constantFrom(Codec.none, Codec.gzip, Codec.snappy, Codec.lz4, Codec.zstd)

const batches = fc.record({
  records, codec,
  baseOffset: fc.oneof(fc.nat(), fc.constant(2 ** 52)),
  leaderEpoch: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
  logAppendTime: fc.option(timestamp, { nil: undefined }),
  producer: fc.option(fc.record({ producerId: fc.nat(), producerEpoch: fc.nat(32767), baseSequence: fc.nat(), transactional: fc.boolean() }), { nil: undefined }),
  deleteHorizonMs: fc.option(fc.integer({ min: 1, max: 2 ** 42 }), { nil: undefined }),
  more: fc.oneof(fc.constant(0), fc.nat(100)),
}).map(({ records: given, logAppendTime, producer, deleteHorizonMs, more, ...rest }) => {
  const builder = new BatchBuilder({
    ...rest, ...producer, ...(deleteHorizonMs === undefined ? {} : { deleteHorizonMs }),
    ...(logAppendTime === undefined ? {} : { logAppendTime, timestampType: TimestampType.logAppendTime }),
  })
  let offset = rest.baseOffset
  for (const each of given) {
    offset += each.gap
    builder.appendAt(offset++, each.key, each.value, each.headers, each.timestamp)
  }
  return builder.overrideLastOffset(offset - 1 + more).build()
})

const messageSets = fc.record({
  records, codec: codec.filter((each) => each !== Codec.zstd), magic: fc.constantFrom<LegacyMagic>(0, 1),
}).map(({ records: given, codec: its, magic }) => writeMessageSet(magic, {
  codec: its, timestampType: TimestampType.createTime, logAppendTime: -1,
  records: given.map((each, i) => ({ ...each, offset: i, timestamp: magic === 0 ? -1 : each.timestamp })),
}))

function hex(each: Buffer | null): string {
  return each === null ? 'null' : each.toString('hex')
}

function headOf(batch: Buffer): string {
  return [
    magicAt(batch, 0), NAMES[codecAt(batch, 0)], ['CreateTime', 'LogAppendTime'][timestampTypeAt(batch, 0)], baseOffsetAt(batch, 0),
    lastOffsetAt(batch, 0), maxTimestampAt(batch, 0), leaderEpochAt(batch, 0), producerIdAt(batch, 0), producerEpochAt(batch, 0),
    baseSequenceAt(batch, 0), isTransactionalAt(batch, 0), hasDeleteHorizonAt(batch, 0) ? baseTimestampAt(batch, 0) : -1,
  ].join(' ')
}

/** What we read in one batch, in the words of Batches.java. */
function read(batch: Buffer): string {
  const lines = decodeAnyRecords(batch).map((each) => [
    each.offset, each.timestamp, hex(each.key), hex(each.value), ...each.headers.map(({ key, value }) => `${hex(Buffer.from(key))}=${hex(value)}`),
  ].join(' '))
  return [magicAt(batch, 0) >= 2 ? headOf(batch) : '', ...lines].join('|')
}

function java(inputs: Buffer[]): { text: string; made: Buffer }[][] {
  const options = { input: inputs.map((each) => `${each.toString('hex')}\n`).join(''), encoding: 'utf8' as const, maxBuffer: 1 << 30 }
  const lines = execFileSync('java', ['-cp', `${jars}/*`, join(__dirname, 'Batches.java')], options).trimEnd().split('\n')
  expect(lines.length).toBe(inputs.length)
  return lines.map((line) => line.split('##').map((each) => {
    const [text, made] = each.split('#')
    return { text: text!, made: Buffer.from(made ?? '', 'hex') }
  }))
}

run(`random batches of every codec, seed ${seed} (needs KAFKA_JARS)`, () => {
  const inputs = fc.sample(batches, { numRuns: 600, seed })
  for (const [i, [answer, ...others]] of java(inputs).entries()) {
    const batch = inputs[i]!
    expect(others).toEqual([])
    expect(answer!.text).toBe(read(batch))
    // With LogAppendTime Java's builder forgets what the producers said; a broker of either kind that stamps a batch leaves it in.
    const isExact = codecAt(batch, 0) === Codec.none && timestampTypeAt(batch, 0) === TimestampType.createTime
    if (isExact) expect(answer!.made.toString('hex')).toBe(batch.toString('hex'))
    else expect(read(answer!.made)).toBe(read(batch))
  }
}, 120_000)

run(`random message sets of magic 0 and 1, seed ${seed} (needs KAFKA_JARS)`, () => {
  const inputs = fc.sample(messageSets, { numRuns: 300, seed })
  for (const [i, answers] of java(inputs).entries()) {
    const ours = [...iterateBatches(inputs[i]!)]
    expect(answers.length).toBe(ours.length)
    for (const [j, { text, made }] of answers.entries()) {
      const [, ...theirs] = text.split('|')
      expect(['', ...theirs].join('|')).toBe(read(ours[j]!))
      expect(read(made)).toBe(read(ours[j]!))
    }
  }
}, 120_000)
