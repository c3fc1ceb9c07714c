import { setWatchesPacket } from './packets'
import { withChroot } from './paths'

/** Event types on the wire. */
export const WatchEventType = { created: 1, deleted: 2, dataChanged: 3, childrenChanged: 4 } as const

/** A packet of watches stays below this, as the Java client's: jute.maxbuffer would close the connection, for ever again. */
const CHUNK_BYTES = 128 * 1024

/** ZooKeeper's Watcher.WatcherType. */
export type WatchKind = 'children' | 'data' | 'any' | 'persistent' | 'persistentRecursive'
export type ArmedWatch = Exclude<WatchKind, 'any'>

/** What a watch event is for, here. */
export interface WatchMatch {
  /** A one-shot watch of the node, by exists or get, has fired. */
  node: boolean
  /** A one-shot watch of the node's children has fired. */
  children: boolean
  /** Paths of the persistent watches that cover it. */
  persistent: string[]
}

/**
 * Which watches this session has armed, by path inside the chroot: the server forgets them with the connection, and gets them
 * again after a reconnect.
 */
export class WatchTable {
  private readonly data = new Set<string>()
  private readonly existence = new Set<string>()
  private readonly children = new Set<string>()
  private readonly persistent = new Set<string>()
  private readonly recursive = new Set<string>()

  get size(): number {
    return this.data.size + this.existence.size + this.children.size + this.persistent.size + this.recursive.size
  }

  addData(path: string): void {
    this.data.add(path)
  }

  addExistence(path: string): void {
    this.existence.add(path)
  }

  addChildren(path: string): void {
    this.children.add(path)
  }

  addPersistent(path: string, recursive: boolean): void {
    ;(recursive ? this.recursive : this.persistent).add(path)
  }

  removePersistent(path: string, recursive: boolean): void {
    ;(recursive ? this.recursive : this.persistent).delete(path)
  }

  /** Takes away what is armed on the path; gives what that was. */
  forget(path: string, kind: WatchKind): ArmedWatch[] {
    const sets: [ArmedWatch, Set<string>[]][] = [
      ['children', [this.children]],
      ['data', [this.data, this.existence]],
      ['persistent', [this.persistent]],
      ['persistentRecursive', [this.recursive]],
    ]
    return sets.filter(([each, of]) => (kind === 'any' || kind === each) && of.map((set) => set.delete(path)).includes(true)).map(([each]) => each)
  }

  clear(): void {
    for (const set of [this.data, this.existence, this.children, this.persistent, this.recursive]) set.clear()
  }

  /** Takes an event: what fired once is armed no more. */
  take(type: number, path: string): WatchMatch {
    const match: WatchMatch = { node: false, children: false, persistent: this.covering(path, type) }
    if (type === WatchEventType.childrenChanged) {
      match.children = this.children.delete(path)
      return match
    }
    const hadData = this.data.delete(path)
    const hadExistence = this.existence.delete(path)
    match.node = hadData || hadExistence
    if (type === WatchEventType.deleted) match.children = this.children.delete(path)
    return match
  }

  private covering(path: string, type: number): string[] {
    const found: string[] = []
    if (this.persistent.has(path)) found.push(path)
    if (this.recursive.size === 0 || type === WatchEventType.childrenChanged) return found
    for (let ancestor = path; ; ancestor = ancestor.slice(0, Math.max(ancestor.lastIndexOf('/'), 1))) {
      if (this.recursive.has(ancestor) && !found.includes(ancestor)) found.push(ancestor)
      if (ancestor === '/') return found
    }
  }

  /**
   * The packets that arm all of this again on a new connection; the server fires at once what changed since `relativeZxid`.
   * setWatches2 (ZooKeeper 3.6) only where there are persistent watches, so that older servers serve everybody else.
   */
  requests(relativeZxid: number, chroot: string): Buffer[] {
    const lists = [this.data, this.existence, this.children, this.persistent, this.recursive]
    const kinds = this.persistent.size + this.recursive.size > 0 ? 5 : 3
    const packets: Buffer[] = []
    let chunk: Buffer[][] = lists.map(() => [])
    let bytes = 0
    const flush = (): void => {
      if (bytes > 0) packets.push(setWatchesPacket(relativeZxid, chunk.slice(0, kinds)))
      chunk = lists.map(() => [])
      bytes = 0
    }
    lists.forEach((paths, kind) => {
      for (const path of paths) {
        const encoded = Buffer.from(withChroot(chroot, path))
        if (bytes + encoded.length + 4 > CHUNK_BYTES) flush()
        chunk[kind]!.push(encoded)
        bytes += encoded.length + 4
      }
    })
    flush()
    return packets
  }
}
