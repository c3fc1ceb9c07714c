import type { Stream, StreamHandler } from '../runtime/ports'
import { permits } from './acl'
import type { AclList, Id } from './acl'
import { JuteWriter } from './jute'
import { EventType, Perms, SYNC_CONNECTED, Xid } from './protocol'
import type { Session } from './sessions'
import type { Watcher } from './watches'

/** A connection that owes its client this much is not read from. */
const HIGH_WATER_BYTES = 1024 * 1024
const HIGH_WATER_ENTRIES = 4096
/** One that owes this much in events that nobody takes is closed. */
const MOST_OWED_BYTES = 64 * 1024 * 1024
/** Answers up to this many bytes in sum are copied into one write. */
const COALESCE_BYTES = 64 * 1024

/** What the server does for its connections. */
export interface ConnectionHost {
  readonly maxPacketBytes: number
  nowMs(): number
  /** The zxid that what is sent now depends on. */
  readonly currentZxid: number
  readonly durableZxid: number
  /** The answer to a four-letter word (as the int32 that it spells), undefined for anything else. */
  fourLetterWord(connection: Connection, word: number): string | undefined
  onHandshake(connection: Connection, packet: Buffer): void
  onPacket(connection: Connection, packet: Buffer): void
  onReceived(connection: Connection): void
  onAnswered(latencyMs: number): void
  onClosed(connection: Connection): void
  /** `connection.flush` is to be called at the end of the turn. */
  needsFlush(connection: Connection): void
}

interface Outgoing {
  /** Sent when everything up to this zxid is durable. */
  zxid: number
  bytes: Buffer
  receivedAtMs: number
}

/** Bytes that were received and not yet used; room grows with what came, never with what was announced. */
class Backlog {
  private buffer = Buffer.alloc(0)
  private length = 0

  get view(): Buffer {
    return this.buffer.subarray(0, this.length)
  }

  get isEmpty(): boolean {
    return this.length === 0
  }

  append(chunk: Buffer): void {
    if (this.length + chunk.length > this.buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.length + chunk.length, 1024))
      this.buffer.copy(grown, 0, 0, this.length)
      this.buffer = grown
    }
    chunk.copy(this.buffer, this.length)
    this.length += chunk.length
  }

  drop(bytes: number): void {
    this.buffer.copyWithin(0, bytes, this.length)
    this.length -= bytes
    if (this.length === 0) this.buffer = Buffer.alloc(0)
  }
}

/** One client's socket: packets in, answers and events out in order, each held until what it tells is durable. */
export class Connection implements StreamHandler, Watcher {
  readonly stream: Stream
  readonly establishedAtMs: number
  readonly authInfo: Id[]
  session: Session<Connection> | undefined
  received = 0
  sent = 0
  lastOperation = 'NA'
  lastCxid = -1
  private readonly host: ConnectionHost
  private readonly backlog = new Backlog()
  private outbox: Outgoing[] = []
  private owedBytes = 0
  private blocked = false
  private greeted = false
  /** No more input is looked at; the stream ends when all has been sent. */
  private ending = false
  private closed = false
  private receivedAtMs = 0

  constructor(host: ConnectionHost, stream: Stream) {
    this.host = host
    this.stream = stream
    this.establishedAtMs = host.nowMs()
    this.authInfo = [{ scheme: 'ip', id: stream.remoteAddress }]
  }

  get isClosed(): boolean {
    return this.closed
  }

  /** Answers that wait to be sent. */
  get outstanding(): number {
    return this.outbox.length
  }

  onData(chunk: Buffer): void {
    if (this.ending || this.closed) return
    this.receivedAtMs = this.host.nowMs()
    this.host.onReceived(this)
    if (this.backlog.isEmpty) {
      const used = this.blocked ? 0 : this.consume(chunk)
      if (used < chunk.length && !this.ending) this.backlog.append(chunk.subarray(used))
      return
    }
    this.backlog.append(chunk)
    this.consumeBacklog()
  }

  onDrain(): void {
    this.unblock()
  }

  onClose(): void {
    if (this.closed) return
    this.closed = true
    this.outbox = []
    this.host.onClosed(this)
  }

  /** Queues a packet, its length included, behind what was queued before. */
  send(bytes: Buffer): void {
    if (this.ending || this.closed) return
    this.outbox.push({ zxid: this.host.currentZxid, bytes, receivedAtMs: this.receivedAtMs })
    this.owedBytes += bytes.length
    if (this.owedBytes + this.stream.pendingBytes > MOST_OWED_BYTES) return this.destroy()
    this.host.needsFlush(this)
  }

  notify(type: EventType, path: string, acl: AclList): void {
    if (!permits(acl, Perms.read, this.authInfo)) return
    const writer = new JuteWriter(64 + path.length)
    writer.writeInt(0)
    writer.writeInt(Xid.notification)
    writer.writeLong(-1)
    writer.writeInt(0)
    writer.writeInt(type)
    writer.writeInt(SYNC_CONNECTED)
    writer.writeString(path)
    writer.patchInt(0, writer.length - 4)
    this.send(writer.view())
  }

  /** Sends what is queued, then closes. */
  end(): void {
    if (this.ending || this.closed) return
    this.ending = true
    this.host.needsFlush(this)
  }

  destroy(): void {
    this.ending = true
    this.outbox = []
    this.owedBytes = 0
    this.stream.destroy()
  }

  /** Sends what the disk already holds. False: something has to wait. */
  flush(): boolean {
    if (this.closed) return true
    const { durableZxid } = this.host
    let ready = 0
    let bytes = 0
    while (ready < this.outbox.length && this.outbox[ready]!.zxid <= durableZxid) bytes += this.outbox[ready++]!.bytes.length
    if (ready > 0) {
      const nowMs = this.host.nowMs()
      const parts = this.outbox.slice(0, ready).map((entry) => {
        this.host.onAnswered(nowMs - entry.receivedAtMs)
        return entry.bytes
      })
      this.outbox = ready === this.outbox.length ? [] : this.outbox.slice(ready)
      this.owedBytes -= bytes
      this.sent += ready
      if (parts.length > 1 && bytes <= COALESCE_BYTES) this.stream.write(Buffer.concat(parts, bytes))
      else this.stream.writev(parts)
    }
    if (this.outbox.length > 0) return false
    if (this.ending) this.stream.end()
    else this.unblock()
    return true
  }

  private get owesTooMuch(): boolean {
    return this.outbox.length > HIGH_WATER_ENTRIES || this.owedBytes + this.stream.pendingBytes > HIGH_WATER_BYTES
  }

  private unblock(): void {
    if (!this.blocked || this.ending || this.closed || this.owesTooMuch) return
    this.blocked = false
    this.receivedAtMs = this.host.nowMs()
    this.consumeBacklog()
    if (!this.blocked && !this.ending) this.stream.resume()
  }

  private consumeBacklog(): void {
    if (this.blocked || this.backlog.isEmpty) return
    const used = this.consume(this.backlog.view)
    this.backlog.drop(this.ending ? this.backlog.view.length : used)
  }

  /** Handles the whole packets in `bytes`; returns how many bytes they were. */
  private consume(bytes: Buffer): number {
    let at = 0
    while (bytes.length - at >= 4 && !this.ending && !this.closed) {
      const length = bytes.readInt32BE(at)
      if (!this.greeted) {
        const answer = this.host.fourLetterWord(this, length)
        if (answer !== undefined) {
          this.send(Buffer.from(answer))
          this.end()
          break
        }
      }
      if (length < 0 || length > this.host.maxPacketBytes) {
        this.destroy()
        break
      }
      if (bytes.length - at < 4 + length) break
      const packet = bytes.subarray(at + 4, at + 4 + length)
      at += 4 + length
      this.received++
      if (this.greeted) this.host.onPacket(this, packet)
      else {
        this.greeted = true
        this.host.onHandshake(this, packet)
      }
      if (this.owesTooMuch) {
        this.blocked = true
        this.stream.pause()
        break
      }
    }
    return at
  }
}
