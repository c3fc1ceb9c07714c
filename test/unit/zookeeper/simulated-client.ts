import { JuteReader, JuteWriter } from '../../../zookeeper/jute'
import { Xid } from '../../../zookeeper/protocol'
import type { Environment, Stream, StreamHandler } from '../../../runtime/ports'

export interface SimulatedReply {
  zxid: number
  code: number
  body: JuteReader
}

export interface SimulatedEvent {
  type: number
  path: string
}

/** A client on the ports: many requests in flight, answers in order. */
export class SimulatedClient implements StreamHandler {
  readonly events: SimulatedEvent[] = []
  sessionId = 0n
  password: Buffer = Buffer.alloc(16)
  timeoutMs = 0
  isClosed = false
  /** Bytes of all packets that came. */
  receivedBytes = 0
  readonly stream: Stream
  private received = Buffer.alloc(0)
  private waiting: ((reply: SimulatedReply | undefined) => void)[] = []
  private greeting: ((accepted: boolean) => void) | undefined
  private xid = 0

  private constructor(env: Environment, port: number) {
    this.stream = env.net.connect('localhost', port, this)
  }

  /** Resolves when the session is open; with a closed client if it was refused. */
  static open(
    env: Environment,
    port: number,
    session?: { sessionId: bigint; password: Buffer },
    timeoutMs = 6000,
  ): Promise<SimulatedClient> {
    return new Promise((resolve) => {
      const client = new SimulatedClient(env, port)
      client.greeting = () => resolve(client)
      client.hello = (): void => {
        const writer = new JuteWriter()
        writer.writeInt(0)
        writer.writeLong(0)
        writer.writeInt(timeoutMs)
        writer.writeBigLong(session?.sessionId ?? 0n)
        writer.writeBuffer(session?.password ?? Buffer.alloc(16))
        writer.writeBool(false)
        client.write(writer.take())
      }
    })
  }

  /** A connection that has said nothing. */
  static connect(env: Environment, port: number): Promise<SimulatedClient> {
    return new Promise((resolve) => {
      const client = new SimulatedClient(env, port)
      client.greeting = () => resolve(client)
      client.hello = () => resolve(client)
    })
  }

  private hello: () => void = () => {}

  onConnect(): void {
    this.hello()
  }

  onData(chunk: Buffer): void {
    this.receivedBytes += chunk.length
    this.received = Buffer.concat([this.received, chunk])
    while (this.received.length >= 4) {
      const length = this.received.readInt32BE(0)
      if (this.received.length < 4 + length) return
      this.onFrame(this.received.subarray(4, 4 + length))
      this.received = this.received.subarray(4 + length)
    }
  }

  onClose(): void {
    this.isClosed = true
    this.greeting?.(false)
    for (const waiter of this.waiting.splice(0)) waiter(undefined)
  }

  write(frame: Buffer): void {
    const length = Buffer.alloc(4)
    length.writeInt32BE(frame.length)
    this.stream.write(Buffer.concat([length, frame]))
  }

  request(type: number, body: (writer: JuteWriter) => void = () => {}): Promise<SimulatedReply | undefined> {
    if (this.isClosed) return Promise.resolve(undefined)
    const writer = new JuteWriter()
    writer.writeInt(++this.xid)
    writer.writeInt(type)
    body(writer)
    this.write(writer.take())
    return new Promise((resolve) => this.waiting.push(resolve))
  }

  drop(): void {
    this.stream.destroy()
  }

  private onFrame(frame: Buffer): void {
    const reader = new JuteReader(Buffer.from(frame))
    if (this.greeting !== undefined) {
      reader.readInt()
      this.timeoutMs = reader.readInt()
      this.sessionId = reader.readBigLong()
      this.password = reader.readBuffer()!
      this.greeting(this.sessionId !== 0n)
      this.greeting = undefined
      return
    }
    const xid = reader.readInt()
    const zxid = reader.readLong()
    const code = reader.readInt()
    if (xid === Xid.notification) {
      const type = reader.readInt()
      reader.readInt()
      this.events.push({ type, path: reader.readText() })
    } else this.waiting.shift()?.({ zxid, code, body: reader })
  }
}
