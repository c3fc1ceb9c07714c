import type { TopicPartition } from './admin'
import { decodeJson, encodeJson, ZnodeFormatError } from './znode-json'

/** A parent whose persistent-sequential children tell others that something has changed. */
export interface NotificationQueue {
  path: string
  prefix: string
}

export const configChanges: NotificationQueue = { path: '/config/changes', prefix: 'config_change_' }
/** To the controller, from leaders with inter.broker.protocol.version before 2.7-IV2. */
export const isrChanges: NotificationQueue = { path: '/isr_change_notification', prefix: 'isr_change_' }
/** To the controller, from a broker whose log directory has failed. */
export const logDirEvents: NotificationQueue = { path: '/log_dir_event_notification', prefix: 'log_dir_event_' }
/** Changes of ACLs on literal resource patterns. */
export const aclChanges: NotificationQueue = { path: '/kafka-acl-changes', prefix: 'acl_changes_' }
/** Changes of ACLs on other resource patterns. */
export const extendedAclChanges: NotificationQueue = { path: '/kafka-acl-extended-changes', prefix: 'acl_changes_' }
export const delegationTokenChanges: NotificationQueue = { path: '/delegation_token/token_changes', prefix: 'token_change_' }

/** What to create, sequentially, to tell something. */
export function notificationCreatePath(queue: NotificationQueue): string {
  return `${queue.path}/${queue.prefix}`
}

export function notificationPath(queue: NotificationQueue, name: string): string {
  return `${queue.path}/${name}`
}

/** The sequence number in a child's name; undefined for a child that is no notification of this queue. */
export function sequenceNumberOf(queue: NotificationQueue, name: string): number | undefined {
  const digits = name.startsWith(queue.prefix) ? name.slice(queue.prefix.length) : ''
  return /^-?\d{1,10}$/.test(digits) ? Number(digits) : undefined
}

/** `entityPath` is sanitized: `topics/foo`, `users/alice/clients/<default>`. Version 2 (0.10.1). */
export function encodeConfigChange(entityPath: string): Buffer {
  return encodeJson({ version: 2, entity_path: entityPath })
}

/** The sanitized path of the changed entity, below /config. Reads versions 1 and 2. Throws ZnodeFormatError. */
export function decodeConfigChange(path: string, data: Buffer | null): string {
  const json = decodeJson(path, data)
  const version = json.int('version')
  if (version === 1) {
    const type = json.string('entity_type')
    if (type !== 'topics' && type !== 'clients') throw json.complaint('entity_type', 'topics or clients')
    return `${type}/${json.string('entity_name')}`
  }
  if (version !== 2) throw json.complaint('version', '1 or 2')
  const entityPath = json.string('entity_path')
  if (!/^[^/]+(\/[^/]+)+$/.test(entityPath)) throw json.complaint('entity_path', 'the path of an entity')
  return entityPath
}

export function encodeIsrChange(partitions: readonly TopicPartition[]): Buffer {
  return encodeJson({ version: 1, partitions: partitions.map(({ topic, partition }) => ({ topic, partition })) })
}

/** Throws ZnodeFormatError. */
export function decodeIsrChange(path: string, data: Buffer | null): TopicPartition[] {
  return decodeJson(path, data)
    .objects('partitions')
    .map((item) => ({ topic: item.string('topic'), partition: item.int('partition') }))
}

const LOG_DIR_FAILURE = 1

export function encodeLogDirEvent(brokerId: number): Buffer {
  return encodeJson({ version: 1, broker: brokerId, event: LOG_DIR_FAILURE })
}

/** The broker of which a log directory has failed. Throws ZnodeFormatError. */
export function decodeLogDirEvent(path: string, data: Buffer | null): number {
  return decodeJson(path, data).int('broker')
}

/** A resource whose ACLs have changed, by Kafka's names in upper case. */
export interface ResourcePattern {
  /** TOPIC, GROUP, CLUSTER, TRANSACTIONAL_ID, DELEGATION_TOKEN, USER. */
  resourceType: string
  name: string
  /** LITERAL, PREFIXED. */
  patternType: string
}

export function encodeAclChange(resourceType: string, name: string): Buffer {
  return Buffer.from(`${resourceType.toUpperCase()}:${name}`)
}

/** Plain text, cut at the first colon: a name may hold more. Throws ZnodeFormatError. */
export function decodeAclChange(path: string, data: Buffer | null): ResourcePattern {
  const text = data?.toString() ?? ''
  const colon = text.indexOf(':')
  if (colon < 0) throw new ZnodeFormatError(path, `${JSON.stringify(text)} is not RESOURCE_TYPE:name`)
  return { resourceType: text.slice(0, colon).toUpperCase(), name: text.slice(colon + 1), patternType: 'LITERAL' }
}

export function encodeExtendedAclChange({ resourceType, name, patternType }: ResourcePattern): Buffer {
  return encodeJson({ version: 1, resourceType, name, patternType })
}

/** Throws ZnodeFormatError. */
export function decodeExtendedAclChange(path: string, data: Buffer | null): ResourcePattern {
  const json = decodeJson(path, data)
  if (json.int('version') > 1) throw json.complaint('version', '1')
  return {
    resourceType: json.string('resourceType').toUpperCase(),
    name: json.string('name'),
    patternType: json.string('patternType').toUpperCase(),
  }
}

export function encodeDelegationTokenChange(tokenId: string): Buffer {
  return Buffer.from(tokenId)
}

export function decodeDelegationTokenChange(data: Buffer | null): string {
  return data?.toString() ?? ''
}
