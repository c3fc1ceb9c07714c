import { CommandError, checkPath, parseWords, splitLine, wholeNumber } from '../../../../cli/zookeeper-shell/words'

test('a line in words: blanks part, quotes hold together', () => {
  expect(splitLine('  create -e   /a "some data"  \'more data\' ')).toEqual(['create', '-e', '/a', 'some data', 'more data'])
  expect(splitLine('set /a {"x":1}')).toEqual(['set', '/a', '{"x":1}'])
  expect(splitLine('set /a ""')).toEqual(['set', '/a', ''])
  expect(splitLine('   ')).toEqual([])
})

test('options stand anywhere, alone or together', () => {
  const letters = { s: false, w: false, v: true }
  const parse = (line: string) => parseWords(splitLine(line), letters)
  const one = parse('set -s /a -v 3 data')
  expect([one.args, one.has('s'), one.has('w'), one.value('v')]).toEqual([['set', '/a', 'data'], true, false, '3'])
  expect(parse('get -sw /a').has('w')).toBe(true)
  expect(parse('set -v7 /a x').value('v')).toBe('7')
  expect(parse('set -v=7 /a x').value('v')).toBe('7')
  expect(parse('set -v -1 /a x').value('v')).toBe('-1')
  expect(parse('set /a -5').args).toEqual(['set', '/a', '-5'])
  expect(parse('set /a -- -s').args).toEqual(['set', '/a', '-s'])
  expect(() => parse('ls -x /')).toThrow('org.apache.commons.cli.UnrecognizedOptionException: Unrecognized option: -x')
  expect(() => parse('ls -sx /')).toThrow('Unrecognized option: -sx')
  expect(() => parse('set /a x -v')).toThrow('org.apache.commons.cli.MissingArgumentException: Missing argument for option: v')
})

test('numbers', () => {
  expect(wholeNumber(undefined, -1, '')).toBe(-1)
  expect(wholeNumber('12', -1, '')).toBe(12)
  expect(() => wholeNumber('x', -1, 'not that')).toThrow(new CommandError('not that'))
})

test.each([
  ['', 'Path length must be > 0'],
  ['a', 'Path must start with / character'],
  ['/a/', 'Path must not end with / character'],
  ['/a//b', 'Invalid path string "/a//b" caused by empty node name specified @3'],
  ['/a/./b', 'Invalid path string "/a/./b" caused by relative paths not allowed @3'],
  ['/a/..', 'Invalid path string "/a/.." caused by relative paths not allowed @4'],
  ['/a\u0001', 'Invalid path string "/a\u0001" caused by invalid character @2'],
])('the path %j is refused', (path, message) => {
  expect(() => checkPath(path)).toThrow(message)
})

test.each(['/', '/a', '/a.b/..c/d...', '/ü/x y'])('the path %s is one', (path) => {
  expect(checkPath(path)).toBe(path)
})
