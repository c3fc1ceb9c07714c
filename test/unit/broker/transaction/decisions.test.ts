import {
  coordinatorError, decideAddPartitions, decideEnd, decideInit, decideVerify, isExpired, isTimedOut,
} from '../../../../broker/transaction/decisions'
import { TopicPartitions } from '../../../../broker/transaction/topic-partitions'
import { TransactionMetadata } from '../../../../broker/transaction/transaction-metadata'
import { mayFollow, stateName, stateOfId, stateOfName, TransactionState } from '../../../../broker/transaction/transaction-state'
import { ErrorCode, errorName } from '../../../../protocol/errors'
import type { Decision, InitDecision } from '../../../../broker/transaction/decisions'

const { empty, ongoing, prepareCommit, prepareAbort, completeCommit, completeAbort, dead, prepareEpochFence } = TransactionState
const STATES = Object.values(TransactionState)
const RESTING = [empty, completeCommit, completeAbort]

const partitions = (...indexes: number[]): TopicPartitions => TopicPartitions.of(indexes.map((partition) => ({ topic: 't', partition })))

function metadata(state: TransactionState, changes: Partial<TransactionMetadata> = {}): TransactionMetadata {
  const result = new TransactionMetadata('tx', 0, 7, 1000, 0)
  const isOpen = !RESTING.includes(state as never)
  return Object.assign(result, { state, producerEpoch: 5, partitions: isOpen ? partitions(0, 1) : partitions(), startMs: 100 }, changes)
}

function show(decision: Decision | InitDecision): string {
  if ('errorCode' in decision) return errorName(decision.errorCode)
  if ('needs' in decision) return decision.needs
  const { state, producerId, producerEpoch, lastProducerEpoch } = decision.transition
  return `${stateName(state)} ${producerId}/${producerEpoch} last ${lastProducerEpoch}`
}

test('which state may follow which', () => {
  const followers = Object.fromEntries(
    STATES.map((from) => [stateName(from), STATES.filter((to) => mayFollow(to, from)).map(stateName)]),
  )
  expect(followers).toEqual({
    Empty: ['Empty', 'Ongoing', 'Dead'],
    Ongoing: ['Ongoing', 'PrepareCommit', 'PrepareAbort', 'PrepareEpochFence'],
    PrepareCommit: ['CompleteCommit'],
    PrepareAbort: ['CompleteAbort'],
    CompleteCommit: ['Empty', 'Ongoing', 'Dead'],
    CompleteAbort: ['Empty', 'Ongoing', 'Dead'],
    Dead: [],
    PrepareEpochFence: ['PrepareAbort'],
  })
})

test('numbers and names of the states', () => {
  for (const state of STATES) {
    expect(stateOfId(state)).toBe(state)
    expect(stateOfName(stateName(state))).toBe(state)
  }
  expect(stateOfId(8)).toBeUndefined()
  expect(stateOfName('empty')).toBeUndefined()
})

describe('InitProducerId', () => {
  const expected = (producerEpoch: number, producerId = 7) => ({ producerId, producerEpoch })
  test.each([
    ['at rest', metadata(empty), undefined, 'Empty 7/6 last -1'],
    ['after a commit', metadata(completeCommit), undefined, 'Empty 7/6 last -1'],
    ['after an abort', metadata(completeAbort), undefined, 'Empty 7/6 last -1'],
    ['open', metadata(ongoing), undefined, 'fence'],
    ['being committed', metadata(prepareCommit), undefined, 'CONCURRENT_TRANSACTIONS'],
    ['being aborted', metadata(prepareAbort), undefined, 'CONCURRENT_TRANSACTIONS'],
    ['being written', metadata(empty, { pendingState: ongoing }), undefined, 'CONCURRENT_TRANSACTIONS'],
    ['new', metadata(empty, { producerEpoch: -1 }), undefined, 'Empty 7/0 last -1'],
    ['new, but the producer had something', metadata(empty, { producerEpoch: -1 }), expected(9, 3), 'Empty 7/0 last -1'],
    ['it goes on', metadata(empty), expected(5), 'Empty 7/6 last 5'],
    ['it asks again', metadata(empty, { lastProducerEpoch: 4 }), expected(4), 'Empty 7/5 last 4'],
    ['it is old', metadata(empty, { lastProducerEpoch: 4 }), expected(3), 'PRODUCER_FENCED'],
    ['it is from the future', metadata(empty), expected(6), 'PRODUCER_FENCED'],
    ['another id', metadata(empty), expected(5, 8), 'PRODUCER_FENCED'],
    ['another id, open', metadata(ongoing), expected(5, 8), 'PRODUCER_FENCED'],
    ['it goes on, open', metadata(ongoing), expected(5), 'fence'],
    ['the last epoch', metadata(empty, { producerEpoch: 32765 }), undefined, 'Empty 7/32766 last -1'],
    ['no epoch left', metadata(empty, { producerEpoch: 32766 }), undefined, 'Empty 99/0 last -1'],
    ['no epoch left after a fence', metadata(completeAbort, { producerEpoch: 32767 }), undefined, 'Empty 99/0 last -1'],
    ['no epoch left, it goes on', metadata(empty, { producerEpoch: 32766 }), expected(32766), 'Empty 99/0 last 32766'],
    ['no epoch left, it asks again', metadata(empty, { producerEpoch: 32766, lastProducerEpoch: 32765 }), expected(32765), 'Empty 7/32766 last 32765'],
    ['no epoch left, and old', metadata(empty, { producerEpoch: 32766 }), expected(3), 'PRODUCER_FENCED'],
    [
      'it asks again for the new id',
      metadata(empty, { producerId: 99, producerEpoch: 0, lastProducerId: 7, lastProducerEpoch: 32766 }), expected(32766),
      'Empty 99/0 last 32766',
    ],
    [
      'it asks again for the new id, and is old',
      metadata(empty, { producerId: 99, producerEpoch: 0, lastProducerId: 7, lastProducerEpoch: 32766 }), expected(3),
      'PRODUCER_FENCED',
    ],
  ])('%s', (_, known, named, result) => {
    expect(show(decideInit(known, 2000, named, 99, 500))).toBe(result)
  })

  test('without an id at hand it says that it needs one', () => {
    expect(decideInit(metadata(empty, { producerEpoch: 32766 }), 2000, undefined, undefined, 500)).toEqual({ needs: 'producerId' })
  })

  test('takes the time-out of the request, and begins anew', () => {
    const decision = decideInit(metadata(completeCommit), 2000, undefined, undefined, 500)
    expect(decision).toMatchObject({ transition: { timeoutMs: 2000, startMs: -1, lastUpdateMs: 500 } })
  })
})

describe('of a producer', () => {
  const me = { producerId: 7, producerEpoch: 5 }

  test.each([
    ['another id', { producerId: 8, producerEpoch: 5 }, ErrorCode.INVALID_PRODUCER_ID_MAPPING],
    ['an older epoch', { producerId: 7, producerEpoch: 4 }, ErrorCode.PRODUCER_FENCED],
    ['a newer epoch', { producerId: 7, producerEpoch: 6 }, ErrorCode.PRODUCER_FENCED],
  ])('%s', (_, producer, errorCode) => {
    for (const state of [empty, ongoing, prepareCommit, prepareAbort, completeCommit, completeAbort]) {
      const known = metadata(state, { pendingState: state === prepareCommit ? completeCommit : undefined })
      expect(decideAddPartitions(known, producer, partitions(0), 500)).toEqual({ errorCode })
      expect(decideEnd(known, producer, true, 500)).toEqual({ errorCode })
      expect(decideVerify(known, producer)).toBe(errorCode)
    }
  })

  test.each([
    [empty, 'Ongoing 7/5 last -1'],
    [ongoing, 'Ongoing 7/5 last -1'],
    [prepareCommit, 'CONCURRENT_TRANSACTIONS'],
    [prepareAbort, 'CONCURRENT_TRANSACTIONS'],
    [completeCommit, 'Ongoing 7/5 last -1'],
    [completeAbort, 'Ongoing 7/5 last -1'],
  ])('AddPartitionsToTxn in state %d', (state, result) => {
    expect(show(decideAddPartitions(metadata(state), me, partitions(2), 500))).toBe(result)
    expect(decideAddPartitions(metadata(state, { pendingState: ongoing }), me, partitions(2), 500)).toEqual({
      errorCode: ErrorCode.CONCURRENT_TRANSACTIONS,
    })
  })

  test('partitions are added to those that are there, and the transaction begins with the first', () => {
    const more = decideAddPartitions(metadata(ongoing), me, partitions(1, 2), 500) as { transition: { partitions: TopicPartitions; startMs: number } }
    expect([...more.transition.partitions].map(({ partition }) => partition)).toEqual([0, 1, 2])
    expect(more.transition.startMs).toBe(100)
    expect(decideAddPartitions(metadata(completeCommit), me, partitions(1), 500)).toMatchObject({ transition: { startMs: 500 } })
    expect(decideAddPartitions(metadata(ongoing), me, partitions(1, 0), 500)).toEqual({ errorCode: ErrorCode.NONE })
  })

  test.each([
    [empty, 'INVALID_TXN_STATE', 'INVALID_TXN_STATE'],
    [ongoing, 'PrepareCommit 7/5 last -1', 'PrepareAbort 7/5 last -1'],
    [prepareCommit, 'CONCURRENT_TRANSACTIONS', 'INVALID_TXN_STATE'],
    [prepareAbort, 'INVALID_TXN_STATE', 'CONCURRENT_TRANSACTIONS'],
    [completeCommit, 'NONE', 'INVALID_TXN_STATE'],
    [completeAbort, 'INVALID_TXN_STATE', 'NONE'],
  ])('EndTxn in state %d', (state, commit, abort) => {
    expect(show(decideEnd(metadata(state), me, true, 500))).toBe(commit)
    expect(show(decideEnd(metadata(state), me, false, 500))).toBe(abort)
    expect(show(decideEnd(metadata(state, { pendingState: ongoing }), me, true, 500))).toBe('CONCURRENT_TRANSACTIONS')
  })

  test('verification while markers are written, and else', () => {
    for (const state of [prepareCommit, prepareAbort]) expect(decideVerify(metadata(state), me)).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
    for (const state of [...RESTING, ongoing]) expect(decideVerify(metadata(state), me)).toBe(ErrorCode.NONE)
    // A transition that is being written hinders nobody who only asks.
    expect(decideVerify(metadata(ongoing, { pendingState: ongoing }), me)).toBe(ErrorCode.NONE)
  })
})

test('only what is open times out, only what rests expires', () => {
  for (const state of STATES) {
    expect(isTimedOut(metadata(state), 1101)).toBe(state === ongoing)
    expect(isExpired(metadata(state), 10_000, 10_000)).toBe(RESTING.includes(state as never))
  }
  expect(isTimedOut(metadata(ongoing), 1100)).toBe(false)
  expect(isTimedOut(metadata(ongoing, { pendingState: prepareCommit }), 9999)).toBe(false)
  expect(isExpired(metadata(empty), 10_000, 9_999)).toBe(false)
  expect(isExpired(metadata(empty, { pendingState: empty }), 10_000, 20_000)).toBe(false)
})

test.each([
  [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.COORDINATOR_NOT_AVAILABLE],
  [ErrorCode.NOT_ENOUGH_REPLICAS, ErrorCode.COORDINATOR_NOT_AVAILABLE],
  [ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND, ErrorCode.COORDINATOR_NOT_AVAILABLE],
  [ErrorCode.REQUEST_TIMED_OUT, ErrorCode.COORDINATOR_NOT_AVAILABLE],
  [ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.NOT_COORDINATOR],
  [ErrorCode.KAFKA_STORAGE_ERROR, ErrorCode.NOT_COORDINATOR],
  [ErrorCode.MESSAGE_TOO_LARGE, ErrorCode.UNKNOWN_SERVER_ERROR],
  [ErrorCode.RECORD_LIST_TOO_LARGE, ErrorCode.UNKNOWN_SERVER_ERROR],
  [ErrorCode.NONE, ErrorCode.NONE],
])('an append that failed with %d is answered with %d', (append, answer) => {
  expect(coordinatorError(append)).toBe(answer)
})

describe('metadata', () => {
  test('refuses what may not follow, and a second transition at a time', () => {
    const known = metadata(empty)
    expect(() => known.begin(metadata(prepareCommit).toComplete(1))).toThrow('CompleteCommit may not follow Empty')
    known.begin(known.toOngoing(partitions(0), 1))
    expect(() => known.begin(known.toOngoing(partitions(1), 1))).toThrow('a transition is being written already')
  })

  test('changes only when a transition is complete', () => {
    const known = metadata(empty)
    const transition = known.toOngoing(partitions(0), 1)
    known.begin(transition)
    expect([known.state, known.partitions.size, known.isPending]).toEqual([empty, 0, true])
    known.complete(transition)
    expect([known.state, known.partitions.size, known.isPending]).toEqual([ongoing, 1, false])
    expect(() => known.complete(transition)).toThrow('was not begun')
  })

  test('partitions are taken out only while markers are written', () => {
    expect(() => metadata(ongoing).removePartition('t', 0)).toThrow('not a state in which markers are written')
    const known = metadata(prepareAbort)
    known.removePartition('t', 0)
    expect([...known.partitions]).toEqual([{ topic: 't', partition: 1 }])
  })

  test('no epoch is left above the last', () => {
    expect(() => metadata(ongoing, { producerEpoch: 32767 }).fence()).toThrow('no epoch is left')
  })

  test('names that nothing else may enter', () => {
    expect([dead, prepareEpochFence].map(stateName)).toEqual(['Dead', 'PrepareEpochFence'])
  })
})
