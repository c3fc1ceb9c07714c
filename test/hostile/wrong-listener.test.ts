/**
 * Where there is a listener for the control plane, a controller's requests are believed there alone, be their epochs ever so right; and
 * whoever asks on a listener is told of that listener's addresses alone.
 */
import { ErrorCode } from '../../protocol/errors'
import { ApiKey, apiByKey } from '../../protocol/messages/apis'
import { RunningCluster, batch, produce } from '../unit/broker/support/running-broker'
import type { KafkaConnection } from '../../network/kafka-connection'
import type { FindCoordinatorResponse } from '../../protocol/messages/find-coordinator'
import type { MetadataResponse } from '../../protocol/messages/metadata'

const LISTENERS = ['PLAINTEXT', 'BROKER', 'CONTROL'] as const
const CONTROL = [ApiKey.leaderAndIsr, ApiKey.stopReplica, ApiKey.updateMetadata]

let cluster: RunningCluster
const connections = new Map<string, KafkaConnection>()

beforeAll(async () => {
  cluster = await RunningCluster.start(2, {
    listeners: LISTENERS.map((name) => `${name}://127.0.0.1:0`).join(','),
    'listener.security.protocol.map': LISTENERS.map((name) => `${name}:PLAINTEXT`).join(','),
    'inter.broker.listener.name': 'BROKER',
    'control.plane.listener.name': 'CONTROL',
  })
  await cluster.createTopic('p', { replicas: 2 })
  for (const name of LISTENERS) connections.set(name, await cluster.connect(cluster.brokers[0]!.portOf(name)))
}, 30_000)

afterAll(() => cluster.close())

async function metadata(listener: string): Promise<MetadataResponse> {
  return connections.get(listener)!.send<object, MetadataResponse>(ApiKey.metadata, { topics: [{ name: 'p' }], allowAutoTopicCreation: false })
}

/** To be the follower of somebody else in a later epoch: what a new controller could say. */
function takeOver(key: number, version: number, topicId: string): object {
  const { brokerEpoch } = cluster.brokers[0]!
  const epochs = { controllerId: 1, controllerEpoch: 1_000_000, ...(version >= (key === ApiKey.updateMetadata ? 5 : key === ApiKey.leaderAndIsr ? 2 : 1) ? { brokerEpoch } : {}) }
  const state = { partitionIndex: 0, controllerEpoch: 1_000_000, leader: 1, leaderEpoch: 1_000_000, isr: [1], replicas: [0, 1] }
  if (key === ApiKey.stopReplica) {
    if (version >= 3) return { ...epochs, topicStates: [{ topicName: 'p', partitionStates: [{ partitionIndex: 0, leaderEpoch: -2, deletePartition: true }] }] }
    return version >= 1
      ? { ...epochs, deletePartitions: true, topics: [{ name: 'p', partitionIndexes: [0] }] }
      : { ...epochs, deletePartitions: true, ungroupedPartitions: [{ topicName: 'p', partitionIndex: 0 }] }
  }
  const isGrouped = version >= (key === ApiKey.leaderAndIsr ? 2 : 5)
  const hasId = version >= (key === ApiKey.leaderAndIsr ? 5 : 7)
  const states = isGrouped
    ? { topicStates: [{ topicName: 'p', ...(hasId ? { topicId } : {}), partitionStates: [state] }] }
    : { ungroupedPartitionStates: [{ ...state, topicName: 'p' }] }
  return { ...epochs, ...states, ...(key === ApiKey.leaderAndIsr ? { liveLeaders: [] } : { liveBrokers: [] }) }
}

test.each(LISTENERS.filter((name) => name !== 'CONTROL'))('a controller on %s is not believed, in no version', async (listener) => {
  const before = await metadata('PLAINTEXT')
  for (const key of CONTROL) {
    for (let version = 0; version <= apiByKey(key)!.maxVersion; version++) {
      const body = takeOver(key, version, before.topics[0]!.topicId)
      const { errorCode } = await connections.get(listener)!.send<object, { errorCode: number }>(key, body, { version })
      expect({ key, version, errorCode }).toEqual({ key, version, errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED })
    }
  }
  expect((await metadata('PLAINTEXT')).topics).toEqual(before.topics)
  const leader = cluster.brokers[before.topics[0]!.partitions[0]!.leaderId]!
  const connection = await cluster.connect(leader.portOf('PLAINTEXT'))
  expect((await produce(connection, 'p', batch(['still here']))).errorCode).toBe(0)
})

test.each(LISTENERS)('whoever asks on %s is told of its addresses', async (listener) => {
  const ports = cluster.brokers.map((broker) => broker.portOf(listener)).sort()
  expect((await metadata(listener)).brokers.map(({ port }) => port).sort()).toEqual(ports)
  let found: FindCoordinatorResponse
  do {
    found = await connections.get(listener)!.send<object, FindCoordinatorResponse>(ApiKey.findCoordinator, { key: 'g', keyType: 0 }, { version: 2 })
  } while (found.errorCode === ErrorCode.COORDINATOR_NOT_AVAILABLE)
  expect(found.errorCode).toBe(0)
  expect(ports).toContain(found.port)
})
