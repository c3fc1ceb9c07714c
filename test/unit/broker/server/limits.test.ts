import { receiveBudgetBytes } from '../../../../broker/part-options'
import { FrameReader } from '../../../../network/frame-reader'
import { SlabPool } from '../../../../network/slab-pool'
import { ApiKey } from '../../../../protocol/messages/apis'
import { parseBrokerConfig } from '../../../../protocol/rules/config-definition'
import { RunningCluster } from '../support/running-broker'

async function answersOf(cluster: RunningCluster, port?: number): Promise<boolean> {
  const client = await cluster.raw(port)
  client.writeFrame(ApiKey.apiVersions, 0, 1)
  const answer = await client.next()
  if (answer === undefined) client.close()
  return answer !== undefined
}

test('max.connections refuses, and brokers have theirs', async () => {
  const cluster = await RunningCluster.start(1, {
    'max.connections': '8',
    listeners: 'CLIENT://127.0.0.1:0,BROKER://127.0.0.1:0',
    'listener.security.protocol.map': 'CLIENT:PLAINTEXT,BROKER:PLAINTEXT',
    'inter.broker.listener.name': 'BROKER',
  })
  const port = cluster.brokers[0]!.portOf('CLIENT')
  const results: boolean[] = []
  for (let i = 0; i < 12; i++) results.push(await answersOf(cluster, port))
  expect(results.filter(Boolean).length).toBeLessThanOrEqual(8)
  expect(results.at(-1)).toBe(false)
  // An idle client makes room for a broker.
  expect(await answersOf(cluster, cluster.brokers[0]!.portOf('BROKER'))).toBe(true)
  await cluster.close()
})

test('max.connections.per.ip with its overrides', async () => {
  const cluster = await RunningCluster.start(1, {
    'max.connections.per.ip': '100',
    'max.connections.per.ip.overrides': '127.0.0.1:5',
  })
  const results: boolean[] = []
  for (let i = 0; i < 8; i++) results.push(await answersOf(cluster))
  expect(results.filter(Boolean).length).toBeLessThanOrEqual(5)
  expect(results.at(-1)).toBe(false)
  await cluster.close()
})

test('idle connections are closed', async () => {
  const cluster = await RunningCluster.start(1, {
    'connections.max.idle.ms': '300',
    'connection.failed.authentication.delay.ms': '100',
  })
  const client = await cluster.raw()
  client.writeFrame(ApiKey.apiVersions, 0, 1)
  expect(await client.next()).toBeDefined()
  await client.closed()
  await cluster.close()
})

test('a stop answers what is under way, and takes nothing more', async () => {
  const cluster = await RunningCluster.start(1)
  await cluster.createTopic('last')
  const port = cluster.port
  const client = await cluster.raw()
  client.send(ApiKey.metadata, 1, 1, { topics: [{ name: 'last' }] })
  expect(await client.next()).toBeDefined()
  await cluster.brokers[0]!.stop()
  await client.closed()
  await expect(cluster.raw(port)).rejects.toThrow()
  await cluster.close()
})

const TWO_LISTENERS = {
  listeners: 'CLIENT://127.0.0.1:0,BROKER://127.0.0.1:0',
  'listener.security.protocol.map': 'CLIENT:PLAINTEXT,BROKER:PLAINTEXT',
  'inter.broker.listener.name': 'BROKER',
}

test('a listener has its own max.connections', async () => {
  const cluster = await RunningCluster.start(1, { ...TWO_LISTENERS, 'listener.name.client.max.connections': '3' })
  const port = cluster.brokers[0]!.portOf('CLIENT')
  const results: boolean[] = []
  for (let i = 0; i < 6; i++) results.push(await answersOf(cluster, port))
  expect(results).toEqual([true, true, true, false, false, false])
  expect(await answersOf(cluster, cluster.brokers[0]!.portOf('BROKER'))).toBe(true)
  await cluster.close()
})

test('clients that wait for records make room for a broker, too', async () => {
  const cluster = await RunningCluster.start(1, {
    ...TWO_LISTENERS,
    listeners: 'PLAINTEXT://127.0.0.1:0,BROKER://127.0.0.1:0',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,BROKER:PLAINTEXT',
    'max.connections': '8',
  })
  await cluster.createTopic('quiet')
  const port = cluster.brokers[0]!.portOf('PLAINTEXT')
  let asking = 0
  for (let i = 0; i < 12; i++) {
    const client = await cluster.raw(port)
    client.writeFrame(ApiKey.apiVersions, 0, 1)
    if ((await client.next()) === undefined) continue
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]
    client.send(ApiKey.fetch, 11, 1, { maxWaitMs: 20_000, minBytes: 1, topics: [{ topic: 'quiet', partitions }], sessionEpoch: -1 })
    asking++
  }
  const waiting = (): number | undefined => cluster.metrics.samples().find(({ name }) => name.endsWith('delayedOperation=Fetch'))?.value
  await cluster.until(() => waiting() === asking)
  expect(asking).toBeLessThanOrEqual(8)
  for (let i = 0; i < 4; i++) expect(await answersOf(cluster, cluster.brokers[0]!.portOf('BROKER'))).toBe(true)
  await cluster.close()
})

test.each([
  104_857_600, 80_000_000, 10_000_000, 2_300_000, 1_200_000, 1_048_576, 300_000, 21_000, 1024,
])('queued.max.request.bytes at its least, %d, takes the largest request', (bytes) => {
  parseBrokerConfig({ 'zookeeper.connect': 'z', 'socket.request.max.bytes': String(bytes), 'queued.max.request.bytes': String(bytes) })
  const frames: number[] = []
  const refused: string[] = []
  const reader = new FrameReader({
    maxFrameBytes: bytes, pool: new SlabPool(receiveBudgetBytes(bytes, bytes)), mayBorrow: () => true,
    onFrame: (frame) => frames.push(frame.length), onBad: (reason) => refused.push(reason),
  })
  const size = Buffer.alloc(4)
  size.writeInt32BE(bytes - 10)
  reader.onData(size)
  const chunk = Buffer.alloc(256 * 1024)
  for (let left = bytes - 10; left > 0; left -= chunk.length) reader.onData(chunk.subarray(0, Math.min(left, chunk.length)))
  expect({ refused, frames }).toEqual({ refused: [], frames: [bytes - 10] })
})
