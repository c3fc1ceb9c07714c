import { ErrorCode } from '../../../../protocol/errors'
import { LogError } from '../../../../broker/log/log-error'
import { BatchBuilder } from '../../../../protocol/records/records'
import { World } from '../../../simulation/world/world'
import { brokers, elect, type BrokerSetup, type TestBroker } from './support/brokers'

const { NONE, NOT_LEADER_OR_FOLLOWER, REQUEST_TIMED_OUT } = ErrorCode

/** Three brokers, the first one leads t-0 and all are in the ISR. */
async function cluster(setup: BrokerSetup = {}): Promise<{ world: World; all: [TestBroker, TestBroker, TestBroker] }> {
  const world = new World(7)
  const all = brokers(world, 3, setup) as [TestBroker, TestBroker, TestBroker]
  await elect(world, all, { leader: 1, leaderEpoch: 0, isNew: true })
  return { world, all }
}

describe('append', () => {
  test('acks=all is answered when every in-sync replica has it', async () => {
    const { world, all: [leader, second, third] } = await cluster()
    third.isReachable = false
    let result: { errorCode: number } | undefined
    void leader.produce('a').then((found) => (result = found))
    await world.run(300)
    expect(result).toBeUndefined()
    expect(second.log().endOffset).toBe(1)
    expect(leader.log().highWatermark).toBe(0)
    third.isReachable = true
    await world.runUntil(() => result !== undefined, 3000, 'the answer')
    expect(result).toMatchObject({ errorCode: NONE, baseOffset: 0, nextOffset: 1 })
    expect(leader.log().highWatermark).toBe(1)
    await world.runUntil(() => second.log().highWatermark === 1 && third.log().highWatermark === 1, 2000, 'followers know')
  })

  test('acks=1 is answered at the end of the turn, acks=all may time out', async () => {
    const { world, all: [leader, second, third] } = await cluster()
    second.isReachable = third.isReachable = false
    const quick = await world.settle(leader.produce('a', { acks: 1 }), 5, 'the answer')
    expect(quick).toMatchObject({ errorCode: NONE, baseOffset: 0 })
    const late = await world.settle(leader.produce('b', { timeoutMs: 500 }), 1000, 'the time-out')
    expect(late).toMatchObject({ errorCode: REQUEST_TIMED_OUT, baseOffset: -1 })
  })

  test.each([
    ['a follower names the leader', 2, { errorCode: NOT_LEADER_OR_FOLLOWER, currentLeader: { leaderId: 1, leaderEpoch: 0 } }],
  ])('%s', async (_, id, expected) => {
    const { world, all } = await cluster()
    expect(await world.settle(all[id - 1]!.produce('a'), 100, 'the answer')).toMatchObject(expected)
  })

  test('refuses unknown partitions, odd acks and internal topics', async () => {
    const { world, all: [leader] } = await cluster()
    const unknown = await world.settle(leader.produce('a', { partition: 9 }), 100, 'the answer')
    expect(unknown.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const odd = await world.settle(leader.produce('a', { acks: 2 }), 100, 'the answer')
    expect(odd.errorCode).toBe(ErrorCode.INVALID_REQUIRED_ACKS)
    expect(leader.log().endOffset).toBe(0)
  })

  test('a deposed leader answers what waited with NOT_LEADER_OR_FOLLOWER', async () => {
    const { world, all: [leader, second, third] } = await cluster()
    second.isReachable = third.isReachable = false
    const waiting = leader.produce('a', { timeoutMs: 60_000 })
    await world.run(10)
    await world.settle(leader.leaderAndIsr({ leader: 2, leaderEpoch: 1 }), 100, 'LeaderAndIsr')
    expect(await world.settle(waiting, 100, 'the answer')).toMatchObject({ errorCode: NOT_LEADER_OR_FOLLOWER, baseOffset: -1 })
  })

  test('a leader whose session may have expired appends nothing and acknowledges nothing (known-problems 2.3)', async () => {
    const { world, all: [leader, , third] } = await cluster()
    third.isReachable = false
    const waiting = leader.produce('a', { timeoutMs: 60_000 })
    await world.run(10)
    leader.mayAct = false
    expect((await world.settle(leader.produce('b', { acks: 1 }), 100, 'the answer')).errorCode).toBe(NOT_LEADER_OR_FOLLOWER)
    expect(leader.log().endOffset).toBe(1)
    third.isReachable = true
    expect((await world.settle(waiting, 3000, 'the answer')).errorCode).toBe(NOT_LEADER_OR_FOLLOWER)
    expect((await world.settle(leader.consume(0), 100, 'the answer')).errorCode).toBe(NOT_LEADER_OR_FOLLOWER)
  })

  test('a session that is back within a moment: what was committed meanwhile is acknowledged', async () => {
    const { world, all: [leader, , third] } = await cluster()
    third.isReachable = false
    let result: { errorCode: number } | undefined
    void leader.produce('a', { timeoutMs: 60_000 }).then((found) => (result = found))
    await world.run(10)
    leader.mayAct = false
    third.isReachable = true
    await world.runUntil(() => leader.log().highWatermark === 1, 3000, 'it is committed')
    await world.run(200)
    expect(result).toBeUndefined()
    leader.mayAct = true
    await world.runUntil(() => result !== undefined, 100, 'the answer')
    expect(result).toMatchObject({ errorCode: NONE, baseOffset: 0 })
  })

  test('a leader that has registered anew speaks for a partition only when a controller has told it its part since', async () => {
    const { world, all: [leader, second] } = await cluster()
    const produce = async (): Promise<number> =>
      (await world.settle(leader.produce('a', { acks: 1 }), 3000, 'the answer')).errorCode
    leader.epoch = 201
    expect(await produce()).toBe(NOT_LEADER_OR_FOLLOWER)
    expect((await world.settle(leader.consume(0), 100, 'the answer')).errorCode).toBe(NOT_LEADER_OR_FOLLOWER)
    await world.settle(leader.leaderAndIsr({ leader: 1, leaderEpoch: 0 }), 100, 'LeaderAndIsr')
    expect(await produce()).toBe(NONE)
    // This one was sent before the controller saw a newer ISR.
    await world.settle(leader.leaderAndIsr({ leader: 1, leaderEpoch: 0, partitionEpoch: 1 }), 100, 'LeaderAndIsr')
    leader.epoch = 301
    await world.settle(leader.leaderAndIsr({ leader: 1, leaderEpoch: 0 }), 100, 'LeaderAndIsr')
    expect(await produce()).toBe(NONE)
    // What was appended before the session ended, and is in no other log, is not acknowledged in front of the news.
    second.isReachable = false
    const appended = leader.produce('b', { acks: 1 })
    leader.epoch = 401
    expect((await world.settle(appended, 3000, 'the answer')).errorCode).toBe(NOT_LEADER_OR_FOLLOWER)
  })

  test('a gap in a sequence, a moment after a refusal, is not told: the client closes it', async () => {
    const { world, all: [leader] } = await cluster()
    const gap = jest.spyOn(leader.log(), 'appendAsLeader').mockImplementation(() => {
      throw new LogError(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, 'a gap')
    })
    leader.mayAct = false
    expect((await world.settle(leader.produce('a'), 100, 'the answer')).errorCode).toBe(NOT_LEADER_OR_FOLLOWER)
    leader.mayAct = true
    expect((await world.settle(leader.produce('b'), 100, 'the answer')).errorCode).toBe(NOT_LEADER_OR_FOLLOWER)
    await world.run(1500)
    expect((await world.settle(leader.produce('b'), 100, 'the answer')).errorCode).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    gap.mockRestore()
  })

  test('what an unknown producer sends behind a batch that was refused does not come before it', async () => {
    const { world, all: [leader] } = await cluster()
    const of = (sequence: number): { records: Buffer } => {
      const options = { producerId: 7, producerEpoch: 0, baseSequence: sequence }
      return { records: new BatchBuilder(options).append(null, Buffer.from('x'), [], 1000).build() }
    }
    const send = async (sequence: number): Promise<number> =>
      (await world.settle(leader.produce('', of(sequence)), 100, 'the answer')).errorCode
    leader.mayAct = false
    expect(await send(0)).toBe(NOT_LEADER_OR_FOLLOWER)
    leader.mayAct = true
    expect(await send(1)).toBe(NOT_LEADER_OR_FOLLOWER)
    expect(await send(0)).toBe(NONE)
    expect(await send(1)).toBe(NONE)
  })

  test('an unknown producer may begin with any sequence where nothing was refused', async () => {
    const { world, all: [leader] } = await cluster()
    const options = { producerId: 7, producerEpoch: 0, baseSequence: 5 }
    const records = new BatchBuilder(options).append(null, Buffer.from('x'), [], 1000).build()
    expect((await world.settle(leader.produce('', { records }), 100, 'the answer')).errorCode).toBe(NONE)
  })

  test('a write that fails at the end of the turn is not acknowledged', async () => {
    const { world, all: [leader] } = await cluster()
    const answer = leader.produce('a', { acks: 1 })
    leader.logs.fail('/d1')
    expect((await world.settle(answer, 100, 'the answer')).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    expect((await world.settle(leader.produce('b'), 100, 'the answer')).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
  })
})

describe('min.insync.replicas', () => {
  test('below it acks=all is refused and the high watermark stands still (KAFKA-15583)', async () => {
    const { world, all } = await cluster({ topic: { minInsyncReplicas: 2 } })
    const [leader] = all
    await elect(world, all, { leader: 1, leaderEpoch: 1, isr: [1] })
    all[1].isReachable = all[2].isReachable = false
    expect((await world.settle(leader.produce('a'), 100, 'the answer')).errorCode).toBe(ErrorCode.NOT_ENOUGH_REPLICAS)
    expect((await world.settle(leader.produce('b', { acks: 1 }), 100, 'the answer')).errorCode).toBe(NONE)
    await world.run(100)
    expect(leader.log()).toMatchObject({ endOffset: 1, highWatermark: 0 })
  })

  test('members of the ISR that are no replicas do not count (KAFKA-9672)', async () => {
    const { world, all } = await cluster({ topic: { minInsyncReplicas: 2 } })
    const [leader] = all
    await elect(world, all, { leader: 1, leaderEpoch: 1, isr: [1, 9] })
    expect((await world.settle(leader.produce('a'), 100, 'the answer')).errorCode).toBe(ErrorCode.NOT_ENOUGH_REPLICAS)
  })
})

test('a log that the controller has not told of since the start says how far it goes, to a debugging consumer only', async () => {
  const { world, all: [leader, second] } = await cluster()
  await world.settle(leader.produce('a'), 100, 'the answer')
  second.kill()
  second.start()
  const ask = (replicaId: number) => second.replicas.listOffsets(
    { replicaId, isolation: 'logEnd', requestVersion: 4 }, [{ topic: 't', partition: 0, timestamp: -1, currentLeaderEpoch: -1, maxOffsets: 1 }],
  )[0]
  expect(ask(-2)).toMatchObject({ errorCode: NONE, offset: 1, leaderEpoch: 0 })
  expect(ask(-1)!.errorCode).not.toBe(NONE)
})

describe('fetch', () => {
  test('consumers see up to the high watermark, and wait for more', async () => {
    const { world, all: [leader, , third] } = await cluster()
    third.isReachable = false
    void leader.produce('a')
    await world.run(50)
    const empty = await world.settle(leader.consume(0), 100, 'the answer')
    expect(empty).toMatchObject({ errorCode: NONE, highWatermark: 0, preferredReadReplica: -1 })
    expect(empty.records).toHaveLength(0)
    const waiting = leader.consume(0, { maxWaitMs: 60_000 })
    third.isReachable = true
    const found = await world.settle(waiting, 3000, 'the records')
    expect(found.highWatermark).toBe(1)
    expect(found.records.length).toBeGreaterThan(0)
  })

  test('waits for min bytes', async () => {
    const { world, all: [leader] } = await cluster()
    let answered = false
    const one = (await world.settle(leader.produce('a'), 3000, 'the answer')).errorCode
    expect(one).toBe(NONE)
    const size = leader.log().size
    void leader.consume(0, { maxWaitMs: 60_000, minBytes: size * 2 }).then(() => (answered = true))
    await world.run(500)
    expect(answered).toBe(false)
    void leader.produce('b')
    await world.runUntil(() => answered, 3000, 'both')
  })

  test.each([
    ['an offset beyond the end', { fetchOffset: 5 }, ErrorCode.OFFSET_OUT_OF_RANGE],
    ['a later epoch', { currentLeaderEpoch: 7, fetchOffset: 0 }, ErrorCode.UNKNOWN_LEADER_EPOCH],
    ['another partition', { partition: 5, fetchOffset: 0 }, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ['a topic id without a name', { topic: '', fetchOffset: 0 }, ErrorCode.UNKNOWN_TOPIC_ID],
  ])('answers %s at once', async (_, request, errorCode) => {
    const { world, all: [leader] } = await cluster()
    const { fetchOffset, ...more } = request
    const found = await world.settle(leader.consume(fetchOffset, { maxWaitMs: 60_000, ...more }), 100, 'the answer')
    expect(found).toMatchObject({ errorCode, highWatermark: -1 })
  })

  test('fences an older epoch, and a follower that is not assigned', async () => {
    const { world, all } = await cluster()
    await elect(world, all, { leader: 1, leaderEpoch: 3 })
    const [leader] = all
    const old = await world.settle(leader.consume(0, { currentLeaderEpoch: 2, maxWaitMs: 60_000 }), 100, 'the answer')
    expect(old.errorCode).toBe(ErrorCode.FENCED_LEADER_EPOCH)
    const strange = leader.consume(0, { replicaId: 9, currentLeaderEpoch: 3, maxWaitMs: 9999 })
    const stranger = await world.settle(strange, 100, 'the answer')
    expect(stranger.errorCode).toBe(ErrorCode.UNKNOWN_LEADER_EPOCH)
    const older = await world.settle(leader.consume(0, { replicaId: 9, maxWaitMs: 9999 }), 100, 'the answer')
    expect(older.errorCode).toBe(NOT_LEADER_OR_FOLLOWER)
  })

  test('a fetch that waits is answered when the leader steps down', async () => {
    const { world, all: [leader] } = await cluster()
    const waiting = leader.consume(0, { maxWaitMs: 60_000 })
    await world.run(10)
    await world.settle(leader.leaderAndIsr({ leader: 2, leaderEpoch: 1 }), 100, 'LeaderAndIsr')
    expect(await world.settle(waiting, 100, 'the answer')).toMatchObject({
      errorCode: NOT_LEADER_OR_FOLLOWER, currentLeader: { leaderId: 2, leaderEpoch: 1 },
    })
  })
})

describe('a follower’s fetch', () => {
  test('that waits at the leader does not make a new partition wait', async () => {
    const { world, all } = await cluster()
    const [leader] = all
    await world.run(700)
    for (const broker of all) {
      const state = { leader: 1, leaderEpoch: 0, isNew: true, partition: 1 }
      await world.settle(broker.leaderAndIsr(state), 100, 'LeaderAndIsr')
    }
    const before = world.nowMs
    expect((await world.settle(leader.produce('a', { partition: 1 }), 400, 'the answer')).errorCode).toBe(NONE)
    expect(world.nowMs - before).toBeLessThan(100)
    // The session that was hung up on is closed, not left behind.
    expect(leader.replicas.fetchSessions.size).toBe(2)
  })

  test('of a broker that is not alive moves nothing (broker.md §5)', async () => {
    const { world, all: [leader, second, third] } = await cluster()
    second.isReachable = third.isReachable = false
    await world.run(600)
    void leader.produce('a', { acks: 1 })
    await world.run(10)
    await world.settle(leader.updateMetadata([1]), 100, 'metadata')
    for (const replicaId of [2, 3]) await world.settle(leader.consume(1, { replicaId }), 100, 'the answer')
    expect(leader.log().highWatermark).toBe(0)
    await world.settle(leader.updateMetadata([1, 2, 3]), 100, 'metadata')
    for (const replicaId of [2, 3]) await world.settle(leader.consume(1, { replicaId }), 100, 'the answer')
    expect(leader.log().highWatermark).toBe(1)
  })

  test('under another registration than ZooKeeper knows moves nothing (KIP-903)', async () => {
    const known = new Map([[2, 202], [3, 103]])
    const reads: number[] = []
    const readBrokerEpoch = async (id: number): Promise<number | undefined> => {
      reads.push(id)
      return known.get(id)
    }
    const { world, all: [leader, second] } = await cluster({ options: { readBrokerEpoch } })
    void leader.produce('a', { acks: 1 })
    await world.runUntil(() => leader.partition().followers.get(3)!.logEndOffset === 1, 3000, 'broker 3 counts')
    await world.run(600)
    // Broker 2 calls itself 102, and is registered as 202.
    expect(leader.partition().followers.get(2)!.logEndOffset).toBe(-1)
    expect(leader.log().highWatermark).toBe(0)
    second.epoch = 202
    await world.runUntil(() => leader.log().highWatermark === 1, 3000, 'the new registration counts')
    expect(leader.partition().followers.get(2)!.brokerEpoch).toBe(202)
    // Once per registration, and once a second while a claim is wrong.
    expect(reads.filter((id) => id === 3)).toHaveLength(1)
    expect(reads.filter((id) => id === 2).length).toBeLessThan(5)
  })
})

describe('flush.before.ack', () => {
  test('a partition that comes to a fetcher while that syncs others claims nothing that is not synced', async () => {
    const world = new World(7)
    const all = brokers(world, 2, { topic: { flushBeforeAck: true, minInsyncReplicas: 2 } }) as [TestBroker, TestBroker]
    const [first, second] = all
    const replicas = [1, 2]
    await elect(world, all, { leader: 1, leaderEpoch: 0, isr: [1, 2], replicas, isNew: true })
    await elect(world, all, { leader: 2, leaderEpoch: 0, isr: [1, 2], replicas, isNew: true, partition: 1 })
    await world.run(1000)
    // The second broker leads t-1, and has not synced its record; the first one has.
    second.log(1).holdsSyncs = true
    void second.produce('x', { partition: 1 })
    await world.runUntil(() => first.log(1).syncedOffset === 1, 2000, 'the follower has it')
    // It follows t-0, and its fetcher waits for a sync.
    second.log(0).holdsSyncs = true
    void first.produce('a')
    await world.runUntil(() => second.log(0).endOffset === 1 && second.log(0).syncCount > 0, 2000, 'it syncs the record')
    await elect(world, all, { leader: 1, leaderEpoch: 1, isr: [1, 2], replicas, partition: 1 })
    second.log(0).finishSync()
    await world.run(2000)
    expect([second.log(1).syncedOffset, first.log(1).highWatermark]).toEqual([0, 0])
    second.log(1).finishSync()
    await world.runUntil(() => first.log(1).highWatermark === 1, 3000, 'the high watermark')
    expect(second.log(1).syncedOffset).toBe(1)
  })

  test('an acknowledgement means that every in-sync replica has synced it', async () => {
    const { world, all } = await cluster({ topic: { flushBeforeAck: true } })
    const [leader, second, third] = all
    for (const broker of all) broker.log().holdsSyncs = true
    let isDone = false
    void leader.produce('a').then(() => (isDone = true))
    await world.run(100)
    expect([second.log().endOffset, third.log().endOffset]).toEqual([1, 1])
    leader.log().finishSync()
    second.log().finishSync()
    await world.run(100)
    expect(isDone).toBe(false)
    third.log().finishSync()
    await world.runUntil(() => isDone, 2000, 'the answer')
    expect(all.map((broker) => broker.log().syncedOffset)).toEqual([1, 1, 1])
  })
})

describe('the last replica standing (KIP-966)', () => {
  test('a leader that is left alone syncs at once, and before it acknowledges', async () => {
    const { world, all } = await cluster()
    const [leader, second, third] = all
    await world.settle(leader.produce('a'), 3000, 'the answer')
    expect(leader.log().syncCount).toBe(0)
    second.isReachable = third.isReachable = false
    leader.log().holdsSyncs = true
    await elect(world, [leader], { leader: 1, leaderEpoch: 1, isr: [1], replicas: [1, 2, 3] }, [1])
    expect(leader.log().syncCount).toBe(1)
    let isDone = false
    void leader.produce('b').then(() => (isDone = true))
    await world.run(100)
    expect(isDone).toBe(false)
    leader.log().finishSync()
    await world.run(1)
    leader.log().finishSync()
    await world.runUntil(() => isDone, 100, 'the answer')
    expect(leader.log()).toMatchObject({ syncedOffset: 2, highWatermark: 2 })
  })

  test('a single replica answers from the page cache', async () => {
    const { world, all: [leader] } = await cluster()
    await elect(world, [leader], { leader: 1, leaderEpoch: 1, isr: [1], replicas: [1] })
    leader.log().holdsSyncs = true
    expect((await world.settle(leader.produce('a'), 100, 'the answer')).errorCode).toBe(NONE)
  })
})

describe('delete records', () => {
  function remove(broker: TestBroker, offset: number, timeoutMs = 5000) {
    return new Promise<{ errorCode: number; lowWatermark: number }>((resolve) => {
      const partitions = [{ topic: 't', partition: 0, offset }]
      broker.replicas.deleteRecords({ timeoutMs, partitions }, ([result]) => resolve(result!))
    })
  }

  test('is done when every live replica has moved its start', async () => {
    const { world, all } = await cluster()
    const [leader, , third] = all
    await world.settle(leader.produce('a'), 3000, 'the answer')
    await world.settle(leader.produce('b'), 3000, 'the answer')
    third.isReachable = false
    await world.run(600)
    expect(await world.settle(remove(leader, 1, 300), 1000, 'the answer')).toMatchObject({ errorCode: REQUEST_TIMED_OUT })
    third.isReachable = true
    expect(await world.settle(remove(leader, 1), 3000, 'the answer')).toMatchObject({ errorCode: NONE, lowWatermark: 1 })
    expect(all.map((broker) => broker.log().startOffset)).toEqual([1, 1, 1])
  })

  test('-1 means the high watermark; above it is out of range; a compacted topic keeps its records', async () => {
    const { world, all: [leader] } = await cluster()
    await world.settle(leader.produce('a'), 3000, 'the answer')
    expect((await world.settle(remove(leader, 5), 100, 'the answer')).errorCode).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
    expect(await world.settle(remove(leader, -1), 3000, 'the answer')).toMatchObject({ errorCode: NONE, lowWatermark: 1 })
    Object.assign(leader.log().config, { cleanupPolicy: ['compact'] })
    expect((await world.settle(remove(leader, 1), 100, 'the answer')).errorCode).toBe(ErrorCode.POLICY_VIOLATION)
  })
})
