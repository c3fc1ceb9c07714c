import { configPathOfEntity, decodeConfig, encodeConfig, parseEntityPath } from '../configs'
import { controllerPath, decodeController } from '../controller'
import { configChanges, encodeConfigChange, notificationCreatePath } from '../notifications'
import { isZooKeeperError, MultiError } from '../session/errors'
import { parentOf } from '../session/paths'
import type { NodeData, Op, ZooKeeperSession } from '../session/session'
import { defaultAcl } from '../top-level'

/** The change may not be made now: nobody is the controller, or a KRaft controller has taken over. */
export class ConfigChangeRefusedError extends Error {
  override readonly name = 'ConfigChangeRefusedError'
}

export interface ChangeConfigOptions {
  /** Kafka's brokers insist on a controller, its tools do not. On by default. */
  checkController?: boolean
  /** zookeeper.set.acl. */
  secure?: boolean
}

/** Types of which an empty entity is no entity: its znode goes. */
const QUOTA_TYPES = ['clients', 'users', 'ips']

/**
 * Changes the configuration of one entity (`topics/foo`, sanitized) and tells all brokers, in one multi: conditional on the
 * version that `change` was given, and on /controller staying what it was. `change` gets what is stored, returns what shall be,
 * and is called again when another was faster; undefined leaves all as it is. Resolves with what is stored then.
 * Rejects with ConfigChangeRefusedError.
 */
export async function changeConfig(
  session: ZooKeeperSession,
  entityPath: string,
  change: (config: Map<string, string>) => Map<string, string> | undefined,
  options: ChangeConfigOptions = {},
): Promise<Map<string, string>> {
  const path = configPathOfEntity(entityPath)
  const entity = parseEntityPath(entityPath)
  if (entity === undefined) throw new Error(`${entityPath} is not an entity of a configuration`)
  const notification: Op = {
    type: 'create',
    path: notificationCreatePath(configChanges),
    data: encodeConfigChange(entityPath),
    sequential: true,
  }
  let attempted: { data: Buffer; version: number } | undefined
  for (;;) {
    const guard = options.checkController === false ? [] : [await controllerCheck(session)]
    const node = await session.get(path)
    const current = decodeConfig(path, node?.data ?? null)
    // The answer to an attempt was lost: if what it wrote is there, calling `change` on it again might go too far.
    if (attempted !== undefined && node?.stat.version === attempted.version && node.data?.equals(attempted.data) === true)
      return current
    attempted = undefined
    const wanted = change(new Map(current))
    if (wanted === undefined) return current
    const gone = wanted.size === 0 && QUOTA_TYPES.includes(entity.type) && (node === undefined || node.stat.numChildren === 0)
    const write = gone ? removal(path, node) : replacement(path, wanted, node, options)
    try {
      await session.multi([...guard, ...write, notification])
      if (gone) await removeEmptyParents(session, path)
      return wanted
    } catch (error) {
      await prepareRetry(session, path, error)
      if (isZooKeeperError(error, 'CONNECTION_LOSS') && !gone) {
        attempted = { data: encodeConfig(wanted), version: node === undefined ? 0 : node.stat.version + 1 }
      }
    }
  }
}

/** Returns if it is worth trying again, from the reading on; otherwise throws the error. */
async function prepareRetry(session: ZooKeeperSession, path: string, error: unknown): Promise<void> {
  if (session.state === 'closed' || !isZooKeeperError(error)) throw error
  if (error.code === 'CONNECTION_LOSS' || error.code === 'BAD_VERSION' || error.code === 'NODE_EXISTS') return
  if (error.code === 'NOT_EMPTY') return
  if (error.code !== 'NO_NODE' || !(error instanceof MultiError)) throw error
  // /controller or the entity went meanwhile; a parent may be missing.
  if (error.path === path) await session.createRecursive(parentOf(path))
  else if (error.path !== controllerPath) await session.createRecursive(configChanges.path)
}

async function controllerCheck(session: ZooKeeperSession): Promise<Op> {
  const controller = await session.get(controllerPath)
  if (controller === undefined) throw new ConfigChangeRefusedError('there is no controller now')
  if (decodeController(controller.data).kraftControllerEpoch > 0) {
    throw new ConfigChangeRefusedError('a KRaft controller has taken over')
  }
  return { type: 'check', path: controllerPath, version: controller.stat.version }
}

function replacement(path: string, config: Map<string, string>, node: NodeData | undefined, options: ChangeConfigOptions): Op[] {
  const data = encodeConfig(config)
  if (node !== undefined) return [{ type: 'set', path, data, version: node.stat.version }]
  return [{ type: 'create', path, data, acl: defaultAcl(path, options.secure === true) }]
}

function removal(path: string, node: NodeData | undefined): Op[] {
  return node === undefined ? [] : [{ type: 'remove', path, version: node.stat.version }]
}

/** Of `users/<user>/clients/<client>`: the list of clients, and the user, if nothing is left of them. */
async function removeEmptyParents(session: ZooKeeperSession, path: string): Promise<void> {
  const clients = parentOf(path)
  if (!clients.endsWith('/clients') || clients === '/config/clients') return
  const user = parentOf(clients)
  try {
    await session.remove(clients, -1)
    const node = await session.get(user)
    if (node !== undefined && decodeConfig(user, node.data).size === 0) await session.remove(user, node.stat.version)
  } catch (error) {
    // Others may have put something there; an empty parent does no harm.
    if (!isZooKeeperError(error, 'NOT_EMPTY', 'NO_NODE', 'BAD_VERSION', 'CONNECTION_LOSS')) throw error
  }
}
