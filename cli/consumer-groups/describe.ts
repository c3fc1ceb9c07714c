import { OffsetSpec } from '../../client/offsets'
import { partitionKey } from '../../client/leaders'
import type { Admin } from '../../client/admin'
import type { CommittedOffset } from '../../client/group/committed'
import type { ConsumerGroupDescription } from '../../client/admin/groups'
import type { OffsetRow } from './tables'
import type { TopicPartition } from '../../client/leaders'

/** Results by group, in the order of the names; throws the first group's error. */
export function settled<T>(results: ReadonlyMap<string, T | Error>): [group: string, result: T][] {
  return [...results]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, result]): [string, T] => {
      if (result instanceof Error) throw result
      return [group, result]
    })
}

function byPlace(a: TopicPartition, b: TopicPartition): number {
  return a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1
}

/** A row for each partition that a member owns, by member, the one with most first; then those that only have an offset. */
export function offsetRows(
  { groupId: group, members }: Pick<ConsumerGroupDescription, 'groupId' | 'members'>,
  committed: ReadonlyMap<string, CommittedOffset>,
  logEnds: ReadonlyMap<string, number>,
): OffsetRow[] {
  const rowOf = ({ topic, partition }: TopicPartition, owner: Partial<OffsetRow>): OffsetRow => {
    const key = partitionKey(topic, partition)
    return { group, topic, partition, offset: committed.get(key)?.offset, logEndOffset: logEnds.get(key), ...owner }
  }
  const owned = new Set(
    members.flatMap(({ assignment }) => assignment.map(({ topic, partition }) => partitionKey(topic, partition))),
  )
  const ownedRows = members
    .filter(({ assignment }) => assignment.length > 0)
    .sort((a, b) => b.assignment.length - a.assignment.length)
    .flatMap(({ memberId, host, clientId, assignment }) =>
      [...assignment].sort(byPlace).map((each) => rowOf(each, { consumerId: memberId, host, clientId })),
    )
  const others = [...committed.values()]
    .filter(({ topic, partition }) => !owned.has(partitionKey(topic, partition)))
    .sort(byPlace)
  return [...ownedRows, ...others.map((each) => rowOf(each, {}))]
}

/** Asks for the offsets of the groups and for the ends of the logs. Throws what any of these answers has gone wrong with. */
export async function collectOffsets(
  admin: Admin,
  descriptions: readonly ConsumerGroupDescription[],
): Promise<Map<string, OffsetRow[]>> {
  const groups = descriptions.map(({ groupId }) => groupId)
  const committed = new Map(settled(await admin.listOffsetsOfConsumerGroups(groups)))
  const partitions = new Map<string, TopicPartition>()
  const add = ({ topic, partition }: TopicPartition): void =>
    void partitions.set(partitionKey(topic, partition), { topic, partition })
  for (const { groupId, members } of descriptions) {
    for (const { assignment } of members) assignment.forEach(add)
    for (const each of committed.get(groupId)!.values()) add(each)
  }
  const ends = await admin.listOffsets([...partitions.values()].map((each) => ({ ...each, timestamp: OffsetSpec.latest })))
  const logEnds = new Map([...ends].map(([key, { offset }]) => [key, offset]))
  return new Map(
    descriptions.map((description) => [
      description.groupId,
      offsetRows(description, committed.get(description.groupId)!, logEnds),
    ]),
  )
}

/**
 * What is said of a group's state in front of its rows, if anything. Throws Error for a state that Kafka's tool does not
 * know.
 */
export function remarkOn(group: string, state: string): { out?: string; err?: string } {
  switch (state) {
    case 'Dead':
      return { out: `\nError: Consumer group '${group}' does not exist.\n` }
    case 'Empty':
      return { err: `\nConsumer group '${group}' has no active members.\n` }
    case 'PreparingRebalance':
    case 'CompletingRebalance':
    case 'Assigning':
    case 'Reconciling':
      return { err: `\nWarning: Consumer group '${group}' is rebalancing.\n` }
    case 'Stable':
      return {}
    default:
      throw new Error(`Expected a valid consumer group state, but found '${state}'.`)
  }
}
