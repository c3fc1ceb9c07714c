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

function api<Req, Res>(key: ApiKey, request: Message<Req>, response: Message<Res>, clusterAction = false): Api<Req, Res> {
  const name = request.name.replace(/Request$/, '')
  const { first, last } = request.versions
  const flexibleFrom = request.flexible.first > request.flexible.last ? Infinity : request.flexible.first
  return { key, name, request, response, minVersion: first, maxVersion: last, flexibleFrom, clusterAction }
}

/** All APIs, in the order of their keys. */
export const apis = {
  produce: api(ApiKey.produce, produceRequest, produceResponse),
  fetch: api(ApiKey.fetch, fetchRequest, fetchResponse),
  listOffsets: api(ApiKey.listOffsets, listOffsetsRequest, listOffsetsResponse),
  metadata: api(ApiKey.metadata, metadataRequest, metadataResponse),
  leaderAndIsr: api(ApiKey.leaderAndIsr, leaderAndIsrRequest, leaderAndIsrResponse, true),
  stopReplica: api(ApiKey.stopReplica, stopReplicaRequest, stopReplicaResponse, true),
  updateMetadata: api(ApiKey.updateMetadata, updateMetadataRequest, updateMetadataResponse, true),
  controlledShutdown: api(ApiKey.controlledShutdown, controlledShutdownRequest, controlledShutdownResponse, true),
  offsetCommit: api(ApiKey.offsetCommit, offsetCommitRequest, offsetCommitResponse),
  offsetFetch: api(ApiKey.offsetFetch, offsetFetchRequest, offsetFetchResponse),
  findCoordinator: api(ApiKey.findCoordinator, findCoordinatorRequest, findCoordinatorResponse),
  joinGroup: api(ApiKey.joinGroup, joinGroupRequest, joinGroupResponse),
  heartbeat: api(ApiKey.heartbeat, heartbeatRequest, heartbeatResponse),
  leaveGroup: api(ApiKey.leaveGroup, leaveGroupRequest, leaveGroupResponse),
  syncGroup: api(ApiKey.syncGroup, syncGroupRequest, syncGroupResponse),
  describeGroups: api(ApiKey.describeGroups, describeGroupsRequest, describeGroupsResponse),
  listGroups: api(ApiKey.listGroups, listGroupsRequest, listGroupsResponse),
  saslHandshake: api(ApiKey.saslHandshake, saslHandshakeRequest, saslHandshakeResponse),
  apiVersions: api(ApiKey.apiVersions, apiVersionsRequest, apiVersionsResponse),
  createTopics: api(ApiKey.createTopics, createTopicsRequest, createTopicsResponse),
  deleteTopics: api(ApiKey.deleteTopics, deleteTopicsRequest, deleteTopicsResponse),
  deleteRecords: api(ApiKey.deleteRecords, deleteRecordsRequest, deleteRecordsResponse),
  initProducerId: api(ApiKey.initProducerId, initProducerIdRequest, initProducerIdResponse),
  offsetForLeaderEpoch: api(ApiKey.offsetForLeaderEpoch, offsetForLeaderEpochRequest, offsetForLeaderEpochResponse),
  addPartitionsToTxn: api(ApiKey.addPartitionsToTxn, addPartitionsToTxnRequest, addPartitionsToTxnResponse),
  addOffsetsToTxn: api(ApiKey.addOffsetsToTxn, addOffsetsToTxnRequest, addOffsetsToTxnResponse),
  endTxn: api(ApiKey.endTxn, endTxnRequest, endTxnResponse),
  writeTxnMarkers: api(ApiKey.writeTxnMarkers, writeTxnMarkersRequest, writeTxnMarkersResponse, true),
  txnOffsetCommit: api(ApiKey.txnOffsetCommit, txnOffsetCommitRequest, txnOffsetCommitResponse),
  describeAcls: api(ApiKey.describeAcls, describeAclsRequest, describeAclsResponse),
  createAcls: api(ApiKey.createAcls, createAclsRequest, createAclsResponse),
  deleteAcls: api(ApiKey.deleteAcls, deleteAclsRequest, deleteAclsResponse),
  describeConfigs: api(ApiKey.describeConfigs, describeConfigsRequest, describeConfigsResponse),
  alterConfigs: api(ApiKey.alterConfigs, alterConfigsRequest, alterConfigsResponse),
  alterReplicaLogDirs: api(ApiKey.alterReplicaLogDirs, alterReplicaLogDirsRequest, alterReplicaLogDirsResponse),
  describeLogDirs: api(ApiKey.describeLogDirs, describeLogDirsRequest, describeLogDirsResponse),
  saslAuthenticate: api(ApiKey.saslAuthenticate, saslAuthenticateRequest, saslAuthenticateResponse),
  createPartitions: api(ApiKey.createPartitions, createPartitionsRequest, createPartitionsResponse),
  createDelegationToken: api(ApiKey.createDelegationToken, createDelegationTokenRequest, createDelegationTokenResponse),
  renewDelegationToken: api(ApiKey.renewDelegationToken, renewDelegationTokenRequest, renewDelegationTokenResponse),
  expireDelegationToken: api(ApiKey.expireDelegationToken, expireDelegationTokenRequest, expireDelegationTokenResponse),
  describeDelegationToken: api(ApiKey.describeDelegationToken, describeDelegationTokenRequest, describeDelegationTokenResponse),
  deleteGroups: api(ApiKey.deleteGroups, deleteGroupsRequest, deleteGroupsResponse),
  electLeaders: api(ApiKey.electLeaders, electLeadersRequest, electLeadersResponse),
  incrementalAlterConfigs: api(ApiKey.incrementalAlterConfigs, incrementalAlterConfigsRequest, incrementalAlterConfigsResponse),
  alterPartitionReassignments: api(
    ApiKey.alterPartitionReassignments,
    alterPartitionReassignmentsRequest,
    alterPartitionReassignmentsResponse,
  ),
  listPartitionReassignments: api(
    ApiKey.listPartitionReassignments,
    listPartitionReassignmentsRequest,
    listPartitionReassignmentsResponse,
  ),
  offsetDelete: api(ApiKey.offsetDelete, offsetDeleteRequest, offsetDeleteResponse),
  describeClientQuotas: api(ApiKey.describeClientQuotas, describeClientQuotasRequest, describeClientQuotasResponse),
  alterClientQuotas: api(ApiKey.alterClientQuotas, alterClientQuotasRequest, alterClientQuotasResponse),
  describeUserScramCredentials: api(
    ApiKey.describeUserScramCredentials,
    describeUserScramCredentialsRequest,
    describeUserScramCredentialsResponse,
  ),
  alterUserScramCredentials: api(
    ApiKey.alterUserScramCredentials,
    alterUserScramCredentialsRequest,
    alterUserScramCredentialsResponse,
  ),
  alterPartition: api(ApiKey.alterPartition, alterPartitionRequest, alterPartitionResponse, true),
  updateFeatures: api(ApiKey.updateFeatures, updateFeaturesRequest, updateFeaturesResponse, true),
  envelope: api(ApiKey.envelope, envelopeRequest, envelopeResponse, true),
  describeCluster: api(ApiKey.describeCluster, describeClusterRequest, describeClusterResponse),
  describeProducers: api(ApiKey.describeProducers, describeProducersRequest, describeProducersResponse),
  describeTransactions: api(ApiKey.describeTransactions, describeTransactionsRequest, describeTransactionsResponse),
  listTransactions: api(ApiKey.listTransactions, listTransactionsRequest, listTransactionsResponse),
  allocateProducerIds: api(ApiKey.allocateProducerIds, allocateProducerIdsRequest, allocateProducerIdsResponse, true),
  consumerGroupHeartbeat: api(ApiKey.consumerGroupHeartbeat, consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse),
  consumerGroupDescribe: api(ApiKey.consumerGroupDescribe, consumerGroupDescribeRequest, consumerGroupDescribeResponse),
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
