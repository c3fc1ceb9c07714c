import type { CoordinatorLog } from '../coordinator/coordinator-log'
import type { MetadataCache } from '../metadata/metadata-cache'
import type { ReplicaManager } from '../replica/replica-manager'
import type { BrokerConfigWriter } from '../config/broker-config-writer'
import type { DynamicBrokerConfig } from '../config/dynamic-broker-config'
import type { KafkaConfig } from '../config/kafka-config'
import type { TopicConfigStore } from '../config/topic-config-store'
import type { TopicConfigWriter } from '../config/topic-config-writer'
import type { AutoTopicCreation } from './auto-topic-creation'
import type { ControllerGate } from './controller-gate'
import type { MetadataWaits } from './metadata-waits'
import type { TransactionCoordinator } from '../transaction/transaction-coordinator'
import type { Logger } from '../../runtime/log'
import type { LogLevels } from '../../runtime/log-levels'
import type { Clock } from '../../runtime/ports'

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
  metadataWaits: MetadataWaits
  transactions: TransactionCoordinator
  /** Offsets that were committed in a transaction; told as soon as its marker is in these partitions of `__consumer_offsets`. */
  transactionalOffsets?: { completeTransaction(producerId: number, partitions: Iterable<number>, isCommit: boolean): void }
  /** The version of `/feature`, -1 if it is not there: the finalized features epoch in ApiVersions. */
  featureEpoch(): number
}
