import { inlineCompression } from '../../protocol/records/compression'
import type { CompressionPool } from '../../protocol/records/compression'
import type { PreparedRecords } from '../log/log-types'
import type { ReplicaLog } from './log-port'

/** Batches that are worked on at a time: each may be opened to 64 MiB. */
const MAX_AT_WORK = 2
/** Bytes of requests that wait for it; what comes beyond is handled on the event loop, which holds up its sender. */
const MAX_HELD_BYTES = 32 * 1024 * 1024

/** Work on produced records before their append, away from the event loop, and bounded. */
export class Preparation {
  private readonly pool: CompressionPool
  private atWork = 0
  private readonly queue: (() => void)[] = []
  private heldBytes = 0

  constructor(pool: CompressionPool = inlineCompression) {
    this.pool = pool
  }

  /** Makes room for a request that will wait; false if there is none. */
  hold(bytes: number): boolean {
    if (this.heldBytes > 0 && this.heldBytes + bytes > MAX_HELD_BYTES) return false
    this.heldBytes += bytes
    return true
  }

  release(bytes: number): void {
    this.heldBytes -= bytes
  }

  /** `Log.prepare` when it is its turn. */
  async prepare(log: ReplicaLog, records: Buffer): Promise<PreparedRecords> {
    if (this.atWork >= MAX_AT_WORK) await new Promise<void>((resolve) => this.queue.push(resolve))
    else this.atWork++
    try {
      return await log.prepare(records, this.pool)
    } finally {
      // The place goes to whoever waits longest.
      const next = this.queue.shift()
      if (next === undefined) this.atWork--
      else next()
    }
  }
}
