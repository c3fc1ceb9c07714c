import type { Assignment, Subscription } from '../protocol'
import type { TopicPartition } from '../../leaders'

/**
 * `eager`: a member gives everything away before it joins. `cooperative`: it keeps what it has until the leader says
 * otherwise; a partition that
 * moves is free for one generation in between (KIP-429).
 */
export type RebalanceProtocol = 'eager' | 'cooperative'

export interface MemberSubscription extends Subscription {
  groupInstanceId: string | null
}

/** What the leader knows when it assigns. */
export interface GroupSubscription {
  /** Partitions by topic; a topic that does not exist is missing. */
  partitionCounts: ReadonlyMap<string, number>
  members: ReadonlyMap<string, MemberSubscription>
}

/** Shares partitions out among the members of a group. One instance belongs to one consumer. */
export interface Assignor {
  /** By which members vote for it. */
  readonly name: string
  readonly protocols: readonly RebalanceProtocol[]
  /** The assignor's own bytes in what the member says when it joins. */
  userData?(topics: readonly string[]): Buffer | null
  /** Only the group's leader is asked. Every member gets an entry. */
  assign(group: GroupSubscription): Map<string, TopicPartition[]>
  /** What this member was given, in which generation. */
  onAssignment?(assignment: Assignment, generationId: number): void
}

/** Static members first, by instance id, so that a restart does not change the order; then the others by member id. */
export function membersInOrder(members: ReadonlyMap<string, MemberSubscription>): string[] {
  const rank = (id: string): [number, string] => {
    const instance = members.get(id)!.groupInstanceId
    return instance === null ? [1, id] : [0, instance]
  }
  return [...members.keys()].sort((a, b) => {
    const [kindA, nameA] = rank(a)
    const [kindB, nameB] = rank(b)
    return kindA - kindB || (nameA < nameB ? -1 : nameA > nameB ? 1 : 0)
  })
}

/** Topic to the members that subscribe to it, in the members' order; topics by name. */
export function membersPerTopic(members: ReadonlyMap<string, MemberSubscription>): Map<string, string[]> {
  const topics = new Map<string, string[]>()
  for (const id of membersInOrder(members)) {
    for (const topic of new Set(members.get(id)!.topics)) {
      const list = topics.get(topic)
      if (list === undefined) topics.set(topic, [id])
      else list.push(id)
    }
  }
  return new Map([...topics].sort(([a], [b]) => (a < b ? -1 : 1)))
}
