import type { Connection } from './connection'
import type { ZooKeeperServer } from './server'
import type { Watcher } from './watches'

/** In `srvr`, `stat` and `mntr`: the version whose behaviour this is. */
const VERSION = '3.8.4-prekraft'

type Word = (server: ZooKeeperServer, connection: Connection) => string

function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`
}

function describe(connection: Connection, brief: boolean): string {
  const { stream, session } = connection
  const { outstanding: queued, received, sent, lastOperation, lastCxid } = connection
  const head = ` /${stream.remoteAddress}:${stream.remotePort}[1](queued=${queued},recved=${received},sent=${sent}`
  if (brief || session === undefined) return `${head})`
  return `${head},sid=${hex(session.id)},lop=${lastOperation},to=${session.timeoutMs},lcxid=${hex(lastCxid >>> 0)})`
}

function connectionLines(server: ZooKeeperServer, brief: boolean): string {
  return [...server.connections].map((connection) => `${describe(connection, brief)}\n`).join('')
}

function outstanding(server: ZooKeeperServer): number {
  return [...server.connections].reduce((sum, connection) => sum + connection.outstanding, 0)
}

/** Apache counts the root twice. */
function nodeCount({ database }: ZooKeeperServer): number {
  return database.tree.size + 1
}

function summary(server: ZooKeeperServer): string {
  const { statistics, database } = server
  const { minLatencyMs, averageLatencyMs, maxLatencyMs } = statistics
  return [
    `Latency min/avg/max: ${Math.round(minLatencyMs)}/${averageLatencyMs.toFixed(4)}/${Math.round(maxLatencyMs)}`,
    `Received: ${statistics.received}`,
    `Sent: ${statistics.sent}`,
    `Connections: ${server.connections.size}`,
    `Outstanding: ${outstanding(server)}`,
    `Zxid: ${hex(database.tree.lastZxid)}`,
    'Mode: standalone',
    `Node count: ${nodeCount(server)}`,
    '',
  ].join('\n')
}

const conf: Word = ({ settings, database, port }) => {
  const sizes = database.directorySizes()
  const dataDir = settings.dataDir === undefined ? '' : `${settings.dataDir}/version-2`
  return [
    `clientPort=${port}`,
    'secureClientPort=-1',
    `dataDir=${dataDir}`,
    `dataDirSize=${sizes.snapshots}`,
    `dataLogDir=${settings.dataLogDir === undefined ? dataDir : `${settings.dataLogDir}/version-2`}`,
    `dataLogSize=${sizes.logs}`,
    `tickTime=${settings.tickTimeMs}`,
    `maxClientCnxns=${settings.maxClientConnections}`,
    `minSessionTimeout=${settings.minSessionTimeoutMs}`,
    `maxSessionTimeout=${settings.maxSessionTimeoutMs}`,
    'clientPortListenBacklog=-1',
    'serverId=0',
    '',
  ].join('\n')
}

const dump: Word = ({ sessions, database, connections, env }) => {
  const byExpiry = new Map<number, string[]>()
  for (const { id, expiresAtMs } of sessions.all()) byExpiry.set(expiresAtMs, [...(byExpiry.get(expiresAtMs) ?? []), hex(id)])
  const { ephemerals } = database.tree
  const buckets = [...byExpiry].sort(([a], [b]) => a - b)
  return [
    'SessionTracker dump:',
    `Session Sets (${buckets.length})/(${sessions.size}):`,
    ...buckets.map(
      ([at, ids]) =>
        `${ids.length} expire in ${Math.round(at - env.clock.monoMs())}ms:\n${ids.map((id) => `\t${id}`).join('\n')}`,
    ),
    'ephemeral nodes dump:',
    `Sessions with Ephemerals (${ephemerals.size}):`,
    ...[...ephemerals].map(([id, paths]) => `${hex(id)}:\n${[...paths].map((path) => `\t${path}`).join('\n')}`),
    'Connections dump:',
    `Connections (${connections.size}):`,
    ...[...connections].map((connection) => describe(connection, true)),
    '',
  ].join('\n')
}

const mntr: Word = (server) => {
  const { statistics, database, watches, sessions } = server
  const { tree } = database
  const values: Record<string, string | number> = {
    version: VERSION,
    server_state: 'standalone',
    avg_latency: statistics.averageLatencyMs.toFixed(4),
    max_latency: Math.round(statistics.maxLatencyMs),
    min_latency: Math.round(statistics.minLatencyMs),
    packets_received: statistics.received,
    packets_sent: statistics.sent,
    num_alive_connections: server.connections.size,
    outstanding_requests: outstanding(server),
    uptime: Math.round(server.env.clock.monoMs() - statistics.startedAtMs),
    znode_count: nodeCount(server),
    watch_count: watches.count,
    ephemerals_count: [...tree.ephemerals.values()].reduce((sum, paths) => sum + paths.size, 0),
    approximate_data_size: tree.dataBytes,
    global_sessions: sessions.size,
    local_sessions: 0,
    last_fsync_ms: database.lastSyncMs.toFixed(3),
    max_fsync_ms: database.longestSyncMs.toFixed(3),
  }
  return Object.entries(values)
    .map(([key, value]) => `zk_${key}\t${value}\n`)
    .join('')
}

/** Each key on a line of its own, what belongs to it indented below. */
function listing<K, V>(entries: Iterable<[K, Iterable<V>]>, key: (key: K) => string, value: (value: V) => string): string {
  return [...entries].map(([head, values]) => `${key(head)}\n${[...values].map((one) => `\t${value(one)}\n`).join('')}`).join('')
}

function sessionOf(watcher: Watcher): string {
  return hex((watcher as Connection).session?.id ?? 0)
}

function same(path: string): string {
  return path
}

const WORDS: Record<string, Word> = {
  conf,
  cons: (server) => `${connectionLines(server, false)}\n`,
  crst: ({ connections }) => {
    for (const connection of connections) connection.received = connection.sent = 0
    return 'Connection stats reset.\n'
  },
  dirs: ({ database }) => {
    const { snapshots, logs } = database.directorySizes()
    return `datadir_size: ${snapshots}\nlogdir_size: ${logs}\n`
  },
  dump,
  envi: () => `Environment:\nzookeeper.version=${VERSION}\n`,
  gtmk: () => '0',
  hash: () => '',
  isro: () => 'rw',
  mntr,
  ruok: () => 'imok',
  srst: ({ statistics }) => {
    statistics.reset()
    return 'Server stats reset.\n'
  },
  srvr: (server) => `Zookeeper version: ${VERSION}\n${summary(server)}`,
  stat: (server) => `Zookeeper version: ${VERSION}\nClients:\n${connectionLines(server, true)}\n${summary(server)}`,
  stmk: () => '0',
  wchc: (server) => `${listing(server.watches.data.watchers, sessionOf, same)}\n`,
  wchp: (server) => `${listing(server.watches.data.watchersOfPaths(), same, sessionOf)}\n`,
  wchs: ({ watches: { data } }) =>
    `${data.watchers.size} connections watching ${data.paths.size} paths\nTotal watches:${data.count}\n`,
}

function isLocal(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}

/** `word` is the int32 that four letters spell where a length should be. Undefined if they are not one of the words. */
export function answerFourLetterWord(server: ZooKeeperServer, connection: Connection, word: number): string | undefined {
  const name = String.fromCharCode((word >>> 24) & 0xff, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff)
  const run = Object.hasOwn(WORDS, name) ? WORDS[name] : undefined
  if (run === undefined) return undefined
  const allowed = server.settings.fourLetterWords
  if (isLocal(connection.stream.remoteAddress) || allowed.includes('*') || allowed.includes(name)) return run(server, connection)
  return `${name} is not executed because it is not in the whitelist.\n`
}
