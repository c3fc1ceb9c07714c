import type { Logger } from '../../runtime/log'
import type { Clock, Disk, Random } from '../../runtime/ports'
import type { Turn } from '../../runtime/turn'
import type { Background } from './storage/background'
import type { SegmentContext } from './segment/segment'
import type { Timers } from './storage/timers'

/** What all logs of a broker share. */
export interface LogContext extends SegmentContext {
  disk: Disk
  clock: Clock
  random: Random
  turn: Turn
  background: Background
  timers: Timers
  logger: Logger
  /** From IBP 3.0 on: logs keep leader epochs whatever message.format.version says. */
  ignoresMessageFormatVersion: boolean
  /** producer.id.expiration.ms; a broker may change it while it runs. */
  producerIdExpirationMs: number
  /** transaction.partition.verification.enable; likewise. */
  transactionVerification: boolean
}
