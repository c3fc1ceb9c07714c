import { javaDouble, jsonDouble } from '../../../../cli/tool/java-number'

test.each([
  [0, '0.0'],
  [1, '1.0'],
  [1.5, '1.5'],
  [3.592814371257485, '3.592814371257485'],
  [1e7, '1.0E7'],
  [1.25e10, '1.25E10'],
  [0.001, '0.001'],
  [0.00025, '2.5E-4'],
  [-2, '-2.0'],
  [NaN, 'NaN'],
  [Infinity, 'Infinity'],
])('%d is %s', (value, text) => expect(javaDouble(value)).toBe(text))

test('what is no number is a text in JSON', () => {
  expect([jsonDouble(2), jsonDouble(NaN)]).toEqual(['2.0', '"NaN"'])
})
