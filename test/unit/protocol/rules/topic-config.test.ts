import { parseBrokerConfig } from '../../../../protocol/rules/config-definition'
import {
  builtInTopicConfig, isCompacted, isDeleted, listedTopicKeys, maxSegmentMs, segmentJitterMs, timestampAfterMaxMs, timestampBeforeMaxMs, topicConfig,
  topicDefaults, topicKeys, validateTopicConfig,
} from '../../../../protocol/rules/topic-config'

const LONG_MAX = 2 ** 63

test('the keys: Kafka\'s 36 and flush.before.ack', () => {
  expect(listedTopicKeys.length).toBe(36)
  expect(topicKeys.size).toBe(37)
})

test('defaults', () => {
  expect(builtInTopicConfig).toMatchObject({
    cleanupPolicy: ['delete'], compressionType: 'producer', retentionMs: 604_800_000, segmentBytes: 1_073_741_824, flushMs: LONG_MAX, retentionBytes: -1,
    minInsyncReplicas: 1, messageTimestampType: 'CreateTime', uncleanLeaderElectionEnable: false, flushBeforeAck: false, maxMessageBytes: 1_048_588,
  })
  expect(Object.keys(builtInTopicConfig).length).toBe(37)
})

test('the broker\'s keys are the defaults of its topics, the topic\'s own are stronger', () => {
  const { values } = parseBrokerConfig({
    'zookeeper.connect': 'z:1', 'log.retention.hours': '1', 'log.segment.bytes': '1000', 'log.roll.ms': '55', 'log.flush.interval.ms': '9',
    'min.insync.replicas': '2', 'log.cleanup.policy': 'compact', 'flush.before.ack': 'true',
  })
  const defaults = topicDefaults(values)
  expect(defaults).toMatchObject({
    retentionMs: 3_600_000, segmentBytes: 1000, segmentMs: 55, flushMs: 9, minInsyncReplicas: 2, cleanupPolicy: ['compact'], flushBeforeAck: true,
  })
  expect(topicConfig({ 'retention.ms': '-1', 'cleanup.policy': 'compact,delete', 'nonsense': 'x' }, defaults)).toEqual({
    ...defaults, retentionMs: -1, cleanupPolicy: ['compact', 'delete'],
  })
})

// What Apache Kafka's LogConfig.validate answers.
test.each([
  ['retention.ms', '-2', 'Invalid value -2 for configuration retention.ms: Value must be at least -1'],
  ['retention.ms', 'abc', 'Invalid value abc for configuration retention.ms: Not a number of type LONG'],
  ['segment.bytes', '13', 'Invalid value 13 for configuration segment.bytes: Value must be at least 14'],
  ['min.cleanable.dirty.ratio', '10', 'Invalid value 10.0 for configuration min.cleanable.dirty.ratio: Value must be no more than 1'],
  ['cleanup.policy', 'COMPACT', 'Invalid value COMPACT for configuration cleanup.policy: String must be one of: compact, delete'],
  ['compression.type', 'none', 'Invalid value none for configuration compression.type: String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer'],
  ['compression.gzip.level', '10', 'Invalid value 10 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1'],
  ['preallocate', 'yes', 'Invalid value yes for configuration preallocate: Expected value to be either true or false'],
  ['message.format.version', '9.9', 'Invalid value 9.9 for configuration message.format.version: Version 9.9 is not a valid version'],
  ['leader.replication.throttled.replicas', 'a:b', 'Invalid value [a:b] for configuration leader.replication.throttled.replicas: '
    + 'leader.replication.throttled.replicas must be the literal \'*\' or a list of replicas in the following format: '
    + '[partitionId]:[brokerId],[partitionId]:[brokerId],...'],
  ['flush.ms', '-9223372036854775808', 'Invalid value -9223372036854775808 for configuration flush.ms: Value must be at least 0'],
  ['remote.storage.enable', 'true', 'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.'],
  ['remote.log.copy.disable', 'true', 'It is invalid to set `remote.log.delete.on.disable` or `remote.log.copy.disable` under Zookeeper\'s mode.'],
  ['retention', '1', 'Unknown topic config name: retention'],
])('%s=%s is refused', (key, value, message) => {
  expect(() => validateTopicConfig({ [key]: value })).toThrow(expect.objectContaining({ code: 'INVALID_CONFIG', key, message }))
})

test('lags that contradict each other are refused', () => {
  expect(() => validateTopicConfig({ 'min.compaction.lag.ms': '20', 'max.compaction.lag.ms': '10' })).toThrow(
    'conflict topic config setting min.compaction.lag.ms (20) > max.compaction.lag.ms (10)')
})

test.each([
  ['leader.replication.throttled.replicas', '*'], ['leader.replication.throttled.replicas', '0:1, 1:2'], ['leader.replication.throttled.replicas', ''],
  ['cleanup.policy', ''], ['cleanup.policy', 'compact, delete'], ['message.format.version', '0.10.2.1'], ['compression.zstd.level', '-131072'],
  ['retention.ms', '9223372036854775807'], ['remote.storage.enable', 'false'], ['flush.before.ack', 'true'],
])('%s=%j is taken', (key, value) => {
  expect(() => validateTopicConfig({ [key]: value })).not.toThrow()
})

test('what follows from several values', () => {
  const config = topicConfig({ 'cleanup.policy': 'compact', 'max.compaction.lag.ms': '100', 'message.timestamp.difference.max.ms': '5' })
  expect([isCompacted(config), isDeleted(config), maxSegmentMs(config)]).toEqual([true, false, 100])
  expect([timestampBeforeMaxMs(config), timestampAfterMaxMs(config)]).toEqual([5, 5])
  expect(timestampBeforeMaxMs(topicConfig({ 'message.timestamp.before.max.ms': '7', 'message.timestamp.difference.max.ms': '5' }))).toBe(7)
  expect(maxSegmentMs(builtInTopicConfig)).toBe(604_800_000)
  expect(segmentJitterMs(topicConfig({ 'segment.jitter.ms': '100' }), 0.5)).toBe(50)
  expect(segmentJitterMs(builtInTopicConfig, 0.5)).toBe(0)
})
