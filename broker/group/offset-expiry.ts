import { CONSUMER_PROTOCOL_TYPE } from './subscribed-topics'
import type { GroupState } from './group-state'
import type { CommittedOffset, OffsetCache, OffsetKey } from './offset-cache'

export interface ExpiryFacts {
  readonly state: GroupState
  /** undefined: the group only keeps offsets. */
  readonly protocolType: string | undefined
  /** When it came into its state; undefined for groups of brokers before 2.1. */
  readonly stateSinceMs: number | undefined
  /** undefined: not known. */
  readonly subscribedTopics: ReadonlySet<string> | undefined
}

/** From when on the retention of an offset counts; undefined: this offset is kept. */
type RetainedSince = (key: OffsetKey, commit: CommittedOffset) => number | undefined

/**
 * KIP-211. A group that everybody left: since it is empty. A live consumer group: what no member subscribes to, since its commit.
 * A group without members of its own (standalone consumers): since the commit. Anything else is kept.
 */
function retainedSince(group: ExpiryFacts): RetainedSince | undefined {
  const { state, protocolType, stateSinceMs, subscribedTopics } = group
  if (protocolType === undefined) return (_key, commit) => commit.commitTimestamp
  if (state === 'Empty') return (_key, commit) => stateSinceMs ?? commit.commitTimestamp
  if (protocolType === CONSUMER_PROTOCOL_TYPE && state === 'Stable' && subscribedTopics !== undefined) {
    return ({ topic }, commit) => (subscribedTopics.has(topic) ? undefined : commit.commitTimestamp)
  }
  return undefined
}

/** The offsets of a group whose time is over. One that may be about to change is not among them. */
export function expiredOffsets(group: ExpiryFacts, offsets: OffsetCache, nowMs: number, retentionMs: number): OffsetKey[] {
  const since = retainedSince(group)
  if (since === undefined) return []
  const expired: OffsetKey[] = []
  for (const [key, commit] of offsets.entries()) {
    const sinceMs = since(key, commit)
    if (sinceMs === undefined) continue
    const isOver = commit.expireTimestamp >= 0 ? nowMs >= commit.expireTimestamp : nowMs - sinceMs >= retentionMs
    if (isOver && !offsets.isUnstable(key)) expired.push(key)
  }
  return expired
}
