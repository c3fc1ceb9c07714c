import { isInternalTopic } from '../../protocol/rules/topic-name'
import type { Cluster } from '../cluster'
import type { Subscription } from './subscription'

/** A broker that has just started knows no topic: one answer does not make a topic gone. */
const ANSWERS_UNTIL_GONE = 3

/**
 * Keeps what is known of the topics of interest no older than `metadata.max.age.ms`: of those subscribed to or assigned,
 * of all while a pattern
 * is, and for a leader of those of its whole group.
 */
export class TopicWatch {
  /** Counts refreshes. */
  version = 0
  groupTopics: readonly string[] = []
  private readonly cluster: Cluster
  private readonly subscription: Subscription
  private readonly options: { create: boolean; excludeInternal: boolean }
  private readonly onNews: () => void
  private names: string[] = []
  private nextMs = 0
  private pauseMs: number
  private refreshing: Promise<void> | undefined
  private askedFor = ''
  private triedFor = ''
  /** After a failure, or while something has no leader. */
  private notBeforeMs = 0
  /** In how many answers in a row a topic was missing that had been there. */
  private readonly missing = new Map<string, number>()

  constructor(
    cluster: Cluster,
    subscription: Subscription,
    options: { create: boolean; excludeInternal: boolean },
    onNews: () => void,
  ) {
    this.cluster = cluster
    this.subscription = subscription
    this.options = options
    this.onNews = onNews
    this.pauseMs = cluster.settings.retryBackoffMs
  }

  setGroupTopics(topics: readonly string[]): void {
    this.groupTopics = topics
  }

  /** Topics that match, of those that the last refresh told of. */
  matching(pattern: RegExp): string[] {
    return this.names.filter((name) => pattern.test(name) && !(this.options.excludeInternal && isInternalTopic(name)))
  }

  /** Asks if it is time to. */
  start(): void {
    const wanted = this.wanted()
    if (wanted !== null && wanted.length === 0) return
    const nowMs = this.cluster.env.clock.monoMs()
    const key = this.key(wanted)
    const isNew = key !== this.askedFor && key !== this.triedFor
    // Under a pattern all topics are asked for; what was forgotten because its leader moved is one that is assigned.
    const relied = wanted ?? this.subscription.all().map(({ topic }) => topic)
    const isStale = key !== this.askedFor || nowMs >= this.nextMs || relied.some((name) => !this.cluster.isFresh(name))
    if (isNew || (isStale && nowMs >= this.notBeforeMs)) void this.refresh().catch(() => {})
  }

  /** It was there and is no more. */
  isGone(topic: string): boolean {
    return (this.missing.get(topic) ?? 0) >= ANSWERS_UNTIL_GONE
  }

  /** True once what matters was asked for and answered; false if `deadlineMs` comes first. */
  async refreshed(deadlineMs: number): Promise<boolean> {
    const { clock } = this.cluster.env
    while (this.key(this.wanted()) !== this.askedFor || this.version === 0) {
      await this.cluster.within(
        this.refresh().catch(() => {}),
        deadlineMs,
      )
      if (this.key(this.wanted()) === this.askedFor && this.version > 0) return true
      const leftMs = deadlineMs - clock.monoMs()
      if (leftMs <= 0 || this.cluster.isClosed) return false
      await this.cluster.sleep(Math.min(leftMs, this.cluster.settings.retryBackoffMs))
    }
    return true
  }

  /** Asks now. Rejects with what went wrong. */
  async refresh(): Promise<void> {
    const key = this.key(this.wanted())
    // One that asks for something else must not be taken for this one.
    while (this.refreshing !== undefined) {
      const { refreshing } = this
      await refreshing.catch(() => {})
      if (this.askedFor === key && this.refreshing === undefined) return refreshing
    }
    this.refreshing = this.ask().finally(() => {
      this.refreshing = undefined
      this.onNews()
    })
    return this.refreshing
  }

  private wanted(): string[] | null {
    const { kind, topics } = this.subscription
    if (kind === 'pattern') return null
    const assigned = this.subscription.all().map(({ topic }) => topic)
    return [...new Set([...topics, ...assigned, ...this.groupTopics])].sort()
  }

  private key(wanted: readonly string[] | null): string {
    return wanted === null ? '*' : wanted.join(',')
  }

  private async ask(): Promise<void> {
    const { clock } = this.cluster.env
    const { retryBackoffMs, retryBackoffMaxMs, metadataMaxAgeMs } = this.cluster.settings
    const wanted = this.wanted()
    this.triedFor = this.key(wanted)
    this.notBeforeMs = clock.monoMs() + this.pauseMs
    const found = await this.cluster.metadata(wanted, { create: this.options.create && this.subscription.isAutomatic })
    this.askedFor = this.key(wanted)
    const there = new Set(found.filter(({ errorCode }) => errorCode === 0).map(({ name }) => name))
    for (const name of this.names) if (!there.has(name)) this.missing.set(name, (this.missing.get(name) ?? 0) + 1)
    for (const name of there) this.missing.delete(name)
    const wavering = this.names.filter((name) => !there.has(name) && !this.isGone(name))
    this.names = [...there, ...wavering]
    this.version++
    const isWhole =
      wavering.length === 0 &&
      found.every(({ errorCode, partitions }) => errorCode === 0 && partitions.every(({ leader }) => leader >= 0))
    this.pauseMs = isWhole ? retryBackoffMs : Math.min(this.pauseMs * 2, retryBackoffMaxMs)
    this.notBeforeMs = clock.monoMs() + this.pauseMs
    this.nextMs = isWhole ? clock.monoMs() + metadataMaxAgeMs : this.notBeforeMs
  }
}
