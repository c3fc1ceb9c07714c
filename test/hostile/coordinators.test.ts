/** Floods and forgeries for both coordinators of one broker: it stays within bounds, and honest clients are served. */
import { Producer, startCluster } from '../../index'
import { KafkaConnection } from '../../network/kafka-connection'
import { encodeTransactionKey, encodeTransactionValue } from '../../protocol/files/internal-records'
import { ApiKey } from '../../protocol/messages/apis'
import { BatchBuilder } from '../../protocol/records/records'
import { realEnvironment } from '../../runtime/real'
import { HonestClient, createTopic, pause, residentBytes } from './support'
import type { DescribeGroupsResponse } from '../../protocol/messages/describe-groups'
import type { FindCoordinatorResponse } from '../../protocol/messages/find-coordinator'
import type { InitProducerIdResponse } from '../../protocol/messages/init-producer-id'
import type { JoinGroupResponse } from '../../protocol/messages/join-group'
import type { OffsetCommitResponse } from '../../protocol/messages/offset-commit'
import type { OffsetFetchResponse } from '../../protocol/messages/offset-fetch'
import type { SyncGroupResponse } from '../../protocol/messages/sync-group'
import type { TestCluster } from '../../index'

const MB = 1024 * 1024
const NOT_AVAILABLE = 15
const MEMBER_ID_REQUIRED = 79

let cluster: TestCluster
let honest: HonestClient
const connections: KafkaConnection[] = []

beforeAll(async () => {
  cluster = await startCluster({
    brokers: 1,
    overrides: {
      'offsets.topic.num.partitions': '2', 'transaction.state.log.num.partitions': '2', 'group.initial.rebalance.delay.ms': '0',
    },
  })
  await createTopic(cluster, 'honest')
  honest = new HonestClient(cluster, 'honest')
  await honest.served(20)
  const connection = await connect('finder')
  for (const keyType of [0, 1]) {
    for (let errorCode = 15; errorCode !== 0; await pause(50)) {
      const body = { key: 'x', keyType }
      errorCode = (await connection.send<object, FindCoordinatorResponse>(ApiKey.findCoordinator, body, { version: 3 })).errorCode
    }
  }
  await stable(connection, 'honest')
}, 60_000)

afterAll(async () => {
  for (const connection of connections) connection.close()
  await honest.stop()
  await cluster.close()
}, 60_000)

async function connect(clientId: string): Promise<KafkaConnection> {
  const connection = new KafkaConnection(realEnvironment(), {
    host: '127.0.0.1', port: cluster.port(0), clientId, requestTimeoutMs: 60_000, maxInFlight: 100,
  })
  await connection.connect()
  connections.push(connection)
  return connection
}

function join(groupId: string, more: object = {}): object {
  const protocols = [{ name: 'range', metadata: Buffer.alloc(1000) }]
  return { groupId, memberId: '', sessionTimeoutMs: 300_000, rebalanceTimeoutMs: 300_000, protocolType: 'consumer', protocols, ...more }
}

/** A group of one member that has its part. */
async function stable(connection: KafkaConnection, groupId: string): Promise<void> {
  for (;; await pause(50)) {
    const { errorCode, memberId, generationId } = await connection.send<object, JoinGroupResponse>(ApiKey.joinGroup, join(groupId), { version: 3 })
    if (errorCode !== 0) continue
    const assignments = [{ memberId, assignment: Buffer.from('part') }]
    const synced = await connection.send<object, SyncGroupResponse>(
      ApiKey.syncGroup, { groupId, memberId, generationId, assignments }, { version: 2 },
    )
    if (synced.errorCode === 0) return
  }
}

async function commit(connection: KafkaConnection, groupId: string, metadata = ''): Promise<number> {
  const topics = [{ name: 'honest', partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: metadata }] }]
  const { topics: [topic] } = await connection.send<object, OffsetCommitResponse>(ApiKey.offsetCommit, { groupId, topics }, { version: 8 })
  return topic!.partitions[0]!.errorCode
}

/** Runs `attack` from several connections at once, as often as it returns true; how much more memory the broker had at most. */
async function growth(attack: (connection: KafkaConnection, i: number) => Promise<boolean>, times: number): Promise<number> {
  const before = residentBytes(cluster.pid(0))
  let most = before
  const timer = setInterval(() => (most = Math.max(most, residentBytes(cluster.pid(0)))), 50)
  let next = 0
  try {
    await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const connection = connections[connections.length - 1 - (i % 4)]!
        while (next < times && (await attack(connection, next++))) continue
      }),
    )
  } finally {
    clearInterval(timer)
  }
  await honest.served()
  return (most - before) / MB
}

async function attackers(clientId: string): Promise<void> {
  for (let i = 0; i < 4; i++) await connect(clientId)
}

test('members and groups with endless names', async () => {
  await attackers('c'.repeat(8000))
  const told = new Map<number, number>()
  const grown = await growth(
    async (connection, i) => {
      const { errorCode } = await connection.send<object, JoinGroupResponse>(
        ApiKey.joinGroup, join(`${'g'.repeat(8000)}-${i}`), { version: 5 },
      )
      told.set(errorCode, (told.get(errorCode) ?? 0) + 1)
      return true
    },
    19_000,
  )
  expect([...told.keys()].sort()).toEqual([NOT_AVAILABLE, MEMBER_ID_REQUIRED])
  expect(told.get(MEMBER_ID_REQUIRED)).toBeLessThan(18_000)
  expect(grown).toBeLessThan(900)
  expect(honest.longestMs).toBeLessThan(5000)
}, 180_000)

test('ids that no map can tell apart', async () => {
  const connection = await connect('endless')
  const groups = Array.from({ length: 1500 }, (_, i) => `${'g'.repeat(20_000)}${i + 1000}`)
  await expect(connection.send(ApiKey.describeGroups, { groups }, { version: 4 })).rejects.toThrow('closed by the node')
  await honest.served()
  expect(honest.longestMs).toBeLessThan(5000)
}, 60_000)

test('small requests for huge answers', async () => {
  const connection = await connect('huge')
  const groups = Array.from({ length: 200_000 }, () => 'honest')
  const described = await connection.send<object, DescribeGroupsResponse>(ApiKey.describeGroups, { groups }, { version: 4 })
  expect(described.groups.map(({ groupState }) => groupState)).toEqual(['Stable'])
  const body = { groups: groups.map((groupId) => ({ groupId, topics: null })), requireStable: false }
  const fetched = await connection.send<object, OffsetFetchResponse>(ApiKey.offsetFetch, body, { version: 8 })
  expect(fetched.groups).toHaveLength(1)
  const topics = [{ name: 'honest', partitionIndexes: groups.map(() => 0) }]
  const offsets = await connection.send<object, OffsetFetchResponse>(ApiKey.offsetFetch, { groupId: 'honest', topics }, { version: 7 })
  expect(offsets.topics[0]!.partitions).toHaveLength(1)
  await honest.served()
}, 60_000)

test('metadata of 64 KiB with each commit', async () => {
  await attackers('metadata')
  const told = new Set<number>()
  const grown = await growth(
    async (connection) => {
      told.add(await commit(connection, 'honest-metadata', 'm'.repeat(32_000)))
      return true
    },
    5000,
  )
  expect([...told]).toEqual([12])
  expect(grown).toBeLessThan(200)
}, 120_000)

test('transactions that are begun and left', async () => {
  await attackers('half-open')
  const grown = await growth(
    async (connection, i) => {
      const transactionalId = `half-open-${i}`
      const { errorCode, producerId, producerEpoch } = await connection.send<object, InitProducerIdResponse>(
        ApiKey.initProducerId, { transactionalId, transactionTimeoutMs: 60_000 }, { version: 4 },
      )
      if (errorCode === 0) {
        await connection.send(
          ApiKey.addPartitionsToTxn,
          {
            v3AndBelowTransactionalId: transactionalId, v3AndBelowProducerId: producerId, v3AndBelowProducerEpoch: producerEpoch,
            v3AndBelowTopics: [{ name: 'honest', partitions: [0] }],
          },
          { version: 3 },
        )
      }
      return true
    },
    5000,
  )
  expect(grown).toBeLessThan(300)
  await transact('honest-transactions')
}, 120_000)

test('forged records in the log of transactions, also after a restart', async () => {
  const admin = await connect('__admin_client')
  const forged = [-1, 7].flatMap((producerId) =>
    [0, 1, 2, 3, 4, 6, 7, 99].map((transactionStatus) => ({ producerId, producerEpoch: -1, transactionStatus })),
  )
  for (const [i, value] of forged.entries()) {
    const records = new BatchBuilder()
      .append(encodeTransactionKey(`forged-${i}`), encodeTransactionValue({
        transactionTimeoutMs: 1, transactionPartitions: [{ topic: 'honest', partitionIds: [0] }], transactionLastUpdateTimestampMs: 1,
        transactionStartTimestampMs: 1, ...value,
      }), [], Date.now())
      .append(encodeTransactionKey(`garbage-${i}`), Buffer.from([0, 0, 1, 2]), [], Date.now())
      .build()
    const topicData = [{ name: '__transaction_state', partitionData: [{ index: i % 2, records }] }]
    await admin.send(ApiKey.produce, { acks: -1, timeoutMs: 5000, topicData }, { version: 9 })
  }
  await honest.served()
  await cluster.restart(0)
  await cluster.waitUntilHealthy()
  await honest.served()
  await transact('honest-transactions')
  expect(cluster.isRunning(0)).toBe(true)
}, 120_000)

async function transact(transactionalId: string): Promise<void> {
  const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers, 'transactional.id': transactionalId })
  await producer.initTransactions()
  producer.beginTransaction()
  await producer.send({ topic: 'honest', value: 'in a transaction' })
  await producer.commitTransaction()
  await producer.close()
}
