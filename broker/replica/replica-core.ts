import { ErrorCode, ProtocolError } from '../../protocol/errors'
import { ReplicationQuotas } from '../quota/replication-quotas'
import { noRecorder, type Recorder } from '../../recording/events'
import { InvariantError } from '../../runtime/assert'
import type { Logger } from '../../runtime/log'
import { LogError } from '../log/log-error'
import { AlterPartitionManager } from './alter-partition-manager'
import { LeadershipChecks } from './leadership-checks'
import type { ReplicaManagerOptions } from './options'
import { Partition } from './partition'
import type { PartitionContext } from './partition-context'
import { Preparation } from './preparation'
import { Purgatory } from './purgatory'
import type { LeaderIdAndEpoch } from './requests'

/** The replicas of this broker, and what waits for them. Shared by the parts of the replica manager. */
export class ReplicaCore {
  readonly options: ReplicaManagerOptions
  readonly logger: Logger
  readonly recorder: Recorder
  readonly produces: Purgatory<Partition>
  readonly fetches: Purgatory<Partition>
  readonly recordDeletions: Purgatory<Partition>
  readonly alterPartition: AlterPartitionManager
  readonly preparation: Preparation
  readonly leadership: LeadershipChecks
  readonly quotas: ReplicationQuotas
  private readonly byTopic = new Map<string, Map<number, Partition>>()
  private readonly changed = new Set<Partition>()
  private checkScheduled = false
  private readonly context: PartitionContext
  isShutDown = false
  /** See ReplicaManager.leave. */
  isLeaving = false

  constructor(options: ReplicaManagerOptions) {
    const { config, timers, env } = options
    this.options = options
    this.logger = options.logger
    this.recorder = options.recorder ?? noRecorder
    this.produces = new Purgatory(timers, config.maxDelayedOperations)
    this.fetches = new Purgatory(timers, config.maxDelayedOperations)
    this.recordDeletions = new Purgatory(timers, config.maxDelayedOperations)
    this.leadership = new LeadershipChecks(env.clock, options.readPartitionState, (answer) => this.answerLater(answer))
    this.preparation = new Preparation(options.compression)
    this.quotas = options.quotas ?? new ReplicationQuotas(env.clock)
    this.alterPartition = new AlterPartitionManager({
      clock: env.clock,
      logger: options.logger,
      brokerId: options.brokerId,
      brokerEpoch: options.brokerEpoch,
      toController: options.toController,
    })
    this.context = this.partitionContext()
  }

  private partitionContext(): PartitionContext {
    const { options } = this
    const check = (partition: Partition): void => this.scheduleCheck(partition)
    return {
      brokerId: options.brokerId,
      clock: options.env.clock,
      config: options.config,
      metadata: options.metadata,
      logger: this.logger,
      recorder: this.recorder,
      topicReplication: options.topicReplication,
      brokerEpoch: options.brokerEpoch,
      appended: check,
      highWatermarkAdvanced: check,
      lowWatermarkMayHaveMoved: check,
      interrupted: (partition) => this.check(partition),
      truncated: (partition, fromOffset, toOffset, reason) => {
        const { topic, partition: index } = partition
        this.recorder.record({ kind: 'truncation', topic, partition: index, fromOffset, toOffset, reason })
        this.logger.info({ topic, partition: index, fromOffset, toOffset, reason }, 'truncated')
        this.scheduleCheck(partition)
      },
      proposeIsr: (proposal, done) => this.alterPartition.submit(proposal, done),
      readPartitionState: async (topic, partition) => options.readPartitionState?.(topic, partition),
    }
  }

  /**
   * May this broker speak for a partition that it leads? Not while its session may have run out, nor when one did, until a controller
   * has told it since what became of the partition: another may lead it by then.
   */
  mayLead(partition: Partition): boolean {
    return this.options.mayAct() && partition.toldUnder === this.options.brokerEpoch()
  }

  /** Online replicas, offline ones too with `withOffline`. */
  *partitions(withOffline = false): Iterable<Partition> {
    for (const partitions of this.byTopic.values()) {
      for (const partition of partitions.values()) if (withOffline || !partition.isOffline) yield partition
    }
  }

  get(topic: string, partition: number): Partition | undefined {
    return this.byTopic.get(topic)?.get(partition)
  }

  getOrCreate(topic: string, index: number): Partition {
    let partitions = this.byTopic.get(topic)
    if (partitions === undefined) this.byTopic.set(topic, (partitions = new Map()))
    let partition = partitions.get(index)
    if (partition === undefined) partitions.set(index, (partition = new Partition(this.context, topic, index)))
    return partition
  }

  remove(partition: Partition): void {
    const partitions = this.byTopic.get(partition.topic)
    if (partitions?.get(partition.partition) !== partition) return
    partitions.delete(partition.partition)
    if (partitions.size === 0) this.byTopic.delete(partition.topic)
    partition.markDeleted()
  }

  /** Throws KAFKA_STORAGE_ERROR, NOT_LEADER_OR_FOLLOWER (it is elsewhere) or UNKNOWN_TOPIC_OR_PARTITION. */
  require(topic: string, index: number): Partition {
    const partition = this.get(topic, index)
    if (partition === undefined) {
      const exists = this.options.metadata.partition(topic, index) !== undefined
      throw new ProtocolError(exists ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    }
    if (partition.isOffline) throw new ProtocolError(ErrorCode.KAFKA_STORAGE_ERROR)
    return partition
  }

  /** The leader as far as this broker knows, for whom it had to send away (KIP-951). */
  currentLeader(topic: string, index: number): LeaderIdAndEpoch | undefined {
    const partition = this.get(topic, index)
    if (partition !== undefined && partition.role === 'follower') {
      return { leaderId: partition.leaderId, leaderEpoch: partition.leaderEpoch }
    }
    const metadata = this.options.metadata.partition(topic, index)
    return metadata && { leaderId: metadata.leader, leaderEpoch: metadata.leaderEpoch }
  }

  /** Looks at what waits for this partition, once at the end of this turn, after its log was written. */
  scheduleCheck(partition: Partition): void {
    this.changed.add(partition)
    if (this.checkScheduled) return
    this.checkScheduled = true
    this.options.turn.atEnd(1, () => {
      this.checkScheduled = false
      const partitions = [...this.changed]
      this.changed.clear()
      for (const each of partitions) this.check(each)
    })
  }

  private check(partition: Partition): void {
    for (const purgatory of [this.produces, this.fetches, this.recordDeletions]) {
      purgatory.checkAndComplete(partition)
      if (partition.isDeleted) purgatory.drop(partition)
    }
  }

  /** Calls `answer` when this turn's log writes are done. */
  answerLater(answer: () => void): void {
    this.options.turn.atEnd(1, answer)
  }

  /** The protocol's code for what an operation threw. A broken invariant goes on; what else nobody expected is logged. */
  errorCodeOf(error: unknown): number {
    if (error instanceof ProtocolError || error instanceof LogError) return error.code
    if (error instanceof InvariantError) throw error
    this.logger.error({ err: error }, 'unexpected error')
    return ErrorCode.UNKNOWN_SERVER_ERROR
  }
}
