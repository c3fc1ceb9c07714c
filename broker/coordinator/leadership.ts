import type { LeadershipChange } from '../replica/options'
import type { CoordinatorPartitions } from './coordinator-partitions'

type Follower = Pick<CoordinatorPartitions, 'onElection' | 'onResignation'>

/** Tells each kind of coordinator what becomes of the replicas of its topic; for ReplicaManagerOptions. */
export class CoordinatorLeadership {
  private readonly byTopic = new Map<string, Follower>()

  /** To be called before any LeaderAndIsr can arrive. */
  follow(topic: string, partitions: Follower): void {
    this.byTopic.set(topic, partitions)
  }

  readonly onLeadershipChange = (leaders: readonly LeadershipChange[], followers: readonly LeadershipChange[]): void => {
    for (const { topic, partition, leaderEpoch } of leaders) this.byTopic.get(topic)?.onElection(partition, leaderEpoch)
    for (const { topic, partition, leaderEpoch } of followers) this.byTopic.get(topic)?.onResignation(partition, leaderEpoch)
  }

  /** The replica is gone, whatever its epoch was. */
  readonly onReplicaStopped = ({ topic, partition }: LeadershipChange): void => {
    this.byTopic.get(topic)?.onResignation(partition)
  }
}
