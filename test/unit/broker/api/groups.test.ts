import { ErrorCode } from '../../../../protocol/errors'
import { ApiKey } from '../../../../protocol/messages/apis'
import { RunningCluster } from '../support/running-broker'
import type { KafkaConnection } from '../../../../network/kafka-connection'
import type { DescribeGroupsResponse } from '../../../../protocol/messages/describe-groups'
import type { FindCoordinatorResponse } from '../../../../protocol/messages/find-coordinator'
import type { HeartbeatResponse } from '../../../../protocol/messages/heartbeat'
import type { JoinGroupResponse } from '../../../../protocol/messages/join-group'
import type { LeaveGroupResponse } from '../../../../protocol/messages/leave-group'
import type { ListGroupsResponse } from '../../../../protocol/messages/list-groups'
import type { OffsetCommitResponse } from '../../../../protocol/messages/offset-commit'
import type { OffsetFetchResponse } from '../../../../protocol/messages/offset-fetch'
import type { SyncGroupResponse } from '../../../../protocol/messages/sync-group'
import type { ConsumerGroupDescribeResponse } from '../../../../protocol/messages/consumer-group-describe'

let cluster: RunningCluster
let connection: KafkaConnection

beforeAll(async () => {
  cluster = await RunningCluster.start(1, { 'group.initial.rebalance.delay.ms': '0', 'group.min.session.timeout.ms': '500' })
  await cluster.createTopic('topic', { partitions: 2 })
  connection = await cluster.connect()
  await coordinator('g')
})

afterAll(() => cluster.close())

/** Asks until the coordinator is there and has loaded the group. */
async function coordinator(groupId: string): Promise<void> {
  for (let end = Date.now() + 20_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 20))) {
    const found = await connection.send<object, FindCoordinatorResponse>(ApiKey.findCoordinator, { key: groupId }, { version: 1 })
    if (found.errorCode !== 0) continue
    if ((await describe(groupId)).errorCode === 0) return
  }
  throw new Error('no coordinator')
}

async function describe(groupId: string, version = 5): Promise<DescribeGroupsResponse['groups'][number]> {
  const body = { groups: [groupId], ...(version >= 3 ? { includeAuthorizedOperations: true } : {}) }
  return (await connection.send<object, DescribeGroupsResponse>(ApiKey.describeGroups, body, { version })).groups[0]!
}

function joinBody(groupId: string, memberId = '', more: object = {}): object {
  const protocols = [{ name: 'range', metadata: Buffer.from('0000000000010005746f706963ffffffff', 'hex') }]
  return { groupId, memberId, sessionTimeoutMs: 10_000, protocolType: 'consumer', protocols, ...more }
}

async function commit(groupId: string, version: number, body: object = {}, partition: object = {}): Promise<number[]> {
  const topics = [{ name: 'topic', partitions: [{ partitionIndex: 0, committedOffset: 7, committedMetadata: 'm', ...partition }, { partitionIndex: 9 }] }]
  const answer = await connection.send<object, OffsetCommitResponse>(ApiKey.offsetCommit, { groupId, topics, ...body }, { version })
  return answer.topics[0]!.partitions.map(({ errorCode }) => errorCode)
}

async function fetchOffset(groupId: string, version: number): Promise<{ offset: number; errorCode: number }> {
  const topics = [{ name: 'topic', partitionIndexes: [0] }]
  const body = version >= 8 ? { groups: [{ groupId, topics }] } : { groupId, topics }
  const answer = await connection.send<object, OffsetFetchResponse>(ApiKey.offsetFetch, body, { version })
  const partition = (version >= 8 ? answer.groups[0]!.topics : answer.topics)[0]!.partitions[0]!
  return { offset: partition.committedOffset, errorCode: partition.errorCode }
}

test('the first versions go through a whole group, with one request for all', async () => {
  const joined = await connection.send<object, JoinGroupResponse>(ApiKey.joinGroup, joinBody('old'), { version: 0 })
  expect(joined).toMatchObject({ errorCode: 0, generationId: 1, protocolName: 'range', leader: joined.memberId })
  const { memberId, generationId } = joined
  const assignments = [{ memberId, assignment: Buffer.from('mine') }]
  const synced = await connection.send<object, SyncGroupResponse>(
    ApiKey.syncGroup, { groupId: 'old', memberId, generationId, assignments }, { version: 0 },
  )
  expect([synced.errorCode, synced.assignment.toString()]).toEqual([0, 'mine'])
  const heartbeat = { groupId: 'old', memberId, generationId }
  expect((await connection.send<object, HeartbeatResponse>(ApiKey.heartbeat, heartbeat, { version: 0 })).errorCode).toBe(0)
  expect(await commit('old', 1, { memberId, generationIdOrMemberEpoch: generationId })).toEqual([0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])
  expect(await describe('old', 0)).toMatchObject({
    groupState: 'Stable', protocolType: 'consumer', protocolData: 'range', members: [{ memberId, clientId: 'test', clientHost: '/127.0.0.1' }],
  })
  expect((await connection.send<object, LeaveGroupResponse>(ApiKey.leaveGroup, { groupId: 'old', memberId: 'x' }, { version: 0 })).errorCode).toBe(25)
  expect((await connection.send<object, LeaveGroupResponse>(ApiKey.leaveGroup, { groupId: 'old', memberId }, { version: 0 })).errorCode).toBe(0)
  expect(await describe('old')).toMatchObject({ groupState: 'Empty', members: [], authorizedOperations: 328 })
  expect(await fetchOffset('old', 1)).toEqual({ offset: 7, errorCode: 0 })
})

test('the newest ones are given an id first', async () => {
  const first = await connection.send<object, JoinGroupResponse>(ApiKey.joinGroup, joinBody('new'), { version: 9 })
  expect(first).toMatchObject({ errorCode: ErrorCode.MEMBER_ID_REQUIRED, protocolName: null, generationId: -1 })
  const { memberId } = first
  const joined = await connection.send<object, JoinGroupResponse>(ApiKey.joinGroup, joinBody('new', memberId, { rebalanceTimeoutMs: 60_000 }), { version: 9 })
  expect(joined).toMatchObject({ errorCode: 0, memberId, protocolType: 'consumer', protocolName: 'range', members: [{ memberId }] })
  const sync = { groupId: 'new', memberId, generationId: joined.generationId }
  const unnamed = await connection.send<object, SyncGroupResponse>(ApiKey.syncGroup, sync, { version: 5 })
  expect(unnamed.errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  const left = await connection.send<object, LeaveGroupResponse>(
    ApiKey.leaveGroup, { groupId: 'new', members: [{ memberId }, { memberId: 'x', groupInstanceId: 'i', reason: 'r' }] }, { version: 5 },
  )
  expect(left).toMatchObject({ errorCode: 0, members: [{ memberId, errorCode: 0 }, { memberId: 'x', groupInstanceId: 'i', errorCode: 25 }] })
  const refused = await connection.send<object, LeaveGroupResponse>(ApiKey.leaveGroup, { groupId: '', members: [{ memberId }] }, { version: 5 })
  expect(refused).toMatchObject({ errorCode: ErrorCode.INVALID_GROUP_ID, members: [] })
})

test('version 0 keeps offsets in ZooKeeper', async () => {
  expect(await fetchOffset('zk', 0)).toEqual({ offset: -1, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION })
  expect(await commit('zk', 0)).toEqual([0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])
  expect(await commit('zk', 0, {}, { committedOffset: 8 })).toEqual([0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])
  expect(await fetchOffset('zk', 0)).toEqual({ offset: 8, errorCode: 0 })
  expect((await cluster.brokers[0]!.keeper.current.get('/consumers/zk/offsets/topic/0'))!.data!.toString()).toBe('8')
  expect(await fetchOffset('zk', 9)).toEqual({ offset: -1, errorCode: 0 })
})

test('a commit of versions 2 to 4 may say how long it is kept', async () => {
  expect(await commit('kept', 3, { retentionTimeMs: 5 })).toEqual([0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])
  expect(await fetchOffset('kept', 8)).toEqual({ offset: 7, errorCode: 0 })
})

test('groups are listed, and refuse the protocol of KRaft', async () => {
  const listed = await connection.send<object, ListGroupsResponse>(ApiKey.listGroups, { statesFilter: ['empty'], typesFilter: [] }, { version: 5 })
  expect(listed.errorCode).toBe(0)
  expect(listed.groups).toContainEqual({ groupId: 'old', protocolType: 'consumer', groupState: 'Empty', groupType: 'classic' })
  const described = await connection.send<object, ConsumerGroupDescribeResponse>(ApiKey.consumerGroupDescribe, { groupIds: ['old'] }, { version: 0 })
  expect(described.groups).toMatchObject([{ groupId: 'old', errorCode: ErrorCode.UNSUPPORTED_VERSION }])
})

test('everything is there after a restart', async () => {
  await cluster.brokers.pop()!.stop()
  await cluster.startBroker(0, { 'group.initial.rebalance.delay.ms': '0' })
  connection = await cluster.connect()
  await coordinator('old')
  expect(await fetchOffset('old', 9)).toEqual({ offset: 7, errorCode: 0 })
  expect(await describe('old')).toMatchObject({ groupState: 'Empty', protocolType: 'consumer' })
  expect(cluster.fatal).toEqual([])
})
