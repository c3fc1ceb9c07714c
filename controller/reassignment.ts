import { decodeReassignPartitions, encodeReassignPartitions, reassignPartitionsPath } from '../zk-schema/admin'
import type { PartitionReassignment } from '../zk-schema/admin'
import { partitionStatePath } from '../zk-schema/topics'
import { ZnodeFormatError } from '../zk-schema/znode-json'
import { isBeingReassigned, plainAssignment, sameAssignment, sameList, targetReplicas } from './assignment'
import type { ReplicaAssignment } from './assignment'
import { partitionName } from './context'
import type { Partition, Topic } from './context'
import type { Replica } from './replica-state-machine'
import { RequestBatch } from './request-batch'
import type { Term } from './term'
import { writeAssignment } from './topic-znode'

/**
 * Takes reassignments forward (KIP-455, Kafka's onPartitionReassignment), many at a time. Phase U writes the assignment on the
 * way; while the target is not in sync, phase A starts the new replicas; once it is, phase B finishes. The topic znode is written
 * first in U and last in B, since it alone remembers the original replicas.
 * Gives back those whose assignment could not be written.
 */
export async function reassign(term: Term, reassignments: ReadonlyMap<Partition, ReplicaAssignment>): Promise<Set<Partition>> {
  const failed = await updateAssignments(term, reassignments)
  const partitions = [...reassignments.keys()].filter((partition) => !failed.has(partition))
  // What ran before runs on: its replicas were stopped already.
  await startNewReplicas(term, [...failed].filter(({ assignment }) => isBeingReassigned(assignment)))
  await refreshForOldLeaders(term, partitions)
  const complete = partitions.filter((partition) => isTargetInSync(partition))
  await startNewReplicas(term, partitions.filter((partition) => !complete.includes(partition)))
  await finish(term, complete)
  return failed
}

/** Goes on with all that are under way, or with some: after a failover, when a broker started, when somebody looks. */
export async function resumeReassignments(term: Term, partitions: Iterable<Partition> = term.context.reassigning): Promise<void> {
  const waiting = [...partitions].filter((partition) => partition.topic.deletion === 'none')
  if (waiting.length > 0) await reassign(term, new Map(waiting.map((partition) => [partition, partition.assignment])))
}

/** The ISR of these changed: those whose target is in sync now come to their end. */
export async function completeReassignments(term: Term, partitions: Iterable<Partition>): Promise<void> {
  const ready = [...partitions].filter((partition) => term.context.reassigning.has(partition) && isTargetInSync(partition))
  await resumeReassignments(term, ready)
}

/** Nothing left to wait for: every target replica is in the ISR, or there is no reassignment (any more). */
export function isTargetInSync(partition: Partition): boolean {
  if (!isBeingReassigned(partition.assignment)) return true
  const isr = partition.leadership?.isr ?? []
  const target = targetReplicas(partition.assignment)
  // Nobody moves to nowhere: a hand may have written such a thing.
  return target.length > 0 && target.every((replica) => isr.includes(replica))
}

/**
 * Phase U. Replicas of a reassignment that this one replaces are stopped first: a crash in between leaves the old reassignment,
 * not a stray.
 */
async function updateAssignments(term: Term, reassignments: ReadonlyMap<Partition, ReplicaAssignment>): Promise<Set<Partition>> {
  const { context, logger } = term
  const byTopic = new Map<Topic, Map<Partition, ReplicaAssignment>>()
  const unneeded: { partition: Partition; broker: number }[] = []
  for (const [partition, assignment] of reassignments) {
    context.reassigning.add(partition)
    if (sameAssignment(partition.assignment, assignment)) continue
    if (!isBeingReassigned(partition.assignment)) partition.originalReplicas = partition.assignment.replicas
    const changes = byTopic.get(partition.topic) ?? new Map<Partition, ReplicaAssignment>()
    byTopic.set(partition.topic, changes.set(partition, assignment))
    const gone = partition.assignment.replicas.filter((broker) => !assignment.replicas.includes(broker))
    unneeded.push(...gone.map((broker) => ({ partition, broker })))
  }
  const before = new Map([...reassignments.keys()].map((partition) => [partition, partition.assignment]))
  await removeReplicas(term, unneeded)
  const failed = new Set<Partition>()
  await Promise.all([...byTopic].map(async ([topic, changes]) => {
    const outcome = await writeAssignment(term, topic, byIndex(changes))
    for (const [partition, assignment] of changes) {
      if (outcome === 'written') context.setAssignment(partition, assignment)
      else {
        // The znode is as it was, and so must memory be: what is left of it without the replicas that were stopped may have no target.
        context.setAssignment(partition, before.get(partition)!)
        failed.add(partition)
      }
    }
  }))
  for (const partition of failed) {
    logger.error({ partition: partitionName(partition) }, 'cannot write the assignment of a reassignment')
    if (!isBeingReassigned(partition.assignment)) forgetReassignment(term, partition)
  }
  return failed
}

/** Leaders before 2.7-IV2 write the ISR themselves: memory may be behind, and only a watch tells of their next write. */
export async function refreshForOldLeaders(term: Term, partitions: readonly Partition[]): Promise<void> {
  if (term.rules.alterPartition) return
  for (const { topic, index } of partitions) {
    const path = partitionStatePath(topic.name, index)
    term.watches.onNode(path, { kind: 'PartitionReassignmentIsrChange', topic: topic.name, partition: index })
    await term.session.exists(path, true)
  }
  const states = await term.leadership.read(partitions)
  for (const [index, partition] of partitions.entries()) {
    const state = states[index]
    if (state !== undefined) partition.leadership = state
  }
}

/** Phase A: under a higher leader epoch, so that brokers take the changed assignment. */
async function startNewReplicas(term: Term, partitions: readonly Partition[]): Promise<void> {
  const { changes, channels, context } = term
  // One that led was of the reassignment before, and is gone: nobody else would look for another leader.
  const leaderless = partitions.filter((partition) => {
    return partition.leadership !== undefined && partition.state === 'OnlinePartition' && !context.hasLiveLeader(partition)
  })
  if (leaderless.length > 0) {
    await changes.movePartitions(leaderless, 'OfflinePartition')
    await changes.movePartitions(leaderless, 'OnlinePartition')
  }
  const raised: Partition[] = []
  for (const partition of partitions) if (partition.leadership !== undefined) raised.push(partition)
  const done = await changes.bumpLeaderEpochs(raised)
  const batch = new RequestBatch(context)
  for (const partition of done) tellReplicas(batch, partition)
  channels.send(batch)
  const fresh = partitions.flatMap((partition) => partition.assignment.adding.map((broker) => ({ partition, broker })))
  await changes.moveReplicas(fresh.filter((replica) => isUnknown(term, replica)), 'NewReplica')
}

/** The original replicas as what they are; the new ones may be created wherever there is room. */
function tellReplicas(batch: RequestBatch, partition: Partition): void {
  const { replicas, adding } = partition.assignment
  batch.addLeaderAndIsr(replicas.filter((broker) => !adding.includes(broker)), partition, false)
  batch.addLeaderAndIsr(adding, partition, true)
}

/** Phase B. */
async function finish(term: Term, partitions: readonly Partition[]): Promise<void> {
  if (partitions.length === 0) return
  const { changes, channels, context, deletion, logger } = term
  const removing = partitions.flatMap((partition) => partition.assignment.removing.map((broker) => ({ partition, broker })))
  // B1
  const adding = partitions.flatMap((partition) => partition.assignment.adding.map((broker) => ({ partition, broker })))
  for (const replica of adding) {
    if (isUnknown(term, replica)) changes.enterReplica(replica, 'NewReplica')
  }
  await changes.moveReplicas(adding, 'OnlineReplica')
  // B2
  const former = new Map(partitions.map((partition) => [partition, partition.assignment]))
  for (const partition of partitions) context.setAssignment(partition, plainAssignment(targetReplicas(partition.assignment)))
  // B3: no replica outside the target may lead, nor come back into the ISR.
  const settled = partitions.filter((partition) => {
    const leader = partition.leadership?.leader ?? -1
    return partition.assignment.replicas.includes(leader) && context.isReplicaOnline(leader, partition)
  })
  const raised = await changes.bumpLeaderEpochs(settled)
  const batch = new RequestBatch(context)
  for (const partition of raised) batch.addLeaderAndIsr(partition.assignment.replicas, partition, false)
  channels.send(batch)
  const leaderless = partitions.filter((partition) => !settled.includes(partition) && partition.leadership !== undefined)
  const elected = await changes.movePartitions(leaderless, 'OnlinePartition', { kind: 'reassign' })
  // Nobody of the target can lead: the others are not deleted before somebody can.
  const stuck = new Set(leaderless.filter((partition) => !elected.get(partition)!.ok && former.get(partition)!.removing.length > 0))
  for (const partition of stuck) context.setAssignment(partition, former.get(partition)!)
  partitions = partitions.filter((partition) => !stuck.has(partition))
  if (partitions.length === 0) return
  // B4, B5
  await removeReplicas(term, removing.filter(({ partition }) => !stuck.has(partition)))
  // B6
  const byTopic = new Map<Topic, Map<Partition, ReplicaAssignment>>()
  for (const partition of partitions) {
    const group = byTopic.get(partition.topic) ?? new Map<Partition, ReplicaAssignment>()
    byTopic.set(partition.topic, group.set(partition, partition.assignment))
  }
  await Promise.all([...byTopic].map(async ([topic, group]) => {
    const outcome = await writeAssignment(term, topic, byIndex(group))
    if (outcome !== 'written') logger.error({ topic: topic.name, outcome }, 'cannot write the end of a reassignment')
  }))
  // B7
  for (const partition of partitions) forgetReassignment(term, partition)
  await strikeFromLegacyRequest(term, (partition, replicas) => {
    return partitions.some((done) => done === partition && sameList(done.assignment.replicas, replicas))
  })
  // B8
  changes.sendMetadata(partitions)
  logger.info({ partitions: partitions.map(partitionName) }, 'reassigned')
  await deletion.resume()
}

function isUnknown(term: Term, replica: Replica): boolean {
  return term.context.replicaState(replica.partition, replica.broker) === 'NonExistentReplica'
}

function byIndex(assignments: ReadonlyMap<Partition, ReplicaAssignment>): Map<number, ReplicaAssignment> {
  return new Map([...assignments].map(([partition, assignment]) => [partition.index, assignment]))
}

export function forgetReassignment(term: Term, partition: Partition): void {
  term.context.reassigning.delete(partition)
  partition.originalReplicas = undefined
  term.watches.forgetNode(partitionStatePath(partition.topic.name, partition.index))
}

/** Out of the ISR, stopped, deleted, forgotten. As in Kafka the brokers' answers are not awaited; what they keep is stray. */
async function removeReplicas(term: Term, replicas: readonly { partition: Partition; broker: number }[]): Promise<void> {
  if (replicas.length === 0) return
  const { changes } = term
  for (const replica of replicas) {
    if (isUnknown(term, replica)) changes.enterReplica(replica, 'NewReplica')
  }
  await changes.moveReplicas(replicas, 'OfflineReplica')
  await changes.moveReplicas(replicas, 'ReplicaDeletionStarted')
  await changes.moveReplicas(replicas, 'ReplicaDeletionSuccessful')
  await changes.moveReplicas(replicas, 'NonExistentReplica')
}

/** What stands in /admin/reassign_partitions, the way of tools before 2.4. undefined: nothing. Arms the watch. */
export async function readLegacyRequest(term: Term): Promise<{ wanted: PartitionReassignment[]; version: number } | undefined> {
  await term.session.exists(reassignPartitionsPath, true)
  const node = await term.session.get(reassignPartitionsPath)
  if (node === undefined) return undefined
  try {
    return { wanted: decodeReassignPartitions(node.data), version: node.stat.version }
  } catch (error) {
    if (!(error instanceof ZnodeFormatError)) throw error
    term.logger.warn({ path: error.path, reason: error.message }, 'a reassignment in ZooKeeper cannot be read, it is removed')
    await term.writer.writeOne({ type: 'remove', path: reassignPartitionsPath, version: node.stat.version })
    return undefined
  }
}

/** Takes partitions out of /admin/reassign_partitions; the last ones take the znode with them. */
export async function strikeFromLegacyRequest(
  term: Term, isDone: (partition: Partition | undefined, replicas: readonly number[]) => boolean,
): Promise<void> {
  const request = await readLegacyRequest(term)
  if (request === undefined) return
  const left = request.wanted.filter(
    ({ topic, partition, replicas }) => !isDone(term.context.partition(topic, partition), replicas),
  )
  if (left.length === request.wanted.length && left.length > 0) return
  const result = await term.writer.writeOne(left.length === 0
    ? { type: 'remove', path: reassignPartitionsPath, version: request.version }
    : { type: 'set', path: reassignPartitionsPath, data: encodeReassignPartitions(left), version: request.version })
  // Arms the watch for the next request; somebody else's change is looked at again.
  if (left.length === 0 || !result.ok) term.put({ kind: 'ZkPartitionReassignment' })
}
