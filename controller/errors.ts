import { isZooKeeperError } from '../zk-schema/session/errors'

/** Somebody else is the controller: the epoch that every write of ours checks is no longer ours. Everything stops. */
export class ControllerMovedError extends Error {
  override readonly name = 'ControllerMovedError'
  readonly code = 'CONTROLLER_MOVED'
}

/** The znodes tell of a higher controller epoch than ours: /controller_epoch was lost or set back. Brokers would refuse us. */
export class StaleEpochError extends Error {
  override readonly name = 'StaleEpochError'
  readonly code = 'STALE_EPOCH'
  readonly seenEpoch: number

  constructor(seenEpoch: number) {
    super(`partition states were written under controller epoch ${seenEpoch}`)
    this.seenEpoch = seenEpoch
  }
}

/** The session to ZooKeeper under which this controller was elected is over. Everything stops. */
export class SessionLostError extends Error {
  override readonly name = 'SessionLostError'
  readonly code = 'SESSION_LOST'
}

/** True if the session to ZooKeeper, and with it the term, is over, and nothing was wrong with what was done in it. */
export function isSessionLost(error: unknown): boolean {
  return error instanceof SessionLostError || isZooKeeperError(error, 'SESSION_EXPIRED', 'SESSION_MOVED', 'CLOSED', 'AUTH_FAILED')
}
