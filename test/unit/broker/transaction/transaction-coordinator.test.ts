import { ErrorCode } from '../../../../protocol/errors'
import { Client, TOPIC, World } from './support/world'

let world: World
let client: Client

beforeEach(async () => {
  world = new World()
  client = new Client(world)
  await world.elect()
})

const stateOf = (id = 'tx') => world.coordinator.describe(id).state

describe('initProducerId', () => {
  test('without a transactional id: a producer id of its own, epoch 0', async () => {
    expect(await world.ask(world.coordinator.initProducerId(null, 0, undefined))).toEqual({ errorCode: 0, producerId: 0, producerEpoch: 0 })
  })

  test('what is wrong with the request', async () => {
    const ask = async (id: string, timeoutMs: number) => (await world.ask(world.coordinator.initProducerId(id, timeoutMs, undefined))).errorCode
    expect(await ask('', 1000)).toBe(ErrorCode.INVALID_REQUEST)
    expect(await ask('x'.repeat(20_000), 1000)).toBe(ErrorCode.INVALID_REQUEST)
    expect(await ask('tx', 0)).toBe(ErrorCode.INVALID_TRANSACTION_TIMEOUT)
    expect(await ask('tx', 900_001)).toBe(ErrorCode.INVALID_TRANSACTION_TIMEOUT)
  })

  test('each one raises the epoch, and fences the one before', async () => {
    await client.init()
    const next = new Client(world)
    await next.init()
    expect([client.producerId, client.producerEpoch]).toEqual([0, 0])
    expect([next.producerId, next.producerEpoch]).toEqual([0, 1])
    expect(await client.add(0)).toBe(ErrorCode.PRODUCER_FENCED)
    expect(await client.end(true)).toBe(ErrorCode.PRODUCER_FENCED)
    expect(await next.add(0)).toBe(ErrorCode.NONE)
  })

  test('an open transaction is aborted, and the producer told to come again', async () => {
    await client.init()
    await client.add(0)
    expect(client.write(0, 'a')).toBe(ErrorCode.NONE)
    const next = new Client(world)
    expect(await next.init()).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
    expect(stateOf()).toBe('CompleteAbort')
    expect(await next.init()).toBe(ErrorCode.NONE)
    expect(next.producerEpoch).toBe(2)
    expect(client.write(0, 'b')).toBe(ErrorCode.PRODUCER_FENCED)
    expect(world.partitions[0]!.committed()).toEqual([])
  })

  test('an epoch that could not be written is not raised once more (KAFKA-9666)', async () => {
    await client.init()
    await client.add(0)
    for (let i = 0; i < 3; i++) {
      world.log.faults.push({ errorCode: ErrorCode.NOT_ENOUGH_REPLICAS, isWritten: false })
      expect(await new Client(world).init()).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
      expect(world.coordinator.describe('tx').producerEpoch).toBe(1)
    }
    const next = new Client(world)
    await next.initEventually()
    expect(next.producerEpoch).toBe(2)
  })

  test('an id that could not be written is not kept (KAFKA-14880)', async () => {
    world.log.faults.push({ errorCode: ErrorCode.NOT_ENOUGH_REPLICAS, isWritten: false })
    expect(await client.init()).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    expect(world.coordinator.size).toBe(0)
    expect(await client.init()).toBe(ErrorCode.NONE)
  })

  test('a second one while the first is being written has to wait', async () => {
    world.log.isHeld = true
    const first = world.coordinator.initProducerId('tx', 1000, undefined)
    await world.clock.settle()
    expect(await new Client(world).init()).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
    world.log.confirm()
    expect(await world.ask(first)).toMatchObject({ errorCode: 0, producerEpoch: 0 })
  })

  test('the epochs of a producer id run out: another id, epoch 0', async () => {
    await client.init()
    for (let epoch = 1; epoch < 32767; epoch++) void world.coordinator.initProducerId('tx', 1000, undefined).then(), await tick()
    expect(world.coordinator.describe('tx')).toMatchObject({ producerId: 0, producerEpoch: 32766 })
    expect(await client.init()).toBe(ErrorCode.NONE)
    expect([client.producerId, client.producerEpoch]).toEqual([1, 0])

    async function tick(): Promise<void> {
      await Promise.resolve()
      ;(world.clock as unknown as { immediates: (() => void)[] }).immediates.splice(0).forEach((each) => each())
      await Promise.resolve()
    }
  })

  test('two for an unknown id at a time: one producer id is used', async () => {
    const both = [world.coordinator.initProducerId('tx', 1000, undefined), world.coordinator.initProducerId('tx', 1000, undefined)]
    const results = await world.ask(Promise.all(both))
    expect(results.map(({ errorCode }) => errorCode).sort((a, b) => a - b)).toEqual([ErrorCode.NONE, ErrorCode.CONCURRENT_TRANSACTIONS])
    expect(world.coordinator.size).toBe(1)
  })
})

describe('a transaction', () => {
  test('is seen when it is committed, not when it is aborted', async () => {
    await client.init()
    await client.add(0, 1)
    client.write(0, 'a')
    client.write(1, 'b')
    expect(world.partitions[0]!.committed()).toEqual([])
    expect(await client.end(true)).toBe(ErrorCode.NONE)
    await client.add(0)
    client.write(0, 'c')
    expect(await client.end(false)).toBe(ErrorCode.NONE)
    expect(world.partitions.map((each) => each.committed())).toEqual([['a'], ['b'], []])
    expect(stateOf()).toBe('CompleteAbort')
  })

  test('a partition that was not added cannot be written to (KIP-890)', async () => {
    await client.init()
    await client.add(0)
    expect(client.write(1, 'a')).toBe(ErrorCode.TRANSACTION_ABORTABLE)
  })

  test('the same end once more is no error, another one is', async () => {
    await client.init()
    expect(await client.end(true)).toBe(ErrorCode.INVALID_TXN_STATE)
    await client.add(0)
    await client.end(true)
    expect(await client.end(true)).toBe(ErrorCode.NONE)
    expect(await client.end(false)).toBe(ErrorCode.INVALID_TXN_STATE)
  })

  test('while its markers are written nothing else can begin', async () => {
    await client.init()
    await client.add(0, 1, 2)
    world.setLeaders([-1, 1, -1])
    expect(await client.end(true)).toBe(ErrorCode.NONE)
    expect(stateOf()).toBe('PrepareCommit')
    expect(world.coordinator.describe('tx').topics).toEqual([{ topic: TOPIC, partitions: [0, 2] }])
    expect(await client.add(0)).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
    expect(await client.end(true)).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
    expect(await client.init()).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
    world.setLeaders([0, 1, 1])
    await world.clock.advance(100)
    expect(stateOf()).toBe('CompleteCommit')
  })

  test.each([
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.NOT_ENOUGH_REPLICAS, ErrorCode.REQUEST_TIMED_OUT,
    ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND, ErrorCode.KAFKA_STORAGE_ERROR, ErrorCode.UNKNOWN_SERVER_ERROR,
  ])('a marker that is refused with %d is sent once more', async (errorCode) => {
    await client.init()
    await client.add(0)
    client.write(0, 'a')
    world.markerFaults.push({ errorCode }, { errorCode })
    await client.end(true)
    expect(stateOf()).toBe('PrepareCommit')
    await world.clock.advance(200)
    expect(stateOf()).toBe('CompleteCommit')
    expect(world.partitions[0]!.committed()).toEqual(['a'])
  })

  test('a lost answer to a marker', async () => {
    await client.init()
    await client.add(0)
    client.write(0, 'a')
    world.markerFaults.push({ isLost: true })
    await client.end(true)
    await world.clock.advance(200)
    expect(stateOf()).toBe('CompleteCommit')
    expect(world.sent).toHaveLength(2)
    expect(world.partitions[0]!.committed()).toEqual(['a'])
  })

  test('a marker that nobody could ever write is left out', async () => {
    await client.init()
    await client.add(0)
    world.markerFaults.push({ errorCode: ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT })
    await client.end(true)
    expect(stateOf()).toBe('CompleteCommit')
  })

  test('a partition that was deleted needs no marker; one that is only not known here does', async () => {
    await client.init()
    await client.add(0, 1)
    client.write(0, 'a')
    world.setLeaders([undefined, undefined, 0])
    world.deleted.add(1)
    await client.end(true)
    await world.clock.advance(200)
    expect(world.coordinator.describe('tx').topics).toEqual([{ topic: TOPIC, partitions: [0] }])
    world.setLeaders([0])
    await world.clock.advance(200)
    expect(stateOf()).toBe('CompleteCommit')
    expect(world.partitions[0]!.committed()).toEqual(['a'])
  })

  test.each([ErrorCode.REQUEST_TIMED_OUT, ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.MESSAGE_TOO_LARGE])(
    'its end is written until it is written (%d)',
    async (errorCode) => {
      await client.init()
      await client.add(0)
      world.markerFaults.push({ isLost: true })
      await client.end(true)
      world.log.faults.push({ errorCode, isWritten: false }, { errorCode, isWritten: true })
      await world.clock.advance(1000)
      expect(stateOf()).toBe('CompleteCommit')
      expect(await client.add(1)).toBe(ErrorCode.NONE)
    },
  )

  test('one that is open for too long is aborted, and its producer fenced', async () => {
    await client.init(5000)
    await client.add(0)
    client.write(0, 'a')
    await world.clock.advance(25_000)
    expect(stateOf()).toBe('CompleteAbort')
    expect(world.coordinator.describe('tx').producerEpoch).toBe(1)
    expect(await client.end(true)).toBe(ErrorCode.PRODUCER_FENCED)
    expect(client.write(0, 'b')).toBe(ErrorCode.PRODUCER_FENCED)
  })
})

describe('another coordinator', () => {
  test('knows what was written, and finishes what was decided', async () => {
    await client.init()
    await client.add(0)
    client.write(0, 'a')
    world.setLeaders([-1, 1, 0])
    await client.end(true)
    await world.crash()
    expect(stateOf()).toBe('PrepareCommit')
    world.setLeaders([1, 1, 0])
    await world.clock.advance(200)
    expect(stateOf()).toBe('CompleteCommit')
    expect(world.partitions[0]!.committed()).toEqual(['a'])
    expect(world.sent.at(-1)!.markers[0]!.coordinatorEpoch).toBe(2)
    expect(await client.end(true)).toBe(ErrorCode.NONE)
  })

  test('goes on with an open transaction', async () => {
    await client.init()
    await client.add(0)
    client.write(0, 'a')
    await world.crash()
    await client.add(1)
    client.write(1, 'b')
    expect(await client.end(true)).toBe(ErrorCode.NONE)
    expect(world.partitions.map((each) => each.committed())).toEqual([['a'], ['b'], []])
  })

  test('in between: not coordinator, loading', async () => {
    await client.init()
    world.coordinator.partitions.onResignation(0, 1)
    expect(await client.add(0)).toBe(ErrorCode.NOT_COORDINATOR)
    expect(world.coordinator.list({ states: [], producerIds: [], minDurationMs: -1 })).toMatchObject({ errorCode: 0, transactions: [] })
    world.log.leaderEpoch++
    world.coordinator.partitions.onElection(0, world.log.leaderEpoch)
    const adding = world.coordinator.addPartitions('tx', client, [{ topic: TOPIC, partition: 0 }])
    expect(world.coordinator.list({ states: [], producerIds: [], minDurationMs: -1 }).errorCode).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    expect(await world.ask(adding)).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    expect(await client.add(0)).toBe(ErrorCode.NONE)
  })

  test('an append that is confirmed in another epoch promises nothing', async () => {
    await client.init()
    world.log.isHeld = true
    const adding = world.coordinator.addPartitions('tx', client, [{ topic: TOPIC, partition: 0 }])
    await world.clock.settle()
    await world.elect()
    world.log.confirm()
    expect(await world.ask(adding)).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    await world.clock.advance(20)
    // It was in the log when that was read.
    expect(stateOf()).toBe('Ongoing')
  })

  test('a decision that is read in the log, and may be lost yet, is not carried out', async () => {
    await client.init()
    await client.add(0, 1)
    expect([client.write(0, 'a'), client.write(1, 'b')]).toEqual([0, 0])
    world.log.isHeld = true
    void world.coordinator.endTransaction('tx', client, true)
    await world.clock.settle()
    const unconfirmed = world.log.confirmed
    await world.crash()
    expect(world.coordinator.describe('tx').errorCode).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    expect([world.sent, world.log.confirmed]).toEqual([[], unconfirmed])
    // It is lost with this leader, too: its successor knows of an open transaction, and aborts that.
    world.log.batches.splice(unconfirmed)
    world.log.confirm()
    await world.crash()
    await world.clock.advance(100_000)
    expect(stateOf()).toBe('CompleteAbort')
    expect([...world.partitions[0]!.committed(), ...world.partitions[1]!.committed()]).toEqual([])
  })

  test('replicas have time, however little a transaction has', async () => {
    await client.init(1)
    await client.add(0)
    await client.end(true)
    expect(world.log.timeoutsMs).toEqual([5000, 5000, 5000, 5000])
  })

  test('ids are bounded by what they cost; what is known goes on, and what expires makes room', async () => {
    world.maxMemoryBytes = 20_000
    await world.crash()
    let taken = 0
    while ((await new Client(world, `${'x'.repeat(500)}-${taken}`).init()) === ErrorCode.NONE) taken++
    expect([taken, world.coordinator.size]).toEqual([10, 10])
    const known = new Client(world, `${'x'.repeat(500)}-0`)
    expect(await known.init()).toBe(ErrorCode.NONE)
    expect(await known.add(0)).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    await world.crash()
    expect(await new Client(world, 'y').init()).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    await world.clock.advance(5_000_000)
    expect(world.coordinator.size).toBe(0)
    for (let i = 0; i < 50; i++) {
      expect([await client.init(), await client.add(0, 1, 2), await client.end(true)]).toEqual([0, 0, 0])
      await world.clock.advance(100)
    }
  })

  test('nothing is said from memory while somebody else may coordinate', async () => {
    await client.init()
    await client.add(0)
    await client.end(true)
    world.mayAct = false
    expect(await client.end(true)).toBe(ErrorCode.NOT_COORDINATOR)
    expect(world.coordinator.verifyPartitions('tx', client, [{ topic: TOPIC, partition: 0 }])).toMatchObject([{ errorCode: ErrorCode.NOT_COORDINATOR }])
    expect(world.coordinator.describe('tx').errorCode).toBe(ErrorCode.NOT_COORDINATOR)
    world.mayAct = true
    expect(await client.end(true)).toBe(ErrorCode.NONE)
  })

  test('none at all, after the end', async () => {
    world.coordinator.close()
    expect(await client.init()).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    expect(world.coordinator.describe('tx').errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    expect(world.coordinator.list({ states: [], producerIds: [], minDurationMs: -1 }).errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  })
})

describe('idle ids', () => {
  test('are forgotten, in the log too; open and younger ones are not', async () => {
    const idle = [...Array(1000).keys()].map((i) => new Client(world, `idle-${i}-${'x'.repeat(50)}`))
    for (const each of idle) await each.init()
    await client.init(900_000)
    await world.clock.advance(3_500_000)
    await client.add(0)
    await world.clock.advance(500_000)
    expect(world.coordinator.size).toBe(1)
    await world.crash()
    expect(world.coordinator.size).toBe(1)
    expect(await idle[0]!.add(0)).toBe(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
  })

  test('stay while the tombstone cannot be written', async () => {
    await client.init()
    world.log.faults.push({ errorCode: ErrorCode.NOT_ENOUGH_REPLICAS, isWritten: false })
    await world.clock.advance(4_000_000)
    expect(world.coordinator.size).toBe(1)
    expect(await client.add(0)).toBe(ErrorCode.NONE)
  })
})

test('lists by state, producer and duration', async () => {
  await client.init()
  const other = new Client(world, 'other')
  await other.init()
  await other.add(0)
  const list = (states: string[], producerIds: number[] = [], minDurationMs = -1) => world.coordinator.list({ states, producerIds, minDurationMs })
  expect(list([]).transactions.map(({ transactionalId, state }) => [transactionalId, state])).toEqual([['tx', 'Empty'], ['other', 'Ongoing']])
  expect(list(['Ongoing', 'Strange'])).toEqual({
    errorCode: 0, unknownStates: ['Strange'], transactions: [{ transactionalId: 'other', producerId: 1, state: 'Ongoing' }],
  })
  expect(list(['Strange']).transactions).toEqual([])
  expect(list([], [0]).transactions.map(({ transactionalId }) => transactionalId)).toEqual(['tx'])
  await world.clock.advance(1000)
  expect(list(['Ongoing'], [], 5000).transactions).toEqual([])
  await world.clock.advance(5000)
  expect(list(['Ongoing'], [], 5000).transactions).toHaveLength(1)
})

test('describes only what it knows', () => {
  expect(world.coordinator.describe('tx').errorCode).toBe(ErrorCode.TRANSACTIONAL_ID_NOT_FOUND)
  expect(world.coordinator.describe('').errorCode).toBe(ErrorCode.INVALID_REQUEST)
})
