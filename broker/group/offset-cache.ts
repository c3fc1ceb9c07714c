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

/** Something per partition, by topic. */
export class PartitionMap<T> {
  private readonly topics = new Map<string, Map<number, T>>()
  private count = 0

  get size(): number {
    return this.count
  }

  get({ topic, partition }: OffsetKey): T | undefined {
    return this.topics.get(topic)?.get(partition)
  }

  set({ topic, partition }: OffsetKey, value: T): void {
    let partitions = this.topics.get(topic)
    if (partitions === undefined) this.topics.set(topic, (partitions = new Map()))
    if (!partitions.has(partition)) this.count++
    partitions.set(partition, value)
  }

  delete({ topic, partition }: OffsetKey): boolean {
    const partitions = this.topics.get(topic)
    if (partitions?.delete(partition) !== true) return false
    this.count--
    if (partitions.size === 0) this.topics.delete(topic)
    return true
  }

  hasTopic(topic: string): boolean {
    return this.topics.has(topic)
  }

  *entries(): Iterable<[OffsetKey, T]> {
    for (const [topic, partitions] of this.topics) {
      for (const [partition, value] of partitions) yield [{ topic, partition }, value]
    }
  }
}

/** What one partition is to be set to, or was. */
export interface OffsetEntry extends OffsetKey {
  readonly commit: CommittedOffset
}

function isNewer(candidate: CommittedOffset, current: CommittedOffset | undefined): boolean {
  return current === undefined || current.appendedAt < candidate.appendedAt
}

/**
 * The offsets of one group: those that are committed, those whose record is being written, and those of open transactions, which
 * count only from the transaction's commit marker on.
 */
export class OffsetCache {
  private readonly committed = new PartitionMap<CommittedOffset>()
  private readonly pending = new PartitionMap<CommittedOffset>()
  private readonly transactional = new Map<number, PartitionMap<CommittedOffset>>()

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
    for (const entry of entries) this.pending.set(entry, entry.commit)
  }

  /** The records were written and replicated. An offset that was removed meanwhile, as its topic was deleted, stays so. */
  appended(entries: readonly OffsetEntry[], baseOffset: number): void {
    for (const entry of entries) {
      const { commit } = entry
      commit.appendedAt = baseOffset
      const pending = this.pending.get(entry)
      if (pending === undefined) continue
      if (isNewer(commit, this.committed.get(entry))) this.committed.set(entry, commit)
      if (pending === commit) this.pending.delete(entry)
    }
  }

  failed(entries: readonly OffsetEntry[]): void {
    for (const entry of entries) if (this.pending.get(entry) === entry.commit) this.pending.delete(entry)
  }

  // Commits in transactions

  prepareTransactional(producerId: number, entries: readonly OffsetEntry[]): void {
    let offsets = this.transactional.get(producerId)
    if (offsets === undefined) this.transactional.set(producerId, (offsets = new PartitionMap()))
    for (const entry of entries) offsets.set(entry, entry.commit)
  }

  appendedTransactional(entries: readonly OffsetEntry[], baseOffset: number): void {
    for (const { commit } of entries) commit.appendedAt = baseOffset
  }

  /** The records are not known to be written. True if the producer has nothing pending any more. */
  failedTransactional(producerId: number, entries: readonly OffsetEntry[]): boolean {
    const offsets = this.transactional.get(producerId)
    if (offsets === undefined) return true
    for (const entry of entries) if (offsets.get(entry) === entry.commit) offsets.delete(entry)
    if (offsets.size > 0) return false
    this.transactional.delete(producerId)
    return true
  }

  /** The transaction's marker was written. */
  completeTransaction(producerId: number, isCommit: boolean): void {
    const offsets = this.transactional.get(producerId)
    this.transactional.delete(producerId)
    if (offsets === undefined || !isCommit) return
    for (const [key, commit] of offsets.entries()) {
      const current = this.committed.get(key)
      // What is not known to be appended was appended before the marker, and that after everything that is committed.
      if (commit.appendedAt < 0 || isNewer(commit, current)) this.committed.set(key, commit)
    }
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

  /** True if an offset was committed. Also forgets what is on its way. */
  remove(key: OffsetKey): boolean {
    this.pending.delete(key)
    for (const [producerId, offsets] of this.transactional) {
      if (offsets.delete(key) && offsets.size === 0) this.transactional.delete(producerId)
    }
    return this.committed.delete(key)
  }

  /** The partitions of `topic` that have an offset, committed or on its way. */
  knowsTopic(topic: string): boolean {
    if (this.committed.hasTopic(topic) || this.pending.hasTopic(topic)) return true
    for (const offsets of this.transactional.values()) if (offsets.hasTopic(topic)) return true
    return false
  }
}
