import { Admin } from '../../../client/admin'
import { ErrorCode } from '../../../protocol/errors'
import { ApiKey } from '../../../protocol/messages/apis'
import { encodeAssignment } from '../../../client/group/protocol'
import { scripted } from './support/scripted-broker'
import type { Loose } from './support/scripted-broker'

async function admin() {
  const { world, broker, env, bootstrap } = await scripted()
  const client = new Admin({ 'bootstrap.servers': bootstrap, 'default.api.timeout.ms': 3000 }, env)
  const settle = <T>(promise: Promise<T>): Promise<T> => world.settle(promise, 10_000, 'it ends')
  return { world, broker, client, settle }
}

const described = (groupId: string, more: object = {}): object => ({
  groupId,
  groupState: 'Stable',
  protocolType: 'consumer',
  protocolData: 'range',
  members: [],
  ...more,
})

describe('describing groups', () => {
  test('members and what they have; other kinds of groups are refused', async () => {
    const { broker, client, settle } = await admin()
    const memberAssignment = encodeAssignment({ partitions: [{ topic: 't', partition: 1 }], userData: null })
    broker.on(ApiKey.describeGroups, () => ({
      groups: [
        described('a', {
          members: [
            {
              memberId: 'm',
              groupInstanceId: null,
              clientId: 'c',
              clientHost: '/1.2.3.4',
              memberMetadata: Buffer.alloc(0),
              memberAssignment,
            },
          ],
        }),
        described('b', { protocolType: 'connect' }),
        described('c', { protocolType: '', groupState: 'Dead' }),
      ],
    }))
    const found = await settle(client.describeConsumerGroups(['a', 'b', 'c']))
    expect(found.get('a')).toMatchObject({
      state: 'Stable',
      partitionAssignor: 'range',
      coordinator: { id: 0 },
      members: [{ memberId: 'm', host: '/1.2.3.4', assignment: [{ topic: 't', partition: 1 }] }],
    })
    expect(found.get('b')).toMatchObject({ message: 'GroupId b is not a consumer group (connect).' })
    expect(found.get('c')).toMatchObject({ state: 'Dead', isSimple: true })
  })

  test.each([
    ['COORDINATOR_LOAD_IN_PROGRESS', 1],
    ['COORDINATOR_NOT_AVAILABLE', 2],
    ['NOT_COORDINATOR', 2],
  ] as const)('%s: only the group that has it is asked for again', async (name, lookups) => {
    const { broker, client, settle } = await admin()
    let first = true
    broker.on(ApiKey.describeGroups, ({ groups }: Loose) => {
      const answer = {
        groups: groups.map((groupId: string) =>
          described(groupId, { errorCode: first && groupId === 'a' ? ErrorCode[name] : 0 }),
        ),
      }
      first = false
      return answer
    })
    const found = await settle(client.describeConsumerGroups(['a', 'b']))
    expect([...found.values()]).toMatchObject([{ groupId: 'b' }, { groupId: 'a' }])
    expect(broker.of(ApiKey.describeGroups).map(({ body }) => body.groups)).toEqual([['a', 'b'], ['a']])
    expect(broker.of(ApiKey.findCoordinator)).toHaveLength(lookups)
  })

  test('a group of the newer protocol, which DescribeGroups takes for dead, is asked for in its own way', async () => {
    const { broker, client, settle } = await admin()
    broker.on(ApiKey.describeGroups, ({ groups }: Loose) => ({
      groups: groups.map((groupId: string) => described(groupId, groupId === 'old' ? {} : { groupState: 'Dead', protocolType: '' })),
    }))
    broker.on(ApiKey.consumerGroupDescribe, ({ groupIds }: Loose) => ({
      groups: groupIds.map((groupId: string) => ({
        groupId,
        errorCode: groupId === 'new' ? 0 : ErrorCode.GROUP_ID_NOT_FOUND,
        groupState: 'Reconciling',
        assignorName: 'uniform',
        members: [
          {
            memberId: 'm',
            clientId: 'c',
            clientHost: '/h',
            assignment: { topicPartitions: [{ topicName: 't', partitions: [0, 2] }] },
          },
        ],
      })),
    }))
    const found = await settle(client.describeConsumerGroups(['old', 'new', 'gone']))
    expect(broker.of(ApiKey.consumerGroupDescribe).map(({ body }) => body.groupIds)).toEqual([['new', 'gone']])
    expect(found.get('old')).toMatchObject({ state: 'Stable' })
    expect(found.get('gone')).toMatchObject({ state: 'Dead' })
    expect(found.get('new')).toMatchObject({
      state: 'Reconciling',
      isSimple: false,
      partitionAssignor: 'uniform',
      members: [{ memberId: 'm', host: '/h', assignment: [{ topic: 't', partition: 0 }, { topic: 't', partition: 2 }] }],
    })
  })

  test('each group has its own error; what does not pass in time is TimeoutError', async () => {
    const { broker, client, settle } = await admin()
    const codes: Record<string, number> = { a: ErrorCode.GROUP_AUTHORIZATION_FAILED, b: ErrorCode.NOT_COORDINATOR, c: 0 }
    broker.on(ApiKey.describeGroups, ({ groups }: Loose) => ({
      groups: groups.map((groupId: string) => described(groupId, { errorCode: codes[groupId] })),
    }))
    const found = await settle(client.describeConsumerGroups(['a', 'b', 'c']))
    expect(found.get('a')).toMatchObject({ code: ErrorCode.GROUP_AUTHORIZATION_FAILED })
    expect(found.get('b')).toMatchObject({ name: 'TimeoutError', cause: { code: ErrorCode.NOT_COORDINATOR } })
    expect(found.get('c')).toMatchObject({ state: 'Stable' })
  })
})

test('groups are listed with their states; a broker that fails is named', async () => {
  const { broker, client, settle } = await admin()
  broker.inTurn(
    ApiKey.listGroups,
    () => ({ errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, groups: [] }),
    () => ({
      errorCode: 0,
      groups: [
        { groupId: 'b', protocolType: 'consumer', groupState: 'Stable', groupType: 'classic' },
        { groupId: 'a', protocolType: '', groupState: 'Empty', groupType: 'classic' },
        { groupId: 'c', protocolType: 'connect', groupState: 'Stable', groupType: 'classic' },
      ],
    }),
    () => ({ errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, groups: [] }),
  )
  expect(await settle(client.listConsumerGroups({ states: ['Stable'] }))).toEqual({
    groups: [
      { groupId: 'a', isSimple: true, state: 'Empty', type: 'classic' },
      { groupId: 'b', isSimple: false, state: 'Stable', type: 'classic' },
    ],
    errors: [],
  })
  expect(broker.of(ApiKey.listGroups)[1]!.body.statesFilter).toEqual(['Stable'])
  expect(await settle(client.listConsumerGroups())).toMatchObject({
    groups: [],
    errors: [{ node: { id: 0 }, error: { code: ErrorCode.CLUSTER_AUTHORIZATION_FAILED } }],
  })
})

test('offsets of a group: errors of the group are thrown, those of partitions left out', async () => {
  const { broker, client, settle } = await admin()
  const partitions = [
    { partitionIndex: 0, committedOffset: 5, committedLeaderEpoch: 2, metadata: 'm', errorCode: 0 },
    { partitionIndex: 1, committedOffset: -1, metadata: '', errorCode: 0 },
    { partitionIndex: 2, committedOffset: -1, metadata: '', errorCode: ErrorCode.UNSTABLE_OFFSET_COMMIT },
  ]
  broker.on(ApiKey.offsetFetch, () => ({ groups: [{ groupId: 'g', topics: [{ name: 't', partitions }] }] }))
  expect(await settle(client.listConsumerGroupOffsets('g'))).toEqual(
    new Map([['t-0', { topic: 't', partition: 0, offset: 5, leaderEpoch: 2, metadata: 'm' }]]),
  )
  expect(broker.of(ApiKey.offsetFetch)[0]!.body.groups[0].topics).toBeNull()
  broker.on(ApiKey.offsetFetch, () => ({
    groups: [{ groupId: 'g', topics: [], errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED }],
  }))
  await expect(settle(client.listConsumerGroupOffsets('g'))).rejects.toMatchObject({ code: ErrorCode.GROUP_AUTHORIZATION_FAILED })
})

test('altering offsets: what the group says is thrown, what concerns one partition stands there', async () => {
  const { broker, client, settle } = await admin()
  const answer =
    (...codes: number[]) =>
    () => ({ topics: [{ name: 't', partitions: codes.map((errorCode, partitionIndex) => ({ partitionIndex, errorCode })) }] })
  broker.inTurn(
    ApiKey.offsetCommit,
    answer(ErrorCode.NOT_COORDINATOR, 0),
    answer(0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
    answer(ErrorCode.GROUP_AUTHORIZATION_FAILED, 0),
  )
  const offsets = [
    { topic: 't', partition: 0, offset: 1 },
    { topic: 't', partition: 1, offset: 1 },
  ]
  expect(await settle(client.alterConsumerGroupOffsets('g', offsets))).toMatchObject([
    { partition: 0, error: undefined },
    { partition: 1, error: { code: 3 } },
  ])
  expect(broker.of(ApiKey.offsetCommit)[0]!.body).toMatchObject({ generationIdOrMemberEpoch: -1, memberId: '' })
  await expect(settle(client.alterConsumerGroupOffsets('g', offsets))).rejects.toMatchObject({
    code: ErrorCode.GROUP_AUTHORIZATION_FAILED,
  })
})

test('removing all members names static ones by their instance', async () => {
  const { broker, client, settle } = await admin()
  const member = (memberId: string, groupInstanceId: string | null): object => ({
    memberId,
    groupInstanceId,
    clientId: 'c',
    clientHost: '/h',
    memberMetadata: Buffer.alloc(0),
    memberAssignment: Buffer.alloc(0),
  })
  broker.on(ApiKey.describeGroups, () => ({ groups: [described('g', { members: [member('m1', null), member('m2', 'i')] })] }))
  broker.on(ApiKey.leaveGroup, ({ members }: Loose) => ({
    errorCode: 0,
    members: members.map((each: object, i: number) => ({ ...each, errorCode: i === 0 ? 0 : ErrorCode.UNKNOWN_MEMBER_ID })),
  }))
  expect(await settle(client.removeMembersFromConsumerGroup('g', { reason: 'tidy' }))).toMatchObject([
    { memberId: 'm1', error: undefined },
    { groupInstanceId: 'i', error: { code: 25 } },
  ])
  expect(broker.of(ApiKey.leaveGroup)[0]!.body.members).toEqual([
    { memberId: 'm1', groupInstanceId: null, reason: 'member was removed by an admin: tidy' },
    { memberId: '', groupInstanceId: 'i', reason: 'member was removed by an admin: tidy' },
  ])
})

test('a broker that was named and does not lead says so at once', async () => {
  const { broker, client, settle } = await admin()
  broker.on(ApiKey.describeProducers, (body) => ({
    topics: body.topics.map(({ name }: Loose) => ({
      name, partitions: [{ partitionIndex: 0, errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER, activeProducers: [] }],
    })),
  }))
  const asked = client.describeProducers([{ topic: 't', partition: 0 }], { brokerId: 0 })
  await expect(settle(asked)).rejects.toMatchObject({ code: ErrorCode.NOT_LEADER_OR_FOLLOWER })
  expect(broker.of(ApiKey.describeProducers)).toHaveLength(1)
})
