/** What a process ends with that a signal has ended, as a shell sees it. */
const CODES = { SIGINT: 130, SIGTERM: 143 } as const

/** Calls `stop` at the first SIGINT or SIGTERM; the exit code is then the signal's. A second one ends the process at once. */
export function onSignal(stop: () => void): void {
  for (const [signal, code] of Object.entries(CODES)) {
    process.once(signal, () => {
      process.exitCode = code
      process.once(signal, () => process.exit(code))
      stop()
    })
  }
}
