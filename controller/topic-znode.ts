import { encodeTopic, topicPath } from '../zk-schema/topics'
import type { PartitionAssignment } from '../zk-schema/topics'
import type { ReplicaAssignment } from './assignment'
import type { Topic } from './context'
import type { Term } from './term'

const MAX_ATTEMPTS = 10

/** The topic's znode as it would be with these assignments. */
export function topicData(id: string | undefined, assignments: Iterable<readonly [number, ReplicaAssignment]>): Buffer {
  const partitions = new Map<number, PartitionAssignment>()
  for (const [index, { replicas, adding, removing }] of assignments) {
    partitions.set(index, { replicas: [...replicas], addingReplicas: [...adding], removingReplicas: [...removing] })
  }
  return encodeTopic({ topicId: id ?? null, partitions })
}

/**
 * Writes the topic's assignment: memory, with `changed` (by partition) in it or added to it. Conditional on the version that
 * memory came from. Where somebody else wrote meanwhile, what he added is kept, unless `onlyIfUnchanged`: then it is a conflict.
 * Memory stays as it is but for the version. 'gone': the topic is no more, or is another one now.
 */
export async function writeAssignment(
  term: Term, topic: Topic, changed: ReadonlyMap<number, ReplicaAssignment>, onlyIfUnchanged = false,
): Promise<'written' | 'conflict' | 'gone'> {
  let foreign: ReadonlyMap<number, ReplicaAssignment> = new Map()
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const assignments = new Map(foreign)
    for (const partition of topic.partitions.values()) assignments.set(partition.index, partition.assignment)
    for (const [index, assignment] of changed) assignments.set(index, assignment)
    const sorted = [...assignments].sort(([a], [b]) => a - b)
    const result = await term.writer.writeOne({
      type: 'set', path: topicPath(topic.name), data: topicData(topic.id, sorted), version: topic.version,
    })
    if (result.ok) {
      const written = result.results[0]
      if (written?.type === 'set') topic.version = written.stat.version
      return 'written'
    }
    if (result.code !== 'BAD_VERSION') return 'gone'
    if (onlyIfUnchanged) return 'conflict'
    const node = (await term.loader.topics([topic.name])).topics.get(topic.name)
    if (node === undefined || node.czxid !== topic.czxid) return 'gone'
    foreign = node.partitions
    topic.version = node.version
  }
  return 'conflict'
}
