/** Clients that are held back by quotas: each waits for what the answers say, never for a time. */
import { ApiKey } from '../../../../protocol/messages/apis'
import { ErrorCode } from '../../../../protocol/errors'
import { RunningCluster, batch, bodyOf } from '../support/running-broker'
import type { AlterClientQuotasRequest, AlterClientQuotasResponse } from '../../../../protocol/messages/alter-client-quotas'
import type { CreateTopicsResponse } from '../../../../protocol/messages/create-topics'
import type { FetchResponse } from '../../../../protocol/messages/fetch'
import type { MetadataResponse } from '../../../../protocol/messages/metadata'
import type { ProduceResponse } from '../../../../protocol/messages/produce'
import type { KafkaConnection } from '../../../../network/kafka-connection'

let cluster: RunningCluster
let admin: KafkaConnection
let nextTopic = 0

beforeAll(async () => {
  cluster = await RunningCluster.start(1, { 'quota.window.num': '2', 'controller.quota.window.num': '2' })
  admin = await cluster.connectToController()
})
afterAll(() => cluster.close())

/** Sets (or, by undefined, removes) a quota of an entity; resolves when the broker obeys. */
async function setQuota(entity: Record<string, string | null>, key: string, value: number | undefined): Promise<void> {
  const { entries } = await admin.send<AlterClientQuotasRequest, AlterClientQuotasResponse>(ApiKey.alterClientQuotas, {
    entries: [{
      entity: Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName })),
      ops: [{ key, value: value ?? 0, remove: value === undefined }],
    }],
  })
  expect(entries.map(({ errorCode, errorMessage }) => [errorCode, errorMessage])).toEqual([[ErrorCode.NONE, null]])
}

async function newTopic(): Promise<string> {
  const name = `throttled-${nextTopic++}`
  await cluster.createTopic(name)
  return name
}

function produceBody(topic: string, bytes: number, acks = -1): object {
  const records = batch(['x'.repeat(bytes)])
  return { acks, timeoutMs: 10_000, topicData: [{ name: topic, partitionData: [{ index: 0, records }] }] }
}

test('a producer that is too fast gets its answer at once, says how long, and the next one when that is over', async () => {
  const topic = await newTopic()
  await setQuota({ user: 'ANONYMOUS' }, 'producer_byte_rate', 100_000)
  const client = await cluster.raw()
  client.send(ApiKey.produce, 8, 1, produceBody(topic, 150_000))
  const first = bodyOf<ProduceResponse>(ApiKey.produce, 8, (await client.next())!)
  expect(first.responses[0]!.partitionResponses[0]!.errorCode).toBe(ErrorCode.NONE)
  expect(first.throttleTimeMs).toBeGreaterThan(0)
  client.send(ApiKey.apiVersions, 0, 2, {})
  expect(await client.next()).toBeDefined()
  await setQuota({ user: 'ANONYMOUS' }, 'producer_byte_rate', undefined)
  client.send(ApiKey.produce, 8, 3, produceBody(topic, 150_000))
  expect(bodyOf<ProduceResponse>(ApiKey.produce, 8, (await client.next())!).throttleTimeMs).toBe(0)
  client.close()
})

test('a producer that wants no answers is held back too; another connection is not', async () => {
  const topic = await newTopic()
  await setQuota({ 'client-id': 'raw' }, 'producer_byte_rate', 1000)
  const client = await cluster.raw()
  const other = await cluster.raw()
  client.send(ApiKey.produce, 8, 1, produceBody(topic, 150_000, 0))
  client.send(ApiKey.apiVersions, 0, 2, {})
  other.send(ApiKey.apiVersions, 0, 1, {})
  const first = await Promise.race([client.next().then(() => 'held back'), other.next().then(() => 'other')])
  expect(first).toBe('other')
  expect(client.isClosed).toBe(false)
  await setQuota({ 'client-id': 'raw' }, 'producer_byte_rate', undefined)
  client.close()
  other.close()
})

test('a consumer that is too fast gets nothing, and the records when it asks again', async () => {
  const topic = await newTopic()
  const client = await cluster.raw()
  client.send(ApiKey.produce, 8, 1, produceBody(topic, 60_000))
  await client.next()
  await setQuota({ user: null, 'client-id': 'raw' }, 'consumer_byte_rate', 50_000)
  const ask = async (): Promise<FetchResponse> => {
    client.send(ApiKey.fetch, 10, 2, {
      replicaId: -1, maxWaitMs: 0, minBytes: 1, maxBytes: 1_000_000, sessionEpoch: -1,
      topics: [{ topic, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }] }],
    })
    return bodyOf<FetchResponse>(ApiKey.fetch, 10, (await client.next())!)
  }
  let throttled: FetchResponse | undefined
  let records = 0
  // Held back at first, or after some answers; and answered again afterwards.
  while (throttled === undefined || records === 0) {
    const answer = await ask()
    if (answer.throttleTimeMs > 0) {
      throttled = answer
      expect([answer.errorCode, answer.responses]).toEqual([ErrorCode.NONE, []])
      await setQuota({ user: null, 'client-id': 'raw' }, 'consumer_byte_rate', 500_000)
    } else records += answer.responses[0]!.partitions[0]!.records!.length
  }
  await setQuota({ user: null, 'client-id': 'raw' }, 'consumer_byte_rate', undefined)
  client.close()
})

test('any request counts for the quota of time, and the throttle is no longer than a sample', async () => {
  await setQuota({ user: null }, 'request_percentage', 0.0001)
  const client = await cluster.raw()
  let throttleMs = 0
  for (let i = 0; throttleMs === 0; i++) {
    client.send(ApiKey.metadata, 8, i, { topics: null })
    throttleMs = bodyOf<MetadataResponse>(ApiKey.metadata, 8, (await client.next())!).throttleTimeMs
  }
  expect(throttleMs).toBe(1000)
  // The administrator's own requests count as well.
  await setQuota({ user: null }, 'request_percentage', undefined)
  client.close()
})

test('topics beyond the quota of changes are refused, and old clients held back', async () => {
  await setQuota({ 'client-id': 'raw' }, 'controller_mutation_rate', 0.1)
  const create = async (version: number, names: string[]): Promise<CreateTopicsResponse> => {
    const client = await cluster.raw()
    const topics = names.map((name) => ({ name, numPartitions: 5, replicationFactor: 1 }))
    client.send(ApiKey.createTopics, version, 1, { topics, timeoutMs: 10_000 })
    const answer = (await client.next())!
    client.close()
    return bodyOf<CreateTopicsResponse>(ApiKey.createTopics, version, answer, version >= 5 ? 5 : 4)
  }
  const strict = await create(6, ['strict-a', 'strict-b'])
  expect(strict.topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([
    ['strict-a', ErrorCode.NONE], ['strict-b', ErrorCode.THROTTLING_QUOTA_EXCEEDED],
  ])
  expect(strict.throttleTimeMs).toBeGreaterThan(0)
  const permissive = await create(4, ['old'])
  expect(permissive.topics[0]!.errorCode).toBe(ErrorCode.NONE)
  expect(permissive.throttleTimeMs).toBeGreaterThan(strict.throttleTimeMs)
  await setQuota({ 'client-id': 'raw' }, 'controller_mutation_rate', undefined)
})

test('too many connections from an address are closed unserved, and later ones are taken', async () => {
  await setQuota({ ip: '127.0.0.1' }, 'connection_creation_rate', 2)
  const served = async (): Promise<boolean> => {
    const client = await cluster.raw()
    client.send(ApiKey.apiVersions, 0, 1, {})
    const isServed = (await client.next()) !== undefined
    client.close()
    return isServed
  }
  const first = await Promise.all(Array.from({ length: 8 }, served))
  expect(first).toContain(true)
  expect(first).toContain(false)
  await setQuota({ ip: '127.0.0.1' }, 'connection_creation_rate', undefined)
  expect(await served()).toBe(true)
})

test('a listener takes connections as fast as max.connection.creation.rate allows, and refuses none', async () => {
  const slow = await RunningCluster.start(1, { 'quota.window.num': '2', 'max.connection.creation.rate': '5' })
  const clients = await Promise.all(Array.from({ length: 12 }, () => slow.raw()))
  for (const client of clients) client.send(ApiKey.apiVersions, 0, 1, {})
  for (const client of clients) expect(await client.next()).toBeDefined()
  for (const client of clients) client.close()
  await slow.close()
})
