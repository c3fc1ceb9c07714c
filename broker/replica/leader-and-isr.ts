import { ErrorCode } from '../../protocol/errors'
import type { Input } from '../../protocol/messages/codec'
import type {
  LeaderAndIsrPartitionState, LeaderAndIsrRequest, LeaderAndIsrResponse,
} from '../../protocol/messages/leader-and-isr'
import { validateTopicName } from '../../protocol/rules/topic-name'
import type { NewLog } from '../log/new-folders'
import type { FetcherManager } from './fetcher-manager'
import type { FutureReplicas } from './future-replicas'
import type { LeadershipChange } from './options'
import type { Partition } from './partition'
import { compareEpochs, type ReplicaAssignment } from './partition-state'
import type { ReplicaCore } from './replica-core'

/** Of many partitions so many are named in a line of the log. */
const NAMED_IN_LOGS = 3
const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

interface PartitionRequest {
  topic: string
  topicId: string | undefined
  state: LeaderAndIsrPartitionState
}

/**
 * Carries out a LeaderAndIsr that was believed, each partition on its own. A state that was applied before is not applied again,
 * but its follower is fetched and its coordinator announced once more: what failed half-way is repaired by a resend
 * (known-problems 2.8). An older state is refused with STALE_CONTROLLER_EPOCH.
 */
export function applyLeaderAndIsr(
  core: ReplicaCore,
  fetchers: FetcherManager,
  futures: Pick<FutureReplicas, 'resume'>,
  request: LeaderAndIsrRequest,
  version: number,
): Input<LeaderAndIsrResponse> {
  const leaders: LeadershipChange[] = []
  const followers: LeadershipChange[] = []
  const changed: Partition[] = []
  const errors = partitionsOf(request).map((each) => {
    const { errorCode, partition, isNews } = applyOne(core, fetchers, each)
    if (errorCode === ErrorCode.NONE && partition !== undefined) {
      if (isNews === true) changed.push(partition)
      futures.resume(partition)
      const { topic, partition: index, leaderEpoch } = partition
      const list = partition.isLeader ? leaders : followers
      list.push({ topic, partition: index, leaderEpoch })
    }
    return { ...each, errorCode }
  })
  fetchers.closeIdle()
  core.options.onLeadershipChange?.(leaders, followers)
  if (changed.length > 0) logRoles(core, changed, request.controllerEpoch)
  return responseOf(errors, version)
}

/** The logs that `applyLeaderAndIsr` would create now. */
export function logsToCreate(core: ReplicaCore, request: LeaderAndIsrRequest): NewLog[] {
  const { brokerId, logs } = core.options
  const allOnline = logs.onlineDirs.length === logs.dirs.length
  return partitionsOf(request).flatMap(({ topic, topicId, state }) => {
    const partition = state.partitionIndex
    const known = core.get(topic, partition)
    const isNeeded = known === undefined || (known.log === undefined && !known.isOffline && compareEpochs(state, known.seen) >= 0)
    if (!isNeeded || !state.replicas.includes(brokerId) || !(state.isNew || allOnline)) return []
    if (logs.get(topic, partition) !== undefined || validateTopicName(topic) !== undefined) return []
    return [{ topic, partition, topicId }]
  })
}

function* flatten(request: LeaderAndIsrRequest): Iterable<PartitionRequest> {
  for (const { topicName, topicId, partitionStates } of request.topicStates) {
    for (const state of partitionStates) yield { topic: topicName, topicId: topicId === ZERO_UUID ? undefined : topicId, state }
  }
  for (const state of request.ungroupedPartitionStates) yield { topic: state.topicName, topicId: undefined, state }
}

function partitionsOf(request: LeaderAndIsrRequest): PartitionRequest[] {
  return [...flatten(request)]
}

function applyOne(
  core: ReplicaCore,
  fetchers: FetcherManager,
  request: PartitionRequest,
): { errorCode: number; partition?: Partition; isNews?: boolean } {
  const { topic, topicId, state } = request
  const index = state.partitionIndex
  const { brokerId, logs } = core.options
  const known = core.get(topic, index)
  if (known?.isOffline) return { errorCode: ErrorCode.KAFKA_STORAGE_ERROR }
  const knownId = known?.topicId ?? logs.get(topic, index)?.topicId
  if (topicId !== undefined && knownId !== undefined && topicId !== knownId) return { errorCode: ErrorCode.INCONSISTENT_TOPIC_ID }
  const order = known === undefined ? 1 : compareEpochs(state, known.seen)
  if (order < 0) {
    // A newer ISR under the same leader: the controller had not seen it yet.
    const isSameLeadership = state.leaderEpoch === known!.seen.leaderEpoch && state.leaderEpoch === known!.leaderEpoch
    if (isSameLeadership) known!.toldUnder = core.options.brokerEpoch()
    return { errorCode: ErrorCode.STALE_CONTROLLER_EPOCH }
  }
  if (!state.replicas.includes(brokerId)) return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
  if (known === undefined && validateTopicName(topic) !== undefined) return { errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION }
  const partition = core.getOrCreate(topic, index)
  try {
    const isNews = !partition.isApplied(state)
    if (isNews) apply(core, fetchers, partition, topicId, state)
    else repeat(partition, topicId)
    partition.toldTopicId = topicId
    partition.toldUnder = core.options.brokerEpoch()
    // Also for a follower that was given up, or that waits for its leader.
    const isFetched = partition.role === 'follower' && (!core.isLeaving || state.isr.includes(brokerId))
    if (isFetched) fetchers.ensure(partition)
    return { errorCode: ErrorCode.NONE, partition, isNews }
  } catch (error) {
    const errorCode = core.errorCodeOf(error)
    core.logger.error({ topic, partition: index, err: error }, 'a new state could not be applied')
    return { errorCode }
  }
}

/** The state was applied; an id may be news (the controller gives ids to the topics of older clusters). */
function repeat(partition: Partition, topicId: string | undefined): void {
  if (topicId === undefined || partition.topicId !== undefined) return
  partition.log?.assignTopicId(topicId)
  partition.topicId = topicId
}

function apply(
  core: ReplicaCore,
  fetchers: FetcherManager,
  partition: Partition,
  topicId: string | undefined,
  state: LeaderAndIsrPartitionState,
): void {
  const { brokerId, logs } = core.options
  // Seen from now on, whatever becomes of it: an older state must not come after it.
  partition.seen = { leaderEpoch: state.leaderEpoch, partitionEpoch: state.partitionEpoch }
  const becomesLeader = state.leader === brokerId
  const isSameLeader = state.leader === partition.leaderId && state.leaderEpoch === partition.leaderEpoch
  if (becomesLeader || !isSameLeader) fetchers.remove(partition)
  const from = partition.role
  const log = partition.log ?? logs.getOrCreate(partition.topic, partition.partition, { topicId, isNew: state.isNew })
  if (topicId !== undefined && log.topicId === undefined) log.assignTopicId(topicId)
  const assignment: ReplicaAssignment = {
    controllerEpoch: state.controllerEpoch,
    leader: state.leader,
    leaderEpoch: state.leaderEpoch,
    isr: state.isr,
    partitionEpoch: state.partitionEpoch,
    replicas: state.replicas,
    addingReplicas: state.addingReplicas,
    removingReplicas: state.removingReplicas,
    isNew: state.isNew,
  }
  if (becomesLeader) partition.becomeLeader(assignment, log)
  else partition.becomeFollower(assignment, log)
  record(core, partition, from)
}

function record(core: ReplicaCore, partition: Partition, from: string): void {
  const { topic, partition: index, leaderId, leaderEpoch, isr, controllerEpoch, log } = partition
  const change = { topic, partition: index, from, to: partition.role, leader: leaderId, leaderEpoch, controllerEpoch }
  core.recorder.record({
    kind: 'stateTransition', ...change, replica: core.options.brokerId, isr: isr.committed, rule: 'LeaderAndIsr',
  })
  core.logger.debug({ ...change, endOffset: log?.endOffset, highWatermark: log?.highWatermark }, 'new role')
}

/** One line for a request; the recording has each partition. */
function logRoles(core: ReplicaCore, changed: readonly Partition[], controllerEpoch: number): void {
  const first = changed.slice(0, NAMED_IN_LOGS).map((partition) => {
    const { topic, partition: index, role, leaderId, leaderEpoch } = partition
    return `${topic}-${index} ${role} (leader ${leaderId}, epoch ${leaderEpoch})`
  })
  const leaders = changed.filter((partition) => partition.isLeader).length
  core.logger.info({ partitions: changed.length, leaders, controllerEpoch, first }, 'new roles')
}

/** The refusal of a request as a whole: said at the top and for each partition, as Kafka does. */
export function refuseLeaderAndIsr(request: LeaderAndIsrRequest, version: number, errorCode: number): Input<LeaderAndIsrResponse> {
  return { ...responseOf(partitionsOf(request).map((each) => ({ ...each, errorCode })), version), errorCode }
}

function responseOf(errors: readonly (PartitionRequest & { errorCode: number })[], version: number): Input<LeaderAndIsrResponse> {
  if (version < 5) {
    return {
      errorCode: ErrorCode.NONE,
      partitionErrors: errors.map(({ topic, state, errorCode }) => ({
        topicName: topic, partitionIndex: state.partitionIndex, errorCode,
      })),
    }
  }
  const topics = new Map<string, { topicId: string; partitionErrors: { partitionIndex: number; errorCode: number }[] }>()
  for (const { topic, topicId = ZERO_UUID, state, errorCode } of errors) {
    const group = topics.get(topic) ?? { topicId, partitionErrors: [] }
    topics.set(topic, group)
    group.partitionErrors.push({ partitionIndex: state.partitionIndex, errorCode })
  }
  return { errorCode: ErrorCode.NONE, topics: [...topics.values()] }
}
