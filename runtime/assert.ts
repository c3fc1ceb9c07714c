/** A broken invariant: a bug of ours. It is never caught to go on; the process says what it knew and stops. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
}

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message)
}

/** Asserts that a 64-bit value from the wire is exact as a number (zxids, czxids, offsets). */
export function assertSafe(value: number, what: string): number {
  if (!Number.isSafeInteger(value)) throw new InvariantError(`${what} ${value} is not an exact whole number`)
  return value
}

/** For the `default` of an exhaustive switch: a missing case does not compile. */
export function unreachable(value: never): never {
  throw new InvariantError(`unexpected value ${JSON.stringify(value)}`)
}
