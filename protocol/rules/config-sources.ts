/**
 * Where the value of a key comes from, as DescribeConfigs tells it (KIP-226): the value in force, its source, and every other value
 * that stands behind it.
 */
import type { BrokerConfig, ConfigKey, Properties } from './config-definition'
import { brokerKeys, overriddenKey } from './config-definition'
import type { ConfigValue } from './config-values'
import { canonicalConfigText, configTypeIds, formatConfigValue } from './config-values'
import type { TopicConfig } from './topic-config'
import { convertedTopicKeys, fieldOf, listedTopicKeys, topicKeys } from './topic-config'

/** The numbers of the sources in DescribeConfigs answers. */
export const ConfigSource = {
  unknown: 0,
  topic: 1,
  dynamicBroker: 2,
  dynamicDefaultBroker: 3,
  staticBroker: 4,
  default: 5,
  dynamicBrokerLogger: 6,
  clientMetrics: 7,
} as const
export type ConfigSource = (typeof ConfigSource)[keyof typeof ConfigSource]

export interface ConfigSynonym {
  name: string
  value: string | null
  source: ConfigSource
}

export interface DescribedConfig {
  name: string
  /** null where it is not to be seen, or not set. */
  value: string | null
  source: ConfigSource
  readOnly: boolean
  isSensitive: boolean
  /** The number of the type, 0 unknown. */
  type: number
  synonyms: ConfigSynonym[]
}

/** A broker's values as they were given, by where: in ZooKeeper for this broker, for all brokers, and in `server.properties`. */
export interface BrokerSources {
  dynamicBroker: Properties
  dynamicDefault: Properties
  static: Properties
}

const timeSynonyms: readonly (readonly string[])[] = [
  ['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'],
  ['log.roll.ms', 'log.roll.hours'],
  ['log.roll.jitter.ms', 'log.roll.jitter.hours'],
  ['log.flush.interval.ms', 'log.flush.scheduler.interval.ms'],
]

/** The keys whose values can be in force for a broker key, strongest first. */
export function brokerSynonyms(name: string): readonly string[] {
  const base = overriddenKey(name)?.key
  if (base !== undefined) return [name, base]
  return timeSynonyms.find((names) => names.includes(name)) ?? [name]
}

function synonymsOf(name: string, sources: BrokerSources, isSensitive: boolean): ConfigSynonym[] {
  const names = brokerSynonyms(name)
  const all: ConfigSynonym[] = []
  const add = (key: string, value: string | null | undefined, source: ConfigSource): void => {
    if (value !== undefined && value !== null) all.push({ name: key, value: isSensitive ? null : value, source })
  }
  for (const key of names) add(key, sources.dynamicBroker[key], ConfigSource.dynamicBroker)
  for (const key of names) add(key, sources.dynamicDefault[key], ConfigSource.dynamicDefaultBroker)
  for (const key of names) add(key, sources.static[key], ConfigSource.staticBroker)
  for (const key of names) add(key, brokerKeys.get(key)?.defaultText, ConfigSource.default)
  // Kafka drops what stands before the key's own first entry: with `log.retention.hours` alone, `log.retention.ms` has none.
  const own = all.findIndex((each) => each.name === name)
  return own < 0 ? [] : all.slice(own)
}

/** One key of a topic. `effective` is the topic's configuration in force. */
export function describeTopicKey(
  key: ConfigKey,
  overrides: Properties,
  effective: TopicConfig,
  broker: BrokerConfig,
  sources: BrokerSources,
): DescribedConfig {
  const value = topicText(key, overrides[key.name], effective, broker)
  const strongest = key.synonyms[0]
  const synonyms = strongest === undefined ? [] : synonymsOf(strongest, sources, false)
  if (overrides[key.name] !== undefined) synonyms.unshift({ name: key.name, value, source: ConfigSource.topic })
  return {
    name: key.name,
    value,
    source: synonyms[0]?.source ?? ConfigSource.default,
    readOnly: false,
    isSensitive: false,
    type: configTypeIds[key.type],
    synonyms,
  }
}

/** The text of a value in force, exact for 64-bit integers. */
function topicText(key: ConfigKey, override: string | undefined, effective: TopicConfig, broker: BrokerConfig): string | null {
  if (override !== undefined) return canonicalConfigText(key.name, key.type, override)
  const synonym = key.synonyms[0]
  if (synonym !== undefined && !convertedTopicKeys.has(key.name)) return broker.text(synonym)
  return formatConfigValue(key.type, effective[fieldOf(key.name)] as ConfigValue)
}

/** Every key of a topic that is listed: Kafka's 36, and what of ours the topic sets. Sorted by name. */
export function describeTopic(overrides: Properties, effective: TopicConfig, broker: BrokerConfig, sources: BrokerSources): DescribedConfig[] {
  const own = [...topicKeys.values()].filter((key) => key.internal && overrides[key.name] !== undefined)
  return [...listedTopicKeys, ...own].map((key) => describeTopicKey(key, overrides, effective, broker, sources)).sort(byName)
}

/**
 * One key of a broker. `broker` holds the values in force; `onlyDefaults`: as for the empty broker name, which shows what is set for
 * all brokers.
 */
export function describeBrokerKey(name: string, broker: BrokerConfig, sources: BrokerSources, onlyDefaults = false): DescribedConfig {
  const key = brokerKeys.get(name) ?? brokerKeys.get(overriddenKey(name)?.key ?? '')
  const isSensitive = key === undefined || key.type === 'password'
  const synonyms = synonymsOf(name, sources, isSensitive)
    .filter((each) => !onlyDefaults || each.source === ConfigSource.dynamicDefaultBroker)
  return {
    name,
    value: isSensitive ? null : brokerText(name, key, broker),
    source: synonyms[0]?.source ?? ConfigSource.default,
    readOnly: key === undefined || key.mode === 'read-only',
    isSensitive,
    type: key === undefined ? 0 : configTypeIds[key.type],
    synonyms,
  }
}

function brokerText(name: string, key: ConfigKey, broker: BrokerConfig): string | null {
  if (key.name === name) return broker.text(name)
  const text = broker.given[name]
  return text === undefined ? broker.text(key.name) : canonicalConfigText(name, key.type, text)
}

/** Every key of a broker that is listed: Kafka's, and whatever else was given. Sorted by name. */
export function describeBroker(broker: BrokerConfig, sources: BrokerSources): DescribedConfig[] {
  const names = new Set([...brokerKeys.values()].filter((key) => !key.internal && key.mode !== 'dynamic-only').map((key) => key.name))
  for (const name of Object.keys(broker.given)) names.add(name)
  return [...names].map((name) => describeBrokerKey(name, broker, sources)).sort(byName)
}

function byName(a: DescribedConfig, b: DescribedConfig): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}
