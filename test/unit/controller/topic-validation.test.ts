import { planAddedPartitions, planTopic, TopicRefusal } from '../../../controller/topic-validation'
import type { TopicFacts } from '../../../controller/topic-validation'
import { ErrorCode } from '../../../protocol/errors'
import type { CreatableTopic } from '../../../protocol/messages/create-topics'
import { builtInTopicConfig } from '../../../protocol/rules/topic-config'
import { realRandom } from '../../../runtime/real-clock'

const brokers = [{ id: 0, rack: null }, { id: 1, rack: null }, { id: 2, rack: null }]

const facts: TopicFacts = {
  topicExists: (name) => name === 'there' || name === 'a.b' || name === 'going',
  isBeingDeleted: (name) => name === 'going',
  allTopics: () => ['there', 'a.b', 'going'],
  brokers, numPartitions: 3, defaultReplicationFactor: 2, topicDefaults: builtInTopicConfig, random: realRandom,
}

function topic(more: Partial<CreatableTopic> = {}): CreatableTopic {
  return { name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [], ...more }
}

function refusal(more: Partial<CreatableTopic>, with_: Partial<TopicFacts> = {}): [number, string] {
  try {
    planTopic(topic(more), { ...facts, ...with_ })
  } catch (error) {
    if (error instanceof TopicRefusal) return [error.code, error.message]
    throw error
  }
  throw new Error('it was accepted')
}

const given = (...lists: [number, number[]][]) => ({
  numPartitions: -1, replicationFactor: -1, assignments: lists.map(
    ([partitionIndex, brokerIds]) => ({ partitionIndex, brokerIds }),
  ),
})

test('counts that are not given come from the configuration', () => {
  const { replicas } = planTopic(topic({ numPartitions: -1, replicationFactor: -1 }), facts)
  expect([replicas.size, replicas.get(0)!.length]).toEqual([3, 2])
})

test.each<[string, [number, string], Partial<CreatableTopic>, Partial<TopicFacts>?]>([
  ['exists', [ErrorCode.TOPIC_ALREADY_EXISTS, "Topic 'there' already exists."], { name: 'there' }],
  ['is being deleted', [ErrorCode.TOPIC_ALREADY_EXISTS, "Topic 'going' is marked for deletion."], { name: 'going' }],
  ['collides', [ErrorCode.INVALID_TOPIC_EXCEPTION, "Topic 'a_b' collides with existing topics: a.b"], { name: 'a_b' }],
  ['has no name', [ErrorCode.INVALID_TOPIC_EXCEPTION, 'Topic name is invalid: the empty string is not allowed'], { name: '' }],
  [
    'is KRaft\'s', [
      ErrorCode.INVALID_REQUEST, 'Creation of internal topic __cluster_metadata is prohibited.',
    ], { name: '__cluster_metadata' },
  ],
  ['no partitions', [ErrorCode.INVALID_PARTITIONS, 'Number of partitions must be larger than 0.'], { numPartitions: 0 }],
  [
    'too many partitions', [
      ErrorCode.INVALID_PARTITIONS, 'A topic cannot have more than 100000 partitions.',
    ], { numPartitions: 1e9 },
  ],
  ['no replicas', [ErrorCode.INVALID_REPLICATION_FACTOR, 'Replication factor must be larger than 0.'], { replicationFactor: 0 }],
  [
    'too many replicas', [
      ErrorCode.INVALID_REPLICATION_FACTOR, 'Replication factor: 4 larger than available brokers: 3.',
    ], { replicationFactor: 4 },
  ],
  [
    'null values', [
      ErrorCode.INVALID_CONFIG, 'Null value not supported for topic configs: retention.ms',
    ], { configs: [{ name: 'retention.ms', value: null }] },
  ],
  [
    'unknown key', [
      ErrorCode.INVALID_CONFIG, 'Unknown topic config name: nonsense',
    ], { configs: [{ name: 'nonsense', value: '1' }] },
  ],
  ['both', [
    ErrorCode.INVALID_REQUEST,
    'Both numPartitions or replicationFactor and replicasAssignments were set. Both cannot be used at the same time.',
  ],
    { assignments: [{ partitionIndex: 0, brokerIds: [1] }] }],
  [
    'uneven', [
      ErrorCode.INVALID_REPLICA_ASSIGNMENT, 'All partitions should have the same number of replicas',
    ], given([0, [1]], [1, [1, 2]]),
  ],
  ['twice', [ErrorCode.INVALID_REPLICA_ASSIGNMENT, 'Duplicate replica assignment found: 0 -> [1, 1]'], given([0, [1, 1]])],
  [
    'a gap', [
      ErrorCode.INVALID_REPLICA_ASSIGNMENT, 'partitions should be a consecutive 0-based integer sequence',
    ], given([0, [1]], [2, [1]]),
  ],
  [
    'nobody', [
      ErrorCode.INVALID_REPLICA_ASSIGNMENT, 'A replica assignment needs at least one broker, and no negative ids',
    ], given([0, []]),
  ],
])('refuses a topic that %s', (_, expected, more, with_ = {}) => {
  expect(refusal(more, with_)).toEqual(expected)
})

describe('added partitions', () => {
  const existing = new Map([[0, [1, 2]], [1, [2, 0]]])
  const add = (count: number, assignments: number[][] | null = null) => {
    try {
      return planAddedPartitions(
        {
          name: 't', count, assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null,
        }, existing, brokers, realRandom,
      )
    } catch (error) {
      if (error instanceof TopicRefusal) return error.message
      throw error
    }
  }

  test('go on where the first partition began', () => {
    expect(add(4)).toEqual(new Map([[2, [0, 2]], [3, [1, 2]]]))
    expect(add(3, [[0, 1]])).toEqual(new Map([[2, [0, 1]]]))
  })

  test.each<[number, number[][] | null, string]>([
    [2, null, 'Topic already has 2 partitions.'],
    [1, null, 'Topic currently has 2 partitions, which is higher than the requested 1.'],
    [3, [[0, 9]], 'Unknown broker(s) in replica assignment: 9.'],
    [3, [[0, 1], [1, 2]], 'Increasing the number of partitions by 1 but 2 assignments provided.'],
    [3, [[1, 1]], 'Duplicate brokers not allowed in replica assignment: 1, 1 for partition id 2.'],
    [3, [[]], 'Cannot have replication factor of 0 for partition id 2.'],
    [
      3, [[1]],
      'Inconsistent replication factor between partitions, partition 0 has 2 while partitions [2] have replication factors [1], respectively.',
    ],
  ])('%i with %j: %s', (count, assignments, message) => {
    expect(add(count, assignments)).toBe(message)
  })
})
