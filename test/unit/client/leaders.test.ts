import { Consumer } from '../../../client/consumer'
import { Producer } from '../../../client/producer'
import { ErrorCode } from '../../../protocol/errors'
import { ApiKey } from '../../../protocol/messages/apis'
import { BatchBuilder } from '../../../protocol/records/records'
import { TOPIC_ID, scripted } from './support/scripted-broker'
import { ScriptedGroup } from './support/scripted-group'
import { ScriptedLog } from './support/scripted-log'
import type { Loose } from './support/scripted-broker'

const DEAD_PORT = 9999

/** Topic t with two partitions; `leaders` says who leads each, and may be changed. */
async function cluster(leaders: number[]) {
  const all = await scripted()
  const { broker } = all
  broker.on(ApiKey.metadata, (body: Loose) => ({
    brokers: [{ nodeId: 0, host: '127.0.0.1', port: broker.port }, { nodeId: 1, host: '127.0.0.1', port: DEAD_PORT }],
    clusterId: 'c',
    controllerId: 0,
    topics: (body.topics ?? [{ name: 't' }]).map(({ name }: Loose) => ({
      name,
      topicId: TOPIC_ID,
      partitions: leaders.map((leaderId, partitionIndex) => ({
        partitionIndex,
        leaderId,
        errorCode: leaderId < 0 ? ErrorCode.LEADER_NOT_AVAILABLE : 0,
        leaderEpoch: 0,
        replicaNodes: [0, 1],
        isrNodes: [0, 1],
      })),
    })),
  }))
  return all
}

/** Every fetch of a partition that broker 0 leads gets one record more. */
function endless({ broker }: Awaited<ReturnType<typeof cluster>>, leaders: readonly number[]): void {
  broker.on(ApiKey.fetch, (body: Loose) => {
    const answers = (body.topics[0]?.partitions ?? []).map(({ partition, fetchOffset }: Loose) => {
      const common = { partitionIndex: partition, highWatermark: 1e6, lastStableOffset: 1e6 }
      if (leaders[partition] !== 0) return { ...common, errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER, records: Buffer.alloc(0) }
      const batch = new BatchBuilder({ baseOffset: fetchOffset, leaderEpoch: 0 }).append(null, Buffer.from('v'), [], 0)
      return { ...common, records: batch.build() }
    })
    return broker.later(10, { responses: [{ topicId: TOPIC_ID, partitions: answers }] })
  })
}

/** How many records it reads in that time. */
async function read({ world }: Awaited<ReturnType<typeof cluster>>, consumer: Consumer, forMs: number): Promise<number> {
  let count = 0
  for (const endMs = world.nowMs + forMs; world.nowMs < endMs;) count += (await world.settle(consumer.poll(1000), 60_000, 'poll')).length
  return count
}

test('a producer writes to the other partitions of a topic while one has no leader, and asks for metadata now and then', async () => {
  const { world, broker, env, bootstrap } = await cluster([-1, 0])
  broker.on(ApiKey.produce, (body: Loose) => ({
    responses: body.topicData.map(({ name, partitionData }: Loose) => ({
      name,
      partitionResponses: partitionData.map(({ index }: Loose) => ({ index, baseOffset: 0, logAppendTimeMs: -1, logStartOffset: 0 })),
    })),
  }))
  const producer = new Producer({ 'bootstrap.servers': bootstrap, 'request.timeout.ms': 1000, 'delivery.timeout.ms': 10_000 }, env)
  let written = 0
  producer.send({ topic: 't', partition: 0, value: 'x' }).catch(() => {})
  for (let i = 0; i < 100; i++) {
    void producer.send({ topic: 't', partition: 1, value: 'x' }).then(() => written++)
    await world.run(10)
  }
  await world.run(100)
  expect(written).toBe(100)
  expect(broker.of(ApiKey.metadata).length).toBeLessThan(20)
})

test('retries are not used up by a leader that cannot be connected to', async () => {
  const leaders = [1]
  const { world, broker, env, bootstrap } = await cluster(leaders)
  const log = new ScriptedLog(broker)
  // As kafka-console-producer.sh.
  const producer = new Producer({ 'bootstrap.servers': bootstrap, 'request.timeout.ms': 1500, retries: 3 }, env)
  const sent = producer.send({ topic: 't', value: 'x' })
  sent.catch(() => {})
  await world.run(10_000)
  leaders[0] = 0
  await world.settle(sent, 3000, 'it is written')
  expect(log.values).toEqual(['x'])
})

test('a producer without acknowledgements asks for the leader when its broker hangs up', async () => {
  const leaders = [0]
  const { world, broker, env, bootstrap } = await cluster(leaders)
  broker.on(ApiKey.produce, () => {
    leaders[0] = 1
    return 'hang up'
  })
  const producer = new Producer({ 'bootstrap.servers': bootstrap, acks: 0, 'request.timeout.ms': 1000 }, env)
  for (let i = 0; i < 50; i++) {
    void producer.send({ topic: 't', partition: 0, value: 'x' }).catch(() => {})
    await world.run(100)
  }
  expect(broker.of(ApiKey.produce).length).toBeLessThan(5)
})

test('a producer asks for metadata now and then while its partition is not among those of the topic', async () => {
  const leaders = [0, 0]
  const { world, broker, env, bootstrap } = await cluster(leaders)
  const log = new ScriptedLog(broker)
  const producer = new Producer({ 'bootstrap.servers': bootstrap, 'request.timeout.ms': 1000 }, env)
  await world.settle(producer.send({ topic: 't', partition: 1, value: 'x' }), 3000, 'it is written')
  leaders.pop()
  log.then(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  producer.send({ topic: 't', partition: 1, value: 'y' }).catch(() => {})
  await world.run(500)
  const before = broker.of(ApiKey.metadata).length
  await world.run(1000)
  expect(broker.of(ApiKey.metadata).length - before).toBeLessThan(15)
})

test.each([['a list', ['t']], ['a pattern', /^t$/]])('a consumer of %s follows its partition to another leader', async (_kind, topics) => {
  const leaders = [1]
  const all = await cluster(leaders)
  const { broker, env, bootstrap } = all
  new ScriptedGroup(broker)
  broker.topics.set('t', 1)
  endless(all, leaders)
  const consumer = new Consumer(
    { 'bootstrap.servers': bootstrap, 'group.id': 'g', 'auto.offset.reset': 'earliest', 'enable.auto.commit': false },
    env,
  )
  consumer.subscribe(topics)
  await read(all, consumer, 5000)
  leaders[0] = 0
  expect(await read(all, consumer, 30_000)).toBeGreaterThan(1000)
})

test.each([
  ['from the beginning', -1],
  ['later', 0],
])('a consumer reads the other partitions of a topic while one has no leader: %s', async (_when, before) => {
  const leaders = [before, 0]
  const all = await cluster(leaders)
  endless(all, leaders)
  const consumer = new Consumer({ 'bootstrap.servers': all.bootstrap, 'auto.offset.reset': 'earliest' }, all.env)
  consumer.assign([{ topic: 't', partition: 0 }, { topic: 't', partition: 1 }])
  await read(all, consumer, 1000)
  leaders[0] = -1
  await read(all, consumer, 6000)
  expect(await read(all, consumer, 5000)).toBeGreaterThan(100)
})

test('metadata.max.age.ms may be 0', async () => {
  const { world, broker, env, bootstrap } = await cluster([0])
  const log = new ScriptedLog(broker)
  const producer = new Producer({ 'bootstrap.servers': bootstrap, 'metadata.max.age.ms': 0 }, env)
  await world.settle(producer.send({ topic: 't', value: 'x' }), 3000, 'it is written')
  log.then(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  await world.settle(producer.send({ topic: 't', value: 'y' }), 3000, 'it is written')
  expect(log.values).toEqual(['x', 'y'])
})
