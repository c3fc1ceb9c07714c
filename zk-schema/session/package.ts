/// <reference path="./node-zookeeper-client.d.ts" preserve="true" />
import zookeeper from 'node-zookeeper-client'
import type { Client } from 'node-zookeeper-client'
import jute from 'node-zookeeper-client/lib/jute'
import { OpCode } from './replies'
import type { Acl, ReplyPayload } from './replies'

/** One of the package's jute records, or one of ours that it lacks. */
export interface JuteRecord {
  setChrootPath(chroot: string): void
  byteLength(): number
  serialize(target: Buffer, offset: number): number
}

export interface JuteRequest {
  readonly header: { readonly type: number }
  readonly payload: JuteRecord | null
  /** int32 length, header, payload. */
  toBuffer(): Buffer
}

/** An error on its way from the wire through the package, which asks it for its code. */
export class Failure {
  readonly errno: number
  readonly text: string | undefined

  constructor(errno: number, text?: string) {
    this.errno = errno
    this.text = text
  }

  getCode(): number {
    return this.errno
  }
}

export interface JuteResponse {
  readonly header: { readonly err: number; readonly zxid: number }
  readonly payload: ReplyPayload | null
}

export type ReplyCallback = (error: Failure | null, response: JuteResponse) => void

/** What the package's Client asks of its connection manager; ours (connection-manager.ts) takes the place of the package's. */
export interface ClientTransport {
  connect(): void
  close(): void
  queue(request: JuteRequest, callback: ReplyCallback): void
  registerDataWatcher(path: string, watcher: () => void): void
  registerChildWatcher(path: string, watcher: () => void): void
  registerExistenceWatcher(path: string, watcher: () => void): void
  addAuthInfo(scheme: string, auth: Buffer): void
  getSessionId(): Buffer
  getSessionPassword(): Buffer
  getSessionTimeout(): number
}

/** The package's states of a connection (ConnectionManager.STATES), of which its Client makes its own. */
export const ClientState = { disconnected: 0, connected: 2, expired: -3, authFailed: -4 } as const

/**
 * The package's Client above a transport of ours. Nothing is started before `connect()`, so the package's own manager never opens
 * a socket nor sets a timer. It retries nothing: a create that is sent twice is a create that may happen twice.
 */
export function clientOver(transport: ClientTransport, sessionTimeoutMs: number): Client {
  const client = zookeeper.createClient('replaced:2181', { sessionTimeout: sessionTimeoutMs, retries: 0 })
  client.connectionManager = transport
  return client
}

export type { Client }

/** Everybody may do everything: ZooDefs.Ids.OPEN_ACL_UNSAFE. */
export const openAcl: readonly Acl[] = [{ perms: 31, scheme: 'world', id: 'anyone' }]

/** One operation of a multi. Versions are conditions; -1 stands for any. */
export type Op =
  | { type: 'create'; path: string; data: Buffer | null; ephemeral?: boolean; sequential?: boolean; acl?: readonly Acl[] }
  | { type: 'set'; path: string; data: Buffer | null; version: number }
  | { type: 'remove'; path: string; version: number }
  | { type: 'check'; path: string; version: number }

export interface CreateOptions {
  ephemeral?: boolean
  sequential?: boolean
  acl?: readonly Acl[]
}

export function request(type: number, payload: JuteRecord | null): JuteRequest {
  return new jute.Request(new jute.protocol.RequestHeader(0, type), payload)
}

export function aclRecord(acl: Acl): JuteRecord {
  return new jute.data.ACL(acl.perms, new jute.data.Id(acl.scheme, acl.id))
}

function createFlags(options: CreateOptions): number {
  return (options.ephemeral === true ? 1 : 0) + (options.sequential === true ? 2 : 0)
}

/** Not by Client.create: it hides the reply's zxid, which is the node's czxid, and throws above 1 MiB. */
export function createRequest(path: string, data: Buffer | null, options: CreateOptions): JuteRequest {
  const acl = (options.acl ?? openAcl).map(aclRecord)
  return request(OpCode.create, new jute.protocol.CreateRequest(path, data ?? undefined, acl, createFlags(options)))
}

/** Not by Client.setData: it throws on null and above 1 MiB. */
export function setDataRequest(path: string, data: Buffer | null, version: number): JuteRequest {
  return request(OpCode.setData, new jute.protocol.SetDataRequest(path, data ?? undefined, version))
}

/** Not by Client.getACL and setACL: they insist on records of the package in the reply. */
export function getAclRequest(path: string): JuteRequest {
  return request(OpCode.getAcl, new jute.protocol.GetACLRequest(path))
}

export function setAclRequest(path: string, acl: readonly Acl[], aversion: number): JuteRequest {
  return request(OpCode.setAcl, new jute.protocol.SetACLRequest(path, acl.map(aclRecord), aversion))
}

/** Not by Client.transaction: it turns version 0 into -1, any. */
export function multiRequest(ops: readonly Op[]): JuteRequest {
  return request(OpCode.multi, new jute.TransactionRequest(ops.map(packageOp)))
}

function packageOp(op: Op): object {
  switch (op.type) {
    case 'create':
      // The package asks each ACL for its record.
      const acls = (op.acl ?? openAcl).map((acl) => ({ toRecord: () => aclRecord(acl) }))
      return { type: OpCode.create, path: op.path, data: op.data ?? undefined, acls, mode: createFlags(op) }
    case 'set':
      return { type: OpCode.setData, path: op.path, data: op.data ?? undefined, version: op.version }
    case 'remove':
      return { type: OpCode.remove, path: op.path, version: op.version }
    case 'check':
      return { type: OpCode.check, path: op.path, version: op.version }
  }
}

/** A payload of a path and perhaps one number: the requests that the package does not know. */
export class PathRecord implements JuteRecord {
  private path: string
  private readonly mode: number | undefined

  constructor(path: string, mode?: number) {
    this.path = path
    this.mode = mode
  }

  setChrootPath(chroot: string): void {
    this.path = this.path === '/' ? chroot : chroot + this.path
  }

  byteLength(): number {
    return 4 + Buffer.byteLength(this.path) + (this.mode === undefined ? 0 : 4)
  }

  serialize(target: Buffer, offset: number): number {
    const length = target.write(this.path, offset + 4)
    target.writeInt32BE(length, offset)
    if (this.mode !== undefined) target.writeInt32BE(this.mode, offset + 4 + length)
    return this.byteLength()
  }
}

export function syncRequest(path: string): JuteRequest {
  return request(OpCode.sync, new PathRecord(path))
}

/** `recursive`: created, deleted and changed of the whole subtree, and no changes of children. */
export function addWatchRequest(path: string, recursive: boolean): JuteRequest {
  return request(OpCode.addWatch, new PathRecord(path, recursive ? 1 : 0))
}

export function closeSessionRequest(): JuteRequest {
  return request(OpCode.closeSession, null)
}
