import { Producer } from '../../../../client/producer'
import { senderSettings } from '../../../../client/producer/settings'
import { ErrorCode } from '../../../../protocol/errors'
import { ApiKey } from '../../../../protocol/messages/apis'
import { scripted } from '../support/scripted-broker'
import { ScriptedLog } from '../support/scripted-log'
import type { ProducerConfig } from '../../../../client/config'
import type { RecordMetadata } from '../../../../client/accumulator'

async function producing(config: ProducerConfig = {}) {
  const { world, broker, env, bootstrap } = await scripted()
  broker.topics.set('t', 1)
  const log = new ScriptedLog(broker)
  const producer = new Producer(
    { 'bootstrap.servers': bootstrap, 'request.timeout.ms': 1000, 'delivery.timeout.ms': 10_000, ...config },
    env,
  )
  const outcomes: (number | string)[] = []
  /** Sends records that say their number. */
  const send = (count: number, from = 0): Promise<RecordMetadata>[] =>
    Array.from({ length: count }, (_, i) => {
      const sent = producer.send({ topic: 't', value: String(from + i) })
      sent.then(
        ({ offset }) => outcomes.push(offset),
        (error: { name: string; code: string | number }) => outcomes.push(`${error.name} ${error.code}`),
      )
      return sent
    })
  const flush = (): Promise<void> => world.settle(producer.flush(), 60_000, 'all is answered')
  return { world, broker, log, producer, outcomes, send, flush }
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i))

describe('batches', () => {
  test('are sent when full, or when linger.ms is over', async () => {
    const { world, log, send, flush } = await producing({ 'linger.ms': 50, 'batch.size': 200 })
    const [first] = send(1)
    await world.run(30)
    expect(log.batches).toEqual([])
    await world.settle(first!, 100, 'it lingered')
    send(20, 1)
    await flush()
    expect(log.batches.length).toBeGreaterThan(2)
    expect(Math.max(...log.batches.map(({ count }) => count))).toBeGreaterThan(1)
    expect(log.values).toEqual(numbers(21))
  })

  test('flush does not wait for what comes later', async () => {
    const { world, send, producer, broker, outcomes } = await producing({ 'linger.ms': 0 })
    const produce = broker.answers.get(ApiKey.produce)!
    broker.inTurn(ApiKey.produce, produce, () => 'silence')
    send(1)
    const flushed = producer.flush()
    await world.run(100)
    send(1, 1)
    await world.settle(flushed, 100, 'flushed')
    expect(outcomes).toEqual([0])
  })
})

test('what lingers goes out when somebody waits for its memory', async () => {
  const { world, producer, log } = await producing({
    'buffer.memory': 1000, 'max.block.ms': 500, 'linger.ms': 5000, 'delivery.timeout.ms': 20_000,
  })
  await world.settle(producer.partitionsFor('t'), 1000, 'the topic is known')
  const sent = [0, 1, 2, 3, 4, 5].map((number) => producer.send({ topic: 't', value: String(number).repeat(250) }))
  await world.settle(Promise.all(sent.slice(0, 3)), 400, 'there is room')
  await world.settle(producer.flush(), 400, 'all is answered')
  expect(log.values).toHaveLength(6)
})

test('a batch that was refused does not linger again', async () => {
  const { world, log, producer } = await producing({ 'linger.ms': 5000 })
  log.then(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  const sent = producer.send({ topic: 't', value: 'x' })
  await world.settle(producer.flush(), 1000, 'all is answered')
  await sent
  expect(log.values).toEqual(['x'])
})

test('a flush does not let others linger for a record whose topic is not known yet', async () => {
  const { world, producer, log } = await producing({ 'linger.ms': 5000, 'max.block.ms': 3000 })
  await world.settle(producer.partitionsFor('t'), 1000, 'the topic is known')
  void producer.send({ topic: 'none', value: 'x' }).catch(() => {})
  const sent = producer.send({ topic: 't', value: 'x' })
  void producer.flush()
  await world.settle(sent, 1000, 'it is answered')
  expect(log.values).toEqual(['x'])
})

test('a timestamp that is none is refused, and holds up nothing', async () => {
  const { world, producer, log } = await producing({ 'linger.ms': 0 })
  const bad = Array.from({ length: 10 }, () => producer.send({ topic: 't', value: 'x', timestamp: NaN }).catch((error: Error) => error.message))
  expect(await world.settle(Promise.all(bad), 1000, 'refused')).toEqual(Array<string>(10).fill('Invalid timestamp: NaN. Timestamp should always be non-negative or null.'))
  await world.settle(producer.send({ topic: 't', value: 'y' }), 1000, 'it is stored')
  expect(log.values).toEqual(['y'])
})

describe('order', () => {
  test.each([
    ['an error that passes', [ErrorCode.NOT_LEADER_OR_FOLLOWER]],
    ['an answer that is lost', ['silence']],
    ['an answer that is lost after the batch was stored', ['stored, silence']],
    ['a connection that ends', ['hang up', 'hang up']],
    [
      'one trouble after the other',
      [ErrorCode.NOT_ENOUGH_REPLICAS, 'silence', ErrorCode.KAFKA_STORAGE_ERROR, 'stored, silence', 'hang up'],
    ],
  ] as const)('%s', async (_what, fates) => {
    const { world, log, send, flush, outcomes } = await producing({ 'batch.size': 200 })
    await world.settle(send(1)[0]!, 1000, 'the first is stored')
    log.then(...fates)
    send(40, 1)
    await flush()
    expect(log.values).toEqual(numbers(41))
    expect(outcomes.filter((each) => typeof each === 'string')).toEqual([])
  })

  test('up to five requests are in flight, each sequence behind the one before', async () => {
    const { world, broker, send, flush, log } = await producing({ 'batch.size': 100 })
    await world.settle(send(1)[0]!, 1000, 'the first is stored')
    const produce = broker.answers.get(ApiKey.produce)!
    let most = 0
    let open = 0
    broker.on(ApiKey.produce, async (body, version) => {
      most = Math.max(most, ++open)
      const answer = await produce(body, version)
      open--
      return typeof answer === 'string' ? answer : broker.later(20, answer)
    })
    send(60, 1)
    await flush()
    expect(log.values).toEqual(numbers(61))
    expect(log.batches.map(({ sequence }) => sequence)).toEqual(
      log.batches.reduce<number[]>((all, { count }) => [...all, all.at(-1)! + count], [0]).slice(0, -1),
    )
  })
})

describe('time', () => {
  test('delivery.timeout.ms ends the wait for a leader that never answers', async () => {
    const { world, broker, send, outcomes } = await producing({ 'delivery.timeout.ms': 3000 })
    broker.on(ApiKey.produce, () => 'silence')
    const [sent] = send(1)
    await expect(world.settle(sent!, 6000, 'given up')).rejects.toBeDefined()
    expect(world.nowMs).toBeGreaterThanOrEqual(3000)
    expect(outcomes).toHaveLength(1)
  })

  test('max.block.ms ends the wait for a topic that is not there', async () => {
    const { world, producer } = await producing({ 'max.block.ms': 2000 })
    await expect(world.settle(producer.send({ topic: 'none', value: 'x' }), 3000, 'given up')).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: 'Topic none not present in metadata after 2000 ms.',
    })
  })

  test('a partition that the topic has by now is found', async () => {
    const { world, broker, producer } = await producing()
    await world.settle(producer.send({ topic: 't', partition: 0, value: 'x' }), 1000, 'the topic is known')
    broker.topics.set('t', 2)
    expect(await world.settle(producer.send({ topic: 't', partition: 1, value: 'x' }), 1000, 'found')).toMatchObject({ partition: 1 })
  })

  test('max.block.ms ends the wait for a partition that is not there; the others of the topic go on', async () => {
    const { world, producer } = await producing({ 'max.block.ms': 2000 })
    await world.settle(producer.send({ topic: 't', partition: 0, value: 'x' }), 1000, 'the topic is known')
    const missing = producer.send({ topic: 't', partition: 7, value: 'x' })
    missing.catch(() => {})
    await world.settle(producer.send({ topic: 't', partition: 0, value: 'x' }), 1000, 'it goes on')
    await expect(world.settle(missing, 4000, 'given up')).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: 'Partition 7 of topic t with partition count 1 is not present in metadata after 2000 ms.',
    })
    await expect(producer.send({ topic: 't', partition: -1, value: 'x' })).rejects.toMatchObject({ code: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION })
  })

  test('max.block.ms counts for each record from its own call, however many wait for the topic', async () => {
    const { world, producer } = await producing({ 'max.block.ms': 2000 })
    const ended: number[] = []
    for (let i = 0; i < 4; i++) void producer.send({ topic: 'none', value: 'x' }).catch(() => ended.push(world.nowMs))
    const begunMs = world.nowMs
    await world.run(20_000)
    expect(ended).toHaveLength(4)
    expect(Math.max(...ended) - begunMs).toBeLessThan(2500)
  })

  test('max.block.ms ends the wait for memory; what is answered makes room', async () => {
    const { world, broker, producer } = await producing({ 'buffer.memory': 1000, 'max.block.ms': 500, 'linger.ms': 0 })
    const produce = broker.answers.get(ApiKey.produce)!
    broker.on(ApiKey.produce, async (body, version) => {
      const answer = await produce(body, version)
      return typeof answer === 'string' ? answer : broker.later(900, answer)
    })
    await world.settle(producer.partitionsFor('t'), 1000, 'the topic is known')
    const heard: unknown[] = []
    for (let i = 0; i < 10; i++)
      producer.send({ topic: 't', value: 'x'.repeat(200) }).then(
        ({ offset }) => heard.push(offset),
        (error: { code: string }) => heard.push(error.code),
      )
    await world.run(700)
    // Three fit; the others were told before the first answer came.
    expect(heard).toEqual(Array.from({ length: 7 }, () => 'TIMEOUT'))
    await world.run(5000)
    expect(heard.slice(7)).toEqual([0, 1, 2])
    const again = producer.send({ topic: 't', value: 'x' })
    await world.settle(again, 2000, 'there is room again')
  })

  test('what can never fit is refused at once', async () => {
    const { world, producer } = await producing({ 'buffer.memory': 1000 })
    await expect(world.settle(producer.send({ topic: 't', value: 'x'.repeat(2000) }), 100, 'refused')).rejects.toMatchObject({
      code: ErrorCode.MESSAGE_TOO_LARGE,
    })
  })

  test('max.request.size counts the whole record, as the Java client does', async () => {
    const { world, producer } = await producing({ 'max.request.size': 200 })
    const record = (bytes: number) => ({
      topic: 't',
      key: 'k',
      value: 'x'.repeat(bytes),
      headers: [{ key: 'h', value: 'v' }, { key: 'none', value: null }],
    })
    // 61 of the batch, 21 of the record, 2 of the key, 2 of the value's length, 1 of the headers' number, 4 and 6 of the headers.
    await world.settle(producer.send(record(103)), 1000, 'it fits')
    await expect(world.settle(producer.send(record(104)), 100, 'refused')).rejects.toMatchObject({
      code: ErrorCode.MESSAGE_TOO_LARGE,
      message:
        'The message is 201 bytes when serialized which is larger than 200, which is the value of the max.request.size ' +
        'configuration.',
    })
  })

  test('close with a time-out fails what is left', async () => {
    const { world, broker, producer, send, outcomes } = await producing()
    broker.on(ApiKey.produce, () => 'silence')
    send(2)
    await world.settle(producer.close({ timeoutMs: 300 }), 400, 'closed')
    await world.run(10)
    expect(outcomes).toHaveLength(2)
    expect(outcomes.every((each) => typeof each === 'string')).toBe(true)
  })
})

test('close with a time-out fails also what was to be sent again behind others in flight', async () => {
  const { world, broker, producer, send, outcomes } = await producing({ 'batch.size': 100, 'linger.ms': 0 })
  const produce = broker.answers.get(ApiKey.produce)!
  await world.settle(send(1)[0]!, 1000, 'the first is stored')
  let turn = 0
  const refused = (body: { topicData: { name: string }[] }) => ({
    responses: [{
      name: body.topicData[0]!.name,
      partitionResponses: [{ index: 0, errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER, baseOffset: -1, logAppendTimeMs: -1, logStartOffset: 0 }],
    }],
  })
  broker.on(ApiKey.produce, (body, version) => (turn++ === 0 ? refused(body) : turn < 9 ? 'silence' : produce(body, version)))
  send(12, 1)
  await world.run(150)
  await world.settle(producer.close({ timeoutMs: 200 }), 1000, 'closed')
  await world.run(5000)
  expect(outcomes).toHaveLength(13)
})

describe('configuration', () => {
  test.each([
    [{ acks: '1', 'enable.idempotence': true }, 'Must set acks to all in order to use the idempotent producer.'],
    [{ 'max.in.flight.requests.per.connection': 6, 'enable.idempotence': true }, 'at most 5'],
    [
      { 'transactional.id': 'x', 'enable.idempotence': false },
      'Cannot set a transactional.id without also enabling idempotence.',
    ],
    [{ 'compression.type': 'gzip', 'compression.gzip.level': 10 }, 'Invalid value 10 for configuration compression.gzip.level'],
    [{ 'compression.type': 'gzip', 'compression.gzip.level': 0 }, 'Invalid value 0 for configuration compression.gzip.level'],
    [{ 'compression.type': 'zstd', 'compression.zstd.level': 23 }, 'Invalid value 23 for configuration compression.zstd.level'],
    [{ retries: 0, 'transactional.id': 'x' }, 'Must set retries to non-zero'],
    [
      { 'delivery.timeout.ms': 2_147_483_646, 'linger.ms': 2_147_483_647 },
      'delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms',
    ],
    [
      { 'delivery.timeout.ms': 100, 'request.timeout.ms': 200 },
      'delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms',
    ],
  ] as const)('%j is refused', (config, message) => {
    expect(() => new Producer({ 'bootstrap.servers': 'h:1', ...config })).toThrow(message)
  })
})

test('delivery.timeout.ms follows linger.ms and request.timeout.ms when it is left out, up to the greatest number', () => {
  const deliveryTimeoutMs = (config: ProducerConfig) =>
    senderSettings({ 'bootstrap.servers': 'h:1', ...config }).deliveryTimeoutMs
  expect(deliveryTimeoutMs({})).toBe(120_000)
  expect(deliveryTimeoutMs({ 'linger.ms': 100_000, 'request.timeout.ms': 50_000 })).toBe(150_000)
  expect(deliveryTimeoutMs({ 'linger.ms': 2_147_483_647 })).toBe(2_147_483_647)
  expect(deliveryTimeoutMs({ 'linger.ms': 2_147_483_647, 'delivery.timeout.ms': 2_147_483_647 })).toBe(2_147_483_647)
})

test('interceptors see each record and what became of it', async () => {
  const seen: unknown[] = []
  const { world, log, producer } = await producing({
    'interceptor.classes': [
      {
        onSend: (record) => ({ ...record, value: `${String(record.value)}!` }),
        onAcknowledgement: (metadata, error, record) => seen.push([metadata?.offset, error, record.value]),
      },
      {
        onSend: () => {
          throw new Error('no')
        },
        onAcknowledgement: () => {
          throw new Error('no')
        },
      },
    ],
  })
  await world.settle(producer.send({ topic: 't', value: 'a' }), 1000, 'sent')
  expect(log.values).toEqual(['a!'])
  expect(seen).toEqual([[0, undefined, 'a!']])
})
