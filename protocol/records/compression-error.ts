/** Why a compressed block cannot be read. */
export type CompressionErrorCode = 'CORRUPT' | 'TOO_LARGE' | 'UNSUPPORTED'

export class CompressionError extends Error {
  override name = 'CompressionError'
  readonly code: CompressionErrorCode

  constructor(code: CompressionErrorCode, message: string) {
    super(message)
    this.code = code
  }

  static corrupt(codec: string, detail: string): CompressionError {
    return new CompressionError('CORRUPT', `The ${codec} data is damaged: ${detail}`)
  }

  static tooLarge(codec: string, maxBytes: number): CompressionError {
    return new CompressionError('TOO_LARGE', `The ${codec} data would decompress to more than ${maxBytes} bytes`)
  }
}
