import { decideTruncation } from '../../../../broker/replica/truncation'
import { fetcherIdOf } from '../../../../broker/replica/fetcher-manager'
import { backoffMs } from '../../../../broker/replica/fetcher-state'
import { ErrorCode } from '../../../../protocol/errors'
import { World } from '../../../simulation/world/world'
import { batch, FakeLog } from './support/fake-log'
import { brokers, elect, TOPIC, TOPIC_ID, type BrokerSetup, type StateInput, type TestBroker } from './support/brokers'

/** A log of one-record batches: `[epoch, how many]`, with values `epoch:index` (or with `name`, so that they differ). */
function fill(log: FakeLog, parts: [epoch: number, count: number][], name = ''): FakeLog {
  for (const [epoch, count] of parts) {
    log.assignEpochStart(epoch, log.endOffset)
    for (let i = 0; i < count; i++) log.appendAsLeader(batch(`${name}${epoch}:${i}`), { leaderEpoch: epoch, origin: 'client' })
  }
  return log
}

describe('where a follower cuts its log', () => {
  test.each([
    // [what, own log, leader's answer, fallback, offset, complete]
    ['nothing to cut', [[0, 5]], { epoch: 0, endOffset: 5 }, 2, 5, true],
    ['the leader has less of the epoch', [[0, 5]], { epoch: 0, endOffset: 3 }, 2, 3, true],
    ['the leader has more of the epoch', [[0, 5]], { epoch: 0, endOffset: 9 }, 2, 5, true],
    ['the leader went on in a later epoch', [[0, 3], [1, 4]], { epoch: 0, endOffset: 5 }, 2, 3, true],
    ['the leader’s epoch is unknown here (KIP-279)', [[0, 5], [2, 3]], { epoch: 1, endOffset: 6 }, 2, 5, false],
    ['the leader knows no such epoch', [[0, 5]], { epoch: -1, endOffset: -1 }, 2, 2, true],
    ['the leader answers without an epoch (v0)', [[0, 5]], { epoch: -1, endOffset: 4 }, 2, 4, true],
    ['no epochs here at all', [], { epoch: 3, endOffset: 4 }, 0, 0, true],
  ] as const)('%s', (_, parts, answer, fallback, offset, isComplete) => {
    const log = fill(new FakeLog('t', 0, '/d', undefined), parts.map(([epoch, count]) => [epoch, count]))
    expect(decideTruncation(log, answer, fallback)).toEqual({ offset, isComplete })
  })
})

test('partitions are spread over fetchers as Kafka does', () => {
  // Java: Math.abs(31 * "t".hashCode() + partition) % n
  expect([0, 1, 2, 3].map((partition) => fetcherIdOf('t', partition, 4))).toEqual([0, 1, 2, 3].map((p) => (31 * 116 + p) % 4))
  expect(fetcherIdOf('__consumer_offsets', 7, 3)).toBeGreaterThanOrEqual(0)
})

test('the back-off doubles from 20 ms to what is configured', () => {
  expect([0, 1, 2, 5, 6, 50].map((failures) => backoffMs(failures, 1000))).toEqual([20, 40, 80, 640, 1000, 1000])
})

const WAYS: [string, BrokerSetup][] = [
  ['the leader tells of diverging epochs (IBP 2.7 and later)', {}],
  ['followers ask by OffsetsForLeaderEpoch (IBP 2.3)', {
    protocol: { fetchVersion: 11, truncationOnFetch: false, offsetForLeaderEpochVersion: 3, listOffsetsVersion: 5 },
  }],
  ['followers ask by OffsetsForLeaderEpoch (IBP 2.0)', {
    protocol: { fetchVersion: 8, truncationOnFetch: false, offsetForLeaderEpochVersion: 1, listOffsetsVersion: 3 },
  }],
]

describe.each(WAYS)('%s', (_, setup) => {
  function pair(): { world: World; all: [TestBroker, TestBroker] } {
    const world = new World(11)
    return { world, all: brokers(world, 2, setup) as [TestBroker, TestBroker] }
  }

  function existing(broker: TestBroker): FakeLog {
    return broker.logs.getOrCreate(TOPIC, 0, { topicId: TOPIC_ID })
  }

  /** Until the follower has what the leader has, byte by byte, and the high watermark is the end. */
  async function converge(world: World, leader: TestBroker, follower: TestBroker): Promise<void> {
    const isSame = (): boolean => leader.log().content().join() === follower.log().content().join()
    await world.runUntil(
      () => isSame() && follower.log().highWatermark === leader.log().endOffset,
      20_000,
      'the logs are equal',
    )
    const last = leader.log().epochs.findLast((each) => each.start < leader.log().endOffset)
    expect(follower.log().latestEpoch).toBe(last?.epoch)
  }

  const state = (leader: number, leaderEpoch: number, more: Partial<StateInput> = {}): StateInput => ({
    leader, leaderEpoch, isr: [1, 2], replicas: [1, 2], ...more,
  })

  test('KIP-101, scenario 1: a follower that restarts keeps what lies above its high watermark', async () => {
    const { world, all } = pair()
    const [a, b] = all
    await elect(world, all, state(1, 0))
    await world.settle(a.produce('m1'), 3000, 'm1')
    await world.settle(a.produce('m2'), 3000, 'm2')
    // B has m2 but does not know yet that it is committed.
    b.log().highWatermark = 1
    b.process.kill()
    a.isReachable = false
    b.start()
    await elect(world, [b], state(1, 0), [1, 2])
    await world.run(300)
    expect(b.log().endOffset).toBe(2)
    await elect(world, [b], state(2, 1, { isr: [2] }))
    expect(b.log()).toMatchObject({ endOffset: 2, highWatermark: 2 })
  })

  test('KIP-101, scenario 2: after both died, the one that comes back later gives up what the other never had', async () => {
    const { world, all } = pair()
    const [a, b] = all
    fill(existing(a), [[0, 1]])
    fill(existing(b), [[0, 1]])
    fill(existing(a), [[0, 1]], 'only A: ')
    await elect(world, [b], state(2, 1, { isr: [2] }), [2])
    await world.settle(b.produce('m3'), 3000, 'm3')
    await elect(world, all, state(2, 1, { isr: [2] }))
    await converge(world, b, a)
    expect(a.log().endOffset).toBe(2)
    expect(a.events).toContainEqual(expect.objectContaining({ kind: 'truncation', fromOffset: 2, toOffset: 1 }))
  })

  test('KIP-279: fast elections leave epochs that only one side knows', async () => {
    const { world, all } = pair()
    const [a, b] = all
    // A led in 1 and 3, B in 2 and 4, each alone at the end of it.
    fill(existing(a), [[0, 4], [1, 2]], '')
    fill(existing(a), [[3, 3]], 'A')
    fill(existing(b), [[0, 4]], '')
    fill(existing(b), [[2, 5]], 'B')
    await elect(world, all, state(2, 4, { isr: [2] }))
    await converge(world, b, a)
    expect(a.log().epochs.map((each) => each.epoch)).toEqual([0, 2])
  })

  test('KIP-279: the leader answers with an epoch that the follower does not know', async () => {
    const { world, all } = pair()
    const [a, b] = all
    fill(existing(a), [[0, 5]])
    fill(existing(a), [[2, 4]], 'A')
    fill(existing(b), [[0, 5], [1, 3]])
    fill(existing(b), [[3, 1]], 'B')
    await elect(world, all, state(2, 5, { isr: [2] }))
    await converge(world, b, a)
    expect(a.log().epochs.map((each) => each.epoch)).toEqual([0, 1, 3])
  })

  test('an unclean leader with a shorter log of the same epoch', async () => {
    const { world, all } = pair()
    const [a, b] = all
    fill(existing(a), [[0, 6]])
    fill(existing(b), [[0, 2]])
    existing(a).highWatermark = 6
    await elect(world, all, state(2, 1, { isr: [2] }))
    await world.settle(b.produce('new', { acks: 1 }), 3000, 'the answer')
    await converge(world, b, a)
    expect(a.log().endOffset).toBe(3)
  })

  test('an unclean leader that knows nothing', async () => {
    const { world, all } = pair()
    const [a, b] = all
    fill(existing(a), [[0, 3]])
    existing(b)
    await elect(world, all, state(2, 1, { isr: [2] }))
    await world.settle(b.produce('new', { acks: 1 }), 3000, 'the answer')
    await converge(world, b, a)
  })

  test('a follower whose end lies below the leader’s start begins anew there', async () => {
    const { world, all } = pair()
    const [a, b] = all
    fill(existing(a), [[0, 2]])
    fill(existing(b), [[0, 8]])
    existing(b).updateHighWatermark(8)
    existing(b).incrementLogStartOffset(5)
    await elect(world, all, state(2, 1, { isr: [2] }))
    await converge(world, b, a)
    expect(a.log()).toMatchObject({ startOffset: 5, endOffset: 8 })
  })

  test('a leader that starts within a batch sends it whole', async () => {
    const { world, all } = pair()
    const [a, b] = all
    const log = fill(existing(b), [[0, 2]])
    log.appendAsLeader(batch('wide', 10), { leaderEpoch: 0, origin: 'client' })
    log.updateHighWatermark(12)
    log.incrementLogStartOffset(6)
    log.startOffset = 6
    fill(existing(a), [[0, 1]])
    await elect(world, all, state(2, 1, { isr: [2] }))
    await world.runUntil(() => a.log().endOffset === 12, 5000, 'all of it')
    expect(a.log().content()).toEqual(b.log().content())
  })

  test('nothing is taken from a leader of another epoch, earlier or later (KIP-320)', async () => {
    const { world, all } = pair()
    const [a, b] = all
    await elect(world, all, state(1, 0))
    await world.settle(a.produce('m1'), 3000, 'm1')
    // A was deposed in epoch 1 and does not know; B follows C, says the controller, by mistake of the network A's address.
    await elect(world, [b], state(1, 2), [1, 2])
    await world.settle(a.produce('zombie', { acks: 1 }), 3000, 'the answer')
    await world.run(2000)
    if ((setup.protocol?.fetchVersion ?? 17) >= 9) expect(b.log().endOffset).toBe(1)
    // A hears of a still later epoch than B.
    await elect(world, [a], state(1, 3), [1, 2])
    await world.run(2000)
    if ((setup.protocol?.fetchVersion ?? 17) >= 9) expect(b.log().endOffset).toBe(1)
    await elect(world, [b], state(1, 3), [1, 2])
    await converge(world, a, b)
  })

  test('an answer for an epoch that is over is dropped (KAFKA-7786)', async () => {
    const { world, all } = pair()
    const [a, b] = all
    await elect(world, all, state(1, 0))
    await world.settle(a.produce('m1'), 3000, 'm1')
    await world.run(100)
    // B's fetch waits at A when B itself becomes the leader.
    await elect(world, [b], state(2, 1, { isr: [2] }), [1, 2])
    await world.settle(a.produce('zombie', { acks: 1 }), 3000, 'the answer')
    await world.run(1000)
    expect(b.log().endOffset).toBe(1)
    expect(b.partition().isLeader).toBe(true)
  })
})

describe('moving a replica to another log directory (KIP-113)', () => {
  async function moving(more: BrokerSetup = {}) {
    const world = new World(2)
    const [broker] = brokers(world, 1, { dirs: ['/d1', '/d2'], ...more }) as [TestBroker]
    await elect(world, [broker], { leader: 1, leaderEpoch: 0, isr: [1], replicas: [1], isNew: true })
    for (const text of ['a', 'b', 'c']) await world.settle(broker.produce(text), 100, 'the answer')
    const move = (dir: string, partition = 0): number =>
      broker.replicas.alterReplicaLogDirs([{ topic: TOPIC, partition, dir }])[0]!.errorCode
    return { world, broker, move }
  }

  test('the copy takes the place of the current log', async () => {
    const { world, broker, move } = await moving()
    expect(broker.log().dir).toBe('/d1')
    const content = broker.log().content()
    expect(move('/d2')).toBe(ErrorCode.NONE)
    const described = broker.replicas.describeLogDirs([{ topic: TOPIC, partition: 0 }])
    expect(described.map((each) => each.topics[0]?.partitions[0]?.isFutureKey)).toEqual([false, true])
    await world.runUntil(() => broker.log().dir === '/d2', 1000, 'the replacement')
    expect(broker.log().content()).toEqual(content)
    expect(broker.log().highWatermark).toBe(3)
    expect((await world.settle(broker.produce('d'), 100, 'the answer')).baseOffset).toBe(3)
    expect(broker.logs.futures.size).toBe(0)
  })

  test('what is appended meanwhile comes along, as slowly as allowed', async () => {
    const { world, broker, move } = await moving({ limits: { 'replica.alter.log.dirs.io.max.bytes.per.second': '200' } })
    move('/d2')
    for (let i = 0; i < 20; i++) {
      await world.settle(broker.produce(`n${i}`), 100, 'the answer')
      await world.run(20)
    }
    await world.runUntil(() => broker.log().dir === '/d2', 60_000, 'the replacement')
    expect(broker.log().endOffset).toBe(23)
  })

  test('answers', async () => {
    const { broker, move } = await moving()
    expect(move('/nowhere')).toBe(ErrorCode.LOG_DIR_NOT_FOUND)
    expect(move('/d1')).toBe(ErrorCode.NONE)
    expect(move('/d2', 5)).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect(broker.logs.preferred.get('t-5')).toBe('/d2')
    expect(move('/d2')).toBe(ErrorCode.NONE)
    expect(broker.logs.futures.size).toBe(1)
    expect(move('/d1')).toBe(ErrorCode.NONE)
    expect(broker.logs.futures.size).toBe(0)
    const long = (length: number): number =>
      broker.replicas.alterReplicaLogDirs([{ topic: 'x'.repeat(length), partition: 0, dir: '/d2' }])[0]!.errorCode
    expect(long(213)).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    // Its directory's name would be too long for the file system.
    expect(long(214)).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION)
    broker.logs.offline.add('/d2')
    expect(move('/d2')).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
  })
})
