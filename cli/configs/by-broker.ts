import { ResourceType } from '../../client/admin'
import { printJson } from '../tool/json'
import { UsageError } from '../tool/command-line'
import { alterCredentials, alterQuotas, describeQuotas, quotasJson } from './quotas'
import { checkDeletions, configsToAdd, configsToDelete } from './changes'
import { isInteger, isIpKey, isQuotaKey, isScramMechanism } from './options'
import { validateTopicName } from '../../protocol/rules/topic-name'
import { ErrorCode, ProtocolError } from '../../protocol/errors'
import { NetworkError } from '../../network/kafka-connection'
import type { CommandLine } from '../tool/command-line'
import type { DescribeConfigsResourceResult } from '../../protocol/messages/describe-configs'
import type { Entities } from './options'
import type { MaintenanceAdmin } from '../../client/admin/maintenance'

const SOURCES = [
  'UNKNOWN',
  'DYNAMIC_TOPIC_CONFIG',
  'DYNAMIC_BROKER_CONFIG',
  'DYNAMIC_DEFAULT_BROKER_CONFIG',
  'STATIC_BROKER_CONFIG',
  'DEFAULT_CONFIG',
  'DYNAMIC_BROKER_LOGGER_CONFIG',
  'DYNAMIC_CLIENT_METRICS_CONFIG',
]
const CLIENT_METRICS = 16

const out = (text: string): void => void process.stdout.write(`${text}\n`)

/** What an entity sets itself, or with `all` what holds for it, by name. */
async function configsOf(admin: MaintenanceAdmin, type: string, name: string, all = false): Promise<DescribeConfigsResourceResult[]> {
  const [resourceType, source] = resourceOf(type, name)
  if (resourceType === ResourceType.topic) {
    const invalid = validateTopicName(name)
    if (invalid !== undefined) throw new ProtocolError(ErrorCode.INVALID_TOPIC_EXCEPTION, invalid)
  }
  const configs = await admin.describeConfigs(resourceType, name)
  return configs
    .filter(({ configSource }) => all || source === undefined || configSource === SOURCES.indexOf(source))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function resourceOf(type: string, name: string): [resourceType: number, source: string | undefined] {
  if ((type === 'brokers' || type === 'broker-loggers') && name !== '' && !isInteger(name))
    throw new UsageError(`The entity name for ${type} must be a valid integer broker id, found: ${name}`, false)
  switch (type) {
    case 'topics':
      return [ResourceType.topic, 'DYNAMIC_TOPIC_CONFIG']
    case 'brokers':
      return [ResourceType.broker, name === '' ? 'DYNAMIC_DEFAULT_BROKER_CONFIG' : 'DYNAMIC_BROKER_CONFIG']
    case 'broker-loggers':
      return [ResourceType.brokerLogger, undefined]
    default:
      return [CLIENT_METRICS, 'DYNAMIC_CLIENT_METRICS_CONFIG']
  }
}

export async function describe(admin: MaintenanceAdmin, line: CommandLine, { types, names }: Entities): Promise<void> {
  const type = types[0]!
  if (type === 'users' || type === 'clients' || type === 'ips') {
    if (line.has('json')) printJson(await quotasJson(admin, types, names))
    else await describeQuotas(admin, types, names)
    return
  }
  const all = line.has('all')
  if (line.has('json')) {
    const entities: object[] = []
    for (const entity of names.length > 0 ? [names[0]!] : await everyEntity(admin, type)) {
      const configs = (await configsOf(admin, type, entity, all)).map(configJson)
      entities.push({ entityType: type, entityName: entity === '' ? null : entity, configs })
    }
    printJson({ entities })
    return
  }
  for (const entity of names.length > 0 ? [names[0]!] : await everyEntity(admin, type)) {
    const what = all ? 'All' : 'Dynamic'
    if (entity === '') out(`Default configs for ${type} in the cluster are:`)
    else out(`${what} configs for ${type.slice(0, -1)} ${entity} are:`)
    for (const { name, value, isSensitive, synonyms } of await configsOf(admin, type, entity, all)) {
      const list = synonyms.map((each) => `${SOURCES[each.source] ?? 'UNKNOWN'}:${each.name}=${String(each.value)}`)
      out(`  ${name}=${String(value)} sensitive=${String(isSensitive)} synonyms={${list.join(', ')}}`)
    }
  }
}

function configJson({ name, value, configSource, isSensitive, readOnly, synonyms }: DescribeConfigsResourceResult): object {
  return {
    name,
    value,
    source: SOURCES[configSource] ?? 'UNKNOWN',
    isSensitive,
    isReadOnly: readOnly,
    synonyms: synonyms.map((each) => ({ name: each.name, value: each.value, source: SOURCES[each.source] ?? 'UNKNOWN' })),
  }
}

async function everyEntity(admin: MaintenanceAdmin, type: string): Promise<string[]> {
  if (type === 'topics') return (await admin.listTopics()).map(({ name }) => name)
  if (type === 'client-metrics')
    throw new NetworkError('UNSUPPORTED_VERSION', 'The node does not support LIST_CLIENT_METRICS_RESOURCES')
  return [...(await admin.describeCluster()).nodes.map(({ id }) => String(id)), '']
}

export async function alter(admin: MaintenanceAdmin, line: CommandLine, { types, names }: Entities): Promise<void> {
  if (types.length !== names.length) throw new UsageError('An entity name must be specified for every entity type', false)
  const [type, name] = [types[0]!, names[0]!]
  const added = configsToAdd(line)
  const deleted = configsToDelete(line)
  switch (type) {
    case 'brokers':
      await alterBroker(admin, name, added, deleted)
      break
    case 'topics':
    case 'client-metrics':
    case 'broker-loggers':
      await alterIncrementally(admin, type, name, added, deleted)
      break
    case 'ips': {
      const unknown = [...Object.keys(added), ...deleted].filter((key) => !isIpKey(key))
      if (unknown.length > 0) {
        const complaint = `Only connection quota configs can be added for 'ips' using --bootstrap-server.`
        throw new UsageError(`${complaint} Unexpected config names: ${unknown.join(',')}`, false)
      }
      await alterQuotas(admin, types, names, added, deleted)
      break
    }
    default:
      await alterUserOrClient(admin, { types, names }, added, deleted)
  }
  if (name === '') out(`Completed updating default config for ${type} in the cluster.`)
  else out(`Completed updating config for ${type.slice(0, -1)} ${name}.`)
}

async function alterIncrementally(
  admin: MaintenanceAdmin, type: string, name: string, added: Record<string, string>, deleted: readonly string[],
): Promise<void> {
  const current = new Set((await configsOf(admin, type, name)).map((config) => config.name))
  if (type === 'broker-loggers') {
    const unknown = [...deleted, ...Object.keys(added)].filter((logger) => !current.has(logger))
    if (unknown.length > 0) throw new UsageError(`Invalid broker logger(s): ${unknown.join(',')}`, false)
  } else checkDeletions(deleted, (key) => current.has(key))
  await admin.incrementalAlterConfigs(resourceOf(type, name)[0], name, [
    ...Object.entries(added).map(([key, value]) => ({ name: key, operation: 'set' as const, value })),
    ...deleted.map((key) => ({ name: key, operation: 'delete' as const, value: '' })),
  ])
}

/** As Kafka's tool does, by replacing all: what is kept back cannot be sent again. */
async function alterBroker(
  admin: MaintenanceAdmin, name: string, added: Record<string, string>, deleted: readonly string[],
): Promise<void> {
  const current = await configsOf(admin, 'brokers', name)
  const wanted = new Map<string, string | null>(current.map((config) => [config.name, config.value]))
  checkDeletions(deleted, (key) => wanted.has(key))
  for (const [key, value] of Object.entries(added)) wanted.set(key, value)
  for (const key of deleted) wanted.delete(key)
  const sensitive = [...wanted].filter(([, value]) => value === null).map(([key]) => key)
  if (sensitive.length > 0) {
    const complaint = 'All sensitive broker config entries must be specified for --alter, missing entries:'
    throw new UsageError(`${complaint} Set(${sensitive.join(', ')})`, false)
  }
  await admin.alterConfigs(ResourceType.broker, name, Object.fromEntries(wanted))
}

async function alterUserOrClient(
  admin: MaintenanceAdmin, { types, names }: Entities, added: Record<string, string>, deleted: readonly string[],
): Promise<void> {
  const keys = Object.keys(added)
  const ofClient = types[0] === 'clients' || types.length === 2
  const isAllowed = (key: string): boolean => isQuotaKey(key) || (!ofClient && isScramMechanism(key))
  const [kind, type] = ofClient ? ['quota', 'clients'] : ['quota and SCRAM credential', 'users']
  for (const [verb, set, unknown] of [
    ['added', 'Set', keys.filter((key) => !isAllowed(key))],
    ['deleted', 'ArrayBuffer', deleted.filter((key) => !isAllowed(key))],
  ] as const) {
    if (unknown.length === 0) continue
    const complaint = `Only ${kind} configs can be ${verb} for '${type}' using --bootstrap-server.`
    throw new UsageError(`${complaint} Unexpected config names: ${set}(${unknown.join(', ')})`, false)
  }
  if (![...keys, ...deleted].some(isScramMechanism)) {
    await alterQuotas(admin, types, names, added, deleted)
    return
  }
  if (names.includes('')) {
    const complaint = 'The use of --entity-default or --user-defaults is not allowed with User SCRAM Credentials'
    throw new UsageError(`${complaint} using --bootstrap-server.`, false)
  }
  if ([...keys, ...deleted].some(isQuotaKey)) {
    const complaint = "Cannot alter both quota and SCRAM credential configs simultaneously for 'users' using --bootstrap-server."
    throw new UsageError(complaint, false)
  }
  await alterCredentials(admin, names[0]!, added, deleted.filter(isScramMechanism))
}
