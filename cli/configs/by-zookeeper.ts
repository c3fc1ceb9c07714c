import { ConfigError } from '../../protocol/rules/config-values'
import { DEFAULT_ENTITY, configTypePath, decodeConfig, desanitizeEntity, sanitizeEntity } from '../../zk-schema/configs'
import { brokerIdPath, brokerIdsPath } from '../../zk-schema/brokers'
import { changeConfig } from '../../zk-schema/operations/change-config'
import { checkDynamicConfigs } from '../../protocol/rules/dynamic-config-keys'
import { formatScramCredential } from '../../protocol/rules/scram-credential'
import { createLogger } from '../../runtime/log'
import { openSession } from '../../zk-schema/session/session'
import { realEnvironment } from '../../runtime/real'
import { UsageError } from '../tool/command-line'
import { checkDeletions, configsToAdd, configsToDelete } from './changes'
import { isInteger, isScramMechanism } from './options'
import { saltPassword } from './scram'
import type { CommandLine } from '../tool/command-line'
import type { Entities } from './options'
import type { ZooKeeperSession } from '../../zk-schema/session/session'

const out = (text: string): void => void process.stdout.write(`${text}\n`)

/** A path below /config, and what a user calls it. */
interface Entity {
  path: string
  shown: string
}

/** Kafka's old way, for what cannot be asked of brokers: credentials, and brokers that do not run. */
export async function byZooKeeper(action: 'alter' | 'describe', line: CommandLine, entities: Entities): Promise<void> {
  out('Warning: --zookeeper is deprecated and will be removed in a future version of Kafka.')
  out('Use --bootstrap-server instead to specify a broker to connect to.')
  if (line.has('zk-tls-config-file')) throw new Error('TLS to ZooKeeper is not supported yet')
  const session = await openSession(realEnvironment(), {
    connect: line.required('zookeeper'),
    sessionTimeoutMs: 30_000,
    connectionTimeoutMs: 30_000,
    logger: createLogger({ level: 'silent', name: 'kafka-configs' }),
  })
  try {
    if (action === 'alter') await alter(session, line, entities)
    else await describe(session, entities)
  } finally {
    await session.close()
  }
}

function part(type: string, name: string): Entity {
  const shownType = { users: 'user-principal', clients: 'client-id', topics: 'topic' }[type] ?? type
  const sanitized = name === '' ? DEFAULT_ENTITY : sanitizeEntity(name)
  return { path: `${type}/${sanitized}`, shown: name === '' ? `default ${shownType}` : `${shownType} '${name}'` }
}

function joined(parts: readonly Entity[]): Entity {
  return { path: parts.map(({ path }) => path).join('/'), shown: parts.map(({ shown }) => shown).join(', ') }
}

/** Users in front of their clients. */
function inOrder({ types, names }: Entities): [type: string, name: string | undefined][] {
  const pairs = types.map((type, i): [string, string | undefined] => [type, names[i]])
  return types.length === 2 && types[0] === 'clients' ? pairs.reverse() : pairs
}

async function describe(session: ZooKeeperSession, entities: Entities): Promise<void> {
  const [root, child] = inOrder(entities)
  const [type, name] = root!
  if (type === 'brokers') await checkNotRunning(session, name, '--bootstrap-server option must be specified to describe brokers')
  for (const entity of await entitiesToDescribe(session, type, name, child)) {
    const path = `/config/${entity.path}`
    const configs = decodeConfig(path, (await session.get(path))?.data ?? null)
    if (configs.size === 0 && type === 'users' && name === undefined && child === undefined) continue
    out(`Configs for ${entity.shown} are ${[...configs].map(([key, value]) => `${key}=${value}`).join(',')}`)
  }
}

async function entitiesToDescribe(
  session: ZooKeeperSession, type: string, name: string | undefined, child: [string, string | undefined] | undefined,
): Promise<Entity[]> {
  const namesIn = async (path: string): Promise<string[]> =>
    ((await session.children(path))?.names ?? []).map((each) => (each === DEFAULT_ENTITY ? '' : desanitizeEntity(each)))
  const roots = name === undefined ? await namesIn(configTypePath(type as 'users')) : [name]
  if (child === undefined) return roots.map((each) => part(type, each))
  const found: Entity[] = []
  for (const each of roots) {
    const root = part(type, each)
    const [childType, childName] = child
    const names = childName === undefined ? await namesIn(`/config/${root.path}/${childType}`) : [childName]
    for (const one of names) found.push(joined([root, part(childType, one)]))
  }
  return found
}

async function checkNotRunning(session: ZooKeeperSession, name: string | undefined, complaint: string): Promise<void> {
  const info =
    'Broker configuration operations using ZooKeeper are only supported if the affected broker(s) are not running.'
  if (name === '') {
    const running = (await session.children(brokerIdsPath))?.names.length ?? 0
    if (running > 0) throw new UsageError(`requirement failed: ${complaint} - ${running} brokers are running. ${info}`, false)
    return
  }
  if (name === undefined || !isInteger(name))
    throw new UsageError(`Error parsing broker ${name ?? ''}. The broker's Entity Name must be a single integer value`, false)
  if ((await session.exists(brokerIdPath(Number(name)))) === undefined) return
  throw new UsageError(`requirement failed: ${complaint} - broker ${name} is running. ${info}`, false)
}

async function alter(session: ZooKeeperSession, line: CommandLine, entities: Entities): Promise<void> {
  const added = configsToAdd(line)
  const deleted = configsToDelete(line)
  if (entities.types.length !== entities.names.length) {
    throw new UsageError('--entity-name or --entity-default must be specified with each --entity-type for --alter', false)
  }
  const parts = inOrder(entities)
  const [type, name] = parts[0]!
  const entity = joined(parts.map(([each, of]) => part(each, of ?? '')))
  const pairs = Object.entries(added).map(([key, value]) => `${key}=${value}`)
  const complaint =
    `--bootstrap-server option must be specified to update ${type} configs: ` +
    `{add: {${pairs.join(', ')}}, delete: ${deleted.length === 0 ? 'List()' : `ArrayBuffer(${deleted.join(', ')})`}}`
  if (type === 'brokers') {
    await checkNotRunning(session, name, complaint)
    checkBrokerConfigs(added, name !== '')
  } else {
    if (![...Object.keys(added), ...deleted].every(isScramMechanism)) {
      const info = 'User configuration updates using ZooKeeper are only supported for SCRAM credential updates.'
      throw new UsageError(`requirement failed: ${complaint}. ${info}`, false)
    }
    for (const [key, value] of Object.entries(added))
      if (isScramMechanism(key)) added[key] = formatScramCredential(saltPassword(key, value))
  }
  const change = (current: Map<string, string>): Map<string, string> => {
    checkDeletions(deleted, (key) => current.has(key))
    for (const [key, value] of Object.entries(added)) current.set(key, value)
    for (const key of deleted) current.delete(key)
    return current
  }
  await session.createRecursive(configTypePath(type as 'users'))
  await changeConfig(session, entity.path, change, { checkController: false })
  out(`Completed updating config for entity: ${entity.shown}.`)
}

function checkBrokerConfigs(added: Record<string, string>, perBroker: boolean): void {
  for (const key of Object.keys(added)) if (key.startsWith('password.encoder.')) delete added[key]
  try {
    checkDynamicConfigs(added, perBroker)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new Error(error.message)
  }
  const secret = Object.keys(added).find((key) => /password$|\.jaas\.config$|keystore\.(key|certificate\.chain)$|certificates$/.test(key))
  if (secret !== undefined) throw new Error(`${secret} is kept encrypted, which is not supported yet`)
}

