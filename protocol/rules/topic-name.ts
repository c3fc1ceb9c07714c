/**
 * Names of topics (Kafka's Topic).
 */

export const GROUP_METADATA_TOPIC = '__consumer_offsets'
export const TRANSACTION_STATE_TOPIC = '__transaction_state'
export const SHARE_GROUP_STATE_TOPIC = '__share_group_state'
export const CLUSTER_METADATA_TOPIC = '__cluster_metadata'

const MAX_NAME_LENGTH = 249

/** Why `name` cannot be a topic's name, in Kafka's words; undefined if it can. */
export function validateTopicName(name: string): string | undefined {
  const prefix = 'Topic name is invalid: '
  if (name === '') return `${prefix}the empty string is not allowed`
  if (name === '.' || name === '..') return `${prefix}'${name}' is not allowed`
  if (name.length > MAX_NAME_LENGTH) {
    return `${prefix}the length of '${name}' is longer than the max allowed length ${MAX_NAME_LENGTH}`
  }
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) {
    return `${prefix}'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
  }
  return undefined
}

/** Metrics replace dots by underscores: names with either can get into each other's way. */
export function hasCollisionCharacters(name: string): boolean {
  return name.includes('.') || name.includes('_')
}

/** True for two names that differ at most in `.` against `_`. */
export function collides(a: string, b: string): boolean {
  return a.replaceAll('.', '_') === b.replaceAll('.', '_')
}

export function isInternalTopic(name: string): boolean {
  return name === GROUP_METADATA_TOPIC || name === TRANSACTION_STATE_TOPIC || name === SHARE_GROUP_STATE_TOPIC
}
