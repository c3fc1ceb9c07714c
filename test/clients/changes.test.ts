/**
 * The same clients while leaders and controllers change: the leader of all is killed, the controller is moved, then killed, then
 * brokers are stopped in good order. Nothing is lost, repeated or reordered.
 */
import { Admin, startCluster } from '../../index'
import { debianClients, npmClients } from './support/clients'
import { sha1, valueOf } from './support/job'
import { readAll, storedCodecs } from './support/stored'
import type { Client, Production } from './support/clients'
import type { CodecName, RecordShape } from './support/job'
import type { TestCluster } from '../../index'

const EVERYTHING = process.env['PREKRAFT_ALL_CLIENTS'] === '1'
const SHAPE: RecordShape = { size: 200, key: false, headers: false }
const MIN_PROGRESS = 60

interface Run {
  client: Client
  topic: string
  codec: CodecName
  production: Production
}

let cluster: TestCluster

beforeAll(async () => {
  cluster = await startCluster({ brokers: 3, overrides: { 'zookeeper.session.timeout.ms': '6000' } })
}, 60_000)

afterAll(() => cluster.close(), 60_000)

async function start(clients: readonly Client[], pick: (client: Client) => readonly CodecName[]): Promise<Run[]> {
  const wanted = clients.flatMap((client) => pick(client).map((codec) => ({ client, codec, topic: `change-${client.name.replace(/\W/g, '-')}-${codec}` })))
  const admin = new Admin({ 'bootstrap.servers': cluster.bootstrapServers })
  // Broker 0 leads them all.
  await admin.createTopics(wanted.map(({ topic }) => ({ name: topic, assignments: [[0, 1, 2]], configs: { 'min.insync.replicas': '2' } })))
  await admin.close()
  await cluster.waitUntilHealthy()
  return wanted.map((each) => ({
    ...each,
    production: each.client.produce({ bootstrap: cluster.bootstrapServers, topic: each.topic, codec: each.codec, stream: SHAPE }),
  }))
}

/** Every client gets on. kcat does not say. */
async function progress(runs: readonly Run[], why: string): Promise<void> {
  const told = runs.filter(({ client }) => client.name !== 'kcat')
  const before = told.map(({ production }) => production.acknowledged.size)
  const left = (): string[] => told.filter(({ production }, i) => production.acknowledged.size < before[i]! + MIN_PROGRESS).map(({ topic }) => topic)
  try {
    await cluster.until(why, 60_000, async () => left().length === 0)
  } catch {
    throw new Error(`${why}: no progress of ${left().join(', ')}`)
  }
}

async function check({ client, topic, codec, production }: Run, sent: number): Promise<void> {
  expect(production.acknowledged.size).toBe(sent)
  const numbers = new Map(Array.from({ length: sent }, (_, i) => [sha1(valueOf(i, SHAPE.size)), i]))
  let found = (await readAll(cluster, topic)).map((record) => numbers.get(record.sha1))
  // Without idempotence a record whose answer was lost is there again; at once, for only one request is under way.
  if (!client.idempotent) found = found.filter((n, i) => found.indexOf(n) === i)
  expect({ topic, found: differences(found, sent) }).toEqual({ topic, found: [] })
  expect(storedCodecs(cluster, 0, topic)).toContain(codec)
}

function differences(found: readonly (number | undefined)[], sent: number): string[] {
  const wrong: string[] = []
  for (const [i, n] of found.entries()) if (n !== i && wrong.length < 5) wrong.push(`${n} at ${i}`)
  if (found.length !== sent) wrong.push(`${found.length} records of ${sent}`)
  return wrong
}

test('leaders and controllers change under producers', async () => {
  const there = [...npmClients, ...debianClients].filter((client) => client.isThere() && (EVERYTHING || npmClients.includes(client)))
  const runs = await start(there, ({ codecs }) => (EVERYTHING ? codecs : ['gzip']))
  try {
    await progress(runs, 'before anything happens')
    await cluster.kill(0)
    await progress(runs, 'after the leader was killed')
    await cluster.start(0)
    await cluster.moveController()
    await progress(runs, 'after the controller moved')
    const controller = await controllerOf()
    await cluster.kill(controller)
    await progress(runs, 'after the controller was killed')
    await cluster.start(controller)
    await cluster.waitUntilHealthy()
    for (const broker of EVERYTHING ? cluster.brokerIds : [1]) {
      await cluster.stop(broker)
      await progress(runs, `while broker ${broker} is stopped`)
      await cluster.start(broker)
      await cluster.waitUntilHealthy()
    }
    const sent = await Promise.all(runs.map(({ production }) => production.stop()))
    for (const [i, run] of runs.entries()) await check(run, sent[i]!)
  } finally {
    for (const { production } of runs) production.kill()
  }
}, 300_000)

async function controllerOf(): Promise<number> {
  let controller = -1
  await cluster.until('there is a controller', 20_000, async () => (controller = await cluster.controllerId()) >= 0)
  return controller
}
