import type { Environment, Stream, Timer } from '../../runtime/ports'
import type { ServerAddress } from './connect-string'
import { FrameAssembler } from './frames'
import { handshakePacket, pingPacket } from './packets'
import type { Handshake } from './packets'
import { JuteReader, MalformedReplyError, Xid } from './replies'

export interface HandshakeAnswer {
  /** 0: the server does not know the session, or no longer. */
  timeoutMs: number
  sessionId: bigint
  password: Buffer
}

export interface ConnectionLimits {
  /** For the TCP connection and the answer to the handshake together. */
  connectTimeoutMs: number
  maxReplyBytes: number
}

export interface ConnectionHandler {
  onHandshake(answer: HandshakeAnswer): void
  /** A reply or an event; the frame is valid during the call only. */
  onReply(frame: Buffer): void
  /** The server was alive and knew of the session when this was sent. */
  onContact(sentAtMs: number): void
  /** A reply longer than `maxReplyBytes` begins; the connection is over after this call. */
  onOversized(length: number): void
  /** The connection is over. Called exactly once, also after `destroy`. */
  onClose(reason: string): void
}

/**
 * One connection to one server: handshake, frames, pings. Every wait has an end: for the handshake, and for any byte afterwards
 * (two thirds of the session's time-out, with a ping after one third, so that the last third is left to find another server).
 */
export class ServerConnection {
  private readonly env: Environment
  private readonly handler: ConnectionHandler
  private readonly stream: Stream
  private readonly frames: FrameAssembler
  private outbox: Uint8Array[] = []
  private flushScheduled = false
  private timer: Timer | undefined
  private closed = false
  private established = false
  private handshakeSentMs = 0
  private sessionTimeoutMs = 0
  private lastSentMs = 0
  private lastReceivedMs: number
  private pingSentMs: number | undefined

  constructor(
    env: Environment,
    server: ServerAddress,
    handshake: Handshake,
    limits: ConnectionLimits,
    handler: ConnectionHandler,
  ) {
    this.env = env
    this.handler = handler
    this.lastReceivedMs = env.clock.monoMs()
    this.frames = new FrameAssembler(limits.maxReplyBytes, this.onFrame, (length) => {
      if (length > 0) handler.onOversized(length)
      this.destroy(`a frame of ${length} bytes`)
    })
    this.timer = env.clock.timer(limits.connectTimeoutMs, () => this.destroy(`no handshake within ${limits.connectTimeoutMs} ms`))
    this.stream = env.net.connect(server.host, server.port, {
      onConnect: () => {
        if (this.closed) return
        this.handshakeSentMs = env.clock.monoMs()
        this.stream.write(handshakePacket(handshake))
      },
      onData: (chunk) => {
        if (this.closed) return
        this.lastReceivedMs = env.clock.monoMs()
        this.receive(chunk)
      },
      onClose: (error) => this.end(error === undefined ? 'the server closed the connection' : error.message),
    })
  }

  /** Queues a whole packet; what one turn of the event loop sends goes out as one write. */
  send(packet: Uint8Array): void {
    if (this.closed) return
    this.lastSentMs = this.env.clock.monoMs()
    this.outbox.push(packet)
    if (this.flushScheduled) return
    this.flushScheduled = true
    this.env.clock.immediate(this.flush)
  }

  /** Ends the connection at once. `onClose` is called before this returns, unless it was already. */
  destroy(reason: string): void {
    if (this.closed) return
    this.stream.destroy()
    this.end(reason)
  }

  private end(reason: string): void {
    if (this.closed) return
    this.closed = true
    this.timer?.cancel()
    this.frames.stop()
    this.outbox = []
    this.handler.onClose(reason)
  }

  private readonly flush = (): void => {
    this.flushScheduled = false
    if (this.closed || this.outbox.length === 0) return
    const parts = this.outbox
    this.outbox = []
    this.stream.writev(parts)
  }

  private receive(chunk: Buffer): void {
    try {
      this.frames.push(chunk)
    } catch (error) {
      if (!(error instanceof MalformedReplyError)) throw error
      this.destroy(error.message)
    }
  }

  private readonly onFrame = (frame: Buffer): void => {
    if (!this.established) {
      this.onHandshakeAnswer(new JuteReader(frame))
      return
    }
    if (frame.length < 16) throw new MalformedReplyError(`a reply of ${frame.length} bytes`)
    if (frame.readInt32BE(0) !== Xid.ping) {
      this.handler.onReply(frame)
      return
    }
    if (this.pingSentMs === undefined) return
    this.handler.onContact(this.pingSentMs)
    this.pingSentMs = undefined
  }

  private onHandshakeAnswer(reader: JuteReader): void {
    reader.int()
    const answer = { timeoutMs: reader.int(), sessionId: reader.bigLong(), password: reader.bytes() ?? Buffer.alloc(16) }
    this.established = true
    this.timer?.cancel()
    if (answer.timeoutMs > 0) {
      this.sessionTimeoutMs = answer.timeoutMs
      this.lastSentMs = this.handshakeSentMs
      this.handler.onContact(this.handshakeSentMs)
      this.watchOver()
    }
    this.handler.onHandshake(answer)
  }

  /** Pings when nothing else was sent for a third of the time-out; gives up when nothing came for two thirds. */
  private watchOver = (): void => {
    if (this.closed) return
    const now = this.env.clock.monoMs()
    const silentMs = now - this.lastReceivedMs
    const readTimeoutMs = (this.sessionTimeoutMs * 2) / 3
    if (silentMs >= readTimeoutMs) {
      this.destroy(`nothing heard for ${Math.round(silentMs)} ms`)
      return
    }
    const pingAfterMs = this.sessionTimeoutMs / 3
    if (now - this.lastSentMs >= pingAfterMs) {
      this.pingSentMs ??= now
      this.send(pingPacket)
    }
    const untilPingMs = this.lastSentMs + pingAfterMs - now
    const untilDeadMs = this.lastReceivedMs + readTimeoutMs - now
    this.timer = this.env.clock.timer(Math.max(1, Math.min(untilPingMs, untilDeadMs)), this.watchOver)
  }
}
