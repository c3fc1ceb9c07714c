import fc from 'fast-check'
import { formatProperties, parseProperties } from '../../../../protocol/files/properties'

/** Each expectation is what java.util.Properties answers. */
const readings: [string, Record<string, string>][] = [
  ['a=b\nc = d\n e:f\ng h\n', { a: 'b', c: 'd', e: 'f', g: 'h' }],
  ['# comment\n! other\n   # a third\n\nz=1', { z: '1' }],
  ['# not continued \\\nz=1', { z: '1' }],
  ['k=line one \\\n   line two', { k: 'line one line two' }],
  ['a\\\n\\\n  b=c', { ab: 'c' }],
  ['  \\\n  q=1', { q: '1' }],
  ['a=b\\\\\nc=d\r\ne=f\rg=h', { a: 'b\\', c: 'd', e: 'f', g: 'h' }],
  ['end=\\', { end: '' }],
  ['empty=\nonly\n=novalue', { empty: '', only: '', '': 'novalue' }],
  ['\\=key\\:x=v\\=w', { '=key:x': 'v=w' }],
  ['uni=\\u00e9\\u4e2D', { uni: 'é中' }],
  ['back=a\\\\b\\tc\\n\\f\\r\\q', { back: 'a\\b\tc\n\f\rq' }],
  ['space\\ key=  lead\\ ing ', { 'space key': 'lead ing ' }],
  ['t\t=\t:v\nu==v', { t: ':v', u: '=v' }],
  ['dup=1\ndup=2', { dup: '2' }],
  ['listeners=PLAINTEXT://:9092,SSL://:9093', { listeners: 'PLAINTEXT://:9092,SSL://:9093' }],
]

test.each(readings)('%j', (text, expected) => {
  expect(parseProperties(text)).toEqual(expected)
})

test('a malformed escape is refused', () => {
  expect(() => parseProperties('a=\\u12x4')).toThrow(SyntaxError)
})

test('is written as Java stores it', () => {
  expect(formatProperties({ 'k a=b': ' lead é\t', c: 'a=b:c#d!e\\' }, ['', 'now'])).toBe(
    '#\n#now\nk\\ a\\=b=\\ lead \\u00E9\\t\nc=a\\=b\\:c\\#d\\!e\\\\\n')
})

test('what is written is read', () => {
  fc.assert(fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })), (entries) => {
    expect({ ...parseProperties(formatProperties(entries, ['a comment'])) }).toEqual({ ...entries })
  }), { numRuns: 500 })
})
