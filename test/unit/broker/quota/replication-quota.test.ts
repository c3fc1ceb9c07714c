import { ReplicationQuota, throttledPartitions } from '../../../../broker/quota/replication-quota'
import { ReplicationQuotas } from '../../../../broker/quota/replication-quotas'
import type { Clock } from '../../../../runtime/ports'

let nowMs = 0
const clock = { monoMs: () => nowMs } as Clock

beforeEach(() => {
  nowMs = 50_000
})

test('a rate is over the samples that there are, at least one of them whole', () => {
  const quota = new ReplicationQuota(clock, { samples: 3, sampleMs: 1000 })
  expect(quota.rate).toBe(0)
  quota.record(500)
  expect(quota.rate).toBe(500)
  nowMs += 999
  quota.record(500)
  expect(quota.rate).toBe(1000)
  nowMs += 1001
  quota.record(1000)
  expect(quota.rate).toBe(1000)
  nowMs += 1000
  // The first sample is three seconds old and gone.
  expect(quota.rate).toBe(1000)
  nowMs += 5000
  expect(quota.rate).toBe(0)
})

test('without a limit nothing is exceeded, and what is over one holds until it is below', () => {
  const quota = new ReplicationQuota(clock, { samples: 11, sampleMs: 1000 })
  quota.record(1e9)
  expect(quota.isExceeded).toBe(false)
  quota.setLimit(1000)
  expect(quota.isExceeded).toBe(true)
  nowMs += 11_000
  expect(quota.isExceeded).toBe(false)
  quota.record(1000)
  expect(quota.isExceeded).toBe(false)
  quota.record(1)
  expect(quota.isExceeded).toBe(true)
})

test('replicas of this broker are throttled as the topic says', () => {
  expect(throttledPartitions([], 1)).toEqual(new Set())
  expect(throttledPartitions([' 0:1', '1:2', '3:1 '], 1)).toEqual(new Set([0, 3]))
  expect(throttledPartitions(['*'], 1)).toBe('all')
  const quotas = new ReplicationQuotas(clock)
  quotas.setTopic('t', 1, { leaderReplicationThrottledReplicas: ['*'], followerReplicationThrottledReplicas: ['2:1'] })
  expect(quotas.leader.isThrottled('t', 9)).toBe(true)
  expect([1, 2].map((partition) => quotas.follower.isThrottled('t', partition))).toEqual([false, true])
  quotas.setTopic('t', 1, { leaderReplicationThrottledReplicas: [], followerReplicationThrottledReplicas: [] })
  expect(quotas.leader.isThrottled('t', 9)).toBe(false)
})

test('Long.MAX, and nothing at all, are no limit', () => {
  const quotas = new ReplicationQuotas(clock)
  const texts: Record<string, string> = {
    'leader.replication.throttled.rate': '9223372036854775807', 'follower.replication.throttled.rate': '1000',
  }
  quotas.setLimits((key) => texts[key])
  expect([quotas.leader.limit, quotas.follower.limit, quotas.alterLogDirs.limit]).toEqual([Infinity, 1000, Infinity])
})
