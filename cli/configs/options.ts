import { isIP } from 'node:net'
import { JSON_OPTION, refuseJson } from '../tool/json'
import { UsageError } from '../tool/command-line'
import { brokerKeys } from '../../protocol/rules/config-definition'
import { listedTopicKeys } from '../../protocol/rules/topic-config'
import type { CommandLine } from '../tool/command-line'
import type { OptionSpec } from '../tool/usage'

const QUOTA_KEYS = ['consumer_byte_rate', 'controller_mutation_rate', 'producer_byte_rate', 'request_percentage']
export const SCRAM_MECHANISMS = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const
const IP_KEYS = ['connection_creation_rate']

export function isQuotaKey(name: string): boolean {
  return QUOTA_KEYS.includes(name)
}

export function isIpKey(name: string): boolean {
  return IP_KEYS.includes(name)
}

export function isScramMechanism(name: string): name is (typeof SCRAM_MECHANISMS)[number] {
  return (SCRAM_MECHANISMS as readonly string[]).includes(name)
}

const dynamicBrokerKeys = [...brokerKeys.values()].filter(({ mode }) => mode !== 'read-only').map(({ name }) => name)

function listed(type: string, names: readonly string[]): string {
  return `For entity-type '${type}': \n${[...names].sort().map((name) => `\t${name}`).join('\n')}\n`
}

export const OPTIONS: readonly OptionSpec[] = [
  {
    name: 'zookeeper',
    argument: 'String: urls',
    description:
      'DEPRECATED. The ZooKeeper to act on, host:port and comma: for credentials of users, and for the configuration of ' +
      'brokers that do not run.',
  },
  { name: 'bootstrap-server', argument: 'String: server to connect to', description: 'The Kafka servers to connect to.' },
  { name: 'bootstrap-controller', argument: 'String: controller to connect to', description: 'The KRaft controllers to connect to.' },
  {
    name: 'command-config',
    argument: 'String: command config property file',
    description: 'A property file with the configuration of the admin client.',
  },
  { name: 'alter', description: 'Alters the configuration of the entity.' },
  { name: 'describe', description: 'Shows the configuration of the entity.' },
  { name: 'all', description: 'Shows everything of a topic, a broker or its loggers, what server.properties says included.' },
  {
    name: 'entity-type',
    argument: 'String',
    repeat: true,
    description: 'The type of the entity: topics, clients, users, brokers, broker-loggers, ips, client-metrics.',
  },
  { name: 'entity-name', argument: 'String', repeat: true, description: 'The name of the entity: of a topic, a client, a user, a broker ...' },
  { name: 'entity-default', description: 'The default of clients, users, brokers or ips, in place of a name.' },
  {
    name: 'add-config',
    argument: 'String',
    description:
      "What is to be set: 'k1=v1,k2=[v1,v2]', brackets around values with commas. Valid are:\n" +
      listed('topics', listedTopicKeys.map(({ name }) => name)) +
      listed('brokers', dynamicBrokerKeys) +
      listed('users', [...QUOTA_KEYS, ...SCRAM_MECHANISMS]) +
      listed('clients', QUOTA_KEYS) +
      listed('ips', IP_KEYS) +
      "'users' and 'clients' together mean a client of a user.",
  },
  { name: 'add-config-file', argument: 'String', description: 'A property file with what is to be set.' },
  { name: 'delete-config', argument: 'String', repeat: true, description: "What is to be removed: 'k1,k2'." },
  { name: 'force', description: 'Suppresses questions.' },
  { name: 'topic', argument: 'String', description: 'The name of a topic.' },
  { name: 'client', argument: 'String', description: 'The id of a client.' },
  { name: 'client-defaults', description: 'The default of all clients.' },
  { name: 'user', argument: 'String', description: 'The name of a user.' },
  { name: 'user-defaults', description: 'The default of all users.' },
  { name: 'broker', argument: 'String', description: 'The id of a broker.' },
  { name: 'broker-defaults', description: 'The default of all brokers.' },
  { name: 'broker-logger', argument: 'String', description: 'The id of a broker, for its loggers.' },
  { name: 'ip-defaults', description: 'The default of all addresses.' },
  { name: 'ip', argument: 'String', description: 'An address.' },
  JSON_OPTION,
  {
    name: 'zk-tls-config-file',
    argument: 'String: ZooKeeper TLS configuration',
    description: 'A property file with the TLS settings for ZooKeeper. Not supported.',
  },
]

const FLAGS: readonly (readonly [flag: string, type: string])[] = [
  ['topic', 'topics'],
  ['client', 'clients'],
  ['user', 'users'],
  ['broker', 'brokers'],
  ['broker-logger', 'broker-loggers'],
  ['ip', 'ips'],
]
const DEFAULT_FLAGS: readonly (readonly [flag: string, type: string])[] = [
  ['client-defaults', 'clients'],
  ['user-defaults', 'users'],
  ['broker-defaults', 'brokers'],
  ['ip-defaults', 'ips'],
]

const BROKER_TYPES = ['topics', 'clients', 'users', 'brokers', 'ips', 'broker-loggers', 'client-metrics']
const ZOOKEEPER_TYPES = ['users', 'brokers']

/** What is asked about: types, and names in the same order; '' is the default of a type. */
export interface Entities {
  types: string[]
  names: string[]
}

/** `argv` says in which order --entity-name and --entity-default came. */
export function entitiesOf(line: CommandLine, argv: readonly string[]): Entities {
  const flags = FLAGS.filter(([flag]) => line.has(flag))
  const defaults = DEFAULT_FLAGS.filter(([flag]) => line.has(flag))
  const named = [...line.values('entity-name')]
  const inOrder = argv.filter((word) => /^--?entity-[nd]/.test(word)).map((word) => (/entity-n/.test(word) ? named.shift()! : ''))
  return {
    types: [...line.values('entity-type'), ...[...flags, ...defaults].map(([, type]) => type)],
    names: [...inOrder, ...flags.map(([flag]) => line.value(flag)!), ...defaults.map(() => '')],
  }
}

function refuse(message: string): never {
  throw new UsageError(message, false)
}

/** Complains as Kafka's ConfigCommand does, in its order. */
export function checkOptions(line: CommandLine, { types, names }: Entities): 'alter' | 'describe' {
  const actions = (['alter', 'describe'] as const).filter((action) => line.has(action))
  if (actions.length !== 1) throw new UsageError('Command must include exactly one action: --describe, --alter')
  const action = actions[0]!
  refuseJson(line, ['alter', 'zookeeper'])
  line.refuseTogether('describe', ['add-config', 'delete-config'])
  const duplicates = types.filter((type, i) => types.indexOf(type) < i)
  if (duplicates.length > 0) refuse(`Duplicate entity type(s) specified: ${duplicates.join(',')}`)
  checkTypes(line, types)
  const byHand = ['entity-name', 'entity-type', 'entity-default'].some((option) => line.has(option))
  if (byHand && [...FLAGS, ...DEFAULT_FLAGS].some(([flag]) => line.has(flag)))
    refuse('--entity-{type,name,default} should not be used in conjunction with specific entity flags')
  checkConnection(line)
  const hasName = names.some((name) => name !== '')
  const hasDefault = names.includes('')
  if (hasName) checkNames(line, types)
  if (action === 'describe' && types.includes('broker-loggers') && !hasName)
    refuse(`an entity name must be specified with --describe of ${types.join(',')}`)
  if (action === 'alter') checkAlter(line, types, hasName, hasDefault)
  return action
}

function checkTypes(line: CommandLine, types: readonly string[]): void {
  const byBroker = line.has('bootstrap-server') || line.has('bootstrap-controller')
  const allowed = byBroker ? BROKER_TYPES : ZOOKEEPER_TYPES
  const option = byBroker ? '--bootstrap-server or --bootstrap-controller' : '--zookeeper'
  for (const type of types) {
    if (allowed.includes(type)) continue
    refuse(`Invalid entity type ${type}, the entity type must be one of ${allowed.join(', ')} with a ${option} argument`)
  }
  if (types.length === 0) refuse('At least one entity type must be specified')
  const isUserAndClient = types.length === 2 && types.includes('users') && types.includes('clients')
  if (types.length > 1 && !isUserAndClient) refuse("Only 'users' and 'clients' entity types may be specified together")
}

function checkConnection(line: CommandLine): void {
  const given = ['bootstrap-server', 'bootstrap-controller', 'zookeeper'].filter((option) => line.has(option)).length
  if (given === 0)
    refuse('One of the required --bootstrap-server, --boostrap-controller, or --zookeeper arguments must be specified')
  if (given > 1) refuse('Only one of --bootstrap-server, --boostrap-controller, and --zookeeper can be specified')
  if (line.has('all') && line.has('zookeeper')) refuse('--bootstrap-server must be specified for --all')
  if (line.has('zk-tls-config-file') && !line.has('zookeeper'))
    refuse('Only the --zookeeper option can be used with the --zk-tls-config-file option.')
}

function checkNames(line: CommandLine, types: readonly string[]): void {
  const given = (options: readonly string[]): string[] => options.filter((option) => line.has(option)).map((option) => line.value(option)!)
  if (types.includes('brokers') || types.includes('broker-loggers')) {
    for (const id of given(['entity-name', 'broker', 'broker-logger'])) {
      if (!isInteger(id)) refuse(`The entity name for ${types[0]} must be a valid integer broker id, but it is: ${id}`)
    }
  }
  if (!types.includes('ips')) return
  for (const ip of given(['entity-name', 'ip'])) {
    const isHost = isIP(ip) > 0 || /^[a-z0-9]([\w-]*\.?[a-z0-9])*$/i.test(ip)
    if (!isHost) refuse(`The entity name for ${types[0]} must be a valid IP or resolvable host, but it is: ${ip}`)
  }
}

export function isInteger(text: string): boolean {
  return /^[-+]?\d+$/.test(text) && Math.abs(Number(text)) < 2 ** 31
}

function checkAlter(line: CommandLine, types: readonly string[], hasName: boolean, hasDefault: boolean): void {
  if (['users', 'clients', 'brokers', 'ips'].some((type) => types.includes(type))) {
    if (!hasName && !hasDefault)
      refuse('an entity-name or default entity must be specified with --alter of users, clients, brokers or ips')
  } else if (!hasName) refuse(`an entity name must be specified with --alter of ${types.join(',')}`)
  if (line.has('add-config') && line.has('add-config-file')) refuse('Only one of --add-config or --add-config-file must be specified')
  if (!['add-config', 'add-config-file', 'delete-config'].some((option) => line.has(option)))
    refuse('At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter')
}
