import { FileFormatError } from '../../../protocol/files/checkpoint-text'
import { decodeProducerSnapshot, encodeProducerSnapshot } from '../../../protocol/files/producer-snapshot'
import type { Logger } from '../../../runtime/log'
import type { Clock, Disk } from '../../../runtime/ports'
import { fileName, join, offsetOfName, SNAPSHOT_SUFFIX } from '../storage/file-names'
import type { ProducerState } from './producer-state'

/**
 * The snapshots of the producer state in a partition's directory: one per segment, at its base offset, and one at the end of
 * the log when it was closed. From the newest one the state is rebuilt without reading the whole log.
 */
export class ProducerSnapshots {
  directory: string
  /** Some were written, and the directory was not synced since. */
  hasNewNames = false
  private readonly disk: Disk
  private readonly clock: Clock
  private readonly logger: Logger
  /** Ascending. */
  private offsets: number[] = []
  /** Offset of the newest one that was written or used, or where the log begins. */
  private lastOffset = 0
  /** Those that were written and not synced. */
  private unsynced = new Set<number>()

  constructor(disk: Disk, clock: Clock, logger: Logger, directory: string) {
    this.disk = disk
    this.clock = clock
    this.logger = logger
    this.directory = directory
  }

  /** Takes the list from the names in the directory. */
  load(names: readonly string[]): void {
    this.offsets = names
      .filter((name) => name.endsWith(SNAPSHOT_SUFFIX))
      .map(offsetOfName)
      .filter((offset) => offset >= 0)
      .sort((a, b) => a - b)
  }

  get list(): readonly number[] {
    return this.offsets
  }

  get latest(): number | undefined {
    return this.offsets[this.offsets.length - 1]
  }

  private path(offset: number): string {
    return join(this.directory, fileName(offset, SNAPSHOT_SUFFIX))
  }

  /** Writes the state as of its end offset, unless the newest snapshot is of that offset already. */
  take(state: ProducerState): void {
    const offset = state.endOffset
    if (offset <= this.lastOffset) return
    const file = this.disk.open(this.path(offset), 'create')
    try {
      file.write(encodeProducerSnapshot(state.snapshot()), 0)
    } finally {
      file.close()
    }
    const at = this.offsets.findIndex((known) => known >= offset)
    if (at < 0) this.offsets.push(offset)
    else if (this.offsets[at] !== offset) this.offsets.splice(at, 0, offset)
    this.unsynced.add(offset)
    this.hasNewNames = true
    this.lastOffset = offset
  }

  /** Syncs what was written since the last time, as long as `isWanted`. */
  async sync(isWanted: () => boolean): Promise<void> {
    for (const offset of this.unsynced) {
      this.unsynced.delete(offset)
      if (!isWanted() || !this.offsets.includes(offset)) continue
      const file = this.disk.open(this.path(offset), 'read')
      try {
        await file.sync()
      } finally {
        file.close()
      }
    }
  }

  /**
   * Restores the state from the newest usable snapshot at or below `offset`; from nothing, at `startOffset`, if there is none.
   * Damaged ones are removed.
   */
  restore(state: ProducerState, startOffset: number, offset: number, expirationMs: number): void {
    for (let i = this.offsets.length - 1; i >= 0; i--) {
      const snapshot = this.offsets[i]!
      if (snapshot > offset || snapshot < startOffset) continue
      try {
        const entries = decodeProducerSnapshot(this.disk.readFile(this.path(snapshot)))
        state.restore(entries, snapshot, this.clock.wallMs(), expirationMs)
        this.lastOffset = snapshot
        return
      } catch (error) {
        if (!(error instanceof FileFormatError)) throw error
        this.logger.warn({ path: this.path(snapshot), reason: error.message }, 'a damaged producer snapshot is removed')
        this.removeWhere((each) => each === snapshot)
      }
    }
    state.restore([], startOffset, this.clock.wallMs(), expirationMs)
    this.lastOffset = startOffset
  }

  /** The log begins at `offset` now. */
  onStartOffset(offset: number): void {
    this.lastOffset = Math.max(this.latest ?? 0, offset)
  }

  removeWhere(condition: (offset: number) => boolean): void {
    this.offsets = this.offsets.filter((offset) => {
      if (!condition(offset)) return true
      this.disk.remove(this.path(offset))
      return false
    })
    this.lastOffset = Math.min(this.lastOffset, Math.max(this.latest ?? 0, 0))
  }

  /** Keeps those that lie at the base of a segment, and the newest if it lies beyond them all. */
  removeStray(baseOffsets: ReadonlySet<number>): void {
    const lastBase = Math.max(...baseOffsets)
    const newest = this.latest
    this.removeWhere((offset) => !baseOffsets.has(offset) && !(offset === newest && offset > lastBase))
  }
}
