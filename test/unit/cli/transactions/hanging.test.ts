import { candidates, hanging } from '../../../../cli/transactions/hanging'

const producer = (producerId: number, lastTimestamp: number, currentTransactionStartOffset?: number) => ({
  producerId,
  producerEpoch: 0,
  lastSequence: 0,
  lastTimestamp,
  coordinatorEpoch: undefined,
  currentTransactionStartOffset,
})

test('only what has been open for longer than a transaction may', () => {
  const partitions = [{ topic: 't', partition: 0, activeProducers: [producer(1, 0, 5), producer(2, 90, 6), producer(3, 0)] }]
  expect(candidates(partitions, 50, 100).map((each) => each.producer.producerId)).toEqual([1])
})

test('a transaction hangs when no coordinator would end it in this partition', () => {
  const open = [1, 2, 3, 4].map((id) => ({ topic: 't', partition: 0, producer: producer(id, 0, 5) }))
  const ids = new Map([
    [2, 'unknown'],
    [3, 'elsewhere'],
    [4, 'here'],
  ])
  const descriptions = new Map([
    ['elsewhere', { partitions: [{ topic: 't', partition: 1 }] }],
    ['here', { partitions: [{ topic: 't', partition: 0 }] }],
  ])
  expect(hanging(open, ids, descriptions).map((each) => each.producer.producerId)).toEqual([1, 2, 3])
})
