/**
 * The payloads of znodes, byte for byte as an Apache Kafka 3.9.1 broker wrote them, and what older versions wrote.
 */
import fc from 'fast-check'
import * as acls from '../../../zk-schema/acls'
import * as admin from '../../../zk-schema/admin'
import * as brokers from '../../../zk-schema/brokers'
import * as cluster from '../../../zk-schema/cluster'
import * as configs from '../../../zk-schema/configs'
import * as consumers from '../../../zk-schema/consumers'
import * as controller from '../../../zk-schema/controller'
import * as tokens from '../../../zk-schema/delegation-tokens'
import * as deletions from '../../../zk-schema/deletions'
import * as notifications from '../../../zk-schema/notifications'
import { defaultAcl, persistentPaths } from '../../../zk-schema/top-level'
import * as topics from '../../../zk-schema/topics'
import { ZnodeFormatError } from '../../../zk-schema/znode-json'

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

describe('brokers', () => {
  const kafka =
    '{"features":{},"listener_security_protocol_map":{"PLAINTEXT":"PLAINTEXT"},"endpoints":["PLAINTEXT://127.0.0.1:19392"],' +
    '"rack":"r1","jmx_port":-1,"port":19392,"host":"127.0.0.1","version":5,"timestamp":"1795261501946"}'
  const endpoint = { listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: '127.0.0.1', port: 19392 }
  const broker = { brokerId: 0, endpoints: [endpoint], rack: 'r1', jmxPort: -1, timestampMs: 1795261501946, features: {} }

  test('version 5 is what Kafka writes', () => {
    expect(brokers.encodeBroker(broker).toString()).toBe(kafka)
    expect(brokers.decodeBroker(0, Buffer.from(kafka))).toEqual(broker)
    expect(brokers.brokerIdPath(0)).toBe('/brokers/ids/0')
  })

  test('a broker without PLAINTEXT has no host and port for old readers; IPv6 hosts stand in brackets', () => {
    const endpoints = [
      { listenerName: 'CLIENT', securityProtocol: 'SASL_SSL', host: '::1', port: 9092 },
      { listenerName: 'REPL', securityProtocol: 'SSL', host: 'h', port: 9093 },
    ]
    const encoded = brokers.encodeBroker({ ...broker, endpoints, rack: null, features: { f: { minVersion: 1, maxVersion: 3 } } })
    expect(JSON.parse(encoded.toString())).toEqual({
      features: { f: { min_version: 1, max_version: 3 } },
      listener_security_protocol_map: { CLIENT: 'SASL_SSL', REPL: 'SSL' },
      endpoints: ['CLIENT://[::1]:9092', 'REPL://h:9093'],
      jmx_port: -1,
      port: -1,
      host: null,
      version: 5,
      timestamp: '1795261501946',
    })
    expect(brokers.decodeBroker(0, encoded)).toMatchObject({
      endpoints,
      rack: null,
      features: { f: { minVersion: 1, maxVersion: 3 } },
    })
  })

  test('older versions are written and read', () => {
    expect(JSON.parse(brokers.encodeBroker(broker, 4).toString())).not.toHaveProperty('features')
    const two = JSON.parse(brokers.encodeBroker(broker, 2).toString()) as Record<string, unknown>
    expect(Object.keys(two).sort()).toEqual(['endpoints', 'host', 'jmx_port', 'port', 'timestamp', 'version'])
    const v1 = json({ version: 1, host: 'h', port: 9092, jmx_port: 9999, timestamp: '17' })
    expect(brokers.decodeBroker(3, v1)).toEqual({
      brokerId: 3,
      endpoints: [{ listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: 'h', port: 9092 }],
      rack: null,
      jmxPort: 9999,
      timestampMs: 17,
      features: {},
    })
    const v3 = json({
      version: 3,
      host: 'h',
      port: 1,
      jmx_port: 1,
      timestamp: '1',
      endpoints: ['PLAINTEXT://h:1', 'ssl://h:2'],
      rack: 'dc1',
    })
    const decoded = brokers.decodeBroker(3, v3)
    expect(decoded.rack).toBe('dc1')
    expect(decoded.endpoints[1]).toEqual({ listenerName: 'SSL', securityProtocol: 'SSL', host: 'h', port: 2 })
  })

  test.each([
    ['no data', null],
    ['no JSON', Buffer.from('{')],
    ['no object', Buffer.from('[1]')],
    ['no version', json({ endpoints: [] })],
    ['version 0', json({ version: 0 })],
    ['no endpoint', json({ version: 5, endpoints: ['h:9092'] })],
    ['a port that is no number', json({ version: 1, host: 'h', port: '9092' })],
  ])('malformed: %s', (_, data) => {
    expect(() => brokers.decodeBroker(1, data)).toThrow(ZnodeFormatError)
    expect(() => brokers.decodeBroker(1, data)).toThrow('/brokers/ids/1: ')
  })
})

describe('topics', () => {
  const assigned = (
    replicas: number[],
    addingReplicas: number[] = [],
    removingReplicas: number[] = [],
  ): topics.PartitionAssignment => ({
    replicas,
    addingReplicas,
    removingReplicas,
  })

  test('version 3 is what Kafka writes', () => {
    const kafka =
      '{"partitions":{"0":[0],"1":[0]},"topic_id":"WPMyixFJTNKMDAy3Ja-pkw","adding_replicas":{},"removing_replicas":{},"version":3}'
    const topic = {
      topicId: 'WPMyixFJTNKMDAy3Ja-pkw',
      partitions: new Map([
        [0, assigned([0])],
        [1, assigned([0])],
      ]),
    }
    expect(topics.encodeTopic(topic).toString()).toBe(kafka)
    expect(topics.decodeTopic('foo', Buffer.from(kafka))).toEqual(topic)
  })

  test('a reassignment names only the partitions that move', () => {
    const topic = {
      topicId: null,
      partitions: new Map([
        [0, assigned([4, 1, 2], [4], [1])],
        [10, assigned([1])],
        [2, assigned([1])],
      ]),
    }
    const encoded = topics.encodeTopic(topic)
    expect(JSON.parse(encoded.toString())).toEqual({
      version: 3,
      partitions: { 0: [4, 1, 2], 2: [1], 10: [1] },
      adding_replicas: { 0: [4] },
      removing_replicas: { 0: [1] },
    })
    const decoded = topics.decodeTopic('t', encoded)
    expect([...decoded.partitions.keys()]).toEqual([0, 2, 10])
    expect(decoded.partitions).toEqual(topic.partitions)
  })

  test('versions 1 and 2 are read', () => {
    expect(topics.decodeTopic('t', json({ version: 1, partitions: { 1: [2, 3] } }))).toEqual({
      topicId: null,
      partitions: new Map([[1, assigned([2, 3])]]),
    })
    const v2 = json({ version: 2, partitions: { 0: [1, 4] }, adding_replicas: { 0: [4] }, removing_replicas: {} })
    expect(topics.decodeTopic('t', v2).partitions.get(0)).toEqual(assigned([1, 4], [4]))
  })

  test.each([
    ['a partition that is no number', json({ partitions: { x: [1] } })],
    ['a negative partition', json({ partitions: { '-1': [1] } })],
    ['a broker twice', json({ partitions: { 0: [1, 1] } })],
    ['a broker that is no number', json({ partitions: { 0: ['1'] } })],
    ['a topic id of the wrong length', json({ partitions: {}, topic_id: 'AAAA' })],
    ['partitions that are a list', json({ partitions: [] })],
  ])('malformed: %s', (_, data) => {
    expect(() => topics.decodeTopic('t', data)).toThrow(ZnodeFormatError)
  })

  test('a partition state is what Kafka writes, with the recovery state only while it recovers', () => {
    const kafka = '{"controller_epoch":1,"leader":0,"version":1,"leader_epoch":0,"isr":[0]}'
    const state: topics.PartitionState = { controllerEpoch: 1, leader: 0, leaderEpoch: 0, isr: [0], leaderRecoveryState: 0 }
    expect(topics.encodePartitionState(state).toString()).toBe(kafka)
    expect(topics.decodePartitionState('t', 0, Buffer.from(kafka))).toEqual(state)
    const recovering = topics.encodePartitionState({ ...state, leaderRecoveryState: 1 })
    expect(recovering.toString()).toBe(
      '{"controller_epoch":1,"leader":0,"version":1,"leader_epoch":0,"isr":[0],"leader_recovery_state":1}',
    )
    expect(topics.decodePartitionState('t', 0, recovering).leaderRecoveryState).toBe(1)
    expect(topics.partitionStatePath('t', 3)).toBe('/brokers/topics/t/partitions/3/state')
  })

  test.each([
    ['no leader', json({ controller_epoch: 1, leader_epoch: 0, isr: [] })],
    ['an ISR that is no list', json({ controller_epoch: 1, leader: 1, leader_epoch: 0, isr: 1 })],
    ['an unknown recovery state', json({ controller_epoch: 1, leader: 1, leader_epoch: 0, isr: [1], leader_recovery_state: 2 })],
    ['a fraction', json({ controller_epoch: 1, leader: 1.5, leader_epoch: 0, isr: [1] })],
    ['more than 32 bits', json({ controller_epoch: 1, leader: 1, leader_epoch: 2 ** 31, isr: [1] })],
  ])('malformed state: %s', (_, data) => {
    expect(() => topics.decodePartitionState('t', 0, data)).toThrow(ZnodeFormatError)
  })
})

test('controller', () => {
  const kafka = '{"version":2,"brokerid":0,"timestamp":"1795261502029","kraftControllerEpoch":-1}'
  expect(controller.encodeController(0, 1795261502029).toString()).toBe(kafka)
  expect(controller.decodeController(Buffer.from(kafka))).toEqual({
    brokerId: 0,
    timestampMs: 1795261502029,
    kraftControllerEpoch: -1,
  })
  const v1 = json({ version: 1, brokerid: 4, timestamp: '17' })
  expect(controller.decodeController(v1)).toEqual({ brokerId: 4, timestampMs: 17, kraftControllerEpoch: -1 })
  expect(() => controller.decodeController(json({ version: 1 }))).toThrow(ZnodeFormatError)
  expect(controller.encodeControllerEpoch(7).toString()).toBe('7')
  expect(controller.decodeControllerEpoch(Buffer.from('7'))).toBe(7)
  for (const data of [null, Buffer.from(''), Buffer.from('x'), Buffer.from('1.5'), Buffer.from('99999999999')]) {
    expect(() => controller.decodeControllerEpoch(data)).toThrow(ZnodeFormatError)
  }
})

test('admin', () => {
  const partitions = [{ topic: 't', partition: 0, replicas: [4, 5, 6] }]
  expect(admin.encodeReassignPartitions(partitions).toString()).toBe(
    '{"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[4,5,6]}]}',
  )
  expect(admin.decodeReassignPartitions(admin.encodeReassignPartitions(partitions))).toEqual(partitions)
  expect(admin.encodePreferredReplicaElection([{ topic: 't', partition: 0 }]).toString()).toBe(
    '{"version":1,"partitions":[{"topic":"t","partition":0}]}',
  )
  expect(admin.decodePreferredReplicaElection(json({ version: 1, partitions: [{ topic: 't', partition: 0 }] }))).toEqual([
    { topic: 't', partition: 0 },
  ])
  expect(() => admin.decodePreferredReplicaElection(json({ version: 1, partitions: [1] }))).toThrow(
    'partitions[0] is not a JSON object',
  )
  expect(() => admin.decodeReassignPartitions(json({ partitions: [{ topic: 't', partition: 0 }] }))).toThrow(
    'partitions[0].replicas is missing',
  )
})

test('notifications', () => {
  const n = notifications
  expect(n.encodeConfigChange('clients/a%20b').toString()).toBe('{"version":2,"entity_path":"clients/a%20b"}')
  expect(n.decodeConfigChange('/p', n.encodeConfigChange('topics/foo'))).toBe('topics/foo')
  expect(n.decodeConfigChange('/p', json({ version: 1, entity_type: 'topics', entity_name: 'foo' }))).toBe('topics/foo')
  for (const bad of [
    { version: 1, entity_type: 'users', entity_name: 'a' },
    { version: 3, entity_path: 'topics/a' },
    { version: 2, entity_path: 'topics' },
  ]) {
    expect(() => n.decodeConfigChange('/p', json(bad))).toThrow(ZnodeFormatError)
  }
  expect(n.encodeIsrChange([{ topic: 't', partition: 1 }]).toString()).toBe(
    '{"version":1,"partitions":[{"topic":"t","partition":1}]}',
  )
  expect(n.decodeIsrChange('/p', n.encodeIsrChange([{ topic: 't', partition: 1 }]))).toEqual([{ topic: 't', partition: 1 }])
  expect(n.encodeLogDirEvent(3).toString()).toBe('{"version":1,"broker":3,"event":1}')
  expect(n.decodeLogDirEvent('/p', n.encodeLogDirEvent(3))).toBe(3)
  expect(n.encodeAclChange('Topic', 'a:b').toString()).toBe('TOPIC:a:b')
  expect(n.decodeAclChange('/p', Buffer.from('topic:a:b'))).toEqual({
    resourceType: 'TOPIC',
    name: 'a:b',
    patternType: 'LITERAL',
  })
  expect(() => n.decodeAclChange('/p', Buffer.from('topic'))).toThrow(ZnodeFormatError)
  const prefixed = { resourceType: 'TOPIC', name: 'foo', patternType: 'PREFIXED' }
  expect(n.encodeExtendedAclChange(prefixed).toString()).toBe(
    '{"version":1,"resourceType":"TOPIC","name":"foo","patternType":"PREFIXED"}',
  )
  expect(n.decodeExtendedAclChange('/p', n.encodeExtendedAclChange(prefixed))).toEqual(prefixed)
  expect(n.notificationCreatePath(n.isrChanges)).toBe('/isr_change_notification/isr_change_')
  expect(n.sequenceNumberOf(n.configChanges, 'config_change_0000000012')).toBe(12)
  for (const name of ['config_change_', 'config_change_x', 'other_0000000001'])
    expect(n.sequenceNumberOf(n.configChanges, name)).toBeUndefined()
})

describe('configs', () => {
  test('what Kafka writes', () => {
    const kafka = '{"version":1,"config":{"cleanup.policy":"compact","retention.ms":"1000"}}'
    const config = new Map([
      ['cleanup.policy', 'compact'],
      ['retention.ms', '1000'],
    ])
    expect(configs.encodeConfig(config).toString()).toBe(kafka)
    expect(configs.decodeConfig('/p', Buffer.from(kafka))).toEqual(config)
    expect(configs.encodeConfig(new Map()).toString()).toBe('{"version":1,"config":{}}')
    for (const nothing of [null, Buffer.alloc(0), json({ version: 1 }), json({})])
      expect(configs.decodeConfig('/p', nothing)).toEqual(new Map())
    expect(() => configs.decodeConfig('/p', json({ config: { a: 1 } }))).toThrow('config.a is not a text')
    expect(configs.decodeConfig('/p', configs.encodeConfig(new Map([['__proto__', 'x']])))).toEqual(new Map([['__proto__', 'x']]))
  })

  test("names are sanitized as Kafka's Sanitizer does", () => {
    expect(configs.configPath('clients', 'a b*+/é')).toBe('/config/clients/a%20b%2A%2B%2F%C3%A9')
    expect(configs.sanitizeEntity("~!'()-_.09azAZ")).toBe('%7E%21%27%28%29-_.09azAZ')
    expect(configs.sanitizeEntity('<default>')).toBe('<default>')
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        const sanitized = configs.sanitizeEntity(name)
        expect(sanitized).toMatch(/^([A-Za-z0-9._-]|%[0-9A-F]{2})*$/)
        expect(configs.desanitizeEntity(sanitized)).toBe(name)
      }),
    )
  })

  test('entities of notifications', () => {
    expect(configs.parseEntityPath('topics/foo')).toEqual({ type: 'topics', name: 'foo' })
    expect(configs.parseEntityPath(configs.userClientEntityPath('a/b', '<default>'))).toEqual({
      type: 'users',
      name: 'a/b',
      clientId: '<default>',
    })
    for (const bad of ['topics', 'topics/', 'nothing/foo', 'topics/foo/clients/a', 'users/a/clients', 'users/a/clients/b/c']) {
      expect(configs.parseEntityPath(bad)).toBeUndefined()
    }
  })
})

test('cluster id, producer ids, features', () => {
  expect(cluster.encodeClusterId('AWdpN5jjRziZAWoP-qS9Pg').toString()).toBe('{"version":"1","id":"AWdpN5jjRziZAWoP-qS9Pg"}')
  expect(cluster.decodeClusterId(cluster.encodeClusterId('x'))).toBe('x')
  const block = { brokerId: 1, firstProducerId: 1000, lastProducerId: 1999 }
  expect(cluster.encodeProducerIdBlock(block).toString()).toBe('{"version":1,"broker":1,"block_start":"1000","block_end":"1999"}')
  expect(cluster.decodeProducerIdBlock(cluster.encodeProducerIdBlock(block))).toEqual(block)
  expect(cluster.decodeProducerIdBlock(null)).toBeUndefined()
  for (const bad of [
    { broker: 1, block_start: '5', block_end: '4' },
    { broker: 1, block_start: '0', block_end: '9223372036854775807' },
  ]) {
    expect(() => cluster.decodeProducerIdBlock(json(bad))).toThrow(ZnodeFormatError)
  }
  const features: cluster.Features = { version: 2, status: 1, features: {} }
  expect(cluster.encodeFeatures(features).toString()).toBe('{"features":{},"version":2,"status":1}')
  expect(cluster.decodeFeatures(cluster.encodeFeatures(features))).toEqual(features)
  const one: cluster.Features = { version: 1, status: 0, features: { f: 2 } }
  expect(JSON.parse(cluster.encodeFeatures(one).toString())).toEqual({
    version: 1,
    status: 0,
    features: { f: { min_version_level: 2, max_version_level: 2 } },
  })
  expect(
    cluster.decodeFeatures(json({ version: 1, status: 0, features: { f: { min_version_level: 1, max_version_level: 2 } } })),
  ).toEqual(one)
  for (const bad of [
    { version: 3, status: 1, features: {} },
    { version: 2, status: 2, features: {} },
    { version: 2, status: 1 },
    { version: 2, status: 1, features: { f: { max_version_level: 0 } } },
    { version: 1, status: 1, features: { f: { max_version_level: 1 } } },
  ]) {
    expect(() => cluster.decodeFeatures(json(bad))).toThrow(ZnodeFormatError)
  }
})

test('ACLs, old consumers, deletions, tokens', () => {
  const acl = { principal: 'User:alice', permissionType: 'Allow', operation: 'Read', host: '*' }
  expect(acls.encodeAcls([acl]).toString()).toBe(
    '{"version":1,"acls":[{"principal":"User:alice","permissionType":"Allow","operation":"Read","host":"*"}]}',
  )
  expect(acls.decodeAcls('/p', acls.encodeAcls([acl]))).toEqual([acl])
  expect(acls.decodeAcls('/p', null)).toEqual([])
  expect(acls.aclPath('LITERAL', 'Topic', '*')).toBe('/kafka-acl/Topic/*')
  expect(acls.aclPath('PREFIXED', 'Group', 'g')).toBe('/kafka-acl-extended/prefixed/Group/g')
  expect(consumers.decodeConsumerOffset('/p', consumers.encodeConsumerOffset(2 ** 40))).toBe(2 ** 40)
  expect(consumers.consumerOffsetPath('g', 't', 1)).toBe('/consumers/g/offsets/t/1')
  const deletion = { topic: 't', partitions: [0, 1], brokers: [3] }
  expect(deletions.encodeDeletion(deletion).toString()).toBe('{"version":1,"topic":"t","partitions":[0,1],"brokers":[3]}')
  expect(deletions.decodeDeletion('id', deletions.encodeDeletion(deletion))).toEqual(deletion)
  const token = {
    tokenId: 'i',
    owner: 'User:alice',
    tokenRequester: 'User:bob',
    renewers: ['User:c'],
    issueTimestampMs: 1,
    maxTimestampMs: 3,
    expiryTimestampMs: 2,
  }
  const encoded = tokens.encodeDelegationToken(token)
  expect(JSON.parse(encoded.toString())).toMatchObject({
    version: 3,
    owner: 'User%3Aalice',
    tokenRequester: 'User%3Abob',
    renewers: ['User%3Ac'],
  })
  expect(tokens.decodeDelegationToken('/p', encoded)).toEqual(token)
  const v1 = json({
    version: 1,
    owner: 'User%3Aalice',
    renewers: [],
    issueTimestamp: 1,
    maxTimestamp: 3,
    expiryTimestamp: 2,
    tokenId: 'i',
  })
  expect(tokens.decodeDelegationToken('/p', v1).tokenRequester).toBe('User:alice')
})

test('top level', () => {
  expect([...persistentPaths].sort()).toEqual([
    '/admin/delete_topics',
    '/brokers/ids',
    '/brokers/seqid',
    '/brokers/topics',
    '/config/brokers',
    '/config/changes',
    '/config/clients',
    '/config/ips',
    '/config/topics',
    '/config/users',
    '/consumers',
    '/isr_change_notification',
    '/latest_producer_id_block',
    '/log_dir_event_notification',
  ])
  expect(defaultAcl('/brokers', false)).toEqual([{ perms: 31, scheme: 'world', id: 'anyone' }])
  expect(defaultAcl('/consumers', true)).toEqual([{ perms: 31, scheme: 'world', id: 'anyone' }])
  expect(defaultAcl('/config/users/a', true)).toEqual([{ perms: 31, scheme: 'auth', id: '' }])
  expect(defaultAcl('/brokers', true)).toHaveLength(2)
})
