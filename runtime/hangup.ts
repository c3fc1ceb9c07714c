/**
 * Calls `stop` when the terminal goes away (SIGHUP), once: the shell and the kernel both tell of it. Without `stop` that is left to Node,
 * which ends the process. Nothing of both under nohup: Node sets a signal that was ignored when it began back to its default, so the
 * scripts of bin/ tell of it.
 */
export function onHangup(stop?: () => void): void {
  let isHeeded = (process.env['PREKRAFT_NOHUP'] ?? '') === ''
  if (isHeeded && stop === undefined) return
  process.on('SIGHUP', () => {
    if (isHeeded) stop?.()
    isHeeded = false
  })
}
