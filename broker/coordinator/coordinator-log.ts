import { ErrorCode } from '../../protocol/errors'
import { apis } from '../../protocol/messages/apis'
import { baseOffsetAt, batchIsValidAt, lastOffsetAt, magicAt } from '../../protocol/records/batch'
import { decodeAnyRecords } from '../../protocol/records/conversion'
import { legacyIsValidAt } from '../../protocol/records/legacy'
import { BatchBuilder, iterateBatches } from '../../protocol/records/records'
import { Pacer } from './pacer'
import { coordinatorPartition } from './partition-for'
import type { Clock } from '../../runtime/ports'
import type { VerificationGuard } from '../log/log-types'
import type { MetadataCache } from '../metadata/metadata-cache'
import type { ReplicaLog } from '../replica/log-port'
import type { ReplicaManager } from '../replica/replica-manager'

export interface CoordinatorLogOptions {
  /** `__consumer_offsets` or `__transaction_state`. */
  topic: string
  /** What the topic will be created with: counts while there is no such topic. */
  defaultPartitionCount: number
  /** How much is read at a time (`offsets.load.buffer.size`, `transaction.state.log.load.buffer.size`). */
  loadBufferBytes: number
  /** The number of partitions in ZooKeeper; undefined if there is no such topic. Rejects if ZooKeeper cannot be asked. */
  readPartitionCount(): Promise<number | undefined>
  clock: Clock
  metadata: MetadataCache
  replicas: Pick<ReplicaManager, 'append' | 'partition'>
}

export interface CoordinatorAppend {
  timeoutMs: number
  /** -1 or 1. */
  requiredAcks: number
  /** The append is refused with NOT_LEADER_OR_FOLLOWER if the partition's leader epoch is another one by now. */
  coordinatorEpoch: number
  verificationGuard?: VerificationGuard | undefined
}

/** What is done with a log that is read. Everything may be begun again after a failure, with fresh ones. */
export interface LogVisitor {
  /** One batch, in the order of the log; valid only during the call. */
  onBatch(batch: Buffer): void
  /** Called once, at what seems to be the end; the rest of the work, in slices. What is appended meanwhile is read afterwards. */
  settle?(pacer: Pacer): Promise<void>
  /** Everything that the log holds was read, at this very moment. */
  onEnd(): void
  /** False ends the reading. */
  isWanted(): boolean
}

/** How often is looked whether the replicas have caught up. */
const CAUGHT_UP_LOOK_MS = 10

const PRODUCE_VERSION = apis.produce.maxVersion

/** The log of one kind of coordinator: an internal topic whose partitions each hold the state of some groups or transactions. */
export class CoordinatorLog {
  readonly topic: string
  private readonly options: CoordinatorLogOptions
  /** As found in ZooKeeper. It stays while the topic lives: with another count every id would move (as Kafka, until a restart). */
  private partitionCount: number | undefined

  constructor(options: CoordinatorLogOptions) {
    this.options = options
    this.topic = options.topic
    options.metadata.onChange(({ topics }) => {
      if (!topics.has(this.topic)) return
      if (options.metadata.topic(this.topic) === undefined) this.partitionCount = undefined
      // Also where nothing is coordinated: all brokers are to name the same coordinator. Asked again at the next change if it fails.
      else this.learnPartitionCount().catch(() => {})
    })
  }

  /** The partition of the topic that holds the state of `id`. */
  partitionFor(id: string): number {
    const known = this.partitionCount ?? this.options.metadata.topic(this.topic)?.partitions.size
    return coordinatorPartition(id, known ?? this.options.defaultPartitionCount)
  }

  /** Finds out how many partitions there are, once. To be awaited before a partition's state is used. */
  async learnPartitionCount(): Promise<void> {
    if (this.partitionCount !== undefined) return
    const count = await this.options.readPartitionCount()
    this.partitionCount ??= count
  }

  /**
   * Appends one batch. `done` is called exactly once, never from inside the call, with the error code of the append as the
   * replica manager gave it (each coordinator maps it for its clients) and the offset of the first record, -1 with an error.
   */
  append(partition: number, batch: Buffer, how: CoordinatorAppend, done: (errorCode: number, baseOffset: number) => void): void {
    const { replicas, clock } = this.options
    const replica = replicas.partition(this.topic, partition)
    // Leadership may have gone and come back since the state was read on which this append is founded.
    if (replica === undefined || !replica.isLeader || replica.leaderEpoch !== how.coordinatorEpoch) {
      clock.immediate(() => done(ErrorCode.NOT_LEADER_OR_FOLLOWER, -1))
      return
    }
    void replicas.append(
      {
        timeoutMs: how.timeoutMs,
        acks: how.requiredAcks,
        internalTopicsAllowed: true,
        origin: 'coordinator',
        requestVersion: PRODUCE_VERSION,
        partitions: [{ topic: this.topic, partition, records: batch, verificationGuard: how.verificationGuard }],
      },
      (results) => done(results[0]!.errorCode, results[0]!.baseOffset),
    )
  }

  /**
   * Reads a partition from its start to its end, what is not yet replicated included. Resolves with true after `onEnd`; with
   * false if it is not wanted any more or this broker stopped leading the partition in this epoch. Rejects if the log cannot be
   * read or the visitor throws.
   */
  async load(partition: number, coordinatorEpoch: number, visitor: LogVisitor): Promise<boolean> {
    const pacer = new Pacer(this.options.clock)
    const isOurs = (): boolean => visitor.isWanted() && this.leads(partition, coordinatorEpoch)
    let isSettled = visitor.settle === undefined
    let offset = -1
    while (isOurs()) {
      const log = this.options.replicas.partition(this.topic, partition)!.log!
      // Retention and compaction may move the start meanwhile.
      offset = Math.max(offset, log.startOffset)
      const next = offset < log.endOffset ? await this.readChunk(log, offset, visitor, pacer, isOurs) : offset
      if (next === undefined) return false
      // A compacted log may end in a gap.
      if (next === offset && isSettled) {
        visitor.onEnd()
        return true
      }
      if (next === offset) {
        await visitor.settle!(pacer)
        isSettled = true
      } else if (next < log.endOffset) {
        await pacer.pause()
      }
      offset = next
    }
    return false
  }

  /**
   * Resolves with true when the high watermark has reached what is the end of the partition now; with false if that is not wanted any
   * more or this broker stopped leading in this epoch.
   */
  async caughtUp(partition: number, coordinatorEpoch: number, isWanted: () => boolean): Promise<boolean> {
    let endOffset: number | undefined
    while (isWanted() && this.leads(partition, coordinatorEpoch)) {
      const log = this.options.replicas.partition(this.topic, partition)!.log!
      endOffset ??= log.endOffset
      if (log.highWatermark >= endOffset) return true
      await new Promise<void>((resolve) => this.options.clock.timer(CAUGHT_UP_LOOK_MS, resolve))
    }
    return false
  }

  /** The offset to go on with; undefined if that is not wanted. Without a pause if there is nothing to read. */
  private async readChunk(
    log: ReplicaLog,
    offset: number,
    visitor: LogVisitor,
    pacer: Pacer,
    isOurs: () => boolean,
  ): Promise<number | undefined> {
    const read = log.read(offset, this.options.loadBufferBytes, { upTo: 'logEnd', minOneMessage: true })
    let next = offset
    try {
      for (const batch of iterateBatches(read.records)) {
        const isOld = magicAt(batch, 0) < 2
        if (!(isOld ? legacyIsValidAt(batch, 0) : batchIsValidAt(batch, 0))) {
          throw new Error(`The batch of ${this.topic}-${log.partition} behind offset ${next} is damaged.`)
        }
        visitor.onBatch(isOld ? upConverted(batch) : batch)
        // A message of an old format has the offset of its last record.
        next = (isOld ? baseOffsetAt(batch, 0) : lastOffsetAt(batch, 0)) + 1
        if (!pacer.isDue()) continue
        await pacer.pause()
        if (!isOurs()) return undefined
      }
    } finally {
      read.release()
    }
    return next
  }

  private leads(partition: number, leaderEpoch: number): boolean {
    const replica = this.options.replicas.partition(this.topic, partition)
    return replica !== undefined && replica.isLeader && replica.leaderEpoch === leaderEpoch && replica.log !== undefined
  }
}

/** What a broker wrote under log.message.format.version below 0.11, or before that: its records keep their offsets. */
function upConverted(message: Buffer): Buffer {
  const records = decodeAnyRecords(message)
  const builder = new BatchBuilder({ baseOffset: records[0]!.offset })
  for (const { offset, key, value, timestamp } of records) builder.appendAt(offset, key, value, [], timestamp)
  return builder.build()
}
