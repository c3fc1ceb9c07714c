import { ErrorCode, ProtocolError } from '../../protocol/errors'
import { partitionKey } from '../leaders'
import { RebalanceListenerError } from '../consumer/errors'
import { protocolOf } from './assignors/by-name'
import { Commits } from './commits'
import { isInNone } from './generation'
import { Membership } from './membership'
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './protocol'
import type { Assignor, MemberSubscription, RebalanceProtocol } from './assignors/assignor'
import type { Cluster } from '../cluster'
import type { ConsumerInterceptors } from '../consumer/interceptors'
import type { ConsumerSettings } from '../consumer/settings'
import type { Generation, GroupBusiness, GroupSettings } from './generation'
import type { JoinGroupResponseMember } from '../../protocol/messages/join-group'
import type { Subscription } from '../consumer/subscription'
import type { TopicPartition } from '../leaders'
import type { TopicWatch } from '../consumer/topic-watch'

function isAmong(list: readonly TopicPartition[]): (each: TopicPartition) => boolean {
  const keys = new Set(list.map(({ topic, partition }) => partitionKey(topic, partition)))
  return ({ topic, partition }) => keys.has(partitionKey(topic, partition))
}

/**
 * A consumer's part in a group: what it wants, the leader's assignment, what comes and goes, commits (Kafka's
 * ConsumerCoordinator).
 */
export class ConsumerGroup implements GroupBusiness {
  readonly membership: Membership
  readonly commits: Commits
  private readonly cluster: Cluster
  private readonly settings: ConsumerSettings
  private readonly subscription: Subscription
  private readonly watch: TopicWatch
  private readonly protocol: RebalanceProtocol
  /** What was said when joining: another wish needs another join. */
  private joinedTopics: ReadonlySet<string> | undefined
  /** The leader's: how many partitions the topics of the group had when they were assigned. */
  private assignedCounts: Map<string, number> | undefined
  private nextAutoCommitMs: number
  private autoCommitting = false
  /** The commit before a rebalance. */
  private leaving: Promise<void> | undefined
  private isEnding = false

  constructor(
    cluster: Cluster,
    settings: ConsumerSettings,
    group: GroupSettings,
    subscription: Subscription,
    watch: TopicWatch,
    interceptors: ConsumerInterceptors,
    notify: () => void,
  ) {
    this.cluster = cluster
    this.settings = settings
    this.subscription = subscription
    this.watch = watch
    this.protocol = protocolOf(settings.assignors)
    this.membership = new Membership(cluster, group, this, notify)
    this.commits = new Commits(
      cluster,
      this.membership,
      () => subscription.isAutomatic,
      (offsets) => interceptors.onCommit(offsets),
    )
    this.nextAutoCommitMs = cluster.env.clock.monoMs() + settings.autoCommitIntervalMs
  }

  /** The group's share of a poll: rebalances if that is due, commits if that is. False while it has to wait for a rebalance. */
  async poll(deadlineMs: number): Promise<boolean> {
    if (this.subscription.isAutomatic) {
      this.membership.polled()
      this.checkWishes()
      // Before the first join the pattern must have been matched once.
      if (this.membership.needsRejoin && this.subscription.kind === 'pattern') {
        if (!(await this.watch.refreshed(deadlineMs))) return false
        this.checkWishes()
      }
      if (this.membership.needsRejoin && !(await this.membership.ensureActive(deadlineMs))) return false
    }
    this.autoCommit()
    return true
  }

  /** The consumer is about to be closed: a rebalance that is under way must not wait any longer. */
  hurry(): void {
    this.isEnding = true
  }

  /** Lets go of everything, and leaves. */
  async leave(reason: string): Promise<void> {
    const { generation, isRebalancing } = this.membership
    const had = this.subscription.assigned()
    let failure: unknown
    if (this.subscription.isAutomatic && had.length > 0) {
      try {
        await (isInNone(generation) || isRebalancing ? this.lost(had) : this.revoked(had))
      } catch (error) {
        failure = error
      }
      this.subscription.setAssigned([])
    }
    this.joinedTopics = undefined
    this.assignedCounts = undefined
    this.leaving = undefined
    await this.membership.leave(reason)
    if (failure !== undefined) throw failure
  }

  /** Waits for commits under way; commits what was consumed, if that is automatic. Never rejects. */
  async commitBeforeEnd(deadlineMs: number): Promise<void> {
    await this.commits.sync(this.settings.autoCommit ? this.subscription.consumed() : [], deadlineMs).catch(() => {})
  }

  protocols(): { name: string; metadata: Buffer }[] {
    const topics = [...this.subscription.topics]
    this.joinedTopics = new Set(topics)
    const ownedPartitions = this.subscription.assigned()
    return this.settings.assignors.map((assignor) => ({
      name: assignor.name,
      metadata: encodeSubscription({
        topics,
        userData: assignor.userData?.(topics) ?? null,
        ownedPartitions,
        generationId: this.membership.generation.id,
        rackId: this.settings.rackId,
      }),
    }))
  }

  async commitBeforeJoin(generation: Generation, deadlineMs: number): Promise<boolean> {
    if (this.leaving === undefined) {
      if (!this.settings.autoCommit || isInNone(generation)) return true
      // What is handed out from now on would be consumed again by the next owner.
      if (this.protocol === 'eager') for (const state of this.subscription.all()) state.isLeaving = true
      this.leaving = this.commitUntil(this.cluster.env.clock.monoMs() + this.membership.settings.maxPollIntervalMs)
    }
    const { leaving } = this
    const isDone = await this.cluster.within(
      leaving.then(() => true),
      deadlineMs,
    )
    if (isDone !== true) return false
    if (this.leaving === leaving) this.leaving = undefined
    return true
  }

  async prepareToJoin(): Promise<void> {
    const had = this.subscription.all()
    this.assignedCounts = undefined
    this.watch.setGroupTopics([])
    // Heartbeats may have ended the membership meanwhile.
    if (isInNone(this.membership.generation)) {
      if (had.length === 0) return
      try {
        await this.lost(this.subscription.assigned())
      } finally {
        this.subscription.setAssigned([])
      }
      return
    }
    const owned = this.subscription.assigned()
    const goes = this.protocol === 'eager' ? owned : owned.filter(({ topic }) => !this.subscription.topics.has(topic))
    if (this.protocol === 'cooperative' && goes.length === 0) return
    try {
      await this.revoked(goes)
    } finally {
      const gone = isAmong(goes)
      this.subscription.setAssigned(owned.filter((each) => !gone(each)))
    }
  }

  async assign(protocol: string, members: readonly JoinGroupResponseMember[], skip: boolean): Promise<Map<string, Buffer>> {
    const assignor = this.assignor(protocol)
    const subscriptions = new Map<string, MemberSubscription>(
      members.map(({ memberId, groupInstanceId, metadata }) => [memberId, { ...decodeSubscription(metadata), groupInstanceId }]),
    )
    const topics = new Set([...subscriptions.values()].flatMap((each) => each.topics))
    this.watch.setGroupTopics([...topics])
    await this.watch.refresh()
    const partitionCounts = this.countsOf(topics)
    this.assignedCounts = partitionCounts
    if (skip) return new Map()
    const assignment = assignor.assign({ partitionCounts, members: subscriptions })
    return new Map([...assignment].map(([memberId, partitions]) => [memberId, encodeAssignment({ partitions, userData: null })]))
  }

  async joined(generation: Generation, bytes: Buffer): Promise<void> {
    const assignor = this.assignor(generation.protocol ?? '')
    const assignment = decodeAssignment(bytes)
    const { partitions } = assignment
    if (!partitions.every(({ topic }) => this.mayHave(topic))) {
      // It was made for what this member wanted before.
      this.membership.requestRejoin('assignment does not match the subscription')
      return
    }
    const owned = this.subscription.assigned()
    const isOwned = isAmong(owned)
    const stays = isAmong(partitions)
    const comes = partitions.filter((each) => !isOwned(each))
    let failure: unknown
    if (this.protocol === 'cooperative') {
      const goes = owned.filter((each) => !stays(each))
      if (goes.length > 0) {
        await this.revoked(goes).catch((error: unknown) => (failure = error))
        this.membership.requestRejoin('need to revoke partitions and re-join')
      }
    }
    assignor.onAssignment?.(assignment, generation.id)
    this.nextAutoCommitMs = this.cluster.env.clock.monoMs() + this.settings.autoCommitIntervalMs
    this.subscription.setAssigned(partitions)
    await this.call('onPartitionsAssigned', comes).catch((error: unknown) => (failure ??= error))
    if (failure !== undefined) throw failure
  }

  private assignor(name: string): Assignor {
    const found = this.settings.assignors.find((each) => each.name === name)
    if (found === undefined)
      throw new ProtocolError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, `Coordinator selected invalid assignment protocol: ${name}`)
    return found
  }

  private mayHave(topic: string): boolean {
    const { pattern, topics } = this.subscription
    return pattern !== undefined ? pattern.test(topic) : topics.has(topic)
  }

  private countsOf(topics: Iterable<string>): Map<string, number> {
    return new Map(
      [...topics].flatMap((topic) => {
        const known = this.cluster.topic(topic)
        return known === undefined || known.partitions.length === 0 ? [] : [[topic, known.partitions.length] as const]
      }),
    )
  }

  /** Another subscription, topics that match a pattern by now, partitions that came: each needs a rebalance. */
  private checkWishes(): void {
    const { subscription, membership } = this
    if (subscription.pattern !== undefined && this.watch.version > 0)
      subscription.topics = new Set(this.watch.matching(subscription.pattern))
    if (membership.needsRejoin) return
    const { joinedTopics, assignedCounts } = this
    if (
      joinedTopics !== undefined &&
      (joinedTopics.size !== subscription.topics.size || [...subscription.topics].some((topic) => !joinedTopics.has(topic)))
    ) {
      membership.requestRejoin('the subscription has changed since joining')
    } else if (assignedCounts !== undefined) {
      const now = this.countsOf(this.watch.groupTopics)
      const gone = [...assignedCounts.keys()].some((topic) => !now.has(topic) && this.watch.isGone(topic))
      if (gone || [...now].some(([topic, count]) => assignedCounts.get(topic) !== count)) {
        membership.requestRejoin('cached metadata has changed since the assignment')
      }
    }
  }

  private autoCommit(): void {
    const { clock } = this.cluster.env
    if (!this.settings.autoCommit || this.autoCommitting || clock.monoMs() < this.nextAutoCommitMs) return
    this.nextAutoCommitMs = clock.monoMs() + this.settings.autoCommitIntervalMs
    this.autoCommitting = true
    void this.commits
      .async(this.subscription.consumed(), (error) => {
        // What passes is tried again soon; what does not shows in the next rebalance.
        if (error !== undefined && error.name === 'RetriableCommitFailedError') {
          this.nextAutoCommitMs = Math.min(this.nextAutoCommitMs, clock.monoMs() + this.cluster.settings.retryBackoffMs)
        }
      })
      .finally(() => {
        this.autoCommitting = false
      })
  }

  private async commitUntil(deadlineMs: number): Promise<void> {
    // It fails where the group has gone on without this member; then there is nothing to save.
    await this.commits.sync(this.subscription.consumed(), deadlineMs, () => this.isEnding).catch(() => {})
  }

  private revoked(partitions: TopicPartition[]): Promise<void> {
    return this.call('onPartitionsRevoked', partitions)
  }

  private lost(partitions: TopicPartition[]): Promise<void> {
    return this.call(
      this.subscription.listener.onPartitionsLost === undefined ? 'onPartitionsRevoked' : 'onPartitionsLost',
      partitions,
    )
  }

  private async call(
    which: 'onPartitionsAssigned' | 'onPartitionsRevoked' | 'onPartitionsLost',
    partitions: TopicPartition[],
  ): Promise<void> {
    try {
      await this.subscription.listener[which]?.(partitions)
    } catch (error) {
      throw new RebalanceListenerError('User rebalance callback throws an error', { cause: error })
    }
  }
}
