import { connectionsPerIpOverrides, interBrokerProtocolVersion, logDirs } from '../../protocol/rules/broker-config-checks'
import { listenersOf } from '../../protocol/rules/listeners'
import { metadataVersionRules } from '../../protocol/rules/metadata-version'
import type { BrokerConfig, Properties } from '../../protocol/rules/config-definition'
import type { Listeners } from '../../protocol/rules/listeners'
import type { MetadataVersionRules } from '../../protocol/rules/metadata-version'

const NOTHING: Properties = Object.freeze({})

/**
 * A broker's configuration by name and type: what the parts of a broker ask for. A key is looked up under Kafka's name in
 * `values`; what may change while the broker runs is looked up when it is needed, or given on by a `Reconfigurable`.
 */
export class KafkaConfig {
  /** Of `server.properties`. */
  readonly staticValues: BrokerConfig
  #values: BrokerConfig
  #dynamicDefault: Properties = NOTHING
  #dynamicBroker: Properties = NOTHING
  #listeners: Listeners
  /** -1: to be found in meta.properties, or generated. */
  readonly brokerId: number
  /** What inter.broker.protocol.version allows. */
  readonly protocol: MetadataVersionRules
  readonly logDirs: readonly string[]
  readonly rack: string | null
  readonly autoCreateTopicsEnable: boolean
  readonly numPartitions: number
  readonly defaultReplicationFactor: number
  readonly requestTimeoutMs: number
  readonly fetchMaxBytes: number

  constructor(values: BrokerConfig) {
    this.staticValues = values
    this.#values = values
    this.brokerId = values.number('broker.id')
    this.#listeners = listenersOf(values)
    this.protocol = metadataVersionRules(interBrokerProtocolVersion(values))
    this.logDirs = logDirs(values)
    this.rack = values.stringOrNull('broker.rack')
    this.autoCreateTopicsEnable = values.boolean('auto.create.topics.enable')
    this.numPartitions = values.number('num.partitions')
    this.defaultReplicationFactor = values.number('default.replication.factor')
    this.requestTimeoutMs = values.number('request.timeout.ms')
    this.fetchMaxBytes = values.number('fetch.max.bytes')
  }

  /** What is in force now. */
  get values(): BrokerConfig {
    return this.#values
  }

  get listeners(): Listeners {
    return this.#listeners
  }

  /** What was set for all brokers while they ran (KIP-226). */
  get dynamicDefault(): Properties {
    return this.#dynamicDefault
  }

  /** What was set for this broker while it ran. */
  get dynamicBroker(): Properties {
    return this.#dynamicBroker
  }

  /** Takes other values, worked out by DynamicBrokerConfig. */
  reconfigure(values: BrokerConfig, dynamicDefault: Properties, dynamicBroker: Properties): void {
    this.#values = values
    this.#listeners = listenersOf(values)
    this.#dynamicDefault = dynamicDefault
    this.#dynamicBroker = dynamicBroker
  }

  get maxConnectionsPerIpOverrides(): ReadonlyMap<string, number> {
    return connectionsPerIpOverrides(this.#values)
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
