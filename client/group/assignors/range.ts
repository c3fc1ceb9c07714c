import { membersPerTopic } from './assignor'
import type { Assignor, GroupSubscription } from './assignor'
import type { TopicPartition } from '../../leaders'

/**
 * Topic by topic, a range of consecutive partitions to each member that subscribes to it; the first members get one more
 * where it does not come
 * out even. Equal topics are thus split equally, and partition n of each goes to the same member.
 */
export class RangeAssignor implements Assignor {
  readonly name = 'range'
  readonly protocols = ['eager'] as const

  assign({ partitionCounts, members }: GroupSubscription): Map<string, TopicPartition[]> {
    const assignment = new Map<string, TopicPartition[]>([...members.keys()].map((id) => [id, []]))
    for (const [topic, ids] of membersPerTopic(members)) {
      const count = partitionCounts.get(topic) ?? 0
      const each = Math.floor(count / ids.length)
      const extra = count % ids.length
      ids.forEach((id, index) => {
        const start = each * index + Math.min(index, extra)
        const end = start + each + (index < extra ? 1 : 0)
        for (let partition = start; partition < end; partition++) assignment.get(id)!.push({ topic, partition })
      })
    }
    return assignment
  }
}
