import type { Assignor, MemberSubscription } from '../../../../../client/group/assignors/assignor'
import type { TopicPartition } from '../../../../../client/leaders'

export type Assignments = Map<string, TopicPartition[]>

export function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

/** What members say, generation after generation, each with an assignor of its own, as in a real group. */
export class Generations {
  private readonly make: () => Assignor
  private readonly assignors = new Map<string, Assignor>()
  private owned: Assignments = new Map()
  generationId = 0

  constructor(make: () => Assignor) {
    this.make = make
  }

  /** One rebalance; gives what everybody has afterwards. */
  rebalance(counts: ReadonlyMap<string, number>, wishes: ReadonlyMap<string, readonly string[]>): Assignments {
    const cooperative = this.make().protocols.includes('cooperative')
    const members = new Map<string, MemberSubscription>()
    for (const [id, topics] of wishes) {
      const assignor = this.assignors.get(id) ?? this.make()
      this.assignors.set(id, assignor)
      const owned = (this.owned.get(id) ?? []).filter(({ topic }) => topics.includes(topic))
      members.set(id, {
        topics: [...topics],
        userData: assignor.userData?.(topics) ?? null,
        ownedPartitions: cooperative ? owned : [],
        generationId: this.owned.has(id) ? this.generationId : -1,
        rackId: null,
        groupInstanceId: null,
      })
    }
    this.generationId++
    const leader = this.assignors.get([...wishes.keys()][0]!)!
    const assignment = leader.assign({ partitionCounts: counts, members })
    for (const id of [...this.assignors.keys()]) if (!wishes.has(id)) this.assignors.delete(id)
    for (const [id, partitions] of assignment)
      this.assignors.get(id)!.onAssignment?.({ partitions, userData: null }, this.generationId)
    this.owned = assignment
    return assignment
  }

  /** Rebalances until nothing moves; a cooperative assignor may take two steps. */
  settle(counts: ReadonlyMap<string, number>, wishes: ReadonlyMap<string, readonly string[]>): Assignments {
    let before = ''
    for (let round = 0; round < 10; round++) {
      const now = this.rebalance(counts, wishes)
      const text = JSON.stringify([...now].map(([id, list]) => [id, list.map(keyOf).sort()]))
      if (text === before) return now
      before = text
    }
    throw new Error('the group does not come to rest')
  }
}

/** Every partition of a topic that somebody wants is given once, to one who wants it. */
export function expectAllOnce(
  assignment: Assignments,
  counts: ReadonlyMap<string, number>,
  wishes: ReadonlyMap<string, readonly string[]>,
): void {
  const given = [...assignment].flatMap(([id, partitions]) => partitions.map((each) => ({ id, each })))
  expect(given.filter(({ id, each }) => !wishes.get(id)!.includes(each.topic))).toEqual([])
  const wanted = new Set([...wishes.values()].flat())
  const all = [...counts].flatMap(([topic, count]) =>
    wanted.has(topic) ? Array.from({ length: count }, (_, partition) => keyOf({ topic, partition })) : [],
  )
  expect(given.map(({ each }) => keyOf(each)).sort()).toEqual(all.sort())
}

/** Nobody has two partitions more than another who could take one of them. */
export function expectBalanced(assignment: Assignments, wishes: ReadonlyMap<string, readonly string[]>): void {
  for (const [rich, partitions] of assignment) {
    for (const [poor, few] of assignment) {
      if (partitions.length < few.length + 2) continue
      const movable = partitions.filter(({ topic }) => wishes.get(poor)!.includes(topic)).map(keyOf)
      if (movable.length > 0) throw new Error(`${rich} could give ${movable.join(', ')} to ${poor}`)
    }
  }
}
