import { ErrorCode } from '../../protocol/errors'
import { groupStoreError, offsetCommitError } from './append-errors'
import { Group, type MemoryUse } from './group'
import { groupBatch, offsetsBatch, tombstoneBatches } from './group-records'
import type { Logger } from '../../runtime/log'
import type { Clock } from '../../runtime/ports'
import type { CoordinatorLog } from '../coordinator/coordinator-log'
import type { VerificationGuard } from '../log/log-types'
import type { GroupConfig } from './group-config'
import type { OffsetEntry, OffsetKey } from './offset-cache'

export interface Transaction {
  producerId: number
  producerEpoch: number
  verificationGuard?: VerificationGuard | undefined
}

/**
 * The groups that this broker coordinates, and the way to their log. What is written counts in memory when it is replicated; an
 * answer waits for that.
 */
export class GroupStore {
  private readonly byPartition = new Map<number, Map<string, Group>>()
  /** What the groups cost together. */
  readonly memory: MemoryUse = { bytes: 0, offsetBytes: 0 }
  /** Groups in which a producer has offsets of an open transaction. */
  private readonly openProducers = new Map<number, Set<Group>>()
  private readonly log: Pick<CoordinatorLog, 'partitionFor' | 'append'>
  private readonly coordinatorEpoch: (partition: number) => number | undefined
  private readonly config: GroupConfig
  private readonly clock: Clock
  private readonly logger: Logger

  constructor(options: {
    log: Pick<CoordinatorLog, 'partitionFor' | 'append'>
    coordinatorEpoch(partition: number): number | undefined
    config: GroupConfig
    clock: Clock
    logger: Logger
  }) {
    this.log = options.log
    this.coordinatorEpoch = options.coordinatorEpoch
    this.config = options.config
    this.clock = options.clock
    this.logger = options.logger
  }

  partitionFor(groupId: string): number {
    return this.log.partitionFor(groupId)
  }

  get(groupId: string): Group | undefined {
    return this.byPartition.get(this.partitionFor(groupId))?.get(groupId)
  }

  /** Only for a group whose partition this broker coordinates. */
  getOrCreate(groupId: string): Group {
    const known = this.get(groupId)
    if (known !== undefined) return known
    const group = new Group(groupId, this.partitionFor(groupId), this.clock.wallMs())
    group.countIn(this.memory)
    this.groupsOf(group.partition).set(groupId, group)
    return group
  }

  /** Takes over what was loaded from a partition. */
  adopt(partition: number, groups: Map<string, Group>): void {
    this.byPartition.set(partition, groups)
    for (const group of groups.values()) {
      group.countIn(this.memory)
      for (const producerId of group.offsets.producers()) this.addProducer(producerId, group)
    }
  }

  /** Gives up a partition; the groups are the caller's. */
  release(partition: number): Iterable<Group> {
    const groups = [...(this.byPartition.get(partition)?.values() ?? [])]
    this.byPartition.delete(partition)
    for (const group of groups) group.countIn(undefined)
    for (const [producerId, open] of this.openProducers) {
      for (const group of open) if (group.partition === partition) open.delete(group)
      if (open.size === 0) this.openProducers.delete(producerId)
    }
    return groups
  }

  /** Of memory alone. */
  remove(group: Group): void {
    const groups = this.byPartition.get(group.partition)
    if (groups?.get(group.groupId) === group) groups.delete(group.groupId)
    group.countIn(undefined)
    for (const producerId of group.offsets.producers()) this.removeProducer(producerId, group)
  }

  *all(): Iterable<Group> {
    for (const groups of this.byPartition.values()) yield* groups.values()
  }

  get size(): number {
    let size = 0
    for (const groups of this.byPartition.values()) size += groups.size
    return size
  }

  private groupsOf(partition: number): Map<string, Group> {
    let groups = this.byPartition.get(partition)
    if (groups === undefined) this.byPartition.set(partition, (groups = new Map()))
    return groups
  }

  // The log

  /** Writes the group as it is now, with these assignments. `done` gets the error for its members. */
  storeGroup(group: Group, assignments: ReadonlyMap<string, Buffer>, done: (errorCode: number) => void): void {
    const { generationId, groupId } = group
    const batch = groupBatch(group, assignments, this.config, this.clock.wallMs())
    this.append(group, batch, undefined, (errorCode) => {
      if (errorCode !== ErrorCode.NONE) {
        // Where its partition has gone, the next coordinator goes on: nobody need look.
        const hasMoved = errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER
        this.logger[hasMoved ? 'info' : 'warn']({ groupId, generationId, errorCode }, 'a group could not be written')
      }
      done(groupStoreError(errorCode))
    })
  }

  /** Writes offsets; then they are in the group's cache. `done` gets the error for the client. */
  storeOffsets(
    group: Group,
    entries: readonly OffsetEntry[],
    transaction: Transaction | undefined,
    done: (errorCode: number) => void,
  ): void {
    const { offsets } = group
    const batch = offsetsBatch(group.groupId, entries, this.config, this.clock.wallMs(), transaction && {
      producerId: transaction.producerId, producerEpoch: transaction.producerEpoch,
    })
    const before = transaction && offsets.writtenTransactional(transaction.producerId, entries)
    if (transaction === undefined) offsets.prepare(entries)
    else {
      this.addProducer(transaction.producerId, group)
      offsets.prepareTransactional(transaction.producerId, entries)
    }
    this.append(group, batch, transaction?.verificationGuard, (errorCode, baseOffset) => {
      const isWritten = errorCode === ErrorCode.NONE
      if (transaction !== undefined) {
        if (isWritten) offsets.appendedTransactional(entries, baseOffset)
        else if (offsets.failedTransactional(transaction.producerId, entries, before!)) this.removeProducer(transaction.producerId, group)
      } else if (isWritten) offsets.appended(entries, baseOffset)
      else offsets.failed(entries)
      done(offsetCommitError(errorCode))
    })
  }

  /**
   * Takes offsets, and the group itself if `withGroup`, out of the log. Nobody waits for the replicas: should the tombstones be
   * lost with the leader, the next one finds the same reason to write them (as in Kafka).
   */
  writeTombstones(group: Group, offsets: Iterable<OffsetKey>, withGroup: boolean): void {
    const { groupId } = group
    for (const batch of tombstoneBatches(groupId, offsets, withGroup, this.config, this.clock.wallMs())) {
      this.append(group, batch, undefined, (errorCode) => {
        if (errorCode !== ErrorCode.NONE) this.logger.warn({ groupId, errorCode }, 'tombstones could not be written')
      }, 1)
    }
  }

  private append(
    group: Group,
    batch: Buffer,
    verificationGuard: VerificationGuard | undefined,
    done: (errorCode: number, baseOffset: number) => void,
    requiredAcks = this.config.commitRequiredAcks,
  ): void {
    const { partition } = group
    const coordinatorEpoch = this.coordinatorEpoch(partition) ?? -1
    this.log.append(partition, batch, { timeoutMs: this.config.commitTimeoutMs, requiredAcks, coordinatorEpoch, verificationGuard }, done)
  }

  // Transactions

  /** The marker of a transaction was written to these partitions: its offsets count now, or never. */
  completeTransaction(producerId: number, partitions: ReadonlySet<number>, isCommit: boolean): void {
    for (const group of [...(this.openProducers.get(producerId) ?? [])]) {
      if (!partitions.has(group.partition)) continue
      group.offsets.completeTransaction(producerId, isCommit)
      this.removeProducer(producerId, group)
    }
  }

  private addProducer(producerId: number, group: Group): void {
    let groups = this.openProducers.get(producerId)
    if (groups === undefined) this.openProducers.set(producerId, (groups = new Set()))
    groups.add(group)
  }

  private removeProducer(producerId: number, group: Group): void {
    const groups = this.openProducers.get(producerId)
    groups?.delete(group)
    if (groups?.size === 0) this.openProducers.delete(producerId)
  }
}
