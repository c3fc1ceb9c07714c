import type { ZooKeeperSession } from '../zk-schema/session/session'
import type { ControllerEvent } from './events/event'

/**
 * The watches of one term: which event a change of a path becomes. A handler only registers here; the reads of the event's own
 * handler arm the watch, each time anew.
 */
export class Watches {
  private readonly session: ZooKeeperSession
  private readonly put: (event: ControllerEvent) => void
  private readonly registered = new Map<string, () => void>()

  constructor(session: ZooKeeperSession, put: (event: ControllerEvent) => void) {
    this.session = session
    this.put = put
  }

  onChildren(path: string, event: ControllerEvent): void {
    this.register(`children ${path}`, () => this.session.onChildrenChanged(path, () => this.put(event)))
  }

  onNode(path: string, event: ControllerEvent): void {
    this.register(`node ${path}`, () => this.session.onNodeChanged(path, () => this.put(event)))
  }

  forgetNode(path: string): void {
    const key = `node ${path}`
    this.registered.get(key)?.()
    this.registered.delete(key)
  }

  end(): void {
    for (const off of this.registered.values()) off()
    this.registered.clear()
  }

  private register(key: string, start: () => () => void): void {
    if (!this.registered.has(key)) this.registered.set(key, start())
  }
}
