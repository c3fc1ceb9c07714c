import { ErrorCode, errorMessage } from '../protocol/errors'
import type { CreatableTopic } from '../protocol/messages/create-topics'
import type { CreatePartitionsTopic } from '../protocol/messages/create-partitions'
import { AssignmentError, assignReplicas, startIndexForAddedPartitions } from '../protocol/rules/replica-assignment'
import type { AssignableBroker } from '../protocol/rules/replica-assignment'
import { ConfigError, validateTopicConfig } from '../protocol/rules/topic-config'
import type { TopicConfig } from '../protocol/rules/topic-config'
import { CLUSTER_METADATA_TOPIC, collides, hasCollisionCharacters, validateTopicName } from '../protocol/rules/topic-name'
import type { Random } from '../runtime/ports'

/** Why a topic is not made or changed: Kafka's code and, since people read and parse them, Kafka's words. */
export class TopicRefusal extends Error {
  override readonly name = 'TopicRefusal'
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

/** "As configured", for the number of partitions and of replicas. */
const UNSET = -1

/**
 * No znode can hold more: a partition takes eight bytes at the least and a packet of ZooKeeper one MiB. Asked before anything is
 * computed, since the number comes from a client.
 */
const MAX_PARTITIONS = 100_000

export interface TopicFacts {
  readonly topicExists: (name: string) => boolean
  readonly isBeingDeleted: (name: string) => boolean
  readonly allTopics: () => Iterable<string>
  readonly brokers: readonly AssignableBroker[]
  readonly numPartitions: number
  readonly defaultReplicationFactor: number
  readonly topicDefaults: TopicConfig
  readonly random: Random
}

export interface TopicPlan {
  /** By partition. */
  readonly replicas: ReadonlyMap<number, readonly number[]>
  readonly config: ReadonlyMap<string, string>
}

/** What CreateTopics asks for, checked in Kafka's order. Throws TopicRefusal. */
export function planTopic(topic: CreatableTopic, facts: TopicFacts): TopicPlan {
  const { name } = topic
  if (name === CLUSTER_METADATA_TOPIC) {
    throw new TopicRefusal(ErrorCode.INVALID_REQUEST, `Creation of internal topic ${CLUSTER_METADATA_TOPIC} is prohibited.`)
  }
  if (facts.topicExists(name) && !facts.isBeingDeleted(name)) throw topicExists(name)
  const nulls = topic.configs.filter(({ value }) => value === null)
  if (nulls.length > 0) {
    const names = nulls.map((entry) => entry.name).join(',')
    throw new TopicRefusal(ErrorCode.INVALID_CONFIG, `Null value not supported for topic configs: ${names}`)
  }
  const replicas = planReplicas(topic, facts)
  checkName(name, facts)
  checkReplicas(replicas)
  const config = new Map(topic.configs.map((entry) => [entry.name, entry.value!]))
  try {
    validateTopicConfig(Object.fromEntries(config), facts.topicDefaults)
  } catch (error) {
    if (error instanceof ConfigError) throw new TopicRefusal(ErrorCode.INVALID_CONFIG, error.message)
    throw error
  }
  return { replicas, config }
}

export function topicExists(name: string): TopicRefusal {
  return new TopicRefusal(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`)
}

/** KIP-599: the client has created and deleted more partitions than its quota allows. */
export function quotaExceeded(): TopicRefusal {
  return new TopicRefusal(ErrorCode.THROTTLING_QUOTA_EXCEEDED, errorMessage(ErrorCode.THROTTLING_QUOTA_EXCEEDED))
}

export function topicMarkedForDeletion(name: string): TopicRefusal {
  return new TopicRefusal(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${name}' is marked for deletion.`)
}

function planReplicas(topic: CreatableTopic, facts: TopicFacts): Map<number, readonly number[]> {
  const { numPartitions, replicationFactor, assignments } = topic
  if (assignments.length > 0) {
    if (numPartitions !== UNSET || replicationFactor !== UNSET) {
      throw new TopicRefusal(
        ErrorCode.INVALID_REQUEST,
        'Both numPartitions or replicationFactor and replicasAssignments were set. Both cannot be used at the same time.',
      )
    }
    return new Map(assignments.map(({ partitionIndex, brokerIds }) => [partitionIndex, brokerIds]))
  }
  const count = numPartitions === UNSET ? facts.numPartitions : numPartitions
  const factor = replicationFactor === UNSET ? facts.defaultReplicationFactor : replicationFactor
  checkCount(count)
  return new Map(assign(facts.brokers, count, factor, { random: facts.random }).entries())
}

function checkCount(count: number): void {
  if (count <= MAX_PARTITIONS) return
  throw new TopicRefusal(ErrorCode.INVALID_PARTITIONS, `A topic cannot have more than ${MAX_PARTITIONS} partitions.`)
}

function assign(
  brokers: readonly AssignableBroker[], count: number, factor: number, options: Parameters<typeof assignReplicas>[3],
): number[][] {
  try {
    return assignReplicas(brokers, count, factor, options)
  } catch (error) {
    if (!(error instanceof AssignmentError)) throw error
    const code = error.code === 'INCOMPLETE_RACKS' ? ErrorCode.UNKNOWN_SERVER_ERROR : ErrorCode[error.code]
    throw new TopicRefusal(code, error.message)
  }
}

function checkName(name: string, facts: TopicFacts): void {
  const fault = validateTopicName(name)
  if (fault !== undefined) throw new TopicRefusal(ErrorCode.INVALID_TOPIC_EXCEPTION, fault)
  if (facts.isBeingDeleted(name)) throw topicMarkedForDeletion(name)
  if (!hasCollisionCharacters(name)) return
  const colliding = [...facts.allTopics()].filter((other) => collides(name, other))
  if (colliding.length > 0) {
    throw new TopicRefusal(
      ErrorCode.INVALID_TOPIC_EXCEPTION, `Topic '${name}' collides with existing topics: ${colliding.join(', ')}`,
    )
  }
}

function checkReplicas(replicas: ReadonlyMap<number, readonly number[]>): void {
  const refuse = (message: string) => new TopicRefusal(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message)
  const lists = [...replicas.values()]
  if (new Set(lists.map((list) => list.length)).size !== 1) throw refuse('All partitions should have the same number of replicas')
  if (lists.some((list) => new Set(list).size < list.length)) {
    const shown = [...replicas].map(([index, list]) => `${index} -> [${list.join(', ')}]`).join(', ')
    throw refuse(`Duplicate replica assignment found: ${shown}`)
  }
  if (lists.some((list) => list.length === 0 || list.some((broker) => broker < 0))) {
    throw refuse('A replica assignment needs at least one broker, and no negative ids')
  }
  for (let index = 0; index < replicas.size; index++) {
    if (!replicas.has(index)) throw refuse('partitions should be a consecutive 0-based integer sequence')
  }
}

/** Replicas of the partitions that CreatePartitions adds, by partition. Throws TopicRefusal. */
export function planAddedPartitions(
  asked: CreatePartitionsTopic,
  existing: ReadonlyMap<number, readonly number[]>,
  brokers: readonly AssignableBroker[],
  random: Random,
): Map<number, readonly number[]> {
  const increment = asked.count - existing.size
  if (increment < 0) {
    throw new TopicRefusal(
      ErrorCode.INVALID_PARTITIONS,
      `Topic currently has ${existing.size} partitions, which is higher than the requested ${asked.count}.`,
    )
  }
  if (increment === 0) throw new TopicRefusal(ErrorCode.INVALID_PARTITIONS, `Topic already has ${existing.size} partitions.`)
  checkCount(asked.count)
  const first = existing.get(0)
  if (first === undefined) {
    throw new TopicRefusal(
      ErrorCode.UNKNOWN_SERVER_ERROR,
      `Unexpected existing replica assignment for topic '${asked.name}', partition id 0 is missing.`,
    )
  }
  if (asked.assignments !== null) {
    return givenPartitions(asked.assignments.map(({ brokerIds }) => brokerIds), existing.size, increment, first, brokers)
  }
  const lists = assign(brokers, increment, first.length, {
    random, startIndex: startIndexForAddedPartitions(brokers, first[0] ?? 0), firstPartition: existing.size,
  })
  return new Map(lists.map((list, index) => [existing.size + index, list]))
}

function givenPartitions(
  lists: readonly (readonly number[])[],
  from: number,
  increment: number,
  first: readonly number[],
  brokers: readonly AssignableBroker[],
): Map<number, readonly number[]> {
  const refuse = (message: string) => new TopicRefusal(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message)
  const ids = new Set(brokers.map(({ id }) => id))
  const unknown = [...new Set(lists.flat())].filter((id) => !ids.has(id))
  if (unknown.length > 0) throw refuse(`Unknown broker(s) in replica assignment: ${unknown.join(', ')}.`)
  if (lists.length !== increment) {
    throw refuse(`Increasing the number of partitions by ${increment} but ${lists.length} assignments provided.`)
  }
  const added = new Map(lists.map((list, index) => [from + index, list]))
  for (const [index, list] of added) {
    if (list.length === 0) throw refuse(`Cannot have replication factor of 0 for partition id ${index}.`)
    if (new Set(list).size < list.length) {
      throw refuse(`Duplicate brokers not allowed in replica assignment: ${list.join(', ')} for partition id ${index}.`)
    }
  }
  const uneven = [...added].filter(([, list]) => list.length !== first.length)
  if (uneven.length > 0) {
    throw refuse(
      `Inconsistent replication factor between partitions, partition 0 has ${first.length} while partitions `
      + `[${uneven.map(([index]) => index).join(', ')}] have replication factors `
      + `[${uneven.map(([, list]) => list.length).join(', ')}], respectively.`)
  }
  return added
}
