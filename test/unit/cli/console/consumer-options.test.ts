import { checkOptions, consumerConfig, startOf } from '../../../../cli/console/consumer-options'
import { parseCommandLine } from '../../../../cli/tool/command-line'

const NAMES = [
  'topic',
  'include',
  'whitelist',
  'partition',
  'offset',
  'bootstrap-server',
  'group',
  'consumer-property',
  'isolation-level',
]
const OPTIONS = [
  ...NAMES.map((name) => ({ name, argument: 'String', description: '' })),
  { name: 'from-beginning', description: '' },
]
const line = (text: string) => parseCommandLine(OPTIONS, text.split(' '))
const config = (text: string) => consumerConfig(line(`--bootstrap-server b --topic t${text}`), () => 0.25)

test('without a group a new one, which commits nothing', () => {
  expect(config('')).toEqual({
    'client.id': 'console-consumer',
    'bootstrap.servers': 'b',
    'auto.offset.reset': 'latest',
    'group.id': 'console-consumer-25000',
    'enable.auto.commit': 'false',
  })
  expect(config(' --consumer-property enable.auto.commit=true')).toMatchObject({ 'enable.auto.commit': 'true' })
})

test('a group commits', () => {
  expect(config(' --group g --from-beginning --isolation-level read_committed')).toEqual({
    'client.id': 'console-consumer',
    'bootstrap.servers': 'b',
    'auto.offset.reset': 'earliest',
    'group.id': 'g',
    'isolation.level': 'read_committed',
  })
  expect(config(' --group g --consumer-property group.id=g')).toMatchObject({ 'group.id': 'g' })
  expect(() => config(' --group g --consumer-property group.id=h')).toThrow("do not match. Detected group ids: 'g', 'h'")
  expect(() => config(' --group g --partition 0')).toThrow('Options group and partition cannot be specified together.')
  expect(() => config(' --from-beginning --consumer-property auto.offset.reset=latest')).toThrow(
    /^Can't simultaneously specify --from-beginning/,
  )
})

test.each([
  ['--bootstrap-server b', 'Exactly one of --include/--topic is required. '],
  ['--topic t --include t', 'Exactly one of --include/--topic is required. '],
  ['--include t --partition 0', 'The topic is required when partition is specified.'],
  ['--topic t --partition 0 --offset 1 --from-beginning', 'Options from-beginning and offset cannot be specified together.'],
  ['--topic t --offset 1', 'The partition is required when offset is specified.'],
  ['--topic t', 'Missing required argument "[bootstrap-server]"'],
])('%s', (text, message) => expect(() => checkOptions(line(text))).toThrow(message))

test('where to begin', () => {
  expect(
    ['--offset EARLIEST', '--offset latest', '--offset 12', '--from-beginning', '--topic t'].map((text) => startOf(line(text))),
  ).toEqual(['earliest', 'latest', 12, 'earliest', 'latest'])
  expect(() => startOf(line('--offset=-2'))).toThrow("The provided offset value '-2' is incorrect.")
})
