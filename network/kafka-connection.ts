import Denque from 'denque'
import { ApiKey, apiByKey, apis } from '../protocol/messages/apis'
import { DecodeError } from '../protocol/messages/codec'
import { correlationIdOf, decodeResponseBody, encodeRequestFrame } from '../protocol/messages/frames'
import { silentLogger } from '../runtime/log'
import { FrameReader } from './frame-reader'
import { answerVersion, apiVersionsRequest, negotiateVersions } from './handshake'
import { NetworkError } from './network-error'
import { SlabPool } from './slab-pool'
import type { Api } from '../protocol/messages/apis'
import type { Input } from '../protocol/messages/codec'
import type { ApiVersionsResponse } from '../protocol/messages/api-versions'
import type { Logger } from '../runtime/log'
import type { Environment, Stream, Timer } from '../runtime/ports'
import type { VersionRange } from './handshake'
import type { NetworkErrorCode } from './network-error'

export { NetworkError } from './network-error'

export interface KafkaConnectionOptions {
  host: string
  port: number
  clientId: string
  /** Until an answer must be there, counted from `send`. The connection is closed when one is late. */
  requestTimeoutMs: number
  connectTimeoutMs?: number
  /** Requests sent and not answered; more wait here. */
  maxInFlight?: number
  /** Requests that wait for their turn; more are refused. */
  maxWaiting?: number
  /** What the node speaks; then ApiVersions is not asked. */
  versions?: ReadonlyMap<number, VersionRange>
  maxFrameBytes?: number
  pool?: SlabPool
  logger?: Logger
}

export interface SendOptions<Res = unknown, Taken = Res> {
  version?: number
  timeoutMs?: number
  /**
   * Called as soon as the answer is there; `send` resolves with what it returns. Records in the answer are valid only until it
   * returns, since their memory is used again: so an answer of 1 MiB costs no fresh memory.
   */
  take?: (response: Res) => Taken
}

interface Pending {
  readonly api: Api
  readonly version: number
  readonly body: Input<unknown>
  deadlineMs: number
  readonly expectsAnswer: boolean
  readonly take: ((response: unknown) => unknown) | undefined
  correlationId: number
  resolve(response: unknown): void
  reject(error: Error): void
}

const maxCorrelationId = 0x7fffffff

/**
 * The client's side of one connection to a node: requests out, answers in the same order. Every `send` settles exactly once,
 * with the answer or with a NetworkError. The connection is used once: after it closed, make another.
 */
export class KafkaConnection {
  /** Called once, when the connection is over; not called if it never came up. */
  onClose: ((error: NetworkError) => void) | undefined
  private readonly env: Environment
  private readonly options: KafkaConnectionOptions
  private readonly logger: Logger
  private readonly reader: FrameReader
  private readonly maxInFlight: number
  private readonly maxWaiting: number
  private readonly inFlight = new Denque<Pending>()
  private readonly waiting = new Denque<Pending>()
  private state: 'new' | 'connecting' | 'handshake' | 'ready' | 'closed' = 'new'
  private stream: Stream | undefined
  private versions: ReadonlyMap<number, VersionRange>
  private nextCorrelationId = 0
  private blocked = false
  private out: Uint8Array[] = []
  private flushPlanned = false
  private timer: Timer | undefined
  private timerMs = Infinity
  /** Until when the node holds us back. */
  private throttledUntilMs = 0
  private settleConnect: ((error: NetworkError | undefined) => void) | undefined

  constructor(env: Environment, options: KafkaConnectionOptions) {
    this.env = env
    this.options = options
    this.logger = options.logger ?? silentLogger
    this.maxInFlight = options.maxInFlight ?? 100
    this.maxWaiting = options.maxWaiting ?? 10_000
    this.versions = options.versions ?? new Map()
    const maxFrameBytes = options.maxFrameBytes ?? 0x7fffffff
    this.reader = new FrameReader({
      maxFrameBytes,
      pool: options.pool ?? new SlabPool(maxFrameBytes * 2, 4 * 1024 * 1024),
      onFrame: (frame) => this.onFrame(frame),
      onBad: (reason) => this.fail('DISCONNECTED', reason),
      mayBorrow: () => this.inFlight.peekFront()?.take !== undefined,
      privileged: true,
    })
  }

  get closed(): boolean {
    return this.state === 'closed'
  }

  /** 'host:port', for messages. */
  get address(): string {
    return `${this.options.host}:${this.options.port}`
  }

  /** Requests that were sent or wait, and are not answered. */
  get outstanding(): number {
    return this.inFlight.length + this.waiting.length
  }

  /** What the node speaks, by API key. */
  get supportedVersions(): ReadonlyMap<number, VersionRange> {
    return this.versions
  }

  /**
   * Connects and asks for the node's versions (unless they were given). Rejects with CONNECT if the node cannot be reached
   * in time, with UNSUPPORTED_VERSION if it does not even speak ApiVersions, else with what ended the handshake.
   */
  connect(): Promise<void> {
    if (this.state !== 'new') return Promise.reject(new NetworkError('CONNECT', `${this.address}: already used`))
    this.state = 'connecting'
    const { host, port, connectTimeoutMs = 10_000 } = this.options
    const connected = new Promise<void>((resolve, reject) => {
      const timer = this.env.clock.timer(connectTimeoutMs, () =>
        this.fail('CONNECT', `no connection within ${connectTimeoutMs} ms`),
      )
      this.settleConnect = (error) => {
        this.settleConnect = undefined
        timer.cancel()
        if (error) reject(error)
        else resolve()
      }
    })
    this.stream = this.env.net.connect(host, port, {
      onConnect: () => {
        if (this.state !== 'connecting') return
        this.state = this.options.versions ? 'ready' : 'handshake'
        this.settleConnect?.(undefined)
      },
      onData: (chunk) => this.reader.onData(chunk),
      receiveBuffer: () => this.reader.receiveBuffer(),
      onDrain: () => {
        this.blocked = false
        this.pump()
      },
      onClose: (error) => {
        const code = this.state === 'connecting' ? 'CONNECT' : 'DISCONNECTED'
        this.fail(code, error ? error.message : 'closed by the node', error)
      },
    })
    return connected.then(() => (this.options.versions ? undefined : this.handshake()))
  }

  /** The highest version of an API that both sides speak. Throws UNSUPPORTED_VERSION if there is none. */
  versionOf(apiKey: number): number {
    const api = apiByKey(apiKey)
    const range = this.versions.get(apiKey)
    const version = api && range ? Math.min(api.maxVersion, range.max) : -1
    if (!api || !range || version < api.minVersion || version < range.min) {
      throw new NetworkError('UNSUPPORTED_VERSION', `${this.address} does not speak ${api?.name ?? `API ${apiKey}`} as we do`)
    }
    return version
  }

  /** Whether both sides speak an API at all. */
  supports(apiKey: number): boolean {
    const api = apiByKey(apiKey)
    const range = this.versions.get(apiKey)
    return api !== undefined && range !== undefined && range.min <= api.maxVersion && range.max >= api.minVersion
  }

  /**
   * Sends a request and resolves with its answer; a Produce with acks=0 has none and resolves with undefined once it is handed
   * to the stream. Rejects with NetworkError, or with EncodeError for a body that the version cannot hold.
   */
  send<Req = unknown, Res = unknown, Taken = Res>(
    apiKey: number | Api<Req, Res>,
    body: Input<Req>,
    options: SendOptions<Res, Taken> = {},
  ): Promise<Taken> {
    const key = typeof apiKey === 'number' ? apiKey : apiKey.key
    return new Promise<Taken>((resolve, reject) => {
      if (this.state !== 'ready') {
        throw new NetworkError(this.state === 'closed' ? 'DISCONNECTED' : 'CONNECT', `${this.address} is not connected`)
      }
      const api = apiByKey(key)
      if (!api) throw new NetworkError('UNSUPPORTED_VERSION', `no API ${key}`)
      const version = options.version ?? this.versionOf(key)
      const startMs = Math.max(this.env.clock.monoMs(), this.throttledUntilMs)
      this.enqueue({
        api,
        version,
        body: body as Input<unknown>,
        deadlineMs: startMs + (options.timeoutMs ?? this.options.requestTimeoutMs),
        expectsAnswer: key !== ApiKey.produce || (body as { acks?: number }).acks !== 0,
        take: options.take as ((response: unknown) => unknown) | undefined,
        correlationId: -1,
        resolve: resolve as (response: unknown) => void,
        reject,
      })
    })
  }

  /** Closes the connection; what has no answer yet is rejected with DISCONNECTED. Requests with acks=0 are still sent. */
  close(): void {
    const idle = this.state === 'ready' && this.inFlight.length === 0
    if (idle) {
      this.flush()
      this.stream?.end()
    }
    this.fail('DISCONNECTED', 'closed by us', undefined, idle)
  }

  private async handshake(): Promise<void> {
    try {
      this.versions = await negotiateVersions((version) => this.askVersions(version), this.address)
    } catch (error) {
      this.fail('DISCONNECTED', 'handshake failed', error)
      throw error
    }
    // The connection may have ended between the answer and this continuation.
    if (this.closed) throw new NetworkError('DISCONNECTED', `${this.address} closed the connection`)
    this.state = 'ready'
  }

  private askVersions(version: number): Promise<ApiVersionsResponse> {
    return new Promise((resolve, reject) => {
      this.enqueue({
        api: apis.apiVersions,
        version,
        body: apiVersionsRequest(version),
        deadlineMs: this.env.clock.monoMs() + this.options.requestTimeoutMs,
        expectsAnswer: true,
        take: undefined,
        correlationId: -1,
        resolve: resolve as (response: unknown) => void,
        reject,
      })
    })
  }

  private enqueue(pending: Pending): void {
    if (this.closed) throw new NetworkError('DISCONNECTED', `${this.address} is closed`)
    if (this.waiting.length >= this.maxWaiting) {
      throw new NetworkError('TIMEOUT', `${this.address}: ${this.waiting.length} requests are waiting already`)
    }
    this.waiting.push(pending)
    this.watch(pending.deadlineMs)
    this.pump()
  }

  private pump(): void {
    while (!this.blocked && !this.closed && this.waiting.length > 0 && this.inFlight.length < this.maxInFlight) {
      this.transmit(this.waiting.shift() as Pending)
    }
  }

  private transmit(pending: Pending): void {
    const { api, version } = pending
    pending.correlationId = this.nextCorrelationId
    let parts: Uint8Array[]
    try {
      parts = encodeRequestFrame(api, version, pending.correlationId, this.options.clientId, pending.body)
    } catch (error) {
      pending.reject(error as Error)
      return
    }
    this.nextCorrelationId = this.nextCorrelationId === maxCorrelationId ? 0 : this.nextCorrelationId + 1
    if (pending.expectsAnswer) this.inFlight.push(pending)
    if (this.flushPlanned) {
      for (const part of parts) this.out.push(part)
    } else {
      this.blocked = !(this.stream as Stream).writev(parts)
      this.flushPlanned = true
      this.env.clock.immediate(this.flush)
    }
    if (!pending.expectsAnswer) pending.resolve(undefined)
  }

  /** The first request of a turn of the event loop is written at once; this writes those that came after it together. */
  private readonly flush = (): void => {
    this.flushPlanned = false
    const parts = this.out
    if (this.closed || parts.length === 0) return
    this.out = []
    this.blocked = !(this.stream as Stream).writev(parts)
  }

  private onFrame(frame: Buffer): void {
    const pending = this.inFlight.peekFront()
    let response: unknown
    try {
      const correlationId = correlationIdOf(frame)
      if (pending?.correlationId !== correlationId) {
        this.fail('DISCONNECTED', `answer ${correlationId} where ${pending?.correlationId ?? 'none'} was expected`)
        return
      }
      response = decodeResponseBody(pending.api, answerVersion(pending.api, pending.version, frame), frame)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.fail('DISCONNECTED', `unreadable answer: ${error.message}`, error)
      return
    }
    this.inFlight.shift()
    const { throttleTimeMs = 0 } = response as { throttleTimeMs?: number }
    if (throttleTimeMs > 0) this.waitLonger(throttleTimeMs)
    try {
      pending.resolve(pending.take ? pending.take(response) : response)
    } catch (error) {
      pending.reject(error as Error)
    }
    this.pump()
  }

  /** A quota: the node takes nothing more for so long (KIP-219), and whatever waits for it has so much more time. */
  private waitLonger(ms: number): void {
    this.throttledUntilMs = this.env.clock.monoMs() + ms
    for (const queue of [this.inFlight, this.waiting]) {
      for (let i = 0; i < queue.length; i++) queue.peekAt(i)!.deadlineMs += ms
    }
  }

  private watch(deadlineMs: number): void {
    if (deadlineMs >= this.timerMs) return
    this.timer?.cancel()
    this.timerMs = deadlineMs
    this.timer = this.env.clock.timer(Math.max(0, deadlineMs - this.env.clock.monoMs()), this.onTimer)
  }

  private readonly onTimer = (): void => {
    this.timer = undefined
    this.timerMs = Infinity
    if (this.closed) return
    const now = this.env.clock.monoMs()
    let next = Infinity
    for (let i = 0; i < this.inFlight.length; i++) {
      const pending = this.inFlight.peekAt(i) as Pending
      if (pending.deadlineMs <= now) {
        // Answers come in order, so everything behind a late one is late too: start over with a new connection, as Kafka's
        // clients do.
        this.fail('TIMEOUT', `no answer to ${pending.api.name} in time`)
        return
      }
      next = Math.min(next, pending.deadlineMs)
    }
    for (let i = 0; i < this.waiting.length;) {
      const pending = this.waiting.peekAt(i) as Pending
      if (pending.deadlineMs <= now) {
        this.waiting.removeOne(i)
        pending.reject(new NetworkError('TIMEOUT', `${this.address}: ${pending.api.name} was not sent in time`))
      } else {
        next = Math.min(next, pending.deadlineMs)
        i++
      }
    }
    if (next < Infinity) this.watch(next)
  }

  /** Ends the connection. With TIMEOUT only the requests that are late get that code; the others were cut off by it. */
  private fail(code: NetworkErrorCode, reason: string, cause?: unknown, ended = false): void {
    if (this.closed) return
    const wasReady = this.state === 'ready'
    this.state = 'closed'
    const error = new NetworkError(code, `${this.address}: ${reason}`, cause)
    this.timer?.cancel()
    this.reader.close()
    if (!ended) this.stream?.destroy()
    const lost: Pending[] = [...this.inFlight.toArray(), ...this.waiting.toArray()]
    this.inFlight.clear()
    this.waiting.clear()
    this.logger.debug({ address: this.address, reason, lost: lost.length }, 'connection closed')
    const now = this.env.clock.monoMs()
    for (const pending of lost) {
      const cutOff = code === 'TIMEOUT' && pending.deadlineMs > now
      pending.reject(cutOff ? new NetworkError('DISCONNECTED', error.message, cause) : error)
    }
    this.settleConnect?.(error)
    if (wasReady) this.onClose?.(error)
  }
}
