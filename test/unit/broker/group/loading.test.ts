import { ErrorCode } from '../../../../protocol/errors'
import { encode } from '../../../../protocol/messages/codec'
import { offsetCommitValue } from '../../../../protocol/messages/offset-commit-record'
import { encodeGroupKey, encodeGroupValue, encodeOffsetKey, encodeOffsetValue } from '../../../../protocol/files/internal-records'
import { BatchBuilder, ControlType, controlBatch } from '../../../../protocol/records/records'
import { groupBatch, offsetsBatch, tombstoneBatches } from '../../../../broker/group/group-records'
import { Group } from '../../../../broker/group/group'
import { Member } from '../../../../broker/group/member'
import { CONFIG, Fixture, subscription } from './support/coordinator-fixture'
import type { CommittedOffset } from '../../../../broker/group/offset-cache'

const TX = { producerId: 7, producerEpoch: 0 }

function marker(type: 0 | 1, producerId = TX.producerId): Buffer {
  return controlBatch({ type, coordinatorEpoch: 1, producerId, producerEpoch: 0, timestamp: 1 })
}

test('a group goes on with the next coordinator', async () => {
  const f = await Fixture.start()
  const { ids, generationId } = await f.stable(2)
  f.commit(5, { memberId: ids[0]!, generationId, metadata: 'm', leaderEpoch: 2 })
  await f.clock.settle()
  const before = { description: f.coordinator.describe('group'), offsets: f.coordinator.fetch('group', undefined, true) }
  await f.failOver()
  expect({ description: f.coordinator.describe('group'), offsets: f.coordinator.fetch('group', undefined, true) }).toEqual(before)
  expect(f.heartbeat(ids[0]!, generationId)).toBe(ErrorCode.NONE)
  expect(f.sync(ids[1]!, generationId).value.assignment.toString()).toBe('part 1')
  // Its members have a session time-out from now on.
  await f.clock.advance(9900)
  expect(f.state()).toBe('Stable')
  await f.clock.advance(200)
  expect(f.state()).toBe('Empty')
})

test('while it is loaded nobody is told wrong things', async () => {
  const f = await Fixture.start()
  const { ids, generationId } = await f.stable(1)
  f.coordinator.partitions.onResignation(0)
  expect(f.heartbeat(ids[0]!, generationId)).toBe(ErrorCode.NOT_COORDINATOR)
  f.coordinator.partitions.onElection(0, 5)
  expect(f.heartbeat(ids[0]!, generationId)).toBe(ErrorCode.NONE)
  expect(f.sync(ids[0]!, generationId).value.errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
  const loading = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
  expect(f.join().value.errorCode).toBe(loading)
  expect(f.commit(1).value).toEqual([loading])
  expect(f.committed()).toEqual({ errorCode: loading })
  expect(f.coordinator.describe('group')).toMatchObject({ errorCode: loading, groupState: '' })
  expect(f.coordinator.deleteGroup('group')).toBe(loading)
  expect(f.coordinator.leave('group', [])).toBe(loading)
  expect(f.coordinator.list([], []).errorCode).toBe(loading)
  await f.clock.settle()
  expect(f.heartbeat(ids[0]!, generationId)).toBe(ErrorCode.NONE)
  expect(f.coordinator.list([], [])).toMatchObject({ errorCode: 0, groups: [{ groupId: 'group', groupState: 'Stable' }] })
})

test('who waits when the partition goes is sent to look for its coordinator', async () => {
  const f = await Fixture.start()
  const { ids, generationId } = await f.stable(2)
  const join = f.join({ memberId: ids[0]! })
  f.log.held = []
  const commit = f.commit(1, { memberId: ids[1]!, generationId })
  f.coordinator.partitions.onResignation(0)
  expect(join.value).toMatchObject({ errorCode: ErrorCode.NOT_COORDINATOR, generationId: -1, members: [] })
  f.log.release()
  await f.clock.advance(100_000)
  expect([join.values.length, commit.values.length]).toEqual([1, 1])
  const g = await Fixture.start()
  const { ids: others } = await g.stable(2)
  g.join({ memberId: others[0]! })
  g.join({ memberId: others[1]! })
  const parked = g.sync(others[1]!, 2)
  g.coordinator.close()
  expect(parked.value.errorCode).toBe(ErrorCode.NOT_COORDINATOR)
})

test('a new epoch of the same leader changes nothing', async () => {
  const f = await Fixture.start()
  const { ids, generationId } = await f.stable(1)
  const other = f.join()
  f.coordinator.partitions.onElection(0, 9)
  expect(other.isThere).toBe(false)
  f.join({ memberId: ids[0]! })
  expect(other.value.generationId).toBe(generationId + 1)
  f.sync(ids[0]!, generationId + 1, {})
  expect(f.log.appends.at(-1)!.coordinatorEpoch).toBe(9)
})

test('open transactions are found, and ended by their markers', async () => {
  const f = await Fixture.start()
  const commits = [
    f.commit(1), f.commitTransactional(2, TX), f.commitTransactional(3, { ...TX, producerId: 8 }, { groupId: 'aborted' }),
    f.commitTransactional(4, { ...TX, producerId: 9 }, { groupId: 'open' }),
  ]
  await f.clock.settle()
  for (const commit of commits) expect(commit.value).toEqual([0])
  f.log.add(marker(ControlType.commit))
  f.log.add(marker(ControlType.abort, 8))
  await f.failOver()
  expect([f.committed(), f.committed('aborted'), f.committed('open')]).toEqual([2, -1, -1])
  expect(f.committed('open', 'topic', 0, true)).toEqual({ errorCode: ErrorCode.UNSTABLE_OFFSET_COMMIT })
  f.coordinator.completeTransaction(9, [0], true)
  expect(f.committed('open', 'topic', 0, true)).toBe(4)
})

test('a commit that is younger than the one in the transaction stays after its marker', async () => {
  const f = await Fixture.start()
  f.commitTransactional(2, TX)
  f.commit(1)
  await f.clock.settle()
  f.log.add(marker(ControlType.commit))
  await f.failOver()
  expect(f.committed()).toBe(1)
})

test('tombstones count, unknown records are left out', async () => {
  const f = await Fixture.start()
  const builder = new BatchBuilder()
  const commit = (topic: string, offset: number, version: number): void => {
    builder.append(encodeOffsetKey('group', topic, 0), encodeOffsetValue({ offset, metadata: '', commitTimestamp: 1, expireTimestamp: -1 }, version), [], 1)
  }
  commit('v0', 10, 0)
  commit('v1', 11, 1)
  commit('v2', 12, 2)
  commit('v3', 13, 3)
  commit('gone', 14, 3)
  builder.append(encodeOffsetKey('group', 'gone', 0), null, [], 1)
  builder.append(encodeGroupKey('dead'), null, [], 1)
  // The flexible version, and what a newer protocol writes.
  builder.append(encodeOffsetKey('group', 'v4', 0), Buffer.concat([Buffer.from([0, 4]), encode(offsetCommitValue, 4, { offset: 15, metadata: '' })]), [], 1)
  builder.append(Buffer.from([0, 3, 1, 2, 3]), Buffer.from([0, 0]), [], 1)
  builder.append(encodeOffsetKey('group', 'future', 0), Buffer.from([0, 77]), [], 1)
  builder.append(Buffer.from([0, 1, 0]), null, [], 1)
  builder.append(null, null, [], 1)
  // Version 0 of the key.
  builder.append(Buffer.concat([Buffer.from([0, 0]), encodeOffsetKey('group', 'k0', 0).subarray(2)]), encodeOffsetValue({ offset: 16, metadata: '', commitTimestamp: 1 }, 3), [], 1)
  f.log.add(builder.build())
  await f.failOver()
  const offsets = f.coordinator.fetch('group', undefined, true)
  expect(typeof offsets === 'number' ? offsets : offsets.map(({ topic, offset }) => `${topic} ${offset}`)).toEqual([
    'v0 10', 'v1 11', 'v2 12', 'v3 13', 'v4 15', 'k0 16',
  ])
  expect(f.coordinator.list([], []).groups.map(({ groupId }) => groupId)).toEqual(['group'])
})

test('a group that is too large now is asked to shrink', async () => {
  const f = await Fixture.start()
  const { ids } = await f.stable(3)
  f.config.maxSize = 2
  await f.failOver()
  expect(f.state()).toBe('PreparingRebalance')
  const joins = ids.map((memberId) => f.join({ memberId }))
  expect(joins.map(({ values }) => values[0]?.errorCode)).toEqual([0, 0, ErrorCode.GROUP_MAX_SIZE_REACHED])
})

/** Tells the coordinator who leads `topic-0`; -2: the topic is being deleted. */
function update({ metadata }: Fixture, leader: number): void {
  const state = { topicName: 'topic', partitionIndex: 0, controllerEpoch: 1, leader, leaderEpoch: 0, isr: [0], zkVersion: 0, replicas: [0], offlineReplicas: [] }
  metadata.update({
    controllerId: 0, isKRaftController: false, type: 0, controllerEpoch: 1, brokerEpoch: 1, liveBrokers: [], topicStates: [],
    ungroupedPartitionStates: [state],
  })
}

test('offsets of topics that go while they are loaded go, too', async () => {
  const f = await Fixture.start()
  f.commit(1)
  await f.clock.settle()
  update(f, 0)
  f.coordinator.partitions.onResignation(0)
  f.coordinator.partitions.onElection(0, 8)
  for (let i = 0; i < 3; i++) await Promise.resolve()
  update(f, -2)
  await f.clock.settle()
  expect(f.committed()).toBe(-1)
})

test.each(['before its turn has come', 'before an attempt that fails'])('offsets of topics that go while their partition waits to be loaded go, too: %s', async (when) => {
  const f = await Fixture.start()
  f.commit(1)
  await f.clock.settle()
  update(f, 0)
  f.coordinator.partitions.onResignation(0)
  const load = f.log.load
  if (when === 'before an attempt that fails') {
    f.log.load = async () => {
      update(f, -2)
      f.log.load = load
      throw new Error('the log cannot be read')
    }
  }
  f.coordinator.partitions.onElection(0, 8)
  if (when === 'before its turn has come') update(f, -2)
  await f.clock.advance(1100)
  expect(f.committed()).toBe(-1)
})

describe('the bytes are Kafka’s', () => {
  const commit: CommittedOffset = { offset: 258, leaderEpoch: 5, metadata: 'm', commitTimestamp: 1000, expireTimestamp: -1, appendedAt: -1 }
  const recordsOf = (batch: Buffer): string => batch.subarray(61).toString('hex')

  test('of an offset', () => {
    const batch = offsetsBatch('g', [{ topic: 't', partition: 3, commit }], CONFIG, 1000)
    const key = '0001' + '000167' + '000174' + '00000003'
    const value = '0003' + '0000000000000102' + '00000005' + '00016d' + '00000000000003e8'
    expect(key.length / 2).toBe(12)
    expect(value.length / 2).toBe(25)
    // length, attributes, timestamp delta, offset delta, key length and key, value length and value, no headers
    expect(recordsOf(batch)).toBe('56' + '00' + '00' + '00' + '18' + key + '32' + value + '00')
    expect(batch.readInt16BE(21)).toBe(0)
    expect(batch.readBigInt64BE(43)).toBe(-1n)
  })

  test('of an offset with an expiry, and of older protocols', () => {
    const version = (expireTimestamp: number, offsetValueVersion: number): string =>
      recordsOf(offsetsBatch('g', [{ topic: 't', partition: 3, commit: { ...commit, expireTimestamp } }], { ...CONFIG, offsetValueVersion }, 1000)).slice(36, 40)
    expect([version(5, 3), version(-1, 3), version(-1, 2), version(-1, 1)]).toEqual(['0001', '0003', '0002', '0001'])
  })

  test('of a transaction', () => {
    const batch = offsetsBatch('g', [{ topic: 't', partition: 3, commit }], CONFIG, 1000, { producerId: 9, producerEpoch: 2 })
    expect(batch.readInt16BE(21)).toBe(0x10)
    expect([batch.readBigInt64BE(43), batch.readInt16BE(51), batch.readInt32BE(53)]).toEqual([9n, 2, 0])
  })

  test('of a group', () => {
    const group = new Group('g', 0, 1)
    group.add(new Member({
      memberId: 'm', groupInstanceId: null, clientId: 'c', clientHost: '/h', rebalanceTimeoutMs: 16, sessionTimeoutMs: 17,
      protocolType: 'consumer', protocols: [{ name: 'range', metadata: Buffer.from([0xaa]) }],
    }))
    group.transitionTo('PreparingRebalance', 1)
    group.nextGeneration(2)
    const batch = groupBatch(group, new Map([['m', Buffer.from([0xbb, 0xcc])]]), CONFIG, 1000)
    const key = '0002' + '000167'
    const value = '0003' + '0008636f6e73756d6572' + '00000001' + '000572616e6765' + '00016d' + '0000000000000002' + '00000001'
      + '00016d' + 'ffff' + '000163' + '00022f68' + '00000010' + '00000011' + '00000001aa' + '00000002bbcc'
    expect(recordsOf(batch)).toContain(key)
    expect(recordsOf(batch)).toContain(value)
  })

  test('of what goes, in batches of a bounded size', () => {
    const keys = Array.from({ length: 20_000 }, (_, partition) => ({ topic: 'a-topic-with-a-name', partition }))
    const batches = [...tombstoneBatches('g', keys, true, CONFIG, 1)]
    expect(batches.length).toBeGreaterThan(2)
    expect(Math.max(...batches.map(({ length }) => length))).toBeLessThan(300 * 1024)
    expect([...tombstoneBatches('g', [], false, CONFIG, 1)]).toEqual([])
  })
})

test('a partition is read without long pauses, and what it says is believed', async () => {
  const f = await Fixture.start()
  for (let i = 0; i < 200; i++) {
    f.log.add(offsetsBatch(`g${i}`, Array.from({ length: 100 }, (_, partition) => ({
      topic: 't', partition, commit: { offset: i * partition, leaderEpoch: -1, metadata: '', commitTimestamp: 1, expireTimestamp: -1, appendedAt: -1 },
    })), CONFIG, 1))
  }
  await f.failOver()
  expect(f.coordinator.list([], []).groups).toHaveLength(200)
  expect(f.committed('g7', 't', 9)).toBe(63)
})

test('members that cannot be in one group are left out, its offsets are not', async () => {
  const f = await Fixture.start()
  const group = new Group('group', 0, 1)
  const facts = { clientId: 'c', clientHost: '/h', rebalanceTimeoutMs: 1, sessionTimeoutMs: 6000, protocolType: 'consumer', protocols: [{ name: 'range', metadata: subscription('t') }] }
  group.add(new Member({ ...facts, memberId: 'a', groupInstanceId: 'i' }))
  const twin = new Member({ ...facts, memberId: 'b', groupInstanceId: null })
  group.add(twin)
  group.transitionTo('PreparingRebalance', 1)
  group.nextGeneration(2)
  Object.assign(twin, { groupInstanceId: 'i' })
  f.log.add(groupBatch(group, new Map(), CONFIG, 1))
  f.commit(3)
  await f.clock.settle()
  await f.failOver()
  expect([f.state(), f.committed()]).toEqual(['Empty', 3])
  expect((await f.stable(1)).generationId).toBe(2)
})

test('a group whose members could not be restored takes new ones', async () => {
  const f = await Fixture.start()
  const member = (memberId: string) => ({
    memberId, groupInstanceId: 'i', clientId: 'c', clientHost: '/h', rebalanceTimeout: 60_000, sessionTimeout: 10_000,
    subscription: Buffer.alloc(0), assignment: Buffer.alloc(0),
  })
  const value = encodeGroupValue({
    protocolType: 'consumer', generation: 3, protocol: 'range', leader: 'm2', currentStateTimestamp: 1, members: [member('m1'), member('m2')],
  }, 3)
  f.log.add(new BatchBuilder().append(encodeGroupKey('group'), value, [], 1).build())
  await f.failOver()
  expect(f.state()).toBe('Empty')
  const joined = f.join()
  await f.clock.advance(100)
  expect(joined.value.errorCode).toBe(ErrorCode.NONE)
})
