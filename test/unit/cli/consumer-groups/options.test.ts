import { OPTIONS, checkOptions, partitionsOfArgument, statesOf, typesOf } from '../../../../cli/consumer-groups/options'
import { parseCommandLine } from '../../../../cli/tool/command-line'

const warnings: string[] = []
const check = (text: string) => checkOptions(parseCommandLine(OPTIONS, text.split(' ')), (warning) => void warnings.push(warning))

test.each([
  ['--bootstrap-server b --list', 'list'],
  ['--bootstrap-server b --list --state', 'list'],
  ['--bootstrap-server b --describe --all-groups --members --verbose', 'describe'],
  ['--bootstrap-server b --delete --group g --group h', 'delete'],
  ['--bootstrap-server b --delete-offsets --group g --topic t', 'delete-offsets'],
])('%s', (text, action) => expect(check(text)).toBe(action))

test.each([
  ['--list', 'Missing required argument "[bootstrap-server]"'],
  ['--bootstrap-server b --list --members', 'Option(s) [members] are unavailable given other options on the command line'],
  [
    '--bootstrap-server b --describe --group g --type',
    'Option(s) [type] are unavailable given other options on the command line',
  ],
  ['--bootstrap-server b --describe', /takes one of these options/],
  ['--bootstrap-server b --describe --group g --state Stable', 'Option [describe] does not take a value for [state]'],
  ['--bootstrap-server b --delete --group g --topic t', /does not support topic-specific offset deletion/],
  ['--bootstrap-server b --list --delete --group g', 'Option "[group]" can\'t be used with option "[list]"'],
  [
    '--bootstrap-server b --reset-offsets --group g --dry-run --to-latest --to-earliest',
    'Option "[to-earliest]" can\'t be used with option "[to-latest]"',
  ],
  ['--bootstrap-server b --reset-offsets --group g --dry-run --execute', /only accepts one of/],
])('%s', (text, message) => expect(() => check(text)).toThrow(message))

test('a reset without a word on carrying it out warns', () => {
  warnings.length = 0
  expect(check('--bootstrap-server b --reset-offsets --group g --to-latest --all-topics')).toBe('reset-offsets')
  expect(warnings).toEqual([expect.stringMatching(/^WARN: No action will be performed/)])
})

test('states, types and partitions', () => {
  expect(statesOf('')).toEqual([])
  expect(statesOf('stable, EMPTY,stable')).toEqual(['Stable', 'Empty'])
  expect(() => statesOf('odd')).toThrow("Invalid state list 'odd'. Valid states are: ")
  expect(typesOf('classic,consumer')).toEqual(['Classic', 'Consumer'])
  expect(partitionsOfArgument('t:0,2')).toEqual({ topic: 't', partitions: [0, 2] })
  expect(() => partitionsOfArgument('t:')).toThrow("Invalid topic arg 't:', expected topic name and partitions")
  expect(() => partitionsOfArgument('t:x')).toThrow("Invalid partition 'x' specified in topic arg 't:x''")
})
