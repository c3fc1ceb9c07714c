import { silentLogger } from '../../runtime/log'
import type { Logger } from '../../runtime/log'
import type { Environment } from '../../runtime/ports'
import { isZooKeeperError } from './errors'
import { openSession } from './session'
import type { SessionOptions, ZooKeeperSession } from './session'

const PAUSE_MS = 1000

/**
 * Keeps a process in session with ZooKeeper: when one has expired it opens the next, for ever. Watches and ephemeral nodes belong
 * to a session, so each user makes its own again in `onNewSession`.
 */
export class SessionKeeper {
  private readonly env: Environment
  private readonly options: SessionOptions
  private readonly logger: Logger
  private readonly before: (() => void | Promise<void>)[] = []
  private readonly after: ((session: ZooKeeperSession) => void | Promise<void>)[] = []
  private session: ZooKeeperSession | undefined
  private closed = false
  private previous: bigint | undefined
  /** Replacements run one after another, handlers included. */
  private replacing: Promise<void> = Promise.resolve()

  constructor(env: Environment, options: SessionOptions) {
    this.env = env
    this.options = options
    this.logger = options.logger ?? silentLogger
  }

  /** Opens the first session; rejects as `openSession` does. The handlers are not called for it. */
  async start(): Promise<ZooKeeperSession> {
    const session = await openSession(this.env, this.options)
    this.adopt(session)
    return session
  }

  /** The newest session. While the next one is being opened it is the dead one, whose requests fail with SESSION_EXPIRED. */
  get current(): ZooKeeperSession {
    if (this.session === undefined) throw new Error('no ZooKeeper session was opened yet')
    return this.session
  }

  /** Does something again in the next session when it is cut short by the end of one. */
  async through<T>(work: (session: ZooKeeperSession) => Promise<T>): Promise<T> {
    for (;;) {
      const session = this.current
      try {
        return await work(session)
      } catch (error) {
        if (!isZooKeeperError(error, 'SESSION_EXPIRED')) throw error
        await this.replacing
        if (this.current === session) throw error
      }
    }
  }

  /** The session before this one: an ephemeral node of its may still be there (ZOOKEEPER-2985). */
  get previousId(): bigint | undefined {
    return this.previous
  }

  /** Called, in the order of registration, after the old session's end and before a new one is asked for; each is awaited. */
  onBeforeNewSession(handler: () => void | Promise<void>): void {
    this.before.push(handler)
  }

  /** Called, in the order of registration, with each session after the first; each is awaited. */
  onNewSession(handler: (session: ZooKeeperSession) => void | Promise<void>): void {
    this.after.push(handler)
  }

  /** Ends the session and opens no other. Resolves with whether the session is known to be over. */
  async close(): Promise<boolean> {
    this.closed = true
    return (await this.session?.close()) ?? true
  }

  /** As a crash: the session is left to its time-out. */
  abandon(): void {
    this.closed = true
    this.session?.abandon()
  }

  private adopt(session: ZooKeeperSession): void {
    this.previous = this.session?.id
    this.session = session
    let ended = false
    const end = (): void => {
      if (ended || this.closed || (session.state !== 'expired' && session.state !== 'closed')) return
      ended = true
      this.replacing = this.replacing.then(() => this.replace())
    }
    session.onState(end)
    // It may have ended between its opening and now.
    end()
  }

  private async replace(): Promise<void> {
    if (this.closed) return
    await this.callAll(this.before.map((handler) => () => handler()))
    const session = await this.openNext()
    if (session === undefined) return
    this.adopt(session)
    await this.callAll(this.after.map((handler) => () => handler(session)))
  }

  private async openNext(): Promise<ZooKeeperSession | undefined> {
    const { credentials: _, ...options } = this.options
    while (!this.closed) {
      try {
        const session = await openSession(this.env, options)
        if (!this.closed) return session
        await session.close()
      } catch (error) {
        this.logger.warn({ err: error }, 'cannot open a new ZooKeeper session yet')
        await new Promise<void>((resolve) => this.env.clock.timer(PAUSE_MS, resolve))
      }
    }
    return undefined
  }

  private async callAll(handlers: (() => void | Promise<void>)[]): Promise<void> {
    for (const handler of handlers) {
      try {
        await handler()
      } catch (error) {
        this.logger.error({ err: error }, 'a handler for the change of the ZooKeeper session failed')
      }
    }
  }
}
