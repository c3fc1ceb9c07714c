import type { Logger } from '../../runtime/log'
import { silentLogger } from '../../runtime/log'
import type { Environment } from '../../runtime/ports'
import { parseConnectString } from './connect-string'
import { ConnectionManager } from './connection-manager'
import type { ManagerState } from './connection-manager'
import { codeOfErrno, isZooKeeperError, MultiError, ZooKeeperError } from './errors'
import type { ZooKeeperErrorCode } from './errors'
import {
  addWatchRequest,
  ClientState,
  clientOver,
  createRequest,
  getAclRequest,
  multiRequest,
  setAclRequest,
  setDataRequest,
  syncRequest,
} from './package'
import type { Client, CreateOptions, Failure, JuteRequest, JuteResponse, Op } from './package'
import { connectionTimeoutOf, DEFAULT_MAX_IN_FLIGHT, managerOptions } from './session-options'
import type { SessionOptions } from './session-options'
import type { AuthInfo, Credentials } from './packets'
import { parentOf, pathFault } from './paths'
import type { Acl, OpResult, Stat } from './replies'
import { WatchDispatcher } from './watch-dispatcher'
import type { NodeEvent, PersistentEvent } from './watch-dispatcher'
import type { ArmedWatch, WatchKind } from './watches'

export type { Acl, AuthInfo, CreateOptions, Credentials, NodeEvent, Op, OpResult, PersistentEvent, SessionOptions, Stat }

export type SessionState = 'connecting' | 'connected' | 'suspended' | 'expired' | 'closed'

export interface NodeData {
  data: Buffer | null
  stat: Stat
}

export interface Children {
  names: string[]
  stat: Stat
}

/**
 * Opens a session, or resumes the one of `credentials`. Rejects with CONNECTION_TIMEOUT when no server answers in time, with
 * SESSION_EXPIRED when the session to resume is gone, with AUTH_FAILED, and with an Error on a connect string that makes no sense.
 */
export async function openSession(env: Environment, options: SessionOptions): Promise<ZooKeeperSession> {
  const session = new ZooKeeperSession(env, options)
  const timeoutMs = connectionTimeoutOf(options)
  return await new Promise((resolve, reject) => {
    const fail = (code: ZooKeeperErrorCode, text?: string): void => {
      timer.cancel()
      off()
      session.abandon()
      reject(new ZooKeeperError(code, 'connect', options.connect, text === undefined ? {} : { text }))
    }
    const timer = env.clock.timer(timeoutMs, () => fail('CONNECTION_TIMEOUT', `no server answered within ${timeoutMs} ms`))
    const off = session.onState((state) => {
      if (state === 'expired') fail('SESSION_EXPIRED')
      else if (state === 'closed') fail(session.authFailed ? 'AUTH_FAILED' : 'CLOSED')
      else if (state === 'connected') {
        timer.cancel()
        off()
        resolve(session)
      }
    })
    session.start()
  })
}

/**
 * One session with ZooKeeper, from its first connection to its expiry or close; after that the object is dead, and the next
 * session is another object (keeper.ts).
 *
 * Reads are repeated when the connection is lost. Writes never: they fail with CONNECTION_LOSS, which says that they may have
 * happened, and the caller reads back. Conditions on versions are always sent as given; -1 means any.
 *
 * Watches are one-shot. A read with `watch` arms one; when it fires, the handlers registered for the path are called, and reading
 * again with `watch` arms the next. What happens between is seen by that read.
 */
export class ZooKeeperSession {
  readonly connect: string
  readonly chroot: string
  private readonly env: Environment
  private readonly manager: ConnectionManager
  private readonly client: Client
  private readonly dispatcher: WatchDispatcher
  private readonly logger: Logger
  private readonly maxInFlight: number
  private readonly stateListeners = new Set<(state: SessionState) => void>()
  private readonly eventListeners: ((type: number, path: string) => void)[] = []

  constructor(env: Environment, options: SessionOptions) {
    const { chroot } = parseConnectString(options.connect)
    this.env = env
    this.connect = options.connect
    this.chroot = chroot
    this.logger = options.logger ?? silentLogger
    this.maxInFlight = options.maxInFlight ?? DEFAULT_MAX_IN_FLIGHT
    this.dispatcher = new WatchDispatcher(this.logger)
    this.manager = new ConnectionManager(env, managerOptions(options), {
      onState: (state) => this.onManagerState(state),
      onWatchEvent: (type, path, match) => {
        this.dispatcher.dispatch(type, path, match)
        for (const listener of this.eventListeners) listener(type, path)
      },
    })
    this.client = clientOver(this.manager, this.manager.timeoutMs)
  }

  /** Called by `openSession`. */
  start(): void {
    this.client.connect()
  }

  get state(): SessionState {
    return sessionState(this.manager.state)
  }

  get authFailed(): boolean {
    return this.manager.state === 'authFailed'
  }

  /** 0n before the first connection. */
  get id(): bigint {
    return this.manager.sessionId
  }

  get password(): Buffer {
    return Buffer.from(this.manager.password)
  }

  /** What the server granted. */
  get timeoutMs(): number {
    return this.manager.timeoutMs
  }

  get pending(): { inFlight: number; queued: number } {
    return this.manager.pending
  }

  /**
   * True as long as the server cannot have expired the session, by the monotonic clock: it answered something that was sent less
   * than the session's time-out (minus a margin for what is done next; a sixth by default) ago. To be asked in front of each
   * effect, since after a pause of the process no timer need have run.
   */
  mayAct(marginMs: number = this.timeoutMs / 6): boolean {
    if (!this.manager.isAlive) return false
    return this.env.clock.monoMs() - this.manager.lastContactMs < this.timeoutMs - marginMs
  }

  /** Returns what takes the listener away again. */
  onState(listener: (state: SessionState) => void): () => void {
    this.stateListeners.add(listener)
    return () => this.stateListeners.delete(listener)
  }

  /** Called when a watch of the node, armed by `get` or `exists`, fires. Returns what takes the handler away again. */
  onNodeChanged(path: string, handler: (event: NodeEvent) => void): () => void {
    return this.dispatcher.onNode(path, handler)
  }

  /** Called when a watch of the children, armed by `children`, fires; also when the node itself is deleted. */
  onChildrenChanged(path: string, handler: () => void): () => void {
    return this.dispatcher.onChildren(path, handler)
  }

  /** `path` of the answer has the sequence number, if one was asked for. */
  async create(path: string, data: Buffer | null, options: CreateOptions = {}): Promise<{ path: string; czxid: number }> {
    const response = await this.request('create', path, () => createRequest(path, data, options))
    return { path: response.payload!.path!, czxid: response.header.zxid }
  }

  /** Creates the persistent node and the parents that are missing (with null data). False if it was there; its data stay then. */
  async createRecursive(path: string, data: Buffer | null = null, options: { acl?: readonly Acl[] } = {}): Promise<boolean> {
    for (;;) {
      try {
        await this.create(path, data, options)
        return true
      } catch (error) {
        if (isZooKeeperError(error, 'NODE_EXISTS')) return false
        if (isZooKeeperError(error, 'CONNECTION_LOSS') && this.state !== 'closed') continue
        if (!isZooKeeperError(error, 'NO_NODE') || parentOf(path) === '/') throw error
        await this.createRecursive(parentOf(path), null, options)
      }
    }
  }

  /** undefined: no such node, and no watch either; to wait for one, use `exists`. */
  get(path: string, watch = false): Promise<NodeData | undefined> {
    return this.read('get', path, (done) => {
      this.client.getData(path, watch ? ARM : undefined, (error, data, stat) => done(error, () => ({ data, stat })))
    })
  }

  /** A watch that is armed on a missing node fires when it is created. */
  exists(path: string, watch = false): Promise<Stat | undefined> {
    return this.read('exists', path, (done) => {
      this.client.exists(path, watch ? ARM : undefined, (error, stat) => done(error, () => stat ?? undefined))
    })
  }

  /** Names in no order. undefined: no such node, and no watch either. */
  children(path: string, watch = false): Promise<Children | undefined> {
    return this.read('children', path, (done) => {
      this.client.getChildren(path, watch ? ARM : undefined, (error, names, stat) => done(error, () => ({ names, stat })))
    })
  }

  /** Reads many nodes, with at most the window's requests on the way; in the order of `paths`. */
  async getMany(paths: readonly string[], watch = false): Promise<(NodeData | undefined)[]> {
    const results: (NodeData | undefined)[] = new Array(paths.length)
    let next = 0
    const worker = async (): Promise<void> => {
      while (next < paths.length) {
        const index = next++
        results[index] = await this.get(paths[index]!, watch)
      }
    }
    await Promise.all(Array.from({ length: Math.min(paths.length, this.maxInFlight) }, worker))
    return results
  }

  async set(path: string, data: Buffer | null, version: number): Promise<Stat> {
    const response = await this.request('set', path, () => setDataRequest(path, data, version))
    return response.payload!.stat!
  }

  async remove(path: string, version: number): Promise<void> {
    await this.call('remove', path, (done) => this.client.remove(path, version, (error) => done(error, () => undefined)))
  }

  async getAcl(path: string): Promise<{ acl: Acl[]; stat: Stat }> {
    const response = await this.request('getAcl', path, () => getAclRequest(path))
    return { acl: response.payload!.acl!, stat: response.payload!.stat! }
  }

  async setAcl(path: string, acl: readonly Acl[], aversion: number): Promise<Stat> {
    const response = await this.request('setAcl', path, () => setAclRequest(path, acl, aversion))
    return response.payload!.stat!
  }

  /** All or nothing. Rejects with a MultiError that names the operation because of which nothing was done. */
  async multi(ops: readonly Op[]): Promise<OpResult[]> {
    for (const op of ops) checkPath('multi', op.path)
    const response = await this.request('multi', ops[0]?.path ?? '/', () => multiRequest(ops))
    const results: OpResult[] = []
    const entries = response.payload!.results!
    for (let index = 0; index < entries.length; index++) {
      const entry = entries[index]!
      if (entry.type !== 'error') results.push(entry)
      else if (entry.errno !== 0) {
        throw new MultiError(codeOfErrno(entry.errno), ops[index]!.type, ops[index]!.path, index, entry.errno)
      }
    }
    return results
  }

  /** Resolves when the server that we talk to has seen every write that was acknowledged before, by any server. */
  async sync(path = '/'): Promise<void> {
    await this.retried(() => this.request('sync', path, () => syncRequest(path)))
  }

  /**
   * A watch that stays (ZooKeeper 3.6): `recursive` tells of the whole subtree, otherwise of the node and its children. What
   * happens while the connection is lost stays untold: `missed` says so after each reconnect. Resolves with what ends it.
   */
  async addPersistentWatch(
    path: string,
    options: { recursive: boolean },
    handler: (event: PersistentEvent) => void,
  ): Promise<() => void> {
    const off = this.dispatcher.onPersistent(path, options.recursive, handler)
    try {
      await this.retried(() => this.request('addWatch', path, () => addWatchRequest(path, options.recursive)))
    } catch (error) {
      off()
      throw error
    }
    this.manager.watches.addPersistent(path, options.recursive)
    return () => {
      off()
      if (!this.dispatcher.hasPersistent(path, options.recursive)) this.manager.watches.removePersistent(path, options.recursive)
    }
  }

  /** Every watch event as the server sent it (WatchEventType), whoever else handles it. */
  onWatchEvent(listener: (type: number, path: string) => void): void {
    this.eventListeners.push(listener)
  }

  /** One request that has no method of its own (rare-requests.ts). Gives the bytes of the answer. */
  async ask(operation: string, path: string, build: () => JuteRequest): Promise<Buffer> {
    const response = await this.request(operation, path, build)
    return response.payload!.body!
  }

  /** Takes away, on our side, the watches that are armed on the path; gives which those were (rare-requests.ts asks the server). */
  forgetWatches(path: string, kind: WatchKind): ArmedWatch[] {
    return this.manager.watches.forget(path, kind)
  }

  addAuth(info: AuthInfo): void {
    this.client.addAuthInfo(info.scheme, info.auth)
  }

  /**
   * Ends the session: its ephemeral nodes go. What was not sent yet fails with CLOSED, what was is still answered. Resolves when
   * the server has confirmed, or when it cannot be asked; with whether the session is known to be over. Never rejects; may be called
   * at any time, also twice.
   */
  close(): Promise<boolean> {
    return this.manager.closeSession()
  }

  /** Drops the connection and leaves the session to its time-out, as a crash does. */
  abandon(): void {
    this.manager.abandon()
  }

  private onManagerState(state: ManagerState): void {
    this.client.onConnectionManagerState(CLIENT_STATES[state])
    if (state === 'connected') this.dispatcher.reconnected()
    for (const listener of [...this.stateListeners]) {
      try {
        listener(sessionState(state))
      } catch (error) {
        this.logger.error({ err: error, state }, 'a listener for the state of the ZooKeeper session failed')
      }
    }
  }

  /** One request that the package's Client does not offer, or not well. */
  private request(operation: string, path: string, build: () => JuteRequest): Promise<JuteResponse> {
    return this.call(operation, path, (done) => this.manager.queue(build(), (error, response) => done(error, () => response)))
  }

  private read<T>(operation: string, path: string, start: (done: Done<T | undefined>) => void): Promise<T | undefined> {
    return this.retried(async () => {
      try {
        return await this.call(operation, path, start)
      } catch (error) {
        if (isZooKeeperError(error, 'NO_NODE')) return undefined
        throw error
      }
    })
  }

  /** Repeats what changes nothing until there is an answer, or no session any more. */
  private async retried<T>(attempt: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await attempt()
      } catch (error) {
        if (!isZooKeeperError(error, 'CONNECTION_LOSS') || this.state === 'closed') throw error
      }
    }
  }

  private call<T>(operation: string, path: string, start: (done: Done<T>) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      checkPath(operation, path)
      start((failure, value) => {
        if (failure === null || failure === undefined) {
          resolve(value())
          return
        }
        const detail = failure.text === undefined ? { errno: failure.errno } : { errno: failure.errno, text: failure.text }
        reject(new ZooKeeperError(codeOfErrno(failure.errno), operation, path, detail))
      })
    })
  }
}

type Done<T> = (failure: Failure | null | undefined, value: () => T) => void

/** The Client wants a function to arm a watch; the events themselves come through the session's one dispatcher. */
const ARM = (): void => {}

const CLIENT_STATES: Record<ManagerState, number> = {
  connecting: ClientState.disconnected,
  connected: ClientState.connected,
  suspended: ClientState.disconnected,
  expired: ClientState.expired,
  authFailed: ClientState.authFailed,
  closed: ClientState.disconnected,
}

function sessionState(state: ManagerState): SessionState {
  return state === 'authFailed' ? 'closed' : state
}

function checkPath(operation: string, path: string): void {
  const fault = pathFault(path)
  if (fault !== undefined) throw new ZooKeeperError('BAD_ARGUMENTS', operation, String(path), { text: fault })
}
