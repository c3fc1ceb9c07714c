/** Somebody else is the controller: the epoch that every write of ours checks is no longer ours. Everything stops. */
export class ControllerMovedError extends Error {
  override readonly name = 'ControllerMovedError'
  readonly code = 'CONTROLLER_MOVED'
}

/** The session to ZooKeeper under which this controller was elected is over. Everything stops. */
export class SessionLostError extends Error {
  override readonly name = 'SessionLostError'
  readonly code = 'SESSION_LOST'
}

/** True if the term is over and nothing was wrong with what was done in it. */
export function endsTerm(error: unknown): boolean {
  return error instanceof ControllerMovedError || error instanceof SessionLostError
}
