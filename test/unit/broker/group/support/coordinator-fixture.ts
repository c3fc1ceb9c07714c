import { GroupCoordinator } from '../../../../../broker/group/group-coordinator'
import { GROUP_LIMITS, type GroupLimits } from '../../../../../broker/group/group-limits'
import { MetadataCache } from '../../../../../broker/metadata/metadata-cache'
import { encode } from '../../../../../protocol/messages/codec'
import { consumerProtocolSubscription } from '../../../../../protocol/messages/consumer-protocol'
import { silentLogger } from '../../../../../runtime/log'
import { TimerWheel } from '../../../../../runtime/timer-wheel'
import { FakeLog } from './fake-log'
import { VirtualClock } from './virtual-clock'
import type { GroupConfig } from '../../../../../broker/group/group-config'
import type { JoinRequest } from '../../../../../broker/group/joining'
import type { JoinResult, SyncResult } from '../../../../../broker/group/member'
import type { CommitRequest, OffsetToCommit } from '../../../../../broker/group/group-offsets'
import type { Transaction } from '../../../../../broker/group/group-store'
import type { Environment, Random } from '../../../../../runtime/ports'

export const CONFIG: GroupConfig = {
  minSessionTimeoutMs: 6000,
  maxSessionTimeoutMs: 1_800_000,
  maxSize: 2 ** 31 - 1,
  initialRebalanceDelayMs: 0,
  offsetMetadataMaxBytes: 4096,
  offsetsRetentionMs: 7 * 24 * 3600 * 1000,
  offsetsRetentionCheckIntervalMs: 600_000,
  commitTimeoutMs: 5000,
  commitRequiredAcks: -1,
  codec: 0,
  groupValueVersion: 3,
  offsetValueVersion: 3,
}

/** Deterministic: ids count up. */
class CountingRandom implements Random {
  private count = 0

  next(): number {
    return 0.5
  }

  below(): number {
    return 0
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length)
    bytes.writeUInt32BE(++this.count, length - 4)
    return bytes
  }
}

/** An answer that must come once. */
export class Answer<T> {
  readonly values: T[] = []

  readonly set = (value: T): void => {
    this.values.push(value)
  }

  get isThere(): boolean {
    return this.values.length > 0
  }

  /** Throws unless there is exactly one. */
  get value(): T {
    if (this.values.length !== 1) throw new Error(`${this.values.length} answers instead of one`)
    return this.values[0]!
  }
}

export function subscription(...topics: string[]): Buffer {
  return Buffer.concat([Buffer.from([0, 0]), encode(consumerProtocolSubscription, 0, { topics })])
}

export type Joins = Partial<JoinRequest> & { metadata?: Buffer; protocol?: string }

export class Fixture {
  readonly clock = new VirtualClock()
  readonly metadata = new MetadataCache()
  readonly log: FakeLog
  readonly config: GroupConfig
  coordinator!: GroupCoordinator
  mayAct = true
  private epoch = 0
  private readonly random = new CountingRandom()

  private readonly limits: GroupLimits

  private constructor(config: Partial<GroupConfig>, limits: Partial<GroupLimits>) {
    this.config = { ...CONFIG, ...config }
    this.limits = { ...GROUP_LIMITS, ...limits }
    this.log = new FakeLog(this.clock)
  }

  static async start(config: Partial<GroupConfig> = {}, limits: Partial<GroupLimits> = {}): Promise<Fixture> {
    const fixture = new Fixture(config, limits)
    await fixture.failOver()
    return fixture
  }

  /** Another broker becomes coordinator: it knows what the log says. */
  async failOver(): Promise<void> {
    this.coordinator?.partitions.onResignation(0)
    this.coordinator?.close()
    const env = { clock: this.clock, random: this.random } as unknown as Environment
    this.coordinator = new GroupCoordinator({
      env,
      timers: new TimerWheel(this.clock),
      logger: silentLogger,
      config: this.config,
      limits: this.limits,
      log: this.log,
      metadata: this.metadata,
      mayAct: () => this.mayAct,
    })
    this.coordinator.start()
    this.coordinator.partitions.onElection(0, ++this.epoch)
    await this.clock.settle()
  }

  join(options: Joins = {}): Answer<JoinResult> {
    const answer = new Answer<JoinResult>()
    this.coordinator.join(
      {
        groupId: 'group',
        memberId: '',
        groupInstanceId: null,
        requireKnownMemberId: false,
        supportsSkippingAssignment: true,
        clientId: 'client',
        clientHost: '/127.0.0.1',
        rebalanceTimeoutMs: 60_000,
        sessionTimeoutMs: 10_000,
        protocolType: 'consumer',
        protocols: [{ name: options.protocol ?? 'range', metadata: options.metadata ?? subscription('topic') }],
        reason: null,
        ...options,
      },
      answer.set,
    )
    return answer
  }

  sync(
    memberId: string,
    generationId: number,
    assignments: Record<string, string> = {},
    options: { groupInstanceId?: string | null; protocolType?: string | null; protocolName?: string | null; groupId?: string } = {},
  ): Answer<SyncResult> {
    const answer = new Answer<SyncResult>()
    this.coordinator.sync(
      {
        groupId: 'group', groupInstanceId: null, protocolType: 'consumer', protocolName: 'range', ...options,
        memberId, generationId,
        assignments: new Map(Object.entries(assignments).map(([id, value]) => [id, Buffer.from(value)])),
      },
      answer.set,
    )
    return answer
  }

  heartbeat(memberId: string, generationId: number, groupInstanceId: string | null = null, groupId = 'group'): number {
    return this.coordinator.heartbeat({ groupId, memberId, generationId, groupInstanceId })
  }

  commit(offset: number, options: Partial<CommitRequest> & Partial<OffsetToCommit> = {}): Answer<readonly number[]> {
    const answer = new Answer<readonly number[]>()
    this.coordinator.commit(commitRequest(offset, options), answer.set)
    return answer
  }

  commitTransactional(offset: number, transaction: Transaction, options: Partial<CommitRequest> & Partial<OffsetToCommit> = {}): Answer<readonly number[]> {
    const answer = new Answer<readonly number[]>()
    this.coordinator.commitTransactional(commitRequest(offset, options), transaction, answer.set)
    return answer
  }

  /** What is committed for a partition; the error code if there is one. */
  committed(groupId = 'group', topic = 'topic', partition = 0, requireStable = false): number | { errorCode: number } {
    const result = this.coordinator.fetch(groupId, [{ topic, partition }], requireStable)
    if (typeof result === 'number') return { errorCode: result }
    const { errorCode, offset } = result[0]!
    return errorCode === 0 ? offset : { errorCode }
  }

  state(groupId = 'group'): string {
    return this.coordinator.describe(groupId).groupState
  }

  /** Members that have joined, synced and are stable: their ids, the leader first. */
  async stable(count: number, options: Joins = {}): Promise<{ ids: string[]; generationId: number }> {
    const joins: Answer<JoinResult>[] = []
    for (let i = 0; i < count; i++) joins.push(this.join(options))
    await this.clock.advance(this.config.initialRebalanceDelayMs * 3 + 20)
    // Those that came after the first rebalance had ended called for another one.
    if (joins.some((join) => !join.isThere)) {
      for (const join of joins) if (join.isThere) joins[joins.indexOf(join)] = this.join({ ...options, memberId: join.value.memberId })
      await this.clock.settle()
    }
    const results = joins.map((join) => join.value)
    const { generationId, leaderId } = results[0]!
    const ids = results.map(({ memberId }) => memberId).sort((a, b) => Number(b === leaderId) - Number(a === leaderId))
    const assignments = Object.fromEntries(ids.map((id, i) => [id, `part ${i}`]))
    const syncs = ids.map((id, i) => this.sync(id, generationId, i === 0 ? assignments : {}, { protocolName: results[0]!.protocolName }))
    await this.clock.settle()
    for (const sync of syncs) if (sync.value.errorCode !== 0) throw new Error(`sync: ${sync.value.errorCode}`)
    return { ids, generationId }
  }
}

function commitRequest(offset: number, options: Partial<CommitRequest> & Partial<OffsetToCommit>): CommitRequest {
  const { topic = 'topic', partition = 0, leaderEpoch = -1, metadata = '', commitTimestamp = -1, expireTimestamp = -1, ...rest } = options
  return {
    groupId: 'group', memberId: '', groupInstanceId: null, generationId: -1,
    offsets: [{ topic, partition, offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp }],
    ...rest,
  }
}
