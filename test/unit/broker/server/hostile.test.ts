/** Bytes that no honest client sends (reliability.md, 6). */
import { ErrorCode } from '../../../../protocol/errors'
import { ApiKey } from '../../../../protocol/messages/apis'
import { RawClient, RunningCluster, batch, bodyOf, fetch, produce } from '../support/running-broker'
import type { ApiVersionsResponse } from '../../../../protocol/messages/api-versions'

let cluster: RunningCluster

beforeAll(async () => {
  cluster = await RunningCluster.start(1)
  await cluster.createTopic('honest')
})

afterAll(() => cluster.close())

async function serves(): Promise<void> {
  const connection = await cluster.connect()
  expect((await produce(connection, 'honest', batch(['x']))).errorCode).toBe(0)
  connection.close()
  expect(cluster.fatal).toEqual([])
}

test('ApiVersions of an unknown version is answered in version 0, naming itself alone', async () => {
  const client = await cluster.raw()
  for (const version of [5, 99, 32767]) {
    client.writeFrame(ApiKey.apiVersions, version, 7, Buffer.from('whatever this is'))
    const frame = (await client.next())!
    expect(frame.readInt32BE(0)).toBe(7)
    expect(bodyOf<ApiVersionsResponse>(ApiKey.apiVersions, 0, frame)).toMatchObject({
      errorCode: ErrorCode.UNSUPPORTED_VERSION,
      apiKeys: [{ apiKey: ApiKey.apiVersions, minVersion: 0, maxVersion: 4 }],
    })
  }
  client.send(ApiKey.apiVersions, 3, 8, { clientSoftwareName: 'not valid!', clientSoftwareVersion: '1' })
  expect(bodyOf<ApiVersionsResponse>(ApiKey.apiVersions, 3, (await client.next())!).errorCode).toBe(ErrorCode.INVALID_REQUEST)
  client.close()
})

test('an unknown request or version, or a body that is none, ends the connection without an answer', async () => {
  const cases: [number, number, Buffer?][] = [
    [999, 0],
    [-1, 0],
    [52, 0],
    [ApiKey.joinGroup, 0],
    [ApiKey.metadata, 13],
    [ApiKey.metadata, -1],
    [ApiKey.produce, 12],
    [ApiKey.fetch, 4, Buffer.from([1, 2, 3])],
    // A list of 2^31-1 topics in a frame of ten bytes.
    [ApiKey.metadata, 1, Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 0])],
    [ApiKey.createTopics, 0, Buffer.from([0xff, 0xff, 0xff, 0xf0])],
    [ApiKey.metadata, 12, Buffer.alloc(30, 0xff)],
  ]
  for (const [apiKey, version, rest] of cases) {
    const client = await cluster.raw()
    client.writeFrame(apiKey, version, 1, rest)
    expect({ apiKey, version, answer: await client.next() }).toEqual({ apiKey, version, answer: undefined })
  }
  await serves()
})

test('sizes that cannot be, and other protocols', async () => {
  const http = Buffer.from('GET / HTTP/1.1\r\nHost: kafka\r\n\r\n')
  const tls = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01])
  const negative = Buffer.from([0xff, 0xff, 0xff, 0xff])
  const huge = Buffer.from([0x7f, 0xff, 0xff, 0xff])
  const empty = Buffer.from([0, 0, 0, 0])
  const headless = Buffer.from([0, 0, 0, 3, 0, 18, 0])
  for (const bytes of [http, tls, negative, huge, empty, headless]) {
    const client = await cluster.raw()
    client.write(bytes)
    expect(await client.next()).toBeUndefined()
  }
  await serves()
})

test('a request in pieces of one byte is a request', async () => {
  const client = await cluster.raw()
  client.socket.setNoDelay(true)
  const frame = Buffer.from('0000000a0012000000000003ffff', 'hex')
  for (const byte of frame) {
    client.write(Buffer.from([byte]))
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect((await client.next())!.readInt32BE(0)).toBe(3)
  client.close()
})

test('random frames at every key: the broker lives', async () => {
  let random = 12345
  const next = (): number => (random = (Math.imul(random, 1103515245) + 12345) & 0x7fffffff)
  for (let i = 0; i < 300; i++) {
    const client = await cluster.raw()
    const rest = Buffer.from(Array.from({ length: next() % 60 }, () => next() & 0xff))
    client.writeFrame(next() % 70, next() % 18, i, rest)
    await Promise.race([client.next(), new Promise((resolve) => setTimeout(resolve, 20))])
    client.close()
  }
  await serves()
})

test('many connections that promise 100 MB and send nothing cost next to nothing', async () => {
  const promise = Buffer.alloc(10)
  promise.writeInt32BE(100 * 1024 * 1024, 0)
  const clients: RawClient[] = []
  const before = process.memoryUsage()
  for (let i = 0; i < 300; i++) {
    const client = await cluster.raw()
    client.write(promise)
    clients.push(client)
  }
  await serves()
  const after = process.memoryUsage()
  const grown = after.arrayBuffers + after.external - before.arrayBuffers - before.external
  expect(grown).toBeLessThan(16 * 1024 * 1024)
  for (const client of clients) client.close()
})

test('who does not read its answers holds up nobody else', async () => {
  await cluster.createTopic('large')
  const connection = await cluster.connect()
  await produce(connection, 'large', batch(['x'.repeat(900_000)]))
  const lazy = await cluster.raw()
  lazy.socket.pause()
  for (let i = 0; i < 50; i++) {
    lazy.send(ApiKey.fetch, 4, i, {
      maxWaitMs: 0,
      minBytes: 0,
      topics: [{ topic: 'large', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 2_000_000 }] }],
    })
  }
  await serves()
  expect((await fetch(connection, 'large', 0)).errorCode).toBe(0)
  // What it asked for comes when it reads, in order.
  lazy.socket.resume()
  for (let i = 0; i < 50; i++) expect((await lazy.next())!.readInt32BE(0)).toBe(i)
  lazy.close()
})
