import { membersInOrder, membersPerTopic } from './assignor'
import type { Assignor, GroupSubscription } from './assignor'
import type { TopicPartition } from '../../leaders'

/**
 * All partitions, topic after topic, to the members in turn; a member is passed over for a topic that it does not
 * subscribe to.
 */
export class RoundRobinAssignor implements Assignor {
  readonly name = 'roundrobin'
  readonly protocols = ['eager'] as const

  assign({ partitionCounts, members }: GroupSubscription): Map<string, TopicPartition[]> {
    const assignment = new Map<string, TopicPartition[]>([...members.keys()].map((id) => [id, []]))
    const order = membersInOrder(members)
    let turn = 0
    for (const [topic, ids] of membersPerTopic(members)) {
      const subscribers = new Set(ids)
      for (let partition = 0; partition < (partitionCounts.get(topic) ?? 0); partition++) {
        while (!subscribers.has(order[turn % order.length]!)) turn++
        assignment.get(order[turn++ % order.length]!)!.push({ topic, partition })
      }
    }
    return assignment
  }
}
