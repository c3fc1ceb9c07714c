import { Group } from '../../../broker/group/group'
import { GroupLoader } from '../../../broker/group/group-loader'
import { GroupStore } from '../../../broker/group/group-store'
import { OffsetMap } from '../../../broker/log/cleaner/offset-map'
import { Log } from '../../../broker/log/log'
import { Partition } from '../../../broker/replica/partition'
import { MarkerSender } from '../../../broker/transaction/marker-sender'
import { ErrorCode } from '../../../protocol/errors'
import { SimulatedFile } from '../world/disk'
import { COORDINATOR_PROPERTIES } from './coordination'
import type { Clock } from '../../../runtime/ports'

/** A mistake that the checks must find: they are checked, too. */
export interface PlantedBug {
  /** Makes the mistake; what it gives takes it back. */
  plant(): () => void
  /** What the failure says. */
  foundBy: RegExp
  /** Of the coordinators: only stories with groups and transactions can find it. */
  coordinators?: boolean
}

function replace<T extends object, K extends keyof T>(target: T, key: K, value: T[K]): () => void {
  const original = target[key]
  target[key] = value
  return () => {
    target[key] = original
  }
}

const { prepareRead } = Partition.prototype
const { sync } = SimulatedFile.prototype
const { add: addMarkers } = MarkerSender.prototype
const { storeOffsets } = GroupStore.prototype
const { nextGeneration } = Group.prototype
const { read } = Log.prototype
const { get: lastOffset } = OffsetMap.prototype

export const bugs: Record<string, PlantedBug> = {
  'acks=all is answered before the high watermark': {
    plant: () => replace(Partition.prototype, 'ackState', () => ErrorCode.NONE),
    foundBy: /I1: .* acknowledged records are lost/,
  },
  'a leader does not look at the epoch of a fetch': {
    plant: () => replace(Partition.prototype, 'prepareRead', function (this: Partition, ...args) {
      return { ...prepareRead.apply(this, args), divergingEpoch: undefined }
    }),
    foundBy: /I[1-4]: |virtual ms went by/,
  },
  'a log is not synced': {
    plant: () => replace(SimulatedFile.prototype, 'sync', function (this: SimulatedFile) {
      return this.path.endsWith('.log') && this.path.startsWith('/data/logs/') ? Promise.resolve() : sync.call(this)
    }),
    foundBy: /I1: /,
  },
  'a transaction ends without its markers': {
    coordinators: true,
    plant: () => replace(MarkerSender.prototype, 'add', function (this: MarkerSender, pending) {
      for (const { topic, partition } of [...pending.metadata.partitions]) pending.metadata.removePartition(topic, partition)
      addMarkers.call(this, pending)
    }),
    foundBy: /virtual ms went by without: all is consumed and copied/,
  },
  'a commit of offsets is answered before it is written': {
    coordinators: true,
    plant: () => replace(GroupStore.prototype, 'storeOffsets', function (this: GroupStore, group, entries, transaction, done) {
      done(ErrorCode.NONE)
      const { clock } = this as unknown as { clock: Clock }
      clock.timer(200, () => storeOffsets.call(this, group, entries, transaction, () => {}))
    }),
    foundBy: /lost commit|commit went back|copied more than once|virtual ms went by without: all is consumed and copied/,
  },
  'a new coordinator of groups overlooks markers': {
    coordinators: true,
    plant: () => replace(GroupLoader.prototype as unknown as { onMarker(): void }, 'onMarker', () => {}),
    foundBy: /copied more than once|virtual ms went by without: all is consumed and copied/,
  },
  'a group gives the same generation to different members': {
    coordinators: true,
    plant: () => {
      const undo = replace(Group.prototype, 'nextGeneration', function (this: Group, nowMs) {
        nextGeneration.call(this, nowMs)
        if (this.generationId > 1) (this as { generationId: number }).generationId = 1
      })
      // The cleaner leaves only the last of a group's records, and none to compare it with.
      const keep = replace(COORDINATOR_PROPERTIES as Record<string, string>, 'log.cleaner.min.cleanable.ratio', '1')
      return () => {
        undo()
        keep()
      }
    },
    foundBy: /two owners in generation/,
  },
  'read_committed is not told of aborted transactions': {
    coordinators: true,
    plant: () => replace(Log.prototype, 'read', function (this: Log, ...args) {
      const result = read.apply(this, args)
      if (result.abortedTransactions !== undefined) result.abortedTransactions = []
      return result
    }),
    foundBy: /copied more than once|read and not there|never sent/,
  },
  'the cleaner takes the last record of a key for an older one': {
    coordinators: true,
    plant: () => replace(OffsetMap.prototype, 'get', function (this: OffsetMap, ...args) {
      const offset = lastOffset.apply(this, args)
      return offset % 5 === 0 ? offset + 1 : offset
    }),
    foundBy: /I17: .* has lost the record/,
  },
}
