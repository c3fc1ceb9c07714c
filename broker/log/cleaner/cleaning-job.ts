import type { LogConfig } from '../log-types'

/** A segment that is to be cleaned, as it is when the job begins. */
export interface SourceSegment {
  baseOffset: number
  /** Bytes of batches. */
  size: number
}

/** The last thing that a producer wrote, which must stay so that its sequence is known after a rebuild. */
export interface LastRecord {
  producerId: number
  producerEpoch: number
  /** -1: it has written no records in this epoch, only a marker. */
  lastDataOffset: number
}

/** One round over one log. Plain values: it may go to another thread. */
export interface CleaningJob {
  /** `topic-partition`. */
  name: string
  /** The partition's directory. */
  path: string
  config: LogConfig
  nowMs: number
  /** Below it the log is clean. */
  firstDirtyOffset: number
  /** The base of the segment that is the first to be left alone. */
  firstUncleanableOffset: number
  /** All segments below `firstUncleanableOffset`, in order. */
  segments: readonly SourceSegment[]
  lastRecords: readonly LastRecord[]
  /** What the offset map may take. */
  mapBytes: number
  loadFactor: number
  /** Of one read. */
  bufferBytes: number
  maxBytesPerSecond: number
  /** See KeyHash. */
  salt: Uint8Array
}

/** A cleaned segment is whole and synced, under its base offset and the suffix `.cleaned`. */
export interface CleanedGroup {
  baseOffset: number
  /** The base offsets of the segments in whose place it comes. */
  replaces: readonly number[]
}

export interface CleaningStats {
  /** Of the pass that fills the offset map. */
  mapBytesRead: number
  mapMessagesRead: number
  bytesRead: number
  bytesWritten: number
  messagesRead: number
  messagesWritten: number
  /** Records without a key, which a compacted log cannot hold. */
  invalidMessages: number
  /** From 0 to 1. */
  mapUtilization: number
  mapBytes: number
}

export interface CleaningResult {
  /** Everything below is clean now. */
  endOffset: number
  stats: CleaningStats
}

/** What a job tells while it goes on: bytes that were read or written, or a segment that is ready. */
export type CleaningStep = { readonly bytes: number } | { readonly group: CleanedGroup }

/** A log that cannot be cleaned: damaged, or with a batch that the offset map has no room for. */
export class CleaningError extends Error {
  override readonly name = 'CleaningError'
  readonly code = 'UNCLEANABLE'
}

export function noStats(): CleaningStats {
  return {
    mapBytesRead: 0, mapMessagesRead: 0, bytesRead: 0, bytesWritten: 0, messagesRead: 0, messagesWritten: 0, invalidMessages: 0,
    mapUtilization: 0, mapBytes: 0,
  }
}
