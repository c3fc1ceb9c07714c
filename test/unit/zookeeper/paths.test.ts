import { isValidPath, parentOf } from '../../../zookeeper/paths'

test.each(['/', '/a', '/a/b', '/...', '/.a', '/a.', '/a..b', '/ü', '/日本', '/ ', '/a\u00a0', '/\uf900', '/\uffef'])(
  '%p is a path',
  (path) => {
    expect(isValidPath(path)).toBe(true)
  },
)

test.each([
  '',
  'a',
  'a/b',
  '//',
  '/a/',
  '/a//b',
  '/.',
  '/..',
  '/a/.',
  '/a/..',
  '/./a',
  '/../a',
  '/a/./b',
  '/a/../b',
  '/\0',
  '/\u001f',
  '/\u007f',
  '/\u009f',
  '/\ud800',
  '/\ue000',
  '/\uf8ff',
  '/\ufff0',
  '/\uffff',
])('%p is none', (path) => {
  expect(isValidPath(path)).toBe(false)
})

test('the parent of a child of the root is the empty path', () => {
  expect(parentOf('/a')).toBe('')
  expect(parentOf('/a/b')).toBe('/a')
  expect(parentOf('a')).toBeUndefined()
})
