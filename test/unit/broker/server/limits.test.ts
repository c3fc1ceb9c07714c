import { ApiKey } from '../../../../protocol/messages/apis'
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
