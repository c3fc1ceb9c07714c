import type { Partition } from './context'
import type { Replica } from './replica-state-machine'
import type { Term } from './term'

/**
 * Replicas went away, with their broker or their directory: new leaders first, then the ISRs without them. What was to be deleted
 * there is given up (Kafka's onReplicasBecomeOffline).
 */
export async function onReplicasOffline(term: Term, replicas: readonly Replica[]): Promise<void> {
  const { changes, context, deletion } = term
  const deleting = replicas.filter(({ partition }) => partition.topic.deletion === 'started')
  const others = replicas.filter(({ partition }) => partition.topic.deletion !== 'started')
  const leaderless = new Set<Partition>()
  for (const { partition } of others) {
    const isLed = partition.leadership !== undefined && partition.state === 'OnlinePartition'
    if (isLed && !context.hasLiveLeader(partition)) leaderless.add(partition)
  }
  await changes.movePartitions(leaderless, 'OfflinePartition')
  await changes.onlineLeaderless()
  await changes.moveReplicas(others, 'OfflineReplica')
  // Nothing above told anybody who is gone.
  if (others.length === 0) changes.sendMetadata([])
  if (deleting.length > 0) {
    deletion.fail(deleting)
    await deletion.resume()
  }
}
