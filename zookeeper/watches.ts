import type { Change } from './data-tree'
import { clientPath, parentOf } from './paths'
import { EventType } from './protocol'
import type { AclList } from './acl'

/** How long a watch lasts and how far it sees; one watcher may hold several kinds on one path. */
export const WatchMode = { oneShot: 1, persistent: 2, recursive: 4 } as const

export type WatchMode = (typeof WatchMode)[keyof typeof WatchMode]

/** Where the events go: a connection. */
export interface Watcher {
  /** `acl` is the node's: who may not read it is not told (CVE-2024-23944). */
  notify(type: EventType, path: string, acl: AclList): void
}

/** One of the two tables: who waits for a node's data (or existence), or for its children. */
class WatchTable {
  private readonly byPath = new Map<string, Map<Watcher, number>>()
  private readonly byWatcher = new Map<Watcher, Set<string>>()
  private recursive = 0

  add(path: string, watcher: Watcher, mode: WatchMode): void {
    let watchers = this.byPath.get(path)
    if (watchers === undefined) this.byPath.set(path, (watchers = new Map()))
    const modes = watchers.get(watcher) ?? 0
    if ((modes & mode) !== 0) return
    watchers.set(watcher, modes | mode)
    if (mode === WatchMode.recursive) this.recursive++
    if (modes !== 0) return
    const paths = this.byWatcher.get(watcher)
    if (paths === undefined) this.byWatcher.set(watcher, new Set([path]))
    else paths.add(path)
  }

  has(path: string, watcher: Watcher): boolean {
    return this.byPath.get(path)?.has(watcher) === true
  }

  remove(path: string, watcher: Watcher): boolean {
    const watchers = this.byPath.get(path)
    const modes = watchers?.get(watcher)
    if (watchers === undefined || modes === undefined) return false
    if ((modes & WatchMode.recursive) !== 0) this.recursive--
    watchers.delete(watcher)
    if (watchers.size === 0) this.byPath.delete(path)
    const paths = this.byWatcher.get(watcher)
    paths?.delete(path)
    if (paths?.size === 0) this.byWatcher.delete(watcher)
    return true
  }

  removeWatcher(watcher: Watcher): void {
    for (const path of [...(this.byWatcher.get(watcher) ?? [])]) this.remove(path, watcher)
  }

  /** Takes out who must hear of it, in the order in which they came. */
  fire(path: string, type: EventType, heard: Set<Watcher>): void {
    const watchers = this.byPath.get(path)
    if (watchers !== undefined) {
      for (const [watcher, modes] of [...watchers]) {
        if (modes === WatchMode.recursive && type === EventType.nodeChildrenChanged) continue
        heard.add(watcher)
        if ((modes & WatchMode.oneShot) === 0) continue
        if (modes === WatchMode.oneShot) this.remove(path, watcher)
        else watchers.set(watcher, modes & ~WatchMode.oneShot)
      }
    }
    if (this.recursive === 0 || type === EventType.nodeChildrenChanged) return
    for (let above = parentOf(path); above !== undefined && path !== '/'; above = parentOf(above)) {
      for (const [watcher, modes] of this.byPath.get(clientPath(above)) ?? []) {
        if ((modes & WatchMode.recursive) !== 0) heard.add(watcher)
      }
    }
  }

  get watchers(): ReadonlyMap<Watcher, ReadonlySet<string>> {
    return this.byWatcher
  }

  get paths(): ReadonlyMap<string, ReadonlyMap<Watcher, number>> {
    return this.byPath
  }

  *watchersOfPaths(): IterableIterator<[string, Iterable<Watcher>]> {
    for (const [path, watchers] of this.byPath) yield [path, watchers.keys()]
  }

  get count(): number {
    let count = 0
    for (const paths of this.byWatcher.values()) count += paths.size
    return count
  }
}

/** Which table a client means (Watcher.WatcherType). */
export const WatcherType = { children: 1, data: 2, any: 3 } as const

/** All watches of all connections. They are volatile: a client brings its own back with setWatches. */
export class Watches {
  readonly data = new WatchTable()
  readonly children = new WatchTable()

  addPersistent(path: string, watcher: Watcher, recursive: boolean): void {
    const mode = recursive ? WatchMode.recursive : WatchMode.persistent
    this.data.add(path, watcher, mode)
    this.children.add(path, watcher, mode)
  }

  has(path: string, type: number, watcher: Watcher): boolean {
    return (
      (type !== WatcherType.data && this.children.has(path, watcher)) ||
      (type !== WatcherType.children && this.data.has(path, watcher))
    )
  }

  /** False if there was none. */
  remove(path: string, type: number, watcher: Watcher): boolean {
    const children = type !== WatcherType.data && this.children.remove(path, watcher)
    const data = type !== WatcherType.children && this.data.remove(path, watcher)
    return children || data
  }

  removeWatcher(watcher: Watcher): void {
    this.data.removeWatcher(watcher)
    this.children.removeWatcher(watcher)
  }

  /** Tells everyone who waits for a change: the node's own watches first, then those of its parent's children. */
  fire(change: Change): void {
    const { type, path, acl } = change
    const heard = new Set<Watcher>()
    this.data.fire(path, type, heard)
    // Who watches both the data and the children of a deleted node is told once.
    if (type === EventType.nodeDeleted) this.children.fire(path, type, heard)
    for (const watcher of heard) watcher.notify(type, path, acl)
    if (type === EventType.nodeDataChanged) return
    const parents = new Set<Watcher>()
    const parent = clientPath(parentOf(path) ?? '')
    this.children.fire(parent, EventType.nodeChildrenChanged, parents)
    for (const watcher of parents) watcher.notify(EventType.nodeChildrenChanged, parent, change.parentAcl)
  }

  get count(): number {
    return this.data.count + this.children.count
  }
}
