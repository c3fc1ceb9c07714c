import { ErrorCode } from '../../protocol/errors'
import type { FetchState } from './fetcher-state'
import type { LeaderConnection } from './leader-connection'
import type { ReplicationProtocol } from './options'
import { decideTruncation } from './truncation'

const LATEST = -1
const EARLIEST = -2

export interface TruncationContext {
  connection: LeaderConnection
  brokerId: number
  protocol: ReplicationProtocol
  /** Is this still the state of its partition? To be asked after each answer. */
  isCurrent(state: FetchState): boolean
  /** The leader answered with an error. */
  refused(state: FetchState, errorCode: number): void
  /** The own log could not be cut. */
  failed(state: FetchState, error: unknown): void
}

/**
 * The truncation phase before the first fetch: asks the leader where the follower's last epoch ends and cuts there, again as
 * long as the leader knows another epoch than the follower (KIP-101, KIP-279). A log that knows no epoch is cut to its high
 * watermark. With IBP 2.7 and later only the last happens: then the leader says so in its answer to a fetch.
 *
 * Rejects when the leader does not answer.
 */
export async function truncateByEpochs(context: TruncationContext, states: readonly FetchState[]): Promise<void> {
  const asking: { state: FetchState; epoch: number }[] = []
  for (const state of states) {
    const log = state.partition.log
    if (log === undefined) continue
    if (log.latestEpoch >= 0) asking.push({ state, epoch: log.latestEpoch })
    else cut(context, state, state.fetchOffset, true, 'to the high watermark')
  }
  if (asking.length === 0) return
  const ends = await askEpochEnds(context, asking)
  for (const { state } of asking) {
    const end = ends.get(`${state.partition.topic}/${state.partition.partition}`)
    const log = state.partition.log
    if (!context.isCurrent(state) || log === undefined) continue
    if (end === undefined || end.errorCode !== ErrorCode.NONE) {
      context.refused(state, end?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR)
      continue
    }
    const { offset, isComplete } = decideTruncation(log, { epoch: end.leaderEpoch, endOffset: end.endOffset }, state.fetchOffset)
    cut(context, state, offset, isComplete, `epoch ${end.leaderEpoch} ends at ${end.endOffset}`)
  }
}

async function askEpochEnds(
  context: TruncationContext,
  asking: readonly { state: FetchState; epoch: number }[],
): Promise<Map<string, { errorCode: number; leaderEpoch: number; endOffset: number }>> {
  type Question = { partition: number; currentLeaderEpoch: number; leaderEpoch: number }
  const topics = new Map<string, { topic: string; partitions: Question[] }>()
  for (const { state, epoch } of asking) {
    const { topic, partition } = state.partition
    const group = topics.get(topic) ?? { topic, partitions: [] }
    topics.set(topic, group)
    group.partitions.push({ partition, currentLeaderEpoch: state.leaderEpoch, leaderEpoch: epoch })
  }
  const version = context.protocol.offsetForLeaderEpochVersion
  const response = await context.connection.offsetForLeaderEpoch(version, {
    ...(version >= 3 && { replicaId: context.brokerId }),
    topics: [...topics.values()],
  })
  const ends = new Map<string, { errorCode: number; leaderEpoch: number; endOffset: number }>()
  for (const { topic, partitions } of response.topics) {
    for (const { partition, errorCode, leaderEpoch, endOffset } of partitions) {
      ends.set(`${topic}/${partition}`, { errorCode, leaderEpoch, endOffset })
    }
  }
  return ends
}

function cut(context: TruncationContext, state: FetchState, offset: number, isComplete: boolean, reason: string): void {
  const { partition } = state
  try {
    partition.truncateTo(offset, reason)
  } catch (error) {
    context.failed(state, error)
    return
  }
  const log = partition.log
  if (log === undefined) return
  state.fetchOffset = log.endOffset
  state.lastFetchedEpoch = log.latestEpoch
  state.failures = 0
  if (isComplete) state.stage = 'fetching'
}

/**
 * The leader has not the offset that was asked for. Its end lies below: it was elected without having had all (unclean), and
 * the rest here is nobody's. Its start lies above the end here: begin anew there. Else the log moved meanwhile: go on.
 */
export async function resetOutOfRange(context: TruncationContext, states: readonly FetchState[]): Promise<void> {
  if (states.length === 0) return
  const latest = await askOffsets(context, states, LATEST)
  const behind = states.filter((state) => {
    const answer = takeAnswer(context, state, latest)
    const log = state.partition.log
    if (answer === undefined || log === undefined) return false
    if (answer >= log.endOffset) return true
    cut(context, state, answer, true, 'the leader ends there')
    return false
  })
  if (behind.length === 0) return
  const earliest = await askOffsets(context, behind, EARLIEST)
  for (const state of behind) {
    const leaderStart = takeAnswer(context, state, earliest)
    const log = state.partition.log
    if (leaderStart === undefined || log === undefined) continue
    try {
      if (leaderStart > log.endOffset) state.partition.truncateFullyAndStartAt(leaderStart, 'the leader starts there')
      state.fetchOffset = log.endOffset
      state.lastFetchedEpoch = log.latestEpoch
      state.stage = 'fetching'
    } catch (error) {
      context.failed(state, error)
    }
  }
}

type Offsets = Map<string, { errorCode: number; offset: number }>

function takeAnswer(context: TruncationContext, state: FetchState, answers: Offsets): number | undefined {
  if (!context.isCurrent(state)) return undefined
  const answer = answers.get(`${state.partition.topic}/${state.partition.partition}`)
  if (answer !== undefined && answer.errorCode === ErrorCode.NONE && answer.offset >= 0) return answer.offset
  context.refused(state, answer?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR)
  return undefined
}

async function askOffsets(context: TruncationContext, states: readonly FetchState[], timestamp: number): Promise<Offsets> {
  const version = context.protocol.listOffsetsVersion
  const response = await context.connection.listOffsets(version, {
    replicaId: context.brokerId,
    topics: states.map(({ partition, leaderEpoch }) => ({
      name: partition.topic,
      partitions: [{ partitionIndex: partition.partition, timestamp, ...(version >= 4 && { currentLeaderEpoch: leaderEpoch }) }],
    })),
  })
  const offsets: Offsets = new Map()
  for (const { name, partitions } of response.topics) {
    for (const { partitionIndex, errorCode, offset, oldStyleOffsets } of partitions) {
      offsets.set(`${name}/${partitionIndex}`, { errorCode, offset: version === 0 ? (oldStyleOffsets[0] ?? -1) : offset })
    }
  }
  return offsets
}
