import { brokerIdPath } from '../zk-schema/brokers'
import { registerBroker, updateBroker } from '../zk-schema/operations/register-broker'
import { storeSession } from '../zk-schema/operations/stored-session'
import type { BrokerEndpoint, BrokerRegistration, BrokerVersion } from '../zk-schema/brokers'
import type { SessionKeeper } from '../zk-schema/session/keeper'
import type { ZooKeeperSession } from '../zk-schema/session/session'
import type { Logger } from '../runtime/log'
import type { Environment } from '../runtime/ports'

const RETRY_MS = 1000

export interface RegistrarOptions {
  env: Environment
  keeper: SessionKeeper
  broker: Omit<BrokerRegistration, 'timestampMs'>
  version: BrokerVersion
  /** Where id and password of the session are kept for the next start; the first log directory. */
  sessionDirectory: string
  /** Called each time when the znode is there. */
  onRegistered(session: ZooKeeperSession): void
  logger: Logger
}

/** `/brokers/ids/<id>` of this broker, once per session, and the broker epoch that it gives. */
export class BrokerRegistrar {
  private readonly options: RegistrarOptions
  private broker: RegistrarOptions['broker']
  private currentEpoch = -1
  private registeredIn: ZooKeeperSession | undefined
  /** The registration that is under way. */
  private running: Promise<void> | undefined
  /** The session whose znode is being watched. */
  private guarded: ZooKeeperSession | undefined

  constructor(options: RegistrarOptions) {
    this.options = options
    this.broker = options.broker
  }

  /** Tells others of other endpoints, now and with each registration to come. The epoch stays. Rejects with ZooKeeperError. */
  async update(endpoints: readonly BrokerEndpoint[]): Promise<void> {
    if (JSON.stringify(endpoints) === JSON.stringify(this.broker.endpoints)) return
    this.broker = { ...this.broker, endpoints: [...endpoints] }
    const { env, keeper, version, logger } = this.options
    if (this.currentEpoch === -1) return
    await updateBroker(keeper.current, { ...this.broker, timestampMs: env.clock.wallMs() }, version)
    logger.info({ endpoints }, 'told ZooKeeper of other endpoints')
  }

  /** The czxid of the znode; -1 before the first registration. */
  get epoch(): number {
    return this.currentEpoch
  }

  /** The present session has registered, and cannot have expired yet. */
  mayAct(): boolean {
    const { current } = this.options.keeper
    return this.registeredIn === current && current.mayAct()
  }

  /** Rejects with BrokerIdInUseError, or with what ended the session. */
  register(): Promise<void> {
    const running = this.registerNow()
    this.running = running
    const over = (): void => {
      if (this.running === running) this.running = undefined
    }
    running.then(over, over)
    const { current } = this.options.keeper
    running.then(() => this.guard(current)).catch(() => {})
    return running
  }

  /**
   * Resolves when the own epoch is `epoch` or newer, or it is clear that it will not be. A controller may see the znode
   * before this broker hears that it is there; while no registration is under way there is nothing to wait for. Infinity: for
   * whatever registration is under way.
   */
  async awaitEpoch(epoch: number): Promise<void> {
    if (epoch <= this.currentEpoch) return
    // Whoever registers reports why it failed.
    await this.running?.catch(() => {})
  }

  private async registerNow(): Promise<void> {
    const { env, keeper, logger } = this.options
    const session = keeper.current
    // Kept before the znode is there: a crash in between must not leave a ghost.
    this.store()
    const { epoch } = await registerBroker(
      env,
      session,
      { ...this.broker, timestampMs: env.clock.wallMs() },
      { version: this.options.version, previousSessionId: keeper.previousId, logger },
    )
    this.currentEpoch = epoch
    this.registeredIn = session
    logger.info({ brokerEpoch: epoch }, 'registered in ZooKeeper')
    this.options.onRegistered(session)
  }

  /**
   * Registers again when the znode is deleted while its session lives: by hand, or by who took it for a dead broker's. Without it
   * nobody counts this broker as alive, and it would not find out before its session ends.
   */
  private async guard(session: ZooKeeperSession): Promise<void> {
    const { env, keeper, logger } = this.options
    const path = brokerIdPath(this.options.broker.brokerId)
    if (this.guarded !== session) {
      this.guarded = session
      session.onNodeChanged(path, () => void this.guard(session).catch(() => {}))
    }
    const stat = await session.exists(path, true)
    if (stat !== undefined || this.running !== undefined || session.state !== 'connected' || keeper.current !== session) return
    logger.warn({ path }, 'the registration of this broker was deleted, registering again')
    this.register().catch((error: unknown) => {
      logger.error({ err: error }, 'cannot register again, trying later')
      env.clock.timer(RETRY_MS, () => void this.guard(session).catch(() => {}))
    })
  }

  private store(): void {
    const { env, keeper, sessionDirectory, logger } = this.options
    try {
      storeSession(env.disk, sessionDirectory, keeper.current)
    } catch (error) {
      logger.warn({ err: error }, 'the session could not be kept: a restart after a crash will have to wait for its end')
    }
  }
}
