import { CoordinatorLog } from './coordinator/coordinator-log'
import { GROUP_METADATA_TOPIC, TRANSACTION_STATE_TOPIC } from '../protocol/rules/topic-name'
import type { Clock } from '../runtime/ports'
import type { KafkaConfig } from './config/kafka-config'
import type { MetadataCache } from './metadata/metadata-cache'
import type { ReplicaManager } from './replica/replica-manager'

export interface CoordinatorLogs {
  readonly group: CoordinatorLog
  readonly transaction: CoordinatorLog
}

/** The logs of both kinds of coordinator, as the broker's keys say. */
export function createCoordinatorLogs(options: {
  config: KafkaConfig
  readPartitionCount(topic: string): Promise<number | undefined>
  clock: Clock
  metadata: MetadataCache
  replicas: ReplicaManager
}): CoordinatorLogs {
  const { config, readPartitionCount, ...rest } = options
  const logOf = (topic: string, defaultPartitionCount: number, loadBufferBytes: number): CoordinatorLog =>
    new CoordinatorLog({
      ...rest, topic, defaultPartitionCount, loadBufferBytes, readPartitionCount: () => readPartitionCount(topic),
    })
  return {
    group: logOf(GROUP_METADATA_TOPIC, config.offsetsTopicPartitions, config.values.number('offsets.load.buffer.size')),
    transaction: logOf(
      TRANSACTION_STATE_TOPIC,
      config.transactionTopicPartitions,
      config.values.number('transaction.state.log.load.buffer.size'),
    ),
  }
}
