import { ApiKey } from '../../../../protocol/messages/apis'
import type { BadRequest } from '../case'

const join = { groupId: 'g', sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000, memberId: '', protocolType: 'consumer', protocols: [{ name: 'range', metadata: Buffer.alloc(4) }] }

function bad(name: string, api: BadRequest['api'], body: object | ((version: number) => object), versions?: BadRequest['versions']): BadRequest {
  return { name, api, ...(versions === undefined ? {} : { versions }), body: (_, version) => (typeof body === 'function' ? body(version) : body) }
}

const commit = (change: object = {}, partition: object = {}, topic = 'plain'): object => ({
  groupId: 'committed', generationIdOrMemberEpoch: -1, memberId: '', ...change,
  topics: [{ name: topic, partitions: [{ partitionIndex: 0, committedOffset: 5, committedMetadata: '', ...partition }] }],
})

export const groupCases: BadRequest[] = [
  ...[0, 1, 2, 7].map((keyType) => bad(`find coordinator: an empty key of kind ${keyType}`, ApiKey.findCoordinator, { keyType, coordinatorKeys: [''] })),
  bad('find coordinator: no keys', ApiKey.findCoordinator, { keyType: 0, coordinatorKeys: [] }),
  bad('find coordinator: a kind that is not there', ApiKey.findCoordinator, { keyType: 9, coordinatorKeys: ['a'] }),
  bad('find coordinator: one key', ApiKey.findCoordinator, (version) => (version >= 4 ? { keyType: 0, coordinatorKeys: ['a'] } : { key: 'a', ...(version >= 1 ? { keyType: 0 } : {}) }), 'all'),
  bad('join: no group', ApiKey.joinGroup, { ...join, groupId: '' }, [0, 5, 9].filter((version) => version > 0)),
  bad('join: a short session', ApiKey.joinGroup, { ...join, sessionTimeoutMs: 10 }),
  bad('join: a long session', ApiKey.joinGroup, { ...join, sessionTimeoutMs: 99_000_000 }),
  bad('join: an unknown member', ApiKey.joinGroup, { ...join, memberId: 'somebody' }, [1, 4, 9]),
  bad('join: a new member', ApiKey.joinGroup, join, [4, 5, 9]),
  bad('join: no protocols', ApiKey.joinGroup, { ...join, groupId: 'g', protocols: [] }, [1, 9]),
  bad('join: no kind of protocol', ApiKey.joinGroup, { ...join, groupId: 'g', protocolType: '' }, [1, 9]),
  bad('join: an instance with an unknown id', ApiKey.joinGroup, { ...join, groupId: 'g4', memberId: 'x', groupInstanceId: 'i' }),
  bad('sync: no group', ApiKey.syncGroup, { groupId: '', generationId: 1, memberId: 'm' }, 'all'),
  bad('sync: unknown group', ApiKey.syncGroup, { groupId: 'nobody', generationId: 1, memberId: 'm' }, 'all'),
  bad('heartbeat: unknown group', ApiKey.heartbeat, { groupId: 'nobody', generationId: 1, memberId: 'm' }, 'all'),
  bad('heartbeat: no group', ApiKey.heartbeat, { groupId: '', generationId: 1, memberId: 'm' }),
  bad('leave: unknown group', ApiKey.leaveGroup, (version) => (version >= 3 ? { groupId: 'nobody', members: [{ memberId: 'm' }] } : { groupId: 'nobody', memberId: 'm' }), 'all'),
  bad('leave: nobody', ApiKey.leaveGroup, { groupId: 'nobody', members: [] }),
  bad('leave: an instance', ApiKey.leaveGroup, { groupId: 'nobody', members: [{ memberId: '', groupInstanceId: 'i' }] }),
  bad('commit: a good one', ApiKey.offsetCommit, commit(), 'all'),
  bad('commit: no group', ApiKey.offsetCommit, commit({ groupId: '' })),
  bad('commit: unknown topic', ApiKey.offsetCommit, commit({}, {}, 'nowhere'), 'all'),
  bad('commit: unknown partition', ApiKey.offsetCommit, commit({}, { partitionIndex: 9 })),
  bad('commit: large metadata', ApiKey.offsetCommit, commit({}, { committedMetadata: 'x'.repeat(5000) })),
  bad('commit: a generation of nobody', ApiKey.offsetCommit, commit({ groupId: 'nobody', generationIdOrMemberEpoch: 3, memberId: 'm' }), [2, 9]),
  bad('commit: a member of nobody', ApiKey.offsetCommit, commit({ memberId: 'm' })),
  bad('commit: an instance of nobody', ApiKey.offsetCommit, commit({ groupInstanceId: 'i' })),
  bad('commit: a negative offset', ApiKey.offsetCommit, commit({}, { committedOffset: -1 })),
  bad('commit: null for metadata', ApiKey.offsetCommit, commit({}, { committedMetadata: null })),
  bad('commit: no topics', ApiKey.offsetCommit, { groupId: 'committed', generationIdOrMemberEpoch: -1, memberId: '', topics: [] }),
  bad('fetch offsets: what was committed', ApiKey.offsetFetch, (version) => {
    const topics = [{ name: 'plain', partitionIndexes: [0, 1, 9] }, { name: 'nowhere', partitionIndexes: [0] }]
    return version >= 8 ? { groups: [{ groupId: 'committed', topics }] } : { groupId: 'committed', topics }
  }, 'all'),
  bad('fetch offsets: unknown group', ApiKey.offsetFetch, { groups: [{ groupId: 'nobody', topics: [{ name: 'plain', partitionIndexes: [0] }] }] }),
  bad('fetch offsets: no group', ApiKey.offsetFetch, { groups: [{ groupId: '', topics: null }] }),
  bad('fetch offsets: all of nobody', ApiKey.offsetFetch, { groups: [{ groupId: 'nobody', topics: null }] }),
  // Apache never answers.
  { ...bad('fetch offsets: none', ApiKey.offsetFetch, { groups: [] }), ours: /"groups":\[\]/ },
  bad('fetch offsets: a member epoch of nobody', ApiKey.offsetFetch, { groups: [{ groupId: 'committed', memberId: 'm', memberEpoch: 3, topics: null }] }),
  bad('describe groups: unknown', ApiKey.describeGroups, { groups: ['nobody'] }, 'all'),
  bad('describe groups: the committed', ApiKey.describeGroups, { groups: ['committed'] }, 'all'),
  bad('describe groups: no name', ApiKey.describeGroups, { groups: [''] }),
  bad('describe groups: none', ApiKey.describeGroups, { groups: [] }),
  bad('list groups: an unknown state', ApiKey.listGroups, { statesFilter: ['Sleeping'] }),
  bad('list groups: empty ones', ApiKey.listGroups, { statesFilter: ['empty'] }),
  bad('list groups: an unknown type', ApiKey.listGroups, { typesFilter: ['fancy'] }),
  bad('list groups: all', ApiKey.listGroups, {}, 'all'),
  bad('delete groups: unknown', ApiKey.deleteGroups, { groupsNames: ['nobody'] }, 'all'),
  bad('delete groups: no name', ApiKey.deleteGroups, { groupsNames: [''] }),
  bad('delete groups: twice', ApiKey.deleteGroups, { groupsNames: ['nobody', 'nobody'] }),
  bad('delete offsets: unknown group', ApiKey.offsetDelete, { groupId: 'nobody', topics: [{ name: 'plain', partitions: [{ partitionIndex: 0 }] }] }),
  bad('delete offsets: unknown topic', ApiKey.offsetDelete, { groupId: 'committed', topics: [{ name: 'nowhere', partitions: [{ partitionIndex: 0 }] }] }),
  bad('delete offsets: no group', ApiKey.offsetDelete, { groupId: '', topics: [] }),
  bad('delete offsets: what was committed', ApiKey.offsetDelete, { groupId: 'committed', topics: [{ name: 'plain', partitions: [{ partitionIndex: 0 }, { partitionIndex: 1 }] }] }),
  bad('consumer group heartbeat', ApiKey.consumerGroupHeartbeat, { groupId: 'new', memberId: '', memberEpoch: 0, rebalanceTimeoutMs: 1000, subscribedTopicNames: ['plain'], topicPartitions: [] }),
  bad('consumer group describe', ApiKey.consumerGroupDescribe, { groupIds: ['new'] }),
]

export const transactionCases: BadRequest[] = [
  bad('init producer id: no time', ApiKey.initProducerId, { transactionalId: 't', transactionTimeoutMs: 0 }, [0, 3, 5]),
  bad('init producer id: too much time', ApiKey.initProducerId, { transactionalId: 't', transactionTimeoutMs: 2_000_000_000 }),
  bad('init producer id: an empty id', ApiKey.initProducerId, { transactionalId: '', transactionTimeoutMs: 1000 }),
  bad('init producer id: an epoch without an id', ApiKey.initProducerId, { transactionalId: 't', transactionTimeoutMs: 1000, producerId: -1, producerEpoch: 3 }),
  bad('init producer id: an id without an epoch', ApiKey.initProducerId, { transactionalId: 't', transactionTimeoutMs: 1000, producerId: 3, producerEpoch: -1 }),
  bad('init producer id: an id of nobody', ApiKey.initProducerId, { transactionalId: 't9', transactionTimeoutMs: 1000, producerId: 999_999, producerEpoch: 3 }, [3, 4, 5]),
  bad('add partitions: unknown id', ApiKey.addPartitionsToTxn, { v3AndBelowTransactionalId: 'nobody', v3AndBelowProducerId: 1, v3AndBelowProducerEpoch: 0, v3AndBelowTopics: [{ name: 'plain', partitions: [0] }] }, [0, 2, 3]),
  bad('add partitions: unknown topic', ApiKey.addPartitionsToTxn, {
    v3AndBelowTransactionalId: 'nobody', v3AndBelowProducerId: 1, v3AndBelowProducerEpoch: 0, v3AndBelowTopics: [{ name: 'plain', partitions: [0] }, { name: 'nowhere', partitions: [0] }],
  }, [0, 3]),
  bad('add partitions: batched, unknown id', ApiKey.addPartitionsToTxn, {
    transactions: [{ transactionalId: 'nobody', producerId: 1, producerEpoch: 0, verifyOnly: true, topics: [{ name: 'plain', partitions: [0] }] }],
  }, [4, 5]),
  bad('add offsets: unknown id', ApiKey.addOffsetsToTxn, { transactionalId: 'nobody', producerId: 1, producerEpoch: 0, groupId: 'g' }, 'all'),
  bad('add offsets: no id', ApiKey.addOffsetsToTxn, { transactionalId: '', producerId: 1, producerEpoch: 0, groupId: 'g' }),
  bad('end: unknown id', ApiKey.endTxn, { transactionalId: 'nobody', producerId: 1, producerEpoch: 0, committed: true }, 'all'),
  bad('end: no id', ApiKey.endTxn, { transactionalId: '', producerId: 1, producerEpoch: 0, committed: true }),
  bad('commit in a transaction: unknown id', ApiKey.txnOffsetCommit, {
    transactionalId: 'nobody', groupId: 'g', producerId: 1, producerEpoch: 0, topics: [{ name: 'plain', partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }] }],
  }, 'all'),
  bad('commit in a transaction: unknown topic', ApiKey.txnOffsetCommit, {
    transactionalId: 'nobody', groupId: 'g', producerId: 1, producerEpoch: 0, topics: [{ name: 'nowhere', partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }] }],
  }),
  bad('describe transactions: unknown id', ApiKey.describeTransactions, { transactionalIds: ['nobody'] }),
  bad('describe transactions: no id', ApiKey.describeTransactions, { transactionalIds: [''] }),
  bad('list transactions: an unknown state', ApiKey.listTransactions, { stateFilters: ['Sleeping'] }),
  bad('list transactions: an unknown producer', ApiKey.listTransactions, { producerIdFilters: [12345] }),
  bad('describe producers: unknown topic', ApiKey.describeProducers, { topics: [{ name: 'nowhere', partitionIndexes: [0] }] }),
  bad('describe producers: a bad name', ApiKey.describeProducers, { topics: [{ name: 'a/b', partitionIndexes: [0] }] }),
  bad('describe producers: unknown partition', ApiKey.describeProducers, { topics: [{ name: 'plain', partitionIndexes: [9] }] }),
  { ...bad('describe producers: to a follower', ApiKey.describeProducers, { topics: [{ name: 'plain', partitionIndexes: [0] }] }), to: 'follower' },
  bad('markers: unknown topic', ApiKey.writeTxnMarkers, { markers: [{ producerId: 1, producerEpoch: 0, transactionResult: true, topics: [{ name: 'nowhere', partitionIndexes: [0] }], coordinatorEpoch: 0 }] }),
  bad('markers: none', ApiKey.writeTxnMarkers, { markers: [] }),
  { ...bad('markers: to a follower', ApiKey.writeTxnMarkers, { markers: [{ producerId: 1, producerEpoch: 0, transactionResult: true, topics: [{ name: 'plain', partitionIndexes: [0] }], coordinatorEpoch: 0 }] }), to: 'follower' },
]
