/** Which keys of a broker can be changed while it runs, and under which names (KIP-226, Kafka's DynamicBrokerConfig). */
import { brokerKeys } from './config-definition'
import type { ConfigKey, Properties } from './config-definition'
import { ConfigError, checkConfigValue, parseConfigValue } from './config-values'

/** Security keys that can be changed for one listener only: `listener.name.<listener>.ssl.keystore.location`. */
const LISTENER_ONLY: ReadonlySet<string> = new Set([
  'ssl.key.password',
  'ssl.keystore.certificate.chain',
  'ssl.keystore.key',
  'ssl.keystore.location',
  'ssl.keystore.password',
  'ssl.keystore.type',
  'ssl.truststore.certificates',
  'ssl.truststore.location',
  'ssl.truststore.password',
  'ssl.truststore.type',
])

/** Keys of a listener that may be set for all brokers at once. */
const CLUSTER_LEVEL_LISTENER_KEYS: ReadonlySet<string> = new Set([
  'max.connections',
  'max.connection.creation.rate',
  'num.network.threads',
])

const LISTENER_PREFIX = /^listener\.name\.[^.]*\.(.*)$/

/** Of `listener.name.<listener>.<key>` the key, of another name undefined. */
function listenerKey(name: string): string | undefined {
  return LISTENER_PREFIX.exec(name)?.[1]
}

/** Whether Kafka changes the key while a broker runs; throttle rates, which can be set no other way, do not count. */
export function isDynamic(name: string): boolean {
  const mode = brokerKeys.get(name)?.mode
  return mode === 'per-broker' || mode === 'cluster-wide'
}

/** A key of server.properties that can be set there alone. */
function isStatic(name: string): boolean {
  return brokerKeys.get(name)?.mode === 'read-only'
}

function isListenerOnly(name: string): boolean {
  return LISTENER_ONLY.has(name)
}

/** Never the same for all brokers. */
function isPerBroker(name: string): boolean {
  const ofListener = listenerKey(name)
  if (ofListener !== undefined) return !CLUSTER_LEVEL_LISTENER_KEYS.has(ofListener)
  return brokerKeys.get(name)?.mode === 'per-broker'
}

/** The key whose type and rule a value must obey; undefined: none does. */
export function definitionOf(name: string): ConfigKey | undefined {
  return brokerKeys.get(listenerKey(name) ?? name)
}

function refuse(names: readonly string[], why: string, set = 'Set'): void {
  if (names.length > 0) throw new ConfigError(`${why}: ${set}(${names.join(', ')})`, names[0])
}

/** Checks what shall be set for one broker (`perBroker`) or for all. Throws ConfigError with Kafka's words. */
export function checkDynamicConfigs(wanted: Properties, perBroker: boolean): void {
  const names = Object.keys(wanted)
  refuse(names.filter(isStatic), 'Cannot update these configs dynamically')
  refuse(
    names.filter(isListenerOnly),
    'These security configs can be dynamically updated only per-listener using the listener prefix',
    'HashSet',
  )
  for (const name of names) {
    const key = definitionOf(name)
    if (key !== undefined) checkConfigValue(key.name, key.type, key.valid, parseConfigValue(key.name, key.type, wanted[name]!))
  }
  if (perBroker) return
  refuse(names.filter(isPerBroker), 'Cannot update these configs at default cluster level, broker id must be specified')
}

/** Keys that say one thing in several units, strongest first (DynamicBrokerConfig.brokerConfigSynonyms). */
const SYNONYM_GROUPS = [
  ['log.roll.ms', 'log.roll.hours'],
  ['log.roll.jitter.ms', 'log.roll.jitter.hours'],
  ['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'],
]

/** With `ofListener`, what a listener's own key falls back to as well. */
export function brokerSynonyms(name: string, ofListener = true): readonly string[] {
  if (name === 'log.flush.interval.ms') return [name, 'log.flush.scheduler.interval.ms']
  const base = ofListener ? listenerKey(name) : undefined
  if (base !== undefined) return [name, base]
  return SYNONYM_GROUPS.find((group) => group.includes(name)) ?? [name]
}

/** What `over` says in place of what `under` says: under the same name, and under every name for the same thing. */
export function overrideProperties(under: Properties, over: Properties): Record<string, string> {
  const merged: Record<string, string> = Object.assign(Object.create(null), under)
  for (const [name, text] of Object.entries(over)) {
    for (const synonym of brokerSynonyms(name, false)) delete merged[synonym]
    merged[name] = text
  }
  return merged
}
