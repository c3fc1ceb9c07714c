import { ApiKey } from '../../../protocol/messages/apis'
import { BatchBuilder } from '../../../protocol/records/records'
import { until } from '../mixed-cluster'
import type { MixedCluster } from '../mixed-cluster'
import type { ZooKeeperSession } from '../../../zk-schema/session/session'

/** Something that an administrator does, to either cluster: afterwards the trees must be equal. */
export interface Action {
  name: string
  run(cluster: MixedCluster): Promise<unknown>
}

type Assignment = Record<number, number[]>

async function controller(cluster: MixedCluster): Promise<number> {
  const [first] = cluster.running
  let id = -1
  await until('there is a controller', 30_000, async () => {
    id = (await cluster.metadata(first!)).controllerId
    return cluster.running.includes(id)
  })
  return id
}

/** Asks the controller, again while the answer may change by itself; errors are a part of the story. */
async function ask(cluster: MixedCluster, key: number, body: object, version?: number): Promise<unknown> {
  return await cluster.ask(await controller(cluster), key, body, version)
}

function create(name: string, partitions: Assignment, configs: Record<string, string> = {}): Action {
  return {
    name: `create ${name}`,
    run: (cluster) =>
      ask(cluster, ApiKey.createTopics, {
        topics: [
          {
            name,
            numPartitions: -1,
            replicationFactor: -1,
            assignments: Object.entries(partitions).map(([index, brokerIds]) => ({ partitionIndex: Number(index), brokerIds })),
            configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
          },
        ],
        timeoutMs: 20_000,
      }),
  }
}

function remove(name: string): Action {
  return { name: `delete ${name}`, run: (cluster) => ask(cluster, ApiKey.deleteTopics, { topics: [{ name }], timeoutMs: 20_000 }) }
}

function grow(name: string, count: number, added: number[][]): Action {
  return {
    name: `${name} gets ${count} partitions`,
    run: (cluster) =>
      ask(cluster, ApiKey.createPartitions, {
        topics: [{ name, count, assignments: added.map((brokerIds) => ({ brokerIds })) }], timeoutMs: 20_000, validateOnly: false,
      }),
  }
}

const TOPIC = 2, BROKER = 4
const SET = 0, DELETE = 1, APPEND = 2, SUBTRACT = 3

function change(resourceType: number, resourceName: string, changes: [string, number, string | null][]): Action {
  return {
    name: `configuration of '${resourceName}': ${changes.map((one) => one.join(' ')).join(', ')}`,
    // A broker's own configuration is its own affair.
    run: (cluster) =>
      cluster.ask(resourceType === BROKER && resourceName !== '' ? Number(resourceName) : 0, ApiKey.incrementalAlterConfigs, {
        resources: [{ resourceType, resourceName, configs: changes.map(([key, configOperation, value]) => ({ name: key, configOperation, value })) }],
        validateOnly: false,
      }),
  }
}

function replaceConfigs(resourceName: string, configs: Record<string, string>): Action {
  return {
    name: `all the configuration of ${resourceName}`,
    run: (cluster) =>
      cluster.ask(0, ApiKey.alterConfigs, {
        resources: [{ resourceType: TOPIC, resourceName, configs: Object.entries(configs).map(([name, value]) => ({ name, value })) }], validateOnly: false,
      }),
  }
}

function quotas(entity: Record<string, string | null>, ops: Record<string, number | undefined>, validateOnly = false): Action {
  return {
    name: `quotas of ${JSON.stringify(entity)}: ${Object.entries(ops).map((op) => op.join(' ')).join(', ')}${validateOnly ? ' (only validated)' : ''}`,
    run: (cluster) =>
      cluster.ask(0, ApiKey.alterClientQuotas, {
        entries: [{
          entity: Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName })),
          ops: Object.entries(ops).map(([key, value]) => ({ key, value: value ?? 0, remove: value === undefined })),
        }],
        validateOnly,
      }),
  }
}

function scram(deletions: [string, number][], upsertions: [string, number][]): Action {
  return {
    name: `scram: without ${JSON.stringify(deletions)}, with ${JSON.stringify(upsertions)}`,
    run: (cluster) =>
      ask(cluster, ApiKey.alterUserScramCredentials, {
        deletions: deletions.map(([name, mechanism]) => ({ name, mechanism })),
        upsertions: upsertions.map(([name, mechanism]) => ({
          name, mechanism, iterations: 4096, salt: Buffer.from(`salt of ${name}`), saltedPassword: Buffer.from(`salted ${name}`),
        })),
      }),
  }
}

async function isReassigned(cluster: MixedCluster): Promise<void> {
  await until('no reassignment is under way', 30_000, async () => {
    const answer = (await ask(cluster, ApiKey.listPartitionReassignments, { timeoutMs: 5000, topics: null })) as { topics: unknown[] }
    return answer.topics.length === 0
  })
}

function reassign(name: string, partitionIndex: number, replicas: number[] | null): Action {
  return {
    name: `reassign ${name}-${partitionIndex} to ${replicas?.join(', ') ?? 'nothing (cancel)'}`,
    run: async (cluster) => {
      await ask(cluster, ApiKey.alterPartitionReassignments, { timeoutMs: 10_000, topics: [{ name, partitions: [{ partitionIndex, replicas }] }] })
      await isReassigned(cluster)
    },
  }
}

function elect(electionType: number, topic: string, partitions: number[]): Action {
  return {
    name: `elect leaders of ${topic} (${electionType})`,
    run: (cluster) => ask(cluster, ApiKey.electLeaders, { electionType, topicPartitions: [{ topic, partitions }], timeoutMs: 10_000 }),
  }
}

function byHand(name: string, run: (session: ZooKeeperSession, cluster: MixedCluster) => Promise<unknown>, after?: (cluster: MixedCluster) => Promise<unknown>): Action {
  return {
    name: `by hand: ${name}`,
    run: async (cluster) => {
      await cluster.zookeeper((session) => run(session, cluster))
      await after?.(cluster)
    },
  }
}

async function hasLeaders(cluster: MixedCluster, topic: string, partitions: number): Promise<void> {
  await until(`${topic} has leaders`, 30_000, async () => {
    const found = (await cluster.metadata(cluster.running[0]!, [topic])).topics[0]
    return found?.errorCode === 0 && found.partitions.length === partitions && found.partitions.every(({ leaderId }) => leaderId >= 0)
  })
}

/** Every replica of a running broker is in sync. */
async function isWhole(cluster: MixedCluster): Promise<void> {
  await until('every running replica is in sync', 60_000, async () => {
    const { topics } = await cluster.metadata(await controller(cluster))
    return topics.every(({ partitions }) => partitions.every(({ replicaNodes, isrNodes }) =>
      replicaNodes.filter((id) => cluster.running.includes(id)).every((id) => isrNodes.includes(id))))
  })
}

function stop(id: number, signal: 'SIGTERM' | 'SIGKILL'): Action {
  return {
    name: `broker ${id} ends by ${signal}`,
    run: async (cluster) => {
      await cluster.stop(id, signal)
      await until('its znode is gone', 30_000, () => cluster.zookeeper(async (session) => (await session.exists(`/brokers/ids/${id}`)) === undefined))
    },
  }
}

function start(id: number): Action {
  return {
    name: `broker ${id} starts`,
    run: async (cluster) => {
      await cluster.start(id)
      await isWhole(cluster)
    },
  }
}

function offsetCommit(groupId: string, version: number): Action {
  return {
    name: `offsets of ${groupId} by version ${version}`,
    run: (cluster) =>
      cluster.ask(0, ApiKey.offsetCommit, {
        groupId, ...(version === 0 ? {} : { generationIdOrMemberEpoch: -1, memberId: '' }),
        topics: [{ name: 'a', partitions: [{ partitionIndex: 0, committedOffset: 42, committedMetadata: 'm' }] }],
      }, version),
  }
}

const encode = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

export const actions: readonly Action[] = [
  create('a', { 0: [0, 1], 1: [1, 0] }),
  create('b', { 0: [0] }, { 'retention.ms': '1000', 'cleanup.policy': 'delete' }),
  create('c', { 0: [1, 0], 1: [0, 1], 2: [1] }),
  create('with.dot', { 0: [0, 1] }, { 'min.insync.replicas': '2' }),
  create('a', { 0: [0] }),
  create('bad', { 0: [0, 9] }),
  create('worse', { 0: [0] }, { 'retention.ms': 'soon' }),
  create('__consumer_offsets', { 0: [0, 1] }, { 'cleanup.policy': 'compact' }),
  create('__transaction_state', { 0: [0, 1] }, { 'cleanup.policy': 'compact' }),
  change(TOPIC, 'a', [['retention.ms', SET, '5000']]),
  change(TOPIC, 'a', [['retention.bytes', SET, '100'], ['cleanup.policy', APPEND, 'compact']]),
  change(TOPIC, 'a', [['cleanup.policy', SUBTRACT, 'delete']]),
  change(TOPIC, 'a', [['retention.ms', DELETE, null]]),
  change(TOPIC, 'a', [['retention.ms', SET, 'soon']]),
  change(TOPIC, 'a', [['retention.bytes', DELETE, null], ['cleanup.policy', DELETE, null]]),
  replaceConfigs('b', { 'segment.bytes': '2000000', 'max.message.bytes': '5000' }),
  replaceConfigs('b', {}),
  change(BROKER, '0', [['log.cleaner.backoff.ms', SET, '3000']]),
  change(BROKER, '', [['log.retention.ms', SET, '700000']]),
  change(BROKER, '0', [['log.cleaner.backoff.ms', DELETE, null]]),
  change(BROKER, '', [['log.retention.ms', DELETE, null]]),
  change(BROKER, '1', [['leader.replication.throttled.rate', SET, '1000000']]),
  change(BROKER, '1', [['leader.replication.throttled.rate', DELETE, null]]),
  change(TOPIC, 'a', [['leader.replication.throttled.replicas', SET, '0:0,1:1']]),
  change(TOPIC, 'a', [['leader.replication.throttled.replicas', DELETE, null]]),
  quotas({ user: 'alice' }, { producer_byte_rate: 1e9, request_percentage: 12345678.5 }),
  quotas({ user: 'alice', 'client-id': 'c 1*' }, { consumer_byte_rate: 1e15 }),
  quotas({ user: 'bob', 'client-id': null }, { controller_mutation_rate: 0.0005 }),
  quotas({ user: null }, { request_percentage: 1e9 }),
  quotas({ user: null, 'client-id': null }, { consumer_byte_rate: 1e12 }),
  quotas({ 'client-id': 'User:CN=x,O=y/z' }, { consumer_byte_rate: 1e12 }),
  quotas({ 'client-id': null }, { consumer_byte_rate: 1e12 }),
  quotas({ user: '<default>', 'client-id': '<default>' }, { consumer_byte_rate: 1e12 }),
  quotas({ ip: 'localhost' }, { connection_creation_rate: 1e6 }),
  quotas({ ip: '10.1.2.3' }, { connection_creation_rate: 100 }),
  quotas({ ip: null }, { connection_creation_rate: 1e6 }),
  quotas({ user: 'carol' }, { consumer_byte_rate: 1 }, true),
  quotas({ user: 'alice' }, { speed: 1 }),
  quotas({ user: 'nobody' }, { consumer_byte_rate: undefined }),
  scram([], [['alice', 1], ['zoë', 2]]),
  scram([['alice', 2]], [['alice', 1]]),
  scram([['alice', 1]], [['alice', 2]]),
  quotas({ user: 'alice' }, { producer_byte_rate: undefined, request_percentage: undefined }),
  scram([['alice', 2], ['zoë', 2]], []),
  quotas({ user: 'alice', 'client-id': 'c 1*' }, { consumer_byte_rate: undefined }),
  quotas({ user: 'bob', 'client-id': null }, { controller_mutation_rate: undefined }),
  quotas({ user: null }, { request_percentage: undefined }),
  quotas({ user: null, 'client-id': null }, { consumer_byte_rate: undefined }),
  quotas({ 'client-id': 'User:CN=x,O=y/z' }, { consumer_byte_rate: undefined }),
  quotas({ ip: null }, { connection_creation_rate: undefined }),
  grow('a', 4, [[0, 1], [1, 0]]),
  grow('a', 2, []),
  grow('b', 2, [[1]]),
  reassign('b', 0, [1]),
  reassign('b', 0, [1, 0]),
  reassign('b', 0, [0, 1]),
  reassign('b', 1, [0]),
  reassign('a', 0, [1, 0]),
  reassign('a', 0, null),
  reassign('a', 0, [0, 9]),
  reassign('nowhere', 0, [0]),
  elect(0, 'a', [0, 1]),
  elect(0, 'a', [0, 1]),
  elect(1, 'c', [0]),
  {
    name: 'produce, and an id for a producer',
    run: async (cluster) => {
      await cluster.ask(0, ApiKey.initProducerId, { transactionalId: null, transactionTimeoutMs: 1000 })
      await cluster.ask(1, ApiKey.initProducerId, { transactionalId: null, transactionTimeoutMs: 1000 })
      const records = new BatchBuilder({}).append(null, Buffer.from('v'), [], 1_700_000_000_000).build()
      await cluster.ask(1, ApiKey.produce, { acks: -1, timeoutMs: 10_000, topicData: [{ name: 'c', partitionData: [{ index: 0, records }] }] })
    },
  },
  { name: 'delete records', run: (cluster) => cluster.ask(1, ApiKey.deleteRecords, { topics: [{ name: 'c', partitions: [{ partitionIndex: 0, offset: 1 }] }], timeoutMs: 10_000 }) },
  offsetCommit('old', 0),
  offsetCommit('new', 2),
  remove('with.dot'),
  remove('with.dot'),
  create('with.dot', { 0: [1, 0] }),
  stop(1, 'SIGTERM'),
  create('while-1-is-away', { 0: [0] }),
  change(TOPIC, 'c', [['retention.ms', SET, '77777']]),
  start(1),
  elect(0, 'a', [0, 1, 2, 3]),
  elect(0, 'c', [0, 1, 2]),
  stop(1, 'SIGKILL'),
  start(1),
  elect(0, 'a', [0, 1, 2, 3]),
  stop(0, 'SIGTERM'),
  start(0),
  elect(0, 'a', [0, 1, 2, 3]),
  byHand('a topic', (session) => session.create('/brokers/topics/by-hand', encode({ version: 1, partitions: { 0: [0, 1], 1: [1] } })), (cluster) => hasLeaders(cluster, 'by-hand', 2)),
  byHand('/admin/delete_topics', (session) => session.create('/admin/delete_topics/by-hand', null), (cluster) =>
    until('it is gone', 30_000, () => cluster.zookeeper(async (session) => (await session.exists('/brokers/topics/by-hand')) === undefined))),
  byHand('/admin/preferred_replica_election', (session) => session.create('/admin/preferred_replica_election', encode({ version: 1, partitions: [{ topic: 'c', partition: 0 }] })), (cluster) =>
    until('it is gone', 30_000, () => cluster.zookeeper(async (session) => (await session.exists('/admin/preferred_replica_election')) === undefined))),
  byHand('/admin/reassign_partitions', (session) => session.create('/admin/reassign_partitions', encode({ version: 1, partitions: [{ topic: 'b', partition: 0, replicas: [1] }] })), (cluster) =>
    until('it is gone', 30_000, () => cluster.zookeeper(async (session) => (await session.exists('/admin/reassign_partitions')) === undefined))),
  create('after', { 0: [1, 0] }),
  stop(0, 'SIGKILL'),
  start(0),
  remove('after'),
  remove('a'),
  byHand('no controller', (session) => session.remove('/controller', -1), controller),
  create('last', { 0: [1, 0] }),
]
