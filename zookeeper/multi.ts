import { JuteError } from './jute'
import type { JuteReader, JuteWriter } from './jute'
import { writeStat } from './data-tree'
import type { TxnResult } from './data-tree'
import { Code, KeeperError, OpCode } from './protocol'
import type { MultiTxn, Txn } from './txn'
import { Overlay, prepare, readWriteRequest } from './write-requests'
import type { NodeFacts, Requester, WriteRequest } from './write-requests'

export interface ReadOp {
  type: typeof OpCode.getData | typeof OpCode.getChildren
  path: string
}

/** The ops of a multi or multiRead. Throws JuteError, also for a type that may not stand there. */
function readOps<Op>(reader: JuteReader, readOp: (type: number) => Op): Op[] {
  const ops: Op[] = []
  for (;;) {
    const type = reader.readInt()
    const done = reader.readBool()
    reader.readInt()
    if (done) return ops
    ops.push(readOp(type))
  }
}

export function readMulti(reader: JuteReader): WriteRequest[] {
  return readOps(reader, (type) => {
    if (type === OpCode.setACL) throw new JuteError('setACL in a multi')
    const request = readWriteRequest(type, reader)
    if ('flags' in request && (request.flags < 0 || request.flags > 6)) throw new JuteError(`flags ${request.flags}`)
    return request
  })
}

export function readMultiRead(reader: JuteReader): ReadOp[] {
  return readOps(reader, (type) => {
    if (type !== OpCode.getData && type !== OpCode.getChildren) throw new JuteError(`operation ${type} in a multiRead`)
    const op: ReadOp = { type, path: reader.readText() }
    reader.readBool()
    return op
  })
}

/** All or nothing: the transactions of all ops, or the error of the first that fails and RUNTIMEINCONSISTENCY behind it. */
export function prepareMulti(
  requests: readonly WriteRequest[],
  find: (path: string) => NodeFacts | undefined,
  requester: Requester,
): MultiTxn {
  const overlay = new Overlay(find)
  const ops: Txn[] = []
  for (const request of requests) {
    try {
      const txn = prepare(request, overlay.find, requester)
      overlay.note(txn, requester.sessionId)
      ops.push(txn)
    } catch (error) {
      if (!(error instanceof KeeperError)) throw error
      return { type: OpCode.multi, ops: failedOps(ops.length, error.code, requests.length) }
    }
  }
  return { type: OpCode.multi, ops }
}

function failedOps(failed: number, code: Code, count: number): Txn[] {
  return Array.from({ length: count }, (_, index) => ({
    type: OpCode.error,
    error: index < failed ? Code.OK : index === failed ? code : Code.RUNTIMEINCONSISTENCY,
  }))
}

export function writeMultiHeader(writer: JuteWriter, type: number, done: boolean, error: number): void {
  writer.writeInt(type)
  writer.writeBool(done)
  writer.writeInt(error)
}

export function writeMultiError(writer: JuteWriter, error: number): void {
  writeMultiHeader(writer, OpCode.error, false, error)
  writer.writeInt(error)
}

export function writeMultiResults(writer: JuteWriter, results: readonly TxnResult[]): void {
  for (const result of results) {
    if (result.type === OpCode.error) {
      writeMultiError(writer, result.error)
      continue
    }
    writeMultiHeader(writer, resultType(result.type), false, 0)
    if (result.type === OpCode.delete || result.type === OpCode.check) continue
    if (result.type !== OpCode.setData) writer.writeString(result.path)
    if (result.type !== OpCode.create) writeStat(writer, result.stat!)
  }
  writeMultiHeader(writer, -1, true, -1)
}

/** A created container or TTL node is answered as by create2. */
function resultType(type: number): number {
  return type === OpCode.createContainer || type === OpCode.createTTL ? OpCode.create2 : type
}
