import { ErrorCode, ProtocolError } from '../../protocol/errors'
import { isInternalTopic } from '../../protocol/rules/topic-name'
import type { Partition } from './partition'
import { DelayedOperation } from './purgatory'
import type { ReplicaCore } from './replica-core'
import type { DeleteRecordsParams, DeleteRecordsResult } from './requests'

interface Entry {
  partition: Partition | undefined
  /** The low watermark that means done. */
  requiredOffset: number
  isPending: boolean
  result: DeleteRecordsResult
}

/** Moves log starts forward, and waits until every live replica has done so too (KIP-107). */
export function deleteRecords(
  core: ReplicaCore,
  params: DeleteRecordsParams,
  done: (results: DeleteRecordsResult[]) => void,
): void {
  const entries = params.partitions.map(({ topic, partition, offset }) => deleteOne(core, topic, partition, offset))
  const watched = entries.filter((entry) => entry.isPending).map((entry) => entry.partition!)
  core.recordDeletions.tryCompleteElseWatch(new DelayedDeletion(core, entries, done), watched, params.timeoutMs)
}

function deleteOne(core: ReplicaCore, topic: string, index: number, offset: number): Entry {
  try {
    if (isInternalTopic(topic)) throw new ProtocolError(ErrorCode.INVALID_TOPIC_EXCEPTION)
    const partition = core.require(topic, index)
    const log = partition.leaderLog()
    if (!core.mayLead(partition)) throw new ProtocolError(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    if (!log.config.cleanupPolicy.includes('delete')) throw new ProtocolError(ErrorCode.POLICY_VIOLATION)
    const requiredOffset = offset === -1 ? log.highWatermark : offset
    if (requiredOffset < 0) throw new ProtocolError(ErrorCode.OFFSET_OUT_OF_RANGE)
    log.incrementLogStartOffset(requiredOffset)
    const lowWatermark = partition.lowWatermark()
    return {
      partition,
      requiredOffset,
      isPending: lowWatermark < requiredOffset,
      result: { topic, partition: index, errorCode: ErrorCode.NONE, lowWatermark },
    }
  } catch (error) {
    const result = { topic, partition: index, errorCode: core.errorCodeOf(error), lowWatermark: -1 }
    return { partition: undefined, requiredOffset: -1, isPending: false, result }
  }
}

class DelayedDeletion extends DelayedOperation<Partition> {
  private readonly core: ReplicaCore
  private readonly entries: readonly Entry[]
  private readonly done: (results: DeleteRecordsResult[]) => void

  constructor(core: ReplicaCore, entries: readonly Entry[], done: (results: DeleteRecordsResult[]) => void) {
    super()
    this.core = core
    this.entries = entries
    this.done = done
  }

  protected isReady(): boolean {
    for (const entry of this.entries) if (entry.isPending) this.check(entry)
    return this.entries.every((entry) => !entry.isPending)
  }

  private check(entry: Entry): void {
    try {
      entry.result.lowWatermark = entry.partition!.lowWatermark()
      entry.isPending = entry.result.lowWatermark < entry.requiredOffset
    } catch (error) {
      entry.isPending = false
      entry.result.errorCode = this.core.errorCodeOf(error)
      entry.result.lowWatermark = -1
    }
  }

  protected onComplete(): void {
    for (const entry of this.entries) if (entry.isPending) entry.result.errorCode = ErrorCode.REQUEST_TIMED_OUT
    this.core.answerLater(() => this.done(this.entries.map((entry) => entry.result)))
  }
}
