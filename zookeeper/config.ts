import type { ZooKeeperServerOptions } from './options'

/** A key of zookeeper.properties that cannot be taken as it is; the message is one sentence that says what would be right. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code = 'ZOOKEEPER_CONFIG'
}

export interface ZooKeeperConfig {
  options: ZooKeeperServerOptions
  /** Keys that this server does not know. */
  warnings: string[]
}

/** Settings of a server in an ensemble, without meaning for one that stands alone (on Apache's server too). */
const WITHOUT_MEANING = [
  /^initLimit$/,
  /^syncLimit$/,
  /^connectToLearnerMasterLimit$/,
  /^electionAlg$/,
  /^leaderServes$/,
  /^admin\./,
]
const TLS_AND_SASL = [
  /^secureClientPort/,
  /^ssl\./,
  /^sslQuorum$/,
  /^authProvider\./,
  /^requireClientAuthScheme$/,
  /^jaasLoginRenew$/,
  /^quorum\./,
  /^enforce\.auth\./,
  /^sessionRequireClientSASLAuth$/,
  /^client\.portUnification$/,
]

class Properties {
  private readonly values: Map<string, string>
  readonly used = new Set<string>()

  constructor(properties: Readonly<Record<string, string>>) {
    // Apache's server turns other keys into system properties, which have this prefix.
    this.values = new Map(Object.entries(properties).map(([key, value]) => [key.replace(/^zookeeper\./, ''), value.trim()]))
  }

  keys(): IterableIterator<string> {
    return this.values.keys()
  }

  text(key: string): string | undefined {
    this.used.add(key)
    return this.values.get(key)
  }

  whole(key: string, least: number, most: number): number | undefined {
    const value = this.text(key)
    if (value === undefined) return undefined
    if (!/^-?\d{1,15}$/.test(value) || Number(value) < least || Number(value) > most) {
      throw new ConfigError(`${key}=${value} is wrong: it takes a whole number from ${least} to ${most}.`)
    }
    return Number(value)
  }

  oneOf(key: string, yes: string, no: string): boolean | undefined {
    const value = this.text(key)?.toLowerCase()
    if (value === undefined) return undefined
    if (value !== yes && value !== no) throw new ConfigError(`${key}=${value} is wrong: it takes ${yes} or ${no}.`)
    return value === yes
  }
}

const MOST_MS = 2 ** 31 - 1

/** What `zookeeper.properties` says, by the names and defaults of Apache's zoo.cfg. Throws ConfigError. */
export function parseZooKeeperConfig(properties: Readonly<Record<string, string>>): ZooKeeperConfig {
  const config = new Properties(properties)
  refuse(config)
  const dataDir = config.text('dataDir')
  if (dataDir === undefined || dataDir === '')
    throw new ConfigError('dataDir is not set: name the directory for snapshots and logs.')
  const tickTimeMs = config.whole('tickTime', 1, MOST_MS)
  const minSessionTimeoutMs = config.whole('minSessionTimeout', -1, MOST_MS)
  const maxSessionTimeoutMs = config.whole('maxSessionTimeout', -1, MOST_MS)
  const purgeIntervalHours = config.whole('autopurge.purgeInterval', 0, MOST_MS)
  const snapRetainCount = config.whole('autopurge.snapRetainCount', 3, MOST_MS)
  const options = defined({
    host: config.text('clientPortAddress') ?? '',
    port: config.whole('clientPort', 0, 65535) ?? 2181,
    dataDir,
    dataLogDir: config.text('dataLogDir'),
    tickTimeMs,
    minSessionTimeoutMs: minSessionTimeoutMs === -1 ? undefined : minSessionTimeoutMs,
    maxSessionTimeoutMs: maxSessionTimeoutMs === -1 ? undefined : maxSessionTimeoutMs,
    maxClientConnections: config.whole('maxClientCnxns', 0, MOST_MS) ?? 60,
    maxPacketBytes: config.whole('jute.maxbuffer', 1024, 256 * 1024 * 1024),
    forceSync: config.oneOf('forceSync', 'yes', 'no'),
    snapCount: config.whole('snapCount', 2, MOST_MS),
    // Without being asked, Apache's server never purges; this one does after each snapshot, unless 0 hours says not to.
    snapRetainCount: purgeIntervalHours === 0 ? 0 : snapRetainCount,
    extendedTypesEnabled: config.oneOf('extendedTypesEnabled', 'true', 'false'),
    superDigest: config.text('DigestAuthenticationProvider.superDigest'),
    fourLetterWords: config
      .text('4lw.commands.whitelist')
      ?.split(',')
      .map((word) => word.trim()),
    containerCheckIntervalMs: config.whole('znode.container.checkIntervalMs', 1, MOST_MS),
  })
  const { minSessionTimeoutMs: least, maxSessionTimeoutMs: most } = { ...sessionLimits(tickTimeMs ?? 3000), ...options }
  if (least > most) throw new ConfigError(`minSessionTimeout=${least} is above maxSessionTimeout=${most}.`)
  const known = (key: string): boolean =>
    config.used.has(key) || /^server\.\d+$/.test(key) || WITHOUT_MEANING.some((pattern) => pattern.test(key))
  return { options, warnings: [...config.keys()].filter((key) => !known(key)) }
}

function sessionLimits(tickTimeMs: number): { minSessionTimeoutMs: number; maxSessionTimeoutMs: number } {
  return { minSessionTimeoutMs: tickTimeMs * 2, maxSessionTimeoutMs: tickTimeMs * 20 }
}

/** What would change who may do what, or where the data is, is refused rather than ignored. */
function refuse(config: Properties): void {
  const keys = [...config.keys()]
  if (keys.filter((key) => /^server\.\d+$/.test(key)).length > 1) {
    throw new ConfigError('server.N names an ensemble, but this ZooKeeper stands alone: run Apache ZooKeeper for an ensemble.')
  }
  const security = keys.find((key) => TLS_AND_SASL.some((pattern) => pattern.test(key)))
  if (security !== undefined) throw new ConfigError(`${security} is set, but this ZooKeeper has neither TLS nor SASL: remove it.`)
  for (const key of ['reconfigEnabled', 'skipACL', 'enforceQuota', 'admin.enableServer', 'readonlymode.enabled']) {
    const value = config.text(key)
    if (value !== undefined && !['false', 'no', ''].includes(value.toLowerCase())) {
      throw new ConfigError(`${key}=${value} is set, but this ZooKeeper does not have it: remove the line, or set it to false.`)
    }
  }
  for (const key of ['dynamicConfigFile', 'peerType']) {
    if (config.text(key) !== undefined)
      throw new ConfigError(`${key} belongs to an ensemble, but this ZooKeeper stands alone: remove it.`)
  }
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> }

function defined<T extends object>(values: T): Partial<Defined<T>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<Defined<T>>
}
