import { ReplicationQuota, throttledPartitions } from './replication-quota'
import type { Clock } from '../../runtime/ports'
import type { QuotaWindow } from './replication-quota'

/** What may be moved as a leader, as a follower, and between log directories. */
export class ReplicationQuotas {
  readonly leader: ReplicationQuota
  readonly follower: ReplicationQuota
  /** Of every replica that moves. */
  readonly alterLogDirs: ReplicationQuota

  constructor(clock: Clock, windows: { replication: QuotaWindow; alterLogDirs: QuotaWindow } = DEFAULT_WINDOWS) {
    this.leader = new ReplicationQuota(clock, windows.replication)
    this.follower = new ReplicationQuota(clock, windows.replication)
    this.alterLogDirs = new ReplicationQuota(clock, windows.alterLogDirs)
  }

  /** `textOf` gives what is set dynamically: these rates cannot be set otherwise. */
  setLimits(textOf: (key: string) => string | undefined): void {
    const limit = (key: string): number => {
      const text = textOf(key)
      return text === undefined || Number(text) >= Number.MAX_SAFE_INTEGER ? Infinity : Number(text)
    }
    this.leader.setLimit(limit('leader.replication.throttled.rate'))
    this.follower.setLimit(limit('follower.replication.throttled.rate'))
    this.alterLogDirs.setLimit(limit('replica.alter.log.dirs.io.max.bytes.per.second'))
  }

  /** What a topic says of its replicas on this broker. */
  setTopic(
    topic: string,
    brokerId: number,
    config: {
      readonly leaderReplicationThrottledReplicas: readonly string[]
      readonly followerReplicationThrottledReplicas: readonly string[]
    },
  ): void {
    this.leader.setThrottled(topic, throttledPartitions(config.leaderReplicationThrottledReplicas, brokerId))
    this.follower.setThrottled(topic, throttledPartitions(config.followerReplicationThrottledReplicas, brokerId))
  }
}

const DEFAULT_WINDOW: QuotaWindow = { samples: 11, sampleMs: 1000 }
const DEFAULT_WINDOWS = { replication: DEFAULT_WINDOW, alterLogDirs: DEFAULT_WINDOW }
