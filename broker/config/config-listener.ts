import { configPath, configTypePath, decodeConfig, DEFAULT_ENTITY, desanitizeEntity, parseEntityPath } from '../../zk-schema/configs'
import { configChanges, decodeConfigChange, notificationPath, sequenceNumberOf } from '../../zk-schema/notifications'
import { ZnodeFormatError } from '../../zk-schema/znode-json'
import { isZooKeeperError } from '../../zk-schema/session/errors'
import type { ZooKeeperSession } from '../../zk-schema/session/session'
import type { Logger } from '../../runtime/log'
import type { Clock, Timer } from '../../runtime/ports'
import type { TopicConfigStore } from './topic-config-store'

/** Notifications older than this are removed by whoever sees them. */
const PURGE_AFTER_MS = 15 * 60_000
/** Everything is read again now and then: a change and its notification are two writes of whoever wrote them (known-problems 3.8). */
const RESYNC_MS = 10 * 60_000
const RETRY_MS = 1000

export interface ConfigListenerOptions {
  /** The session to read by; another one after `onNewSession`. */
  session(): ZooKeeperSession
  store: TopicConfigStore
  brokerId: number
  clock: Clock
  logger: Logger
}

/**
 * Keeps the topics' configuration as ZooKeeper has it: reads all of it at the start, and then what `/config/changes` points at
 * (Kafka's ZkConfigManager). A notification is only a pointer; the entity's own znode is read. One run at a time; what happens
 * meanwhile causes one more.
 */
export class ConfigListener {
  private readonly options: ConfigListenerOptions
  private lastNumber = -1
  private running: Promise<void> | undefined
  private isAsked = false
  private isClosed = false
  private timer: Timer | undefined
  private removeHandler: (() => void) | undefined

  constructor(options: ConfigListenerOptions) {
    this.options = options
  }

  /** Arms the watch, then loads everything: so nothing falls between. Rejects if ZooKeeper does not answer. */
  async start(): Promise<void> {
    this.watch()
    await this.readNotifications(true)
    await this.loadAll()
    await this.warnOfBrokerConfigs()
    this.armResync()
  }

  /** To be called with each new session: watches do not survive. */
  async onNewSession(): Promise<void> {
    this.watch()
    await this.process()
    await this.loadAll()
  }

  /** Reads one topic's configuration now; for who has just changed it. */
  async refresh(topic: string): Promise<void> {
    const path = configPath('topics', topic)
    const node = await this.options.session().get(path)
    this.take(topic, path, node?.data ?? null)
  }

  close(): void {
    this.isClosed = true
    this.timer?.cancel()
    this.removeHandler?.()
  }

  private watch(): void {
    this.removeHandler?.()
    this.removeHandler = this.options.session().onChildrenChanged(configChanges.path, () => void this.process())
  }

  /** Never rejects. */
  private process(): Promise<void> {
    if (this.running !== undefined) {
      this.isAsked = true
      return this.running
    }
    const run = async (): Promise<void> => {
      do {
        this.isAsked = false
        try {
          await this.readNotifications(false)
        } catch (error) {
          if (this.isClosed || isZooKeeperError(error, 'SESSION_EXPIRED') || isZooKeeperError(error, 'CLOSED')) return
          this.options.logger.warn({ err: error }, 'the notifications of configuration changes could not be read; trying again')
          this.options.clock.timer(RETRY_MS, () => void this.process())
        }
      } while (this.isAsked && !this.isClosed)
    }
    this.running = run().finally(() => {
      this.running = undefined
    })
    return this.running
  }

  /** Lists (and so watches) the notifications; handles those above the last number, unless everything is read anyway. */
  private async readNotifications(isFirst: boolean): Promise<void> {
    const session = this.options.session()
    const listed = await session.children(configChanges.path, true)
    const numbered = (listed?.names ?? [])
      .map((name) => ({ path: notificationPath(configChanges, name), number: sequenceNumberOf(configChanges, name) }))
      .filter((each): each is { path: string; number: number } => each.number !== undefined)
      .sort((a, b) => a.number - b.number)
    const fresh = numbered.filter(({ number }) => number > this.lastNumber)
    if (!isFirst && fresh.length > 0) {
      const topics = new Set<string>()
      const nodes = await session.getMany(fresh.map(({ path }) => path))
      nodes.forEach((node, i) => {
        const topic = node === undefined ? undefined : this.topicOf(fresh[i]!.path, node.data)
        if (topic !== undefined) topics.add(topic)
      })
      for (const topic of topics) await this.refresh(topic)
    }
    this.lastNumber = numbered.at(-1)?.number ?? this.lastNumber
    await this.purge(session, numbered.map(({ path }) => path))
  }

  private topicOf(path: string, data: Buffer | null): string | undefined {
    try {
      const entity = parseEntityPath(decodeConfigChange(path, data))
      return entity?.type === 'topics' ? entity.name : undefined
    } catch (error) {
      if (!(error instanceof ZnodeFormatError)) throw error
      this.options.logger.warn({ path, reason: error.message }, 'a notification of a configuration change cannot be read')
      return undefined
    }
  }

  private async purge(session: ZooKeeperSession, paths: readonly string[]): Promise<void> {
    const before = this.options.clock.wallMs() - PURGE_AFTER_MS
    for (const path of paths) {
      const stat = await session.exists(path)
      if (stat === undefined) continue
      // They are in order of age.
      if (stat.ctimeMs >= before) return
      await session.remove(path, -1).catch((error: unknown) => {
        if (!isZooKeeperError(error, 'NO_NODE') && !isZooKeeperError(error, 'CONNECTION_LOSS')) throw error
      })
    }
  }

  private async loadAll(): Promise<void> {
    const session = this.options.session()
    const listed = await session.children(configTypePath('topics'))
    const topics = (listed?.names ?? []).map(desanitizeEntity)
    const paths = topics.map((topic) => configPath('topics', topic))
    const nodes = await session.getMany(paths)
    topics.forEach((topic, i) => this.take(topic, paths[i]!, nodes[i]?.data ?? null))
    this.options.store.retain(new Set(topics))
  }

  private take(topic: string, path: string, data: Buffer | null): void {
    try {
      this.options.store.replace(topic, Object.fromEntries(decodeConfig(path, data)))
    } catch (error) {
      if (!(error instanceof ZnodeFormatError)) throw error
      this.options.logger.error({ topic, reason: error.message }, 'the configuration of a topic in ZooKeeper cannot be read; the previous one stays')
    }
  }

  /** Kafka can change a broker's configuration while it runs; here nothing would come of it, so it is said. */
  private async warnOfBrokerConfigs(): Promise<void> {
    for (const name of [String(this.options.brokerId), DEFAULT_ENTITY]) {
      const path = configPath('brokers', name)
      const node = await this.options.session().get(path)
      if (node === undefined) continue
      try {
        const keys = [...decodeConfig(path, node.data).keys()]
        if (keys.length > 0) this.options.logger.warn({ path, keys }, 'dynamic broker configuration is not supported and has no effect')
      } catch (error) {
        if (!(error instanceof ZnodeFormatError)) throw error
      }
    }
  }

  private armResync(): void {
    if (this.isClosed) return
    this.timer = this.options.clock.timer(RESYNC_MS, () => {
      void this.loadAll()
        .catch((error: unknown) => this.options.logger.warn({ err: error }, 'the configuration of the topics could not be read again'))
        .finally(() => this.armResync())
    })
  }
}
