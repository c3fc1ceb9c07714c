import { ErrorCode } from '../../../../protocol/errors'
import { ApiKey } from '../../../../protocol/messages/apis'
import { encodeConfig } from '../../../../zk-schema/configs'
import { changeConfig } from '../../../../zk-schema/operations/change-config'
import { RunningCluster } from '../support/running-broker'
import type { AlterClientQuotasResponse } from '../../../../protocol/messages/alter-client-quotas'
import type { AlterUserScramCredentialsResponse } from '../../../../protocol/messages/alter-user-scram-credentials'
import type { DescribeClientQuotasResponse } from '../../../../protocol/messages/describe-client-quotas'
import type { DescribeUserScramCredentialsResponse } from '../../../../protocol/messages/describe-user-scram-credentials'
import type { KafkaConnection } from '../../../../network/kafka-connection'

let cluster: RunningCluster
let connection: KafkaConnection

beforeAll(async () => {
  cluster = await RunningCluster.start(2)
  connection = await cluster.connectToController()
})
afterAll(() => cluster.close())

type Entity = Record<string, string | null>

async function alter(entity: Entity, ops: Record<string, number | undefined>, validateOnly = false): Promise<[number, string | null]> {
  const { entries } = await connection.send<object, AlterClientQuotasResponse>(ApiKey.alterClientQuotas, {
    entries: [{
      entity: Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName })),
      ops: Object.entries(ops).map(([key, value]) => ({ key, value: value ?? 0, remove: value === undefined })),
    }],
    validateOnly,
  })
  return [entries[0]!.errorCode, entries[0]!.errorMessage]
}

async function described(components: Record<string, string | null | undefined>, strict = false): Promise<string[]> {
  const { errorCode, entries } = await connection.send<object, DescribeClientQuotasResponse>(ApiKey.describeClientQuotas, {
    components: Object.entries(components).map(([entityType, match]) => ({
      entityType, matchType: match === undefined ? 2 : match === null ? 1 : 0, match: match ?? null,
    })),
    strict,
  })
  expect(errorCode).toBe(ErrorCode.NONE)
  const textOf = ({ entity, values }: NonNullable<typeof entries>[number]): string =>
    `${entity.map(({ entityType, entityName }) => `${entityType}=${entityName}`).join(' ')}: ${values.map(({ key, value }) => `${key} ${value}`).join(', ')}`
  return entries!.map(textOf).sort()
}

const read = async (path: string): Promise<string | undefined> => (await cluster.brokers[0]!.keeper.current.get(path))?.data?.toString()

test('quotas are kept as Kafka keeps them, obeyed by every broker, and leave nothing behind', async () => {
  expect(await alter({ user: 'a b' }, { producer_byte_rate: 1024, request_percentage: 0.5 })).toEqual([0, null])
  expect(await read('/config/users/a%20b')).toBe('{"version":1,"config":{"producer_byte_rate":"1024","request_percentage":"0.5"}}')
  expect(await alter({ user: 'a b', 'client-id': null }, { consumer_byte_rate: 5 })).toEqual([0, null])
  expect(await read('/config/users/a%20b/clients/<default>')).toBe('{"version":1,"config":{"consumer_byte_rate":"5"}}')
  expect(await alter({ user: 'a b' }, { producer_byte_rate: undefined, request_percentage: undefined })).toEqual([0, null])
  expect(await read('/config/users/a%20b')).toBe('{"version":1,"config":{}}')
  expect(await alter({ user: 'a b', 'client-id': null }, { consumer_byte_rate: undefined })).toEqual([0, null])
  expect(await read('/config/users/a%20b')).toBeUndefined()
  expect(await alter({ user: 'a b' }, { producer_byte_rate: 7 }, true)).toEqual([0, null])
  expect(await read('/config/users/a%20b')).toBeUndefined()
})

test('somebody may be called like the default, or anything else', async () => {
  await alter({ user: '<default>', 'client-id': '<default>' }, { consumer_byte_rate: 5 })
  expect(await read('/config/users/%3Cdefault%3E/clients/%3Cdefault%3E')).toBe('{"version":1,"config":{"consumer_byte_rate":"5"}}')
  expect(await described({ user: '<default>' })).toEqual(['user=<default> client-id=<default>: consumer_byte_rate 5'])
  expect(await described({ user: null })).toEqual([])
  await alter({ user: '<default>', 'client-id': '<default>' }, { consumer_byte_rate: undefined })
  expect(await read('/config/users/%3Cdefault%3E')).toBeUndefined()
})

test('what is wrong with quotas, in Kafka’s words', async () => {
  const invalid = ErrorCode.INVALID_REQUEST
  expect(await alter({}, {})).toEqual([invalid, 'Invalid empty client quota entity'])
  expect(await alter({ group: 'g' }, {})).toEqual([invalid, 'Unhandled client quota entity type: group'])
  expect(await alter({ user: '' }, {})).toEqual([invalid, 'Empty user not supported'])
  expect(await alter({ ip: 'not..one' }, {})).toEqual([invalid, 'not..one is not a valid IP or resolvable host.'])
  expect(await alter({ ip: '::1' }, {})).toEqual([invalid, '%3A%3A1 is not a valid IP or resolvable host.'])
  expect(await alter({ user: 'u' }, { speed: 1 })).toEqual([invalid, 'Invalid configuration key speed'])
  expect(await alter({ user: 'u' }, { consumer_byte_rate: 1.5 })).toEqual([invalid, 'Configuration consumer_byte_rate must be a LONG value'])
  const negative = [invalid, 'Configuration connection_creation_rate must be a INT value']
  expect(await alter({ ip: '10.0.0.1' }, { connection_creation_rate: -1 })).toEqual(negative)
  expect((await alter({ user: 'u' }, { 'SCRAM-SHA-256': 1 }))[0]).toBe(ErrorCode.UNKNOWN_SERVER_ERROR)
})

test('what is described is what matches', async () => {
  const entities: Entity[] = [{ user: 'u' }, { user: null }, { 'client-id': 'c' }, { user: 'u', 'client-id': 'c' }, { ip: '10.0.0.1' }]
  for (const entity of entities) {
    await alter(entity, 'ip' in entity ? { connection_creation_rate: 9 } : { consumer_byte_rate: 1e12 })
  }
  const rate = 'consumer_byte_rate 1000000000000'
  expect(await described({})).toEqual([
    `client-id=c: ${rate}`, 'ip=10.0.0.1: connection_creation_rate 9', `user=null: ${rate}`, `user=u client-id=c: ${rate}`, `user=u: ${rate}`,
  ])
  expect(await described({}, true)).toEqual([])
  expect(await described({ user: 'u' })).toEqual([`user=u client-id=c: ${rate}`, `user=u: ${rate}`])
  expect(await described({ user: 'u' }, true)).toEqual([`user=u: ${rate}`])
  expect(await described({ user: undefined }, true)).toEqual([`user=null: ${rate}`, `user=u: ${rate}`])
  expect(await described({ user: undefined, 'client-id': undefined }, true)).toEqual([`user=u client-id=c: ${rate}`])
  expect(await described({ 'client-id': 'c' })).toEqual([`client-id=c: ${rate}`, `user=u client-id=c: ${rate}`])
  expect(await described({ 'client-id': null })).toEqual([])
  expect(await described({ ip: undefined }, true)).toEqual(['ip=10.0.0.1: connection_creation_rate 9'])
  for (const entity of entities) await alter(entity, { consumer_byte_rate: undefined, connection_creation_rate: undefined })
  expect(await described({})).toEqual([])
})

test('quotas that others write are obeyed, on their notification and at the start, until they are gone', async () => {
  const session = cluster.brokers[0]!.keeper.current
  let correlationId = 0
  const isThrottled = async (): Promise<boolean> => {
    // The answer comes at once, and then its connection is held back: each gets its own.
    const client = await cluster.raw(cluster.brokers.at(-1)!.portOf('PLAINTEXT'))
    client.send(ApiKey.apiVersions, 2, correlationId++, {})
    const answer = (await client.next())!
    client.close()
    return answer.readInt32BE(answer.length - 4) > 0
  }
  const untilThrottled = async (wanted: boolean): Promise<void> => {
    while ((await isThrottled()) !== wanted) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await changeConfig(session, 'clients/raw', () => new Map([['request_percentage', '0.0001']]))
  await untilThrottled(true)
  // What cannot be read changes nothing.
  await session.set('/config/clients/raw', Buffer.from('{'), -1)
  await session.create('/config/users/broken', Buffer.from('nonsense'))
  await cluster.startBroker(2)
  await session.set('/config/clients/raw', encodeConfig(new Map([['request_percentage', '0.0001']])), -1)
  await cluster.startBroker(3)
  await untilThrottled(true)
  await changeConfig(session, 'clients/raw', () => new Map())
  await untilThrottled(false)
  await session.remove('/config/users/broken', -1)
})

const credential = { name: 'alice', mechanism: 1, iterations: 4096, salt: Buffer.from('salt'), saltedPassword: Buffer.from('salted') }

async function scram(deletions: object[], upsertions: object[], to = connection): Promise<[string, number, string | null][]> {
  const body = { deletions, upsertions }
  const { results } = await to.send<object, AlterUserScramCredentialsResponse>(ApiKey.alterUserScramCredentials, body)
  return results.map(({ user, errorCode, errorMessage }) => [user, errorCode, errorMessage])
}

async function describeScram(users: string[] | null): Promise<unknown[]> {
  const { results } = await connection.send<object, DescribeUserScramCredentialsResponse>(ApiKey.describeUserScramCredentials, {
    users: users?.map((name) => ({ name })) ?? null,
  })
  return results.map(({ user, errorCode, credentialInfos }) => [user, errorCode, ...credentialInfos.map((info) => Object.values(info))])
}

test('credentials are kept as keys, described without them, beside quotas', async () => {
  await alter({ user: 'alice' }, { consumer_byte_rate: 1e12 })
  expect(await scram([], [credential, { ...credential, mechanism: 2, iterations: 8192 }, { ...credential, name: 'bob' }]))
    .toEqual([['alice', 0, null], ['bob', 0, null]])
  expect(await read('/config/users/bob')).toMatch(
    /^\{"version":1,"config":\{"SCRAM-SHA-256":"salt=c2FsdA==,stored_key=[\w+/=]{44},server_key=[\w+/=]{44},iterations=4096"\}\}$/,
  )
  expect(await describeScram(null)).toEqual([['alice', 0, [1, 4096], [2, 8192]], ['bob', 0, [1, 4096]]])
  expect(await describeScram(['bob', 'carol', 'carol', 'dave', ''])).toEqual([
    ['bob', 0, [1, 4096]], ['carol', ErrorCode.DUPLICATE_RESOURCE], ['dave', ErrorCode.RESOURCE_NOT_FOUND], ['', ErrorCode.RESOURCE_NOT_FOUND],
  ])
  expect(await scram([{ name: 'alice', mechanism: 1 }, { name: 'bob', mechanism: 1 }], [])).toEqual([['alice', 0, null], ['bob', 0, null]])
  expect(await read('/config/users/bob')).toBeUndefined()
  expect(await scram([{ name: 'alice', mechanism: 2 }], [])).toEqual([['alice', 0, null]])
  await alter({ user: 'alice' }, { consumer_byte_rate: undefined })
  expect(await describeScram(null)).toEqual([])
})

test('what is wrong with credentials, and who changes them', async () => {
  const unacceptable = ErrorCode.UNACCEPTABLE_CREDENTIAL
  expect(await scram([], [{ ...credential, iterations: 4095 }])).toEqual([['alice', unacceptable, 'Too few iterations']])
  expect(await scram([], [{ ...credential, iterations: 16385 }])).toEqual([['alice', unacceptable, 'Too many iterations']])
  expect(await scram([], [{ ...credential, mechanism: 9 }])).toEqual([['alice', ErrorCode.UNSUPPORTED_SASL_MECHANISM, 'Unknown SCRAM mechanism']])
  expect(await scram([], [{ ...credential, name: '' }])).toEqual([['', unacceptable, 'Username must not be empty']])
  expect(await scram([], [credential, credential]))
    .toEqual([['alice', ErrorCode.DUPLICATE_RESOURCE, 'A user credential cannot be altered twice in the same request']])
  expect(await scram([{ name: 'alice', mechanism: 1 }], []))
    .toEqual([['alice', ErrorCode.RESOURCE_NOT_FOUND, 'Attempt to delete a user credential that does not exist']])
  const other = cluster.brokers.find(({ controller }) => !controller.isActive())!
  const answer = await scram([], [credential], await cluster.connect(other.portOf('PLAINTEXT')))
  expect(answer.map(([user, code]) => [user, code])).toEqual([['alice', ErrorCode.NOT_CONTROLLER]])
})
