import { FrameReader } from '../../../network/frame-reader'
import { KafkaConnection, NetworkError } from '../../../network/kafka-connection'
import { SlabPool } from '../../../network/slab-pool'
import { ErrorCode } from '../../../protocol/errors'
import { ApiKey, apiByKey, apis } from '../../../protocol/messages/apis'
import { decodeRequestBody, decodeRequestHeader, encodeResponseFrame } from '../../../protocol/messages/frames'
import { World } from '../../simulation/world/world'
import type { KafkaConnectionOptions } from '../../../network/kafka-connection'
import type { RequestHeader } from '../../../protocol/messages/frames'
import type { Stream } from '../../../runtime/ports'

interface Asked extends RequestHeader {
  body: unknown
  stream: Stream
}

type Answer = (asked: Asked) => Uint8Array[] | undefined

const everything = Object.values(apis).map((api) => ({ apiKey: api.key, minVersion: api.minVersion, maxVersion: api.maxVersion }))

/** What a broker answers to ApiVersions, and to nothing else. */
const handshake: Answer = ({ apiKey, apiVersion, correlationId }) =>
  apiKey === ApiKey.apiVersions
    ? encodeResponseFrame(apis.apiVersions, apiVersion, correlationId, { apiKeys: everything })
    : undefined

const heartbeat: Answer = (asked) =>
  asked.apiKey === ApiKey.heartbeat
    ? encodeResponseFrame(apis.heartbeat, asked.apiVersion, asked.correlationId, { throttleTimeMs: asked.correlationId })
    : handshake(asked)

async function start(answer: Answer, options: Partial<KafkaConnectionOptions> = {}) {
  const world = new World(1)
  const node = world.process('node')
  const client = world.process('client')
  const asked: Asked[] = []
  const streams: Stream[] = []
  const pool = new SlabPool(1024 * 1024)
  const listening = node.env.net.listen('127.0.0.1', 9092, (stream) => {
    streams.push(stream)
    const reader = new FrameReader({
      maxFrameBytes: 1024 * 1024,
      pool,
      onBad: () => stream.destroy(),
      onFrame: (frame) => {
        const header = decodeRequestHeader(frame)
        const api = apiByKey(header.apiKey)
        const known = api !== undefined && header.apiVersion <= api.maxVersion
        const body = known ? decodeRequestBody(api, header.apiVersion, frame, header.bodyOffset) : undefined
        const one = { ...header, body, stream }
        asked.push(one)
        const parts = answer(one)
        if (parts) stream.writev(parts)
      },
    })
    return { onData: (chunk) => reader.onData(chunk), onClose: () => reader.close() }
  })
  await world.settle(listening, 100, 'the node listens')
  const connection = new KafkaConnection(client.env, {
    host: '127.0.0.1',
    port: 9092,
    clientId: 'me',
    requestTimeoutMs: 1000,
    ...options,
  })
  const closed: NetworkError[] = []
  connection.onClose = (error) => closed.push(error)
  return { world, node, client, asked, streams, connection, closed }
}

const outcome = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => value,
    (error: unknown) => error,
  )

test('the handshake asks for versions, and the highest common ones are used', async () => {
  const { world, asked, connection } = await start((asked) =>
    asked.apiKey === ApiKey.apiVersions
      ? encodeResponseFrame(apis.apiVersions, asked.apiVersion, asked.correlationId, {
          apiKeys: [
            { apiKey: ApiKey.heartbeat, minVersion: 0, maxVersion: 2 },
            { apiKey: ApiKey.fetch, minVersion: 4, maxVersion: 99 },
            { apiKey: ApiKey.produce, minVersion: 50, maxVersion: 60 },
          ],
        })
      : heartbeat(asked),
  )
  await world.settle(connection.connect(), 1000, 'connected')
  expect(asked[0]).toMatchObject({ apiVersion: 4, clientId: 'me', body: { clientSoftwareName: 'prekraft' } })
  expect(connection.versionOf(ApiKey.heartbeat)).toBe(2)
  expect(connection.versionOf(ApiKey.fetch)).toBe(17)
  expect(() => connection.versionOf(ApiKey.produce)).toThrow(NetworkError)
  expect(() => connection.versionOf(ApiKey.metadata)).toThrow(/does not speak Metadata/)
  expect([connection.supports(ApiKey.fetch), connection.supports(ApiKey.produce)]).toEqual([true, false])
  const refused = await world.settle(outcome(connection.send(ApiKey.metadata, {})), 100, 'refused')
  expect(refused).toMatchObject({ code: 'UNSUPPORTED_VERSION' })
  await world.settle(connection.send(apis.heartbeat, { groupId: 'g' }), 1000, 'answered')
  expect(asked[1]).toMatchObject({ apiVersion: 2, body: { groupId: 'g' } })
})

test.each([
  ['names its versions', 2, [{ apiKey: ApiKey.apiVersions, minVersion: 0, maxVersion: 2 }]],
  ['names none', 0, []],
])('an older node that refuses version 4 and %s is asked again', async (_, version, apiKeys) => {
  const { world, asked, connection } = await start((asked) =>
    asked.apiVersion > 2
      ? encodeResponseFrame(apis.apiVersions, 0, asked.correlationId, { errorCode: ErrorCode.UNSUPPORTED_VERSION, apiKeys })
      : heartbeat(asked),
  )
  await world.settle(connection.connect(), 1000, 'connected')
  expect(asked.map((each) => each.apiVersion)).toEqual([4, version])
  expect(connection.versionOf(ApiKey.produce)).toBe(11)
})

test('requests go out at once up to the window, and answers find theirs', async () => {
  const { world, asked, connection } = await start(handshake, { maxInFlight: 3 })
  await world.settle(connection.connect(), 1000, 'connected')
  const answers = Array.from({ length: 7 }, (_, i) => connection.send(apis.heartbeat, { generationId: i }))
  await world.run(200)
  expect(asked.length).toBe(1 + 3)
  expect(connection.outstanding).toBe(7)
  let next = 1
  await world.runUntil(
    () => {
      for (; next < asked.length; next++) (asked[next] as Asked).stream.writev(heartbeat(asked[next] as Asked) as Uint8Array[])
      return connection.outstanding === 0
    },
    5000,
    'all are answered',
  )
  expect((await Promise.all(answers)).map((each) => each.throttleTimeMs)).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect(asked.slice(1).map((each) => (each.body as { generationId: number }).generationId)).toEqual([0, 1, 2, 3, 4, 5, 6])
})

test('more than may wait is refused at once', async () => {
  const { world, connection } = await start(handshake, { maxInFlight: 1, maxWaiting: 2 })
  await world.settle(connection.connect(), 1000, 'connected')
  const outcomes = Array.from({ length: 4 }, () => outcome(connection.send(apis.heartbeat, {})))
  await world.run(10)
  expect(await outcomes[3]).toMatchObject({ code: 'TIMEOUT' })
  connection.close()
  expect((await Promise.all(outcomes)).map((each) => (each as NetworkError).code)).toEqual([
    'DISCONNECTED',
    'DISCONNECTED',
    'DISCONNECTED',
    'TIMEOUT',
  ])
})

test('a late answer ends the connection; what waited behind it was cut off, not late', async () => {
  const { world, client, connection, closed } = await start(handshake, { maxInFlight: 2 })
  await world.settle(connection.connect(), 1000, 'connected')
  const startMs = client.env.clock.monoMs()
  const first = outcome(connection.send(apis.heartbeat, {}))
  const patient = outcome(connection.send(apis.heartbeat, {}, { timeoutMs: 60_000 }))
  const queued = outcome(connection.send(apis.heartbeat, {}, { timeoutMs: 300 }))
  expect(await world.settle(queued, 2000, 'the queued one gave up')).toMatchObject({ code: 'TIMEOUT' })
  expect(client.env.clock.monoMs() - startMs).toBeLessThan(600)
  expect(connection.closed).toBe(false)
  expect(await world.settle(first, 2000, 'the first one was late')).toMatchObject({ code: 'TIMEOUT' })
  expect(client.env.clock.monoMs() - startMs).toBeGreaterThanOrEqual(1000)
  expect(await patient).toMatchObject({ code: 'DISCONNECTED' })
  expect(connection.closed).toBe(true)
  expect(closed.length).toBe(1)
})

test('a node that holds its client back has so much longer for what it was asked (KIP-219)', async () => {
  const { world, node, connection } = await start((asked) => {
    const { generationId } = (asked.body ?? {}) as { generationId?: number }
    if (generationId === undefined || generationId === 1) return handshake(asked)
    const answer = (throttleTimeMs: number) => encodeResponseFrame(apis.heartbeat, asked.apiVersion, asked.correlationId, { throttleTimeMs })
    if (generationId === 0) return answer(5000)
    node.env.clock.timer(4500, () => void asked.stream.writev(answer(0)))
    return undefined
  })
  await world.settle(connection.connect(), 1000, 'connected')
  const throttled = connection.send(apis.heartbeat, { generationId: 0 })
  const before = connection.send(apis.heartbeat, { generationId: 2 })
  expect((await world.settle(throttled, 1000, 'answered')).throttleTimeMs).toBe(5000)
  const behind = connection.send(apis.heartbeat, { generationId: 2 })
  await world.settle(Promise.all([before, behind]), 10_000, 'answered late')
  // Afterwards time is what it was.
  await world.run(1000)
  expect(await world.settle(outcome(connection.send(apis.heartbeat, { generationId: 1 })), 2000, 'late')).toMatchObject({ code: 'TIMEOUT' })
})

test('a connection that ends settles everything once', async () => {
  const { world, streams, connection, closed } = await start(handshake)
  await world.settle(connection.connect(), 1000, 'connected')
  const lost = [outcome(connection.send(apis.heartbeat, {})), outcome(connection.send(apis.heartbeat, {}))]
  await world.run(50)
  streams[0]?.destroy()
  await world.runUntil(() => connection.closed, 1000, 'the client noticed')
  expect((await Promise.all(lost)).map((each) => (each as NetworkError).code)).toEqual(['DISCONNECTED', 'DISCONNECTED'])
  expect(await outcome(connection.send(apis.heartbeat, {}))).toMatchObject({ code: 'DISCONNECTED' })
  expect(closed.length).toBe(1)
  connection.close()
  expect(closed.length).toBe(1)
})

test('nobody listens', async () => {
  const { world, connection, closed } = await start(handshake, { port: 1 })
  expect(await world.settle(outcome(connection.connect()), 20_000, 'refused')).toMatchObject({ code: 'CONNECT' })
  expect(closed).toEqual([])
})

test('a node that never answers the handshake', async () => {
  const { world, connection } = await start(() => undefined)
  expect(await world.settle(outcome(connection.connect()), 20_000, 'given up')).toMatchObject({ code: 'TIMEOUT' })
  expect(connection.closed).toBe(true)
})

test.each<[string, Answer]>([
  ['an answer to another request', (asked) => encodeResponseFrame(apis.heartbeat, asked.apiVersion, asked.correlationId + 1, {})],
  [
    'an unreadable answer',
    (asked) => {
      const parts = encodeResponseFrame(apis.heartbeat, asked.apiVersion, asked.correlationId, {})
      const frame = Buffer.concat(parts).subarray(0, 9)
      frame.writeInt32BE(5)
      return [frame]
    },
  ],
])('%s ends the connection', async (_, answer) => {
  const { world, connection } = await start((asked) => (asked.apiKey === ApiKey.apiVersions ? handshake(asked) : answer(asked)))
  await world.settle(connection.connect(), 1000, 'connected')
  expect(await world.settle(outcome(connection.send(apis.heartbeat, {})), 1000, 'ended')).toMatchObject({ code: 'DISCONNECTED' })
  expect(connection.closed).toBe(true)
})

test('a Produce with acks=0 has no answer, a body that does not fit is refused, and the connection lives on', async () => {
  const { world, asked, connection } = await start(heartbeat, {
    versions: new Map([
      [0, { min: 0, max: 11 }],
      [12, { min: 0, max: 4 }],
    ]),
  })
  await world.settle(connection.connect(), 1000, 'connected')
  expect(await world.settle(connection.send(apis.produce, { acks: 0 }), 1000, 'handed over')).toBeUndefined()
  expect(await outcome(connection.send(apis.heartbeat, { generationId: 2 ** 40 }))).toMatchObject({ name: 'EncodeError' })
  await world.settle(connection.send(apis.heartbeat, {}), 1000, 'answered')
  expect(asked.map((each) => each.apiKey)).toEqual([ApiKey.produce, ApiKey.heartbeat])
})

test('what was handed over with acks=0 is sent before the connection ends', async () => {
  const { world, asked, connection } = await start(heartbeat)
  await world.settle(connection.connect(), 1000, 'connected')
  for (let i = 0; i < 5; i++) void connection.send(apis.produce, { acks: 0, timeoutMs: i })
  connection.close()
  await world.run(1000)
  expect(asked.slice(1).map((each) => (each.body as { timeoutMs: number }).timeoutMs)).toEqual([0, 1, 2, 3, 4])
})

test('an answer may be taken at once, and what fails there concerns that request alone', async () => {
  const { world, connection } = await start(heartbeat)
  await world.settle(connection.connect(), 1000, 'connected')
  const taken = connection.send(apis.heartbeat, {}, { take: ({ throttleTimeMs }) => `took ${throttleTimeMs}` })
  const failed = outcome(
    connection.send(
      apis.heartbeat,
      {},
      {
        take: () => {
          throw new Error('no room')
        },
      },
    ),
  )
  const plain = connection.send(apis.heartbeat, {})
  expect(await world.settle(taken, 1000, 'taken')).toBe('took 1')
  expect(await world.settle(failed, 1000, 'failed')).toMatchObject({ message: 'no room' })
  expect((await world.settle(plain, 1000, 'answered')).throttleTimeMs).toBe(3)
})
