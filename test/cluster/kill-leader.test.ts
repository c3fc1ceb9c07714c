import { startCluster, Admin, Consumer, Producer } from '../../index'
import type { TestCluster } from '../../index'

let cluster: TestCluster
let admin: Admin

beforeAll(async () => {
  cluster = await startCluster({ brokers: 3 })
  admin = new Admin({ 'bootstrap.servers': cluster.bootstrapServers })
}, 60_000)

afterAll(async () => {
  await admin.close()
  await cluster.close()
}, 60_000)

/** Writes numbered records until told to stop; gives those that were acknowledged. */
function writer(topic: string): { stop(): Promise<number[]>; acknowledged: number[] } {
  const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers, 'linger.ms': 2 })
  const acknowledged: number[] = []
  let going = true
  let next = 0
  const run = (async () => {
    while (going) {
      const batch = Array.from({ length: 20 }, () => next++)
      await Promise.all(batch.map((value) => producer.send({ topic, key: String(value % 7), value: String(value) }).then(() => void acknowledged.push(value))))
    }
    await producer.close()
  })()
  return {
    acknowledged,
    async stop() {
      going = false
      await run
      return acknowledged
    },
  }
}

async function readAll(topic: string): Promise<Map<number, number[]>> {
  const consumer = new Consumer({ 'bootstrap.servers': cluster.bootstrapServers, 'auto.offset.reset': 'earliest' })
  const { partitions } = await consumer.partitionsFor(topic)
  const assignment = partitions.map(({ partition }) => ({ topic, partition }))
  consumer.assign(assignment)
  const ends = await consumer.endOffsets(assignment)
  const values = new Map<number, number[]>(assignment.map(({ partition }) => [partition, []]))
  for (const each of assignment) {
    while ((await consumer.position(each)) < ends.get(`${topic}-${each.partition}`)!) {
      for (const record of await consumer.poll(1000)) values.get(record.partition)!.push(Number(record.value!.toString()))
    }
  }
  await consumer.close()
  return values
}

test.each([
  ['the leader', async (topic: string) => cluster.leaderOf(topic, 0)],
  ['the controller', async () => cluster.controllerId()],
  ['a follower', async (topic: string) => (await cluster.leaderOf(topic, 0) + 1) % 3],
])('nothing acknowledged is lost or repeated when %s is killed and comes back', async (_, victimOf) => {
  const topic = `kill-${Math.floor(performance.now())}`
  await admin.createTopics([{ name: topic, partitions: 4, replicationFactor: 3, configs: { 'min.insync.replicas': '2' } }])
  await cluster.waitUntilHealthy()
  const load = writer(topic)
  await cluster.until('some records are acknowledged', 20_000, async () => load.acknowledged.length > 500)
  const victim = await victimOf(topic)
  await cluster.kill(victim)
  const before = load.acknowledged.length
  await cluster.until('records are acknowledged without the victim', 40_000, async () => load.acknowledged.length > before + 500)
  await cluster.start(victim)
  await cluster.waitUntilHealthy()
  const acknowledged = await load.stop()
  const values = [...(await readAll(topic)).values()]
  const all = values.flat()
  expect(new Set(all).size).toBe(all.length)
  const found = new Set(all)
  expect(acknowledged.filter((value) => !found.has(value))).toEqual([])
}, 120_000)
