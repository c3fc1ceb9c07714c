import { ErrorCode, ProtocolError, isStaleMetadata } from '../protocol/errors'
import { NetworkError } from '../network/kafka-connection'
import type { Cluster } from './cluster'

export interface TopicPartition {
  topic: string
  partition: number
}

/** `orders-3`: how Kafka writes a partition, and a key for maps. */
export function partitionKey(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

/** Groups partitions by topic, in the order in which topics first appear. */
export function byTopic<T extends TopicPartition>(partitions: Iterable<T>): { topic: string; partitions: T[] }[] {
  const topics = new Map<string, T[]>()
  for (const each of partitions) {
    const list = topics.get(each.topic)
    if (list === undefined) topics.set(each.topic, [each])
    else list.push(each)
  }
  return [...topics].map(([topic, list]) => ({ topic, partitions: list }))
}

/** Groups partitions by their leader. Throws the (retriable) error of the first partition that has none. */
export async function byLeader<T extends TopicPartition>(cluster: Cluster, partitions: readonly T[]): Promise<Map<number, T[]>> {
  const stale = [...new Set(partitions.map((each) => each.topic))].filter((topic) => !cluster.isFresh(topic))
  if (stale.length > 0) await cluster.metadata(stale)
  const leaders = new Map<number, T[]>()
  for (const each of partitions) {
    const leader = leaderOf(cluster, each)
    const list = leaders.get(leader)
    if (list === undefined) leaders.set(leader, [each])
    else list.push(each)
  }
  return leaders
}

function leaderOf(cluster: Cluster, { topic, partition }: TopicPartition): number {
  const known = cluster.topic(topic)
  if (known === undefined || known.errorCode !== 0) {
    cluster.forgetTopic(topic)
    throw new ProtocolError(known?.errorCode ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  }
  const found = known.partitions.find((each) => each.partition === partition)
  if (found === undefined) throw new ProtocolError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  if (found.leader < 0 || cluster.node(found.leader) === undefined) {
    cluster.forgetTopic(topic)
    throw new ProtocolError(ErrorCode.LEADER_NOT_AVAILABLE)
  }
  return found.leader
}

/**
 * Sends one request per leader, with all its partitions, and repeats for those that failed retriably. `send` gives the result of
 * each partition; a ProtocolError among them is retried if its code allows, else it is thrown.
 */
export async function perLeader<T extends TopicPartition, R>(
  cluster: Cluster,
  what: string,
  partitions: readonly T[],
  send: (leader: number, partitions: T[]) => Promise<(R | ProtocolError)[]>,
  timeoutMs?: number,
): Promise<Map<string, R>> {
  const results = new Map<string, R>()
  let left = [...partitions]
  await cluster.retrying(
    what,
    async () => {
      const leaders = await byLeader(cluster, left)
      let failure: unknown
      await Promise.all(
        [...leaders].map(async ([leader, list]) => {
          try {
            const answers = await send(leader, list)
            answers.forEach((answer, index) => {
              const { topic, partition } = list[index]!
              if (!(answer instanceof ProtocolError)) {
                results.set(partitionKey(topic, partition), answer)
                return
              }
              if (isStaleMetadata(answer.code)) cluster.forgetTopic(topic)
              if (failure === undefined || !answer.retriable) failure = answer
            })
          } catch (error) {
            if (error instanceof NetworkError) for (const each of list) cluster.forgetTopic(each.topic)
            failure ??= error
          }
        }),
      )
      left = left.filter(({ topic, partition }) => !results.has(partitionKey(topic, partition)))
      if (failure !== undefined) throw failure
    },
    timeoutMs,
  )
  return results
}
