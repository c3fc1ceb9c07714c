import { decodeGroupRecordKey, decodeGroupValue, decodeOffsetValue } from '../../protocol/files/internal-records'
import { baseOffsetAt, isControlAt, isTransactionalAt, producerIdAt } from '../../protocol/records/batch'
import { ControlType, decodeRecords, parseControlType, type Record } from '../../protocol/records/records'
import { Group } from './group'
import { committedOffset, restoreGroup } from './group-records'
import type { GroupMetadataValue } from '../../protocol/messages/group-metadata-record'
import type { Logger } from '../../runtime/log'
import type { Pacer } from '../coordinator/pacer'
import type { OffsetKey } from './offset-cache'

/** What the log says of one group, while it is read. */
interface LoadedGroup {
  readonly group: Group
  /** The newest record of the group itself; undefined: it only keeps offsets. */
  value: GroupMetadataValue | undefined
}

/**
 * Makes groups of what a partition of `__consumer_offsets` holds, batch by batch: of a group's records the last one counts;
 * offsets of a transaction count from its commit marker on, and not before a younger commit.
 */
export class GroupLoader {
  private readonly partition: number
  private readonly nowMs: number
  private readonly logger: Logger
  private readonly loaded = new Map<string, LoadedGroup>()
  private readonly openProducers = new Map<number, Set<Group>>()

  constructor(partition: number, nowMs: number, logger: Logger) {
    this.partition = partition
    this.nowMs = nowMs
    this.logger = logger
  }

  onBatch(batch: Buffer): void {
    if (isControlAt(batch, 0)) {
      this.onMarker(batch)
      return
    }
    const producerId = isTransactionalAt(batch, 0) ? producerIdAt(batch, 0) : undefined
    const appendedAt = baseOffsetAt(batch, 0)
    for (const record of decodeRecords(batch)) {
      try {
        this.onRecord(record, appendedAt, producerId)
      } catch (error) {
        // One record that nobody understands must not make the others unavailable.
        this.logger.error({ partition: this.partition, offset: record.offset, err: error }, 'a record of a group is left out')
      }
    }
  }

  private onMarker(batch: Buffer): void {
    const record = decodeRecords(batch)[0]
    if (record === undefined) return
    const type = parseControlType(record.key)
    if (type !== ControlType.commit && type !== ControlType.abort) return
    const producerId = producerIdAt(batch, 0)
    for (const group of this.openProducers.get(producerId) ?? []) {
      group.offsets.completeTransaction(producerId, type === ControlType.commit)
    }
    this.openProducers.delete(producerId)
  }

  private onRecord({ key: keyBytes, value }: Record, appendedAt: number, producerId: number | undefined): void {
    if (keyBytes === null) throw new Error('it has no key')
    const key = decodeGroupRecordKey(keyBytes)
    switch (key.kind) {
      case 'offset':
        this.onOffset(key.group, { topic: key.topic, partition: key.partition }, value, appendedAt, producerId)
        break
      case 'group':
        this.loadedGroup(key.group).value = value === null ? undefined : copied(decodeGroupValue(value))
        break
      case 'unknown':
        this.logger.warn({ partition: this.partition, version: key.version }, 'a record of a newer protocol is left out')
        break
      default:
        key satisfies never
    }
  }

  private onOffset(
    groupId: string, key: OffsetKey, value: Buffer | null, appendedAt: number, producerId: number | undefined,
  ): void {
    const { group } = this.loadedGroup(groupId)
    const commit = value === null ? undefined : committedOffset(decodeOffsetValue(value), appendedAt)
    if (producerId !== undefined) {
      group.offsets.loadTransactional(producerId, key, commit)
      let groups = this.openProducers.get(producerId)
      if (groups === undefined) this.openProducers.set(producerId, (groups = new Set()))
      groups.add(group)
    } else if (commit !== undefined) group.offsets.load(key, commit)
    else group.offsets.unload(key)
  }

  private loadedGroup(groupId: string): LoadedGroup {
    let loaded = this.loaded.get(groupId)
    if (loaded === undefined) {
      loaded = { group: new Group(groupId, this.partition, this.nowMs), value: undefined }
      this.loaded.set(groupId, loaded)
    }
    return loaded
  }

  /** Gives the groups their members; only markers may come afterwards. */
  async settle(pacer: Pacer): Promise<void> {
    for (const [groupId, { group, value }] of this.loaded) {
      if (pacer.isDue()) await pacer.pause()
      if (value === undefined) {
        // Everything of it was taken back.
        if (group.offsets.isEmpty) this.loaded.delete(groupId)
        continue
      }
      try {
        restoreGroup(group, value)
      } catch (error) {
        this.logger.error({ groupId, err: error }, 'the members of a group are left out: they cannot be members of one group')
        for (const memberId of [...group.members.keys()]) group.remove(memberId)
        // It may name one that was not restored.
        group.leaderId = undefined
        group.state = 'Empty'
      }
    }
  }

  /** What was loaded, by group id. */
  groups(): Map<string, Group> {
    const groups = new Map<string, Group>()
    for (const [groupId, { group }] of this.loaded) groups.set(groupId, group)
    return groups
  }
}

/** The batch is gone when the group is made. */
function copied(value: GroupMetadataValue): GroupMetadataValue {
  const members = value.members.map((member) => ({
    ...member, subscription: Buffer.from(member.subscription), assignment: Buffer.from(member.assignment),
  }))
  return { ...value, members }
}
