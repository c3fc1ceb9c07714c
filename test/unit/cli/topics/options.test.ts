import { UsageError, parseCommandLine } from '../../../../cli/tool/command-line'
import { OPTIONS, checkOptions, parseAssignment, parseConfigs, topicFilter } from '../../../../cli/topics/options'

const parse = (text: string) =>
  parseCommandLine(
    OPTIONS,
    text.split(' ').filter((word) => word !== ''),
  )
const SERVER = '--bootstrap-server localhost:9092'

test.each([
  [`${SERVER} --list`, 'list'],
  [`${SERVER} --create --topic t --partitions 3 --replication-factor 2`, 'create'],
  [`${SERVER} --create --topic t --replica-assignment 0:1`, 'create'],
  [`${SERVER} --alter --topic t --partitions 3`, 'alter'],
  [`${SERVER} --delete --topic t --if-exists`, 'delete'],
  [`${SERVER} --describe --under-replicated-partitions --exclude-internal`, 'describe'],
  ['--zookeeper localhost:2181/chroot --describe --topics-with-overrides', 'describe'],
])('%s', (text, action) => {
  expect(checkOptions(parse(text))).toBe(action)
})

test.each([
  [SERVER, 'Command must include exactly one action: --list, --describe, --create, --alter or --delete'],
  [
    `${SERVER} --list --create --topic t`,
    'Command must include exactly one action: --list, --describe, --create, --alter or --delete',
  ],
  ['--list', '--bootstrap-server must be specified'],
  [`${SERVER} --create --topic t --json`, 'Option "[json]" can\'t be used with option "[create]"'],
  [`${SERVER} --list --force`, 'force is not a recognized option'],
  [`${SERVER} --create`, 'Missing required argument "[topic]"'],
  [`${SERVER} --delete`, 'Missing required argument "[topic]"'],
  [`${SERVER} --alter --topic t`, 'Missing required argument "[partitions]"'],
  [`${SERVER} --describe --if-exists`, '--topic or --topic-id is required to describe a topic'],
  [`${SERVER} --list --partitions 3`, 'Option "[partitions]" can\'t be used with option "[list]"'],
  [
    `${SERVER} --alter --topic t --partitions 3 --replication-factor 2`,
    'Option "[replication-factor]" can\'t be used with option "[alter]"',
  ],
  [
    `${SERVER} --create --topic t --replica-assignment 0:1 --partitions 1`,
    'Option "[replica-assignment]" can\'t be used with option "[partitions]"',
  ],
  [
    `${SERVER} --list --under-replicated-partitions`,
    'Option "[under-replicated-partitions]" can\'t be used with option "[list]"',
  ],
  [
    `${SERVER} --describe --topics-with-overrides --at-min-isr-partitions`,
    'Option "[at-min-isr-partitions]" can\'t be used with option "[topics-with-overrides]"',
  ],
  [`${SERVER} --create --topic t --if-exists`, 'Option "[if-exists]" can\'t be used with option "[create]"'],
  [`${SERVER} --list --if-not-exists`, 'Option "[if-not-exists]" can\'t be used with option "[list]"'],
  [`${SERVER} --delete --topic t --exclude-internal`, 'Option "[exclude-internal]" can\'t be used with option "[delete]"'],
  [`${SERVER} --zookeeper z:2181 --list`, 'Option "[zookeeper]" can\'t be used with option "[bootstrap-server]"'],
  [
    `${SERVER} --alter --topic t --partitions 3 --config a=b`,
    'Option combination "[[bootstrap-server], [config]]" can\'t be used with option "[alter]" (the kafka-configs CLI supports altering topic configs with a --bootstrap-server option)',
  ],
])('%s: refused', (text, message) => {
  expect(() => checkOptions(parse(text))).toThrow(new UsageError(message))
})

test('an assignment: partitions by comma, replicas by colon', () => {
  expect(parseAssignment('0:1,1:0')).toEqual([
    [0, 1],
    [1, 0],
  ])
  expect(() => parseAssignment('0:0,1:0')).toThrow('Partition replica lists may not contain duplicate entries: 0')
  expect(() => parseAssignment('0:1,1')).toThrow('Partition 1 has different replication factor: [1]')
  expect(() => parseAssignment('a')).toThrow('For input string: "a"')
})

test('configurations', () => {
  expect(parseConfigs(parse('--config retention.ms=1 --config cleanup.policy=compact'))).toEqual({
    'retention.ms': '1',
    'cleanup.policy': 'compact',
  })
  expect(() => parseConfigs(parse('--config retention.ms'))).toThrow('all configs to be added must be in the format "key=val"')
})

test('a topic is a regular expression for the whole name, with commas for or', () => {
  const matches = (expression: string) => ['test', 'test.topic', 'testXtopic', 'other'].filter(topicFilter(expression))
  expect(matches('test')).toEqual(['test'])
  expect(matches('test.*')).toEqual(['test', 'test.topic', 'testXtopic'])
  expect(matches('test\\.topic')).toEqual(['test.topic'])
  expect(matches('"test,other"')).toEqual(['test', 'other'])
  expect(() => topicFilter('a[')).toThrow('a[ is an invalid regex.')
})
