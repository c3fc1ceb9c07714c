import type { SeededRandom } from './random'
import type { Process } from './world'
import type { Listener, Net, Stream, StreamHandler } from '../../../runtime/ports'

/** Above this many undelivered bytes `write` asks to wait. */
const HIGH_WATER_BYTES = 64 * 1024

interface Listening {
  process: Process
  incarnation: number
  accept: (stream: Stream) => StreamHandler | undefined
}

/** Everything that all processes share of the network: who listens where, who cannot reach whom. */
class Wire {
  readonly listening = new Map<number, Listening>()
  readonly cut = new Set<string>()
  nextPort = 30_000
}

const wires = new WeakMap<object, Wire>()

function wireOf(process: Process): Wire {
  let wire = wires.get(process.world)
  if (wire === undefined) wires.set(process.world, (wire = new Wire()))
  return wire
}

/** Bytes from `a` to `b` stand still until `heal`: TCP would send them again. */
export function partition(a: Process, b: Process): void {
  a.world.note(a, `cut from ${b.name}`)
  wireOf(a).cut.add(`${a.name}>${b.name}`)
}

export function heal(a: Process, b: Process): void {
  a.world.note(a, `joined with ${b.name}`)
  wireOf(a).cut.delete(`${a.name}>${b.name}`)
  for (const process of [a, b]) process.net.flushAll()
}

/** One end of a connection. Bytes go to the other end in order, in pieces and with delays of the seed's choosing. */
class SimulatedStream implements Stream {
  readonly remoteAddress = '127.0.0.1'
  readonly remotePort: number
  readonly localPort: number
  readonly process: Process
  handler: StreamHandler | undefined
  peer!: SimulatedStream
  connected = false
  private readonly random: SeededRandom
  private readonly incarnation: number
  private queue: { bytes: Buffer; onWritten: (() => void) | undefined; readyMs: number }[] = []
  private queuedBytes = 0
  private delivering = false
  private paused = false
  private wantsDrain = false
  private ending = false
  private closed = false
  /** The other end is gone. */
  private broken = false

  constructor(process: Process, random: SeededRandom, localPort: number, remotePort: number) {
    this.process = process
    this.random = random
    this.incarnation = process.incarnation
    this.localPort = localPort
    this.remotePort = remotePort
  }

  get pendingBytes(): number {
    return this.queuedBytes
  }

  /** Its process was killed since. */
  private get isDead(): boolean {
    return this.process.incarnation !== this.incarnation
  }

  write(bytes: Uint8Array, onWritten?: () => void): boolean {
    if (this.closed || this.ending) return false
    this.queue.push({ bytes: Buffer.from(bytes), onWritten, readyMs: this.process.world.nowMs + this.latency() })
    this.queuedBytes += bytes.length
    this.deliver()
    if (this.queuedBytes <= HIGH_WATER_BYTES) return true
    this.wantsDrain = true
    return false
  }

  writev(parts: Uint8Array[], onWritten?: () => void): boolean {
    return this.write(Buffer.concat(parts), onWritten)
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    this.peer.deliver()
  }

  end(): void {
    if (this.ending) return
    this.ending = true
    if (this.connected) this.deliver()
    else this.finish()
  }

  destroy(): void {
    if (this.closed) return
    this.queue = []
    this.finish()
    this.peer?.breakLater()
  }

  /** The other side is gone: told after a while, with what was under way lost. Through a cut wire nobody hears of it. */
  breakLater(): void {
    if (this.closed) return
    this.broken = true
    if (wireOf(this.process).cut.has(`${this.peer.process.name}>${this.process.name}`)) return
    this.process.world.plan(this.process, this.latency(), () => this.finish(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })))
  }

  finish(error?: Error): void {
    if (this.closed) return
    this.closed = true
    this.queue = []
    if (this.isDead) return
    this.process.net.forget(this)
    this.process.world.plan(this.process, 0, () => this.handler?.onClose(error))
  }

  /** After a wire was joined again. */
  flush(): void {
    if (this.broken) this.breakLater()
    else this.deliver()
  }

  /** Plans the delivery of the next piece, if anything can be delivered now. */
  deliver(): void {
    if (this.delivering || this.closed || !this.connected || this.peer.paused) return
    if (wireOf(this.process).cut.has(`${this.process.name}>${this.peer.process.name}`)) return
    const head = this.queue[0]
    const { world } = this.process
    if (head === undefined) {
      if (!this.ending) return
      this.delivering = true
      world.plan(this.peer.process, this.latency(), () => {
        this.delivering = false
        this.peer.finish()
        this.finish()
      })
      return
    }
    this.delivering = true
    world.plan(this.peer.process, Math.max(head.readyMs - world.nowMs, 0), () => {
      this.delivering = false
      if (this.closed || this.isDead || this.peer.isDead) return
      if (this.peer.paused || wireOf(this.process).cut.has(`${this.process.name}>${this.peer.process.name}`)) return
      this.handOver(head)
      this.deliver()
    })
  }

  private handOver(head: { bytes: Buffer; onWritten: (() => void) | undefined }): void {
    const whole = head.bytes.length <= 4 || this.random.chance(0.7)
    const count = whole ? head.bytes.length : 1 + this.random.below(head.bytes.length)
    const piece = head.bytes.subarray(0, count)
    head.bytes = head.bytes.subarray(count)
    this.queuedBytes -= count
    if (head.bytes.length === 0) {
      this.queue.shift()
      if (head.onWritten !== undefined) this.process.world.plan(this.process, 0, head.onWritten)
    }
    if (this.wantsDrain && this.queuedBytes === 0) {
      this.wantsDrain = false
      this.process.world.plan(this.process, 0, () => this.handler?.onDrain?.())
    }
    // A buffer of its own that is spoiled afterwards: who keeps a chunk beyond the call is found out.
    const lent = Buffer.from(piece)
    this.peer.handler?.onData(lent)
    lent.fill(0xdd)
  }

  private latency(): number {
    return this.random.chance(0.02) ? this.random.between(2, 40) : this.random.between(0.05, 1)
  }
}

export class SimulatedNet implements Net {
  private readonly process: Process
  private readonly random: SeededRandom
  private readonly streams = new Set<SimulatedStream>()

  constructor(process: Process, random: SeededRandom) {
    this.process = process
    this.random = random
  }

  connect(_host: string, port: number, handler: StreamHandler): Stream {
    const { world } = this.process
    const wire = wireOf(this.process)
    const stream = new SimulatedStream(this.process, this.random, wire.nextPort++, port)
    stream.handler = handler
    this.streams.add(stream)
    const target = wire.listening.get(port)
    const refuse = (): void => stream.finish(Object.assign(new Error(`connect ECONNREFUSED ${port}`), { code: 'ECONNREFUSED' }))
    const attempt = (): void => {
      if (!this.streams.has(stream)) return
      const listening = wire.listening.get(port)
      if (listening === undefined || listening.incarnation !== listening.process.incarnation) return refuse()
      if (wire.cut.has(`${this.process.name}>${listening.process.name}`) || wire.cut.has(`${listening.process.name}>${this.process.name}`)) {
        world.plan(this.process, 200, attempt)
        return
      }
      const other = new SimulatedStream(listening.process, listening.process.net.random, port, stream.localPort)
      stream.peer = other
      other.peer = stream
      listening.process.net.streams.add(other)
      world.plan(listening.process, 0, () => {
        const accepted = listening.accept(other)
        if (accepted === undefined) return other.destroy()
        other.handler = accepted
        other.connected = true
        other.deliver()
      })
      stream.connected = true
      handler.onConnect?.()
      stream.deliver()
    }
    world.plan(this.process, this.random.between(0.05, 1), target === undefined ? refuse : attempt)
    return stream
  }

  lookup(host: string): Promise<string | undefined> {
    return Promise.resolve(host)
  }

  listen(host: string, port: number, accept: (stream: Stream) => StreamHandler | undefined): Promise<Listener> {
    const wire = wireOf(this.process)
    const bound = port === 0 ? wire.nextPort++ : port
    const holder = wire.listening.get(bound)
    if (holder !== undefined && holder.incarnation === holder.process.incarnation) {
      return Promise.reject(Object.assign(new Error(`listen EADDRINUSE ${bound}`), { code: 'EADDRINUSE' }))
    }
    const listening = { process: this.process, incarnation: this.process.incarnation, accept }
    wire.listening.set(bound, listening)
    return Promise.resolve({
      host,
      port: bound,
      close: () => {
        if (wire.listening.get(bound) === listening) wire.listening.delete(bound)
      },
    })
  }

  /** The process died: every connection breaks at its other end. */
  reset(): void {
    for (const stream of this.streams) stream.peer?.breakLater()
    this.streams.clear()
  }

  flushAll(): void {
    for (const stream of [...this.streams]) stream.flush()
  }

  forget(stream: SimulatedStream): void {
    this.streams.delete(stream)
  }
}
