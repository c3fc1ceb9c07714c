import { connectionsPerIpOverrides, interBrokerProtocolVersion, logDirs } from '../../protocol/rules/broker-config-checks'
import { listenersOf } from '../../protocol/rules/listeners'
import { metadataVersionRules } from '../../protocol/rules/metadata-version'
import type { BrokerConfig } from '../../protocol/rules/config-definition'
import type { Listeners } from '../../protocol/rules/listeners'
import type { MetadataVersionRules } from '../../protocol/rules/metadata-version'

/**
 * A broker's configuration by name and type: what the parts of a broker ask for, over the parsed values of `server.properties`.
 * Read once at the start; a key is looked up under Kafka's name in `values`.
 */
export class KafkaConfig {
  readonly values: BrokerConfig
  /** -1: to be found in meta.properties, or generated. */
  readonly brokerId: number
  readonly listeners: Listeners
  /** What inter.broker.protocol.version allows. */
  readonly protocol: MetadataVersionRules
  readonly logDirs: readonly string[]
  readonly rack: string | null
  readonly autoCreateTopicsEnable: boolean
  readonly numPartitions: number
  readonly defaultReplicationFactor: number
  readonly requestTimeoutMs: number
  readonly fetchMaxBytes: number
  readonly maxConnectionsPerIpOverrides: ReadonlyMap<string, number>

  constructor(values: BrokerConfig) {
    this.values = values
    this.brokerId = values.number('broker.id')
    this.listeners = listenersOf(values)
    this.protocol = metadataVersionRules(interBrokerProtocolVersion(values))
    this.logDirs = logDirs(values)
    this.rack = values.stringOrNull('broker.rack')
    this.autoCreateTopicsEnable = values.boolean('auto.create.topics.enable')
    this.numPartitions = values.number('num.partitions')
    this.defaultReplicationFactor = values.number('default.replication.factor')
    this.requestTimeoutMs = values.number('request.timeout.ms')
    this.fetchMaxBytes = values.number('fetch.max.bytes')
    this.maxConnectionsPerIpOverrides = connectionsPerIpOverrides(values)
  }

  get offsetsTopicPartitions(): number {
    return this.values.number('offsets.topic.num.partitions')
  }

  get offsetsTopicReplicationFactor(): number {
    return this.values.number('offsets.topic.replication.factor')
  }

  get offsetsTopicSegmentBytes(): number {
    return this.values.number('offsets.topic.segment.bytes')
  }

  get transactionTopicPartitions(): number {
    return this.values.number('transaction.state.log.num.partitions')
  }

  get transactionTopicReplicationFactor(): number {
    return this.values.number('transaction.state.log.replication.factor')
  }

  get transactionTopicMinIsr(): number {
    return this.values.number('transaction.state.log.min.isr')
  }

  get transactionTopicSegmentBytes(): number {
    return this.values.number('transaction.state.log.segment.bytes')
  }

  /** Where controllers reach this broker, and this broker the controller. */
  get controlListener(): string {
    return this.listeners.controlPlaneName ?? this.listeners.interBrokerName
  }

  /** `zookeeper.connection.timeout.ms`, by default the session time-out. */
  get zookeeperConnectionTimeoutMs(): number {
    return this.values.numberOrNull('zookeeper.connection.timeout.ms') ?? this.values.number('zookeeper.session.timeout.ms')
  }
}
