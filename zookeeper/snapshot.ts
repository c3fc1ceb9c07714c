import type { Clock, Disk, DiskFile } from '../runtime/ports'
import { OPEN_ACL, readAcl, writeAcl } from './acl'
import type { AclList } from './acl'
import { adler32 } from './adler32'
import type { DataTree, NodeStat } from './data-tree'
import { JuteError, JuteReader, JuteWriter } from './jute'
import { StorageError, zxidOfName } from './storage-error'

/** 'ZKSN' */
const MAGIC = 0x5a4b534e
const VERSION = 2
/** Nodes per turn of the event loop. */
const SLICE_NODES = 500
/** The number that stands for world:anyone:cdrwa (ReferenceCountedACLCache). */
const OPEN_ACL_ID = -1
const SEAL_BYTES = 13

/** A session as a snapshot keeps it. */
export interface SavedSession {
  id: bigint
  timeoutMs: number
}

export interface SnapshotFile {
  path: string
  zxid: number
}

/** The snapshots of a directory, newest first. */
export function listSnapshots(disk: Disk, directory: string): SnapshotFile[] {
  return disk
    .list(directory)
    .map((name) => ({ path: `${directory}/${name}`, zxid: zxidOfName(name, 'snapshot') }))
    .filter((file): file is SnapshotFile => file.zxid !== undefined)
    .sort((a, b) => b.zxid - a.zxid)
}

/** The state of one moment: references to what the tree never changes in place. */
export interface FrozenState {
  zxid: number
  sessions: SavedSession[]
  nodes: { path: string; data: Buffer | null; acl: AclList; stat: NodeStat }[]
}

export function freeze(tree: DataTree, sessions: SavedSession[]): FrozenState {
  const nodes: FrozenState['nodes'] = []
  for (const [path, node] of tree.entries()) nodes.push({ path, data: node.data, acl: node.acl, stat: node.stat })
  return { zxid: tree.lastZxid, sessions, nodes }
}

/** A file under a checksum. */
class CheckedFile {
  private readonly file: DiskFile
  readonly writer = new JuteWriter(64 * 1024)
  private position = 0
  private checksum = 1

  constructor(file: DiskFile) {
    this.file = file
  }

  write(): void {
    const bytes = this.writer.view()
    this.file.write(bytes, this.position)
    this.checksum = adler32(bytes, this.checksum)
    this.position += bytes.length
    this.writer.reset()
  }

  seal(): void {
    this.write()
    this.writer.writeLong(this.checksum)
    this.writer.writeString('/')
    this.write()
  }
}

/**
 * Writes `snapshot.<zxid>` in Apache's FileSnap form, a slice per turn, and makes it durable. Unlike Apache's, it is the state of
 * one moment. `stopped` is asked between slices. Resolves with false if it was stopped.
 */
export async function writeSnapshot(
  disk: Disk,
  clock: Clock,
  directory: string,
  state: FrozenState,
  stopped: () => boolean,
): Promise<boolean> {
  const path = `${directory}/snapshot.${state.zxid.toString(16)}`
  const file = disk.open(`${path}.tmp`, 'create')
  let complete = false
  try {
    const checked = new CheckedFile(file)
    const ids = writeHead(checked.writer, state)
    for (let from = 0; from < state.nodes.length; from += SLICE_NODES) {
      for (const node of state.nodes.slice(from, from + SLICE_NODES)) writeNode(checked.writer, node, ids)
      checked.write()
      await new Promise<void>((resolve) => clock.immediate(resolve))
      if (stopped()) return false
    }
    checked.writer.writeString('/')
    checked.seal()
    await file.sync()
    complete = true
  } finally {
    file.close()
    if (!complete) disk.remove(`${path}.tmp`)
  }
  if (stopped()) return false
  disk.rename(`${path}.tmp`, path)
  disk.syncDirectory(directory)
  return true
}

/** Everything in front of the nodes; returns the numbers of the ACL lists. */
function writeHead(writer: JuteWriter, state: FrozenState): Map<AclList, number> {
  writer.writeInt(MAGIC)
  writer.writeInt(VERSION)
  writer.writeLong(-1)
  writer.writeVector(state.sessions, (session) => {
    writer.writeBigLong(session.id)
    writer.writeInt(session.timeoutMs)
  })
  // By identity: the tree has already made equal lists one object.
  const ids = new Map<AclList, number>()
  for (const { acl } of state.nodes) if (acl !== OPEN_ACL && !ids.has(acl)) ids.set(acl, ids.size + 1)
  writer.writeInt(ids.size)
  for (const [acl, id] of ids) {
    writer.writeLong(id)
    writeAcl(writer, acl)
  }
  return ids
}

function writeNode(writer: JuteWriter, { path, data, acl, stat }: FrozenState['nodes'][number], ids: Map<AclList, number>): void {
  writer.writeString(path)
  writer.writeBuffer(data)
  writer.writeLong(acl === OPEN_ACL ? OPEN_ACL_ID : ids.get(acl)!)
  writer.writeLong(stat.czxid)
  writer.writeLong(stat.mzxid)
  writer.writeLong(stat.ctimeMs)
  writer.writeLong(stat.mtimeMs)
  writer.writeInt(stat.version)
  writer.writeInt(stat.cversion)
  writer.writeInt(stat.aversion)
  writer.writeBigLong(stat.ephemeralOwner)
  writer.writeLong(stat.pzxid)
}

function readStat(reader: JuteReader): NodeStat {
  return {
    czxid: reader.readLong(),
    mzxid: reader.readLong(),
    ctimeMs: reader.readLong(),
    mtimeMs: reader.readLong(),
    version: reader.readInt(),
    cversion: reader.readInt(),
    aversion: reader.readInt(),
    ephemeralOwner: reader.readBigLong(),
    pzxid: reader.readLong(),
  }
}

/** Fills the tree; returns the sessions. Throws JuteError if the bytes are not a whole snapshot. */
function readSnapshot(bytes: Buffer, tree: DataTree): SavedSession[] {
  const reader = new JuteReader(bytes)
  if (reader.readInt() !== MAGIC) throw new JuteError('not a snapshot')
  reader.readInt()
  reader.readLong()
  const sessions = reader.readVector(12, () => ({ id: reader.readBigLong(), timeoutMs: reader.readInt() }))
  const lists = new Map<number, AclList>([[OPEN_ACL_ID, OPEN_ACL]])
  for (const [id, acl] of reader.readVector(12, () => [reader.readLong(), readAcl(reader)] as const)) lists.set(id, acl)
  tree.clear()
  for (let path = reader.readText(); path !== '/'; path = reader.readText()) {
    const data = reader.readBuffer()
    const acl = lists.get(reader.readLong())
    if (acl === undefined) throw new JuteError(`${path} has an ACL that the snapshot does not hold`)
    if (!tree.restore(path, data, acl, readStat(reader))) throw new JuteError(`${path} has no parent`)
  }
  const at = bytes.length - reader.remaining
  if (reader.remaining < SEAL_BYTES) throw new JuteError('no seal')
  if (reader.readLong() !== adler32(bytes.subarray(0, at))) throw new JuteError('wrong checksum')
  return sessions
}

export interface Loaded {
  zxid: number
  sessions: SavedSession[]
  /** Newer snapshots that could not be read, with the reason. */
  skipped: string[]
}

/** Loads the newest whole snapshot, undefined if there is none. Throws StorageError if there are some, but no whole one. */
export function loadNewestSnapshot(disk: Disk, directory: string, tree: DataTree): Loaded | undefined {
  const skipped: string[] = []
  for (const { path, zxid } of listSnapshots(disk, directory)) {
    try {
      const sessions = readSnapshot(disk.readFile(path), tree)
      tree.lastZxid = zxid
      return { zxid, sessions, skipped }
    } catch (error) {
      if (!(error instanceof JuteError)) throw error
      skipped.push(`${path}: ${error.message}`)
    }
  }
  if (skipped.length > 0) throw new StorageError(`No snapshot in ${directory} is whole (${skipped.join('; ')}).`)
  return undefined
}
