import { onHangup } from '../../runtime/hangup'

/** What a process ends with that a signal has ended, as a shell sees it. */
const CODES = { SIGINT: 130, SIGTERM: 143 } as const
const HANGUP_CODE = 129

/**
 * Calls `stop` at the first SIGINT or SIGTERM, and when the terminal goes away; the exit code is then the signal's. A second SIGINT
 * or SIGTERM ends the process at once.
 */
export function onSignal(stop: () => void): void {
  for (const [signal, code] of Object.entries(CODES)) {
    process.once(signal, () => {
      process.exitCode = code
      process.once(signal, () => process.exit(code))
      stop()
    })
  }
  onHangup(() => {
    process.exitCode = HANGUP_CODE
    stop()
  })
}
