import { pauseMs } from '../../../../cli/tool/pace'

test.each([
  [-1, 100, 0, 0],
  [0, 0, 0, Infinity],
  [100, 50, 100, 400],
  [100, 50, 600, 0],
])('%d a second: after %d in %d ms wait %d ms', (perSecond, sent, elapsedMs, expected) => {
  expect(pauseMs(perSecond, sent, elapsedMs)).toBe(expected)
})
