import { isInternalTopic } from '../../protocol/rules/topic-name'
import { ZERO_UUID } from '../../protocol/rules/uuid'
import type { CommandLine } from '../tool/command-line'

export interface DescribedPartition {
  partition: number
  leader: number
  replicas: number[]
  isr: number[]
  reassignment: { replicas: number[]; adding: number[]; removing: number[] } | undefined
}

export interface DescribedTopic {
  name: string
  topicId: string
  partitions: DescribedPartition[]
  /** Without those that only have their default. */
  overrides: { name: string; value: string | null }[]
  minInsyncReplicas: number
  markedForDeletion: boolean
}

function replicationFactor({ replicas, reassignment }: DescribedPartition): number {
  const changing = reassignment === undefined ? [] : [...reassignment.adding, ...reassignment.removing]
  return reassignment !== undefined && replicas.some((id) => changing.includes(id))
    ? reassignment.replicas.length - reassignment.adding.length
    : replicas.length
}

/** What of a topic `--describe` and its filters show. */
interface Shown {
  topic: DescribedTopic
  /** The topic itself, and not only partitions of it. */
  isWhole: boolean
  partitions: DescribedPartition[]
}

function shown(topics: readonly DescribedTopic[], line: CommandLine, liveBrokers: ReadonlySet<number>): Shown[] {
  const filters: ((partition: DescribedPartition, topic: DescribedTopic) => boolean)[] = []
  const hasLeader = (partition: DescribedPartition): boolean => partition.leader >= 0
  if (line.has('under-replicated-partitions')) filters.push((each) => replicationFactor(each) > each.isr.length)
  if (line.has('unavailable-partitions')) filters.push((each) => !hasLeader(each) || !liveBrokers.has(each.leader))
  if (line.has('under-min-isr-partitions'))
    filters.push((each, topic) => !hasLeader(each) || each.isr.length < topic.minInsyncReplicas)
  if (line.has('at-min-isr-partitions')) filters.push((each, topic) => each.isr.length === topic.minInsyncReplicas)
  const onlyOverrides = line.has('topics-with-overrides')
  return topics.map((topic) => ({
    topic,
    isWhole: filters.length === 0 && (!onlyOverrides || topic.overrides.length > 0),
    partitions: onlyOverrides
      ? []
      : topic.partitions.filter((each) => filters.length === 0 || filters.some((filter) => filter(each, topic))),
  }))
}

/** Which lines `--describe` and its filters show, in Kafka's shape (TopicCommand). */
export function describeLines(topics: readonly DescribedTopic[], line: CommandLine, liveBrokers: ReadonlySet<number>): string[] {
  return shown(topics, line, liveBrokers).flatMap(({ topic, isWhole, partitions }) => [
    ...(isWhole ? [topicLine(topic)] : []),
    ...partitions.map((partition) => partitionLine(topic, partition)),
  ])
}

/** The same for `--json`: each topic with those of its partitions that are shown. */
export function describeJson(topics: readonly DescribedTopic[], line: CommandLine, liveBrokers: ReadonlySet<number>): object {
  const found = shown(topics, line, liveBrokers).filter(({ isWhole, partitions }) => isWhole || partitions.length > 0)
  return {
    topics: found.map(({ topic, partitions }) => ({
      name: topic.name,
      topicId: topic.topicId,
      isInternal: isInternalTopic(topic.name),
      ...(topic.markedForDeletion ? { isMarkedForDeletion: true } : {}),
      configs: Object.fromEntries(topic.overrides.map(({ name, value }) => [name, value])),
      partitions: partitions.map(({ partition, leader, replicas, isr, reassignment }) => ({
        partition,
        leader: leader >= 0 ? leader : null,
        replicas,
        isr,
        addingReplicas: reassignment?.adding ?? [],
        removingReplicas: reassignment?.removing ?? [],
      })),
    })),
  }
}

function topicLine(topic: DescribedTopic): string {
  const first = topic.partitions[0]
  return [
    `Topic: ${topic.name}`,
    ...(topic.topicId === ZERO_UUID ? [] : [`TopicId: ${topic.topicId}`]),
    `PartitionCount: ${topic.partitions.length}`,
    `ReplicationFactor: ${first === undefined ? 0 : replicationFactor(first)}`,
    `Configs: ${topic.overrides.map(({ name, value }) => `${name}=${value ?? 'null'}`).join(',')}`,
    ...(topic.markedForDeletion ? ['MarkedForDeletion: true'] : []),
  ].join('\t')
}

function partitionLine(topic: DescribedTopic, { partition, leader, replicas, isr, reassignment }: DescribedPartition): string {
  return [
    '',
    `Topic: ${topic.name}`,
    `Partition: ${partition}`,
    `Leader: ${leader >= 0 ? leader : 'none'}`,
    `Replicas: ${replicas.join(',')}`,
    `Isr: ${isr.join(',')}`,
    ...(reassignment === undefined
      ? []
      : [`Adding Replicas: ${reassignment.adding.join(',')}`, `Removing Replicas: ${reassignment.removing.join(',')}`]),
    'Elr: N/A',
    'LastKnownElr: N/A',
    ...(topic.markedForDeletion ? ['MarkedForDeletion: true'] : []),
  ].join('\t')
}
