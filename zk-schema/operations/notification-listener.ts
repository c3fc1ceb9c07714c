import { silentLogger } from '../../runtime/log'
import type { Logger } from '../../runtime/log'
import type { Clock } from '../../runtime/ports'
import { notificationPath, sequenceNumberOf } from '../notifications'
import type { NotificationQueue } from '../notifications'
import { isZooKeeperError } from '../session/errors'
import type { SessionKeeper } from '../session/keeper'
import type { NodeData, ZooKeeperSession } from '../session/session'

const PURGE_AFTER_MS = 15 * 60_000
const RETRY_MS = 10_000

export interface NotificationListenerOptions {
  clock: Clock
  keeper: SessionKeeper
  queue: NotificationQueue
  /** Called with the data of each notification, in order, one at a time. What it throws is reported, and the next one follows. */
  process: (path: string, data: Buffer | null) => void | Promise<void>
  logger?: Logger
  /** Notifications older than this are removed, by whoever sees them. 15 minutes, as Kafka's brokers do. */
  purgeAfterMs?: number
}

interface Listed {
  name: string
  sequence: number
}

/**
 * Follows a queue of notifications (config, ACL and token changes): after the start, each change of the children and each new
 * session it lists the children and processes those beyond the last one processed. However many changes come while it lists, it
 * lists once more.
 *
 * A notification only points at what has changed. So start the listener first, then load everything once: nothing is missed.
 */
export class NotificationListener {
  private readonly options: NotificationListenerOptions
  private readonly logger: Logger
  private lastProcessed = -1
  /** Of the parent: a new one counts from 0 again. */
  private parentCzxid: number | undefined
  /** When the notifications that are still listed were created. */
  private readonly created = new Map<string, number>()
  private running: Promise<void> | undefined
  private again = false
  private stopped = false
  private off: (() => void) | undefined

  constructor(options: NotificationListenerOptions) {
    this.options = options
    this.logger = options.logger ?? silentLogger
    // Not awaited: the session's other users need not wait for what these notifications lead to.
    options.keeper.onNewSession((session) => void this.follow(session))
  }

  /** Resolves when the watch is armed and what was there is processed. */
  async start(): Promise<void> {
    await this.follow(this.options.keeper.current)
  }

  stop(): void {
    this.stopped = true
    this.off?.()
  }

  private async follow(session: ZooKeeperSession): Promise<void> {
    this.off?.()
    if (this.stopped) return
    this.off = session.onChildrenChanged(this.options.queue.path, () => void this.list())
    await this.list()
  }

  /** Resolves when a listing that began after this call has been processed. */
  private async list(): Promise<void> {
    this.again = true
    this.running ??= this.run()
    await this.running
  }

  private async run(): Promise<void> {
    try {
      while (this.again && !this.stopped) {
        this.again = false
        await this.processAll(this.options.keeper.current)
      }
    } finally {
      this.running = undefined
    }
  }

  private async processAll(session: ZooKeeperSession): Promise<void> {
    const { queue } = this.options
    try {
      const listed = await this.children(session)
      const unread = listed.filter(({ name }) => !this.created.has(name))
      const nodes = await session.getMany(unread.map(({ name }) => notificationPath(queue, name)))
      for (const [index, { name, sequence }] of unread.entries()) {
        if (this.stopped) return
        await this.processOne(name, sequence, nodes[index])
      }
      const names = new Set(listed.map(({ name }) => name))
      for (const name of this.created.keys()) if (!names.has(name)) this.created.delete(name)
      await this.purge(session)
    } catch (error) {
      // With the next session everything is listed again.
      if (!isZooKeeperError(error, 'SESSION_EXPIRED', 'CLOSED', 'AUTH_FAILED')) {
        this.logger.error({ err: error, path: queue.path }, 'cannot read the notifications')
        this.options.clock.timer(RETRY_MS, () => void this.list())
      }
    }
  }

  private async children(session: ZooKeeperSession): Promise<Listed[]> {
    const { queue } = this.options
    for (;;) {
      const listed = await session.children(queue.path, true)
      if (listed === undefined) {
        await session.createRecursive(queue.path)
        continue
      }
      if (listed.stat.czxid !== this.parentCzxid) {
        this.parentCzxid = listed.stat.czxid
        this.lastProcessed = -1
        this.created.clear()
      }
      return listed.names
        .map((name) => ({ name, sequence: sequenceNumberOf(queue, name) }))
        .filter((item): item is Listed => item.sequence !== undefined)
        .sort((a, b) => a.sequence - b.sequence)
    }
  }

  private async processOne(name: string, sequence: number, node: NodeData | undefined): Promise<void> {
    if (sequence > this.lastProcessed) {
      this.lastProcessed = sequence
      if (node !== undefined) await this.hand(notificationPath(this.options.queue, name), node.data)
    }
    if (node !== undefined) this.created.set(name, node.stat.ctimeMs)
  }

  private async hand(path: string, data: Buffer | null): Promise<void> {
    try {
      await this.options.process(path, data)
    } catch (error) {
      this.logger.error({ err: error, path }, 'cannot process a notification')
    }
  }

  private async purge(session: ZooKeeperSession): Promise<void> {
    const oldestMs = this.options.clock.wallMs() - (this.options.purgeAfterMs ?? PURGE_AFTER_MS)
    for (const [name, createdMs] of this.created) {
      if (createdMs >= oldestMs) continue
      try {
        await session.remove(notificationPath(this.options.queue, name), -1)
      } catch (error) {
        if (!isZooKeeperError(error, 'NO_NODE', 'CONNECTION_LOSS')) throw error
      }
    }
  }
}
