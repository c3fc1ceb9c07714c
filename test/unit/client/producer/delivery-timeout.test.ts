/** What becomes of records whose `delivery.timeout.ms` is over while a request with them is out, and of those behind them. */
import { Producer } from '../../../../client/producer'
import { ErrorCode } from '../../../../protocol/errors'
import { ApiKey } from '../../../../protocol/messages/apis'
import { scripted } from '../support/scripted-broker'
import { ScriptedLog } from '../support/scripted-log'
import type { Loose } from '../support/scripted-broker'
import type { ProducerConfig } from '../../../../client/config'

/** An answer `afterMs` later; what it holds is decided when the request comes, unless it is `lost`. */
interface Fate {
  afterMs: number
  code?: number
  lost?: true
}

async function producing(config: ProducerConfig = {}) {
  const { world, broker, env, bootstrap } = await scripted()
  broker.topics.set('t', 2)
  const log = new ScriptedLog(broker)
  const produce = broker.answers.get(ApiKey.produce)!
  const fates: Fate[] = []
  broker.on(ApiKey.produce, async (body, version) => {
    const { afterMs, code, lost } = fates.shift() ?? { afterMs: 0 }
    if (code !== undefined) log.then(code)
    const answer = lost === undefined ? await produce(body, version) : { responses: [] }
    return typeof answer === 'string' ? answer : broker.later(afterMs, answer)
  })
  const producer = new Producer(
    {
      'bootstrap.servers': bootstrap,
      'request.timeout.ms': 1000,
      'delivery.timeout.ms': 1000,
      'retry.backoff.ms': 600,
      'linger.ms': 0,
      ...config,
    },
    env,
  )
  const outcomes: { value: string; outcome: number | string; atMs: number }[] = []
  let startMs = 0
  const send = (value: string, partition = 0): Promise<unknown> => {
    const sent = producer.send({ topic: 't', partition, value })
    const note = (outcome: number | string) => void outcomes.push({ value, outcome, atMs: Math.round(world.nowMs - startMs) })
    sent.then(
      ({ offset }) => note(offset),
      (error: Error) => note(`${error.name}: ${error.message}`),
    )
    return sent
  }
  const settle = <T>(promise: Promise<T>): Promise<T> => world.settle(promise, 60_000, 'it ends')
  /** Stores one record, for then the leader knows the producer; after this the fates are those given. */
  const known = async (...then: Fate[]): Promise<void> => {
    await settle(send('first'))
    outcomes.length = 0
    fates.push(...then)
    startMs = world.nowMs
  }
  const sequences = (): number[][] => log.batches.map(({ epoch, sequence }) => [epoch, sequence])
  return { world, broker, log, producer, outcomes, send, settle, known, sequences, produce, fates }
}

const expired = expect.stringMatching(/^TimeoutError: Expiring 1 record\(s\) for t-0:10\d\d ms has passed since batch creation$/)
const { NOT_ENOUGH_REPLICAS } = ErrorCode

test('records in flight are given up when their time is over; the answer that comes then says nothing', async () => {
  const { world, outcomes, send, settle, known, log, sequences, producer } = await producing()
  await known({ afterMs: 0, code: NOT_ENOUGH_REPLICAS }, { afterMs: 800 })
  send('a').catch(() => {})
  const flushed = producer.flush()
  await settle(flushed)
  expect(outcomes).toEqual([{ value: 'a', outcome: expired, atMs: expect.any(Number) }])
  expect(outcomes[0]!.atMs).toBeLessThan(1010)
  await world.run(3000)
  expect(outcomes).toHaveLength(1)
  expect(log.values).toEqual(['first', 'a'])
  await settle(send('b'))
  expect(log.values).toEqual(['first', 'a', 'b'])
  expect(sequences()).toEqual([
    [0, 0],
    [0, 1],
    [1, 0],
  ])
})

test('when they are not stored, what comes after them begins in the next epoch', async () => {
  const { world, outcomes, send, known, sequences } = await producing()
  await known({ afterMs: 0, code: NOT_ENOUGH_REPLICAS }, { afterMs: 900, lost: true })
  send('a').catch(() => {})
  await world.run(1005)
  expect(outcomes.map(({ outcome }) => outcome)).toEqual([expired])
  void send('b')
  // In time, though the broker reads it only when it has answered the request with what was given up.
  await world.run(700)
  expect(outcomes[1]).toMatchObject({ value: 'b', outcome: 1 })
  expect(sequences()).toEqual([
    [0, 0],
    [1, 0],
  ])
})

test('what was stored behind it shows that there is no gap: the sequences go on', async () => {
  const { world, outcomes, send, settle, known, sequences } = await producing({ 'batch.size': 1 })
  await known({ afterMs: 0, code: NOT_ENOUGH_REPLICAS }, { afterMs: 700 })
  send('a').catch(() => {})
  await world.run(610)
  const b = send('b')
  await world.run(600)
  expect(outcomes.map(({ value, outcome }) => [value, outcome])).toEqual([['a', expired]])
  await settle(b)
  await settle(send('c'))
  expect(outcomes.slice(1).map(({ value, outcome }) => [value, outcome])).toEqual([
    ['b', 2],
    ['c', 3],
  ])
  expect(sequences()).toEqual([
    [0, 0],
    [0, 1],
    [0, 2],
    [0, 3],
  ])
})

test('what was in flight behind it and cannot be stored without it goes out again in the next epoch', async () => {
  const { world, outcomes, send, settle, known, sequences, log } = await producing({ 'batch.size': 1, 'retry.backoff.ms': 300 })
  await known(
    { afterMs: 0, code: NOT_ENOUGH_REPLICAS },
    { afterMs: 0, code: NOT_ENOUGH_REPLICAS },
    { afterMs: 0, code: NOT_ENOUGH_REPLICAS },
    { afterMs: 400, code: NOT_ENOUGH_REPLICAS },
  )
  send('a').catch(() => {})
  await world.run(800)
  const b = send('b')
  await settle(b)
  expect(log.values).toEqual(['first', 'b'])
  expect(outcomes.map(({ value, outcome }) => [value, outcome])).toEqual([
    ['a', expired],
    ['b', 1],
  ])
  expect(sequences().at(-1)).toEqual([1, 0])
})

test('what waits to be sent again behind others in flight is given up in time, too', async () => {
  const { world, outcomes, send, settle, known } = await producing({ 'batch.size': 1, 'retry.backoff.ms': 100 })
  await known({ afterMs: 300, code: NOT_ENOUGH_REPLICAS }, { afterMs: 60_000 })
  send('a').catch(() => {})
  await world.run(200)
  const b = send('b').catch(() => {})
  await settle(b)
  expect(outcomes.map(({ value, outcome }) => [value, outcome])).toEqual([
    ['a', expired],
    // Its request has its own time-out, at the same moment.
    ['b', expect.any(String)],
  ])
  expect(outcomes[0]!.atMs).toBeLessThan(1010)
  expect(outcomes[1]!.atMs).toBeLessThan(1210)
})

test('a producer that is not idempotent gives them up in the same time', async () => {
  const { world, outcomes, send, settle, known, log } = await producing({ 'enable.idempotence': false })
  await known({ afterMs: 0, code: NOT_ENOUGH_REPLICAS }, { afterMs: 800 })
  send('a').catch(() => {})
  await world.run(1010)
  expect(outcomes.map(({ outcome }) => outcome)).toEqual([expired])
  await settle(send('b'))
  expect(log.values).toEqual(['first', 'a', 'b'])
  expect(outcomes).toHaveLength(2)
})

test('their memory is free again', async () => {
  const { world, send, settle, known, outcomes } = await producing({ 'buffer.memory': 200, 'max.block.ms': 5000 })
  await known({ afterMs: 0, code: NOT_ENOUGH_REPLICAS }, { afterMs: 900 })
  send('x'.repeat(100)).catch(() => {})
  await world.run(10)
  await settle(send('y'.repeat(100)))
  expect(outcomes.map(({ outcome }) => outcome)).toEqual([expired, 2])
})

describe('a transaction', () => {
  async function transactional() {
    const parts = await producing({ 'transactional.id': 'x', 'max.block.ms': 30_000 })
    let epoch = -1
    parts.broker.on(ApiKey.initProducerId, () => ({ producerId: 1000, producerEpoch: ++epoch }))
    parts.broker.on(ApiKey.addPartitionsToTxn, (body) => ({
      resultsByTopicV3AndBelow: body.v3AndBelowTopics.map(({ name, partitions }: Loose) => ({
        name,
        resultsByPartition: partitions.map((partitionIndex: number) => ({ partitionIndex, partitionErrorCode: 0 })),
      })),
    }))
    const ended: [boolean, number][] = []
    parts.broker.on(ApiKey.endTxn, ({ committed }) => {
      ended.push([committed, parts.world.nowMs])
      return { errorCode: 0 }
    })
    await parts.settle(parts.producer.initTransactions())
    parts.producer.beginTransaction()
    return { ...parts, ended }
  }

  test('must be aborted, which waits for the answers; then it goes on in another epoch', async () => {
    const { world, producer, outcomes, send, settle, known, sequences, ended, log } = await transactional()
    await known({ afterMs: 0, code: NOT_ENOUGH_REPLICAS }, { afterMs: 900 })
    const startMs = world.nowMs
    send('a').catch(() => {})
    await expect(settle(producer.commitTransaction())).rejects.toMatchObject({
      code: 'TRANSACTION_ABORTABLE',
      cause: { code: 'TIMEOUT' },
    })
    expect(world.nowMs - startMs).toBeLessThan(1010)
    expect(outcomes.map(({ outcome }) => outcome)).toEqual([expired])
    await settle(producer.abortTransaction())
    // A record that came behind the marker would open the transaction again, and nobody would end it.
    expect(ended).toEqual([[false, expect.any(Number)]])
    expect(ended[0]![1] - startMs).toBeGreaterThan(1500)
    producer.beginTransaction()
    void send('b')
    await settle(producer.commitTransaction())
    expect(log.values).toEqual(['first', 'a', 'b'])
    expect(sequences().at(-1)).toEqual([1, 0])
    expect(ended.map(([committed]) => committed)).toEqual([false, true])
  })

  test('that is being aborted needs another epoch, too', async () => {
    const { world, producer, send, settle, known, sequences, outcomes } = await transactional()
    await known({ afterMs: 0, code: NOT_ENOUGH_REPLICAS }, { afterMs: 900 })
    send('a').catch(() => {})
    await world.run(700)
    await settle(producer.abortTransaction())
    expect(outcomes.map(({ outcome }) => outcome)).toEqual([expired])
    producer.beginTransaction()
    void send('b')
    await settle(producer.commitTransaction())
    expect(sequences().at(-1)).toEqual([1, 0])
  })
})
