import type { CreatableTopicConfigs } from '../protocol/messages/create-topics'
import type { Input } from '../protocol/messages/schema'
import type { MetadataVersion } from '../protocol/rules/metadata-version'
import type { TopicConfig } from '../protocol/rules/topic-config'

/** What the controller needs of the broker's configuration. Functions where the value may change while it runs. */
export interface ControllerConfig {
  /** inter.broker.protocol.version */
  interBrokerVersion: MetadataVersion
  /** Listener by which brokers find each other: inter.broker.listener.name. */
  interBrokerListener: string
  /** num.partitions */
  numPartitions: number
  /** default.replication.factor */
  defaultReplicationFactor: number
  /** delete.topic.enable */
  deleteTopicEnable: boolean
  /** auto.leader.rebalance.enable */
  autoLeaderRebalanceEnable: boolean
  leaderImbalanceCheckIntervalSeconds: number
  /** leader.imbalance.per.broker.percentage */
  leaderImbalancePercentage: number
  /** controller.socket.timeout.ms */
  socketTimeoutMs: number
  /** zookeeper.set.acl */
  zooKeeperSetAcl: boolean
  /** What a topic has where it says nothing itself, unclean.leader.election.enable among it. */
  topicDefaults(): TopicConfig
  /** The configuration of a new topic as CreateTopics (version 5 and above) shows it. */
  describeTopicConfig(overrides: Readonly<Record<string, string>>): Input<CreatableTopicConfigs>[]
  /** Pause between two comparisons of memory with ZooKeeper. */
  reconcileIntervalMs: number
}
