import { ArgumentError, UsageError, parseCommandLine } from '../../../../cli/tool/command-line'
import { checkAddresses } from '../../../../cli/tool/addresses'
import type { OptionSpec } from '../../../../cli/tool/usage'

const SPECS: readonly OptionSpec[] = [
  { name: 'topic', argument: 'String: topic', description: '' },
  { name: 'topic-id', argument: 'String: id', description: '' },
  { name: 'partitions', argument: 'Integer: n', description: '' },
  { name: 'config', argument: 'String: key=value', repeat: true, description: '' },
  { name: 'codec', argument: 'String', optionalArgument: true, description: '' },
  { name: 'list', description: '' },
  { name: 'consumer.config', argument: 'String: file', description: '' },
]
const parse = (...argv: string[]) => parseCommandLine(SPECS, argv)

function complaint(action: () => unknown): Error {
  try {
    action()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was wrong')
}

test('values stand behind a blank or an equals sign, and options may be shortened', () => {
  const line = parse(
    '--topic',
    'a',
    '--partitions=3',
    '--config',
    'x=1',
    '--config=y=2',
    '--li',
    '--consumer.config',
    'f.properties',
    'rest',
  )
  expect(line.value('topic')).toBe('a')
  expect(line.whole('partitions')).toBe(3)
  expect(line.values('config')).toEqual(['x=1', 'y=2'])
  expect(line.has('list')).toBe(true)
  expect(line.value('consumer.config')).toBe('f.properties')
  expect(line.rest).toEqual(['rest'])
  expect(line.has('codec')).toBe(false)
})

test('a value may begin with a dash, and an optional one be left out', () => {
  expect(parse('--partitions', '-1').whole('partitions')).toBe(-1)
  expect(parse('--topic', '--weird').value('topic')).toBe('--weird')
  const bare = parse('--codec', '--list')
  expect([bare.has('codec'), bare.value('codec'), bare.has('list')]).toEqual([true, '', true])
  expect(parse('--codec', 'zstd').value('codec')).toBe('zstd')
})

test('what cannot be parsed is said without the usage', () => {
  for (const [argv, message] of [
    [['--nosuch'], 'nosuch is not a recognized option'],
    [['--top', 'x'], 'top is not a recognized option'],
    [['--topic'], 'Option topic requires an argument'],
    [['--topic', '--list'], 'Option topic requires an argument'],
  ] as const) {
    const error = complaint(() => parse(...argv))
    expect(error).toBeInstanceOf(UsageError)
    expect([error.message, (error as UsageError).withUsage]).toEqual([message, false])
  }
})

test('what is missing or in conflict is said with the usage', () => {
  const line = parse('--topic', 'a', '--list')
  const missing = complaint(() => line.required('partitions'))
  expect([missing.message, (missing as UsageError).withUsage]).toEqual(['Missing required argument "[partitions]"', true])
  expect(complaint(() => line.requireAll(['topic', 'config'])).message).toBe('Missing required argument "[config]"')
  const conflict = complaint(() => line.refuseTogether('topic', ['config', 'list']))
  expect(conflict.message).toBe('Option "[topic]" can\'t be used with option "[list]"')
  expect(() => line.refuseTogether('config', ['list'])).not.toThrow()
})

test('one value, and a number where a number is due', () => {
  const twice = complaint(() => parse('--partitions', '1', '--partitions', '2').whole('partitions'))
  expect(twice).toBeInstanceOf(ArgumentError)
  expect(twice.message).toBe('Found multiple arguments for option partitions, but you asked for only one')
  expect(complaint(() => parse('--partitions', 'x').whole('partitions')).message).toBe(
    "Cannot parse argument 'x' of option partitions",
  )
  expect(parse().whole('partitions', 7)).toBe(7)
})

test('addresses need a port', () => {
  expect(() => checkAddresses('a:1, b:2')).not.toThrow()
  expect(complaint(() => checkAddresses('a:1,b')).message).toBe('Please provide valid host:port like host1:9091,host2:9092\n ')
})
