/**
 * The configuration keys of a broker, and how a `server.properties` becomes values: every key of Kafka 3.9 is known, a wrong
 * value is an error that names its key, an unknown key is a warning, and a key that would have no effect here is refused rather
 * than ignored.
 */
import { checkBrokerConfig } from './broker-config-checks'
import { brokerKeyRows } from './config-keys'
import type { KeyRow } from './config-keys'
import type { ConfigType, ConfigValue } from './config-values'
import { ConfigError, canonicalConfigText, checkConfigValue, parseConfigValue } from './config-values'

export { ConfigError } from './config-values'

export type UpdateMode = KeyRow[3]

/** A key, as Kafka defines it. */
export interface ConfigKey {
  readonly name: string
  readonly type: ConfigType
  /** As Kafka prints it; null where there is none. */
  readonly defaultText: string | null
  readonly mode: UpdateMode
  /** The rule for its values, as Kafka prints it. */
  readonly valid: string | null
  /** Known, but never listed. */
  readonly internal: boolean
  /** For a topic key the broker keys that feed it, strongest first. */
  readonly synonyms: readonly string[]
}

/** A key from its row of the generated table. */
export function configKey([name, type, defaultText, mode, valid, note]: KeyRow): ConfigKey {
  return { name, type, defaultText, mode, valid, internal: note === 'internal', synonyms: Array.isArray(note) ? note : [] }
}

/** Ours: an acks=all answer means that every in-sync replica has synced the record. */
export const FLUSH_BEFORE_ACK = 'flush.before.ack'

/** Ours: where a broker records what it sees and decides; empty for nowhere. Never inside log.dirs. */
export const RECORDING_DIR = 'recording.dir'

const ownRows: readonly KeyRow[] = [
  [FLUSH_BEFORE_ACK, 'boolean', 'false', 'read-only', null, 'internal'],
  [RECORDING_DIR, 'string', null, 'read-only', null, 'internal'],
]

/** Every key that a broker may have, dynamic ones among them. */
export const brokerKeys: ReadonlyMap<string, ConfigKey> = new Map(
  [...brokerKeyRows, ...ownRows].map((row) => [row[0], configKey(row)]),
)

/** Prefixes of the keys of KRaft, of the newer group protocols and of tiered storage: there is nothing here that they change. */
const foreignPrefixes: readonly string[] = [
  'broker.heartbeat.',
  'broker.session.',
  'controller.listener.names',
  'controller.quorum.',
  'early.start.listeners',
  'eligible.leader.replicas.',
  'group.consumer.',
  'group.coordinator.',
  'group.share.',
  'initial.broker.registration.',
  'metadata.log.',
  'metadata.max.',
  'process.roles',
  'remote.',
  'sasl.mechanism.controller.protocol',
  'server.max.startup.time.ms',
  'unstable.',
  'zookeeper.metadata.migration.enable',
]

/** True for a key that belongs to what a ZooKeeper-mode broker of ours does not have. */
export function isForeignKey(key: string): boolean {
  return foreignPrefixes.some((prefix) => key.startsWith(prefix))
}

/** Text values by key, as a properties file gives them. */
export type Properties = Readonly<Record<string, string>>

/** The parsed values of a broker, defaults filled in. */
export class BrokerConfig {
  readonly #values = new Map<string, ConfigValue>()
  /** What was given, unknown keys and listener overrides included. */
  readonly given: Properties

  constructor(given: Properties) {
    this.given = given
    for (const key of brokerKeys.values()) {
      const text = given[key.name] ?? key.defaultText
      this.#values.set(key.name, text === null ? null : parseConfigValue(key.name, key.type, text))
    }
  }

  isGiven(key: string): boolean {
    return Object.hasOwn(this.given, key)
  }

  /** Throws RangeError for a key that is none. */
  value(key: string): ConfigValue {
    const value = this.#values.get(key)
    if (value === undefined) throw new RangeError(`no configuration key ${key}`)
    return value
  }

  boolean(key: string): boolean {
    return this.#typed(key, 'boolean') as boolean
  }

  /** int, short, long and double. */
  number(key: string): number {
    return this.#typed(key, 'number') as number
  }

  numberOrNull(key: string): number | null {
    return this.value(key) === null ? null : this.number(key)
  }

  string(key: string): string {
    return this.#typed(key, 'string') as string
  }

  stringOrNull(key: string): string | null {
    return this.value(key) === null ? null : this.string(key)
  }

  list(key: string): string[] {
    return this.#typed(key, 'object') as string[]
  }

  /** The value as Kafka shows it, exact also for 64-bit integers. */
  text(key: string): string | null {
    const definition = brokerKeys.get(key)
    if (definition === undefined) throw new RangeError(`no configuration key ${key}`)
    const text = this.given[key] ?? definition.defaultText
    return text === null ? null : canonicalConfigText(key, definition.type, text)
  }

  #typed(key: string, type: string): ConfigValue {
    const value = this.value(key)
    if (value === null || typeof value !== type) throw new RangeError(`${key} is ${String(value)}, not a ${type}`)
    return value
  }
}

export interface ParsedBrokerConfig {
  readonly values: BrokerConfig
  readonly warnings: readonly string[]
}

/**
 * Parses the properties of a broker and checks them, one by one and against each other. `unsupported`: keys that this program
 * knows and does nothing with yet. Throws ConfigError, whose message names the key and what would be right.
 */
export function parseBrokerConfig(properties: Properties, unsupported: Iterable<string> = []): ParsedBrokerConfig {
  const given = withSynonyms(properties)
  const warnings: string[] = []
  const refused = new Set(unsupported)
  for (const [name, text] of Object.entries(given)) {
    const key = brokerKeys.get(name)
    if (key === undefined) {
      warnOfUnknownKey(name, text, refused, warnings)
      continue
    }
    checkGivenValue(key, text)
    if (key.mode === 'dynamic-only') warnings.push(`${name} has an effect only when it is set dynamically; it is ignored here`)
    if (isForeignKey(name)) refuseForeign(key, text)
    if (refused.has(name)) refuseUnsupported(key, text)
  }
  const values = new BrokerConfig(given)
  checkBrokerConfig(values, warnings)
  return { values, warnings }
}

/** `broker.id` and `node.id` fill each other. */
function withSynonyms(properties: Properties): Properties {
  const { 'broker.id': brokerId, 'node.id': nodeId } = properties
  if (brokerId !== undefined && nodeId === undefined) return { ...properties, 'node.id': brokerId }
  if (brokerId === undefined && nodeId !== undefined) return { ...properties, 'broker.id': nodeId }
  return properties
}

/** Checks one value as a broker would at its start. Throws ConfigError with what would be right. */
export function checkGivenValue(key: ConfigKey, text: string): void {
  try {
    checkConfigValue(key.name, key.type, key.valid, parseConfigValue(key.name, key.type, text))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const rule = key.valid === null || key.valid.startsWith('a version') ? '' : ` ${key.valid}`
    const fallback = key.defaultText === null || key.defaultText === '' ? '' : `, default ${key.defaultText}`
    throw new ConfigError(`${error.message} (type ${key.type}${rule}${fallback})`, key.name)
  }
}

function isDefault(key: ConfigKey, text: string): boolean {
  if (key.defaultText === null) return text.trim() === ''
  return canonicalConfigText(key.name, key.type, text) === canonicalConfigText(key.name, key.type, key.defaultText)
}

function refuseForeign(key: ConfigKey, text: string): void {
  if (isDefault(key, text)) return
  throw new ConfigError(
    `${key.name} belongs to a Kafka without ZooKeeper or with tiered storage; leave it at ${defaultOf(key)}`, key.name)
}

function refuseUnsupported(key: ConfigKey, text: string): void {
  if (isDefault(key, text)) return
  throw new ConfigError(`${key.name} would have no effect: it is not supported yet. Leave it at ${defaultOf(key)}`, key.name)
}

function defaultOf(key: ConfigKey): string {
  return key.defaultText === null || key.defaultText === '' ? 'its default, which is empty' : `its default, ${key.defaultText}`
}

const listenerOverride = /^listener\.name\.([^.]*)\.(?:(?:gssapi|plain|scram-sha-256|scram-sha-512|oauthbearer)\.)?(.+)$/

/** The key that `listener.name.<listener>[.<mechanism>].<key>` overrides; undefined for another form. */
export function overriddenKey(name: string): { listener: string; key: string } | undefined {
  const match = listenerOverride.exec(name)
  return match === null ? undefined : { listener: match[1] as string, key: match[2] as string }
}

function warnOfUnknownKey(name: string, text: string, refused: ReadonlySet<string>, warnings: string[]): void {
  const override = overriddenKey(name)
  const key = override === undefined ? undefined : brokerKeys.get(override.key)
  if (key === undefined) {
    warnings.push(`The configuration ${name} is not known and has no effect`)
    return
  }
  checkGivenValue({ ...key, name }, text)
  if (refused.has(key.name)) throw new ConfigError(`${name} would have no effect: ${key.name} is not supported yet`, name)
}

/** Variables of Kafka's container images that are no configuration. */
const otherVariables: ReadonlySet<string> = new Set([
  'KAFKA_VERSION', 'KAFKA_HEAP_OPTS', 'KAFKA_OPTS', 'KAFKA_JMX_OPTS', 'KAFKA_JMX_HOSTNAME', 'KAFKA_JVM_PERFORMANCE_OPTS',
  'KAFKA_GC_LOG_OPTS', 'KAFKA_LOG4J_OPTS', 'KAFKA_LOG4J_ROOT_LOGLEVEL', 'KAFKA_LOG4J_LOGGERS', 'KAFKA_TOOLS_LOG4J_LOGLEVEL',
])

/**
 * Keys from environment variables, as Kafka's container images map them: `KAFKA_LOG_DIRS` is `log.dirs`; `__` stands for an
 * underscore and `___` for a dash. Names that give no known key are left out without a word: KAFKA_HOME is none of ours.
 */
export function propertiesFromEnvironment(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const properties: Record<string, string> = {}
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || !name.startsWith('KAFKA_') || otherVariables.has(name)) continue
    const key = keyOfVariable(name.slice('KAFKA_'.length).toLowerCase())
    const known = brokerKeys.has(key) ? key : knownInAnyCase(key)
    if (known !== undefined) properties[known] = value
  }
  return properties
}

function keyOfVariable(name: string): string {
  return name.replace(/___|__|_/g, (underscores) => ({ ___: '-', __: '_', _: '.' })[underscores] as string)
}

/** `zookeeper.clientCnxnSocket` is the one key with a capital letter. */
function knownInAnyCase(key: string): string | undefined {
  const override = overriddenKey(key)
  if (override !== undefined) return brokerKeys.has(override.key) ? key : undefined
  return key === 'zookeeper.clientcnxnsocket' ? 'zookeeper.clientCnxnSocket' : undefined
}
