/** What the broker's `log.cleaner.*` keys say. */
export interface CleanerConfig {
  /** `log.cleaner.enable`. */
  enable: boolean
  /** `log.cleaner.threads`: logs that are cleaned at a time. */
  threads: number
  /** `log.cleaner.dedupe.buffer.size`: for the offset maps of all threads. */
  dedupeBufferBytes: number
  /** `log.cleaner.io.buffer.load.factor`: how full an offset map may get. */
  loadFactor: number
  /** `log.cleaner.io.buffer.size`: for the reads and writes of all threads. */
  ioBufferBytes: number
  /** `log.cleaner.io.max.bytes.per.second`: read and written by all threads. */
  ioMaxBytesPerSecond: number
  /** `log.cleaner.backoff.ms`: how long to wait when there is nothing to clean. */
  backoffMs: number
}

/** Kafka's defaults. */
export const DEFAULT_CLEANER_CONFIG: CleanerConfig = {
  enable: true,
  threads: 1,
  dedupeBufferBytes: 128 * 1024 * 1024,
  loadFactor: 0.9,
  ioBufferBytes: 512 * 1024,
  ioMaxBytesPerSecond: Number.MAX_VALUE,
  backoffMs: 15_000,
}
