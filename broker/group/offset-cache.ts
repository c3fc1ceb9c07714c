/** One committed offset, and where its record lies in the log: the younger record wins, whichever way it came (KAFKA-5600). */
export interface CommittedOffset {
  readonly offset: number
  /** -1: not known. */
  readonly leaderEpoch: number
  readonly metadata: string
  readonly commitTimestamp: number
  /** Given explicitly by OffsetCommit 2 to 4; -1: the broker's retention counts. */
  readonly expireTimestamp: number
  /** Offset of the first record of its batch; -1 until it is appended. */
  appendedAt: number
}

export interface OffsetKey {
  readonly topic: string
  readonly partition: number
}

/** What an offset costs of memory, about, and the first one of a topic beyond that. */
export function commitBytes({ metadata }: CommittedOffset): number {
  return 256 + 2 * metadata.length
}

function topicBytes(topic: string): number {
  return 384 + 2 * topic.length
}

/** An offset per partition, by topic. Tells what it costs. */
export class PartitionMap {
  private readonly topics = new Map<string, Map<number, CommittedOffset>>()
  private readonly charge: (bytes: number) => void
  private count = 0

  constructor(charge: (bytes: number) => void = () => {}) {
    this.charge = charge
  }

  get size(): number {
    return this.count
  }

  get({ topic, partition }: OffsetKey): CommittedOffset | undefined {
    return this.topics.get(topic)?.get(partition)
  }

  set({ topic, partition }: OffsetKey, commit: CommittedOffset): void {
    let partitions = this.topics.get(topic)
    if (partitions === undefined) {
      this.topics.set(topic, (partitions = new Map()))
      this.charge(topicBytes(topic))
    }
    const old = partitions.get(partition)
    if (old === undefined) this.count++
    this.charge(commitBytes(commit) - (old === undefined ? 0 : commitBytes(old)))
    partitions.set(partition, commit)
  }

  delete({ topic, partition }: OffsetKey): boolean {
    const partitions = this.topics.get(topic)
    const old = partitions?.get(partition)
    if (partitions === undefined || old === undefined) return false
    partitions.delete(partition)
    this.count--
    this.charge(-commitBytes(old))
    if (partitions.size > 0) return true
    this.topics.delete(topic)
    this.charge(-topicBytes(topic))
    return true
  }

  clear(): void {
    for (const [key] of this.entries()) this.delete(key)
  }

  hasTopic(topic: string): boolean {
    return this.topics.has(topic)
  }

  *entries(): Iterable<[OffsetKey, CommittedOffset]> {
    for (const [topic, partitions] of this.topics) {
      for (const [partition, commit] of partitions) yield [{ topic, partition }, commit]
    }
  }
}

/** What one partition is to be set to, or was. */
export interface OffsetEntry extends OffsetKey {
  readonly commit: CommittedOffset
}

function nameOf({ topic, partition }: OffsetKey): string {
  return `${partition} ${topic}`
}

/** Of one batch the last record counts, as when the log is read. */
function isNewer(candidate: CommittedOffset, current: CommittedOffset | undefined): boolean {
  return current === undefined || current.appendedAt <= candidate.appendedAt
}

/**
 * The offsets of one group: those that are committed, those whose record is being written, and those of open transactions, which
 * count only from the transaction's commit marker on.
 */
export class OffsetCache {
  private readonly committed: PartitionMap
  /** Of each partition the last one that is being written. */
  private readonly pending: PartitionMap
  /** All of them, oldest first: one may be refused when those before it are not. */
  private readonly inFlight = new Map<string, Set<CommittedOffset>>()
  private readonly transactional = new Map<number, PartitionMap>()
  private readonly charge: (bytes: number) => void

  /** `charge` is told what is used of memory, or with less than zero what is used no more. */
  constructor(charge: (bytes: number) => void = () => {}) {
    this.charge = charge
    this.committed = new PartitionMap(charge)
    this.pending = new PartitionMap(charge)
  }

  get size(): number {
    return this.committed.size
  }

  /** Nothing is committed and nothing is on its way. */
  get isEmpty(): boolean {
    return this.committed.size === 0 && this.pending.size === 0 && this.transactional.size === 0
  }

  get(key: OffsetKey): CommittedOffset | undefined {
    return this.committed.get(key)
  }

  entries(): Iterable<[OffsetKey, CommittedOffset]> {
    return this.committed.entries()
  }

  /** A commit of this partition is being written. */
  isPending(key: OffsetKey): boolean {
    return this.pending.get(key) !== undefined
  }

  /** Whether the offset of this partition may be about to change: OffsetFetch with `requireStable` must not answer it. */
  isUnstable(key: OffsetKey): boolean {
    if (this.isPending(key)) return true
    for (const offsets of this.transactional.values()) if (offsets.get(key) !== undefined) return true
    return false
  }

  // Commits outside transactions

  prepare(entries: readonly OffsetEntry[]): void {
    for (const entry of entries) {
      this.pending.set(entry, entry.commit)
      const name = nameOf(entry)
      const inFlight = this.inFlight.get(name)
      if (inFlight === undefined) this.inFlight.set(name, new Set([entry.commit]))
      else inFlight.add(entry.commit)
    }
  }

  /** The records were written and replicated. An offset that was removed meanwhile, as its topic was deleted, stays so. */
  appended(entries: readonly OffsetEntry[], baseOffset: number): void {
    for (const entry of entries) {
      const { commit } = entry
      commit.appendedAt = baseOffset
      if (this.settled(entry) && isNewer(commit, this.committed.get(entry))) this.committed.set(entry, commit)
    }
  }

  failed(entries: readonly OffsetEntry[]): void {
    for (const entry of entries) this.settled(entry)
  }

  /** It is not under way any more. False if it was removed before. */
  private settled(entry: OffsetEntry): boolean {
    const name = nameOf(entry)
    const inFlight = this.inFlight.get(name)
    if (inFlight?.delete(entry.commit) !== true) return false
    if (inFlight.size === 0) {
      this.inFlight.delete(name)
      this.pending.delete(entry)
    } else if (this.pending.get(entry) === entry.commit) this.pending.set(entry, [...inFlight].at(-1)!)
    return true
  }

  // Commits in transactions

  prepareTransactional(producerId: number, entries: readonly OffsetEntry[]): void {
    let offsets = this.transactional.get(producerId)
    if (offsets === undefined) this.transactional.set(producerId, (offsets = new PartitionMap(this.charge)))
    for (const entry of entries) offsets.set(entry, entry.commit)
  }

  appendedTransactional(entries: readonly OffsetEntry[], baseOffset: number): void {
    for (const { commit } of entries) commit.appendedAt = baseOffset
  }

  /** What the transaction has set these partitions to, as far as that is written. */
  writtenTransactional(producerId: number, keys: readonly OffsetKey[]): PartitionMap {
    const written = new PartitionMap()
    const offsets = this.transactional.get(producerId)
    for (const key of keys) {
      const commit = offsets?.get(key)
      if (commit !== undefined && commit.appendedAt >= 0) written.set(key, commit)
    }
    return written
  }

  /** The records are not known to be written: what was before counts again. True if the producer has nothing pending any more. */
  failedTransactional(producerId: number, entries: readonly OffsetEntry[], before: PartitionMap): boolean {
    const offsets = this.transactional.get(producerId)
    if (offsets === undefined) return true
    for (const entry of entries) {
      if (offsets.get(entry) !== entry.commit) continue
      const previous = before.get(entry)
      if (previous === undefined) offsets.delete(entry)
      else offsets.set(entry, previous)
    }
    if (offsets.size > 0) return false
    this.transactional.delete(producerId)
    return true
  }

  /** The transaction's marker was written. */
  completeTransaction(producerId: number, isCommit: boolean): void {
    const offsets = this.transactional.get(producerId)
    this.transactional.delete(producerId)
    if (offsets === undefined) return
    for (const [key, commit] of isCommit ? offsets.entries() : []) {
      const current = this.committed.get(key)
      // What is not known to be appended was appended before the marker, and that after everything that is committed.
      if (commit.appendedAt < 0 || isNewer(commit, current)) this.committed.set(key, commit)
    }
    offsets.clear()
  }

  producers(): Iterable<number> {
    return this.transactional.keys()
  }

  // Loading from the log, where what comes later is younger

  load(key: OffsetKey, commit: CommittedOffset): void {
    this.committed.set(key, commit)
  }

  /** A tombstone. */
  unload(key: OffsetKey): void {
    this.committed.delete(key)
  }

  loadTransactional(producerId: number, key: OffsetKey, commit: CommittedOffset | undefined): void {
    if (commit !== undefined) this.prepareTransactional(producerId, [{ ...key, commit }])
    else this.transactional.get(producerId)?.delete(key)
  }

  // Removal

  /** True if an offset is in the log, or may be, as its record is on the way. Also forgets what is on its way. */
  remove(key: OffsetKey): boolean {
    const wasPending = this.pending.delete(key)
    this.inFlight.delete(nameOf(key))
    for (const [producerId, offsets] of this.transactional) {
      if (offsets.delete(key) && offsets.size === 0) this.transactional.delete(producerId)
    }
    return this.committed.delete(key) || wasPending
  }

  /** The partitions that have an offset, or get one outside of a transaction. */
  keys(): OffsetKey[] {
    const pending = [...this.pending.entries()].map(([key]) => key)
    return [...[...this.committed.entries()].map(([key]) => key), ...pending.filter((key) => this.committed.get(key) === undefined)]
  }

  /** The partitions of `topic` that have an offset, committed or on its way. */
  knowsTopic(topic: string): boolean {
    if (this.committed.hasTopic(topic) || this.pending.hasTopic(topic)) return true
    for (const offsets of this.transactional.values()) if (offsets.hasTopic(topic)) return true
    return false
  }
}
