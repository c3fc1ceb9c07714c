import { byTopic } from '../../leaders'
import { assignSticky } from './balance'
import type { Assignment, Subscription } from '../protocol'
import type { Assignor, GroupSubscription } from './assignor'
import type { Ownership } from './balance'
import type { TopicPartition } from '../../leaders'

const NO_GENERATION = -1

/**
 * Even, and moves as few partitions as that takes. The protocol is eager: members have given everything away when they
 * join, so what they had
 * travels in the user data, as Kafka's StickyAssignorUserData V1.
 */
export class StickyAssignor implements Assignor {
  readonly name = 'sticky'
  readonly protocols = ['eager'] as const
  private had: Ownership | undefined

  userData(): Buffer | null {
    return this.had === undefined ? null : encodeUserData(this.had)
  }

  onAssignment(assignment: Assignment, generationId: number): void {
    this.had = { partitions: assignment.partitions, generationId }
  }

  assign({ partitionCounts, members }: GroupSubscription): Map<string, TopicPartition[]> {
    const owned = new Map([...members].map(([id, subscription]) => [id, ownershipIn(subscription)]))
    return assignSticky({ partitionCounts, members, owned })
  }
}

function ownershipIn({ userData }: Subscription): Ownership {
  const nothing = { partitions: [], generationId: NO_GENERATION }
  if (userData === null || userData.length === 0) return nothing
  try {
    return decodeUserData(userData)
  } catch (error) {
    // What another member sent; Kafka's assignor starts afresh for it, too.
    if (error instanceof RangeError) return nothing
    throw error
  }
}

/** V1: `previous_assignment [topic string, partitions [int32]]`, `generation int32`. */
export function encodeUserData({ partitions, generationId }: Ownership): Buffer {
  const parts: Buffer[] = []
  const int32 = (value: number): void => {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(value)
    parts.push(bytes)
  }
  const topics = byTopic(partitions)
  int32(topics.length)
  for (const { topic, partitions: list } of topics) {
    const name = Buffer.from(topic)
    const length = Buffer.alloc(2)
    length.writeInt16BE(name.length)
    parts.push(length, name)
    int32(list.length)
    for (const { partition } of list) int32(partition)
  }
  int32(generationId)
  return Buffer.concat(parts)
}

/** Without a generation at the end it is V0. Throws RangeError on bytes that end early. */
export function decodeUserData(bytes: Buffer): Ownership {
  let at = 0
  const int32 = (): number => {
    at += 4
    return bytes.readInt32BE(at - 4)
  }
  const partitions: TopicPartition[] = []
  for (let topics = int32(); topics > 0; topics--) {
    const length = bytes.readInt16BE(at)
    at += 2 + length
    if (length < 0 || at > bytes.length) throw new RangeError('the name of a topic ends early')
    const topic = bytes.toString('utf8', at - length, at)
    for (let count = int32(); count > 0; count--) partitions.push({ topic, partition: int32() })
  }
  return { partitions, generationId: at + 4 <= bytes.length ? int32() : NO_GENERATION }
}
