import { checkAcl, fixupAcl, readAcl } from './acl'
import type { Acl, AclList, Id } from './acl'
import { CONTAINER_OWNER, MOST_TTL_MS, ownerKind } from './data-tree'
import { JuteError } from './jute'
import type { JuteReader } from './jute'
import { SPECIAL_PATHS, isValidPath, parentOf } from './paths'
import { Code, KeeperError, OpCode, Perms } from './protocol'
import type { CheckTxn, CreateTxn, DeleteTxn, SetAclTxn, SetDataTxn, Txn } from './txn'

/** A write as it came: read, not yet checked. */
export type WriteRequest = CreateRequest | DeleteRequest | SetDataRequest | SetAclRequest | CheckRequest

export interface CreateRequest {
  type: CreateTxn['type']
  path: string
  data: Buffer | null
  acl: Acl[]
  flags: number
  ttlMs: number
}

export interface DeleteRequest {
  type: typeof OpCode.delete
  path: string
  version: number
}

export interface SetDataRequest {
  type: typeof OpCode.setData
  path: string
  data: Buffer | null
  version: number
}

export interface SetAclRequest {
  type: typeof OpCode.setACL
  path: string
  acl: Acl[]
  version: number
}

export interface CheckRequest {
  type: typeof OpCode.check
  path: string
  version: number
}

/** What the checks need to know of a node: a DataNode, or what earlier ops of the same multi will have made of it. */
export interface NodeFacts {
  readonly acl: AclList
  readonly childCount: number
  readonly stat: {
    readonly version: number
    readonly cversion: number
    readonly aversion: number
    readonly ephemeralOwner: bigint
  }
}

/** Who asks. */
export interface Requester {
  readonly sessionId: bigint
  readonly authInfo: readonly Id[]
  readonly extendedTypesEnabled: boolean
}

/** Throws JuteError. */
export function readWriteRequest(type: number, reader: JuteReader): WriteRequest {
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL: {
      const request: CreateRequest = {
        type,
        path: reader.readText(),
        data: reader.readBuffer(),
        acl: readAcl(reader),
        flags: reader.readInt(),
        ttlMs: -1,
      }
      if (type === OpCode.createTTL) request.ttlMs = reader.readLong()
      return request
    }
    case OpCode.delete:
      return { type, path: reader.readText(), version: reader.readInt() }
    // Where the path is checked first of all, no path is as wrong as a bad one.
    case OpCode.check:
      return { type, path: reader.readString() ?? '', version: reader.readInt() }
    case OpCode.setData:
      return { type, path: reader.readString() ?? '', data: reader.readBuffer(), version: reader.readInt() }
    case OpCode.setACL:
      return { type, path: reader.readString() ?? '', acl: readAcl(reader), version: reader.readInt() }
    default:
      throw new JuteError(`operation ${type} is no write`)
  }
}

const MOST_FLAG = 6

function isEphemeral(flags: number): boolean {
  return flags === 1 || flags === 3
}

function isSequential(flags: number): boolean {
  return flags === 2 || flags === 3 || flags === 6
}

function isTtl(flags: number): boolean {
  return flags === 5 || flags === 6
}

/** %010d */
export function sequenceSuffix(counter: number): string {
  return counter < 0 ? `-${String(-counter).padStart(9, '0')}` : String(counter).padStart(10, '0')
}

/**
 * Checks a write and says what it will do (PrepRequestProcessor.pRequest2Txn), in Apache's order of checks, which clients can
 * see. Throws KeeperError.
 */
export function prepare(request: WriteRequest, find: (path: string) => NodeFacts | undefined, requester: Requester): Txn {
  switch (request.type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      return prepareCreate(request, find, requester)
    case OpCode.delete:
      return prepareDelete(request, find, requester)
    case OpCode.setData:
      return prepareSetData(request, find, requester)
    case OpCode.setACL:
      return prepareSetAcl(request, find, requester)
    case OpCode.check:
      return prepareCheck(request, find, requester)
  }
}

type Find = (path: string) => NodeFacts | undefined

function prepareCreate(request: CreateRequest, find: Find, requester: Requester): CreateTxn {
  const { flags } = request
  checkCreateMode(request, requester)
  const parentPath = request.path.includes('\0') ? undefined : parentOf(request.path)
  if (parentPath === undefined) throw new KeeperError(Code.BADARGUMENTS)
  const acl = fixupAcl(request.acl, requester.authInfo)
  const parent = find(parentPath)
  if (parent === undefined) throw new KeeperError(Code.NONODE)
  checkAcl(parent.acl, Perms.create, requester.authInfo)
  const path = isSequential(flags) ? request.path + sequenceSuffix(parent.stat.cversion) : request.path
  if (!isValidPath(path)) throw new KeeperError(Code.BADARGUMENTS)
  if (find(path) !== undefined) throw new KeeperError(Code.NODEEXISTS)
  if (ownerKind(parent.stat.ephemeralOwner) === 'session') throw new KeeperError(Code.NOCHILDRENFOREPHEMERALS)
  return {
    type: request.type,
    path,
    data: request.data,
    acl,
    ephemeral: isEphemeral(flags),
    parentCversion: (parent.stat.cversion + 1) | 0,
    ttlMs: request.ttlMs,
  }
}

function checkCreateMode({ type, flags, ttlMs }: CreateRequest, requester: Requester): void {
  if (flags < 0 || flags > MOST_FLAG) throw new KeeperError(Code.BADARGUMENTS)
  if (isTtl(flags) && !requester.extendedTypesEnabled) throw new KeeperError(Code.UNIMPLEMENTED)
  // Where Apache would take the one for the other and trip over it later, the flags must fit the operation.
  if (isTtl(flags) !== (type === OpCode.createTTL)) throw new KeeperError(Code.BADARGUMENTS)
  if (isTtl(flags) ? ttlMs <= 0 || ttlMs > MOST_TTL_MS : ttlMs >= 0) throw new KeeperError(Code.BADARGUMENTS)
}

function prepareDelete(request: DeleteRequest, find: Find, requester: Requester): DeleteTxn {
  const { path } = request
  const parentPath = path.includes('\0') || SPECIAL_PATHS.has(path) ? undefined : parentOf(path)
  if (parentPath === undefined) throw new KeeperError(Code.BADARGUMENTS)
  const parent = find(parentPath)
  if (parent === undefined) throw new KeeperError(Code.NONODE)
  // The parent's permission is asked before the node is looked for.
  checkAcl(parent.acl, Perms.delete, requester.authInfo)
  const node = find(path)
  if (node === undefined) throw new KeeperError(Code.NONODE)
  nextVersion(node.stat.version, request.version)
  if (node.childCount > 0) throw new KeeperError(Code.NOTEMPTY)
  return { type: OpCode.delete, path }
}

function existing(path: string, find: Find): NodeFacts {
  if (!isValidPath(path)) throw new KeeperError(Code.BADARGUMENTS)
  const node = find(path)
  if (node === undefined) throw new KeeperError(Code.NONODE)
  return node
}

function nextVersion(current: number, expected: number): number {
  if (expected !== -1 && expected !== current) throw new KeeperError(Code.BADVERSION)
  return (current + 1) | 0
}

function prepareSetData({ path, data, version }: SetDataRequest, find: Find, requester: Requester): SetDataTxn {
  const node = existing(path, find)
  checkAcl(node.acl, Perms.write, requester.authInfo)
  return { type: OpCode.setData, path, data, version: nextVersion(node.stat.version, version) }
}

function prepareSetAcl(request: SetAclRequest, find: Find, requester: Requester): SetAclTxn {
  const { path } = request
  if (!isValidPath(path)) throw new KeeperError(Code.BADARGUMENTS)
  const acl = fixupAcl(request.acl, requester.authInfo)
  const node = existing(path, find)
  checkAcl(node.acl, Perms.admin, requester.authInfo)
  return { type: OpCode.setACL, path, acl, version: nextVersion(node.stat.aversion, request.version) }
}

function prepareCheck({ path, version }: CheckRequest, find: Find, requester: Requester): CheckTxn {
  const node = existing(path, find)
  checkAcl(node.acl, Perms.read, requester.authInfo)
  return { type: OpCode.check, path, version: nextVersion(node.stat.version, version) }
}

/** The tree as the ops of a multi see it: with the effects of those before them. */
export class Overlay {
  private readonly base: Find
  private readonly changed = new Map<string, NodeFacts | undefined>()

  constructor(base: Find) {
    this.base = base
  }

  readonly find: Find = (path) => {
    const key = path === '/' ? '' : path
    return this.changed.has(key) ? this.changed.get(key) : this.base(path)
  }

  /** Takes in what `prepare` has just allowed. */
  note(txn: Txn, sessionId: bigint): void {
    switch (txn.type) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTTL: {
        this.family(txn.path, 1, txn.parentCversion)
        const container = txn.type === OpCode.createContainer ? CONTAINER_OWNER : 0n
        const stat = { version: 0, cversion: 0, aversion: 0, ephemeralOwner: txn.ephemeral ? sessionId : container }
        this.changed.set(txn.path, { acl: txn.acl, childCount: 0, stat })
        return
      }
      case OpCode.delete:
        this.family(txn.path, -1, undefined)
        this.changed.set(txn.path, undefined)
        return
      case OpCode.setData: {
        const node = this.find(txn.path)!
        this.changed.set(txn.path === '/' ? '' : txn.path, { ...facts(node), stat: { ...node.stat, version: txn.version } })
      }
    }
  }

  private family(path: string, more: number, cversion: number | undefined): void {
    const parentPath = parentOf(path)!
    const parent = this.find(parentPath)!
    const stat = cversion === undefined ? parent.stat : { ...parent.stat, cversion }
    this.changed.set(parentPath, { ...facts(parent), childCount: parent.childCount + more, stat })
  }
}

function facts({ acl, childCount, stat }: NodeFacts): NodeFacts {
  return { acl, childCount, stat }
}
