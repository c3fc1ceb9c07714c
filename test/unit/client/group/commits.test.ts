import { Consumer } from '../../../../client/consumer'
import { ErrorCode } from '../../../../protocol/errors'
import { ApiKey } from '../../../../protocol/messages/apis'
import { scripted } from '../support/scripted-broker'
import { ScriptedGroup } from '../support/scripted-group'
import type { ConsumerConfig } from '../../../../client/config'
import type { OffsetToCommit } from '../../../../client/group/committed'

const AT_FIVE: OffsetToCommit[] = [{ topic: 't', partition: 0, offset: 5, leaderEpoch: 2, metadata: 'm' }]

async function joined(config: ConsumerConfig = {}) {
  const { world, broker, env, bootstrap } = await scripted()
  broker.topics.set('t', 1)
  const group = new ScriptedGroup(broker)
  const consumer = new Consumer(
    {
      'bootstrap.servers': bootstrap,
      'group.id': 'g',
      'enable.auto.commit': false,
      'auto.offset.reset': 'earliest',
      'heartbeat.interval.ms': 200,
      ...config,
    },
    env,
  )
  consumer.subscribe(['t'])
  const poll = (forMs: number): Promise<unknown> => world.settle(consumer.poll(forMs), forMs + 60_000, 'poll ends')
  for (let i = 0; consumer.assignment().length === 0 && i < 50; i++) await poll(100)
  const commit = (offsets: OffsetToCommit[] = AT_FIVE, timeoutMs = 10_000): Promise<void> =>
    world.settle(consumer.commitSync(offsets, { timeoutMs }), 70_000, 'the commit ends')
  return { world, broker, group, consumer, poll, commit }
}

test('a member commits in its generation', async () => {
  const { broker, group, commit, consumer } = await joined()
  await commit()
  expect(group.committed).toEqual(new Map([['t-0', 5]]))
  expect(broker.of(ApiKey.offsetCommit)[0]!.body).toMatchObject({
    groupId: 'g',
    generationIdOrMemberEpoch: 1,
    memberId: 'member-1',
    topics: [
      { name: 't', partitions: [{ partitionIndex: 0, committedOffset: 5, committedLeaderEpoch: 2, committedMetadata: 'm' }] },
    ],
  })
  expect(consumer.groupMetadata()).toEqual({ groupId: 'g', generationId: 1, memberId: 'member-1', groupInstanceId: null })
})

test('whoever assigns by hand commits without a generation', async () => {
  const { world, broker, env, bootstrap } = await scripted()
  const group = new ScriptedGroup(broker)
  const consumer = new Consumer({ 'bootstrap.servers': bootstrap, 'group.id': 'g' }, env)
  consumer.assign([{ topic: 't', partition: 0 }])
  await world.settle(consumer.commitSync(AT_FIVE), 1000, 'committed')
  expect(group.committed.get('t-0')).toBe(5)
  expect(broker.of(ApiKey.offsetCommit)[0]!.body).toMatchObject({ generationIdOrMemberEpoch: -1, memberId: '' })
})

test.each([
  ['COORDINATOR_LOAD_IN_PROGRESS', 1],
  ['UNKNOWN_TOPIC_OR_PARTITION', 1],
  ['COORDINATOR_NOT_AVAILABLE', 2],
  ['NOT_COORDINATOR', 2],
  ['REQUEST_TIMED_OUT', 2],
] as const)('%s passes', async (name, lookups) => {
  const { broker, group, commit } = await joined()
  group.fail(ApiKey.offsetCommit, ErrorCode[name])
  await commit()
  expect(group.committed.get('t-0')).toBe(5)
  expect(broker.of(ApiKey.findCoordinator)).toHaveLength(lookups)
})

test('what would pass, but does not in time', async () => {
  const { broker, commit } = await joined()
  broker.on(ApiKey.offsetCommit, () => ({
    topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode: ErrorCode.NOT_COORDINATOR }] }],
  }))
  await expect(commit(AT_FIVE, 500)).rejects.toMatchObject({ name: 'TimeoutError', cause: { code: ErrorCode.NOT_COORDINATOR } })
})

test.each([
  'OFFSET_METADATA_TOO_LARGE',
  'INVALID_COMMIT_OFFSET_SIZE',
  'GROUP_AUTHORIZATION_FAILED',
  'TOPIC_AUTHORIZATION_FAILED',
  'FENCED_INSTANCE_ID',
  'REBALANCE_IN_PROGRESS',
] as const)('%s reaches the program', async (name) => {
  const { group, commit } = await joined()
  group.fail(ApiKey.offsetCommit, ErrorCode[name])
  await expect(commit()).rejects.toMatchObject({ code: ErrorCode[name] })
})

test.each(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION'] as const)('%s: too late, and the next poll joins anew', async (name) => {
  const { group, commit, poll, broker } = await joined()
  group.fail(ApiKey.offsetCommit, ErrorCode[name])
  await expect(commit()).rejects.toMatchObject({ code: 'COMMIT_FAILED' })
  await expect(commit()).rejects.toMatchObject({ code: 'COMMIT_FAILED' })
  await poll(500)
  expect(broker.of(ApiKey.joinGroup).length).toBeGreaterThan(2)
  await commit()
})

test('REBALANCE_IN_PROGRESS: the next poll joins, and then it may commit again', async () => {
  const { group, commit, poll } = await joined()
  group.fail(ApiKey.offsetCommit, ErrorCode.REBALANCE_IN_PROGRESS)
  await expect(commit()).rejects.toMatchObject({ code: ErrorCode.REBALANCE_IN_PROGRESS })
  await poll(500)
  expect(group.generationId).toBe(2)
  await commit()
})

test('an asynchronous commit is tried once; a synchronous one waits behind it', async () => {
  const { world, broker, group, consumer, commit } = await joined()
  const heard: unknown[] = []
  group.fail(ApiKey.offsetCommit, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
  consumer.commitAsync([{ topic: 't', partition: 0, offset: 3 }], (error) => heard.push(error))
  await commit()
  expect(heard).toMatchObject([{ code: 'RETRIABLE_COMMIT_FAILED', cause: { code: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS } }])
  expect(broker.of(ApiKey.offsetCommit).map(({ body }) => body.topics[0].partitions[0].committedOffset)).toEqual([3, 5])
  consumer.commitAsync(undefined, (error, offsets) => heard.push(error, offsets))
  await world.run(100)
  expect(heard.slice(1)).toEqual([undefined, [{ topic: 't', partition: 0, offset: 0, leaderEpoch: 0 }]])
})

test('automatic commits: each interval, before a rebalance and at the end', async () => {
  const { world, broker, group, consumer, poll } = await joined({ 'enable.auto.commit': true, 'auto.commit.interval.ms': 1000 })
  await poll(100)
  consumer.seek({ topic: 't', partition: 0 }, 7)
  await poll(1200)
  expect(group.committed.get('t-0')).toBe(7)
  consumer.seek({ topic: 't', partition: 0 }, 8)
  group.fail(ApiKey.heartbeat, ErrorCode.REBALANCE_IN_PROGRESS)
  await poll(600)
  expect(group.committed.get('t-0')).toBe(8)
  const order = broker.asked.map(({ apiKey }) => apiKey).filter((key) => key === ApiKey.joinGroup || key === ApiKey.offsetCommit)
  expect(order.slice(-2)).toEqual([ApiKey.offsetCommit, ApiKey.joinGroup])
  consumer.seek({ topic: 't', partition: 0 }, 9)
  await world.settle(consumer.close(), 1000, 'closed')
  expect(group.committed.get('t-0')).toBe(9)
})

test('without a group there is nothing to commit with', async () => {
  const { env, bootstrap } = await scripted()
  const consumer = new Consumer({ 'bootstrap.servers': bootstrap }, env)
  await expect(consumer.commitSync()).rejects.toMatchObject({ code: ErrorCode.INVALID_GROUP_ID })
  expect(() => consumer.subscribe(['t'])).toThrow('you must provide a valid group.id')
  expect(() => new Consumer({ 'bootstrap.servers': bootstrap, 'enable.auto.commit': true }, env)).toThrow(
    'enable.auto.commit cannot be set to true',
  )
})

test('interceptors see what is committed', async () => {
  const seen: unknown[] = []
  const { commit } = await joined({
    'interceptor.classes': [
      { onCommit: (offsets) => seen.push(offsets) },
      {
        onCommit: () => {
          throw new Error('no')
        },
      },
    ],
  })
  await commit()
  expect(seen).toEqual([AT_FIVE])
})

test('a list of offsets belongs to its caller again at once', async () => {
  const { world, group, consumer } = await joined()
  group.fail(ApiKey.offsetCommit, ErrorCode.NOT_COORDINATOR)
  const offsets = AT_FIVE.map((each) => ({ ...each }))
  const committed = consumer.commitSync(offsets)
  offsets[0]!.offset = 9
  await world.settle(committed, 5000, 'committed')
  expect(group.committed.get('t-0')).toBe(5)
  const heard = new Promise<unknown>((resolve) => consumer.commitAsync(offsets, (error, given) => resolve(error ?? given[0]?.offset)))
  offsets.length = 0
  expect(await world.settle(heard, 5000, 'committed')).toBe(9)
  expect(group.committed.get('t-0')).toBe(9)
})

test('a coordinator that says nothing holds up neither commitSync nor close', async () => {
  const { world, broker, consumer, commit } = await joined()
  broker.on(ApiKey.offsetCommit, () => broker.later(25_000, { topics: [] }))
  const begunMs = world.nowMs
  await expect(commit(AT_FIVE, 500)).rejects.toMatchObject({ name: 'TimeoutError' })
  expect(world.nowMs - begunMs).toBeLessThan(1000)
  await world.settle(consumer.close({ timeoutMs: 1000 }), 3000, 'closed')
})
