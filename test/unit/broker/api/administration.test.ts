/** Administration by the protocol: topics, configuration, log directories, producers, the controller's own requests. */
import { ErrorCode } from '../../../../protocol/errors'
import { ApiKey } from '../../../../protocol/messages/apis'
import { RunningCluster, batch, produce } from '../support/running-broker'
import type { AlterConfigsResponse } from '../../../../protocol/messages/alter-configs'
import type { CreatePartitionsResponse } from '../../../../protocol/messages/create-partitions'
import type { CreateTopicsResponse } from '../../../../protocol/messages/create-topics'
import type { DeleteTopicsResponse } from '../../../../protocol/messages/delete-topics'
import type { DescribeClusterResponse } from '../../../../protocol/messages/describe-cluster'
import type { DescribeConfigsResponse } from '../../../../protocol/messages/describe-configs'
import type { DescribeLogDirsResponse } from '../../../../protocol/messages/describe-log-dirs'
import type { DescribeProducersResponse } from '../../../../protocol/messages/describe-producers'
import type { ElectLeadersResponse } from '../../../../protocol/messages/elect-leaders'
import type { IncrementalAlterConfigsResponse } from '../../../../protocol/messages/incremental-alter-configs'
import type { KafkaConnection } from '../../../../network/kafka-connection'

let cluster: RunningCluster
let connection: KafkaConnection

beforeAll(async () => {
  cluster = await RunningCluster.start(1, { 'log.retention.hours': '100' })
  connection = await cluster.connect()
})

afterAll(() => cluster.close())

function send<Response>(apiKey: number, body: object, version?: number): Promise<Response> {
  return connection.send<object, Response & object>(apiKey, body, version === undefined ? {} : { version })
}

test('CreateTopics answers when leaders are known, and refuses with reasons', async () => {
  const create = async (topic: object, request: object = {}, version?: number): Promise<CreateTopicsResponse['topics'][number]> =>
    (await send<CreateTopicsResponse>(ApiKey.createTopics, { topics: [topic], timeoutMs: 5000, ...request }, version)).topics[0]!
  const created = await create({
    name: 'made',
    numPartitions: 2,
    replicationFactor: 1,
    configs: [{ name: 'retention.ms', value: '7000' }],
  })
  expect(created).toMatchObject({ errorCode: 0, numPartitions: 2, replicationFactor: 1 })
  expect(created.configs!.find(({ name }) => name === 'retention.ms')).toMatchObject({ value: '7000', configSource: 1 })
  expect(created.configs).toHaveLength(36)
  expect(cluster.brokers[0]!.metadata.topic('made')!.partitions.size).toBe(2)
  expect(await create({ name: 'made', numPartitions: 1, replicationFactor: 1 })).toMatchObject({
    errorCode: ErrorCode.TOPIC_ALREADY_EXISTS,
  })
  expect(await create({ name: 'a/b', numPartitions: 1, replicationFactor: 1 })).toMatchObject({
    errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION,
  })
  expect(await create({ name: 'wide', numPartitions: 1, replicationFactor: 2 })).toMatchObject({
    errorCode: ErrorCode.INVALID_REPLICATION_FACTOR,
  })
  expect(
    await create({ name: 'odd', numPartitions: 1, replicationFactor: 1, configs: [{ name: 'no.such', value: '1' }] }),
  ).toMatchObject({
    errorCode: ErrorCode.INVALID_CONFIG,
    errorMessage: 'Unknown topic config name: no.such',
  })
  expect(await create({ name: 'only-tried', numPartitions: 1, replicationFactor: 1 }, { validateOnly: true })).toMatchObject({
    errorCode: 0,
  })
  expect(cluster.brokers[0]!.metadata.topic('only-tried')).toBeUndefined()
  // Created all the same.
  expect(await create({ name: 'hurried', numPartitions: 1, replicationFactor: 1 }, { timeoutMs: 0 })).toMatchObject({
    errorCode: ErrorCode.REQUEST_TIMED_OUT,
  })
  await cluster.until(() => cluster.brokers[0]!.metadata.topic('hurried') !== undefined)
})

test('CreatePartitions and DeleteTopics', async () => {
  await cluster.createTopic('grows')
  const grow = async (count: number): Promise<CreatePartitionsResponse['results'][number]> =>
    (
      await send<CreatePartitionsResponse>(ApiKey.createPartitions, {
        topics: [{ name: 'grows', count, assignments: null }],
        timeoutMs: 5000,
      })
    ).results[0]!
  expect(await grow(3)).toMatchObject({ errorCode: 0 })
  expect(cluster.brokers[0]!.metadata.topic('grows')!.partitions.size).toBe(3)
  expect(await grow(3)).toMatchObject({ errorCode: ErrorCode.INVALID_PARTITIONS })
  const remove = async (topic: object): Promise<DeleteTopicsResponse['responses'][number]> =>
    (await send<DeleteTopicsResponse>(ApiKey.deleteTopics, { topics: [topic], timeoutMs: 5000 })).responses[0]!
  const topicId = cluster.brokers[0]!.metadata.topicId('grows')!
  expect(await remove({ name: 'grows', topicId })).toMatchObject({ errorCode: ErrorCode.INVALID_REQUEST })
  expect(await remove({ topicId })).toMatchObject({ errorCode: 0, name: 'grows' })
  expect(cluster.brokers[0]!.metadata.topic('grows')).toBeUndefined()
  expect(await remove({ name: 'grows' })).toMatchObject({ errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION })
  expect(await remove({ topicId })).toMatchObject({ errorCode: ErrorCode.UNKNOWN_TOPIC_ID })
})

describe('configuration', () => {
  const describeTopic = async (name: string): Promise<DescribeConfigsResponse['results'][number]> =>
    (
      await send<DescribeConfigsResponse>(ApiKey.describeConfigs, {
        resources: [{ resourceType: 2, resourceName: name, configurationKeys: null }],
        includeSynonyms: true,
      })
    ).results[0]!
  const alter = async (configs: object[], more: object = {}): Promise<IncrementalAlterConfigsResponse['responses'][number]> =>
    (
      await send<IncrementalAlterConfigsResponse>(ApiKey.incrementalAlterConfigs, {
        resources: [{ resourceType: 2, resourceName: 'configured', configs }],
        ...more,
      })
    ).responses[0]!
  const valueOf = async (key: string): Promise<string | null | undefined> =>
    (await describeTopic('configured')).configs.find(({ name }) => name === key)?.value

  beforeAll(() => cluster.createTopic('configured'))

  test('a change is there when it is answered, and obeyed', async () => {
    expect(await alter([{ name: 'max.message.bytes', configOperation: 0, value: '300' }])).toMatchObject({ errorCode: 0 })
    expect(await valueOf('max.message.bytes')).toBe('300')
    expect((await produce(connection, 'configured', batch(['x'.repeat(1000)]))).errorCode).toBe(ErrorCode.MESSAGE_TOO_LARGE)
    expect(await alter([{ name: 'max.message.bytes', configOperation: 1, value: null }])).toMatchObject({ errorCode: 0 })
    expect(await valueOf('max.message.bytes')).toBe('1048588')
    expect((await produce(connection, 'configured', batch(['x'.repeat(1000)]))).errorCode).toBe(0)
  })

  test('lists can be added to and taken from; AlterConfigs replaces all', async () => {
    await alter([{ name: 'cleanup.policy', configOperation: 2, value: 'compact,delete' }])
    expect(await valueOf('cleanup.policy')).toBe('delete,compact')
    await alter([{ name: 'cleanup.policy', configOperation: 3, value: 'delete' }])
    expect(await valueOf('cleanup.policy')).toBe('compact')
    const { responses } = await send<AlterConfigsResponse>(ApiKey.alterConfigs, {
      resources: [{ resourceType: 2, resourceName: 'configured', configs: [{ name: 'segment.bytes', value: '10000' }] }],
    })
    expect(responses[0]).toMatchObject({ errorCode: 0 })
    const own = (await describeTopic('configured')).configs.filter(({ configSource }) => configSource === 1)
    expect(own.map(({ name, value }) => [name, value])).toEqual([['segment.bytes', '10000']])
  })

  test('where values come from', async () => {
    const { configs } = await describeTopic('configured')
    const entry = (key: string): object => configs.find(({ name }) => name === key)!
    // log.retention.hours is set, but leading synonyms of another name are dropped, as in Kafka.
    expect(entry('retention.ms')).toMatchObject({
      value: '360000000',
      configSource: 5,
      synonyms: [],
      configType: 5,
      readOnly: false,
    })
    expect(entry('min.insync.replicas')).toMatchObject({
      configSource: 5,
      synonyms: [{ name: 'min.insync.replicas', value: '1', source: 5 }],
    })
    expect(entry('flush.ms')).toMatchObject({ value: '9223372036854775807', synonyms: [] })
    const broker = await send<DescribeConfigsResponse>(ApiKey.describeConfigs, {
      resources: [
        { resourceType: 4, resourceName: '0', configurationKeys: ['log.retention.hours', 'ssl.key.password', 'num.partitions'] },
      ],
      includeSynonyms: true,
    })
    expect(broker.results[0]!.configs).toMatchObject([
      {
        name: 'log.retention.hours',
        value: '100',
        configSource: 4,
        synonyms: [
          { name: 'log.retention.hours', value: '100', source: 4 },
          { name: 'log.retention.hours', value: '168', source: 5 },
        ],
      },
      { name: 'num.partitions', value: '1', configSource: 5 },
      { name: 'ssl.key.password', value: null, isSensitive: true },
    ])
  })

  test('what is wrong is said in Kafka’s words', async () => {
    expect(await alter([{ name: 'no.such', configOperation: 0, value: '1' }])).toMatchObject({
      errorCode: ErrorCode.INVALID_CONFIG,
      errorMessage: 'Unknown topic config name: no.such',
    })
    expect(await alter([{ name: 'segment.bytes', configOperation: 0, value: '1' }])).toMatchObject({
      errorCode: ErrorCode.INVALID_CONFIG,
      errorMessage:
        "Invalid config value for resource ConfigResource(type=TOPIC, name='configured'): " +
        'Invalid value 1 for configuration segment.bytes: Value must be at least 14',
    })
    expect(await alter([{ name: 'retention.ms', configOperation: 2, value: '1' }])).toMatchObject({
      errorCode: ErrorCode.INVALID_CONFIG,
    })
    expect(await alter([{ name: 'retention.ms', configOperation: 0, value: null }])).toMatchObject({
      errorCode: ErrorCode.INVALID_REQUEST,
    })
    expect(await alter([{ name: 'retention.ms', configOperation: 9, value: '1' }])).toMatchObject({
      errorCode: ErrorCode.INVALID_REQUEST,
    })
    const twice = [
      { name: 'retention.ms', configOperation: 0, value: '1' },
      { name: 'retention.ms', configOperation: 0, value: '2' },
    ]
    expect(await alter(twice)).toMatchObject({
      errorCode: ErrorCode.INVALID_REQUEST,
      errorMessage: 'Error due to duplicate config keys',
    })
    expect(await alter([{ name: 'retention.ms', configOperation: 0, value: '1000' }], { validateOnly: true })).toMatchObject({
      errorCode: 0,
    })
    expect(await valueOf('retention.ms')).toBe('360000000')
    const brokerKey = {
      resourceType: 4,
      resourceName: '0',
      configs: [{ name: 'num.partitions', configOperation: 0, value: '2' }],
    }
    const elsewhere = { resourceType: 4, resourceName: '9', configs: [] }
    const missing = { resourceType: 2, resourceName: 'missing', configs: [] }
    const { responses } = await send<IncrementalAlterConfigsResponse>(ApiKey.incrementalAlterConfigs, {
      resources: [brokerKey, elsewhere, missing, missing],
    })
    expect(responses.map(({ errorCode, errorMessage }) => [errorCode, errorMessage])).toEqual([
      [ErrorCode.INVALID_REQUEST, 'Cannot update these configs dynamically: Set(num.partitions)'],
      [ErrorCode.INVALID_REQUEST, 'Unexpected broker id, expected 0, but received 9'],
      [ErrorCode.INVALID_REQUEST, 'Each resource must appear at most once.'],
      [ErrorCode.INVALID_REQUEST, 'Each resource must appear at most once.'],
    ])
    expect(await describeTopic('missing')).toMatchObject({ errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION })
    expect(await describeTopic('a b')).toMatchObject({ errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION })
  })
})

test('log directories, producers, the cluster, elections', async () => {
  await cluster.createTopic('looked-at')
  await produce(connection, 'looked-at', batch(['x'], { producerId: 4711, producerEpoch: 2, baseSequence: 0 }))
  const { results } = await send<DescribeLogDirsResponse>(ApiKey.describeLogDirs, {
    topics: [{ topic: 'looked-at', partitions: [0] }],
  })
  expect(results).toMatchObject([
    { errorCode: 0, topics: [{ name: 'looked-at', partitions: [{ partitionIndex: 0, offsetLag: 0, isFutureKey: false }] }] },
  ])
  expect(results[0]!.totalBytes).toBeGreaterThan(0)
  const producers = await send<DescribeProducersResponse>(ApiKey.describeProducers, {
    topics: [
      { name: 'looked-at', partitionIndexes: [0, 5] },
      { name: 'missing', partitionIndexes: [0] },
    ],
  })
  expect(producers.topics).toMatchObject([
    {
      partitions: [
        { errorCode: 0, activeProducers: [{ producerId: 4711, producerEpoch: 2, lastSequence: 0 }] },
        { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
      ],
    },
    { partitions: [{ errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }] },
  ])
  const described = await send<DescribeClusterResponse>(ApiKey.describeCluster, { includeClusterAuthorizedOperations: true })
  expect(described).toMatchObject({
    controllerId: 0,
    brokers: [{ brokerId: 0, port: cluster.port }],
    clusterAuthorizedOperations: 8096,
  })
  expect(await send<DescribeClusterResponse>(ApiKey.describeCluster, { endpointType: 2 })).toMatchObject({
    errorCode: ErrorCode.MISMATCHED_ENDPOINT_TYPE,
  })
  const elect = (topicPartitions: object[] | null): Promise<ElectLeadersResponse> =>
    send<ElectLeadersResponse>(ApiKey.electLeaders, { electionType: 0, topicPartitions, timeoutMs: 1000 })
  const some = await elect([{ topic: 'looked-at', partitions: [0, 9] }])
  expect(some.replicaElectionResults[0]!.partitionResult.map(({ errorCode }) => errorCode).sort((a, b) => a - b)).toEqual([
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    ErrorCode.ELECTION_NOT_NEEDED,
  ])
  expect((await elect(null)).replicaElectionResults).toEqual([])
})

test('a forged control request changes nothing', async () => {
  await cluster.createTopic('unforged')
  const before = cluster.brokers[0]!.metadata.partition('unforged', 0)
  for (const brokerEpoch of [-1, 1, 2 ** 40]) {
    const forged = { controllerId: 0, controllerEpoch: 2 ** 31 - 1, brokerEpoch, type: 0 }
    const answer = await send<{ errorCode: number }>(ApiKey.updateMetadata, { ...forged, topicStates: [], liveBrokers: [] })
    expect(answer.errorCode).not.toBe(0)
    expect((await send<{ errorCode: number }>(ApiKey.leaderAndIsr, forged)).errorCode).not.toBe(0)
    expect(
      (await send<{ errorCode: number }>(ApiKey.stopReplica, { controllerId: 0, controllerEpoch: 2 ** 31 - 1, brokerEpoch }))
        .errorCode,
    ).not.toBe(0)
  }
  expect(cluster.brokers[0]!.metadata.partition('unforged', 0)).toEqual(before)
  expect((await produce(connection, 'unforged', batch(['still']))).errorCode).toBe(0)
  await cluster.createTopic('after-the-forgery')
})
