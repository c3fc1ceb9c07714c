import { interBrokerProtocolVersion, logDirs, logFlushIntervalMs, logRetentionMs, logRollMs } from '../../../../protocol/rules/broker-config-checks'
import { ConfigError, brokerKeys, overriddenKey, parseBrokerConfig, propertiesFromEnvironment } from '../../../../protocol/rules/config-definition'
import { canonicalConfigText, formatConfigValue, formatDouble } from '../../../../protocol/rules/config-values'
import { formatEndPoint, listenersOf } from '../../../../protocol/rules/listeners'

const base = { 'zookeeper.connect': 'localhost:2181' }
const parse = (properties: Record<string, string>) => parseBrokerConfig({ ...base, ...properties })
const problem = (properties: Record<string, string>): string => {
  try {
    parse(properties)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as ConfigError).message
  }
  return 'none'
}

test('every key that Kafka lists is known', () => {
  const listed = [...brokerKeys.values()].filter((key) => !key.internal && key.mode !== 'dynamic-only')
  expect(listed.length).toBe(314)
  expect([...brokerKeys.values()].filter((key) => key.mode === 'dynamic-only').map((key) => key.name)).toEqual([
    'follower.replication.throttled.rate', 'leader.replication.throttled.rate', 'replica.alter.log.dirs.io.max.bytes.per.second',
  ])
})

test('defaults, and what is given, with its type', () => {
  const { values, warnings } = parse({ 'broker.id': ' 7 ', 'log.cleanup.policy': 'compact , delete', 'auto.create.topics.enable': 'FALSE' })
  expect(warnings).toEqual([])
  expect(values.number('broker.id')).toBe(7)
  expect(values.number('node.id')).toBe(7)
  expect(values.list('log.cleanup.policy')).toEqual(['compact', 'delete'])
  expect(values.boolean('auto.create.topics.enable')).toBe(false)
  expect(values.number('num.io.threads')).toBe(8)
  expect(values.number('log.cleaner.min.cleanable.ratio')).toBe(0.5)
  expect(values.stringOrNull('broker.rack')).toBeNull()
  expect(values.numberOrNull('log.retention.ms')).toBeNull()
  expect(values.text('log.flush.interval.messages')).toBe('9223372036854775807')
  expect(values.isGiven('broker.id') && !values.isGiven('num.io.threads')).toBe(true)
  expect(() => values.number('broker.rack')).toThrow(RangeError)
  expect(() => values.value('nonsense')).toThrow(RangeError)
  expect(parse({ 'node.id': '4' }).values.number('broker.id')).toBe(4)
})

// Kafka's words up to the brackets.
test.each([
  [{ 'num.partitions': 'x' }, 'Invalid value x for configuration num.partitions: Not a number of type INT (type int [1,...], default 1)'],
  [{ 'num.partitions': '2147483648' }, 'Invalid value 2147483648 for configuration num.partitions: Not a number of type INT (type int [1,...], default 1)'],
  [{ 'num.partitions': '0' }, 'Invalid value 0 for configuration num.partitions: Value must be at least 1 (type int [1,...], default 1)'],
  [{ 'log.retention.ms': '1.5' }, 'Invalid value 1.5 for configuration log.retention.ms: Not a number of type LONG (type long)'],
  [{ 'delete.topic.enable': 'yes' }, 'Invalid value yes for configuration delete.topic.enable: Expected value to be either true or false (type boolean, default true)'],
  [{ 'log.cleaner.min.cleanable.ratio': '-1' }, 'Invalid value -1.0 for configuration log.cleaner.min.cleanable.ratio: Value must be at least 0 (type double [0,...,1], default 0.5)'],
  [{ 'log.cleanup.policy': 'none' }, 'Invalid value none for configuration log.cleanup.policy: String must be one of: compact, delete (type list [compact, delete], default delete)'],
  [{ 'inter.broker.protocol.version': '9.9' }, 'Invalid value 9.9 for configuration inter.broker.protocol.version: Version 9.9 is not a valid version (type string, default 3.9-IV0)'],
  [{ 'compression.gzip.level': '0' }, 'Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1 (type int [1,...,9] or -1, default -1)'],
  [{ 'listener.name.internal.num.partitions': 'x' }, 'Invalid value x for configuration listener.name.internal.num.partitions: Not a number of type INT (type int [1,...], default 1)'],
])('a wrong value: %j', (properties, message) => {
  expect(problem(properties as unknown as Record<string, string>)).toBe(message)
})

test('an unknown key is a warning, a listener override is none', () => {
  const { warnings } = parse({ 'log.retention.hour': '5', 'listener.name.internal.socket.send.buffer.bytes': '1', 'leader.replication.throttled.rate': '5' })
  expect(warnings).toEqual([
    'The configuration log.retention.hour is not known and has no effect',
    'leader.replication.throttled.rate has an effect only when it is set dynamically; it is ignored here',
  ])
  expect(overriddenKey('listener.name.sasl.scram-sha-256.sasl.jaas.config')).toEqual({ listener: 'sasl', key: 'sasl.jaas.config' })
})

test('what would have no effect is refused', () => {
  expect(problem({ 'process.roles': 'broker' })).toMatch(/^process.roles belongs to a Kafka without ZooKeeper/)
  expect(problem({ 'process.roles': '' })).toBe('none')
  expect(problem({ 'controller.quorum.voters': '1@a:9093' })).toMatch(/^controller.quorum.voters belongs/)
  expect(problem({ 'remote.log.storage.system.enable': 'true' })).toMatch(/leave it at its default, false$/)
  expect(() => parseBrokerConfig({ ...base, 'ssl.client.auth': 'required' }, ['ssl.client.auth'])).toThrow(/^ssl.client.auth would have no effect: it is not supported yet/)
  expect(() => parseBrokerConfig({ ...base, 'ssl.client.auth': 'none' }, ['ssl.client.auth'])).not.toThrow()
  expect(() => parseBrokerConfig({ ...base, 'listener.name.x.ssl.client.auth': 'none' }, ['ssl.client.auth'])).toThrow(/not supported yet/)
})

test('values against each other', () => {
  expect(() => parseBrokerConfig({})).toThrow(/Missing required configuration `zookeeper.connect`/)
  expect(problem({ 'broker.id': '1001' })).toMatch(/^broker.id must be greater than or equal to -1 and not greater than reserved.broker.max.id/)
  expect(problem({ 'broker.id': '-1', 'broker.id.generation.enable': 'false' })).toMatch(/^broker.id must be greater than or equal to 0/)
  expect(problem({ 'broker.id': '1', 'node.id': '2' })).toBe('You must set `node.id` to the same value as `broker.id`.')
  expect(problem({ 'replica.fetch.wait.max.ms': '40000' })).toMatch(/^replica.socket.timeout.ms should always be at least/)
  expect(problem({ 'log.cleaner.threads': '200' })).toMatch(/at least 1MB per cleaner thread/)
  expect(problem({ 'queued.max.request.bytes': '5' })).toMatch(/larger or equal to socket.request.max.bytes/)
  expect(problem({ 'log.dirs': ' , ' })).toMatch(/At least one log directory/)
  expect(problem({ 'max.connections.per.ip.overrides': 'a:b' })).toMatch(/has the form host:count/)
  expect(problem({ 'inter.broker.protocol.version': '0.9.0' })).toMatch(/version 0.11.0 or higher$/)
  expect(problem({ 'inter.broker.protocol.version': '4.0-IV1' })).toMatch(/is not released/)
  expect(problem({ 'offsets.commit.required.acks': '-2' })).toMatch(/greater or equal to -1/)
})

test('the stronger key of several units wins', () => {
  expect(logRetentionMs(parse({}).values)).toBe(604_800_000)
  expect(logRetentionMs(parse({ 'log.retention.hours': '2' }).values)).toBe(7_200_000)
  expect(logRetentionMs(parse({ 'log.retention.hours': '2', 'log.retention.minutes': '3' }).values)).toBe(180_000)
  expect(logRetentionMs(parse({ 'log.retention.hours': '2', 'log.retention.minutes': '3', 'log.retention.ms': '4' }).values)).toBe(4)
  expect(logRetentionMs(parse({ 'log.retention.hours': '-1' }).values)).toBe(-1)
  expect(logRollMs(parse({ 'log.roll.hours': '1' }).values)).toBe(3_600_000)
  expect(logFlushIntervalMs(parse({}).values)).toBe(2 ** 63)
  expect(logDirs(parse({ 'log.dirs': '/a, /b' }).values)).toEqual(['/a', '/b'])
  expect(logDirs(parse({ 'log.dir': '/c' }).values)).toEqual(['/c'])
  expect(interBrokerProtocolVersion(parse({ 'inter.broker.protocol.version': '2.8' }).values).name).toBe('2.8-IV1')
})

describe('listeners', () => {
  const listeners = (properties: Record<string, string>) => listenersOf(parse(properties).values)

  test('one by default, and named ones', () => {
    expect(listeners({}).listeners).toEqual([{ listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: null, port: 9092 }])
    const named = listeners({
      'listeners': 'internal://127.0.0.1:9092,CONTROLLER://[::1]:9093,EXTERNAL://:0',
      'advertised.listeners': 'INTERNAL://broker:9092,CONTROLLER://broker:9093',
      'listener.security.protocol.map': 'INTERNAL:PLAINTEXT, controller:plaintext,EXTERNAL:SASL_SSL',
      'inter.broker.listener.name': 'internal',
      'control.plane.listener.name': 'CONTROLLER',
    })
    expect(named.listeners.map(formatEndPoint)).toEqual(['INTERNAL://127.0.0.1:9092', 'CONTROLLER://[::1]:9093', 'EXTERNAL://:0'])
    expect(named.advertised.map(formatEndPoint)).toEqual(['INTERNAL://broker:9092', 'CONTROLLER://broker:9093'])
    expect(named).toMatchObject({ interBrokerName: 'INTERNAL', interBrokerProtocol: 'PLAINTEXT', controlPlaneName: 'CONTROLLER' })
    expect(named.listeners[2]?.securityProtocol).toBe('SASL_SSL')
  })

  test('the same port for an IPv4 and an IPv6 address', () => {
    expect(problem({ listeners: 'PLAINTEXT://127.0.0.1:1,SSL://[::1]:1' })).toBe('none')
  })

  test.each([
    [{ listeners: 'PLAINTEXT' }, /Unable to parse PLAINTEXT to a broker endpoint/],
    [{ listeners: 'FOO://:1' }, /No security protocol defined for listener FOO/],
    [{ listeners: 'PLAINTEXT://:99999' }, /99999 is not a port/],
    [{ listeners: 'PLAINTEXT://:1,PLAINTEXT://:2' }, /different name/],
    [{ listeners: 'PLAINTEXT://:1,SSL://:1' }, /different port/],
    [{ listeners: 'PLAINTEXT://127.0.0.1:1,SSL://127.0.0.2:1' }, /one needs to be IPv4 and the other IPv6/],
    [{ listeners: '' }, /There must be at least one broker advertised listener\./],
    [{ listeners: 'PLAINTEXT://0.0.0.0:1' }, /cannot use the nonroutable meta-address 0.0.0.0/],
    [{ 'advertised.listeners': 'SSL://h:1' }, /inter.broker.listener.name must be a listener name defined in advertised.listeners/],
    [{ 'advertised.listeners': 'PLAINTEXT://h:1,SSL://h:2' }, /must be equal to or a subset of the ones defined in listeners\. Found PLAINTEXT,SSL/],
    [{ 'inter.broker.listener.name': 'FOO' }, /Listener with name FOO defined in inter.broker.listener.name not found/],
    [{ 'inter.broker.listener.name': 'PLAINTEXT', 'security.inter.broker.protocol': 'PLAINTEXT' }, /Only one of inter.broker.listener.name/],
    [{ 'control.plane.listener.name': 'PLAINTEXT' }, /should have a different value from the inter broker listener name/],
    [{ 'control.plane.listener.name': 'FOO' }, /Listener with FOO defined in control.plane.listener.name not found/],
    [{ 'control.plane.listener.name': 'SSL' }, /must be a listener name defined in advertised.listeners/],
    [{ 'listener.security.protocol.map': 'PLAINTEXT:FOO' }, /Invalid security protocol `FOO`/],
    [{ 'listener.security.protocol.map': 'PLAINTEXT' }, /not of the form NAME:PROTOCOL/],
  ])('%j is refused', (properties, message) => {
    expect(problem(properties as unknown as Record<string, string>)).toMatch(message)
  })
})

test('environment variables as Kafka\'s images map them', () => {
  expect(propertiesFromEnvironment({
    KAFKA_BROKER_ID: '1', KAFKA_LOG_DIRS: '/data', KAFKA_ZOOKEEPER_CONNECT: 'z:1', KAFKA_ZOOKEEPER_CLIENTCNXNSOCKET: 'x',
    KAFKA_LISTENER_NAME_INTERNAL_SOCKET_SEND_BUFFER_BYTES: '1', KAFKA_FLUSH_BEFORE_ACK: 'true',
    KAFKA_HOME: '/opt', KAFKA_HEAP_OPTS: '-Xmx1G', KAFKA_OPTS: '', KAFKA_VERSION: '3.9', KAFKA_JARS: 'x', PATH: '/bin', KAFKA_UNSET: undefined,
  })).toEqual({
    'broker.id': '1', 'log.dirs': '/data', 'zookeeper.connect': 'z:1', 'zookeeper.clientCnxnSocket': 'x',
    'listener.name.internal.socket.send.buffer.bytes': '1', 'flush.before.ack': 'true',
  })
})

test('values as Kafka prints them', () => {
  expect(canonicalConfigText('k', 'long', '+007')).toBe('7')
  expect(canonicalConfigText('k', 'long', '9223372036854775807')).toBe('9223372036854775807')
  expect(canonicalConfigText('k', 'list', ' a , b,c ')).toBe('a,b,c')
  expect(canonicalConfigText('k', 'boolean', ' TRUE')).toBe('true')
  expect([1, 0.5, 1e7, 1.7976931348623157e308, 0.0001, 123456.75, -0, NaN].map(formatDouble)).toEqual([
    '1.0', '0.5', '1.0E7', '1.7976931348623157E308', '1.0E-4', '123456.75', '-0.0', 'NaN'])
  expect(formatConfigValue('long', 2 ** 63)).toBe('9223372036854775807')
  expect(formatConfigValue('list', ['a', 'b'])).toBe('a,b')
})
