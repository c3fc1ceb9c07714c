import { ConfigError, ConfigReader } from '../config'
import { READ_COMMITTED, READ_UNCOMMITTED } from '../offsets'
import { assignorsFor } from '../group/assignors/by-name'
import type { Assignor } from '../group/assignors/assignor'
import type { ConsumerConfig } from '../config'
import type { ConsumerInterceptor } from './interceptors'
import type { GroupSettings } from '../group/generation'

export type ResetPolicy = 'earliest' | 'latest' | 'none'

export interface ConsumerSettings {
  /** undefined: no group; then there is nothing to subscribe or to commit with. */
  group: GroupSettings | undefined
  assignors: Assignor[]
  interceptors: ConsumerInterceptor[]
  autoCommit: boolean
  autoCommitIntervalMs: number
  autoReset: ResetPolicy
  isolation: number
  maxPollRecords: number
  maxWaitMs: number
  minBytes: number
  maxBytes: number
  maxPartitionBytes: number
  checkCrcs: boolean
  createTopics: boolean
  excludeInternalTopics: boolean
  rackId: string | null
}

function listOf<T>(value: unknown, fallback: readonly (string | T)[]): readonly (string | T)[] {
  if (value === undefined || value === null) return fallback
  if (Array.isArray(value)) return value as (string | T)[]
  return String(value)
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function groupOf(config: ConsumerConfig, read: ConfigReader): GroupSettings | undefined {
  const groupId = read.text('group.id', '')
  const instanceId = read.text('group.instance.id', '')
  const protocol = read.text('group.protocol', 'classic').toLowerCase()
  if (protocol !== 'classic')
    throw new ConfigError(`Invalid value ${protocol} for configuration group.protocol: String must be one of: classic`)
  const settings = {
    groupId,
    groupInstanceId: instanceId === '' ? null : instanceId,
    sessionTimeoutMs: read.whole('session.timeout.ms', 45_000, 1),
    heartbeatIntervalMs: read.whole('heartbeat.interval.ms', 3000, 1),
    maxPollIntervalMs: read.whole('max.poll.interval.ms', 300_000, 1),
    retryBackoffMs: read.whole('retry.backoff.ms', 100, 0),
  }
  if (settings.heartbeatIntervalMs >= settings.sessionTimeoutMs)
    throw new ConfigError('Heartbeat must be set lower than the session timeout')
  if (config['group.id'] === undefined || config['group.id'] === null || groupId === '') return undefined
  return settings
}

/** Reads a consumer's configuration; throws ConfigError with Kafka's words. */
export function consumerSettings(config: ConsumerConfig): ConsumerSettings {
  const read = new ConfigReader(config)
  const group = groupOf(config, read)
  const autoCommit = read.flag('enable.auto.commit', group !== undefined)
  if (autoCommit && group === undefined)
    throw new ConfigError('enable.auto.commit cannot be set to true when default group id (null) is used.')
  const rackId = read.text('client.rack', '')
  return {
    group,
    assignors: assignorsFor(listOf<Assignor>(config['partition.assignment.strategy'], ['range', 'cooperative-sticky'])),
    interceptors: listOf<ConsumerInterceptor>(config['interceptor.classes'], []).map((each) => {
      if (typeof each === 'string')
        throw new ConfigError(
          `Invalid value ${each} for configuration interceptor.classes: objects are wanted, not names of classes`,
        )
      return each
    }),
    autoCommit,
    autoCommitIntervalMs: read.whole('auto.commit.interval.ms', 5000, 0),
    autoReset: read.choice('auto.offset.reset', 'latest', ['earliest', 'latest', 'none']),
    isolation:
      read.choice('isolation.level', 'read_uncommitted', ['read_uncommitted', 'read_committed']) === 'read_committed'
        ? READ_COMMITTED
        : READ_UNCOMMITTED,
    maxPollRecords: read.whole('max.poll.records', 500, 1),
    maxWaitMs: read.whole('fetch.max.wait.ms', 500, 0),
    minBytes: read.whole('fetch.min.bytes', 1, 0),
    maxBytes: read.whole('fetch.max.bytes', 52_428_800, 0),
    maxPartitionBytes: read.whole('max.partition.fetch.bytes', 1_048_576, 0),
    checkCrcs: read.flag('check.crcs', true),
    createTopics: read.flag('allow.auto.create.topics', true),
    excludeInternalTopics: read.flag('exclude.internal.topics', true),
    rackId: rackId === '' ? null : rackId,
  }
}
