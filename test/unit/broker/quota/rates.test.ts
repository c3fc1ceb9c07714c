import { ConnectionRates } from '../../../../broker/quota/connection-rates'
import { MutationQuota } from '../../../../broker/quota/mutation-quota'
import { RateQuota } from '../../../../broker/quota/rate-quota'
import { SampledRate, throttleMs } from '../../../../broker/quota/sampled-rate'
import { Sensors } from '../../../../broker/quota/sensors'
import { TokenBucket } from '../../../../broker/quota/token-bucket'
import type { Clock } from '../../../../runtime/ports'

const WINDOW = { samples: 11, sampleMs: 1000 }

function handClock(): Clock & { nowMs: number } {
  return {
    nowMs: 5_000_000,
    monoMs() {
      return this.nowMs
    },
    wallMs: () => 0,
    timer: () => ({ cancel() {} }),
    immediate() {},
  }
}

test('a rate counts the window as ten seconds long from the start, and the throttle brings it back to the limit', () => {
  // Kafka's ClientQuotaManagerTest: 400 bytes in each of ten seconds, then 2300 half a second later.
  const rate = new SampledRate(WINDOW)
  let nowMs = 0
  for (let i = 0; i < 10; i++) {
    rate.record(400, nowMs)
    expect(throttleMs(rate, 500, nowMs)).toBe(0)
    nowMs += 1000
  }
  nowMs += 500
  rate.record(2300, nowMs)
  expect(rate.perSecond(nowMs)).toBeCloseTo(600, 6)
  expect(throttleMs(rate, 500, nowMs)).toBe(2100)
  expect(throttleMs(rate, 500, nowMs, 1000)).toBe(1000)
  expect(throttleMs(rate, 700, nowMs)).toBe(0)
})

test('what happened long ago does not count, and what is taken back did not happen', () => {
  const rate = new SampledRate(WINDOW)
  rate.record(50_000, 0)
  expect(rate.perSecond(0)).toBe(5000)
  rate.record(-20_000, 10)
  expect(rate.perSecond(10)).toBeCloseTo(30_000 / 10.01, 3)
  expect(rate.perSecond(11_010)).toBe(0)
  rate.record(10_000, 40_000)
  expect(rate.perSecond(40_000)).toBe(1000)
})

test('a limit of 0 holds nobody back for ever', () => {
  const rate = new SampledRate(WINDOW)
  rate.record(5, 0)
  expect([throttleMs(rate, 0, 0), throttleMs(rate, 0, 0, 1000)]).toEqual([0, 1000])
})

test('a rate never has more samples than its window', () => {
  const rate = new SampledRate({ samples: 3, sampleMs: 10 })
  for (let nowMs = 0; nowMs < 1000; nowMs += 7) rate.record(1, nowMs)
  expect((rate as unknown as { ring: unknown[] }).ring.length).toBe(4)
  expect(rate.perSecond(1000)).toBeGreaterThan(80)
})

test('a bucket may be overdrawn once, and refills with time up to its burst', () => {
  const bucket = new TokenBucket({ samples: 10, sampleMs: 1000 })
  const limit = 10
  expect(bucket.left(limit, 1_000_000)).toBe(100)
  bucket.take(110, limit, 1_000_000)
  expect(bucket.throttleMs(limit, 1_000_000)).toBe(1000)
  expect(bucket.throttleMs(limit, 1_000_500)).toBe(500)
  expect(bucket.left(limit, 1_001_000)).toBe(0)
  expect(bucket.left(limit, 2_000_000)).toBe(100)
})

test('a strict allowance refuses, another one holds back', () => {
  const clock = handClock()
  const quota = new MutationQuota(clock, { samples: 2, sampleMs: 1000 })
  expect(quota.allowance('u', 'c', true).record(1e9)).toBe(true)
  quota.limits.set({ user: 'u' }, 5)
  const strict = quota.allowance('u', 'c', true)
  expect([strict.record(15), strict.throttleMs]).toEqual([true, 0])
  expect([strict.record(1), strict.throttleMs]).toEqual([false, 1000])
  clock.nowMs += 400
  expect(strict.throttleMs).toBe(600)
  const permissive = quota.allowance('u', 'other', false)
  expect([permissive.record(2), permissive.throttleMs]).toEqual([true, 1000])
  // Somebody else has a bucket of his own.
  expect(quota.allowance('v', 'c', true).record(100)).toBe(true)
})

test('a quota measures those alone who have a limit', () => {
  const clock = handClock()
  const quota = new RateQuota(clock, WINDOW)
  expect([quota.isOn, quota.record('u', 'c', 1e9), quota.mostAtOnce('u', 'c')]).toEqual([false, 0, Infinity])
  quota.limits.set({ clientId: 'c' }, 1000)
  expect([quota.isOn, quota.record('u', 'other', 1e9)]).toEqual([true, 0])
  expect(quota.mostAtOnce('u', 'c')).toBe(10_000)
  expect(quota.record('u', 'c', 10_000)).toBe(0)
  expect(quota.record('u', 'c', 5000)).toBe(5000)
  quota.add('u', 'c', -5000)
  expect(quota.record('u', 'c', 0)).toBe(0)
  quota.limits.set({ clientId: 'c' }, undefined)
  expect(quota.isOn).toBe(false)
})

test('idle clients are forgotten, and many clients make each other forgotten', () => {
  const sensors = new Sensors(() => ({}))
  const first = sensors.get('first', 0)
  expect(sensors.get('first', 3_000_000)).toBe(first)
  sensors.get('second', 6_600_001)
  expect(sensors.get('first', 6_600_001)).not.toBe(first)
  for (let i = 0; i < 100_000; i++) sensors.get(`client-${i}`, 7_000_000)
  expect(sensors.size).toBeLessThan(16_000)
  for (let i = 0; i < 1000; i++) sensors.get('x'.repeat(30_000) + i, 7_000_000)
  expect(sensors.size).toBeLessThan(300)
})

test('connections of a listener wait, those of an address are one too many', () => {
  const clock = handClock()
  const rates = new ConnectionRates(clock, WINDOW)
  expect(rates.isOn).toBe(false)
  rates.setListenerRates({ broker: 10, listeners: new Map([['A', 10], ['B', 2]]) })
  expect(rates.isOn).toBe(true)
  let delays = Array.from({ length: 101 }, () => rates.listenerDelayMs('A', false))
  expect(delays.slice(0, 100).every((delay) => delay === 0)).toBe(true)
  expect(delays[100]).toBe(100)
  // The broker's limit is used up, a listener for brokers alone has its own.
  expect(rates.listenerDelayMs('B', false)).toBeGreaterThan(0)
  delays = Array.from({ length: 20 }, () => rates.listenerDelayMs('B', true))
  expect(delays.slice(0, 19)).toEqual(Array(19).fill(0))
  expect(delays[19]).toBe(500)

  rates.setAddressRate('10.0.0.1', 1)
  delays = Array.from({ length: 12 }, () => rates.addressDelayMs('10.0.0.1', 'A', false))
  expect(delays).toEqual([...Array(10).fill(0), 1000, 1000])
  expect(rates.addressDelayMs('10.0.0.2', 'A', false)).toBe(0)
  rates.setAddressRate(null, 0)
  expect(rates.addressDelayMs('10.0.0.2', 'A', false)).toBe(1000)
  rates.setAddressRate(null, undefined)
  rates.setAddressRate('10.0.0.1', undefined)
  rates.setListenerRates({ broker: 0x7fffffff, listeners: new Map() })
  expect(rates.isOn).toBe(false)
})
