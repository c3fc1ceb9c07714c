import { lineFormat, linesOf, parseLine } from '../../../../cli/console/line-reader'

const read = (line: string, properties: Record<string, string> = {}) => {
  const { key, value, headers } = parseLine('t', line, 3, lineFormat(properties))
  return { key, value, ...(headers === undefined ? {} : { headers }) }
}

test('the whole line is the value, unless told otherwise', () => {
  expect(read('a\tb')).toEqual({ key: null, value: 'a\tb' })
  expect(read('')).toEqual({ key: null, value: '' })
})

test('a key, by tab or what is given', () => {
  expect(read('k\tv\tw', { 'parse.key': 'true' })).toEqual({ key: 'k', value: 'v\tw' })
  expect(read('k::v', { 'parse.key': ' TRUE ', 'key.separator': '::' })).toEqual({ key: 'k', value: 'v' })
  expect(read('\tv', { 'parse.key': 'true' })).toEqual({ key: '', value: 'v' })
})

test('headers stand in front', () => {
  expect(read('h1:x,h2:y\tk\tv', { 'parse.headers': 'true', 'parse.key': 'true' })).toEqual({
    key: 'k',
    value: 'v',
    headers: [
      { key: 'h1', value: 'x' },
      { key: 'h2', value: 'y' },
    ],
  })
  expect(
    read('a=1;b=2|v', {
      'parse.headers': 'true',
      'headers.delimiter': '|',
      'headers.separator': ';',
      'headers.key.separator': '=',
    }).headers,
  ).toEqual([
    { key: 'a', value: '1' },
    { key: 'b', value: '2' },
  ])
})

test('a marker for nothing', () => {
  const properties = { 'parse.headers': 'true', 'parse.key': 'true', 'null.marker': 'NULL' }
  expect(read('h:NULL\tNULL\tNULL', properties)).toEqual({ key: null, value: null, headers: [{ key: 'h', value: null }] })
  expect(read('NULL\tk\tv', properties)).toEqual({ key: 'k', value: 'v' })
  expect(() => read('NULL:x\tk\tv', properties)).toThrow(
    "Header keys should not be equal to the null marker 'NULL' as they can't be null",
  )
})

test('a line without what was asked for ends it, or goes as it is', () => {
  expect(() => read('nokey', { 'parse.key': 'true' })).toThrow("No key separator found on line number 3: 'nokey'")
  expect(() => read('nohead', { 'parse.headers': 'true' })).toThrow("No headers delimiter found on line number 3: 'nohead'")
  expect(() => read('nocolon\tv', { 'parse.headers': 'true' })).toThrow(
    "No header key separator found in pair 'nocolon' on line number 3",
  )
  expect(read('nokey', { 'parse.key': 'true', 'ignore.error': 'true' })).toEqual({ key: null, value: 'nokey' })
})

test.each([
  [{ 'headers.delimiter': ',' }, 'headers.delimiter and headers.separator may not be equal'],
  [{ 'headers.delimiter': ':' }, 'headers.delimiter and headers.key.separator may not be equal'],
  [{ 'headers.separator': ':' }, 'headers.separator and headers.key.separator may not be equal'],
  [{ 'null.marker': '\t' }, 'null.marker and key.separator may not be equal'],
])('%j is refused', (properties, message) => {
  expect(() => lineFormat(properties as Record<string, string>)).toThrow(message)
})

test('lines end where they end in Java, wherever the chunks do', async () => {
  const lines = async (...chunks: string[]): Promise<string[]> => {
    async function* input(): AsyncGenerator<string> {
      yield* chunks
    }
    const found: string[] = []
    for await (const line of linesOf(input())) found.push(line)
    return found
  }
  expect(await lines('a\nb\r\nc\rd')).toEqual(['a', 'b', 'c', 'd'])
  expect(await lines('a\r', '\nb', 'c\n', '\n', '\r\r\n')).toEqual(['a', 'bc', '', '', ''])
  expect(await lines('a\r', 'b\r', '\n')).toEqual(['a', 'b'])
  // Node's own readline ends a line here since 24.
  expect(await lines('a\u2028b\u2029c\u0085d\n')).toEqual(['a\u2028b\u2029c\u0085d'])
  expect(await lines()).toEqual([])
})
