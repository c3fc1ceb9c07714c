import { partitionKey } from '../../leaders'
import { assignSticky } from './balance'
import type { Assignment, Subscription } from '../protocol'
import type { Assignor, GroupSubscription, MemberSubscription } from './assignor'
import type { TopicPartition } from '../../leaders'

const NO_GENERATION = -1

/**
 * As `sticky`, but members keep what they have while they join; what moves is given out in the next generation, after its
 * owner let go.
 */
export class CooperativeStickyAssignor implements Assignor {
  readonly name = 'cooperative-sticky'
  readonly protocols = ['cooperative', 'eager'] as const
  private generationId = NO_GENERATION

  /** Its generation, for leaders that do not know the newer place for it (KIP-792). */
  userData(): Buffer {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(this.generationId)
    return bytes
  }

  onAssignment(_assignment: Assignment, generationId: number): void {
    this.generationId = generationId
  }

  assign({ partitionCounts, members }: GroupSubscription): Map<string, TopicPartition[]> {
    const owned = new Map(
      [...members].map(([id, each]) => [id, { partitions: each.ownedPartitions, generationId: generationOf(each) }]),
    )
    return withoutTransfers(assignSticky({ partitionCounts, members, owned }), members)
  }
}

function generationOf({ generationId, userData }: Subscription): number {
  if (generationId >= 0) return generationId
  return userData !== null && userData.length >= 4 ? userData.readInt32BE(0) : NO_GENERATION
}

/** Leaves out what a member would get that another one still has. */
export function withoutTransfers(
  assignment: Map<string, TopicPartition[]>,
  members: ReadonlyMap<string, MemberSubscription>,
): Map<string, TopicPartition[]> {
  const holders = new Map<string, Set<string>>()
  for (const [id, { ownedPartitions }] of members) {
    for (const { topic, partition } of ownedPartitions) {
      const key = partitionKey(topic, partition)
      const list = holders.get(key)
      if (list === undefined) holders.set(key, new Set([id]))
      else list.add(id)
    }
  }
  const mayHave = (id: string, { topic, partition }: TopicPartition): boolean => {
    const list = holders.get(partitionKey(topic, partition))
    return list === undefined || (list.size === 1 && list.has(id))
  }
  return new Map([...assignment].map(([id, partitions]) => [id, partitions.filter((each) => mayHave(id, each))]))
}
