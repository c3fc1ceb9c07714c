import {
  baseOffsetAt, lastOffsetAt, leaderEpochAt, producerIdAt, setBaseOffsetAt, setLeaderEpochAt,
} from '../../../../../protocol/records/batch'
import { BatchBuilder, iterateBatches } from '../../../../../protocol/records/records'
import { LogError, StorageError } from '../../../../../broker/log/log-error'
import type {
  AppendInfo, AppendOptions, EpochEndOffset, LogConfig, ReadOptions, ReadResult,
} from '../../../../../broker/log/log-types'
import type { CreateLogOptions } from '../../../../../broker/log/log-manager'
import type { NewLog } from '../../../../../broker/log/new-folders'
import type { LogStore, ReplicaLog } from '../../../../../broker/replica/log-port'

/** One batch of `count` records whose first value is `text`. */
export function batch(text: string, count = 1): Buffer {
  const builder = new BatchBuilder()
  for (let i = 0; i < count; i++) builder.append(null, Buffer.from(i === 0 ? text : `${text}+${i}`), [], 1000)
  return builder.build()
}

/** A log in memory: batches, leader epochs, watermarks. What is not synced is lost by `crash`. */
export class FakeLog implements ReplicaLog {
  topicId: string | undefined
  readonly topic: string
  readonly partition: number
  dir: string
  isOnline = true
  startOffset = 0
  highWatermark = 0
  syncedOffset = 0
  epochs: { epoch: number; start: number }[] = []
  batches: Buffer[] = []
  private base = 0
  config = { cleanupPolicy: ['delete'] } as unknown as LogConfig
  producers = []
  /** Syncs wait for `finishSync` while it is true. */
  holdsSyncs = false
  private syncs: (() => void)[] = []
  syncCount = 0

  constructor(topic: string, partition: number, dir: string, topicId: string | undefined) {
    this.topic = topic
    this.partition = partition
    this.dir = dir
    this.topicId = topicId
  }

  get endOffset(): number {
    const last = this.batches.at(-1)
    return last === undefined ? this.base : lastOffsetAt(last, 0) + 1
  }

  get lastStableOffset(): number {
    return this.highWatermark
  }

  get latestEpoch(): number {
    return this.epochs.at(-1)?.epoch ?? -1
  }

  get size(): number {
    return this.batches.reduce((sum, each) => sum + each.length, 0)
  }

  /** [offset, epoch, first value's bytes] of each batch, for comparisons. */
  content(below = Infinity): string[] {
    return this.batches.filter((each) => baseOffsetAt(each, 0) < below).map((each) => each.toString('hex'))
  }

  private check(): void {
    if (!this.isOnline) throw new StorageError('offline')
  }

  assignTopicId(topicId: string): void {
    this.topicId = topicId
  }

  assignEpochStart(epoch: number, offset: number): void {
    this.check()
    const last = this.epochs.at(-1)
    if (last !== undefined && last.epoch === epoch && offset >= last.start) return
    this.epochs = this.epochs.filter((each) => each.epoch < epoch && each.start < offset)
    this.epochs.push({ epoch, start: offset })
  }

  needsPreparation(): boolean {
    return false
  }

  prepare(): Promise<never> {
    throw new Error('nothing needs it')
  }

  knowsProducer(producerId: number): boolean {
    return this.batches.some((each) => producerIdAt(each, 0) === producerId)
  }

  startTransactionVerification(): undefined {
    return undefined
  }

  appendAsLeader(records: Buffer, options: AppendOptions): AppendInfo {
    this.check()
    const firstOffset = this.endOffset
    for (const each of iterateBatches(records)) {
      const copy = Buffer.from(each)
      setBaseOffsetAt(copy, 0, this.endOffset)
      setLeaderEpochAt(copy, 0, options.leaderEpoch)
      this.batches.push(copy)
    }
    this.assignEpochStart(options.leaderEpoch, firstOffset)
    return {
      firstOffset, lastOffset: this.endOffset - 1, maxTimestamp: 1000, logAppendTime: -1, logStartOffset: this.startOffset,
      duplicate: false, recordErrors: [], bytes: records.length, recordCount: this.endOffset - firstOffset,
    }
  }

  appendAsFollower(records: Buffer): AppendInfo {
    this.check()
    const firstOffset = this.endOffset
    for (const each of iterateBatches(records)) {
      if (baseOffsetAt(each, 0) < this.endOffset) throw new LogError(1, `append ${baseOffsetAt(each, 0)} below ${this.endOffset}`)
      const copy = Buffer.from(each)
      this.batches.push(copy)
      this.assignEpochStart(leaderEpochAt(copy, 0), baseOffsetAt(copy, 0))
    }
    return {
      firstOffset, lastOffset: this.endOffset - 1, maxTimestamp: 1000, logAppendTime: -1, logStartOffset: this.startOffset,
      duplicate: false, recordErrors: [], bytes: records.length, recordCount: 0,
    }
  }

  private limit(upTo: ReadOptions['upTo']): number {
    return upTo === 'logEnd' ? this.endOffset : this.highWatermark
  }

  read(offset: number, maxBytes: number, { upTo, minOneMessage }: ReadOptions): ReadResult {
    this.check()
    const found: Buffer[] = []
    let bytes = 0
    for (const each of this.batches) {
      if (lastOffsetAt(each, 0) < offset) continue
      if (baseOffsetAt(each, 0) >= this.limit(upTo)) break
      if (bytes + each.length > maxBytes && !(minOneMessage && found.length === 0)) break
      found.push(each)
      bytes += each.length
    }
    const records = Buffer.concat(found)
    return { records, release() {}, fetchOffset: offset, firstEntryIncomplete: false }
  }

  bytesFrom(offset: number, upTo: ReadOptions['upTo']): number {
    this.check()
    let bytes = 0
    for (const each of this.batches) {
      if (lastOffsetAt(each, 0) >= offset && baseOffsetAt(each, 0) < this.limit(upTo)) bytes += each.length
    }
    return bytes
  }

  truncateTo(offset: number): boolean {
    this.check()
    if (offset >= this.endOffset) return false
    this.startOffset = Math.min(this.startOffset, offset)
    if (this.batches.length > 0) this.base = offset
    this.batches = this.batches.filter((each) => lastOffsetAt(each, 0) < offset)
    this.epochs = this.epochs.filter((each) => each.start < offset)
    this.highWatermark = Math.min(this.highWatermark, this.endOffset)
    this.syncedOffset = Math.min(this.syncedOffset, this.endOffset)
    return true
  }

  truncateFullyAndStartAt(offset: number): void {
    this.check()
    this.batches = []
    this.epochs = []
    this.base = offset
    this.startOffset = offset
    this.highWatermark = offset
    this.syncedOffset = offset
  }

  endOffsetForEpoch(epoch: number): EpochEndOffset {
    const latest = this.latestEpoch
    if (epoch < 0 || latest < 0 || epoch > latest) return { epoch: -1, endOffset: -1 }
    if (epoch === latest) return { epoch, endOffset: this.endOffset }
    const next = this.epochs.find((each) => each.epoch > epoch)!
    const at = this.epochs.findLast((each) => each.epoch <= epoch)
    return { epoch: at?.epoch ?? epoch, endOffset: next.start }
  }

  offsetForTimestamp(timestamp: number): { timestamp: number; offset: number; leaderEpoch: number } | undefined {
    if (timestamp === -2) return { timestamp: -1, offset: this.startOffset, leaderEpoch: -1 }
    return timestamp <= 1000 && this.batches.length > 0
      ? { timestamp: 1000, offset: baseOffsetAt(this.batches[0]!, 0), leaderEpoch: leaderEpochAt(this.batches[0]!, 0) }
      : undefined
  }

  legacyOffsetsBefore(): number[] {
    return [this.endOffset, this.startOffset]
  }

  updateHighWatermark(offset: number): number {
    return (this.highWatermark = Math.min(Math.max(offset, this.startOffset), this.endOffset))
  }

  maybeIncrementHighWatermark(offset: number): boolean {
    const before = this.highWatermark
    return offset > before && this.updateHighWatermark(offset) > before
  }

  incrementLogStartOffset(offset: number): boolean {
    if (offset > this.highWatermark) throw new LogError(1, 'above the high watermark')
    if (offset <= this.startOffset) return false
    this.startOffset = offset
    this.batches = this.batches.filter((each) => lastOffsetAt(each, 0) >= offset)
    this.epochs = this.epochs
      .filter((_, i) => (this.epochs[i + 1]?.start ?? Infinity) > offset)
      .map(({ epoch, start }) => ({ epoch, start: Math.max(start, offset) }))
    if (this.batches.length === 0) this.base = Math.max(this.base, offset)
    return true
  }

  flush(): Promise<void> {
    this.syncCount++
    const target = this.endOffset
    const finish = (): void => {
      this.syncedOffset = Math.max(this.syncedOffset, Math.min(target, this.endOffset))
    }
    if (!this.holdsSyncs) return Promise.resolve().then(finish)
    return new Promise((resolve) => this.syncs.push(() => (finish(), resolve())))
  }

  finishSync(): void {
    for (const finish of this.syncs.splice(0)) finish()
  }

  /** The machine died: what was not synced is gone, the high watermark comes from a checkpoint. */
  crash(checkpointedHighWatermark: number): void {
    this.truncateTo(this.syncedOffset)
    this.highWatermark = Math.min(checkpointedHighWatermark, this.endOffset)
  }
}

export class FakeLogs implements LogStore {
  readonly dirs: string[]
  readonly offline = new Set<string>()
  readonly logs = new Map<string, FakeLog>()
  readonly futures = new Map<string, FakeLog>()
  readonly deleted: { name: string; stray: boolean }[] = []
  readonly preferred = new Map<string, string>()
  private failureListener: ((dir: string, logs: readonly ReplicaLog[]) => void) | undefined
  checkpoints = 0

  constructor(dirs: string[] = ['/d1']) {
    this.dirs = dirs
  }

  get onlineDirs(): string[] {
    return this.dirs.filter((dir) => !this.offline.has(dir))
  }

  isOnline(dir: string): boolean {
    return !this.offline.has(dir)
  }

  /** Logs that were made ready, and how often that was ended. */
  readonly prepared: string[] = []
  preparationsEnded = 0
  /** What preparing waits for. */
  preparing: Promise<void> = Promise.resolve()

  async prepare(logs: readonly NewLog[]): Promise<() => void> {
    this.prepared.push(...logs.map(({ topic, partition }) => `${topic}-${partition}`))
    await this.preparing
    return () => void this.preparationsEnded++
  }

  getOrCreate(topic: string, partition: number, { topicId, isNew, dir, isFuture }: CreateLogOptions = {}): FakeLog {
    const map = isFuture ? this.futures : this.logs
    const name = `${topic}-${partition}`
    let log = map.get(name)
    if (log !== undefined) return log
    if (!isNew && this.offline.size > 0) throw new StorageError('a directory is offline')
    log = new FakeLog(topic, partition, dir ?? this.preferred.get(name) ?? this.onlineDirs[0]!, topicId)
    map.set(name, log)
    return log
  }

  get(topic: string, partition: number): FakeLog | undefined {
    return this.logs.get(`${topic}-${partition}`)
  }

  future(topic: string, partition: number): FakeLog | undefined {
    return this.futures.get(`${topic}-${partition}`)
  }

  all(): Iterable<FakeLog> {
    return this.logs.values()
  }

  allFuture(): Iterable<FakeLog> {
    return this.futures.values()
  }

  delete(topic: string, partition: number, { stray = false, future = false }: { stray?: boolean; future?: boolean } = {}): void {
    const name = `${topic}-${partition}`
    if (future) this.futures.delete(name)
    else this.logs.delete(name)
    this.deleted.push({ name: future ? `${name}-future` : name, stray })
  }

  preferDirectory(topic: string, partition: number, dir: string): void {
    this.preferred.set(`${topic}-${partition}`, dir)
  }

  replaceCurrentWithFuture(topic: string, partition: number): void {
    const name = `${topic}-${partition}`
    this.logs.set(name, this.futures.get(name)!)
    this.futures.delete(name)
  }

  onDirFailure(fn: (dir: string, logs: readonly ReplicaLog[]) => void): void {
    this.failureListener = fn
  }

  checkpointHighWatermarks(): void {
    this.checkpoints++
  }

  fail(dir: string): void {
    this.offline.add(dir)
    const failed = [...this.logs.values(), ...this.futures.values()].filter((log) => log.dir === dir)
    for (const log of failed) {
      log.isOnline = false
      const name = `${log.topic}-${log.partition}`
      for (const map of [this.logs, this.futures]) if (map.get(name) === log) map.delete(name)
    }
    this.failureListener?.(dir, failed)
  }
}
