import { brokerKeys } from '../../protocol/rules/config-definition'
import { canonicalConfigText, configTypeIds, formatConfigValue } from '../../protocol/rules/config-values'
import { listedTopicKeys, topicKeys } from '../../protocol/rules/topic-config'
import { logFlushIntervalMs, logRetentionMs, logRollJitterMs, logRollMs } from '../../protocol/rules/broker-config-checks'
import { brokerSynonyms, definitionOf, isDynamic } from '../../protocol/rules/dynamic-config-keys'
import type { BrokerConfig, ConfigKey, Properties } from '../../protocol/rules/config-definition'
import type { Overrides } from './topic-config-store'

/** Where a value comes from; the numbers of DescribeConfigs. */
export const ConfigSource = { topic: 1, dynamicBroker: 2, dynamicDefaultBroker: 3, staticBroker: 4, default: 5 } as const

export interface ConfigSynonym {
  name: string
  value: string | null
  source: number
}

export interface ConfigEntry {
  name: string
  value: string | null
  readOnly: boolean
  /** DescribeConfigs 0 has this in place of the source. */
  isDefault: boolean
  configSource: number
  isSensitive: boolean
  synonyms: ConfigSynonym[]
  configType: number
  documentation: string | null
}

const UNKNOWN_TYPE = 0

/** A broker's values and where they come from; KafkaConfig is one. */
export interface ConfigSources {
  readonly values: BrokerConfig
  readonly staticValues: BrokerConfig
  readonly dynamicDefault: Properties
  readonly dynamicBroker: Properties
}

/**
 * What `names` are set to in each source, strongest source first. Leading entries that are not named like the key itself are
 * dropped, as Kafka does: `retention.ms` does not show that log.retention.hours is in server.properties.
 */
function synonymsOf(config: ConfigSources, name: string, names: readonly string[], isSensitive: boolean): ConfigSynonym[] {
  const found: ConfigSynonym[] = []
  const add = (each: string, value: string | null | undefined, source: number): void => {
    if (value !== undefined && value !== null) found.push({ name: each, value: isSensitive ? null : value, source })
  }
  for (const each of names) add(each, config.dynamicBroker[each], ConfigSource.dynamicBroker)
  for (const each of names) add(each, config.dynamicDefault[each], ConfigSource.dynamicDefaultBroker)
  for (const each of names) add(each, config.staticValues.given[each], ConfigSource.staticBroker)
  for (const each of names) {
    const key = brokerKeys.get(each)
    if (key !== undefined && key.defaultText !== null && key.mode !== 'dynamic-only') {
      add(each, canonicalConfigText(each, key.type, key.defaultText), ConfigSource.default)
    }
  }
  const first = found.findIndex((synonym) => synonym.name === name)
  return first < 0 ? [] : found.slice(first)
}

function entry(
  name: string,
  value: string | null,
  key: ConfigKey | undefined,
  synonyms: ConfigSynonym[],
  readOnly: boolean,
  isSensitive: boolean,
): ConfigEntry {
  const configSource = synonyms[0]?.source ?? ConfigSource.default
  return {
    name,
    value: isSensitive ? null : value,
    readOnly,
    isDefault: configSource === ConfigSource.default,
    configSource,
    isSensitive,
    synonyms,
    configType: key === undefined ? UNKNOWN_TYPE : configTypeIds[key.type],
    documentation: null,
  }
}

/** All keys of this broker, and what was given without being a key (its type is unknown, so its value is kept back). */
export function describeBrokerConfig(config: ConfigSources, keys: readonly string[] | null): ConfigEntry[] {
  const { values } = config
  const names = new Set<string>()
  for (const key of brokerKeys.values()) if (!key.internal && key.mode !== 'dynamic-only') names.add(key.name)
  for (const name of Object.keys(values.given)) names.add(name)
  return selected(names, keys).map((name) => {
    const value = brokerKeys.has(name) ? values.text(name) : values.given[name]!
    return brokerEntry(config, name, value, () => true)
  })
}

/** What is set for all brokers, and nothing else. */
export function describeDefaultBrokerConfig(config: ConfigSources, keys: readonly string[] | null): ConfigEntry[] {
  return selected(new Set(Object.keys(config.dynamicDefault)), keys).map((name) =>
    brokerEntry(config, name, config.dynamicDefault[name]!, ({ source }) => source === ConfigSource.dynamicDefaultBroker),
  )
}

function brokerEntry(
  config: ConfigSources,
  name: string,
  value: string | null,
  counts: (synonym: ConfigSynonym) => boolean,
): ConfigEntry {
  const key = definitionOf(name)
  const isSensitive = key === undefined || key.type === 'password'
  const synonyms = synonymsOf(config, name, brokerSynonyms(name), isSensitive).filter(counts)
  return entry(name, value, key, synonyms, !isDynamic(name), isSensitive)
}

/** The 36 keys of a topic, and what else it sets. */
export function describeTopicConfig(config: ConfigSources, overrides: Overrides, keys: readonly string[] | null): ConfigEntry[] {
  const names = new Set(listedTopicKeys.map((key) => key.name))
  for (const name of Object.keys(overrides)) names.add(name)
  return selected(names, keys).map((name) => {
    const key = topicKeys.get(name)
    const isSensitive = key === undefined
    const own = overrides[name]
    const fromBroker =
      key === undefined || key.synonyms.length === 0 ? [] : synonymsOf(config, key.synonyms[0]!, key.synonyms, false)
    if (own === undefined) return entry(name, brokerValue(config.values, key), key, fromBroker, false, isSensitive)
    const value = key === undefined ? own : canonicalConfigText(name, key.type, own)
    const synonyms = [{ name, value: isSensitive ? null : value, source: ConfigSource.topic }, ...fromBroker]
    return entry(name, value, key, synonyms, false, isSensitive)
  })
}

/** Where the broker's keys together make the topic's value. */
const WORKED_OUT: Readonly<Record<string, (config: BrokerConfig) => number>> = {
  'flush.ms': logFlushIntervalMs,
  'retention.ms': logRetentionMs,
  'segment.jitter.ms': logRollJitterMs,
  'segment.ms': logRollMs,
}

function brokerValue(config: BrokerConfig, key: ConfigKey | undefined): string | null {
  if (key === undefined) return null
  const workOut = WORKED_OUT[key.name]
  if (workOut !== undefined) return formatConfigValue(key.type, workOut(config))
  const synonym = key.synonyms[0]
  if (synonym !== undefined) return config.text(synonym)
  return key.defaultText === null ? null : canonicalConfigText(key.name, key.type, key.defaultText)
}

/** null or an empty list: all. */
function selected(names: ReadonlySet<string>, keys: readonly string[] | null): string[] {
  const wanted = keys === null || keys.length === 0 ? undefined : new Set(keys)
  return [...names].filter((name) => wanted === undefined || wanted.has(name)).sort()
}
