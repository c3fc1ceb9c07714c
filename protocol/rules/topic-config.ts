/**
 * The configuration of a topic: 36 keys of Kafka 3.9 and one of ours. A value is the topic's own, else the broker's current value
 * of the key that feeds it, else Kafka's default.
 */
import { logFlushIntervalMs, logRetentionMs, logRollJitterMs, logRollMs } from './broker-config-checks'
import type { BrokerConfig, ConfigKey, Properties } from './config-definition'
import { FLUSH_BEFORE_ACK, configKey } from './config-definition'
import { topicKeyRows } from './config-keys'
import type { ConfigValue } from './config-values'
import { ConfigError, LONG_MAX, checkConfigValue, formatConfigValue, parseConfigValue } from './config-values'

export { ConfigError } from './config-values'

/** The 36 keys that Kafka lists, sorted by name. */
export const listedTopicKeys: readonly ConfigKey[] = topicKeyRows.map(configKey)

/** Every key that a topic may have. */
export const topicKeys: ReadonlyMap<string, ConfigKey> = new Map(
  [
    ...listedTopicKeys,
    { ...configKey([FLUSH_BEFORE_ACK, 'boolean', 'false', 'topic', null, 'internal']), synonyms: [FLUSH_BEFORE_ACK] },
  ].map((key) => [key.name, key]),
)

export type BrokerCompressionType = 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** The values of a topic, typed. 64-bit limits that are off are 2^63 (see `LONG_MAX`). */
export interface TopicConfig {
  readonly cleanupPolicy: readonly string[]
  readonly compressionGzipLevel: number
  readonly compressionLz4Level: number
  readonly compressionType: BrokerCompressionType
  readonly compressionZstdLevel: number
  readonly deleteRetentionMs: number
  readonly fileDeleteDelayMs: number
  readonly flushBeforeAck: boolean
  readonly flushMessages: number
  readonly flushMs: number
  readonly followerReplicationThrottledReplicas: readonly string[]
  readonly indexIntervalBytes: number
  readonly leaderReplicationThrottledReplicas: readonly string[]
  readonly localRetentionBytes: number
  readonly localRetentionMs: number
  readonly maxCompactionLagMs: number
  readonly maxMessageBytes: number
  readonly messageDownconversionEnable: boolean
  readonly messageFormatVersion: string
  readonly messageTimestampAfterMaxMs: number
  readonly messageTimestampBeforeMaxMs: number
  readonly messageTimestampDifferenceMaxMs: number
  readonly messageTimestampType: 'CreateTime' | 'LogAppendTime'
  readonly minCleanableDirtyRatio: number
  readonly minCompactionLagMs: number
  readonly minInsyncReplicas: number
  readonly preallocate: boolean
  readonly remoteLogCopyDisable: boolean
  readonly remoteLogDeleteOnDisable: boolean
  readonly remoteStorageEnable: boolean
  readonly retentionBytes: number
  readonly retentionMs: number
  readonly segmentBytes: number
  readonly segmentIndexBytes: number
  readonly segmentJitterMs: number
  readonly segmentMs: number
  readonly uncleanLeaderElectionEnable: boolean
}

/** The field of a key: `segment.bytes` is `segmentBytes`. */
function fieldOf(key: string): keyof TopicConfig {
  return key.replace(/\.([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()) as keyof TopicConfig
}

function build(valueOf: (key: ConfigKey) => ConfigValue): TopicConfig {
  const fields: Record<string, ConfigValue> = {}
  for (const key of topicKeys.values()) fields[fieldOf(key.name)] = valueOf(key)
  return fields as unknown as TopicConfig
}

/** What a topic has where neither it nor its broker says anything. */
export const builtInTopicConfig: TopicConfig = build((key) => parseConfigValue(key.name, key.type, key.defaultText ?? ''))

/** Values of broker keys in which the broker's form and the topic's differ. */
const converted: Readonly<Record<string, (broker: BrokerConfig) => ConfigValue>> = {
  'flush.ms': logFlushIntervalMs,
  'retention.ms': logRetentionMs,
  'segment.jitter.ms': logRollJitterMs,
  'segment.ms': logRollMs,
}

/** What a topic of this broker has where it says nothing itself. */
export function topicDefaults(broker: BrokerConfig): TopicConfig {
  return build((key) => {
    const convert = converted[key.name]
    if (convert !== undefined) return convert(broker)
    const synonym = key.synonyms[0]
    return synonym === undefined ? builtInTopicConfig[fieldOf(key.name)] as ConfigValue : broker.value(synonym)
  })
}

/**
 * The configuration of a topic from its own values. Throws ConfigError for a value that cannot be one; unknown keys are left
 * out, for another release may have written them.
 */
export function topicConfig(overrides: Properties, defaults: TopicConfig = builtInTopicConfig): TopicConfig {
  const fields: Record<string, ConfigValue> = { ...(defaults as unknown as Record<string, ConfigValue>) }
  for (const [name, text] of Object.entries(overrides)) {
    const key = topicKeys.get(name)
    if (key !== undefined) fields[fieldOf(name)] = parseChecked(key, text)
  }
  return fields as unknown as TopicConfig
}

function parseChecked(key: ConfigKey, text: string): ConfigValue {
  const value = parseConfigValue(key.name, key.type, text)
  checkConfigValue(key.name, key.type, key.valid, value)
  return value
}

/**
 * Checks what somebody wants to set on a topic, as a broker does for CreateTopics and AlterConfigs. Throws ConfigError
 * (INVALID_CONFIG for the client) with Kafka's message.
 */
export function validateTopicConfig(overrides: Properties, defaults: TopicConfig = builtInTopicConfig): TopicConfig {
  for (const name of Object.keys(overrides)) {
    if (!topicKeys.has(name)) throw new ConfigError(`Unknown topic config name: ${name}`, name)
  }
  const config = topicConfig(overrides, defaults)
  if (config.minCompactionLagMs > config.maxCompactionLagMs) {
    throw new ConfigError(
      `conflict topic config setting min.compaction.lag.ms (${formatConfigValue('long', config.minCompactionLagMs)}) > `
      + `max.compaction.lag.ms (${formatConfigValue('long', config.maxCompactionLagMs)})`, 'min.compaction.lag.ms')
  }
  if (config.remoteLogDeleteOnDisable || config.remoteLogCopyDisable) {
    throw new ConfigError(
      'It is invalid to set `remote.log.delete.on.disable` or `remote.log.copy.disable` under Zookeeper\'s mode.',
      'remote.log.copy.disable')
  }
  if (config.remoteStorageEnable) {
    throw new ConfigError(
      'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.',
      'remote.storage.enable')
  }
  return config
}

export function isCompacted(config: TopicConfig): boolean {
  return config.cleanupPolicy.includes('compact')
}

export function isDeleted(config: TopicConfig): boolean {
  return config.cleanupPolicy.includes('delete')
}

/** How far a producer's timestamp may lie before now; `message.timestamp.difference.max.ms` counts where this one is not set. */
export function timestampBeforeMaxMs(config: TopicConfig): number {
  const { messageTimestampBeforeMaxMs: before } = config
  return before < LONG_MAX ? before : config.messageTimestampDifferenceMaxMs
}

/** How far a producer's timestamp may lie after now. */
export function timestampAfterMaxMs(config: TopicConfig): number {
  const { messageTimestampAfterMaxMs: after } = config
  return after < LONG_MAX ? after : config.messageTimestampDifferenceMaxMs
}

/** A compacted log rolls early enough that nothing stays uncompacted for longer than it may. */
export function maxSegmentMs(config: TopicConfig): number {
  if (!isCompacted(config) || config.maxCompactionLagMs <= 0) return config.segmentMs
  return Math.min(config.maxCompactionLagMs, config.segmentMs)
}

/** A random part of `segment.jitter.ms`, so that logs do not roll all at once. `random` in [0, 1). */
export function segmentJitterMs(config: TopicConfig, random: number): number {
  return config.segmentJitterMs === 0 ? 0 : Math.floor(random * Math.min(config.segmentJitterMs, config.segmentMs))
}
