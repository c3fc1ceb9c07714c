import {
  bucketsOfMap,
  bucketsOfSet,
  inJavaOrder,
  inScalaOrder,
  javaStringHash,
  topicPartitionHash,
} from '../../../../protocol/rules/hash-order'

const shown = (partitions: [string, number][], buckets: number): string[] =>
  inScalaOrder(partitions, ([topic, partition]) => topicPartitionHash(topic, partition), buckets).map((each) => each.join('-'))

const of = (topic: string, ...partitions: number[]): [string, number][] => partitions.map((partition) => [topic, partition])

test('partitions of a transaction come as DumpLogSegments 3.9.1 shows them', () => {
  expect(topicPartitionHash('t', 3)).toBe((31 * 34 + 't'.charCodeAt(0)) | 0)
  const fourteen = [...of('transactions', 0, 5, 1, 6, 7, 3, 4), ...of('table', 0, 5, 1, 6, 7, 3, 4)]
  expect(bucketsOfSet([7, 7])).toBe(16)
  expect(shown(fourteen, 16).join()).toBe(
    'transactions-7,table-7,transactions-5,table-6,transactions-6,table-5,transactions-3,table-4,transactions-4,table-3,' +
      'transactions-1,table-1,table-0,transactions-0',
  )
})

test('sets grow by a hint, and with small additions', () => {
  expect(bucketsOfSet([])).toBe(16)
  expect(bucketsOfSet([11])).toBe(16)
  expect(bucketsOfSet([12])).toBe(32)
  expect(bucketsOfSet([10, 8, 8])).toBe(16)
  expect(bucketsOfSet([8, 3])).toBe(16)
  expect(bucketsOfSet([8, 4])).toBe(32)
})

test('maps grow with each insertion', () => {
  expect([0, 11, 12, 23, 24].map(bucketsOfMap)).toEqual([16, 16, 32, 32, 64])
  // Below 2^16 a hash is its own bucket.
  expect(inScalaOrder([17, 1, 16, 3], (hash) => hash, 16)).toEqual([16, 1, 17, 3])
  expect(inScalaOrder(['b', 'a'], javaStringHash, 16)).toEqual(['a', 'b'])
})

test('keys of Long come by bucket, in a bucket as they were put in', () => {
  const order = (ids: number[]): number[] => inJavaOrder(new Map(ids.map((id) => [id, id])))
  expect(order([])).toEqual([])
  expect(order([9, 3, 1004, 4, 20, 36])).toEqual([3, 4, 20, 36, 9, 1004])
  expect(order([36, 20, 4])).toEqual([36, 20, 4])
  const many = Array.from({ length: 13 }, (_, i) => 16 * i)
  expect(order(many.slice(0, 12))).toEqual(many.slice(0, 12))
  expect(order(many)).toEqual([...many.filter((_, i) => i % 2 === 0), ...many.filter((_, i) => i % 2 === 1)])
  // Long.hashCode() folds the upper half in.
  expect(order([2 ** 32 + 1, 3, 2 ** 32])).toEqual([2 ** 32 + 1, 2 ** 32, 3])
})
