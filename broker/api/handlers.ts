import { ApiKey } from '../../protocol/messages/apis'
import { addPartitionsToTxnHandler } from './add-partitions-to-txn'
import { alterClientQuotasHandler } from './alter-client-quotas'
import { alterConfigsHandler, incrementalAlterConfigsHandler } from './alter-configs'
import { allocateProducerIdsHandler, alterPartitionHandler } from './alter-partition'
import { alterUserScramCredentialsHandler } from './alter-user-scram-credentials'
import { apiVersionsHandler } from './api-versions'
import { consumerGroupDescribeHandler, consumerGroupHeartbeatHandler } from './consumer-group-protocol'
import { controlledShutdownHandler, leaderAndIsrHandler, stopReplicaHandler, updateMetadataHandler } from './control-requests'
import { createPartitionsHandler } from './create-partitions'
import { createTopicsHandler } from './create-topics'
import { deleteGroupsHandler } from './delete-groups'
import { deleteRecordsHandler } from './delete-records'
import { deleteTopicsHandler } from './delete-topics'
import { describeClientQuotasHandler } from './describe-client-quotas'
import { describeClusterHandler } from './describe-cluster'
import { describeConfigsHandler } from './describe-configs'
import { describeGroupsHandler } from './describe-groups'
import { describeProducersHandler } from './describe-producers'
import { describeTransactionsHandler, listTransactionsHandler } from './describe-transactions'
import { describeUserScramCredentialsHandler } from './describe-user-scram-credentials'
import { electLeadersHandler } from './elect-leaders'
import { addOffsetsToTxnHandler, endTxnHandler } from './end-txn'
import { fetchHandler } from './fetch'
import { findCoordinatorHandler } from './find-coordinator'
import { heartbeatHandler } from './heartbeat'
import { initProducerIdHandler } from './init-producer-id'
import { joinGroupHandler } from './join-group'
import { leaveGroupHandler } from './leave-group'
import { listGroupsHandler } from './list-groups'
import { listOffsetsHandler } from './list-offsets'
import { alterReplicaLogDirsHandler, describeLogDirsHandler } from './log-dirs'
import { metadataHandler } from './metadata'
import { offsetCommitHandler } from './offset-commit'
import { offsetDeleteHandler } from './offset-delete'
import { offsetFetchHandler } from './offset-fetch'
import { offsetForLeaderEpochHandler } from './offset-for-leader-epoch'
import { alterPartitionReassignmentsHandler, listPartitionReassignmentsHandler } from './partition-reassignments'
import { produceHandler } from './produce'
import {
  createAclsHandler, createDelegationTokenHandler, deleteAclsHandler, describeAclsHandler, describeDelegationTokenHandler,
  expireDelegationTokenHandler, renewDelegationTokenHandler, saslAuthenticateHandler, saslHandshakeHandler,
} from './security-disabled'
import { syncGroupHandler } from './sync-group'
import { txnOffsetCommitHandler } from './txn-offset-commit'
import { updateFeaturesHandler } from './update-features'
import { writeTxnMarkersHandler } from './write-txn-markers'
import type { Handler, HandlerTable } from '../server/request-context'
import type { BrokerServices } from './services'

/** Every request that this broker serves. ApiVersions advertises what is in this table, and nothing else. */
export function handlerTable(services: BrokerServices): HandlerTable {
  const table = new Map<number, Handler>()
  const serve = <Request, Response>(apiKey: number, handler: Handler<Request, Response>): void => {
    table.set(apiKey, handler as Handler)
  }
  serve(ApiKey.produce, produceHandler(services))
  serve(ApiKey.fetch, fetchHandler(services))
  serve(ApiKey.listOffsets, listOffsetsHandler(services))
  serve(ApiKey.metadata, metadataHandler(services))
  serve(ApiKey.leaderAndIsr, leaderAndIsrHandler(services))
  serve(ApiKey.stopReplica, stopReplicaHandler(services))
  serve(ApiKey.updateMetadata, updateMetadataHandler(services))
  serve(ApiKey.controlledShutdown, controlledShutdownHandler(services))
  serve(ApiKey.offsetCommit, offsetCommitHandler(services))
  serve(ApiKey.offsetFetch, offsetFetchHandler(services))
  serve(ApiKey.findCoordinator, findCoordinatorHandler(services))
  serve(ApiKey.joinGroup, joinGroupHandler(services))
  serve(ApiKey.heartbeat, heartbeatHandler(services))
  serve(ApiKey.leaveGroup, leaveGroupHandler(services))
  serve(ApiKey.syncGroup, syncGroupHandler(services))
  serve(ApiKey.describeGroups, describeGroupsHandler(services))
  serve(ApiKey.listGroups, listGroupsHandler(services))
  serve(
    ApiKey.apiVersions,
    apiVersionsHandler(() => table.keys(), services.featureEpoch),
  )
  serve(ApiKey.createTopics, createTopicsHandler(services))
  serve(ApiKey.deleteTopics, deleteTopicsHandler(services))
  serve(ApiKey.deleteRecords, deleteRecordsHandler(services))
  serve(ApiKey.initProducerId, initProducerIdHandler(services))
  serve(ApiKey.addPartitionsToTxn, addPartitionsToTxnHandler(services))
  serve(ApiKey.addOffsetsToTxn, addOffsetsToTxnHandler(services))
  serve(ApiKey.endTxn, endTxnHandler(services))
  serve(ApiKey.writeTxnMarkers, writeTxnMarkersHandler(services))
  serve(ApiKey.txnOffsetCommit, txnOffsetCommitHandler(services))
  serve(ApiKey.describeTransactions, describeTransactionsHandler(services))
  serve(ApiKey.listTransactions, listTransactionsHandler(services))
  serve(ApiKey.offsetForLeaderEpoch, offsetForLeaderEpochHandler(services))
  serve(ApiKey.describeConfigs, describeConfigsHandler(services))
  serve(ApiKey.alterConfigs, alterConfigsHandler(services))
  serve(ApiKey.alterReplicaLogDirs, alterReplicaLogDirsHandler(services))
  serve(ApiKey.describeLogDirs, describeLogDirsHandler(services))
  serve(ApiKey.createPartitions, createPartitionsHandler(services))
  serve(ApiKey.deleteGroups, deleteGroupsHandler(services))
  serve(ApiKey.electLeaders, electLeadersHandler(services))
  serve(ApiKey.incrementalAlterConfigs, incrementalAlterConfigsHandler(services))
  serve(ApiKey.alterPartitionReassignments, alterPartitionReassignmentsHandler(services))
  serve(ApiKey.updateFeatures, updateFeaturesHandler(services))
  serve(ApiKey.listPartitionReassignments, listPartitionReassignmentsHandler(services))
  serve(ApiKey.offsetDelete, offsetDeleteHandler(services))
  serve(ApiKey.describeClientQuotas, describeClientQuotasHandler(services))
  serve(ApiKey.alterClientQuotas, alterClientQuotasHandler(services))
  serve(ApiKey.describeUserScramCredentials, describeUserScramCredentialsHandler(services))
  serve(ApiKey.alterUserScramCredentials, alterUserScramCredentialsHandler(services))
  serve(ApiKey.alterPartition, alterPartitionHandler(services))
  serve(ApiKey.describeCluster, describeClusterHandler(services))
  serve(ApiKey.describeProducers, describeProducersHandler(services))
  serve(ApiKey.allocateProducerIds, allocateProducerIdsHandler(services))
  serve(ApiKey.consumerGroupHeartbeat, consumerGroupHeartbeatHandler)
  serve(ApiKey.consumerGroupDescribe, consumerGroupDescribeHandler)
  serve(ApiKey.describeAcls, describeAclsHandler)
  serve(ApiKey.createAcls, createAclsHandler)
  serve(ApiKey.deleteAcls, deleteAclsHandler)
  serve(ApiKey.saslHandshake, saslHandshakeHandler)
  serve(ApiKey.saslAuthenticate, saslAuthenticateHandler)
  serve(ApiKey.createDelegationToken, createDelegationTokenHandler)
  serve(ApiKey.renewDelegationToken, renewDelegationTokenHandler)
  serve(ApiKey.expireDelegationToken, expireDelegationTokenHandler)
  serve(ApiKey.describeDelegationToken, describeDelegationTokenHandler)
  return table
}
