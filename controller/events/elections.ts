import { ErrorCode, errorMessage } from '../../protocol/errors'
import type { ElectLeadersResponse } from '../../protocol/messages/elect-leaders'
import type { Input } from '../../protocol/messages/schema'
import { decodePreferredReplicaElection, preferredReplicaElectionPath } from '../../zk-schema/admin'
import type { TopicPartition } from '../../zk-schema/admin'
import { ZnodeFormatError } from '../../zk-schema/znode-json'
import { partitionName } from '../context'
import type { Partition } from '../context'
import { NO_LEADER } from '../leader-election'
import type { ElectionStrategy } from '../partition-state-machine'
import type { Term } from '../term'
import type { EventOf } from './event'

const PREFERRED = 0
const UNCLEAN = 1

/** ElectLeaders (KIP-460): preferred leaders, or leaders that may have lost data where there is no other. */
export async function onElectLeaders(term: Term, event: EventOf<'ReplicaLeaderElection'>): Promise<Input<ElectLeadersResponse>> {
  const { context, changes } = term
  const { electionType, topicPartitions } = event.request
  const isPreferred = electionType === PREFERRED
  if (!isPreferred && electionType !== UNCLEAN) return unknownType(topicPartitions ?? [])
  const asked = topicPartitions ?? allPartitionNames(term)
  const electable: Partition[] = []
  const verdicts = asked.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((index) => {
      const partition = context.partition(topic, index)
      const refusal = refusalOf(term, partition, isPreferred)
      if (refusal === undefined) electable.push(partition!)
      return { index, partition, refusal }
    }),
  }))
  const strategy: ElectionStrategy = isPreferred ? { kind: 'preferred' } : { kind: 'offline', allowUnclean: true }
  const outcomes = await changes.movePartitions(new Set(electable), 'OnlinePartition', strategy)
  const unavailable = isPreferred ? ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE : ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE
  const results = verdicts.map(({ topic, partitions }) => ({
    topic,
    partitionResult: partitions.map(({ index, partition, refusal }) => {
      if (refusal !== undefined) return { partitionId: index, ...refusal }
      const outcome = outcomes.get(partition!)!
      if (outcome.ok) return { partitionId: index, errorCode: ErrorCode.NONE, errorMessage: null }
      const message = `Failed to elect leader for partition ${partitionName(partition!)}: ${outcome.reason}`
      return { partitionId: index, errorCode: unavailable, errorMessage: message }
    }).filter((result) => topicPartitions !== null || result.errorCode !== ErrorCode.ELECTION_NOT_NEEDED),
  }))
  return {
    replicaElectionResults: results.filter(({ partitionResult }) => topicPartitions !== null || partitionResult.length > 0),
  }
}

/** What we do not know must not become an unclean election. */
function unknownType(asked: readonly { topic: string; partitions: readonly number[] }[]): Input<ElectLeadersResponse> {
  const errorCode = ErrorCode.INVALID_REQUEST
  const refused = { errorCode, errorMessage: 'Unknown election type' }
  return {
    errorCode,
    replicaElectionResults: asked.map(({ topic, partitions }) => ({
      topic, partitionResult: partitions.map((partitionId) => ({ partitionId, ...refused })),
    })),
  }
}

/** Moves leadership back to preferred replicas where a broker lost too much of it, as far as they can lead. */
export async function onAutoRebalance(term: Term): Promise<void> {
  const { changes, config, context } = term
  const totals = new Map<number, { all: number; elsewhere: Partition[] }>()
  for (const partition of context.allPartitions()) {
    const preferred = partition.assignment.replicas[0]
    if (preferred === undefined || partition.topic.deletion !== 'none') continue
    let total = totals.get(preferred)
    if (total === undefined) totals.set(preferred, (total = { all: 0, elsewhere: [] }))
    total.all++
    if (partition.leadership !== undefined && partition.leadership.leader !== preferred) total.elsewhere.push(partition)
  }
  const candidates: Partition[] = []
  for (const [broker, { all, elsewhere }] of totals) {
    if (elsewhere.length / all <= config.leaderImbalancePercentage / 100) continue
    for (const partition of elsewhere) {
      if (partition.leadership!.isr.includes(broker) && context.isReplicaOnline(broker, partition)) candidates.push(partition)
    }
  }
  if (candidates.length > 0) await changes.movePartitions(candidates, 'OnlinePartition', { kind: 'preferred' })
  term.putLater('rebalance', config.leaderImbalanceCheckIntervalSeconds * 1000, { kind: 'AutoPreferredReplicaLeaderElection' })
}

/** /admin/preferred_replica_election, by which tools before 2.4 asked. */
export async function onZkPreferredElection(term: Term): Promise<void> {
  const { changes, context, session, writer } = term
  await session.exists(preferredReplicaElectionPath, true)
  const node = await session.get(preferredReplicaElectionPath)
  if (node === undefined) return
  const wanted = decode(term, node.data).map(({ topic, partition }) => context.partition(topic, partition))
  const electable = wanted.filter((partition) => partition !== undefined && refusalOf(term, partition, true) === undefined)
  await changes.movePartitions(new Set(electable as Partition[]), 'OnlinePartition', { kind: 'preferred' })
  await writer.writeOne({ type: 'remove', path: preferredReplicaElectionPath, version: -1 })
  await session.exists(preferredReplicaElectionPath, true)
}

/** unclean.leader.election.enable became true: for all topics, or for one. */
export async function onUncleanElectionEnabled(term: Term): Promise<void> {
  await term.changes.onlineLeaderless()
}

export async function onTopicUncleanElectionEnabled(
  term: Term, event: EventOf<'TopicUncleanLeaderElectionEnable'>,
): Promise<void> {
  await term.changes.onlineLeaderless(event.topic)
}

function refusalOf(
  term: Term, partition: Partition | undefined, isPreferred: boolean,
): { errorCode: number; errorMessage: string } | undefined {
  if (partition === undefined) return refusal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'The partition does not exist.')
  if (partition.topic.deletion !== 'none') return refusal(ErrorCode.INVALID_TOPIC_EXCEPTION, 'The topic is being deleted')
  const leader = partition.leadership?.leader ?? NO_LEADER
  const hasLiveLeader = leader !== NO_LEADER && term.context.isLive(leader)
  const isNeeded = isPreferred ? leader !== partition.assignment.replicas[0] : !hasLiveLeader
  return isNeeded ? undefined : refusal(ErrorCode.ELECTION_NOT_NEEDED, errorMessage(ErrorCode.ELECTION_NOT_NEEDED))
}

function refusal(errorCode: number, message: string): { errorCode: number; errorMessage: string } {
  return { errorCode, errorMessage: message }
}

function allPartitionNames(term: Term): { topic: string; partitions: number[] }[] {
  return [...term.context.topics.values()].map(({ name, partitions }) => ({ topic: name, partitions: [...partitions.keys()] }))
}

function decode(term: Term, data: Buffer | null): TopicPartition[] {
  try {
    return decodePreferredReplicaElection(data)
  } catch (error) {
    if (!(error instanceof ZnodeFormatError)) throw error
    term.logger.warn(
      { path: error.path, reason: error.message }, 'an election asked for in ZooKeeper cannot be read, it is removed',
    )
    return []
  }
}
