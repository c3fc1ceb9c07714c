/** A transactional producer against coordinators that say what the test wants: which errors pass, which abort, which end it. */
import { Producer } from '../../../../client/producer'
import { ErrorCode } from '../../../../protocol/errors'
import { ApiKey } from '../../../../protocol/messages/apis'
import { scripted } from '../support/scripted-broker'
import { ScriptedLog } from '../support/scripted-log'
import type { Loose } from '../support/scripted-broker'
import type { ProducerConfig } from '../../../../client/config'

const MEMBER = { groupId: 'g', generationId: 3, memberId: 'm', groupInstanceId: null }
const OFFSETS = [{ topic: 's', partition: 0, offset: 7 }]
const REQUESTS = ['initProducerId', 'addPartitionsToTxn', 'addOffsetsToTxn', 'txnOffsetCommit', 'endTxn'] as const

async function transactional(config: ProducerConfig = {}) {
  const { world, broker, env, bootstrap } = await scripted()
  broker.topics.set('t', 1)
  const log = new ScriptedLog(broker)
  const errors = new Map<number, number[]>()
  const error = (apiKey: number): number => errors.get(apiKey)?.shift() ?? 0
  let epoch = -1
  broker.on(ApiKey.initProducerId, () => {
    const errorCode = error(ApiKey.initProducerId)
    return errorCode === 0
      ? { errorCode, producerId: 1000, producerEpoch: ++epoch }
      : { errorCode, producerId: -1, producerEpoch: -1 }
  })
  broker.on(ApiKey.addPartitionsToTxn, (body) => {
    const partitionErrorCode = error(ApiKey.addPartitionsToTxn)
    return {
      resultsByTopicV3AndBelow: body.v3AndBelowTopics.map(({ name, partitions }: Loose) => ({
        name,
        resultsByPartition: partitions.map((partitionIndex: number) => ({ partitionIndex, partitionErrorCode })),
      })),
    }
  })
  broker.on(ApiKey.addOffsetsToTxn, () => ({ errorCode: error(ApiKey.addOffsetsToTxn) }))
  broker.on(ApiKey.txnOffsetCommit, () => ({
    topics: [{ name: 's', partitions: [{ partitionIndex: 0, errorCode: error(ApiKey.txnOffsetCommit) }] }],
  }))
  broker.on(ApiKey.endTxn, () => ({ errorCode: error(ApiKey.endTxn) }))
  const producer = new Producer(
    { 'bootstrap.servers': bootstrap, 'transactional.id': 'x', 'max.block.ms': 5000, 'request.timeout.ms': 1000, ...config },
    env,
  )
  const settle = <T>(promise: Promise<T>): Promise<T> => world.settle(promise, 60_000, 'it ends')
  const fail = (request: (typeof REQUESTS)[number], ...names: (keyof typeof ErrorCode)[]): void => {
    errors.set(
      ApiKey[request],
      names.map((name) => ErrorCode[name]),
    )
  }
  const send = (value: string): void => void producer.send({ topic: 't', value }).catch(() => {})
  /** init, begin, send, offsets, commit. */
  const whole = async (): Promise<void> => {
    await settle(producer.initTransactions())
    producer.beginTransaction()
    send('a')
    await settle(producer.sendOffsetsToTransaction(OFFSETS, MEMBER))
    await settle(producer.commitTransaction())
  }
  const ends = (): boolean[] => broker.of(ApiKey.endTxn).map(({ body }) => body.committed)
  return { world, broker, log, producer, settle, fail, send, whole, ends }
}

test('a whole transaction', async () => {
  const { broker, log, whole } = await transactional()
  await whole()
  expect(log.batches).toEqual([{ epoch: 0, sequence: 0, count: 1, transactional: true }])
  const order = broker.asked
    .map(({ apiKey }) => REQUESTS.find((name) => ApiKey[name] === apiKey) ?? (apiKey === ApiKey.produce ? 'produce' : undefined))
    .filter(Boolean)
  expect(order.filter((name) => name !== 'addOffsetsToTxn' && name !== 'txnOffsetCommit')).toEqual([
    'initProducerId',
    'addPartitionsToTxn',
    'produce',
    'endTxn',
  ])
  expect(broker.of(ApiKey.addPartitionsToTxn)[0]!.version).toBeLessThanOrEqual(3)
  expect(broker.of(ApiKey.txnOffsetCommit)[0]!.body).toMatchObject({
    transactionalId: 'x',
    ...MEMBER,
    producerId: 1000,
    producerEpoch: 0,
  })
  expect(broker.of(ApiKey.produce)[0]!.body.transactionalId).toBe('x')
  expect(broker.of(ApiKey.endTxn)[0]!.body).toMatchObject({ producerId: 1000, producerEpoch: 0, committed: true })
})

test('an empty transaction asks nobody', async () => {
  const { producer, settle, ends } = await transactional()
  await settle(producer.initTransactions())
  producer.beginTransaction()
  await settle(producer.commitTransaction())
  producer.beginTransaction()
  await settle(producer.abortTransaction())
  expect(ends()).toEqual([])
})

describe.each(REQUESTS)('%s', (request) => {
  test.each(['COORDINATOR_LOAD_IN_PROGRESS', 'COORDINATOR_NOT_AVAILABLE', 'NOT_COORDINATOR', 'CONCURRENT_TRANSACTIONS'] as const)(
    '%s passes',
    async (name) => {
      const { fail, whole, ends } = await transactional()
      fail(request, name, name)
      await whole()
      expect(ends().at(-1)).toBe(true)
    },
  )

  test.each(['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH', 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'] as const)(
    '%s ends it',
    async (name) => {
      const { fail, whole, producer, settle } = await transactional()
      fail(request, name)
      const code = name === 'INVALID_PRODUCER_EPOCH' ? ErrorCode.PRODUCER_FENCED : ErrorCode[name]
      await expect(whole()).rejects.toMatchObject({ code: 'TRANSACTION_FATAL', cause: { code } })
      await expect(settle(producer.abortTransaction())).rejects.toMatchObject({ code: 'TRANSACTION_FATAL' })
      expect(() => producer.beginTransaction()).toThrow('error state')
    },
  )
})

test.each([
  ['addPartitionsToTxn', 'TOPIC_AUTHORIZATION_FAILED', false],
  ['addPartitionsToTxn', 'TRANSACTION_ABORTABLE', false],
  ['addPartitionsToTxn', 'INVALID_PRODUCER_ID_MAPPING', true],
  ['addOffsetsToTxn', 'GROUP_AUTHORIZATION_FAILED', false],
  ['addOffsetsToTxn', 'UNKNOWN_PRODUCER_ID', true],
  ['txnOffsetCommit', 'UNKNOWN_MEMBER_ID', false],
  ['txnOffsetCommit', 'ILLEGAL_GENERATION', false],
  ['txnOffsetCommit', 'FENCED_INSTANCE_ID', false],
] as const)('%s %s: abort, and go on (with a new epoch: %s)', async (request, name, bumps) => {
  const { fail, whole, producer, settle, send, log, broker } = await transactional()
  fail(request, name)
  await expect(whole()).rejects.toMatchObject({ code: 'TRANSACTION_ABORTABLE', cause: { code: ErrorCode[name] } })
  await settle(producer.abortTransaction())
  expect(broker.of(ApiKey.initProducerId)).toHaveLength(bumps ? 2 : 1)
  if (bumps) expect(broker.of(ApiKey.initProducerId)[1]!.body).toMatchObject({ producerId: 1000, producerEpoch: 0 })
  producer.beginTransaction()
  send('b')
  await settle(producer.commitTransaction())
  expect(log.values.at(-1)).toBe('b')
  expect(log.batches.at(-1)).toMatchObject({ epoch: bumps ? 1 : 0 })
})

describe('batches', () => {
  test.each(['MESSAGE_TOO_LARGE', 'INVALID_PRODUCER_EPOCH', 'OUT_OF_ORDER_SEQUENCE_NUMBER'] as const)(
    '%s: abort, then a new epoch with new sequences',
    async (name) => {
      const { producer, settle, send, log, ends } = await transactional()
      await settle(producer.initTransactions())
      producer.beginTransaction()
      log.then(ErrorCode[name])
      send('a')
      await expect(settle(producer.commitTransaction())).rejects.toMatchObject({
        code: 'TRANSACTION_ABORTABLE',
        cause: { code: ErrorCode[name] },
      })
      await expect(settle(producer.send({ topic: 't', value: 'no' }))).rejects.toMatchObject({ code: 'TRANSACTION_ABORTABLE' })
      await settle(producer.abortTransaction())
      expect(ends()).toEqual([false])
      producer.beginTransaction()
      send('b')
      await settle(producer.commitTransaction())
      expect(log.batches).toEqual([{ epoch: 1, sequence: 0, count: 1, transactional: true }])
    },
  )

  test('errors that pass do not show', async () => {
    const { producer, settle, send, log } = await transactional()
    await settle(producer.initTransactions())
    for (const value of ['a', 'b', 'c']) {
      producer.beginTransaction()
      log.then(ErrorCode.NOT_LEADER_OR_FOLLOWER, 'stored, silence')
      send(value)
      await settle(producer.commitTransaction())
    }
    expect(log.values).toEqual(['a', 'b', 'c'])
    expect(log.batches.map(({ sequence }) => sequence)).toEqual([0, 1, 2])
  })

  test('what was not sent is given up by an abort', async () => {
    const { producer, settle, log } = await transactional({ 'linger.ms': 10_000 })
    await settle(producer.initTransactions())
    producer.beginTransaction()
    const sent = producer.send({ topic: 't', value: 'a' })
    sent.catch(() => {})
    await settle(producer.partitionsFor('t'))
    await settle(producer.abortTransaction())
    await expect(sent).rejects.toThrow('Failing batch since transaction was aborted')
    expect(log.values).toEqual([])
  })
})

test('a commit whose answer is late is taken up again by the same call, and by no other', async () => {
  const { producer, settle, send, broker, ends } = await transactional({ 'max.block.ms': 2500 })
  await settle(producer.initTransactions())
  producer.beginTransaction()
  send('a')
  broker.inTurn(
    ApiKey.endTxn,
    () => 'silence',
    () => 'silence',
    () => 'silence',
    () => ({ errorCode: 0 }),
  )
  await expect(settle(producer.commitTransaction())).rejects.toMatchObject({ code: 'TIMEOUT' })
  await expect(settle(producer.abortTransaction())).rejects.toMatchObject({ code: 'TRANSACTION_STATE' })
  await settle(producer.commitTransaction())
  expect(new Set(ends())).toEqual(new Set([true]))
})

test('close aborts what is open', async () => {
  const { producer, settle, send, ends } = await transactional()
  await settle(producer.initTransactions())
  producer.beginTransaction()
  send('a')
  await settle(producer.flush())
  await settle(producer.close())
  expect(ends()).toEqual([false])
})

test('calls that make no sense are refused', async () => {
  const { producer, settle, world } = await transactional()
  expect(() => producer.beginTransaction()).toThrow('initTransactions comes first')
  await settle(producer.initTransactions())
  await expect(settle(producer.initTransactions())).rejects.toMatchObject({ code: 'TRANSACTION_STATE' })
  await expect(settle(producer.send({ topic: 't', value: 'a' }))).rejects.toMatchObject({ code: 'TRANSACTION_STATE' })
  await expect(settle(producer.commitTransaction())).rejects.toMatchObject({ code: 'TRANSACTION_STATE' })
  producer.beginTransaction()
  expect(() => producer.beginTransaction()).toThrow('a transaction is open')
  const plain = new Producer({ 'bootstrap.servers': 'h:1' }, world.process('other').env)
  expect(() => plain.beginTransaction()).toThrow('transactional.id configuration property')
})

test.each([
  ['waits to be sent again', 50],
  ['is in flight', 0],
])('an abort that gives up a batch with a sequence, which %s, goes on in another epoch', async (_what, afterMs) => {
  const { world, broker, log, producer, settle, send } = await transactional({ 'retry.backoff.ms': 1000, 'linger.ms': 0 })
  await settle(producer.initTransactions())
  producer.beginTransaction()
  send('a')
  await settle(producer.flush())
  const produce = broker.answers.get(ApiKey.produce)!
  broker.inTurn(
    ApiKey.produce,
    async (body, version) => {
      log.then(ErrorCode.NOT_LEADER_OR_FOLLOWER)
      return broker.later(30, (await produce(body, version)) as object)
    },
    produce,
  )
  send('b')
  await world.run(10 + afterMs)
  await settle(producer.abortTransaction())
  producer.beginTransaction()
  send('c')
  await settle(producer.commitTransaction())
  expect(log.values).toEqual(['a', 'c'])
  expect(log.batches.at(-1)).toMatchObject({ epoch: 1, sequence: 0 })
})
