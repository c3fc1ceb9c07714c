import fc from 'fast-check'
import { ClientQuotas } from '../../../../broker/quota/client-quotas'
import { QuotaLimits } from '../../../../broker/quota/quota-limits'
import type { QuotaEntity } from '../../../../broker/quota/quota-limits'

/** Kafka's documentation, the most specific first. */
const LEVELS: ((user: string, clientId: string) => QuotaEntity)[] = [
  (user, clientId) => ({ user, clientId }),
  (user) => ({ user, clientId: null }),
  (user) => ({ user }),
  (_user, clientId) => ({ user: null, clientId }),
  () => ({ user: null, clientId: null }),
  () => ({ user: null }),
  (_user, clientId) => ({ clientId }),
  () => ({ clientId: null }),
]

test('the most specific limit counts, in Kafka’s order', () => {
  const limits = new QuotaLimits()
  for (let level = LEVELS.length - 1; level >= 0; level--) {
    limits.set(LEVELS[level]!('ANONYMOUS', 'c'), level)
    expect(limits.match('ANONYMOUS', 'c').limit).toBe(level)
  }
  for (let level = 0; level < LEVELS.length; level++) {
    expect(limits.match('ANONYMOUS', 'c').limit).toBe(level)
    limits.set(LEVELS[level]!('ANONYMOUS', 'c'), undefined)
  }
  expect([limits.isEmpty, limits.match('ANONYMOUS', 'c').limit]).toEqual([true, undefined])
})

test('any set of limits: the first of the order that is there', () => {
  const name = fc.constantFrom('a', 'b', '-', '*', '1=a')
  fc.assert(
    fc.property(fc.subarray([0, 1, 2, 3, 4, 5, 6, 7]), name, name, (present, user, clientId) => {
      const limits = new QuotaLimits()
      for (const level of present) limits.set(LEVELS[level]!(user, clientId), level)
      expect(limits.match(user, clientId).limit).toBe(present[0])
    }),
  )
})

test('a limit of a user is shared by all its clients, others are for each client id', () => {
  const limits = new QuotaLimits()
  limits.set({ user: 'u' }, 1)
  expect(limits.match('u', 'a').sensor).toBe(limits.match('u', 'b').sensor)
  limits.set({ user: 'u', clientId: null }, 2)
  expect(limits.match('u', 'a').sensor).not.toBe(limits.match('u', 'b').sensor)
  limits.set({ clientId: null }, 3)
  expect(limits.match('v', 'a').sensor).toBe(limits.match('w', 'a').sensor)
  // Without a client id only what the user has counts.
  expect(limits.match('u', '').limit).toBe(1)
  expect(limits.match('v', '').limit).toBeUndefined()
})

test('a configuration sets all quotas of an entity, and what makes no sense is left as it was', () => {
  const quotas = new ClientQuotas({ monoMs: () => 0 } as never, {
    client: { samples: 11, sampleMs: 1000 }, controller: { samples: 11, sampleMs: 1000 },
  })
  const entity = { user: 'ANONYMOUS' }
  const all = [quotas.produce, quotas.fetch, quotas.time, quotas.mutations]
  const limits = () => all.map((each) => each.limits.match('ANONYMOUS', 'c').limit)
  const config = new Map([['producer_byte_rate', '1024'], ['request_percentage', '12.5'], ['SCRAM-SHA-256', 'salt=']])
  expect(quotas.set(entity, config)).toEqual([])
  expect(limits()).toEqual([1024, undefined, 12.5, undefined])
  const bad = new Map([['producer_byte_rate', 'many'], ['consumer_byte_rate', '7']])
  expect(quotas.set(entity, bad)).toEqual(['producer_byte_rate'])
  expect(limits()).toEqual([1024, 7, undefined, undefined])
  expect(quotas.set(entity, new Map())).toEqual([])
  expect(limits()).toEqual([undefined, undefined, undefined, undefined])
})
