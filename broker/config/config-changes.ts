import { ErrorCode, ProtocolError } from '../../protocol/errors'
import { ConfigError, topicKeys, validateTopicConfig } from '../../protocol/rules/topic-config'
import { brokerKeys } from '../../protocol/rules/config-definition'
import type { ConfigKey } from '../../protocol/rules/config-definition'
import type { TopicConfig } from '../../protocol/rules/topic-config'
import type { Overrides } from './topic-config-store'

export const ConfigOperation = { set: 0, delete: 1, append: 2, subtract: 3 } as const

export interface ConfigChange {
  name: string
  operation: number
  value: string | null
}

function invalidRequest(message: string): ProtocolError {
  return new ProtocolError(ErrorCode.INVALID_REQUEST, message)
}

/** What is wrong with the changes of one resource by themselves (ConfigAdminManager.preprocess). Throws ProtocolError. */
export function checkChanges(changes: readonly ConfigChange[]): void {
  if (new Set(changes.map(({ name }) => name)).size < changes.length) throw invalidRequest('Error due to duplicate config keys')
  const nulls = changes.filter(({ operation, value }) => operation !== ConfigOperation.delete && value === null)
  if (nulls.length > 0) throw invalidRequest(`Null value not supported for : ${nulls.map(({ name }) => name).join(', ')}`)
  for (const { operation } of changes) {
    if (operation < ConfigOperation.set || operation > ConfigOperation.subtract)
      throw invalidRequest(`Unknown operations type ${operation}`)
  }
}

/** The key of a name; throws ProtocolError where there is none. */
export type KeyFinder = (name: string) => ConfigKey

export function topicKeyOf(name: string): ConfigKey {
  const key = topicKeys.get(name)
  if (key === undefined) throw new ProtocolError(ErrorCode.INVALID_CONFIG, `Unknown topic config name: ${name}`)
  return key
}

/** Kafka does not expect that somebody adds to a list that it does not know. */
export function brokerKeyOf(name: string): ConfigKey {
  const key = brokerKeys.get(name)
  if (key === undefined || key.mode === 'dynamic-only') throw new ProtocolError(ErrorCode.UNKNOWN_SERVER_ERROR)
  return key
}

/** What a resource sets after the changes. Throws ProtocolError. */
export function applyChanges(
  current: Overrides,
  changes: readonly ConfigChange[],
  keyOf: KeyFinder = topicKeyOf,
): Record<string, string> {
  const next: Record<string, string> = Object.assign(Object.create(null), current)
  for (const { name, operation, value } of changes) {
    switch (operation) {
      case ConfigOperation.set:
        next[name] = value!
        break
      case ConfigOperation.delete:
        delete next[name]
        break
      case ConfigOperation.append: {
        const before = listBefore(next, keyOf(name), 'append')
        next[name] = [...before, ...split(value!).filter((each) => !before.includes(each))].join(',')
        break
      }
      default: {
        const left = listBefore(next, keyOf(name), 'subtract')
        for (const each of split(value!)) {
          const at = left.indexOf(each)
          if (at >= 0) left.splice(at, 1)
        }
        next[name] = left.join(',')
      }
    }
  }
  return next
}

function listBefore(current: Overrides, key: ConfigKey, operation: string): string[] {
  if (key.type !== 'list') {
    throw new ProtocolError(ErrorCode.INVALID_CONFIG, `Config value ${operation} is not allowed for config key: ${key.name}`)
  }
  return split(current[key.name] ?? key.defaultText ?? '')
}

function split(list: string): string[] {
  return list === '' ? [] : list.split(',').map((each) => each.trim())
}

/** Checks what a topic would set. Throws ProtocolError INVALID_CONFIG with Kafka's words. */
export function checkTopicConfig(topic: string, overrides: Overrides, defaults: TopicConfig): void {
  try {
    validateTopicConfig(overrides, defaults)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    // Kafka wraps what its value checks say, and nothing else.
    const isWrapped = error.message.startsWith('Invalid value') || error.message.startsWith('Tiered Storage')
    const resource = `ConfigResource(type=TOPIC, name='${topic}')`
    const message = isWrapped ? `Invalid config value for resource ${resource}: ${error.message}` : error.message
    throw new ProtocolError(ErrorCode.INVALID_CONFIG, message)
  }
}
