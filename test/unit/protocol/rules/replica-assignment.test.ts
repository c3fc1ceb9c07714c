import { assignReplicas, startIndexForAddedPartitions } from '../../../../protocol/rules/replica-assignment'

/**
 * What Apache Kafka's AdminUtils answers: brokers 1, 4, 7 ... (count), over so many racks, replication factor, start index, first
 * partition, and the replicas of nine partitions.
 */
const apacheAssignments = [
  '1 0 1 0 0 1|1|1|1|1|1|1|1|1',
  '2 1 2 0 5 4,1|1,4|4,1|1,4|4,1|1,4|4,1|1,4|4,1',
  '3 0 3 2 0 7,1,4|1,4,7|4,7,1|7,4,1|1,7,4|4,1,7|7,1,4|1,4,7|4,7,1',
  '3 3 1 2 5 4|7|1|4|7|1|4|7|1',
  '4 1 2 0 0 1,4|4,7|7,10|10,1|1,7|4,10|7,1|10,4|1,10',
  '4 3 1 0 5 4|7|10|1|4|7|10|1|4',
  '5 0 4 2 0 7,1,4,10|10,4,7,13|13,7,10,1|1,10,13,4|4,13,1,7|7,4,10,13|10,7,13,1|13,10,1,4|1,13,4,7',
  '5 2 3 2 5 7,4,10|10,7,13|13,10,1|1,10,13|4,13,1|7,10,13|10,13,1|13,4,7|1,4,7',
  '6 0 3 0 0 1,4,7|4,7,10|7,10,13|10,13,16|13,16,1|16,1,4|1,7,10|4,10,13|7,13,16',
  '6 2 2 0 5 16,1|1,10|4,13|7,16|10,1|13,4|16,7|1,16|4,1',
  '7 0 1 2 0 7|10|13|16|19|1|4|7|10',
  '7 1 4 2 5 1,10,13,16|4,13,16,19|7,19,1,4|10,1,4,7|13,4,7,10|16,7,10,13|19,10,13,16|1,13,16,19|4,16,19,1',
  '7 3 4 0 0 1,4,7,10|4,7,10,13|7,10,13,16|10,13,16,19|13,16,19,1|16,19,4,7|19,4,7,10|1,13,16,19|4,16,19,1',
]

test.each(apacheAssignments)('%s', (line) => {
  const [count = 0, racks = 0, replicationFactor = 0, startIndex = 0, firstPartition = 0] = line.split(' ').map(Number)
  const brokers = Array.from({ length: count }, (_, i) => ({ id: i * 3 + 1, rack: racks === 0 ? null : `r${(i * 7) % racks}` }))
  const never = { next: () => 0, below: () => { throw new Error('a start index was given') }, bytes: () => Buffer.alloc(0) }
  const assignment = assignReplicas(brokers.reverse(), 9, replicationFactor, { random: never, startIndex, firstPartition })
  expect(assignment.map((replicas) => replicas.join(',')).join('|')).toBe(line.split(' ')[5])
})

describe('with a random start', () => {
  const random = (...values: number[]) => ({ next: () => 0, below: (bound: number) => (values.shift() ?? 0) % bound, bytes: () => Buffer.alloc(0) })
  const brokers = [{ id: 3 }, { id: 1 }, { id: 2 }]

  test('start and shift are drawn, in this order', () => {
    expect(assignReplicas(brokers, 2, 2, { random: random(1, 0) })).toEqual([[2, 3], [3, 1]])
    expect(assignReplicas(brokers, 2, 2, { random: random(1, 1) })).toEqual([[2, 1], [3, 2]])
    expect(assignReplicas(brokers, 1, 3, { random: random(), startIndex: 2, shift: 1 })).toEqual([[3, 2, 1]])
  })

  test('leaders and replicas are spread evenly, no broker twice in a partition', () => {
    const six = Array.from({ length: 6 }, (_, id) => ({ id, rack: `r${id % 3}` }))
    const assignment = assignReplicas(six, 60, 3, { random: random(4, 2) })
    const leaders = new Map<number, number>()
    for (const replicas of assignment) {
      leaders.set(replicas[0] as number, (leaders.get(replicas[0] as number) ?? 0) + 1)
      expect(new Set(replicas).size).toBe(3)
      expect(new Set(replicas.map((id) => id % 3)).size).toBe(3)
    }
    expect([...leaders.values()]).toEqual([10, 10, 10, 10, 10, 10])
  })

  test('what cannot be assigned is refused in Kafka\'s words', () => {
    const assign = (partitions: number, replicationFactor: number) => () => assignReplicas(brokers, partitions, replicationFactor, { random: random() })
    expect(assign(0, 1)).toThrow(expect.objectContaining({ code: 'INVALID_PARTITIONS', message: 'Number of partitions must be larger than 0.' }))
    expect(assign(1, 0)).toThrow('Replication factor must be larger than 0.')
    expect(assign(1, 4)).toThrow(expect.objectContaining({
      code: 'INVALID_REPLICATION_FACTOR', message: 'Replication factor: 4 larger than available brokers: 3.',
    }))
    expect(() => assignReplicas([{ id: 1, rack: 'a' }, { id: 2 }], 1, 1, { random: random() })).toThrow(/Not all brokers have rack information/)
  })
})

test('added partitions go on from the place of the first replica', () => {
  expect(startIndexForAddedPartitions([{ id: 5 }, { id: 1 }, { id: 9 }], 5)).toBe(1)
  expect(startIndexForAddedPartitions([{ id: 5 }, { id: 1 }, { id: 9 }], 6)).toBe(2)
  expect(startIndexForAddedPartitions([{ id: 5 }, { id: 1 }, { id: 9 }], 10)).toBe(0)
})
