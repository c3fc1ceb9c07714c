/** Why a broker cannot start, in one sentence for whoever started it. */
export class StartError extends Error {
  override readonly name = 'StartError'
  readonly code = 'CANNOT_START'
}
