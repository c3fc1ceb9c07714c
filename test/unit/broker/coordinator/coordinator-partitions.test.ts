import { CoordinatorPartitions } from '../../../../broker/coordinator/coordinator-partitions'
import { CoordinatorLeadership } from '../../../../broker/coordinator/leadership'
import { coordinatorPartition } from '../../../../broker/coordinator/partition-for'
import { javaStringHash } from '../../../../protocol/rules/hash-order'
import { ErrorCode } from '../../../../protocol/errors'
import { silentLogger } from '../../../../runtime/log'
import { realEnvironment } from '../../../../runtime/real'
import type { LogVisitor } from '../../../../broker/coordinator/coordinator-log'

const LOADING = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS

async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}

/** Coordinates a log whose loads end when the test says so. */
function fixture(options: { advance?: boolean; needsReplicated?: boolean } = {}) {
  const replicas: ((isReplicated: boolean) => Promise<void>)[] = []
  const events: string[] = []
  const loads: { partition: number; epoch: number; visitor: LogVisitor; finish(): Promise<void>; giveUp(): Promise<void>; fail(): Promise<void> }[] = []
  const { clock } = realEnvironment()
  const timers: (() => void)[] = []
  const partitions = new CoordinatorPartitions({
    log: {
      topic: '__consumer_offsets',
      learnPartitionCount: async () => {},
      caughtUp: () =>
        new Promise((resolve) => {
          replicas.push((isReplicated) => {
            resolve(isReplicated)
            return settled()
          })
        }),
      load: (partition, epoch, visitor) =>
        new Promise((resolve, reject) => {
          loads.push({
            partition,
            epoch,
            visitor,
            finish: () => {
              const isWanted = visitor.isWanted()
              if (isWanted) visitor.onEnd()
              resolve(isWanted)
              return settled()
            },
            giveUp: () => {
              resolve(false)
              return settled()
            },
            fail: () => {
              reject(new Error('unreadable'))
              return settled()
            },
          })
        }),
    },
    clock: {
      ...clock,
      monoMs: () => 0,
      timer: (_delayMs, callback) => {
        timers.push(callback)
        return { cancel: () => {} }
      },
    },
    logger: silentLogger,
    needsReplicated: options.needsReplicated ?? false,
    begin: (partition, epoch) => ({ onBatch: () => {}, activate: () => events.push(`active ${partition} ${epoch}`) }),
    unload: (partition) => events.push(`unload ${partition}`),
    ...(options.advance ? { advance: (partition: number, epoch: number) => events.push(`advance ${partition} ${epoch}`) } : {}),
  })
  return { partitions, events, loads, timers, replicas }
}

test('partitions are chosen as Kafka chooses them', () => {
  expect(javaStringHash('hello')).toBe(99162322)
  // Hashes to Integer.MIN_VALUE, which has no positive twin.
  expect(javaStringHash('polygenelubricants')).toBe(-2147483648)
  expect(coordinatorPartition('polygenelubricants', 50)).toBe(0)
  expect(coordinatorPartition('', 50)).toBe(0)
  expect(coordinatorPartition('my-group', 50)).toBe(Math.abs(javaStringHash('my-group')) % 50)
})

test('a partition is loaded, served and given up', async () => {
  const { partitions, events, loads } = fixture()
  expect(partitions.status(3)).toBe(ErrorCode.NOT_COORDINATOR)
  partitions.onElection(3, 7)
  await settled()
  expect(partitions.status(3)).toBe(LOADING)
  expect(partitions.coordinatorEpoch(3)).toBeUndefined()
  await loads[0]!.finish()
  expect(partitions.status(3)).toBe(ErrorCode.NONE)
  expect(partitions.coordinatorEpoch(3)).toBe(7)
  partitions.onElection(3, 7)
  expect(loads).toHaveLength(1)
  partitions.onResignation(3, 8)
  expect(partitions.status(3)).toBe(ErrorCode.NOT_COORDINATOR)
  expect(events).toEqual(['active 3 7', 'unload 3'])
})

test('news of an older epoch is ignored', async () => {
  const { partitions, events, loads } = fixture()
  partitions.onElection(0, 5)
  await settled()
  await loads[0]!.finish()
  partitions.onResignation(0, 4)
  partitions.onElection(0, 3)
  expect(partitions.coordinatorEpoch(0)).toBe(5)
  expect(events).toEqual(['active 0 5'])
})

test('a load that was overtaken counts for nothing', async () => {
  const { partitions, events, loads } = fixture()
  partitions.onElection(0, 1)
  await settled()
  partitions.onResignation(0, 2)
  partitions.onElection(0, 3)
  await loads[0]!.finish()
  expect(partitions.status(0)).toBe(LOADING)
  await loads[1]!.finish()
  expect(events).toEqual(['active 0 3'])
  expect(partitions.coordinatorEpoch(0)).toBe(3)
})

test('partitions are loaded one after the other; a failed load is tried again, also in the same epoch', async () => {
  const { partitions, events, loads, timers } = fixture()
  partitions.onElection(0, 1)
  partitions.onElection(1, 1)
  await settled()
  expect(loads.map(({ partition }) => partition)).toEqual([0])
  await loads[0]!.fail()
  expect(partitions.status(0)).toBe(LOADING)
  await loads[1]!.finish()
  expect(events).toEqual(['active 1 1'])
  timers[0]!()
  await settled()
  await loads[2]!.finish()
  expect(events).toEqual(['active 1 1', 'active 0 1'])
  expect([...partitions.active()]).toEqual([0, 1])
})

test('a partition whose log was away for a moment is loaded all the same', async () => {
  const { partitions, events, loads, timers } = fixture()
  partitions.onElection(0, 1)
  await settled()
  await loads[0]!.giveUp()
  expect([partitions.status(0), timers.length]).toEqual([LOADING, 1])
  timers[0]!()
  await settled()
  await loads[1]!.finish()
  expect(events).toEqual(['active 0 1'])
  partitions.onElection(1, 1)
  await settled()
  partitions.onResignation(1, 2)
  await loads[2]!.giveUp()
  expect(timers).toHaveLength(1)
})

test('what may be lost yet is not acted upon, and holds nobody else up', async () => {
  const { partitions, events, loads, replicas } = fixture({ needsReplicated: true })
  for (const partition of [0, 1, 2]) partitions.onElection(partition, 1)
  await settled()
  for (const i of [0, 1, 2]) await loads[i]!.finish()
  expect([events, partitions.status(0), partitions.coordinatorEpoch(0)]).toEqual([[], LOADING, undefined])
  await replicas[1]!(true)
  partitions.onResignation(2, 2)
  await replicas[2]!(false)
  expect([events, partitions.status(0), partitions.status(1)]).toEqual([['active 1 1'], LOADING, ErrorCode.NONE])
  await replicas[0]!(true)
  expect([...partitions.active()]).toEqual([0, 1])
})

test('a newer epoch of the same leader reloads, or keeps what it has', async () => {
  for (const advance of [false, true]) {
    const { partitions, events, loads } = fixture({ advance })
    partitions.onElection(0, 1)
    await settled()
    await loads[0]!.finish()
    partitions.onElection(0, 2)
    await settled()
    if (!advance) await loads[1]!.finish()
    expect(partitions.coordinatorEpoch(0)).toBe(2)
    expect(events).toEqual(advance ? ['active 0 1', 'advance 0 2'] : ['active 0 1', 'unload 0', 'active 0 2'])
  }
})

test('after the end nothing is coordinated', async () => {
  const { partitions, events, loads } = fixture()
  partitions.onElection(0, 1)
  await settled()
  await loads[0]!.finish()
  partitions.onElection(1, 1)
  partitions.close()
  await settled()
  expect(events).toEqual(['active 0 1', 'unload 0'])
  expect(partitions.status(0)).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  partitions.onElection(0, 2)
  expect(partitions.isLoading).toBe(false)
})

test('leadership of other topics is nobody’s business', async () => {
  const { partitions, loads } = fixture()
  const leadership = new CoordinatorLeadership()
  leadership.follow('__consumer_offsets', partitions)
  leadership.onLeadershipChange([{ topic: 'other', partition: 0, leaderEpoch: 1 }, { topic: '__consumer_offsets', partition: 2, leaderEpoch: 1 }], [])
  await settled()
  expect(loads.map(({ partition }) => partition)).toEqual([2])
  leadership.onReplicaStopped({ topic: '__consumer_offsets', partition: 2, leaderEpoch: 0 })
  expect(partitions.status(2)).toBe(ErrorCode.NOT_COORDINATOR)
})
