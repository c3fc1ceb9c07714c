import { ApiKey } from '../protocol/messages/apis'
import { ErrorCode, errorName } from '../protocol/errors'
import { allocateProducerIds } from '../zk-schema/operations/producer-ids'
import { PeerConnections } from './transaction/peer-connections'
import { ProducerIdManager } from './transaction/producer-id-manager'
import { TransactionCoordinator } from './transaction/transaction-coordinator'
import { TransactionVerifier } from './transaction/verification'
import type { AllocateProducerIdsRequest, AllocateProducerIdsResponse } from '../protocol/messages/allocate-producer-ids'
import type { Logger } from '../runtime/log'
import type { Environment } from '../runtime/ports'
import type { SessionKeeper } from '../zk-schema/session/keeper'
import type { ToController } from './api/to-controller'
import type { KafkaConfig } from './config/kafka-config'
import type { TopicConfigStore } from './config/topic-config-store'
import type { CoordinatorLog } from './coordinator/coordinator-log'
import type { MetadataCache } from './metadata/metadata-cache'
import type { ProducerIdBlock } from './transaction/producer-id-manager'

/** A broker waits for its replicas as long as request.timeout.ms says, and then answers. */
const ANSWER_MARGIN_MS = 5000

export interface TransactionPartOptions {
  env: Environment
  logger: Logger
  config: KafkaConfig
  brokerId: number
  brokerEpoch(): number
  keeper: SessionKeeper
  mayAct(): boolean
  toController: ToController
  metadata: MetadataCache
  topicConfigs: TopicConfigStore
  log: CoordinatorLog
  /** Whether ZooKeeper says that there is no such partition, or that its topic is to be deleted. */
  isPartitionGone(topic: string, partition: number): Promise<boolean>
}

/** The transaction coordinator of a broker and what it asks of other brokers, as the broker's keys say. */
export class TransactionPart {
  readonly coordinator: TransactionCoordinator
  readonly verifier: TransactionVerifier
  private readonly peers: PeerConnections[]

  constructor(options: TransactionPartOptions) {
    const { env, logger, config, brokerId, metadata, log, topicConfigs } = options
    const { clock } = env
    const { values } = config
    const listenerName = config.listeners.interBrokerName
    const connections = (purpose: string, requestTimeoutMs: number): PeerConnections =>
      new PeerConnections({
        env, metadata, listenerName, logger, requestTimeoutMs, clientId: `broker-${brokerId}-${purpose}`,
      })
    const markerPeers = connections('txn-marker-sender', config.requestTimeoutMs + ANSWER_MARGIN_MS)
    const verificationPeers = connections('add-partitions-to-txn', config.requestTimeoutMs)
    this.peers = [markerPeers, verificationPeers]
    this.coordinator = new TransactionCoordinator({
      clock,
      logger,
      log,
      mayAct: options.mayAct,
      producerIds: new ProducerIdManager({ allocate: () => allocate(options), clock, logger }),
      markers: {
        metadata,
        listenerName,
        peers: markerPeers,
        version: config.protocol.writeTxnMarkers,
        isDeleted: (topic, partition) => options.isPartitionGone(topic, partition),
      },
      maxTimeoutMs: values.number('transaction.max.timeout.ms'),
      idExpirationMs: values.number('transactional.id.expiration.ms'),
      abortTimedOutIntervalMs: values.number('transaction.abort.timed.out.transaction.cleanup.interval.ms'),
      removeExpiredIntervalMs: values.number('transaction.remove.expired.transaction.cleanup.interval.ms'),
      maxMessageBytes: () => topicConfigs.of(log.topic).maxMessageBytes,
    })
    this.verifier = new TransactionVerifier({
      clock, logger, brokerId, metadata, listenerName, topic: log.topic, peers: verificationPeers, coordinator: this.coordinator,
    })
  }

  close(): void {
    this.coordinator.close()
    this.verifier.close()
    for (const peers of this.peers) peers.close()
  }
}

/** A block of producer ids: from the controller or, below IBP 3.0, from ZooKeeper itself. */
async function allocate(options: TransactionPartOptions): Promise<ProducerIdBlock> {
  const { config, brokerId, brokerEpoch, keeper, toController } = options
  if (!config.protocol.allocateProducerIds) {
    const { firstProducerId, lastProducerId } = await allocateProducerIds(keeper.current, brokerId)
    return { start: firstProducerId, length: lastProducerId - firstProducerId + 1 }
  }
  const answer = await toController.send<AllocateProducerIdsRequest, AllocateProducerIdsResponse>(ApiKey.allocateProducerIds, {
    brokerId, brokerEpoch: brokerEpoch(),
  })
  if (answer.errorCode !== ErrorCode.NONE) throw new Error(`The controller answered with ${errorName(answer.errorCode)}`)
  return { start: answer.producerIdStart, length: answer.producerIdLen }
}
