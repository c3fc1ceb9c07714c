import { ErrorCode, ProtocolError } from '../../../../protocol/errors'
import {
  offsetsCommitted,
  partitionsEvent,
  recordData,
  recordsConsumed,
  sendError,
  sendSuccess,
  summariesOf,
  toolData,
} from '../../../../cli/verifiable/events'
import type { ConsumerRecord } from '../../../../client/fetched'

const sent = { key: null, value: '7', topic: 't' }
const record = (partition: number, offset: number): ConsumerRecord => ({
  topic: 't',
  partition,
  offset,
  timestamp: 0,
  timestampType: 'CreateTime',
  key: null,
  value: Buffer.from('v'),
  headers: [],
  leaderEpoch: 0,
})

test('lines of the producer', () => {
  expect(sendSuccess(1, sent, 2, 3)).toBe(
    '{"timestamp":1,"name":"producer_send_success","key":null,"value":"7","offset":3,"topic":"t","partition":2}\n',
  )
  expect(JSON.parse(sendError(1, sent, new ProtocolError(ErrorCode.REQUEST_TIMED_OUT, 'late')))).toEqual({
    timestamp: 1,
    name: 'producer_send_error',
    topic: 't',
    key: null,
    value: '7',
    exception: 'class org.apache.kafka.common.errors.TimeoutException',
    message: 'late',
  })
  expect(toolData(1, 5, 4, -1, 2000)).toBe(
    '{"timestamp":1,"name":"tool_data","sent":5,"acked":4,"target_throughput":-1,"avg_throughput":2.0}\n',
  )
})

test('lines of the consumer', () => {
  expect(partitionsEvent(1, 'partitions_assigned', [{ topic: 't', partition: 0 }])).toBe(
    '{"timestamp":1,"name":"partitions_assigned","partitions":[{"topic":"t","partition":0}]}\n',
  )
  expect(recordData(1, record(0, 5))).toBe(
    '{"timestamp":1,"name":"record_data","key":null,"value":"v","topic":"t","partition":0,"offset":5}\n',
  )
  expect(offsetsCommitted(1, [{ topic: 't', partition: 0, offset: 6 }], undefined)).toBe(
    '{"timestamp":1,"name":"offsets_committed","offsets":[{"topic":"t","partition":0,"offset":6}],"success":true}\n',
  )
  expect(JSON.parse(offsetsCommitted(1, [], new Error('no')))).toEqual({
    timestamp: 1,
    name: 'offsets_committed',
    offsets: [],
    error: 'no',
    success: false,
  })
})

test('a poll is added up by partition, up to the limit', () => {
  const { summaries, taken } = summariesOf([record(0, 5), record(0, 6), record(1, 9), record(1, 10)], 3)
  expect(summaries).toEqual([
    { topic: 't', partition: 0, count: 2, minOffset: 5, maxOffset: 6 },
    { topic: 't', partition: 1, count: 1, minOffset: 9, maxOffset: 9 },
  ])
  expect(taken).toHaveLength(3)
  expect(recordsConsumed(1, 4, summaries.slice(1))).toBe(
    '{"timestamp":1,"name":"records_consumed","count":4,"partitions":[{"topic":"t","partition":1,"count":1,"minOffset":9,"maxOffset":9}]}\n',
  )
})
