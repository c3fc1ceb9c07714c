import { parseDateTime, parseDuration } from '../../../../cli/tool/java-time'

test.each([
  ['2024-02-29T12:00:00.000', Date.UTC(2024, 1, 29, 12)],
  ['2024-02-29T12:00:00.500Z', Date.UTC(2024, 1, 29, 12, 0, 0, 500)],
  ['2024-02-29T12:00:00.000+02:00', Date.UTC(2024, 1, 29, 10)],
  ['2024-02-29T12:00:00.000-0130', Date.UTC(2024, 1, 29, 13, 30)],
  ['2024-02-29T12:00:00.000+02', Date.UTC(2024, 1, 29, 10)],
])('%s', (text, expected) => expect(parseDateTime(text)).toBe(expected))

test.each(['yesterday', '2024-02-29', '2024-02-29T12:00:00', '2024-02-29Tnoon'])('%s is no time', (text) => {
  expect(() => parseDateTime(text)).toThrow(/^(Error parsing timestamp|Unparseable date)/)
})

test.each([
  ['PT0S', 0],
  ['P1D', 86_400_000],
  ['P1DT1H2M3.5S', 90_123_500],
  ['PT-1H', -3_600_000],
  ['-PT1H', -3_600_000],
  ['pt1m', 60_000],
  ['PT-1.5S', -1500],
])('%s', (text, expected) => expect(parseDuration(text)).toBe(expected))

test.each(['', 'P', 'PT', '1H', 'P1H', 'P1DT', 'PT1.S2'])('%j is no duration', (text) => {
  expect(() => parseDuration(text)).toThrow('Text cannot be parsed to a Duration')
})
