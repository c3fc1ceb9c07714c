import { silentLogger } from '../../runtime/log'
import type { Logger } from '../../runtime/log'
import { parseConnectString } from './connect-string'
import type { ServerAddress } from './connect-string'
import type { AuthInfo, Credentials } from './packets'

export interface SessionOptions {
  /** `host:port,host:port/chroot`. The chroot must exist (operations/create-chroot.ts). */
  connect: string
  /** Asked for; the server clamps it. Kafka's default, 18 s. */
  sessionTimeoutMs?: number
  /** How long `openSession` waits for a first connection; the session time-out by default. */
  connectionTimeoutMs?: number
  logger?: Logger
  /** Resumes this session instead of beginning a new one. */
  credentials?: Credentials
  /** Who we are, for ACLs; given again on each connection. */
  auth?: AuthInfo[]
  /** Requests on the wire at a time; the others wait in order. Kafka's key is zookeeper.max.in.flight.requests. */
  maxInFlight?: number
  maxQueued?: number
  /** A longer request is refused with TOO_LARGE. Below the 1 MiB that a server accepts unless its jute.maxbuffer was raised. */
  maxRequestBytes?: number
  /** A longer reply fails its request with TOO_LARGE and costs the connection. Kafka sets jute.maxbuffer to 4 MiB likewise. */
  maxReplyBytes?: number
  /** For tests. */
  firstXid?: number
}

/** The same for the connection manager, complete. */
export interface ManagerOptions {
  servers: ServerAddress[]
  chroot: string
  sessionTimeoutMs: number
  /** Requests sent and not yet answered. */
  maxInFlight: number
  /** Requests that wait behind the window. */
  maxQueued: number
  /** Above this a request is refused here: a server closes the connection on a packet above its jute.maxbuffer. */
  maxRequestBytes: number
  maxReplyBytes: number
  credentials?: Credentials | undefined
  auth?: AuthInfo[] | undefined
  logger: Logger
  /** For tests: the xid of the first request. */
  firstXid?: number | undefined
}

const DEFAULT_SESSION_TIMEOUT_MS = 18_000
export const DEFAULT_MAX_IN_FLIGHT = 200
const DEFAULT_MAX_QUEUED = 100_000
const DEFAULT_MAX_REQUEST_BYTES = 900 * 1024
const DEFAULT_MAX_REPLY_BYTES = 4 * 1024 * 1024

export function connectionTimeoutOf(options: SessionOptions): number {
  return options.connectionTimeoutMs ?? options.sessionTimeoutMs ?? DEFAULT_SESSION_TIMEOUT_MS
}

/** Throws on a connect string that cannot be read. */
export function managerOptions(options: SessionOptions): ManagerOptions {
  return {
    ...parseConnectString(options.connect),
    sessionTimeoutMs: options.sessionTimeoutMs ?? DEFAULT_SESSION_TIMEOUT_MS,
    maxInFlight: options.maxInFlight ?? DEFAULT_MAX_IN_FLIGHT,
    maxQueued: options.maxQueued ?? DEFAULT_MAX_QUEUED,
    maxRequestBytes: options.maxRequestBytes ?? DEFAULT_MAX_REQUEST_BYTES,
    maxReplyBytes: options.maxReplyBytes ?? DEFAULT_MAX_REPLY_BYTES,
    credentials: options.credentials,
    auth: options.auth,
    firstXid: options.firstXid,
    logger: options.logger ?? silentLogger,
  }
}
