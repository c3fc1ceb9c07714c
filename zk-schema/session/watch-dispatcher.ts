import type { Logger } from '../../runtime/log'
import { WatchEventType } from './watches'
import type { WatchMatch } from './watches'

export type NodeEvent = 'created' | 'deleted' | 'changed'

export interface PersistentEvent {
  /** `missed`: the connection was lost for a while and is back; whatever happened meanwhile was not told. */
  type: NodeEvent | 'childrenChanged' | 'missed'
  path: string
}

/** Calls the handlers that are registered for a path. One that throws is reported, and the others run all the same. */
export class WatchDispatcher {
  private readonly logger: Logger
  private readonly node = new Map<string, Set<(event: NodeEvent) => void>>()
  private readonly children = new Map<string, Set<() => void>>()
  private readonly persistent = new Map<string, Set<(event: PersistentEvent) => void>>()
  private readonly recursive = new Map<string, Set<(event: PersistentEvent) => void>>()
  private connectedBefore = false

  constructor(logger: Logger) {
    this.logger = logger
  }

  onNode(path: string, handler: (event: NodeEvent) => void): () => void {
    return register(this.node, path, handler)
  }

  onChildren(path: string, handler: () => void): () => void {
    return register(this.children, path, handler)
  }

  onPersistent(path: string, recursive: boolean, handler: (event: PersistentEvent) => void): () => void {
    return register(recursive ? this.recursive : this.persistent, path, handler)
  }

  hasPersistent(path: string, recursive: boolean): boolean {
    return (recursive ? this.recursive : this.persistent).has(path)
  }

  dispatch(type: number, path: string, match: WatchMatch): void {
    const event = nodeEvent(type)
    if (match.node && event !== undefined) this.callAll(this.node.get(path), event, path)
    if (match.children) this.callAll(this.children.get(path), undefined, path)
    for (const watched of match.persistent) {
      const told: PersistentEvent = { type: event ?? 'childrenChanged', path }
      if (watched === path) this.callAll(this.persistent.get(path), told, path)
      if (event !== undefined) this.callAll(this.recursive.get(watched), told, path)
    }
  }

  /** The connection is there, again. */
  reconnected(): void {
    if (this.connectedBefore) {
      for (const map of [this.persistent, this.recursive]) {
        for (const [path, handlers] of [...map]) this.callAll(handlers, { type: 'missed', path }, path)
      }
    }
    this.connectedBefore = true
  }

  private callAll<E>(handlers: Set<(event: E) => void> | undefined, event: E, path: string): void {
    if (handlers === undefined) return
    for (const handler of [...handlers]) {
      try {
        handler(event)
      } catch (error) {
        this.logger.error({ err: error, path }, 'a handler of a ZooKeeper watch failed')
      }
    }
  }
}

function nodeEvent(type: number): NodeEvent | undefined {
  switch (type) {
    case WatchEventType.created:
      return 'created'
    case WatchEventType.deleted:
      return 'deleted'
    case WatchEventType.dataChanged:
      return 'changed'
    default:
      return undefined
  }
}

function register<H>(map: Map<string, Set<H>>, path: string, handler: H): () => void {
  const handlers = map.get(path) ?? new Set()
  handlers.add(handler)
  map.set(path, handlers)
  return () => {
    handlers.delete(handler)
    if (handlers.size === 0 && map.get(path) === handlers) map.delete(path)
  }
}
