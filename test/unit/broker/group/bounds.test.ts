import { encodeGroupKey, encodeGroupValue } from '../../../../protocol/files/internal-records'
import { ErrorCode } from '../../../../protocol/errors'
import { BatchBuilder } from '../../../../protocol/records/records'
import { Fixture } from './support/coordinator-fixture'
import type { OffsetToCommit } from '../../../../broker/group/group-offsets'

const TX = { producerId: 7, producerEpoch: 0 }
const KIB = 1024
const NO_ROOM = ErrorCode.COORDINATOR_NOT_AVAILABLE

function offset(partition: number, value: number, metadata = ''): OffsetToCommit {
  return { topic: 'topic', partition, offset: value, leaderEpoch: -1, metadata, commitTimestamp: -1, expireTimestamp: -1 }
}

describe('what clients may use of memory', () => {
  test('long names of groups, clients and instances count', async () => {
    for (const long of ['groupId', 'clientId', 'groupInstanceId'] as const) {
      const f = await Fixture.start({}, { memoryBytes: 1024 * KIB })
      let taken = 0
      for (let i = 0; i < 100; i++) {
        const name = `${'x'.repeat(15 * KIB)}-${i}`
        const requireKnownMemberId = long !== 'groupInstanceId'
        const { values } = f.join({ groupId: `g${i}`, requireKnownMemberId, [long]: name })
        if (values[0]?.errorCode === NO_ROOM) break
        taken++
      }
      expect({ long, isBounded: taken > 3 && taken < 60 }).toEqual({ long, isBounded: true })
    }
  })

  test('ids that are too long to be found in a map are refused, or cut', async () => {
    const f = await Fixture.start()
    const long = 'x'.repeat(20_000)
    expect(f.join({ groupId: long }).value.errorCode).toBe(ErrorCode.INVALID_GROUP_ID)
    expect(f.commit(1, { groupId: long }).value).toEqual([ErrorCode.INVALID_GROUP_ID])
    expect(f.join({ groupInstanceId: long }).value.errorCode).toBe(ErrorCode.INVALID_REQUEST)
    const { errorCode, memberId } = f.join({ clientId: long, requireKnownMemberId: true }).value
    expect([errorCode, memberId.length]).toEqual([ErrorCode.MEMBER_ID_REQUIRED, 16_383])
    expect(f.coordinator.list([], []).groups).toHaveLength(1)
  })

  test('groups that only keep offsets count, and offsets; what is committed already goes on', async () => {
    const f = await Fixture.start({}, { memoryBytes: 100 * KIB, offsetBytes: 100 * KIB })
    const commit = async (groupId: string, ...offsets: OffsetToCommit[]): Promise<number> => {
      const answer = f.commit(0, { groupId, offsets })
      await f.clock.settle()
      return answer.value[0]!
    }
    let groups = 0
    while ((await commit(`g${groups}`, offset(0, 1))) === 0) groups++
    expect(groups).toBeGreaterThan(20)
    expect(groups).toBeLessThan(100)
    expect(f.coordinator.list([], []).groups).toHaveLength(groups)
    let partitions = 1
    while ((await commit('g0', offset(partitions, 1, 'm'.repeat(1000)))) === 0) partitions++
    expect(partitions).toBeLessThan(50)
    expect(await commit('g0', offset(0, 2))).toBe(0)
    expect(await commit('g0', offset(1, 2, 'm'.repeat(1000)))).toBe(0)
    expect(await commit('g0', offset(0, 3, 'm'.repeat(4000)))).toBe(NO_ROOM)
    const inTransaction = f.commitTransactional(1, TX, { groupId: 'g0', offsets: [offset(99, 1, 'm'.repeat(4000))] })
    await f.clock.settle()
    expect(inTransaction.value).toEqual([NO_ROOM])
    // What the log holds is loaded in any case, and what goes makes room.
    await f.failOver()
    expect(f.coordinator.list([], []).groups).toHaveLength(groups)
    expect(await commit('g0', offset(99, 1, 'm'.repeat(4000)))).toBe(NO_ROOM)
    expect(f.coordinator.deleteGroup('g0')).toBe(0)
    expect(await commit('g1', offset(99, 1))).toBe(0)
  })

  test('transactions that come and go leave nothing behind', async () => {
    const f = await Fixture.start({}, { offsetBytes: 3 * KIB })
    for (let i = 0; i < 20; i++) {
      const answer = f.commitTransactional(i, TX, {})
      await f.clock.settle()
      expect(answer.value).toEqual([0])
      f.coordinator.completeTransaction(7, [0], i % 2 === 0)
    }
    expect(f.committed()).toBe(18)
  })

  test('assignments count', async () => {
    const f = await Fixture.start({}, { memoryBytes: 100 * KIB })
    const join = f.join()
    await f.clock.advance(20)
    const { memberId } = join.value
    const sync = f.sync(memberId, 1, { [memberId]: 'x'.repeat(100 * KIB) })
    expect(sync.value.errorCode).toBe(NO_ROOM)
    expect(f.state()).toBe('PreparingRebalance')
    const again = f.join({ memberId })
    await f.clock.advance(20)
    const small = f.sync(memberId, again.value.generationId, { [memberId]: 'x'.repeat(90 * KIB) })
    await f.clock.settle()
    expect(small.value.errorCode).toBe(0)
    expect(f.join({ groupId: 'other', metadata: Buffer.alloc(10 * KIB) }).value.errorCode).toBe(NO_ROOM)
    f.coordinator.leave('group', [{ memberId, groupInstanceId: null, reason: null }])
    expect(f.join({ groupId: 'other', metadata: Buffer.alloc(10 * KIB) }).values).toEqual([])
  })

  test('a member that the group has no room for any more leaves its part to the others', async () => {
    const f = await Fixture.start({}, { groupBytes: 20 * KIB })
    const { ids } = await f.stable(2)
    expect(f.join({ memberId: ids[1]!, metadata: Buffer.alloc(30 * KIB) }).value.errorCode).toBe(ErrorCode.GROUP_MAX_SIZE_REACHED)
    expect(f.state()).toBe('PreparingRebalance')
    expect(f.coordinator.describe('group').members.map(({ memberId }) => memberId)).toEqual([ids[0]])
  })

  test('what is asked for many times is answered once', async () => {
    const f = await Fixture.start()
    f.commit(5)
    await f.clock.settle()
    const keys = Array.from({ length: 1000 }, (_, i) => ({ topic: 'topic', partition: i % 2 }))
    expect(f.coordinator.fetch('group', keys, false)).toHaveLength(2)
    expect(f.coordinator.fetch('group', keys, true)).toHaveLength(2)
    expect(f.coordinator.fetch('unknown', keys, false)).toHaveLength(2)
  })
})

describe('memory is what the log says', () => {
  test('of one partition that is named twice in a commit the last one counts', async () => {
    const f = await Fixture.start()
    f.commit(0, { offsets: [offset(0, 5), offset(0, 6)] })
    await f.clock.settle()
    expect(f.committed()).toBe(6)
    await f.failOver()
    expect(f.committed()).toBe(6)
  })

  test('a commit that was on its way when its group was deleted does not bring that back', async () => {
    const f = await Fixture.start()
    f.commit(5)
    await f.clock.settle()
    f.log.held = []
    const late = f.commit(0, { offsets: [offset(1, 7)] })
    expect(f.coordinator.deleteGroup('group')).toBe(0)
    f.log.release()
    await f.clock.settle()
    expect(late.isThere).toBe(true)
    expect(f.state()).toBe('Dead')
    await f.failOver()
    expect([f.state(), f.committed('group', 'topic', 1)]).toEqual(['Dead', -1])
  })

  test('a commit in a transaction that cannot be written leaves the one before', async () => {
    const f = await Fixture.start()
    f.commitTransactional(5, TX)
    await f.clock.settle()
    f.log.errorCode = ErrorCode.NOT_ENOUGH_REPLICAS
    const failed = f.commitTransactional(6, TX)
    await f.clock.settle()
    expect(failed.value).toEqual([ErrorCode.COORDINATOR_NOT_AVAILABLE])
    f.coordinator.completeTransaction(7, [0], true)
    expect(f.committed()).toBe(5)
  })

  test('after the last generation comes the first', async () => {
    const f = await Fixture.start()
    const value = { protocolType: 'consumer', generation: 0x7fffffff, protocol: null, leader: null, currentStateTimestamp: 1, members: [] }
    f.log.add(new BatchBuilder().append(encodeGroupKey('group'), encodeGroupValue(value, 3), [], 1).build())
    await f.failOver()
    const { generationId } = await f.stable(1)
    expect(generationId).toBe(1)
  })
})
