import * as records from '../../../../protocol/files/internal-records'

test('keys of __consumer_offsets', () => {
  expect(records.encodeOffsetKey('grp', 'top', 3).toString('hex')).toBe('0001' + '0003677270' + '0003746f70' + '00000003')
  expect(records.encodeGroupKey('grp').toString('hex')).toBe('0002' + '0003677270')
  expect(records.decodeGroupRecordKey(records.encodeOffsetKey('grp', 'top', 3))).toEqual({ kind: 'offset', group: 'grp', topic: 'top', partition: 3 })
  expect(records.decodeGroupRecordKey(Buffer.from('0000' + '0003677270' + '0003746f70' + '00000003', 'hex'))).toMatchObject({ kind: 'offset' })
  expect(records.decodeGroupRecordKey(records.encodeGroupKey('grp'))).toEqual({ kind: 'group', group: 'grp' })
  expect(records.decodeGroupRecordKey(Buffer.from('0003000361626364', 'hex'))).toEqual({ kind: 'unknown', version: 3 })
  expect(() => records.decodeGroupRecordKey(Buffer.from([0]))).toThrow(/no version/)
  expect(() => records.decodeGroupRecordKey(Buffer.from('00020009', 'hex'))).toThrow()
})

test('offsets, as each version writes them', () => {
  const value = { offset: 42, leaderEpoch: 7, metadata: 'm', commitTimestamp: 1000 }
  expect(records.encodeOffsetValue(value, 3).toString('hex')).toBe('0003' + '000000000000002a' + '00000007' + '00016d' + '00000000000003e8')
  expect(records.decodeOffsetValue(records.encodeOffsetValue(value, 3))).toEqual({ ...value, expireTimestamp: -1 })
  expect(records.decodeOffsetValue(records.encodeOffsetValue({ ...value, expireTimestamp: 2000 }, 1))).toEqual({ ...value, leaderEpoch: -1, expireTimestamp: 2000 })
  expect(records.decodeOffsetValue(records.encodeOffsetValue(value, 4))).toMatchObject(value)
  expect(() => records.decodeOffsetValue(Buffer.from('0005', 'hex'))).toThrow(/Unknown offset commit value version 5/)
})

test('groups', () => {
  const member = {
    memberId: 'm1', groupInstanceId: 'static', clientId: 'c', clientHost: '/127.0.0.1', rebalanceTimeout: 1, sessionTimeout: 2,
    subscription: Buffer.from([1, 2]), assignment: Buffer.alloc(0),
  }
  const value = { protocolType: 'consumer', generation: 3, protocol: 'range', leader: null, currentStateTimestamp: 5, members: [member] }
  expect(records.decodeGroupValue(records.encodeGroupValue(value, 3))).toEqual(value)
  expect(records.decodeGroupValue(records.encodeGroupValue(value, 0))).toMatchObject({ currentStateTimestamp: -1, members: [{ groupInstanceId: null }] })
})

test('transactions', () => {
  const value = {
    producerId: 9, producerEpoch: 2, transactionTimeoutMs: 60000, transactionStatus: 1, transactionPartitions: [{ topic: 'a', partitionIds: [0, 2] }],
    transactionLastUpdateTimestampMs: 7, transactionStartTimestampMs: 6,
  }
  expect(records.decodeTransactionKey(records.encodeTransactionKey('tx'))).toBe('tx')
  expect(records.decodeTransactionKey(Buffer.from('0001', 'hex'))).toBeUndefined()
  expect(records.decodeTransactionValue(records.encodeTransactionValue(value))).toEqual(value)
  expect(records.decodeTransactionValue(records.encodeTransactionValue({ ...value, transactionPartitions: null }, 1))).toEqual({ ...value, transactionPartitions: null })
})
