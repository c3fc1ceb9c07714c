import { Codec } from '../../protocol/records/batch'
import { ConfigError } from '../../protocol/rules/config-values'
import type { KafkaConfig } from '../config/kafka-config'

/** What of the broker's configuration concerns groups. None of it changes while the broker runs. */
export interface GroupConfig {
  minSessionTimeoutMs: number
  maxSessionTimeoutMs: number
  maxSize: number
  initialRebalanceDelayMs: number
  offsetMetadataMaxBytes: number
  offsetsRetentionMs: number
  offsetsRetentionCheckIntervalMs: number
  commitTimeoutMs: number
  commitRequiredAcks: number
  codec: Codec
  /** Versions of the values in `__consumer_offsets` that inter.broker.protocol.version allows. */
  groupValueVersion: number
  offsetValueVersion: number
}

/** Static members came with the version of the group's value that can hold them (inter.broker.protocol.version 2.3). */
export function allowsStaticMembers(config: Pick<GroupConfig, 'groupValueVersion'>): boolean {
  return config.groupValueVersion >= 3
}

const COMPRESSION_KEY = 'offsets.topic.compression.codec'

/** Throws ConfigError. */
export function groupConfig({ values, protocol }: KafkaConfig): GroupConfig {
  return {
    minSessionTimeoutMs: values.number('group.min.session.timeout.ms'),
    maxSessionTimeoutMs: values.number('group.max.session.timeout.ms'),
    maxSize: values.number('group.max.size'),
    initialRebalanceDelayMs: values.number('group.initial.rebalance.delay.ms'),
    offsetMetadataMaxBytes: values.number('offset.metadata.max.bytes'),
    offsetsRetentionMs: values.number('offsets.retention.minutes') * 60_000,
    offsetsRetentionCheckIntervalMs: values.number('offsets.retention.check.interval.ms'),
    commitTimeoutMs: values.number('offsets.commit.timeout.ms'),
    commitRequiredAcks: values.number('offsets.commit.required.acks'),
    codec: codecOf(values.number(COMPRESSION_KEY)),
    groupValueVersion: protocol.groupMetadataValue,
    offsetValueVersion: protocol.offsetCommitValue,
  }
}

function codecOf(id: number): Codec {
  const codec = Object.values(Codec).find((each) => each === id)
  if (codec === undefined) {
    throw new ConfigError(`${COMPRESSION_KEY} is ${id}; it may be 0 (none), 1 (gzip), 2 (snappy), 3 (lz4) or 4 (zstd)`, COMPRESSION_KEY)
  }
  return codec
}
