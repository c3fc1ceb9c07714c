import { Partition } from '../../../broker/replica/partition'
import { ErrorCode } from '../../../protocol/errors'
import { SimulatedFile } from '../world/disk'

/** A mistake that the checks must find: they are checked, too. */
export interface PlantedBug {
  /** Makes the mistake; what it gives takes it back. */
  plant(): () => void
  /** What the failure says. */
  foundBy: RegExp
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
}
