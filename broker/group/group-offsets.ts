import { ErrorCode } from '../../protocol/errors'
import { whyNoCommit } from './member-checks'
import { commitBytes } from './offset-cache'
import type { GroupParts, Rebalances } from './rebalances'
import type { Group } from './group'
import type { Transaction } from './group-store'
import type { CommittedOffset, OffsetEntry, OffsetKey } from './offset-cache'

/** One partition of a commit. */
export interface OffsetToCommit extends OffsetKey {
  offset: number
  /** -1: not known. */
  leaderEpoch: number
  metadata: string
  /** Of version 1; -1: now. */
  commitTimestamp: number
  /** -1: the broker's retention counts. */
  expireTimestamp: number
}

export interface CommitRequest {
  groupId: string
  memberId: string
  groupInstanceId: string | null
  /** -1 outside of a generation. */
  generationId: number
  offsets: readonly OffsetToCommit[]
}

export interface FetchedOffset extends OffsetKey {
  errorCode: number
  /** -1: nothing is committed. */
  offset: number
  leaderEpoch: number
  metadata: string
}

/** The errors of the partitions in the order of the request. */
export type CommitDone = (errorCodes: readonly number[]) => void

/** OffsetCommit, TxnOffsetCommit and OffsetFetch, for groups that this broker coordinates. */
export class GroupOffsets {
  private readonly parts: GroupParts
  private readonly rebalances: Rebalances

  constructor(parts: GroupParts, rebalances: Rebalances) {
    this.parts = parts
    this.rebalances = rebalances
  }

  /** `done` is called exactly once. */
  commit(request: CommitRequest, done: CommitDone): void {
    const { groupId, memberId, groupInstanceId, generationId, offsets } = request
    const all = (errorCode: number): void => done(offsets.map(() => errorCode))
    const group = generationId < 0 ? this.parts.store.getOrCreate(groupId) : this.parts.store.get(groupId)
    // A group that is not known, though its member thinks that it is in a generation.
    if (group === undefined) return all(ErrorCode.ILLEGAL_GENERATION)
    const errorCode = whyNoCommit(group, memberId, groupInstanceId, generationId, false)
    if (errorCode !== ErrorCode.NONE) {
      if (group.isUnused) this.rebalances.forget(group)
      return all(errorCode)
    }
    if (group.is('CompletingRebalance')) return all(ErrorCode.REBALANCE_IN_PROGRESS)
    const member = group.members.get(memberId)
    if (member !== undefined) this.rebalances.keepAlive(group, member)
    this.store(group, offsets, undefined, done)
  }

  /** Offsets that count when the transaction is committed. The caller has verified the transaction with its coordinator. */
  commitTransactional(request: CommitRequest, transaction: Transaction, done: CommitDone): void {
    const { groupId, memberId, groupInstanceId, generationId, offsets } = request
    const group = this.parts.store.getOrCreate(groupId)
    const errorCode = whyNoCommit(group, memberId, groupInstanceId, generationId, true)
    if (errorCode === ErrorCode.NONE) {
      this.store(group, offsets, transaction, done)
      return
    }
    if (group.isUnused) this.rebalances.forget(group)
    done(offsets.map(() => errorCode))
  }

  private store(group: Group, offsets: readonly OffsetToCommit[], transaction: Transaction | undefined, done: CommitDone): void {
    const { config, clock, store } = this.parts
    const nowMs = clock.wallMs()
    const isTooLarge = ({ metadata }: OffsetToCommit): boolean => metadata.length > config.offsetMetadataMaxBytes
    const entries = offsets.filter((each) => !isTooLarge(each)).map((each): OffsetEntry => ({
      topic: each.topic, partition: each.partition, commit: commitOf(each, nowMs),
    }))
    const answer = (errorCode: number): void =>
      done(offsets.map((each) => (isTooLarge(each) ? ErrorCode.OFFSET_METADATA_TOO_LARGE : errorCode)))
    const errorCode = this.isTooMuch(group, entries) ? ErrorCode.COORDINATOR_NOT_AVAILABLE : ErrorCode.NONE
    if (entries.length > 0 && errorCode === ErrorCode.NONE) store.storeOffsets(group, entries, transaction, answer)
    else {
      if (group.isUnused) this.rebalances.forget(group)
      answer(errorCode)
    }
  }

  /** For the memory of this broker. Who commits the same partitions again and again needs no more. */
  private isTooMuch(group: Group, entries: readonly OffsetEntry[]): boolean {
    const { limits, store: { memory } } = this.parts
    if (group.isUnused && memory.bytes > limits.memoryBytes) return true
    let moreBytes = 0
    for (const entry of entries) {
      const known = group.offsets.get(entry)
      moreBytes += commitBytes(entry.commit) - (known === undefined ? 0 : commitBytes(known))
    }
    return moreBytes > 0 && memory.offsetBytes + moreBytes > limits.offsetBytes
  }

  /** `keys` undefined: every partition that has an offset. */
  fetch(groupId: string, keys: readonly OffsetKey[] | undefined, requireStable: boolean): FetchedOffset[] {
    const group = this.parts.store.get(groupId)
    if (group === undefined) return distinct(keys ?? []).map((key) => fetched(key, undefined, ErrorCode.NONE))
    if (keys === undefined && !requireStable) {
      return [...group.offsets.entries()].map(([key, commit]) => fetched(key, commit, ErrorCode.NONE))
    }
    const asked = keys === undefined ? [...group.offsets.entries()].map(([key]) => key) : distinct(keys)
    return asked.map((key) =>
      requireStable && group.offsets.isUnstable(key)
        ? fetched(key, undefined, ErrorCode.UNSTABLE_OFFSET_COMMIT)
        : fetched(key, group.offsets.get(key), ErrorCode.NONE),
    )
  }
}

/** Each once, however often it is asked for: else a small request had a large answer. */
function distinct(keys: readonly OffsetKey[]): OffsetKey[] {
  const seen = new Map<string, Set<number>>()
  return keys.filter(({ topic, partition }) => {
    let partitions = seen.get(topic)
    if (partitions === undefined) seen.set(topic, (partitions = new Set()))
    if (partitions.has(partition)) return false
    partitions.add(partition)
    return true
  })
}

function commitOf({ offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp }: OffsetToCommit, nowMs: number): CommittedOffset {
  return {
    offset, leaderEpoch, metadata, commitTimestamp: commitTimestamp < 0 ? nowMs : commitTimestamp, expireTimestamp, appendedAt: -1,
  }
}

function fetched({ topic, partition }: OffsetKey, commit: CommittedOffset | undefined, errorCode: number): FetchedOffset {
  return {
    topic,
    partition,
    errorCode,
    offset: commit?.offset ?? -1,
    leaderEpoch: commit?.leaderEpoch ?? -1,
    metadata: commit?.metadata ?? '',
  }
}
