import { readAcl, writeAcl } from './acl'
import type { AclList } from './acl'
import { JuteError, JuteReader, JuteWriter } from './jute'
import { OpCode } from './protocol'

/**
 * What the log holds: the outcome of a checked request, ready to be applied without another check. The bytes are those of
 * Apache's FileTxnLog (zookeeper.jute, SerializeUtils.deserializeTxn), so either server can read the other's log.
 */
export type Txn =
  CreateTxn | DeleteTxn | SetDataTxn | SetAclTxn | CheckTxn | CreateSessionTxn | CloseSessionTxn | ErrorTxn | MultiTxn

export interface CreateTxn {
  type: typeof OpCode.create | typeof OpCode.create2 | typeof OpCode.createContainer | typeof OpCode.createTTL
  path: string
  data: Buffer | null
  acl: AclList
  ephemeral: boolean
  /** How many children of the parent have been created, this one included; -1 in logs older than 3.4. */
  parentCversion: number
  /** For createTTL. */
  ttlMs: number
}

export interface DeleteTxn {
  type: typeof OpCode.delete | typeof OpCode.deleteContainer
  path: string
}

export interface SetDataTxn {
  type: typeof OpCode.setData
  path: string
  data: Buffer | null
  version: number
}

export interface SetAclTxn {
  type: typeof OpCode.setACL
  path: string
  acl: AclList
  version: number
}

export interface CheckTxn {
  type: typeof OpCode.check
  path: string
  version: number
}

export interface CreateSessionTxn {
  type: typeof OpCode.createSession
  timeoutMs: number
}

export interface CloseSessionTxn {
  type: typeof OpCode.closeSession
  /** The session's ephemerals; undefined in logs older than 3.6. */
  paths: readonly string[] | undefined
}

/** A failed write: it has taken a zxid, and that zxid must not come back after a restart. */
export interface ErrorTxn {
  type: typeof OpCode.error
  error: number
}

export interface MultiTxn {
  type: typeof OpCode.multi
  ops: readonly Txn[]
}

export interface TxnHeader {
  sessionId: bigint
  cxid: number
  zxid: number
  timeMs: number
}

export function writeTxn(writer: JuteWriter, header: TxnHeader, txn: Txn): void {
  writer.writeBigLong(header.sessionId)
  writer.writeInt(header.cxid)
  writer.writeLong(header.zxid)
  writer.writeLong(header.timeMs)
  writer.writeInt(txn.type)
  writeBody(writer, txn)
}

function writeBody(writer: JuteWriter, txn: Txn): void {
  switch (txn.type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      writer.writeString(txn.path)
      writer.writeBuffer(txn.data)
      writeAcl(writer, txn.acl)
      if (txn.type === OpCode.create || txn.type === OpCode.create2) writer.writeBool(txn.ephemeral)
      writer.writeInt(txn.parentCversion)
      if (txn.type === OpCode.createTTL) writer.writeLong(txn.ttlMs)
      return
    case OpCode.delete:
    case OpCode.deleteContainer:
      return writer.writeString(txn.path)
    case OpCode.setData:
      writer.writeString(txn.path)
      writer.writeBuffer(txn.data)
      return writer.writeInt(txn.version)
    case OpCode.setACL:
      writer.writeString(txn.path)
      writeAcl(writer, txn.acl)
      return writer.writeInt(txn.version)
    case OpCode.check:
      writer.writeString(txn.path)
      return writer.writeInt(txn.version)
    case OpCode.createSession:
      return writer.writeInt(txn.timeoutMs)
    case OpCode.closeSession:
      if (txn.paths !== undefined) writer.writeVector(txn.paths, (path) => writer.writeString(path))
      return
    case OpCode.error:
      return writer.writeInt(txn.error)
    case OpCode.multi:
      return writer.writeVector(txn.ops, (op) => {
        writer.writeInt(op.type)
        const at = writer.length
        writer.writeInt(0)
        writeBody(writer, op)
        writer.patchInt(at, writer.length - at - 4)
      })
  }
}

/** Throws JuteError. What follows the transaction (Apache's digest) is left unread. */
export function readTxn(bytes: Buffer): { header: TxnHeader; txn: Txn } {
  const reader = new JuteReader(bytes)
  const header: TxnHeader = {
    sessionId: reader.readBigLong(),
    cxid: reader.readInt(),
    zxid: reader.readLong(),
    timeMs: reader.readLong(),
  }
  return { header, txn: readBody(reader, reader.readInt()) }
}

function readCreate(reader: JuteReader, type: CreateTxn['type']): CreateTxn {
  const path = reader.readText()
  const data = reader.readBuffer()
  const acl = readAcl(reader)
  const ephemeral = type === OpCode.create || type === OpCode.create2 ? reader.readBool() : false
  // CreateTxnV0 ends here.
  const parentCversion = type === OpCode.create && reader.remaining < 4 ? -1 : reader.readInt()
  return { type, path, data, acl, ephemeral, parentCversion, ttlMs: type === OpCode.createTTL ? reader.readLong() : -1 }
}

function readBody(reader: JuteReader, type: number): Txn {
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      return readCreate(reader, type)
    case OpCode.delete:
    case OpCode.deleteContainer:
      return { type, path: reader.readText() }
    case OpCode.setData:
    case OpCode.reconfig:
      return { type: OpCode.setData, path: reader.readText(), data: reader.readBuffer(), version: reader.readInt() }
    case OpCode.setACL:
      return { type, path: reader.readText(), acl: readAcl(reader), version: reader.readInt() }
    case OpCode.check:
      return { type, path: reader.readText(), version: reader.readInt() }
    case OpCode.createSession:
      return { type, timeoutMs: reader.readInt() }
    case OpCode.closeSession:
      return { type, paths: reader.remaining < 4 ? undefined : reader.readVector(4, () => reader.readText()) }
    case OpCode.error:
      return { type, error: reader.readInt() }
    case OpCode.multi:
      return {
        type,
        ops: reader.readVector(8, () => {
          const opType = reader.readInt()
          const body = reader.readBuffer()
          return readBody(new JuteReader(body ?? Buffer.alloc(0)), opType)
        }),
      }
    default:
      throw new JuteError(`transaction type ${type}`)
  }
}
