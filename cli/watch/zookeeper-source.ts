import { ZooKeeperSession } from '../../zk-schema/session/session'
import { isZooKeeperError } from '../../zk-schema/session/errors'
import type { Environment } from '../../runtime/ports'
import type { PersistentEvent } from '../../zk-schema/session/session'
import type { Recorded, RecordedEvent } from '../../recording/events'

const SESSION_TIMEOUT_MS = 10_000
const REOPEN_MS = 1000

/** More changes than this at a time are not read, only named. */
const MOST_READS = 1000

export interface ZooKeeperSourceOptions {
  connect: string
  onEvent(recorded: Recorded): void
  /** Microseconds since 1970. */
  wallUs(): number
}

/** Every change of a znode, by a session of our own with a watch on the whole tree; the content is read behind the event. */
export class ZooKeeperSource {
  private readonly env: Environment
  private readonly options: ZooKeeperSourceOptions
  private session: ZooKeeperSession | undefined
  private sequence = 0
  private reads = 0
  private isClosed = false

  constructor(env: Environment, options: ZooKeeperSourceOptions) {
    this.env = env
    this.options = options
  }

  start(): void {
    const { connect } = this.options
    const session = new ZooKeeperSession(this.env, { connect, sessionTimeoutMs: SESSION_TIMEOUT_MS })
    this.session = session
    let wasConnected = false
    session.onState((state) => {
      if (this.isClosed) return
      if (state === 'connected' && !wasConnected) {
        wasConnected = true
        void this.watch(session)
      } else if (state === 'suspended') this.remark('warn', 'the connection to ZooKeeper is lost')
      else if (state === 'expired' || state === 'closed') {
        this.remark('warn', 'the watch has lost its session with ZooKeeper, and opens another')
        setTimeout(() => {
          if (!this.isClosed) this.start()
        }, REOPEN_MS)
      }
    })
    session.start()
  }

  async close(): Promise<void> {
    this.isClosed = true
    await this.session?.close()
  }

  private async watch(session: ZooKeeperSession): Promise<void> {
    try {
      await session.addPersistentWatch('/', { recursive: true }, (event) => this.onChange(session, event))
      this.give({ kind: 'life', what: 'watching', detail: `ZooKeeper at ${this.options.connect}` })
    } catch (error) {
      if (this.isClosed || isZooKeeperError(error, 'SESSION_EXPIRED', 'CLOSED')) return
      this.remark(
        'error',
        `ZooKeeper at ${this.options.connect} does not let its tree be watched (it needs version 3.6): ${String(error)}`,
      )
    }
  }

  private onChange(session: ZooKeeperSession, { type, path }: PersistentEvent): void {
    if (type === 'missed') return this.remark('warn', 'connected to ZooKeeper again; what happened meanwhile is not shown')
    if (type === 'childrenChanged') return
    const wallUs = this.options.wallUs()
    if (type === 'deleted' || this.reads >= MOST_READS) return this.give({ kind: 'znodeChange', path, change: type }, wallUs)
    this.reads++
    void session
      .get(path)
      .then(
        (node) => {
          const content = node?.data?.toString('utf8') ?? ''
          this.give(
            { kind: 'znodeChange', path, change: type, content, ...(node === undefined ? {} : { version: node.stat.version }) },
            wallUs,
          )
        },
        () => this.give({ kind: 'znodeChange', path, change: type }, wallUs),
      )
      .finally(() => {
        this.reads--
      })
  }

  private remark(level: 'info' | 'warn' | 'error', text: string): void {
    this.give({ kind: 'remark', level, text })
  }

  private give(event: RecordedEvent, wallUs = this.options.wallUs()): void {
    this.options.onEvent({ sequence: ++this.sequence, wallUs, monoMs: this.env.clock.monoMs(), process: 'zookeeper', event })
  }
}
