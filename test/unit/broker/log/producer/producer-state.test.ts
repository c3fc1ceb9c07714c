import { ErrorCode } from '../../../../../protocol/errors'
import { LogError } from '../../../../../broker/log/log-error'
import { ProducerEntry } from '../../../../../broker/log/producer/producer-entry'
import type { DataBatch } from '../../../../../broker/log/producer/producer-entry'
import { ProducerState } from '../../../../../broker/log/producer/producer-state'

const PID = 7
const DAY_MS = 86_400_000

function data(firstSequence: number, options: Partial<DataBatch> & { count?: number } = {}): DataBatch {
  const { count = 1, ...rest } = options
  const firstOffset = rest.firstOffset ?? 100
  const last = firstSequence + count - 1
  return {
    producerId: PID,
    producerEpoch: 0,
    firstSequence,
    lastSequence: last > 0x7fffffff ? last - 0x80000000 : last,
    firstOffset,
    lastOffset: firstOffset + count - 1,
    maxTimestamp: 1000,
    isTransactional: false,
    ...rest,
  }
}

function check(state: ProducerState, batch: DataBatch, origin: 'client' | 'coordinator' = 'client'): number {
  try {
    state.checkData(state.entry(batch.producerId) ?? new ProducerEntry(batch.producerId), batch, origin)
    return ErrorCode.NONE
  } catch (error) {
    if (error instanceof LogError) return error.code
    throw error
  }
}

function endMarker(offset: number, options: { epoch?: number; coordinatorEpoch?: number; isAbort?: boolean } = {}) {
  const { epoch = 0, coordinatorEpoch = 0, isAbort = false } = options
  return { producerId: PID, producerEpoch: epoch, coordinatorEpoch, isAbort, offset, timestamp: 2000 }
}

describe('sequences of a client', () => {
  const { NONE, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH } = ErrorCode

  test.each<[string, DataBatch[], DataBatch, number]>([
    ['an unknown producer begins at 0', [], data(0), NONE],
    ['an unknown producer begins anywhere (it was expired, KIP-360)', [], data(1234), NONE],
    ['the next sequence', [data(0, { count: 5 })], data(5), NONE],
    ['a gap', [data(0, { count: 5 })], data(6), OUT_OF_ORDER_SEQUENCE_NUMBER],
    ['a step back', [data(0, { count: 5 })], data(4), OUT_OF_ORDER_SEQUENCE_NUMBER],
    ['from 2^31-1 to 0', [data(0x7fffffff)], data(0), NONE],
    ['over 2^31-1 within a batch', [data(0x7ffffffe, { count: 3 })], data(1), NONE],
    ['from 2^31-1 to 1', [data(0x7fffffff)], data(1), OUT_OF_ORDER_SEQUENCE_NUMBER],
    ['an older epoch', [data(0, { producerEpoch: 3 })], data(1, { producerEpoch: 2 }), INVALID_PRODUCER_EPOCH],
    ['a newer epoch begins at 0', [data(0)], data(0, { producerEpoch: 1 }), NONE],
    ['a newer epoch that does not', [data(0)], data(1, { producerEpoch: 1 }), OUT_OF_ORDER_SEQUENCE_NUMBER],
  ])('%s', (_name, before, batch, code) => {
    const state = new ProducerState('t-0')
    for (const each of before) state.appendData(each)
    expect(check(state, batch)).toBe(code)
  })

  test('a coordinator has no sequences, but epochs', () => {
    const state = new ProducerState('t-0')
    state.appendData(data(0, { producerEpoch: 2 }))
    expect(check(state, data(-1, { producerEpoch: 2 }), 'coordinator')).toBe(NONE)
    expect(check(state, data(-1, { producerEpoch: 1 }), 'coordinator')).toBe(INVALID_PRODUCER_EPOCH)
  })

  test('after a marker of a newer epoch, which the coordinator wrote, sequences begin at 0', () => {
    const state = new ProducerState('t-0')
    state.appendData(data(0, { count: 5, isTransactional: true }))
    state.complete(state.appendMarker(endMarker(105, { epoch: 1 }))!)
    expect(check(state, data(5))).toBe(INVALID_PRODUCER_EPOCH)
    expect(check(state, data(0, { producerEpoch: 1 }))).toBe(NONE)
    expect(check(state, data(5, { producerEpoch: 1 }))).toBe(OUT_OF_ORDER_SEQUENCE_NUMBER)
  })
})

describe('duplicates', () => {
  test('each of the last five batches is known, the sixth is not', () => {
    const state = new ProducerState('t-0')
    for (let i = 0; i < 6; i++) state.appendData(data(i * 2, { count: 2, firstOffset: 100 + i * 2 }))
    expect(state.findDuplicate(PID, 0, 0, 1)).toBeUndefined()
    for (let i = 1; i < 6; i++) {
      expect(state.findDuplicate(PID, 0, i * 2, i * 2 + 1)).toMatchObject({ lastOffset: 101 + i * 2, offsetDelta: 1 })
    }
  })

  test('only with exactly the same sequences and epoch', () => {
    const state = new ProducerState('t-0')
    state.appendData(data(10, { count: 5 }))
    expect(state.findDuplicate(PID, 0, 10, 14)).toBeDefined()
    expect(state.findDuplicate(PID, 0, 10, 13)).toBeUndefined()
    expect(state.findDuplicate(PID, 0, 11, 14)).toBeUndefined()
    expect(state.findDuplicate(PID, 1, 10, 14)).toBeUndefined()
    expect(state.findDuplicate(PID + 1, 0, 10, 14)).toBeUndefined()
  })

  test('also where the sequences wrapped', () => {
    const state = new ProducerState('t-0')
    state.appendData(data(0x7ffffffe, { count: 4 }))
    expect(state.findDuplicate(PID, 0, 0x7ffffffe, 1)).toBeDefined()
  })

  test('a new epoch forgets the batches of the old one', () => {
    const state = new ProducerState('t-0')
    state.appendData(data(0))
    state.appendData(data(0, { producerEpoch: 1, firstOffset: 101 }))
    expect(state.findDuplicate(PID, 0, 0, 0)).toBeUndefined()
    expect(state.entry(PID)!.batches).toHaveLength(1)
  })
})

describe('transactions', () => {
  test('a write outside of the open transaction is refused', () => {
    const state = new ProducerState('t-0')
    state.appendData(data(0, { isTransactional: true }))
    expect(check(state, data(1))).toBe(ErrorCode.INVALID_TXN_STATE)
    expect(check(state, data(1, { isTransactional: true }))).toBe(ErrorCode.NONE)
  })

  test('a zombie coordinator is fenced, one of the same epoch is not', () => {
    const state = new ProducerState('t-0')
    state.appendMarker(endMarker(100, { coordinatorEpoch: 5 }))
    const entry = state.entry(PID)!
    expect(() => state.checkMarker(entry, endMarker(101, { coordinatorEpoch: 4 }))).toThrow(
      expect.objectContaining({ code: ErrorCode.TRANSACTION_COORDINATOR_FENCED }),
    )
    expect(() => state.checkMarker(entry, endMarker(101, { coordinatorEpoch: 5 }))).not.toThrow()
    expect(() => state.checkMarker(entry, endMarker(101, { coordinatorEpoch: 6, epoch: -1 }))).toThrow(
      expect.objectContaining({ code: ErrorCode.INVALID_PRODUCER_EPOCH }),
    )
  })

  test('unstable is what is open, and what has ended but is not replicated', () => {
    const state = new ProducerState('t-0')
    expect(state.firstUnstableOffset).toBeUndefined()
    state.appendData(data(0, { isTransactional: true, firstOffset: 10 }))
    state.appendData(data(0, { isTransactional: true, firstOffset: 20, producerId: 8 }))
    expect(state.firstUnstableOffset).toBe(10)
    const completed = state.appendMarker(endMarker(30))!
    expect(completed).toEqual({ producerId: PID, firstOffset: 10, lastOffset: 30, isAborted: false })
    expect(state.lastStableOffsetAfter(completed)).toBe(20)
    state.complete(completed)
    expect(state.firstUnstableOffset).toBe(10)
    expect(state.firstUndecidedOffset).toBe(20)
    state.onHighWatermark(30)
    expect(state.firstUnstableOffset).toBe(10)
    state.onHighWatermark(31)
    expect(state.firstUnstableOffset).toBe(20)
    expect(state.appendMarker(endMarker(32))).toBeUndefined()
  })

  test('without another one open, all up to the marker is stable', () => {
    const state = new ProducerState('t-0')
    state.appendData(data(0, { isTransactional: true, firstOffset: 10 }))
    const completed = state.appendMarker(endMarker(30, { isAbort: true }))!
    expect(completed.isAborted).toBe(true)
    expect(state.lastStableOffsetAfter(completed)).toBe(31)
  })

  test('verification: one guard per attempt, gone with the first write', () => {
    const state = new ProducerState('t-0')
    const guard = state.startVerification(PID, 5, 0, 0)!
    expect(state.startVerification(PID, 3, 0, 0)).toBe(guard)
    expect(state.isVerified(PID, guard)).toBe(true)
    expect(state.isVerified(PID, { producerId: PID })).toBe(false)
    expect(state.isVerified(PID, undefined)).toBe(false)
    expect(check(state, data(4, { isTransactional: true }))).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect(check(state, data(3, { isTransactional: true }))).toBe(ErrorCode.NONE)
    state.startVerification(PID, 9, 1, 0)
    expect(check(state, data(9, { isTransactional: true, producerEpoch: 1 }))).toBe(ErrorCode.NONE)
    state.appendData(data(9, { isTransactional: true, producerEpoch: 1 }))
    expect(state.isVerified(PID, guard)).toBe(false)
    expect(state.startVerification(PID, 10, 1, 0)).toBeUndefined()
  })

  test('a marker ends a verification: what was asked before it may not be written after it', () => {
    const state = new ProducerState('t-0')
    const guard = state.startVerification(PID, 0, 0, 0)
    state.appendMarker(endMarker(10, { isAbort: true }))
    expect(state.isVerified(PID, guard)).toBe(false)
  })
})

describe('expiry and snapshots', () => {
  test('idle producers are forgotten, those in a transaction are not', () => {
    const state = new ProducerState('t-0')
    state.appendData(data(0))
    state.appendData(data(0, { producerId: 8, isTransactional: true }))
    state.startVerification(9, 0, 0, 1000)
    state.removeExpired(1000 + DAY_MS - 1, DAY_MS)
    expect(state.size).toBe(2)
    state.removeExpired(1000 + DAY_MS, DAY_MS)
    expect(state.active().map((each) => each.producerId)).toEqual([8])
    expect(check(state, data(77))).toBe(ErrorCode.NONE)
  })

  test('a snapshot keeps the last batch of each, and open transactions', () => {
    const state = new ProducerState('t-0')
    for (let i = 0; i < 5; i++) state.appendData(data(i, { firstOffset: 100 + i }))
    state.appendData(data(3, { producerId: 9, isTransactional: true, firstOffset: 200, count: 4 }))
    state.appendData(data(0, { producerId: 8, isTransactional: true, firstOffset: 150 }))
    const restored = new ProducerState('t-0')
    restored.restore(state.snapshot(), 300, 2000, DAY_MS)
    expect(restored.endOffset).toBe(300)
    // Written in the order of Kafka's hash map.
    expect(restored.active()).toEqual([...state.active()].sort((a, b) => a.producerId - b.producerId))
    expect(restored.findDuplicate(PID, 0, 4, 4)).toMatchObject({ lastOffset: 104 })
    expect(restored.findDuplicate(PID, 0, 3, 3)).toBeUndefined()
    expect(restored.findDuplicate(9, 0, 3, 6)).toMatchObject({ lastOffset: 203, offsetDelta: 3 })
    expect(restored.firstUnstableOffset).toBe(150)
    restored.restore(state.snapshot(), 300, 1000 + DAY_MS, DAY_MS)
    expect(restored.active().map((each) => each.producerId)).toEqual([8, 9])
  })
})
