import { decode, encode } from '../../protocol/messages/codec'
import { consumerProtocolAssignment, consumerProtocolSubscription } from '../../protocol/messages/consumer-protocol'
import { byTopic } from '../leaders'
import type { ConsumerProtocolSubscriptionTopicPartition } from '../../protocol/messages/consumer-protocol'
import type { TopicPartition } from '../leaders'

/** The protocol type of groups that share the partitions of topics out among themselves. */
export const CONSUMER_PROTOCOL_TYPE = 'consumer'

/** What a member says when it joins (ConsumerProtocol's Subscription). */
export interface Subscription {
  topics: string[]
  /** The assignor's own; null when it has none. */
  userData: Buffer | null
  /** What the member holds as it joins (KIP-429). */
  ownedPartitions: TopicPartition[]
  /** In which generation it got them; -1: it does not say (KIP-792). */
  generationId: number
  rackId: string | null
}

/** What the leader gives a member. */
export interface Assignment {
  partitions: TopicPartition[]
  userData: Buffer | null
}

const HIGHEST_SUBSCRIPTION = 3
const HIGHEST_ASSIGNMENT = 3
const EMPTY_ASSIGNMENT: Assignment = { partitions: [], userData: null }

/** In Kafka's order: topics by name, so that equal subscriptions have equal bytes and a rejoin is not taken for a change. */
function inOrder(partitions: readonly TopicPartition[]): ConsumerProtocolSubscriptionTopicPartition[] {
  return byTopic(partitions)
    .map(({ topic, partitions: list }) => ({ topic, partitions: list.map(({ partition }) => partition).sort((a, b) => a - b) }))
    .sort((a, b) => (a.topic < b.topic ? -1 : 1))
}

function flat(topics: readonly ConsumerProtocolSubscriptionTopicPartition[]): TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
}

function versioned(version: number, body: Buffer): Buffer {
  const prefix = Buffer.alloc(2)
  prefix.writeInt16BE(version)
  return Buffer.concat([prefix, body])
}

/** A newer version than we know holds what we know in front. */
function versionAt(bytes: Buffer, highest: number): number {
  if (bytes.length < 2) throw new RangeError('no version in the bytes of the consumer protocol')
  const version = bytes.readInt16BE(0)
  if (version < 0) throw new RangeError(`unsupported version ${version} of the consumer protocol`)
  return Math.min(version, highest)
}

export function encodeSubscription(subscription: Subscription): Buffer {
  const { topics, userData, ownedPartitions, generationId, rackId } = subscription
  const body = { topics: [...topics].sort(), userData, ownedPartitions: inOrder(ownedPartitions), generationId, rackId }
  return versioned(HIGHEST_SUBSCRIPTION, encode(consumerProtocolSubscription, HIGHEST_SUBSCRIPTION, body))
}

/** Throws RangeError or DecodeError on bytes that no consumer wrote. */
export function decodeSubscription(bytes: Buffer): Subscription {
  const { topics, userData, ownedPartitions, generationId, rackId } = decode(
    consumerProtocolSubscription,
    versionAt(bytes, HIGHEST_SUBSCRIPTION),
    bytes.subarray(2),
  )
  return { topics, userData, ownedPartitions: flat(ownedPartitions), generationId, rackId }
}

export function encodeAssignment({ partitions, userData }: Assignment): Buffer {
  return versioned(
    HIGHEST_ASSIGNMENT,
    encode(consumerProtocolAssignment, HIGHEST_ASSIGNMENT, { assignedPartitions: inOrder(partitions), userData }),
  )
}

/** No bytes at all stand for an empty assignment. Throws RangeError or DecodeError on bytes that no leader wrote. */
export function decodeAssignment(bytes: Buffer): Assignment {
  if (bytes.length === 0) return EMPTY_ASSIGNMENT
  const { assignedPartitions, userData } = decode(
    consumerProtocolAssignment,
    versionAt(bytes, HIGHEST_ASSIGNMENT),
    bytes.subarray(2),
  )
  return { partitions: flat(assignedPartitions), userData }
}
