import { ApiKey } from '../../../../protocol/messages/apis'
import type { BadRequest } from '../case'

type Entity = Record<string, string | null>
type Op = [key: string, value: number | undefined]

function alter(name: string, entity: Entity, ops: Op[], more: Partial<BadRequest> & { validateOnly?: boolean } = {}): BadRequest {
  const { validateOnly = false, ...rest } = more
  return {
    name: `quotas: ${name}`, api: ApiKey.alterClientQuotas, ...rest,
    body: () => ({
      entries: [{
        entity: Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName })),
        ops: ops.map(([key, value]) => ({ key, value: value ?? 0, remove: value === undefined })),
      }],
      validateOnly,
    }),
  }
}

type Component = [entityType: string, match: string | null | undefined]

/** `undefined`: any name. */
function describe(name: string, components: Component[], strict: boolean, more: Partial<BadRequest> = {}): BadRequest {
  return {
    name: `describe quotas: ${name}`, api: ApiKey.describeClientQuotas, ...more,
    body: () => ({
      components: components.map(([entityType, match]) => ({ entityType, matchType: match === undefined ? 2 : match === null ? 1 : 0, match: match ?? null })),
      strict,
    }),
  }
}

const ALL: [string, Component[]][] = [
  ['everything', []],
  ['a user', [['user', 'alice']]],
  ['the default user', [['user', null]]],
  ['any user', [['user', undefined]]],
  ['a client id', [['client-id', 'c 1*']]],
  ['the default client id', [['client-id', null]]],
  ['any client id', [['client-id', undefined]]],
  ['a user and a client id', [['user', 'alice'], ['client-id', 'c 1*']]],
  ['a user and any client id', [['client-id', undefined], ['user', 'alice']]],
  ['any user and the default client id', [['user', undefined], ['client-id', null]]],
  ['any user and any client id', [['user', undefined], ['client-id', undefined]]],
  ['an address', [['ip', '10.1.2.3']]],
  ['any address', [['ip', undefined]]],
  ['the default address', [['ip', null]]],
  ['a user that is not there', [['user', 'nobody']]],
]

const upsertion = { name: 'alice', mechanism: 1, iterations: 4096, salt: Buffer.from('salt'), saltedPassword: Buffer.from('salted') }

function scram(name: string, deletions: object[], upsertions: object[], more: Partial<BadRequest> = {}): BadRequest {
  return { name: `scram: ${name}`, api: ApiKey.alterUserScramCredentials, to: 'controller', ...more, body: () => ({ deletions, upsertions }) }
}

function describeScram(name: string, users: string[] | null): BadRequest {
  return { name: `describe scram: ${name}`, api: ApiKey.describeUserScramCredentials, body: () => ({ users: users?.map((user) => ({ name: user })) ?? null }) }
}

/** They build upon each other. */
export const quotaCases: readonly BadRequest[] = [
  describe('none are there', [], false, { versions: 'all' }),
  alter('a user', { user: 'alice' }, [['producer_byte_rate', 1e9], ['request_percentage', 1e9]], { versions: 'all' }),
  alter('by another broker', { user: 'bob' }, [['consumer_byte_rate', 1e9]], { to: 'other' }),
  alter('validated only', { user: 'carol' }, [['consumer_byte_rate', 1e9]], { validateOnly: true }),
  alter('the default user', { user: null }, [['consumer_byte_rate', 1e12]]),
  alter('a client id', { 'client-id': 'c 1*' }, [['controller_mutation_rate', 12345.5]]),
  alter('the default client id', { 'client-id': null }, [['consumer_byte_rate', 1e12]]),
  alter('a user and a client id', { user: 'alice', 'client-id': 'c 1*' }, [['consumer_byte_rate', 1e12]]),
  alter('defaults of both', { user: null, 'client-id': null }, [['consumer_byte_rate', 1e12]]),
  alter('one called like the default', { user: '<default>' }, [['consumer_byte_rate', 1e9]]),
  describe('one called like the default', [['user', '<default>']], true),
  describe('the default user again', [['user', null]], true),
  alter('an address', { ip: '10.1.2.3' }, [['connection_creation_rate', 100000]]),
  alter('the default address', { ip: null }, [['connection_creation_rate', 100000]]),
  ...ALL.flatMap(([name, components]) => [describe(name, components, false), describe(`${name} alone`, components, true)]),
  describe('the same twice', [['user', 'a'], ['user', 'b']], false),
  describe('the same client id twice', [['client-id', 'a'], ['client-id', 'b']], false),
  describe('the same address twice', [['ip', 'a'], ['ip', 'b']], false),
  describe('an address and a user', [['ip', '10.1.2.3'], ['user', 'a']], false),
  describe('an empty type', [['', 'a']], false),
  describe('an unknown type', [['group', 'a']], false),
  {
    name: 'describe quotas: an unknown match type', api: ApiKey.describeClientQuotas, ours: /"errorCode":42/,
    body: () => ({ components: [{ entityType: 'user', matchType: 7, match: null }], strict: false }),
  },
  {
    name: 'describe quotas: an exact match of null', api: ApiKey.describeClientQuotas, ours: /"errorCode":42/,
    body: () => ({ components: [{ entityType: 'user', matchType: 0, match: null }], strict: false }),
  },
  alter('of nobody', {}, [['consumer_byte_rate', 1]]),
  alter('of an unknown type', { group: 'g' }, [['consumer_byte_rate', 1]]),
  alter('of an empty user', { user: '' }, [['consumer_byte_rate', 1]]),
  alter('of an empty client id', { 'client-id': '' }, [['consumer_byte_rate', 1]]),
  alter('of an empty address', { ip: '' }, [['connection_creation_rate', 1]]),
  alter('of an address and a user', { ip: '10.1.2.3', user: 'alice' }, [['connection_creation_rate', 1]]),
  alter('of no address', { ip: 'not..one' }, [['connection_creation_rate', 1]]),
  alter('of an IPv6 address', { ip: '::1' }, [['connection_creation_rate', 1]]),
  alter('an unknown key', { user: 'alice' }, [['speed', 1]]),
  alter('an unknown key removed', { user: 'alice' }, [['speed', undefined]]),
  alter('a key of addresses', { user: 'alice' }, [['connection_creation_rate', 1]]),
  alter('a key of users', { ip: '10.1.2.3' }, [['consumer_byte_rate', 1]]),
  alter('half a byte', { user: 'alice' }, [['consumer_byte_rate', 1.5]]),
  alter('half a connection', { ip: '10.1.2.3' }, [['connection_creation_rate', 1.5]]),
  alter('connections below zero', { ip: '10.1.2.3' }, [['connection_creation_rate', -1]]),
  alter('connections below zero, validated only', { ip: '10.1.2.3' }, [['connection_creation_rate', -1]], { validateOnly: true }),
  alter('more connections than an int', { ip: '10.1.2.3' }, [['connection_creation_rate', 1e10]]),
  alter('bytes below zero', { user: 'dave' }, [['consumer_byte_rate', -1]]),
  alter('bytes below zero removed', { user: 'dave' }, [['consumer_byte_rate', undefined]]),
  alter('not a number', { user: 'dave' }, [['consumer_byte_rate', NaN]], { validateOnly: true }),
  alter('a credential as a quota', { user: 'alice' }, [['SCRAM-SHA-256', 1]]),
  alter('of nobody that is there, removed', { user: 'nobody' }, [['consumer_byte_rate', undefined]]),
  {
    name: 'quotas: the same user twice, and another', api: ApiKey.alterClientQuotas,
    body: () => ({
      entries: ['erin', 'erin', 'frank'].map((entityName, i) => ({
        entity: [{ entityType: 'user', entityName }], ops: [{ key: 'consumer_byte_rate', value: 1e9 + i, remove: false }],
      })),
    }),
  },
  describeScram('of everybody', null),
  describeScram('of nobody in particular', []),
  describeScram('of somebody without', ['alice']),
  scram('to another broker', [], [upsertion], { to: 'other' }),
  scram('nothing', [], []),
  scram('too few iterations', [], [{ ...upsertion, iterations: 4095 }]),
  scram('too many iterations', [], [{ ...upsertion, iterations: 16385 }]),
  scram('an unknown mechanism', [], [{ ...upsertion, mechanism: 3 }]),
  scram('an unknown mechanism, deleted', [{ name: 'alice', mechanism: 0 }], []),
  scram('of nobody', [], [{ ...upsertion, name: '' }]),
  scram('of nobody, deleted', [{ name: '', mechanism: 1 }], []),
  scram('twice the same', [], [upsertion, upsertion]),
  scram('deleted and set', [{ name: 'alice', mechanism: 1 }], [upsertion]),
  scram('one that is not there', [{ name: 'alice', mechanism: 1 }], []),
  scram('an empty password', [], [{ ...upsertion, saltedPassword: Buffer.alloc(0) }]),
  scram('two mechanisms', [], [upsertion, { ...upsertion, mechanism: 2, iterations: 8192 }]),
  scram('one for another', [{ name: 'alice', mechanism: 2 }], [{ ...upsertion, iterations: 5000 }]),
  scram('some right, some wrong', [{ name: 'bob', mechanism: 1 }], [{ ...upsertion, name: 'zoe' }, { ...upsertion, name: 'yan', iterations: 1 }]),
  describeScram('of everybody again', null),
  describeScram('of some', ['zoe', 'alice', 'bob']),
  describeScram('of one twice', ['zoe', 'zoe', 'alice']),
  describeScram('of an empty name', ['', 'alice']),
  alter('beside a credential', { user: 'zoe' }, [['consumer_byte_rate', 1e9]]),
  describe('a user with a credential', [['user', 'zoe']], true),
  ...['alice', 'bob', 'zoe', 'erin', 'frank', '<default>'].map((user) => alter(`removed of ${user}`, { user }, [
    ['consumer_byte_rate', undefined], ['producer_byte_rate', undefined], ['request_percentage', undefined],
  ])),
  ...[
    { user: null }, { 'client-id': 'c 1*' }, { 'client-id': null }, { user: 'alice', 'client-id': 'c 1*' }, { user: null, 'client-id': null },
  ].map((entity) => alter(`removed of ${JSON.stringify(entity)}`, entity, [['consumer_byte_rate', undefined], ['controller_mutation_rate', undefined]])),
  ...['10.1.2.3', null].map((ip) => alter(`removed of ${ip}`, { ip }, [['connection_creation_rate', undefined]])),
  describe('what is left', [], false),
  scram('the last ones', [{ name: 'alice', mechanism: 1 }, { name: 'zoe', mechanism: 1 }], []),
]
