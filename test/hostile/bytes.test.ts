/**
 * Bytes that no honest client sends, against a broker that is a process of its own: it lives, its memory stays, and honest clients
 * are served meanwhile (reliability.md, 6). Apache Kafka dies of the first one, out of memory.
 */
import { ApiKey, apiByKey } from '../../protocol/messages/apis'
import { startCluster } from '../../index'
import { REQUESTS } from '../unit/broker/api/every-request'
import { encodeRequestFrame } from '../../protocol/messages/frames'
import { RawClient, batch, bodyOf } from '../unit/broker/support/running-broker'
import { HonestClient, MAX_GROWTH_BYTES, answerOrEnd, createTopic, pause, randomFrom, residentBytes, socketsTo } from './support'
import type { ApiVersionsResponse } from '../../protocol/messages/api-versions'
import type { TestCluster } from '../../index'

let cluster: TestCluster
let honest: HonestClient
let port = 0

beforeAll(async () => {
  cluster = await startCluster({ brokers: 1, overrides: { 'auto.create.topics.enable': 'false' } })
  port = cluster.port(0)
  await createTopic(cluster, 'honest')
  await createTopic(cluster, 'versions')
  honest = new HonestClient(cluster, 'honest')
  await honest.served(100)
}, 60_000)

afterAll(async () => {
  await honest.stop()
  await cluster.close()
}, 60_000)

const MB = 1024 * 1024
/** What is free already and not yet given back to the machine, while a broker answers as fast as it can. */
const GARBAGE_BYTES = 128 * MB

/** What the process grows by at most while `work` is done and an honest client is served. */
async function growthDuring(work: () => Promise<void>): Promise<number> {
  const pid = cluster.pid(0)
  const before = residentBytes(pid)
  let most = 0
  const timer = setInterval(() => {
    if (cluster.isRunning(0)) most = Math.max(most, residentBytes(pid))
  }, 50)
  try {
    await work()
    await honest.served()
    most = Math.max(most, residentBytes(pid))
  } finally {
    clearInterval(timer)
  }
  expect(cluster.isRunning(0)).toBe(true)
  return most - before
}

function promiseOf(bytes: number): Buffer {
  const promise = Buffer.alloc(4)
  promise.writeInt32BE(bytes)
  return promise
}

test('1,500 connections promise 100 MB each and send nothing', async () => {
  const growth = await growthDuring(async () => {
    const sockets = await socketsTo(port, 1500)
    for (const socket of sockets) socket.write(promiseOf(100 * MB))
    await honest.served(20)
    // A little of what was promised, from each.
    for (const socket of sockets) socket.write(Buffer.alloc(1000))
    await honest.served(20)
    for (const socket of sockets) socket.destroy()
  })
  expect(growth).toBeLessThan(MAX_GROWTH_BYTES)
}, 60_000)

test('400 connections dribble a frame, byte by byte', async () => {
  const growth = await growthDuring(async () => {
    const sockets = await socketsTo(port, 400)
    for (const socket of sockets) {
      socket.setNoDelay(true)
      socket.write(promiseOf(50 * MB))
    }
    for (let i = 0; i < 50; i++) {
      for (const socket of sockets) socket.write(Buffer.from([i]))
      await pause(10)
    }
    await honest.served()
    for (const socket of sockets) socket.destroy()
  })
  expect(growth).toBeLessThan(MAX_GROWTH_BYTES)
}, 60_000)

test('connections that end in the middle of a frame, or half of them only', async () => {
  const growth = await growthDuring(async () => {
    for (let round = 0; round < 5; round++) {
      const sockets = await socketsTo(port, 200)
      for (const [i, socket] of sockets.entries()) {
        socket.write(Buffer.concat([promiseOf(MB), Buffer.alloc(i * 50)]))
        if (i % 3 === 0) socket.end()
        else if (i % 3 === 1) socket.resetAndDestroy()
      }
      await honest.served(2)
      for (const socket of sockets) socket.destroy()
    }
  })
  expect(growth).toBeLessThan(MAX_GROWTH_BYTES)
}, 60_000)

test('every API key at absurd versions: closed, but for ApiVersions', async () => {
  const keys = [...Array.from({ length: 90 }, (_, key) => key), -1, -32768, 127, 255, 999, 32767]
  for (const key of keys) {
    const known = apiByKey(key)
    for (const version of [-1, -32768, 32767, (known?.maxVersion ?? 0) + 1]) {
      const client = await RawClient.connect(port)
      client.writeFrame(key, version, 77, Buffer.alloc(40))
      const answer = await answerOrEnd(client)
      if (key === ApiKey.apiVersions) {
        expect(answer!.readInt32BE(0)).toBe(77)
        expect(bodyOf<ApiVersionsResponse>(key, 0, answer!)).toMatchObject({ errorCode: 35, apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }] })
      } else {
        expect({ key, version, answer }).toEqual({ key, version, answer: undefined })
      }
      client.close()
    }
  }
  await honest.served()
}, 60_000)

test('random frames', async () => {
  const random = randomFrom(20_250_101)
  const int = (below: number): number => Math.floor(random() * below)
  const growth = await growthDuring(async () => {
    for (let i = 0; i < 1500; i++) {
      const client = await RawClient.connect(port)
      const bytes = Buffer.from(Array.from({ length: int(300) }, () => int(256)))
      if (i % 3 === 0) client.write(bytes)
      else client.writeFrame(int(70), int(18), i, bytes)
      client.socket.end()
      await answerOrEnd(client)
      client.close()
    }
  })
  expect(growth).toBeLessThan(MAX_GROWTH_BYTES)
}, 120_000)

/** A broken number of partitions may be a large one: these topics cannot be created. */
function requestOf(key: number, version: number): object {
  const body = REQUESTS[key]!(version, { topic: 'AAAAAAAAAAAAAAAAAAAAAQ' })
  if (key === ApiKey.createTopics) return { ...body, topics: [{ name: 'bad/name', numPartitions: 1, replicationFactor: 1 }] }
  if (key === ApiKey.createPartitions) return { ...body, topics: [{ name: 'bad/name', count: 1, assignments: null }] }
  return body
}

/** A request that makes no sense costs its sender the connection, and nobody else anything. */
test('every request in every version, with one number in it absurd', async () => {
  const random = randomFrom(7)
  let frames = 0
  const growth = await growthDuring(async () => {
    for (const key of Object.keys(REQUESTS).map(Number)) {
      const api = apiByKey(key)!
      for (let version = api.minVersion; version <= api.maxVersion; version++) {
        const frame = Buffer.concat(encodeRequestFrame(api, version, 1, 'hostile', requestOf(key, version)))
        for (let i = 0; i < 12; i++) {
          const bad = Buffer.from(frame)
          // Behind the size, the key and the version.
          const at = 8 + Math.floor(random() * (frame.length - 8))
          if (i % 3 === 0 && at + 4 <= bad.length) bad.writeInt32BE(i % 2 === 0 ? 0x7fffffff : 0x00ffffff, at)
          else if (i % 3 === 1) bad.fill(0xff, at, Math.min(at + 5, bad.length))
          else bad[at] = Math.floor(random() * 256)
          const client = await RawClient.connect(port)
          client.write(bad)
          client.socket.end()
          await answerOrEnd(client)
          client.close()
          frames++
        }
      }
    }
  })
  expect(frames).toBeGreaterThan(1000)
  expect(growth).toBeLessThan(MAX_GROWTH_BYTES)
}, 180_000)

test('a flood of pipelined requests is answered in order', async () => {
  const count = 50_000
  const growth = await growthDuring(async () => {
    const client = await RawClient.connect(port)
    const one = Buffer.from('0000000a0012000000000000ffff', 'hex')
    const flood = Buffer.alloc(one.length * count)
    for (let i = 0; i < count; i++) {
      one.copy(flood, i * one.length)
      flood.writeInt32BE(i, i * one.length + 8)
    }
    let received = 0
    let next = 0
    let rest = Buffer.alloc(0)
    client.socket.removeAllListeners('data')
    client.socket.on('data', (chunk) => {
      received += chunk.length
      rest = Buffer.concat([rest, chunk])
      while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
        if (rest.readInt32BE(4) !== next++) throw new Error(`answer ${next - 1} is out of order`)
        rest = rest.subarray(4 + rest.readInt32BE(0))
      }
    })
    client.write(flood)
    await cluster.until('all are answered', 60_000, async () => next === count)
    expect(received).toBeGreaterThan(0)
    client.close()
  })
  expect(growth).toBeLessThan(MAX_GROWTH_BYTES)
}, 90_000)

test('who floods and does not read is not read either', async () => {
  const one = Buffer.concat(encodeRequestFrame(apiByKey(ApiKey.apiVersions)!, 0, 1, 'flood', {}))
  const flood = Buffer.concat(new Array<Buffer>(20_000).fill(one))
  const growth = await growthDuring(async () => {
    const sockets = await socketsTo(port, 20)
    for (const socket of sockets) {
      socket.pause()
      socket.write(flood)
    }
    await honest.served(50)
    for (const socket of sockets) socket.destroy()
  })
  expect(growth).toBeLessThan(MAX_GROWTH_BYTES + GARBAGE_BYTES)
}, 60_000)

test('slow readers of large answers hold what is bounded', async () => {
  await createTopic(cluster, 'large')
  const writer = await RawClient.connect(port)
  for (let i = 0; i < 8; i++) {
    writer.send(ApiKey.produce, 3, i, { acks: 1, timeoutMs: 5000, topicData: [{ name: 'large', partitionData: [{ index: 0, records: batch(['x'.repeat(900_000)]) }] }] })
    expect(bodyOf<{ responses: { partitionResponses: { errorCode: number }[] }[] }>(ApiKey.produce, 3, (await writer.next())!).responses[0]!.partitionResponses[0]!.errorCode).toBe(0)
  }
  writer.close()
  const fetch = Buffer.concat(encodeRequestFrame(apiByKey(ApiKey.fetch)!, 4, 1, 'slow', {
    maxWaitMs: 0, minBytes: 0, maxBytes: 0x7fffffff, topics: [{ topic: 'large', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 0x7fffffff }] }],
  }))
  const growth = await growthDuring(async () => {
    const sockets = await socketsTo(port, 100)
    for (const socket of sockets) {
      socket.pause()
      for (let i = 0; i < 20; i++) socket.write(fetch)
    }
    await honest.served(50)
    for (const socket of sockets) socket.destroy()
  })
  // 512 MiB is what all clients together may leave unread.
  expect(growth).toBeLessThan(512 * MB + 2 * GARBAGE_BYTES)
}, 60_000)

test('the honest client never waited long, and the broker is as it was', async () => {
  await honest.served(50)
  expect(honest.longestMs).toBeLessThan(10_000)
  expect(cluster.isRunning(0)).toBe(true)
})
