import Denque from 'denque'
import type { Environment, Timer } from '../../runtime/ports'
import { shuffled } from './connect-string'
import type { ServerAddress } from './connect-string'
import { errnoOf } from './errors'
import type { ZooKeeperErrorCode } from './errors'
import { withoutChroot } from './paths'
import { closeSessionRequest, Failure, syncRequest } from './package'
import type { ClientTransport, JuteRequest, JuteResponse, ReplyCallback } from './package'
import { authPacket } from './packets'
import type { AuthInfo } from './packets'
import { decodeReply, JuteReader, MalformedReplyError, Xid } from './replies'
import { ServerConnection } from './server-connection'
import type { HandshakeAnswer } from './server-connection'
import { formatSessionId } from './session-id'
import type { ManagerOptions } from './session-options'
import { WatchTable } from './watches'
import type { WatchMatch } from './watches'

/**
 * connecting: no session yet. connected. suspended: the connection is lost, the session may live. expired, authFailed, closed:
 * over for good; every request fails with that.
 */
export type ManagerState = 'connecting' | 'connected' | 'suspended' | 'expired' | 'authFailed' | 'closed'

export interface ManagerHandler {
  onState(state: ManagerState): void
  /** `match` says for whom; the path is inside the chroot. */
  onWatchEvent(type: number, path: string, match: WatchMatch): void
}

interface Packet {
  bytes: Buffer
  opCode: number
  callback: ReplyCallback
  xid: number
  sentAtMs: number
}

/** The answer to a request; to a multi also inside it, where the first operation is told so. */
const SESSION_EXPIRED = errnoOf('SESSION_EXPIRED')
const MOST_BYTES_IN_FLIGHT = 4 * 1024 * 1024
const LAST_XID = 2 ** 31 - 1
const SHORTEST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 500

/**
 * One session's way to the ensemble, in the place of the package's connection manager: it walks the servers in a random order,
 * resumes the session on each, and keeps a window of requests in flight with a queue behind.
 *
 * Every request is completed exactly once: by its reply, or with CONNECTION_LOSS if it was sent and the connection broke, or with
 * what ended the session. A request that was not sent yet waits for the next connection.
 */
export class ConnectionManager implements ClientTransport {
  state: ManagerState = 'connecting'
  sessionId: bigint
  password: Buffer
  /** Asked for at first, then what the server granted. */
  timeoutMs: number
  /** Monotonic; the server knew of the session at this time or later. */
  lastContactMs = -Infinity
  /** The highest zxid that a reply carried. */
  lastZxid = 0
  readonly watches = new WatchTable()
  private readonly env: Environment
  private readonly options: ManagerOptions
  private readonly handler: ManagerHandler
  private readonly servers: ServerAddress[]
  private readonly auth: AuthInfo[]
  private nextServer = 0
  private failedAttempts = 0
  private connection: ServerConnection | undefined
  private pause: Timer | undefined
  private readonly queued = new Denque<Packet>()
  private inFlight: Packet[] = []
  private inFlightBytes = 0
  private nextXid: number
  private closing: (() => void) | undefined
  /** The session was connected before, to whichever server. */
  private resumes: boolean

  constructor(env: Environment, options: ManagerOptions, handler: ManagerHandler) {
    this.env = env
    this.options = options
    this.handler = handler
    this.servers = shuffled(options.servers, env.random)
    this.auth = [...(options.auth ?? [])]
    this.timeoutMs = options.sessionTimeoutMs
    this.sessionId = options.credentials?.id ?? 0n
    this.password = options.credentials?.password ?? Buffer.alloc(16)
    this.nextXid = options.firstXid ?? 1
    this.resumes = options.credentials !== undefined
  }

  /** Requests that were sent and those that wait. */
  get pending(): { inFlight: number; queued: number } {
    return { inFlight: this.inFlight.length, queued: this.queued.length }
  }

  /** False as soon as the session is being closed: the server may have done it already. */
  get isAlive(): boolean {
    return (this.state === 'connected' || this.state === 'suspended') && this.closing === undefined
  }

  connect(): void {
    if (this.connection !== undefined || this.over) return
    const server = this.servers[this.nextServer++ % this.servers.length]!
    const handshake = { lastZxid: this.lastZxid, timeoutMs: this.timeoutMs, sessionId: this.sessionId, password: this.password }
    const limits = { connectTimeoutMs: this.connectTimeoutMs(), maxReplyBytes: this.options.maxReplyBytes }
    // Callbacks of an earlier connection cannot come: each has ended before the next begins.
    this.connection = new ServerConnection(this.env, server, handshake, limits, {
      onHandshake: (answer) => this.onHandshake(answer, server),
      onReply: (frame) => this.onReply(frame),
      onContact: (sentAtMs) => this.touch(sentAtMs),
      onOversized: (length) => this.onOversized(length),
      onClose: (reason) => this.onConnectionClosed(reason, server),
    })
  }

  queue(request: JuteRequest, callback: ReplyCallback): void {
    const refusal = this.refusal()
    if (refusal !== undefined) {
      callback(refusal, EMPTY_RESPONSE)
      return
    }
    if (this.options.chroot !== '') request.payload?.setChrootPath(this.options.chroot)
    const bytes = request.toBuffer()
    if (bytes.length - 4 > this.options.maxRequestBytes) {
      const text = `${bytes.length - 4} bytes, more than ${this.options.maxRequestBytes}`
      callback(failure('TOO_LARGE', text), EMPTY_RESPONSE)
      return
    }
    this.queued.push(packetOf(request, bytes, callback))
    this.pump()
  }

  registerDataWatcher(path: string): void {
    this.watches.addData(path)
  }

  registerChildWatcher(path: string): void {
    this.watches.addChildren(path)
  }

  registerExistenceWatcher(path: string): void {
    this.watches.addExistence(path)
  }

  addAuthInfo(scheme: string, auth: Buffer): void {
    this.auth.push({ scheme, auth })
    if (this.state === 'connected') this.connection?.send(authPacket({ scheme, auth }))
  }

  getSessionId(): Buffer {
    const id = Buffer.alloc(8)
    id.writeBigInt64BE(this.sessionId)
    return id
  }

  getSessionPassword(): Buffer {
    return Buffer.from(this.password)
  }

  getSessionTimeout(): number {
    return this.timeoutMs
  }

  close(): void {
    void this.closeSession()
  }

  /**
   * Ends the session on the server and resolves when it has answered, or when that cannot be had any more (then the session
   * expires by itself). Requests that were not sent fail with CLOSED; those in flight are still answered. True: it is known to be over.
   */
  async closeSession(): Promise<boolean> {
    if (this.over || this.closing !== undefined) return this.state === 'expired'
    if (this.state !== 'connected') {
      this.finish('closed')
      return false
    }
    let confirmed = false
    await new Promise<void>((resolve) => {
      const deadline = this.env.clock.timer(this.timeoutMs / 3, () => this.finish('closed'))
      this.closing = () => {
        deadline.cancel()
        resolve()
      }
      this.failAll(this.takeQueued(), failure('CLOSED'))
      this.transmit(
        internalPacket(closeSessionRequest(), (error) => {
          confirmed = error === null
          this.finish('closed')
        }),
      )
    })
    return confirmed
  }

  /** Drops the connection and forgets the session without ending it. */
  abandon(): void {
    this.finish('closed')
  }

  private get over(): boolean {
    return this.state === 'expired' || this.state === 'authFailed' || this.state === 'closed'
  }

  private refusal(): Failure | undefined {
    if (this.over) return endFailure(this.state)
    if (this.closing !== undefined) return failure('CLOSED')
    if (this.queued.length >= this.options.maxQueued) return failure('QUEUE_FULL', `${this.queued.length} requests wait`)
    return undefined
  }

  /** All the other servers must be tried within the third of the time-out that is left after a read time-out. */
  private connectTimeoutMs(): number {
    return Math.max(this.timeoutMs / 3 / Math.max(1, this.servers.length - 1), 100)
  }

  private touch(sentAtMs: number): void {
    if (sentAtMs > this.lastContactMs) this.lastContactMs = sentAtMs
  }

  private setState(state: ManagerState): void {
    if (this.state === state) return
    this.state = state
    this.handler.onState(state)
  }

  private onHandshake(answer: HandshakeAnswer, server: ServerAddress): void {
    if (answer.timeoutMs <= 0) {
      this.options.logger.warn({ session: formatSessionId(this.sessionId) }, 'the ZooKeeper session has expired')
      this.finish('expired')
      return
    }
    this.failedAttempts = 0
    this.sessionId = answer.sessionId
    this.password = answer.password
    this.timeoutMs = answer.timeoutMs
    this.options.logger.info(
      { server: `${server.host}:${server.port}`, session: formatSessionId(answer.sessionId), timeoutMs: answer.timeoutMs },
      'connected to ZooKeeper',
    )
    // First who we are, then what we watch, then what we want: requests queued while down must not go out before the former.
    // In between a sync: this server may lag behind the one that carried out our last writes, and whoever reads back a write whose
    // answer was lost must see it. (What the former server still passes on for us is refused as SESSION_MOVED.)
    for (const info of this.auth) this.connection?.send(authPacket(info))
    for (const packet of this.watches.requests(this.lastZxid, this.options.chroot)) this.connection?.send(packet)
    if (this.resumes) this.transmit(internalPacket(syncRequest('/')))
    this.resumes = true
    this.setState('connected')
    this.pump()
  }

  private onConnectionClosed(reason: string, server: ServerAddress): void {
    this.connection = undefined
    if (this.over) return
    const where = { server: `${server.host}:${server.port}`, reason }
    if (this.state === 'connected') this.options.logger.warn(where, 'lost the connection to ZooKeeper')
    else this.options.logger.debug(where, 'cannot connect to ZooKeeper')
    this.failAll(this.takeInFlight(), failure('CONNECTION_LOSS', reason))
    if (this.closing !== undefined) {
      this.finish('closed')
      return
    }
    if (this.over) return
    this.failedAttempts++
    this.setState(this.sessionId === 0n ? 'connecting' : 'suspended')
    this.pause?.cancel()
    this.pause = this.env.clock.timer(this.pauseMs(), () => this.connect())
  }

  /** The other servers at once; after a whole round in vain a random pause, longer from round to round. */
  private pauseMs(): number {
    if (this.failedAttempts % this.servers.length !== 0) return 0
    const round = this.failedAttempts / this.servers.length
    const longest = Math.min(SHORTEST_PAUSE_MS * 2 ** Math.min(round, 10), LONGEST_PAUSE_MS)
    return longest / 2 + (this.env.random.next() * longest) / 2
  }

  private pump(): void {
    if (this.state !== 'connected' || this.closing !== undefined) return
    while (this.inFlight.length < this.options.maxInFlight && this.inFlightBytes < MOST_BYTES_IN_FLIGHT) {
      const packet = this.queued.shift()
      if (packet === undefined) return
      this.transmit(packet)
    }
  }

  private transmit(packet: Packet): void {
    packet.xid = this.nextXid
    this.nextXid = this.nextXid === LAST_XID ? 1 : this.nextXid + 1
    packet.bytes.writeInt32BE(packet.xid, 4)
    packet.sentAtMs = this.env.clock.monoMs()
    this.inFlight.push(packet)
    this.inFlightBytes += packet.bytes.length
    this.connection?.send(packet.bytes)
  }

  private onReply(frame: Buffer): void {
    const reader = new JuteReader(frame)
    const xid = reader.int()
    const header = { zxid: reader.long('zxid'), err: reader.int() }
    switch (xid) {
      case Xid.notification:
        this.onNotification(reader)
        return
      case Xid.auth:
        if (header.err !== 0) this.finish('authFailed')
        return
      case Xid.setWatches:
        if (header.err !== 0) this.options.logger.error({ errno: header.err }, 'ZooKeeper refuses to restore the watches')
        return
    }
    const packet = this.inFlight[0]
    if (packet === undefined || packet.xid !== xid) {
      throw new MalformedReplyError(`a reply to request ${xid} came, ${packet === undefined ? 'none' : packet.xid} is expected`)
    }
    // Decoded before it is taken, so that a malformed reply fails the request like a lost one.
    const payload = header.err === 0 ? decodeReply(packet.opCode, reader, header.zxid, this.options.chroot) : null
    // The server has begun to end the session. Whether it will be over is for a handshake to say: a leader that goes before this is
    // written leaves it alive (with its ephemeral nodes), and whoever took the session for lost would wait for the next one for ever.
    if (header.err === SESSION_EXPIRED || payload?.results?.some((entry) => entry.type === 'error' && entry.errno === SESSION_EXPIRED)) {
      this.connection?.destroy('the server says that the session has expired')
      return
    }
    this.inFlight.shift()
    this.inFlightBytes -= packet.bytes.length
    this.touch(packet.sentAtMs)
    if (header.zxid > 0) this.lastZxid = Math.max(this.lastZxid, header.zxid)
    packet.callback(header.err === 0 ? null : new Failure(header.err), { header, payload })
    this.pump()
  }

  private onNotification(reader: JuteReader): void {
    const type = reader.int()
    reader.int()
    const path = withoutChroot(this.options.chroot, reader.string())
    this.handler.onWatchEvent(type, path, this.watches.take(type, path))
  }

  /** A reply that no client may read: its request would fail the same way for ever, so it is not merely lost. */
  private onOversized(length: number): void {
    const text = `a reply of ${length} bytes, more than ${this.options.maxReplyBytes}`
    this.options.logger.error({ length }, 'ZooKeeper sends a reply above the limit of a packet')
    const packet = this.inFlight.shift()
    if (packet !== undefined) this.failAll([packet], failure('TOO_LARGE', text))
  }

  private finish(state: 'expired' | 'authFailed' | 'closed'): void {
    if (this.over) return
    this.state = state
    this.pause?.cancel()
    const connection = this.connection
    this.connection = undefined
    connection?.destroy(state)
    const sent = state === 'closed' ? failure('CONNECTION_LOSS', 'the session was closed') : endFailure(state)
    this.failAll(this.takeInFlight(), sent)
    this.failAll(this.takeQueued(), endFailure(state))
    this.watches.clear()
    this.closing?.()
    this.handler.onState(state)
  }

  private takeInFlight(): Packet[] {
    const packets = this.inFlight
    this.inFlight = []
    this.inFlightBytes = 0
    return packets
  }

  private takeQueued(): Packet[] {
    const packets = this.queued.toArray()
    this.queued.clear()
    return packets
  }

  private failAll(packets: Packet[], reason: Failure): void {
    for (const packet of packets) packet.callback(reason, EMPTY_RESPONSE)
  }
}

const EMPTY_RESPONSE: JuteResponse = { header: { err: 0, zxid: 0 }, payload: null }

function packetOf(request: JuteRequest, bytes: Buffer, callback: ReplyCallback): Packet {
  return { bytes, opCode: request.header.type, callback, xid: 0, sentAtMs: 0 }
}

/** A request of the manager itself, inside no chroot. */
function internalPacket(request: JuteRequest, callback: ReplyCallback = () => {}): Packet {
  return packetOf(request, request.toBuffer(), callback)
}

function failure(code: ZooKeeperErrorCode, text?: string): Failure {
  return new Failure(errnoOf(code), text)
}

function endFailure(state: ManagerState): Failure {
  return failure(state === 'expired' ? 'SESSION_EXPIRED' : state === 'authFailed' ? 'AUTH_FAILED' : 'CLOSED')
}
