import { ApiKey } from '../protocol/messages/apis'
import { ProtocolError } from '../protocol/errors'
import { byTopic, partitionKey, perLeader } from './leaders'
import type { Cluster } from './cluster'
import type { ListOffsetsResponse } from '../protocol/messages/list-offsets'
import type { TopicPartition } from './leaders'

/** The special timestamps of ListOffsets. */
export const OffsetSpec = { latest: -1, earliest: -2, maxTimestamp: -3, earliestLocal: -4, latestTiered: -5 } as const

export interface OffsetAndTimestamp {
  /** -1 when no record is as young as was asked for. */
  offset: number
  /** Milliseconds; -1 for the special timestamps. */
  timestamp: number
  leaderEpoch: number
}

export const READ_UNCOMMITTED = 0
export const READ_COMMITTED = 1

/** The version from which on a special timestamp is understood (KIP-734, KIP-405, KIP-1005). */
function leastVersion(timestamp: number): number {
  if (timestamp === OffsetSpec.maxTimestamp) return 7
  if (timestamp === OffsetSpec.earliestLocal) return 8
  return timestamp === OffsetSpec.latestTiered ? 9 : 1
}

/**
 * Asks each leader for the offset of the first record at or after a timestamp (ms), or for one of OffsetSpec. Keyed
 * `topic-partition`.
 */
export async function listOffsets(
  cluster: Cluster,
  wanted: readonly (TopicPartition & { timestamp: number })[],
  isolationLevel: number = READ_UNCOMMITTED,
  timeoutMs?: number,
): Promise<Map<string, OffsetAndTimestamp>> {
  return perLeader(
    cluster,
    'listing offsets',
    wanted,
    (leader, partitions) => offsetsFrom(cluster, leader, partitions, isolationLevel),
    timeoutMs,
  )
}

/** Asks one node, once; the answers in the order of the questions. */
export async function offsetsFrom(
  cluster: Cluster,
  leader: number,
  partitions: readonly (TopicPartition & { timestamp: number })[],
  isolationLevel: number,
): Promise<(OffsetAndTimestamp | ProtocolError)[]> {
  const version = await cluster.versionOf(leader, ApiKey.listOffsets)
  const least = Math.max(...partitions.map(({ timestamp }) => leastVersion(timestamp)))
  if (version < least)
    throw new ProtocolError(35, `node ${leader} does not know such offsets: it speaks ListOffsets ${version}, not ${least}`)
  const response = await cluster.send<ListOffsetsResponse>(
    leader,
    ApiKey.listOffsets,
    {
      replicaId: -1,
      isolationLevel,
      topics: byTopic(partitions).map(({ topic, partitions: list }) => ({
        name: topic,
        partitions: list.map(({ partition, timestamp }) => ({
          partitionIndex: partition,
          currentLeaderEpoch: cluster.leaderEpoch(topic, partition),
          timestamp,
        })),
      })),
    },
    { version },
  )
  const answers = new Map<string, OffsetAndTimestamp | ProtocolError>()
  for (const topic of response.topics) {
    for (const each of topic.partitions) {
      answers.set(
        partitionKey(topic.name, each.partitionIndex),
        each.errorCode === 0
          ? { offset: each.offset, timestamp: each.timestamp, leaderEpoch: each.leaderEpoch }
          : new ProtocolError(each.errorCode),
      )
    }
  }
  return partitions.map(
    ({ topic, partition }) =>
      answers.get(partitionKey(topic, partition)) ?? new ProtocolError(-1, 'the partition is missing in the answer'),
  )
}
