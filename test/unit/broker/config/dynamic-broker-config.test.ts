import { ConfigError } from '../../../../protocol/rules/config-values'
import { parseBrokerConfig } from '../../../../protocol/rules/config-definition'
import { describeBrokerConfig, describeDefaultBrokerConfig, describeTopicConfig } from '../../../../broker/config/config-descriptions'
import { DynamicBrokerConfig } from '../../../../broker/config/dynamic-broker-config'
import { KafkaConfig } from '../../../../broker/config/kafka-config'
import { addDynamicParts } from '../../../../broker/dynamic-parts'
import { silentLogger } from '../../../../runtime/log'
import type { DynamicParts } from '../../../../broker/dynamic-parts'
import type { ConnectionMaxima } from '../../../../broker/server/connection-limits'

function setUp(properties: Record<string, string> = {}): { config: KafkaConfig; dynamic: DynamicBrokerConfig; errors: object[] } {
  const errors: object[] = []
  const config = new KafkaConfig(parseBrokerConfig({ 'zookeeper.connect': 'localhost:2181', ...properties }).values)
  const logger = { ...silentLogger, error: (fields: object) => void errors.push(fields) }
  return { config, dynamic: new DynamicBrokerConfig(config, logger), errors }
}

describe('what may be set while a broker runs (KIP-226)', () => {
  test.each<[string, Record<string, string>, boolean, string]>([
    ['read-only keys', { 'num.partitions': '2' }, true, 'Cannot update these configs dynamically: Set(num.partitions)'],
    [
      'security keys without their listener', { 'ssl.keystore.location': '/x' }, true,
      'These security configs can be dynamically updated only per-listener using the listener prefix: HashSet(ssl.keystore.location)',
    ],
    ['values of another type', { 'max.connections': 'many' }, true, 'Invalid value many for configuration max.connections: Not a number of type INT'],
    ['values out of range', { 'max.connections': '-5' }, true, 'Invalid value -5 for configuration max.connections: Value must be at least 0'],
    [
      'per-broker keys for all', { 'advertised.listeners': 'PLAINTEXT://x:1' }, false,
      'Cannot update these configs at default cluster level, broker id must be specified: Set(advertised.listeners)',
    ],
    ['values that do not go together', { 'log.roll.ms': '0' }, true, 'requirement failed: log.roll.ms must be greater than or equal to 1'],
    ['what would have no effect', { 'metric.reporters': 'my.Reporter' }, false, 'metric.reporters would have no effect: it is not supported yet'],
  ])('%s are refused', (_, wanted, perBroker, message) => {
    const { dynamic } = setUp()
    expect(() => dynamic.validate(wanted, perBroker)).toThrow(message)
  })

  test('unknown keys, throttle rates and dynamic keys are accepted', () => {
    const { dynamic } = setUp()
    const wanted = { 'my.own': '1', 'leader.replication.throttled.rate': '5', 'log.retention.ms': '7', 'log.cleaner.threads': '1' }
    expect(() => dynamic.validate(wanted, true)).not.toThrow()
  })

  test('a part that cannot follow refuses, in Kafka’s wrapping', () => {
    const { dynamic } = setUp()
    dynamic.add({ keys: ['num.io.threads'], validate: () => { throw new ConfigError('too many', 'num.io.threads') } })
    expect(() => dynamic.validate({ 'num.io.threads': '99' }, true)).toThrow(
      'Invalid value org.apache.kafka.common.config.ConfigException: too many for configuration Invalid dynamic configuration',
    )
    expect(() => dynamic.validate({ 'max.connections': '99' }, true)).not.toThrow()
  })
})

describe('what ZooKeeper says', () => {
  test('a broker’s own value beats that of all, which beats server.properties', () => {
    const { config, dynamic } = setUp({ 'log.retention.hours': '1' })
    const seen: [number, number][] = []
    dynamic.add({
      keys: ['log.retention.ms'],
      reconfigure: (next, previous) => seen.push([next.numberOrNull('log.retention.ms') ?? -1, previous.numberOrNull('log.retention.ms') ?? -1]),
    })
    dynamic.take({ 'log.retention.ms': '20' }, false)
    dynamic.take({ 'log.retention.ms': '30' }, true)
    dynamic.take({ 'log.retention.ms': '30' }, true)
    expect(config.values.numberOrNull('log.retention.ms')).toBe(30)
    dynamic.take({}, true)
    expect(config.values.numberOrNull('log.retention.ms')).toBe(20)
    dynamic.take({}, false)
    expect(config.values.numberOrNull('log.retention.ms')).toBeNull()
    expect(config.values.number('log.retention.hours')).toBe(1)
    expect(seen).toEqual([[20, -1], [30, 20], [20, 30], [-1, 20]])
  })

  test('what makes no sense is left out, or changes nothing', () => {
    const { config, dynamic, errors } = setUp()
    dynamic.take({ 'max.connections': 'many', 'num.partitions': '3', 'min.insync.replicas': '2' }, true)
    expect(config.values.number('min.insync.replicas')).toBe(2)
    expect(errors).toHaveLength(2)
    dynamic.take({ 'min.insync.replicas': '3', 'log.roll.ms': '0' }, true)
    expect(config.values.number('min.insync.replicas')).toBe(2)
    expect(errors).toHaveLength(3)
    dynamic.take({ 'advertised.listeners': 'PLAINTEXT://x:1' }, false)
    expect(config.dynamicDefault).toEqual({})
  })

  test('rates that nothing else can set are told to whoever listens', () => {
    const { dynamic } = setUp()
    const seen: (string | undefined)[] = []
    dynamic.onChange(() => seen.push(dynamic.dynamicText('leader.replication.throttled.rate')))
    dynamic.take({ 'leader.replication.throttled.rate': '5' }, false)
    dynamic.take({ 'leader.replication.throttled.rate': '7' }, true)
    dynamic.take({}, true)
    dynamic.take({}, false)
    expect(seen).toEqual(['5', '7', '5', undefined])
  })
})

test('a listener that is added while a broker runs has its own max.connections', () => {
  const { config, dynamic } = setUp({ listeners: 'PLAINTEXT://127.0.0.1:0', 'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,EXTRA:PLAINTEXT' })
  const maxima: (number | undefined)[] = []
  const server = {
    reconfigureLimits: ({ maxConnectionsPerListener }: ConnectionMaxima) => maxima.push(maxConnectionsPerListener?.get('EXTRA')),
    reconfigureListeners: () => Promise.resolve(),
    portOf: () => 1,
  }
  addDynamicParts(dynamic, {
    config, server, registrar: { update: () => Promise.resolve() }, hostName: 'h', logger: silentLogger,
  } as unknown as DynamicParts)
  const listeners = 'PLAINTEXT://127.0.0.1:0,EXTRA://127.0.0.1:0'
  dynamic.take({ listeners, 'listener.name.extra.max.connections': '3' }, true)
  dynamic.take({ listeners, 'listener.name.extra.max.connections': '4' }, true)
  expect(maxima).toEqual([3, 4])
})

describe('descriptions', () => {
  test('sources and synonyms, strongest first', () => {
    const { config, dynamic } = setUp({ 'log.retention.hours': '1', 'max.connections': '10' })
    dynamic.take({ 'log.retention.ms': '20' }, false)
    dynamic.take({ 'log.retention.ms': '30', 'leader.replication.throttled.rate': '5', 'my.own': 'x' }, true)
    const of = (name: string): object => describeBrokerConfig(config, [name])[0]!
    expect(of('log.retention.ms')).toMatchObject({
      value: '30',
      configSource: 2,
      readOnly: false,
      synonyms: [
        { name: 'log.retention.ms', value: '30', source: 2 },
        { name: 'log.retention.ms', value: '20', source: 3 },
        { name: 'log.retention.hours', value: '1', source: 4 },
        { name: 'log.retention.hours', value: '168', source: 5 },
      ],
    })
    expect(of('max.connections')).toMatchObject({ value: '10', configSource: 4 })
    expect(of('leader.replication.throttled.rate')).toMatchObject({
      value: '5', readOnly: true, synonyms: [{ name: 'leader.replication.throttled.rate', value: '5', source: 2 }],
    })
    expect(of('my.own')).toMatchObject({ value: null, isSensitive: true, configSource: 2 })
    expect(describeTopicConfig(config, {}, ['retention.ms'])[0]).toMatchObject({ value: '30', configSource: 2 })
    expect(describeDefaultBrokerConfig(config, null)).toMatchObject([
      { name: 'log.retention.ms', value: '20', configSource: 3, synonyms: [{ name: 'log.retention.ms', value: '20', source: 3 }] },
    ])
  })
})
