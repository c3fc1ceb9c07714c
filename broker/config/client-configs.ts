import {
  clientEntityPath, readClientConfig, readClientConfigs, readUserClientConfigs,
} from '../../zk-schema/operations/client-configs'
import { ZnodeFormatError } from '../../zk-schema/znode-json'
import type { ClientConfig, ClientConfigEntity } from '../../zk-schema/operations/client-configs'
import type { ZooKeeperSession } from '../../zk-schema/session/session'
import type { Logger } from '../../runtime/log'

/** Who obeys what is configured for users, client ids and addresses. An empty configuration takes the former one away. */
export type ClientConfigTarget = (entity: ClientConfigEntity, config: ReadonlyMap<string, string>) => void

/**
 * Follows what ZooKeeper says of users, client ids and addresses. Reads come one after the other, so that none overwrites what a
 * later one has found.
 */
export class ClientConfigs {
  private readonly session: () => ZooKeeperSession
  private readonly target: ClientConfigTarget
  private readonly logger: Logger
  /** What has been told, by path. */
  private readonly known = new Map<string, ClientConfigEntity>()
  private last: Promise<void> = Promise.resolve()

  constructor(session: () => ZooKeeperSession, target: ClientConfigTarget, logger: Logger) {
    this.session = session
    this.target = target
    this.logger = logger
  }

  /** Reads everything. Rejects if ZooKeeper does not answer. */
  load(): Promise<void> {
    return this.inOrder(async () => {
      const session = this.session()
      const groups = await Promise.all([
        readClientConfigs(session, 'users'),
        readClientConfigs(session, 'clients'),
        readClientConfigs(session, 'ips'),
        readUserClientConfigs(session),
      ])
      const gone = new Map(this.known)
      for (const found of groups.flat()) {
        gone.delete(clientEntityPath(found.entity))
        this.take(found)
      }
      for (const entity of gone.values()) this.take({ entity, config: new Map() })
    })
  }

  /** Reads one that has changed. */
  refresh(entity: ClientConfigEntity): Promise<void> {
    return this.inOrder(async () => {
      try {
        this.take({ entity, config: await readClientConfig(this.session(), entity) })
      } catch (error) {
        if (!(error instanceof ZnodeFormatError)) throw error
        this.take({ entity, config: error })
      }
    })
  }

  private take({ entity, config }: ClientConfig): void {
    const path = clientEntityPath(entity)
    if (config instanceof Error) {
      this.logger.error({ path, reason: config.message }, 'a configuration in ZooKeeper cannot be read; the previous one stays')
      this.known.set(path, entity)
      return
    }
    if (config.size === 0) this.known.delete(path)
    else this.known.set(path, entity)
    this.target(entity, config)
  }

  private inOrder(work: () => Promise<void>): Promise<void> {
    const done = this.last.then(work)
    this.last = done.catch(() => {})
    return done
  }
}
