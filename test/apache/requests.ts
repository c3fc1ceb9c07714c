import { ApiKey } from '../../protocol/messages/apis'
import { decodeTopic, topicPath } from '../../zk-schema/topics'
import { until } from './mixed-cluster'
import type { Run } from './mixed-run'
import type {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from '../../protocol/messages/alter-partition-reassignments'
import type { CreatePartitionsRequest, CreatePartitionsResponse } from '../../protocol/messages/create-partitions'
import type { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/delete-topics'
import type { ElectLeadersRequest, ElectLeadersResponse } from '../../protocol/messages/elect-leaders'
import type {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse,
} from '../../protocol/messages/list-partition-reassignments'

/** Elects them, and waits until they lead. */
export async function preferredLeaders(run: Run): Promise<void> {
  await run.agreed()
  const answer = await run.askController<ElectLeadersRequest, ElectLeadersResponse>(ApiKey.electLeaders, {
    electionType: 0,
    topicPartitions: null,
    timeoutMs: 30_000,
  })
  if (answer.errorCode !== 0) throw new Error(`error ${answer.errorCode}`)
  for (const { topic: name, partitionResult } of answer.replicaElectionResults) {
    for (const { partitionId, errorCode, errorMessage } of partitionResult)
      if (errorCode !== 0) throw new Error(`${name}-${partitionId}: ${errorCode} ${errorMessage}`)
  }
  await until('every partition is led by its preferred leader', 10_000, async () => {
    const { topics } = await run.cluster.metadata(run.cluster.running[0]!)
    return topics
      .flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, leaderId, replicaNodes }) =>
          leaderId === replicaNodes[0] ? '' : `${name}-${partitionIndex} is led by ${leaderId}`,
        ),
      )
      .filter((one) => one !== '')
      .join('; ')
  })
}

export async function submit(
  run: Run,
  topic: string,
  replicas: readonly (readonly number[] | null | undefined)[],
): Promise<void> {
  const partitions = replicas.flatMap((each, partitionIndex) =>
    each === undefined ? [] : [{ partitionIndex, replicas: each === null ? null : [...each] }],
  )
  const answer = await run.askController<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>(
    ApiKey.alterPartitionReassignments,
    { timeoutMs: 30_000, topics: [{ name: topic, partitions }] },
  )
  if (answer.errorCode !== 0) throw new Error(`error ${answer.errorCode} ${answer.errorMessage}`)
  for (const { partitions: each } of answer.responses)
    for (const { partitionIndex, errorCode, errorMessage } of each)
      if (errorCode !== 0) throw new Error(`${topic}-${partitionIndex}: ${errorCode} ${errorMessage}`)
}

export async function ongoing(run: Run): Promise<number> {
  const answer = await run.askController<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>(
    ApiKey.listPartitionReassignments,
    { timeoutMs: 30_000, topics: null },
  )
  if (answer.errorCode !== 0) throw new Error(`error ${answer.errorCode}`)
  return answer.topics.length
}

/** Gives the partitions these replicas, and waits until it is done. */
export async function reassign(run: Run, topic: string, replicas: readonly (readonly number[])[]): Promise<void> {
  await submit(run, topic, replicas)
  await until('the reassignment is complete', 40_000, async () => (await ongoing(run)) === 0)
  const node = await run.cluster.zookeeper((session) => session.get(topicPath(topic)))
  const { partitions } = decodeTopic(topic, node!.data)
  for (const [i, each] of replicas.entries())
    if (String(partitions.get(i)!.replicas) !== String(each))
      throw new Error(`${topic}-${i} has ${partitions.get(i)!.replicas}, not ${each}`)
}

/** Gives the topic so many partitions. */
export async function addPartitions(run: Run, name: string, count: number): Promise<void> {
  const answer = await run.askController<CreatePartitionsRequest, CreatePartitionsResponse>(ApiKey.createPartitions, {
    topics: [{ name, count, assignments: null }],
    timeoutMs: 30_000,
    validateOnly: false,
  })
  for (const { errorCode, errorMessage } of answer.results)
    if (errorCode !== 0) throw new Error(`${name}: ${errorCode} ${errorMessage}`)
}

export async function deleteTopics(run: Run, names: string[]): Promise<void> {
  const answer = await run.askController<DeleteTopicsRequest, DeleteTopicsResponse>(ApiKey.deleteTopics, {
    topics: names.map((name) => ({ name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' })),
    topicNames: names,
    timeoutMs: 30_000,
  })
  for (const { name, errorCode, errorMessage } of answer.responses)
    if (errorCode !== 0) throw new Error(`${name}: ${errorCode} ${errorMessage}`)
  await until(
    `${names} are gone`,
    30_000,
    async () => (await run.cluster.zookeeper((session) => session.get(topicPath(names[0]!)))) === undefined,
  )
}
