/** What clients see: records, offsets, metadata and their errors (apis.md, 4). */
import { ErrorCode } from '../../../../protocol/errors'
import { ApiKey } from '../../../../protocol/messages/apis'
import { decodeRecords } from '../../../../protocol/records/records'
import { RunningCluster, batch, bodyOf, fetch, produce } from '../support/running-broker'
import type { DeleteRecordsRequest, DeleteRecordsResponse } from '../../../../protocol/messages/delete-records'
import type { FetchRequest, FetchResponse } from '../../../../protocol/messages/fetch'
import type { FindCoordinatorRequest, FindCoordinatorResponse } from '../../../../protocol/messages/find-coordinator'
import type { InitProducerIdRequest, InitProducerIdResponse } from '../../../../protocol/messages/init-producer-id'
import type { ListOffsetsRequest, ListOffsetsResponse } from '../../../../protocol/messages/list-offsets'
import type { MetadataRequest, MetadataResponse } from '../../../../protocol/messages/metadata'
import type { ProduceResponse } from '../../../../protocol/messages/produce'
import type { KafkaConnection } from '../../../../network/kafka-connection'

let cluster: RunningCluster
let connection: KafkaConnection

beforeAll(async () => {
  cluster = await RunningCluster.start(1)
  connection = await cluster.connect()
})

afterAll(() => cluster.close())

function valuesIn(records: Buffer | null): string[] {
  return records === null || records.length === 0 ? [] : decodeRecords(records).map(({ value }) => value!.toString())
}

async function metadata(request: object, version = 12): Promise<MetadataResponse> {
  return connection.send<MetadataRequest, MetadataResponse>(ApiKey.metadata, request, { version })
}

describe('Produce and Fetch', () => {
  test('what was produced is fetched, with offsets that go on', async () => {
    await cluster.createTopic('records')
    expect(await produce(connection, 'records', batch(['a', 'b']))).toMatchObject({
      errorCode: 0,
      baseOffset: 0,
      logStartOffset: 0,
    })
    expect(await produce(connection, 'records', batch(['c']))).toMatchObject({ errorCode: 0, baseOffset: 2 })
    const answer = await fetch(connection, 'records', 2)
    expect(answer).toMatchObject({ errorCode: 0, highWatermark: 3, lastStableOffset: 3, logStartOffset: 0 })
    expect(valuesIn(answer.records)).toEqual(['c'])
    expect(await fetch(connection, 'records', 4)).toMatchObject({ errorCode: ErrorCode.OFFSET_OUT_OF_RANGE })
    expect(valuesIn((await fetch(connection, 'records', 3)).records)).toEqual([])
  })

  test('what is wrong with a batch is said', async () => {
    await cluster.createTopic('refused', { configs: { 'max.message.bytes': '500' } })
    const code = async (records: Buffer, options = {}): Promise<number> =>
      (await produce(connection, 'refused', records, options)).errorCode
    expect(await code(batch(['x'.repeat(1000)]))).toBe(ErrorCode.MESSAGE_TOO_LARGE)
    expect(await code(Buffer.concat([batch(['a']), batch(['b'])]))).toBe(ErrorCode.INVALID_RECORD)
    expect(await code(Buffer.alloc(0))).toBe(ErrorCode.INVALID_RECORD)
    expect(await code(batch(['a']).subarray(0, 65))).toBe(ErrorCode.INVALID_RECORD)
    const damaged = batch(['abc'])
    damaged[damaged.length - 2]! ^= 1
    expect(await code(damaged)).toBe(ErrorCode.CORRUPT_MESSAGE)
    expect(await code(batch(['a'], { codec: 4 }), { version: 6 })).toBe(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE)
    expect(await code(batch(['a'], { codec: 4 }), { version: 7 })).toBe(ErrorCode.NONE)
    expect(await code(batch(['a']), { acks: 3 })).toBe(ErrorCode.INVALID_REQUIRED_ACKS)
    expect(await code(batch(['a'], { transactional: true, producerId: 1, producerEpoch: 0, baseSequence: 0 }))).toBe(
      ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    )
    expect(await code(batch(['a']), { partition: 7 })).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect((await produce(connection, '__consumer_offsets', batch(['a']))).errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect(valuesIn((await fetch(connection, 'refused', 0)).records)).toEqual(['a'])
  })

  test('where the log begins is said with errors that are about the records, and of unknown magic that it is corrupt', async () => {
    await cluster.createTopic('bad')
    const foreign = batch(['a'])
    foreign[16] = 9
    expect(await produce(connection, 'bad', foreign)).toMatchObject({ errorCode: ErrorCode.CORRUPT_MESSAGE, logStartOffset: -1 })
    const late = batch(['a'], { producerId: 7, producerEpoch: 0, baseSequence: 0 })
    await produce(connection, 'bad', late)
    const gap = batch(['a'], { producerId: 7, producerEpoch: 0, baseSequence: 5 })
    expect(await produce(connection, 'bad', gap)).toMatchObject({ errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, logStartOffset: 0 })
  })

  test.each([4, 12])('an isolation level that there is not, in Fetch %i', async (version) => {
    await cluster.createTopic(`isolated-${version}`)
    const answer = await connection.send<FetchRequest, FetchResponse>(
      ApiKey.fetch,
      {
        replicaId: -1, maxWaitMs: 100, minBytes: 1, isolationLevel: 7, ...(version < 7 ? {} : { sessionId: 0, sessionEpoch: -1 }),
        topics: [{ topic: `isolated-${version}`, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }],
      },
      { version },
    )
    expect(answer.responses[0]!.partitions[0]!.errorCode).toBe(ErrorCode.UNKNOWN_SERVER_ERROR)
  })

  test('acks=0 is not answered; an error ends the connection', async () => {
    await cluster.createTopic('silent')
    const client = await cluster.raw()
    const silent = (topic: string): object => ({
      acks: 0,
      timeoutMs: 1000,
      topicData: [{ name: topic, partitionData: [{ index: 0, records: batch(['quiet']) }] }],
    })
    client.send(ApiKey.produce, 3, 1, silent('silent'))
    client.send(ApiKey.apiVersions, 0, 2, {})
    expect((await client.next())!.readInt32BE(0)).toBe(2)
    client.send(ApiKey.produce, 3, 3, silent('nobody'))
    await client.closed()
    expect(valuesIn((await fetch(connection, 'silent', 0)).records)).toEqual(['quiet'])
  })

  test('an idempotent producer gets ids, and its repeated batch the first offset', async () => {
    await cluster.createTopic('idempotent')
    const ask = (body: object): Promise<InitProducerIdResponse> =>
      connection.send<InitProducerIdRequest, InitProducerIdResponse>(ApiKey.initProducerId, {
        transactionTimeoutMs: 1000,
        ...body,
      })
    const first = await ask({ transactionalId: null })
    const second = await ask({ transactionalId: null })
    expect(first).toMatchObject({ errorCode: 0, producerEpoch: 0 })
    expect(second.producerId).not.toBe(first.producerId)
    expect(await ask({ transactionalId: 'tx' })).toMatchObject({ errorCode: ErrorCode.NOT_COORDINATOR, producerId: -1 })
    expect(await ask({ transactionalId: '' })).toMatchObject({ errorCode: ErrorCode.INVALID_REQUEST })
    expect(await ask({ transactionalId: null, producerId: 5, producerEpoch: -1 })).toMatchObject({
      errorCode: ErrorCode.INVALID_REQUEST,
    })

    const { producerId } = first
    const numbered = (value: string, baseSequence: number): Buffer =>
      batch([value], { producerId, producerEpoch: 0, baseSequence })
    expect(await produce(connection, 'idempotent', numbered('a', 0))).toMatchObject({ errorCode: 0, baseOffset: 0 })
    expect(await produce(connection, 'idempotent', numbered('b', 1))).toMatchObject({ errorCode: 0, baseOffset: 1 })
    expect(await produce(connection, 'idempotent', numbered('a', 0))).toMatchObject({ errorCode: 0, baseOffset: 0 })
    expect(await produce(connection, 'idempotent', numbered('d', 3))).toMatchObject({
      errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
    })
  })

  test('a fetch waits for data, and hears of it', async () => {
    await cluster.createTopic('waits')
    const waiting = fetch(connection, 'waits', 0, { maxWaitMs: 15_000 })
    const other = await cluster.connect()
    await produce(other, 'waits', batch(['at last']))
    expect(valuesIn((await waiting).records)).toEqual(['at last'])
  })

  test('old clients get message sets, new ones are asked to know zstd', async () => {
    await cluster.createTopic('old')
    await produce(connection, 'old', batch(['one', 'two'], { codec: 1 }))
    const magicOf = (records: Buffer): number => records[16]!
    expect(magicOf((await fetch(connection, 'old', 0, { version: 1 })).records!)).toBe(0)
    expect(magicOf((await fetch(connection, 'old', 0, { version: 3 })).records!)).toBe(1)
    expect(magicOf((await fetch(connection, 'old', 0, { version: 4 })).records!)).toBe(2)
    await produce(connection, 'old', batch(['three'], { codec: 4 }))
    // What stands before it is there still.
    expect((await fetch(connection, 'old', 0, { version: 2 })).errorCode).toBe(0)
    expect(await fetch(connection, 'old', 2, { version: 2 })).toMatchObject({
      errorCode: ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
      records: Buffer.alloc(0),
    })
    await cluster.createTopic('no-conversion', { configs: { 'message.downconversion.enable': 'false' } })
    await produce(connection, 'no-conversion', batch(['x']))
    expect(await fetch(connection, 'no-conversion', 0, { version: 3 })).toMatchObject({
      errorCode: ErrorCode.UNSUPPORTED_VERSION,
    })
    await cluster.createTopic('zstd-topic', { configs: { 'compression.type': 'zstd' } })
    expect(await fetch(connection, 'zstd-topic', 0, { version: 9 })).toMatchObject({
      errorCode: ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
    })
  })

  test('fetch sessions answer only what is new, and know their errors', async () => {
    await cluster.createTopic('session', { partitions: 2 })
    const ask = (body: object): Promise<FetchResponse> =>
      connection.send<FetchRequest, FetchResponse>(ApiKey.fetch, { maxWaitMs: 0, minBytes: 0, ...body }, { version: 12 })
    const partitions = [0, 1].map((partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: 1000 }))
    const full = await ask({ sessionEpoch: 0, topics: [{ topic: 'session', partitions }] })
    expect(full.sessionId).toBeGreaterThan(0)
    expect(full.responses[0]!.partitions).toHaveLength(2)
    await produce(connection, 'session', batch(['news']), { partition: 1 })
    const news = await ask({ sessionId: full.sessionId, sessionEpoch: 1 })
    expect(news.responses.flatMap(({ partitions: each }) => each.map(({ partitionIndex }) => partitionIndex))).toEqual([1])
    expect(await ask({ sessionId: full.sessionId, sessionEpoch: 7 })).toMatchObject({
      errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH,
      responses: [],
    })
    expect(await ask({ sessionId: 12345, sessionEpoch: 1 })).toMatchObject({ errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND })
  })

  test('topic ids name topics from version 13 on', async () => {
    await cluster.createTopic('by-id')
    await produce(connection, 'by-id', batch(['found']))
    const ask = (topicId: string): Promise<FetchResponse> =>
      connection.send<FetchRequest, FetchResponse>(
        ApiKey.fetch,
        {
          maxWaitMs: 0,
          minBytes: 0,
          topics: [{ topicId, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }],
        },
        { version: 17 },
      )
    const id = cluster.brokers[0]!.metadata.topicId('by-id')!
    expect(valuesIn((await ask(id)).responses[0]!.partitions[0]!.records)).toEqual(['found'])
    expect((await ask('MQn5p2IgTfCwOmHOCOXvHg')).responses[0]!.partitions[0]).toMatchObject({
      errorCode: ErrorCode.UNKNOWN_TOPIC_ID,
    })
  })
})

describe('ListOffsets and DeleteRecords', () => {
  const listOffsets = async (
    version: number,
    ...timestamps: number[]
  ): Promise<ListOffsetsResponse['topics'][number]['partitions']> => {
    const partitions = timestamps.map((timestamp, partitionIndex) => ({ partitionIndex, timestamp }))
    const answer = await connection.send<ListOffsetsRequest, ListOffsetsResponse>(
      ApiKey.listOffsets,
      { replicaId: -1, topics: [{ name: 'offsets', partitions }] },
      { version },
    )
    return answer.topics[0]!.partitions
  }

  test('special and real timestamps, by version', async () => {
    await cluster.createTopic('offsets', { partitions: 5 })
    for (const partition of [0, 1, 2, 3]) await produce(connection, 'offsets', batch(['a', 'b']), { partition })
    expect((await listOffsets(7, -1, -2, -3, 1_700_000_000_001)).map(({ errorCode, offset }) => [errorCode, offset])).toEqual([
      [0, 2],
      [0, 0],
      [0, 0],
      [0, -1],
    ])
    expect((await listOffsets(6, -3, -1))[0]).toMatchObject({ errorCode: ErrorCode.UNSUPPORTED_VERSION, offset: -1 })
    expect((await listOffsets(8, -4, -5)).map(({ errorCode }) => errorCode)).toEqual([0, ErrorCode.UNSUPPORTED_VERSION])
    expect((await listOffsets(4, -1))[0]).toMatchObject({ leaderEpoch: 0 })
    expect((await listOffsets(0, -2))[0]).toMatchObject({ errorCode: 0, oldStyleOffsets: [0] })
    const twice = await connection.send<ListOffsetsRequest, ListOffsetsResponse>(ApiKey.listOffsets, {
      replicaId: -1,
      topics: [
        {
          name: 'offsets',
          partitions: [
            { partitionIndex: 0, timestamp: -1 },
            { partitionIndex: 0, timestamp: -2 },
          ],
        },
      ],
    })
    expect(twice.topics[0]!.partitions.map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.INVALID_REQUEST,
      ErrorCode.INVALID_REQUEST,
    ])
  })

  test('deleted records are out of range', async () => {
    await cluster.createTopic('deleted')
    await produce(connection, 'deleted', batch(['a', 'b', 'c']))
    const { topics } = await connection.send<DeleteRecordsRequest, DeleteRecordsResponse>(ApiKey.deleteRecords, {
      topics: [
        {
          name: 'deleted',
          partitions: [
            { partitionIndex: 0, offset: 2 },
            { partitionIndex: 4, offset: 2 },
          ],
        },
      ],
      timeoutMs: 5000,
    })
    expect(topics[0]!.partitions).toMatchObject([
      { errorCode: 0, lowWatermark: 2 },
      { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, lowWatermark: -1 },
    ])
    expect(await fetch(connection, 'deleted', 1)).toMatchObject({ errorCode: ErrorCode.OFFSET_OUT_OF_RANGE })
  })
})

describe('Metadata and FindCoordinator', () => {
  test('all topics, some, by id, none; operations where asked for', async () => {
    await cluster.createTopic('shown')
    const all = await metadata({ topics: null })
    expect(all.topics.map(({ name }) => name)).toContain('shown')
    expect(all).toMatchObject({ controllerId: 0, clusterId: cluster.brokers[0]!.clusterId })
    expect((await metadata({ topics: [] })).topics).toEqual([])
    expect((await metadata({ topics: [] }, 0)).topics.length).toBeGreaterThan(0)
    const some = await metadata({
      topics: [{ name: 'shown' }, { name: 'absent' }, { name: 'not/valid' }],
      allowAutoTopicCreation: false,
    })
    expect(some.topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['shown', 0],
      ['absent', ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
      ['not/valid', ErrorCode.INVALID_TOPIC_EXCEPTION],
    ])
    expect(some.topics[0]!.partitions).toMatchObject([
      { errorCode: 0, partitionIndex: 0, leaderId: 0, leaderEpoch: 0, replicaNodes: [0], isrNodes: [0] },
    ])
    const unknown = await metadata({ topics: [{ topicId: 'MQn5p2IgTfCwOmHOCOXvHg', name: null }] })
    expect(unknown.topics).toMatchObject([{ errorCode: ErrorCode.UNKNOWN_TOPIC_ID, name: null }])
    const withOperations = await metadata(
      { topics: [{ name: 'shown' }], includeClusterAuthorizedOperations: true, includeTopicAuthorizedOperations: true },
      8,
    )
    expect(withOperations).toMatchObject({ clusterAuthorizedOperations: 8096, topics: [{ topicAuthorizedOperations: 3576 }] })
  })

  test('a topic is created for who asks for it, at once usable', async () => {
    const { topics } = await metadata({ topics: [{ name: 'automatic' }], allowAutoTopicCreation: true })
    expect(topics).toMatchObject([{ errorCode: 0, name: 'automatic', partitions: [{ leaderId: 0 }] }])
    expect(await produce(connection, 'automatic', batch(['there']))).toMatchObject({ errorCode: 0 })
  })

  test('the first coordinator has its topic made', async () => {
    const find = (body: object, version: number): Promise<FindCoordinatorResponse> =>
      connection.send<FindCoordinatorRequest, FindCoordinatorResponse>(ApiKey.findCoordinator, body, { version })
    expect((await find({ key: 'group' }, 3)).errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    await cluster.until(() => cluster.brokers[0]!.metadata.topic('__consumer_offsets')?.partitions.size === 3)
    const port = cluster.port
    expect(await find({ key: 'group' }, 0)).toMatchObject({ errorCode: 0, nodeId: 0, host: '127.0.0.1', port })
    expect((await find({ keyType: 0, coordinatorKeys: ['a', 'b'] }, 4)).coordinators).toMatchObject([
      { key: 'a', errorCode: 0, nodeId: 0, port },
      { key: 'b', errorCode: 0, nodeId: 0, port },
    ])
    expect((await find({ keyType: 2, coordinatorKeys: ['x'] }, 6)).coordinators[0]!.errorCode).toBe(
      ErrorCode.COORDINATOR_NOT_AVAILABLE,
    )
    expect((await metadata({ topics: [{ name: '__consumer_offsets' }] })).topics[0]).toMatchObject({ isInternal: true })
    // Nobody but coordinators writes there.
    expect((await produce(connection, '__consumer_offsets', batch(['a']))).errorCode).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION)
  })
})

test('requests that came together are answered in order', async () => {
  await cluster.createTopic('pipelined')
  const client = await cluster.raw()
  for (let i = 0; i < 200; i++) {
    if (i % 3 === 0) client.send(ApiKey.apiVersions, 0, i, {})
    else if (i % 3 === 1) {
      client.send(ApiKey.produce, 3, i, {
        acks: -1,
        timeoutMs: 5000,
        topicData: [{ name: 'pipelined', partitionData: [{ index: 0, records: batch([String(i)]) }] }],
      })
    } else client.send(ApiKey.metadata, 1, i, { topics: [{ name: 'pipelined' }] })
  }
  const offsets: number[] = []
  for (let i = 0; i < 200; i++) {
    const frame = (await client.next())!
    expect(frame.readInt32BE(0)).toBe(i)
    if (i % 3 === 1)
      offsets.push(bodyOf<ProduceResponse>(ApiKey.produce, 3, frame).responses[0]!.partitionResponses[0]!.baseOffset)
  }
  expect(offsets).toEqual(offsets.map((_, i) => i))
  client.close()
})
