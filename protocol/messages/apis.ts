import { produceRequest, produceResponse } from './produce'
import { fetchRequest, fetchResponse } from './fetch'
import { listOffsetsRequest, listOffsetsResponse } from './list-offsets'
import { metadataRequest, metadataResponse } from './metadata'
import { leaderAndIsrRequest, leaderAndIsrResponse } from './leader-and-isr'
import { stopReplicaRequest, stopReplicaResponse } from './stop-replica'
import { updateMetadataRequest, updateMetadataResponse } from './update-metadata'
import { controlledShutdownRequest, controlledShutdownResponse } from './controlled-shutdown'
import { offsetCommitRequest, offsetCommitResponse } from './offset-commit'
import { offsetFetchRequest, offsetFetchResponse } from './offset-fetch'
import { findCoordinatorRequest, findCoordinatorResponse } from './find-coordinator'
import { joinGroupRequest, joinGroupResponse } from './join-group'
import { heartbeatRequest, heartbeatResponse } from './heartbeat'
import { leaveGroupRequest, leaveGroupResponse } from './leave-group'
import { syncGroupRequest, syncGroupResponse } from './sync-group'
import { describeGroupsRequest, describeGroupsResponse } from './describe-groups'
import { listGroupsRequest, listGroupsResponse } from './list-groups'
import { saslHandshakeRequest, saslHandshakeResponse } from './sasl-handshake'
import { apiVersionsRequest, apiVersionsResponse } from './api-versions'
import { createTopicsRequest, createTopicsResponse } from './create-topics'
import { deleteTopicsRequest, deleteTopicsResponse } from './delete-topics'
import { deleteRecordsRequest, deleteRecordsResponse } from './delete-records'
import { initProducerIdRequest, initProducerIdResponse } from './init-producer-id'
import { offsetForLeaderEpochRequest, offsetForLeaderEpochResponse } from './offset-for-leader-epoch'
import { addPartitionsToTxnRequest, addPartitionsToTxnResponse } from './add-partitions-to-txn'
import { addOffsetsToTxnRequest, addOffsetsToTxnResponse } from './add-offsets-to-txn'
import { endTxnRequest, endTxnResponse } from './end-txn'
import { writeTxnMarkersRequest, writeTxnMarkersResponse } from './write-txn-markers'
import { txnOffsetCommitRequest, txnOffsetCommitResponse } from './txn-offset-commit'
import { describeAclsRequest, describeAclsResponse } from './describe-acls'
import { createAclsRequest, createAclsResponse } from './create-acls'
import { deleteAclsRequest, deleteAclsResponse } from './delete-acls'
import { describeConfigsRequest, describeConfigsResponse } from './describe-configs'
import { alterConfigsRequest, alterConfigsResponse } from './alter-configs'
import { alterReplicaLogDirsRequest, alterReplicaLogDirsResponse } from './alter-replica-log-dirs'
import { describeLogDirsRequest, describeLogDirsResponse } from './describe-log-dirs'
import { saslAuthenticateRequest, saslAuthenticateResponse } from './sasl-authenticate'
import { createPartitionsRequest, createPartitionsResponse } from './create-partitions'
import { createDelegationTokenRequest, createDelegationTokenResponse } from './create-delegation-token'
import { renewDelegationTokenRequest, renewDelegationTokenResponse } from './renew-delegation-token'
import { expireDelegationTokenRequest, expireDelegationTokenResponse } from './expire-delegation-token'
import { describeDelegationTokenRequest, describeDelegationTokenResponse } from './describe-delegation-token'
import { deleteGroupsRequest, deleteGroupsResponse } from './delete-groups'
import { electLeadersRequest, electLeadersResponse } from './elect-leaders'
import { incrementalAlterConfigsRequest, incrementalAlterConfigsResponse } from './incremental-alter-configs'
import { alterPartitionReassignmentsRequest, alterPartitionReassignmentsResponse } from './alter-partition-reassignments'
import { listPartitionReassignmentsRequest, listPartitionReassignmentsResponse } from './list-partition-reassignments'
import { offsetDeleteRequest, offsetDeleteResponse } from './offset-delete'
import { describeClientQuotasRequest, describeClientQuotasResponse } from './describe-client-quotas'
import { alterClientQuotasRequest, alterClientQuotasResponse } from './alter-client-quotas'
import { describeUserScramCredentialsRequest, describeUserScramCredentialsResponse } from './describe-user-scram-credentials'
import { alterUserScramCredentialsRequest, alterUserScramCredentialsResponse } from './alter-user-scram-credentials'
import { alterPartitionRequest, alterPartitionResponse } from './alter-partition'
import { updateFeaturesRequest, updateFeaturesResponse } from './update-features'
import { envelopeRequest, envelopeResponse } from './envelope'
import { describeClusterRequest, describeClusterResponse } from './describe-cluster'
import { describeProducersRequest, describeProducersResponse } from './describe-producers'
import { describeTransactionsRequest, describeTransactionsResponse } from './describe-transactions'
import { listTransactionsRequest, listTransactionsResponse } from './list-transactions'
import { allocateProducerIdsRequest, allocateProducerIdsResponse } from './allocate-producer-ids'
import { consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse } from './consumer-group-heartbeat'
import { consumerGroupDescribeRequest, consumerGroupDescribeResponse } from './consumer-group-describe'
import type { Message } from './schema'

/** Kafka's API keys of a ZooKeeper-mode 3.9 broker. */
export const ApiKey = {
  produce: 0,
  fetch: 1,
  listOffsets: 2,
  metadata: 3,
  leaderAndIsr: 4,
  stopReplica: 5,
  updateMetadata: 6,
  controlledShutdown: 7,
  offsetCommit: 8,
  offsetFetch: 9,
  findCoordinator: 10,
  joinGroup: 11,
  heartbeat: 12,
  leaveGroup: 13,
  syncGroup: 14,
  describeGroups: 15,
  listGroups: 16,
  saslHandshake: 17,
  apiVersions: 18,
  createTopics: 19,
  deleteTopics: 20,
  deleteRecords: 21,
  initProducerId: 22,
  offsetForLeaderEpoch: 23,
  addPartitionsToTxn: 24,
  addOffsetsToTxn: 25,
  endTxn: 26,
  writeTxnMarkers: 27,
  txnOffsetCommit: 28,
  describeAcls: 29,
  createAcls: 30,
  deleteAcls: 31,
  describeConfigs: 32,
  alterConfigs: 33,
  alterReplicaLogDirs: 34,
  describeLogDirs: 35,
  saslAuthenticate: 36,
  createPartitions: 37,
  createDelegationToken: 38,
  renewDelegationToken: 39,
  expireDelegationToken: 40,
  describeDelegationToken: 41,
  deleteGroups: 42,
  electLeaders: 43,
  incrementalAlterConfigs: 44,
  alterPartitionReassignments: 45,
  listPartitionReassignments: 46,
  offsetDelete: 47,
  describeClientQuotas: 48,
  alterClientQuotas: 49,
  describeUserScramCredentials: 50,
  alterUserScramCredentials: 51,
  alterPartition: 56,
  updateFeatures: 57,
  envelope: 58,
  describeCluster: 60,
  describeProducers: 61,
  describeTransactions: 65,
  listTransactions: 66,
  allocateProducerIds: 67,
  consumerGroupHeartbeat: 68,
  consumerGroupDescribe: 69,
} as const

export type ApiKey = (typeof ApiKey)[keyof typeof ApiKey]

/** One API: its messages, and the versions that a ZooKeeper-mode 3.9 broker advertises. */
export interface Api<Request = unknown, Response = unknown> {
  readonly key: ApiKey
  /** Kafka's name, as in 'OffsetForLeaderEpoch'. */
  readonly name: string
  readonly request: Message<Request>
  readonly response: Message<Response>
  readonly minVersion: number
  readonly maxVersion: number
  /** First version in the flexible encoding; Infinity if there is none. */
  readonly flexibleFrom: number
  /** Only brokers and controllers may send it. */
  readonly clusterAction: boolean
}

function api<Req, Res>(
  key: ApiKey, name: string, request: Message<Req>, response: Message<Res>, clusterAction = false,
): Api<Req, Res> {
  const { first, last } = request.versions
  const flexibleFrom = request.flexible.first > request.flexible.last ? Infinity : request.flexible.first
  return { key, name, request, response, minVersion: first, maxVersion: last, flexibleFrom, clusterAction }
}

/** All APIs, in the order of their keys. */
export const apis = {
  produce: api(ApiKey.produce, 'Produce', produceRequest, produceResponse),
  fetch: api(ApiKey.fetch, 'Fetch', fetchRequest, fetchResponse),
  listOffsets: api(ApiKey.listOffsets, 'ListOffsets', listOffsetsRequest, listOffsetsResponse),
  metadata: api(ApiKey.metadata, 'Metadata', metadataRequest, metadataResponse),
  leaderAndIsr: api(ApiKey.leaderAndIsr, 'LeaderAndIsr', leaderAndIsrRequest, leaderAndIsrResponse, true),
  stopReplica: api(ApiKey.stopReplica, 'StopReplica', stopReplicaRequest, stopReplicaResponse, true),
  updateMetadata: api(ApiKey.updateMetadata, 'UpdateMetadata', updateMetadataRequest, updateMetadataResponse, true),
  controlledShutdown: api(ApiKey.controlledShutdown, 'ControlledShutdown', controlledShutdownRequest, controlledShutdownResponse, true),
  offsetCommit: api(ApiKey.offsetCommit, 'OffsetCommit', offsetCommitRequest, offsetCommitResponse),
  offsetFetch: api(ApiKey.offsetFetch, 'OffsetFetch', offsetFetchRequest, offsetFetchResponse),
  findCoordinator: api(ApiKey.findCoordinator, 'FindCoordinator', findCoordinatorRequest, findCoordinatorResponse),
  joinGroup: api(ApiKey.joinGroup, 'JoinGroup', joinGroupRequest, joinGroupResponse),
  heartbeat: api(ApiKey.heartbeat, 'Heartbeat', heartbeatRequest, heartbeatResponse),
  leaveGroup: api(ApiKey.leaveGroup, 'LeaveGroup', leaveGroupRequest, leaveGroupResponse),
  syncGroup: api(ApiKey.syncGroup, 'SyncGroup', syncGroupRequest, syncGroupResponse),
  describeGroups: api(ApiKey.describeGroups, 'DescribeGroups', describeGroupsRequest, describeGroupsResponse),
  listGroups: api(ApiKey.listGroups, 'ListGroups', listGroupsRequest, listGroupsResponse),
  saslHandshake: api(ApiKey.saslHandshake, 'SaslHandshake', saslHandshakeRequest, saslHandshakeResponse),
  apiVersions: api(ApiKey.apiVersions, 'ApiVersions', apiVersionsRequest, apiVersionsResponse),
  createTopics: api(ApiKey.createTopics, 'CreateTopics', createTopicsRequest, createTopicsResponse),
  deleteTopics: api(ApiKey.deleteTopics, 'DeleteTopics', deleteTopicsRequest, deleteTopicsResponse),
  deleteRecords: api(ApiKey.deleteRecords, 'DeleteRecords', deleteRecordsRequest, deleteRecordsResponse),
  initProducerId: api(ApiKey.initProducerId, 'InitProducerId', initProducerIdRequest, initProducerIdResponse),
  offsetForLeaderEpoch: api(ApiKey.offsetForLeaderEpoch, 'OffsetForLeaderEpoch', offsetForLeaderEpochRequest, offsetForLeaderEpochResponse),
  addPartitionsToTxn: api(ApiKey.addPartitionsToTxn, 'AddPartitionsToTxn', addPartitionsToTxnRequest, addPartitionsToTxnResponse),
  addOffsetsToTxn: api(ApiKey.addOffsetsToTxn, 'AddOffsetsToTxn', addOffsetsToTxnRequest, addOffsetsToTxnResponse),
  endTxn: api(ApiKey.endTxn, 'EndTxn', endTxnRequest, endTxnResponse),
  writeTxnMarkers: api(ApiKey.writeTxnMarkers, 'WriteTxnMarkers', writeTxnMarkersRequest, writeTxnMarkersResponse, true),
  txnOffsetCommit: api(ApiKey.txnOffsetCommit, 'TxnOffsetCommit', txnOffsetCommitRequest, txnOffsetCommitResponse),
  describeAcls: api(ApiKey.describeAcls, 'DescribeAcls', describeAclsRequest, describeAclsResponse),
  createAcls: api(ApiKey.createAcls, 'CreateAcls', createAclsRequest, createAclsResponse),
  deleteAcls: api(ApiKey.deleteAcls, 'DeleteAcls', deleteAclsRequest, deleteAclsResponse),
  describeConfigs: api(ApiKey.describeConfigs, 'DescribeConfigs', describeConfigsRequest, describeConfigsResponse),
  alterConfigs: api(ApiKey.alterConfigs, 'AlterConfigs', alterConfigsRequest, alterConfigsResponse),
  alterReplicaLogDirs: api(ApiKey.alterReplicaLogDirs, 'AlterReplicaLogDirs', alterReplicaLogDirsRequest, alterReplicaLogDirsResponse),
  describeLogDirs: api(ApiKey.describeLogDirs, 'DescribeLogDirs', describeLogDirsRequest, describeLogDirsResponse),
  saslAuthenticate: api(ApiKey.saslAuthenticate, 'SaslAuthenticate', saslAuthenticateRequest, saslAuthenticateResponse),
  createPartitions: api(ApiKey.createPartitions, 'CreatePartitions', createPartitionsRequest, createPartitionsResponse),
  createDelegationToken: api(ApiKey.createDelegationToken, 'CreateDelegationToken', createDelegationTokenRequest, createDelegationTokenResponse),
  renewDelegationToken: api(ApiKey.renewDelegationToken, 'RenewDelegationToken', renewDelegationTokenRequest, renewDelegationTokenResponse),
  expireDelegationToken: api(ApiKey.expireDelegationToken, 'ExpireDelegationToken', expireDelegationTokenRequest, expireDelegationTokenResponse),
  describeDelegationToken: api(ApiKey.describeDelegationToken, 'DescribeDelegationToken', describeDelegationTokenRequest, describeDelegationTokenResponse),
  deleteGroups: api(ApiKey.deleteGroups, 'DeleteGroups', deleteGroupsRequest, deleteGroupsResponse),
  electLeaders: api(ApiKey.electLeaders, 'ElectLeaders', electLeadersRequest, electLeadersResponse),
  incrementalAlterConfigs: api(ApiKey.incrementalAlterConfigs, 'IncrementalAlterConfigs', incrementalAlterConfigsRequest, incrementalAlterConfigsResponse),
  alterPartitionReassignments: api(ApiKey.alterPartitionReassignments, 'AlterPartitionReassignments', alterPartitionReassignmentsRequest, alterPartitionReassignmentsResponse),
  listPartitionReassignments: api(ApiKey.listPartitionReassignments, 'ListPartitionReassignments', listPartitionReassignmentsRequest, listPartitionReassignmentsResponse),
  offsetDelete: api(ApiKey.offsetDelete, 'OffsetDelete', offsetDeleteRequest, offsetDeleteResponse),
  describeClientQuotas: api(ApiKey.describeClientQuotas, 'DescribeClientQuotas', describeClientQuotasRequest, describeClientQuotasResponse),
  alterClientQuotas: api(ApiKey.alterClientQuotas, 'AlterClientQuotas', alterClientQuotasRequest, alterClientQuotasResponse),
  describeUserScramCredentials: api(ApiKey.describeUserScramCredentials, 'DescribeUserScramCredentials', describeUserScramCredentialsRequest, describeUserScramCredentialsResponse),
  alterUserScramCredentials: api(ApiKey.alterUserScramCredentials, 'AlterUserScramCredentials', alterUserScramCredentialsRequest, alterUserScramCredentialsResponse),
  alterPartition: api(ApiKey.alterPartition, 'AlterPartition', alterPartitionRequest, alterPartitionResponse, true),
  updateFeatures: api(ApiKey.updateFeatures, 'UpdateFeatures', updateFeaturesRequest, updateFeaturesResponse, true),
  envelope: api(ApiKey.envelope, 'Envelope', envelopeRequest, envelopeResponse, true),
  describeCluster: api(ApiKey.describeCluster, 'DescribeCluster', describeClusterRequest, describeClusterResponse),
  describeProducers: api(ApiKey.describeProducers, 'DescribeProducers', describeProducersRequest, describeProducersResponse),
  describeTransactions: api(ApiKey.describeTransactions, 'DescribeTransactions', describeTransactionsRequest, describeTransactionsResponse),
  listTransactions: api(ApiKey.listTransactions, 'ListTransactions', listTransactionsRequest, listTransactionsResponse),
  allocateProducerIds: api(ApiKey.allocateProducerIds, 'AllocateProducerIds', allocateProducerIdsRequest, allocateProducerIdsResponse, true),
  consumerGroupHeartbeat: api(ApiKey.consumerGroupHeartbeat, 'ConsumerGroupHeartbeat', consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse),
  consumerGroupDescribe: api(ApiKey.consumerGroupDescribe, 'ConsumerGroupDescribe', consumerGroupDescribeRequest, consumerGroupDescribeResponse),
} as const

const byKey: (Api | undefined)[] = []
for (const each of Object.values(apis)) byKey[each.key] = each

/** The API of a key; undefined for keys that a ZooKeeper-mode broker does not know. */
export function apiByKey(key: number): Api | undefined {
  return byKey[key]
}

/** Whether a ZooKeeper-mode 3.9 broker speaks this version. */
export function supportsVersion(api: Api, version: number): boolean {
  return version >= api.minVersion && version <= api.maxVersion
}

/** Version of the request header: 0 only for ControlledShutdown v0, 2 where the request is flexible. */
export function requestHeaderVersion(api: Api, version: number): number {
  if (version >= api.flexibleFrom) return 2
  return api.key === ApiKey.controlledShutdown && version === 0 ? 0 : 1
}

/** Version of the response header. ApiVersions always answers with 0, so that a client of any age can read it (KIP-511). */
export function responseHeaderVersion(api: Api, version: number): number {
  return api.key !== ApiKey.apiVersions && version >= api.flexibleFrom ? 1 : 0
}
