import { DEFAULT_ENTITY, configEntityPath } from '../../zk-schema/configs'
import { ConfigChangeRefusedError, changeConfig } from '../../zk-schema/operations/change-config'
import { ErrorCode, ProtocolError } from '../../protocol/errors'
import type { ZooKeeperSession } from '../../zk-schema/session/session'
import type { Overrides } from './topic-config-store'

export interface BrokerConfigWriter {
  /**
   * Replaces what a broker has set dynamically, or all brokers (`undefined`), by what `change` makes of it (which may throw
   * ProtocolError, and runs again when another writer was faster). Resolves when this broker obeys it.
   */
  change(brokerId: number | undefined, change: (stored: Overrides) => Record<string, string>): Promise<void>
}

/** Writes to ZooKeeper, conditional on the version read, together with the notification for all brokers. */
export class ZkBrokerConfigWriter implements BrokerConfigWriter {
  private readonly session: () => ZooKeeperSession
  private readonly refresh: () => Promise<void>

  constructor(options: { session: () => ZooKeeperSession; refresh: () => Promise<void> }) {
    this.session = options.session
    this.refresh = options.refresh
  }

  async change(brokerId: number | undefined, change: (stored: Overrides) => Record<string, string>): Promise<void> {
    const entity = configEntityPath('brokers', brokerId === undefined ? DEFAULT_ENTITY : String(brokerId))
    try {
      await changeConfig(this.session(), entity, (stored) => new Map(Object.entries(change(Object.fromEntries(stored)))))
    } catch (error) {
      if (!(error instanceof ConfigChangeRefusedError)) throw error
      throw new ProtocolError(ErrorCode.NOT_CONTROLLER, error.message)
    }
    await this.refresh()
  }
}
