/** What a program may import: the client, and a cluster for its tests. */
import { TestCluster } from './cli/start/test-cluster'
import { realEnvironment } from './runtime/real'
import { startZooKeeperServer } from './zookeeper/server'
import type { TestClusterOptions } from './cli/start/test-cluster'

export { Admin, AlterOperation, ElectionType, ResourceType } from './client/admin'
export { Consumer } from './client/consumer'
export {
  CommitFailedError, NoOffsetError, RebalanceListenerError, RetriableCommitFailedError, WakeupError,
} from './client/consumer/errors'
export { SubscriptionError } from './client/consumer/subscription'
export { Producer } from './client/producer'
export { TransactionError, TransactionStateError } from './client/producer/transaction-errors'
export { OffsetSpec } from './client/offsets'
export { ClosedError, TimeoutError } from './client/cluster'
export { ConfigError } from './client/config'
export { ErrorCode, ProtocolError, errorName } from './protocol/errors'
export type { AdminConfig, ConsumerConfig, ProducerConfig } from './client/config'
export type { ClusterDescription, ConfigChange, NewTopic, Reassignment } from './client/admin'
export type {
  ConsumerGroupDescription, ConsumerGroupListing, ListGroupsOptions, MemberDescription, PartitionResult, RemovedMember,
} from './client/admin/groups'
export type {
  ActiveProducer, ListTransactionsOptions, ProducersOfPartition, TransactionDescription, TransactionListing, TransactionToAbort,
} from './client/admin/transactions'
export type { Assignor, GroupSubscription, MemberSubscription, RebalanceProtocol } from './client/group/assignors/assignor'
export type { CommitCallback } from './client/group/commits'
export type { ConsumerInterceptor } from './client/consumer/interceptors'
export type { Features, ReplicaMove, ReplicaMoveResult } from './client/admin'
export type { RebalanceListener } from './client/consumer/subscription'
export type { CommittedOffset, GroupMember, OffsetToCommit } from './client/group/committed'
export type { ConsumerRecord } from './client/fetched'
export type { Node, PartitionMetadata, TopicMetadata } from './client/cluster'
export type { OffsetAndTimestamp } from './client/offsets'
export type { ProducerInterceptor } from './client/producer/interceptors'
export type { ProducerRecord } from './client/producer'
export type { RecordMetadata } from './client/accumulator'
export type { TestCluster, TestClusterOptions } from './cli/start/test-cluster'
export type { TopicPartition } from './client/leaders'

/** Starts ZooKeeper and brokers, each a process of its own, on free ports; with the faults that tests need. */
export function startCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  return TestCluster.start(options)
}

export interface ZooKeeper {
  /** `host:port`. */
  connect: string
  close(): Promise<void>
}

/** Starts a ZooKeeper inside this process; without `dataDir` everything is in memory. `port` 0 (the default): any free one. */
export async function startZooKeeper(options: { port?: number; dataDir?: string } = {}): Promise<ZooKeeper> {
  const host = '127.0.0.1'
  const server = await startZooKeeperServer(realEnvironment(), { host, port: options.port ?? 0, dataDir: options.dataDir })
  return { connect: `${host}:${server.port}`, close: () => server.close() }
}
