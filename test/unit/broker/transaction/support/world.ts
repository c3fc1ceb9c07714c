import { NetworkError } from '../../../../../network/kafka-connection'
import { ErrorCode } from '../../../../../protocol/errors'
import { silentLogger } from '../../../../../runtime/log'
import { LogError } from '../../../../../broker/log/log-error'
import { ProducerEntry } from '../../../../../broker/log/producer/producer-entry'
import { ProducerState } from '../../../../../broker/log/producer/producer-state'
import { MetadataCache } from '../../../../../broker/metadata/metadata-cache'
import { TransactionCoordinator } from '../../../../../broker/transaction/transaction-coordinator'
import { VirtualClock } from './virtual-clock'
import type { CoordinatorAppend, LogVisitor } from '../../../../../broker/coordinator/coordinator-log'
import type { UpdateMetadataRequest } from '../../../../../protocol/messages/update-metadata'
import type { WriteTxnMarkersRequest, WriteTxnMarkersResponse } from '../../../../../protocol/messages/write-txn-markers'

export const TOPIC = 'data'

/** One partition of `__transaction_state`, in memory. What is appended counts when it is confirmed. */
export class FakeCoordinatorLog {
  readonly topic = '__transaction_state'
  readonly batches: Buffer[] = []
  leaderEpoch = 0
  /** Of the next appends, oldest first: the error, and whether the record is in the log all the same. */
  readonly faults: { errorCode: number; isWritten: boolean }[] = []
  /** Appends wait for `confirm`. */
  isHeld = false
  /** So many batches were confirmed; the others may be lost. */
  confirmed = 0
  readonly timeoutsMs: number[] = []
  private held: (() => void)[] = []
  private readonly clock: VirtualClock

  constructor(clock: VirtualClock) {
    this.clock = clock
  }

  partitionFor(): number {
    return 0
  }

  async learnPartitionCount(): Promise<void> {}

  append(_: number, batch: Buffer, how: CoordinatorAppend, done: (errorCode: number, baseOffset: number) => void): void {
    if (how.coordinatorEpoch !== this.leaderEpoch) {
      this.clock.immediate(() => done(ErrorCode.NOT_LEADER_OR_FOLLOWER, -1))
      return
    }
    this.timeoutsMs.push(how.timeoutMs)
    const fault = this.faults.shift()
    if (fault === undefined || fault.isWritten) this.batches.push(batch)
    const answer = (): void => done(fault?.errorCode ?? ErrorCode.NONE, this.batches.length - 1)
    if (!this.isHeld) this.confirmed = this.batches.length
    if (this.isHeld) this.held.push(answer)
    else this.clock.immediate(answer)
  }

  confirm(): void {
    this.isHeld = false
    this.confirmed = this.batches.length
    for (const answer of this.held.splice(0)) this.clock.immediate(answer)
  }

  async caughtUp(_: number, __: number, isWanted: () => boolean): Promise<boolean> {
    const end = this.batches.length
    while (isWanted() && this.confirmed < end) await new Promise<void>((resolve) => this.clock.timer(10, resolve))
    return isWanted()
  }

  async load(_: number, __: number, visitor: LogVisitor): Promise<boolean> {
    for (let i = 0; i < this.batches.length; i++) {
      if (i % 3 === 2) await new Promise<void>((resolve) => this.clock.immediate(resolve))
      if (!visitor.isWanted()) return false
      visitor.onBatch(this.batches[i]!)
    }
    visitor.onEnd()
    return true
  }
}

interface StoredRecord {
  offset: number
  producerId: number
  value: string
}

/** A partition of data with the real producer state; everything is replicated at once. */
export class DataPartition {
  readonly records: StoredRecord[] = []
  readonly aborted: { producerId: number; firstOffset: number; lastOffset: number }[] = []
  readonly state: ProducerState
  private endOffset = 0

  constructor(name: string) {
    this.state = new ProducerState(name)
  }

  get hasOpenTransaction(): boolean {
    return this.state.firstUndecidedOffset !== undefined
  }

  /** As a leader does: `verify` stands for the question to the coordinator. */
  write(producerId: number, producerEpoch: number, value: string, verify: () => number): number {
    const guard = this.state.startVerification(producerId, 0, producerEpoch, 0)
    if (guard !== undefined) {
      const errorCode = verify()
      if (errorCode !== ErrorCode.NONE) return errorCode
      if (!this.state.isVerified(producerId, guard)) return ErrorCode.INVALID_TXN_STATE
    }
    const offset = this.endOffset
    const batch = {
      producerId, producerEpoch, firstSequence: 0, lastSequence: 0, firstOffset: offset, lastOffset: offset, maxTimestamp: 1,
      isTransactional: true,
    }
    try {
      this.state.checkData(this.state.entry(producerId) ?? new ProducerEntry(producerId), batch, 'coordinator')
    } catch (error) {
      return (error as LogError).code
    }
    this.records.push({ offset, producerId, value })
    this.state.appendData(batch)
    this.endOffset++
    return ErrorCode.NONE
  }

  mark(producerId: number, producerEpoch: number, coordinatorEpoch: number, isCommit: boolean): number {
    const marker = { producerId, producerEpoch, coordinatorEpoch, isAbort: !isCommit, offset: this.endOffset, timestamp: 1 }
    try {
      this.state.checkMarker(this.state.entry(producerId) ?? new ProducerEntry(producerId), marker)
    } catch (error) {
      return (error as LogError).code
    }
    this.endOffset++
    const completed = this.state.appendMarker(marker)
    if (completed !== undefined) {
      this.state.complete(completed)
      if (completed.isAborted) this.aborted.push(completed)
    }
    this.state.onHighWatermark(this.endOffset)
    return ErrorCode.NONE
  }

  /** What a reader of committed data sees. */
  committed(): string[] {
    const end = this.state.firstUnstableOffset ?? this.endOffset
    return this.records
      .filter(({ offset, producerId }) => {
        const isAborted = this.aborted.some(
          (each) => each.producerId === producerId && each.firstOffset <= offset && offset <= each.lastOffset,
        )
        return offset < end && !isAborted
      })
      .map(({ value }) => value)
  }
}

export interface MarkerFault {
  /** Refused by the broker, instead of being written. */
  errorCode?: number
  /** The answer is lost. */
  isLost?: boolean
}

/** A coordinator of one log partition, the brokers that lead data partitions, and virtual time. */
export class World {
  readonly clock = new VirtualClock()
  readonly log = new FakeCoordinatorLog(this.clock)
  readonly metadata = new MetadataCache()
  readonly partitions: DataPartition[] = []
  readonly markerFaults: MarkerFault[] = []
  readonly sent: WriteTxnMarkersRequest[] = []
  /** Partitions of which ZooKeeper knows nothing any more. */
  readonly deleted = new Set<number>()
  nextProducerId = 0
  mayAct = true
  maxMemoryBytes = Infinity
  coordinator: TransactionCoordinator

  constructor(partitions = 3) {
    for (let i = 0; i < partitions; i++) this.partitions.push(new DataPartition(`${TOPIC}-${i}`))
    this.setLeaders(this.partitions.map((_, i) => i % 2))
    this.coordinator = this.newCoordinator()
  }

  /** undefined: this broker knows nothing of the partition. -1: no leader. */
  setLeaders(leaders: readonly (number | undefined)[]): void {
    const request = {
      controllerId: 0,
      topicStates: [{
        topicName: TOPIC,
        topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
        partitionStates: leaders.map((leader, partitionIndex) => ({
          topicName: '', partitionIndex, controllerEpoch: 1, leader: leader ?? -2, leaderEpoch: 1, isr: [0], zkVersion: 1,
          replicas: [0, 1], offlineReplicas: [],
        })),
      }],
      ungroupedPartitionStates: [],
      liveBrokers: [0, 1].map((id) => ({
        id, rack: null, v0Host: '', v0Port: 0, endpoints: [{ port: 9092 + id, host: 'h', listener: 'INTERNAL', securityProtocol: 0 }],
      })),
    }
    this.metadata.update(request as unknown as UpdateMetadataRequest)
  }

  private newCoordinator(): TransactionCoordinator {
    const coordinator = new TransactionCoordinator({
      clock: this.clock,
      logger: silentLogger,
      log: this.log,
      mayAct: () => this.mayAct,
      maxMemoryBytes: this.maxMemoryBytes,
      producerIds: { next: async () => this.nextProducerId++, close() {} },
      markers: {
        metadata: this.metadata,
        listenerName: 'INTERNAL',
        version: 1,
        isDeleted: async (_, partition) => this.deleted.has(partition),
        peers: {
          send: async (_brokerId: number, _apiKey: number, body: unknown) => this.receive(body as WriteTxnMarkersRequest) as never,
        },
      },
      maxTimeoutMs: 900_000,
      idExpirationMs: 3_600_000,
      abortTimedOutIntervalMs: 10_000,
      removeExpiredIntervalMs: 600_000,
      maxMessageBytes: () => 1_000_000,
    })
    coordinator.startup()
    return coordinator
  }

  private async receive(request: WriteTxnMarkersRequest): Promise<WriteTxnMarkersResponse> {
    this.sent.push(request)
    const fault = this.markerFaults.shift() ?? {}
    const markers = request.markers.map(({ producerId, producerEpoch, coordinatorEpoch, transactionResult, topics }) => ({
      producerId,
      topics: topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((partitionIndex) => {
          const mark = (): number => this.partitions[partitionIndex]!.mark(producerId, producerEpoch, coordinatorEpoch, transactionResult)
          return { partitionIndex, errorCode: fault.errorCode ?? mark() }
        }),
      })),
    }))
    if (fault.isLost) throw new NetworkError('DISCONNECTED', 'lost')
    return { markers }
  }

  /** The broker becomes coordinator of the log partition, or once more in a newer epoch. */
  async elect(): Promise<void> {
    this.log.leaderEpoch++
    this.coordinator.partitions.onElection(0, this.log.leaderEpoch)
    await this.clock.settle()
  }

  /** The process dies: nothing of it is answered any more. Another one takes over. */
  async crash(): Promise<void> {
    this.coordinator.close()
    this.coordinator = this.newCoordinator()
    await this.elect()
  }

  /** The answer, as soon as it can be there. */
  async ask<T>(question: Promise<T>): Promise<T> {
    let answer: { value: T } | undefined
    void question.then((value) => (answer = { value }))
    await this.clock.settle()
    if (answer === undefined) throw new Error('not answered')
    return answer.value
  }
}

/** A producer as a client sees it. */
export class Client {
  readonly id: string
  producerId = -1
  producerEpoch = -1
  private readonly world: World

  constructor(world: World, id = 'tx') {
    this.world = world
    this.id = id
  }

  async init(timeoutMs = 60_000): Promise<number> {
    const result = await this.world.ask(this.world.coordinator.initProducerId(this.id, timeoutMs, undefined))
    if (result.errorCode === ErrorCode.NONE) Object.assign(this, { producerId: result.producerId, producerEpoch: result.producerEpoch })
    return result.errorCode
  }

  /** Until an old transaction is aborted. */
  async initEventually(timeoutMs = 60_000): Promise<void> {
    for (let i = 0; i < 50; i++) {
      const errorCode = await this.init(timeoutMs)
      if (errorCode === ErrorCode.NONE) return
      await this.world.clock.advance(100)
    }
    throw new Error('never initialised')
  }

  add(...partitions: number[]): Promise<number> {
    const asked = partitions.map((partition) => ({ topic: TOPIC, partition }))
    return this.world.ask(this.world.coordinator.addPartitions(this.id, this, asked))
  }

  write(partition: number, value: string): number {
    return this.world.partitions[partition]!.write(this.producerId, this.producerEpoch, value, () =>
      this.world.coordinator.verifyPartitions(this.id, this, [{ topic: TOPIC, partition }])[0]!.errorCode,
    )
  }

  end(isCommit: boolean): Promise<number> {
    return this.world.ask(this.world.coordinator.endTransaction(this.id, this, isCommit))
  }
}
