import { partitionKey } from '../../leaders'
import { membersPerTopic } from './assignor'
import type { MemberSubscription } from './assignor'
import type { TopicPartition } from '../../leaders'

/** What a member had, and in which generation it got it (-1: it does not say). */
export interface Ownership {
  partitions: readonly TopicPartition[]
  generationId: number
}

export interface StickyInput {
  partitionCounts: ReadonlyMap<string, number>
  members: ReadonlyMap<string, MemberSubscription>
  owned: ReadonlyMap<string, Ownership>
}

/** Where partitions were before: by the newest claim. Two of one generation contradict each other, and neither counts. */
function formerOwners({ partitionCounts, members, owned }: StickyInput): Map<string, string> {
  const claims = new Map<string, { member: string | undefined; generationId: number }>()
  for (const [member, { partitions, generationId }] of owned) {
    const topics = new Set(members.get(member)?.topics ?? [])
    for (const { topic, partition } of partitions) {
      if (!topics.has(topic) || partition >= (partitionCounts.get(topic) ?? 0)) continue
      const key = partitionKey(topic, partition)
      const other = claims.get(key)
      if (other === undefined || generationId > other.generationId) claims.set(key, { member, generationId })
      else if (generationId === other.generationId && other.member !== member) other.member = undefined
    }
  }
  return new Map([...claims].flatMap(([key, { member }]) => (member === undefined ? [] : [[key, member] as const])))
}

/**
 * Shares all partitions out as evenly as the subscriptions allow, and moves as few as that takes (KIP-54, KIP-341).
 * Balanced means: nobody has two
 * partitions more than another who could take one of them.
 */
export function assignSticky(input: StickyInput): Map<string, TopicPartition[]> {
  const { partitionCounts, members } = input
  const subscribers = membersPerTopic(members)
  const partitions: TopicPartition[] = []
  for (const topic of subscribers.keys()) {
    for (let partition = 0; partition < (partitionCounts.get(topic) ?? 0); partition++) partitions.push({ topic, partition })
  }
  const former = formerOwners(input)
  const ids = [...members.keys()].sort()
  const uniform = [...subscribers.values()].every((list) => list.length === ids.length)
  return uniform ? shareEvenly(partitions, ids, former) : new Balancing(partitions, ids, subscribers, former).run()
}

/**
 * All subscribe to the same: everybody gets the quota or one more. Who had more than that gives up what is over; what is
 * free goes to those who
 * have the least, in turn.
 */
function shareEvenly(
  partitions: readonly TopicPartition[],
  ids: readonly string[],
  former: ReadonlyMap<string, string>,
): Map<string, TopicPartition[]> {
  const assignment = new Map<string, TopicPartition[]>(ids.map((id) => [id, []]))
  if (ids.length === 0) return assignment
  const least = Math.floor(partitions.length / ids.length)
  let mayHaveMore = partitions.length % ids.length
  const held = new Map<string, TopicPartition[]>(ids.map((id) => [id, []]))
  const free: TopicPartition[] = []
  for (const each of partitions) {
    const owner = former.get(partitionKey(each.topic, each.partition))
    if (owner === undefined) free.push(each)
    else held.get(owner)!.push(each)
  }
  for (const id of ids) {
    const mine = held.get(id)!
    const more = mine.length > least && mayHaveMore > 0
    if (more) mayHaveMore--
    const keeps = more ? least + 1 : least
    assignment.set(id, mine.slice(0, keeps))
    free.push(...mine.slice(keeps))
  }
  free.sort((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition))
  let next = 0
  const give = (quota: number, most: number): void => {
    let wanting = ids.filter((id) => assignment.get(id)!.length < quota)
    let given = 0
    while (wanting.length > 0 && next < free.length && given < most) {
      for (const id of wanting) {
        if (next >= free.length || given >= most) break
        assignment.get(id)!.push(free[next++]!)
        given++
      }
      wanting = wanting.filter((id) => assignment.get(id)!.length < quota)
    }
  }
  give(least, Infinity)
  give(least + 1, mayHaveMore)
  return assignment
}

/** Unlike subscriptions. Each move takes a partition to one who has at least two fewer: the sum of squares falls, so it ends. */
class Balancing {
  private readonly partitions: readonly TopicPartition[]
  private readonly ids: readonly string[]
  private readonly subscribers: ReadonlyMap<string, readonly string[]>
  private readonly former: ReadonlyMap<string, string>
  private readonly held = new Map<string, Set<TopicPartition>>()
  private readonly owner = new Map<TopicPartition, string>()

  constructor(
    partitions: readonly TopicPartition[],
    ids: readonly string[],
    subscribers: ReadonlyMap<string, readonly string[]>,
    former: ReadonlyMap<string, string>,
  ) {
    this.partitions = partitions
    this.ids = ids
    this.subscribers = subscribers
    this.former = former
  }

  run(): Map<string, TopicPartition[]> {
    for (const id of this.ids) this.held.set(id, new Set())
    const free: TopicPartition[] = []
    for (const each of this.partitions) {
      const owner = this.former.get(partitionKey(each.topic, each.partition))
      if (owner === undefined) free.push(each)
      else this.give(each, owner)
    }
    // Those that few can take come first.
    free.sort((a, b) => this.subscribers.get(a.topic)!.length - this.subscribers.get(b.topic)!.length)
    for (const each of free) this.give(each, this.leastLoaded(each))
    while (this.improve());
    return new Map([...this.held].map(([id, set]) => [id, [...set]]))
  }

  private leastLoaded({ topic }: TopicPartition): string {
    let least = ''
    for (const id of this.subscribers.get(topic)!) if (least === '' || this.load(id) < this.load(least)) least = id
    return least
  }

  private improve(): boolean {
    let moved = false
    for (const each of this.partitions) {
      const owner = this.owner.get(each)!
      const target = this.leastLoaded(each)
      if (this.load(owner) < this.load(target) + 2) continue
      // Back to where it was, if that helps as well.
      const before = this.former.get(partitionKey(each.topic, each.partition))
      this.give(each, before !== undefined && this.load(owner) >= this.load(before) + 2 ? before : target)
      moved = true
    }
    return moved
  }

  private load(id: string): number {
    return this.held.get(id)!.size
  }

  private give(partition: TopicPartition, id: string): void {
    const owner = this.owner.get(partition)
    if (owner !== undefined) this.held.get(owner)!.delete(partition)
    this.held.get(id)!.add(partition)
    this.owner.set(partition, id)
  }
}
