import { ErrorCode } from '../../protocol/errors'
import { RecordsError } from '../../protocol/records/records-error'

/** What the append, read and truncation of a log may be refused with: an error code of Kafka's protocol, and why. */
export class LogError extends Error {
  override readonly name: string = 'LogError'
  /** A value of protocol/errors.ts. */
  readonly code: number
  /** INVALID_RECORD and INVALID_TIMESTAMP name the records of the batch that were wrong. */
  readonly recordErrors: readonly RecordError[]

  constructor(code: number, message: string, recordErrors: readonly RecordError[] = []) {
    super(message)
    this.code = code
    this.recordErrors = recordErrors
  }
}

export interface RecordError {
  /** Position of the record in its batch, from 0. */
  batchIndex: number
  message: string | null
}

/** KAFKA_STORAGE_ERROR: the log directory has failed (now or before), and serves nothing until a restart. */
export class StorageError extends LogError {
  override readonly name = 'StorageError'

  constructor(message: string) {
    super(ErrorCode.KAFKA_STORAGE_ERROR, message)
  }
}

/** What is wrong with records, as the log says it; any other error is given back. */
export function asLogError(error: unknown): unknown {
  return error instanceof RecordsError ? new LogError(error.code, error.message, error.recordErrors) : error
}
