import { ErrorCode, errorTexts, retriableCodes, staleMetadataCodes } from './error-table'

export { ErrorCode }
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode]

const names = new Map<number, string>(Object.entries(ErrorCode).map(([name, code]) => [code, name]))

/** Kafka's name of a code; a code that this table lacks reads as 'ERROR_<code>'. */
export function errorName(code: number): string {
  return names.get(code) ?? `ERROR_${code}`
}

/** Kafka's default text for a code; '' for NONE. Unknown codes get the text of UNKNOWN_SERVER_ERROR, as in Kafka's clients. */
export function errorMessage(code: number): string {
  return errorTexts[code] ?? errorTexts[ErrorCode.UNKNOWN_SERVER_ERROR] ?? ''
}

/** Whether the same request may succeed when it is sent again later (Kafka's RetriableException). */
export function isRetriable(code: number): boolean {
  return retriableCodes.has(code)
}

/** Whether the code says that the sender's metadata is out of date (Kafka's InvalidMetadataException). */
export function isStaleMetadata(code: number): boolean {
  return staleMetadataCodes.has(code)
}

/** An error that travels as a code in an answer. The message is Kafka's default unless one is given. */
export class ProtocolError extends Error {
  readonly code: number

  constructor(code: number, message?: string) {
    super(message ?? errorMessage(code))
    this.name = 'ProtocolError'
    this.code = code
  }

  /** 'NOT_CONTROLLER: This is not the correct controller for this cluster.' */
  override toString(): string {
    return `${errorName(this.code)}: ${this.message}`
  }

  get retriable(): boolean {
    return isRetriable(this.code)
  }
}
