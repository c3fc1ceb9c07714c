import { RecordFormat } from '../../../../cli/console/record-format'
import type { ConsumerRecord } from '../../../../client/fetched'

const record = {
  topic: 't',
  partition: 2,
  offset: 5,
  timestamp: 1_700_000_000_123,
  timestampType: 'CreateTime',
  leaderEpoch: 0,
  key: Buffer.from('k'),
  value: Buffer.from('v'),
  headers: [
    { key: 'h', value: Buffer.from('x') },
    { key: 'g', value: null },
  ],
} as unknown as ConsumerRecord

const show = (properties: Record<string, string>, changes: Partial<ConsumerRecord> = {}) =>
  new RecordFormat(properties, () => {}).format({ ...record, ...changes }).toString('utf8')

const ALL = {
  'print.timestamp': 'true',
  'print.partition': 'true',
  'print.offset': 'true',
  'print.headers': 'true',
  'print.key': 'true',
}

test('only the value, unless more is asked for', () => {
  expect(show({})).toBe('v\n')
  expect(show({ 'print.key': 'true' })).toBe('k\tv\n')
  expect(show({ 'print.key': 'true', 'print.value': 'false', 'line.separator': '|' })).toBe('k|')
})

test('the parts in their order', () => {
  expect(show(ALL)).toBe('CreateTime:1700000000123\tPartition:2\tOffset:5\th:x,g:null\tk\tv\n')
  expect(show({ ...ALL, 'key.separator': '; ', 'headers.separator': ' & ', 'null.literal': '-' })).toBe(
    'CreateTime:1700000000123; Partition:2; Offset:5; h:x & g:-; k; v\n',
  )
})

test('what is not there', () => {
  const bare = { key: null, value: null, headers: [], timestampType: 'NoTimestampType' } as Partial<ConsumerRecord>
  expect(show(ALL, bare)).toBe('NO_TIMESTAMP\tPartition:2\tOffset:5\tNO_HEADERS\tnull\tnull\n')
  expect(show({ 'null.literal': 'NIL' }, bare)).toBe('NIL\n')
})

test('deserializers by the last part of their name; bytes go through untouched', () => {
  const long = Buffer.alloc(8)
  long.writeBigInt64BE(-7n)
  expect(show({ 'value.deserializer': 'org.apache.kafka.common.serialization.LongDeserializer' }, { value: long })).toBe('-7\n')
  const double = Buffer.alloc(8)
  double.writeDoubleBE(2)
  expect(show({ 'value.deserializer': 'DoubleDeserializer' }, { value: double })).toBe('2.0\n')
  const plain = new RecordFormat({}, () => {})
  expect(plain.format({ ...record, value: Buffer.from([0xff, 0xfe]) })).toEqual(Buffer.from([0xff, 0xfe, 0x0a]))
  const warnings: string[] = []
  const format = new RecordFormat({ 'value.deserializer': 'no.such.Thing' }, (text) => warnings.push(text))
  expect(warnings).toEqual(['Unable to instantiate a deserializer from no.such.Thing'])
  expect(format.format({ ...record, value: Buffer.from('as it is') })).toEqual(Buffer.from('as it is\n'))
})
