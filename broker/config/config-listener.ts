import {
  configPath,
  configTypePath,
  decodeConfig,
  DEFAULT_ENTITY,
  desanitizeEntity,
  parseEntityPath,
} from '../../zk-schema/configs'
import { configChanges, decodeConfigChange } from '../../zk-schema/notifications'
import { parseClientEntityPath } from '../../zk-schema/operations/client-configs'
import { NotificationListener } from '../../zk-schema/operations/notification-listener'
import { ZnodeFormatError } from '../../zk-schema/znode-json'
import type { SessionKeeper } from '../../zk-schema/session/keeper'
import type { Logger } from '../../runtime/log'
import type { Clock, Timer } from '../../runtime/ports'
import type { DynamicBrokerConfig } from './dynamic-broker-config'
import type { ClientConfigs } from './client-configs'
import type { TopicConfigStore } from './topic-config-store'

/**
 * Everything is read again now and then: a change and its notification are two writes of Kafka's brokers (known-problems
 * 3.8).
 */
const RESYNC_MS = 10 * 60_000

export interface ConfigListenerOptions {
  keeper: SessionKeeper
  store: TopicConfigStore
  dynamic: DynamicBrokerConfig
  clients: ClientConfigs
  brokerId: number
  clock: Clock
  logger: Logger
}

/**
 * Keeps the configuration of topics, brokers and clients as ZooKeeper has it: all of it is read at the start and with each new
 * session, then what `/config/changes` points at (Kafka's ZkConfigManager). A notification is only a pointer: the entity's own
 * znode is read.
 */
export class ConfigListener {
  private readonly options: ConfigListenerOptions
  private readonly notifications: NotificationListener
  private isClosed = false
  private timer: Timer | undefined
  /** Topics that were read alone since each `load` under way began: what that one has read of them may be older. */
  private readonly overtaken = new Set<Set<string>>()

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
    await this.refreshBroker()
    await this.options.clients.load()
    const session = this.options.keeper.current
    const newer = new Set<string>()
    this.overtaken.add(newer)
    try {
      const listed = await session.children(configTypePath('topics'))
      const topics = (listed?.names ?? []).map(desanitizeEntity)
      const paths = topics.map((topic) => configPath('topics', topic))
      const nodes = await session.getMany(paths)
      topics.forEach((topic, i) => {
        if (!newer.has(topic)) this.take(topic, paths[i]!, nodes[i]?.data ?? null)
      })
      this.options.store.retain(new Set([...topics, ...newer]))
    } finally {
      this.overtaken.delete(newer)
    }
  }

  /** Follows what changes from now on: arms the watch first, then reads everything, so that nothing falls between. */
  async start(): Promise<void> {
    await this.notifications.start()
    await this.load()
    this.armResync()
  }

  /**
   * Reads the configuration of these topics now: of one that was just changed, is new (a new topic's configuration is written
   * without a notification), or is asked for.
   */
  async refresh(topics: readonly string[]): Promise<void> {
    const paths = topics.map((topic) => configPath('topics', topic))
    const nodes = await this.options.keeper.current.getMany(paths)
    for (const newer of this.overtaken) for (const topic of topics) newer.add(topic)
    topics.forEach((topic, i) => this.take(topic, paths[i]!, nodes[i]?.data ?? null))
  }

  /** Reads what is set for all brokers and for this one. */
  async refreshBroker(): Promise<void> {
    const { dynamic, keeper, brokerId, logger } = this.options
    const paths = [DEFAULT_ENTITY, String(brokerId)].map((name) => configPath('brokers', name))
    const nodes = await keeper.current.getMany(paths)
    paths.forEach((path, i) => {
      try {
        dynamic.take(Object.fromEntries(decodeConfig(path, nodes[i]?.data ?? null)), i === 1)
      } catch (error) {
        if (!(error instanceof ZnodeFormatError)) throw error
        logger.error({ path, reason: error.message }, 'the configuration of brokers in ZooKeeper cannot be read; the previous stays')
      }
    })
  }

  close(): void {
    this.isClosed = true
    this.timer?.cancel()
    this.notifications.stop()
  }

  private async onNotification(path: string, data: Buffer | null): Promise<void> {
    const entityPath = decodeConfigChange(path, data)
    const client = parseClientEntityPath(entityPath)
    const entity = parseEntityPath(entityPath)
    if (client !== undefined) await this.options.clients.refresh(client)
    else if (entity?.type === 'topics') await this.refresh([entity.name])
    else if (entity?.type === 'brokers') await this.refreshBroker()
  }

  /** Never rejects: what could not be read now is read at the next opportunity. */
  private async reload(): Promise<void> {
    if (this.isClosed) return
    try {
      await this.load()
    } catch (error) {
      this.options.logger.warn({ err: error }, 'the configuration could not be read again')
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

  private armResync(): void {
    if (this.isClosed) return
    this.timer = this.options.clock.timer(RESYNC_MS, () => void this.reload().then(() => this.armResync()))
  }
}
