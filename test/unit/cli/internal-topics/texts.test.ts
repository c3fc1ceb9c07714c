import {
  encodeGroupKey,
  encodeGroupValue,
  encodeOffsetKey,
  encodeOffsetValue,
  encodeTransactionKey,
  encodeTransactionValue,
} from '../../../../protocol/files/internal-records'
import { encode } from '../../../../protocol/messages/codec'
import { consumerProtocolAssignment, consumerProtocolSubscription } from '../../../../protocol/messages/consumer-protocol'
import { dumpedTransaction, groupText, offsetText, transactionText } from '../../../../cli/internal-topics/texts'
import { formatterOf } from '../../../../cli/console/formatters'
import { parseOffsetRecord } from '../../../../cli/dump-log/decoders'
import type { ConsumerRecord } from '../../../../client/fetched'

const versioned = (version: number, body: Buffer): Buffer => Buffer.concat([Buffer.from([0, version]), body])
const offsetKey = encodeOffsetKey('g', 't', 3)
const offsetValue = encodeOffsetValue({ offset: 7, leaderEpoch: 2, metadata: 'note', commitTimestamp: 1000 }, 3)
const groupKey = encodeGroupKey('g')
const member = {
  memberId: 'm',
  groupInstanceId: null,
  clientId: 'c',
  clientHost: '/h',
  rebalanceTimeout: 300_000,
  sessionTimeout: 45_000,
  subscription: versioned(1, encode(consumerProtocolSubscription, 1, { topics: ['t'] })),
  assignment: versioned(1, encode(consumerProtocolAssignment, 1, { assignedPartitions: [{ topic: 't', partitions: [0] }] })),
}
const groupValue = encodeGroupValue(
  { protocolType: 'consumer', generation: 4, protocol: 'range', leader: 'm', currentStateTimestamp: 5, members: [member] },
  3,
)
const transactionValue = encodeTransactionValue({
  producerId: 9,
  producerEpoch: 1,
  transactionTimeoutMs: 60_000,
  transactionStatus: 1,
  transactionPartitions: [{ topic: 't', partitionIds: [0, 1] }],
  transactionLastUpdateTimestampMs: 20,
  transactionStartTimestampMs: 10,
})
const record = (key: Buffer | null, value: Buffer | null): ConsumerRecord => ({
  topic: '',
  partition: 0,
  offset: 6,
  timestamp: 0,
  timestampType: 'CreateTime',
  key,
  value,
  headers: [],
  leaderEpoch: 0,
})

test('the older words', () => {
  expect(offsetText(offsetKey, offsetValue)).toBe(
    '[g,t,3]::OffsetAndMetadata(offset=7, leaderEpoch=Optional[2], metadata=note, commitTimestamp=1000, expireTimestamp=None)',
  )
  expect(
    offsetText(offsetKey, encodeOffsetValue({ offset: 7, expireTimestamp: 5, commitTimestamp: 1, metadata: '' }, 1)),
  ).toMatch(/leaderEpoch=Optional.empty, metadata=, commitTimestamp=1, expireTimestamp=Some\(5\)\)$/)
  expect([offsetText(offsetKey, null), offsetText(groupKey, null), groupText(offsetKey, null)]).toEqual([
    '[g,t,3]::NULL',
    undefined,
    undefined,
  ])
  expect(groupText(groupKey, groupValue)).toBe(
    'g::GroupMetadata(groupId=g, generation=4, protocolType=Some(consumer), currentState=Stable, members=HashMap(m -> ' +
      'MemberMetadata(memberId=m, ' +
      'groupInstanceId=None, clientId=c, clientHost=/h, sessionTimeoutMs=45000, rebalanceTimeoutMs=300000, ' +
      'supportedProtocols=List(range))))',
  )
  expect(transactionText(encodeTransactionKey('x'), transactionValue)).toBe(
    'x::TransactionMetadata(transactionalId=x, producerId=9, producerEpoch=1, txnTimeoutMs=60000, state=Ongoing, ' +
      'pendingState=None, ' +
      'topicPartitions=HashSet(t-1, t-0), txnStartTimestamp=10, txnLastUpdateTimestamp=20)',
  )
})

test('what kafka-dump-log shows of a transaction', () => {
  expect(dumpedTransaction(encodeTransactionKey('x'), transactionValue)).toEqual({
    key: 'transaction_metadata::transactionalId=x',
    payload: 'producerId:9,producerEpoch:1,state=Ongoing,partitions=[t-1,t-0],txnLastUpdateTimestamp=20,txnTimeoutMs=60000',
  })
  expect(dumpedTransaction(encodeTransactionKey('x'), null).payload).toBe('<DELETE>')
  expect(dumpedTransaction(versioned(9, Buffer.alloc(0)), null)).toEqual({ key: 'unknown::version=9' })
})

test('JSON of kafka-dump-log opens what members say', () => {
  expect(parseOffsetRecord(record(offsetKey, offsetValue))).toEqual({
    key: '{"type":"1","data":{"group":"g","topic":"t","partition":3}}',
    payload: '{"version":"3","data":{"offset":7,"leaderEpoch":2,"metadata":"note","commitTimestamp":1000}}',
  })
  expect(JSON.parse(parseOffsetRecord(record(groupKey, groupValue)).payload!)).toMatchObject({
    version: '3',
    data: {
      members: [
        {
          subscription: { topics: ['t'], ownedPartitions: [] },
          assignment: { assignedPartitions: [{ topic: 't', partitions: [0] }] },
        },
      ],
    },
  })
  expect(parseOffsetRecord(record(offsetKey, null)).payload).toBe('<DELETE>')
  expect(parseOffsetRecord(record(versioned(5, Buffer.alloc(0)), null))).toEqual({
    key: 'Unknown record type 5 at offset 6, skipping.',
  })
  expect(parseOffsetRecord(record(offsetKey.subarray(0, 5), null)).key).toMatch(/^Error at offset 6, skipping\. /)
  expect(() => parseOffsetRecord(record(null, null))).toThrow('message had a missing key')
})

test('formatters of the console consumer', () => {
  const show = (name: string, key: Buffer | null, value: Buffer | null) =>
    formatterOf(name, {}, () => {})(record(key, value))?.toString()
  const offsets = 'org.apache.kafka.tools.consumer.OffsetsMessageFormatter'
  expect(show(offsets, offsetKey, null)).toBe('{"key":{"version":1,"data":{"group":"g","topic":"t","partition":3}},"value":null}')
  expect(show(offsets, groupKey, groupValue)).toBeUndefined()
  expect(show('org.apache.kafka.tools.consumer.GroupMetadataMessageFormatter', offsetKey, offsetValue)).toBeUndefined()
  expect(JSON.parse(show('org.apache.kafka.tools.consumer.GroupMetadataMessageFormatter', groupKey, groupValue)!)).toMatchObject({
    key: { version: 2, data: { group: 'g' } },
    value: {
      version: 3,
      data: { leader: 'm', members: [{ memberId: 'm', subscription: member.subscription.toString('base64') }] },
    },
  })
  expect(show(offsets, versioned(7, Buffer.alloc(0)), versioned(9, Buffer.alloc(0)))).toBe(
    '{"key":{"version":7,"data":"unknown"},"value":{"version":9,"data":"unknown"}}',
  )
  expect(show('kafka.coordinator.group.GroupMetadataManager$OffsetsMessageFormatter', offsetKey, null)).toBe('[g,t,3]::NULL\n')
  expect(show('kafka.tools.NoOpMessageFormatter', null, Buffer.from('a'))).toBeUndefined()
  expect(show('kafka.tools.DefaultMessageFormatter', null, Buffer.from('a'))).toBe('a\n')
  expect(() => formatterOf('no.Such', {}, () => {})).toThrow('no.Such')
})
