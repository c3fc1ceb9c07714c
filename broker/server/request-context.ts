import type { Input } from '../../protocol/messages/schema'
import type { RequestTime } from './request-meter'

/** Where an answer goes; a client's connection, or a test. */
export interface AnswerSink {
  /** `releases` run once the bytes left the process, or the connection ended. */
  answer(context: RequestContext, body: unknown, releases: (() => void) | undefined): void
  /** All that the request changes has been changed: the next one may be handled, its answer comes in its place. */
  proceed(context: RequestContext): void
  /** The request was acknowledged by nothing (Produce with acks=0). */
  noAnswer(context: RequestContext): void
  /** Takes no further request for so long (KIP-219: the answer leaves at once, the client waits). */
  throttle(ms: number): void
  close(reason: string): void
  /** Calls back if the connection ends before this request, which has no answer yet, gets one. */
  whenAbandoned(context: RequestContext, callback: () => void): void
  readonly isClosed: boolean
}

export interface RequestOrigin {
  listenerName: string
  /** The listener named by control.plane.listener.name. */
  isControlPlane: boolean
  /** True where control.plane.listener.name is set: then control requests are believed on that listener alone. */
  hasControlPlane: boolean
  clientHost: string
}

/**
 * One request under way. Exactly one of `respond`, `noResponse` and `close` ends it; whatever comes later is ignored, so that a
 * late completion harms nothing.
 *
 * `body` and what it aliases is valid only until the handler returns (for an async handler: until its first await), except for
 * strings and numbers.
 */
export class RequestContext<Request = unknown, Response = unknown> {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  /** Null is "", as in Kafka. */
  readonly clientId: string
  readonly body: Request
  readonly origin: RequestOrigin
  /** Bytes of the frame, the size field excluded. */
  readonly sizeBytes: number
  /** Measured while there are quotas of time, for requests that count. */
  time: RequestTime | undefined
  private throttledMs = 0
  private sink: AnswerSink | undefined

  constructor(
    header: { apiKey: number; apiVersion: number; correlationId: number; clientId: string },
    body: Request,
    sizeBytes: number,
    origin: RequestOrigin,
    sink: AnswerSink,
  ) {
    this.apiKey = header.apiKey
    this.apiVersion = header.apiVersion
    this.correlationId = header.correlationId
    this.clientId = header.clientId
    this.body = body
    this.sizeBytes = sizeBytes
    this.origin = origin
    this.sink = sink
  }

  get listenerName(): string {
    return this.origin.listenerName
  }

  get clientHost(): string {
    return this.origin.clientHost
  }

  /** False once it was answered, or its connection ended. */
  get isOpen(): boolean {
    return this.sink !== undefined && !this.sink.isClosed
  }

  /**
   * What this request does is done, in its order; only its answer is outstanding. The connection goes on with the next
   * request and keeps the answers in order. So the produce requests that a client has in flight share one write to the log.
   */
  proceed(): void {
    this.sink?.proceed(this)
  }

  /** The client has used more than its share: it is held back for so long after the answer, which says so. */
  throttle(ms: number): void {
    this.throttledMs = Math.max(this.throttledMs, ms)
  }

  get isThrottled(): boolean {
    return this.throttledMs > 0
  }

  /** For a request that has no answer yet: calls back if the connection ends before it gets one. Nobody waits for it then. */
  whenAbandoned(callback: () => void): void {
    this.sink?.whenAbandoned(this, callback)
  }

  /** Counts the time that the request took. For how long its client is to be held back for it, in milliseconds. */
  timeThrottleMs(): number {
    return this.time === undefined ? 0 : this.time.throttleMs()
  }

  /** Answers. `release` is called once when the bytes that the body refers to are no longer needed, also if nobody gets them. */
  respond(body: Input<Response>, release?: () => void): void {
    const sink = this.sink
    this.sink = undefined
    if (sink === undefined || sink.isClosed) {
      release?.()
      sink?.noAnswer(this)
      return
    }
    const { time } = this
    if (time === undefined && this.throttledMs === 0) {
      sink.answer(this, body, release)
      return
    }
    this.throttle(this.timeThrottleMs())
    if (this.isThrottled) sink.throttle(this.throttledMs)
    const answer = this.isThrottled ? { ...body, throttleTimeMs: this.throttledMs } : body
    if (time === undefined) sink.answer(this, answer, release)
    else time.answering(() => sink.answer(this, answer, release))
  }

  /** Ends the request without an answer: the client expects none. */
  noResponse(): void {
    const sink = this.sink
    this.sink = undefined
    if (this.isThrottled) sink?.throttle(this.throttledMs)
    sink?.noAnswer(this)
  }

  /** Ends the connection: what Kafka does where no answer can be given. */
  close(reason: string): void {
    const sink = this.sink
    this.sink = undefined
    sink?.close(reason)
  }
}

/** Handles one kind of request. A rejected promise or a throw closes the connection (an InvariantError ends the process). */
export type Handler<Request = unknown, Response = unknown> = (context: RequestContext<Request, Response>) => void | Promise<void>

/** The requests that this broker serves, by api key; what is here is what ApiVersions advertises. */
export type HandlerTable = ReadonlyMap<number, Handler>
