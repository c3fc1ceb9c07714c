import { isRackAware } from './config/supported-settings'
import { ReplicationQuotas } from './quota/replication-quotas'
import { DEFAULT_REPLICA_CONFIG } from './replica/options'
import type { Clock } from '../runtime/ports'
import type { BrokerConfig } from '../protocol/rules/config-definition'
import type { KafkaConfig } from './config/kafka-config'
import type { TopicConfigStore } from './config/topic-config-store'
import type { CleanerConfig } from './log/cleaner/cleaner-config'
import type { LogManagerOptions } from './log/log-manager'
import type { ReplicaConfig, ReplicationProtocol } from './replica/options'
import type { SocketServerOptions } from './server/socket-server'

/**
 * What all connections together may hold of frames that are still being received, where queued.max.request.bytes says
 * nothing.
 */
const RECEIVE_BUDGET_BYTES = 256 * 1024 * 1024
/** Slabs of the least size are there for small requests, whatever the largest one is. */
const LEAST_RECEIVE_BUDGET_BYTES = 4 * 1024 * 1024
/** A large frame is copied while it grows, into slabs of up to twice its size: this many times its size it may take. */
const GROWTH = 3
/** What all clients together may leave unread. */
const UNREAD_BUDGET_BYTES = 256 * 1024 * 1024

/** The broker's keys, as the log manager wants them. */
export function logManagerOptions({ values, logDirs, protocol }: KafkaConfig, topicConfigs: TopicConfigStore): LogManagerOptions {
  return {
    dirs: logDirs,
    defaults: topicConfigs.defaults,
    topicConfigs: (topic) => topicConfigs.of(topic),
    retentionCheckIntervalMs: values.number('log.retention.check.interval.ms'),
    flushCheckIntervalMs: values.number('log.flush.scheduler.interval.ms'),
    recoveryPointCheckpointIntervalMs: values.number('log.flush.offset.checkpoint.interval.ms'),
    startOffsetCheckpointIntervalMs: values.number('log.flush.start.offset.checkpoint.interval.ms'),
    highWatermarkCheckpointIntervalMs: values.number('replica.high.watermark.checkpoint.interval.ms'),
    initialTaskDelayMs: values.number('log.initial.task.delay.ms'),
    producerIdExpirationMs: values.number('producer.id.expiration.ms'),
    producerIdExpirationCheckIntervalMs: values.number('producer.id.expiration.check.interval.ms'),
    ignoresMessageFormatVersion: protocol.ignoresMessageFormatVersion,
    transactionVerification: values.boolean('transaction.partition.verification.enable'),
    cleaner: cleanerConfig(values),
  }
}

/** The broker's keys, as the log cleaner wants them; all but log.cleaner.enable may change while it runs. */
export function cleanerConfig(values: BrokerConfig): CleanerConfig {
  return {
    enable: values.boolean('log.cleaner.enable'),
    threads: values.number('log.cleaner.threads'),
    dedupeBufferBytes: values.number('log.cleaner.dedupe.buffer.size'),
    loadFactor: values.number('log.cleaner.io.buffer.load.factor'),
    ioBufferBytes: values.number('log.cleaner.io.buffer.size'),
    ioMaxBytesPerSecond: values.number('log.cleaner.io.max.bytes.per.second'),
    backoffMs: values.number('log.cleaner.backoff.ms'),
  }
}

/** The broker's keys, as the replica manager wants them. */
export function replicaConfig(config: KafkaConfig): ReplicaConfig {
  const { values } = config
  return {
    ...DEFAULT_REPLICA_CONFIG,
    replicaLagTimeMaxMs: values.number('replica.lag.time.max.ms'),
    replicaFetchWaitMaxMs: values.number('replica.fetch.wait.max.ms'),
    replicaFetchMinBytes: values.number('replica.fetch.min.bytes'),
    replicaFetchMaxBytes: values.number('replica.fetch.max.bytes'),
    replicaFetchResponseMaxBytes: values.number('replica.fetch.response.max.bytes'),
    replicaFetchBackoffMs: values.number('replica.fetch.backoff.ms'),
    replicaSocketTimeoutMs: values.number('replica.socket.timeout.ms'),
    numReplicaFetchers: values.number('num.replica.fetchers'),
    fetchMaxBytes: config.fetchMaxBytes,
    maxIncrementalFetchSessionSlots: values.number('max.incremental.fetch.session.cache.slots'),
    rackAwareReplicaSelector: isRackAware(config),
  }
}

/** The throttles of replication, over the windows that the broker's keys say. */
export function replicationQuotas(clock: Clock, { values }: KafkaConfig): ReplicationQuotas {
  const windowOf = (prefix: string): { samples: number; sampleMs: number } => ({
    samples: values.number(`${prefix}.window.num`),
    sampleMs: values.number(`${prefix}.window.size.seconds`) * 1000,
  })
  return new ReplicationQuotas(clock, {
    replication: windowOf('replication.quota'), alterLogDirs: windowOf('alter.log.dirs.replication.quota'),
  })
}

/** What inter.broker.protocol.version means for replication. */
export function replicationProtocol({ protocol }: KafkaConfig): ReplicationProtocol {
  return {
    fetchVersion: protocol.fetch,
    listOffsetsVersion: protocol.listOffsets,
    offsetForLeaderEpochVersion: protocol.offsetForLeaderEpoch,
    truncationOnFetch: protocol.truncationOnFetch,
    brokerEpochs: protocol.brokerEpochs,
  }
}

/** The broker's keys, as the socket server wants them. */
export function socketServerOptions(config: KafkaConfig): Omit<SocketServerOptions, 'logger' | 'connectionThrottle'> {
  const { values, listeners } = config
  const queuedBytes = values.number('queued.max.request.bytes')
  return {
    listeners: listeners.listeners.map(({ listenerName, host, port }) => ({
      name: listenerName,
      host: host ?? '',
      port,
      isControlPlane: listenerName === listeners.controlPlaneName,
      isProtected: listenerName === listeners.controlPlaneName || isInterBrokerOnly(config, listenerName),
    })),
    maxFrameBytes: values.number('socket.request.max.bytes'),
    receiveBudgetBytes: receiveBudgetBytes(queuedBytes, values.number('socket.request.max.bytes')),
    unreadBudgetBytes: UNREAD_BUDGET_BYTES,
    maxConnections: values.number('max.connections'),
    maxConnectionsPerIp: values.number('max.connections.per.ip'),
    maxConnectionsPerIpOverrides: config.maxConnectionsPerIpOverrides,
    maxConnectionsPerListener: new Map(
      listeners.listeners.flatMap(({ listenerName }) => {
        const own = values.given[maxConnectionsKey(listenerName)]
        return own === undefined ? [] : [[listenerName, Number(own)] as const]
      }),
    ),
    maxIdleMs: values.number('connections.max.idle.ms'),
  }
}

/**
 * What requests that are being received may take. Kafka lets one that begins while a byte is free take what it needs
 * (SimpleMemoryPool, not strict): so there is room for one of the largest, however small queued.max.request.bytes is.
 */
export function receiveBudgetBytes(queuedMaxRequestBytes: number, maxRequestBytes: number): number {
  if (queuedMaxRequestBytes <= 0) return Math.max(RECEIVE_BUDGET_BYTES, GROWTH * maxRequestBytes)
  return Math.max(queuedMaxRequestBytes, LEAST_RECEIVE_BUDGET_BYTES, GROWTH * maxRequestBytes)
}

export function maxConnectionsKey(listenerName: string): string {
  return `listener.name.${listenerName.toLowerCase()}.max.connections`
}

/** With one listener for clients and brokers nobody can be told apart, so nobody is protected (Kafka: more than one listener). */
function isInterBrokerOnly({ listeners }: KafkaConfig, listenerName: string): boolean {
  return listeners.listeners.length > 1 && listenerName === listeners.interBrokerName
}
