import { ApiKey } from '../../../../protocol/messages/apis'
import type { BadRequest } from '../case'

function metadata(name: string, topics: unknown, versions: BadRequest['versions'] = [12]): BadRequest {
  return { name: `metadata: ${name}`, api: ApiKey.metadata, versions, body: (_, version) => ({ topics, ...(version >= 4 ? { allowAutoTopicCreation: false } : {}) }) }
}

export const metadataCases: BadRequest[] = [
  metadata('unknown topic', [{ name: 'nowhere' }], 'all'),
  metadata('a bad name', [{ name: 'no/good' }], [1, 4, 9, 12]),
  metadata('a name of 250 letters', [{ name: 'n'.repeat(250) }]),
  metadata('no name', [{ name: '' }]),
  metadata('a dot', [{ name: '.' }]),
  metadata('unknown id', [{ topicId: 'AQEBAQEBAQEBAQEBAQEBAQ', name: null }]),
  { ...metadata('an id in version 10', [{ topicId: 'AQEBAQEBAQEBAQEBAQEBAQ', name: null }], [10, 11]), ours: /"errorCode":42/ },
  metadata('the same topic twice', [{ name: 'lone' }, { name: 'lone' }]),
  metadata('no topics', [], 'all'),
  {
    name: 'metadata: a topic that would be created', api: ApiKey.metadata, versions: [4, 12],
    body: () => ({ topics: [{ name: 'not-created' }], allowAutoTopicCreation: true }),
  },
]

interface Created {
  name?: string
  partitions?: number
  factor?: number
  assignments?: [number, number[]][]
  configs?: [string, string | null][]
  to?: BadRequest['to']
  versions?: BadRequest['versions']
  isReal?: boolean
}

function create(what: string, c: Created = {}): BadRequest {
  return {
    name: `create topics: ${what}`,
    api: ApiKey.createTopics,
    to: c.to ?? 'controller',
    ...(c.versions === undefined ? {} : { versions: c.versions }),
    body: (_, version) => ({
      topics: [
        {
          name: c.name ?? 'fresh',
          numPartitions: c.partitions ?? (c.assignments === undefined ? 1 : -1),
          replicationFactor: c.factor ?? (c.assignments === undefined ? 1 : -1),
          assignments: (c.assignments ?? []).map(([partitionIndex, brokerIds]) => ({ partitionIndex, brokerIds })),
          configs: (c.configs ?? []).map(([name, value]) => ({ name, value })),
        },
      ],
      timeoutMs: 5000,
      ...(version >= 1 ? { validateOnly: c.isReal !== true } : {}),
    }),
  }
}

const badNames = ['', '.', '..', 'a b', 'a/b', 'ä', 'n'.repeat(250), 'with_dot', '__consumer_offsets', 'plain']
const badValues: [string, string | null][] = [
  ['retention.ms', 'soon'], ['retention.ms', '-2'], ['retention.ms', null], ['cleanup.policy', 'burn'], ['cleanup.policy', ''], ['segment.bytes', '1'],
  ['segment.bytes', '99999999999'], ['no.such.key', '1'], ['compression.type', 'rar'], ['min.insync.replicas', '0'], ['min.cleanable.dirty.ratio', '2'],
  ['unclean.leader.election.enable', 'maybe'], ['message.format.version', '9.9'], ['leader.replication.throttled.replicas', 'x'],
  ['max.message.bytes', '-1'], ['message.timestamp.type', 'Never'], ['remote.storage.enable', 'true'], ['segment.ms', '0'], ['local.retention.ms', '-5'],
]

export const createCases: BadRequest[] = [
  ...badNames.map((name) => create(`the name '${name.slice(0, 20)}'`, { name })),
  ...badValues.map((pair) => create(`${pair[0]}=${pair[1] ?? 'null'}`, { configs: [pair] })),
  create('no partitions', { partitions: 0, versions: 'all' }),
  create('-2 partitions', { partitions: -2 }),
  create('the default of partitions', { partitions: -1, versions: 'all' }),
  create('replication factor 0', { factor: 0 }),
  create('replication factor -2', { factor: -2 }),
  create('replication factor 3', { factor: 3, versions: [1, 4, 7] }),
  create('an assignment and a number', { assignments: [[0, [0]]], partitions: 1 }),
  create('an assignment and a factor', { assignments: [[0, [0]]], factor: 1 }),
  create('an assignment with a gap', { assignments: [[0, [0]], [2, [0]]] }),
  create('an assignment that begins at 1', { assignments: [[1, [0]]] }),
  create('an assignment to nobody', { assignments: [[0, []]] }),
  create('an assignment to an unknown broker', { assignments: [[0, [0, 9]]] }),
  create('an assignment to a broker twice', { assignments: [[0, [0, 0]]] }),
  create('assignments of unequal sizes', { assignments: [[0, [0]], [1, [0, 1]]] }),
  create('a partition assigned twice', { assignments: [[0, [0]], [0, [1]]] }),
  create('a negative broker', { assignments: [[0, [-1]]] }),
  create('to another broker', { to: 'other', versions: [2, 7] }),
  create('a good one', { name: 'good-one', configs: [['retention.ms', '1000']] }),
  {
    name: 'create topics: the same twice', api: ApiKey.createTopics, to: 'controller',
    body: () => ({ topics: [{ name: 'twice', numPartitions: 1, replicationFactor: 1 }, { name: 'twice', numPartitions: 1, replicationFactor: 1 }], timeoutMs: 1000 }),
  },
  { name: 'create topics: none', api: ApiKey.createTopics, to: 'controller', body: () => ({ topics: [], timeoutMs: 1000 }) },
]

function remove(what: string, body: (version: number) => unknown, versions: BadRequest['versions'] = [6], ours?: RegExp): BadRequest {
  return { ...(ours === undefined ? {} : { ours }), name: `delete topics: ${what}`, api: ApiKey.deleteTopics, to: 'controller', versions, body: (_, version) => ({ ...(body(version) as object), timeoutMs: 2000 }) }
}

export const deleteCases: BadRequest[] = [
  remove('unknown', (version) => (version >= 6 ? { topics: [{ name: 'nowhere' }] } : { topicNames: ['nowhere'] }), 'all'),
  remove('unknown id', () => ({ topics: [{ name: null, topicId: 'AQEBAQEBAQEBAQEBAQEBAQ' }] })),
  remove('neither name nor id', () => ({ topics: [{ name: null }] }), [6], /"errorCode":3,/),
  remove('name and id', () => ({ topics: [{ name: 'plain', topicId: 'AQEBAQEBAQEBAQEBAQEBAQ' }] })),
  remove('twice', () => ({ topics: [{ name: 'nowhere' }, { name: 'nowhere' }] })),
  remove('a bad name', () => ({ topics: [{ name: 'a/b' }] })),
  remove('none', () => ({ topics: [] })),
  { name: 'delete topics: to another broker', api: ApiKey.deleteTopics, to: 'other', body: () => ({ topics: [{ name: 'plain' }], timeoutMs: 1000 }) },
]

function grow(what: string, topics: unknown[], to: BadRequest['to'] = 'controller', versions: BadRequest['versions'] = [3]): BadRequest {
  return { name: `create partitions: ${what}`, api: ApiKey.createPartitions, to, versions, body: () => ({ topics, timeoutMs: 2000, validateOnly: true }) }
}

export const partitionCases: BadRequest[] = [
  grow('unknown topic', [{ name: 'nowhere', count: 3, assignments: null }], 'controller', 'all'),
  grow('as many', [{ name: 'plain', count: 2, assignments: null }]),
  grow('fewer', [{ name: 'plain', count: 1, assignments: null }]),
  grow('none', [{ name: 'plain', count: 0, assignments: null }]),
  grow('-1', [{ name: 'plain', count: -1, assignments: null }]),
  grow('too few assignments', [{ name: 'plain', count: 4, assignments: [{ brokerIds: [0, 1] }] }]),
  grow('too many assignments', [{ name: 'plain', count: 3, assignments: [{ brokerIds: [0, 1] }, { brokerIds: [0, 1] }] }]),
  grow('assigned to an unknown broker', [{ name: 'plain', count: 3, assignments: [{ brokerIds: [0, 9] }] }]),
  grow('assigned to a broker twice', [{ name: 'plain', count: 3, assignments: [{ brokerIds: [0, 0] }] }]),
  grow('assigned with another factor', [{ name: 'plain', count: 3, assignments: [{ brokerIds: [0] }] }]),
  grow('assigned to nobody', [{ name: 'plain', count: 3, assignments: [{ brokerIds: [] }] }]),
  grow('assignments of unequal sizes', [{ name: 'plain', count: 4, assignments: [{ brokerIds: [0, 1] }, { brokerIds: [0] }] }]),
  grow('the same topic twice', [{ name: 'plain', count: 3, assignments: null }, { name: 'plain', count: 4, assignments: null }]),
  grow('to another broker', [{ name: 'plain', count: 3, assignments: null }], 'other'),
  grow('a good one', [{ name: 'plain', count: 3, assignments: [{ brokerIds: [1, 0] }] }]),
]

function reassign(what: string, topics: unknown, to: BadRequest['to'] = 'controller'): BadRequest {
  return { name: `alter reassignments: ${what}`, api: ApiKey.alterPartitionReassignments, to, body: () => ({ timeoutMs: 2000, topics }) }
}
const to = (replicas: number[] | null, name = 'plain', partitionIndex = 0): unknown => [{ name, partitions: [{ partitionIndex, replicas }] }]

export const reassignmentCases: BadRequest[] = [
  reassign('unknown topic', to([0, 1], 'nowhere')),
  reassign('unknown partition', to([0, 1], 'plain', 9)),
  reassign('to nobody', to([])),
  reassign('to a broker twice', to([0, 0])),
  reassign('to a negative broker', to([0, -1])),
  reassign('to an unknown broker', to([0, 9])),
  reassign('nothing to cancel', to(null)),
  reassign('nothing to cancel at an unknown partition', to(null, 'nowhere')),
  reassign('none', []),
  reassign('to another broker', to([0, 1]), 'other'),
  ...([null, [{ name: 'nowhere', partitionIndexes: [0] }], [{ name: 'plain', partitionIndexes: [9] }], []] as const).map(
    (topics, i): BadRequest => ({ name: `list reassignments: ${i}`, api: ApiKey.listPartitionReassignments, to: 'controller', body: () => ({ timeoutMs: 1000, topics }) }),
  ),
  { name: 'list reassignments: to another broker', api: ApiKey.listPartitionReassignments, to: 'other', body: () => ({ timeoutMs: 1000, topics: null }) },
  ...([
    ['unknown topic', 0, [{ topic: 'nowhere', partitions: [0] }]],
    ['unknown partition', 0, [{ topic: 'plain', partitions: [9] }]],
    ['not needed', 0, [{ topic: 'plain', partitions: [0] }]],
    ['unclean, not needed', 1, [{ topic: 'plain', partitions: [0] }]],
    ['all', 0, null],
    ['of kind 2', 2, [{ topic: 'plain', partitions: [0] }]],
  ] as const).map(([what, electionType, topicPartitions]): BadRequest => ({
    name: `elect leaders: ${what}`, ...(electionType === 2 ? { ours: /"errorCode":42/ } : {}), api: ApiKey.electLeaders, to: 'controller', body: () => ({ electionType, topicPartitions, timeoutMs: 2000 }),
  })),
  { name: 'elect leaders: to another broker', api: ApiKey.electLeaders, to: 'other', body: () => ({ electionType: 0, topicPartitions: [{ topic: 'plain', partitions: [0] }], timeoutMs: 1000 }) },
  ...([['/nowhere', 'plain', 0], ['relative', 'plain', 0], ['/nowhere', 'nowhere', 0], ['', 'plain', 0]] as const).map(([path, name, partition]): BadRequest => ({
    name: `alter replica log dirs: ${name} to '${path}'`, api: ApiKey.alterReplicaLogDirs, body: () => ({ dirs: [{ path, topics: [{ name, partitions: [partition] }] }] }),
  })),
  { name: 'describe log dirs: unknown topic', api: ApiKey.describeLogDirs, versions: 'all', body: () => ({ topics: [{ topic: 'nowhere', partitions: [0] }] }) },
  { name: 'describe log dirs: unknown partition', api: ApiKey.describeLogDirs, body: () => ({ topics: [{ topic: 'plain', partitions: [9] }] }) },
  { name: 'describe log dirs: one', api: ApiKey.describeLogDirs, body: () => ({ topics: [{ topic: 'far', partitions: [0] }] }) },
]
