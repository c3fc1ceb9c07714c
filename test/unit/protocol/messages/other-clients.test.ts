import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { apis } from '../../../../protocol/messages/apis'
import { decode, encode } from '../../../../protocol/messages/codec'
import type { Api } from '../../../../protocol/messages/apis'

/** What kafkajs and @platformatic/kafka send is read as meant, and encoded again to the very bytes that they sent. */

type ApiName = keyof typeof apis

const check = (name: ApiName, version: number, bytes: Buffer, meaning: object): void => {
  const api: Api = apis[name]
  const read = decode<unknown>(api.request, version, bytes)
  expect(read).toMatchObject(meaning)
  expect(encode(api.request, version, read as never).toString('hex')).toBe(bytes.toString('hex'))
}

const range = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i)

// ---- kafkajs: the fixed encodings

interface KafkaJsCase {
  name: ApiName
  folder?: string
  versions: [number, number]
  args: object
  meaning: object
}

const offsets = [{ topic: 't', partitions: [{ partition: 3, offset: '77', metadata: 'm' }] }]
const fetched = [{ topic: 't', partitions: [{ partition: 1, fetchOffset: '5000000000', maxBytes: 9 }] }]

const kafkajs: KafkaJsCase[] = [
  {
    name: 'fetch',
    versions: [0, 11],
    args: { replicaId: -1, maxWaitTime: 100, minBytes: 1, maxBytes: 1000, topics: fetched, rackId: 'r' },
    meaning: {
      maxWaitMs: 100,
      minBytes: 1,
      topics: [{ topic: 't', partitions: [{ partition: 1, fetchOffset: 5_000_000_000, partitionMaxBytes: 9 }] }],
    },
  },
  {
    name: 'listOffsets',
    versions: [0, 3],
    args: {
      replicaId: -1,
      isolationLevel: 1,
      topics: [{ topic: 't', partitions: [{ partition: 2, timestamp: '-1', maxNumOffsets: 4 }] }],
    },
    meaning: { replicaId: -1, topics: [{ name: 't', partitions: [{ partitionIndex: 2, timestamp: -1 }] }] },
  },
  {
    name: 'metadata',
    versions: [0, 6],
    args: { topics: ['a', 'bé'], allowAutoTopicCreation: true },
    meaning: { topics: [{ name: 'a' }, { name: 'bé' }] },
  },
  {
    name: 'offsetCommit',
    versions: [0, 5],
    args: { groupId: 'g', groupGenerationId: 4, memberId: 'm', retentionTime: '1000', topics: offsets },
    meaning: { groupId: 'g', topics: [{ name: 't', partitions: [{ partitionIndex: 3, committedOffset: 77 }] }] },
  },
  {
    name: 'offsetFetch',
    versions: [1, 4],
    args: { groupId: 'g', topics: offsets },
    meaning: { groupId: 'g', topics: [{ name: 't', partitionIndexes: [3] }] },
  },
  {
    name: 'findCoordinator',
    versions: [0, 2],
    args: { groupId: 'g', coordinatorKey: 'g', coordinatorType: 0 },
    meaning: { key: 'g', keyType: 0 },
  },
  {
    name: 'joinGroup',
    versions: [0, 5],
    args: {
      groupId: 'g',
      sessionTimeout: 30,
      rebalanceTimeout: 60,
      memberId: 'm',
      groupInstanceId: null,
      protocolType: 'consumer',
      groupProtocols: [{ name: 'p', metadata: Buffer.from([1, 2, 3]) }],
    },
    meaning: { groupId: 'g', sessionTimeoutMs: 30, protocols: [{ name: 'p', metadata: Buffer.from([1, 2, 3]) }] },
  },
  {
    name: 'heartbeat',
    versions: [0, 3],
    args: { groupId: 'g', groupGenerationId: 5, memberId: 'm', groupInstanceId: 'i' },
    meaning: { groupId: 'g', generationId: 5, memberId: 'm' },
  },
  { name: 'leaveGroup', versions: [0, 2], args: { groupId: 'g', memberId: 'm' }, meaning: { groupId: 'g', memberId: 'm' } },
  {
    name: 'leaveGroup',
    versions: [3, 3],
    args: { groupId: 'g', members: [{ memberId: 'm' }] },
    meaning: { groupId: 'g', members: [{ memberId: 'm' }] },
  },
  {
    name: 'syncGroup',
    versions: [0, 3],
    args: {
      groupId: 'g',
      generationId: 2,
      memberId: 'm',
      groupInstanceId: null,
      groupAssignment: [{ memberId: 'm', memberAssignment: Buffer.from([9]) }],
    },
    meaning: { generationId: 2, assignments: [{ memberId: 'm', assignment: Buffer.from([9]) }] },
  },
  { name: 'describeGroups', versions: [0, 2], args: { groupIds: ['a', 'b'] }, meaning: { groups: ['a', 'b'] } },
  { name: 'listGroups', versions: [0, 2], args: {}, meaning: {} },
  { name: 'apiVersions', versions: [0, 2], args: {}, meaning: {} },
  { name: 'saslHandshake', versions: [0, 1], args: { mechanism: 'PLAIN' }, meaning: { mechanism: 'PLAIN' } },
  {
    name: 'createTopics',
    versions: [0, 3],
    args: {
      topics: [{ topic: 't', numPartitions: 3, replicationFactor: 1, configEntries: [{ name: 'k', value: 'v' }] }],
      timeout: 7,
      validateOnly: false,
    },
    meaning: {
      timeoutMs: 7,
      topics: [{ name: 't', numPartitions: 3, replicationFactor: 1, assignments: [], configs: [{ name: 'k', value: 'v' }] }],
    },
  },
  { name: 'deleteTopics', versions: [0, 1], args: { topics: ['t'], timeout: 7 }, meaning: { topicNames: ['t'], timeoutMs: 7 } },
  {
    name: 'deleteRecords',
    versions: [0, 1],
    args: { topics: [{ topic: 't', partitions: [{ partition: 0, offset: '9' }] }], timeout: 5 },
    meaning: { topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset: 9 }] }] },
  },
  {
    name: 'initProducerId',
    versions: [0, 1],
    args: { transactionalId: 'x', transactionTimeout: 60 },
    meaning: { transactionalId: 'x', transactionTimeoutMs: 60 },
  },
  {
    name: 'addPartitionsToTxn',
    versions: [0, 1],
    args: { transactionalId: 'x', producerId: '12', producerEpoch: 3, topics: [{ topic: 't', partitions: [0, 1] }] },
    meaning: { v3AndBelowTransactionalId: 'x', v3AndBelowProducerId: 12, v3AndBelowTopics: [{ name: 't', partitions: [0, 1] }] },
  },
  {
    name: 'addOffsetsToTxn',
    versions: [0, 1],
    args: { transactionalId: 'x', producerId: '12', producerEpoch: 3, groupId: 'g' },
    meaning: { transactionalId: 'x', producerId: 12, producerEpoch: 3, groupId: 'g' },
  },
  {
    name: 'endTxn',
    versions: [0, 1],
    args: { transactionalId: 'x', producerId: '12', producerEpoch: 3, transactionResult: true },
    meaning: { transactionalId: 'x', committed: true },
  },
  {
    name: 'txnOffsetCommit',
    versions: [0, 1],
    args: { transactionalId: 'x', groupId: 'g', producerId: '12', producerEpoch: 3, topics: offsets },
    meaning: {
      groupId: 'g',
      topics: [{ name: 't', partitions: [{ partitionIndex: 3, committedOffset: 77, committedMetadata: 'm' }] }],
    },
  },
  {
    name: 'describeConfigs',
    versions: [0, 2],
    args: { resources: [{ type: 2, name: 't', configNames: ['k'] }], includeSynonyms: true },
    meaning: { resources: [{ resourceType: 2, resourceName: 't', configurationKeys: ['k'] }] },
  },
  {
    name: 'alterConfigs',
    versions: [0, 1],
    args: { resources: [{ type: 2, name: 't', configEntries: [{ name: 'k', value: 'v' }] }], validateOnly: true },
    meaning: { resources: [{ resourceType: 2, resourceName: 't', configs: [{ name: 'k', value: 'v' }] }], validateOnly: true },
  },
  {
    name: 'createPartitions',
    versions: [0, 1],
    args: { topicPartitions: [{ topic: 't', count: 4, assignments: [[1, 2]] }], timeout: 8, validateOnly: false },
    meaning: { topics: [{ name: 't', count: 4, assignments: [{ brokerIds: [1, 2] }] }], timeoutMs: 8 },
  },
  { name: 'deleteGroups', versions: [0, 1], args: ['g'], meaning: { groupsNames: ['g'] } },
  {
    name: 'createAcls',
    versions: [1, 1],
    args: {
      creations: [
        {
          resourceType: 2,
          resourceName: 't',
          resourcePatternType: 3,
          principal: 'User:a',
          host: '*',
          operation: 3,
          permissionType: 3,
        },
      ],
    },
    meaning: {
      creations: [{ resourceType: 2, resourceName: 't', resourcePatternType: 3, principal: 'User:a', permissionType: 3 }],
    },
  },
  {
    name: 'alterPartitionReassignments',
    versions: [0, 0],
    args: { topics: [{ topic: 't', partitionAssignment: [{ partition: 0, replicas: [1, 2] }] }], timeout: 9 },
    meaning: { timeoutMs: 9, topics: [{ name: 't', partitions: [{ partitionIndex: 0, replicas: [1, 2] }] }] },
  },
  {
    name: 'listPartitionReassignments',
    versions: [0, 0],
    args: { topics: [{ topic: 't', partitions: [0, 1] }], timeout: 9 },
    meaning: { topics: [{ name: 't', partitionIndexes: [0, 1] }] },
  },
]

describe('kafkajs', () => {
  const cases = kafkajs.flatMap((each) => range(...each.versions).map((version) => ({ ...each, version })))
  test.each(cases)('$name v$version', async ({ name, version, args, meaning }) => {
    const create = require(`kafkajs/src/protocol/requests/${name}/v${version}/request.js`) as (args: object) => {
      encode(): Promise<{ buffer: Buffer }>
    }
    const { buffer } = await create(args).encode()
    // What is flexible has the tags of its header in front, which kafkajs counts among the body.
    check(name, version, buffer.subarray(version >= apis[name].flexibleFrom ? 1 : 0), meaning)
  })

  test.each(range(3, 7))('produce v%i', async (version) => {
    const create = require(`kafkajs/src/protocol/requests/produce/v${version}/request.js`) as (args: object) => {
      encode(): Promise<{ buffer: Buffer }>
    }
    const topicData = [
      {
        topic: 't',
        partitions: [{ partition: 2, firstSequence: 0, messages: [{ key: 'k', value: 'v', timestamp: 5, headers: {} }] }],
      },
    ]
    const { buffer } = await create({
      acks: -1,
      timeout: 10,
      transactionalId: 'x',
      producerId: 5,
      producerEpoch: 1,
      compression: 0,
      topicData,
    }).encode()
    check('produce', version, buffer, {
      transactionalId: 'x',
      acks: -1,
      timeoutMs: 10,
      topicData: [{ name: 't', partitionData: [{ index: 2 }] }],
    })
  })
})

// ---- @platformatic/kafka: the flexible encodings of the requests that kafka-ts builds from other arguments

interface PlatformaticCase {
  api: ApiName
  version: number
  args: unknown[]
  meaning: object
}

const id = '00112233-4455-6677-8899-aabbccddeeff'
const id64 = Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url')
const bytes3 = { hex: '010203' }
const fetchTopics = (topic: object): unknown[] => [
  {
    ...topic,
    partitions: [
      { partition: 1, currentLeaderEpoch: 4, fetchOffset: { bigint: '5000000000' }, lastFetchedEpoch: 3, partitionMaxBytes: 9 },
    ],
  },
]
const fetchMeaning = (topic: object): object => ({
  maxWaitMs: 100,
  sessionEpoch: -1,
  rackId: 'r',
  topics: [
    {
      ...topic,
      partitions: [
        { partition: 1, currentLeaderEpoch: 4, fetchOffset: 5_000_000_000, lastFetchedEpoch: 3, partitionMaxBytes: 9 },
      ],
    },
  ],
})
const messages = [{ topic: 't', partition: 2, key: { hex: '01' }, value: { hex: '02' }, timestamp: { bigint: '5' } }]
const commits = [
  {
    name: 't',
    partitions: [{ partitionIndex: 3, committedOffset: { bigint: '77' }, committedLeaderEpoch: 2, committedMetadata: null }],
  },
]
const committed = {
  groupId: 'g',
  topics: [{ name: 't', partitions: [{ partitionIndex: 3, committedOffset: 77, committedLeaderEpoch: 2 }] }],
}

const platformatic: PlatformaticCase[] = [
  ...range(13, 17).map((version): PlatformaticCase => ({
    api: 'fetch',
    version,
    args: [100, 1, 1000, 0, 0, -1, fetchTopics({ topicId: id }), [], 'r'],
    meaning: fetchMeaning({ topicId: id64 }),
  })),
  ...[10, 11, 12].map((version): PlatformaticCase => ({
    api: 'metadata',
    version,
    args: [['a', 'b'], true, true],
    meaning: { topics: [{ name: 'a' }, { name: 'b' }], allowAutoTopicCreation: true },
  })),
  ...[8, 9].map((version): PlatformaticCase => ({
    api: 'offsetCommit',
    version,
    args: ['g', 4, 'm', null, commits],
    meaning: committed,
  })),
  {
    api: 'offsetFetch',
    version: 9,
    args: [[{ groupId: 'g', memberId: 'm', memberEpoch: 4, topics: [{ name: 't', partitionIndexes: [1] }] }], true],
    meaning: {
      groups: [{ groupId: 'g', memberId: 'm', memberEpoch: 4, topics: [{ name: 't', partitionIndexes: [1] }] }],
      requireStable: true,
    },
  },
  ...[4, 5, 6].map((version): PlatformaticCase => ({
    api: 'findCoordinator',
    version,
    args: [1, ['a', 'b']],
    meaning: { keyType: 1, coordinatorKeys: ['a', 'b'] },
  })),
  ...[8, 9].map((version): PlatformaticCase => ({
    api: 'joinGroup',
    version,
    args: ['g', 30, 60, 'm', null, 'consumer', [{ name: 'p', metadata: bytes3 }], 'why'],
    meaning: {
      groupId: 'g',
      rebalanceTimeoutMs: 60,
      protocols: [{ name: 'p', metadata: Buffer.from([1, 2, 3]) }],
      reason: 'why',
    },
  })),
  {
    api: 'leaveGroup',
    version: 5,
    args: ['g', [{ memberId: 'm', groupInstanceId: null, reason: 'why' }]],
    meaning: { members: [{ memberId: 'm', groupInstanceId: null, reason: 'why' }] },
  },
  {
    api: 'syncGroup',
    version: 5,
    args: ['g', 2, 'm', null, 'consumer', 'range', [{ memberId: 'm', assignment: bytes3 }]],
    meaning: {
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: [{ memberId: 'm', assignment: Buffer.from([1, 2, 3]) }],
    },
  },
  ...[9, 10, 11].map((version): PlatformaticCase => ({
    api: 'produce',
    version,
    args: [-1, 10, messages, { transactionalId: null }],
    meaning: { transactionalId: null, acks: -1, timeoutMs: 10, topicData: [{ name: 't', partitionData: [{ index: 2 }] }] },
  })),
]

describe('@platformatic/kafka', () => {
  let encoded: string[] = []

  beforeAll(() => {
    const input = JSON.stringify(platformatic.map(({ api, version, args }) => ({ name: `${api}V${version}`, args })))
    encoded = execFileSync('node', [join(__dirname, 'platformatic-requests.mjs')], { input, encoding: 'utf8' })
      .trim()
      .split('\n')
  })

  test.each(platformatic.map((each, i) => ({ ...each, i })))('$api v$version', ({ api, version, meaning, i }) => {
    check(api, version, Buffer.from(encoded[i] as string, 'hex'), meaning)
  })
})
