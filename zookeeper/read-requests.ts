import { checkAcl, permits, writeAcl } from './acl'
import type { AclList } from './acl'
import type { Id } from './acl'
import { statOf, writeStat } from './data-tree'
import type { DataNode, DataTree } from './data-tree'
import { JuteError } from './jute'
import type { JuteReader, JuteWriter } from './jute'
import { readMultiRead, writeMultiError, writeMultiHeader } from './multi'
import { Code, EventType, KeeperError, OpCode, Perms } from './protocol'
import { WatchMode, WatcherType } from './watches'
import type { Watcher, Watches } from './watches'

/** Who reads, and what is read. */
export interface ReadContext {
  readonly tree: DataTree
  readonly watches: Watches
  readonly watcher: Watcher
  readonly sessionId: bigint
  readonly authInfo: readonly Id[]
}

type ReadHandler = (context: ReadContext, reader: JuteReader, writer: JuteWriter) => void

function nodeAt({ tree }: ReadContext, path: string): DataNode {
  const node = tree.get(path)
  if (node === undefined) throw new KeeperError(Code.NONODE)
  return node
}

function readable(context: ReadContext, path: string, perms: number = Perms.read): DataNode {
  const node = nodeAt(context, path)
  checkAcl(node.acl, perms, context.authInfo)
  return node
}

const exists: ReadHandler = (context, reader, writer) => {
  const path = reader.readText()
  const watch = reader.readBool()
  if (path.includes('\0')) throw new KeeperError(Code.BADARGUMENTS)
  const node = context.tree.get(path)
  if (node !== undefined) checkAcl(node.acl, Perms.read, context.authInfo)
  if (watch) context.watches.data.add(path, context.watcher, WatchMode.oneShot)
  if (node === undefined) throw new KeeperError(Code.NONODE)
  writeStat(writer, statOf(node))
}

const getData: ReadHandler = (context, reader, writer) => {
  const path = reader.readText()
  const watch = reader.readBool()
  const node = readable(context, path)
  if (watch) context.watches.data.add(path, context.watcher, WatchMode.oneShot)
  writer.writeBuffer(node.data)
  writeStat(writer, statOf(node))
}

function writeNames(writer: JuteWriter, node: DataNode): void {
  writer.writeInt(node.childCount)
  for (const name of node.children) writer.writeString(name)
}

function getChildren(withStat: boolean): ReadHandler {
  return (context, reader, writer) => {
    const path = reader.readText()
    const watch = reader.readBool()
    const node = readable(context, path)
    if (watch) context.watches.children.add(path, context.watcher, WatchMode.oneShot)
    writeNames(writer, node)
    if (withStat) writeStat(writer, statOf(node))
  }
}

/** Who may not administer a node does not see its password digests (ZOOKEEPER-1392). */
function hideDigests(acl: AclList): AclList {
  return acl.map((entry) =>
    entry.scheme === 'digest' && entry.id !== null ? { ...entry, id: entry.id.replace(/:.*/, ':x') } : entry,
  )
}

const getAcl: ReadHandler = (context, reader, writer) => {
  const node = readable(context, reader.readText(), Perms.read | Perms.admin)
  writeAcl(writer, permits(node.acl, Perms.admin, context.authInfo) ? node.acl : hideDigests(node.acl))
  writeStat(writer, statOf(node))
}

const sync: ReadHandler = (_, reader, writer) => writer.writeString(reader.readString())

/** A packet of 64 KiB may ask a thousand times for the same megabyte. */
const MOST_ANSWER_BYTES = 64 * 1024 * 1024

const multiRead: ReadHandler = (context, reader, writer) => {
  for (const { type, path } of readMultiRead(reader)) {
    if (writer.length > MOST_ANSWER_BYTES) throw new JuteError('an answer that nobody could read')
    let node: DataNode
    try {
      node = readable(context, path)
    } catch (error) {
      if (!(error instanceof KeeperError)) throw error
      writeMultiError(writer, error.code)
      continue
    }
    writeMultiHeader(writer, type, false, 0)
    if (type === OpCode.getChildren) writeNames(writer, node)
    else {
      writer.writeBuffer(node.data)
      writeStat(writer, statOf(node))
    }
  }
  writeMultiHeader(writer, -1, true, -1)
}

function watcherType(type: number): number {
  // Apache finds no such enum constant, and says that the bytes were wrong.
  if (type < WatcherType.children || type > WatcherType.any) throw new JuteError(`watcher type ${type}`)
  return type
}

const checkWatches: ReadHandler = (context, reader) => {
  const path = reader.readText()
  if (!context.watches.has(path, watcherType(reader.readInt()), context.watcher)) throw new KeeperError(Code.NOWATCHER)
}

const removeWatches: ReadHandler = (context, reader) => {
  const path = reader.readText()
  if (!context.watches.remove(path, watcherType(reader.readInt()), context.watcher)) throw new KeeperError(Code.NOWATCHER)
}

const addWatch: ReadHandler = (context, reader, writer) => {
  const path = reader.readText()
  const mode = reader.readInt()
  if (mode !== 0 && mode !== 1) throw new JuteError(`watch mode ${mode}`)
  context.watches.addPersistent(path, context.watcher, mode === 1)
  writer.writeInt(0)
}

/** Events for what changed while the client was away; the rest is armed. The acl is checked as for any event. */
function setWatches(withPersistent: boolean): ReadHandler {
  return (context, reader) => {
    const { tree, watches, watcher } = context
    const since = reader.readLong()
    const paths = (): string[] => reader.readVector(4, () => reader.readText())
    const [data, exist, child] = [paths(), paths(), paths()]
    const [persistent, recursive] = withPersistent ? [paths(), paths()] : [[], []]
    const tell = (type: EventType, path: string): void => watcher.notify(type, path, tree.get(path)?.acl ?? [])
    for (const path of data) {
      const node = tree.get(path)
      if (node === undefined) tell(EventType.nodeDeleted, path)
      else if (node.stat.mzxid > since) tell(EventType.nodeDataChanged, path)
      else watches.data.add(path, watcher, WatchMode.oneShot)
    }
    for (const path of exist) {
      if (tree.get(path) !== undefined) tell(EventType.nodeCreated, path)
      else watches.data.add(path, watcher, WatchMode.oneShot)
    }
    for (const path of child) {
      const node = tree.get(path)
      if (node === undefined) tell(EventType.nodeDeleted, path)
      else if (node.stat.pzxid > since) tell(EventType.nodeChildrenChanged, path)
      else watches.children.add(path, watcher, WatchMode.oneShot)
    }
    for (const path of persistent) watches.addPersistent(path, watcher, false)
    for (const path of recursive) watches.addPersistent(path, watcher, true)
  }
}

const getEphemerals: ReadHandler = (context, reader, writer) => {
  const prefix = reader.readString() ?? ''
  const all = [...(context.tree.ephemerals.get(context.sessionId) ?? [])]
  const wanted = prefix.trim() === '' || prefix.trim() === '/' ? all : all.filter((path) => path.startsWith(prefix))
  writer.writeVector(wanted, (path) => writer.writeString(path))
}

const getAllChildrenNumber: ReadHandler = (context, reader, writer) => {
  const path = reader.readText()
  readable(context, path)
  writer.writeInt(context.tree.countDescendants(path))
}

const whoAmI: ReadHandler = ({ authInfo }, _, writer) => {
  writer.writeVector(authInfo, (id) => {
    writer.writeString(id.scheme)
    writer.writeString(id.scheme === 'digest' ? (id.id ?? '').split(':', 1)[0]! : id.id)
  })
}

const handlers: Partial<Record<number, ReadHandler>> = {
  [OpCode.exists]: exists,
  [OpCode.getData]: getData,
  [OpCode.getACL]: getAcl,
  [OpCode.getChildren]: getChildren(false),
  [OpCode.getChildren2]: getChildren(true),
  [OpCode.sync]: sync,
  [OpCode.multiRead]: multiRead,
  [OpCode.checkWatches]: checkWatches,
  [OpCode.removeWatches]: removeWatches,
  [OpCode.addWatch]: addWatch,
  [OpCode.setWatches]: setWatches(false),
  [OpCode.setWatches2]: setWatches(true),
  [OpCode.getEphemerals]: getEphemerals,
  [OpCode.getAllChildrenNumber]: getAllChildrenNumber,
  [OpCode.whoAmI]: whoAmI,
}

/** What answers requests of this type without a transaction (FinalRequestProcessor); it throws KeeperError or JuteError. */
export function readHandler(type: number): ReadHandler | undefined {
  return handlers[type]
}
