import { formatDate, header, intervalLine, summaryLine } from '../../../../cli/performance/consumption'
import { ProducerStats, percentiles, summaryOf } from '../../../../cli/performance/latency'
import { metricsTable } from '../../../../cli/performance/metrics'

test('percentiles', () => {
  expect(percentiles([5, 1, 4, 2, 3], 0.5, 0.99, 0)).toEqual([3, 5, 1])
  expect(percentiles([], 0.5)).toEqual([0])
  expect(summaryOf(1.23456, [1, 2, 3])).toBe('Avg latency: 1.2346 ms\nPercentiles: 50th = 2, 99th = 3, 99.9th = 3\n')
})

test('a producer reports each interval and the end', () => {
  const stats = new ProducerStats(3, 0, 5000)
  expect(stats.record(10, 1024 * 1024, 1000)).toBeUndefined()
  expect(stats.record(20, 1024 * 1024, 5000)).toBe(
    '2 records sent, 0.4 records/sec (0.40 MB/sec), 15.0 ms avg latency, 20.0 ms max latency.\n',
  )
  expect(stats.record(30, 0, 6000)).toBeUndefined()
  expect(stats.total(10_000)).toBe(
    '3 records sent, 0.300000 records/sec (0.20 MB/sec), 20.00 ms avg latency, 30.00 ms max latency, 20 ms 50th, 30 ms ' +
      '95th, 30 ms 99th, 30 ms 99.9th.\n',
  )
})

test('dates by the letters of SimpleDateFormat', () => {
  const time = new Date(2024, 1, 3, 4, 5, 6, 7).getTime()
  expect(formatDate('yyyy-MM-dd HH:mm:ss:SSS', time)).toBe('2024-02-03 04:05:06:007')
  expect(formatDate("yy/M/d 'at' H''", time)).toBe("24/2/3 at 4'")
})

test('a consumer reports', () => {
  const progress = { startMs: 0, endMs: 2000, bytes: 1024 * 1024, messages: 4, joinMs: 1000 }
  expect(summaryLine(String, progress)).toBe('0, 2000, 1.0000, 0.5000, 4, 2.0000, 1000, 1000, 1.0000, 4.0000\n')
  expect(summaryLine(String, { ...progress, joinMs: 2000, bytes: 0, messages: 0 })).toBe(
    '0, 2000, 0.0000, 0.0000, 0, 0.0000, 2000, 0, NaN, NaN\n',
  )
  expect(intervalLine(String, { bytes: 2 * 1024 * 1024, messages: 8 }, progress)).toBe(
    '2000, 0, 2.0000, 0.5000, 8, 2.0000, 1000, 1000, 1.0000, 4.0000\n',
  )
  expect([header(true), header(false)].map((line) => line.split(', ').slice(0, 3))).toEqual([
    ['time', 'threadId', 'data.consumed.in.MB'],
    ['start.time', 'end.time', 'data.consumed.in.MB'],
  ])
})

test('metrics', () => {
  expect(metricsTable([{ group: 'g', name: 'n', tags: { a: 'b' }, value: 1 }])).toBe(
    '\nMetric Name   Value\ng:n:{a=b}   : 1.000\n',
  )
})
