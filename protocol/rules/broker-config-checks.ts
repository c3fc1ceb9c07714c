/**
 * What the values of a broker's keys must be to each other (Kafka's KafkaConfig.validateValues), and values that follow from
 * several keys.
 */
import type { BrokerConfig } from './config-definition'
import { ConfigError } from './config-values'
import { listenersOf } from './listeners'
import type { MetadataVersion } from './metadata-version'
import { latestMetadataVersion, metadataVersionRules, parseMetadataVersion } from './metadata-version'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** `log.retention.ms`, else `.minutes`, else `.hours`; -1 for ever. */
export function logRetentionMs(config: BrokerConfig): number {
  const minutes = config.numberOrNull('log.retention.minutes')
  const ms = config.numberOrNull('log.retention.ms')
    ?? (minutes === null ? config.number('log.retention.hours') * HOUR_MS : minutes * MINUTE_MS)
  return ms < 0 ? -1 : ms
}

/** `log.roll.ms`, else `log.roll.hours`. */
export function logRollMs(config: BrokerConfig): number {
  return config.numberOrNull('log.roll.ms') ?? config.number('log.roll.hours') * HOUR_MS
}

/** `log.roll.jitter.ms`, else `log.roll.jitter.hours`. */
export function logRollJitterMs(config: BrokerConfig): number {
  return config.numberOrNull('log.roll.jitter.ms') ?? config.number('log.roll.jitter.hours') * HOUR_MS
}

/** `log.flush.interval.ms`, else `log.flush.scheduler.interval.ms`. */
export function logFlushIntervalMs(config: BrokerConfig): number {
  return config.numberOrNull('log.flush.interval.ms') ?? config.number('log.flush.scheduler.interval.ms')
}

/** `log.dirs`, else `log.dir`. */
export function logDirs(config: BrokerConfig): string[] {
  const list = config.stringOrNull('log.dirs') ?? config.string('log.dir')
  return list.split(',').map((each) => each.trim()).filter((each) => each !== '')
}

/** The version that `inter.broker.protocol.version` names. */
export function interBrokerProtocolVersion(config: BrokerConfig): MetadataVersion {
  return parseMetadataVersion(config.string('inter.broker.protocol.version')) ?? latestMetadataVersion
}

function demand(key: string, condition: boolean, message: string): void {
  if (!condition) throw new ConfigError(message, key)
}

/** Throws ConfigError for the first rule that is broken; adds to `warnings` what is only odd. */
export function checkBrokerConfig(config: BrokerConfig, warnings: string[]): void {
  checkIdentity(config)
  demand('log.roll.ms', logRollMs(config) >= 1, 'log.roll.ms must be greater than or equal to 1')
  demand('log.roll.jitter.ms', logRollJitterMs(config) >= 0, 'log.roll.jitter.ms must be greater than or equal to 0')
  const retentionMs = logRetentionMs(config)
  demand('log.retention.ms', retentionMs >= 1 || retentionMs === -1,
    'log.retention.ms must be unlimited (-1) or, greater than or equal to 1')
  demand('log.dirs', logDirs(config).length > 0, 'At least one log directory must be defined via log.dirs or log.dir.')
  checkCleaner(config)
  const waitMs = config.number('replica.fetch.wait.max.ms')
  demand('replica.socket.timeout.ms', waitMs <= config.number('replica.socket.timeout.ms'),
    'replica.socket.timeout.ms should always be at least replica.fetch.wait.max.ms to prevent unnecessary socket timeouts')
  demand('replica.fetch.wait.max.ms', waitMs <= config.number('replica.lag.time.max.ms'),
    'replica.fetch.wait.max.ms should always be less than or equal to replica.lag.time.max.ms to prevent frequent changes in ISR')
  listenersOf(config)
  checkVersions(config, warnings)
  checkConnections(config)
  checkGroups(config)
  if (config.isGiven('offsets.commit.required.acks')) {
    warnings.push('offsets.commit.required.acks is deprecated and it will be removed in Apache Kafka 4.0.')
  }
}

function checkIdentity(config: BrokerConfig): void {
  const id = config.number('broker.id')
  demand('node.id', config.number('node.id') === id, 'You must set `node.id` to the same value as `broker.id`.')
  const connect = config.stringOrNull('zookeeper.connect')
  demand('zookeeper.connect', connect !== null && connect !== '',
    'Missing required configuration `zookeeper.connect` which has no default value: host:port,host:port/chroot')
  if (config.boolean('broker.id.generation.enable')) {
    const max = config.number('reserved.broker.max.id')
    demand('broker.id', id >= -1 && id <= max,
      `broker.id must be greater than or equal to -1 and not greater than reserved.broker.max.id (it is ${id}, the limit ${max})`)
  } else {
    demand('broker.id', id >= 0,
      `broker.id must be greater than or equal to 0 (it is ${id}, and broker.id.generation.enable is false)`)
  }
}

function checkCleaner(config: BrokerConfig): void {
  const threads = config.number('log.cleaner.threads')
  const bytes = config.number('log.cleaner.dedupe.buffer.size')
  demand('log.cleaner.dedupe.buffer.size', threads === 0 || bytes / threads > 1024 * 1024,
    'log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.')
  demand('log.cleaner.min.compaction.lag.ms',
    config.number('log.cleaner.min.compaction.lag.ms') <= config.number('log.cleaner.max.compaction.lag.ms'),
    'log.cleaner.min.compaction.lag.ms must not be greater than log.cleaner.max.compaction.lag.ms')
}

function checkVersions(config: BrokerConfig, warnings: string[]): void {
  const version = interBrokerProtocolVersion(config)
  demand('inter.broker.protocol.version', version.order <= latestMetadataVersion.order,
    `inter.broker.protocol.version ${version.name} is not released; the newest is ${latestMetadataVersion.name}`)
  const rules = metadataVersionRules(version)
  const formatText = config.string('log.message.format.version')
  if (rules.ignoresMessageFormatVersion) {
    if (config.isGiven('log.message.format.version') && parseMetadataVersion(formatText)?.name !== '3.0-IV1') {
      warnings.push(
        `Broker configuration log.message.format.version with value ${formatText} is ignored because the inter-broker protocol `
        + `version \`${config.string('inter.broker.protocol.version')}\` is greater or equal than 3.0. `
        + 'This configuration is deprecated and it will be removed in Apache Kafka 4.0.')
    }
    return
  }
  const format = parseMetadataVersion(formatText)
  demand('log.message.format.version', format !== undefined && metadataVersionRules(format).recordVersion <= rules.recordVersion,
    `log.message.format.version ${formatText} can only be used when inter.broker.protocol.version is set to version `
    + `${format !== undefined && metadataVersionRules(format).recordVersion === 1 ? '0.10.0' : '0.11.0'} or higher`)
}

function checkGroups(config: BrokerConfig): void {
  const acks = config.number('offsets.commit.required.acks')
  demand('offsets.commit.required.acks', acks >= -1 && acks <= config.number('offsets.topic.replication.factor'),
    'offsets.commit.required.acks must be greater or equal to -1 and less or equal to offsets.topic.replication.factor')
  const codec = config.number('offsets.topic.compression.codec')
  demand('offsets.topic.compression.codec', codec >= 0 && codec <= 4,
    `Unknown compression type id: ${codec} (offsets.topic.compression.codec; 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd)`)
}

function checkConnections(config: BrokerConfig): void {
  const queued = config.number('queued.max.request.bytes')
  demand('queued.max.request.bytes', queued <= 0 || queued >= config.number('socket.request.max.bytes'),
    'queued.max.request.bytes must be larger or equal to socket.request.max.bytes')
  const overrides = connectionsPerIpOverrides(config)
  demand('max.connections.per.ip', config.number('max.connections.per.ip') !== 0 || overrides.size > 0,
    'max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.')
  const idleMs = config.number('connections.max.idle.ms')
  const delayMs = config.number('connection.failed.authentication.delay.ms')
  demand('connection.failed.authentication.delay.ms', idleMs < 0 || delayMs < idleMs,
    `connection.failed.authentication.delay.ms=${delayMs} should always be less than connections.max.idle.ms=${idleMs} `
    + 'to prevent failed authentication responses from timing out')
}

/** `max.connections.per.ip.overrides`: `host:count,host:count`. Throws ConfigError. */
export function connectionsPerIpOverrides(config: BrokerConfig): Map<string, number> {
  const key = 'max.connections.per.ip.overrides'
  const overrides = new Map<string, number>()
  for (const pair of config.string(key).split(',').map((each) => each.trim()).filter((each) => each !== '')) {
    const colon = pair.lastIndexOf(':')
    const host = pair.slice(0, colon).trim()
    const count = pair.slice(colon + 1).trim()
    if (colon < 0 || !/^\d+$/.test(count)) {
      throw new ConfigError(`${key} has the form host:count,host:count, which ${pair} is not`, key)
    }
    if (!/^[0-9a-zA-Z\-%._:]+$/.test(host)) throw new ConfigError(`${key} contains invalid addresses : ${host}`, key)
    overrides.set(host, Number(count))
  }
  return overrides
}
