import { assert, assertSafe } from '../runtime/assert'
import type { Environment } from '../runtime/ports'
import { digestOf } from './acl'
import type { Connection } from './connection'
import { ttlMsOf, writeStat } from './data-tree'
import type { Change, TxnResult } from './data-tree'
import type { Database } from './database'
import { JuteError, JuteReader, JuteWriter } from './jute'
import { prepareMulti, readMulti, writeMultiResults } from './multi'
import type { Settings } from './options'
import { Code, KeeperError, OpCode, Xid } from './protocol'
import { readHandler } from './read-requests'
import type { SessionIdentity } from './session-identity'
import type { Session, Sessions } from './sessions'
import type { Txn } from './txn'
import type { Watches } from './watches'
import { prepare, readWriteRequest } from './write-requests'
import type { NodeFacts, Requester } from './write-requests'

const WRITES: ReadonlySet<number> = new Set([
  OpCode.create,
  OpCode.create2,
  OpCode.createContainer,
  OpCode.createTTL,
  OpCode.delete,
  OpCode.setData,
  OpCode.setACL,
  OpCode.check,
  OpCode.multi,
])

/** Ids that one connection may prove; each of them is looked at in each check. */
const MOST_IDS = 1000

const NO_PASSWORD = Buffer.alloc(16)

const NAMES: Partial<Record<number, string>> = Object.fromEntries(Object.entries(OpCode).map(([name, code]) => [code, name]))

/** What requests work on. */
export interface RequestState {
  readonly env: Environment
  readonly settings: Settings
  readonly database: Database
  readonly identity: SessionIdentity
  readonly sessions: Sessions<Connection>
  readonly watches: Watches
  /** Something is in the log that has to go to the disk at the end of the turn. */
  readonly needsLogFlush: () => void
}

/**
 * Packets to answers. A write is checked against the tree, becomes a transaction, and is applied at once, in the order of
 * arrival; its answer, like every answer that tells of it, is held by the connection until the log has it (`Connection.flush`).
 */
export class RequestProcessor {
  private readonly state: RequestState
  private readonly reply = new JuteWriter(4096)
  private readonly find: (path: string) => NodeFacts | undefined

  constructor(state: RequestState) {
    this.state = state
    const { tree } = state.database
    this.find = (path) => tree.get(path)
  }

  private get zxid(): number {
    return this.state.database.tree.lastZxid
  }

  handshake(connection: Connection, packet: Buffer): void {
    const reader = new JuteReader(packet)
    try {
      reader.readInt()
      const lastZxidSeen = reader.readLong()
      const askedMs = reader.readInt()
      const sessionId = reader.readBigLong()
      const password = reader.readBuffer()
      const readOnlyKnown = reader.remaining > 0
      if (lastZxidSeen > this.zxid) {
        this.state.settings.logger.warn(
          { lastZxidSeen, zxid: this.zxid },
          'refused a client that has seen a later state than this server',
        )
        return connection.destroy()
      }
      const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.state.settings
      const timeoutMs = Math.min(Math.max(askedMs, minSessionTimeoutMs), maxSessionTimeoutMs)
      const session = sessionId === 0n ? this.openSession(timeoutMs) : this.resumeSession(sessionId, password, timeoutMs)
      this.greet(connection, session, readOnlyKnown)
    } catch (error) {
      if (!(error instanceof JuteError)) throw error
      connection.destroy()
    }
  }

  packet(connection: Connection, packet: Buffer): void {
    if (packet.length < 8) return connection.destroy()
    const reader = new JuteReader(packet)
    const xid = reader.readInt()
    const type = reader.readInt()
    connection.lastCxid = xid
    connection.lastOperation = NAMES[type] ?? 'NA'
    if (WRITES.has(type)) return this.write(connection, xid, type, reader)
    const handler = readHandler(type)
    if (handler !== undefined) return this.read(connection, xid, handler, reader)
    switch (type) {
      case OpCode.ping:
        return this.answer(connection, Xid.ping, this.zxid, Code.OK)
      case OpCode.auth:
        return this.authenticate(connection, xid, reader)
      case OpCode.closeSession:
        this.endSession(connection.session!, xid)
        this.answer(connection, xid, this.zxid, Code.OK)
        return connection.end()
      case OpCode.reconfig:
        this.commit(connection.session!.id, xid, { type: OpCode.error, error: Code.RECONFIGDISABLED })
        return this.answer(connection, xid, this.zxid, Code.RECONFIGDISABLED)
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

  private write(connection: Connection, xid: number, type: number, reader: JuteReader): void {
    const requester: Requester = {
      sessionId: connection.session!.id,
      authInfo: connection.authInfo,
      extendedTypesEnabled: this.state.settings.extendedTypesEnabled,
    }
    let txn: Txn
    try {
      if (type === OpCode.multi) txn = prepareMulti(readMulti(reader), this.find, requester)
      else txn = prepare(readWriteRequest(type, reader), this.find, requester)
    } catch (error) {
      txn = { type: OpCode.error, error: errorCode(error) }
    }
    const result = this.commit(requester.sessionId, xid, txn)
    // Outside a multi a check has no answer but an error: Apache's server trips over it, and says nothing more.
    if (txn.type === OpCode.check) return connection.destroy()
    const { reply } = this
    this.begin(xid, this.zxid, txn.type === OpCode.error ? txn.error : Code.OK)
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

  private read(
    connection: Connection,
    xid: number,
    handler: NonNullable<ReturnType<typeof readHandler>>,
    reader: JuteReader,
  ): void {
    const { session, authInfo } = connection
    const context = {
      tree: this.state.database.tree,
      watches: this.state.watches,
      watcher: connection,
      sessionId: session!.id,
      authInfo,
    }
    const body = new JuteWriter()
    let code: number = Code.OK
    try {
      handler(context, reader, body)
    } catch (error) {
      code = errorCode(error)
    }
    this.begin(xid, this.zxid, code)
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
    if (scheme === 'digest' && connection.authInfo.length < MOST_IDS) {
      const digest = digestOf((auth ?? Buffer.alloc(0)).toString('utf8'))
      if (digest === this.state.settings.superDigest) addId(connection, 'super', '')
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
    const zxid = assertSafe(this.state.database.tree.lastZxid + 1, 'zxid')
    const changes: Change[] = []
    const result = this.state.database.commit({ sessionId, cxid, zxid, timeMs: this.state.env.clock.wallMs() }, txn, changes)
    assert(
      result.error === 0 || txn.type === OpCode.error || txn.type === OpCode.multi,
      `a checked transaction failed with ${result.error}`,
    )
    this.state.needsLogFlush()
    for (const change of changes) this.state.watches.fire(change)
    return result
  }

  // Sessions.

  private openSession(timeoutMs: number): Session<Connection> {
    const id = this.state.identity.next()
    this.commit(id, 0, { type: OpCode.createSession, timeoutMs })
    return this.state.sessions.open(id, timeoutMs, this.state.env.clock.monoMs())
  }

  private resumeSession(id: bigint, password: Buffer | null, timeoutMs: number): Session<Connection> | undefined {
    const session = this.state.sessions.get(id)
    if (session === undefined || password === null || !this.state.identity.isPassword(id, password)) return undefined
    session.timeoutMs = timeoutMs
    this.state.sessions.touch(session, this.state.env.clock.monoMs())
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
    reply.writeBuffer(session === undefined ? NO_PASSWORD : this.state.identity.passwordOf(session.id))
    if (readOnlyKnown) reply.writeBool(false)
    this.finish(connection)
    if (session === undefined) return connection.end()
    session.connection = connection
    connection.session = session
  }

  endSession(session: Session<Connection>, cxid: number): void {
    this.state.sessions.close(session)
    this.commit(session.id, cxid, {
      type: OpCode.closeSession,
      paths: [...(this.state.database.tree.ephemerals.get(session.id) ?? [])],
    })
  }

  /** Ephemerals without a session can come from a data directory that something else wrote. */
  endOrphans(): void {
    for (const id of [...this.state.database.tree.ephemerals.keys()]) {
      if (this.state.sessions.get(id) === undefined)
        this.endSession(this.state.sessions.open(id, 0, this.state.env.clock.monoMs()), 0)
    }
  }

  /** ContainerManager: containers that have lost their last child, and TTL nodes that nobody changed in time. */
  deleteContainers(): void {
    const { tree } = this.state.database
    const nowMs = this.state.env.clock.wallMs()
    for (const path of [...tree.containers, ...tree.ttls]) {
      const node = tree.get(path)
      if (node === undefined || node.childCount > 0) continue
      const { stat } = node
      const due = tree.containers.has(path) ? stat.cversion > 0 : nowMs - stat.mtimeMs > ttlMsOf(stat.ephemeralOwner)
      if (due) this.commit(0n, 0, { type: OpCode.deleteContainer, path })
    }
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
