import { ApiKey } from '../../../../protocol/messages/apis'
import { batch } from '../support/running-broker'

/** What a client asks in one version of each request; every version must be answered, in its own encoding. */
export const REQUESTS: Record<number, (version: number, ids: { topic: string }) => object> = {
  [ApiKey.produce]: (version) => ({
    acks: 1,
    timeoutMs: 1000,
    topicData: [{ name: 'versions', partitionData: [{ index: 0, records: version < 3 ? Buffer.alloc(0) : batch(['a']) }, { index: 99, records: batch(['a']) }] }],
  }),
  [ApiKey.fetch]: (version, { topic }) => ({
    maxWaitMs: 0,
    minBytes: 0,
    topics: [
      {
        ...(version >= 13 ? { topicId: topic } : { topic: 'versions' }),
        partitions: [
          { partition: 0, fetchOffset: 0, partitionMaxBytes: 100_000 },
          { partition: 99, fetchOffset: 0, partitionMaxBytes: 1000 },
        ],
      },
    ],
  }),
  [ApiKey.listOffsets]: () => ({
    replicaId: -1,
    topics: [{ name: 'versions', partitions: [{ partitionIndex: 0, timestamp: -1 }, { partitionIndex: 99, timestamp: -2 }] }],
  }),
  [ApiKey.metadata]: (version, { topic }) => ({
    topics: version >= 12 ? [{ topicId: topic, name: null }] : [{ name: 'versions' }, ...(version >= 4 ? [{ name: 'missing' }] : [])],
    ...(version >= 4 ? { allowAutoTopicCreation: false } : {}),
    ...(version >= 8 ? { includeTopicAuthorizedOperations: true } : {}),
    ...(version >= 8 && version <= 10 ? { includeClusterAuthorizedOperations: true } : {}),
  }),
  [ApiKey.leaderAndIsr]: () => ({ controllerId: 5, controllerEpoch: 99 }),
  [ApiKey.stopReplica]: () => ({ controllerId: 5, controllerEpoch: 99 }),
  [ApiKey.updateMetadata]: () => ({ controllerId: 5, controllerEpoch: 99 }),
  [ApiKey.controlledShutdown]: () => ({ brokerId: 77 }),
  [ApiKey.offsetCommit]: () => ({
    groupId: 'g', topics: [{ name: 'versions', partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: 'm' }, { partitionIndex: 99 }] }],
  }),
  [ApiKey.offsetFetch]: (version) => {
    const topics = [{ name: 'versions', partitionIndexes: [0, 99] }]
    return version >= 8 ? { groups: [{ groupId: 'g', topics }, { groupId: 'h', topics: null }] } : { groupId: 'g', topics }
  },
  [ApiKey.findCoordinator]: (version) => (version >= 4 ? { keyType: 0, coordinatorKeys: ['g', 'h'] } : { key: 'g' }),
  [ApiKey.joinGroup]: (version) => ({
    groupId: `g-${version}`, sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 100, memberId: 'missing', protocolType: 'consumer', protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
  }),
  [ApiKey.heartbeat]: () => ({ groupId: 'g', generationId: 1, memberId: 'm' }),
  [ApiKey.leaveGroup]: (version) => (version >= 3 ? { groupId: 'g', members: [{ memberId: 'm' }, { memberId: '', groupInstanceId: 'i' }] } : { groupId: 'g', memberId: 'm' }),
  [ApiKey.syncGroup]: (version) => ({
    groupId: 'g', generationId: 1, memberId: 'm', ...(version >= 5 ? { protocolType: 'consumer', protocolName: 'range' } : {}), assignments: [],
  }),
  [ApiKey.describeGroups]: (version) => ({ groups: ['g', 'missing'], ...(version >= 3 ? { includeAuthorizedOperations: true } : {}) }),
  [ApiKey.listGroups]: (version) => ({ ...(version >= 4 ? { statesFilter: ['Empty'] } : {}), ...(version >= 5 ? { typesFilter: ['classic'] } : {}) }),
  [ApiKey.apiVersions]: (version) => (version >= 3 ? { clientSoftwareName: 'test', clientSoftwareVersion: '1.0' } : {}),
  [ApiKey.createTopics]: (version) => ({
    topics: [
      { name: `created-${version}`, numPartitions: 1, replicationFactor: 1 },
      { name: 'bad name', numPartitions: 1, replicationFactor: 1 },
    ],
    timeoutMs: 5000,
    ...(version >= 1 ? { validateOnly: version % 2 === 0 } : {}),
  }),
  [ApiKey.deleteTopics]: (version) =>
    version >= 6 ? { topics: [{ name: 'missing' }], timeoutMs: 1000 } : { topicNames: ['missing'], timeoutMs: 1000 },
  [ApiKey.deleteRecords]: () => ({
    topics: [{ name: 'versions', partitions: [{ partitionIndex: 0, offset: 0 }, { partitionIndex: 99, offset: 0 }] }],
    timeoutMs: 1000,
  }),
  [ApiKey.initProducerId]: () => ({ transactionalId: null, transactionTimeoutMs: 1000 }),
  [ApiKey.offsetForLeaderEpoch]: () => ({ topics: [{ topic: 'versions', partitions: [{ partition: 0, leaderEpoch: 0 }, { partition: 99, leaderEpoch: 0 }] }] }),
  [ApiKey.addPartitionsToTxn]: (version) => {
    const transaction = { transactionalId: 'tx', producerId: 1, producerEpoch: 0, topics: [{ name: 'versions', partitions: [0] }] }
    if (version >= 4) return { transactions: [{ ...transaction, verifyOnly: version === 5 }] }
    return {
      v3AndBelowTransactionalId: 'tx', v3AndBelowProducerId: 1, v3AndBelowProducerEpoch: 0, v3AndBelowTopics: transaction.topics,
    }
  },
  [ApiKey.addOffsetsToTxn]: () => ({ transactionalId: 'tx', producerId: 1, producerEpoch: 0, groupId: 'g' }),
  [ApiKey.endTxn]: () => ({ transactionalId: 'tx', producerId: 1, producerEpoch: 0, committed: true }),
  [ApiKey.writeTxnMarkers]: (version) => ({
    markers: [{
      producerId: 77, producerEpoch: version, transactionResult: false, coordinatorEpoch: version,
      topics: [{ name: 'versions', partitionIndexes: [0, 99] }],
    }],
  }),
  [ApiKey.txnOffsetCommit]: () => ({
    transactionalId: 'tx', groupId: 'g', producerId: 1, producerEpoch: 0, topics: [{ name: 'versions', partitions: [{ partitionIndex: 0, committedMetadata: '' }] }],
  }),
  [ApiKey.describeTransactions]: () => ({ transactionalIds: ['tx', ''] }),
  [ApiKey.listTransactions]: () => ({ stateFilters: ['Ongoing', 'Nonsense'], producerIdFilters: [1] }),
  [ApiKey.describeConfigs]: (version) => ({
    resources: [{ resourceType: 2, resourceName: 'versions', configurationKeys: null }, { resourceType: 4, resourceName: '0', configurationKeys: ['log.dirs'] }],
    ...(version >= 1 ? { includeSynonyms: true } : {}),
  }),
  [ApiKey.alterConfigs]: () => ({ resources: [{ resourceType: 2, resourceName: 'versions', configs: [{ name: 'retention.ms', value: '5000' }] }], validateOnly: true }),
  [ApiKey.alterReplicaLogDirs]: () => ({ dirs: [{ path: '/nowhere', topics: [{ name: 'versions', partitions: [0] }] }] }),
  [ApiKey.describeLogDirs]: () => ({ topics: null }),
  [ApiKey.createPartitions]: () => ({ topics: [{ name: 'versions', count: 1, assignments: null }], timeoutMs: 1000 }),
  [ApiKey.deleteGroups]: () => ({ groupsNames: ['missing', 'missing'] }),
  [ApiKey.electLeaders]: () => ({ topicPartitions: [{ topic: 'versions', partitions: [0, 99] }], timeoutMs: 1000 }),
  [ApiKey.incrementalAlterConfigs]: () => ({
    resources: [{ resourceType: 2, resourceName: 'versions', configs: [{ name: 'retention.ms', configOperation: 0, value: '6000' }] }],
    validateOnly: true,
  }),
  [ApiKey.alterPartitionReassignments]: () => ({ topics: [{ name: 'versions', partitions: [{ partitionIndex: 0, replicas: null }] }] }),
  [ApiKey.listPartitionReassignments]: () => ({ topics: null }),
  [ApiKey.offsetDelete]: () => ({ groupId: 'missing', topics: [{ name: 'versions', partitions: [{ partitionIndex: 0 }] }] }),
  [ApiKey.describeClientQuotas]: () => ({ components: [{ entityType: 'user', matchType: 2, match: null }], strict: false }),
  [ApiKey.alterClientQuotas]: () => ({
    entries: [{ entity: [{ entityType: 'user', entityName: 'versions' }], ops: [{ key: 'consumer_byte_rate', value: 1e9 }] }],
    validateOnly: true,
  }),
  [ApiKey.describeUserScramCredentials]: () => ({ users: null }),
  [ApiKey.alterUserScramCredentials]: () => ({ deletions: [{ name: 'versions', mechanism: 1 }], upsertions: [] }),
  [ApiKey.alterPartition]: () => ({ brokerId: 77, brokerEpoch: 1 }),
  [ApiKey.updateFeatures]: (version) => ({
    timeoutMs: 1000,
    featureUpdates: [{ feature: 'f', maxVersionLevel: 1, ...(version >= 1 ? { upgradeType: 1 } : { allowDowngrade: true }) }],
    ...(version >= 1 ? { validateOnly: true } : {}),
  }),
  [ApiKey.describeCluster]: () => ({}),
  [ApiKey.describeProducers]: () => ({ topics: [{ name: 'versions', partitionIndexes: [0, 99] }] }),
  [ApiKey.allocateProducerIds]: () => ({ brokerId: 77, brokerEpoch: 1 }),
  [ApiKey.consumerGroupHeartbeat]: () => ({ groupId: 'g' }),
  [ApiKey.consumerGroupDescribe]: () => ({ groupIds: ['g'] }),
  // Without an authorizer, SASL and delegation tokens.
  [ApiKey.saslHandshake]: () => ({ mechanism: 'PLAIN' }),
  [ApiKey.saslAuthenticate]: () => ({ authBytes: Buffer.from('secret') }),
  [ApiKey.describeAcls]: () => ({ resourceTypeFilter: 1, operation: 1, permissionType: 1 }),
  [ApiKey.createAcls]: () => ({ creations: [{ resourceType: 2, resourceName: 'x', principal: 'User:x', host: '*', operation: 2, permissionType: 3 }] }),
  [ApiKey.deleteAcls]: () => ({ filters: [{ resourceTypeFilter: 1, operation: 1, permissionType: 1 }] }),
  [ApiKey.createDelegationToken]: () => ({ renewers: [], maxLifetimeMs: 1000 }),
  [ApiKey.renewDelegationToken]: () => ({ hmac: Buffer.from('hmac'), renewPeriodMs: 1000 }),
  [ApiKey.expireDelegationToken]: () => ({ hmac: Buffer.from('hmac'), expiryTimePeriodMs: 1000 }),
  [ApiKey.describeDelegationToken]: () => ({ owners: null }),
}
