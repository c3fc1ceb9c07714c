import { ErrorCode } from '../../protocol/errors'
import { expiredOffsets } from './offset-expiry'
import type { Pacer } from '../coordinator/pacer'
import type { Group } from './group'
import type { OffsetKey } from './offset-cache'
import type { GroupParts } from './rebalances'

export interface OffsetDeletion {
  /** Of the whole request; then `errorCodes` is empty. */
  errorCode: number
  errorCodes: number[]
}

/** How offsets and groups go: by request, by time, and with their topics. For groups that this broker coordinates. */
export class GroupRemoval {
  private readonly parts: GroupParts

  constructor(parts: GroupParts) {
    this.parts = parts
  }

  /** DeleteGroups: only a group without members. */
  deleteGroup(groupId: string): number {
    const group = this.parts.store.get(groupId)
    if (group === undefined) return ErrorCode.GROUP_ID_NOT_FOUND
    if (!group.is('Empty')) return ErrorCode.NON_EMPTY_GROUP
    this.removeOffsets(group, group.offsets.keys(), true)
    this.parts.logger.info({ groupId }, 'the group was deleted')
    return ErrorCode.NONE
  }

  /** OffsetDelete: of a group that is in use only what it does not consume. */
  deleteOffsets(groupId: string, keys: readonly OffsetKey[]): OffsetDeletion {
    const group = this.parts.store.get(groupId)
    if (group === undefined) return { errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorCodes: [] }
    const isLive = !group.is('Empty')
    if (isLive && !group.isConsumerGroup) return { errorCode: ErrorCode.NON_EMPTY_GROUP, errorCodes: [] }
    const isConsumed = ({ topic }: OffsetKey): boolean => isLive && group.isSubscribedTo(topic)
    this.removeOffsets(group, keys.filter((key) => !isConsumed(key)))
    return {
      errorCode: ErrorCode.NONE,
      errorCodes: keys.map((key) => (isConsumed(key) ? ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC : ErrorCode.NONE)),
    }
  }

  /** Offsets whose time is over, and groups that nothing is left of (KIP-211). Every `offsets.retention.check.interval.ms`. */
  async removeExpired(pacer: Pacer): Promise<void> {
    const { store, config, clock, logger } = this.parts
    const nowMs = clock.wallMs()
    let removed = 0
    for (const group of store.all()) {
      if (pacer.isDue()) await pacer.pause()
      // Groups may go while this pauses.
      if (group.is('Dead') || store.get(group.groupId) !== group) continue
      const expired = expiredOffsets(group, group.offsets, nowMs, config.offsetsRetentionMs)
      removed += expired.length
      this.removeOffsets(group, expired)
    }
    if (removed > 0) logger.info({ offsets: removed }, 'expired offsets were removed')
  }

  /** The topic, or these partitions of it, are deleted: what a topic of the same name will hold has nothing to do with it. */
  removeOfDeleted(deleted: readonly OffsetKey[]): void {
    if (deleted.length === 0) return
    const topics = new Set(deleted.map(({ topic }) => topic))
    let removed = 0
    for (const group of this.parts.store.all()) {
      let isConcerned = false
      for (const topic of topics) if (group.offsets.knowsTopic(topic)) isConcerned = true
      if (isConcerned) removed += this.removeOffsets(group, deleted)
    }
    if (removed > 0) this.parts.logger.info({ offsets: removed }, 'offsets of deleted partitions were removed')
  }

  /** How many there were. An empty group goes with its last offset, or because it is told to. */
  private removeOffsets(group: Group, keys: readonly OffsetKey[], withGroup = false): number {
    const { store, clock } = this.parts
    const removed = keys.filter((key) => group.offsets.remove(key))
    const isOver = group.is('Empty') && (withGroup || (group.offsets.isEmpty && group.pendingMembers.size === 0))
    if (isOver) {
      for (const timer of group.pendingMembers.values()) timer.cancel()
      group.transitionTo('Dead', clock.wallMs())
      store.remove(group)
    }
    // A group that only kept offsets has no record of its own.
    if (removed.length > 0 || (isOver && group.generationId > 0)) {
      store.writeTombstones(group, removed, isOver && group.generationId > 0)
    }
    return removed.length
  }
}
