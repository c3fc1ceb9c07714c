/** What a small request may cost, and for how long. */
import { AutoTopicCreation } from '../../../../broker/api/auto-topic-creation'
import { MetadataWaits } from '../../../../broker/api/metadata-waits'
import { metadataHandler } from '../../../../broker/api/metadata'
import { produceHandler } from '../../../../broker/api/produce'
import { MetadataCache } from '../../../../broker/metadata/metadata-cache'
import { ErrorCode } from '../../../../protocol/errors'
import { ApiKey } from '../../../../protocol/messages/apis'
import { silentLogger } from '../../../../runtime/log'
import { realEnvironment } from '../../../../runtime/real'
import { TimerWheel } from '../../../../runtime/timer-wheel'
import { RunningCluster, batch } from '../support/running-broker'
import type { ReplicaCore } from '../../../../broker/replica/replica-core'
import type { DescribeConfigsRequest, DescribeConfigsResponse } from '../../../../protocol/messages/describe-configs'
import type { DescribeProducersRequest, DescribeProducersResponse } from '../../../../protocol/messages/describe-producers'
import type { MetadataResponse } from '../../../../protocol/messages/metadata'

describe('of a running broker', () => {
  let cluster: RunningCluster

  beforeAll(async () => {
    cluster = await RunningCluster.start(1)
    await cluster.createTopic('t')
  })

  afterAll(() => cluster.close())

  test('a fetch whose client has gone waits no longer', async () => {
    const { fetches } = (cluster.brokers[0]!.replicas as unknown as { core: ReplicaCore }).core
    const client = await cluster.raw()
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]
    client.send(ApiKey.fetch, 4, 1, { maxWaitMs: 0x7fffffff, minBytes: 1, maxBytes: 1000, topics: [{ topic: 't', partitions }] })
    await cluster.until(() => fetches.size === 1)
    client.close()
    await cluster.until(() => fetches.size === 0)
  })

  test('a fetch whose client has gone leaves no session behind', async () => {
    const { fetchSessions, ...replicas } = cluster.brokers[0]!.replicas
    const { fetches } = (replicas as unknown as { core: ReplicaCore }).core
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]
    const request = { minBytes: 1, maxBytes: 1000, topics: [{ topic: 't', partitions }], sessionId: 0, sessionEpoch: 0 }
    const gone = await cluster.raw()
    gone.send(ApiKey.fetch, 11, 1, { ...request, maxWaitMs: 0x7fffffff })
    await cluster.until(() => fetches.size === 1)
    gone.close()
    await cluster.until(() => fetches.size === 0)
    const client = await cluster.raw()
    client.send(ApiKey.fetch, 11, 1, { ...request, maxWaitMs: 0 })
    expect(await client.next()).toBeDefined()
    expect(fetchSessions.size).toBe(1)
    client.close()
  })

  test('what is named many times is described once', async () => {
    const connection = await cluster.connect()
    const resources = Array.from({ length: 50 }, () => ({ resourceType: 4, resourceName: '0', configurationKeys: null }))
    const { results } = await connection.send<DescribeConfigsRequest, DescribeConfigsResponse>(ApiKey.describeConfigs, { resources })
    expect(results.map(({ errorCode, resourceName }) => [errorCode, resourceName])).toEqual([[0, '0']])
    const topics = [{ name: 't', partitionIndexes: [0, 0, 0] }, { name: 't', partitionIndexes: [0, 1] }]
    const described = await connection.send<DescribeProducersRequest, DescribeProducersResponse>(ApiKey.describeProducers, { topics })
    expect(described.topics.map(({ partitions }) => partitions.map(({ partitionIndex }) => partitionIndex))).toEqual([[0, 1]])
  })
})

test('a missing topic holds up a connection for half a second at most when the controller does not answer', async () => {
  const { clock } = realEnvironment()
  const config = { autoCreateTopicsEnable: true, numPartitions: 1, defaultReplicationFactor: 1, requestTimeoutMs: 30_000 }
  const metadata = new MetadataCache()
  const services = {
    clock, config, metadata, clusterId: 'c',
    controller: { isActive: () => false },
    metadataWaits: new MetadataWaits(metadata, new TimerWheel(clock)),
    autoTopicCreation: new AutoTopicCreation({
      config: config as never, clock, logger: silentLogger, toController: { send: () => new Promise<never>(() => {}) },
    }),
  }
  const answer = await new Promise<MetadataResponse>((respond) => {
    const context = {
      apiVersion: 12, clientId: '', listenerName: 'PLAINTEXT', respond,
      body: { topics: [{ name: 'missing', topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }], allowAutoTopicCreation: true },
    }
    void metadataHandler(services as never)(context as never)
  })
  expect(answer.topics[0]).toMatchObject({ name: 'missing', errorCode: ErrorCode.LEADER_NOT_AVAILABLE })
})

test('a produce that waits for replicas does not keep its records', () => {
  const partition = { index: 0, records: batch(['a']) as Buffer | null }
  const services = {
    quotas: { produce: { isOn: false } }, metadata: { partition: () => ({}) }, topicConfigs: { of: () => ({ compressionType: 'producer' }) },
    replicas: { append: () => undefined },
  }
  let hasGoneOn = false
  const context = {
    apiVersion: 9, clientId: '', isThrottled: false, proceed: () => (hasGoneOn = true),
    body: { acks: -1, timeoutMs: 1000, transactionalId: null, topicData: [{ name: 't', partitionData: [partition] }] },
  }
  void produceHandler(services as never)(context as never)
  expect(hasGoneOn).toBe(true)
  expect(partition.records).toBeNull()
})
