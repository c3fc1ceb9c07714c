/**
 * Clients that we did not write produce with every codec that they can, with and without keys and headers, one byte to ten megabytes;
 * what is stored is what they sent, and has the codec. Those that are Debian packages also consume what each of them produced.
 */
import { Admin, startCluster } from '../../index'
import { debianClients, npmClients } from './support/clients'
import { expectedRecord } from './support/job'
import { readAll, storedCodecs } from './support/stored'
import type { Client } from './support/clients'
import type { CodecName, RecordShape } from './support/job'
import type { TestCluster } from '../../index'

/** The whole matrix, as .ci/run asks for it; else what npm installs, and the large sizes only with two codecs. */
const EVERYTHING = process.env['PREKRAFT_ALL_CLIENTS'] === '1'

let cluster: TestCluster
let admin: Admin

beforeAll(async () => {
  cluster = await startCluster({ brokers: 1 })
  admin = new Admin({ 'bootstrap.servers': cluster.bootstrapServers })
}, 60_000)

afterAll(async () => {
  await admin.close()
  await cluster.close()
}, 60_000)

const there: Client[] = []
for (const client of EVERYTHING ? [...npmClients, ...debianClients] : npmClients) {
  if (client.isThere()) there.push(client)
  else process.stderr.write(`skipped: ${client.name} (it is not installed)\n`)
}
const consumers = there.filter(({ consume }) => consume !== undefined)

function shapesFor(codec: CodecName): RecordShape[] {
  const sizes = [1, 100, 10_000, 300_000, ...(EVERYTHING || codec === 'none' || codec === 'gzip' ? [1_000_000, 10_000_000] : [])]
  return sizes.flatMap((size, i) => [
    { size, key: i % 2 === 0, headers: i % 3 === 0 },
    { size, key: i % 2 === 1, headers: i % 3 !== 0 },
  ])
}

describe.each(there.map((client) => [client.name, client] as const))('%s', (name, client) => {
  test.each(client.codecs)('%s', async (codec) => {
    const topic = `${name.replace(/\W/g, '-')}-${codec}`
    await admin.createTopics([{ name: topic, partitions: 1, replicationFactor: 1, configs: { 'max.message.bytes': '12000000' } }])
    await cluster.waitUntilHealthy()
    const shapes = shapesFor(codec)
    const job = { bootstrap: cluster.bootstrapServers, topic, codec }
    await client.produce({ ...job, records: shapes }).stop()

    const expected = shapes.map((shape, i) => expectedRecord(i, i, shape))
    expect(await readAll(cluster, topic)).toEqual(expected)
    const codecs = storedCodecs(cluster, 0, topic)
    expect(codecs).toContain(codec)
    // A client may leave alone what would only grow.
    expect(codecs.filter((each) => each !== codec && each !== 'none')).toEqual([])
    for (const consumer of consumers) {
      // It would need modules that Debian's package does not ask for.
      if (!consumer.codecs.includes(codec)) continue
      expect({ by: consumer.name, records: await consumer.consume!({ ...job, count: shapes.length }) }).toEqual({ by: consumer.name, records: expected })
    }
  }, 120_000)
})
