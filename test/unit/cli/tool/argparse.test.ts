import { ArgparseError, HelpRequest, parseArguments } from '../../../../cli/tool/argparse'
import type { Parser } from '../../../../cli/tool/argparse'

const parser: Parser = {
  program: 'tool',
  description: 'Does things.',
  arguments: [
    { name: '--server', metavar: 'host:port', help: 'The server.', required: true },
    { name: '--count', help: 'How many.', kind: 'integer', fallback: '7' },
    { name: '--props', help: 'Many.', kind: 'list' },
  ],
  commands: [
    {
      name: 'list',
      help: 'lists',
      arguments: [
        { name: '--all', help: 'All.', kind: 'flag' },
        { name: '--duration', help: 'ms', kind: 'long' },
      ],
    },
    {
      name: 'pick',
      help: 'picks',
      arguments: [
        { name: '--a', help: 'A.', oneOf: 'x' },
        { name: '--b', help: 'B.', oneOf: 'x' },
        { name: '--epoch', help: 'E.', kind: 'short' },
      ],
    },
  ],
}
const parse = (text: string) =>
  parseArguments(
    parser,
    text.split(' ').filter((word) => word !== ''),
  )
function complaint(text: string): string {
  try {
    parse(text)
  } catch (error) {
    if (error instanceof ArgparseError) return error.message
    throw error
  }
  throw new Error('nothing was wrong')
}

test('values, flags, lists, defaults, abbreviations', () => {
  const given = parse('--props a --serv=h:1 list --all --duration -5')
  expect([given.command, given.text('--server'), given.list('--props'), given.has('--all'), given.number('--duration')]).toEqual([
    'list',
    'h:1',
    ['a'],
    true,
    -5,
  ])
})

test('a list ends in front of an option', () => {
  const list: Parser = { program: 'p', arguments: [...parser.arguments] }
  const given = parseArguments(list, ['--props', 'a=1', 'b=2', '--server', 's'])
  expect([given.list('--props'), given.number('--count')]).toEqual([['a=1', 'b=2'], 7])
})

test.each([
  ['', 'tool: error: too few arguments'],
  ['list', 'tool: error: argument --server is required'],
  ['--server s', 'tool: error: too few arguments'],
  ['--server s nonsense', "tool: error: invalid choice: 'nonsense' (choose from 'list', 'pick')"],
  ['--server s list --odd', "tool: error: unrecognized arguments: '--odd'"],
  ['--server s list more', "tool: error: unrecognized arguments: 'more'"],
  ['--server s list --duration', 'tool: error: argument --duration: expected one argument'],
  ['--server s list --duration x', 'tool: error: argument --duration: could not convert \'x\' to Long (For input string: "x")'],
  ['--server s pick', 'tool: error: one of the arguments --a --b is required'],
  ['--server s pick --a 1 --b 2', 'tool: error: argument --b: not allowed with argument --a'],
  [
    '--server s pick --a 1 --epoch 70000',
    'tool: error: argument --epoch: could not convert \'70000\' to Short (Value out of range. Value:"70000" Radix:10)',
  ],
])('%j', (text, message) => expect(complaint(text)).toBe(message))

test('usage and help', () => {
  let usage = ''
  try {
    parse('--server s pick')
  } catch (error) {
    usage = (error as ArgparseError).usage
  }
  expect(usage).toBe('usage: tool --server host:port pick [-h] [--epoch EPOCH] (--a A | --b B)\n')
  expect(() => parse('--help')).toThrow(HelpRequest)
  const wrapped = ' '.repeat('usage: tool '.length)
  const lines = [
    'usage: tool [-h] --server host:port [--count COUNT]',
    `${wrapped}[--props PROPS [PROPS ...]] COMMAND ...`,
    '',
    'Does things.',
    '',
    'optional arguments:',
    '  -h, --help             Shows this and exits.',
    '  --server host:port     The server.',
    '  --count COUNT          How many. (default: 7)',
    '  --props PROPS [PROPS ...]',
    '                         Many.',
    '',
    'commands:',
    '  COMMAND',
    '    list                 lists',
    '    pick                 picks',
    '',
  ]
  expect(() => parse('--help')).toThrow(new HelpRequest(lines.join('\n')))
})
