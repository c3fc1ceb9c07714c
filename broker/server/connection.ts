import { FrameReader } from '../../network/frame-reader'
import { encodeResponseFrame } from '../../protocol/messages/frames'
import { apiByKey } from '../../protocol/messages/apis'
import type { SlabPool } from '../../network/slab-pool'
import type { Stream, StreamHandler, Timer } from '../../runtime/ports'
import type { Turn } from '../../runtime/turn'
import type { AnswerSink, RequestContext, RequestOrigin } from './request-context'

/** Requests whose answer is outstanding while later ones are handled. */
const MAX_UNANSWERED = 128
/** While a client has more than this to read, its next request waits. */
const MAX_UNREAD_BYTES = 256 * 1024
/** Smaller parts of answers are written together: each costs some hundred bytes as long as it is not read. */
const SMALL_PART_BYTES = 2048

export interface ConnectionHooks {
  /** A complete request. It must end in exactly one call of `answer`, `noAnswer` or `close`. */
  onRequest(connection: Connection, frame: Buffer): void
  onClosed(connection: Connection, reason: string): void
  /** An answer that does not fit its schema: a mistake of ours. */
  onUnencodable(context: RequestContext, error: Error): void
  /** Bytes of answers that wait in this process; the difference to what was reported before. */
  onUnreadBytes(difference: number): void
  nowMs(): number
  timer(delayMs: number, callback: () => void): Timer
}

/** A request that let the next one proceed, or came after such a one. */
interface Unanswered {
  context: RequestContext
  /** Undefined until its answer is there. */
  parts: Uint8Array[] | undefined
  release: (() => void) | undefined
}

/**
 * One client: frames in, answers out, both in order. One request is handled at a time; what came behind it waits uncut in the
 * frame reader, and reading stops (Kafka mutes the channel). A request that has done its work and only waits for its answer
 * lets the next one proceed. Answers of one turn of the event loop leave in one write.
 */
export class Connection implements StreamHandler, AnswerSink {
  readonly origin: RequestOrigin
  /** When the last request came or the last answer left, monotonic ms. */
  lastActiveMs: number
  /** When bytes came, monotonic ms: a large request may take longer than a connection may be idle. */
  lastReceivedMs = 0
  /** What ApiVersions told of the client. */
  clientSoftware = ''
  private readonly stream: Stream
  private readonly turn: Turn
  private readonly hooks: ConnectionHooks
  private readonly reader: FrameReader
  private isBusy = false
  /** In the order of the requests; the first one has no answer yet. */
  private readonly unanswered: Unanswered[] = []
  /** Bytes of answers that wait for those before them. */
  private heldBytes = 0
  private isDispatching = false
  private isTaking = false
  private isTakeScheduled = false
  private isPaused = false
  private isStopped = false
  private closed = false
  /** While the client is held back. */
  private throttled: { untilMs: number; timer: Timer } | undefined
  private out: Uint8Array[] = []
  private outBytes = 0
  private outReleases: (() => void)[] = []
  private flushScheduled = false
  /** Bytes handed to the stream whose write has not been confirmed. */
  private unreadBytes = 0
  private readonly releasesOfUnread = new Set<() => void>()
  /** What to do when the connection ends before these are answered. */
  private readonly abandoned = new Map<RequestContext, () => void>()

  constructor(
    stream: Stream,
    origin: RequestOrigin,
    options: { turn: Turn; pool: SlabPool; maxFrameBytes: number; isPrivileged: boolean; hooks: ConnectionHooks },
  ) {
    this.stream = stream
    this.origin = origin
    this.turn = options.turn
    this.hooks = options.hooks
    this.lastActiveMs = options.hooks.nowMs()
    this.reader = new FrameReader({
      maxFrameBytes: options.maxFrameBytes,
      pool: options.pool,
      onFrame: (frame) => this.dispatch(frame),
      onBad: (reason) => this.close(reason),
      // Handlers take what they need of a request before they return.
      mayBorrow: () => true,
      mayDeliver: () => this.mayTake(),
      privileged: options.isPrivileged,
    })
  }

  get isClosed(): boolean {
    return this.closed
  }

  /** No request is being handled, every answer has left, and the client is not held back. */
  get isIdle(): boolean {
    return (
      !this.isBusy && this.unanswered.length === 0 && this.unreadBytes === 0 && !this.reader.hasRest
      && this.throttled === undefined
    )
  }

  get isThrottled(): boolean {
    return this.throttled !== undefined
  }

  get pendingBytes(): number {
    return this.unreadBytes
  }

  onData(chunk: Buffer): void {
    if (this.closed || this.isStopped) return
    this.lastReceivedMs = this.hooks.nowMs()
    this.reader.onData(chunk)
    if (!this.isPaused && !this.closed && this.reader.hasRest) {
      this.isPaused = true
      this.stream.pause()
    }
  }

  receiveBuffer(): Buffer | undefined {
    return this.closed ? undefined : this.reader.receiveBuffer()
  }

  onClose(error?: Error): void {
    this.end(error === undefined ? 'closed by the client' : error.message, false)
  }

  /** Reading starts when the broker is ready to serve. */
  pause(): void {
    this.stream.pause()
  }

  resume(): void {
    if (!this.closed && !this.isPaused) this.stream.resume()
  }

  /** For good: what waits is dropped, the request under way is still answered. Closed as soon as nothing is owed. */
  stopReading(): void {
    this.isStopped = true
    this.reader.close()
    this.stream.pause()
    this.closeIfDone()
  }

  /** A client that would wait in vain finds another broker. */
  private closeIfDone(): void {
    if (!this.isStopped || this.isBusy || this.unanswered.length > 0 || this.unreadBytes + this.outBytes > 0) return
    this.close('the broker stops')
  }

  answer(context: RequestContext, body: unknown, release: (() => void) | undefined): void {
    let parts: Uint8Array[]
    try {
      parts = encodeResponseFrame(apiByKey(context.apiKey)!, context.apiVersion, context.correlationId, body as object)
    } catch (error) {
      release?.()
      this.hooks.onUnencodable(context, error as Error)
      this.close('its answer could not be encoded')
      return
    }
    this.settle(context, parts, release)
  }

  proceed(context: RequestContext): void {
    if (this.closed) return
    this.unanswered.push({ context, parts: undefined, release: undefined })
    this.isBusy = false
    if (!this.isDispatching) this.takeLater()
  }

  whenAbandoned(context: RequestContext, callback: () => void): void {
    if (this.closed) callback()
    else this.abandoned.set(context, callback)
  }

  throttle(ms: number): void {
    const untilMs = this.hooks.nowMs() + ms
    if (this.closed || (this.throttled !== undefined && this.throttled.untilMs >= untilMs)) return
    this.throttled?.timer.cancel()
    const timer = this.hooks.timer(ms, () => {
      this.throttled = undefined
      this.lastActiveMs = this.hooks.nowMs()
      this.takeWaiting()
    })
    this.throttled = { untilMs, timer }
  }

  noAnswer(context: RequestContext): void {
    this.settle(context, [], undefined)
  }

  /** An answer is there: it leaves when all before it have left. */
  private settle(context: RequestContext, parts: Uint8Array[], release: (() => void) | undefined): void {
    this.abandoned.delete(context)
    if (this.closed) {
      release?.()
      return
    }
    const place = this.unanswered.find((each) => each.context === context)
    if (place === undefined) {
      this.isBusy = false
      if (this.unanswered.length === 0) this.send(parts, release)
      else this.hold({ context, parts, release }, parts)
    } else {
      place.release = release
      place.parts = parts
      this.heldBytes += bytesOf(parts)
    }
    while (this.unanswered[0]?.parts !== undefined) {
      const { parts: next, release: nextRelease } = this.unanswered.shift()!
      this.heldBytes -= bytesOf(next!)
      this.send(next!, nextRelease)
    }
    this.lastActiveMs = this.hooks.nowMs()
    this.closeIfDone()
    if (!this.isDispatching) this.takeLater()
  }

  /**
   * Who answers may be in the middle of something, a group that begins to rebalance for one: the next request of this client must
   * not meet it half done. Still in this turn, so that what answers it leaves in the same write.
   */
  private takeLater(): void {
    if (this.isTakeScheduled || (!this.reader.hasRest && !this.isPaused)) return
    this.isTakeScheduled = true
    this.turn.atEnd(1, this.takeScheduledNow)
  }

  private readonly takeScheduledNow = (): void => {
    this.isTakeScheduled = false
    this.takeWaiting()
  }

  private hold(answer: Unanswered, parts: Uint8Array[]): void {
    this.unanswered.push(answer)
    this.heldBytes += bytesOf(parts)
  }

  private send(parts: Uint8Array[], release: (() => void) | undefined): void {
    for (const part of parts) {
      this.out.push(part)
      this.outBytes += part.length
    }
    if (release !== undefined) this.outReleases.push(release)
    if (this.flushScheduled || parts.length === 0) return
    this.flushScheduled = true
    this.turn.atEnd(2, this.flush)
  }

  close(reason: string): void {
    this.end(reason, true)
  }

  private end(reason: string, destroy: boolean): void {
    if (this.closed) return
    this.closed = true
    this.reader.close()
    this.throttled?.timer.cancel()
    this.throttled = undefined
    this.hooks.onUnreadBytes(-this.unreadBytes)
    this.unreadBytes = 0
    this.out = []
    for (const release of this.outReleases.splice(0)) release()
    for (const { release } of this.unanswered.splice(0)) release?.()
    this.heldBytes = 0
    // A confirmed write after this finds its release gone from the set.
    for (const release of this.releasesOfUnread) release()
    this.releasesOfUnread.clear()
    if (destroy) this.stream.destroy()
    const abandoned = [...this.abandoned.values()]
    this.abandoned.clear()
    for (const callback of abandoned) callback()
    this.hooks.onClosed(this, reason)
  }

  private mayTake(): boolean {
    return (
      !this.isBusy && !this.isDispatching && !this.isStopped && this.throttled === undefined
      && this.unanswered.length < MAX_UNANSWERED
      && this.unreadBytes + this.outBytes + this.heldBytes < MAX_UNREAD_BYTES
    )
  }

  private dispatch(frame: Buffer): void {
    this.isBusy = true
    this.lastActiveMs = this.hooks.nowMs()
    this.isDispatching = true
    try {
      this.hooks.onRequest(this, frame)
    } finally {
      this.isDispatching = false
    }
  }

  /**
   * Something was finished: what waits is taken in a loop, not by recursion, for thousands of requests may be answered at
   * once.
   */
  private takeWaiting(): void {
    if (this.closed || this.isTaking) return
    this.isTaking = true
    this.reader.resume()
    this.isTaking = false
    if (this.isPaused && !this.closed && !this.isStopped && !this.reader.hasRest && this.mayTake()) {
      this.isPaused = false
      this.stream.resume()
    }
  }

  private readonly flush = (): void => {
    this.flushScheduled = false
    if (this.closed || this.out.length === 0) return
    const parts = joinSmall(this.out)
    const bytes = this.outBytes
    const releases = this.outReleases
    this.out = []
    this.outBytes = 0
    this.outReleases = []
    this.unreadBytes += bytes
    for (const release of releases) this.releasesOfUnread.add(release)
    // Whoever has most to read may be closed now, and that may be this one.
    this.hooks.onUnreadBytes(bytes)
    if (this.closed) return
    this.stream.writev(parts, () => this.onWritten(bytes, releases))
  }

  private onWritten(bytes: number, releases: (() => void)[]): void {
    for (const release of releases) if (this.releasesOfUnread.delete(release)) release()
    if (this.closed) return
    this.unreadBytes -= bytes
    this.hooks.onUnreadBytes(-bytes)
    this.lastActiveMs = this.hooks.nowMs()
    this.closeIfDone()
    if (!this.isDispatching) this.takeWaiting()
  }
}

function bytesOf(parts: readonly Uint8Array[]): number {
  let bytes = 0
  for (const part of parts) bytes += part.length
  return bytes
}

function joinSmall(parts: Uint8Array[]): Uint8Array[] {
  if (parts.length < 8) return parts
  const joined: Uint8Array[] = []
  let from = 0
  for (let at = 0; at <= parts.length; at++) {
    if (at < parts.length && parts[at]!.length < SMALL_PART_BYTES) continue
    if (at - from > 1) joined.push(Buffer.concat(parts.slice(from, at)))
    else if (at > from) joined.push(parts[from]!)
    if (at < parts.length) joined.push(parts[at]!)
    from = at + 1
  }
  return joined
}
