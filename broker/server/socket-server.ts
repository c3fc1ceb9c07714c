import { SlabPool } from '../../network/slab-pool'
import { Admission } from './admission'
import { Connection } from './connection'
import { ConnectionLimits } from './connection-limits'
import type { Environment, Listener, Stream, StreamHandler, Timer } from '../../runtime/ports'
import type { Logger } from '../../runtime/log'
import type { Turn } from '../../runtime/turn'
import type { ConnectionThrottle } from './admission'
import type { ConnectionHooks } from './connection'
import type { ConnectionMaxima } from './connection-limits'
import type { RequestOrigin } from './request-context'
import type { RequestPipeline } from './request-pipeline'

export interface ListenerOptions {
  name: string
  host: string
  /** 0: any free port. */
  port: number
  isControlPlane: boolean
  /** Connections of other listeners make room for this one's (the inter-broker and the control plane listener). */
  isProtected: boolean
}

export interface SocketServerOptions extends ConnectionMaxima {
  listeners: ListenerOptions[]
  maxFrameBytes: number
  /** For frames that are being received, over all connections. */
  receiveBudgetBytes: number
  /** For answers that clients do not read, over all connections. */
  unreadBudgetBytes: number
  /** 0 or less: never. */
  maxIdleMs: number
  connectionThrottle: ConnectionThrottle
  logger: Logger
}

/** A client that has taken nothing for so long does not read. */
const SLOW_AFTER_MS = 1000

/** The listeners and connections of a broker. Bound first, so that ports are known; requests are served from `start` on. */
export class SocketServer {
  private readonly env: Environment
  private readonly turn: Turn
  private options: SocketServerOptions
  private readonly logger: Logger
  private readonly pool: SlabPool
  private readonly limits: ConnectionLimits
  private readonly admission: Admission
  private readonly connections = new Set<Connection>()
  private listeners: { options: ListenerOptions; listener: Listener }[] = []
  private pipeline: RequestPipeline | undefined
  private unreadBytes = 0
  private idleTimer: Timer | undefined
  private isClosed = false
  private readonly hooks: ConnectionHooks

  constructor(env: Environment, turn: Turn, options: SocketServerOptions) {
    this.env = env
    this.turn = turn
    this.options = options
    this.logger = options.logger
    this.pool = new SlabPool(options.receiveBudgetBytes)
    this.limits = new ConnectionLimits(options)
    this.admission = new Admission(env.clock, options.connectionThrottle, (connection) => {
      if (this.pipeline !== undefined) connection.resume()
    })
    this.hooks = {
      onRequest: (connection, frame) => this.pipeline!.accept(connection, frame),
      onClosed: (connection, reason) => this.onClosed(connection, reason),
      onUnencodable: (context, error) =>
        this.logger.error({ apiKey: context.apiKey, version: context.apiVersion, err: error }, 'an answer could not be encoded'),
      onUnreadBytes: (difference) => this.onUnreadBytes(difference),
      nowMs: () => env.clock.monoMs(),
      timer: (delayMs, callback) => env.clock.timer(delayMs, callback),
    }
  }

  /** Opens every listener, or none. Rejects with Node's error (EADDRINUSE ...), its `listener` saying which. */
  async bind(): Promise<void> {
    for (const options of this.options.listeners) {
      try {
        await this.open(options)
      } catch (error) {
        this.closeListeners()
        throw error
      }
    }
  }

  private async open(options: ListenerOptions): Promise<void> {
    try {
      const listener = await this.env.net.listen(options.host, options.port, (stream) => this.accept(stream, options))
      this.listeners.push({ options, listener })
    } catch (error) {
      throw Object.assign(error as Error, { listener: options.name, host: options.host, port: options.port })
    }
  }

  /**
   * Opens listeners that are new and closes those that are not wanted any more, with their connections; by their names. Rejects
   * with Node's error when one cannot be opened; the others are.
   */
  async reconfigureListeners(wanted: ListenerOptions[]): Promise<void> {
    if (this.isClosed) return
    const names = new Set(wanted.map(({ name }) => name))
    const gone = this.listeners.filter(({ options }) => !names.has(options.name))
    this.listeners = this.listeners.filter((each) => !gone.includes(each))
    this.options = { ...this.options, listeners: wanted }
    for (const { options, listener } of gone) {
      listener.close()
      for (const connection of [...this.connections]) {
        if (connection.origin.listenerName === options.name) connection.close('its listener was removed')
      }
    }
    const bound = new Set(this.listeners.map(({ options }) => options.name))
    const results = await Promise.allSettled(wanted.filter(({ name }) => !bound.has(name)).map((options) => this.open(options)))
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  /** The port that a listener really has. */
  portOf(listenerName: string): number {
    const bound = this.listeners.find(({ options }) => options.name === listenerName)
    if (bound === undefined) throw new Error(`no listener ${listenerName}`)
    return bound.listener.port
  }

  /** Other limits for connections to come; those that are there stay. */
  reconfigureLimits(maxima: ConnectionMaxima): void {
    this.limits.reconfigure(maxima)
  }

  get connectionCount(): number {
    return this.connections.size
  }

  start(pipeline: RequestPipeline): void {
    this.pipeline = pipeline
    for (const connection of this.connections) if (!this.admission.holds(connection)) connection.resume()
    this.armIdleTimer()
  }

  /** No new connections and no new requests; answers that are still to come go out. Who waits for none is sent away. */
  stopAccepting(): void {
    this.closeListeners()
    for (const connection of [...this.connections]) connection.stopReading()
  }

  close(): void {
    this.isClosed = true
    this.closeListeners()
    this.idleTimer?.cancel()
    for (const connection of [...this.connections]) connection.close('the broker stops')
  }

  private closeListeners(): void {
    for (const { listener } of this.listeners) listener.close()
    this.listeners = []
  }

  private accept(stream: Stream, listener: ListenerOptions): StreamHandler | undefined {
    if (this.isClosed) return undefined
    const host = stream.remoteAddress
    const isListenerFull = this.limits.isListenerFull(listener.name)
    if (isListenerFull || !this.limits.allows(host)) {
      // A broker must be able to reach a broker: the longest idle client gives way.
      if (!listener.isProtected || isListenerFull || this.limits.isIpFull(host)) {
        this.logger.warn(
          { client: host, listener: listener.name, connections: this.connections.size },
          'connection refused: too many',
        )
        return undefined
      }
      this.longestIdle()?.close('made room for a broker')
    }
    this.limits.add(host, listener.name)
    const origin: RequestOrigin = {
      listenerName: listener.name,
      isControlPlane: listener.isControlPlane,
      hasControlPlane: this.options.listeners.some((each) => each.isControlPlane),
      clientHost: host,
    }
    const connection = new Connection(stream, origin, {
      turn: this.turn,
      pool: this.pool,
      maxFrameBytes: this.options.maxFrameBytes,
      isPrivileged: listener.isProtected,
      hooks: this.hooks,
    })
    this.connections.add(connection)
    if (!this.admission.admits(connection, listener) || this.pipeline === undefined) connection.pause()
    return connection
  }

  private isProtected(connection: Connection): boolean {
    return this.options.listeners.some(({ name, isProtected }) => isProtected && name === connection.origin.listenerName)
  }

  /** Of other listeners. One that waits for an answer only if all do: consumers nearly always wait for their next records. */
  private longestIdle(): Connection | undefined {
    let found: Connection | undefined
    for (const connection of this.connections) {
      if (this.isProtected(connection) || (found?.isIdle === true && !connection.isIdle)) continue
      const isBetter = found === undefined || (connection.isIdle && !found.isIdle) || connection.lastActiveMs < found.lastActiveMs
      if (isBetter) found = connection
    }
    return found
  }

  private onClosed(connection: Connection, reason: string): void {
    if (!this.connections.delete(connection)) return
    this.admission.forget(connection)
    this.limits.remove(connection.origin.clientHost, connection.origin.listenerName)
    this.logger.debug(
      { client: connection.origin.clientHost, listener: connection.origin.listenerName, reason },
      'connection ended',
    )
  }

  private onUnreadBytes(difference: number): void {
    this.unreadBytes += difference
    if (difference <= 0 || this.unreadBytes <= this.options.unreadBudgetBytes) return
    let slowest: Connection | undefined
    for (const connection of this.connections) {
      if (connection.pendingBytes === 0) continue
      if (slowest === undefined || connection.lastActiveMs < slowest.lastActiveMs) slowest = connection
    }
    // Beyond the budget the slow ones go; far beyond it, whoever is slowest.
    const isSlow = slowest !== undefined && this.env.clock.monoMs() - slowest.lastActiveMs > SLOW_AFTER_MS
    if (slowest === undefined || (!isSlow && this.unreadBytes <= 2 * this.options.unreadBudgetBytes)) return
    this.logger.warn(
      { client: slowest.origin.clientHost, bytes: slowest.pendingBytes },
      'connection closed: it does not read its answers',
    )
    slowest.close('does not read its answers')
  }

  private armIdleTimer(): void {
    const { maxIdleMs } = this.options
    if (maxIdleMs <= 0 || this.isClosed) return
    this.idleTimer = this.env.clock.timer(Math.max(maxIdleMs / 10, 10), () => {
      const before = this.env.clock.monoMs() - maxIdleMs
      // A request under way may take its time; an answer that nobody reads may not. Of one that is throttled nobody hears that
      // its client is gone.
      for (const connection of [...this.connections]) {
        const { isIdle, isThrottled, pendingBytes, lastActiveMs, lastReceivedMs } = connection
        if (Math.max(lastActiveMs, lastReceivedMs) < before && (isIdle || isThrottled || pendingBytes > 0)) connection.close('idle')
      }
      this.armIdleTimer()
    })
  }
}
