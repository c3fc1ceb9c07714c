import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { JuteReader, JuteWriter } from '../../zookeeper/jute'
import { OpCode, Xid } from '../../zookeeper/protocol'

export interface Reply {
  xid: number
  zxid: number
  code: number
  body: JuteReader
}

export interface WatchEvent {
  type: number
  path: string
}

export interface Handshake {
  timeoutMs: number
  sessionId: bigint
  password: Buffer
  bytes: number
}

/** Raw frames to a ZooKeeper: what goes out is what a test says, and what comes in is not interpreted beyond its header. */
export class RawClient {
  readonly socket: Socket
  /** Watch events in the order of their arrival. */
  readonly events: WatchEvent[] = []
  /** Called with each event as it arrives, so that its place among the replies shows. */
  onEvent: (event: WatchEvent) => void = () => {}
  session: Handshake | undefined
  private received = Buffer.alloc(0)
  private readonly frames: Buffer[] = []
  private readonly waiting: ((frame: Buffer | undefined) => void)[] = []
  private nextXid = 1
  isClosed = false
  readonly closed: Promise<void>

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => this.take(chunk))
    socket.on('error', () => {})
    this.closed = new Promise((resolve) =>
      socket.on('close', () => {
        this.isClosed = true
        for (const waiter of this.waiting.splice(0)) waiter(undefined)
        resolve()
      }),
    )
  }

  static open(port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('error', reject)
      socket.once('connect', () => resolve(new RawClient(socket)))
    })
  }

  /** Opens a connection and a session on it. */
  static async start(port: number, timeoutMs = 10_000): Promise<RawClient> {
    const client = await RawClient.open(port)
    await client.handshake({ timeoutMs })
    return client
  }

  async handshake(
    options: {
      timeoutMs?: number
      sessionId?: bigint
      password?: Buffer | null
      lastZxidSeen?: number
      readOnly?: boolean | undefined
    } = {},
  ): Promise<Handshake | undefined> {
    const writer = new JuteWriter()
    writer.writeInt(0)
    writer.writeLong(options.lastZxidSeen ?? 0)
    writer.writeInt(options.timeoutMs ?? 10_000)
    writer.writeBigLong(options.sessionId ?? 0n)
    writer.writeBuffer(options.password === undefined ? Buffer.alloc(16) : options.password)
    if (!('readOnly' in options) || options.readOnly !== undefined) writer.writeBool(options.readOnly ?? false)
    this.sendFrame(writer.take())
    const frame = await this.nextFrame()
    if (frame === undefined) return undefined
    const reader = new JuteReader(frame)
    reader.readInt()
    this.session = {
      timeoutMs: reader.readInt(),
      sessionId: reader.readBigLong(),
      password: reader.readBuffer()!,
      bytes: frame.length,
    }
    return this.session
  }

  sendFrame(body: Buffer): void {
    const length = Buffer.alloc(4)
    length.writeInt32BE(body.length)
    this.socket.write(Buffer.concat([length, body]))
  }

  /** Sends a request; returns its xid. */
  send(type: number, body: (writer: JuteWriter) => void = () => {}, xid = this.nextXid++): number {
    const writer = new JuteWriter()
    writer.writeInt(xid)
    writer.writeInt(type)
    body(writer)
    this.sendFrame(writer.take())
    return xid
  }

  /** Sends a request and waits for its reply; undefined if the connection was closed instead. Events on the way are kept. */
  async request(type: number, body?: (writer: JuteWriter) => void, xid?: number): Promise<Reply | undefined> {
    const sent = this.send(type, body, xid)
    for (;;) {
      const reply = await this.nextReply()
      if (reply === undefined || reply.xid === sent || sent === Xid.ping) return reply
    }
  }

  async nextReply(): Promise<Reply | undefined> {
    for (;;) {
      const frame = await this.nextFrame()
      if (frame === undefined) return undefined
      const reader = new JuteReader(frame)
      const reply: Reply = { xid: reader.readInt(), zxid: reader.readLong(), code: reader.readInt(), body: reader }
      if (reply.xid !== Xid.notification) return reply
      const type = reader.readInt()
      reader.readInt()
      const event = { type, path: reader.readText() }
      this.events.push(event)
      this.onEvent(event)
    }
  }

  /** Everything that concerns this session and happened before is here when this resolves. */
  async barrier(): Promise<void> {
    await this.request(OpCode.sync, (writer) => writer.writeString('/'))
  }

  nextFrame(): Promise<Buffer | undefined> {
    const frame = this.frames.shift()
    if (frame !== undefined || this.isClosed) return Promise.resolve(frame)
    return new Promise((resolve) => this.waiting.push(resolve))
  }

  async endSession(): Promise<void> {
    await this.request(OpCode.closeSession)
    await this.closed
  }

  drop(): void {
    this.socket.destroy()
  }

  private take(chunk: Buffer): void {
    this.received = Buffer.concat([this.received, chunk])
    while (this.received.length >= 4) {
      const length = this.received.readInt32BE(0)
      if (this.received.length < 4 + length) return
      const frame = this.received.subarray(4, 4 + length)
      this.received = this.received.subarray(4 + length)
      const waiter = this.waiting.shift()
      if (waiter === undefined) this.frames.push(frame)
      else waiter(frame)
    }
  }
}
