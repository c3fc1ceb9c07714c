import { CoordinatorLog } from '../../../../broker/coordinator/coordinator-log'
import { MetadataCache } from '../../../../broker/metadata/metadata-cache'
import { ErrorCode } from '../../../../protocol/errors'
import { baseOffsetAt, Codec, lastOffsetAt, TimestampType } from '../../../../protocol/records/batch'
import { writeMessageSet } from '../../../../protocol/records/legacy'
import { BatchBuilder, decodeRecords } from '../../../../protocol/records/records'
import { realEnvironment } from '../../../../runtime/real'
import type { CoordinatorAppend, LogVisitor } from '../../../../broker/coordinator/coordinator-log'
import type { ReplicaManager } from '../../../../broker/replica/replica-manager'

const HOW: CoordinatorAppend = { timeoutMs: 1000, requiredAcks: -1, coordinatorEpoch: 4 }

function fixture(values: readonly string[], options: { gapEnd?: number; chunk?: number } = {}) {
  const batches = values.map((value, i) => new BatchBuilder({ baseOffset: 10 + i }).append(null, Buffer.from(value), [], 1).build())
  let released = 0
  const log = {
    partition: 3,
    startOffset: 10,
    highWatermark: 10,
    get endOffset(): number {
      return options.gapEnd ?? 10 + batches.length
    },
    read(offset: number, maxBytes: number) {
      const from = batches.filter((batch) => (batch[16]! < 2 ? baseOffsetAt(batch, 0) : lastOffsetAt(batch, 0)) >= offset)
      const whole = Buffer.concat(from)
      released++
      return { records: whole.subarray(0, Math.max(maxBytes, from[0]?.length ?? 0)), release: () => released-- }
    },
  }
  const replica = { isLeader: true, leaderEpoch: 4, log }
  const appended: number[] = []
  const replicas = {
    partition: (topic: string, partition: number) => (topic === 'topic' && partition === 3 ? replica : undefined),
    append: (params: { acks: number }, done: (results: { errorCode: number; baseOffset: number }[]) => void) => {
      appended.push(params.acks)
      queueMicrotask(() => done([{ errorCode: 0, baseOffset: 77 }]))
    },
  }
  const metadata = new MetadataCache()
  let count: number | undefined
  const coordinatorLog = new CoordinatorLog({
    topic: 'topic', defaultPartitionCount: 50, loadBufferBytes: options.chunk ?? 100, readPartitionCount: async () => count,
    clock: realEnvironment().clock, metadata, replicas: replicas as unknown as Pick<ReplicaManager, 'append' | 'partition'>,
  })
  return { coordinatorLog, replica, batches, log, appended, setCount: (n: number) => (count = n), metadata, held: () => released }
}

function visitor(overrides: Partial<LogVisitor> = {}): LogVisitor & { seen: string[] } {
  const seen: string[] = []
  return {
    seen,
    onBatch: (batch) => seen.push(...decodeRecords(batch).map(({ value }) => value!.toString())),
    onEnd: () => seen.push('end'),
    isWanted: () => true,
    ...overrides,
  }
}

test('a partition is read from start to end, in chunks', async () => {
  const { coordinatorLog, held } = fixture(['a', 'b', 'c', 'd', 'e'])
  const all = visitor()
  expect(await coordinatorLog.load(3, 4, all)).toBe(true)
  expect(all.seen).toEqual(['a', 'b', 'c', 'd', 'e', 'end'])
  expect(held()).toBe(0)
  const nothing = fixture([])
  const empty = visitor()
  expect(await nothing.coordinatorLog.load(3, 4, empty)).toBe(true)
  expect(empty.seen).toEqual(['end'])
})

test('a log that ends in a gap ends', async () => {
  const { coordinatorLog } = fixture(['a'], { gapEnd: 20 })
  const all = visitor()
  expect(await coordinatorLog.load(3, 4, all)).toBe(true)
  expect(all.seen).toEqual(['a', 'end'])
})

test('what is appended while the visitor settles is read before the end', async () => {
  const f = fixture(['a'])
  const all = visitor({
    async settle() {
      all.seen.push('settle')
      f.batches.push(new BatchBuilder({ baseOffset: 11 }).append(null, Buffer.from('late'), [], 1).build())
    },
  })
  expect(await f.coordinatorLog.load(3, 4, all)).toBe(true)
  expect(all.seen).toEqual(['a', 'settle', 'late', 'end'])
})

test('reading ends when nobody wants it, or this broker does not lead any more', async () => {
  const unwanted = fixture(['a', 'b', 'c'])
  const seen = visitor({ isWanted: () => seen.seen.length < 1 })
  expect(await unwanted.coordinatorLog.load(3, 4, seen)).toBe(false)
  expect(seen.seen).not.toContain('end')
  const deposed = fixture(['a', 'b', 'c'])
  const other = visitor({ onBatch: () => (deposed.replica.leaderEpoch = 5) })
  expect(await deposed.coordinatorLog.load(3, 4, other)).toBe(false)
  expect(await fixture(['a']).coordinatorLog.load(3, 3, visitor())).toBe(false)
  expect(await fixture(['a']).coordinatorLog.load(2, 4, visitor())).toBe(false)
  expect([unwanted.held(), deposed.held()]).toEqual([0, 0])
})

test('the replicas have caught up when the high watermark has come to where the end was', async () => {
  const f = fixture(['a', 'b'])
  const caughtUp = f.coordinatorLog.caughtUp(3, 4, () => true)
  f.batches.push(f.batches[0]!)
  f.log.highWatermark = 12
  expect(await caughtUp).toBe(true)
  const deposed = f.coordinatorLog.caughtUp(3, 4, () => true)
  f.replica.leaderEpoch = 5
  expect(await deposed).toBe(false)
  expect(await f.coordinatorLog.caughtUp(3, 5, () => false)).toBe(false)
})

test('damage is reported, and never believed', async () => {
  const f = fixture(['a', 'b'])
  f.batches[1]![66]! ^= 1
  const all = visitor()
  await expect(f.coordinatorLog.load(3, 4, all)).rejects.toThrow('topic-3 behind offset 11 is damaged')
  expect(all.seen).toEqual(['a'])
  expect(f.held()).toBe(0)
})

test('appends of another epoch are refused', async () => {
  const f = fixture([])
  const result = (partition: number, how: CoordinatorAppend): Promise<[number, number]> =>
    new Promise((resolve) => f.coordinatorLog.append(partition, Buffer.alloc(0), how, (errorCode, offset) => resolve([errorCode, offset])))
  expect(await result(3, HOW)).toEqual([0, 77])
  expect(await result(3, { ...HOW, coordinatorEpoch: 3 })).toEqual([ErrorCode.NOT_LEADER_OR_FOLLOWER, -1])
  expect(await result(2, HOW)).toEqual([ErrorCode.NOT_LEADER_OR_FOLLOWER, -1])
  f.replica.isLeader = false
  expect(await result(3, HOW)).toEqual([ErrorCode.NOT_LEADER_OR_FOLLOWER, -1])
  expect(f.appended).toEqual([-1])
  expect(baseOffsetAt(new BatchBuilder({ baseOffset: 10 }).append(null, null).build(), 0)).toBe(10)
})

test('the number of partitions is found once, and anew when the topic is another', async () => {
  const f = fixture([])
  const at = (count: number): number => Math.abs(Array.from('id').reduce((hash, char) => (hash * 31 + char.charCodeAt(0)) | 0, 0)) % count
  expect(f.coordinatorLog.partitionFor('id')).toBe(at(50))
  await f.coordinatorLog.learnPartitionCount()
  expect(f.coordinatorLog.partitionFor('id')).toBe(at(50))
  f.setCount(7)
  await f.coordinatorLog.learnPartitionCount()
  f.setCount(9)
  await f.coordinatorLog.learnPartitionCount()
  expect(f.coordinatorLog.partitionFor('id')).toBe(at(7))
  const state = { topicName: 'topic', partitionIndex: 0, controllerEpoch: 1, leader: 0, leaderEpoch: 0, isr: [0], zkVersion: 0, replicas: [0], offlineReplicas: [] }
  const update = (leader: number) => f.metadata.update({
    controllerId: 0, isKRaftController: false, type: 0, controllerEpoch: 1, brokerEpoch: 1, liveBrokers: [], topicStates: [],
    ungroupedPartitionStates: [{ ...state, leader }],
  })
  update(0)
  expect(f.coordinatorLog.partitionFor('id')).toBe(at(7))
  update(-2)
  await f.coordinatorLog.learnPartitionCount()
  expect(f.coordinatorLog.partitionFor('id')).toBe(at(9))
})

test.each([[0, Codec.none], [1, Codec.none], [1, Codec.gzip]] as const)('what brokers with message format %d (codec %d) wrote is read', async (magic, codec) => {
  const f = fixture(['a'])
  const old = writeMessageSet(magic, {
    codec, timestampType: TimestampType.createTime, logAppendTime: -1,
    records: [11, 12].map((offset) => ({ offset, timestamp: 5, key: Buffer.from('k'), value: Buffer.from(`old ${offset}`) })),
  })
  if (codec === Codec.none) f.batches.push(old.subarray(0, old.length / 2), old.subarray(old.length / 2))
  else f.batches.push(old)
  f.batches.push(new BatchBuilder({ baseOffset: 13 }).append(null, Buffer.from('new'), [], 1).build())
  const all = visitor()
  Object.defineProperty(f.log, 'endOffset', { value: 14 })
  expect(await f.coordinatorLog.load(3, 4, all)).toBe(true)
  expect(all.seen).toEqual(['a', 'old 11', 'old 12', 'new', 'end'])
})
