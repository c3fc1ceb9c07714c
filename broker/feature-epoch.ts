import { featurePath } from '../zk-schema/cluster'
import type { SessionKeeper } from '../zk-schema/session/keeper'
import type { ZooKeeperSession } from '../zk-schema/session/session'
import type { Logger } from '../runtime/log'

/** Follows the version of `/feature`, which ApiVersions tells as the finalized features epoch. */
export class FeatureEpoch {
  private version = -1
  private readonly logger: Logger
  private remove: (() => void) | undefined

  constructor(keeper: SessionKeeper, logger: Logger) {
    this.logger = logger
    keeper.onNewSession((session) => this.follow(session))
  }

  /** -1 if it is not there. */
  get current(): number {
    return this.version
  }

  async follow(session: ZooKeeperSession): Promise<void> {
    this.remove?.()
    this.remove = session.onNodeChanged(featurePath, () => void this.read(session))
    await this.read(session)
  }

  private async read(session: ZooKeeperSession): Promise<void> {
    try {
      this.version = (await session.exists(featurePath, true))?.version ?? -1
    } catch (error) {
      // With the next session it is read again.
      this.logger.debug({ err: error }, 'the features could not be read')
    }
  }
}
