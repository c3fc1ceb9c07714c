import { MutationQuota } from './mutation-quota'
import { RateQuota } from './rate-quota'
import type { Clock } from '../../runtime/ports'
import type { QuotaEntity } from './quota-limits'
import type { SampleWindow } from './sampled-rate'

/** Who everybody is on a listener without authentication. */
export const ANONYMOUS = 'ANONYMOUS'

/** Keys of users and client ids, by the quota that they set. */
const KEYS = {
  produce: 'producer_byte_rate',
  fetch: 'consumer_byte_rate',
  time: 'request_percentage',
  mutations: 'controller_mutation_rate',
} as const

/** The quotas of users and client ids (KIP-13, KIP-55, KIP-124, KIP-599). */
export class ClientQuotas {
  /** Bytes of Produce requests. */
  readonly produce: RateQuota
  /** Bytes of Fetch answers to consumers. */
  readonly fetch: RateQuota
  /** Per cents of the time of a thread; more than 100 where Kafka has several threads. */
  readonly time: RateQuota
  readonly mutations: MutationQuota

  constructor(clock: Clock, windows: { client: SampleWindow; controller: SampleWindow }) {
    this.produce = new RateQuota(clock, windows.client)
    this.fetch = new RateQuota(clock, windows.client)
    this.time = new RateQuota(clock, windows.client, windows.client.sampleMs)
    this.mutations = new MutationQuota(clock, windows.controller)
  }

  /** Takes what is configured for an entity; what is missing has no limit of its own. Returns the keys that make no sense. */
  set(entity: QuotaEntity, config: ReadonlyMap<string, string>): string[] {
    const bad: string[] = []
    for (const [quota, key] of Object.entries(KEYS) as [keyof typeof KEYS, string][]) {
      const text = config.get(key)
      const limit = text === undefined || text.trim() === '' ? undefined : Number(text)
      if (text !== undefined && (limit === undefined || Number.isNaN(limit))) bad.push(key)
      else this[quota].limits.set(entity, limit)
    }
    return bad
  }
}
