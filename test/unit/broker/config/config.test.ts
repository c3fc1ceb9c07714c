import { ProtocolError } from '../../../../protocol/errors'
import { parseBrokerConfig } from '../../../../protocol/rules/config-definition'
import { builtInTopicConfig } from '../../../../protocol/rules/topic-config'
import { applyChanges, checkChanges, checkTopicConfig } from '../../../../broker/config/config-changes'
import { describeBrokerConfig, describeTopicConfig } from '../../../../broker/config/config-descriptions'
import { KafkaConfig } from '../../../../broker/config/kafka-config'
import { checkSupported, unsupportedKeys } from '../../../../broker/config/supported-settings'
import { TopicConfigStore } from '../../../../broker/config/topic-config-store'
import { silentLogger } from '../../../../runtime/log'
import type { Logger } from '../../../../runtime/log'

function configOf(properties: Record<string, string> = {}): KafkaConfig {
  return new KafkaConfig(parseBrokerConfig({ 'zookeeper.connect': 'localhost:2181', ...properties }, unsupportedKeys()).values)
}

describe('what a topic sets', () => {
  test('later values count, a wrong one leaves the previous', () => {
    const errors: string[] = []
    const logger: Logger = { ...silentLogger, error: (_, message) => errors.push(message) }
    const store = new TopicConfigStore(configOf({ 'log.retention.ms': '9000' }), logger)
    const changed: string[] = []
    store.onChange((topic) => changed.push(topic))
    expect(store.has('t')).toBe(false)
    expect(store.of('t').retentionMs).toBe(9000)
    store.replace('t', { 'retention.ms': '5' })
    store.replace('t', { 'retention.ms': '5' })
    expect(store.of('t').retentionMs).toBe(5)
    store.replace('t', { 'retention.ms': 'soon' })
    expect(store.of('t').retentionMs).toBe(5)
    expect(errors).toHaveLength(1)
    store.replace('t', {})
    expect(store.of('t').retentionMs).toBe(9000)
    expect(store.has('t')).toBe(true)
    store.retain(new Set())
    expect(store.has('t')).toBe(false)
    expect(changed).toEqual(['t', 't'])
  })

  test('keys that say one thing together are worked out', () => {
    const store = new TopicConfigStore(configOf(), silentLogger)
    store.replace('t', { 'message.timestamp.difference.max.ms': '100' })
    expect(store.of('t')).toMatchObject({ messageTimestampBeforeMaxMs: 100, messageTimestampAfterMaxMs: 100 })
    store.replace('t', { 'cleanup.policy': 'compact', 'max.compaction.lag.ms': '7' })
    expect(store.of('t').segmentMs).toBe(7)
  })
})

describe('changes', () => {
  const change = (
    name: string,
    operation: number,
    value: string | null = null,
  ): { name: string; operation: number; value: string | null } => ({ name, operation, value })

  test('set, delete, append, subtract', () => {
    const before = { 'retention.ms': '1', 'cleanup.policy': 'delete' }
    expect({ ...applyChanges(before, [change('retention.ms', 1), change('segment.ms', 0, '5')]) }).toEqual({
      'cleanup.policy': 'delete',
      'segment.ms': '5',
    })
    expect(applyChanges(before, [change('cleanup.policy', 2, 'compact')])['cleanup.policy']).toBe('delete,compact')
    expect(applyChanges(before, [change('cleanup.policy', 2, 'delete')])['cleanup.policy']).toBe('delete')
    expect(applyChanges(before, [change('cleanup.policy', 3, 'delete')])['cleanup.policy']).toBe('')
    expect(applyChanges({}, [change('cleanup.policy', 2, 'compact')])['cleanup.policy']).toBe('delete,compact')
    expect(() => applyChanges(before, [change('retention.ms', 2, '1')])).toThrow(
      'append is not allowed for config key: retention.ms',
    )
    expect(before).toEqual({ 'retention.ms': '1', 'cleanup.policy': 'delete' })
  })

  test('names like those of an object’s own parts are names', () => {
    const next = applyChanges({}, [change('__proto__', 0, 'x'), change('constructor', 0, 'y')])
    expect(Object.keys(next).sort()).toEqual(['__proto__', 'constructor'])
    expect(() => checkTopicConfig('t', next, builtInTopicConfig)).toThrow(ProtocolError)
  })

  test('duplicates, nulls, unknown operations', () => {
    expect(() => checkChanges([change('a', 0, '1'), change('a', 1)])).toThrow('duplicate config keys')
    expect(() => checkChanges([change('a', 0)])).toThrow('Null value not supported for : a')
    expect(() => checkChanges([change('a', 4, '1')])).toThrow('Unknown operations type 4')
    expect(() => checkChanges([change('a', 1)])).not.toThrow()
  })
})

describe('descriptions', () => {
  test('what was given and is no key is shown, its value is not', () => {
    const config = configOf({ 'my.own.key': 'secret', 'broker.rack': 'r1' })
    const entries = new Map(describeBrokerConfig(config, null).map((entry) => [entry.name, entry]))
    expect(entries.get('my.own.key')).toMatchObject({ value: null, isSensitive: true, configType: 0 })
    expect(entries.get('broker.rack')).toMatchObject({ value: 'r1', configSource: 4, configType: 2 })
    expect(entries.get('log.segment.bytes')).toMatchObject({ value: '1073741824', configSource: 5, isDefault: true })
    expect(entries.has('flush.before.ack')).toBe(false)
    expect(entries.get('broker.rack')!.readOnly).toBe(true)
    expect(entries.get('log.segment.bytes')!.readOnly).toBe(false)
  })

  test('a topic has 36 keys; those asked for are shown', () => {
    const config = configOf({ 'log.retention.ms': '7' })
    expect(describeTopicConfig(config, {}, null)).toHaveLength(36)
    expect(describeTopicConfig(config, {}, ['retention.ms', 'nothing'])).toMatchObject([
      {
        name: 'retention.ms',
        value: '7',
        configSource: 4,
        synonyms: [
          { name: 'log.retention.ms', value: '7', source: 4 },
          { name: 'log.retention.hours', value: '168', source: 5 },
        ],
      },
    ])
    expect(describeTopicConfig(config, { 'flush.before.ack': 'true' }, ['flush.before.ack'])).toMatchObject([
      { value: 'true', configSource: 1 },
    ])
  })
})

describe('what would have no effect is refused', () => {
  test.each([
    ['ssl.keystore.location', '/k'],
    ['authorizer.class.name', 'kafka.security.authorizer.AclAuthorizer'],
    ['sasl.enabled.mechanisms', 'PLAIN'],
    ['zookeeper.set.acl', 'true'],
    ['client.quota.callback.class', 'x.Y'],
  ])('%s', (key, value) => {
    expect(() => configOf({ [key]: value })).toThrow(key)
  })

  test('but a default is a default, and threads are nobody’s business', () => {
    expect(() =>
      configOf({ 'ssl.protocol': 'TLSv1.3', 'num.io.threads': '16', 'group.initial.rebalance.delay.ms': '0' }),
    ).not.toThrow()
  })

  test('listeners that are not plain, selectors that are unknown', () => {
    expect(() => checkSupported(configOf({ listeners: 'SSL://:9093', 'security.inter.broker.protocol': 'SSL' }))).toThrow('SSL')
    expect(() => checkSupported(configOf({ 'replica.selector.class': 'my.Selector' }))).toThrow('replica.selector.class')
    expect(() =>
      checkSupported(configOf({ 'replica.selector.class': 'org.apache.kafka.common.replica.RackAwareReplicaSelector' })),
    ).not.toThrow()
  })
})
