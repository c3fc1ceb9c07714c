/** An error of the disk that we noticed and the system did not report, e.g. a file that is shorter than it was. */
export function ioError(message: string): Error {
  return Object.assign(new Error(message), { code: 'EIO' })
}

/** True for what the disk port throws (ENOSPC, EIO, ENOENT ...), false for our own errors and for bugs. */
export function isIoError(error: unknown): error is Error & { code: string } {
  if (!(error instanceof Error)) return false
  const code = (error as { code?: unknown }).code
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code)
}
