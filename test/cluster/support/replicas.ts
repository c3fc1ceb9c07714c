import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeLeaderEpochCheckpoint } from '../../../protocol/files/leader-epoch-checkpoint'
import { baseOffsetAt, batchIsCompleteAt, batchIsValidAt, batchSizeAt, lastOffsetAt, leaderEpochAt } from '../../../protocol/records/batch'
import type { TestCluster } from '../../../index'

/** What is asked of a cluster here. */
type WithLogDirs = Pick<TestCluster, 'logDirs'>

interface Replica {
  broker: number
  directory: string
  /** By base offset, in order. */
  batches: { base: number; last: number; epoch: number; bytes: Buffer }[]
}

function replicaOf(cluster: WithLogDirs, broker: number, name: string): Replica | undefined {
  const directory = cluster.logDirs(broker).map((dir) => join(dir, name)).find((path) => existsSync(path))
  if (directory === undefined) return undefined
  const files = readdirSync(directory).filter((file) => file.endsWith('.log')).sort()
  const batches: Replica['batches'] = []
  for (const file of files) {
    const bytes = readFileSync(join(directory, file))
    for (let at = 0; batchIsCompleteAt(bytes, at); at += batchSizeAt(bytes, at)) {
      if (!batchIsValidAt(bytes, at)) throw new Error(`broker ${broker} has a torn batch in ${file} of ${name} at byte ${at}`)
      const batch = bytes.subarray(at, at + batchSizeAt(bytes, at))
      batches.push({ base: baseOffsetAt(batch, 0), last: lastOffsetAt(batch, 0), epoch: leaderEpochAt(batch, 0), bytes: batch })
    }
  }
  return { broker, directory, batches }
}

/** What is wrong with one replica by itself: offsets without gaps, epochs that never go down. */
function complaintsOf({ broker, batches }: Replica): string[] {
  const found: string[] = []
  for (const [i, batch] of batches.entries()) {
    const before = batches[i - 1]
    if (before === undefined) continue
    if (batch.base !== before.last + 1) found.push(`broker ${broker}: offset ${batch.base} follows ${before.last}`)
    if (batch.epoch < before.epoch) found.push(`broker ${broker}: epoch ${batch.epoch} at offset ${batch.base} follows epoch ${before.epoch}`)
  }
  return found
}

/**
 * Compares what the replicas of a partition have on disk below its high watermark, byte by byte. A replica may begin later than
 * another; none may end before the high watermark. Gives sentences, or nothing.
 */
export function replicaDifferences(cluster: WithLogDirs, topic: string, partition: number, brokers: readonly number[], highWatermark: number): string[] {
  const name = `${topic}-${partition}`
  const replicas: Replica[] = []
  for (const broker of brokers) {
    const replica = replicaOf(cluster, broker, name)
    if (replica === undefined) return [`broker ${broker} has no log of ${name}`]
    replicas.push(replica)
  }
  const differences = replicas.flatMap((replica) => complaintsOf(replica).map((complaint) => `${name}: ${complaint}`))
  const first = replicas[0]
  if (first === undefined) return differences
  for (const replica of replicas) {
    const end = (replica.batches.at(-1)?.last ?? -1) + 1
    if (end < highWatermark) differences.push(`${name}: broker ${replica.broker} ends at ${end}, below the high watermark ${highWatermark}`)
  }
  for (const other of replicas.slice(1)) {
    const start = Math.max(first.batches[0]?.base ?? 0, other.batches[0]?.base ?? 0)
    const mine = first.batches.filter(({ base }) => base >= start && base < highWatermark)
    const theirs = other.batches.filter(({ base }) => base >= start && base < highWatermark)
    for (const [i, batch] of mine.entries()) {
      const its = theirs[i]
      if (its !== undefined && its.bytes.equals(batch.bytes)) continue
      const what = its === undefined ? 'nothing' : `offsets ${its.base} to ${its.last} of epoch ${its.epoch}`
      differences.push(
        `${name}: broker ${first.broker} has offsets ${batch.base} to ${batch.last} of epoch ${batch.epoch}, broker ${other.broker} ${what}`,
      )
      break
    }
  }
  return differences
}

/** After a clean stop: each epoch with records stands in leader-epoch-checkpoint where its first record is. */
export function epochFileDifferences(cluster: TestCluster, topic: string, partition: number, brokers: readonly number[]): string[] {
  const name = `${topic}-${partition}`
  const differences: string[] = []
  for (const broker of brokers) {
    const replica = replicaOf(cluster, broker, name)
    if (replica === undefined) return [`broker ${broker} has no log of ${name}`]
    const entries = decodeLeaderEpochCheckpoint(readFileSync(join(replica.directory, 'leader-epoch-checkpoint'), 'utf8'))
    const inFile = new Map(entries.map(({ epoch, startOffset }) => [epoch, startOffset]))
    for (const [i, entry] of entries.entries()) {
      const before = entries[i - 1]
      if (before !== undefined && (entry.epoch <= before.epoch || entry.startOffset < before.startOffset)) {
        differences.push(`${name}: broker ${broker} has epoch ${entry.epoch} at ${entry.startOffset} after ${before.epoch} at ${before.startOffset}`)
      }
    }
    let last = -1
    for (const { epoch, base } of replica.batches) {
      if (epoch === last) continue
      last = epoch
      if (inFile.get(epoch) !== base) {
        differences.push(`${name}: broker ${broker} has the first record of epoch ${epoch} at ${base}, its file says ${inFile.get(epoch) ?? 'nothing'}`)
      }
    }
  }
  return differences
}
