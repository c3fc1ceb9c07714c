/** A member against a coordinator that says what the test wants: each error code as Kafka's ConsumerCoordinator takes it. */
import { Consumer } from '../../../../client/consumer'
import { ErrorCode } from '../../../../protocol/errors'
import { ApiKey } from '../../../../protocol/messages/apis'
import { scripted } from '../support/scripted-broker'
import { ScriptedGroup } from '../support/scripted-group'
import type { ConsumerConfig } from '../../../../client/config'
import type { TopicPartition } from '../../../../client/leaders'

async function member(config: ConsumerConfig = {}) {
  const { world, broker, env, bootstrap } = await scripted()
  broker.topics.set('t', 2)
  const group = new ScriptedGroup(broker)
  const events: string[] = []
  const note = (what: string) => (partitions: TopicPartition[]) =>
    void events.push(
      `${what} ${partitions
        .map(({ partition }) => partition)
        .sort()
        .join(',')}`,
    )
  const consumer = new Consumer(
    { 'bootstrap.servers': bootstrap, 'group.id': 'g', 'enable.auto.commit': false, 'auto.offset.reset': 'earliest', ...config },
    env,
  )
  const listener = {
    onPartitionsAssigned: note('assigned'),
    onPartitionsRevoked: note('revoked'),
    onPartitionsLost: note('lost'),
  }
  consumer.subscribe(['t'], listener)
  const poll = (forMs: number): Promise<unknown> => world.settle(consumer.poll(forMs), forMs + 60_000, 'poll ends')
  /** Polls on until it is so. */
  const until = async (done: () => boolean): Promise<void> => {
    for (let i = 0; !done(); i++) {
      if (i > 300) throw new Error(`it never came to be: ${events.join('; ')}`)
      await poll(100)
    }
  }
  return { world, broker, group, consumer, events, poll, until, listener }
}

const joins = (broker: { of(key: number): { body: { memberId: string; reason: string | null } }[] }): string[] =>
  broker.of(ApiKey.joinGroup).map(({ body }) => body.memberId)

test('joins with the id that it is given, syncs, and beats', async () => {
  const { broker, events, until, poll } = await member({ 'heartbeat.interval.ms': 500 })
  await until(() => events.length > 0)
  expect(joins(broker)).toEqual(['', 'member-1'])
  expect(broker.of(ApiKey.joinGroup)[1]!.body.reason).toBe('need to re-join with the given member-id: member-1')
  expect(events).toEqual(['revoked ', 'assigned 0,1'].slice(1))
  await poll(2100)
  expect(broker.of(ApiKey.heartbeat).length).toBeGreaterThanOrEqual(3)
})

test('a coordinator that does not answer the commit before a rebalance does not hold up poll', async () => {
  const { world, broker, group, events, until, consumer } = await member({
    'heartbeat.interval.ms': 200, 'enable.auto.commit': true, 'auto.commit.interval.ms': 600_000, 'request.timeout.ms': 30_000,
  })
  await until(() => events.length > 0)
  await until(() => broker.of(ApiKey.fetch).length > 0)
  const commit = broker.answers.get(ApiKey.offsetCommit)!
  broker.inTurn(ApiKey.offsetCommit, (body, version) => broker.later(3000, commit(body, version) as object), commit)
  group.fail(ApiKey.heartbeat, ErrorCode.REBALANCE_IN_PROGRESS)
  for (let i = 0; i < 10; i++) {
    const begunMs = world.nowMs
    await world.settle(consumer.poll(100), 60_000, 'poll ends')
    expect(world.nowMs - begunMs).toBeLessThan(200)
  }
  expect(broker.of(ApiKey.offsetCommit)).toHaveLength(1)
  await until(() => events.length > 2)
  expect(events).toEqual(['assigned 0,1', 'revoked 0,1', 'assigned 0,1'])
  expect(broker.of(ApiKey.offsetCommit)).toHaveLength(1)
})

test.each(['wakeup', 'close'] as const)('%s ends a poll that looks for the coordinator', async (how) => {
  const { world, broker, consumer } = await member()
  broker.on(ApiKey.findCoordinator, () => 'silence')
  const poll = consumer.poll(25_000).then(() => 'returned', (error: Error) => error.name)
  await world.run(1000)
  const begunMs = world.nowMs
  if (how === 'close') await world.settle(consumer.close(), 60_000, 'closed')
  else consumer.wakeup()
  expect(await world.settle(poll, 60_000, 'poll ends')).toBe(how === 'close' ? 'ClosedError' : 'WakeupError')
  expect(world.nowMs - begunMs).toBeLessThan(2000)
})

test.each([
  ['joins', ApiKey.joinGroup, ['', 'member-1', '']],
  ['syncs', ApiKey.syncGroup, ['', 'member-1', '']],
] as const)('a static member that %s at a coordinator which does not know its latest id yet joins anew', async (_, api, expected) => {
  const { broker, group, events, until } = await member({ 'group.instance.id': 's' })
  let coordinator = 0
  broker.on(ApiKey.findCoordinator, () => ({
    coordinators: [{ key: 'g', nodeId: coordinator++, host: '127.0.0.1', port: broker.port }],
  }))
  group.fail(ApiKey.syncGroup, ErrorCode.NOT_COORDINATOR)
  const { joinGroup, syncGroup } = ApiKey
  if (api === joinGroup) group.fail(joinGroup, 0, ErrorCode.FENCED_INSTANCE_ID)
  else group.fail(syncGroup, ErrorCode.FENCED_INSTANCE_ID)
  await until(() => events.length > 0)
  expect(joins(broker)).toEqual(expected)
})

test('a static member whose id was written down is fenced by the next coordinator, too', async () => {
  const { broker, group, events, until } = await member({ 'group.instance.id': 's', 'heartbeat.interval.ms': 500 })
  await until(() => events.length > 0)
  let coordinator = 5
  broker.on(ApiKey.findCoordinator, () => ({
    coordinators: [{ key: 'g', nodeId: coordinator++, host: '127.0.0.1', port: broker.port }],
  }))
  group.fail(ApiKey.heartbeat, ErrorCode.NOT_COORDINATOR, ErrorCode.REBALANCE_IN_PROGRESS)
  group.fail(ApiKey.joinGroup, ErrorCode.FENCED_INSTANCE_ID)
  await expect(until(() => events.length > 10)).rejects.toThrow('rejected this static consumer')
})

describe('JoinGroup', () => {
  test.each([
    ['COORDINATOR_LOAD_IN_PROGRESS', 1],
    ['REBALANCE_IN_PROGRESS', 1],
    ['COORDINATOR_NOT_AVAILABLE', 2],
    ['NOT_COORDINATOR', 2],
    ['UNKNOWN_MEMBER_ID', 1],
  ] as const)('%s: joins again', async (name, lookups) => {
    const { broker, group, events, until } = await member()
    group.fail(ApiKey.joinGroup, ErrorCode[name])
    await until(() => events.length > 0)
    expect(broker.of(ApiKey.findCoordinator)).toHaveLength(lookups)
    expect(joins(broker)).toEqual(['', '', 'member-1'])
  })

  test.each([
    'INCONSISTENT_GROUP_PROTOCOL',
    'INVALID_SESSION_TIMEOUT',
    'INVALID_GROUP_ID',
    'GROUP_AUTHORIZATION_FAILED',
    'GROUP_MAX_SIZE_REACHED',
    'FENCED_INSTANCE_ID',
  ] as const)('%s: the program is told', async (name) => {
    const { group, poll } = await member()
    group.fail(ApiKey.joinGroup, ErrorCode[name])
    await expect(poll(1000)).rejects.toMatchObject({ code: ErrorCode[name] })
  })

  test('an answer that never comes: the member asks again when its time is over', async () => {
    const { broker, group, events, until, world } = await member({ 'max.poll.interval.ms': 6000, 'request.timeout.ms': 3000 })
    const answer = broker.answers.get(ApiKey.joinGroup)!
    broker.inTurn(ApiKey.joinGroup, () => 'silence', answer)
    await until(() => group.generationId > 0 && events.length > 0)
    expect(world.nowMs).toBeGreaterThan(6000)
  })
})

describe('SyncGroup', () => {
  test.each([
    ['REBALANCE_IN_PROGRESS', 'member-1'],
    ['ILLEGAL_GENERATION', 'member-1'],
    ['NOT_COORDINATOR', 'member-1'],
    ['COORDINATOR_NOT_AVAILABLE', 'member-1'],
    ['UNKNOWN_MEMBER_ID', ''],
  ] as const)('%s: joins again', async (name, nextId) => {
    const { broker, group, events, until } = await member()
    group.fail(ApiKey.syncGroup, ErrorCode[name])
    await until(() => events.length > 0)
    expect(joins(broker)[2]).toBe(nextId)
    expect(events).toEqual(['assigned 0,1'])
  })

  test.each(['GROUP_AUTHORIZATION_FAILED', 'FENCED_INSTANCE_ID', 'INCONSISTENT_GROUP_PROTOCOL'] as const)(
    '%s: the program is told',
    async (name) => {
      const { group, poll } = await member()
      group.fail(ApiKey.syncGroup, ErrorCode[name])
      await expect(poll(1000)).rejects.toMatchObject({ code: ErrorCode[name] })
    },
  )
})

describe('Heartbeat', () => {
  const quick = { 'heartbeat.interval.ms': 200 }

  test('REBALANCE_IN_PROGRESS: gives away in good order, joins again with the same id', async () => {
    const { broker, group, events, until } = await member(quick)
    await until(() => events.length > 0)
    group.fail(ApiKey.heartbeat, ErrorCode.REBALANCE_IN_PROGRESS)
    await until(() => events.length > 2)
    expect(events).toEqual(['assigned 0,1', 'revoked 0,1', 'assigned 0,1'])
    expect(joins(broker)).toEqual(['', 'member-1', 'member-1'])
    expect(broker.of(ApiKey.joinGroup)[2]!.body.reason).toBe('group is already rebalancing')
  })

  test.each([
    ['UNKNOWN_MEMBER_ID', ''],
    ['ILLEGAL_GENERATION', 'member-1'],
  ] as const)('%s: what it had is lost', async (name, nextId) => {
    const { broker, group, events, until } = await member(quick)
    await until(() => events.length > 0)
    group.fail(ApiKey.heartbeat, ErrorCode[name])
    await until(() => events.length > 2)
    expect(events).toEqual(['assigned 0,1', 'lost 0,1', 'assigned 0,1'])
    expect(joins(broker)[2]).toBe(nextId)
  })

  test.each(['COORDINATOR_NOT_AVAILABLE', 'NOT_COORDINATOR'] as const)(
    '%s: finds the coordinator anew, and goes on',
    async (name) => {
      const { broker, group, events, until } = await member(quick)
      await until(() => events.length > 0)
      group.fail(ApiKey.heartbeat, ErrorCode[name])
      await until(() => broker.of(ApiKey.findCoordinator).length === 2 && broker.of(ApiKey.heartbeat).length > 3)
      expect(events).toEqual(['assigned 0,1'])
    },
  )

  test.each(['FENCED_INSTANCE_ID', 'GROUP_AUTHORIZATION_FAILED'] as const)('%s: the program is told', async (name) => {
    const { group, events, until, poll } = await member({ ...quick, 'group.instance.id': 'i' })
    await until(() => events.length > 0)
    group.fail(ApiKey.heartbeat, ErrorCode[name])
    await expect(poll(1000)).rejects.toMatchObject({ code: ErrorCode[name] })
  })

  test('a connection that ends costs nothing but another one', async () => {
    const { broker, events, until } = await member(quick)
    await until(() => events.length > 0)
    broker.hangUp()
    const before = broker.of(ApiKey.heartbeat).length
    await until(() => broker.of(ApiKey.heartbeat).length > before + 2)
    expect(events).toEqual(['assigned 0,1'])
  })

  test('a program that does not poll leaves the group; then it has lost what it had', async () => {
    const { broker, world, events, until } = await member({ ...quick, 'max.poll.interval.ms': 3000 })
    await until(() => events.length > 0)
    await world.run(3500)
    expect(broker.of(ApiKey.leaveGroup).map(({ body }) => body.members[0])).toMatchObject([
      { memberId: 'member-1', reason: 'consumer poll timeout has expired.' },
    ])
    const beats = broker.of(ApiKey.heartbeat).length
    await world.run(2000)
    expect(broker.of(ApiKey.heartbeat)).toHaveLength(beats)
    await until(() => events.length > 2)
    expect(events).toEqual(['assigned 0,1', 'lost 0,1', 'assigned 0,1'])
  })
})

describe('leaving', () => {
  test('close gives away and leaves', async () => {
    const { broker, world, consumer, events, until } = await member()
    await until(() => events.length > 0)
    await world.settle(consumer.close(), 1000, 'closed')
    expect(events).toEqual(['assigned 0,1', 'revoked 0,1'])
    expect(broker.of(ApiKey.leaveGroup)[0]!.body.members).toEqual([
      { memberId: 'member-1', groupInstanceId: null, reason: 'the consumer is being closed' },
    ])
  })

  test('a static member stays', async () => {
    const { broker, world, consumer, events, until } = await member({ 'group.instance.id': 'i' })
    await until(() => events.length > 0)
    expect(joins(broker)).toEqual([''])
    await world.settle(consumer.close(), 1000, 'closed')
    expect(broker.of(ApiKey.leaveGroup)).toEqual([])
  })

  test('a coordinator that is silent does not keep close waiting', async () => {
    const { broker, world, consumer, events, until } = await member()
    await until(() => events.length > 0)
    broker.on(ApiKey.leaveGroup, () => 'silence')
    await world.settle(consumer.close({ timeoutMs: 2000 }), 2500, 'closed')
  })

  test('unsubscribe leaves; a new subscription joins anew', async () => {
    const { broker, world, consumer, events, until, listener } = await member()
    await until(() => events.length > 0)
    await world.settle(consumer.unsubscribe(), 1000, 'left')
    expect(consumer.assignment()).toEqual([])
    consumer.subscribe(['t'], listener)
    await until(() => events.length > 2)
    expect(joins(broker)).toEqual(['', 'member-1', '', 'member-1'])
  })
})

describe('what needs a rebalance', () => {
  test('another subscription', async () => {
    const { broker, group, consumer, events, until, listener } = await member()
    broker.topics.set('u', 1)
    await until(() => events.length > 0)
    consumer.subscribe(['t', 'u'], listener)
    await until(() => events.length > 2)
    expect(group.lastSubscription().topics).toEqual(['t', 'u'])
    expect(consumer.assignment()).toHaveLength(3)
  })

  test('new partitions, which the leader sees', async () => {
    const { broker, consumer, events, until } = await member({ 'metadata.max.age.ms': 1000 })
    await until(() => events.length > 0)
    broker.topics.set('t', 4)
    await until(() => events.length > 2)
    expect(consumer.assignment()).toHaveLength(4)
  })

  test('a new topic that matches the pattern, but no internal one', async () => {
    const { broker, world, consumer, until, events } = await member({ 'metadata.max.age.ms': 1000 })
    await world.settle(consumer.unsubscribe(), 1000, 'left')
    broker.topics.set('__consumer_offsets', 1)
    consumer.subscribe(/t|_/, { onPartitionsAssigned: () => void events.push('assigned') })
    await until(() => events.length > 0)
    expect(consumer.subscription()).toEqual(['t'])
    broker.topics.set('t2', 1)
    await until(() => consumer.assignment().length === 3)
    expect(consumer.subscription()).toEqual(['t', 't2'])
  })

  test('a static member joins once, with what its pattern matches', async () => {
    const { broker, world, env, bootstrap } = await scripted()
    broker.topics.set('t', 1)
    const group = new ScriptedGroup(broker)
    const consumer = new Consumer({ 'bootstrap.servers': bootstrap, 'group.id': 'g', 'group.instance.id': 'i' }, env)
    consumer.subscribe(/^t/)
    for (let i = 0; consumer.assignment().length === 0 && i < 50; i++) await world.settle(consumer.poll(100), 1000, 'poll ends')
    expect(broker.of(ApiKey.joinGroup)).toHaveLength(1)
    expect(group.lastSubscription().topics).toEqual(['t'])
  })

  test('but not a broker that knows no topic for a moment', async () => {
    const { broker, events, until } = await member({ 'metadata.max.age.ms': 1000 })
    await until(() => events.length > 0)
    broker.topics.delete('t')
    const before = broker.of(ApiKey.metadata).length
    await until(() => broker.of(ApiKey.metadata).length > before)
    broker.topics.set('t', 2)
    await until(() => broker.of(ApiKey.metadata).length > before + 2)
    expect(events).toEqual(['assigned 0,1'])
  })

  test('and what the listener throws reaches the program, once', async () => {
    const { world, consumer, poll } = await member()
    await world.settle(consumer.unsubscribe(), 1000, 'left')
    consumer.subscribe(['t'], {
      onPartitionsAssigned: () => {
        throw new Error('no')
      },
    })
    await expect(poll(1000)).rejects.toMatchObject({ name: 'RebalanceListenerError', cause: new Error('no') })
    await poll(100)
    expect(consumer.assignment()).toHaveLength(2)
  })
})

test('cooperative: who is forgotten while it joins has lost what it had, before it joins anew', async () => {
  const { group, events, until, consumer } = await member({
    'partition.assignment.strategy': 'cooperative-sticky', 'heartbeat.interval.ms': 200,
  })
  await until(() => events.length > 0)
  group.fail(ApiKey.heartbeat, ErrorCode.REBALANCE_IN_PROGRESS).fail(ApiKey.joinGroup, ErrorCode.UNKNOWN_MEMBER_ID)
  await until(() => events.length > 2)
  expect(events).toEqual(['assigned 0,1', 'lost 0,1', 'assigned 0,1'])
  expect(group.lastSubscription().ownedPartitions).toEqual([])
  expect(consumer.assignment()).toHaveLength(2)
})

test('cooperative: what is taken away is given back first, then it joins again with what it keeps', async () => {
  const { broker, group, events, until } = await member({
    'partition.assignment.strategy': 'cooperative-sticky',
    'heartbeat.interval.ms': 200,
  })
  await until(() => events.length > 0)
  group.assignment = [{ topic: 't', partition: 1 }]
  group.fail(ApiKey.heartbeat, ErrorCode.REBALANCE_IN_PROGRESS)
  await until(() => broker.of(ApiKey.joinGroup).length === 4 && events.length === 4)
  expect(events).toEqual(['assigned 0,1', 'revoked 0', 'assigned ', 'assigned '])
  expect(group.lastSubscription()).toMatchObject({ ownedPartitions: [{ topic: 't', partition: 1 }], generationId: 2 })
})

test('who was forgotten between two polls is refused by what it was, not taken for nobody', async () => {
  const { world, broker, group, events, until, consumer } = await member({ 'heartbeat.interval.ms': 200 })
  await until(() => events.length > 0)
  const before = consumer.groupMetadata()
  expect(before.generationId).toBe(1)
  group.fail(ApiKey.heartbeat, ErrorCode.UNKNOWN_MEMBER_ID)
  const beats = broker.of(ApiKey.heartbeat).length
  await world.runUntil(() => broker.of(ApiKey.heartbeat).length > beats, 5000, 'the heartbeat')
  await world.run(1000)
  // What the program works on is of that generation.
  expect(consumer.groupMetadata()).toEqual(before)
  await until(() => events.length > 2)
  expect(consumer.groupMetadata().generationId).toBeGreaterThan(before.generationId)
})
