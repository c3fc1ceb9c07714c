import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'

export interface FakeRequest {
  xid: number
  type: number
  /** After the header. */
  body: Buffer
}

export interface FakeHandshake {
  lastZxid: bigint
  timeoutMs: number
  sessionId: bigint
  password: Buffer
}

/** A ZooKeeper server of which each test writes the manners: it answers nothing by itself but handshakes, pings and syncs. */
export class FakeServer {
  readonly connections: FakeConnection[] = []
  /** Answers a handshake; the default begins session 0x77 or resumes what is asked for. Return false to stay silent. */
  onHandshake: (connection: FakeConnection, handshake: FakeHandshake) => void = (connection, handshake) => {
    connection.accept(handshake.timeoutMs, handshake.sessionId === 0n ? 0x77n : handshake.sessionId)
  }
  onRequest: (connection: FakeConnection, request: FakeRequest) => void = () => {}
  onConnection: (connection: FakeConnection) => void = () => {}
  answersPings = true
  private readonly server: Server

  private constructor() {
    this.server = createServer((socket) => {
      const connection = new FakeConnection(this, socket)
      this.connections.push(connection)
      this.onConnection(connection)
    })
  }

  static start(): Promise<FakeServer> {
    const fake = new FakeServer()
    return new Promise((resolve) => fake.server.listen(0, '127.0.0.1', () => resolve(fake)))
  }

  get port(): number {
    return (this.server.address() as { port: number }).port
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  get last(): FakeConnection {
    return this.connections.at(-1)!
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()))
    for (const connection of this.connections) connection.cut()
    await closed
  }
}

export class FakeConnection {
  readonly requests: FakeRequest[] = []
  readonly pings: number[] = []
  syncs = 0
  handshake: FakeHandshake | undefined
  closed = false
  private readonly server: FakeServer
  private readonly socket: Socket
  private received = Buffer.alloc(0)

  constructor(server: FakeServer, socket: Socket) {
    this.server = server
    this.socket = socket
    socket.on('data', (chunk) => this.receive(chunk))
    socket.on('error', () => {})
    socket.on('close', () => {
      this.closed = true
    })
  }

  accept(timeoutMs: number, sessionId: bigint, password = Buffer.alloc(16, 9)): void {
    const body = Buffer.alloc(37)
    body.writeInt32BE(timeoutMs, 4)
    body.writeBigInt64BE(sessionId, 8)
    body.writeInt32BE(16, 16)
    password.copy(body, 20)
    this.send(frame(body))
  }

  refuseExpired(): void {
    this.accept(0, 0n, Buffer.alloc(16))
    this.socket.end()
  }

  reply(request: FakeRequest, zxid: number, body: Buffer = Buffer.alloc(0), err = 0): void {
    this.send(replyFrame(request.xid, zxid, err, body))
  }

  event(type: number, path: string): void {
    this.send(replyFrame(-1, -1, 0, Buffer.concat([int(type), int(3), string(path)])))
  }

  send(bytes: Buffer): void {
    this.socket.write(bytes)
  }

  cut(): void {
    this.socket.destroy()
  }

  private receive(chunk: Buffer): void {
    this.received = Buffer.concat([this.received, chunk])
    while (this.received.length >= 4) {
      const length = this.received.readInt32BE(0)
      if (this.received.length < 4 + length) return
      const body = Buffer.from(this.received.subarray(4, 4 + length))
      this.received = this.received.subarray(4 + length)
      this.take(body)
    }
  }

  private take(body: Buffer): void {
    if (this.handshake === undefined) {
      this.handshake = {
        lastZxid: body.readBigInt64BE(4),
        timeoutMs: body.readInt32BE(12),
        sessionId: body.readBigInt64BE(16),
        password: Buffer.from(body.subarray(28, 44)),
      }
      this.server.onHandshake(this, this.handshake)
      return
    }
    const request = { xid: body.readInt32BE(0), type: body.readInt32BE(4), body: body.subarray(8) }
    if (request.type === 11) {
      this.pings.push(performance.now())
      if (this.server.answersPings) this.send(replyFrame(-2, 0, 0))
      return
    }
    if (request.type === 9) {
      this.syncs++
      if (this.server.answersPings) this.reply(request, 0)
      return
    }
    this.requests.push(request)
    this.server.onRequest(this, request)
  }
}

export function frame(body: Buffer): Buffer {
  return Buffer.concat([int(body.length), body])
}

export function replyFrame(xid: number, zxid: number, err: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(16)
  header.writeInt32BE(xid, 0)
  header.writeBigInt64BE(BigInt(zxid), 4)
  header.writeInt32BE(err, 12)
  return frame(Buffer.concat([header, body]))
}

export function int(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

export function string(text: string): Buffer {
  return Buffer.concat([int(Buffer.byteLength(text)), Buffer.from(text)])
}

export function bytes(data: Buffer | null): Buffer {
  return data === null ? int(-1) : Buffer.concat([int(data.length), data])
}

export function stat(fields: { czxid?: number; version?: number; owner?: bigint } = {}): Buffer {
  const body = Buffer.alloc(68)
  body.writeBigInt64BE(BigInt(fields.czxid ?? 1), 0)
  body.writeInt32BE(fields.version ?? 0, 32)
  body.writeBigInt64BE(fields.owner ?? 0n, 44)
  return body
}

/** Waits for a condition, never for a time. */
export async function until(condition: () => boolean, what = 'the condition'): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`${what} did not come true in 10 s`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
