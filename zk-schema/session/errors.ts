/** ZooKeeper's error codes (KeeperException.Code); those the server sends and those that only a client makes up. */
const ERRNO = {
  SYSTEM_ERROR: -1,
  RUNTIME_INCONSISTENCY: -2,
  DATA_INCONSISTENCY: -3,
  CONNECTION_LOSS: -4,
  MARSHALLING_ERROR: -5,
  UNIMPLEMENTED: -6,
  OPERATION_TIMEOUT: -7,
  BAD_ARGUMENTS: -8,
  API_ERROR: -100,
  NO_NODE: -101,
  NO_AUTH: -102,
  BAD_VERSION: -103,
  NO_CHILDREN_FOR_EPHEMERALS: -108,
  NODE_EXISTS: -110,
  NOT_EMPTY: -111,
  SESSION_EXPIRED: -112,
  INVALID_CALLBACK: -113,
  INVALID_ACL: -114,
  AUTH_FAILED: -115,
  SESSION_MOVED: -118,
  NOT_READ_ONLY: -119,
  EPHEMERAL_ON_LOCAL_SESSION: -120,
  NO_WATCHER: -121,
  REQUEST_TIMEOUT: -122,
  RECONFIG_DISABLED: -123,
  SESSION_CLOSED_REQUIRE_SASL_AUTH: -124,
  QUOTA_EXCEEDED: -125,
  THROTTLED_OP: -127,
  /** Ours: the session was closed or abandoned by its owner. */
  CLOSED: -10_001,
  /** Ours: no server answered within the connection time-out. */
  CONNECTION_TIMEOUT: -10_002,
  /** Ours: a request or a reply above the limit of a packet. */
  TOO_LARGE: -10_003,
  /** Ours: more requests wait than the queue may hold. */
  QUEUE_FULL: -10_004,
} as const

/** `UNKNOWN`: a code that this table does not hold; `errno` has it. */
export type ZooKeeperErrorCode = keyof typeof ERRNO | 'UNKNOWN'

const nameByErrno = new Map(Object.entries(ERRNO).map(([name, errno]) => [errno as number, name as ZooKeeperErrorCode]))

export function errnoOf(code: ZooKeeperErrorCode): number {
  return code === 'UNKNOWN' ? 0 : ERRNO[code]
}

export function codeOfErrno(errno: number): ZooKeeperErrorCode {
  return nameByErrno.get(errno) ?? 'UNKNOWN'
}

/** What a failed operation rejects with. */
export class ZooKeeperError extends Error {
  override readonly name: string = 'ZooKeeperError'
  readonly code: ZooKeeperErrorCode
  /** The number on the wire, also of codes that have no name here. */
  readonly errno: number
  /** The path that the caller gave, relative to the chroot. */
  readonly path: string
  readonly operation: string

  constructor(code: ZooKeeperErrorCode, operation: string, path: string, detail?: { errno?: number; text?: string }) {
    const errno = detail?.errno ?? errnoOf(code)
    const name = code === 'UNKNOWN' ? `${code} (${errno})` : code
    super(`${operation} ${path}: ${name}${detail?.text === undefined ? '' : `, ${detail.text}`}`)
    this.code = code
    this.errno = errno
    this.path = path
    this.operation = operation
  }

  /** True if the operation may have been carried out: read back before repeating it. */
  get ambiguous(): boolean {
    return this.code === 'CONNECTION_LOSS'
  }
}

/** A multi of which nothing was applied, because the operation at `index` failed with `code`. */
export class MultiError extends ZooKeeperError {
  override readonly name: string = 'MultiError'
  /** Place of the failed operation in the list. */
  readonly index: number

  constructor(code: ZooKeeperErrorCode, operation: string, path: string, index: number, errno: number) {
    super(code, operation, path, { errno, text: `operation ${index} of the multi` })
    this.index = index
  }
}

/** True if `error` is a ZooKeeperError with one of the codes. */
export function isZooKeeperError(error: unknown, ...codes: ZooKeeperErrorCode[]): error is ZooKeeperError {
  return error instanceof ZooKeeperError && (codes.length === 0 || codes.includes(error.code))
}
