import type { JuteReader, JuteWriter } from '../../zookeeper/jute'
import { Code, OpCode } from '../../zookeeper/protocol'
import { RawClient } from './raw-client'
import type { Reply } from './raw-client'

const CODE_NAMES = new Map<number, string>(Object.entries(Code).map(([name, code]) => [code, name]))
const EVENTS = ['', 'created', 'deleted', 'dataChanged', 'childrenChanged']

export interface AclSpec {
  perms: number
  scheme: string
  id: string
}

export const OPEN: AclSpec[] = [{ perms: 31, scheme: 'world', id: 'anyone' }]

type Body = (writer: JuteWriter) => void

export function writeAclSpec(writer: JuteWriter, acl: AclSpec[]): void {
  writer.writeVector(acl, (entry) => {
    writer.writeInt(entry.perms)
    writer.writeString(entry.scheme)
    writer.writeString(entry.id)
  })
}

function data(value: string | null): Buffer | null {
  return value === null ? null : Buffer.from(value)
}

/** The op of a multi: what stands in its header, and its body. */
export interface MultiOp {
  type: number
  body: Body
}

export const op = {
  create: (path: string, value: string | null = '', flags = 0, acl = OPEN): MultiOp => ({
    type: OpCode.create,
    body: createBody(path, value, flags, acl),
  }),
  create2: (path: string, value: string | null = '', flags = 0, acl = OPEN): MultiOp => ({
    type: OpCode.create2,
    body: createBody(path, value, flags, acl),
  }),
  container: (path: string): MultiOp => ({ type: OpCode.createContainer, body: createBody(path, '', 4, OPEN) }),
  delete: (path: string, version = -1): MultiOp => ({ type: OpCode.delete, body: versionBody(path, version) }),
  set: (path: string, value: string | null, version = -1): MultiOp => ({
    type: OpCode.setData,
    body: setBody(path, value, version),
  }),
  check: (path: string, version: number): MultiOp => ({ type: OpCode.check, body: versionBody(path, version) }),
  getData: (path: string): MultiOp => ({ type: OpCode.getData, body: watchBody(path, false) }),
  getChildren: (path: string): MultiOp => ({ type: OpCode.getChildren, body: watchBody(path, false) }),
}

function createBody(path: string | null, value: string | null, flags: number, acl: AclSpec[]): Body {
  return (writer) => {
    writer.writeString(path)
    writer.writeBuffer(data(value))
    writeAclSpec(writer, acl)
    writer.writeInt(flags)
  }
}

function versionBody(path: string, version: number): Body {
  return (writer) => {
    writer.writeString(path)
    writer.writeInt(version)
  }
}

function setBody(path: string, value: string | null, version: number): Body {
  return (writer) => {
    writer.writeString(path)
    writer.writeBuffer(data(value))
    writer.writeInt(version)
  }
}

function watchBody(path: string, watch: boolean): Body {
  return (writer) => {
    writer.writeString(path)
    writer.writeBool(watch)
  }
}

/**
 * A conversation with a ZooKeeper as lines of text, with everything that differs from run to run replaced: session ids become
 * s1, s2 ..., times T, and children are sorted. zxids stay: they are the same on every server that counts as Apache's does.
 */
export class Transcript {
  readonly lines: string[] = []
  readonly port: number
  private readonly names = new Map<bigint, string>()

  constructor(port: number) {
    this.port = port
  }

  note(line: string): void {
    this.lines.push(line)
  }

  nameOf(sessionId: bigint): string {
    if (sessionId === 0n) return '0'
    const kind = BigInt.asUintN(64, sessionId) >> 56n
    if (kind === 0x80n || kind === 0xffn) return `0x${BigInt.asUintN(64, sessionId).toString(16)}`
    if (!this.names.has(sessionId)) this.names.set(sessionId, `s${this.names.size + 1}`)
    return this.names.get(sessionId)!
  }

  async session(timeoutMs = 10_000): Promise<Talker> {
    const talker = new Talker(this, await RawClient.open(this.port))
    await talker.greet({ timeoutMs })
    return talker
  }

  async connection(): Promise<Talker> {
    return new Talker(this, await RawClient.open(this.port))
  }
}

/** One connection of a transcript; each method is one request and one line. */
export class Talker {
  readonly client: RawClient
  private readonly transcript: Transcript
  name = '?'

  constructor(transcript: Transcript, client: RawClient) {
    this.transcript = transcript
    this.client = client
    client.onEvent = ({ type, path }) => transcript.note(`  ${this.name} event ${EVENTS[type]} ${JSON.stringify(path)}`)
  }

  async greet(options: Parameters<RawClient['handshake']>[0] = {}): Promise<void> {
    const answer = await this.client.handshake(options)
    if (answer === undefined) return this.transcript.note('handshake -> closed')
    this.name = this.transcript.nameOf(answer.sessionId)
    const empty = answer.password.every((byte) => byte === 0) ? 'zeros' : 'secret'
    this.transcript.note(
      `handshake ${options.timeoutMs} -> ${this.name} timeout=${answer.timeoutMs} ` +
        `password=${answer.password.length} ${empty} bytes=${answer.bytes}`,
    )
    if (answer.sessionId === 0n) {
      await this.client.closed
      this.transcript.note('  closed')
    }
  }

  async do(
    what: string,
    type: number,
    body: Body,
    show: (reader: JuteReader) => string = () => '',
    xid?: number,
  ): Promise<Reply | undefined> {
    const reply = await this.client.request(type, body, xid)
    if (reply === undefined) {
      this.transcript.note(`${this.name} ${what} -> closed`)
      return reply
    }
    const code = CODE_NAMES.get(reply.code) ?? reply.code
    const answer = reply.code === 0 ? show(reply.body) : ''
    // Behind an error Apache sometimes sends a body, which clients do not read.
    const rest = reply.code === 0 && reply.body.remaining > 0 ? ` +${reply.body.remaining} bytes` : ''
    this.transcript.note(`${this.name} ${what} -> ${code} zxid=${reply.zxid}${answer === '' ? '' : ` ${answer}`}${rest}`)
    return reply
  }

  private stat(reader: JuteReader): string {
    const [czxid, mzxid] = [reader.readLong(), reader.readLong()]
    const [ctime, mtime] = [reader.readLong(), reader.readLong()]
    const [version, cversion, aversion] = [reader.readInt(), reader.readInt(), reader.readInt()]
    const owner = this.transcript.nameOf(reader.readBigLong())
    const [length, children] = [reader.readInt(), reader.readInt()]
    const times = `${ctime === 0 ? 0 : 'T'}/${mtime === 0 ? 0 : 'T'}`
    const zxids = `c=${czxid} m=${mzxid} p=${reader.readLong()}`
    const versions = `v=${version} cv=${cversion} av=${aversion}`
    return `{${zxids} t=${times} ${versions} owner=${owner} length=${length} children=${children}}`
  }

  private static text(reader: JuteReader): string {
    return JSON.stringify(reader.readString())
  }

  private static data(reader: JuteReader): string {
    const bytes = reader.readBuffer()
    return bytes === null ? 'null' : JSON.stringify(bytes.toString())
  }

  private static names(reader: JuteReader): string {
    return `[${reader
      .readVector(4, () => reader.readText())
      .sort()
      .join(' ')}]`
  }

  create(path: string | null, value: string | null = '', flags = 0, acl = OPEN): Promise<unknown> {
    return this.do(
      `create ${JSON.stringify(path)} ${value} flags=${flags}`,
      OpCode.create,
      createBody(path, value, flags, acl),
      Talker.text,
    )
  }

  create2(path: string, value: string | null = '', flags = 0, acl = OPEN): Promise<unknown> {
    return this.do(
      `create2 ${path} ${value} flags=${flags}`,
      OpCode.create2,
      createBody(path, value, flags, acl),
      (r) => `${Talker.text(r)} ${this.stat(r)}`,
    )
  }

  createContainer(path: string, flags = 4): Promise<unknown> {
    return this.do(
      `createContainer ${path} flags=${flags}`,
      OpCode.createContainer,
      createBody(path, '', flags, OPEN),
      (r) => `${Talker.text(r)} ${this.stat(r)}`,
    )
  }

  createTtl(path: string, ttlMs: number, flags = 5): Promise<unknown> {
    const body: Body = (writer) => {
      createBody(path, '', flags, OPEN)(writer)
      writer.writeLong(ttlMs)
    }
    return this.do(
      `createTTL ${path} ttl=${ttlMs} flags=${flags}`,
      OpCode.createTTL,
      body,
      (r) => `${Talker.text(r)} ${this.stat(r)}`,
    )
  }

  delete(path: string, version = -1): Promise<unknown> {
    return this.do(`delete ${JSON.stringify(path)} ${version}`, OpCode.delete, versionBody(path, version))
  }

  exists(path: string, watch = false): Promise<unknown> {
    return this.do(`exists ${JSON.stringify(path)} ${watch}`, OpCode.exists, watchBody(path, watch), (r) => this.stat(r))
  }

  get(path: string, watch = false): Promise<unknown> {
    return this.do(
      `getData ${JSON.stringify(path)} ${watch}`,
      OpCode.getData,
      watchBody(path, watch),
      (r) => `${Talker.data(r)} ${this.stat(r)}`,
    )
  }

  set(path: string, value: string | null, version = -1): Promise<unknown> {
    return this.do(`setData ${JSON.stringify(path)} ${value} ${version}`, OpCode.setData, setBody(path, value, version), (r) =>
      this.stat(r),
    )
  }

  private acl(reader: JuteReader): string {
    const entries = reader.readVector(12, () => `${reader.readInt()}:${reader.readString()}:${reader.readString()}`)
    return `${entries.join(',')} ${this.stat(reader)}`
  }

  getAcl(path: string): Promise<unknown> {
    return this.do(
      `getACL ${path}`,
      OpCode.getACL,
      (w) => w.writeString(path),
      (r) => this.acl(r),
    )
  }

  setAcl(path: string, acl: AclSpec[], version = -1): Promise<unknown> {
    const body: Body = (writer) => {
      writer.writeString(path)
      writeAclSpec(writer, acl)
      writer.writeInt(version)
    }
    const shown = acl.map((entry) => `${entry.perms}:${entry.scheme}:${entry.id}`).join(',')
    return this.do(`setACL ${path} ${shown} ${version}`, OpCode.setACL, body, (r) => this.stat(r))
  }

  children(path: string, watch = false): Promise<unknown> {
    return this.do(`getChildren ${JSON.stringify(path)} ${watch}`, OpCode.getChildren, watchBody(path, watch), Talker.names)
  }

  children2(path: string, watch = false): Promise<unknown> {
    return this.do(
      `getChildren2 ${path} ${watch}`,
      OpCode.getChildren2,
      watchBody(path, watch),
      (r) => `${Talker.names(r)} ${this.stat(r)}`,
    )
  }

  sync(path: string): Promise<unknown> {
    return this.do(`sync ${path}`, OpCode.sync, (w) => w.writeString(path), Talker.text)
  }

  multi(...ops: MultiOp[]): Promise<unknown> {
    return this.many('multi', OpCode.multi, ops)
  }

  multiRead(...ops: MultiOp[]): Promise<unknown> {
    return this.many('multiRead', OpCode.multiRead, ops)
  }

  private many(what: string, type: number, ops: MultiOp[]): Promise<unknown> {
    const body: Body = (writer) => {
      for (const one of ops) {
        writer.writeInt(one.type)
        writer.writeBool(false)
        writer.writeInt(-1)
        one.body(writer)
      }
      writer.writeInt(-1)
      writer.writeBool(true)
      writer.writeInt(-1)
    }
    return this.do(`${what} ${ops.map((one) => one.type).join(',')}`, type, body, (reader) => this.results(reader))
  }

  private results(reader: JuteReader): string {
    const parts: string[] = []
    for (;;) {
      const [type, done, error] = [reader.readInt(), reader.readBool(), reader.readInt()]
      if (done) return `${parts.join('; ')} end(${type},${error})`
      parts.push(`(${type},${error})${this.result(type, reader)}`)
    }
  }

  private result(type: number, reader: JuteReader): string {
    switch (type) {
      case OpCode.error:
        return ` ${CODE_NAMES.get(reader.readInt())}`
      case OpCode.create:
        return ` ${Talker.text(reader)}`
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTTL:
        return ` ${Talker.text(reader)} ${this.stat(reader)}`
      case OpCode.setData:
        return ` ${this.stat(reader)}`
      case OpCode.getData:
        return ` ${Talker.data(reader)} ${this.stat(reader)}`
      case OpCode.getChildren:
        return ` ${Talker.names(reader)}`
      default:
        return ''
    }
  }

  auth(scheme: string, auth: string): Promise<unknown> {
    const body: Body = (writer) => {
      writer.writeInt(0)
      writer.writeString(scheme)
      writer.writeBuffer(Buffer.from(auth))
    }
    return this.do(`auth ${scheme} ${auth}`, OpCode.auth, body, undefined, -4)
  }

  whoAmI(): Promise<unknown> {
    return this.do(
      'whoAmI',
      OpCode.whoAmI,
      () => {},
      (r) =>
        r
          .readVector(8, () => `${r.readString()}:${r.readString()}`)
          .sort()
          .join(','),
    )
  }

  ephemerals(prefix: string | null): Promise<unknown> {
    return this.do(`getEphemerals ${prefix}`, OpCode.getEphemerals, (w) => w.writeString(prefix), Talker.names)
  }

  descendants(path: string): Promise<unknown> {
    return this.do(
      `getAllChildrenNumber ${path}`,
      OpCode.getAllChildrenNumber,
      (w) => w.writeString(path),
      (r) => String(r.readInt()),
    )
  }

  addWatch(path: string, mode: number): Promise<unknown> {
    return this.do(`addWatch ${path} ${mode}`, OpCode.addWatch, versionBody(path, mode), (r) => String(r.readInt()))
  }

  checkWatches(path: string, kind: number): Promise<unknown> {
    return this.do(`checkWatches ${path} ${kind}`, OpCode.checkWatches, versionBody(path, kind))
  }

  removeWatches(path: string, kind: number): Promise<unknown> {
    return this.do(`removeWatches ${path} ${kind}`, OpCode.removeWatches, versionBody(path, kind))
  }

  setWatches(since: number, lists: string[][]): Promise<unknown> {
    const type = lists.length === 3 ? OpCode.setWatches : OpCode.setWatches2
    const body: Body = (writer) => {
      writer.writeLong(since)
      for (const list of lists) writer.writeVector(list, (path) => writer.writeString(path))
    }
    return this.do(`setWatches${lists.length === 3 ? '' : '2'} ${since} ${JSON.stringify(lists)}`, type, body, undefined, -8)
  }

  ping(): Promise<unknown> {
    return this.do('ping', OpCode.ping, () => {}, undefined, -2)
  }

  raw(what: string, type: number, bytes: string): Promise<unknown> {
    const body = Buffer.from(bytes, 'hex')
    return this.do(`${what} (${type}) ${bytes}`, type, (writer) => writer.writeRaw(body))
  }

  /** Lets everything that this session has been told arrive. */
  async events(): Promise<void> {
    await this.client.barrier()
  }

  async end(): Promise<void> {
    await this.do('closeSession', OpCode.closeSession, () => {})
    await this.client.closed
    this.transcript.note('  closed')
  }
}
