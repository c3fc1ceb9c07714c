import { ConfigChangeRefusedError, changeConfig } from '../../zk-schema/operations/change-config'
import {
  clientEntityPath, readClientConfig, readClientConfigs, readUserClientConfigs,
} from '../../zk-schema/operations/client-configs'
import { ErrorCode, ProtocolError } from '../../protocol/errors'
import type { ClientConfigEntity } from '../../zk-schema/operations/client-configs'
import type { ZooKeeperSession } from '../../zk-schema/session/session'

/** One entity, and what it has set. */
export interface StoredClientConfig {
  entity: ClientConfigEntity
  config: ReadonlyMap<string, string>
}

/** What ZooKeeper keeps of users, client ids and addresses: quotas and credentials. */
export interface ClientConfigStore {
  /** Nothing set is an empty map. */
  read(entity: ClientConfigEntity): Promise<ReadonlyMap<string, string>>
  readAll(type: 'users' | 'clients' | 'ips' | 'clientsOfUsers'): Promise<StoredClientConfig[]>
  /**
   * Replaces what an entity sets by what `change` makes of it (which may throw ProtocolError, and runs again when another writer
   * was faster). With `validateOnly` nothing is written. Resolves when this broker obeys it.
   */
  change(
    entity: ClientConfigEntity, validateOnly: boolean, change: (stored: Map<string, string>) => Map<string, string>,
  ): Promise<void>
}

/** Reads and writes ZooKeeper itself, as Kafka's ZkAdminManager does; a change and its notification are one multi. */
export class ZkClientConfigStore implements ClientConfigStore {
  private readonly session: () => ZooKeeperSession
  private readonly refresh: (entity: ClientConfigEntity) => Promise<void>

  constructor(options: { session: () => ZooKeeperSession; refresh: (entity: ClientConfigEntity) => Promise<void> }) {
    this.session = options.session
    this.refresh = options.refresh
  }

  read(entity: ClientConfigEntity): Promise<ReadonlyMap<string, string>> {
    return readClientConfig(this.session(), entity)
  }

  async readAll(type: 'users' | 'clients' | 'ips' | 'clientsOfUsers'): Promise<StoredClientConfig[]> {
    const session = this.session()
    const all = type === 'clientsOfUsers' ? await readUserClientConfigs(session) : await readClientConfigs(session, type)
    return all.map(({ entity, config }) => {
      if (config instanceof Error) throw config
      return { entity, config }
    })
  }

  async change(
    entity: ClientConfigEntity, validateOnly: boolean, change: (stored: Map<string, string>) => Map<string, string>,
  ): Promise<void> {
    try {
      await changeConfig(this.session(), clientEntityPath(entity), (stored) => {
        const wanted = change(stored)
        return validateOnly ? undefined : wanted
      })
    } catch (error) {
      if (!(error instanceof ConfigChangeRefusedError)) throw error
      throw new ProtocolError(ErrorCode.NOT_CONTROLLER, error.message)
    }
    if (!validateOnly) await this.refresh(entity)
  }
}
