/**
 * What is wrong with a batch that came from outside, with the error code that a client gets for it.
 */
import { ErrorCode } from '../errors'

/** A record of a refused batch: its index in the batch, and why (KIP-467). */
export interface RecordError {
  /** Position of the record in its batch, from 0. */
  batchIndex: number
  message: string | null
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
  return new RecordsError(ErrorCode.CORRUPT_MESSAGE, message)
}

/** A batch that is whole but says something that it may not: INVALID_RECORD. */
export function invalid(message: string): RecordsError {
  return new RecordsError(ErrorCode.INVALID_RECORD, message)
}
