import { crc32c } from '../../../protocol/crc32c'
import { baseOffsetAt, lastOffsetAt } from '../../../protocol/records/batch'
import { iterateBatches } from '../../../protocol/records/records'
import { isInternalTopic } from '../../../protocol/rules/topic-name'
import { CompactedRecords } from './compacted'
import type { ReplicaLog } from '../../../broker/replica/log-port'
import type { Partition } from '../../../broker/replica/partition'
import type { SimulatedBroker, SimulatedCluster } from './cluster'

/** Batches that begin in [from, to), with what identifies their content. */
export function batchesOf(log: ReplicaLog, from: number, to: number): { baseOffset: number; nextOffset: number; bytes: Buffer }[] {
  const batches: { baseOffset: number; nextOffset: number; bytes: Buffer }[] = []
  for (let offset = Math.max(from, log.startOffset); offset < to; ) {
    const read = log.read(offset, 1 << 20, { upTo: 'logEnd', minOneMessage: true })
    const records = Buffer.from(read.records)
    read.release()
    const before = offset
    for (const bytes of iterateBatches(records)) {
      const baseOffset = baseOffsetAt(bytes, 0)
      const nextOffset = lastOffsetAt(bytes, 0) + 1
      if (baseOffset >= from && baseOffset < to) batches.push({ baseOffset, nextOffset, bytes })
      offset = nextOffset
    }
    if (offset === before) throw new Error(`${log.topic}-${log.partition}: nothing to read at ${offset} of ${log.endOffset}`)
  }
  return batches
}

interface Committed {
  /** Content by base offset. */
  batches: Map<number, number>
  /** Of an internal topic: they are cleaned. */
  compacted: CompactedRecords | undefined
  end: number
  leaders: Map<number, { broker: number; incarnation: number; highWatermark: number; checked: number; endBefore: number }>
}

/**
 * What was once below the high watermark of a leader stays, with the same bytes at the same offset, at every later leader (I1, I3, I15); a high
 * watermark does not fall while a leader leads (I2); an epoch has one leader (I5).
 */
export class CommittedOracle {
  private readonly cluster: SimulatedCluster
  private readonly partitions = new Map<string, Committed>()

  constructor(cluster: SimulatedCluster) {
    this.cluster = cluster
  }

  /** Offsets that were committed, over all partitions. */
  get committed(): number {
    let total = 0
    for (const { end } of this.partitions.values()) total += end
    return total
  }

  /** Cheap: after every step. */
  observe(): void {
    for (const broker of this.cluster.brokers) {
      if (broker.running === undefined) continue
      for (const partition of broker.running.replicas.leaderPartitions()) {
        if (partition.log !== undefined) this.observeLeader(broker, partition, partition.log)
      }
    }
  }

  private observeLeader(broker: SimulatedBroker, partition: Partition, log: ReplicaLog): void {
    const name = `${partition.topic}-${partition.partition}`
    const key = `${partition.topicId ?? ''}/${partition.partition}`
    let committed = this.partitions.get(key)
    if (committed === undefined) {
      const compacted = isInternalTopic(partition.topic) ? new CompactedRecords() : undefined
      this.partitions.set(key, (committed = { batches: new Map(), compacted, end: 0, leaders: new Map() }))
    }
    const { leaderEpoch } = partition
    const { highWatermark } = log
    const { incarnation } = broker.process
    const known = committed.leaders.get(leaderEpoch)
    if (known === undefined) {
      committed.leaders.set(leaderEpoch, { broker: broker.id, incarnation, highWatermark, checked: 0, endBefore: committed.end })
      this.verifyNewLeader(broker, name, committed, log, leaderEpoch)
      return this.advance(name, committed, log, leaderEpoch)
    }
    if (known.broker !== broker.id || known.incarnation !== incarnation) {
      throw new Error(`I5: ${name} has two leaders in epoch ${leaderEpoch}: brokers ${known.broker} and ${broker.id}`)
    }
    if (highWatermark < known.highWatermark) {
      throw new Error(`I2: the high watermark of ${name} fell from ${known.highWatermark} to ${highWatermark} at broker ${broker.id}`)
    }
    if (highWatermark > known.highWatermark) {
      known.highWatermark = highWatermark
      this.advance(name, committed, log, leaderEpoch)
    }
  }

  private verifyNewLeader(broker: SimulatedBroker, name: string, committed: Committed, log: ReplicaLog, epoch: number): void {
    // A leader that stood still may learn of its epoch when there is a later one: it cannot have what was committed in that.
    const later = [...committed.leaders].filter(([each]) => each > epoch).map(([, { endBefore }]) => endBefore)
    const end = Math.min(committed.end, ...later)
    if (log.endOffset < end) {
      throw new Error(
        `I1: ${name} had ${end} committed offsets, and broker ${broker.id}, its leader in epoch ${epoch}, has only ${log.endOffset}`,
      )
    }
    const { compacted } = committed
    if (compacted !== undefined) {
      const wrong = compacted.wrongWith(batchesOf(log, 0, end).map(({ bytes }) => bytes), log.startOffset, end)
      if (wrong !== undefined) throw new Error(`I3, I17: broker ${broker.id}, leader of ${name} in epoch ${epoch}, ${wrong}`)
      return
    }
    for (const { baseOffset, bytes } of batchesOf(log, 0, end)) {
      const expected = committed.batches.get(baseOffset)
      if (expected !== crc32c(bytes)) {
        throw new Error(`I3: at ${baseOffset} of ${name} broker ${broker.id}, leader in epoch ${epoch}, has another batch than was committed`)
      }
    }
  }

  private advance(name: string, committed: Committed, log: ReplicaLog, epoch: number): void {
    if (log.highWatermark <= committed.end) return
    for (const { baseOffset, nextOffset, bytes } of batchesOf(log, committed.end, log.highWatermark)) {
      if (baseOffset > committed.end) throw new Error(`I15: ${name} has a gap before ${baseOffset} in epoch ${epoch}`)
      if (committed.compacted === undefined) committed.batches.set(baseOffset, crc32c(bytes))
      else committed.compacted.add(bytes)
      committed.end = nextOffset
    }
  }
}
