import { silentLogger } from '../runtime/log'
import type { Logger } from '../runtime/log'

/** What may be set; the names in parentheses are those of zoo.cfg. */
export interface ZooKeeperServerOptions {
  /** Address to listen on (clientPortAddress); empty for all. */
  host?: string
  /** 0 for any free port (clientPort). */
  port?: number
  /** Undefined: everything in memory (dataDir). */
  dataDir?: string | undefined
  /** Where the transaction log goes, if not to dataDir (dataLogDir). */
  dataLogDir?: string | undefined
  /** The unit of session time-outs and of their expiry (tickTime). */
  tickTimeMs?: number
  /** Two ticks if not set (minSessionTimeout). */
  minSessionTimeoutMs?: number
  /** Twenty ticks if not set (maxSessionTimeout). */
  maxSessionTimeoutMs?: number
  /** Connections from one address; 0 for no limit (maxClientCnxns). */
  maxClientConnections?: number
  /** The longest packet that is read (jute.maxbuffer). */
  maxPacketBytes?: number
  /** False: answers do not wait for the disk (forceSync). */
  forceSync?: boolean
  /** Transactions between two snapshots (snapCount). */
  snapCount?: number
  /** Snapshots to keep, 0 for all (autopurge.snapRetainCount). */
  snapRetainCount?: number
  /** TTL nodes (extendedTypesEnabled). */
  extendedTypesEnabled?: boolean
  /** `user:base64(sha1(user:password))` of somebody who may do everything (DigestAuthenticationProvider.superDigest). */
  superDigest?: string | undefined
  /** Four-letter words for clients that are not on this machine; those that are may use all of them (4lw.commands.whitelist). */
  fourLetterWords?: readonly string[]
  /** How often empty containers and expired TTL nodes are looked for (znode.container.checkIntervalMs). */
  containerCheckIntervalMs?: number
  logger?: Logger
  /** The disk failed, and the server has stopped serving. */
  onFailure?: (error: Error) => void
}

export type Settings = Required<ZooKeeperServerOptions>

/** Apache's defaults, but for maxClientConnections (60 there) and host (all). */
export function withDefaults(options: ZooKeeperServerOptions): Settings {
  const tickTimeMs = options.tickTimeMs ?? 3000
  return {
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    dataDir: options.dataDir,
    dataLogDir: options.dataLogDir,
    tickTimeMs,
    minSessionTimeoutMs: options.minSessionTimeoutMs ?? tickTimeMs * 2,
    maxSessionTimeoutMs: options.maxSessionTimeoutMs ?? tickTimeMs * 20,
    maxClientConnections: options.maxClientConnections ?? 0,
    maxPacketBytes: options.maxPacketBytes ?? 1_048_575,
    forceSync: options.forceSync ?? true,
    snapCount: options.snapCount ?? 100_000,
    snapRetainCount: options.snapRetainCount ?? 3,
    extendedTypesEnabled: options.extendedTypesEnabled ?? false,
    superDigest: options.superDigest,
    fourLetterWords: options.fourLetterWords ?? ['srvr'],
    containerCheckIntervalMs: options.containerCheckIntervalMs ?? 60_000,
    logger: options.logger ?? silentLogger,
    onFailure: options.onFailure ?? (() => {}),
  }
}
