/// <reference path="./node-zookeeper-client.d.ts" />
import jute from 'node-zookeeper-client/lib/jute'
import { ZooKeeperError } from './errors'
import { openAcl, aclRecord, PathRecord, request } from './package'
import { JuteReader } from './replies'
import { withoutChroot } from './paths'
import type { JuteRecord } from './package'
import type { Acl } from './replies'
import type { ZooKeeperSession } from './session'
import type { ArmedWatch, WatchKind } from './watches'

/** What a person asks ZooKeeper by its shell, and a broker never does. */
const RareOp = { removeWatches: 18, createContainer: 19, createTtl: 21, getEphemerals: 103, getAllChildrenNumber: 104, whoAmI: 107 } as const

/** Flags of CreateMode. */
const CreateFlag = { container: 4, ttl: 5, sequentialTtl: 6 } as const

/** WatcherType on the wire. */
const WATCH_KIND: Record<WatchKind, number> = { children: 1, data: 2, any: 3, persistent: 4, persistentRecursive: 5 }

/** A record with an int64 behind it. */
class WithLong implements JuteRecord {
  private readonly record: JuteRecord
  private readonly value: bigint

  constructor(record: JuteRecord, value: bigint) {
    this.record = record
    this.value = value
  }

  setChrootPath(chroot: string): void {
    this.record.setChrootPath(chroot)
  }

  byteLength(): number {
    return this.record.byteLength() + 8
  }

  serialize(target: Buffer, offset: number): number {
    const length = this.record.serialize(target, offset)
    target.writeBigInt64BE(this.value, offset + length)
    return length + 8
  }
}

/** A node that goes when its last child has gone (ZooKeeper 3.5). Gives its path. */
export async function createContainer(session: ZooKeeperSession, path: string, data: Buffer | null, acl: readonly Acl[] = openAcl): Promise<string> {
  const record = new jute.protocol.CreateRequest(path, data ?? undefined, acl.map(aclRecord), CreateFlag.container)
  const answer = await session.ask('create', path, () => request(RareOp.createContainer, record))
  return withoutChroot(session.chroot, new JuteReader(answer).string())
}

export interface TtlOptions {
  /** From the last change; a node with children stays. */
  ttlMs: number
  sequential: boolean
  acl?: readonly Acl[]
}

/** A node that goes when it has not changed for a while (ZooKeeper 3.5, where the server allows it). Gives its path. */
export async function createWithTtl(session: ZooKeeperSession, path: string, data: Buffer | null, options: TtlOptions): Promise<string> {
  const flag = options.sequential ? CreateFlag.sequentialTtl : CreateFlag.ttl
  const record = new jute.protocol.CreateRequest(path, data ?? undefined, (options.acl ?? openAcl).map(aclRecord), flag)
  const answer = await session.ask('create', path, () => request(RareOp.createTtl, new WithLong(record, BigInt(options.ttlMs))))
  return withoutChroot(session.chroot, new JuteReader(answer).string())
}

/** The ephemeral nodes of this session below the path, in the server's order. */
export async function ephemerals(session: ZooKeeperSession, path: string): Promise<string[]> {
  const reader = new JuteReader(await session.ask('getEphemerals', path, () => request(RareOp.getEphemerals, new PathRecord(path))))
  return reader.vector(() => withoutChroot(session.chroot, reader.string()))
}

/** How many nodes there are below the path. */
export async function allChildrenNumber(session: ZooKeeperSession, path: string): Promise<number> {
  return new JuteReader(await session.ask('getAllChildrenNumber', path, () => request(RareOp.getAllChildrenNumber, new PathRecord(path)))).int()
}

/** Who the server takes this connection for. */
export async function whoAmI(session: ZooKeeperSession): Promise<{ scheme: string; user: string }[]> {
  const reader = new JuteReader(await session.ask('whoAmI', '/', () => request(RareOp.whoAmI, null)))
  return reader.vector(() => ({ scheme: reader.string(), user: reader.string() }))
}

/**
 * Ends watches of this session on the path. Gives which they were; rejects with NO_WATCHER when there is none. The server is not asked
 * then: it counts a persistent watch as a data watch too.
 */
export async function removeWatches(session: ZooKeeperSession, path: string, kind: WatchKind): Promise<ArmedWatch[]> {
  const armed = session.forgetWatches(path, kind)
  if (armed.length === 0) throw new ZooKeeperError('NO_WATCHER', 'removeWatches', path)
  await session.ask('removeWatches', path, () => request(RareOp.removeWatches, new PathRecord(path, WATCH_KIND[kind])))
  return armed
}
