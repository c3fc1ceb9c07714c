/** Requests of a controller that is none: they change nothing, and the real controller is obeyed afterwards. */
import { Admin, startCluster } from '../../index'
import { KafkaConnection } from '../../network/kafka-connection'
import { ApiKey, apiByKey } from '../../protocol/messages/apis'
import { realEnvironment } from '../../runtime/real'
import { brokerIdPath } from '../../zk-schema/brokers'
import { RawClient, batch } from '../unit/broker/support/running-broker'
import { answerOrEnd, residentBytes } from './support'
import type { FetchResponse } from '../../protocol/messages/fetch'
import type { MetadataResponse } from '../../protocol/messages/metadata'
import type { ProduceResponse } from '../../protocol/messages/produce'
import type { TestCluster } from '../../index'

const LARGEST = 0x7fffffff
const STALE_BROKER_EPOCH = 77

let cluster: TestCluster
let admin: Admin
let connection: KafkaConnection

beforeAll(async () => {
  cluster = await startCluster({ brokers: 2, overrides: { 'auto.create.topics.enable': 'false' } })
  admin = new Admin({ 'bootstrap.servers': cluster.bootstrapServers })
  await admin.createTopics([{ name: 'victim', assignments: [[0, 1]] }])
  await cluster.waitUntilHealthy()
  connection = new KafkaConnection(realEnvironment(), { host: '127.0.0.1', port: cluster.port(0), clientId: 'forger', requestTimeoutMs: 20_000 })
  await connection.connect()
}, 60_000)

afterAll(async () => {
  connection.close()
  await admin.close()
  await cluster.close()
}, 60_000)

async function view(): Promise<object> {
  const { brokers, topics, controllerId } = await connection.send<object, MetadataResponse>(ApiKey.metadata, { topics: null, allowAutoTopicCreation: false })
  return { controllerId, brokers: brokers.map(({ nodeId, port }) => [nodeId, port]).sort(), topics: topics.map(({ name, partitions }) => ({ name, partitions })) }
}

async function topicId(): Promise<string> {
  const { topics } = await connection.send<object, MetadataResponse>(ApiKey.metadata, { topics: [{ name: 'victim' }], allowAutoTopicCreation: false })
  return topics[0]!.topicId
}

/** One shape fits all versions: what a version does not have is left out. */
function forged(key: number, version: number, id: string, epochs: { controllerEpoch: number; brokerEpoch: number }): object {
  const brokerEpoch = version >= (key === ApiKey.updateMetadata ? 5 : key === ApiKey.leaderAndIsr ? 2 : 1) ? { brokerEpoch: epochs.brokerEpoch } : {}
  const head = { controllerId: 1, controllerEpoch: epochs.controllerEpoch, ...brokerEpoch }
  const state = { partitionIndex: 0, controllerEpoch: LARGEST, leader: 1, leaderEpoch: LARGEST, isr: [1], replicas: [1] }
  if (key === ApiKey.leaderAndIsr) {
    const liveLeaders = [{ brokerId: 1, hostName: '127.0.0.1', port: 1 }]
    const lair = { ...state, partitionEpoch: LARGEST }
    return version >= 2
      ? { ...head, topicStates: [{ topicName: 'victim', ...(version >= 5 ? { topicId: id } : {}), partitionStates: [lair] }], liveLeaders }
      : { ...head, ungroupedPartitionStates: [{ ...lair, topicName: 'victim' }], liveLeaders }
  }
  if (key === ApiKey.stopReplica) {
    if (version >= 3) return { ...head, topicStates: [{ topicName: 'victim', partitionStates: [{ partitionIndex: 0, leaderEpoch: -2, deletePartition: true }] }] }
    if (version >= 1) return { ...head, deletePartitions: true, topics: [{ name: 'victim', partitionIndexes: [0] }] }
    return { ...head, deletePartitions: true, ungroupedPartitions: [{ topicName: 'victim', partitionIndex: 0 }] }
  }
  const metadata = { ...state, zkVersion: LARGEST, isr: [1], replicas: [1] }
  const liveBrokers = [{ id: 666, ...(version === 0 ? { v0Host: 'evil', v0Port: 1 } : { endpoints: [{ port: 1, host: 'evil', securityProtocol: 0, ...(version >= 3 ? { listener: 'PLAINTEXT' } : {}) }] }) }]
  return version >= 5
    ? { ...head, topicStates: [{ topicName: 'victim', ...(version >= 7 ? { topicId: id } : {}), partitionStates: [metadata] }], liveBrokers }
    : { ...head, ungroupedPartitionStates: [{ ...metadata, topicName: 'victim' }], liveBrokers }
}

const CONTROL = [ApiKey.leaderAndIsr, ApiKey.stopReplica, ApiKey.updateMetadata]

async function works(): Promise<void> {
  const { responses } = await connection.send<object, ProduceResponse>(ApiKey.produce, {
    acks: -1, timeoutMs: 10_000, topicData: [{ name: 'victim', partitionData: [{ index: 0, records: batch(['x']) }] }],
  })
  expect(responses[0]!.partitionResponses[0]!.errorCode).toBe(0)
}

test.each(CONTROL.map((key) => [apiByKey(key)!.name, key] as const))('%s of every version, with the largest epochs', async (_, key) => {
  const before = await view()
  const id = await topicId()
  for (let version = 0; version <= apiByKey(key)!.maxVersion; version++) {
    for (const brokerEpoch of [-1, 0, 2 ** 40]) {
      for (const controllerEpoch of [LARGEST, 0, -1]) {
        const answer = await connection.send<object, { errorCode: number }>(key, forged(key, version, id, { controllerEpoch, brokerEpoch }), { version })
        expect({ version, errorCode: answer.errorCode }).toEqual({ version, errorCode: STALE_BROKER_EPOCH })
      }
    }
  }
  expect(await view()).toEqual(before)
  await works()
}, 60_000)

test('the real broker epoch and a forged controller epoch', async () => {
  const brokerEpoch = await cluster.zookeeper(async (session) => (await session.exists(brokerIdPath(0)))!.czxid)
  const before = await view()
  const id = await topicId()
  for (const key of CONTROL) {
    const version = apiByKey(key)!.maxVersion
    const answer = await connection.send<object, { errorCode: number }>(key, forged(key, version, id, { controllerEpoch: LARGEST, brokerEpoch }), { version })
    expect(answer.errorCode).toBe(11)
  }
  expect(await view()).toEqual(before)
  await works()
}, 30_000)

test('requests among brokers, from nobody', async () => {
  const before = await view()
  const controller = await cluster.controllerId()
  const toController = new KafkaConnection(realEnvironment(), { host: '127.0.0.1', port: cluster.port(controller), clientId: 'forger', requestTimeoutMs: 20_000 })
  await toController.connect()
  const id = await topicId()
  for (let version = 0; version <= 3; version++) {
    const proposal = { partitionIndex: 0, leaderEpoch: 0, partitionEpoch: 0, ...(version >= 3 ? { newIsrWithEpochs: [{ brokerId: 0, brokerEpoch: -1 }] } : { newIsr: [0] }) }
    const topics = [{ ...(version >= 2 ? { topicId: id } : { topicName: 'victim' }), partitions: [proposal] }]
    const answer = await toController.send<object, { errorCode: number }>(ApiKey.alterPartition, { brokerId: 0, brokerEpoch: 1, topics }, { version })
    expect({ version, errorCode: answer.errorCode }).toEqual({ version, errorCode: STALE_BROKER_EPOCH })
    const shutdown = await toController.send<object, { errorCode: number }>(ApiKey.controlledShutdown, { brokerId: 1, ...(version >= 2 ? { brokerEpoch: 1 } : {}) }, { version })
    expect({ version, errorCode: shutdown.errorCode }).toEqual({ version, errorCode: STALE_BROKER_EPOCH })
  }
  toController.close()
  // A fetch in the name of a replica that is not assigned, or of one with another epoch, moves nothing.
  for (const replicaId of [1, 7, LARGEST]) {
    const { responses } = await connection.send<object, FetchResponse>(ApiKey.fetch, {
      replicaId, maxWaitMs: 0, minBytes: 0, topics: [{ topic: 'victim', partitions: [{ partition: 0, fetchOffset: 2 ** 40, currentLeaderEpoch: -1, partitionMaxBytes: 1000 }] }],
    }, { version: 4 })
    expect(responses[0]!.partitions[0]!.errorCode).not.toBe(0)
  }
  await cluster.waitUntilHealthy()
  expect(await view()).toMatchObject({ controllerId: (before as { controllerId: number }).controllerId })
  await works()
}, 60_000)

test('the real controller is obeyed: a topic is created, the controller moves, a broker restarts', async () => {
  await admin.createTopics([{ name: 'afterwards', assignments: [[0, 1], [1, 0]] }])
  await cluster.waitUntilHealthy()
  await cluster.moveController()
  await cluster.restart(1)
  await cluster.waitUntilHealthy()
  await works()
}, 60_000)

test('forged requests about a hundred thousand topics cost what is bounded', async () => {
  const before = residentBytes(cluster.pid(0))
  const topicStates = Array.from({ length: 100_000 }, (_, i) => ({
    topicName: `no-such-topic-${i}`, topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitionStates: [{ partitionIndex: 0, controllerEpoch: 1, leader: 1, leaderEpoch: 1, isr: [1], replicas: [1], isNew: true }],
  }))
  for (let i = 0; i < 3; i++) {
    const client = await RawClient.connect(cluster.port(0))
    client.send(ApiKey.leaderAndIsr, 7, i, { controllerId: 1, controllerEpoch: LARGEST, brokerEpoch: 1, topicStates, liveLeaders: [] })
    expect((await answerOrEnd(client, 20_000))!.readInt16BE(5)).toBe(STALE_BROKER_EPOCH)
    client.close()
    await works()
  }
  // A request among brokers may take 256 MB of objects while it is decoded; the collector gives them back when it likes.
  expect(residentBytes(cluster.pid(0)) - before).toBeLessThan(512 * 1024 * 1024)
}, 90_000)
