import { registerBroker } from '../zk-schema/operations/register-broker'
import { storeSession } from '../zk-schema/operations/stored-session'
import type { BrokerRegistration, BrokerVersion } from '../zk-schema/brokers'
import type { SessionKeeper } from '../zk-schema/session/keeper'
import type { Logger } from '../runtime/log'
import type { Environment } from '../runtime/ports'

export interface RegistrarOptions {
  env: Environment
  keeper: SessionKeeper
  broker: Omit<BrokerRegistration, 'timestampMs'>
  version: BrokerVersion
  /** Where id and password of the session are kept for the next start; the first log directory. */
  sessionDirectory: string
  logger: Logger
}

/** `/brokers/ids/<id>` of this broker, once per session, and the broker epoch that it gives. */
export class BrokerRegistrar {
  private readonly options: RegistrarOptions
  private currentEpoch = -1
  /** The registration that is under way. */
  private running: Promise<void> | undefined

  constructor(options: RegistrarOptions) {
    this.options = options
  }

  /** The czxid of the znode; -1 before the first registration. */
  get epoch(): number {
    return this.currentEpoch
  }

  /** Rejects with BrokerIdInUseError, or with what ended the session. */
  register(): Promise<void> {
    const running = this.registerNow()
    this.running = running
    const over = (): void => {
      if (this.running === running) this.running = undefined
    }
    running.then(over, over)
    return running
  }

  /**
   * Resolves when the own epoch is `epoch` or newer, or it is clear that it will not be. A controller may see the znode before this
   * broker hears that it is there; while no registration is under way there is nothing to wait for.
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
      { ...this.options.broker, timestampMs: env.clock.wallMs() },
      { version: this.options.version, previousSessionId: keeper.previousId, logger },
    )
    this.currentEpoch = epoch
    logger.info({ brokerEpoch: epoch }, 'registered in ZooKeeper')
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
