import { configEntityPath } from '../../zk-schema/configs'
import { ConfigChangeRefusedError, changeConfig } from '../../zk-schema/operations/change-config'
import { ErrorCode, ProtocolError } from '../../protocol/errors'
import type { ZooKeeperSession } from '../../zk-schema/session/session'
import type { Overrides } from './topic-config-store'

export interface TopicConfigWriter {
  /**
   * Replaces what a topic sets by what `change` makes of it (which may throw ProtocolError; it runs again when another writer was
   * faster). With `validateOnly` nothing is written. Resolves when this broker obeys the new configuration.
   */
  change(topic: string, validateOnly: boolean, change: (current: Overrides) => Record<string, string>): Promise<void>
}

/** Writes to ZooKeeper, conditional on the version read, together with the notification for all brokers. */
export class ZkTopicConfigWriter implements TopicConfigWriter {
  private readonly session: () => ZooKeeperSession
  private readonly refresh: (topics: readonly string[]) => Promise<void>
  private readonly secure: boolean

  constructor(options: {
    session: () => ZooKeeperSession
    refresh: (topics: readonly string[]) => Promise<void>
    secure: boolean
  }) {
    this.session = options.session
    this.refresh = options.refresh
    this.secure = options.secure
  }

  async change(topic: string, validateOnly: boolean, change: (current: Overrides) => Record<string, string>): Promise<void> {
    const apply = (stored: Map<string, string>): Map<string, string> | undefined => {
      const wanted = change(Object.fromEntries(stored))
      return validateOnly ? undefined : new Map(Object.entries(wanted))
    }
    try {
      await changeConfig(this.session(), configEntityPath('topics', topic), apply, { secure: this.secure })
    } catch (error) {
      if (!(error instanceof ConfigChangeRefusedError)) throw error
      throw new ProtocolError(ErrorCode.NOT_CONTROLLER, error.message)
    }
    if (!validateOnly) await this.refresh([topic])
  }
}
