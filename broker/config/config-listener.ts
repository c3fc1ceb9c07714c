import {
  configPath,
  configTypePath,
  decodeConfig,
  DEFAULT_ENTITY,
  desanitizeEntity,
  parseEntityPath,
} from '../../zk-schema/configs'
import { configChanges, decodeConfigChange } from '../../zk-schema/notifications'
import { NotificationListener } from '../../zk-schema/operations/notification-listener'
import { ZnodeFormatError } from '../../zk-schema/znode-json'
import type { SessionKeeper } from '../../zk-schema/session/keeper'
import type { Logger } from '../../runtime/log'
import type { Clock, Timer } from '../../runtime/ports'
import type { TopicConfigStore } from './topic-config-store'

/**
 * Everything is read again now and then: a change and its notification are two writes of Kafka's brokers (known-problems
 * 3.8).
 */
const RESYNC_MS = 10 * 60_000

export interface ConfigListenerOptions {
  keeper: SessionKeeper
  store: TopicConfigStore
  brokerId: number
  clock: Clock
  logger: Logger
}

/**
 * Keeps the topics' configuration as ZooKeeper has it: all of it is read at the start and with each new session, then what
 * `/config/changes` points at (Kafka's ZkConfigManager). A notification is only a pointer: the entity's own znode is read.
 */
export class ConfigListener {
  private readonly options: ConfigListenerOptions
  private readonly notifications: NotificationListener
  private isClosed = false
  private timer: Timer | undefined

  constructor(options: ConfigListenerOptions) {
    this.options = options
    this.notifications = new NotificationListener({
      clock: options.clock,
      keeper: options.keeper,
      queue: configChanges,
      process: (path, data) => this.onNotification(path, data),
      logger: options.logger,
    })
    options.keeper.onNewSession(() => this.reload())
  }

  /** Reads everything; before the logs are opened, which obey it. Rejects if ZooKeeper does not answer. */
  async load(): Promise<void> {
    const session = this.options.keeper.current
    const listed = await session.children(configTypePath('topics'))
    const topics = (listed?.names ?? []).map(desanitizeEntity)
    const paths = topics.map((topic) => configPath('topics', topic))
    const nodes = await session.getMany(paths)
    topics.forEach((topic, i) => this.take(topic, paths[i]!, nodes[i]?.data ?? null))
    this.options.store.retain(new Set(topics))
  }

  /** Follows what changes from now on: arms the watch first, then reads everything, so that nothing falls between. */
  async start(): Promise<void> {
    await this.notifications.start()
    await this.load()
    await this.warnOfBrokerConfigs()
    this.armResync()
  }

  /**
   * Reads the configuration of these topics now: of one that was just changed, is new (a new topic's configuration is written
   * without a notification), or is asked for.
   */
  async refresh(topics: readonly string[]): Promise<void> {
    const paths = topics.map((topic) => configPath('topics', topic))
    const nodes = await this.options.keeper.current.getMany(paths)
    topics.forEach((topic, i) => this.take(topic, paths[i]!, nodes[i]?.data ?? null))
  }

  close(): void {
    this.isClosed = true
    this.timer?.cancel()
    this.notifications.stop()
  }

  private async onNotification(path: string, data: Buffer | null): Promise<void> {
    const entity = parseEntityPath(decodeConfigChange(path, data))
    if (entity?.type === 'topics') await this.refresh([entity.name])
    else if (entity?.type === 'brokers') await this.warnOfBrokerConfigs()
  }

  /** Never rejects: what could not be read now is read at the next opportunity. */
  private async reload(): Promise<void> {
    if (this.isClosed) return
    try {
      await this.load()
    } catch (error) {
      this.options.logger.warn({ err: error }, 'the configuration of the topics could not be read again')
    }
  }

  private take(topic: string, path: string, data: Buffer | null): void {
    try {
      this.options.store.replace(topic, Object.fromEntries(decodeConfig(path, data)))
    } catch (error) {
      if (!(error instanceof ZnodeFormatError)) throw error
      this.options.logger.error(
        { topic, reason: error.message },
        'the configuration of a topic in ZooKeeper cannot be read; the previous one stays',
      )
    }
  }

  /** Kafka can change a broker's configuration while it runs; here nothing would come of it, so it is said. */
  private async warnOfBrokerConfigs(): Promise<void> {
    for (const name of [String(this.options.brokerId), DEFAULT_ENTITY]) {
      const path = configPath('brokers', name)
      const node = await this.options.keeper.current.get(path)
      if (node === undefined) continue
      try {
        const keys = [...decodeConfig(path, node.data).keys()]
        if (keys.length > 0)
          this.options.logger.warn({ path, keys }, 'dynamic broker configuration is not supported and has no effect')
      } catch (error) {
        if (!(error instanceof ZnodeFormatError)) throw error
      }
    }
  }

  private armResync(): void {
    if (this.isClosed) return
    this.timer = this.options.clock.timer(RESYNC_MS, () => void this.reload().then(() => this.armResync()))
  }
}
