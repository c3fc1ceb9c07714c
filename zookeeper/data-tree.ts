import { AclInterner, OPEN_ACL, READ_ACL } from './acl'
import type { AclList } from './acl'
import type { JuteWriter } from './jute'
import { nameOf, parentOf } from './paths'
import { Code, EventType, OpCode } from './protocol'
import type { CreateTxn, Txn, TxnHeader } from './txn'

/** ephemeralOwner of a container; no session has it. */
export const CONTAINER_OWNER = -(2n ** 63n)
/** The high byte of a TTL node's ephemeralOwner; the low five bytes are the milliseconds. */
const TTL_MASK = -(2n ** 56n)
export const MOST_TTL_MS = 2 ** 40 - 1

/** StatPersisted: replaced as a whole, never changed, so that whoever holds one holds the state of one moment. */
export interface NodeStat {
  readonly czxid: number
  readonly mzxid: number
  readonly ctimeMs: number
  readonly mtimeMs: number
  readonly version: number
  /** Creations of children, not the client's cversion (which counts deletions too). */
  readonly cversion: number
  readonly aversion: number
  readonly ephemeralOwner: bigint
  readonly pzxid: number
}

export type OwnerKind = 'none' | 'session' | 'container' | 'ttl'

/** EphemeralType.get, with the extended types always known: session ids of ours never look like them. */
export function ownerKind(owner: bigint): OwnerKind {
  if (owner === 0n) return 'none'
  if (owner === CONTAINER_OWNER) return 'container'
  return (owner & TTL_MASK) === TTL_MASK ? 'ttl' : 'session'
}

export function ttlMsOf(owner: bigint): number {
  return Number(owner & (2n ** 40n - 1n))
}

const NO_CHILDREN: ReadonlySet<string> = new Set()

/** `data`, `acl` and `stat` are replaced, never changed in place: a snapshot keeps the ones it saw. */
export class DataNode {
  data: Buffer | null
  acl: AclList
  stat: NodeStat
  private names: Set<string> | undefined

  constructor(data: Buffer | null, acl: AclList, stat: NodeStat) {
    this.data = data
    this.acl = acl
    this.stat = stat
  }

  /** Names in the order of creation. */
  get children(): ReadonlySet<string> {
    return this.names ?? NO_CHILDREN
  }

  get childCount(): number {
    return this.names?.size ?? 0
  }

  addChild(name: string): void {
    this.names ??= new Set()
    this.names.add(name)
  }

  removeChild(name: string): void {
    this.names?.delete(name)
    if (this.names?.size === 0) this.names = undefined
  }
}

/** A node's Stat as a client sees it at one moment. */
export interface ClientStat {
  readonly stat: NodeStat
  readonly dataLength: number
  readonly childCount: number
}

export function statOf(node: DataNode): ClientStat {
  return { stat: node.stat, dataLength: node.data?.length ?? 0, childCount: node.childCount }
}

/** DataNode.copyStat: only sessions show as owners, and cversion counts creations and deletions. */
export function writeStat(writer: JuteWriter, { stat, dataLength, childCount }: ClientStat): void {
  writer.writeLong(stat.czxid)
  writer.writeLong(stat.mzxid)
  writer.writeLong(stat.ctimeMs)
  writer.writeLong(stat.mtimeMs)
  writer.writeInt(stat.version)
  writer.writeInt((stat.cversion * 2 - childCount) | 0)
  writer.writeInt(stat.aversion)
  writer.writeBigLong(ownerKind(stat.ephemeralOwner) === 'session' ? stat.ephemeralOwner : 0n)
  writer.writeInt(dataLength)
  writer.writeInt(childCount)
  writer.writeLong(stat.pzxid)
}

/** What a transaction did that watches may wait for. */
export interface Change {
  readonly type: typeof EventType.nodeCreated | typeof EventType.nodeDeleted | typeof EventType.nodeDataChanged
  readonly path: string
  readonly acl: AclList
  readonly parentAcl: AclList
}

export interface TxnResult {
  readonly type: number
  readonly error: number
  readonly path: string
  readonly stat: ClientStat | undefined
  /** Of a multi: one per op. */
  readonly results: readonly TxnResult[]
}

const EMPTY_STAT: NodeStat = {
  czxid: 0,
  mzxid: 0,
  ctimeMs: 0,
  mtimeMs: 0,
  version: 0,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0n,
  pzxid: 0,
}

const NO_RESULTS: readonly TxnResult[] = []

/**
 * The znodes: a pure state machine. Transactions were checked before they came here; the same transactions in the same order
 * give the same tree, on any machine. Inside, the root is the empty path, so that every path is its parent's plus `/name`.
 */
export class DataTree {
  private readonly nodes = new Map<string, DataNode>()
  private readonly interner = new AclInterner()
  /** Paths by the session that owns them. */
  readonly ephemerals = new Map<bigint, Set<string>>()
  readonly containers = new Set<string>()
  readonly ttls = new Set<string>()
  /** The zxid of the last transaction that was applied. */
  lastZxid = 0
  /** Lengths of all paths and data. */
  dataBytes = 0

  constructor() {
    this.put('', new DataNode(Buffer.alloc(0), OPEN_ACL, EMPTY_STAT))
    for (const path of ['/zookeeper', '/zookeeper/quota', '/zookeeper/config']) {
      const config = path === '/zookeeper/config'
      this.put(
        path,
        new DataNode(Buffer.alloc(0), config ? READ_ACL : OPEN_ACL, config ? { ...EMPTY_STAT, aversion: -1 } : EMPTY_STAT),
      )
    }
  }

  /** How many nodes there are, the root included. */
  get size(): number {
    return this.nodes.size
  }

  /** Takes a client's path: `/` is the root. */
  get(path: string): DataNode | undefined {
    return this.nodes.get(path === '/' ? '' : path)
  }

  /** Forgets every node, before a snapshot is read. */
  clear(): void {
    this.nodes.clear()
    this.ephemerals.clear()
    this.containers.clear()
    this.ttls.clear()
    this.dataBytes = 0
  }

  /** Puts a node from a snapshot. False if its parent is not there. */
  restore(path: string, data: Buffer | null, acl: AclList, stat: NodeStat): boolean {
    const parent = parentOf(path)
    if (parent !== undefined && !this.nodes.has(parent)) return false
    this.put(path, new DataNode(data, this.interner.intern(acl), stat))
    return true
  }

  /** Every node with its path, parents before children. */
  entries(): IterableIterator<[string, DataNode]> {
    return this.nodes.entries()
  }

  /** All descendants of a node (not the node itself). */
  countDescendants(path: string): number {
    let count = 0
    const waiting = [path === '/' ? '' : path]
    for (let parent = waiting.pop(); parent !== undefined; parent = waiting.pop()) {
      const children = this.nodes.get(parent)?.children ?? NO_CHILDREN
      count += children.size
      for (const name of children) waiting.push(`${parent}/${name}`)
    }
    return count
  }

  /**
   * Applies one transaction. Errors of single operations are results, not exceptions: they happen when Apache's log is replayed
   * over its fuzzy snapshot, which may already hold what the log does. `changes` gets what watches wait for.
   */
  apply(header: TxnHeader, txn: Txn, changes?: Change[]): TxnResult {
    const result = this.applyOne(header, txn, changes)
    if (header.zxid > this.lastZxid) this.lastZxid = header.zxid
    return result
  }

  private applyOne(header: TxnHeader, txn: Txn, changes: Change[] | undefined): TxnResult {
    switch (txn.type) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTTL:
        return this.create(header, txn, changes)
      case OpCode.delete:
      case OpCode.deleteContainer:
        return {
          type: txn.type,
          error: this.remove(txn.path, header.zxid, changes),
          path: txn.path,
          stat: undefined,
          results: NO_RESULTS,
        }
      case OpCode.setData:
        return this.setData(header, txn.path, txn.data, txn.version, changes)
      case OpCode.setACL:
        return this.setAcl(txn.path, txn.acl, txn.version)
      case OpCode.closeSession:
        this.endSession(header, txn.paths, changes)
        return { type: txn.type, error: Code.OK, path: '', stat: undefined, results: NO_RESULTS }
      case OpCode.error:
        return { type: txn.type, error: txn.error, path: '', stat: undefined, results: NO_RESULTS }
      case OpCode.multi:
        return this.multi(header, txn.ops, changes)
      case OpCode.check:
      case OpCode.createSession:
        return { type: txn.type, error: Code.OK, path: '', stat: undefined, results: NO_RESULTS }
    }
  }

  private put(path: string, node: DataNode): void {
    this.nodes.set(path, node)
    this.dataBytes += path.length + (node.data?.length ?? 0)
    const parent = parentOf(path)
    if (parent !== undefined) this.nodes.get(parent)!.addChild(nameOf(path))
    const owner = node.stat.ephemeralOwner
    const kind = ownerKind(owner)
    if (kind === 'container') this.containers.add(path)
    else if (kind === 'ttl') this.ttls.add(path)
    else if (kind === 'session') {
      const owned = this.ephemerals.get(owner)
      if (owned === undefined) this.ephemerals.set(owner, new Set([path]))
      else owned.add(path)
    }
  }

  private create(header: TxnHeader, txn: CreateTxn, changes: Change[] | undefined): TxnResult {
    const { type, path } = txn
    const parent = this.nodes.get(parentOf(path) ?? path)
    if (parent === undefined) return { type, error: Code.NONODE, path, stat: undefined, results: NO_RESULTS }
    const creations = txn.parentCversion === -1 ? parent.stat.cversion + 1 : txn.parentCversion
    // A fuzzy snapshot may be ahead of its log.
    if (creations > parent.stat.cversion) parent.stat = { ...parent.stat, cversion: creations, pzxid: header.zxid }
    if (this.nodes.has(path)) return { type, error: Code.NODEEXISTS, path, stat: undefined, results: NO_RESULTS }
    const { zxid, timeMs } = header
    const stat: NodeStat = {
      czxid: zxid,
      mzxid: zxid,
      ctimeMs: timeMs,
      mtimeMs: timeMs,
      version: 0,
      cversion: 0,
      aversion: 0,
      ephemeralOwner: ownerOf(header, txn),
      pzxid: zxid,
    }
    const node = new DataNode(txn.data, this.interner.intern(txn.acl), stat)
    this.put(path, node)
    changes?.push({ type: EventType.nodeCreated, path, acl: node.acl, parentAcl: parent.acl })
    return { type, error: Code.OK, path, stat: statOf(node), results: NO_RESULTS }
  }

  private remove(path: string, zxid: number, changes: Change[] | undefined): Code {
    const parent = this.nodes.get(parentOf(path) ?? '')
    if (parent === undefined) return Code.NONODE
    if (zxid > parent.stat.pzxid) parent.stat = { ...parent.stat, pzxid: zxid }
    const node = this.nodes.get(path)
    if (node === undefined) return Code.NONODE
    parent.removeChild(nameOf(path))
    this.nodes.delete(path)
    this.dataBytes -= path.length + (node.data?.length ?? 0)
    this.containers.delete(path)
    this.ttls.delete(path)
    const owner = node.stat.ephemeralOwner
    const owned = this.ephemerals.get(owner)
    owned?.delete(path)
    if (owned?.size === 0) this.ephemerals.delete(owner)
    changes?.push({ type: EventType.nodeDeleted, path, acl: node.acl, parentAcl: parent.acl })
    return Code.OK
  }

  private setData(
    header: TxnHeader,
    path: string,
    data: Buffer | null,
    version: number,
    changes: Change[] | undefined,
  ): TxnResult {
    const type = OpCode.setData
    const node = this.get(path)
    if (node === undefined) return { type, error: Code.NONODE, path, stat: undefined, results: NO_RESULTS }
    this.dataBytes += (data?.length ?? 0) - (node.data?.length ?? 0)
    node.data = data
    node.stat = { ...node.stat, mtimeMs: header.timeMs, mzxid: header.zxid, version }
    changes?.push({ type: EventType.nodeDataChanged, path, acl: node.acl, parentAcl: node.acl })
    return { type, error: Code.OK, path, stat: statOf(node), results: NO_RESULTS }
  }

  private setAcl(path: string, acl: AclList, version: number): TxnResult {
    const type = OpCode.setACL
    const node = this.get(path)
    if (node === undefined) return { type, error: Code.NONODE, path, stat: undefined, results: NO_RESULTS }
    node.acl = this.interner.intern(acl)
    node.stat = { ...node.stat, aversion: version }
    return { type, error: Code.OK, path, stat: statOf(node), results: NO_RESULTS }
  }

  private endSession(header: TxnHeader, paths: readonly string[] | undefined, changes: Change[] | undefined): void {
    const owned = this.ephemerals.get(header.sessionId)
    for (const path of paths ?? []) this.remove(path, header.zxid, changes)
    // Where the snapshot is fuzzy, the session may own more than its end says.
    for (const path of [...(owned ?? [])]) this.remove(path, header.zxid, changes)
  }

  private multi(header: TxnHeader, ops: readonly Txn[], changes: Change[] | undefined): TxnResult {
    const failed = ops.findIndex((op) => op.type === OpCode.error)
    const results = ops.map((op, index): TxnResult => {
      if (failed === -1) return this.applyOne(header, op, changes)
      const error = op.type === OpCode.error ? op.error : index < failed ? Code.OK : Code.RUNTIMEINCONSISTENCY
      return { type: OpCode.error, error, path: '', stat: undefined, results: NO_RESULTS }
    })
    const error = results.find((result) => result.error !== 0)?.error ?? Code.OK
    return { type: OpCode.multi, error, path: '', stat: undefined, results }
  }
}

function ownerOf(header: TxnHeader, txn: CreateTxn): bigint {
  if (txn.type === OpCode.createContainer) return CONTAINER_OWNER
  if (txn.type === OpCode.createTTL) return TTL_MASK | BigInt(txn.ttlMs)
  return txn.ephemeral ? header.sessionId : 0n
}
