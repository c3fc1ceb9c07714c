import { ErrorCode, errorName } from '../../protocol/errors'
import { Pacer } from '../coordinator/pacer'
import { isExpired } from './decisions'
import { encodeTombstones } from './transaction-record'
import type { Logger } from '../../runtime/log'
import type { Clock } from '../../runtime/ports'
import type { TransactionMetadata } from './transaction-metadata'
import type { TransactionStore, TransactionStoreOptions } from './transaction-store'

const APPEND_TIMEOUT_MS = 30_000
/** A batch of tombstones, unless the topic allows less. */
const MAX_BATCH_BYTES = 16_384
const BATCH_OVERHEAD_BYTES = 61
/** Of a tombstone beside its id. */
const RECORD_OVERHEAD_BYTES = 24

export interface ExpirationScanOptions {
  store: Pick<TransactionStore, 'partitions' | 'all' | 'isCurrent' | 'remove'>
  log: Pick<TransactionStoreOptions['log'], 'append'>
  clock: Clock
  logger: Logger
  expirationMs: number
  maxMessageBytes(): number
}

/** Forgets transactional ids that were idle for long, in memory and, by tombstones, in the log. In slices: there may be many. */
export class ExpirationScan {
  private readonly options: ExpirationScanOptions
  private isRunning = false
  private isClosed = false

  constructor(options: ExpirationScanOptions) {
    this.options = options
  }

  close(): void {
    this.isClosed = true
  }

  /** Never rejects. Not while the last one still runs. */
  async run(): Promise<void> {
    if (this.isRunning) return
    this.isRunning = true
    const { partitions } = this.options.store
    for (const logPartition of [...partitions.active()]) {
      const coordinatorEpoch = partitions.coordinatorEpoch(logPartition)
      if (coordinatorEpoch !== undefined) await this.scan(logPartition, coordinatorEpoch)
    }
    this.isRunning = false
  }

  private async scan(logPartition: number, coordinatorEpoch: number): Promise<void> {
    const { store, clock, expirationMs } = this.options
    const pacer = new Pacer(clock)
    const limit = Math.min(MAX_BATCH_BYTES, this.options.maxMessageBytes())
    let expired: TransactionMetadata[] = []
    let bytes = BATCH_OVERHEAD_BYTES
    for (const metadata of store.all(logPartition)) {
      if (this.isClosed || !store.isCurrent(metadata, coordinatorEpoch)) break
      if (isExpired(metadata, expirationMs, clock.wallMs())) {
        const more = Buffer.byteLength(metadata.transactionalId) + RECORD_OVERHEAD_BYTES
        if (expired.length > 0 && bytes + more > limit) {
          await this.write(logPartition, coordinatorEpoch, expired)
          expired = []
          bytes = BATCH_OVERHEAD_BYTES
        }
        expired.push(metadata)
        bytes += more
      }
      if (pacer.isDue()) await pacer.pause()
    }
    if (expired.length > 0) await this.write(logPartition, coordinatorEpoch, expired)
  }

  private write(logPartition: number, coordinatorEpoch: number, candidates: readonly TransactionMetadata[]): Promise<void> {
    const { store, log, clock, logger, expirationMs } = this.options
    const nowMs = clock.wallMs()
    // Some may have been used since they were found.
    const expired = candidates.filter(
      (metadata) => store.isCurrent(metadata, coordinatorEpoch) && isExpired(metadata, expirationMs, nowMs),
    )
    if (expired.length === 0) return Promise.resolve()
    for (const metadata of expired) metadata.begin(metadata.toDead())
    const batch = encodeTombstones(expired.map(({ transactionalId }) => transactionalId), nowMs)
    return new Promise((resolve) => {
      log.append(logPartition, batch, { timeoutMs: APPEND_TIMEOUT_MS, requiredAcks: -1, coordinatorEpoch }, (errorCode) => {
        for (const metadata of expired) {
          if (!store.isCurrent(metadata, coordinatorEpoch)) continue
          if (errorCode === ErrorCode.NONE) store.remove(metadata)
          else metadata.cancel()
        }
        const fields = { logPartition, ids: expired.length, error: errorName(errorCode) }
        if (errorCode === ErrorCode.NONE) logger.info(fields, 'expired transactional ids were removed')
        else logger.warn(fields, 'expired transactional ids could not be removed')
        resolve()
      })
    })
  }
}
