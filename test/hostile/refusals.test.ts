/**
 * Bad requests, with the codes that Apache Kafka 3.9.1 answers; where it says UNKNOWN_SERVER_ERROR, or nothing at all, ours says
 * what is wrong.
 */
import { ErrorCode } from '../../protocol/errors'
import { ApiKey } from '../../protocol/messages/apis'
import { readBatchHeader, writeBatchHeader } from '../../protocol/records/batch'
import { RunningCluster, batch } from '../unit/broker/support/running-broker'
import type { KafkaConnection } from '../../network/kafka-connection'
import type { BatchHeader } from '../../protocol/records/batch'

let cluster: RunningCluster
let connection: KafkaConnection

beforeAll(async () => {
  cluster = await RunningCluster.start(1, { 'auto.create.topics.enable': 'false' })
  await cluster.createTopic('p', { partitions: 2 })
  await cluster.createTopic('small', { configs: { 'max.message.bytes': '1000' } })
  await cluster.createTopic('compacted', { configs: { 'cleanup.policy': 'compact' } })
  connection = await cluster.connect()
  await produced('p', batch(['a', 'b']))
})

afterAll(() => cluster.close())

function ask<Response>(apiKey: number, body: object, version: number): Promise<Response> {
  return connection.send<object, Response>(apiKey, body, { version })
}

async function produced(topic: string, records: Buffer | null, options: { acks?: number; index?: number; version?: number } = {}): Promise<number> {
  const { acks = 1, index = 0, version = 9 } = options
  const answer = await ask<{ responses: { partitionResponses: { errorCode: number }[] }[] }>(
    ApiKey.produce, { acks, timeoutMs: 3000, topicData: [{ name: topic, partitionData: [{ index, records }] }] }, version,
  )
  return answer.responses[0]!.partitionResponses[0]!.errorCode
}

/** A batch of two records whose header says something else; its checksum is right. */
function saying(change: Partial<BatchHeader>): Buffer {
  const records = batch(['a', 'b'])
  writeBatchHeader(records, 0, records.length, { ...readBatchHeader(records, 0), ...change })
  return records
}

function withByte(at: number, value: number): Buffer {
  const records = batch(['a', 'b'])
  records[at] = value
  return records
}

const {
  NONE, CORRUPT_MESSAGE, UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUIRED_ACKS, INVALID_RECORD, MESSAGE_TOO_LARGE, UNSUPPORTED_COMPRESSION_TYPE,
  OFFSET_OUT_OF_RANGE, INVALID_REQUEST, UNSUPPORTED_VERSION, UNKNOWN_LEADER_EPOCH, FETCH_SESSION_ID_NOT_FOUND,
  TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR, INVALID_CONFIG, INVALID_REPLICA_ASSIGNMENT,
} = ErrorCode

test.each<[string, () => Promise<number>, number]>([
  ['an unknown topic', () => produced('nope', batch(['a'])), UNKNOWN_TOPIC_OR_PARTITION],
  ['a name that cannot be', () => produced('a/b', batch(['a'])), UNKNOWN_TOPIC_OR_PARTITION],
  ['an unknown partition', () => produced('p', batch(['a']), { index: 7 }), UNKNOWN_TOPIC_OR_PARTITION],
  ['a negative partition', () => produced('p', batch(['a']), { index: -1 }), UNKNOWN_TOPIC_OR_PARTITION],
  ['acks=2', () => produced('p', batch(['a']), { acks: 2 }), INVALID_REQUIRED_ACKS],
  ['acks=-2', () => produced('p', batch(['a']), { acks: -2 }), INVALID_REQUIRED_ACKS],
  ['no bytes', () => produced('p', Buffer.alloc(0)), INVALID_RECORD],
  ['null', () => produced('p', null), INVALID_RECORD],
  ['a wrong checksum', () => produced('p', withByte(20, 0xff)), CORRUPT_MESSAGE],
  ['magic 1', () => produced('p', withByte(16, 1)), INVALID_RECORD],
  ['a piece of a batch', () => produced('p', batch(['a']).subarray(0, 40)), INVALID_RECORD],
  ['two batches', () => produced('p', Buffer.concat([batch(['a']), batch(['b'])])), INVALID_RECORD],
  ['a control batch', () => produced('p', saying({ attributes: 0x20 })), INVALID_RECORD],
  ['no records, it says', () => produced('p', saying({ recordCount: 0 })), INVALID_RECORD],
  ['-1 records, it says', () => produced('p', saying({ recordCount: -1 })), INVALID_RECORD],
  ['2^31-1 records, it says', () => produced('p', saying({ recordCount: 0x7fffffff, lastOffsetDelta: 0x7ffffffe })), INVALID_RECORD],
  ['more offsets than records', () => produced('p', saying({ lastOffsetDelta: 9 })), INVALID_RECORD],
  ['a codec that is none', () => produced('p', saying({ attributes: 5 })), UNSUPPORTED_COMPRESSION_TYPE],
  ['gzip that is none', () => produced('compacted', saying({ attributes: 1 })), INVALID_RECORD],
  ['no key for a compacted topic', () => produced('compacted', batch(['a'], { codec: 1 })), INVALID_RECORD],
  ['a base offset', () => produced('p', saying({ baseOffset: 5 })), INVALID_RECORD],
  ['a producer without a sequence', () => produced('p', saying({ producerId: 5, producerEpoch: 0, baseSequence: -1 })), INVALID_RECORD],
  ['more than max.message.bytes', () => produced('small', batch(['x'.repeat(2000)])), MESSAGE_TOO_LARGE],
  ['zstd in version 6', () => produced('p', batch(['z'], { codec: 4 }), { version: 6 }), UNSUPPORTED_COMPRESSION_TYPE],
])('Produce of %s', async (_, produce, expected) => {
  expect(await produce()).toBe(expected)
})

test.each<[string, { offset?: number; epoch?: number; index?: number; session?: [number, number] }, number]>([
  ['an offset beyond the end', { offset: 999 }, OFFSET_OUT_OF_RANGE],
  ['offset -1', { offset: -1 }, OFFSET_OUT_OF_RANGE],
  ['offset 2^52', { offset: 2 ** 52 }, OFFSET_OUT_OF_RANGE],
  ['an epoch to come', { epoch: 9 }, UNKNOWN_LEADER_EPOCH],
  ['an unknown partition', { index: 9 }, UNKNOWN_TOPIC_OR_PARTITION],
  ['an unknown session', { session: [12_345, 1] }, FETCH_SESSION_ID_NOT_FOUND],
  ['an epoch without a session', { session: [0, 5] }, FETCH_SESSION_ID_NOT_FOUND],
])('Fetch with %s', async (_, { offset = 0, epoch = -1, index = 0, session = [0, -1] }, expected) => {
  const answer = await ask<{ errorCode: number; responses: { partitions: { errorCode: number }[] }[] }>(ApiKey.fetch, {
    maxWaitMs: 0, minBytes: 0, sessionId: session[0], sessionEpoch: session[1],
    topics: [{ topic: 'p', partitions: [{ partition: index, fetchOffset: offset, currentLeaderEpoch: epoch, partitionMaxBytes: 1000 }] }],
  }, 11)
  expect(answer.errorCode !== NONE ? answer.errorCode : answer.responses[0]!.partitions[0]!.errorCode).toBe(expected)
})

test.each<[string, object, number]>([
  ['exists', { name: 'p', numPartitions: 1, replicationFactor: 1 }, TOPIC_ALREADY_EXISTS],
  ['has a bad name', { name: 'a b', numPartitions: 1, replicationFactor: 1 }, INVALID_TOPIC_EXCEPTION],
  ['has no name', { name: '', numPartitions: 1, replicationFactor: 1 }, INVALID_TOPIC_EXCEPTION],
  ['has no partitions', { name: 'q', numPartitions: 0, replicationFactor: 1 }, INVALID_PARTITIONS],
  ['has 2^31-1 partitions', { name: 'q', numPartitions: 0x7fffffff, replicationFactor: 1 }, INVALID_PARTITIONS],
  ['has more replicas than brokers', { name: 'q', numPartitions: 1, replicationFactor: 5 }, INVALID_REPLICATION_FACTOR],
  ['has an unknown key', { name: 'q', numPartitions: 1, replicationFactor: 1, configs: [{ name: 'no.such', value: '1' }] }, INVALID_CONFIG],
  ['has null for a value', { name: 'q', numPartitions: 1, replicationFactor: 1, configs: [{ name: 'retention.ms', value: null }] }, INVALID_CONFIG],
  ['has both counts and replicas', { name: 'q', numPartitions: 1, replicationFactor: 1, assignments: [{ partitionIndex: 0, brokerIds: [0] }] }, INVALID_REQUEST],
  ['skips a partition', { name: 'q', numPartitions: -1, replicationFactor: -1, assignments: [{ partitionIndex: 1, brokerIds: [0] }] }, INVALID_REPLICA_ASSIGNMENT],
  ['has a broker twice', { name: 'q', numPartitions: -1, replicationFactor: -1, assignments: [{ partitionIndex: 0, brokerIds: [0, 0] }] }, INVALID_REPLICA_ASSIGNMENT],
])('CreateTopics of one that %s', async (_, topic, expected) => {
  const { topics } = await ask<{ topics: { errorCode: number }[] }>(ApiKey.createTopics, { topics: [topic], timeoutMs: 2000 }, 5)
  expect(topics[0]!.errorCode).toBe(expected)
})

test('an election of a kind that is none is not an unclean one', async () => {
  const answer = await ask<{ errorCode: number; replicaElectionResults: { partitionResult: { errorCode: number }[] }[] }>(
    ApiKey.electLeaders, { electionType: 7, topicPartitions: [{ topic: 'p', partitions: [0] }], timeoutMs: 1000 }, 2,
  )
  expect(answer.errorCode).toBe(INVALID_REQUEST)
  expect(answer.replicaElectionResults[0]!.partitionResult[0]!.errorCode).toBe(INVALID_REQUEST)
})

test('ListOffsets asks twice, or for a time that its version does not know', async () => {
  const listed = async (timestamp: number, partitions: number[], version: number): Promise<number[]> => {
    const { topics } = await ask<{ topics: { partitions: { errorCode: number }[] }[] }>(
      ApiKey.listOffsets, { replicaId: -1, topics: [{ name: 'p', partitions: partitions.map((partitionIndex) => ({ partitionIndex, timestamp })) }] }, version,
    )
    return topics.flatMap((topic) => topic.partitions.map(({ errorCode }) => errorCode))
  }
  expect(new Set(await listed(-1, [0, 0], 7))).toEqual(new Set([INVALID_REQUEST]))
  expect(await listed(-3, [0], 6)).toEqual([UNSUPPORTED_VERSION])
  expect(await listed(-9, [0], 7)).toEqual([UNSUPPORTED_VERSION])
})
