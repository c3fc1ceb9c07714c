import { configPathOfEntity, configTypePath, decodeConfig, DEFAULT_ENTITY, desanitizeEntity, sanitizeName } from '../configs'
import { ZnodeFormatError } from '../znode-json'
import type { ZooKeeperSession } from '../session/session'

/**
 * Users, client ids, client ids of a user, and addresses: whose quotas (and credentials) are kept below `/config`. Null is the
 * default; somebody who is called `<default>` is not.
 */
export type ClientConfigEntity =
  | { type: 'clients'; name: string | null }
  | { type: 'ips'; name: string | null }
  | { type: 'users'; name: string | null; clientId?: string | null }

export interface ClientConfig {
  entity: ClientConfigEntity
  /** What makes no sense is an error instead. */
  config: ReadonlyMap<string, string> | ZnodeFormatError
}

/** The configurations of all users, of all client ids, or of all addresses. */
export async function readClientConfigs(session: ZooKeeperSession, type: 'users' | 'clients' | 'ips'): Promise<ClientConfig[]> {
  const parent = configTypePath(type)
  const names = await childrenOf(session, parent)
  return read(session, names.map((name) => ({ entity: { type, name: nameOf(name) }, path: `${parent}/${name}` })))
}

/** Those of client ids of a user, of all users. */
export async function readUserClientConfigs(session: ZooKeeperSession): Promise<ClientConfig[]> {
  const users = await childrenOf(session, configTypePath('users'))
  const clients = await Promise.all(users.map((user) => childrenOf(session, `${configTypePath('users')}/${user}/clients`)))
  const nodes = users.flatMap((user, i) =>
    clients[i]!.map((client) => ({
      entity: { type: 'users' as const, name: nameOf(user), clientId: nameOf(client) },
      path: `${configTypePath('users')}/${user}/clients/${client}`,
    })),
  )
  return read(session, nodes)
}

/** What one entity has set; nothing if it is not there. Throws ZnodeFormatError. */
export async function readClientConfig(session: ZooKeeperSession, entity: ClientConfigEntity): Promise<Map<string, string>> {
  const path = configPathOfEntity(clientEntityPath(entity))
  return decodeConfig(path, (await session.get(path))?.data ?? null)
}

/** `users/<user>/clients/<client>` and the like. */
export function clientEntityPath(entity: ClientConfigEntity): string {
  const path = `${entity.type}/${nodeOf(entity.name)}`
  return entity.type === 'users' && entity.clientId !== undefined ? `${path}/clients/${nodeOf(entity.clientId)}` : path
}

/** The entity that a notification names; undefined if it names another kind, or none. */
export function parseClientEntityPath(entityPath: string): ClientConfigEntity | undefined {
  const [type, name = '', clients, clientId = '', ...rest] = entityPath.split('/')
  if (name === '' || rest.length > 0 || (type !== 'clients' && type !== 'ips' && type !== 'users')) return undefined
  if (clients === undefined) return { type, name: nameOf(name) }
  if (type !== 'users' || clients !== 'clients' || clientId === '') return undefined
  return { type, name: nameOf(name), clientId: nameOf(clientId) }
}

function nodeOf(name: string | null): string {
  return name === null ? DEFAULT_ENTITY : sanitizeName(name)
}

function nameOf(node: string): string | null {
  return node === DEFAULT_ENTITY ? null : desanitizeEntity(node)
}

async function childrenOf(session: ZooKeeperSession, path: string): Promise<readonly string[]> {
  return (await session.children(path))?.names ?? []
}

async function read(
  session: ZooKeeperSession, nodes: readonly { entity: ClientConfigEntity; path: string }[],
): Promise<ClientConfig[]> {
  const found = await session.getMany(nodes.map(({ path }) => path))
  return nodes.flatMap(({ entity, path }, i): ClientConfig[] => {
    const node = found[i]
    if (node === undefined) return []
    try {
      return [{ entity, config: decodeConfig(path, node.data) }]
    } catch (error) {
      if (!(error instanceof ZnodeFormatError)) throw error
      return [{ entity, config: error }]
    }
  })
}
