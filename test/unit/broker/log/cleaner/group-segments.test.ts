import { groupSegments } from '../../../../../broker/log/cleaner/group-segments'
import { Throttle } from '../../../../../broker/log/cleaner/throttle'

const segment = (baseOffset: number, size: number, indexBytes = 0, timeIndexBytes = 0) => ({ baseOffset, size, indexBytes, timeIndexBytes })
const bases = (groups: { baseOffset: number }[][]) => groups.map((group) => group.map((each) => each.baseOffset))

test('segments are put together up to the size of one', () => {
  const segments = [segment(0, 40), segment(10, 40), segment(20, 40), segment(30, 100), segment(40, 0), segment(50, 1)]
  expect(bases(groupSegments(segments, 100, 1000, 60))).toEqual([[0, 10], [20], [30, 40], [50]])
})

test('and up to the size of an index', () => {
  expect(bases(groupSegments([segment(0, 1, 60), segment(1, 1, 40), segment(2, 1, 1)], 100, 100, 3))).toEqual([[0, 1], [2]])
  expect(bases(groupSegments([segment(0, 1, 0, 60), segment(1, 1, 0, 41)], 100, 100, 3))).toEqual([[0], [1]])
})

test('offsets stay within 2^31 of the base; an empty segment has none', () => {
  const far = 2 ** 31
  expect(bases(groupSegments([segment(0, 1), segment(5, 1)], 100, 100, far))).toEqual([[0, 5]])
  expect(bases(groupSegments([segment(0, 1), segment(5, 1)], 100, 100, far + 1))).toEqual([[0], [5]])
  expect(bases(groupSegments([segment(0, 1), segment(5, 1), segment(9, 1)], 100, 100, far + 1))).toEqual([[0, 5], [9]])
  expect(bases(groupSegments([segment(0, 1), segment(5, 0)], 100, 100, far + 1))).toEqual([[0, 5]])
})

test('not very many at once', () => {
  const segments = Array.from({ length: 250 }, (_, i) => segment(i, 0))
  expect(groupSegments(segments, 100, 100, 250).map((group) => group.length)).toEqual([100, 100, 50])
})

test('the throttle waits as long as the rate asks for, and saves nothing up', () => {
  const throttle = new Throttle(1000)
  expect(throttle.waitMs(500, 0)).toBe(500)
  expect(throttle.waitMs(500, 500)).toBe(500)
  expect(throttle.waitMs(100, 100_000)).toBe(100)
  expect(throttle.waitMs(1, 100_100)).toBe(0)
  expect(new Throttle(Number.MAX_VALUE).waitMs(1e9, 0)).toBe(0)
})
