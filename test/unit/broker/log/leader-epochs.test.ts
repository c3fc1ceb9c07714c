import fc from 'fast-check'
import { LeaderEpochs } from '../../../../broker/log/leader-epochs'

function epochs(...entries: [epoch: number, startOffset: number][]): LeaderEpochs {
  const cache = new LeaderEpochs()
  for (const [epoch, startOffset] of entries) cache.assign(epoch, startOffset)
  return cache
}

function list(cache: LeaderEpochs): [number, number][] {
  return cache.entries.map(({ epoch, startOffset }) => [epoch, startOffset])
}

test.each<[string, [number, number][], [number, number], [number, number][]]>([
  ['the first', [], [0, 0], [[0, 0]]],
  ['a later one', [[0, 0]], [2, 10], [[0, 0], [2, 10]]],
  ['the latest again, not earlier', [[0, 0], [2, 10]], [2, 15], [[0, 0], [2, 10]]],
  ['the latest again, earlier', [[0, 0], [2, 10]], [2, 5], [[0, 0], [2, 5]]],
  ['a lower epoch makes higher ones go', [[0, 0], [2, 10], [4, 20]], [3, 30], [[0, 0], [2, 10], [3, 30]]],
  ['a lower offset makes later ones go', [[0, 0], [2, 10], [4, 20]], [5, 10], [[0, 0], [5, 10]]],
  ['an epoch that no record was written in is replaced', [[0, 0], [2, 10]], [3, 10], [[0, 0], [3, 10]]],
  ['no epoch', [[0, 0]], [-1, 10], [[0, 0]]],
])('assign %s', (_name, before, [epoch, offset], after) => {
  const cache = epochs(...before)
  cache.assign(epoch, offset)
  expect(list(cache)).toEqual(after)
})

test.each<[string, number, number, number]>([
  ['undefined', -1, -1, -1],
  ['the latest', 7, 7, 100],
  ['above all', 8, -1, -1],
  ['one that is known', 2, 2, 20],
  ['one between two', 3, 2, 20],
  ['one between the last two', 6, 5, 40],
  ['below the first: the epoch that was asked, the start of the first', 1, 1, 10],
])('end offset of %s', (_name, asked, epoch, endOffset) => {
  const cache = epochs([2, 10], [4, 20], [5, 30], [7, 40])
  expect(cache.endOffsetFor(asked, 100)).toEqual({ epoch, endOffset })
})

test('an empty cache knows nothing', () => {
  expect(epochs().endOffsetFor(0, 100)).toEqual({ epoch: -1, endOffset: -1 })
  expect(epochs().epochForOffset(5)).toBe(-1)
  expect(epochs().latestEpoch).toBe(-1)
})

test.each<[number, [number, number][]]>([
  [0, []],
  [10, [[0, 0]]],
  [11, [[0, 0], [2, 10]]],
  [100, [[0, 0], [2, 10], [4, 20]]],
])('truncate from the end at %s', (offset, after) => {
  const cache = epochs([0, 0], [2, 10], [4, 20])
  cache.truncateFromEnd(offset)
  expect(list(cache)).toEqual(after)
})

test.each<[number, [number, number][]]>([
  [0, [[0, 0], [2, 10], [4, 20]]],
  [5, [[0, 5], [2, 10], [4, 20]]],
  [10, [[2, 10], [4, 20]]],
  [15, [[2, 15], [4, 20]]],
  [30, [[4, 30]]],
])('truncate from the start at %s', (offset, after) => {
  const cache = epochs([0, 0], [2, 10], [4, 20])
  cache.truncateFromStart(offset)
  expect(list(cache)).toEqual(after)
})

test('keeps none while they are not to be kept, and what a file held counts as a change', () => {
  const cache = epochs([0, 0], [2, 10])
  expect(cache.keep(true)).toBe(false)
  expect(cache.keep(false)).toBe(true)
  expect(cache.keep(false)).toBe(false)
  cache.assign(3, 20)
  expect(list(cache)).toEqual([])
  const { revision } = cache
  cache.load([])
  expect(cache.revision).toBe(revision)
  cache.load([{ epoch: 2, startOffset: 10 }])
  expect(list(cache)).toEqual([])
  expect(cache.revision).toBeGreaterThan(revision)
  cache.keep(true)
  cache.assign(4, 30)
  expect(list(cache)).toEqual([[4, 30]])
})

test('counts each change, and only changes', () => {
  const cache = new LeaderEpochs()
  cache.assign(1, 0)
  cache.assign(1, 10)
  cache.truncateFromEnd(5)
  cache.truncateFromStart(0)
  expect(cache.revision).toBe(1)
  cache.clear()
  cache.clear()
  expect(cache.revision).toBe(2)
})

test('epochs and offsets ascend, and lookups agree with a search', () => {
  const offsets = fc.integer({ min: 0, max: 60 })
  const step = fc.tuple(fc.constantFrom('assign', 'end', 'start'), fc.integer({ min: 0, max: 12 }), offsets)
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 0, max: 14 }), offsets, (steps, epoch, offset) => {
      const cache = new LeaderEpochs()
      for (const [kind, newEpoch, at] of steps) {
        if (kind === 'assign') cache.assign(newEpoch, at)
        else if (kind === 'end') cache.truncateFromEnd(at)
        else cache.truncateFromStart(at)
        const entries = list(cache)
        for (let i = 1; i < entries.length; i++) {
          expect(entries[i]![0]).toBeGreaterThan(entries[i - 1]![0])
          expect(entries[i]![1]).toBeGreaterThan(entries[i - 1]![1])
        }
      }
      const entries = cache.entries
      expect(cache.epochForOffset(offset)).toBe(entries.filter((each) => each.startOffset <= offset).at(-1)?.epoch ?? -1)
      const next = entries.find((each) => each.epoch > epoch)
      const floor = entries.filter((each) => each.epoch <= epoch).at(-1)
      const expected =
        cache.latestEpoch === epoch
          ? { epoch, endOffset: 1000 }
          : next === undefined
            ? { epoch: -1, endOffset: -1 }
            : { epoch: floor?.epoch ?? epoch, endOffset: next.startOffset }
      expect(cache.endOffsetFor(epoch, 1000)).toEqual(expected)
    }),
  )
})
