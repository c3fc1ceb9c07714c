/**
 * What is wrong with a batch that came from outside, with the error code that a client gets for it.
 */

/** Kafka's numbers (protocol/errors.ts lists them all). */
export const RecordsErrorCode = {
  CORRUPT_MESSAGE: 2,
  MESSAGE_TOO_LARGE: 10,
  INVALID_TIMESTAMP: 32,
  UNSUPPORTED_VERSION: 35,
  UNSUPPORTED_FOR_MESSAGE_FORMAT: 43,
  UNSUPPORTED_COMPRESSION_TYPE: 76,
  INVALID_RECORD: 87,
} as const

/** A record of a refused batch: its index in the batch, and why (KIP-467). */
export interface RecordError {
  batchIndex: number
  batchIndexErrorMessage: string | null
}

/** A batch or record that cannot be taken. `code` is a protocol error code. */
export class RecordsError extends Error {
  override name = 'RecordsError'
  readonly code: number
  readonly recordErrors: RecordError[]

  constructor(code: number, message: string, recordErrors: RecordError[] = []) {
    super(message)
    this.code = code
    this.recordErrors = recordErrors
  }
}

/** Bytes that are no record batch at all, or damaged on the way: CORRUPT_MESSAGE. */
export function corrupt(message: string): RecordsError {
  return new RecordsError(RecordsErrorCode.CORRUPT_MESSAGE, message)
}

/** A batch that is whole but says something that it may not: INVALID_RECORD. */
export function invalid(message: string): RecordsError {
  return new RecordsError(RecordsErrorCode.INVALID_RECORD, message)
}
