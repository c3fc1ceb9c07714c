import { assertSafe } from '../../runtime/assert'
import { withoutChroot } from './paths'

/** Kafka's and ZooKeeper's Stat. zxids are exact numbers; `czxid` of a broker's znode is its broker epoch. */
export interface Stat {
  czxid: number
  mzxid: number
  ctimeMs: number
  mtimeMs: number
  version: number
  cversion: number
  aversion: number
  /** The session that owns an ephemeral node, 0n for others. */
  ephemeralOwner: bigint
  dataLength: number
  numChildren: number
  pzxid: number
}

/** Who may do what with a node; `perms` is the sum of 1 read, 2 write, 4 create, 8 delete, 16 admin. */
export interface Acl {
  perms: number
  scheme: string
  id: string
}

export type OpResult =
  { type: 'create'; path: string; czxid: number } | { type: 'set'; stat: Stat } | { type: 'remove' } | { type: 'check' }

/** One operation's outcome inside a reply to a multi. */
export type MultiEntry = OpResult | { type: 'error'; errno: number }

/** Opcodes, as ZooDefs.OpCode. */
export const OpCode = {
  create: 1,
  remove: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getAcl: 6,
  setAcl: 7,
  sync: 9,
  ping: 11,
  getChildren2: 12,
  check: 13,
  multi: 14,
  auth: 100,
  setWatches: 101,
  setWatches2: 105,
  addWatch: 106,
  closeSession: -11,
  error: -1,
} as const

/** The xids that are no request's number. */
export const Xid = { notification: -1, ping: -2, auth: -4, setWatches: -8 } as const

/** Thrown when a server's bytes are not what they should be; the connection is dropped then. */
export class MalformedReplyError extends Error {
  override readonly name = 'MalformedReplyError'
}

/** Reads jute out of one frame. Nothing is allocated for a length before its bytes were seen. */
export class JuteReader {
  private readonly frame: Buffer
  private position: number

  constructor(frame: Buffer, position = 0) {
    this.frame = frame
    this.position = position
  }

  get remaining(): number {
    return this.frame.length - this.position
  }

  bool(): boolean {
    this.need(1)
    return this.frame[this.position++] !== 0
  }

  int(): number {
    this.need(4)
    const value = this.frame.readInt32BE(this.position)
    this.position += 4
    return value
  }

  /** Exact, or an InvariantError: ZooKeeper's zxids and times stay far below 2^53. */
  long(what: string): number {
    this.need(8)
    const value = this.frame.readInt32BE(this.position) * 2 ** 32 + this.frame.readUInt32BE(this.position + 4)
    this.position += 8
    return assertSafe(value, what)
  }

  bigLong(): bigint {
    this.need(8)
    const value = this.frame.readBigInt64BE(this.position)
    this.position += 8
    return value
  }

  /** A copy, since the frame is reused; null stays apart from empty. */
  bytes(): Buffer | null {
    const length = this.int()
    if (length < 0) return null
    this.need(length)
    this.position += length
    return Buffer.from(this.frame.subarray(this.position - length, this.position))
  }

  string(): string {
    const length = this.int()
    if (length <= 0) return ''
    this.need(length)
    this.position += length
    return this.frame.toString('utf8', this.position - length, this.position)
  }

  /** A copy of what is left. */
  rest(): Buffer {
    return Buffer.from(this.frame.subarray(this.position))
  }

  vector<T>(element: () => T): T[] {
    const count = this.int()
    const values: T[] = []
    for (let i = 0; i < count; i++) values.push(element())
    return values
  }

  stat(): Stat {
    return {
      czxid: this.long('czxid'),
      mzxid: this.long('mzxid'),
      ctimeMs: this.long('ctime'),
      mtimeMs: this.long('mtime'),
      version: this.int(),
      cversion: this.int(),
      aversion: this.int(),
      ephemeralOwner: this.bigLong(),
      dataLength: this.int(),
      numChildren: this.int(),
      pzxid: this.long('pzxid'),
    }
  }

  acl(): Acl {
    return { perms: this.int(), scheme: this.string(), id: this.string() }
  }

  private need(length: number): void {
    if (length > this.remaining) throw new MalformedReplyError(`a reply ends early, at byte ${this.frame.length}`)
  }
}

/** What a reply without an error holds; the fields that its operation has. */
export interface ReplyPayload {
  path?: string
  data?: Buffer | null
  stat?: Stat
  children?: string[]
  acl?: Acl[]
  results?: MultiEntry[]
  /** A copy of the whole, of operations that are not decoded here (rare-requests.ts). */
  body?: Buffer
}

/** Decodes the body of a successful reply to a request of type `opCode`; `zxid` is its header's. */
export function decodeReply(opCode: number, reader: JuteReader, zxid: number, chroot: string): ReplyPayload {
  switch (opCode) {
    case OpCode.create:
      return { path: withoutChroot(chroot, reader.string()) }
    case OpCode.exists:
    case OpCode.setData:
    case OpCode.setAcl:
      return { stat: reader.stat() }
    case OpCode.getData:
      return { data: reader.bytes(), stat: reader.stat() }
    case OpCode.getChildren2:
      return { children: reader.vector(() => reader.string()), stat: reader.stat() }
    case OpCode.getAcl:
      return { acl: reader.vector(() => reader.acl()), stat: reader.stat() }
    case OpCode.multi:
      return { results: decodeMulti(reader, zxid, chroot) }
    default:
      return { body: reader.rest() }
  }
}

function decodeMulti(reader: JuteReader, zxid: number, chroot: string): MultiEntry[] {
  const entries: MultiEntry[] = []
  for (;;) {
    const type = reader.int()
    const done = reader.bool()
    reader.int()
    if (done) return entries
    switch (type) {
      case OpCode.create:
        // All the operations of a multi have one zxid, so it is the new node's czxid.
        entries.push({ type: 'create', path: withoutChroot(chroot, reader.string()), czxid: zxid })
        break
      case OpCode.setData:
        entries.push({ type: 'set', stat: reader.stat() })
        break
      case OpCode.remove:
        entries.push({ type: 'remove' })
        break
      case OpCode.check:
        entries.push({ type: 'check' })
        break
      case OpCode.error:
        entries.push({ type: 'error', errno: reader.int() })
        break
      default:
        throw new MalformedReplyError(`a multi answers with the unknown operation ${type}`)
    }
  }
}
