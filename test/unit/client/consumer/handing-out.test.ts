/** What a consumer hands out, and what it commits of that. */
import { Consumer } from '../../../../client/consumer'
import { ErrorCode } from '../../../../protocol/errors'
import { ApiKey } from '../../../../protocol/messages/apis'
import { BatchBuilder } from '../../../../protocol/records/records'
import { TOPIC_ID, scripted } from '../support/scripted-broker'
import { ScriptedGroup } from '../support/scripted-group'
import type { Loose } from '../support/scripted-broker'

const T0 = { topic: 't', partition: 0 }

function batch(offset: number, count = 1): Buffer {
  const builder = new BatchBuilder({ baseOffset: offset, leaderEpoch: 0 })
  for (let i = 0; i < count; i++) builder.append(null, Buffer.from(`v${offset + i}`), [], 0)
  return builder.build()
}

function answered(records: Buffer): object {
  const partition = { partitionIndex: 0, highWatermark: 10, lastStableOffset: 10, logStartOffset: 0, records }
  return { responses: [{ topicId: TOPIC_ID, partitions: [partition] }] }
}

async function reading(config = {}) {
  const s = await scripted()
  s.broker.topics.set('t', 1)
  const group = new ScriptedGroup(s.broker)
  s.broker.on(ApiKey.offsetFetch, (body) => ({ groups: body.groups.map(({ groupId }: Loose) => ({ groupId, topics: [] })) }))
  s.broker.on(ApiKey.fetch, (body) => {
    const wanted = body.topics[0]?.partitions[0]
    const at = wanted?.fetchOffset ?? 10
    if (at >= 10) return s.broker.later(body.maxWaitMs, { responses: [] })
    return answered(batch(0, 10))
  })
  const given = { 'bootstrap.servers': s.bootstrap, 'group.id': 'g', 'auto.offset.reset': 'earliest', 'fetch.max.wait.ms': 200 } as const
  const consumer = new Consumer({ ...given, ...config }, s.env)
  const settle = <T>(promise: Promise<T>): Promise<T> => s.world.settle(promise, 120_000, 'it ends')
  return { ...s, group, consumer, settle }
}

test('commitSync in the loop commits what the loop has handed out', async () => {
  const { consumer, group, settle } = await reading({ 'enable.auto.commit': false })
  consumer.assign([T0])
  const loop = async (): Promise<void> => {
    for await (const { offset } of consumer) {
      await consumer.commitSync()
      if (offset === 2) return
    }
  }
  await settle(loop())
  expect(group.committed.get('t-0')).toBe(3)
})

test('close beside the loop commits what the loop has handed out', async () => {
  const { consumer, group, settle, world } = await reading()
  consumer.assign([T0])
  const seen: number[] = []
  const loop = async (): Promise<void> => {
    for await (const { offset } of consumer) {
      seen.push(offset)
      await new Promise<void>(() => {})
    }
  }
  void loop()
  await world.run(3000)
  expect(seen).toEqual([0])
  await settle(consumer.close())
  expect(group.committed.get('t-0') ?? 0).toBeLessThanOrEqual(1)
})

test.each(['UNSTABLE_OFFSET_COMMIT', 'COORDINATOR_LOAD_IN_PROGRESS', 'NOT_COORDINATOR'] as const)('a poll waits out %s', async (name) => {
  const { consumer, broker, settle } = await reading({ 'enable.auto.commit': false, 'default.api.timeout.ms': 3000 })
  // Of the partition, the others of the group.
  const unstable = { topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: -1, errorCode: ErrorCode[name] }] }] }
  const answer = name === 'UNSTABLE_OFFSET_COMMIT' ? unstable : { errorCode: ErrorCode[name], topics: [] }
  broker.on(ApiKey.offsetFetch, (body) => ({ groups: body.groups.map(({ groupId }: Loose) => ({ groupId, ...answer })) }))
  consumer.assign([T0])
  for (let i = 0; i < 10; i++) expect(await settle(consumer.poll(1000))).toEqual([])
})

test('what comes before a damaged batch is handed out', async () => {
  const { consumer, broker, settle } = await reading({ 'enable.auto.commit': false })
  broker.on(ApiKey.fetch, (body) => {
    const at = body.topics[0]?.partitions[0]?.fetchOffset ?? 3
    const bad = batch(3, 1)
    bad[bad.length - 2]! ^= 0xff
    const records = at < 3 ? Buffer.concat([batch(0, 3), bad]) : bad
    return answered(records)
  })
  consumer.assign([T0])
  expect((await settle(consumer.poll(1000))).map(({ offset }) => offset)).toEqual([0, 1, 2])
  await expect(settle(consumer.poll(1000))).rejects.toMatchObject({ code: ErrorCode.CORRUPT_MESSAGE })
})

test('a seek in the loop holds when the loop is left', async () => {
  const { consumer, settle } = await reading({ 'enable.auto.commit': false })
  consumer.assign([T0])
  const loop = async (): Promise<void> => {
    for await (const _ of consumer) {
      consumer.seek(T0, 7)
      return
    }
  }
  await settle(loop())
  expect(await consumer.position(T0)).toBe(7)
})

test.each([
  ['assigned', {}], ['static', { 'group.instance.id': 'i' }], ['dynamic', {}],
] as const)('close waits for commits under way (%s)', async (what, config) => {
  const { consumer, group, broker, settle } = await reading({ 'enable.auto.commit': false, ...config })
  if (what === 'assigned') consumer.assign([T0])
  else consumer.subscribe(['t'])
  for (let i = 0; i < 20 && (await settle(consumer.poll(500))).length === 0; i++);
  const commit = broker.answers.get(ApiKey.offsetCommit)!
  broker.on(ApiKey.offsetCommit, async (body, version) => broker.later(300, (await commit(body, version)) as object))
  let error: unknown = 'not called'
  consumer.commitAsync(undefined, (e) => (error = e))
  await settle(consumer.close())
  expect(String(error)).toBe('undefined')
  expect(group.committed.get('t-0')).toBe(10)
})

test('a damaged record at the leader is told, another trouble of the leader is waited out', async () => {
  const { consumer, broker, settle } = await reading({ 'enable.auto.commit': false })
  const refused = (errorCode: number) => () => ({ responses: [{ topicId: TOPIC_ID, partitions: [{ partitionIndex: 0, errorCode }] }] })
  broker.on(ApiKey.fetch, refused(ErrorCode.UNKNOWN_SERVER_ERROR))
  consumer.assign([T0])
  expect(await settle(consumer.poll(1000))).toEqual([])
  broker.on(ApiKey.fetch, refused(ErrorCode.CORRUPT_MESSAGE))
  await expect(settle(consumer.poll(1000))).rejects.toThrow('Encountered corrupt message when fetching offset 0 for topic-partition t-0')
})
