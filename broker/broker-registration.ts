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
  private waiting: { epoch: number; resolve: () => void }[] = []

  constructor(options: RegistrarOptions) {
    this.options = options
  }

  /** The czxid of the znode; -1 before the first registration. */
  get epoch(): number {
    return this.currentEpoch
  }

  /** Rejects with BrokerIdInUseError, or with what ended the session. */
  async register(): Promise<void> {
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
    const reached = this.waiting.filter((each) => each.epoch <= epoch)
    this.waiting = this.waiting.filter((each) => each.epoch > epoch)
    for (const { resolve } of reached) resolve()
  }

  /** Resolves when the own epoch is `epoch` or newer, or after a session time-out: then it will not be. */
  awaitEpoch(epoch: number): Promise<void> {
    if (epoch <= this.currentEpoch) return Promise.resolve()
    return new Promise((resolve) => {
      const entry = { epoch, resolve: () => finish() }
      const finish = (): void => {
        timer.cancel()
        this.waiting = this.waiting.filter((each) => each !== entry)
        resolve()
      }
      const timer = this.options.env.clock.timer(this.options.keeper.current.timeoutMs, finish)
      this.waiting.push(entry)
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
