import { crcAt, lastOffsetAt } from '../../protocol/records/batch'
import { iterateBatches } from '../../protocol/records/records'

/** What one replica gave of a partition. */
export interface FetchedReplica {
  brokerId: number
  highWatermark: number
  records: Buffer
}

export interface Comparison {
  /** From where to go on: behind the last batch that all replicas have. */
  nextOffset: number
  /** What is wrong, without the time in front. */
  complaints: string[]
  /** The replicas have other offsets: there is no use in going on. */
  isFatal: boolean
}

/**
 * Goes through the replicas batch by batch, up to the high watermark of each, and compares offsets and checksums (Kafka's
 * ReplicaVerificationTool). Ends where one replica has nothing more.
 */
export function compareReplicas(name: string, offset: number, replicas: readonly FetchedReplica[]): Comparison {
  const iterators = replicas.map(({ records }) => iterateBatches(records))
  const complaints: string[] = []
  let nextOffset = offset
  for (;;) {
    let first: { brokerId: number; offset: number; checksum: number } | undefined
    for (const [i, replica] of replicas.entries()) {
      const { brokerId, highWatermark } = replica
      const batch = iterators[i]!.next()
      if (batch.done === true) return { nextOffset, complaints, isFatal: false }
      const found = { brokerId, offset: lastOffsetAt(batch.value, 0), checksum: crcAt(batch.value, 0) }
      if (found.offset >= highWatermark) return { nextOffset, complaints, isFatal: false }
      if (first === undefined) {
        first = found
        continue
      }
      if (first.offset !== found.offset) {
        complaints.push(
          `partition ${name}: replica ${first.brokerId}'s offset ${first.offset} doesn't match replica ${brokerId}'s offset ${found.offset}`,
        )
        return { nextOffset, complaints, isFatal: true }
      }
      if (first.checksum !== found.checksum) {
        complaints.push(
          `partition ${name} has unmatched checksum at offset ${found.offset}; replica ${first.brokerId}'s checksum ` +
            `${first.checksum}; replica ${brokerId}'s checksum ${found.checksum}`,
        )
      }
    }
    if (first === undefined) return { nextOffset, complaints, isFatal: false }
    nextOffset = first.offset + 1
  }
}
