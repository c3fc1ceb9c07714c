import type { CoordinatorLog } from '../coordinator/coordinator-log'
import type { MetadataCache } from '../metadata/metadata-cache'
import type { ReplicaManager } from '../replica/replica-manager'
import type { ClientConfigStore } from '../config/client-config-store'
import type { BrokerConfigWriter } from '../config/broker-config-writer'
import type { DynamicBrokerConfig } from '../config/dynamic-broker-config'
import type { KafkaConfig } from '../config/kafka-config'
import type { TopicConfigStore } from '../config/topic-config-store'
import type { TopicConfigWriter } from '../config/topic-config-writer'
import type { AutoTopicCreation } from './auto-topic-creation'
import type { ControllerGate } from './controller-gate'
import type { MetadataWaits } from './metadata-waits'
import type { TransactionCoordinator } from '../transaction/transaction-coordinator'
import type { GroupConfig } from '../group/group-config'
import type { GroupCoordinator } from '../group/group-coordinator'
import type { Logger } from '../../runtime/log'
import type { LogLevels } from '../../runtime/log-levels'
import type { Clock, Net } from '../../runtime/ports'
import type { ClientQuotas } from '../quota/client-quotas'

/** Where consumers of 0.8 keep their offsets. */
export interface ZooKeeperOffsets {
  fetch(groupId: string, topic: string, partition: number): Promise<number | undefined>
  commit(groupId: string, topic: string, partition: number, offset: number): Promise<void>
}

/** What the request handlers work with; broker/broker.ts puts it together. */
export interface BrokerServices {
  clock: Clock
  logger: Logger
  brokerId: number
  clusterId: string
  config: KafkaConfig
  metadata: MetadataCache
  replicas: ReplicaManager
  controller: ControllerGate
  topicConfigs: TopicConfigStore
  topicConfigWriter: TopicConfigWriter
  dynamicConfig: DynamicBrokerConfig
  brokerConfigWriter: BrokerConfigWriter
  logLevels: LogLevels
  /** Reads the configuration of topics from ZooKeeper now. */
  refreshTopicConfigs(topics: readonly string[]): Promise<void>
  autoTopicCreation: AutoTopicCreation
  coordinatorLogs: { readonly group: CoordinatorLog; readonly transaction: CoordinatorLog }
  groups: GroupCoordinator
  groupConfig: GroupConfig
  quotas: ClientQuotas
  /** Quotas and credentials, as ZooKeeper has them. */
  clientConfigs: ClientConfigStore
  /** For the names of hosts. */
  net: Pick<Net, 'lookup'>
  /** For OffsetCommit and OffsetFetch version 0. */
  zooKeeperOffsets: ZooKeeperOffsets
  metadataWaits: MetadataWaits
  transactions: TransactionCoordinator
  /** The version of `/feature`, -1 if it is not there: the finalized features epoch in ApiVersions. */
  featureEpoch(): number
}
