import { ErrorCode, errorMessage } from '../../protocol/errors'
import type { AlterPartitionReassignmentsResponse } from '../../protocol/messages/alter-partition-reassignments'
import type { ListPartitionReassignmentsResponse } from '../../protocol/messages/list-partition-reassignments'
import type { Input } from '../../protocol/messages/schema'
import { isBeingReassigned, originReplicas, reassignTo, sameList } from '../assignment'
import type { ReplicaAssignment } from '../assignment'
import type { Partition } from '../context'
import { completeReassignments, readLegacyRequest, reassign, refreshForOldLeaders, strikeFromLegacyRequest } from '../reassignment'
import type { Term } from '../term'
import type { EventOf } from './event'

interface Refusal {
  readonly code: number
  readonly message: string
}

const UNKNOWN_PARTITION: Refusal = { code: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, message: 'The partition does not exist.' }

/** AlterPartitionReassignments: a new target, or null to go back. It replaces what runs for the partition, whoever asked. */
export async function onApiReassignment(
  term: Term, event: EventOf<'ApiPartitionReassignment'>,
): Promise<Input<AlterPartitionReassignmentsResponse>> {
  const { context } = term
  const accepted = new Map<Partition, ReplicaAssignment>()
  const verdicts = event.request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, replicas }) => {
      const partition = context.partition(name, partitionIndex)
      const plan = planReassignment(term, partition, replicas)
      if (partition !== undefined && !('code' in plan)) accepted.set(partition, plan)
      return { partitionIndex, partition, refusal: 'code' in plan ? plan : undefined }
    }),
  }))
  if (accepted.size > 0) await strikeFromLegacyRequest(term, (partition) => partition !== undefined && accepted.has(partition))
  const failed = await reassign(term, accepted)
  return {
    responses: verdicts.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, partition, refusal }) => {
        if (refusal !== undefined) return { partitionIndex, errorCode: refusal.code, errorMessage: refusal.message }
        if (!failed.has(partition!)) return { partitionIndex, errorMessage: null }
        const errorCode = ErrorCode.UNKNOWN_SERVER_ERROR
        return { partitionIndex, errorCode, errorMessage: errorMessage(errorCode) }
      }),
    })),
  }
}

export async function onListReassignments(
  term: Term, event: EventOf<'ListPartitionReassignments'>,
): Promise<Input<ListPartitionReassignmentsResponse>> {
  const { context } = term
  const asked = event.request.topics?.flatMap(
    ({ name, partitionIndexes }) => partitionIndexes.map((index) => context.partition(name, index)),
  )
  const byTopic = new Map<string, Partition[]>()
  for (const partition of asked ?? context.reassigning) {
    if (partition === undefined || !isBeingReassigned(partition.assignment)) continue
    byTopic.set(partition.topic.name, [...(byTopic.get(partition.topic.name) ?? []), partition])
  }
  return {
    topics: [...byTopic].map(([name, partitions]) => ({
      name,
      partitions: partitions.map(({ index, assignment }) => ({
        partitionIndex: index,
        replicas: assignment.replicas,
        addingReplicas: assignment.adding,
        removingReplicas: assignment.removing,
      })),
    })),
  }
}

/** /admin/reassign_partitions, by which tools before 2.4 asked. */
export async function onZkReassignment(term: Term): Promise<void> {
  const request = await readLegacyRequest(term)
  if (request === undefined) return
  const { context, logger } = term
  const accepted = new Map<Partition, ReplicaAssignment>()
  const refused: { topic: string; partition: number; reason: string }[] = []
  for (const { topic, partition: index, replicas } of request.wanted) {
    const partition = context.partition(topic, index)
    if (partition !== undefined && isUnderWay(partition, replicas)) continue
    const plan = planReassignment(term, partition, replicas)
    if (partition === undefined || 'code' in plan) {
      refused.push({ topic, partition: index, reason: 'code' in plan ? plan.message : UNKNOWN_PARTITION.message })
    } else accepted.set(partition, plan)
  }
  const failed = await reassign(term, accepted)
  if (refused.length > 0 || failed.size > 0 || request.wanted.length === 0) {
    logger.warn({ refused, failed: failed.size }, 'reassignments asked for in ZooKeeper were refused')
    const isRefused = (partition: Partition | undefined) => {
      return partition === undefined || failed.has(partition)
        || refused.some((entry) => entry.topic === partition.topic.name && entry.partition === partition.index)
    }
    await strikeFromLegacyRequest(term, isRefused)
  }
}

/** A leader of before 2.7-IV2 wrote the state of a partition that is being reassigned. */
export async function onReassignmentIsrChange(term: Term, event: EventOf<'PartitionReassignmentIsrChange'>): Promise<void> {
  const partition = term.context.partition(event.topic, event.partition)
  if (partition === undefined || !term.context.reassigning.has(partition)) return
  await refreshForOldLeaders(term, [partition])
  await completeReassignments(term, [partition])
}

/** The assignment on the way to `replicas`, or why not. */
function planReassignment(
  term: Term, partition: Partition | undefined, replicas: readonly number[] | null,
): ReplicaAssignment | Refusal {
  const current = partition?.assignment ?? { replicas: [], adding: [], removing: [] }
  const fault = replicas === null ? undefined : replicasFault(term, current, replicas)
  if (fault !== undefined) return { code: ErrorCode.INVALID_REPLICA_ASSIGNMENT, message: fault }
  if (replicas === null && !isBeingReassigned(current)) {
    return { code: ErrorCode.NO_REASSIGNMENT_IN_PROGRESS, message: errorMessage(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS) }
  }
  if (partition === undefined || partition.topic.deletion !== 'none') return UNKNOWN_PARTITION
  const next = reassignTo(current, replicas ?? originalOrder(partition))
  return losesInSyncReplicas(partition, next) ? { code: ErrorCode.INVALID_REPLICA_ASSIGNMENT, message: NOBODY_IN_SYNC } : next
}

const NOBODY_IN_SYNC = 'None of the replicas that would be left is in sync: it would require an unclean leader election.'

/** What a reassignment had added is deleted at once when it is given up; in ZooKeeper mode Kafka deletes the last copy, too. */
function losesInSyncReplicas({ assignment, leadership }: Partition, next: ReplicaAssignment): boolean {
  const inSync = (leadership?.isr ?? []).filter((replica) => assignment.replicas.includes(replica))
  return inSync.length > 0 && !inSync.some((replica) => next.replicas.includes(replica))
}

/** What a cancelled reassignment goes back to: the preferred leader too, where it is still remembered. */
function originalOrder({ assignment, originalReplicas }: Partition): readonly number[] {
  const origin = originReplicas(assignment)
  const isRemembered = originalReplicas?.length === origin.length && origin.every((replica) => originalReplicas.includes(replica))
  return isRemembered ? originalReplicas : origin
}

function replicasFault(term: Term, current: ReplicaAssignment, replicas: readonly number[]): string | undefined {
  if (replicas.length === 0) return 'Empty replica list specified in partition reassignment.'
  const list = `List(${replicas.join(', ')})`
  if (new Set(replicas).size < replicas.length) return `Duplicate replica ids in partition reassignment replica list: ${list}`
  if (replicas.some((replica) => replica < 0)) return `Invalid broker id in replica list: ${list}`
  const { adding } = reassignTo(current, replicas)
  if (adding.every((broker) => term.context.isLive(broker))) return undefined
  return 'Replica assignment has brokers that are not alive. Replica list: '
    + `List(${adding.join(', ')}), live broker list: Set(${term.context.liveBrokerIds().join(', ')})`
}

function isUnderWay(partition: Partition, replicas: readonly number[]): boolean {
  const { assignment } = partition
  return isBeingReassigned(assignment) && sameList(reassignTo(assignment, replicas).replicas, assignment.replicas)
}
