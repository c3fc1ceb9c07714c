import { assert, assertSafe } from '../runtime/assert'
import type { Environment, Listener, Stream, StreamHandler, Timer } from '../runtime/ports'
import { Turn } from '../runtime/turn'
import { digestOf } from './acl'
import { Connection } from './connection'
import type { ConnectionHost } from './connection'
import type { Change, TxnResult } from './data-tree'
import { statOf, ttlMsOf, writeStat } from './data-tree'
import { Database } from './database'
import { answerFourLetterWord } from './four-letter-words'
import { JuteError, JuteReader, JuteWriter } from './jute'
import { prepareMulti, readMulti, writeMultiResults } from './multi'
import { withDefaults } from './options'
import type { Settings, ZooKeeperServerOptions } from './options'
import { Code, KeeperError, OpCode, Xid } from './protocol'
import { readHandler } from './read-requests'
import { SessionIdentity } from './session-identity'
import { Sessions } from './sessions'
import type { Session } from './sessions'
import type { SavedSession } from './snapshot'
import { Statistics } from './statistics'
import type { Txn } from './txn'
import { Watches } from './watches'
import { prepare, readWriteRequest } from './write-requests'
import type { Requester } from './write-requests'

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
export async function startZooKeeperServer(env: Environment, options: ZooKeeperServerOptions = {}): Promise<RunningZooKeeperServer> {
  const server = await ZooKeeperServer.open(env, withDefaults(options))
  await server.listen()
  return server
}

const WRITES: ReadonlySet<number> = new Set([
  OpCode.create, OpCode.create2, OpCode.createContainer, OpCode.createTTL, OpCode.delete, OpCode.setData, OpCode.setACL,
  OpCode.check,
])

const NO_PASSWORD = Buffer.alloc(16)

export class ZooKeeperServer implements ConnectionHost, RunningZooKeeperServer {
  readonly settings: Settings
  readonly env: Environment
  readonly watches = new Watches()
  readonly sessions: Sessions<Connection>
  readonly connections = new Set<Connection>()
  readonly statistics: Statistics
  readonly maxPacketBytes: number
  private db!: Database
  private identity!: SessionIdentity
  private readonly turn: Turn
  private readonly unsent = new Set<Connection>()
  private readonly reply = new JuteWriter(4096)
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
    const { savedSessions, tree } = server.db
    server.identity = SessionIdentity.open(env, settings.dataDir, [...savedSessions.map(({ id }) => id), ...tree.ephemerals.keys()])
    // Nobody could reach the server while it was down: every session gets its whole time-out.
    const nowMs = env.clock.monoMs()
    for (const { id, timeoutMs } of savedSessions) server.sessions.open(id, timeoutMs, nowMs)
    server.endOrphans()
    return server
  }

  async listen(): Promise<void> {
    const { host, port, tickTimeMs, containerCheckIntervalMs, logger } = this.settings
    try {
      this.listener = await this.env.net.listen(host, port, (stream) => this.accept(stream))
    } catch (error) {
      await this.db.close()
      throw error
    }
    this.tickTimer = this.env.clock.timer(tickTimeMs, this.tick)
    this.containerTimer = this.env.clock.timer(containerCheckIntervalMs, this.checkContainers)
    logger.info({ host: this.listener.host, port: this.port, zxid: this.db.tree.lastZxid, sessions: this.sessions.size }, 'ZooKeeper is listening')
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

  needsFlush(connection: Connection): void {
    this.unsent.add(connection)
    if (this.flushScheduled) return
    this.flushScheduled = true
    this.turn.atEnd(2, this.flushConnections)
  }

  onHandshake(connection: Connection, packet: Buffer): void {
    this.statistics.received++
    const reader = new JuteReader(packet)
    try {
      reader.readInt()
      const lastZxidSeen = reader.readLong()
      const askedMs = reader.readInt()
      const sessionId = reader.readBigLong()
      const password = reader.readBuffer()
      const readOnlyKnown = reader.remaining > 0
      if (lastZxidSeen > this.currentZxid) {
        this.settings.logger.warn({ lastZxidSeen, zxid: this.currentZxid }, 'refused a client that has seen a later state than this server')
        return connection.destroy()
      }
      const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.settings
      const timeoutMs = Math.min(Math.max(askedMs, minSessionTimeoutMs), maxSessionTimeoutMs)
      const session = sessionId === 0n ? this.openSession(timeoutMs) : this.resumeSession(sessionId, password, timeoutMs)
      this.greet(connection, session, readOnlyKnown)
    } catch (error) {
      if (!(error instanceof JuteError)) throw error
      connection.destroy()
    }
  }

  onPacket(connection: Connection, packet: Buffer): void {
    this.statistics.received++
    if (packet.length < 8) return connection.destroy()
    const reader = new JuteReader(packet)
    const xid = reader.readInt()
    const type = reader.readInt()
    connection.lastCxid = xid
    connection.lastOperation = operationName(type)
    if (WRITES.has(type) || type === OpCode.multi) return this.write(connection, xid, type, reader)
    const handler = readHandler(type)
    if (handler !== undefined) return this.read(connection, xid, handler, reader)
    switch (type) {
      case OpCode.ping:
        return this.answer(connection, Xid.ping, this.currentZxid, Code.OK)
      case OpCode.auth:
        return this.authenticate(connection, xid, reader)
      case OpCode.closeSession:
        this.endSession(connection.session!, xid)
        this.answer(connection, xid, this.currentZxid, Code.OK)
        return connection.end()
      case OpCode.reconfig:
        this.commit(connection.session!.id, xid, { type: OpCode.error, error: Code.RECONFIGDISABLED })
        return this.answer(connection, xid, this.currentZxid, Code.RECONFIGDISABLED)
      case OpCode.sasl:
        // As Apache's server without SASL: an empty token, which tells the client so.
        this.begin(xid, 0, Code.OK)
        this.reply.writeBuffer(null)
        return this.finish(connection)
      default:
        this.answer(connection, xid, -1, Code.UNIMPLEMENTED)
        return connection.end()
    }
  }

  // Requests.

  private write(connection: Connection, xid: number, type: number, reader: JuteReader): void {
    const { tree } = this.db
    const requester: Requester = {
      sessionId: connection.session!.id, authInfo: connection.authInfo, extendedTypesEnabled: this.settings.extendedTypesEnabled,
    }
    const find = (path: string): ReturnType<typeof tree.get> => tree.get(path)
    let txn: Txn
    try {
      if (type === OpCode.multi) txn = prepareMulti(readMulti(reader), find, requester)
      else txn = prepare(readWriteRequest(type, reader), find, requester)
    } catch (error) {
      txn = { type: OpCode.error, error: errorCode(error) }
    }
    const result = this.commit(requester.sessionId, xid, txn)
    // Outside a multi a check has no answer but an error: Apache's server trips over it, and says nothing more.
    if (txn.type === OpCode.check) return connection.destroy()
    const { reply } = this
    this.begin(xid, this.currentZxid, txn.type === OpCode.error ? txn.error : Code.OK)
    if (txn.type === OpCode.multi) writeMultiResults(reply, result.results)
    else if (txn.type !== OpCode.error) this.writeResult(result)
    this.finish(connection)
  }

  private writeResult(result: TxnResult): void {
    const { type, path, stat } = result
    if (type === OpCode.delete) return
    if (type !== OpCode.setData && type !== OpCode.setACL) this.reply.writeString(path)
    if (type !== OpCode.create) writeStat(this.reply, stat!)
  }

  private read(connection: Connection, xid: number, handler: NonNullable<ReturnType<typeof readHandler>>, reader: JuteReader): void {
    const { session, authInfo } = connection
    const context = { tree: this.db.tree, watches: this.watches, watcher: connection, sessionId: session!.id, authInfo }
    const body = new JuteWriter()
    let code: number = Code.OK
    try {
      handler(context, reader, body)
    } catch (error) {
      code = errorCode(error)
    }
    this.begin(xid, this.currentZxid, code)
    if (code === Code.OK) this.reply.writeRaw(body.view())
    this.finish(connection)
  }

  private authenticate(connection: Connection, xid: number, reader: JuteReader): void {
    let scheme: string | null
    let auth: Buffer | null
    try {
      reader.readInt()
      scheme = reader.readString()
      auth = reader.readBuffer()
    } catch (error) {
      if (!(error instanceof JuteError)) throw error
      return connection.destroy()
    }
    if (scheme === 'digest') {
      const digest = digestOf((auth ?? Buffer.alloc(0)).toString('utf8'))
      if (digest === this.settings.superDigest) addId(connection, 'super', '')
      addId(connection, 'digest', digest)
    } else if (scheme === 'ip') addId(connection, 'ip', connection.stream.remoteAddress)
    else {
      this.answer(connection, xid, 0, Code.AUTHFAILED)
      return connection.end()
    }
    this.answer(connection, xid, 0, Code.OK)
  }

  private begin(xid: number, zxid: number, code: number): void {
    this.reply.reset()
    this.reply.writeInt(0)
    this.reply.writeInt(xid)
    this.reply.writeLong(zxid)
    this.reply.writeInt(code)
  }

  private finish(connection: Connection): void {
    this.reply.patchInt(0, this.reply.length - 4)
    connection.send(this.reply.take())
  }

  private answer(connection: Connection, xid: number, zxid: number, code: number): void {
    this.begin(xid, zxid, code)
    this.finish(connection)
  }

  /** The one way to change the tree: takes the next zxid, logs, applies, and tells the watches when all of it is applied. */
  private commit(sessionId: bigint, cxid: number, txn: Txn): TxnResult {
    const zxid = assertSafe(this.db.tree.lastZxid + 1, 'zxid')
    const changes: Change[] = []
    const result = this.db.commit({ sessionId, cxid, zxid, timeMs: this.env.clock.wallMs() }, txn, changes)
    assert(result.error === 0 || txn.type === OpCode.error || txn.type === OpCode.multi, `a checked transaction failed with ${result.error}`)
    if (!this.logScheduled) {
      this.logScheduled = true
      this.turn.atEnd(0, this.flushLog)
    }
    for (const change of changes) this.watches.fire(change)
    return result
  }

  // Sessions.

  private openSession(timeoutMs: number): Session<Connection> {
    const id = this.identity.next()
    this.commit(id, 0, { type: OpCode.createSession, timeoutMs })
    return this.sessions.open(id, timeoutMs, this.nowMs())
  }

  private resumeSession(id: bigint, password: Buffer | null, timeoutMs: number): Session<Connection> | undefined {
    const session = this.sessions.get(id)
    if (session === undefined || password === null || !this.identity.isPassword(id, password)) return undefined
    session.timeoutMs = timeoutMs
    this.sessions.touch(session, this.nowMs())
    session.connection?.destroy()
    return session
  }

  private greet(connection: Connection, session: Session<Connection> | undefined, readOnlyKnown: boolean): void {
    const { reply } = this
    reply.reset()
    reply.writeInt(0)
    reply.writeInt(0)
    reply.writeInt(session?.timeoutMs ?? 0)
    reply.writeBigLong(session?.id ?? 0n)
    reply.writeBuffer(session === undefined ? NO_PASSWORD : this.identity.passwordOf(session.id))
    if (readOnlyKnown) reply.writeBool(false)
    this.finish(connection)
    if (session === undefined) return connection.end()
    session.connection = connection
    connection.session = session
  }

  private endSession(session: Session<Connection>, cxid: number): void {
    this.sessions.close(session)
    this.commit(session.id, cxid, { type: OpCode.closeSession, paths: [...(this.db.tree.ephemerals.get(session.id) ?? [])] })
  }

  /** Ephemerals without a session can come from a data directory that something else wrote. */
  private endOrphans(): void {
    for (const id of [...this.db.tree.ephemerals.keys()]) {
      if (this.sessions.get(id) === undefined) this.endSession(this.sessions.open(id, 0, this.nowMs()), 0)
    }
  }

  private readonly tick = (): void => {
    this.tickTimer = this.env.clock.timer(this.settings.tickTimeMs, this.tick)
    for (const session of this.sessions.expired(this.nowMs())) {
      this.settings.logger.info({ session: `0x${session.id.toString(16)}`, timeoutMs: session.timeoutMs }, 'session expired')
      const { connection } = session
      this.endSession(session, 0)
      connection?.end()
    }
    // Who connects and says nothing is not kept for ever.
    const patienceMs = this.settings.maxSessionTimeoutMs
    for (const connection of this.connections) {
      if (connection.session === undefined && this.nowMs() - connection.establishedAtMs > patienceMs) connection.destroy()
    }
  }

  /** ContainerManager: containers that have lost their last child, and TTL nodes that nobody changed in time. */
  private readonly checkContainers = (): void => {
    this.containerTimer = this.env.clock.timer(this.settings.containerCheckIntervalMs, this.checkContainers)
    const { tree } = this.db
    const nowMs = this.env.clock.wallMs()
    for (const path of [...tree.containers, ...tree.ttls]) {
      const node = tree.get(path)
      if (node === undefined || node.childCount > 0) continue
      const { stat } = statOf(node)
      const due = tree.containers.has(path) ? stat.cversion > 0 : nowMs - stat.mtimeMs > ttlMsOf(stat.ephemeralOwner)
      if (due) this.commit(0n, 0, { type: OpCode.deleteContainer, path })
    }
  }

  // The shell.

  private accept(stream: Stream): StreamHandler | undefined {
    const { maxClientConnections } = this.settings
    const count = this.perAddress.get(stream.remoteAddress) ?? 0
    if (this.stopped || (maxClientConnections > 0 && count >= maxClientConnections)) return undefined
    this.perAddress.set(stream.remoteAddress, count + 1)
    const connection = new Connection(this, stream)
    this.connections.add(connection)
    return connection
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

function errorCode(error: unknown): number {
  if (error instanceof KeeperError) return error.code
  if (error instanceof JuteError) return Code.MARSHALLINGERROR
  throw error
}

function addId(connection: Connection, scheme: string, id: string): void {
  if (!connection.authInfo.some((known) => known.scheme === scheme && known.id === id)) connection.authInfo.push({ scheme, id })
}

const NAMES: Partial<Record<number, string>> = Object.fromEntries(Object.entries(OpCode).map(([name, code]) => [code, name]))

function operationName(type: number): string {
  return NAMES[type] ?? 'NA'
}
