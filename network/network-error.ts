export type NetworkErrorCode = 'CONNECT' | 'DISCONNECTED' | 'TIMEOUT' | 'UNSUPPORTED_VERSION'

/**
 * A request that got no answer. After DISCONNECTED and TIMEOUT it is unknown whether the node carried it out; after CONNECT and
 * UNSUPPORTED_VERSION it was not sent.
 */
export class NetworkError extends Error {
  readonly code: NetworkErrorCode

  constructor(code: NetworkErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'NetworkError'
    this.code = code
  }
}
