import type { Environment, Listener, Stream, StreamHandler, Timer } from '../runtime/ports'
import { Turn } from '../runtime/turn'
import { Connection } from './connection'
import type { ConnectionHost } from './connection'
import { Database } from './database'
import { answerFourLetterWord } from './four-letter-words'
import { withDefaults } from './options'
import type { Settings, ZooKeeperServerOptions } from './options'
import { RequestProcessor } from './request-processor'
import { SessionIdentity } from './session-identity'
import { Sessions } from './sessions'
import type { SavedSession } from './snapshot'
import { Statistics } from './statistics'
import { Watches } from './watches'

export interface RunningZooKeeperServer {
  /** The real port, also where 0 was asked for. */
  readonly port: number
  /** Closes the connections and makes the log durable; sessions live on, in the data directory. */
  close(): Promise<void>
}

/**
 * One ZooKeeper, not of an ensemble: the tree, its sessions and watches behind one listener.
 * Rejects with Node's code (EADDRINUSE ...) or a StorageError.
 */
export async function startZooKeeperServer(
  env: Environment,
  options: ZooKeeperServerOptions = {},
): Promise<RunningZooKeeperServer> {
  const server = await ZooKeeperServer.open(env, withDefaults(options))
  await server.listen()
  return server
}

/** The shell: listener, timers, and the end of each turn, when the log is written and connections are. */
export class ZooKeeperServer implements ConnectionHost, RunningZooKeeperServer {
  readonly settings: Settings
  readonly env: Environment
  readonly watches = new Watches()
  readonly sessions: Sessions<Connection>
  readonly connections = new Set<Connection>()
  readonly statistics: Statistics
  readonly maxPacketBytes: number
  private db!: Database
  private processor!: RequestProcessor
  private readonly turn: Turn
  private readonly unsent = new Set<Connection>()
  private readonly perAddress = new Map<string, number>()
  private listener: Listener | undefined
  private tickTimer: Timer | undefined
  private containerTimer: Timer | undefined
  private flushScheduled = false
  private logScheduled = false
  private stopped = false

  private constructor(env: Environment, settings: Settings) {
    this.env = env
    this.settings = settings
    this.turn = new Turn(env.clock)
    this.maxPacketBytes = settings.maxPacketBytes
    this.sessions = new Sessions(settings.tickTimeMs, env.clock.monoMs())
    this.statistics = new Statistics(env.clock.monoMs())
  }

  static async open(env: Environment, settings: Settings): Promise<ZooKeeperServer> {
    const server = new ZooKeeperServer(env, settings)
    server.db = await Database.open(env, {
      ...settings,
      onDurable: () => server.flushConnections(),
      onFailure: (error) => server.fail(error),
    })
    server.begin()
    return server
  }

  async listen(): Promise<void> {
    const { host, port, containerCheckIntervalMs, logger } = this.settings
    try {
      this.listener = await this.env.net.listen(host, port, (stream) => this.accept(stream))
    } catch (error) {
      await this.db.close()
      throw error
    }
    this.armTick()
    this.containerTimer = this.env.clock.timer(containerCheckIntervalMs, this.checkContainers)
    logger.info(
      { host: this.listener.host, port: this.port, zxid: this.db.tree.lastZxid, sessions: this.sessions.size },
      'ZooKeeper is listening',
    )
  }

  private begin(): void {
    const { env, settings, sessions, watches, db } = this
    const known = [...db.savedSessions.map(({ id }) => id), ...db.tree.ephemerals.keys()]
    const identity = SessionIdentity.open(env, settings.dataDir, known)
    this.processor = new RequestProcessor({
      env,
      settings,
      sessions,
      watches,
      identity,
      database: db,
      needsLogFlush: () => this.needsLogFlush(),
    })
    // Nobody could reach the server while it was down: every session gets its whole time-out.
    for (const { id, timeoutMs } of db.savedSessions) sessions.open(id, timeoutMs, this.nowMs())
    this.processor.endOrphans()
  }

  get database(): Database {
    return this.db
  }

  get port(): number {
    return this.listener?.port ?? 0
  }

  async close(): Promise<void> {
    if (this.stopped) return
    this.stop()
    await this.db.close()
  }

  // What connections ask for.

  nowMs(): number {
    return this.env.clock.monoMs()
  }

  get currentZxid(): number {
    return this.db.tree.lastZxid
  }

  get durableZxid(): number {
    return this.db.durableZxid
  }

  fourLetterWord(connection: Connection, word: number): string | undefined {
    return answerFourLetterWord(this, connection, word)
  }

  onReceived(connection: Connection): void {
    if (connection.session !== undefined) this.sessions.touch(connection.session, this.nowMs())
  }

  onAnswered(latencyMs: number): void {
    this.statistics.answered(latencyMs)
  }

  onClosed(connection: Connection): void {
    this.connections.delete(connection)
    this.unsent.delete(connection)
    this.watches.removeWatcher(connection)
    if (connection.session?.connection === connection) connection.session.connection = undefined
    const address = connection.stream.remoteAddress
    const left = (this.perAddress.get(address) ?? 1) - 1
    if (left === 0) this.perAddress.delete(address)
    else this.perAddress.set(address, left)
  }

  onHandshake(connection: Connection, packet: Buffer): void {
    this.statistics.received++
    this.processor.handshake(connection, packet)
  }

  onPacket(connection: Connection, packet: Buffer): void {
    this.statistics.received++
    this.processor.packet(connection, packet)
  }

  needsFlush(connection: Connection): void {
    this.unsent.add(connection)
    if (this.flushScheduled) return
    this.flushScheduled = true
    this.turn.atEnd(2, this.flushConnections)
  }

  private armTick(): void {
    this.tickTimer = this.env.clock.timer(this.sessions.untilTickMs(this.nowMs()), this.tick)
  }

  private readonly tick = (): void => {
    const due = this.sessions.expired(this.nowMs())
    this.armTick()
    for (const session of due) {
      this.settings.logger.info({ session: `0x${session.id.toString(16)}`, timeoutMs: session.timeoutMs }, 'session expired')
      const { connection } = session
      this.processor.endSession(session, 0)
      connection?.end()
    }
    // Who connects and says nothing is not kept for ever.
    const patienceMs = this.settings.maxSessionTimeoutMs
    for (const connection of this.connections) {
      if (connection.session === undefined && this.nowMs() - connection.establishedAtMs > patienceMs) connection.destroy()
    }
  }

  private readonly checkContainers = (): void => {
    this.containerTimer = this.env.clock.timer(this.settings.containerCheckIntervalMs, this.checkContainers)
    this.processor.deleteContainers()
  }

  private accept(stream: Stream): StreamHandler | undefined {
    const { maxClientConnections } = this.settings
    const count = this.perAddress.get(stream.remoteAddress) ?? 0
    if (this.stopped || (maxClientConnections > 0 && count >= maxClientConnections)) return undefined
    this.perAddress.set(stream.remoteAddress, count + 1)
    const connection = new Connection(this, stream)
    this.connections.add(connection)
    return connection
  }

  private needsLogFlush(): void {
    if (this.logScheduled) return
    this.logScheduled = true
    this.turn.atEnd(0, this.flushLog)
  }

  private readonly flushLog = (): void => {
    this.logScheduled = false
    this.db.flush(() => this.savedSessions())
  }

  private readonly flushConnections = (): void => {
    this.flushScheduled = false
    for (const connection of [...this.unsent]) {
      // A flush may read on, and have more to send.
      this.unsent.delete(connection)
      if (!connection.flush()) this.unsent.add(connection)
    }
  }

  private savedSessions(): SavedSession[] {
    return [...this.sessions.all()].map(({ id, timeoutMs }) => ({ id, timeoutMs }))
  }

  private fail(error: Error): void {
    this.settings.logger.error({ error }, 'the transaction log cannot be written; the server stops')
    this.stop()
    this.settings.onFailure(error)
  }

  private stop(): void {
    this.stopped = true
    this.tickTimer?.cancel()
    this.containerTimer?.cancel()
    this.listener?.close()
    for (const connection of [...this.connections]) connection.destroy()
  }
}
