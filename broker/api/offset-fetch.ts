import { ErrorCode } from '../../protocol/errors'
import { firstOfEach } from './group-requests'
import type {
  OffsetFetchRequest, OffsetFetchRequestTopic, OffsetFetchResponse, OffsetFetchResponsePartition, OffsetFetchResponseTopic,
} from '../../protocol/messages/offset-fetch'
import type { FetchedOffset } from '../group/group-offsets'
import type { OffsetKey } from '../group/offset-cache'
import type { Handler } from '../server/request-context'
import type { BrokerServices } from './services'

const NO_OFFSET = -1

/**
 * OffsetFetch 0-9. Version 0 reads `/consumers` in ZooKeeper; from 2 on null means all partitions, from 8 on several groups may be
 * asked for. Before version 2 there is no place for an error of the whole group, so each partition has it.
 */
export function offsetFetchHandler(services: BrokerServices): Handler<OffsetFetchRequest, OffsetFetchResponse> {
  return (context) => {
    const { body, apiVersion } = context
    const { groups } = services
    if (apiVersion === 0) {
      return fetchFromZooKeeper(services, body.groupId, body.topics ?? []).then((topics) => context.respond({ topics }))
    }
    if (apiVersion >= 8) {
      context.respond({
        groups: firstOfEach(body.groups, ({ groupId }) => groupId).map(({ groupId, topics }) => {
          const offsets = groups.fetch(groupId, keysOf(topics), body.requireStable)
          return typeof offsets === 'number' ? { groupId, errorCode: offsets } : { groupId, topics: byTopic(offsets) }
        }),
      })
      return undefined
    }
    const offsets = groups.fetch(body.groupId, keysOf(body.topics), body.requireStable)
    if (typeof offsets !== 'number') context.respond({ topics: byTopic(offsets) })
    else if (apiVersion >= 2) context.respond({ errorCode: offsets })
    else context.respond({ topics: failed(body.topics ?? [], offsets) })
    return undefined
  }
}

function keysOf(topics: readonly OffsetFetchRequestTopic[] | null): OffsetKey[] | undefined {
  return topics?.flatMap(({ name, partitionIndexes }) => partitionIndexes.map((partition) => ({ topic: name, partition })))
}

function byTopic(offsets: readonly FetchedOffset[]): OffsetFetchResponseTopic[] {
  const topics = new Map<string, OffsetFetchResponsePartition[]>()
  for (const { topic, partition, errorCode, offset, leaderEpoch, metadata } of offsets) {
    let partitions = topics.get(topic)
    if (partitions === undefined) topics.set(topic, (partitions = []))
    partitions.push({ partitionIndex: partition, committedOffset: offset, committedLeaderEpoch: leaderEpoch, metadata, errorCode })
  }
  return [...topics].map(([name, partitions]) => ({ name, partitions }))
}

function failed(topics: readonly OffsetFetchRequestTopic[], errorCode: number): OffsetFetchResponseTopic[] {
  return topics.map(({ name, partitionIndexes }) => ({
    name, partitions: partitionIndexes.map((partition) => inZooKeeper(partition, NO_OFFSET, errorCode)),
  }))
}

function inZooKeeper(partitionIndex: number, committedOffset: number, errorCode: number): OffsetFetchResponsePartition {
  return { partitionIndex, committedOffset, committedLeaderEpoch: -1, metadata: '', errorCode }
}

function fetchFromZooKeeper(
  services: BrokerServices, groupId: string, topics: readonly OffsetFetchRequestTopic[],
): Promise<OffsetFetchResponseTopic[]> {
  return Promise.all(
    topics.map(async ({ name, partitionIndexes }) => ({
      name, partitions: await Promise.all(partitionIndexes.map((partition) => fetchOne(services, groupId, name, partition))),
    })),
  )
}

async function fetchOne(
  { metadata, zooKeeperOffsets, logger }: BrokerServices, groupId: string, topic: string, partition: number,
): Promise<OffsetFetchResponsePartition> {
  const unknown = inZooKeeper(partition, NO_OFFSET, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  if (metadata.partition(topic, partition) === undefined) return unknown
  try {
    const offset = await zooKeeperOffsets.fetch(groupId, topic, partition)
    return offset === undefined ? unknown : inZooKeeper(partition, offset, ErrorCode.NONE)
  } catch (error) {
    logger.warn({ groupId, topic, partition, err: error }, 'an offset in ZooKeeper could not be read')
    return inZooKeeper(partition, NO_OFFSET, ErrorCode.UNKNOWN_SERVER_ERROR)
  }
}
