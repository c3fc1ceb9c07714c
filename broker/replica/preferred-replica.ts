import type { Partition } from './partition'
import type { ReplicaCore } from './replica-core'
import type { ReplicaState } from './replica-state'
import type { FetchParams, FetchPartition } from './requests'

/**
 * The follower that a consumer should read from rather than from this leader (KIP-392, Kafka's RackAwareReplicaSelector): an
 * in-sync, live one in the consumer's rack that has the offset, the most caught-up of them. undefined: read here.
 */
export function preferredReadReplica(
  core: ReplicaCore,
  partition: Partition,
  params: FetchParams,
  request: FetchPartition,
): number | undefined {
  const { config, metadata, rack } = core.options
  const rackId = params.clientMetadata?.rackId ?? ''
  if (!config.rackAwareReplicaSelector || params.replicaId !== -1 || rackId === '' || !partition.isLeader) return undefined
  if (rack === rackId) return undefined
  let best: ReplicaState | undefined
  for (const follower of partition.followers.values()) {
    if (metadata.broker(follower.brokerId)?.rack !== rackId || !partition.isr.committed.includes(follower.brokerId)) continue
    if (follower.logEndOffset < request.fetchOffset || follower.logStartOffset > request.fetchOffset) continue
    if (best === undefined || isAhead(follower, best)) best = follower
  }
  return best?.brokerId
}

function isAhead(a: ReplicaState, b: ReplicaState): boolean {
  return a.logEndOffset > b.logEndOffset || (a.logEndOffset === b.logEndOffset && a.lastCaughtUpMs > b.lastCaughtUpMs)
}
