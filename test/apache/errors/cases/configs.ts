import { ApiKey } from '../../../../protocol/messages/apis'
import type { BadRequest } from '../case'

const TOPIC = 2, BROKER = 4, LOGGER = 8

const resources: [string, number, string][] = [
  ['unknown topic', TOPIC, 'nowhere'], ['a bad topic name', TOPIC, 'a/b'], ['a topic without a name', TOPIC, ''], ['another broker', BROKER, '1'],
  ['an unknown broker', BROKER, '77'], ['a broker that is no number', BROKER, 'one'], ['the default of brokers', BROKER, ''], ['an unknown kind', 3, 'x'], ['kind 0', 0, 'x'],
  ['kind 77', 77, 'x'], ['the loggers of another broker', LOGGER, '1'], ['the loggers of nobody', LOGGER, ''], ['a group', 32, 'g'], ['client metrics', 16, 'm'],
]

function describe(what: string, resourceType: number, resourceName: string, keys: string[] | null, versions: BadRequest['versions'] = [1, 4]): BadRequest {
  return {
    name: `describe configs: ${what}`, api: ApiKey.describeConfigs, versions,
    body: (_, version) => ({ resources: [{ resourceType, resourceName, configurationKeys: keys }], ...(version >= 1 ? { includeSynonyms: true } : {}) }),
  }
}

function alter(what: string, resourceType: number, resourceName: string, configs: [string, string | null][]): BadRequest {
  return {
    name: `alter configs: ${what}`, api: ApiKey.alterConfigs,
    body: () => ({ resources: [{ resourceType, resourceName, configs: configs.map(([name, value]) => ({ name, value })) }], validateOnly: true }),
  }
}

function change(what: string, resourceType: number, resourceName: string, configs: [string, number, string | null][], ours?: RegExp): BadRequest {
  return {
    name: `incremental alter configs: ${what}`, api: ApiKey.incrementalAlterConfigs, ...(ours === undefined ? {} : { ours }),
    body: () => ({ resources: [{ resourceType, resourceName, configs: configs.map(([name, configOperation, value]) => ({ name, configOperation, value })) }], validateOnly: true }),
  }
}

/** Where Apache answers UNKNOWN_SERVER_ERROR. */
const INVALID = /"errorCode":42/

/** Version 0 has a field for whether a value is the default; Apache leaves it out. */
const FROM_1 = [1, 2, 3, 4]

const SET = 0, DELETE = 1, APPEND = 2, SUBTRACT = 3

export const configCases: BadRequest[] = [
  ...resources.flatMap(([what, type, name]) => [
    describe(what, type, name, ['retention.ms']),
    alter(what, type, name, [['retention.ms', '5']]),
    change(what, type, name, [['retention.ms', SET, '5']]),
  ]),
  describe('unknown keys', TOPIC, 'plain', ['no.such.key'], 'all'),
  describe('one key of a topic', TOPIC, 'plain', ['retention.ms'], FROM_1),
  describe('one key that was set', TOPIC, 'small', ['max.message.bytes', 'min.insync.replicas'], FROM_1),
  describe('keys of a broker', BROKER, '0', ['log.retention.ms', 'log.retention.hours', 'num.io.threads', 'ssl.keystore.password', 'message.max.bytes'], FROM_1),
  describe('no keys', TOPIC, 'plain', []),
  alter('a wrong value', TOPIC, 'plain', [['retention.ms', 'soon']]),
  alter('an unknown key', TOPIC, 'plain', [['no.such.key', '1']]),
  alter('null for a value', TOPIC, 'plain', [['retention.ms', null]]),
  alter('a key twice', TOPIC, 'plain', [['retention.ms', '1'], ['retention.ms', '2']]),
  alter('a key that a broker keeps', BROKER, '0', [['broker.id', '3']]),
  alter('a wrong value of a broker', BROKER, '0', [['log.retention.ms', 'soon']]),
  alter('a good one', TOPIC, 'plain', [['retention.ms', '5000']]),
  change('operation 9', TOPIC, 'plain', [['retention.ms', 9, '1']], INVALID),
  change('operation -1', TOPIC, 'plain', [['retention.ms', -1, '1']], INVALID),
  change('a wrong value', TOPIC, 'plain', [['retention.ms', SET, 'soon']]),
  change('an unknown key', TOPIC, 'plain', [['no.such.key', SET, '1']]),
  change('null for a value', TOPIC, 'plain', [['retention.ms', SET, null]]),
  change('a key twice', TOPIC, 'plain', [['retention.ms', SET, '1'], ['retention.ms', DELETE, null]]),
  change('append to what is no list', TOPIC, 'plain', [['retention.ms', APPEND, '1']]),
  change('subtract from what is no list', TOPIC, 'plain', [['retention.ms', SUBTRACT, '1']]),
  change('append to a list', TOPIC, 'plain', [['cleanup.policy', APPEND, 'compact']]),
  change('append what is wrong', TOPIC, 'plain', [['cleanup.policy', APPEND, 'burn']]),
  change('subtract the last', TOPIC, 'plain', [['cleanup.policy', SUBTRACT, 'delete']]),
  change('delete what is not set', TOPIC, 'plain', [['retention.ms', DELETE, null]]),
  change('delete an unknown key', TOPIC, 'plain', [['no.such.key', DELETE, null]]),
  change('a key that a broker keeps', BROKER, '0', [['zookeeper.connect', SET, 'x:1']]),
  change('an unknown key of a broker', BROKER, '0', [['no.such.key', SET, '1']]),
  change('a wrong value of a broker', BROKER, '0', [['log.cleaner.threads', SET, '-1']]),
  change('a level of a logger', LOGGER, '0', [['root', SET, 'LOUD']]),
  change('a logger that is not there', LOGGER, '0', [['no.such.logger', SET, 'INFO']]),
  change('delete the root logger', LOGGER, '0', [['root', DELETE, null]]),
  change('append to a logger', LOGGER, '0', [['root', APPEND, 'INFO']]),
  { name: 'incremental alter configs: nothing', api: ApiKey.incrementalAlterConfigs, body: () => ({ resources: [], validateOnly: false }) },
  {
    name: 'incremental alter configs: a resource twice', api: ApiKey.incrementalAlterConfigs,
    body: () => ({
      resources: [0, 1].map(() => ({ resourceType: TOPIC, resourceName: 'plain', configs: [{ name: 'retention.ms', configOperation: SET, value: '9' }] })),
      validateOnly: true,
    }),
  },
]
