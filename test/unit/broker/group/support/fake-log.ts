import { Pacer } from '../../../../../broker/coordinator/pacer'
import { coordinatorPartition } from '../../../../../broker/coordinator/partition-for'
import { ErrorCode } from '../../../../../protocol/errors'
import { decodeRecords } from '../../../../../protocol/records/records'
import { decodeGroupRecordKey, decodeGroupValue, decodeOffsetValue } from '../../../../../protocol/files/internal-records'
import { recordCountAt, sealBatchAt, setBaseOffsetAt } from '../../../../../protocol/records/batch'
import type { CoordinatorAppend, LogVisitor } from '../../../../../broker/coordinator/coordinator-log'
import type { Clock } from '../../../../../runtime/ports'

/** `__consumer_offsets` in memory. Appends are acknowledged at once, unless the test holds or refuses them. */
export class FakeLog {
  readonly topic = '__consumer_offsets'
  readonly batches: Buffer[] = []
  private endOffset = 0
  /** Each append is acknowledged with this. */
  errorCode: number = ErrorCode.NONE
  /** With an error: the batch is in the log all the same (a time-out, say). */
  keepsFailed = false
  /** Answers wait here instead of going out. */
  held: (() => void)[] | undefined
  appends: CoordinatorAppend[] = []
  private readonly clock: Clock
  private readonly partitions: number

  constructor(clock: Clock, partitions = 1) {
    this.clock = clock
    this.partitions = partitions
  }

  partitionFor(id: string): number {
    return coordinatorPartition(id, this.partitions)
  }

  async learnPartitionCount(): Promise<void> {}

  /** As the leader does it. The offset of the first record. */
  add(batch: Buffer): number {
    const baseOffset = this.endOffset
    const stored = Buffer.from(batch)
    setBaseOffsetAt(stored, 0, baseOffset)
    sealBatchAt(stored, 0)
    this.batches.push(stored)
    this.endOffset += recordCountAt(stored, 0)
    return baseOffset
  }

  append(_partition: number, batch: Buffer, how: CoordinatorAppend, done: (errorCode: number, baseOffset: number) => void): void {
    this.appends.push(how)
    const { errorCode } = this
    const isKept = errorCode === ErrorCode.NONE || this.keepsFailed
    const baseOffset = isKept ? this.add(batch) : -1
    const answer = (): void => done(errorCode, errorCode === ErrorCode.NONE ? baseOffset : -1)
    if (this.held === undefined) this.clock.immediate(answer)
    else this.held.push(answer)
  }

  release(): void {
    const held = this.held ?? []
    this.held = undefined
    for (const answer of held) this.clock.immediate(answer)
  }

  async caughtUp(): Promise<boolean> {
    return true
  }

  async load(_partition: number, _epoch: number, visitor: LogVisitor): Promise<boolean> {
    for (let i = 0, isSettled = false; ; i++) {
      if (!visitor.isWanted()) return false
      if (i < this.batches.length) {
        visitor.onBatch(this.batches[i]!)
        continue
      }
      if (isSettled) break
      await visitor.settle?.(new Pacer(this.clock))
      isSettled = true
      i--
    }
    visitor.onEnd()
    return true
  }

  /** The records in words, for comparisons. */
  records(): object[] {
    return this.batches.flatMap((batch) =>
      decodeRecords(batch).map(({ key, value }) => {
        const decoded = decodeGroupRecordKey(key!)
        if (value === null) return { ...decoded, value }
        return { ...decoded, value: decoded.kind === 'group' ? decodeGroupValue(value) : decodeOffsetValue(value) }
      }),
    )
  }
}
